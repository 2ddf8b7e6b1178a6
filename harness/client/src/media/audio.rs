//! What we send and what comes back: audio packets with a marker each, and the detector of their echo.
//!
//! No codec is needed: payloads are opaque and of constant length, and hold eight random bytes at a constant place. G.711
//! frames look like a quiet tone around them; Opus frames are a table-of-contents byte and noise.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use ringfence_wire::rtp::{Header, Packet};

use super::plan::Codec;
use super::playback::Playback;

/// One packet per interval. RFC 3551, section 4.2.
pub(super) const INTERVAL: Duration = Duration::from_millis(20);
/// Bytes of a marker.
pub(super) const MARKER_BYTES: usize = 8;
/// Where the marker stands in a payload.
pub(super) const MARKER_OFFSET: usize = 24;
const G711_BYTES: usize = 160; // 20 ms
const OPUS_BYTES: usize = 80; // 32 kbit/s
/// RFC 6716, section 3.1: CELT, full band, 20 ms, mono, one frame.
const OPUS_TOC: u8 = 0xf8;
/// Markers that are remembered: 40 s of audio.
const MAX_MARKERS: usize = 2048;

/// A marker.
pub(super) type Marker = [u8; MARKER_BYTES];

/// What a marker was sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Ordinary audio; the packet's number, from 0.
    Good(u64),
    /// A packet that a receiver has to refuse.
    Attack,
    /// Unprotected audio that went out before the keys were there.
    Early,
    /// A packet under the keys of an association that is over.
    OldKeys,
}

/// SplitMix64 (Steele, Lea and Flood, 2014): for what is random and no secret.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The stream that we send.
pub(super) struct Stream {
    random: Random,
    ssrc: u32,
    sequence: u16,
    /// The sequence numbers of the last good packets, with their numbers.
    numbers: VecDeque<(u16, u64)>,
    timestamp: u32,
    codec: (Codec, u8),
    packets: u64,
    octets: u64,
    play: Option<Playback>,
}

impl Stream {
    /// A stream that has sent nothing. Its first sequence number lies below 2^15, so that some minutes pass before the first
    /// rollover (RFC 3711, section 3.3.1 advises the same).
    pub(super) fn new(seed: u64, play: Option<Playback>) -> Self {
        let mut random = Random::new(seed);
        let [ssrc, sequence, timestamp] = [random.next(), random.next(), random.next()];
        Self {
            random,
            ssrc: ssrc as u32,
            sequence: sequence as u16 >> 1,
            numbers: VecDeque::new(),
            timestamp: timestamp as u32,
            codec: (Codec::Pcmu, 0),
            packets: 0,
            octets: 0,
            play,
        }
    }

    /// Our synchronisation source.
    pub(super) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The codec of the answer, and its payload type.
    pub(super) fn set_codec(&mut self, codec: (Codec, u8)) {
        self.codec = codec;
    }

    /// Good packets made so far.
    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    /// Payload bytes in them.
    pub(super) fn octets(&self) -> u64 {
        self.octets
    }

    /// The timestamp of the next packet.
    pub(super) fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// The good packet that had this sequence number, if it was one of the last two thousand.
    pub(super) fn number_of(&self, sequence: u16) -> Option<u64> {
        self.numbers.iter().rev().find(|(known, _)| *known == sequence).map(|(_, number)| *number)
    }

    /// The sequence number of the next packet.
    pub(super) fn next_sequence(&self) -> u16 {
        self.sequence
    }

    /// Leaves out as many sequence numbers.
    pub(super) fn skip(&mut self, numbers: u16) {
        self.sequence = self.sequence.wrapping_add(numbers);
    }

    /// A packet in the clear that takes no number of the stream, and its marker.
    pub(super) fn stray(&mut self, ssrc: u32, sequence: u16, payload_type: u8) -> (Vec<u8>, Marker) {
        let (payload, marker) = self.marked();
        let timestamp = self.timestamp;
        let header = Header {
            padding: false,
            marker: false,
            payload_type,
            sequence,
            timestamp,
            ssrc,
            csrc: vec![],
            extension: None,
        };
        (Packet { header, payload: &payload, padding_bytes: 0 }.emit().unwrap_or_default(), marker)
    }

    /// Randomness that is no secret.
    pub(super) fn random(&mut self) -> u64 {
        self.random.next()
    }

    /// The payload type of the codec.
    pub(super) fn payload_type(&self) -> u8 {
        self.codec.1
    }

