//! What every sans-IO machine owes to who drives it.

use std::time::{Duration, Instant};

use crate::oracle::Oracle;

/// One input leads to so many outputs at most.
pub const MOST_OUTPUTS: usize = 64;

/// Draining ends.
pub const DRAINING: Oracle =
    Oracle::new("draining ends", "who drives a machine polls until it rests, and has nothing else in hand meanwhile");

/// Time goes on.
pub const PROGRESS: Oracle = Oracle::new(
    "time goes on",
    "a machine that wants to be woken at a time that has come keeps its driver busy for ever",
);

/// One input led to so many outputs.
#[track_caller]
pub fn drained(outputs: usize) {
    DRAINING.holds(outputs <= MOST_OUTPUTS, || format!("one input led to more than {MOST_OUTPUTS} outputs"));
}

/// The machine was woken at the time that it wished for, and wishes for this now.
#[track_caller]
pub fn woken(now: Instant, next: Option<Instant>) {
    PROGRESS.holds(next.is_none_or(|next| next > now), || {
        format!("woken at its time, it wants to be woken {:?} before that", next.map(|next| now - next))
    });
}

/// Wakes at one instant, or as good as: what has several timers may have several due.
#[derive(Clone, Copy, Debug, Default)]
pub struct SameInstant {
    count: usize,
}

/// So many timers of one machine may be due at once.
const MOST_AT_ONCE: usize = 16;
/// Who wants to be woken sooner than this is awake all the time (house).
const SOON: Duration = Duration::from_millis(1);
/// Timers that may be due after the peer's last word: sixteen requests, a call and a registration, each with what it leads to.
const MOST_TIMERS: usize = 64;

impl SameInstant {
    /// As [`woken`], for a machine of several parts that does not do all that is due at once.
    #[track_caller]
    pub fn woken(&mut self, now: Instant, next: Option<Instant>) {
        self.count = if next.is_some_and(|next| next < now + SOON) { self.count + 1 } else { 0 };
        PROGRESS.holds(self.count <= MOST_AT_ONCE, || {
            format!("{} wakes at one instant, and it wants one more", self.count)
        });
    }
}

/// A machine whose peer is silent for ever was woken so often, and now waits for nothing more, or does.
#[track_caller]
pub fn rests(wakes: usize, is_idle: bool) {
    PROGRESS.holds(is_idle && wakes <= MOST_TIMERS, || {
        format!("after {wakes} times awake with nobody there it {}", if is_idle { "rests" } else { "waits for more" })
    });
}

/// A machine whose peer is silent was woken so often in such a time: media go on for as long as they may.
#[track_caller]
pub fn calm(wakes: usize, time: Duration) {
    let most = MOST_TIMERS + usize::try_from(time.as_secs()).unwrap_or(usize::MAX);
    PROGRESS.holds(wakes <= most, || format!("{wakes} times awake in {time:?} of silence"));
}

#[cfg(test)]
mod tests {
    use ringfence_client::media;
    use ringfence_client::signalling::{Event, Output};
    use ringfence_model::observation::CallSeen;

    use super::*;
    use crate::machines::broken::{carries, signals};
    use crate::machines::{Call, Dialogue, Record, Relayed, Subject};
    use crate::oracle::caught;

    /// What every target of a dialogue does with its machine.
    fn dialogue(subject: impl Subject) {
        Dialogue::new(subject, Instant::now(), true, Record::default()).fall_silent();
    }

    /// A dialogue with a machine that wants to be woken so long after each input.
    fn restless(nanoseconds: u64) {
        dialogue(signals(move |now, _| (vec![], Some(now + Duration::from_nanos(nanoseconds)))));
    }

    /// Media that want to be woken this soon after each input.
    fn hurried(soon: Duration) -> impl crate::machines::Medium {
        carries((vec![], Some(Instant::now())), CallSeen::default(), move |now, _| (vec![], Some(now + soon)))
    }

    #[test]
    fn endless_output_is_caught() {
        let tells =
            |times| signals(move |_, _| ((0..times).map(|_| Output::Event(Event::Unregistered)).collect(), None));
        drained(MOST_OUTPUTS);
        caught(&DRAINING, || dialogue(tells(MOST_OUTPUTS + 1)));
        caught(&DRAINING, || {
            let tells = (0..600).map(|_| media::Output::Event(media::Event::IceConnected)).collect();
            let talker = carries((tells, None), CallSeen::default(), |_, _| (vec![], None));
            Relayed::new(talker, Instant::now(), false, Record::default());
        });
    }

    #[test]
    fn a_machine_that_is_always_awake_is_caught() {
        dialogue(signals(|_, _| (vec![], None)));
        for nanoseconds in [0, 1, 1_400_000_000] {
            caught(&PROGRESS, || restless(nanoseconds));
        }
        for soon in [Duration::ZERO, Duration::from_nanos(1)] {
            caught(&PROGRESS, || Relayed::new(hurried(soon), Instant::now(), false, Record::default()).fall_silent());
            caught(&PROGRESS, || {
                let quiet = Dialogue::new(signals(|_, _| (vec![], None)), Instant::now(), true, Record::default());
                Call::new(quiet, hurried(soon), b"", Record::default()).fall_silent();
            });
        }
    }

    #[test]
    fn what_is_due_at_once_may_be_done_one_by_one() {
        let (now, mut several) = (Instant::now(), SameInstant::default());
        (0..MOST_AT_ONCE).for_each(|_| several.woken(now, Some(now)));
        caught(&PROGRESS, move || several.woken(now, Some(now)));
        calm(70, Duration::from_secs(6));
        caught(&PROGRESS, || calm(71, Duration::from_secs(6)));
    }
}
