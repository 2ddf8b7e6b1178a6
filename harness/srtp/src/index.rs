//! Which packet index a sequence number or an SRTCP index stands for.
//!
//! Within a context an index is used once, whatever the key: after a re-key a stream goes on where it was (RFC 3711, sections
//! 3.3.1 and 3.4: neither counter is reset), and at the end of its indices it ends (section 9.2: or the session is terminated).
//! So no re-key ever lets keystream be used twice or an old packet in again.

use crate::replay::Window;

/// Bits of the RTP index: rollover counter and sequence number. RFC 3711, section 3.3.1.
pub(crate) const RTP_BITS: u32 = 48;
/// Bits of the SRTCP index. RFC 3711, section 3.4.
pub(crate) const RTCP_BITS: u32 = 31;
/// Bits of the RTP sequence number, which is all of the index that a packet carries. RFC 3550, section 5.1.
const SEQUENCE_BITS: u32 = 16;

/// The indices of one SSRC, RTP's or RTCP's. RFC 3711, section 3.2.1: both counters and the replay list belong to the stream.
#[derive(Debug, Clone)]
pub(crate) struct Counter {
    window: Window,
    /// The first index that there is not.
    end: u64,
    /// The rollover counter that the next packet has, told from outside.
    told: Option<u32>,
}

impl Counter {
    /// A stream that was not heard yet; `bits` are those of its index.
    pub(crate) fn new(bits: u32, replay_window: u16) -> Self {
        Self { window: Window::new(replay_window), end: 1 << bits, told: None }
    }

    /// The highest index so far.
    pub(crate) fn highest(&self) -> Option<u64> {
        self.window.highest()
    }

    /// The index of the RTP packet with this sequence number: the nearest to the highest so far (RFC 3711, section 3.3.1 and
    /// appendix A), or with the rollover counter that was told. `None` beyond the last one.
    pub(crate) fn rtp_index(&self, sequence: u16) -> Option<u64> {
        let index = match (self.told, self.highest()) {
            (Some(roc), _) => u64::from(roc) << SEQUENCE_BITS | u64::from(sequence),
            (None, None) => first_index(sequence),
            (None, Some(highest)) => nearest(highest, sequence),
        };
        Some(index).filter(|index| *index < self.end)
    }

    /// The next index to send, or `None` behind the last one. RFC 3711, section 3.4: zero first, one more each time.
    pub(crate) fn next(&self) -> Option<u64> {
        Some(self.highest().map_or(0, |last| last + 1)).filter(|index| *index < self.end)
    }

    /// Whether `index` is ahead of the window, or inside it and not yet seen.
    pub(crate) fn is_fresh(&self, index: u64) -> bool {
        self.window.is_fresh(index)
    }

    /// Takes an index as used. Only after authentication (RFC 3711, sections 3.3.1 and 3.3.2).
    pub(crate) fn accept(&mut self, index: u64) {
        self.window.accept(index);
        self.told = None;
    }

    /// Sets the rollover counter of the next packet. `false`, and nothing is set, if the stream is past it: its keystream
    /// would be used again, its packets could be replayed. The one that it has is left to be estimated.
    pub(crate) fn tell_rollover_counter(&mut self, roc: u32) -> bool {
        let known = self.highest().map(rollover_counter);
        if known.is_none_or(|known| roc > known) {
            self.told = Some(roc);
        }
        known.is_none_or(|known| roc >= known)
    }
}

/// The rollover counter of an RTP index. RFC 3711, section 3.3.1: it counts modulo 2^32.
pub(crate) fn rollover_counter(index: u64) -> u32 {
    (index >> SEQUENCE_BITS) as u32
}

/// The index of a stream's first RTP packet: the rollover counter starts at 0. RFC 3711, section 3.3.1.
pub(crate) fn first_index(sequence: u16) -> u64 {
    sequence.into()
}

