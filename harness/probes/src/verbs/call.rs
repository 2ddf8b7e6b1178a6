//! `call`: one whole call: INVITE, ICE, DTLS, SRTP audio with echo detection, BYE; each part can be bent.

mod held;
mod identity;
mod plan;
mod seen;
mod with;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use ringfence_client::Failure;
use ringfence_client::drive::call::{CallPlan, LiveCall, place};
use ringfence_client::media::{Identity, MediaPlan};

use crate::{Asked, Cost, Cx, Kept, OwnFault, Probe};
pub use held::HeldCall;
use held::hang_up_all;
pub(super) use plan::call_plan;
use plan::echoes;
pub use seen::Seen;
use seen::describe;
pub use with::With;
use with::{CandidatesWord, CertificateWord};

/// Markers that came back after which a control has shown enough: half a second of audio (house).
const ENOUGH_ECHOES: i64 = 25;
/// Most calls of one step.
const MAX_TIMES: u32 = 50;

/// See [`Probe::DOES`].
pub struct Call;

impl Probe for Call {
    const NAME: &'static str = "call";
    const DOES: &'static str =
        "one whole call: INVITE, ICE, DTLS, SRTP audio with echo detection, BYE; each part can be bent";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        let times = with.times.clamp(1, MAX_TIMES);
        // A call that may be relayed allocates, if the configuration names a TURN server.
        let allocations = if with.candidates == CandidatesWord::Host { 0 } else { times };
        Cost {
            calls: times,
            connections: times,
            allocations,
            mints: u32::from(with.config.is_none()),
            seconds: with.media_s,
            ..Cost::ACTIVE
        }
        .passive_if(with.is_plain())
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let begun = Instant::now();
        let config = match cx.config(with.config.as_ref()).await? {
            Ok(config) => config,
            Err(failure) => return Ok(Asked::failed(Seen::default(), failure)),
        };
        let plan = call_plan(cx, &with, (*config).clone())?;
        let identity = plan.media.certificate.clone();
        let mut calls = place_all(cx, &with, plan).await?;
        let length = Duration::from_secs(with.media_s.into());
        let enough = (cx.control && echoes(cx, &with.target)).then_some(ENOUGH_ECHOES);
        join_all(calls.iter_mut().map(|live| run(live, length, enough))).await;
        let granted = calls.iter().filter(|live| live.seen().answered).count();
        let granted = i64::try_from(granted).unwrap_or(i64::MAX);
        let (first, calls) = if with.hold {
            (calls.first().map(LiveCall::seen), calls)
        } else {
            (hang_up_all(calls).await.into_iter().next(), vec![])
        };
        let (seen, failure) = describe(first.ok_or_else(|| OwnFault("no call was placed".into()))?)?;
        let kept = Kept::Call(Arc::new(HeldCall::new(calls, granted, identity, begun)));
        Ok(asked(Seen { granted, ..seen }, failure).keeping(kept))
    }
}

/// As many calls as are asked for, all at once. Each further one has tags and a certificate of its own.
async fn place_all(cx: &Cx, with: &With, first: CallPlan) -> Result<Vec<LiveCall>, OwnFault> {
    let mut plans = vec![];
    for number in 1..u64::from(with.times.clamp(1, MAX_TIMES)) {
        let seed = cx.seed.wrapping_add(number << 32);
        let certificate = match with.certificate {
            CertificateWord::Reused => first.media.certificate.clone(),
            _ => Identity::fresh().map_err(OwnFault::new)?,
        };
        let media = MediaPlan { certificate, seed, ..first.media.clone() };
        plans.push(CallPlan { media, seed, ..first.clone() });
    }
    plans.insert(0, first);
    Ok(join_all(plans.into_iter().map(|plan| place(&cx.net, plan, &cx.key, |_| {}))).await)
}

/// Lets audio flow, until it has shown enough where that is told.
async fn run(live: &mut LiveCall, length: Duration, enough: Option<i64>) {
    match enough {
        Some(echoes) => {
            live.run_until_echoes(echoes, length).await;
        }
        None => live.run_for(length).await,
    }
}

fn asked(seen: Seen, failure: Option<Failure>) -> Asked<Seen> {
    match failure {
        Some(failure) => Asked::failed(seen, failure),
        None => Asked::answered(seen),
    }
}
