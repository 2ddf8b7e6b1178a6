//! Against `openssl s_server`, which renegotiates or does not, as it is told. Without the program the tests say so and do nothing;
//! in CI that fails.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::super::dtls::{Dtls, Told};
use super::super::identity::Identity;
use super::super::plan::MediaPlan;

/// Nothing here takes longer, unless it is broken.
const LIMIT: Duration = Duration::from_secs(30);
const MOMENT: Duration = Duration::from_millis(10);

/// `openssl s_server` of DTLS 1.2; ends with its value.
struct Server {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start(more: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (key, certificate) = (folder.path().join("key"), folder.path().join("certificate"));
        let mut made = Command::new("openssl");
        made.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]);
        made.args(["-subj", "/CN=a.test", "-keyout"]).arg(&key).arg("-out").arg(&certificate).stdin(Stdio::null());
        match made.output() {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "CI has openssl: {error}; apt-get install openssl");
                eprintln!("left out, no openssl: apt-get install openssl");
                return None;
            }
        }
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", "127.0.0.1:0", "-dtls1_2", "-use_srtp", "SRTP_AEAD_AES_128_GCM"]);
        command.args(more).arg("-cert").arg(&certificate).arg("-key").arg(&key);
        // It ends when its stdin does.
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = pipes.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.by_ref().map_while(Result::ok).find_map(|line| line.strip_prefix("ACCEPT ")?.parse().ok());
        let Some(address) = ready else { panic!("s_server {more:?} did not start: {:?}", child.wait()) };
        std::thread::spawn(move || lines.for_each(drop)); // or its pipe fills up
        Some(Self { child, address, _folder: folder })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Our association on a socket, until `done` has found what it looks for in what is told or in the association.
fn drive<Found>(dtls: &mut Dtls, socket: &UdpSocket, done: impl Fn(&[Told], &Dtls) -> Option<Found>) -> Found {
    let mut buffer = [0; 4096];
    let until = Instant::now() + LIMIT;
    while Instant::now() < until {
        while let Some(datagram) = dtls.poll_transmit(Instant::now()) {
            socket.send(&datagram).unwrap();
        }
        let mut told = dtls.timeout(Instant::now());
        if let Ok(length) = socket.recv(&mut buffer) {
            told.extend(dtls.input(Instant::now(), &buffer[..length]));
        }
        if let Some(found) = done(&told, dtls) {
            return found;
        }
    }
    panic!("nothing within the limit");
}

/// Whether a server with these arguments begins a second handshake, and its alert if it does not.
fn asked(more: &[&str]) -> Option<(bool, Option<String>)> {
    let server = Server::start(more)?;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server.address).unwrap();
    socket.set_read_timeout(Some(MOMENT)).unwrap();
    let provider = rtc_crypto::default_provider().unwrap();
    let plan = MediaPlan { meets_strangers: true, ..MediaPlan::honest(Identity::fresh().unwrap(), 1) };
    let mut dtls = Dtls::new(provider, true, &plan, Vec::new()).unwrap();
    dtls.start(Instant::now()).unwrap();
    let completed = |told: &[Told], _: &Dtls| {
        assert!(!told.iter().any(|told| matches!(told, Told::Failed(_) | Told::Alert(_))), "{told:?}");
        told.iter().any(|told| matches!(told, Told::Completed(Some(_)))).then_some(())
    };
    drive(&mut dtls, &socket, completed);

    dtls.renegotiate(Instant::now()).unwrap();
    let answer = drive(&mut dtls, &socket, |told, dtls| {
        let alert = told.iter().find_map(|told| match told {
            Told::Alert(name) => Some((false, Some(name.clone()))),
            _ => None,
        });
        dtls.take_renegotiated().then_some((true, None)).or(alert)
    });
    if answer.1.is_some() {
        // The server would take what comes back for the end of a wish of its own, and end the association.
        assert_eq!(dtls.poll_transmit(Instant::now()), None);
    }
    Some(answer)
}

#[test]
fn openssl_renegotiates_where_it_is_told_to() {
    assert!(asked(&["-client_renegotiation"]).is_none_or(|answer| answer == (true, None)));
}

#[test]
fn openssl_refuses_with_an_alert_otherwise() {
    for more in [&[][..], &["-no_renegotiation"]] {
        let refused = (false, Some("no_renegotiation".to_owned()));
        assert!(asked(more).is_none_or(|answer| answer == refused), "{more:?}");
    }
}
