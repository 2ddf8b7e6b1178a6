//! Our STUN reader against two others.

mod peers;

use ringfence_wire::stun::{Attribute, Message, verify_fingerprint, verify_integrity};
use ringfence_wire::{Error, stun};

use crate::generators::stun::messages;
use crate::known::stun::{Asked, Case, DIFFERENCES, Seen};
use crate::mutators::stun::{framed, signed, spans};
use crate::oracles::{AGREEMENT, agreeing};
use crate::target::{Seed, Target};

/// A STUN message, read as it came, with its frame repaired, and signed.
pub const TARGET: Target = Target {
    name: "stun_parsers_agree",
    reads: "a STUN message",
    oracles: &[&AGREEMENT],
    run,
    accepts: |bytes| Message::parse(bytes).is_ok(),
    show,
    seeds,
    dictionary: Some("stun"),
    max_len: 2_100, // a message is 2,048 bytes at most
    covers: &["harness/wire/src/stun.rs", "harness/wire/src/stun"],
};

/// The types that every reader has a reading of.
const VALUES: [u16; 18] = [
    0x0001, 0x0006, 0x0009, 0x000a, 0x000c, 0x000d, 0x0012, 0x0013, 0x0014, 0x0015, 0x0016, 0x0018, 0x0019, 0x0020,
    0x0024, 0x8022, 0x8029, 0x802a,
];
const KEY: &[u8] = b"the key of whoever signs";

/// One run.
pub fn run(bytes: &[u8]) {
    differences(bytes);
    differences(&framed(bytes));
    differences(&signed(bytes, KEY));
}

/// A peer: the name of its crate, and its answer to a question about a message; none, if it has no such question.
pub(crate) trait Peer {
    const NAME: &'static str;
    fn read(bytes: &[u8]) -> Option<Self>
    where
        Self: Sized;
    fn answer(&mut self, asked: Asked) -> Option<Seen>;
}

/// Compares with both, and returns the known differences that were seen: parser and id.
///
/// # Panics
/// If there is a difference that nothing explains.
pub fn differences(bytes: &[u8]) -> Vec<(&'static str, &'static str)> {
    let ours = Message::parse(bytes);
    let mut seen = Vec::new();
    with::<peers::Rtc>(bytes, &ours, &mut seen);
    with::<peers::Ezk>(bytes, &ours, &mut seen);
    seen
}

fn with<P: Peer>(bytes: &[u8], ours: &Result<Message, Error>, seen: &mut Vec<(&'static str, &'static str)>) {
    let mut peer = P::read(bytes);
    let mut ask = |asked, ours: Seen, error: Option<&Error>, theirs: Seen| {
        if ours == theirs {
            return;
        }
        let case = Case { bytes: bytes.to_vec(), asked, ours, error: error.cloned(), theirs };
        let (ours, theirs) = (&case.ours, &case.theirs);
        seen.extend(agreeing(DIFFERENCES, P::NAME, &case, ours, theirs).map(|known| (known.parser, known.id)));
    };
    let both = match (ours, &mut peer) {
        (Ok(message), Some(peer)) => (message, peer),
        (Err(error), Some(peer)) => {
            return ask(
                Asked::Message,
                Seen::Refused,
                Some(error),
                peer.answer(Asked::Message).unwrap_or(Seen::Absent),
            );
        }
        (Ok(message), None) => return ask(Asked::Message, answer(bytes, message, Asked::Message), None, Seen::Refused),
        (Err(_), None) => return,
    };
    let (message, peer) = both;
    let values = VALUES.into_iter().map(Asked::Value);
    for asked in [Asked::Message, Asked::Attributes, Asked::Integrity, Asked::Fingerprint].into_iter().chain(values) {
        if let Some(theirs) = peer.answer(asked) {
            ask(asked, answer(bytes, message, asked), None, theirs);
        }
    }
}

/// Our own answer.
fn answer(bytes: &[u8], message: &Message, asked: Asked) -> Seen {
    match asked {
        Asked::Message => Seen::Is([bytes.get(..2).unwrap_or_default(), &message.transaction].concat()),
        Asked::Attributes => raw(spans(bytes).filter_map(|span| {
            let value = bytes.get(span.value()..span.value() + span.length)?;
            Some((span.kind, value))
        })),
        Asked::Integrity => verdict(verify_integrity(bytes, KEY)),
        Asked::Fingerprint => verdict(verify_fingerprint(bytes)),
        Asked::Value(kind) => message.find(|attribute| value(kind, attribute)).map_or(Seen::Absent, Seen::Is),
    }
}

/// Types and values in a row.
pub(crate) fn raw<'a>(attributes: impl Iterator<Item = (u16, &'a [u8])>) -> Seen {
    let mut all = Vec::new();
    for (kind, value) in attributes {
        all.extend_from_slice(&kind.to_be_bytes());
        all.extend_from_slice(&(value.len() as u32).to_be_bytes());
        all.extend_from_slice(value);
    }
    Seen::Is(all)
}

