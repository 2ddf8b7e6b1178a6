//! What is no TLS server, or cannot be asked: what is said, and that it is no pass.

use std::io::Write;
use std::net::{TcpListener, UdpSocket};

use super::server::{exits, ringfence, stdout};

#[track_caller]
fn says(args: &[&str], code: i32, parts: &[&str]) {
    let output = ringfence(args);
    exits(&output, code);
    assert_eq!(stdout(&output), "", "{args:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    parts.iter().for_each(|part| assert!(said.contains(part), "{part} in {said}"));
}

#[test]
fn what_is_typed_wrong_is_said_with_what_would_be_right() {
    for command in ["tls", "dtls"] {
        says(&[command, "a.example.test"], 2, &["names no port", "a.example.test:443"]);
        says(&[command, "https://a.example.test/x"], 2, &["no URL", "a.example.test:443"]);
        says(&[command, "::1"], 2, &["[::1]:443"]);
        says(&[command, "127.0.0.1:1", "--policy", "strict"], 2, &["unknown policy", "strict-aead"]);
        says(&[command, "127.0.0.1:1", "--policy", "./none.toml"], 2, &["./none.toml"]);
        says(&[command], 2, &["HOST:PORT"]);
    }
    says(&["tls", "127.0.0.1:1", "--ca-file", "none.pem"], 2, &["ca_file", "none.pem"]);
}

#[test]
fn nobody_there_is_no_pass() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|nobody| nobody.local_addr()).expect("a port").port();
    says(&["tls", &format!("127.0.0.1:{port}")], 3, &["refused", "is the port right?"]);
    says(&["tls", &format!("localhost:{port}"), "--json"], 3, &["refused"]);
    says(&["tls", "nobody.invalid:443"], 3, &["nobody.invalid", "DNS"]);
    says(&["dtls", "nobody.invalid:443"], 3, &["nobody.invalid", "DNS"]);
    says(&["dtls", &format!("127.0.0.1:{port}"), "--timeout", "1", "--at-once", "3"], 3, &["does not answer", "ICE"]);
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let place = silent.local_addr().expect("an address").to_string();
    says(&["dtls", &place, "--timeout", "1", "--at-once", "3"], 3, &["does not answer (no answer)", "ICE"]);
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = silent.local_addr().expect("an address").to_string();
    says(&["tls", &place, "--timeout", "1"], 3, &["says nothing to a hello", "--timeout"]);
}

/// Serves connections until the test ends.
fn serve(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            // It reads the hello first, so that its close is no reset.
            let _ = std::io::Read::read(&mut stream, &mut [0; 16_384]);
            let _ = stream.write_all(answer);
        }
    });
    place
}

#[test]
fn another_protocol_is_told_from_silence_and_from_refusal() {
    says(&["tls", &serve(b"HTTP/1.1 400 Bad Request\r\n\r\n")], 4, &["answers, but not with TLS"]);
    says(&["tls", &serve(b"SSH-2.0-x\r\n")], 4, &["answers, but not with TLS"]);
    says(&["tls", &serve(b"")], 3, &["closes them at a hello, without a word"]);
    let alerts = ringfence(&["tls", &serve(&[21, 3, 3, 0, 2, 2, 40])]);
    exits(&alerts, 4);
    let text = stdout(&alerts);
    assert!(
        text.contains("refused (handshake_failure)") && text.contains("accepts no version; it may want a name"),
        "{text}"
    );
}

#[test]
fn datagrams_that_are_no_dtls_are_no_silence() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let place = socket.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        let mut datagram = [0; 4096];
        while let Ok((_, from)) = socket.recv_from(&mut datagram) {
            let _ = socket.send_to(b"not DTLS", from);
        }
    });
    says(&["dtls", &place, "--timeout", "1", "--at-once", "3"], 4, &["answers, but"]);
}
