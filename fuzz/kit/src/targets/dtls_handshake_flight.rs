//! Flights of a DTLS server in fragments: of any size, in any order, as often as they like.

use ringfence_wire::hello::{Depth, DtlsReader, Extension, Reply, ServerFlight, ServerHello, Version};

use crate::generators::dtls::{Flight, Fragment, HANDSHAKE, VERSION_12, record};
use crate::generators::value;
use crate::hex;
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, allocating};
use crate::target::{Seed, Target};

/// Handshake messages as TLS writes them, behind eleven bytes that say how they are cut and mixed.
pub const TARGET: Target = Target {
    name: "dtls_handshake_flight",
    reads: "how to cut and to mix, and a server's handshake messages",
    oracles: &[&ALLOCATION, &REASSEMBLY, &CONFLICT],
    run,
    accepts: |bytes| drawn(bytes).is_some_and(|flight| hello(&read(depth(&flight), &flight.plain())).is_some()),
    show: |bytes| match drawn(bytes) {
        Some(flight) => format!("{flight:#?}\n{:#?}", read(depth(&flight), &flight.plain())),
        None => "nothing, or more than one opening message".to_owned(),
    },
    seeds,
    dictionary: Some("dtls"),
    max_len: 8_192,
    covers: &["harness/wire/src/hello/datagrams.rs", "harness/wire/src/hello/reassembly.rs"],
};

/// Fragments make the message that was cut, whatever happened to them on the way.
pub const REASSEMBLY: Oracle = Oracle::new(
    "any order, size and repetition of fragments gives the same reply",
    "datagrams are lost, repeated and overtaken, and fragments may overlap (RFC 6347, sections 3.2.1 to 3.2.3 and 4.2.3)",
);

/// Fragments that contradict each other make no message.
pub const CONFLICT: Oracle = Oracle::new(
    "contradictory fragments are told",
    "of two fragments that say different things of one byte somebody forged one; a reader that takes either can be made to \
     report what no server said",
);

/// Datagrams that are put into one reader: far below its bounds, which repetition would meet.
const DATAGRAMS: usize = 300;
const OPENING: [u8; 2] = [SERVER_HELLO, 3]; // HelloVerifyRequest: RFC 6347, section 4.3.2
const SERVER_HELLO: u8 = 2; // RFC 5246, section 7.4
const BOUND: Bound = Bound { per_byte: 128, fixed: 65_536 };

/// One run.
pub fn run(bytes: &[u8]) {
    let Some(flight) = drawn(bytes) else { return };
    if !reassembled(&flight, |datagrams| read(depth(&flight), datagrams)) {
        return;
    }
    if let Some((SERVER_HELLO, body)) = flight.messages.first() {
        conflict(body, flight.size, |datagrams| read(Depth::Hello, datagrams));
    }
}

/// The flight message by message, and in its fragments as they came; not, if these are too many.
fn reassembled(flight: &Flight<'_>, read: impl Fn(&[Vec<u8>]) -> Reply) -> bool {
    let pieces = flight.cut();
    if pieces.len() > DATAGRAMS {
        return false;
    }
    let expected = read(&flight.plain());
    let got = read(&flight.shuffled(pieces));
    REASSEMBLY.same(&expected, &got, "message by message, and in fragments");
    true
}

/// A second opening message is another answer: which of them counts is a matter of order. Of such flights nothing is asked here.
fn drawn(bytes: &[u8]) -> Option<Flight<'_>> {
    let flight = value::<Flight<'_>>(bytes)?;
    let openings = flight.messages.iter().filter(|(kind, _)| OPENING.contains(kind)).count();
    (openings <= 1).then_some(flight)
}

fn depth(flight: &Flight<'_>) -> Depth {
    if flight.deep { Depth::Flight } else { Depth::Hello }
}

fn read(depth: Depth, datagrams: &[Vec<u8>]) -> Reply {
    let length = datagrams.iter().map(Vec::len).sum();
    allocating(BOUND, length, || {
        let mut reader = DtlsReader::new(depth);
        let reply = datagrams.iter().find_map(|datagram| reader.feed(datagram));
        reply.unwrap_or_else(|| reader.end())
    })
}

/// The first fragment of a ServerHello, then the same with its last byte turned, then the rest: no hello comes of it.
fn conflict(body: &[u8], size: usize, read: impl Fn(&[Vec<u8>]) -> Reply) {
    let Some((first, rest @ [_, ..])) = body.split_at_checked(size) else { return };
    let datagram = |offset, piece: &[u8]| {
        let fragment = Fragment { kind: SERVER_HELLO, length: body.len(), sequence: 0, offset, piece };
        record(HANDSHAKE, VERSION_12, 0, &fragment.bytes())
    };
    let mut turned = first.to_vec();
    if let Some(last) = turned.last_mut() {
        *last ^= 1;
    }
    let reply = read(&[datagram(0, first), datagram(0, &turned), datagram(size, rest)]);
    CONFLICT.holds(hello(&reply).is_none(), || format!("{reply:?}"));
}

