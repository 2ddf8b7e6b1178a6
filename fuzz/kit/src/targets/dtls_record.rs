//! Datagrams of DTLS as they come, and what is seen of them by the reader, by the lab, and by whoever only listens.

use ringfence_wire::hello::{ClientHello, Depth, DtlsReader, Extension, Reply, ServerFlight, Version};

use super::tls_server_hello::{SPENT, spent};
use crate::generators::dtls::{Datagrams, Fragment, HANDSHAKE, VERSION_12, record};
use crate::generators::lab;
use crate::generators::value;
use crate::hex;
use crate::mutators::dtls::repaired;
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, allocating};
use crate::target::{Seed, Target};

pub mod listening;

/// Datagrams behind their lengths. Each is read as it is, and with its lengths put right.
pub const TARGET: Target = Target {
    name: "dtls_record",
    reads: "depth, and DTLS datagrams behind their lengths",
    oracles: &[
        &ALLOCATION,
        &SPENT,
        &SILENT,
        #[cfg(feature = "client")]
        &listening::LISTENER,
    ],
    run,
    accepts: |bytes| drawn(bytes).is_some_and(|(all, depth)| !matches!(read(depth, &all), Reply::Garbage(_))),
    show: |bytes| match drawn(bytes) {
        Some((all, depth)) => format!("{depth:?} of {all:02x?}\n{:#?}", read(depth, &all)),
        None => "nothing".to_owned(),
    },
    seeds,
    dictionary: Some("dtls"),
    max_len: 8_192,
    covers: &["harness/wire/src/hello/datagrams.rs", "harness/wire/src/hello/arrival.rs"],
};

/// What is to be dropped in silence is dropped in silence.
pub const SILENT: Oracle = Oracle::new(
    "what is no DTLS of ours changes nothing",
    "who is not on the path can send datagrams too; they must not end what goes on (RFC 6347, section 4.1.2.7)",
);

/// A message may say of its first fragment that it is 256 KiB long, and room is made for it.
const BOUND: Bound = Bound { per_byte: 128, fixed: (1 << 20) + (1 << 16) };

/// One run.
pub fn run(bytes: &[u8]) {
    let Some((all, depth)) = drawn(bytes) else { return };
    let repairs: Vec<Vec<u8>> = all.iter().map(|datagram| repaired(datagram)).collect();
    let repairs: Vec<&[u8]> = repairs.iter().map(Vec::as_slice).collect();
    read(depth, &all);
    silent(&repairs, |datagrams| read(depth, datagrams));
    for datagram in all.iter().chain(&repairs) {
        let _ = allocating(BOUND, datagram.len(), || ClientHello::from_datagram(datagram));
        #[cfg(feature = "client")]
        listening::agrees(datagram, &listening::CLIENT);
    }
}

fn drawn(bytes: &[u8]) -> Option<(Vec<&[u8]>, Depth)> {
    let Datagrams { mode, all } = value(bytes)?;
    Some((all, if mode & 1 == 1 { Depth::Flight } else { Depth::Hello }))
}

fn read(depth: Depth, datagrams: &[&[u8]]) -> Reply {
    let length = datagrams.iter().map(|datagram| datagram.len()).sum();
    allocating(BOUND, length, || {
        let mut reader = DtlsReader::new(depth);
        let mut last = None;
        for datagram in datagrams {
            let reply = reader.feed(datagram);
            SPENT.holds(reader.heard(), || "a datagram came, and it says that none did".to_owned());
            match reply {
                // The same hello is wanted again, so the reader goes on.
                Some(reply @ Reply::HelloVerifyRequest { .. }) => last = Some(reply),
                Some(reply) => {
                    spent(reader.feed(&record(21, VERSION_12, 9, &[2, 40])));
                    return reply;
                }
                None => {}
            }
        }
        last.unwrap_or_else(|| reader.end())
    })
}

/// Datagrams that a reader of epoch 0 passes over: of a later epoch, of DTLS 1.3 encrypted, application data, and STUN.
fn strangers() -> [Vec<u8>; 4] {
    let mut later = record(HANDSHAKE, VERSION_12, 3, &[0; 40]);
    later.splice(4..5, [1]);
    let stun = b"\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl".to_vec();
    [later, vec![0x2e, 1, 2, 3, 4], record(23, VERSION_12, 0, &[7; 16]), stun]
}

