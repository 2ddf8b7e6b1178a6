//! RTP packets: the header that SRTP leaves in the clear, and whole ones.

use ringfence_wire::demux::{Kind, classify};
use ringfence_wire::rtp::{Header, Packet};

use crate::generators::lab;
use crate::generators::rtp::Rtp;
use crate::hex;
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, FIXPOINT, allocating, fixpoint};
use crate::target::{Seed, Target};

/// A datagram of RTP. It is read as it is, and with its header made whole.
pub const TARGET: Target = Target {
    name: "rtp_header",
    reads: "an RTP packet",
    oracles: &[&ALLOCATION, &FIXPOINT, &EXACT, &SHAPE, &DEMUX],
    run,
    accepts: |bytes| Packet::parse(bytes).is_ok(),
    show: |bytes| format!("{:#?}", Packet::parse(bytes)),
    seeds,
    dictionary: None,
    max_len: 1_500,
    covers: &["harness/wire/src/rtp.rs", "harness/wire/src/demux.rs"],
};

/// A header prints as the bytes that it was read from, and what follows it is what is left.
pub const EXACT: Oracle = Oracle::new(
    "byte for byte",
    "SRTP authenticates the header as it stands (RFC 3711, section 3.1): one bit less is another packet",
);

/// A whole header is taken, and ends where its counts say.
pub const SHAPE: Oracle = Oracle::new(
    "the header ends where it says",
    "twelve bytes, four for each CSRC, and an extension of as many words as it counts (RFC 3550, sections 5.1 and 5.3.1)",
);

/// What is read as RTP is what the first two bytes promise.
pub const DEMUX: Oracle = Oracle::new(
    "the first bytes tell",
    "a socket carries five protocols, and the first bytes alone say which one reads a datagram (RFC 7983, section 7)",
);

const BOUND: Bound = Bound { per_byte: 4, fixed: 512 };

/// One run.
pub fn run(bytes: &[u8]) {
    look(bytes);
    let whole = Rtp::of(bytes).padded();
    let payload = Header::parse(&whole.bytes).map(|(_, payload)| payload.len());
    shape(&whole, payload.ok());
    look(&whole.bytes);
}

fn look(bytes: &[u8]) {
    if let Ok((header, rest)) = allocating(BOUND, bytes.len(), || Header::parse(bytes)) {
        exact(bytes, &header.emit().expect("what was read can be printed"), rest);
        demux(bytes, classify(bytes));
    }
    let Ok(packet) = allocating(BOUND, bytes.len(), || Packet::parse(bytes)) else { return };
    let printed = packet.emit().expect("what was read can be printed");
    EXACT.holds(printed.len() == bytes.len(), || format!("{} bytes become {}", bytes.len(), printed.len()));
    // What fills the padding is lost: it means nothing.
    let again = Packet::parse(&printed);
    fixpoint(&packet, |_| printed.clone(), |_| again.clone());
}

fn exact(bytes: &[u8], header: &[u8], rest: &[u8]) {
    EXACT
        .holds(bytes.strip_prefix(header) == Some(rest), || format!("{bytes:02x?}\nbecomes {header:02x?} {rest:02x?}"));
}

fn shape(packet: &Rtp, payload: Option<usize>) {
    let expected = packet.bytes.len() - packet.header;
    SHAPE.holds(payload == Some(expected), || format!("{payload:?} bytes behind the header of {packet:02x?}"));
}

fn demux(bytes: &[u8], kind: Kind) {
    // A packet with the marker and a payload type of 64 to 95 reads as RTCP: RFC 5761, section 4, keeps these free.
    let expected = if bytes.get(1).is_some_and(|second| (192..=223).contains(second)) { Kind::Rtcp } else { Kind::Rtp };
    DEMUX.holds(kind == expected, || format!("{kind:?}: {bytes:02x?}"));
}

fn seeds() -> Vec<Seed> {
    let packet = |text: &str| hex::bytes(text);
    let mut seeds = vec![
        Seed::valid("opus", packet("80ef 0001 000003c0 cafebabe f8fffe")),
        Seed::valid(
            "opus-with-one-byte-extension",
            packet("906f 0002 00000780 cafebabe bede0002 10ff2211 22330000 f8fffe"),
        ),
        Seed::valid("two-byte-extension", packet("9000 ffff ffffffff 00000001 10000002 01020a0b 02000000 d5d5")),
        Seed::valid("extension-of-a-profile", packet("9000 8000 00000000 00000001 c0de0001 01020304 ff")),
        Seed::valid("empty-extension", packet("9008 0000 00000000 00000001 bede0000")),
        Seed::valid("fifteen-sources", packet(&format!("8f00 0003 00000000 00000001 {} d5", "00000007".repeat(15)))),
        Seed::valid("padding", packet("a00d 0004 00000000 00000001 d5d5 00000004")),
        Seed::valid("padding-alone", packet("a00d 0005 00000000 00000001 01")),
        Seed::valid("telephone-event", packet("8065 0006 00001f40 00000001 010a00a0")),
        Seed::other("padding-longer-than-payload", packet("a00d 0005 00000000 00000001 02")),
        Seed::other("version-one", packet("4000 0005 00000000 00000001 02")),
        Seed::other("extension-cut-short", packet("9000 0005 00000000 00000001 bede0003 01020304")),
    ];
    seeds.extend(lab::said("rtp"));
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn a_printer_that_loses_the_marker_is_caught() {
        let bytes = hex::bytes("80ef 0001 000003c0 cafebabe f8fffe");
        let (header, rest) = Header::parse(&bytes).expect("a packet");
        let printed = |header: &Header| header.emit().expect("a header");
        exact(&bytes, &printed(&header), rest);
        caught(&EXACT, || exact(&bytes, &printed(&Header { marker: false, ..header }), rest));
    }

    #[test]
    fn a_reader_that_knows_no_sources_is_caught() {
        let packet = Rtp::of(&[0x82; 24]);
        shape(&packet, Some(4));
        caught(&SHAPE, || shape(&packet, Some(packet.bytes.len() - 12)));
    }

    #[test]
    fn one_that_takes_rtp_for_dtls_is_caught() {
        demux(&[0x80, 0], classify(&[0x80, 0]));
        caught(&DEMUX, || demux(&[0x80, 0], Kind::Dtls));
    }
}
