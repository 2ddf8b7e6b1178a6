//! The observation of `call`.

use ringfence_client::Failure;
use ringfence_client::drive::call::{CallObservation, EndedBy};
use ringfence_model::Untrusted;
use ringfence_model::observation::{CallSeen, Outcome};
use schemars::JsonSchema;
use serde::Serialize;

use crate::OwnFault;

/// Observation.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// Final SIP status of the INVITE, or of what came before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Its reason phrase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Untrusted>,
    /// Final SIP status of the INVITE itself: only then was the offer judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite_status: Option<u16>,
    /// The INVITE was answered with 200.
    pub answered: bool,
    /// Who ended the call: `us` or `target`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// Milliseconds from the handshake's last message, or the answer, to the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_after_ms: Option<i64>,
    /// Seconds from the answer to the end, or until now.
    pub seconds: f64,
    /// Seconds of the session timer that the answer agrees to (RFC 4028).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_expires_s: Option<u32>,
    /// Calls of this step that were answered: of as many as `times` says.
    pub granted: i64,
    /// What the media side saw.
    #[serde(flatten)]
    pub media: CallSeen,
}

/// What was seen as observation, and how the conversation failed, if it did.
pub(super) fn describe(seen: CallObservation) -> Result<(Seen, Option<Failure>), OwnFault> {
    if let Some(fault) = seen.own_fault {
        return Err(OwnFault(fault));
    }
    // A media stage that failed is told as the error of an answered call, not as a failed conversation.
    let media_failure = seen.media_failure.clone().or_else(|| unconnected(&seen));
    let media_failure = media_failure.map(|error| Failure { outcome: Outcome::Answered, error });
    let fields = Seen {
        invite_status: invite_status(&seen),
        status: seen.status,
        reason: seen.reason,
        answered: seen.answered,
        ended_by: seen.ended_by.map(|by| by.word().to_owned()),
        ended_after_ms: seen.ended_after_ms,
        seconds: seen.seconds,
        session_expires_s: seen.session_expires_s,
        granted: i64::from(seen.answered),
        media: seen.media,
    };
    Ok((fields, seen.failure.or(media_failure)))
}

/// The status is that of the INVITE, unless the upgrade or the registration before it was refused.
fn invite_status(seen: &CallObservation) -> Option<u16> {
    let upgraded = seen.upgrade_status == Some(101);
    let registered = seen.register_status.is_none_or(|status| (200..300).contains(&status));
    seen.status.filter(|_| upgraded && registered)
}

/// ICE that finds no way fails in silence: no packet says so.
fn unconnected(seen: &CallObservation) -> Option<Untrusted> {
    let media = &seen.media;
    let waited = seen.answered && media.sdp.media_accepted && seen.ended_by != Some(EndedBy::Target);
    if !waited || media.ice.connected || media.media.received > 0 {
        return None;
    }
    Some(match seen.out_of_scope {
        0 => "ice: no pair of candidates connected".into(),
        count => {
            format!("ice: no pair of candidates connected; {count} times an address out of scope was left alone").into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_invites_status_is_not_what_came_before_it() {
        let seen = |upgrade, register, status| CallObservation {
            upgrade_status: upgrade,
            register_status: register,
            status,
            ..CallObservation::default()
        };
        assert_eq!(invite_status(&seen(Some(101), Some(200), Some(488))), Some(488));
        assert_eq!(invite_status(&seen(Some(101), None, Some(200))), Some(200));
        assert_eq!(invite_status(&seen(Some(101), Some(403), Some(403))), None);
        assert_eq!(invite_status(&seen(Some(403), None, Some(403))), None);
        assert_eq!(invite_status(&seen(Some(101), Some(200), None)), None);
    }
}
