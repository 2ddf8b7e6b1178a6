//! Two ciphertexts under one key, SSRC and index: RFC 3711, section 9.1. With the keystream that they share they tell each
//! other's content, and with GCM they give the authentication key away (RFC 7714, section 5.1).

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};

use ringfence_wire::rtp::Header;

/// Packets that are remembered: more than a minute of audio.
const MAX_PACKETS: usize = 4096;

/// The target's packets that authenticated lately.
#[derive(Default)]
pub(super) struct Indices {
    order: VecDeque<(u32, u16)>,
    known: HashMap<(u32, u16), u64>,
    state: RandomState,
}

impl Indices {
    /// A packet authenticated that did not come before.
    pub(super) fn remember(&mut self, packet: &[u8]) {
        let Some((place, sum)) = self.of(packet) else { return };
        if self.known.insert(place, sum).is_some() {
            return;
        }
        self.order.push_back(place);
        if self.order.len() > MAX_PACKETS
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// Whether a packet has the index of another one, and is not the same.
    pub(super) fn repeats(&self, packet: &[u8]) -> bool {
        self.of(packet).is_some_and(|(place, sum)| self.known.get(&place).is_some_and(|known| *known != sum))
    }

    fn of(&self, packet: &[u8]) -> Option<((u32, u16), u64)> {
        let (header, _) = Header::parse(packet).ok()?;
        Some(((header.ssrc, header.sequence), self.state.hash_one(packet)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u16, byte: u8) -> Vec<u8> {
        let [high, low] = sequence.to_be_bytes();
        vec![0x80, 0, high, low, 0, 0, 0, 160, 0xca, 0xfe, 0xba, 0xbe, byte]
    }

    #[test]
    fn the_same_packet_again_is_no_reuse_and_memory_is_bounded() {
        let mut indices = Indices::default();
        indices.remember(&packet(7, 1));
        assert!(!indices.repeats(&packet(7, 1)) && !indices.repeats(&packet(8, 2)));
        assert!(indices.repeats(&packet(7, 2)));
        for sequence in 0..=u16::MAX {
            indices.remember(&packet(sequence, 3));
        }
        assert_eq!((indices.order.len(), indices.known.len()), (MAX_PACKETS, MAX_PACKETS));
        assert!(!indices.repeats(&packet(7, 2)), "forgotten");
        assert!(indices.repeats(&packet(u16::MAX, 2)));
    }
}
