//! The calls of both kinds: we are the DTLS client, whoever the target turns out to be.

use std::time::Duration;

use ringfence_client::Failure;
use ringfence_client::adapters::CallConfig;
use ringfence_client::drive::call::{CallObservation, EndedBy, LiveCall, place};
use ringfence_client::media::{Identity, MediaPlan, Setup};
use ringfence_model::Untrusted;

use super::Seen;
use crate::verbs::call::{With, call_plan};
use crate::{Cx, OwnFault};

/// The media of an honest DTLS client.
pub(super) fn media(cx: &Cx) -> Result<MediaPlan, OwnFault> {
    let identity = Identity::fresh().map_err(OwnFault::new)?;
    Ok(MediaPlan { setup: Setup::Active, meets_strangers: true, ..MediaPlan::honest(identity, cx.seed) })
}

/// Places the step's call of this number and waits until it has media, or is refused; its media may take so much longer.
pub(super) async fn call(
    cx: &Cx,
    (number, config): (u64, &CallConfig),
    media: MediaPlan,
    extra: Duration,
) -> Result<LiveCall, OwnFault> {
    let mut plan = call_plan(cx, &With::default(), config.clone())?;
    // With the same tags and branches a proxy would take the second call for a copy of the first.
    plan.seed = cx.seed.wrapping_add(number << 32);
    plan.media = MediaPlan { seed: plan.seed, ..media };
    plan.media_within += extra;
    Ok(place(&cx.net, plan, &cx.key, |_| {}).await)
}

/// Takes over what both kinds tell of a call that is over; why nothing could be asked in it, if that is so.
///
/// # Errors
/// Our own fault.
pub(super) fn note(call: &CallObservation, seen: &mut Seen) -> Result<Option<Failure>, OwnFault> {
    if let Some(fault) = &call.own_fault {
        return Err(OwnFault(fault.clone()));
    }
    seen.calls_lost += i64::from(call.ended_by == Some(EndedBy::Target));
    let alert = call.media.dtls.alert.clone().map(Untrusted::new);
    seen.alert = seen.alert.take().or(alert);
    if call.answered && call.media.ice.connected {
        return Ok(None);
    }
    let why = || match &call.media_failure {
        Some(error) => Failure::protocol(error.raw()),
        None if call.answered => Failure::protocol("ICE did not connect"),
        None => Failure::protocol("the call was not answered"),
    };
    Ok(Some(call.failure.clone().unwrap_or_else(why)))
}
