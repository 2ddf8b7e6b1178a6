//! MESSAGE-INTEGRITY and FINGERPRINT.

use std::fmt::Debug;

use ringfence_wire::Error;
use ringfence_wire::stun::{Attribute, Message, verify_fingerprint, verify_integrity};

use crate::generators::stun::{AnyMessage, messages};
use crate::generators::value;
use crate::mutators::stun::{MESSAGE_INTEGRITY, Span, fingerprint, integrity, signed, spans};
use crate::oracle::Oracle;
use crate::oracles::{FIXPOINT, fixpoint};
use crate::target::{Seed, Target};

/// Two bytes that choose a bit, one that chooses what the rest is, and a message: bytes, or what the generator draws from them.
pub const TARGET: Target = Target {
    name: "stun_integrity",
    reads: "a bit to turn (2 bytes), `b` or another byte for bytes or the generator, a STUN message",
    oracles: &[&SIGNED, &COVERED, &UNCOVERED, &CHECKSUM, &MODEL, &FIXPOINT],
    run,
    accepts: |bytes| Input::read(bytes).is_some_and(|input| Message::parse(&input.message).is_ok()),
    show: |bytes| {
        let Some(Input { turned, message }) = Input::read(bytes) else { return "too short".into() };
        format!("bit {turned} is turned\n{:#?}", Message::parse(&message))
    },
    seeds,
    dictionary: Some("stun"),
    max_len: 2_100, // a message is 2,048 bytes at most
    covers: &["harness/wire/src/stun/integrity.rs"],
};

/// What was signed with a key verifies with that key, and with no other.
pub const SIGNED: Oracle = Oracle::new(
    "who has the key is believed, nobody else",
    "RFC 8489, section 9.1.3: that check is all that stands between a peer and whoever can send us a datagram",
);

/// One bit before or in MESSAGE-INTEGRITY that is another is noticed.
pub const COVERED: Oracle = Oracle::new(
    "every covered bit counts",
    "RFC 8489, section 14.5: the HMAC is of the whole message up to MESSAGE-INTEGRITY, its length included",
);

/// What follows MESSAGE-INTEGRITY does not change its verdict.
pub const UNCOVERED: Oracle = Oracle::new(
    "what follows MESSAGE-INTEGRITY does not matter to it",
    "RFC 8489, section 14.5: the length counts up to the attribute alone, so that FINGERPRINT and others can be added behind it",
);

/// One bit that is another is noticed by FINGERPRINT, wherever it is.
pub const CHECKSUM: Oracle = Oracle::new(
    "FINGERPRINT notices every single bit",
    "RFC 8489, section 14.7: it is a CRC-32 of all that stands before it, and is the last; a CRC finds each error of one bit",
);

/// A second computation, of a few lines and over the bytes alone, says the same.
pub const MODEL: Oracle = Oracle::new(
    "the verdict is that of the RFC's own words",
    "RFC 8489, sections 14.5 and 14.7 say which bytes are hashed, and section 14 that of repeated attributes the first counts",
);

// They end in no zero: HMAC fills keys up with zeros (RFC 2104, section 2), so that `key` and `key\0` are one.
const KEY: &[u8] = b"the key of whoever signs";
const STRANGER: &[u8] = b"a key of somebody else";

struct Input {
    turned: usize,
    message: Vec<u8>,
}

impl Input {
    fn read(bytes: &[u8]) -> Option<Self> {
        let ([high, low, what], rest) = bytes.split_first_chunk()?;
        let message = match what {
            b'b' => rest.to_vec(),
            _ => value::<AnyMessage>(rest)?.0.emit().ok()?,
        };
        Some(Self { turned: usize::from(u16::from_be_bytes([*high, *low])), message })
    }
}

/// One run.
pub fn run(bytes: &[u8]) {
    let Some(Input { turned, message }) = Input::read(bytes) else { return };
    SIGNED.holds(verify_integrity(&message, STRANGER).is_err(), || "a key that never signed anything verifies".into());
    let ours = signed(&message, KEY);
    keys(&ours, verify_integrity);
    let other = with_turned(&ours, turned % (ours.len() * 8));
    turning(&ours, turned % (ours.len() * 8), verify_integrity, verify_fingerprint);
    for message in [&message, &ours, &other] {
        modelled(message, &verify_integrity(message, KEY), &verify_fingerprint(message));
    }
    if let Ok(message) = Message::parse(&message) {
        rewritten(message);
    }
}

/// Our own writer signs what our own reader believes.
fn rewritten(mut message: Message) {
    message
        .attributes
        .retain(|attribute| !matches!(attribute, Attribute::MessageIntegrity(_) | Attribute::Fingerprint(_)));
    let Ok(written) = message.signed(KEY).and_then(Message::fingerprinted) else { return };
    let Ok(bytes) = written.emit() else { return };
    if Message::parse(&bytes).is_err() {
        return; // it was at a limit before, and is longer now
    }
    SIGNED.same(&verify_integrity(&bytes, KEY), &Ok(()), "signed by our own writer");
    CHECKSUM.same(&verify_fingerprint(&bytes), &Ok(()), "fingerprint of our own writer");
    fixpoint(&written, |message| message.emit().expect("as before"), |bytes| Message::parse(bytes));
}

fn keys<E: PartialEq + Debug>(message: &[u8], verify: impl Fn(&[u8], &[u8]) -> Result<(), E>) {
    SIGNED.same(&verify(message, KEY), &Ok(()), "the key that signed");
    SIGNED.holds(verify(message, STRANGER).is_err(), || "another key verifies".into());
    SIGNED.holds(verify(message, b"").is_err(), || "no key verifies".into());
}

