//! Which 48-bit packet index a 16-bit sequence number stands for.

/// Packets that one key may protect in one stream: 2^48. RFC 3711, section 9.2.
pub(crate) const RTP_INDEX_LIMIT: u64 = 1 << 48;

/// Half of the sequence number space, the distance at which a wrap is assumed. RFC 3711, appendix A.
const HALF: i32 = 1 << 15;

/// Estimates the index `ROC * 2^16 + SEQ` of a packet from the highest index seen so far (RFC 3711, section 3.3.1 and
/// appendix A). `None` if it would lie beyond the last index that a key may protect.
pub(crate) fn estimate(highest: Option<u64>, sequence: u16) -> Option<u64> {
    // Section 3.3.1: a new stream has rollover counter 0, and its first sequence number is taken as it comes.
    let Some(highest) = highest else { return Some(sequence.into()) };
    let (roc, last) = (highest >> 16, (highest & 0xffff) as i32);
    let ahead = i32::from(sequence) - last;
    let guess = if last < HALF && ahead > HALF {
        // A late packet from before the wrap. Before the first wrap there is nothing, so there it is a jump forward; the
        // appendix would compute 2^32 - 1, which no sender has used.
        roc.saturating_sub(1)
    } else if last >= HALF && ahead < -HALF {
        roc + 1 // the sequence number has wrapped
    } else {
        roc
    };
    Some(guess << 16 | u64::from(sequence)).filter(|index| *index < RTP_INDEX_LIMIT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{RTP_INDEX_LIMIT, estimate};

    #[track_caller]
    fn case(roc: u64, last: u16, sequence: u16, expected_roc: Option<u64>) {
        let expected = expected_roc.map(|roc| roc << 16 | u64::from(sequence));
        assert_eq!(estimate(Some(roc << 16 | u64::from(last)), sequence), expected);
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
        assert_eq!(estimate(None, 0xffff), Some(0xffff));
        case(0, 0, 0xffff, Some(0));
        case(0xffff_ffff, 0xffff, 0, None);
        case(0xffff_ffff, 0xffff, 0xfffe, Some(0xffff_ffff));
    }

    proptest! {
        /// The model: of all indices with this sequence number the nearest, and on a tie the one of the same cycle.
        #[test]
        fn the_nearest_index_is_chosen(highest in 0x1_0000..RTP_INDEX_LIMIT - 0x1_0000, sequence: u16) {
            let roc = highest >> 16;
            let nearest = (roc - 1..=roc + 1)
                .map(|cycle| (cycle, cycle << 16 | u64::from(sequence)))
                .min_by_key(|(cycle, index)| (index.abs_diff(highest), *cycle != roc))
                .map(|(_, index)| index);
            prop_assert_eq!(estimate(Some(highest), sequence), nearest);
        }
    }
}
