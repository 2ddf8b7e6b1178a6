//! `call`: one whole call: INVITE, ICE, DTLS, SRTP audio with echo detection, BYE; each part can be bent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_client::Failure;
use ringfence_client::drive::call::{CallObservation, CallPlan, EndedBy, LiveCall, place};
use ringfence_client::media::{CandidatePolicy, FingerprintBend, Identity, MediaPlan, Sdes, Setup, TransportProfile};
use ringfence_model::Untrusted;
use ringfence_model::observation::{CallSeen, Common, Outcome};
use ringfence_srtp::Profile;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::origin::OriginVariant;
use crate::probe::object;
use crate::step_ref::{CallRef, ConfigRef};
use crate::{Asked, Cost, Cx, Kept, OwnFault, Probe};

/// Markers that came back after which a control has shown enough: half a second of audio (house).
const ENOUGH_ECHOES: i64 = 25;

/// See [`Probe::DOES`].
pub struct Call;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct With {
    /// The step whose configuration is used; left out: a fresh one.
    pub config: Option<ConfigRef>,
    /// `call` for the declared destination, the name of another one, or a SIP URI.
    pub target: String,
    /// Seconds of audio: an upper bound for a control, the whole time for others.
    pub media_s: u32,
    /// Keep the call for later steps.
    pub hold: bool,
    /// Transport profile of the offer.
    pub profile: ProfileWord,
    /// `a=crypto` lines in the offer.
    pub sdes: SdesWord,
    /// Fingerprint of the offer.
    pub fingerprint: FingerprintWord,
    /// `a=setup` of the offer.
    pub setup: SetupWord,
    /// Our certificate.
    pub certificate: CertificateWord,
    /// The call whose certificate and random are used again.
    pub certificate_of: Option<CallRef>,
    /// SRTP profiles to offer, in order; empty: the usual ones.
    pub srtp_profiles: Vec<String>,
    /// ICE candidates to offer.
    pub candidates: CandidatesWord,
}

impl Default for With {
    fn default() -> Self {
        Self {
            config: None,
            target: "call".into(),
            media_s: 2,
            hold: false,
            profile: ProfileWord::Savpf,
            sdes: SdesWord::None,
            fingerprint: FingerprintWord::Right,
            setup: SetupWord::Actpass,
            certificate: CertificateWord::Fresh,
            certificate_of: None,
            srtp_profiles: vec![],
            candidates: CandidatesWord::All,
        }
    }
}

/// Declares a word of the parameters and what the client calls it.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident => $type:ty { $($(#[$variant_doc:meta])* $word:ident => $value:expr),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$variant_doc])* $word),+ }

        impl From<$name> for $type {
            fn from(word: $name) -> Self {
                match word { $($name::$word => $value),+ }
            }
        }
    };
}

word! {
    /// Transport profile of the offer.
    ProfileWord => TransportProfile {
        /// UDP/TLS/RTP/SAVPF.
        Savpf => TransportProfile::Savpf,
        /// RTP/AVPF.
        Avpf => TransportProfile::Avpf,
        /// RTP/AVP.
        Avp => TransportProfile::Avp,
        /// RTP/SAVP.
        Savp => TransportProfile::Savp,
    }
}
word! {
    /// `a=crypto` lines in the offer.
    SdesWord => Sdes {
        /// None.
        None => Sdes::None,
        /// Instead of a fingerprint.
        Only => Sdes::Only,
        /// Beside a fingerprint.
        Both => Sdes::Both,
    }
}
word! {
    /// Fingerprint of the offer.
    FingerprintWord => FingerprintBend {
        /// Of our certificate.
        Right => FingerprintBend::Right,
        /// Of another certificate.
        Wrong => FingerprintBend::Wrong,
        /// None.
        Missing => FingerprintBend::Missing,
    }
}
word! {
    /// `a=setup` of the offer.
    SetupWord => Setup {
        /// Either role.
        Actpass => Setup::Actpass,
        /// We are the DTLS client.
        Active => Setup::Active,
        /// We are the DTLS server.
        Passive => Setup::Passive,
    }
}
word! {
    /// ICE candidates to offer.
    CandidatesWord => CandidatePolicy {
        /// All.
        All => CandidatePolicy::All,
        /// Relayed ones only.
        Relay => CandidatePolicy::Relay,
        /// Host candidates only.
        Host => CandidatePolicy::Host,
    }
}

/// Our certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CertificateWord {
    /// Made for this call.
    Fresh,
    /// That of `certificate_of`, and its ClientHello random.
    Reused,
}

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
    /// What the media side saw.
    #[serde(flatten)]
    pub media: CallSeen,
}

/// A call that a step kept: running, or over.
pub struct HeldCall {
    live: Mutex<Option<LiveCall>>,
    identity: Identity,
    begun: Instant,
}

