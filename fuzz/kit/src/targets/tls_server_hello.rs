//! What a TLS server sends back, as a stream.

use ringfence_wire::hello::{Depth, Extension, Reply, ServerFlight, ServerHello, TlsReader, Version};

use crate::hex;
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, CUTTING, allocating, cuts};
use crate::target::{Seed, Target};

/// A byte whose lowest bit says how deep to look, one more than the size of pieces, and what the server sends.
pub const TARGET: Target = Target {
    name: "tls_server_hello",
    reads: "depth, size of pieces, and a TLS server's stream",
    oracles: &[&ALLOCATION, &CUTTING, &RECORDS, &SPENT, &DEEPER, &PARTS],
    run,
    accepts: |bytes| split(bytes).is_some_and(|(depth, _, stream)| !matches!(reply(depth, stream), Reply::Garbage(_))),
    show: |bytes| match split(bytes) {
        Some((depth, size, stream)) => format!("{depth:?}, pieces of {size} bytes: {:#?}", reply(depth, stream)),
        None => "nothing".to_owned(),
    },
    seeds,
    dictionary: Some("dtls"),
    max_len: 16_384,
    covers: &[
        "harness/wire/src/hello/stream.rs",
        "harness/wire/src/hello/flight.rs",
        "harness/wire/src/hello/server.rs",
        "harness/wire/src/hello/key_exchange.rs",
        "harness/wire/src/hello/framing.rs",
    ],
};

/// A flight is the same flight in other records.
pub const RECORDS: Oracle = Oracle::new(
    "records are no boundaries",
    "handshake messages may be cut, or put together, in records as the sender likes (RFC 8446, section 5.1)",
);

/// A reader that gave its reply gives no second one.
pub const SPENT: Oracle = Oracle::new(
    "one reply",
    "one hello has one reply; a second one would let whoever writes behind it decide what a server is said to accept",
);

/// Looking deeper changes nothing of what was on top.
pub const DEEPER: Oracle = Oracle::new(
    "depth changes nothing",
    "how far a scan looks into a flight is a matter of its cost, not of what the ServerHello says",
);

/// What is told of a hello stands in it.
pub const PARTS: Oracle = Oracle::new(
    "what is told of a hello stands in it",
    "a verdict on a protocol, a cookie or a key's name is one on what the server sent, in the extension that is for it (RFC 8446, section 4.2)",
);

const BOUND: Bound = Bound { per_byte: 64, fixed: 8_192 };
const HEADER_BYTES: usize = 5; // RFC 8446, section 5.1
const HANDSHAKE: u8 = 22; // RFC 8446, section B.1

/// One run.
pub fn run(bytes: &[u8]) {
    let Some((depth, size, stream)) = split(bytes) else { return };
    let whole = cuts(stream, &[size], |pieces| allocating(BOUND, stream.len(), || read(depth, pieces)));
    recorded(&whole, stream, usize::from(size), |stream| reply(depth, stream));
    if let Reply::ServerHello(hello) | Reply::HelloRetryRequest(hello) = &whole {
        parts(hello, Told::of(hello));
    }
    match depth {
        Depth::Hello => deeper(&whole, &reply(Depth::Flight, stream)),
        Depth::Flight => deeper(&reply(Depth::Hello, stream), &whole),
    }
}

/// The same reply to the flight in records of so many bytes.
fn recorded(whole: &Reply, stream: &[u8], size: usize, reply: impl Fn(&[u8]) -> Reply) {
    if is_whole(whole) {
        let other = reply(&records(stream, size));
        RECORDS.same(whole, &other, "the flight, and the same in other records");
    }
}

/// Depth, size of pieces, stream.
fn split(bytes: &[u8]) -> Option<(Depth, u8, &[u8])> {
    let ([mode, size], stream) = bytes.split_first_chunk()?;
    let depth = if mode & 1 == 1 { Depth::Flight } else { Depth::Hello };
    Some((depth, size.saturating_add(1), stream))
}

