//! STUN messages whose lengths, MESSAGE-INTEGRITY and FINGERPRINT are right again.
//!
//! These work on bytes and share nothing with the reader that they feed: what it refuses in an attribute stays as it came.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// RFC 8489, section 5.
pub const HEADER_BYTES: usize = 20;
/// Attribute types. RFC 8489, section 18.3.
pub const MESSAGE_INTEGRITY: u16 = 0x0008;
/// As [`MESSAGE_INTEGRITY`].
pub const FINGERPRINT: u16 = 0x8028;
/// As [`MESSAGE_INTEGRITY`].
pub const MESSAGE_INTEGRITY_SHA256: u16 = 0x001c;

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42]; // RFC 8489, section 5
const TLV_BYTES: usize = 4; // type and length of an attribute
const MAX_BYTES: usize = 2_048; // what our reader takes
const MAX_ATTRIBUTES: usize = 64; // likewise
const INTEGRITY_BYTES: usize = 20; // of an HMAC-SHA1
const CHECKSUM_BYTES: usize = 4; // of a CRC-32
const PRIVATE: u16 = 0xc000; // a type that nobody knows and everybody may ignore

/// Where an attribute lies in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its type.
    pub kind: u16,
    /// Index of its first byte, that of the type.
    pub at: usize,
    /// Bytes of its value, without padding.
    pub length: usize,
}

impl Span {
    /// Index of the first byte of the value.
    pub fn value(&self) -> usize {
        self.at + TLV_BYTES
    }

    /// Index of the first byte behind it and its padding.
    pub fn end(&self) -> usize {
        self.value() + self.length.next_multiple_of(4)
    }
}

/// The attributes of a message whose frame is right, up to the first that does not fit.
pub fn spans(message: &[u8]) -> impl Iterator<Item = Span> {
    let mut at = HEADER_BYTES;
    std::iter::from_fn(move || {
        let [a, b, c, d] = *message.get(at..)?.first_chunk()?;
        let length = usize::from(u16::from_be_bytes([c, d]));
        let span = Span { kind: u16::from_be_bytes([a, b]), at, length };
        at = span.end();
        (at <= message.len()).then_some(span)
    })
}

/// A message with a header that says STUN and lengths that are true. An attribute that is longer than what came ends with it; the
/// attributes that our reader has no room for are left out, and fewer than four bytes at the end.
pub fn framed(bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(bytes.len().clamp(HEADER_BYTES, MAX_BYTES) + 4);
    message.extend_from_slice(&bytes[..bytes.len().min(HEADER_BYTES)]);
    message.resize(HEADER_BYTES, 0);
    message[0] &= 0x3f;
    message[4..8].copy_from_slice(&COOKIE);
    let mut rest = bytes.get(HEADER_BYTES..).unwrap_or_default();
    for _ in 0..MAX_ATTRIBUTES {
        let Some(([a, b, c, d], behind)) = rest.split_first_chunk::<TLV_BYTES>() else { break };
        let length = usize::from(u16::from_be_bytes([*c, *d])).min(behind.len());
        let whole = length.next_multiple_of(4);
        if message.len() + TLV_BYTES + whole > MAX_BYTES {
            break;
        }
        message.extend_from_slice(&[*a, *b]);
        message.extend_from_slice(&(length as u16).to_be_bytes());
        let end = message.len() + whole;
        let (value, behind) = behind.split_at(whole.min(behind.len()));
        message.extend_from_slice(value);
        message.resize(end, 0);
        rest = behind;
    }
    set_length(&mut message);
    message
}

/// A [`framed`] message with a MESSAGE-INTEGRITY that fits the key, and a FINGERPRINT that is right and the last. The first
/// MESSAGE-INTEGRITY of 20 bytes is kept where it is, and what follows it; others before it, and every other FINGERPRINT, get a type
/// that nobody knows.
pub fn signed(bytes: &[u8], key: &[u8]) -> Vec<u8> {
    let mut message = framed(bytes);
    let fits = |span: &Span| span.kind == MESSAGE_INTEGRITY && span.length == INTEGRITY_BYTES;
    let mut list: Vec<Span> = spans(&message).collect();
    if list.pop_if(|last| last.kind == FINGERPRINT && last.length == CHECKSUM_BYTES).is_some() {
        message.truncate(message.len() - TLV_BYTES - CHECKSUM_BYTES);
    }
    let unsigned = list.iter().take_while(|span| !fits(span)).filter(|span| span.kind == MESSAGE_INTEGRITY);
    for span in unsigned.chain(list.iter().filter(|span| span.kind == FINGERPRINT)) {
        message[span.at..span.at + 2].copy_from_slice(&(PRIVATE | span.kind & 0xff).to_be_bytes());
    }
    let at = loop {
        let found = list.iter().find(|span| fits(span)).map(|span| span.at);
        let (more, bytes) = if found.is_some() { (1, 8) } else { (2, 32) };
        if list.len() + more <= MAX_ATTRIBUTES && message.len() + bytes <= MAX_BYTES {
            break found.unwrap_or(message.len());
        }
        let Some(last) = list.pop() else { break message.len() };
        message.truncate(last.at);
    };
    if at == message.len() {
        push(&mut message, MESSAGE_INTEGRITY, &[0; INTEGRITY_BYTES]);
    }
    let code = integrity(&message[..at], key);
    message[at + TLV_BYTES..at + TLV_BYTES + INTEGRITY_BYTES].copy_from_slice(&code);
    let checksum = fingerprint(&message);
    push(&mut message, FINGERPRINT, &checksum.to_be_bytes());
    set_length(&mut message);
    message
}