fn hello(reply: &Reply) -> Option<&ServerHello> {
    match reply {
        Reply::ServerHello(hello) | Reply::HelloRetryRequest(hello) => Some(hello),
        Reply::HelloVerifyRequest { .. } | Reply::Alert { .. } | Reply::Garbage(_) => None,
    }
}

/// Body of a ServerHello, with extensions that the reader looks at.
fn server_hello(version: Version, extensions: &[Extension]) -> Vec<u8> {
    let flight = ServerFlight { extensions: extensions.to_vec(), ..ServerFlight::new(version, [9; 32], 0xc02b) };
    let datagrams = flight.to_dtls(0, 0, 8_000).expect("a sound flight");
    datagrams.first().and_then(|datagram| datagram.get(25..)).unwrap_or_default().to_vec()
}

fn seeds() -> Vec<Seed> {
    let dtls12 = server_hello(Version::DTLS12, &[Extension::new(Extension::USE_SRTP, [0, 2, 0, 7, 0])]);
    let dtls10 = server_hello(Version::DTLS10, &[]);
    let dtls13 = server_hello(Version::DTLS13, &[]);
    let exchange = hex::bytes("03 001d 02 aabb 0403 0004 cdefcdef");
    let certificates = hex::bytes("00000e 000004 6c656166 000004 726f6f74");
    let whole: Vec<(u8, &[u8])> =
        vec![(2, &dtls12), (11, &certificates), (12, &exchange), (13, &[1, 64, 0, 0]), (14, &[])];
    let flight = |size: usize, overlap: usize, order: [u8; 8], messages: &[(u8, &'static [u8])]| {
        Flight { old: false, deep: true, sequence: 0, size, overlap, order, messages: messages.to_vec() }.bytes()
    };
    let with = |size: usize, overlap: usize, order: [u8; 8]| {
        Flight { old: false, deep: true, sequence: 1, size, overlap, order, messages: whole.clone() }.bytes()
    };
    let alone = |old: bool, body: &[u8]| {
        let messages = vec![(2, body)];
        Flight { old, deep: false, sequence: 0, size: 20, overlap: 0, order: [1, 0, 0x80, 0, 2, 1, 0, 0], messages }
            .bytes()
    };
    vec![
        Seed::valid("whole-messages", with(256, 0, [0; 8])),
        Seed::valid("small-fragments-backwards", with(10, 0, [0x7f; 8])),
        Seed::valid("overlapping-and-repeated", with(16, 5, [3, 0x81, 0, 7, 0x82, 0, 1, 0x90])),
        Seed::valid("single-bytes", with(1, 0, [5, 3, 2, 9, 40, 0, 1, 1])),
        Seed::valid("dtls10", alone(true, &dtls10)),
        Seed::valid("dtls13", alone(false, &dtls13)),
        Seed::other("hello-verify-request", flight(4, 0, [1; 8], &[(3, b"\xfe\xff\x08cookies!")])),
        Seed::other("certificate-first", flight(3, 1, [2; 8], &[(11, b"\0\0\0"), (14, b"")])),
        Seed::other("nothing", flight(1, 0, [0; 8], &[])),
    ]
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use super::*;
    use crate::oracle::caught;

    #[test]
    fn a_reader_of_first_fragments_is_caught() {
        let hello = server_hello(Version::DTLS12, &[]);
        let messages = vec![(2, hello.as_slice())];
        let flight = Flight { old: false, deep: false, sequence: 0, size: 9, overlap: 0, order: [1; 8], messages };
        assert!(reassembled(&flight, |datagrams| read(Depth::Hello, datagrams)));
        caught(
            &REASSEMBLY,
            AssertUnwindSafe(|| {
                reassembled(&flight, |datagrams| read(Depth::Hello, &datagrams[..1]));
            }),
        );
    }

    #[test]
    fn a_reader_that_takes_the_first_of_two_is_caught() {
        let hello = server_hello(Version::DTLS12, &[]);
        conflict(&hello, 9, |datagrams| read(Depth::Hello, datagrams));
        let trusting = |datagrams: &[Vec<u8>]| read(Depth::Hello, &[datagrams[0].clone(), datagrams[2].clone()]);
        caught(&CONFLICT, || conflict(&hello, 9, trusting));
    }
}