fn reply(depth: Depth, stream: &[u8]) -> Reply {
    read(depth, &mut std::iter::once(stream))
}

fn read(depth: Depth, pieces: &mut dyn Iterator<Item = &[u8]>) -> Reply {
    let mut reader = TlsReader::new(depth);
    fed(pieces, |piece| reader.feed(piece)).unwrap_or_else(|| reader.end())
}

/// The reply to these pieces, behind which a fatal alert comes.
fn fed(pieces: &mut dyn Iterator<Item = &[u8]>, mut feed: impl FnMut(&[u8]) -> Option<Reply>) -> Option<Reply> {
    for piece in pieces {
        if let Some(reply) = feed(piece) {
            spent(feed(&[21, 3, 3, 0, 2, 2, 40]));
            return Some(reply);
        }
    }
    None
}

/// What a reader says that has given its reply.
pub(crate) fn spent(second: Option<Reply>) {
    SPENT.holds(second.is_none(), || format!("a second reply: {second:?}"));
}

/// Nothing is cut off or wrong. Where something is, the words for it depend on what was whole.
fn is_whole(reply: &Reply) -> bool {
    match reply {
        Reply::ServerHello(hello) | Reply::HelloRetryRequest(hello) => hello.broken.is_none() && hello.alert.is_none(),
        Reply::Alert { fatal, .. } => *fatal,
        Reply::HelloVerifyRequest { .. } | Reply::Garbage(_) => false,
    }
}

/// What the first look says of the hello, the second says too.
fn deeper(hello: &Reply, flight: &Reply) {
    let text = || format!("to the ServerHello: {hello:?}\nand on: {flight:?}");
    match (hello, flight) {
        (Reply::ServerHello(one), Reply::ServerHello(other)) => {
            let same = one.version == other.version
                && (one.suite, one.compression, one.random) == (other.suite, other.compression, other.random)
                && (&one.session_id, &one.extensions) == (&other.session_id, &other.extensions);
            DEEPER.holds(same && !(other.done && other.broken.is_some()), text);
        }
        _ => DEEPER.holds(hello == flight, text),
    }
}

/// What a hello is asked for: bytes of extensions, and what it says by having one, with the type of each.
struct Told<'a> {
    bytes: [(u16, Option<&'a [u8]>); 3],
    flags: [(u16, bool); 3],
}

impl<'a> Told<'a> {
    fn of(hello: &'a ServerHello) -> Self {
        Self {
            bytes: [
                (Extension::ALPN, hello.alpn()),
                (Extension::COOKIE, hello.cookie()),
                (Extension::USE_SRTP, hello.srtp_mki()),
            ],
            flags: [
                (Extension::EXTENDED_MASTER_SECRET, hello.extended_master_secret()),
                (Extension::RENEGOTIATION_INFO, hello.secure_renegotiation()),
                (Extension::SESSION_TICKET, hello.session_ticket() || hello.version.is_13()),
            ],
        }
    }
}

/// [`PARTS`]. TLS 1.3 says without an extension what the flags say.
fn parts(hello: &ServerHello, told: Told<'_>) {
    let has = |kind: u16, is: &dyn Fn(&[u8]) -> bool| hello.extensions.iter().any(|x| x.kind == kind && is(&x.data));
    for (kind, bytes) in told.bytes {
        let inside =
            bytes.is_none_or(|told| has(kind, &|data| told.is_empty() || data.windows(told.len()).any(|x| x == told)));
        PARTS.holds(inside, || format!("{bytes:02x?} of extension {kind} in {hello:?}"));
    }
    for (kind, flag) in told.flags {
        PARTS.holds(flag == (hello.version.is_13() || has(kind, &|_| true)), || format!("{flag} of {kind}: {hello:?}"));
    }
    let mark = matches!(hello.random, [.., b'D', b'O', b'W', b'N', b'G', b'R', b'D', 0 | 1]);
    PARTS.holds(hello.downgrade_mark() == mark, || format!("{hello:?}"));
}

/// The same stream with handshake records of so many bytes at most; what is not whole stays as it is.
fn records(mut stream: &[u8], most: usize) -> Vec<u8> {
    let mut cut = Vec::new();
    while let Some((header, rest)) = stream.split_first_chunk::<HEADER_BYTES>() {
        let [kind, major, minor, high, low] = *header;
        let Some((body, rest)) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low]))) else { break };
        let pieces = body.chunks(if kind == HANDSHAKE { most } else { body.len().max(1) });
        for piece in pieces.chain(body.is_empty().then_some(body)) {
            let [.., high, low] = piece.len().to_be_bytes();
            cut.extend_from_slice(&[kind, major, minor, high, low]);
            cut.extend_from_slice(piece);
        }
        stream = rest;
    }
    cut.extend_from_slice(stream);
    cut
}

