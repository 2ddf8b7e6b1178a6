use ringfence_model::Exit;
use ringfence_model::enumeration::{CertificateSeen, ENUMERATION_FORMAT, Entry, Exchange, SuiteSeen, Unknown};
use ringfence_model::policy::Ranked;

use super::*;
use crate::policies::empty;

fn policy() -> Policy {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    Policy {
        min_tls: "1.2".into(),
        min_dtls: "1.2".into(),
        tls_required: names(&["1.2"]),
        dtls_required: names(&["1.2"]),
        tls_preferred: String::new(),
        require_ems: true,
        forward_secrecy: "should".into(),
        groups_required_one_of: names(&["secp256r1"]),
        min_rsa_bits: 2048,
        min_ec_bits: 224,
        signature_hashes: names(&["sha256"]),
        srtp_profiles: names(&["gcm-256", "gcm-128"]),
        preferred_srtp_profile: String::new(),
        dtls_ratio_max: 3,
        ..empty()
    }
}

fn enumeration(protocol: Protocol, versions: Vec<VersionSeen>) -> Enumeration {
    Enumeration {
        format: ENUMERATION_FORMAT.to_owned(),
        ringfence: "0".into(),
        protocol,
        host: "a.test".into(),
        port: 443,
        calls: None,
        server_name: None,
        policy: "p".into(),
        versions,
        chosen_version: None,
        certificates: Vec::new(),
        no_certificate: None,
        findings: Vec::new(),
        notes: Vec::new(),
        hellos_sent: 1,
        elapsed_ms: 1,
        exit: Exit::Clean,
        code: 0,
    }
}

fn accepts(version: &str) -> VersionSeen {
    let rank = Some(version_rank(&policy(), Protocol::Tls, version));
    VersionSeen { version: version.into(), state: VersionState::Accepted, rank, ..VersionSeen::default() }
}

fn refuses(version: &str) -> VersionSeen {
    VersionSeen { version: version.into(), state: VersionState::Refused, ..VersionSeen::default() }
}

fn suite(name: &str, rank: Rank, forward_secrecy: bool) -> SuiteSeen {
    SuiteSeen {
        code: 1,
        name: name.into(),
        key_exchange: String::new(),
        authentication: None,
        forward_secrecy,
        bits: None,
        ranked: Ranked { rank, listed: true },
    }
}

fn entry(name: &str, rank: Rank, listed: bool) -> Entry {
    Entry { code: 1, name: name.into(), ranked: Ranked { rank, listed } }
}

#[track_caller]
fn says(protocol: Protocol, versions: Vec<VersionSeen>, policy: &Policy, expected: &[(&str, Severity)]) {
    let (breaches, _) = breaches(&enumeration(protocol, versions), policy);
    let found: Vec<(&str, Severity)> = breaches.iter().map(|one| (one.rule.as_str(), one.severity)).collect();
    assert_eq!(found, expected, "{breaches:?}");
}

#[test]
fn old_versions_are_forbidden_and_required_ones_have_to_be_there() {
    for old in ["ssl3", "1.0", "1.1"] {
        assert_eq!(version_rank(&policy(), Protocol::Tls, old), Rank::Forbidden, "{old}");
    }
    assert_eq!(version_rank(&policy(), Protocol::Dtls, "1.2"), Rank::Fine);
    says(Protocol::Tls, vec![refuses("1.1"), accepts("1.2"), accepts("1.3")], &policy(), &[]);
    says(Protocol::Tls, vec![accepts("1.0"), accepts("1.2")], &policy(), &[("version", Severity::High)]);
    says(Protocol::Tls, vec![refuses("1.2"), accepts("1.3")], &policy(), &[("version", Severity::High)]);
    let unknown = VersionSeen { version: "1.2".into(), ..VersionSeen::default() };
    says(Protocol::Tls, vec![unknown, accepts("1.3")], &policy(), &[]);
    says(Protocol::Tls, vec![refuses("1.2"), refuses("1.3")], &policy(), &[]);
    let prefers = Policy { tls_preferred: "1.3".into(), ..policy() };
    says(Protocol::Tls, vec![accepts("1.2"), refuses("1.3")], &prefers, &[("version", Severity::High)]);
    says(Protocol::Dtls, vec![accepts("1.2"), refuses("1.3")], &prefers, &[]);
    for (chosen, policy, fails) in [("1.3", &prefers, false), ("1.2", &prefers, true), ("1.2", &policy(), false)] {
        let mut seen = enumeration(Protocol::Tls, vec![accepts("1.2"), accepts("1.3")]);
        seen.chosen_version = Some(chosen.into());
        let (found, _) = breaches(&seen, policy);
        assert_eq!(!found.is_empty(), fails, "{chosen}");
        assert!(found.iter().all(|one| one.rule == "version" && one.message.starts_with("TLS 1.2 is chosen")));
    }
}

