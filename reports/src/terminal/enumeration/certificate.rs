//! The certificates of an enumeration.

use ringfence_model::enumeration::{CertificateSeen, Enumeration, Protocol};

use super::super::page::{Ink, Page};
use super::counted;
use crate::escape;

/// Names that are shown of one certificate.
const MAX_NAMES: usize = 8;

pub fn certificates(page: &mut Page, enumeration: &Enumeration) {
    for certificate in &enumeration.certificates {
        page.heading("Certificate", Ink::Strong);
        one(page, enumeration, certificate);
    }
    if let Some(why) = &enumeration.no_certificate {
        page.heading("Certificate", Ink::Strong);
        page.text(1, Ink::Warning, &format!("not seen: {}", why.visible()));
    }
}

fn one(page: &mut Page, enumeration: &Enumeration, certificate: &CertificateSeen) {
    page.labelled("subject", Ink::Plain, &certificate.subject.visible());
    page.labelled("issuer", Ink::Plain, &certificate.issuer.visible());
    let mut names: Vec<String> = Vec::new();
    for name in certificate.names.iter().map(|name| name.visible()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let more = names.len().saturating_sub(MAX_NAMES);
    names.truncate(MAX_NAMES);
    names.extend((more > 0).then(|| format!("and {more} more")));
    if !names.is_empty() {
        page.labelled("names", Ink::Plain, &names.join(", "));
    }
    if let Some(matches) = certificate.name_matches {
        let host = escape::prose(enumeration.server_name.as_ref().unwrap_or(&enumeration.host));
        let (ink, how) = if matches { (Ink::Plain, "made out to") } else { (Ink::Alarm, "not made out to") };
        page.labelled("host", ink, &format!("{how} {host}"));
    }
    let (ink, days) = match certificate.days_left {
        _ if certificate.not_yet_valid => (Ink::Alarm, "not valid yet".to_owned()),
        left @ ..0 => (Ink::Alarm, format!("ended {} ago", days(left.unsigned_abs()))),
        left => (Ink::Plain, format!("{} left", days(left.unsigned_abs()))),
    };
    page.labelled("validity", ink, &days);
    let kind = certificate.key_type.as_deref().map_or("of an unknown kind".to_owned(), escape::prose);
    let bits = certificate.key_bits.map(|bits| format!(", {bits} bits")).unwrap_or_default();
    page.labelled("key", Ink::Plain, &format!("{kind}{bits}"));
    if let Some(source) = &certificate.key_public_in {
        page.labelled("private key", Ink::Alarm, &format!("public: {}", escape::prose(source)));
    }
    let hash = certificate.signature_hash.as_deref().map_or("unknown".to_owned(), escape::prose);
    page.labelled("signature", Ink::Plain, &hash);
    let sent = counted(certificate.chain_length, "certificate");
    // Over DTLS the fingerprint in the SDP stands for the chain.
    let (ink, leads) = match (certificate.self_signed, certificate.trusted, enumeration.protocol) {
        (true, _, Protocol::Dtls) => (Ink::Plain, ", self-signed, as usual in a call"),
        (_, _, Protocol::Dtls) => (Ink::Plain, ""),
        (true, ..) => (Ink::Alarm, ", self-signed"),
        (false, true, _) => (Ink::Plain, ", leads to a root that is trusted"),
        (false, false, _) => (Ink::Alarm, ", leads to no root that is trusted"),
    };
    page.labelled("chain", ink, &format!("{sent}{leads}"));
    if !certificate.sha256.is_empty() {
        page.labelled("sha-256", Ink::Plain, &escape::prose(&certificate.sha256));
    }
}

fn days(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "day")
}