/// The same reply, with a stranger's datagram before each one and at the end.
fn silent(datagrams: &[&[u8]], read: impl Fn(&[&[u8]]) -> Reply) {
    let plain = read(datagrams);
    let strangers = strangers();
    let mut strange = strangers.iter().map(Vec::as_slice).cycle();
    let mut mixed: Vec<&[u8]> = datagrams.iter().flat_map(|one| strange.next().into_iter().chain([*one])).collect();
    mixed.extend(strange.next());
    let mixed = read(&mixed);
    // Of what was no reply at all it may say another thing.
    let nothing = matches!((&plain, &mixed), (Reply::Garbage(_), Reply::Garbage(_)));
    SILENT.holds(nothing || plain == mixed, || format!("alone: {plain:?}\nwith strangers: {mixed:?}"));
}

fn seeds() -> Vec<Seed> {
    let extensions = vec![Extension::new(Extension::USE_SRTP, [0, 2, 0, 7, 0]), Extension::extended_master_secret()];
    let flight =
        |version| ServerFlight { extensions: extensions.clone(), ..ServerFlight::new(version, [9; 32], 0xc02b) };
    let hello = |version| flight(version).to_dtls(0, 0, 1_400).expect("a sound flight");
    let client = ClientHello {
        suites: vec![0xc02b],
        extensions: extensions.clone(),
        ..ClientHello::new(Version::DTLS12, [7; 32])
    };
    let client = client.to_dtls(0, 0, 1_400).expect("a sound hello");
    let message = |kind, sequence, body: &[u8]| {
        let fragment = Fragment { kind, length: body.len(), sequence, offset: 0, piece: body };
        record(HANDSHAKE, VERSION_12, sequence, &fragment.bytes())
    };
    let verify = message(3, 0, &hex::bytes("feff 04 c0ffee01"));
    let alert = |level, code| record(21, VERSION_12, 0, &[level, code]);
    let with =
        |mode, datagrams: &[Vec<u8>]| Datagrams { mode, all: datagrams.iter().map(Vec::as_slice).collect() }.bytes();
    let whole = hello(Version::DTLS12);
    let one = whole.concat();
    let lie = Fragment { kind: 11, length: 1 << 18, sequence: 5, offset: 9, piece: b"x" };
    let mut seeds = vec![
        Seed::valid("flight", with(1, &whole)),
        Seed::valid("flight-in-one-datagram", with(1, &[one])),
        Seed::valid("cookie-then-hello", with(0, &[verify.clone(), verify.clone(), hello(Version::DTLS10).concat()])),
        Seed::valid("dtls13", with(0, &hello(Version::DTLS13))),
        Seed::valid("fatal-alert", with(0, &[alert(2, 40)])),
        Seed::valid("warnings", with(1, &[alert(1, 112), [alert(1, 100), alert(1, 0)].concat()])),
        Seed::valid("strangers-among", with(1, &[strangers().as_slice(), &whole].concat())),
        Seed::other("client-hello", with(0, &client)),
        Seed::other("long-message-begun", with(1, &[record(HANDSHAKE, VERSION_12, 0, &lie.bytes())])),
        Seed::other("late-message", with(1, &[message(14, 70, &[]), message(2, 2, &[1])])),
        Seed::other("cut-record", with(0, &[whole.first().and_then(|one| one.get(..30)).unwrap_or_default().to_vec()])),
    ];
    // In the recorded call the lab is DTLS client, and ours the server.
    let server = lab::said("dtls").into_iter().filter(|seed| seed.name.ends_with("client"));
    seeds.push(Seed::valid("call", with(1, &server.map(|seed| seed.bytes).collect::<Vec<_>>())));
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    fn hello() -> Vec<u8> {
        ServerFlight::new(Version::DTLS12, [9; 32], 0xc02b).to_dtls(0, 0, 1_400).expect("a sound flight").concat()
    }

    #[test]
    fn a_reader_that_strangers_stop_is_caught() {
        silent(&[&hello()], |datagrams| read(Depth::Hello, datagrams));
        let easily_stopped = |datagrams: &[&[u8]]| read(Depth::Hello, &datagrams[..1]);
        caught(&SILENT, || silent(&[&hello()], easily_stopped));
    }
}
