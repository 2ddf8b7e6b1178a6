//! SIP messages, as two other parsers take them.

use ringfence_scenarios::corpora::TORTURE;
use ringfence_wire::sip::prepare;

use crate::generators::sip::SipMessage;
use crate::generators::{stretch, value};
use crate::known::sip::{differences, known};
use crate::mutators::content_length::content_length;
use crate::oracles::{AGREEMENT, DERIVED, GRAMMAR};
use crate::peers::sip::PEERS;
use crate::target::{Seed, Target};

/// A SIP message, read by us, by `rsip` and by `rsipstack`. Behind a byte with which none begins stands a part of one: 0 one that is
/// drawn, 1 a Request-URI, 2 a value of From, 3 one of CSeq.
pub const TARGET: Target = Target {
    name: "sip_parsers_agree",
    reads: "a SIP message, or a URI or value for one",
    oracles: &[&AGREEMENT, &GRAMMAR, &DERIVED],
    run,
    accepts: |bytes| message(bytes).is_some_and(|message| prepare(&message).is_ok()),
    show,
    seeds,
    dictionary: Some("sip"),
    max_len: 4_096,
    covers: &["harness/wire/src/sip.rs", "harness/wire/src/sip"],
};

/// One run.
pub fn run(bytes: &[u8]) {
    let Some(message) = message(bytes) else { return };
    differences(&message);
    if let Some(repaired) = content_length(&message) {
        differences(&repaired);
    }
}

fn message(bytes: &[u8]) -> Option<Vec<u8>> {
    let (first, rest) = bytes.split_first()?;
    Some(match first {
        0 => value::<SipMessage>(rest)?.spelled(),
        1 => [b"OPTIONS ".as_slice(), rest, b" SIP/2.0\r\n\r\n"].concat(),
        2 => [b"SIP/2.0 200 OK\r\nFrom: ".as_slice(), rest, b"\r\n\r\n"].concat(),
        3 => [b"SIP/2.0 200 OK\r\nCSeq: ".as_slice(), rest, b"\r\n\r\n"].concat(),
        _ => bytes.to_vec(),
    })
}

fn show(bytes: &[u8]) -> String {
    let Some(message) = message(bytes) else { return "nothing".to_owned() };
    let theirs: Vec<_> = PEERS.iter().map(|peer| (peer.name, (peer.read)(&message))).collect();
    format!("{}\nours: {:#?}\ntheirs: {theirs:#?}", message.escape_ascii(), prepare(&message))
}

const URIS: [&str; 9] = [
    "sip:h.example",
    "sips:first.last:pass.word@h.example:5061;transport=wss;lr?Subject=x&Route=%3Csip:h%3E",
    "sip:+49%2030;phone-context=%2b49@h.example;user=phone",
    "sip:user;par=u%40example.net@h.example",
    "sip:a?b@h.example",
    "sip:a@[2001:db8::1]:5060",
    "sip:a@192.0.2.1;maddr=[::1];method=INVITE;ttl=1",
    "tel:+49-30-1;phone-context=h.example",
    "SIP:%61@H.example.",
];

const ADDRESSES: [&str; 6] = [
    "\"a <sip:evil@x.example>\\\"\" <sip:b@h.example;tag=no>;tag=1",
    "A B <sip:b@h.example> ; x=\";tag=2\" ; TAG = t",
    "sip:b@h.example;tag=1;x=[::1]",
    "<sip:a:b@h.example?x=y>;tag=1",
    "sip:b@h.example",
    "\"\u{fc}\t\" <sip:[2001:db8::1]>;lr",
];

/// The torture messages, what shows each known difference, and parts that leave a choice to a careless reader.
fn seeds() -> Vec<Seed> {
    let seed = |name: String, bytes: Vec<u8>| match message(&bytes) {
        Some(message) if prepare(&message).is_ok() => Seed::valid(name, bytes),
        _ => Seed::other(name, bytes),
    };
    let part = move |kind: u8, name: &'static str, texts: &'static [&str]| {
        let one = move |(at, text): (usize, &&str)| seed(format!("{name}-{at}"), [&[kind], text.as_bytes()].concat());
        texts.iter().enumerate().map(one)
    };
    let torture = TORTURE.iter().map(|(name, bytes)| seed((*name).to_owned(), bytes.to_vec()));
    let differences = known().into_iter().flat_map(|(parser, known)| {
        known.iter().map(move |one| seed(format!("{parser}-{}", one.id), one.example.to_vec()))
    });
    let drawn = (0..8).map(|number| seed(format!("drawn-{number}"), [vec![0], stretch(number, 256)].concat()));
    let parts = part(1, "uri", &URIS).chain(part(2, "from", &ADDRESSES)).chain(part(
        3,
        "cseq",
        &["1 OPTIONS", "4294967295\t x"],
    ));
    torture.chain(differences).chain(drawn).chain(parts).collect()
}