/// MESSAGE-INTEGRITY of what stands before it. RFC 8489, section 14.5: the length is that of the message up to and with it.
pub fn integrity(before: &[u8], key: &[u8]) -> [u8; INTEGRITY_BYTES] {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(&as_if_longer(before, TLV_BYTES + INTEGRITY_BYTES));
    mac.finalize().into_bytes().into()
}

/// FINGERPRINT of what stands before it. RFC 8489, section 14.7.
pub fn fingerprint(before: &[u8]) -> u32 {
    crc32fast::hash(&as_if_longer(before, TLV_BYTES + CHECKSUM_BYTES)) ^ 0x5354_554e
}

fn as_if_longer(before: &[u8], more: usize) -> Vec<u8> {
    let mut message = before.to_vec();
    let length = (message.len() + more).saturating_sub(HEADER_BYTES) as u16;
    message[2..4].copy_from_slice(&length.to_be_bytes());
    message
}

fn push(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend_from_slice(&kind.to_be_bytes());
    message.extend_from_slice(&(value.len() as u16).to_be_bytes());
    message.extend_from_slice(value);
}

fn set_length(message: &mut [u8]) {
    let length = (message.len() - HEADER_BYTES) as u16;
    message[2..4].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::stun::messages;
    use ringfence_wire::stun::{Message, verify_fingerprint, verify_integrity};

    /// What seeds and their ruins look like after the repair.
    fn each(repair: impl Fn(&[u8]) -> Vec<u8>, check: impl Fn(&[u8])) {
        let mut seen = 0;
        for seed in messages() {
            for (at, step) in (0..seed.bytes.len()).zip([1, 7, 64, 129, 255].into_iter().cycle()) {
                let mut ruin = seed.bytes.clone();
                ruin[at] ^= step;
                for bytes in [&ruin, &ruin[..at]] {
                    let repaired = repair(bytes);
                    assert_eq!(repair(&repaired), repaired, "a repair of {} repairs once more", seed.name);
                    check(&repaired);
                    seen += 1;
                }
            }
        }
        assert!(seen > 1_000);
    }

    #[test]
    fn frames_are_put_right_and_stay_so() {
        each(framed, |message| {
            let end = spans(message).last().map_or(HEADER_BYTES, |span| span.end());
            assert_eq!(end, message.len());
            assert!(ringfence_wire::stun::is_stun(message));
        });
    }

    #[test]
    fn what_is_right_stays_as_it_is() {
        let valid: Vec<_> = messages().into_iter().filter(|seed| seed.valid).collect();
        assert!(valid.len() > 8);
        for seed in valid {
            assert_eq!(framed(&seed.bytes), seed.bytes, "{}", seed.name);
            assert!(Message::parse(&framed(&seed.bytes)).is_ok(), "{}", seed.name);
            assert!(Message::parse(&signed(&seed.bytes, b"key")).is_ok(), "{}", seed.name);
        }
    }

    #[test]
    fn signatures_are_put_right_and_stay_so() {
        each(
            |bytes| signed(bytes, b"key"),
            |message| {
                assert_eq!(verify_integrity(message, b"key"), Ok(()));
                assert_eq!(verify_fingerprint(message), Ok(()));
            },
        );
    }

    #[test]
    fn a_full_message_gives_way() {
        let many = [0xff; HEADER_BYTES].into_iter().chain([0xc0, 0, 0, 0].repeat(90)).collect::<Vec<u8>>();
        let long = [0xff; HEADER_BYTES].into_iter().chain([0xc0, 0, 0, 200].repeat(900)).collect::<Vec<u8>>();
        for bytes in [many, long] {
            let message = signed(&bytes, b"key");
            assert!(Message::parse(&message).is_ok_and(|message| message.is_signed()));
            assert_eq!(verify_fingerprint(&message), Ok(()));
            assert_eq!(signed(&message, b"key"), message);
        }
    }
}
