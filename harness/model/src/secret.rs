//! Values that must never reach an output: [`Secret`], and the keyed [`Digest`] that stands for one in evidence.

use std::borrow::Cow;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroize;

/// A password, token or key. It cannot be printed, serialised or compared; [`Secret::expose`] is the one greppable way
/// out, and [`Secret::digest`] is what evidence holds instead. The memory is overwritten when it is dropped.
#[derive(Clone, Default)]
pub struct Secret<T: Zeroize = String>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Every use of this name is a place to review.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + AsRef<[u8]>> Secret<T> {
    /// What evidence holds in the place of this value: equal secrets of one run have equal digests.
    pub fn digest(&self, key: &RunKey) -> Digest {
        key.digest(self.0.as_ref())
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl From<String> for Secret<String> {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

/// The key of one run's digests. It lives in memory only; its identifier stands in every digest, so that digests of two
/// runs are never compared by mistake.
#[derive(Clone)]
pub struct RunKey {
    id: String,
    key: Secret<Vec<u8>>,
}

impl RunKey {
    /// Makes a key from 32 random bytes.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        let id = mac(&bytes, b"ringfence key id")[..4].iter().map(|b| format!("{b:02x}")).collect();
        Self { id, key: Secret::new(bytes.to_vec()) }
    }

    /// The public identifier of this key, eight hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// HMAC-SHA-256 over `bytes`, cut to 128 bits: enough that two secrets of a run never meet by chance.
    pub fn digest(&self, bytes: &[u8]) -> Digest {
        let hex: String = mac(self.key.expose(), bytes)[..16].iter().map(|b| format!("{b:02x}")).collect();
        Digest(format!("digest:{}:{hex}", self.id))
    }
}

impl fmt::Debug for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunKey({})", self.id)
    }
}

fn mac(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

/// A keyed digest of a secret, written `digest:KEY:HEX`. Scenarios may ask whether two are equal, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The written form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl JsonSchema for Digest {
    fn schema_name() -> Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "digest", "pattern": "^digest:[0-9a-f]{8}:[0-9a-f]{32}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_nothing_and_digests_by_run() {
        let secret = Secret::from("hunter2");
        assert_eq!(format!("{secret:?}"), "[secret]");
        let (one, two) = (RunKey::from_random([1; 32]), RunKey::from_random([2; 32]));
        assert_eq!(secret.digest(&one), Secret::from("hunter2").digest(&one));
        assert_ne!(secret.digest(&one), Secret::from("hunter3").digest(&one));
        assert_ne!(secret.digest(&one), secret.digest(&two));
        assert!(!secret.digest(&one).as_str().contains("hunter2"));
    }
}
