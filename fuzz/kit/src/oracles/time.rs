//! How long a run takes.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::oracle::Oracle;

/// A run takes no more processor time than this (house): enough for the slowest seed in a build without optimisation.
pub const RUN_LIMIT: Duration = Duration::from_secs(5);

/// A run ends soon.
pub const TIME: Oracle = Oracle::new(
    "bounded time",
    "a peer must not be able to buy work with a few bytes: what takes seconds for 64 KiB stops the one thread that answers everybody",
);

/// What the work returns, if this thread needed no more processor time for it than the limit. What the machine did besides does not
/// count. Work that never ends is left to the engine's own clock (`-timeout`).
#[track_caller]
pub fn timed<T>(limit: Duration, work: impl FnOnce() -> T) -> T {
    let begun = processor_time();
    let outcome = work();
    let taken = processor_time().saturating_sub(begun);
    TIME.holds(taken <= limit, || format!("it took {taken:?} of processor time, of {limit:?}"));
    outcome
}

/// Of this thread, since it began.
fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(now).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    /// Of processor time, so that other work on the machine does not count.
    const SHORT: Duration = Duration::from_millis(5);

    #[test]
    fn work_that_grows_with_the_square_of_its_input_is_caught() {
        let input = vec![1_u8; 5_000];
        let pairs = || input.iter().flat_map(|one| input.iter().map(move |other| std::hint::black_box(one + other)));
        assert_eq!(timed(SHORT, || input.iter().map(|one| usize::from(*one)).sum::<usize>()), 5_000);
        caught(&TIME, || _ = timed(SHORT, || pairs().count()));
    }

    #[test]
    fn waiting_is_no_work() {
        timed(SHORT, || std::thread::sleep(4 * SHORT));
    }
}
