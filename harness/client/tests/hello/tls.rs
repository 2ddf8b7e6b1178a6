//! `openssl s_server` over TLS: many settings, and the sets that follow from each.

use ringfence_client::hello::{Verdict, Wanted};
use ringfence_wire::hello::Version;

use super::openssl::{EVERYTHING, Server, told};
use super::servers::{PATIENT, sorted, suites, there, tls};

const OLD: [(Version, &str); 3] = [(Version::TLS10, "-tls1"), (Version::TLS11, "-tls1_1"), (Version::TLS12, "-tls1_2")];
/// What OpenSSL offers of curves if nothing else is said, below 1.3.
const CURVES: [u16; 5] = [23, 24, 25, 29, 30];
const NEW_SUITES: [u16; 3] = [0x1301, 0x1302, 0x1303];

/// What a server is told, and what has to be found of it.
#[derive(Default)]
struct Case<'a> {
    arguments: &'a [&'a str],
    keys: &'a [&'static str],
    /// The list of ciphers with what its keys cannot serve taken out; `None` where no version below 1.3 is spoken.
    ciphers: Option<&'a str>,
    /// More that `openssl ciphers` has to be told.
    flags: &'a [&'a str],
    versions: &'a [Version],
    thirteen: &'a [u16],
    /// Of all versions, below 1.3 and in it.
    groups: [&'a [u16]; 2],
    schemes: Option<&'a [u16]>,
    own_order: Option<bool>,
}

impl Case<'_> {
    async fn check(&self) {
        println!("{:?}, {:?}", self.arguments, self.keys);
        let all = |(version, flag): &(Version, &str)| {
            let list = self.ciphers.map(|ciphers| told(&[&[*flag], self.flags].concat(), ciphers));
            (*version, list.unwrap_or_default())
        };
        let old = OLD.iter().map(all).filter(|(version, _)| self.versions.contains(version));
        let mut accepted: Vec<(Version, Vec<u16>)> = old.collect();
        if !self.thirteen.is_empty() {
            accepted.push((Version::TLS13, sorted(self.thirteen)));
        }
        let server = Server::start(self.arguments, self.keys);

        let report = tls(server.address, Wanted::SUITES, PATIENT).await;
        assert_eq!(suites(&report), accepted);
        let count: usize = accepted.iter().map(|(_, suites)| suites.len()).sum();
        // Where nothing below 1.3 is accepted, a short hello asks each of these versions again.
        let short = if self.versions.is_empty() { 4 } else { 0 };
        assert!(count > 0 && report.hellos_sent() as usize == count + report.versions.len() + short, "{report:?}");

        let report = tls(server.address, Wanted::ALL, PATIENT).await;
        assert_eq!(suites(&report), accepted);
        for (version, findings) in report.accepted() {
            let groups = self.groups[usize::from(version.is_13())];
            assert_eq!(sorted(&findings.groups), groups, "{version:?}: {findings:?}");
            if let Some(schemes) = self.schemes.filter(|_| version == Version::TLS12) {
                assert_eq!(sorted(&findings.signature_schemes), sorted(schemes), "{findings:?}");
            }
            if let (Some(own), true) = (self.own_order, findings.suites.len() > 1) {
                assert_eq!(findings.server_order, Some(own), "{version:?}: {findings:?}");
            }
            // The longest list, a refusal, and an end for each of the others; one more for an order, and where two lists
            // ended at once.
            let longest = [findings.suites.len(), findings.groups.len(), findings.signature_schemes.len()];
            let least = longest.into_iter().max().unwrap_or_default() as u32 + 1;
            assert!((least..=least + 10).contains(&findings.hellos_sent), "{version:?}: {findings:?}");
        }
        for (version, findings) in &report.versions {
            let spoken = accepted.iter().any(|(own, _)| own == version);
            assert_eq!(matches!(findings.verdict, Verdict::Refused(_)), !spoken, "{version:?}: {findings:?}");
        }
    }
}