/// RFC 8448, section 3: the ServerHello that answers [`super::client_hello::RFC8448`].
pub(crate) const RFC8448: &str = "
    02 00 00 56 03 03 a6 af 06 a4 12 18 60 dc 5e 6e 60 24 9c d3 4c 95 93 0c 8a c5 cb 14 34 da c1 55 77 2e d3 e2
    69 28 00 13 01 00 00 2e 00 33 00 24 00 1d 00 20 c9 82 88 76 11 20 95 fe 66 76 2b db f7 c6 72 e1 56 d6 cc 25
    3b 83 3d f1 dd 69 b1 b0 4e 75 1f 0f 00 2b 00 02 03 04";

fn seeds() -> Vec<Seed> {
    let with = |mode: u8, size: u8, stream: &[u8]| [&[mode, size], stream].concat();
    let record = |kind: u8, body: &[u8]| [&[kind, 3, 3, (body.len() >> 8) as u8, body.len() as u8], body].concat();
    let tls = |flight: &ServerFlight| flight.to_tls().expect("a sound flight");
    let mut retry = hex::bytes(RFC8448);
    retry.splice(6..38, hex::bytes("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"));
    retry.splice(42.., hex::bytes("000c 0033 0002 001d 002b 0002 0304"));
    retry.splice(3..4, [0x34]);
    let hello = tls(&ServerFlight::new(Version::TLS12, [7; 32], 0xc02f));
    let (first, rest) = hello.split_at(5 + 4 + 38);
    let more = [&hex::bytes("04000002 0000")[..], &hex::bytes("16000006 01 000002 dead"), &hex::bytes("0d000001 00")];
    let stapled = [record(HANDSHAKE, &[&first[5..], &more.concat(), rest].concat())].concat();
    let mut seeds = vec![
        Seed::valid("rfc8448", with(1, 2, &record(HANDSHAKE, &hex::bytes(RFC8448)))),
        Seed::valid("hello-retry-request", with(0, 6, &record(HANDSHAKE, &retry))),
        Seed::valid("fatal-alert", with(1, 0, &hex::bytes("15030300020228"))),
        Seed::valid("warning-then-fatal-in-one-record", with(0, 0, &hex::bytes("1503030004 0170 0246"))),
        Seed::valid("close-notify", with(1, 0, &hex::bytes("15030300020100"))),
        Seed::valid("stapled-response-and-request", with(1, 40, &stapled)),
        Seed::valid(
            "hello-then-alert",
            with(1, 9, &[first_record(&hello).as_slice(), &hex::bytes("15030300020250")].concat()),
        ),
        Seed::other("http", with(1, 0, b"HTTP/1.1 400 Bad Request\r\n\r\n")),
        Seed::other("empty-record", with(0, 0, &hex::bytes("1603030000"))),
        Seed::other("cut-short", with(1, 3, hello.split_at(30).0)),
    ];
    let flights = [
        ("ecdhe", flight(Version::TLS12, 0xc02f, "03 001d 02 aabb 0804 0002 cdef")),
        ("dhe", flight(Version::TLS10, 0x0033, "0004 c0ffee01 0001 02 0002 1234 0002 cdef")),
        ("explicit-curve", flight(Version::TLS12, 0xc02f, "01 0102")),
        ("psk", flight(Version::TLS12, 0x00a8, "0002 6869")),
        ("dhe-psk", flight(Version::TLS12, 0x00aa, "0000 0001 07 0001 02 0001 03")),
        ("srp", flight(Version::TLS10, 0xc01e, "0001 07 0001 02 01 aa 0001 03 0001 ff")),
        ("export", flight(Version::SSL3, 0x0003, "0001 07 0001 03 0001 ff")),
    ];
    seeds.extend(flights.map(|(name, flight)| Seed::valid(name, with(1, 17, &tls(&flight)))));
    seeds
}

