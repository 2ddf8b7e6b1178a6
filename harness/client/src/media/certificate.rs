//! What a certificate says of itself: RFC 5280. It is the target's text; what cannot be read is left out.

use std::net::IpAddr;

use ringfence_model::Untrusted;
use sha2::{Digest as _, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::signature_algorithm::RsaSsaPssParams;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

/// Names that are kept.
const MAX_NAMES: usize = 64;

/// What a certificate says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateFacts {
    /// `rsa`, `ec`, `ed25519` or `ed448`.
    pub key_type: Option<String>,
    /// Bits of the modulus, or of the curve's field.
    pub key_bits: Option<i64>,
    /// Hash of the signature on it: `sha256`; `ed25519` and `ed448` where the scheme has its own.
    pub signature_hash: Option<String>,
    /// Common names of the subject, and alternative names.
    pub names: Vec<Untrusted>,
}

impl CertificateFacts {
    /// What a certificate is known by: SHA-256 of its DER, 64 hexadecimal digits in lower case.
    pub fn sha256(der: &[u8]) -> String {
        Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads a certificate, DER.
    pub fn read(der: &[u8]) -> Self {
        let Ok((_, certificate)) = X509Certificate::from_der(der) else { return Self::default() };
        let (key_type, key_bits) = key(certificate.public_key());
        Self {
            key_type: key_type.map(str::to_owned),
            key_bits: key_bits.and_then(|bits| i64::try_from(bits).ok()),
            signature_hash: signature_hash(&certificate.signature_algorithm).map(str::to_owned),
            names: names(&certificate),
        }
    }
}

fn key(key: &SubjectPublicKeyInfo<'_>) -> (Option<&'static str>, Option<usize>) {
    match key.algorithm.algorithm.to_id_string().as_str() {
        "1.3.101.112" => return (Some("ed25519"), Some(256)), // RFC 8410, section 3, as the next
        "1.3.101.113" => return (Some("ed448"), Some(456)),
        _ => {}
    }
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => {
            let modulus: Vec<u8> = rsa.modulus.iter().copied().skip_while(|byte| *byte == 0).collect();
            let unused = modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
            (Some("rsa"), Some(modulus.len() * 8 - unused))
        }
        Ok(PublicKey::EC(point)) => (Some("ec"), Some(point.key_size()).filter(|bits| *bits > 0)),
        _ => (None, None),
    }
}

// RFC 8017, appendix A.2.4; RFC 5758, section 3.2; RFC 8410, section 3; RFC 4055, section 3.1.
fn signature_hash(algorithm: &AlgorithmIdentifier<'_>) -> Option<&'static str> {
    Some(match algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.4" => "md5",
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" => "sha1",
        "1.2.840.113549.1.1.14" | "1.2.840.10045.4.3.1" => "sha224",
        "1.2.840.113549.1.1.11" | "1.2.840.10045.4.3.2" => "sha256",
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => "sha384",
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => "sha512",
        "1.2.840.113549.1.1.10" => return pss_hash(algorithm),
        "1.3.101.112" => "ed25519",
        "1.3.101.113" => "ed448",
        _ => return None,
    })
}

fn pss_hash(algorithm: &AlgorithmIdentifier<'_>) -> Option<&'static str> {
    let parameters = RsaSsaPssParams::try_from(algorithm.parameters.as_ref()?).ok()?;
    Some(match parameters.hash_algorithm_oid().to_id_string().as_str() {
        "1.3.14.3.2.26" => "sha1", // RFC 3279, section 2.1, and where nothing is said
        "2.16.840.1.101.3.4.2.4" => "sha224",
        "2.16.840.1.101.3.4.2.1" => "sha256",
        "2.16.840.1.101.3.4.2.2" => "sha384",
        "2.16.840.1.101.3.4.2.3" => "sha512",
        _ => return None,
    })
}

fn names(certificate: &X509Certificate<'_>) -> Vec<Untrusted> {
    let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok()).map(Untrusted::from);
    let extension = certificate.subject_alternative_name().ok().flatten();
    let alternatives = extension.iter().flat_map(|extension| &extension.value.general_names).filter_map(|name| {
        Some(match name {
            GeneralName::DNSName(name) | GeneralName::URI(name) | GeneralName::RFC822Name(name) => {
                Untrusted::from(*name)
            }
            GeneralName::IPAddress(bytes) => Untrusted::new(address(bytes)?.to_string()),
            _ => return None,
        })
    });
    common.chain(alternatives).take(MAX_NAMES).collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

    use super::*;

    fn certificate(algorithm: &'static rcgen::SignatureAlgorithm) -> Vec<u8> {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let mut params = CertificateParams::new(vec!["media.example.test".into(), "192.0.2.7".into()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "rtpengine");
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn keys_hashes_and_names_are_read() {
        let facts = CertificateFacts::read(&certificate(&PKCS_ECDSA_P384_SHA384));
        assert_eq!((facts.key_type.as_deref(), facts.key_bits), (Some("ec"), Some(384)));
        assert_eq!(facts.signature_hash.as_deref(), Some("sha384"));
        let names: Vec<_> = facts.names.iter().map(Untrusted::raw).collect();
        assert_eq!(names, ["rtpengine", "media.example.test", "192.0.2.7"]);
        let facts = CertificateFacts::read(&certificate(&PKCS_ED25519));
        assert_eq!((facts.key_type.as_deref(), facts.key_bits), (Some("ed25519"), Some(256)));
        assert_eq!(facts.signature_hash.as_deref(), Some("ed25519"));
    }

    #[test]
    fn what_is_no_certificate_says_nothing() {
        let der = certificate(&PKCS_ED25519);
        for end in 0..der.len() {
            assert_eq!(CertificateFacts::read(&der[..end]), CertificateFacts::default());
        }
        for at in 0..der.len() {
            let mut bent = der.clone();
            bent[at] ^= 0x41;
            CertificateFacts::read(&bent); // no panic
        }
    }
}
