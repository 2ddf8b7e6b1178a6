//! What every sans-IO machine owes to who drives it.

use std::time::Instant;

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

/// Wakes at one instant: what has several timers may have several due.
#[derive(Clone, Copy, Debug, Default)]
pub struct SameInstant {
    count: usize,
}

/// So many timers of one machine may be due at once.
const MOST_AT_ONCE: usize = 16;

impl SameInstant {
    /// As [`woken`], for a machine of several parts that does not do all that is due at once.
    #[track_caller]
    pub fn woken(&mut self, now: Instant, next: Option<Instant>) {
        self.count = if next.is_some_and(|next| next <= now) { self.count + 1 } else { 0 };
        PROGRESS.holds(self.count <= MOST_AT_ONCE, || {
            format!("{} wakes at one instant, and it wants one more", self.count)
        });
    }
}

/// A machine whose peer is silent was woken so often in so many seconds.
#[track_caller]
pub fn rests(wakes: usize, seconds: u64) {
    let most = 64 + usize::try_from(seconds).unwrap_or(usize::MAX);
    PROGRESS.holds(wakes <= most, || format!("{wakes} times awake in {seconds} silent seconds"));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::oracle::caught;

    #[test]
    fn endless_output_is_caught() {
        drained(MOST_OUTPUTS);
        caught(&DRAINING, || drained(MOST_OUTPUTS + 1));
    }

    #[test]
    fn a_busy_loop_is_caught() {
        let now = Instant::now();
        woken(now, None);
        woken(now, Some(now + Duration::from_nanos(1)));
        caught(&PROGRESS, || woken(now, Some(now)));
        let mut several = SameInstant::default();
        (0..MOST_AT_ONCE).for_each(|_| several.woken(now, Some(now)));
        caught(&PROGRESS, move || several.woken(now, Some(now)));
        rests(70, 6);
        caught(&PROGRESS, || rests(71, 6));
    }
}
