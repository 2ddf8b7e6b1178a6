//! The probe against real servers of OpenSSL, and against what is no TLS server at all. Without the program the tests say so and
//! do nothing; in CI that fails.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ringfence_client::Net;
use ringfence_client::net::Limits;
use ringfence_model::RunKey;
use ringfence_model::observation::Outcome;
use ringfence_model::target::Target;
use ringfence_wire::hello::{ClientHello, ServerFlight, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::Ledger;

#[test]
fn the_first_server_over_tls_is_found() {
    let config = |urls: &[&str]| turns(&urls.iter().map(|url| (*url).to_owned()).collect::<Vec<_>>());
    assert_eq!(config(&["turn:a.test:3478", "turns:b.test?transport=tcp"]), Some(("b.test".into(), 5349)));
    assert_eq!(config(&["TURNS:[2001:db8::1]:443"]), Some(("[2001:db8::1]".into(), 443)));
    let both = ["turns:udp.test?transport=udp", " turns:tcp.test:99?transport=tcp"];
    assert_eq!(config(&both), Some(("tcp.test".into(), 99)), "the other is over DTLS");
    assert_eq!(config(&both[..1]), Some(("udp.test".into(), 5349)));
    assert_eq!(config(&["turn:a.test"]), None);
}

/// Asks about the configuration endpoint at this address; the certificate in the file is trusted.
async fn scanned(address: SocketAddr, ca_file: Option<&Path>, depth: Depth) -> Asked<Seen> {
    scanned_within(60, address, ca_file, depth).await
}

/// The same in a run that has so many seconds left.
async fn scanned_within(seconds_left: u64, address: SocketAddr, ca_file: Option<&Path>, depth: Depth) -> Asked<Seen> {
    let ca_file = ca_file.map(|path| format!("ca_file = {:?}\n", path.display().to_string())).unwrap_or_default();
    let text = format!(
        "name = \"t\"\nadapter = \"cognigy\"\n{ca_file}[endpoints]\nconfig = \"https://{address}/\"\n\
         [[scope]]\nnetworks = [\"127.0.0.0/8\"]\n"
    );
    let target = Target::parse(&text, Path::new("t.toml")).unwrap();
    let net = Net::new(&target).unwrap();
    let limits = match ca_file.is_empty() {
        true => Limits { tls: Duration::from_millis(200), ..*net.limits() },
        false => Limits { tls: Duration::from_secs(30), ..*net.limits() },
    };
    let cx = Cx {
        net: net.with_limits(limits),
        target: Arc::new(target),
        key: RunKey::from_random([1; 32]),
        ledger: Ledger::default(),
        log_marks: crate::LogMarks::default(),
        kept: BTreeMap::new(),
        observed: BTreeMap::new(),
        control: false,
        seed: 1,
        seconds_left,
        browser: None,
    };
    TlsScan::ask(&cx, With { endpoint: TlsEndpoint::Config, depth, config: None }).await.unwrap()
}

/// `openssl s_server` with an RSA certificate for 127.0.0.1, which answers requests; it ends with its value.
struct Server {
    child: Child,
    address: SocketAddr,
    directory: tempfile::TempDir,
}

impl Server {
    fn start(arguments: &[&str]) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        let mut make = Command::new("openssl");
        make.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=t", "-days", "30"]);
        make.args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]);
        make.args(["-keyout", &path("key.pem"), "-out", &path("ca.pem")]).stdin(Stdio::null());
        match make.output() {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "CI has openssl: {error}; apt-get install openssl");
                eprintln!("left out, no openssl: apt-get install openssl");
                return None;
            }
        }
        let mut command = Command::new("openssl");
        command.args([
            "s_server",
            "-accept",
            "127.0.0.1:0",
            "-www",
            "-cert",
            &path("ca.pem"),
            "-key",
            &path("key.pem"),
        ]);
        let pipes = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = pipes.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.by_ref().map_while(Result::ok).find_map(|line| line.strip_prefix("ACCEPT ")?.parse().ok());
        let Some(address) = ready else { panic!("s_server {arguments:?} did not start: {:?}", child.wait()) };
        std::thread::spawn(move || lines.for_each(drop)); // or its pipe fills up
        Some(Self { child, address, directory })
    }

    async fn scanned(&self, depth: Depth) -> Seen {
        let asked = scanned(self.address, Some(&self.directory.path().join("ca.pem")), depth).await;
        assert_eq!(asked.outcome, Outcome::Answered, "{:?}", asked.error);
        asked.seen
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[tokio::test]
async fn a_server_of_everything_is_told_whole() {
    let arguments = ["-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0", "-max_early_data", "16384"];
    let Some(server) = Server::start(&arguments) else { return };
    let seen = server.scanned(Depth::Full).await;
    assert_eq!(
        (&seen.versions[..], &seen.refused[..]),
        (&["1.0", "1.1", "1.2", "1.3"].map(String::from)[..], &["ssl3".to_owned()][..])
    );
    assert_eq!((seen.negotiated.as_deref(), seen.complete), (Some("1.3"), Some(true)));
    assert!(seen.unknown.is_empty() && !seen.compression, "{:?}", seen.unknown);
    assert_eq!((seen.forward_secrecy_only, seen.early_data, seen.server_order), (Some(false), Some(true), Some(false)));
    assert_eq!((seen.secure_renegotiation, seen.extended_master_secret), (Some(true), Some(true)));
    let named = |version: &str, name: &str| seen.suites.iter().any(|one| one.version == version && one.name == name);
    assert!(named("1.0", "TLS_RSA_WITH_AES_128_CBC_SHA") && named("1.2", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"));
    assert!(named("1.2", "TLS_ECDH_anon_WITH_NULL_SHA") && named("1.3", "TLS_AES_256_GCM_SHA384"));
    assert!(["x25519", "secp256r1"].iter().all(|group| seen.groups.iter().any(|one| one == group)));
    assert!(seen.signature_schemes.iter().any(|one| one == "rsa_pss_rsae_sha256"));
    let certificate = seen.certificate.unwrap();
    assert!(certificate.trusted && certificate.name_matches && certificate.self_signed);
    assert_eq!((certificate.key_type.as_deref(), certificate.key_bits), (Some("rsa"), Some(2048)));
}

#[tokio::test]
async fn a_quick_look_is_one_hello_for_each_version() {
    let Some(server) = Server::start(&["-no_tls1_3", "-cipher", "AES128-SHA:@SECLEVEL=0"]) else { return };
    let seen = server.scanned(Depth::Full).await;
    assert_eq!((seen.forward_secrecy_only, seen.early_data), (Some(false), Some(false)));
    // No handshake of ours can be had with such a suite: what it shows in clear is looked at instead.
    let certificate = seen.certificate.unwrap();
    assert!(certificate.trusted && certificate.name_matches);

    let Some(server) = Server::start(&["-no_tls1", "-no_tls1_1"]) else { return };
    let seen = server.scanned(Depth::Quick).await;
    assert_eq!(seen.versions, ["1.2", "1.3"]);
    assert_eq!(seen.hellos_sent, 5 + 1 + 2, "the versions, the choice, and two handshakes");
    assert_eq!((seen.suites.len(), seen.complete, seen.negotiated.as_deref()), (2, Some(true), Some("1.3")));
    assert!(seen.groups.is_empty() && seen.forward_secrecy_only.is_none() && seen.early_data.is_none());
    let seen = server.scanned(Depth::Full).await;
    assert_eq!((seen.early_data, seen.forward_secrecy_only), (Some(false), Some(false)), "its tickets, and static RSA");
}

#[tokio::test]
async fn a_server_that_takes_its_time_does_not_outlast_the_run() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    let asked = scanned_within(1, address, None, Depth::Full).await;
    assert_eq!((asked.outcome, asked.seen.complete), (Outcome::Budget, None));
    server.abort();
}

#[tokio::test]
async fn what_speaks_no_tls_passes_nothing() {
    #[derive(Clone, Copy)]
    enum Habit {
        Silent,
        Closes,
        Http,
        Refuses,
    }
    for (habit, outcome) in [
        (Habit::Silent, Outcome::Timeout),
        (Habit::Closes, Outcome::Closed),
        (Habit::Http, Outcome::Protocol),
        (Habit::Refuses, Outcome::TlsFailed),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut hello = [0; 4096];
                let _ = stream.read(&mut hello).await;
                let _ = match habit {
                    Habit::Http => stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await,
                    Habit::Refuses => stream.write_all(&[21, 3, 1, 0, 2, 2, 70]).await,
                    Habit::Silent | Habit::Closes => Ok(()),
                };
                if !matches!(habit, Habit::Closes) {
                    held.push(stream);
                }
            }
        });
        let asked = scanned(address, None, Depth::Quick).await;
        server.abort();
        assert_eq!(asked.outcome, outcome, "{:?}", asked.error);
        let seen = asked.seen;
        let refuses = outcome == Outcome::TlsFailed;
        assert!(seen.offered && seen.reachable == refuses && seen.versions.is_empty() && seen.negotiated.is_none());
        assert_eq!((seen.refused.len(), seen.unknown.len()), if refuses { (5, 0) } else { (0, 5) });
        assert!(seen.certificate.is_none() && seen.complete.is_some() == refuses);
    }
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let asked = scanned(nobody, None, Depth::Full).await;
    assert!(asked.outcome == Outcome::Unreachable && !asked.seen.reachable && asked.seen.complete.is_none());
}