#[tokio::test]
async fn versions_alone_and_together() {
    if !there("openssl", "openssl") {
        return;
    }
    let both = format!("{EVERYTHING}:!aDSS");
    for (arguments, versions, thirteen) in [
        (&["-tls1"][..], &[Version::TLS10][..], &[][..]),
        (&["-tls1_1"], &[Version::TLS11], &[]),
        (&["-tls1_2"], &[Version::TLS12], &[]),
        (&["-no_tls1_1", "-no_tls1_3"], &[Version::TLS10, Version::TLS12], &[]),
        (&["-no_tls1", "-no_tls1_2"], &[Version::TLS11], &NEW_SUITES),
        (&["-no_tls1", "-no_tls1_1"], &[Version::TLS12], &NEW_SUITES),
    ] {
        let case = Case {
            arguments: &[&["-cipher", EVERYTHING], arguments].concat(),
            keys: &["rsa:2048", "P-256"],
            ciphers: Some(&both),
            versions,
            thirteen,
            groups: [&CURVES, &[23, 24, 25, 29, 30, 256, 257, 258, 259, 260]],
            own_order: Some(false),
            ..Case::default()
        };
        case.check().await;
    }
}

#[tokio::test]
async fn one_point_three_with_its_lists() {
    if !there("openssl", "openssl") {
        return;
    }
    let names = "TLS_AES_128_CCM_8_SHA256:TLS_AES_256_GCM_SHA384:TLS_AES_128_CCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
    for (more, thirteen, groups) in [
        (&["-ciphersuites", names, "-groups", "X25519"][..], &[0x1301, 0x1302, 0x1303, 0x1304, 0x1305][..], &[29][..]),
        (
            &["-ciphersuites", names, "-serverpref"],
            &[0x1301, 0x1302, 0x1303, 0x1304, 0x1305],
            &[23, 24, 25, 29, 30, 256, 257, 258, 259, 260],
        ),
        (&["-ciphersuites", "TLS_AES_256_GCM_SHA384", "-groups", "P-384:ffdhe2048:P-521"], &[0x1302], &[24, 25, 256]),
        (&["-groups", "P-256:X448", "-serverpref", "-prioritize_chacha"], &NEW_SUITES, &[23, 30]),
        (
            &[
                "-ciphersuites",
                "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
                "-num_tickets",
                "0",
                "-stateless",
            ],
            &[0x1301, 0x1303],
            &[23, 24, 25, 29, 30, 256, 257, 258, 259, 260],
        ),
    ] {
        for keys in [&["P-256"][..], &["ed25519"], &["rsa-pss"]] {
            let case = Case {
                arguments: &[&["-tls1_3"], more].concat(),
                keys,
                thirteen,
                groups: [&[], groups],
                ..Case::default()
            };
            case.check().await;
        }
    }
}

