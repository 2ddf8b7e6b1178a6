//! The few hashes that the codecs need, with one shape each.

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;

/// HMAC-SHA1 over the parts in a row (RFC 2104).
pub(crate) fn hmac_sha1(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// MD5 of the parts joined by colons, as STUN and Digest credentials are.
pub(crate) fn md5_joined(parts: &[&str]) -> [u8; 16] {
    Md5::digest(parts.join(":").as_bytes()).into()
}

/// SHA-256 of the parts joined by colons.
pub(crate) fn sha256_joined(parts: &[&str]) -> [u8; 32] {
    Sha256::digest(parts.join(":").as_bytes()).into()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