/// A server of TLS 1.2 that says nothing to whoever does not offer it, and to nobody once so many connections were made.
async fn of_few_words(connections: usize) -> Seen {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut hello = vec![0; 8192];
            let count = stream.read(&mut hello).await.unwrap_or(0);
            let current = ClientHello::from_tls(&hello[..count])
                .is_ok_and(|hello| hello.is_some_and(|hello| hello.legacy_version == Some(Version::TLS12)));
            if current && held.len() < connections {
                let flight = ServerFlight::new(Version::TLS12, [7; 32], 0xc02f).to_tls().unwrap();
                let _ = stream.write_all(&flight).await;
            }
            held.push(stream);
        }
    });
    let asked = scanned(address, None, Depth::Quick).await;
    server.abort();
    asked.seen
}

#[tokio::test]
async fn silence_about_old_versions_is_told_apart_only_beside_answers() {
    let seen = of_few_words(usize::MAX).await;
    assert_eq!((&seen.versions[..], &seen.refused[..]), (&["1.2".to_owned()][..], &["1.3".to_owned()][..]));
    assert_eq!(seen.unanswered, ["ssl3", "1.0", "1.1"]);
    assert!(seen.complete == Some(true) && seen.unknown.is_empty() && seen.negotiated.as_deref() == Some("1.2"));
    // One for the choice, three for each old version, one each for 1.2 and 1.3; behind them it says nothing more.
    let seen = of_few_words(1 + 9 + 2).await;
    assert_eq!((seen.versions.len(), seen.unanswered.len(), seen.unknown.len()), (1, 0, 3));
    assert!(seen.complete.is_none());
}