/// One bit of a signed message with FINGERPRINT is another.
fn turning(
    message: &[u8],
    bit: usize,
    integrity: impl Fn(&[u8], &[u8]) -> Result<(), Error>,
    fingerprint: impl Fn(&[u8]) -> Result<(), Error>,
) {
    let Some(end) = spans(message).find(|span| span.kind == MESSAGE_INTEGRITY).map(|span| span.end()) else { return };
    let turned = with_turned(message, bit);
    let verdict = integrity(&turned, KEY);
    if bit / 8 < end {
        COVERED.holds(verdict.is_err(), || format!("bit {bit} of {message:x?}"));
    } else if spans(&turned).last().is_some_and(|last| last.end() == turned.len()) {
        UNCOVERED.same(&verdict, &Ok(()), "a bit behind it is another");
    }
    CHECKSUM.holds(fingerprint(&turned).is_err(), || format!("bit {bit} of {message:x?}"));
}

fn with_turned(message: &[u8], bit: usize) -> Vec<u8> {
    let mut turned = message.to_vec();
    if let Some(byte) = turned.get_mut(bit / 8) {
        *byte ^= 0x80 >> (bit % 8);
    }
    turned
}

/// What the RFC's words say of both, and what our reader says.
fn modelled(message: &[u8], integrity_says: &Result<(), Error>, fingerprint_says: &Result<(), Error>) {
    let first = |kind| spans(message).find(|span: &Span| span.kind == kind);
    let value = |span: Span| message.get(span.value()..span.value() + span.length);
    let authentic =
        first(MESSAGE_INTEGRITY).is_some_and(|span| value(span) == Some(&integrity(&message[..span.at], KEY)));
    let unharmed = first(crate::mutators::stun::FINGERPRINT)
        .filter(|span| span.end() == message.len())
        .is_some_and(|span| value(span) == Some(&fingerprint(&message[..span.at]).to_be_bytes()));
    // A message over our limits or with a wrong header is no message: then both refuse, whatever is in it.
    let whole = is_message(message);
    MODEL.same(&integrity_says.is_ok(), &(whole && authentic), "MESSAGE-INTEGRITY: ours and the model");
    MODEL.same(&fingerprint_says.is_ok(), &(whole && unharmed), "FINGERPRINT: ours and the model");
}

/// The header of RFC 8489, section 5, and the size that we read at most.
fn is_message(message: &[u8]) -> bool {
    let Some(([first, _, high, low, cookie @ ..], rest)) = message.split_first_chunk::<20>() else { return false };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    first >> 6 == 0
        && cookie.starts_with(&[0x21, 0x12, 0xa4, 0x42])
        && length == rest.len()
        && length.is_multiple_of(4)
        && message.len() <= 2_048
}

fn seeds() -> Vec<Seed> {
    let turned = [0_u16, 15, 31, 63, 167, 200, 333];
    let seeds = messages().into_iter().zip(turned.into_iter().cycle());
    seeds
        .map(|(seed, bit)| Seed { bytes: [&bit.to_be_bytes(), b"b".as_slice(), &seed.bytes].concat(), ..seed })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    fn message() -> Vec<u8> {
        let seed = messages().into_iter().find(|seed| seed.name == "allocated").expect("the seed is there");
        signed(&seed.bytes, KEY)
    }

    /// A careless reader: right as long as nobody asks closely.
    fn anybody(_: &[u8], _: &[u8]) -> Result<(), Error> {
        Ok(())
    }

    #[test]
    fn readers_that_believe_anybody_or_nobody_are_caught() {
        caught(&SIGNED, || keys(&message(), anybody));
        caught(&SIGNED, || keys(&message(), |_, _| Err(Error::Missing("MESSAGE-INTEGRITY"))));
    }

    #[test]
    fn a_reader_that_skips_the_header_is_caught() {
        // The transaction id does not count for this one.
        let skips = |bytes: &[u8], key: &[u8]| {
            let mut bytes = bytes.to_vec();
            bytes[8..20].copy_from_slice(&message()[8..20]);
            verify_integrity(&bytes, key)
        };
        caught(&COVERED, || turning(&message(), 8 * 8 + 3, skips, verify_fingerprint));
        turning(&message(), 8 * 8 + 3, verify_integrity, verify_fingerprint);
    }

    #[test]
    fn a_reader_that_hashes_what_follows_is_caught() {
        let last = message().len() * 8 - 1;
        let whole = |bytes: &[u8], _: &[u8]| if bytes == message() { Ok(()) } else { Err(Error::Missing("trust")) };
        caught(&UNCOVERED, || turning(&message(), last, whole, verify_fingerprint));
    }

    #[test]
    fn a_checksum_of_the_body_alone_is_caught() {
        let lax =
            |bytes: &[u8]| if bytes[20..] == message()[20..] { Ok(()) } else { Err(Error::Missing("FINGERPRINT")) };
        caught(&CHECKSUM, || turning(&message(), 70, verify_integrity, lax));
    }

    #[test]
    fn a_reader_that_differs_from_the_words_is_caught() {
        modelled(&message(), &Ok(()), &Ok(()));
        caught(&MODEL, || modelled(&message(), &Err(Error::Missing("MESSAGE-INTEGRITY")), &Ok(())));
        caught(&MODEL, || modelled(&messages()[0].bytes, &Ok(()), &Ok(())));
        // One that believes what is no message.
        let longer = [message(), vec![0; 4]].concat();
        modelled(&longer, &verify_integrity(&longer, KEY), &verify_fingerprint(&longer));
        caught(&MODEL, || modelled(&longer, &Ok(()), &Err(Error::Missing("FINGERPRINT"))));
    }

    #[test]
    fn every_bit_of_a_message_was_tried() {
        let message = message();
        (0..message.len() * 8).for_each(|bit| turning(&message, bit, verify_integrity, verify_fingerprint));
    }
}
