//! A receiver of SRTP as RFC 3711 has it, without its cryptography: which packets it must open, and which it must not.

use std::collections::{BTreeMap, BTreeSet};

/// RFC 3711, section 3.3.1: what a sequence number has of an index.
const SEQUENCE_BITS: u32 = 16;
/// RFC 3711, section 9.2.
const END: u64 = 1 << 48;
/// Master keys that one end opens packets with.
const KEYS: usize = ringfence_srtp::MAX_KEYS;

/// What has to become of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is opened.
    Opens,
    /// Its index was there before, or lies behind the window.
    Replay,
    /// Its key is not there, or its index is taken for another.
    Refused,
}

/// The index that a sequence number is taken for, where the one that it is held against was `reference`. RFC 3711, section 3.3.1 and
/// appendix A; before the first rollover there is nothing.
pub fn nearest(reference: Option<u64>, sequence: u16) -> u64 {
    const HALF: i64 = 1 << (SEQUENCE_BITS - 1);
    let reference = reference.unwrap_or(sequence.into());
    let (roc, last) = (reference >> SEQUENCE_BITS, i64::from(reference as u16));
    let roc = match i64::from(sequence) - last {
        late if late > HALF => roc.saturating_sub(1),
        ahead if ahead < -HALF => roc + 1,
        _ => roc,
    };
    roc << SEQUENCE_BITS | u64::from(sequence)
}

/// The indices of one stream of one kind.
#[derive(Clone, Debug, Default)]
pub struct Indices {
    seen: BTreeSet<u64>,
    told: Option<u32>,
}

impl Indices {
    /// The index that a sequence number is taken for. RFC 3711, section 3.3.1 and appendix A.
    pub fn estimate(&self, sequence: u16) -> Option<u64> {
        let index = match (self.told, self.seen.last()) {
            (Some(roc), _) => u64::from(roc) << SEQUENCE_BITS | u64::from(sequence),
            (None, highest) => nearest(highest.copied(), sequence),
        };
        Some(index).filter(|index| *index < END)
    }

    /// Whether an index is new. RFC 3711, section 3.3.2.
    pub fn is_fresh(&self, index: u64, window: u16) -> bool {
        let old = self.seen.last().is_some_and(|highest| index.saturating_add(window.into()) <= *highest);
        !old && !self.seen.contains(&index)
    }

    /// It came, or went.
    pub fn take(&mut self, index: u64) {
        self.seen.insert(index);
        self.told = None;
    }

    /// The rollover counter of the next packet is told. Whether it may be.
    pub fn tell(&mut self, roc: u32) -> bool {
        let known = self.seen.last().map(|highest| (highest >> SEQUENCE_BITS) as u32);
        if known.is_none_or(|known| roc > known) {
            self.told = Some(roc);
        }
        known.is_none_or(|known| roc >= known)
    }
}

/// One end.
#[derive(Clone, Debug)]
pub struct Receiver {
    window: u16,
    keys: Vec<u8>,
    streams: BTreeMap<(bool, u32), Indices>,
}

impl Receiver {
    /// With key number 0.
    pub fn new(window: u16) -> Self {
        Self { window, keys: vec![0], streams: BTreeMap::new() }
    }

    /// The indices of RTCP or RTP of a stream.
    pub fn of(&mut self, rtcp: bool, ssrc: u32) -> &mut Indices {
        self.streams.entry((rtcp, ssrc)).or_default()
    }

    /// A new key; the oldest goes if there are too many.
    pub fn rekey(&mut self, number: u8) {
        self.keys.push(number);
        let surplus = self.keys.len().saturating_sub(KEYS);
        self.keys.drain(..surplus);
    }

    /// None but the newest.
    pub fn forget(&mut self) {
        self.keys.drain(..self.keys.len().saturating_sub(1));
    }

    /// What has to become of a packet with this index under this key.
    pub fn arrives(&mut self, rtcp: bool, ssrc: u32, index: u64, key: u8) -> Verdict {
        let (window, known) = (self.window, self.keys.contains(&key));
        let indices = self.of(rtcp, ssrc);
        let taken_for = if rtcp { Some(index) } else { indices.estimate(index as u16) };
        match taken_for {
            Some(other) if !indices.is_fresh(other, window) => {
                if other == index {
                    Verdict::Replay
                } else {
                    Verdict::Refused
                }
            }
            Some(other) if other == index && known => {
                indices.take(index);
                Verdict::Opens
            }
            _ => Verdict::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rollovers_are_estimated_from_the_highest() {
        let mut indices = Indices::default();
        assert_eq!(indices.estimate(0xffff), Some(0xffff), "the first is of counter 0");
        indices.take(0xfff0);
        assert_eq!((indices.estimate(2), indices.estimate(0x7ff0)), (Some(0x1_0002), Some(0x7ff0)));
        indices.take(0x1_0002);
        assert_eq!(indices.estimate(0xffff), Some(0xffff));
        assert!(indices.tell(u32::MAX) && !indices.tell(0));
        assert_eq!(indices.estimate(3), Some(0xffff_ffff_0003));
        indices.take(0xffff_ffff_fff0);
        assert_eq!(indices.estimate(3), None);
    }

    #[test]
    fn windows_and_keys_end() {
        let mut receiver = Receiver::new(64);
        assert_eq!(receiver.arrives(false, 1, 100, 0), Verdict::Opens);
        assert_eq!(receiver.arrives(false, 1, 100, 0), Verdict::Replay);
        assert_eq!(receiver.arrives(false, 1, 37, 0), Verdict::Opens);
        assert_eq!(receiver.arrives(false, 1, 36, 0), Verdict::Replay);
        assert_eq!(receiver.arrives(true, 1, 100, 1), Verdict::Refused);
        (1..9).for_each(|number| receiver.rekey(number));
        assert_eq!(receiver.arrives(false, 1, 101, 0), Verdict::Refused);
        assert_eq!(receiver.arrives(false, 1, 101, 1), Verdict::Opens);
        receiver.forget();
        assert_eq!(receiver.arrives(false, 1, 102, 7), Verdict::Refused);
    }
}
