//! What a reader allocates.

use crate::oracle::Oracle;

/// Bytes allocated are at most so many for each byte of input, and so many besides.
pub const ALLOCATION: Oracle =
    Oracle::new("bounded allocation", "a peer must not be able to buy memory or work with a few bytes");

/// How much may be allocated in all, what was freed again included.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// Bytes for each byte of input.
    pub per_byte: u64,
    /// Bytes besides: tables, small buffers, an error's text.
    pub fixed: u64,
}

/// What the work returns, if it allocated no more than the bound allows for that many bytes of input. The work must not go to
/// another thread: only this one is counted.
#[track_caller]
pub fn allocating<T>(bound: Bound, input: usize, work: impl FnOnce() -> T) -> T {
    let mut outcome = None;
    let counted = allocation_counter::measure(|| outcome = Some(work()));
    let limit = (input as u64).saturating_mul(bound.per_byte).saturating_add(bound.fixed);
    ALLOCATION.holds(counted.bytes_total <= limit, || {
        let (bytes, times, peak) = (counted.bytes_total, counted.count_total, counted.bytes_max);
        format!("{input} bytes of input made it allocate {bytes} bytes in {times} pieces ({peak} at once), of {limit}")
    });
    outcome.expect("the work was done")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    const BOUND: Bound = Bound { per_byte: 2, fixed: 64 };

    #[test]
    fn as_much_as_came_is_fine() {
        assert_eq!(allocating(BOUND, 1_000, || vec![7_u8; 2_000]).len(), 2_000);
    }

    #[test]
    fn a_reader_that_believes_a_length_is_caught() {
        let claimed = 1 << 20;
        caught(&ALLOCATION, || drop(allocating(BOUND, 4, || Vec::<u8>::with_capacity(claimed))));
    }

    #[test]
    fn what_was_freed_again_counts() {
        caught(&ALLOCATION, || {
            allocating(BOUND, 4, || (0..100).for_each(|_| drop(std::hint::black_box(vec![1_u8; 100]))));
        });
    }
}