    /// The next packet, in the clear, with its marker and sequence number. What an attack sends is not counted. Audio that
    /// is played has no marker.
    pub(super) fn packet(&mut self, kind: PacketKind) -> (Vec<u8>, Option<Marker>, u16) {
        let played = self.play.as_ref().filter(|_| kind == PacketKind::Good);
        let (payload, marker) = match played.and_then(|play| play.frame(self.codec.0, G711_BYTES)) {
            Some(payload) => (payload, None),
            None => {
                let (payload, marker) = self.marked();
                (payload, Some(marker))
            }
        };
        let (codec, payload_type) = self.codec;
        let header = Header {
            padding: false,
            marker: self.packets == 0 && kind == PacketKind::Good, // RFC 3551, section 4.1
            payload_type,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
            csrc: Vec::new(),
            extension: None,
        };
        let sequence = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(codec.clock_hz() / 50);
        if kind == PacketKind::Good {
            if self.numbers.len() == MAX_MARKERS {
                self.numbers.pop_front();
            }
            self.numbers.push_back((sequence, self.packets));
            self.packets += 1;
            self.octets += payload.len() as u64;
        }
        let packet = Packet { header, payload: &payload, padding_bytes: 0 };
        (packet.emit().unwrap_or_default(), marker, sequence) // a header without lists or extension is always written
    }

    fn marked(&mut self) -> (Vec<u8>, Marker) {
        let marker = self.random.next().to_be_bytes();
        let mut payload = self.payload();
        if let Some(place) = payload.get_mut(MARKER_OFFSET..MARKER_OFFSET + MARKER_BYTES) {
            place.copy_from_slice(&marker);
        }
        (payload, marker)
    }

    fn payload(&mut self) -> Vec<u8> {
        match self.codec.0 {
            Codec::Opus => {
                let noise = std::iter::repeat_with(|| self.random.next().to_be_bytes()).flatten();
                std::iter::once(OPUS_TOC).chain(noise).take(OPUS_BYTES).collect()
            }
            // A quiet 500 Hz tone in mu-law or A-law codes: 16 samples up and down, the upper bit is the sign.
            _ => (0..G711_BYTES)
                .map(|i| 0x60 | [7, 5, 3, 1, 1, 3, 5, 7][i % 8] | if i % 16 < 8 { 0x80 } else { 0 })
                .collect(),
        }
    }
}

/// Whether a packet counts as audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PacketKind {
    /// Ordinary audio.
    Good,
    /// Part of an attack.
    Attack,
}

/// The markers of what was sent lately.
#[derive(Default)]
pub(super) struct Markers {
    order: VecDeque<Marker>,
    sent: HashMap<Marker, Sent>,
}

impl Markers {
    /// Remembers a marker; the oldest is forgotten.
    pub(super) fn remember(&mut self, marker: Marker, sent: Sent) {
        if self.order.len() == MAX_MARKERS
            && let Some(oldest) = self.order.pop_front()
        {
            self.sent.remove(&oldest);
        }
        self.order.push_back(marker);
        self.sent.insert(marker, sent);
    }

    /// The first known marker in a payload: at its place, or anywhere, since what returns may be framed anew.
    pub(super) fn find(&self, payload: &[u8]) -> Option<(Marker, Sent)> {
        let known = |bytes: &[u8]| {
            let marker: Marker = bytes.try_into().ok()?;
            self.sent.get(&marker).map(|sent| (marker, *sent))
        };
        let placed = payload.get(MARKER_OFFSET..MARKER_OFFSET + MARKER_BYTES).and_then(known);
        placed.or_else(|| payload.windows(MARKER_BYTES).find_map(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packet_has_its_own_marker_and_one_length() {
        for codec in [(Codec::Opus, 96), (Codec::Pcma, 8)] {
            let mut stream = Stream::new(7, None);
            stream.set_codec(codec);
            let mut markers = Markers::default();
            let mut last: Option<(usize, u16)> = None;
            for number in 0..50 {
                let (bytes, Some(marker), sequence) = stream.packet(PacketKind::Good) else { panic!("no marker") };
                markers.remember(marker, Sent::Good(number));
                let packet = Packet::parse(&bytes).unwrap();
                assert_eq!((packet.header.payload_type, packet.header.marker), (codec.1, number == 0));
                assert_eq!(markers.find(packet.payload), Some((marker, Sent::Good(number))));
                assert_eq!(markers.find(&packet.payload[3..]), Some((marker, Sent::Good(number))), "anywhere");
                assert!(
                    last.is_none_or(|(length, before)| length == bytes.len() && sequence == before.wrapping_add(1))
                );
                last = Some((bytes.len(), sequence));
            }
            assert_eq!(stream.packets(), 50);
            assert_eq!(markers.find(&[0; 200]), None);
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut markers = Markers::default();
        for number in 0..MAX_MARKERS as u64 + 5 {
            markers.remember(number.to_be_bytes(), Sent::Good(number));
        }
        assert_eq!((markers.order.len(), markers.sent.len()), (MAX_MARKERS, MAX_MARKERS));
        assert_eq!(markers.find(&4u64.to_be_bytes()), None);
        assert_eq!(markers.find(&5u64.to_be_bytes()), Some((5u64.to_be_bytes(), Sent::Good(5))));
    }
}
