//! Relayed calls through coturn (Debian package `coturn`), which this test starts on a loopback address of its own: a TURN
//! server that nobody here wrote, reached over UDP, TCP and TLS with time-limited credentials.

#[path = "support/relayed.rs"]
mod relayed;

use std::fs;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{CertificateParams, KeyPair, SanType};
use relayed::{LIMIT, Rig, assert_heard};
use ringfence_client::adapters::IceServer;
use ringfence_model::observation::Outcome;
use ringfence_wire::turn::{TimedUser, timed_password};
use tokio::net::TcpStream;

const SECRET: &str = "shared by the server and whoever mints credentials";
const PORT: u16 = 3478;
const TLS_PORT: u16 = 5349;

/// A running coturn; ended when dropped.
struct Coturn {
    child: Child,
    ip: IpAddr,
    ca_pem: String,
}

impl Drop for Coturn {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Coturn {
    /// Starts one; `None`, with the reason on standard error, where the program is not installed. In CI it has to be.
    async fn start(folder: &Path) -> Option<Self> {
        // Of our own: whoever else runs this test at the same time is another process.
        let [_, _, high, low] = std::process::id().to_be_bytes();
        let ip = IpAddr::V4(Ipv4Addr::new(127, high | 0x40, low, 77));
        let key = KeyPair::generate().expect("a key");
        let mut certificate = CertificateParams::default();
        certificate.subject_alt_names = vec![SanType::IpAddress(ip)];
        let ca_pem = certificate.self_signed(&key).expect("a certificate").pem();
        let file = |name: &str| folder.join(name).display().to_string();
        fs::write(file("coturn.crt"), &ca_pem).expect("a file in the folder");
        fs::write(file("coturn.key"), key.serialize_pem()).expect("a file in the folder");
        let config = [
            format!("listening-ip={ip}\nrelay-ip={ip}\nlistening-port={PORT}\ntls-listening-port={TLS_PORT}"),
            format!("realm=coturn.test\nuse-auth-secret\nstatic-auth-secret={SECRET}"),
            format!("cert={}\npkey={}", file("coturn.crt"), file("coturn.key")),
            format!("userdb={}\npidfile={}", file("coturn.db"), file("coturn.pid")),
            // The callee is on loopback too; coturn wants the command line interface off or guarded for that.
            "allow-loopback-peers\nno-multicast-peers\nno-cli\nno-dtls\nno-rfc5780\nlog-file=stdout\nsimple-log".into(),
        ];
        fs::write(file("coturn.conf"), config.join("\n") + "\n").expect("a file in the folder");
        let log = fs::File::create(file("coturn.log")).expect("a file in the folder");
        let started = Command::new("turnserver")
            .args(["-c", &file("coturn.conf")])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn();
        let child = match started {
            Ok(child) => child,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let why = "left out: turnserver is not installed; apt-get install --no-install-recommends coturn";
                assert!(std::env::var_os("CI").is_none(), "{why}");
                writeln!(std::io::stderr(), "{why}").expect("standard error");
                return None;
            }
            Err(error) => panic!("turnserver: {error}"),
        };
        let mut coturn = Self { child, ip, ca_pem };
        coturn.listens(&folder.join("coturn.log")).await;
        Some(coturn)
    }

    /// Waits until both listeners accept.
    async fn listens(&mut self, log: &Path) {
        let said = || fs::read_to_string(log).unwrap_or_default();
        let waiting = async {
            for port in [PORT, TLS_PORT] {
                while TcpStream::connect(SocketAddr::new(self.ip, port)).await.is_err() {
                    if let Some(status) = self.child.try_wait().expect("our own child") {
                        panic!("turnserver ended: {status}\n{}", said());
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        };
        tokio::time::timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("turnserver is silent\n{}", said()));
    }

    /// The entry of a configuration that names these URLs only. Credentials are good for ten minutes.
    fn server(&self, urls: &[&str]) -> IceServer {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let username = TimedUser { expires_unix_s: now.as_secs() + 600, name: "visitor".into() }.username();
        IceServer {
            urls: urls.iter().map(|url| url.replace("HOST", &self.ip.to_string())).collect(),
            credential: Some(timed_password(SECRET.as_bytes(), &username).into()),
            username: Some(username),
        }
    }
}

const UDP: &str = "turn:HOST";
const TCP: &str = "turn:HOST?transport=tcp";
const TLS: &str = "turns:HOST";

#[tokio::test]
async fn calls_are_relayed_by_coturn_over_every_transport() {
    let mut rig = Rig::start().await;
    let Some(coturn) = Coturn::start(rig.folder()).await else { return };

    // Nobody has said yet that its certificate is to be trusted.
    let refused = rig.relayed(|config| config.ice_servers = vec![coturn.server(&[TLS])]).await;
    assert!(!refused.answered && refused.media.ice.local_type.is_none(), "{refused:#?}");
    let outcomes: Vec<_> = refused.servers_left_out.iter().map(|failure| failure.outcome).collect();
    assert_eq!(outcomes, [Outcome::TlsFailed], "{refused:#?}");

    rig.trust(&coturn.ca_pem);
    for urls in [&[UDP][..], &[TCP], &[TLS], &[TLS, TCP, UDP]] {
        let seen = rig.relayed(|config| config.ice_servers = vec![coturn.server(urls)]).await;
        assert_heard(&seen);
    }

    for url in [UDP, TCP, TLS] {
        let wrong = IceServer { credential: Some("wrong".into()), ..coturn.server(&[url]) };
        let refused = rig.relayed(|config| config.ice_servers = vec![wrong]).await;
        assert_eq!(refused.failure.as_ref().map(|failure| failure.outcome), Some(Outcome::Unreachable), "{refused:#?}");
        assert!(refused.failure.expect("checked").error.raw().contains("401"), "{url}");
        assert!(!refused.answered && refused.own_fault.is_none());
    }
    rig.lab.stop().await;
}