#[test]
fn each_rank_fails_once_however_many_entries_have_it() {
    let suites = vec![
        suite("A", Rank::Fine, true),
        suite("B", Rank::Note, true),
        suite("C", Rank::Discouraged, false),
        suite("D", Rank::Forbidden, true),
        suite("E", Rank::Forbidden, true),
    ];
    let versions = vec![VersionSeen { suites, ..accepts("1.2") }];
    let found = [("suite", Severity::High), ("suite", Severity::Medium), ("forward-secrecy", Severity::Medium)];
    says(Protocol::Tls, versions.clone(), &policy(), &found);
    let (breaches, _) = breaches(&enumeration(Protocol::Tls, versions), &policy());
    assert_eq!(breaches[0].message, "2 suites that the policy forbids: D, E");
    let only = |suites| vec![VersionSeen { suites, ..accepts("1.3") }];
    says(Protocol::Tls, only(vec![suite("TLS_AES_128_GCM_SHA256", Rank::Fine, false)]), &policy(), &[]);
}

#[test]
fn groups_and_fields_are_held_against_the_policy() {
    let with = |groups: Vec<Entry>| VersionSeen { groups, ..accepts("1.2") };
    let p256 = entry("secp256r1", Rank::Fine, true);
    says(Protocol::Tls, vec![with(vec![p256.clone()])], &policy(), &[]);
    says(Protocol::Tls, vec![with(vec![])], &policy(), &[]);
    let x25519 = with(vec![entry("x25519", Rank::Fine, true)]);
    says(Protocol::Tls, vec![x25519.clone()], &policy(), &[("group", Severity::Medium)]);
    let unknown = vec![Unknown { list: "groups".into(), reason: "silence".into() }];
    says(Protocol::Tls, vec![VersionSeen { unknown, ..x25519 }], &policy(), &[]);
    let unlisted = with(vec![p256, entry("GC256A", Rank::Discouraged, false)]);
    says(Protocol::Tls, vec![unlisted], &policy(), &[("group", Severity::Medium)]);
    let field = |bits| vec![VersionSeen { dh_bits: Some(bits), ..accepts("1.2") }];
    says(Protocol::Tls, field(2048), &policy(), &[]);
    says(Protocol::Tls, field(1024), &policy(), &[("dh-bits", Severity::Medium)]);
}

#[test]
fn srtp_without_encryption_is_critical_and_the_preferred_profile_may_be_bettered() {
    let with = |profiles: Vec<Entry>, preferred: &str| {
        let preferred_srtp_profile = Some(preferred.to_owned());
        vec![VersionSeen { srtp_profiles: profiles, preferred_srtp_profile, ..accepts("1.2") }]
    };
    let null = with(vec![entry("null-sha1-80", Rank::Forbidden, true)], "null-sha1-80");
    says(Protocol::Dtls, null, &policy(), &[("srtp-profile", Severity::Critical)]);
    let prefers = Policy { preferred_srtp_profile: "gcm-128".into(), ..policy() };
    says(Protocol::Dtls, with(vec![], "gcm-256"), &prefers, &[]);
    says(Protocol::Dtls, with(vec![], "cm-sha1-80"), &prefers, &[("srtp-profile", Severity::Medium)]);
    says(Protocol::Dtls, with(vec![], "cm-sha1-80"), &policy(), &[]);
    let none = vec![VersionSeen { goes_without_srtp: true, ..accepts("1.2") }];
    let (found, notes) = breaches(&enumeration(Protocol::Dtls, none), &policy());
    assert!(found.is_empty() && notes.len() == 1, "{found:?} {notes:?}");
}

