//! RTCP compounds in the clear.

use ringfence_wire::rtcp::{MAX_PACKETS, Packet, emit, parse};

use crate::generators::rtp::Compound;
use crate::generators::value;
use crate::hex;
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, FIXPOINT, allocating, fixpoint};
use crate::target::{Seed, Target};

/// A datagram of RTCP. It is read as it is; the same bytes also stand for a compound that is written and read.
pub const TARGET: Target = Target {
    name: "rtcp_compound",
    reads: "an RTCP compound",
    oracles: &[&ALLOCATION, &FIXPOINT, &FILL, &COUNTS],
    run,
    accepts: |bytes| parse(bytes).is_ok(),
    show: |bytes| format!("{:#?}\nor, drawn: {:#?}", parse(bytes), value::<Compound>(bytes)),
    seeds,
    dictionary: None,
    max_len: 1_500,
    covers: &["harness/wire/src/rtcp.rs"],
};

/// A compound prints as it came, but for what fills words.
pub const FILL: Oracle = Oracle::new(
    "nothing but the fill is lost",
    "whatever else differs is a field that was read wrong, or not at all (RFC 3550, sections 6.4 to 6.7)",
);

/// Counts are those of the format.
pub const COUNTS: Oracle = Oracle::new(
    "counts stay in their fields",
    "five bits count reports, chunks and sources (RFC 3550, section 6.4.1), and a datagram holds 64 packets (house)",
);

const BOUND: Bound = Bound { per_byte: 32, fixed: 16_384 };

/// One run.
pub fn run(bytes: &[u8]) {
    if let Ok(packets) = allocating(BOUND, bytes.len(), || parse(bytes)) {
        counts(&packets);
        let printed = emit(&packets).expect("what was read can be printed");
        fill(bytes, &printed);
        fixpoint(&packets, |_| printed.clone(), |printed| parse(printed));
    }
    let Some(Compound(packets)) = value(bytes) else { return };
    fixpoint(&packets, |packets| emit(packets).expect("fields in their ranges"), |printed| parse(printed));
}

fn counts(packets: &[Packet]) {
    let most = packets.iter().map(|packet| match packet {
        Packet::SenderReport { reports, .. } | Packet::ReceiverReport { reports, .. } => reports.len(),
        Packet::SourceDescription(chunks) => chunks.len(),
        Packet::Bye { sources, .. } => sources.len(),
        Packet::Other { count, .. } => usize::from(*count),
    });
    let most = most.max().unwrap_or(0);
    COUNTS.holds(most <= 31 && packets.len() <= MAX_PACKETS, || format!("{most} in one of {} packets", packets.len()));
}

/// The bytes that differ are zeros in what is printed. The last packet may have lost its padding, and says so in its header.
fn fill(came: &[u8], printed: &[u8]) {
    let (padding, last) = last_packet(came);
    let same = came.len() == printed.len() + padding;
    let header = if padding > 0 { last..last + 4 } else { 0..0 };
    let differs = came
        .iter()
        .zip(printed)
        .enumerate()
        .find(|(at, (one, other))| one != other && **other != 0 && !header.contains(at));
    FILL.holds(same && differs.is_none(), || format!("differs at {differs:?}\n{came:02x?}\n{printed:02x?}"));
}

/// How many bytes of padding the last packet has, and where it begins. Of a compound that was read.
fn last_packet(compound: &[u8]) -> (usize, usize) {
    let mut at = 0;
    while let Some([flags, _, high, low]) = compound.get(at..).and_then(<[u8]>::first_chunk) {
        let next = at + 4 + 4 * usize::from(u16::from_be_bytes([*high, *low]));
        if next >= compound.len() {
            let count = compound.last().copied().unwrap_or(0);
            return (if flags & 0x20 != 0 { count.into() } else { 0 }, at);
        }
        at = next;
    }
    (0, at)
}

fn seeds() -> Vec<Seed> {
    let block = "cafebabe 02fffffe 0001abcd 00000007 5a5a5a5a 00010000";
    let compound = |text: &str| hex::bytes(text);
    let report = format!("81c8000c 00000001 e0000000 80000000 000003c0 00000010 00000800 {block}");
    let name = "81ca0004 00000001 0108 6140622e636f6d2e 0000";
    vec![
        Seed::valid("sender-report-and-name", compound(&format!("{report}{name}"))),
        Seed::valid("receiver-report", compound(&format!("81c90007 00000001 {block}"))),
        Seed::valid("receiver-report-without-blocks-with-extension", compound("80c90003 00000001 01020304 05060708")),
        Seed::valid("goodbye-with-reason", compound("82cb0005 00000001 00000002 0a 74656172646f776e2121 00")),
        Seed::valid("goodbye-of-nobody", compound("80cb0000")),
        Seed::valid("picture-loss", compound("81ce0002 00000001 00000002")),
        Seed::valid("transport-feedback", compound("8fcd0005 00000001 00000002 00010001 000003 00 2001 0100")),
        Seed::valid("padding", compound("a1cb0002 00000001 00000004")),
        Seed::valid("two-chunks", compound("82ca0005 00000001 0102 6869 00000000 00000002 0701 7800")),
        Seed::other("padding-in-the-middle", compound("a1cb0002 00000001 00000004 80cb0000")),
        Seed::other("more-chunks-than-there-are", compound("83ca0002 00000001 00000000")),
        Seed::other("longer-than-the-datagram", compound("80c900ff 00000001")),
        Seed::other("reason-that-is-no-text", compound("81cb0002 00000001 02fffe00")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn a_printer_that_loses_a_field_is_caught() {
        let came = hex::bytes("81ce0002 00000001 00000002");
        fill(&came, &came);
        caught(&FILL, || fill(&came, &hex::bytes("81ce0002 00000001 00000003")));
        caught(&FILL, || fill(&came, &hex::bytes("81ce0001 00000001")));
    }

    #[test]
    fn padding_and_fill_may_go() {
        fill(&hex::bytes("a1cb0002 00000001 00000004"), &hex::bytes("81cb0001 00000001"));
        fill(&hex::bytes("81cb0002 00000001 016100ff"), &hex::bytes("81cb0002 00000001 01610000"));
    }

    #[test]
    fn a_reader_that_counts_beyond_its_field_is_caught() {
        caught(&COUNTS, || counts(&[Packet::Bye { sources: vec![1; 32], reason: None }]));
    }
}
