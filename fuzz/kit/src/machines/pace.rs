//! How often a machine is woken: as often as it asks, or now and then late, as by a driver that has other things to do.

use std::time::{Duration, Instant};

/// Wakes of one stretch of time, about. Checks of ICE alone are due each 15 ms, and are most of what a run would cost.
const WAKES: u32 = 16;
/// The latest that a machine is woken.
const LATEST: Duration = Duration::from_millis(500);

/// The pace of one stretch of time.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    earliest: Instant,
    step: Duration,
}

impl Pace {
    /// From now on, for so long.
    pub fn new(now: Instant, time: Duration) -> Self {
        Self { earliest: now, step: (time / WAKES).min(LATEST) }
    }

    /// When what is due then is to be done.
    pub fn due(&self, wake: Option<Instant>) -> Option<Instant> {
        wake.map(|wake| wake.max(self.earliest))
    }

    /// It was woken, and what it waits for now. What is due at this instant still is done at once.
    pub fn woken(&mut self, now: Instant, next: Option<Instant>) {
        if next.is_none_or(|next| next > now) {
            self.earliest = now + self.step;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wakes of a machine that has something to do each 15 ms, and the longest that it waited.
    fn wakes(time: Duration) -> (u32, Duration) {
        let began = Instant::now();
        let (mut now, mut pace, mut all, mut longest) = (began, Pace::new(began, time), 0, Duration::ZERO);
        while let Some(at) = pace.due(Some(now + Duration::from_millis(15))).filter(|at| *at <= began + time) {
            longest = longest.max(at - now);
            now = at;
            pace.woken(now, Some(now + Duration::from_millis(15)));
            all += 1;
        }
        (all, longest)
    }

    #[test]
    fn a_short_time_is_kept_and_a_long_one_is_coarse() {
        assert_eq!(wakes(Duration::from_millis(160)), (10, Duration::from_millis(15)));
        assert_eq!(wakes(Duration::from_secs(8)), (16, LATEST));
        assert_eq!(wakes(Duration::from_secs(80)), (160, LATEST));
    }

    #[test]
    fn what_is_due_at_once_is_done_at_once() {
        let now = Instant::now();
        let mut pace = Pace::new(now, Duration::from_secs(8));
        pace.woken(now, Some(now));
        assert_eq!(pace.due(Some(now)), Some(now));
        pace.woken(now, None);
        assert_eq!((pace.due(Some(now)), pace.due(None)), (Some(now + LATEST), None));
    }
}
