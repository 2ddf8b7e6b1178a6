//! Over sockets, against servers of OpenSSL: the sets found are those that it was told to accept. Without the program the
//! tests say so and do nothing; in CI that fails.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ringfence_model::observation::Outcome;
use ringfence_model::target::Target;
use ringfence_wire::hello::names;

use super::*;
use crate::Net;

const EVERYTHING: &str = "ALL:COMPLEMENTOFALL:!PSK:!SRP:@SECLEVEL=0";
const BOUNDS: Bounds = Bounds { answer: Duration::from_secs(20), at_once: 5 };

fn openssl(arguments: &[&str]) -> Option<String> {
    match Command::new("openssl").args(arguments).stdin(Stdio::null()).output() {
        Ok(output) => {
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8(output.stdout).unwrap())
        }
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "CI has openssl: {error}; apt-get install openssl");
            eprintln!("left out, no openssl: apt-get install openssl");
            None
        }
    }
}

/// `openssl s_server`; ends with its value.
struct Server {
    child: Child,
    address: SocketAddr,
    _directory: tempfile::TempDir,
}

impl Server {
    /// With a certificate for each kind of key: `rsa:2048` and the like, or the name of a curve.
    fn start(arguments: &[&str], keys: &[&str]) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", "127.0.0.1:0"]).args(arguments);
        for (key, flags) in keys.iter().zip([["-cert", "-key"], ["-dcert", "-dkey"]]) {
            let path = |end: &str| directory.path().join(format!("{}{end}", flags[0])).to_str().unwrap().to_owned();
            let (key_file, pem, curve) = (path(".key"), path(".pem"), format!("ec_paramgen_curve:{key}"));
            let kind =
                if key.starts_with("rsa") { vec!["-newkey", key] } else { vec!["-newkey", "ec", "-pkeyopt", &curve] };
            let rest = ["-nodes", "-keyout", &key_file, "-out", &pem, "-subj", "/CN=a.test", "-days", "2"];
            openssl(&[&["req", "-x509"], &kind[..], &rest].concat())?;
            command.args([flags[0], &pem, flags[1], &key_file]);
        }
        // It ends when its stdin does.
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = pipes.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.by_ref().map_while(Result::ok).find_map(|line| line.strip_prefix("ACCEPT ")?.parse().ok());
        let Some(address) = ready else { panic!("s_server {arguments:?} did not start: {:?}", child.wait()) };
        std::thread::spawn(move || lines.for_each(drop)); // or its pipe fills up
        Some(Self { child, address, _directory: directory })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn net() -> Net {
    let text = "name = \"x\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://c.test/t\"\n\
        [[scope]]\nnetworks = [\"127.0.0.1/32\"]\n";
    Net::new(&Target::parse(text, Path::new("t.toml")).unwrap()).unwrap()
}

/// What OpenSSL's own list says that a version accepts.
fn told(flag: &str, ciphers: &str, without: &str) -> Vec<u16> {
    let lines = openssl(&["ciphers", "-V", "-s", flag, &format!("{ciphers}{without}")]).unwrap();
    let code = |line: &str| {
        let (code, _) = line.trim().split_once(" - ").unwrap();
        u16::from_str_radix(&code.replace("0x", "").replace(',', ""), 16).unwrap()
    };
    sorted(lines.lines().map(code).filter(|code| !names::is_13_suite(*code)).collect())
}

fn sorted(mut list: Vec<u16>) -> Vec<u16> {
    list.sort_unstable();
    list
}

/// Each version with its suites; nothing may be unknown.
fn shown(report: &Report) -> Vec<(Version, Vec<u16>)> {
    assert_eq!(report.unknown().count(), 0, "{report:?}");
    report.accepted().map(|(version, findings)| (version, sorted(findings.suites.clone()))).collect()
}

#[tokio::test]
async fn every_version_suite_and_group_of_openssl_over_tls() {
    let arguments = ["-cipher", EVERYTHING, "-groups", "X25519:P-256:P-521:P-384"];
    let Some(server) = Server::start(&arguments, &["rsa:2048", "P-256"]) else { return };
    let net = net();
    let port = server.address.port();
    let report = super::tls(&net, "127.0.0.1", port, &QUESTION, BOUNDS).await.unwrap();
    let (old, new) = (told("-tls1", EVERYTHING, ":!aDSS"), told("-tls1_2", EVERYTHING, ":!aDSS"));
    assert!(old.len() > 15 && new.len() > 50);
    let accepted = [
        (Version::TLS10, old.clone()),
        (Version::TLS11, old.clone()),
        (Version::TLS12, new.clone()),
        (Version::TLS13, vec![0x1301, 0x1302, 0x1303]),
    ];
    assert_eq!(shown(&report), accepted);
    assert_eq!(report.of(Version::SSL3).unwrap().verdict, Verdict::Refused(Some(40)));
    for (version, findings) in report.accepted() {
        assert_eq!(sorted(findings.groups.clone()), [23, 24, 25, 29], "{version:?}");
        assert_eq!(findings.server_order, Some(false), "{version:?}");
        // Suites and one more; an end for each of groups and schemes, and for the order; and no more than as many again.
        let least = findings.suites.len() as u32 + 1;
        assert!(findings.hellos_sent <= least + 6, "{version:?}: {} hellos", findings.hellos_sent);
    }
    let schemes =
        [0x0201, 0x0203, 0x0301, 0x0303, 0x0401, 0x0403, 0x0501, 0x0503, 0x0601, 0x0603, 0x0804, 0x0805, 0x0806];
    let newest = report.of(Version::TLS12).unwrap();
    assert_eq!(sorted(newest.signature_schemes.clone()), schemes);
    assert_eq!(newest.chains.len(), 2);
    assert_eq!(newest.dh_bits, Some(1024), "with no certificate to fit, OpenSSL takes the least that its level allows");
    assert_eq!((newest.extended_master_secret, newest.secure_renegotiation), (Some(true), Some(true)));
    assert!(!newest.compression && !newest.certificate_requested && newest.ocsp_response.is_none());
    assert!(net.answered() && net.conversations() == u64::from(report.hellos_sent()));

    let quick = super::tls(&net, "127.0.0.1", port, &question(Wanted::VERSIONS), BOUNDS).await.unwrap();
    let versions = |report: &Report| report.accepted().map(|(version, _)| version).collect::<Vec<_>>();
    assert_eq!((versions(&quick), quick.hellos_sent(), quick.unknown().count()), (versions(&report), 5, 0));
    let choice = super::choice(&net, "127.0.0.1", port, &QUESTION, BOUNDS).await.unwrap();
    assert_eq!(choice, Choice { version: Some(Version::TLS13), hellos_sent: 1 });

    let report = super::tls(&net, "127.0.0.1", port, &question(Wanted::SUITES), BOUNDS).await.unwrap();
    assert_eq!(shown(&report), accepted);
    let suites = report.suites().count();
    assert_eq!(report.hellos_sent() as usize, suites + 5, "a hello for each suite, and one more for each version");
}

#[tokio::test]
async fn a_server_with_an_order_of_its_own_and_few_of_everything() {
    let ciphers = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA";
    let mut arguments = vec!["-tls1_2", "-serverpref", "-cipher", ciphers, "-groups", "P-384:P-256"];
    arguments.extend(["-sigalgs", "RSA+SHA384:RSA-PSS+SHA256:RSA+SHA256"]);
    let Some(server) = Server::start(&arguments, &["rsa:2048"]) else { return };
    let net = net();
    let report = super::tls(&net, "127.0.0.1", server.address.port(), &QUESTION, BOUNDS).await.unwrap();
    assert_eq!(shown(&report), [(Version::TLS12, vec![0x002f, 0xc02f, 0xc030])]);
    let found = report.of(Version::TLS12).unwrap();
    assert_eq!((found.suites.as_slice(), found.server_order), (&[0xc030, 0xc02f, 0x002f][..], Some(true)));
    assert_eq!(found.groups, [24, 23]);
    assert_eq!(found.signature_schemes, [0x0501, 0x0804, 0x0401]);
    let choice = super::choice(&net, "127.0.0.1", server.address.port(), &QUESTION, BOUNDS).await.unwrap();
    assert_eq!(choice.version, Some(Version::TLS12));
}

#[tokio::test]
async fn every_version_suite_group_and_profile_of_openssl_over_dtls() {
    let profiles = "SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM";
    let arguments = ["-dtls", "-cipher", EVERYTHING, "-groups", "P-256:X25519:P-384", "-use_srtp", profiles];
    let Some(server) = Server::start(&arguments, &["P-256"]) else { return };
    let net = net();
    let bounds = Bounds { at_once: 1, ..BOUNDS }; // it serves one at a time
    let of = |flag| told(flag, EVERYTHING, ":!aDSS:!aRSA");
    let accepted = [(Version::DTLS10, of("-tls1")), (Version::DTLS12, of("-tls1_2"))];
    let media = Wanted { profiles: true, ..Wanted::SUITES };
    for wanted in [media, Wanted::ALL] {
        let report = super::dtls(&net, server.address, &question(wanted), bounds).await.unwrap();
        assert_eq!(shown(&report), accepted);
        for (version, findings) in report.accepted() {
            assert_eq!(findings.profiles, [8, 1, 7], "{version:?}");
            assert_eq!(findings.preferred_profile, Some(8));
            assert!(findings.goes_without_srtp && findings.hello_verify);
            assert!(findings.before_cookie.is_some_and(|traffic| traffic.received < traffic.sent), "{version:?}");
            let most = if wanted == media { 1 } else { 7 };
            let suites = findings.suites.len() as u32;
            assert!(findings.offers <= suites + most, "{version:?}: {} offers", findings.offers);
            if wanted == Wanted::ALL {
                assert_eq!(sorted(findings.groups.clone()), [23, 24, 29]);
            }
        }
        assert!(matches!(report.of(Version::DTLS13).unwrap().verdict, Verdict::Refused(_)));
    }
}

#[tokio::test]
async fn what_is_out_of_scope_gets_no_hello() {
    let net = net();
    let failure = super::tls(&net, "127.0.0.2", 9, &QUESTION, BOUNDS).await.unwrap_err();
    assert_eq!(failure.outcome, Outcome::OutOfScope);
    let failure = super::dtls(&net, "127.0.0.2:9".parse().unwrap(), &QUESTION, BOUNDS).await.unwrap_err();
    assert_eq!(failure.outcome, Outcome::OutOfScope);
    assert_eq!(net.conversations(), 0);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failure = super::tls(&net, "127.0.0.1", nobody.port(), &QUESTION, BOUNDS).await.unwrap_err();
    assert_eq!(failure.outcome, Outcome::Unreachable);
}

#[tokio::test]
async fn a_scan_that_nobody_waits_for_ends() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let net = net();
    let patient = Bounds { answer: Duration::from_secs(3600), ..BOUNDS };
    let mut stream = tokio::select! {
        report = super::tls(&net, "127.0.0.1", port, &QUESTION, patient) => panic!("nobody answered: {report:?}"),
        accepted = listener.accept() => accepted.unwrap().0,
    };
    // Nobody answers, so nothing else would close it within the hour.
    let mut heard = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut heard).await;
}