#[tokio::test]
async fn key_exchanges_and_keys() {
    if !there("openssl", "openssl") {
        return;
    }
    let pss_and_sha1 = [0x0804, 0x0601, 0x0201];
    for (ciphers, keys, groups, schemes) in [
        // Nothing names a group or a scheme.
        ("kRSA:@SECLEVEL=0", &["rsa:2048"][..], &[][..], &[][..]),
        ("kDHE:!aDSS:!PSK:@SECLEVEL=0", &["rsa:2048"], &[], &pss_and_sha1),
        ("ECDHE+aRSA:@SECLEVEL=0", &["rsa:2048"], &CURVES, &pss_and_sha1),
        ("ECDHE+aRSA:@SECLEVEL=0", &["rsa:1024"], &CURVES, &pss_and_sha1),
        ("ECDHE+aECDSA:@SECLEVEL=0", &["P-384"], &CURVES, &[0x0503]),
        ("ECDHE+aECDSA:ECDHE+aRSA", &["rsa:2048", "P-521"], &CURVES, &[0x0804, 0x0601, 0x0503]),
        ("aNULL:@SECLEVEL=0", &[], &CURVES, &[]),
        ("eNULL:!PSK:!aNULL:!aECDSA:@SECLEVEL=0", &["rsa:2048"], &CURVES, &pss_and_sha1),
        ("aDSS:@SECLEVEL=0", &["dsa"], &[], &[0x0402]),
        ("AES128-SHA", &["rsa:2048"], &[], &[]),
        ("ECDHE-ECDSA-AES128-GCM-SHA256", &["ed25519"], &CURVES, &[0x0807]),
        ("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305", &["rsa-pss"], &CURVES, &[0x0809]),
    ] {
        let sigalgs = "RSA-PSS+SHA256:RSA+SHA512:RSA+SHA1:ECDSA+SHA384:ed25519:DSA+SHA256:rsa_pss_pss_sha256";
        let arguments = ["-tls1_2", "-cipher", ciphers, "-sigalgs", sigalgs];
        let sha1 = ciphers.contains("SECLEVEL=0");
        let schemes: Vec<u16> = schemes.iter().copied().filter(|scheme| sha1 || *scheme != 0x0201).collect();
        let case = Case {
            arguments: &arguments,
            keys,
            ciphers: Some(ciphers),
            versions: &[Version::TLS12],
            groups: [groups, &[]],
            schemes: Some(&schemes),
            ..Case::default()
        };
        case.check().await;
    }
}

#[tokio::test]
async fn lists_of_groups_and_schemes_and_whose_order_counts() {
    if !there("openssl", "openssl") {
        return;
    }
    let ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:AES256-GCM-SHA384:@SECLEVEL=0"; // P-192 is weak
    let own = format!("{ciphers}:!aECDSA");
    for (groups, expected) in [
        ("X448", &[30][..]),
        ("brainpoolP256r1:secp256k1:brainpoolP512r1", &[22, 26, 28]),
        ("sect283k1:P-224:B-571:P-192", &[9, 14, 19, 21]),
        ("P-521:P-384:X25519:P-256", &[23, 24, 25, 29]),
    ] {
        for (sigalgs, schemes) in [
            ("RSA+SHA256", &[0x0401][..]),
            ("rsa_pss_rsae_sha512:RSA+SHA224:RSA-PSS+SHA384", &[0x0301, 0x0805, 0x0806]),
        ] {
            for order in [false, true] {
                let mut arguments = vec!["-tls1_2", "-cipher", ciphers, "-groups", groups, "-sigalgs", sigalgs];
                arguments.extend(order.then_some("-serverpref"));
                let case = Case {
                    arguments: &arguments,
                    keys: &["rsa:2048"],
                    ciphers: Some(&own),
                    versions: &[Version::TLS12],
                    groups: [expected, &[]],
                    schemes: Some(schemes),
                    own_order: Some(order),
                    ..Case::default()
                };
                case.check().await;
            }
        }
    }
}

#[tokio::test]
async fn secrets_shared_beforehand_and_a_hello_without_settings() {
    if !there("openssl", "openssl") {
        return;
    }
    let ciphers = "PSK:@SECLEVEL=0";
    let case = Case {
        arguments: &["-tls1_2", "-cipher", ciphers, "-psk", "0f0f0f0f", "-psk_hint", "somebody"],
        keys: &["rsa:2048"],
        ciphers: Some(ciphers),
        flags: &["-psk"],
        versions: &[Version::TLS12],
        groups: [&CURVES, &[]],
        schemes: Some(&[]),
        ..Case::default()
    };
    case.check().await;
    // As it comes out of the box, asking for a certificate of ours.
    let server = Server::start(&["-verify", "1"], &["rsa:2048"]);
    let report = tls(server.address, Wanted::ALL, PATIENT).await;
    let found = suites(&report);
    assert_eq!(
        found,
        [(Version::TLS12, told(&["-tls1_2"], "DEFAULT:!aECDSA:!aDSS")), (Version::TLS13, NEW_SUITES.to_vec())]
    );
    assert!(report.of(Version::TLS12).is_some_and(|findings| findings.certificate_requested));
}
