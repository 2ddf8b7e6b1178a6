//! `openssl s_server` over DTLS: many settings, and the sets that follow from each.

use ringfence_client::hello::{Ask, Enumerator, Exchange, Told, Verdict, Wanted};
use ringfence_wire::hello::{Depth, Version};
use tokio::time::timeout;

use super::openssl::{EVERYTHING, Server, told};
use super::servers::{ONE_BY_ONE, PATIENT, dtls, question, sorted, suites, there};

const VERSIONS: [(Version, &str); 2] = [(Version::DTLS10, "-tls1"), (Version::DTLS12, "-tls1_2")];
const CURVES: [u16; 5] = [23, 24, 25, 29, 30];
/// Versions and suites, with the profiles that ride along.
const MEDIA: Wanted = Wanted { profiles: true, ..Wanted::SUITES };

struct Case<'a> {
    arguments: &'a [&'a str],
    keys: &'a [&'static str],
    ciphers: &'a str,
    versions: &'a [Version],
    groups: &'a [u16],
    profiles: &'a [u16],
}

impl Case<'_> {
    async fn check(&self) {
        println!("{:?}, {:?}", self.arguments, self.keys);
        let spoken = VERSIONS.iter().filter(|(version, _)| self.versions.contains(version));
        let accepted: Vec<_> = spoken.map(|(version, flag)| (*version, told(&[*flag], self.ciphers))).collect();
        let server = Server::start(self.arguments, self.keys);
        for wanted in [MEDIA, Wanted::ALL] {
            let report = dtls(server.address, wanted, ONE_BY_ONE).await;
            assert_eq!(suites(&report), accepted);
            for (version, findings) in report.accepted() {
                assert_eq!(findings.profiles, self.profiles, "the server's order of them, {version:?}: {findings:?}");
                assert_eq!(findings.preferred_profile, self.profiles.first().copied());
                assert!(findings.hello_verify && findings.goes_without_srtp, "{findings:?}");
                assert!(findings.before_cookie.is_some_and(|traffic| traffic.received < traffic.sent));
                let longest = findings.suites.len().max(findings.profiles.len()) as u32;
                if wanted == MEDIA {
                    // The end of the profiles rides along, unless there are no more suites than profiles.
                    let ends = 1 + u32::from(findings.suites.len() <= findings.profiles.len());
                    assert_eq!(findings.offers, longest + ends, "{version:?}: {findings:?}");
                } else {
                    assert_eq!(sorted(&findings.groups), self.groups, "{version:?}: {findings:?}");
                }
                assert_eq!(findings.hellos_sent, 2 * findings.offers, "a cookie each, and no more");
            }
            for (version, findings) in &report.versions {
                let spoken = self.versions.contains(version);
                assert_eq!(matches!(findings.verdict, Verdict::Refused(_)), !spoken, "{version:?}: {findings:?}");
            }
        }
    }
}

#[tokio::test]
async fn versions_cookies_and_keys() {
    if !there("openssl", "openssl") {
        return;
    }
    let both = [Version::DTLS10, Version::DTLS12];
    for (arguments, keys, ciphers, versions) in [
        (&["-dtls"][..], &["rsa:2048", "P-256"][..], "!aDSS", &both[..]),
        (&["-dtls", "-mtu", "600"], &["rsa:2048"], "!aDSS:!aECDSA", &both),
        (&["-dtls1"], &["P-384"], "!aDSS:!aRSA", &both[..1]),
        (&["-dtls1_2"], &["P-256"], "!aDSS:!aRSA", &both[1..]),
        (&["-dtls1_2", "-verify", "1", "-no_ticket"], &["P-521"], "!aDSS:!aRSA", &both[1..]),
    ] {
        let case = Case {
            arguments: &[arguments, &["-cipher", EVERYTHING]].concat(),
            keys,
            ciphers: &format!("{EVERYTHING}:{ciphers}"),
            versions,
            groups: &CURVES,
            profiles: &[],
        };
        case.check().await;
    }
}

#[tokio::test]
async fn profiles_groups_and_few_suites() {
    if !there("openssl", "openssl") {
        return;
    }
    let (cm80, cm32, gcm128, gcm256) =
        ("SRTP_AES128_CM_SHA1_80", "SRTP_AES128_CM_SHA1_32", "SRTP_AEAD_AES_128_GCM", "SRTP_AEAD_AES_256_GCM");
    for (names, profiles) in [
        (vec![cm80], &[1][..]),
        (vec![cm32, cm80], &[2, 1]),
        (vec![gcm256, gcm128], &[8, 7]),
        (vec![gcm128, cm80, gcm256, cm32], &[7, 1, 8, 2]),
    ] {
        for (ciphers, groups, curves) in [
            ("ECDHE-ECDSA-AES128-GCM-SHA256", "P-256:X25519", &[23, 29][..]),
            (
                "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA",
                "P-384:P-256:X448",
                &[23, 24, 30],
            ),
        ] {
            let names = names.join(":");
            let case = Case {
                arguments: &["-dtls1_2", "-cipher", ciphers, "-groups", groups, "-use_srtp", &names],
                keys: &["P-256"],
                ciphers,
                versions: &[Version::DTLS12],
                groups: curves,
                profiles,
            };
            case.check().await;
        }
    }
}

/// With `-listen` it serves one conversation and ends: a server for each hello.
#[tokio::test]
async fn a_server_that_holds_no_state_before_the_cookie() {
    if !there("openssl", "openssl") {
        return;
    }
    let ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA";
    let arguments = ["-dtls1_2", "-listen", "-cipher", ciphers, "-use_srtp", "SRTP_AES128_CM_SHA1_80"];
    let mut machine = Enumerator::new(Version::DTLS12, question(Wanted::ALL));
    let mut conversation = None;
    let mut buffer = [0; 2048];
    let findings = loop {
        let (hello, sequence) = match machine.next() {
            Ask::Done(findings) => break findings,
            Ask::Cookie(hello, sequence) => (hello, sequence),
            Ask::Hello(hello) => {
                let server = Server::start(&arguments, &["P-256"]);
                let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
                socket.connect(server.address).await.unwrap();
                conversation = Some((server, socket, Exchange::new(Depth::Flight)));
                (hello, 0)
            }
        };
        let Some((_, socket, exchange)) = &mut conversation else { panic!("a cookie comes first") };
        for datagram in exchange.ask(&hello, sequence).unwrap() {
            socket.send(&datagram).await.unwrap();
        }
        let reply = loop {
            let count = timeout(PATIENT.answer, socket.recv(&mut buffer)).await.unwrap().unwrap();
            if let Some(reply) = exchange.feed(&buffer[..count]) {
                break reply;
            }
        };
        machine.traffic(exchange.traffic());
        machine.answer(Told::Reply(reply));
    };
    assert_eq!(sorted(&findings.suites), [0xc009, 0xc02c]);
    assert_eq!((sorted(&findings.groups), findings.profiles.as_slice()), (CURVES.to_vec(), &[1][..]));
    assert!(findings.hello_verify && findings.unknown.is_empty(), "{findings:?}");
}