fn first_record(flight: &[u8]) -> Vec<u8> {
    let body = flight.get(5..5 + 4 + 38).unwrap_or_default();
    [&[HANDSHAKE, 3, 3, 0, body.len() as u8], body].concat()
}

/// With two certificates, extensions that the reader looks at, and this ServerKeyExchange.
fn flight(version: Version, suite: u16, exchange: &str) -> ServerFlight {
    let extensions = [
        Extension::new(Extension::ALPN, [0, 3, 2, b'h', b'2']),
        Extension::new(Extension::USE_SRTP, [0, 2, 0, 7, 1, 9]),
        Extension::new(Extension::COOKIE, [0, 1, 7]),
        Extension::new(Extension::SESSION_TICKET, []),
        Extension::renegotiation_info(),
        Extension::extended_master_secret(),
    ];
    ServerFlight {
        session_id: vec![4; 32],
        extensions: extensions.to_vec(),
        certificates: vec![b"leaf".to_vec(), b"issuer".to_vec()],
        key_exchange: Some(hex::bytes(exchange)),
        ..ServerFlight::new(version, [9; 32], suite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn a_reader_that_takes_a_record_for_a_message_is_caught() {
        let stream = flight(Version::TLS12, 0x00a8, "0002 6869").to_tls().expect("a sound flight");
        let first = |stream: &[u8]| reply(Depth::Flight, &stream[..5 + usize::from(stream[4])]);
        let whole = reply(Depth::Flight, &stream);
        assert!(is_whole(&whole));
        recorded(&whole, &stream, 7, |stream| reply(Depth::Flight, stream));
        caught(&RECORDS, || recorded(&whole, &stream, 7, first));
    }

    #[test]
    fn a_reader_that_replies_twice_is_caught() {
        let alert: &[u8] = &[21, 3, 3, 0, 2, 2, 40];
        let forgetful = |piece: &[u8]| TlsReader::new(Depth::Hello).feed(piece);
        caught(&SPENT, || drop(fed(&mut std::iter::once(alert), forgetful)));
    }

    #[test]
    fn a_flight_that_changes_its_hello_is_caught() {
        let reply_of = |suite| {
            let flight = ServerFlight::new(Version::TLS12, [9; 32], suite).to_tls().expect("a sound flight");
            reply(Depth::Flight, &flight)
        };
        deeper(&reply_of(0xc02f), &reply_of(0xc02f));
        caught(&DEEPER, || deeper(&reply_of(0xc02f), &reply_of(0xc030)));
    }

    #[test]
    fn a_reader_that_makes_something_up_is_caught() {
        let stream = flight(Version::TLS12, 0xc02f, "01 0102").to_tls().expect("a sound flight");
        let Reply::ServerHello(hello) = reply(Depth::Flight, &stream) else { panic!("it is one") };
        parts(&hello, Told::of(&hello));
        caught(&PARTS, || {
            let mut told = Told::of(&hello);
            told.bytes[0].1 = Some(b"h3");
            parts(&hello, told);
        });
        caught(&PARTS, || {
            let mut told = Told::of(&hello);
            told.flags[0].1 = false;
            parts(&hello, told);
        });
    }
}
