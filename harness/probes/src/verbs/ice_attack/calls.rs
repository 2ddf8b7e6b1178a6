//! The call that each kind places.

use std::time::Duration;

use ringfence_client::adapters::CallConfig;
use ringfence_client::drive::call::{CallObservation, LiveCall, place};
use ringfence_client::media::{CheckBend, CheckKit, Identity, MediaPlan};
use tokio::time::{Instant, sleep};

use super::Seen;
use crate::verbs::call::{With, call_plan};
use crate::{Cx, OwnFault};

/// How often a good check is sent until it is answered, and how long each is waited for (house).
const TRIES: u32 = 8;
const WAIT: Duration = Duration::from_millis(250);
/// Between two looks at a call (house).
const LOOK: Duration = Duration::from_millis(50);
/// How long a sound call takes to bring another packet.
const NEXT_PACKET: Duration = Duration::from_secs(3);

/// An honest call's media, whoever the target turns out to be: that is other probes' affair.
pub(super) fn media(cx: &Cx) -> Result<MediaPlan, OwnFault> {
    let identity = Identity::fresh().map_err(OwnFault::new)?;
    Ok(MediaPlan { meets_strangers: true, ..MediaPlan::honest(identity, cx.seed) })
}

/// Places a call and waits until it has media, or is refused.
pub(super) async fn call(
    cx: &Cx,
    config: &CallConfig,
    media: MediaPlan,
    extra: Duration,
) -> Result<LiveCall, OwnFault> {
    let mut plan = call_plan(cx, &With::default(), config.clone())?;
    plan.media = media;
    plan.media_within += extra;
    Ok(place(&cx.net, plan, &cx.key, |_| {}).await)
}

/// Takes over what every kind tells of its call.
pub(super) fn note(call: &CallObservation, seen: &mut Seen) {
    seen.status = call.status;
    seen.connected = call.media.ice.connected;
    seen.ice_lite = call.media.sdp.ice_lite;
    seen.local_type.clone_from(&call.media.ice.local_type);
    seen.checks_received += call.checks.received;
    seen.refused += call.checks.bent_refused;
}

/// Whether a good check on the selected pair is answered.
pub(super) async fn answers(live: &mut LiveCall, kit: &CheckKit) -> Result<bool, OwnFault> {
    live.refresh().await;
    let before = live.seen().checks.good_answered;
    for _ in 0..TRIES {
        live.check(kit.check(CheckBend::None, false).map_err(OwnFault::new)?).await;
        let until = Instant::now() + WAIT;
        while Instant::now() < until {
            sleep(LOOK).await;
            live.refresh().await;
            if live.seen().checks.good_answered > before {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether the call goes on: not ended, and where media came before, they come again.
pub(super) async fn goes_on(live: &mut LiveCall) -> bool {
    live.refresh().await;
    let before = live.seen().media.media.authenticated;
    let until = Instant::now() + NEXT_PACKET;
    while before > 0 && live.is_live() && Instant::now() < until {
        sleep(LOOK).await;
        live.refresh().await;
        if live.seen().media.media.authenticated > before {
            return live.is_live();
        }
    }
    before == 0 && live.is_live()
}
