//! Everything that has to be new in each call.

use is::IceCreds;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use ringfence_wire::sdp::Fingerprint;
use sha2::{Digest, Sha256};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::fault::{Fault, Faults};

const UFRAG_BYTES: usize = 6; // 48 bits; RFC 8445, section 5.3: at least 24
const PWD_BYTES: usize = 24; // 192 bits; RFC 8445, section 5.3: at least 128
const TLS_ID_BYTES: usize = 24; // 192 bits; RFC 8842, section 4: at least 120
const CNAME_BYTES: usize = 12; // 96 bits; RFC 7022, section 4.2

/// A certificate and its key (PKCS #8) that everybody has who has this file: SHA-256 c3ca08e9…
const PUBLISHED: (&[u8], &[u8]) =
    (include_bytes!("certificates/default.der"), include_bytes!("certificates/default.pk8"));

/// What one call is known by. No `Debug`: it holds a private key and a password.
pub(crate) struct Identity {
    /// The self-signed certificate and its key, ECDSA on P-256.
    pub certificate: dimpl::DtlsCertificate,
    /// What the answer announces: of the certificate, SHA-256.
    pub fingerprint: Fingerprint,
    pub ice: IceCreds,
    pub tls_id: String,
    pub cname: String,
    pub ssrc: u32,
    /// Below 2^15, so that no loss at the start can hide a rollover. RFC 3711, section 3.3.1.
    pub sequence: u16,
    pub timestamp: u32,
    /// For `o=`, below 2^62. RFC 9429, section 5.2.1.
    pub session: u64,
    /// For `o=`: counts the descriptions of one call.
    pub version: u64,
    /// Whether the handshake draws the same numbers as every other such call. Never of a real call.
    pub repeatable: bool,
}

impl Identity {
    /// A new one, or nothing if the system has no randomness.
    pub fn fresh(faults: &Faults) -> Option<Self> {
        let certificate = if faults.broken(Fault::DefaultCertificate) { published() } else { self_signed()? };
        // RFC 5763, section 5: the answer announces the certificate that its DTLS will show.
        let announced = if faults.broken(Fault::AnswerFingerprintStale) { &self_signed()? } else { &certificate };
        let digest = Sha256::digest(&announced.certificate);
        let fingerprint = Fingerprint { hash: "sha-256".into(), bytes: digest.to_vec() };
        // ice-char is the alphabet of base64, tls-id has that of its URL form. RFC 8839, section 5.4; RFC 8842, section 4.
        let ufrag = STANDARD_NO_PAD.encode(random::<UFRAG_BYTES>()?);
        let pass = STANDARD_NO_PAD.encode(random::<PWD_BYTES>()?);
        Some(Self {
            certificate,
            fingerprint,
            ice: IceCreds { ufrag, pass },
            tls_id: URL_SAFE_NO_PAD.encode(random::<TLS_ID_BYTES>()?),
            cname: URL_SAFE_NO_PAD.encode(random::<CNAME_BYTES>()?),
            ssrc: u32::from_be_bytes(random()?),
            sequence: u16::from_be_bytes(random()?) >> 1,
            timestamp: u32::from_be_bytes(random()?),
            session: u64::from_be_bytes(random()?) >> 2,
            version: 1,
            repeatable: false,
        })
    }
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok().map(|()| bytes)
}

fn published() -> dimpl::DtlsCertificate {
    let (certificate, private_key) = (PUBLISHED.0.to_vec(), PUBLISHED.1.to_vec());
    dimpl::DtlsCertificate { certificate, private_key }
}

fn self_signed() -> Option<dimpl::DtlsCertificate> {
    let key = KeyPair::generate().ok()?;
    let mut params = CertificateParams::new(Vec::<String>::new()).ok()?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "WebRTC"); // tells nothing, as browsers do
    let certificate = params.self_signed(&key).ok()?;
    Some(dimpl::DtlsCertificate { certificate: certificate.der().to_vec(), private_key: key.serialize_der() })
}

#[cfg(test)]
mod tests {
    use super::{Faults, Identity};

    #[test]
    fn nothing_repeats_between_calls() {
        let (a, b) = (Identity::fresh(&Faults::default()).unwrap(), Identity::fresh(&Faults::default()).unwrap());
        assert_ne!(a.certificate.certificate, b.certificate.certificate);
        assert_ne!(a.certificate.private_key, b.certificate.private_key);
        assert_ne!(a.fingerprint, b.fingerprint);
        assert_ne!(a.ice.ufrag, b.ice.ufrag);
        assert_ne!(a.ice.pass, b.ice.pass);
        assert_ne!(a.tls_id, b.tls_id);
        assert_ne!(a.cname, b.cname);
        assert_ne!((a.ssrc, a.timestamp, a.session), (b.ssrc, b.timestamp, b.session));
    }

    #[test]
    fn lengths_and_ranges_are_those_of_the_rfcs() {
        let identity = Identity::fresh(&Faults::default()).unwrap();
        assert!((4..=256).contains(&identity.ice.ufrag.len()));
        assert!((24..=256).contains(&identity.ice.pass.len()));
        assert!((20..=255).contains(&identity.tls_id.len()));
        assert!(identity.sequence < 1 << 15);
        assert!(identity.session < 1 << 62);
    }
}
