//! RTP and RTCP packets of every shape.

use proptest::collection::vec;
use proptest::prelude::*;

const ONE_BYTE: u16 = 0xbede; // RFC 8285, section 4.2
const TWO_BYTE: u16 = 0x1000; // RFC 8285, section 4.3
const LONGEST_PAYLOAD: usize = 1500;

/// An RTP packet: up to 15 CSRCs, an extension or none, a payload of 0 to 1500 bytes, padding or none. SSRC and sequence
/// number are zero until [`place`] sets them.
pub fn rtp(extension: impl Strategy<Value = (u16, Vec<u8>)>) -> impl Strategy<Value = Vec<u8>> {
    let fixed = (any::<u8>(), any::<u32>(), vec(any::<u32>(), 0..=15));
    (fixed, prop::option::of(extension), body(0), prop::option::of(1u8..=255)).prop_map(
        |((marker_and_type, timestamp, csrcs), extension, payload, padding)| {
            let flags = u8::from(padding.is_some()) << 5 | u8::from(extension.is_some()) << 4 | csrcs.len() as u8;
            let mut packet = vec![0x80 | flags, marker_and_type, 0, 0];
            packet.extend(timestamp.to_be_bytes());
            packet.extend([0; 4]);
            packet.extend(csrcs.into_iter().flat_map(u32::to_be_bytes));
            if let Some((profile, words)) = extension {
                packet.extend(profile.to_be_bytes());
                packet.extend((words.len() as u16 / 4).to_be_bytes());
                packet.extend(words);
            }
            packet.extend(payload);
            if let Some(count) = padding {
                packet.extend(std::iter::repeat_n(0, usize::from(count) - 1));
                packet.push(count); // RFC 3550, section 5.1: the last byte counts itself
            }
            packet
        },
    )
}

/// Gives an RTP packet its place in a stream.
pub fn place(packet: &mut [u8], ssrc: u32, sequence: u16) {
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
}

/// Header extensions as RFC 8285 and RFC 3550 make them: the number that says of what kind, and whole 32-bit words.
pub fn extension() -> impl Strategy<Value = (u16, Vec<u8>)> {
    let one_byte = vec((1u8..=14, vec(any::<u8>(), 1..=16)), 0..4).prop_map(|elements| {
        let written =
            elements.into_iter().flat_map(|(id, data)| [vec![id << 4 | (data.len() - 1) as u8], data].concat());
        (ONE_BYTE, written.collect())
    });
    let two_byte = vec((1u8..=255, vec(any::<u8>(), 0..=20)), 0..4).prop_map(|elements| {
        let written = elements.into_iter().flat_map(|(id, data)| [vec![id, data.len() as u8], data].concat());
        (TWO_BYTE, written.collect())
    });
    let of_a_profile = (any::<u16>(), vec(any::<u8>(), 0..=40))
        .prop_filter("neither of RFC 8285's", |(profile, _)| ![ONE_BYTE, TWO_BYTE].contains(profile));
    prop_oneof![one_byte, two_byte, of_a_profile].prop_map(whole_words)
}

/// As [`extension`], and such as break the rules of RFC 8285, which are none of SRTP's business.
pub fn any_extension() -> impl Strategy<Value = (u16, Vec<u8>)> {
    let lawless = (prop_oneof![Just(ONE_BYTE), Just(TWO_BYTE)], vec(any::<u8>(), 0..=40)).prop_map(whole_words);
    prop_oneof![3 => extension(), 1 => lawless]
}

fn whole_words((profile, mut bytes): (u16, Vec<u8>)) -> (u16, Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    (profile, bytes)
}

/// An RTCP packet of 8 to 1500 bytes: a header with an SSRC, and anything behind it.
pub fn rtcp(ssrc: u32) -> impl Strategy<Value = Vec<u8>> {
    (0u8..64, 200u8..=207, body(8)).prop_map(move |(padding_and_count, kind, rest)| {
        let mut packet = vec![0x80 | padding_and_count, kind];
        packet.extend((rest.len() as u16 / 4 + 1).to_be_bytes());
        packet.extend(ssrc.to_be_bytes());
        packet.extend(rest);
        packet
    })
}

/// Up to 1500 bytes less `header`, often few. The bytes themselves count little here, hence a pattern: it shrinks quickly.
fn body(header: usize) -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![0..=40usize, 0..=LONGEST_PAYLOAD - header];
    (length, any::<u8>()).prop_map(|(length, first)| (0..length).map(|n| first.wrapping_add(n as u8)).collect())
}
