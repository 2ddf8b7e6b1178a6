//! Who we are in DTLS: a self-signed certificate, and the client random of its handshakes.

use std::sync::Arc;

use md5::Md5;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};
use ringfence_model::Secret;
use ringfence_wire::sdp::Fingerprint;
use rtc_crypto::RTCCrypto;
use rtc_dtls::crypto::{Certificate, CryptoPrivateKey};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::MediaError;
use super::random_swap::RANDOM_BYTES;

/// Our certificate (ECDSA on P-256, self-signed, as browsers make them) with the client random that goes with it. A clone is
/// the same identity: two calls with it show the same certificate and begin with the same ClientHello random.
#[derive(Clone)]
pub struct Identity(Arc<Parts>);

struct Parts {
    der: Vec<u8>,
    key: Secret<Vec<u8>>,
    client_random: [u8; RANDOM_BYTES],
}

impl Identity {
    /// A new key, certificate and client random, from the system's randomness.
    ///
    /// # Errors
    /// The system has no randomness: our own fault.
    pub fn fresh() -> Result<Self, MediaError> {
        let mut client_random = [0; RANDOM_BYTES];
        getrandom::fill(&mut client_random).map_err(MediaError::setup)?;
        let key = KeyPair::generate().map_err(MediaError::setup)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "WebRTC");
        // Nobody checks it (RFC 8827, section 6.5 asks for the fingerprint only); fixed, so that it tells nothing of our clock.
        (params.not_before, params.not_after) = (date_time_ymd(2024, 1, 1), date_time_ymd(2044, 1, 1));
        let certificate = params.self_signed(&key).map_err(MediaError::setup)?;
        let parts = Parts { der: certificate.der().to_vec(), key: Secret::new(key.serialize_der()), client_random };
        Ok(Self(Arc::new(parts)))
    }

    /// The certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-256 of the certificate, for `a=fingerprint`. RFC 8122, section 5.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint { hash: "sha-256".into(), bytes: Sha256::digest(&self.0.der).to_vec() }
    }

    /// SHA-1 of the certificate.
    pub(super) fn sha1_fingerprint(&self) -> Fingerprint {
        Fingerprint { hash: "sha-1".into(), bytes: Sha1::digest(&self.0.der).to_vec() }
    }

    /// MD5 of the certificate, which RFC 8122 forbids in fingerprints.
    pub(super) fn md5_fingerprint(&self) -> Fingerprint {
        Fingerprint { hash: "md5".into(), bytes: Md5::digest(&self.0.der).to_vec() }
    }

    /// A fingerprint that some other certificate may have, and ours has not.
    pub fn foreign_fingerprint(&self) -> Fingerprint {
        let other = Sha256::new().chain_update(b"another certificate").chain_update(&self.0.der);
        Fingerprint { hash: "sha-256".into(), bytes: other.finalize().to_vec() }
    }

    pub(super) fn client_random(&self) -> [u8; RANDOM_BYTES] {
        self.0.client_random
    }

    /// The same for `rtc-dtls`, its key held by `crypto`.
    pub(super) fn certificate(&self, crypto: &dyn RTCCrypto) -> Result<Certificate, MediaError> {
        let key = KeyPair::try_from(self.0.key.expose().as_slice()).map_err(MediaError::setup)?;
        Ok(Certificate {
            certificate: vec![self.0.der.clone().into()],
            private_key: CryptoPrivateKey::from_key_pair(&key, crypto).map_err(MediaError::setup)?,
        })
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.fingerprint())
    }
}

/// Hashes of fingerprints, the strongest first. RFC 8122, section 5; MD5 and MD2 must not be used.
pub(super) const FINGERPRINT_HASHES: [&str; 5] = ["sha-512", "sha-384", "sha-256", "sha-224", "sha-1"];

/// Whether `der` is the certificate that the fingerprints announce: of those with the strongest hash that we know, one has to
/// fit. RFC 8122, section 5.
pub(super) fn announced(der: &[u8], fingerprints: &[Fingerprint]) -> bool {
    let strongest = FINGERPRINT_HASHES.into_iter().find(|name| fingerprints.iter().any(|f| f.hash == *name));
    let actual = match strongest {
        Some("sha-512") => sha2::Sha512::digest(der).to_vec(),
        Some("sha-384") => sha2::Sha384::digest(der).to_vec(),
        Some("sha-256") => Sha256::digest(der).to_vec(),
        Some("sha-224") => sha2::Sha224::digest(der).to_vec(),
        Some(_) => Sha1::digest(der).to_vec(),
        None => return false,
    };
    fingerprints.iter().any(|f| Some(f.hash.as_str()) == strongest && f.bytes == actual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_known_hash_decides() {
        let own = Identity::fresh().unwrap();
        let (right, wrong) = (own.fingerprint(), own.foreign_fingerprint());
        assert!(announced(own.der(), &[wrong.clone(), right.clone()]));
        assert!(!announced(own.der(), std::slice::from_ref(&wrong)));
        assert!(!announced(own.der(), &[]));
        let strong_wrong = Fingerprint { hash: "sha-512".into(), bytes: vec![0; 64] };
        assert!(!announced(own.der(), &[strong_wrong, right.clone()]));
        let weak_wrong = Fingerprint { hash: "sha-1".into(), bytes: vec![0; 20] };
        assert!(announced(own.der(), &[weak_wrong, right]));
        assert!(!announced(own.der(), &[wrong, own.sha1_fingerprint()]));
        assert!(announced(own.der(), &[own.sha1_fingerprint()]), "weak, and it matches");
        assert!(!announced(own.der(), &[own.md5_fingerprint()]), "proves nothing");
    }

    #[test]
    fn a_clone_is_the_same_identity_and_prints_no_key() {
        let own = Identity::fresh().unwrap();
        assert_eq!(own.clone().client_random(), own.client_random());
        assert_ne!(Identity::fresh().unwrap().client_random(), own.client_random());
        assert!(format!("{own:?}").starts_with("Identity(sha-256 "));
    }
}
