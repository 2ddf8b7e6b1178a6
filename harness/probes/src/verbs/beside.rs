//! A stranger's call beside the attack: another participant's, which must not notice it.

use std::time::Duration;

use ringfence_client::adapters::{self, Ask, FetchError};
use ringfence_client::drive::call::{CallObservation, CallPlan, EndedBy, LiveCall, place};
use ringfence_client::media::{Identity, MediaPlan};

use crate::origin::OriginVariant;
use crate::{Cx, OwnFault};

/// Audio that measures the call before the attack, and after it (house).
const MEASURE: Duration = Duration::from_secs(2);

/// The call, and what its audio showed so far.
pub struct Beside {
    live: Option<LiveCall>,
    /// Good packets sent and markers that came back, by the last look.
    last: (i64, i64),
    loss_before: Option<f64>,
    sent_before: (i64, i64),
    /// Packets that authenticated before the attack: what a target without an echo shows.
    heard_before: i64,
}

/// What became of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct BesideSeen {
    /// Its audio came back before the attack.
    pub control_before: bool,
    /// It still runs, and its audio came back after the attack.
    pub alive: bool,
    /// Audio of the target came before the attack, echo or not.
    pub heard_before: bool,
    /// It still runs, and audio of the target came after the attack, echo or not.
    pub heard: bool,
    /// It is gone, or silent, without having been lost: the target ended it in good order, or there was no echo to lose and no
    /// audio comes any more. A voice bot hangs up on who says nothing, and is silent when it has spoken.
    pub left: bool,
    /// Share of its packets that did not come back before the attack, and from then to the end.
    pub loss: Option<(f64, f64)>,
}

impl Beside {
    /// Places it, as the second participant, and lets audio flow. One that cannot be placed shows so in its end.
    pub async fn place(cx: &Cx) -> Result<Self, OwnFault> {
        let mut beside = Self { live: None, last: (0, 0), loss_before: None, sent_before: (0, 0), heard_before: 0 };
        let ask = Ask { participant: 2, ..Ask::default() };
        let fetched = match adapters::fetch(&cx.net, &cx.target, &ask).await {
            Ok(fetched) => fetched,
            Err(FetchError::Own(why)) => return Err(OwnFault(why)),
            Err(FetchError::Target(_)) => return Ok(beside),
        };
        cx.learn_answer(&fetched.answer);
        let Some(config) = fetched.config else { return Ok(beside) };
        cx.learn(&config);
        let media = MediaPlan::honest(Identity::fresh().map_err(OwnFault::new)?, !cx.seed);
        let limits = cx.target.limits;
        let plan = CallPlan {
            target_uri: cx
                .target
                .destinations
                .call
                .as_ref()
                .map(|call| call.uri.clone())
                .filter(|uri| uri != "configured"),
            origin: OriginVariant::Trusted.value(&cx.target),
            transaction: Duration::from_secs_f64(limits.exchange_s),
            answer_within: Duration::from_secs_f64(limits.ring_s),
            media_within: Duration::from_secs_f64(limits.media_s),
            ..CallPlan::honest(config, media, !cx.seed)
        };
        let mut live = place(&cx.net, plan, &cx.key, |_| {}).await;
        live.run_for(MEASURE).await;
        beside.live = Some(live);
        beside.loss_before = beside.loss_since_last().await;
        beside.sent_before = beside.last;
        beside.heard_before = beside.heard();
        Ok(beside)
    }

    /// Whether it was answered and has ended.
    pub fn is_lost(&self) -> bool {
        self.live.as_ref().is_some_and(|live| !live.is_live())
    }

    /// The share of the packets sent since the last look that did not come back; `None` where none was sent.
    pub async fn loss_since_last(&mut self) -> Option<f64> {
        let live = self.live.as_mut()?;
        live.refresh().await;
        let media = live.seen().media.media;
        let before = std::mem::replace(&mut self.last, (media.sent, media.echoed));
        loss(before, self.last)
    }

    /// Packets that authenticated, by the last look.
    fn heard(&self) -> i64 {
        self.live.as_ref().map_or(0, |live| live.seen().media.media.authenticated)
    }

    /// Measures it once more and hangs up.
    pub async fn end(mut self) -> BesideSeen {
        let loss_before = self.loss_before;
        let _ = self.loss_since_last().await;
        let (echoed, heard) = (self.last.1, self.heard());
        let Some(mut live) = self.live.take() else { return BesideSeen::default() };
        live.run_for(MEASURE).await;
        let alive = live.is_live();
        let end = live.seen();
        let media = live.hang_up().await.media.media;
        let heard_after = alive && media.authenticated > heard;
        let after = loss(self.sent_before, (media.sent, media.echoed));
        BesideSeen {
            control_before: self.sent_before.1 > 0,
            alive: alive && media.echoed > echoed,
            heard_before: self.heard_before > 0,
            heard: heard_after,
            left: !heard_after && has_left(&end, self.sent_before.1 > 0),
            loss: loss_before.zip(after),
        }
    }
}

/// Whether a call that is heard no more went without being lost: a connection that breaks ends it as well, and says so.
fn has_left(end: &CallObservation, echoed: bool) -> bool {
    match end.ended_by {
        Some(EndedBy::Target) => end.failure.is_none(),
        Some(EndedBy::Us) => false,
        None => end.answered && !echoed,
    }
}

fn loss(before: (i64, i64), now: (i64, i64)) -> Option<f64> {
    let (sent, back) = (now.0 - before.0, now.1 - before.1);
    (sent > 0).then(|| (1.0 - back as f64 / sent as f64).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use ringfence_client::Failure;

    use super::*;

    #[test]
    fn who_hangs_up_in_order_or_had_nothing_to_say_is_not_lost() {
        let end =
            |ended_by, failure| CallObservation { answered: true, ended_by, failure, ..CallObservation::default() };
        let broke = || Some(Failure::closed("the target closed the signalling connection"));
        for echoed in [false, true] {
            assert!(has_left(&end(Some(EndedBy::Target), None), echoed), "BYE");
            assert!(!has_left(&end(Some(EndedBy::Target), broke()), echoed), "its connection broke");
        }
        assert!(has_left(&end(None, None), false), "a greeting is over");
        assert!(!has_left(&end(None, None), true), "the echo is gone");
        assert!(!has_left(&CallObservation::default(), false), "there was none");
    }

    #[test]
    fn loss_is_a_share_of_what_was_sent_meanwhile() {
        assert_eq!(loss((100, 90), (200, 165)), Some(0.25));
        assert_eq!(loss((100, 90), (200, 195)), Some(0.0), "late echoes");
        assert_eq!(loss((100, 90), (100, 90)), None);
    }
}