/// Of all indices with this sequence number the nearest to `highest`; on a tie the one with the same rollover counter.
fn nearest(highest: u64, sequence: u16) -> u64 {
    const HALF: u64 = 1 << (SEQUENCE_BITS - 1);
    let (roc, last) = (highest >> SEQUENCE_BITS, highest & 0xffff);
    let sequence = u64::from(sequence);
    let roc = if sequence > last + HALF {
        // Late, from before the wrap. Before the first wrap there is nothing, so there it is a jump forward; appendix A would
        // compute the rollover counter 2^32 - 1, which no sender has used.
        roc.saturating_sub(1)
    } else if sequence + HALF < last {
        roc + 1
    } else {
        roc
    };
    roc << SEQUENCE_BITS | sequence
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Counter, RTCP_BITS, RTP_BITS, nearest, rollover_counter};

    fn at(highest: u64, bits: u32) -> Counter {
        let mut counter = Counter::new(bits, 64);
        counter.accept(highest);
        counter
    }

    #[track_caller]
    fn case(roc: u64, last: u16, sequence: u16, expected_roc: Option<u64>) {
        let expected = expected_roc.map(|roc| roc << 16 | u64::from(sequence));
        assert_eq!(at(roc << 16 | u64::from(last), RTP_BITS).rtp_index(sequence), expected);
    }

    #[test]
    fn wraps_are_seen_in_both_directions() {
        case(0, 0xffff, 0, Some(1));
        case(7, 0xffff, 0, Some(8));
        case(8, 0, 0xffff, Some(7));
        case(8, 0, 0x8000, Some(8)); // exactly half: no wrap
        case(8, 0, 0x8001, Some(7));
        case(8, 0x8000, 0, Some(8)); // exactly half: no wrap
        case(8, 0x8001, 0, Some(9));
    }

    #[test]
    fn there_is_nothing_before_the_first_packet_and_nothing_after_the_last() {
        assert_eq!(Counter::new(RTP_BITS, 64).rtp_index(0xffff), Some(0xffff));
        case(0, 0, 0xffff, Some(0));
        case(0xffff_ffff, 0xffff, 0, None);
        case(0xffff_ffff, 0xffff, 0xfffe, Some(0xffff_ffff));
    }

    /// RFC 3711, section 9.2.
    #[test]
    fn the_srtcp_index_ends() {
        assert_eq!(at((1 << 31) - 2, RTCP_BITS).next(), Some((1 << 31) - 1));
        assert_eq!(at((1 << 31) - 1, RTCP_BITS).next(), None);
    }

    #[test]
    fn a_rollover_counter_that_was_told_counts_once_and_never_goes_back() {
        let mut counter = Counter::new(RTP_BITS, 64);
        assert!(counter.tell_rollover_counter(5));
        assert_eq!(counter.rtp_index(3), Some(5 << 16 | 3));
        counter.accept(5 << 16 | 3);
        assert!(!counter.tell_rollover_counter(4));
        assert_eq!(counter.rtp_index(0xffff), Some(4 << 16 | 0xffff), "estimated again");
        assert!(counter.tell_rollover_counter(5));
        counter.accept(5 << 16 | 0xfff0);
        assert!(counter.tell_rollover_counter(5));
        assert_eq!(counter.rtp_index(2), Some(6 << 16 | 2), "the one that it has does not keep it from wrapping");
        assert!(counter.tell_rollover_counter(9));
        assert_eq!(counter.rtp_index(2), Some(9 << 16 | 2));
    }

    /// RFC 3711, section 3.3.1: as long as fewer than 2^15 packets in a row are lost, and none is later than that.
    #[test]
    fn a_stream_of_2_to_the_32_packets_keeps_its_place_through_loss_and_reordering() {
        let mut counter = Counter::new(RTP_BITS, 128);
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let (mut index, mut arrived, mut late) = (0_u64, 0_u64, None);
        let mut arrives = |index: u64| {
            assert_eq!(counter.rtp_index(index as u16), Some(index));
            assert!(counter.is_fresh(index));
            counter.accept(index);
            arrived += 1;
        };
        while index < 1 << 32 {
            random ^= random << 13; // xorshift64
            random ^= random >> 7;
            random ^= random << 17;
            match random % 64 {
                0 => index += random >> 32 & 0xf,                         // lost, up to 15 in a row
                1 if random >> 52 == 0 => index += random >> 32 & 0x3fff, // lost for minutes of speech
                3..8 if late.is_none() => late = Some(index),             // overtaken
                8..12 => late.take_if(|late| index - *late < 128).into_iter().for_each(&mut arrives),
                _ => arrives(index),
            }
            late.take_if(|late| index - *late >= 128);
            index += 1;
        }
        assert!(arrived > 3 << 30, "{arrived}");
        assert_eq!(rollover_counter(counter.highest().unwrap()), 0xffff);
    }

    proptest! {
        /// The model: of all indices with this sequence number the nearest, and on a tie the one of the same cycle.
        #[test]
        fn the_nearest_index_is_chosen(highest in 0x1_0000..(1u64 << 48), sequence: u16) {
            let roc = highest >> 16;
            let model = (roc - 1..=roc + 1)
                .map(|cycle| (cycle, cycle << 16 | u64::from(sequence)))
                .min_by_key(|(cycle, index)| (index.abs_diff(highest), *cycle != roc))
                .map(|(_, index)| index);
            prop_assert_eq!(Some(nearest(highest, sequence)), model);
        }
    }
}