#[test]
fn what_hellos_of_old_versions_negotiate() {
    let bare = |version: &str| VersionSeen {
        extended_master_secret: Some(false),
        secure_renegotiation: Some(false),
        ..accepts(version)
    };
    let both = [("renegotiation", Severity::High), ("extended-master-secret", Severity::Medium)];
    says(Protocol::Tls, vec![bare("1.2")], &policy(), &both);
    says(Protocol::Dtls, vec![bare("1.2")], &policy(), &both[1..]);
    says(Protocol::Tls, vec![accepts("1.2"), bare("1.3")], &policy(), &[]);
    says(Protocol::Tls, vec![bare("1.2")], &Policy { require_ems: false, ..policy() }, &both[..1]);
    let compressed = VersionSeen { compression: true, ..accepts("1.2") };
    says(Protocol::Tls, vec![compressed], &policy(), &[("compression", Severity::High)]);
    let cookie = |received| VersionSeen { before_cookie: Some(Exchange { sent: 100, received }), ..accepts("1.2") };
    says(Protocol::Dtls, vec![cookie(300)], &policy(), &[]);
    says(Protocol::Dtls, vec![cookie(301)], &policy(), &[("amplification", Severity::Low)]);
    says(Protocol::Tls, vec![cookie(9000)], &policy(), &[]);
}

#[test]
fn certificates_are_held_against_the_policy_and_over_dtls_their_keys_alone() {
    let sound = || CertificateSeen {
        trusted: true,
        name_matches: Some(true),
        days_left: 90,
        key_type: Some("rsa".into()),
        key_bits: Some(2048),
        signature_hash: Some("sha256".into()),
        ..CertificateSeen::default()
    };
    let said = |protocol, certificate| {
        let mut seen = enumeration(protocol, vec![accepts("1.2")]);
        seen.certificates = vec![certificate];
        let (found, notes) = breaches(&seen, &policy());
        (found.len(), notes.len())
    };
    let cases = [
        (sound(), (0, 0), (0, 0)),
        (CertificateSeen { days_left: 3, ..sound() }, (0, 1), (0, 0)),
        (CertificateSeen { days_left: -1, trusted: false, ..sound() }, (2, 0), (0, 0)),
        (CertificateSeen { trusted: false, self_signed: true, ..sound() }, (1, 0), (0, 0)),
        (CertificateSeen { name_matches: Some(false), ..sound() }, (1, 0), (0, 0)),
        (CertificateSeen { key_bits: Some(1024), ..sound() }, (1, 0), (1, 0)),
        (CertificateSeen { signature_hash: Some("sha1".into()), ..sound() }, (1, 0), (0, 1)),
        (CertificateSeen { not_yet_valid: true, ..sound() }, (1, 0), (0, 0)),
        (CertificateSeen { key_public_in: Some("a sample".into()), ..sound() }, (1, 0), (1, 0)),
    ];
    for (certificate, tls, dtls) in cases {
        assert_eq!(said(Protocol::Tls, certificate.clone()), tls, "{certificate:?}");
        assert_eq!(said(Protocol::Dtls, certificate.clone()), dtls, "{certificate:?}");
    }
    let mut seen = enumeration(Protocol::Tls, vec![accepts("1.2")]);
    seen.certificates = vec![CertificateSeen { ocsp_responder: true, ..sound() }];
    let strict = Policy { ocsp_required: true, ..policy() };
    assert_eq!(breaches(&seen, &strict).0[0].rule, "ocsp");
    seen.versions[0].ocsp_stapled = true;
    assert!(breaches(&seen, &strict).0.is_empty());
}
