//! Certificates whose private keys everybody has: they ship with sources, images and packages. Whoever shows one in DTLS or TLS
//! can be impersonated by anyone who has read the file.
//!
//! Known by SHA-256 of the DER, as `a=fingerprint` of SDP has it (RFC 8122, section 5). A target file adds its own with
//! `declared.known_certificates`. Each entry was taken from the file that it names, which lies beside its private key.

/// A certificate, and where its key can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownCertificate {
    /// SHA-256 of the DER, 64 hexadecimal digits in lower case.
    pub sha256: &'static str,
    /// What ships it, and in which file.
    pub source: &'static str,
}

/// The list, in the order of its sources.
pub const KNOWN_CERTIFICATES: &[KnownCertificate] = &[
    known(
        "9fe1f5caa7fbb7d1655d3a6ea18183edb25b036b77c02600e9640979ead34a50",
        "coturn and rfc5766-turn-server, examples/etc/turn_server_cert.pem of 2012",
    ),
    known(
        "3fc68b67ffee670da9df9042006e937b9d0b51376a61cb942423154d340ec1f2",
        "coturn, docker/coturn/cert.pem (docker.lab.vvc.niif.hu)",
    ),
    known(
        "98a12a21503f9b512c0060fa461e86280f7ae132c924385881b95e40c1f83b4a",
        "coturn, examples/ca, turn_server_cert.pem of 2020",
    ),
    known("d2b9318fdf24d80eedd2ef259eaf6fb834ae539ce6f38ff26415fae87f532d38", "Janus, certs/mycert.pem of 2015"),
    known("3b63e40ef7aef5b6d6a8c74874d640a9d2debb7cf2fafd0c108cfee652b9a0a8", "OpenSIPS, etc/tls/user/user-cert.pem"),
    known("51ab293c9fe391eeeb1a2739de15cd8029e3033142962c6c386f2da78d03a945", "OpenSSL, apps/server.pem since 1.0.1"),
    known("ea7c29a2e3dee9c6dea693cd218069998a79c2da5735f499070d6fb3256fc79e", "OpenSSL, apps/server.pem up to 1.0.0"),
    known(
        "b40d41df4050f75542f9861f4c78d360f93e624cdd570693d7e9d741b84025b5",
        "Pion DTLS, examples/certificates/server.pub.pem",
    ),
    known(
        "c3ca08e998a6b9c69a41fc54b75bc7dd7bf06a395eecf600bb56290b1dd98785",
        "ringfence's own lab, media/certificates/default.der",
    ),
    known("c09e161bc4ac0a7a6eab9f1851eff2babe6f36478d6c671d11aa7ad96e4fd436", "SRS, trunk/conf/server.crt"),
    known("e51a4e8c37296306ba65c5f74f130f3ac44ac19e2eae5b2df85952d144f580a8", "str0m, examples/cer.pem"),
    known("d5fb3e08c5a5f5d16816f76e8db2e5adf051456ed6fbcfaef21b21144b6071a6", "werift, packages/dtls/assets/cert.pem"),
];

const fn known(sha256: &'static str, source: &'static str) -> KnownCertificate {
    KnownCertificate { sha256, source }
}

/// What ships the certificate with this SHA-256, in whatever letter case and with colons or without; `None` for one that is not
/// on the list.
pub fn known_certificate(sha256: &str) -> Option<&'static str> {
    let wanted = sha256_hex(sha256)?;
    KNOWN_CERTIFICATES.iter().find(|known| known.sha256 == wanted).map(|known| known.source)
}

/// A SHA-256 as 64 hexadecimal digits in lower case; `None` if the text is none. Colons between the bytes are taken out.
pub fn sha256_hex(text: &str) -> Option<String> {
    let hex: String = text.chars().filter(|c| *c != ':').collect();
    let is_one = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_one.then(|| hex.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_is_a_hash_that_stands_there_once_with_its_source() {
        for known in KNOWN_CERTIFICATES {
            assert_eq!(sha256_hex(known.sha256).as_deref(), Some(known.sha256), "{}", known.source);
            assert!(known.source.contains(", "), "what ships it, and the file: {}", known.source);
            assert_eq!(KNOWN_CERTIFICATES.iter().filter(|other| other.sha256 == known.sha256).count(), 1);
        }
        assert!(KNOWN_CERTIFICATES.is_sorted_by_key(|known| known.source.to_ascii_lowercase()));
    }

    #[test]
    fn a_hash_is_found_however_it_is_written() {
        let first = KNOWN_CERTIFICATES[0];
        let bytes: Vec<&str> = (0..32).map(|at| &first.sha256[2 * at..2 * at + 2]).collect();
        assert_eq!(known_certificate(first.sha256), Some(first.source));
        assert_eq!(known_certificate(&bytes.join(":").to_uppercase()), Some(first.source));
        assert_eq!(known_certificate(&first.sha256[..62]), None);
        assert_eq!(known_certificate(&"0".repeat(64)), None);
        assert_eq!(known_certificate("sha-256"), None);
    }
}
