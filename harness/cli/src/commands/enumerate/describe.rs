//! From what the client found to an enumeration with names and ranks.

use ringfence_client::Net;
use ringfence_client::hello::{Findings, List, Report, Verdict};
use ringfence_client::net::ServerCertificate;
use ringfence_judge::{ListOf, rank, version_rank};
use ringfence_model::enumeration::{
    CertificateSeen, ENUMERATION_FORMAT, Entry, Enumeration, Exchange, Protocol, Unknown, VersionSeen, VersionState,
};
use ringfence_model::known_certificates::known_certificate;
use ringfence_model::policy::Policy;
use ringfence_model::{Exit, Untrusted};
use ringfence_wire::hello::{Version, names};

use super::{Asked, suite};

/// Certificates that are told of one server.
const MAX_CERTIFICATES: usize = 8;

/// All but certificates, findings and how it ends.
pub fn enumeration(asked: &Asked<'_>, server_name: Option<String>, report: &Report) -> Enumeration {
    let versions: Vec<VersionSeen> =
        report.versions.iter().map(|(number, findings)| version(asked, *number, findings)).collect();
    let mut notes = Vec::new();
    if versions.iter().all(|version| version.state != VersionState::Accepted) {
        let hint = if server_name.is_none() { "; it may want a name: --name" } else { "" };
        notes.push(format!("it speaks {} and accepts no version{hint}", asked.protocol.word()));
    }
    Enumeration {
        format: ENUMERATION_FORMAT.to_owned(),
        ringfence: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: asked.protocol,
        host: asked.args.place.host.clone(),
        port: asked.args.place.port,
        calls: None,
        server_name,
        policy: asked.policy.name.clone(),
        hellos_sent: report.hellos_sent(),
        versions,
        chosen_version: None,
        certificates: Vec::new(),
        no_certificate: None,
        findings: Vec::new(),
        notes,
        elapsed_ms: 0,
        exit: Exit::Clean,
        code: Exit::Clean.code(),
    }
}

fn version(asked: &Asked<'_>, number: Version, found: &Findings) -> VersionSeen {
    let policy = asked.policy;
    let word = number.name().map_or_else(|| hexadecimal(number.0), str::to_owned);
    let (state, alert) = match found.verdict {
        Verdict::Accepted => (VersionState::Accepted, None),
        Verdict::Refused(alert) => (VersionState::Refused, alert),
        Verdict::Closed | Verdict::Unknown => (VersionState::Unknown, None),
    };
    let suites = match asked.protocol {
        Protocol::Tls => ListOf::TlsSuites,
        Protocol::Dtls => ListOf::DtlsSuites,
    };
    let profile = |code: u16| named(names::srtp_profile, code);
    VersionSeen {
        rank: (state == VersionState::Accepted).then(|| version_rank(policy, asked.protocol, &word)),
        version: word,
        state,
        alert: alert.map(|code| names::alert(code).map_or_else(|| format!("alert {code}"), str::to_owned)),
        suites: found
            .suites
            .iter()
            .map(|code| {
                let name = named(names::suite, *code);
                let ranked = rank(policy, suites, &name);
                suite::seen(*code, name, ranked)
            })
            .collect(),
        server_order: found.server_order,
        groups: entries(policy, ListOf::Groups, names::group, &found.groups),
        signature_schemes: entries(policy, ListOf::SignatureSchemes, names::signature_scheme, &found.signature_schemes),
        srtp_profiles: entries(policy, ListOf::SrtpProfiles, names::srtp_profile, &found.profiles),
        preferred_srtp_profile: found.preferred_profile.map(profile),
        goes_without_srtp: found.goes_without_srtp,
        extended_master_secret: found.extended_master_secret,
        secure_renegotiation: found.secure_renegotiation,
        compression: found.compression,
        ocsp_stapled: found.ocsp_response.is_some(),
        certificate_requested: found.certificate_requested,
        dh_bits: found.dh_bits,
        cookie: found.hello_verify,
        before_cookie: found
            .before_cookie
            .filter(|_| asked.protocol == Protocol::Dtls)
            .map(|most| Exchange { sent: most.sent, received: most.received }),
        hellos_sent: found.hellos_sent,
        unknown: found
            .unknown
            .iter()
            .map(|unknown| Unknown { list: list(unknown.list).to_owned(), reason: Untrusted::new(&unknown.reason) })
            .collect(),
    }
}

const fn list(list: List) -> &'static str {
    match list {
        List::Suites => "suites",
        List::Groups => "groups",
        List::SignatureSchemes => "signature_schemes",
        List::Profiles => "srtp_profiles",
    }
}

fn entries(policy: &Policy, of: ListOf, name: impl Fn(u16) -> Option<&'static str>, codes: &[u16]) -> Vec<Entry> {
    let entry = |code: &u16| {
        let name = named(&name, *code);
        Entry { code: *code, ranked: rank(policy, of, &name), name }
    };
    codes.iter().map(entry).collect()
}

fn named(name: impl Fn(u16) -> Option<&'static str>, code: u16) -> String {
    name(code).map_or_else(|| hexadecimal(code), str::to_owned)
}

/// As the registries write numbers.
fn hexadecimal(code: u16) -> String {
    format!("0x{code:04X}")
}

/// What can be said for the certificates that came with the answers, each once. `matches` says whether the name counts.
pub fn certificates(
    net: &Net,
    name: &str,
    report: &Report,
    matches: impl Fn(&ServerCertificate) -> Option<bool> + Copy,
) -> Vec<CertificateSeen> {
    let mut chains: Vec<&Vec<Vec<u8>>> = Vec::new();
    for chain in report.versions.iter().flat_map(|(_, findings)| &findings.chains) {
        if chains.len() < MAX_CERTIFICATES && chains.iter().all(|known| known.first() != chain.first()) {
            chains.push(chain);
        }
    }
    chains.into_iter().filter_map(|chain| Some(certificate(net.examine(name, chain)?, matches))).collect()
}

/// A certificate as it is told.
pub fn certificate(one: ServerCertificate, matches: impl Fn(&ServerCertificate) -> Option<bool>) -> CertificateSeen {
    CertificateSeen {
        name_matches: matches(&one),
        subject: one.subject,
        issuer: one.issuer,
        names: one.facts.names,
        days_left: one.days_left,
        not_yet_valid: one.not_yet_valid,
        self_signed: one.self_signed,
        trusted: one.trusted,
        key_type: one.facts.key_type,
        key_bits: one.facts.key_bits,
        signature_hash: one.facts.signature_hash,
        chain_length: one.chain_length,
        ocsp_responder: one.ocsp_responder,
        key_public_in: known_certificate(&one.sha256).map(str::to_owned),
        sha256: one.sha256,
    }
}
