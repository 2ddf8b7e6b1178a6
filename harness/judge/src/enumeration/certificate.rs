//! Certificates of an enumeration. Over DTLS in a call nobody looks at names, dates and chains: the fingerprint in the SDP
//! stands for them, and only the key counts (RFC 5763, section 5).

use ringfence_model::enumeration::{CertificateSeen, Enumeration, Protocol};
use ringfence_model::policy::Policy;
use ringfence_model::verdict::{Level, Severity};

use super::{HIGH, LOW, Said, accepted};

/// Days before the end that are worth a note (house), as in `transport/certificate-bad`.
const SOON: i64 = 21;

pub fn certificates(enumeration: &Enumeration, policy: &Policy, said: &mut Said) {
    for certificate in &enumeration.certificates {
        if let Some(source) = &certificate.key_public_in {
            let message = format!("the certificate is a published default, its private key can be had from {source}");
            said.breach("certificate", HIGH, message);
        }
        key(enumeration.protocol, certificate, policy, said);
        if enumeration.protocol == Protocol::Tls {
            trust(&enumeration.host, certificate, said);
        }
        signature(enumeration.protocol, certificate, policy, said);
    }
    let stapled = accepted(enumeration).any(|version| version.ocsp_stapled);
    let responder = enumeration.certificates.iter().any(|certificate| certificate.ocsp_responder);
    if enumeration.protocol == Protocol::Tls && policy.ocsp_required && responder && !stapled {
        said.breach("ocsp", LOW, "no certificate status is stapled, which the policy requires".to_owned());
    }
}

fn key(protocol: Protocol, certificate: &CertificateSeen, policy: &Policy, said: &mut Said) {
    let (Some(kind), Some(bits)) = (certificate.key_type.as_deref(), certificate.key_bits) else { return };
    let least = if kind == "rsa" { policy.min_rsa_bits } else { policy.min_ec_bits };
    if bits < least {
        let severity = if protocol == Protocol::Tls { HIGH } else { (Severity::Medium, Level::Must) };
        let message = format!("the certificate's {kind} key has {bits} bits; the policy's least is {least}");
        said.breach("certificate", severity, message);
    }
}

fn trust(host: &str, certificate: &CertificateSeen, said: &mut Said) {
    if certificate.self_signed {
        let message = "the certificate is self-signed: callers cannot know whom they reach".to_owned();
        said.breach("certificate", HIGH, message);
    } else if !certificate.trusted {
        let message = "the certificate leads to no public root, nor to one of --ca-file".to_owned();
        said.breach("certificate", HIGH, message);
    }
    if certificate.name_matches == Some(false) {
        said.breach("certificate", HIGH, format!("the certificate is not made out to {host}"));
    }
    match certificate.days_left {
        ..0 => said.breach("certificate", HIGH, "the certificate has ended".to_owned()),
        soon @ 0..SOON => {
            let plural = if soon == 1 { "" } else { "s" };
            said.notes.push(format!("the certificate ends in {soon} day{plural}"));
        }
        _ => {}
    }
    if certificate.not_yet_valid {
        said.breach("certificate", HIGH, "the certificate is not valid yet".to_owned());
    }
}

fn signature(protocol: Protocol, certificate: &CertificateSeen, policy: &Policy, said: &mut Said) {
    let Some(hash) = certificate.signature_hash.as_deref() else { return };
    if policy.signature_hashes.iter().any(|one| one.eq_ignore_ascii_case(hash)) {
        return;
    }
    let message = format!("the certificate is signed with {hash}, which the policy does not list");
    // Nobody checks the signature of a certificate that is its own authority.
    if protocol == Protocol::Tls && !certificate.self_signed {
        said.breach("certificate", HIGH, message);
    } else {
        said.notes.push(message);
    }
}