fn verdict(checked: Result<(), Error>) -> Seen {
    match checked {
        Ok(()) => Seen::Is(Vec::new()),
        Err(Error::Missing(_)) => Seen::Absent,
        Err(_) => Seen::Refused,
    }
}

/// An address and a port in bytes.
pub(crate) fn place(ip: std::net::IpAddr, port: u16) -> Vec<u8> {
    let ip = match ip {
        std::net::IpAddr::V4(ip) => ip.octets().to_vec(),
        std::net::IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    [ip.as_slice(), &port.to_be_bytes()].concat()
}

/// The value of an attribute of that type.
fn value(kind: u16, attribute: &Attribute) -> Option<Vec<u8>> {
    use stun::Attribute as A;
    let (is, value) = match attribute {
        A::MappedAddress(x) => (0x0001, place(x.ip(), x.port())),
        A::XorPeerAddress(x) => (0x0012, place(x.ip(), x.port())),
        A::XorRelayedAddress(x) => (0x0016, place(x.ip(), x.port())),
        A::XorMappedAddress(x) => (0x0020, place(x.ip(), x.port())),
        A::Username(x) => (0x0006, x.clone().into_bytes()),
        A::Realm(x) => (0x0014, x.clone().into_bytes()),
        A::Nonce(x) => (0x0015, x.clone().into_bytes()),
        A::Software(x) => (0x8022, x.clone().into_bytes()),
        A::ErrorCode { code, reason } => (0x0009, [&u32::from(*code).to_be_bytes(), reason.as_bytes()].concat()),
        A::UnknownAttributes(x) => (0x000a, x.iter().flat_map(|kind| kind.to_be_bytes()).collect()),
        A::ChannelNumber(x) => (0x000c, x.to_be_bytes().to_vec()),
        A::Lifetime(x) => (0x000d, x.to_be_bytes().to_vec()),
        A::Data(x) => (0x0013, x.clone()),
        A::EvenPort(x) => (0x0018, vec![u8::from(*x)]),
        A::RequestedTransport(x) => (0x0019, vec![*x]),
        A::Priority(x) => (0x0024, x.to_be_bytes().to_vec()),
        A::IceControlled(x) => (0x8029, x.to_be_bytes().to_vec()),
        A::IceControlling(x) => (0x802a, x.to_be_bytes().to_vec()),
        _ => return None,
    };
    (is == kind).then_some(value)
}

fn show(bytes: &[u8]) -> String {
    let ours = Message::parse(bytes);
    let says = |name: &str, theirs: Vec<(Asked, Seen)>| {
        theirs.into_iter().fold(format!("\n{name}"), |text, (asked, seen)| format!("{text}\n  {asked:x?}: {seen:x?}"))
    };
    fn all<P: Peer>(bytes: &[u8]) -> Vec<(Asked, Seen)> {
        let Some(mut peer) = P::read(bytes) else { return Vec::new() };
        let values = VALUES.into_iter().map(Asked::Value);
        let asked = [Asked::Message, Asked::Attributes, Asked::Integrity, Asked::Fingerprint].into_iter().chain(values);
        asked.filter_map(|asked| Some((asked, peer.answer(asked).filter(|seen| *seen != Seen::Absent)?))).collect()
    }
    let (rtc, ezk) = (all::<peers::Rtc>(bytes), all::<peers::Ezk>(bytes));
    format!("{ours:#?}{}{}", says(peers::Rtc::NAME, rtc), says(peers::Ezk::NAME, ezk))
}

fn seeds() -> Vec<Seed> {
    let known = DIFFERENCES.iter().map(|known| Seed::other(format!("{}-{}", known.parser, known.id), known.example));
    messages().into_iter().chain(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_standard_are_read_alike() {
        let vectors: Vec<_> = messages().into_iter().filter(|seed| seed.name.starts_with("rfc5769")).collect();
        assert_eq!(vectors.len(), 4);
        for vector in vectors {
            assert_eq!(differences(&vector.bytes), [], "{}", vector.name);
            assert_eq!(differences(&signed(&vector.bytes, KEY)), [], "{}", vector.name);
        }
    }

    #[test]
    fn both_are_asked_about_values_and_checks() {
        let vector = signed(&messages()[0].bytes, KEY);
        let (mut rtc, mut ezk) = (peers::Rtc::read(&vector).unwrap(), peers::Ezk::read(&vector).unwrap());
        for asked in [Asked::Integrity, Asked::Fingerprint, Asked::Value(0x0006)] {
            assert!(matches!(rtc.answer(asked), Some(Seen::Is(_))), "{asked:?}");
            assert!(matches!(ezk.answer(asked), Some(Seen::Is(_))), "{asked:?}");
        }
    }
}
