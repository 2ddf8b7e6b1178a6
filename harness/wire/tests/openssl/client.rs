//! `openssl s_client` in front of a flight written by hand: it takes the flight to its end and answers with its own key
//! exchange, or says which signature is none.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ringfence_wire::hello::{ClientHello, Extension, ServerFlight, Version};

use crate::server::Certificate;

/// A test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// The generator of P-256, uncompressed: a public key like any other. SEC 2, section 2.4.2.
const GENERATOR: [u8; 65] = [
    4, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03,
    0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe,
    0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce,
    0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
];

fn client(port: u16, arguments: &[&str]) -> Child {
    let address = format!("127.0.0.1:{port}");
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &address, "-msg", "-cipher", "ALL:@SECLEVEL=0"]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What it said about the messages, and about its end.
fn said(client: Child) -> String {
    let output = client.wait_with_output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Answers one client of TLS, and waits for one record more.
fn over_tls(flag: &str, flight: impl FnOnce(&ClientHello) -> ServerFlight) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = client(listener.local_addr().unwrap().port(), &[flag]);
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut sent, mut piece) = (Vec::new(), [0; 1000]);
    let hello = loop {
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "a whole hello comes");
        sent.extend_from_slice(&piece[..count]);
        if let Some(hello) = ClientHello::from_tls(&sent).unwrap() {
            break hello;
        }
    };
    stream.write_all(&flight(&hello).to_tls().unwrap()).unwrap();
    let _ = stream.read(&mut piece);
    drop(stream);
    said(client)
}

/// Answers one client of DTLS, and waits for one datagram more.
fn over_dtls(flag: &str, max_fragment: usize, flight: impl FnOnce(&ClientHello) -> ServerFlight) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let client = client(socket.local_addr().unwrap().port(), &[flag, "-use_srtp", "SRTP_AES128_CM_SHA1_80"]);
    let mut datagram = [0; 2000];
    let (count, peer) = socket.recv_from(&mut datagram).unwrap();
    let (hello, message_seq) = ClientHello::from_datagram(&datagram[..count]).unwrap();
    assert_eq!(message_seq, 0);
    for datagram in flight(&hello).to_dtls(message_seq, 0, max_fragment).unwrap() {
        socket.send_to(&datagram, peer).unwrap();
    }
    let (count, _) = socket.recv_from(&mut datagram).unwrap();
    assert_eq!(datagram[..count].get(13), Some(&16), "its ClientKeyExchange");
    // Without an end it would go on asking.
    let refusal = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40];
    socket.send_to(&refusal, peer).unwrap();
    said(client)
}

fn flight(version: Version, suite: u16, certificate: &Certificate) -> ServerFlight {
    let mut flight = ServerFlight::new(version, [0x77; 32], suite);
    flight.extensions = vec![Extension::extended_master_secret(), Extension::renegotiation_info()];
    flight.certificates = vec![certificate.der.clone()];
    flight
}

#[test]
fn it_takes_a_flight_of_static_rsa_to_its_end() {
    let Some(rsa) = Certificate::rsa("by-hand") else { return };
    for (flag, version, name) in [
        ("-tls1", Version::TLS10, "TLS 1.0"),
        ("-tls1_1", Version::TLS11, "TLS 1.1"),
        ("-tls1_2", Version::TLS12, "TLS 1.2"),
    ] {
        let said = over_tls(flag, |hello| {
            assert_eq!(hello.version, version);
            assert!(hello.suites.contains(&0x002f));
            flight(version, 0x002f, &rsa)
        });
        for message in ["ServerHello", "Certificate", "ServerHelloDone"] {
            assert!(said.lines().any(|x| x.starts_with(&format!("<<< {name}")) && x.ends_with(message)), "{said}");
        }
        assert!(said.lines().any(|x| x.starts_with(">>>") && x.ends_with("ClientKeyExchange")), "{said}");
        assert!(said.contains("CN = by-hand.example.test"), "{said}");
    }
}

#[test]
fn it_takes_a_flight_of_dtls_in_pieces() {
    let Some(rsa) = Certificate::rsa("datagrams") else { return };
    for (flag, version, max_fragment) in
        [("-dtls1", Version::DTLS10, 1200), ("-dtls1_2", Version::DTLS12, 1200), ("-dtls1_2", Version::DTLS12, 150)]
    {
        let said = over_dtls(flag, max_fragment, |hello| {
            assert_eq!(hello.version, version);
            let mut flight = flight(version, 0x002f, &rsa);
            flight.extensions.push(Extension::new(Extension::USE_SRTP, [0, 2, 0, 1, 0]));
            flight
        });
        for words in [
            "CN = datagrams.example.test",
            "Cipher is AES128-SHA",
            "Secure Renegotiation IS supported",
            "profile=SRTP_AES128_CM_SHA1_80",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
}

#[test]
fn it_reads_a_key_exchange_and_finds_that_nobody_signed_it() {
    let Some(ec) = Certificate::ec("unsigned") else { return };
    let said = over_tls("-tls1_2", |_| {
        let mut flight = flight(Version::TLS12, 0xc02b, &ec);
        let key = [&[3, 0, 23, 65][..], &GENERATOR, &[4, 3, 0, 8], &[0x30, 6, 2, 1, 1, 2, 1, 1]].concat();
        flight.key_exchange = Some(key);
        flight
    });
    assert!(said.lines().any(|x| x.starts_with("<<<") && x.ends_with("ServerKeyExchange")), "{said}");
    assert!(said.contains("bad signature"), "{said}");
}
