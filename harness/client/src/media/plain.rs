//! Whether a packet that no key opens is unprotected, or protected under a key that we do not have.
//!
//! The two must not be mixed up: the figure of unprotected packets fails a target, and a genuine SRTP packet can fail to open
//! for innocent reasons (it came before the keys, or after a rollover that we missed). So a packet counts as plain only for a
//! reason that ciphertext with a tag cannot give, or not with a chance worth naming.

use ringfence_wire::{rtcp, rtp};

use super::plan::Codec;

/// The shortest tag of any profile (`cm-sha1-32`), in bytes.
const SHORTEST_TAG: usize = 4;
/// Bytes of an RTP header without lists and extension. RFC 3550, section 5.1.
const SHORTEST_HEADER: usize = 12;
/// Bytes of G.711 in 10 ms, the smallest frame that stacks send. RFC 3551, section 4.5.14.
const G711_FRAME_BYTES: usize = 80;
/// This many equal bytes in a row: in ciphertext once in 2^56 positions.
const RUN_BYTES: usize = 8;
/// RFC 3550, section 12.1, with RFC 4585 and RFC 3611.
const RTCP_TYPES: std::ops::RangeInclusive<u8> = 200..=207;

/// Judges an RTP packet. `tag` is the length of the call's tag, if there are keys; `codec` what was negotiated.
pub(super) fn is_plain_rtp(packet: &[u8], tag: Option<usize>, codec: Option<(Codec, u8)>) -> bool {
    let Ok((header, payload)) = rtp::Header::parse(packet) else { return false };
    if payload.len() < tag.unwrap_or(SHORTEST_TAG) {
        return !payload.is_empty(); // no room for a tag
    }
    let negotiated = codec.filter(|(_, number)| *number == header.payload_type);
    // A tag has 4, 10 or 16 bytes, so a protected frame is never a multiple of 80 long, unless damage to its first byte makes
    // the header longer by just the tag.
    let whole_frames = negotiated.is_some_and(|(codec, _)| codec.is_g711()) && payload.len() % G711_FRAME_BYTES == 0;
    let longer_by_tag = tag.is_some_and(|tag| packet.len() == SHORTEST_HEADER + payload.len() + tag);
    (whole_frames && !longer_by_tag) || has_run(payload)
}

/// Judges an RTCP packet: it is plain if all of it reads as known packets of exact lengths. A report in SRTCP is followed by an
/// index and a tag, which would have to look like that by chance.
pub(super) fn is_plain_rtcp(packet: &[u8]) -> bool {
    let Ok(packets) = rtcp::parse(packet) else { return false };
    packets.iter().all(|packet| match packet {
        rtcp::Packet::Other { packet_type, .. } => RTCP_TYPES.contains(packet_type),
        _ => true,
    })
}

fn has_run(bytes: &[u8]) -> bool {
    bytes.windows(RUN_BYTES).any(|window| window.iter().all(|byte| Some(byte) == window.first()))
}

#[cfg(test)]
mod tests {
    use ringfence_srtp::{Context, MasterKey, Profile};

    use super::*;

    fn rtp_packet(payload_type: u8, sequence: u16, payload: &[u8]) -> Vec<u8> {
        let [high, low] = sequence.to_be_bytes();
        [&[0x80, payload_type, high, low, 0, 0, 0, 160, 0xca, 0xfe, 0xba, 0xbe][..], payload].concat()
    }

    fn contexts() -> impl Iterator<Item = (Profile, Context)> {
        Profile::ALL.into_iter().map(|profile| {
            let master = MasterKey::new(profile, &vec![3; profile.key_len()], &vec![4; profile.salt_len()]).unwrap();
            (profile, Context::new(&master))
        })
    }

    #[test]
    fn a_damaged_header_makes_no_packet_plain() {
        for (profile, mut context) in contexts() {
            let mut packet = rtp_packet(0, 1, &[0xff; 160]);
            context.protect_rtp(&mut packet).unwrap();
            for first in 0x80..=0xbf {
                packet[0] = first;
                assert!(
                    !is_plain_rtp(&packet, Some(profile.tag_len()), Some((Codec::Pcmu, 0))),
                    "{profile:?} {first:#x}"
                );
            }
        }
    }

    #[test]
    fn no_genuine_packet_counts_as_plain() {
        for (profile, mut context) in contexts() {
            for sequence in 0..2000 {
                let kinds = [(Codec::Pcmu, 0, 160), (Codec::Opus, 111, 83), (Codec::Opus, 111, 3)];
                for (turn, (codec, number, length)) in (0..).zip(kinds) {
                    let mut packet = rtp_packet(number, sequence * 3 + turn, &vec![0xff; length]);
                    context.protect_rtp(&mut packet).unwrap();
                    for tag in [Some(profile.tag_len()), None] {
                        assert!(!is_plain_rtp(&packet, tag, Some((codec, number))), "{profile:?} {sequence} {length}");
                    }
                }
            }
            let reports = [
                rtcp::Packet::ReceiverReport { ssrc: 5, reports: vec![], extension: vec![] },
                rtcp::Packet::SourceDescription(vec![rtcp::Chunk::cname(5, "name")]),
            ];
            for count in 1..=2 {
                for _ in 0..20_000 {
                    let mut packet = rtcp::emit(&reports[..count]).unwrap();
                    context.protect_rtcp(&mut packet).unwrap();
                    assert!(!is_plain_rtcp(&packet), "{profile:?} {packet:02x?}");
                }
            }
        }
    }

    #[test]
    fn plain_packets_are_known() {
        let pcmu = Some((Codec::Pcmu, 0));
        let noise: Vec<u8> = (0..160u8).map(|i| i.wrapping_mul(37) ^ 0x5a).collect();
        assert!(is_plain_rtp(&rtp_packet(0, 1, &noise), Some(16), pcmu), "the length of a G.711 frame");
        assert!(is_plain_rtp(&rtp_packet(111, 1, &[0xf8, 0xff, 0xfe]), Some(16), None), "no room for a tag");
        assert!(is_plain_rtp(&rtp_packet(111, 1, &[0; 40]), Some(16), None), "a run");
        assert!(!is_plain_rtp(&rtp_packet(111, 1, &noise), Some(16), None), "cannot be told");
        let bye = rtcp::Packet::Bye { sources: vec![1], reason: None };
        assert!(is_plain_rtcp(&rtcp::emit(&[bye]).unwrap()));
        assert!(!is_plain_rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 5, 0x80]));
    }
}
