use ringfence_model::enumeration::{Breach, CertificateSeen, ENUMERATION_FORMAT, Exchange, Unknown};
use ringfence_model::policy::Ranked;
use ringfence_model::verdict::{Level, Severity};
use ringfence_model::{Exit, Untrusted};

use super::*;

fn suite(name: &str, key_exchange: &str, bits: u16, rank: Rank) -> SuiteSeen {
    SuiteSeen {
        code: 1,
        name: name.into(),
        key_exchange: key_exchange.into(),
        authentication: None,
        forward_secrecy: key_exchange != "RSA",
        bits: Some(bits),
        ranked: Ranked { rank, listed: true },
    }
}

fn entry(code: u16, name: &str, rank: Rank) -> Entry {
    Entry { code, name: name.into(), ranked: Ranked { rank, listed: true } }
}

fn version(version: &str, state: VersionState) -> VersionSeen {
    VersionSeen { version: version.into(), state, ..VersionSeen::default() }
}

fn sample(protocol: Protocol) -> Enumeration {
    let old = VersionSeen {
        rank: Some(Rank::Forbidden),
        suites: vec![suite("TLS_RSA_WITH_3DES_EDE_CBC_SHA", "RSA", 112, Rank::Forbidden)],
        groups: vec![entry(9, "sect283k1", Rank::Discouraged), entry(23, "secp256r1", Rank::Fine)],
        secure_renegotiation: Some(false),
        extended_master_secret: Some(true),
        ..version("1.0", VersionState::Accepted)
    };
    let new = VersionSeen {
        rank: Some(Rank::Fine),
        server_order: Some(true),
        suites: vec![
            suite("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE", 256, Rank::Fine),
            suite("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "DHE", 128, Rank::Note),
            suite("TLS_RSA_WITH_AES_128_GCM_SHA256", "RSA", 128, Rank::Discouraged),
        ],
        groups: vec![entry(0x11ed, "SecP384r1MLKEM1024", Rank::Fine), entry(9, "sect283k1", Rank::Discouraged)],
        signature_schemes: vec![entry(0x0804, "rsa_pss_rsae_sha256", Rank::Fine)],
        srtp_profiles: vec![entry(8, "gcm-256", Rank::Fine), entry(1, "cm-sha1-80", Rank::Fine)],
        preferred_srtp_profile: Some("gcm-256".into()),
        extended_master_secret: Some(true),
        secure_renegotiation: Some(true),
        dh_bits: Some(2048),
        cookie: true,
        before_cookie: Some(Exchange { sent: 600, received: 60 }),
        ..version("1.2", VersionState::Accepted)
    };
    let refused = VersionSeen { alert: Some("protocol_version".into()), ..version("1.3", VersionState::Refused) };
    let unknown = vec![Unknown { list: "suites".into(), reason: Untrusted::new("no answer\u{1b}[2J") }];
    let silent = VersionSeen { unknown, ..version("1.1", VersionState::Unknown) };
    Enumeration {
        format: ENUMERATION_FORMAT.to_owned(),
        ringfence: "0".into(),
        protocol,
        host: "192.0.2.7".into(),
        port: 443,
        calls: None,
        server_name: Some("sip.example.test".into()),
        policy: "webrtc-mti".into(),
        versions: vec![old, silent, new, refused],
        chosen_version: (protocol == Protocol::Tls).then(|| "1.2".into()),
        certificates: vec![CertificateSeen {
            sha256: "0123456789abcdef".repeat(4),
            key_public_in: (protocol == Protocol::Dtls).then(|| "a sample, examples/cert.pem".into()),
            subject: Untrusted::new("CN=\u{202e}evil"),
            issuer: Untrusted::new("CN=authority"),
            names: vec![Untrusted::new("sip.example.test"), Untrusted::new("sip.example.test")],
            days_left: 1,
            name_matches: Some(true),
            key_type: Some("rsa".into()),
            key_bits: Some(2048),
            signature_hash: Some("sha256".into()),
            chain_length: 2,
            trusted: true,
            ..CertificateSeen::default()
        }],
        no_certificate: None,
        findings: vec![Breach {
            rule: "version".into(),
            severity: Severity::High,
            level: Level::Must,
            message: "TLS 1.0 is accepted, below the policy's least".into(),
        }],
        notes: vec!["the certificate ends in 1 day".into()],
        hellos_sent: 9,
        elapsed_ms: 1234,
        exit: Exit::Findings,
        code: 1,
    }
}

#[test]
fn the_table_says_everything_in_eighty_columns_of_ascii() {
    for protocol in [Protocol::Tls, Protocol::Dtls] {
        let text = terminal_enumeration(&sample(protocol), Style::default());
        assert!(text.is_ascii(), "{text}");
        for line in text.lines() {
            assert!(line.len() <= WIDTH && line == line.trim_end(), "{line:?}");
        }
        insta::assert_snapshot!(format!("{protocol:?}").to_lowercase(), text);
    }
}

#[test]
fn colour_repeats_what_the_signs_say_and_nothing_of_the_target_acts() {
    let plain = terminal_enumeration(&sample(Protocol::Tls), Style { color: false, width: 80, unicode: true });
    let coloured = terminal_enumeration(&sample(Protocol::Tls), Style { color: true, width: 80, unicode: true });
    assert!(!plain.contains('\u{1b}') && coloured.contains("\u{1b}[1;31m"));
    assert!(!coloured.contains("\u{1b}[2J") && !coloured.contains('\u{202e}'));
    let mut stripped = coloured;
    while let Some(start) = stripped.find('\u{1b}') {
        let end = start + stripped[start..].find('m').unwrap();
        stripped.replace_range(start..=end, "");
    }
    assert_eq!(stripped, plain);
}