impl HeldCall {
    /// The running call; `None` when it is over.
    pub(super) async fn live(&self) -> tokio::sync::MutexGuard<'_, Option<LiveCall>> {
        self.live.lock().await
    }

    /// Hangs up; what was seen until the end, where the call still ran.
    pub async fn end(&self) -> Result<Option<Map<String, Value>>, OwnFault> {
        let Some(live) = self.live.lock().await.take() else { return Ok(None) };
        let ended = live.hang_up().await;
        let elapsed_ms = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let (seen, failure) = describe(ended)?;
        let (outcome, error) = failure.map_or((Outcome::Answered, None), |f| (f.outcome, Some(f.error)));
        object(&Common { outcome, elapsed_ms, error }, &seen).map(Some)
    }
}

impl Probe for Call {
    const NAME: &'static str = "call";
    const DOES: &'static str =
        "one whole call: INVITE, ICE, DTLS, SRTP audio with echo detection, BYE; each part can be bent";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        Cost { calls: 1, mints: u32::from(with.config.is_none()), ..Cost::ACTIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let begun = Instant::now();
        let config = match cx.config(with.config.as_ref()).await? {
            Ok(config) => config,
            Err(failure) => return Ok(Asked::failed(Seen::default(), failure)),
        };
        let media = media_plan(cx, &with)?;
        let identity = media.certificate.clone();
        let limits = cx.target.limits;
        let plan = CallPlan {
            target_uri: destination(cx, &with.target),
            origin: OriginVariant::Trusted.value(&cx.target),
            transaction: Duration::from_secs_f64(limits.exchange_s),
            answer_within: Duration::from_secs_f64(limits.ring_s),
            media_within: Duration::from_secs_f64(limits.media_s),
            ..CallPlan::honest((*config).clone(), media, cx.seed)
        };
        let mut live = place(&cx.net, plan, &cx.key, |_| {}).await;
        let length = Duration::from_secs(with.media_s.into());
        if cx.control && echoes(cx, &with.target) {
            live.run_until_echoes(ENOUGH_ECHOES, length).await;
        } else {
            live.run_for(length).await;
        }
        let keep = |live| Kept::Call(Arc::new(HeldCall { live: Mutex::new(live), identity, begun }));
        if with.hold {
            let (seen, failure) = describe(live.seen())?;
            return Ok(asked(seen, failure).keeping(keep(Some(live))));
        }
        let (seen, failure) = describe(live.hang_up().await)?;
        Ok(asked(seen, failure).keeping(keep(None)))
    }
}

fn asked(seen: Seen, failure: Option<Failure>) -> Asked<Seen> {
    match failure {
        Some(failure) => Asked::failed(seen, failure),
        None => Asked::answered(seen),
    }
}

fn media_plan(cx: &Cx, with: &With) -> Result<MediaPlan, OwnFault> {
    let certificate = match (with.certificate, &with.certificate_of) {
        (CertificateWord::Fresh, _) => Identity::fresh().map_err(OwnFault::new)?,
        (CertificateWord::Reused, Some(step)) => cx.call(step)?.identity.clone(),
        (CertificateWord::Reused, None) => {
            return Err(OwnFault("certificate = \"reused\" needs certificate_of".into()));
        }
    };
    let profiles: Result<Vec<Profile>, OwnFault> = with
        .srtp_profiles
        .iter()
        .map(|name| Profile::from_name(name).ok_or_else(|| OwnFault(format!("unknown SRTP profile {name}"))))
        .collect();
    let honest = MediaPlan::honest(certificate, cx.seed);
    Ok(MediaPlan {
        profile: with.profile.into(),
        sdes: with.sdes.into(),
        fingerprint: with.fingerprint.into(),
        setup: with.setup.into(),
        candidates: with.candidates.into(),
        srtp_profiles: Some(profiles?).filter(|list| !list.is_empty()).unwrap_or(honest.srtp_profiles.clone()),
        ..honest
    })
}

/// The Request-URI that a target text stands for; `None` for what the configuration says.
fn destination(cx: &Cx, target: &str) -> Option<String> {
    let named = &cx.target.destinations;
    let entry = match target {
        "call" => &named.call,
        "recorded" => &named.recorded,
        "rotating" => &named.rotating,
        "callee" => &named.callee,
        uri => return Some(uri.to_owned()),
    };
    entry.as_ref().map(|destination| destination.uri.clone()).filter(|uri| uri != "configured")
}

fn echoes(cx: &Cx, target: &str) -> bool {
    target == "call" && cx.target.destinations.call.as_ref().is_some_and(|destination| destination.echo)
}

fn describe(seen: CallObservation) -> Result<(Seen, Option<Failure>), OwnFault> {
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
