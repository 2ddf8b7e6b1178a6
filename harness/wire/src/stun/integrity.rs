//! MESSAGE-INTEGRITY and FINGERPRINT: computed and checked over bytes, not over parsed values, since both cover the bytes
//! as they were sent.

use super::{HEADER_BYTES, attributes, next_attribute, split};
use crate::bytes::length16;
use crate::{Error, hash};
use subtle::ConstantTimeEq;

const FINGERPRINT_XOR: u32 = 0x5354_554e; // RFC 8489, section 14.7
const INTEGRITY_TLV_BYTES: usize = 24;
const FINGERPRINT_TLV_BYTES: usize = 8;

/// Checks MESSAGE-INTEGRITY with the password (short-term) or [`long_term_key`]. RFC 8489, section 14.5.
///
/// # Errors
/// `Missing` without the attribute, `Unverified` if it does not fit, else as [`super::Message::parse`].
pub fn verify_integrity(bytes: &[u8], key: &[u8]) -> Result<(), Error> {
    let (offset, value) = locate(bytes, attributes::MESSAGE_INTEGRITY, "MESSAGE-INTEGRITY")?;
    let before = bytes.get(..offset).ok_or(Error::Truncated("MESSAGE-INTEGRITY"))?;
    let fits = integrity_of(before, key)?.as_slice().ct_eq(value);
    if fits.into() { Ok(()) } else { Err(Error::Unverified("MESSAGE-INTEGRITY")) }
}

/// Checks FINGERPRINT. RFC 8489, section 14.7.
///
/// # Errors
/// `Missing` without the attribute, `Unverified` if it does not fit or is not the last, else as [`super::Message::parse`].
pub fn verify_fingerprint(bytes: &[u8]) -> Result<(), Error> {
    let (offset, value) = locate(bytes, attributes::FINGERPRINT, "FINGERPRINT")?;
    let before = bytes.get(..offset).ok_or(Error::Truncated("FINGERPRINT"))?;
    let last = offset + FINGERPRINT_TLV_BYTES == bytes.len();
    let fits = fingerprint_of(before)?.to_be_bytes().as_slice() == value;
    if fits && last { Ok(()) } else { Err(Error::Unverified("FINGERPRINT")) }
}

/// The key of long-term credentials: MD5 of `username:realm:password`. RFC 8489, section 9.2.2. The texts are taken as
/// they are: who needs the preparation of RFC 8265 does it before.
pub fn long_term_key(username: &str, realm: &str, password: &str) -> [u8; 16] {
    hash::md5_joined(&[username, realm, password])
}

/// The length field of a message cut off at an attribute, as if that attribute of `tlv_bytes` were its last.
fn patched_head(before: &[u8], tlv_bytes: usize) -> Result<([u8; 4], &[u8]), Error> {
    let ([high, low, _, _], rest) = before.split_first_chunk::<4>().ok_or(Error::Truncated("STUN header"))?;
    let [length_high, length_low] =
        length16((before.len() + tlv_bytes).saturating_sub(HEADER_BYTES), "STUN message length")?;
    Ok(([*high, *low, length_high, length_low], rest))
}

pub(super) fn integrity_of(before: &[u8], key: &[u8]) -> Result<[u8; 20], Error> {
    let (head, rest) = patched_head(before, INTEGRITY_TLV_BYTES)?;
    Ok(hash::hmac_sha1(key, &[&head, rest]))
}

pub(super) fn fingerprint_of(before: &[u8]) -> Result<u32, Error> {
    let (head, rest) = patched_head(before, FINGERPRINT_TLV_BYTES)?;
    let mut crc = crc32fast::Hasher::new();
    crc.update(&head);
    crc.update(rest);
    Ok(crc.finalize() ^ FINGERPRINT_XOR)
}

/// Offset and value of the first attribute of this type.
fn locate<'a>(bytes: &'a [u8], wanted: u16, field: &'static str) -> Result<(usize, &'a [u8]), Error> {
    let (_, _, mut rest) = split(bytes)?;
    while !rest.is_empty() {
        let offset = bytes.len() - rest.0.len();
        let (kind, value) = next_attribute(&mut rest)?;
        if kind == wanted {
            return Ok((offset, value));
        }
    }
    Err(Error::Missing(field))
}
