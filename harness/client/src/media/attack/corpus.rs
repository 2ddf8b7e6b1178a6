//! Malformed RTP and RTCP: lengths and counts that point past the end, and packets of hardly any length.

use super::Corpus;

/// A receiver report with nothing in it. RFC 3550, section 6.4.2.
const RECEIVER_REPORT: u8 = 201;

/// A malformed packet. Every second one of a run goes out correctly protected, so that it also meets the code behind the tag.
struct Item {
    name: &'static str,
    /// First and second byte, 12 for RTP and 8 for RTCP with the SSRC; then this.
    flags: [u8; 2],
    /// Bytes three and four of RTCP: its length in words. RTP has its sequence number there.
    length: u16,
    rest: &'static [u8],
    /// Cut to so many bytes in all.
    cut: usize,
}

const ALL: usize = usize::MAX;

const RTP: [Item; 8] = [
    Item { name: "rtp of no bytes behind its header", flags: [0x80, 0], length: 0, rest: &[], cut: ALL },
    Item { name: "rtp cut in its header", flags: [0x80, 0], length: 0, rest: &[], cut: 7 },
    Item { name: "rtp of one byte", flags: [0x80, 0], length: 0, rest: &[], cut: 1 },
    Item { name: "csrc count past the end", flags: [0x8f, 0], length: 0, rest: &[1; 20], cut: ALL },
    Item {
        name: "extension length past the end",
        flags: [0x90, 0],
        length: 0,
        rest: &[0xbe, 0xde, 0xff, 0xff],
        cut: ALL,
    },
    Item { name: "extension header cut off", flags: [0x90, 0], length: 0, rest: &[0xbe, 0xde], cut: ALL },
    Item { name: "padding longer than the packet", flags: [0xa0, 0], length: 0, rest: &[7, 7, 7, 255], cut: ALL },
    Item { name: "padding of no bytes", flags: [0xa0, 0], length: 0, rest: &[0; 40], cut: ALL },
];

const RTCP: [Item; 6] = [
    Item { name: "rtcp cut in its header", flags: [0x80, RECEIVER_REPORT], length: 1, rest: &[], cut: 3 },
    Item { name: "rtcp length of 0", flags: [0x80, RECEIVER_REPORT], length: 0, rest: &[0; 24], cut: ALL },
    Item { name: "rtcp length past the end", flags: [0x80, RECEIVER_REPORT], length: 0xffff, rest: &[0; 24], cut: ALL },
    Item { name: "report count past the end", flags: [0x9f, RECEIVER_REPORT], length: 1, rest: &[], cut: ALL },
    Item { name: "description text past the end", flags: [0x81, 202], length: 2, rest: &[1, 255, 65, 66], cut: ALL },
    Item { name: "rtcp padding past the end", flags: [0xa0, RECEIVER_REPORT], length: 7, rest: &[255; 24], cut: ALL },
];

fn items(corpus: Corpus) -> &'static [Item] {
    if corpus == Corpus::Rtcp { &RTCP } else { &RTP }
}

/// Names of the malformed packets of RTP, or of RTCP with [`Corpus::Rtcp`].
pub fn malformed_items(corpus: Corpus) -> impl ExactSizeIterator<Item = &'static str> {
    items(corpus).iter().map(|item| item.name)
}

/// One of them, in the clear. RTP takes the sequence number.
pub(super) fn malformed(corpus: Corpus, item: usize, ssrc: u32, sequence: u16) -> Vec<u8> {
    let Some(item) = items(corpus).get(item) else { return Vec::new() };
    let ssrc = ssrc.to_be_bytes();
    let header = match corpus {
        Corpus::Rtcp => [&item.flags[..], &item.length.to_be_bytes(), &ssrc].concat(),
        _ => [&item.flags[..], &sequence.to_be_bytes(), &[0; 4], &ssrc].concat(),
    };
    let mut packet = [&header, item.rest].concat();
    packet.truncate(item.cut);
    packet
}

#[cfg(test)]
mod tests {
    use ringfence_wire::{rtcp, rtp};

    use super::*;

    #[test]
    fn every_item_is_one_that_a_strict_reader_refuses() {
        for corpus in [Corpus::Rtp, Corpus::Rtcp] {
            for (place, name) in malformed_items(corpus).enumerate() {
                let packet = malformed(corpus, place, 7, 9);
                assert!(!packet.is_empty() && packet.len() <= 60, "{name}");
                let well_formed = match corpus {
                    Corpus::Rtcp => rtcp::parse(&packet).is_ok(),
                    _ => rtp::Packet::parse(&packet).is_ok_and(|packet| !packet.payload.is_empty()),
                };
                assert!(!well_formed, "{name}: {packet:02x?}");
            }
        }
        assert!(malformed(Corpus::Rtp, 99, 7, 9).is_empty());
    }
}
