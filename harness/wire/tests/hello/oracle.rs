//! `tls-parser` reads what is written, and sees in a server's flight what the readers see.

use ringfence_wire::hello::{ClientHello, Depth, Extension, Version};
use tls_parser::{
    ClientHello as _, DTLSMessage, DTLSMessageHandshakeBody, TlsMessage, TlsMessageHandshake,
    parse_dtls_plaintext_records, parse_tls_extensions, parse_tls_plaintext,
};

use crate::build::*;
use crate::replies::{chosen, dtls, tls};

fn hello(version: Version) -> ClientHello {
    let mut hello = ClientHello::new(version, std::array::from_fn(|i| i as u8));
    hello.session_id = vec![5; 32];
    hello.suites = vec![0xc02b, 0x1301, 0x00ff];
    hello.extensions = vec![
        Extension::server_name("a.example.test").unwrap(),
        Extension::supported_groups(&[29, 23, 24]).unwrap(),
        Extension::signature_algorithms(&[0x0403, 0x0804]).unwrap(),
        Extension::alpn(&[b"h2", b"http/1.1"]).unwrap(),
        Extension::key_share_empty(),
        Extension::extended_master_secret(),
    ];
    hello
}

#[test]
fn it_reads_our_hello_of_tls() {
    for version in [Version::TLS10, Version::TLS12, Version::TLS13] {
        let hello = hello(version);
        let stream = hello.to_tls().unwrap();
        let (rest, record) = parse_tls_plaintext(&stream).unwrap();
        let [TlsMessage::Handshake(TlsMessageHandshake::ClientHello(read))] = &record.msg[..] else {
            panic!("{record:?}")
        };
        assert!(rest.is_empty());
        assert_eq!(
            (read.version.0, read.random, read.session_id),
            (version.legacy().0, &hello.random[..], Some(&[5; 32][..]))
        );
        let suites: Vec<u16> = read.ciphers.iter().map(|x| x.0).collect();
        assert_eq!(suites, hello.suites);
        let (rest, extensions) = parse_tls_extensions(read.ext.unwrap()).unwrap();
        assert!(rest.is_empty());
        assert_eq!(extensions.len(), hello.extensions.len() + usize::from(version.is_13()));
        let said = format!("{extensions:?}");
        for word in ["a.example.test", "Secp256r1", "ecdsa_secp256r1_sha256", "http/1.1", "ExtendedMasterSecret"] {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
}

#[test]
fn it_reads_our_hello_of_dtls() {
    let mut hello = hello(Version::DTLS12);
    hello.cookie = vec![7; 20];
    let datagrams = hello.to_dtls(1, 1, 1400).unwrap();
    let (rest, records) = parse_dtls_plaintext_records(&datagrams[0]).unwrap();
    assert!(rest.is_empty());
    let [DTLSMessage::Handshake(message)] = &records[0].messages[..] else { panic!("{records:?}") };
    let DTLSMessageHandshakeBody::ClientHello(read) = &message.body else { panic!("{message:?}") };
    assert_eq!((message.message_seq, records[0].header.sequence_number, records[0].header.epoch), (1, 1, 0));
    assert_eq!((read.version().0, read.cookie), (0xfefd, &hello.cookie[..]));
    assert_eq!(read.ciphers.len(), 3);
}

#[test]
fn it_sees_the_same_flight() {
    let stream = tls_flight();
    let ours = chosen(tls(Depth::Flight, &stream));
    let (_, record) = parse_tls_plaintext(&stream).unwrap();
    let mut seen = 0;
    for message in &record.msg {
        match message {
            TlsMessage::Handshake(TlsMessageHandshake::ServerHello(theirs)) => {
                assert_eq!((theirs.version.0, theirs.cipher.0), (ours.version.0, ours.suite));
                assert_eq!((theirs.random, theirs.session_id), (&ours.random[..], Some(&ours.session_id[..])));
                assert_eq!(parse_tls_extensions(theirs.ext.unwrap()).unwrap().1.len(), ours.extensions.len());
            }
            TlsMessage::Handshake(TlsMessageHandshake::Certificate(theirs)) => {
                let theirs: Vec<&[u8]> = theirs.cert_chain.iter().map(|x| x.data).collect();
                assert_eq!(theirs, ours.certificates);
            }
            TlsMessage::Handshake(TlsMessageHandshake::ServerKeyExchange(theirs)) => {
                let (rest, parameters) = tls_parser::parse_ecdh_params(theirs.parameters).unwrap();
                assert!(format!("{parameters:?}").contains("EcdhX25519"), "{parameters:?}");
                let (_, signature) = tls_parser::parse_digitally_signed(rest).unwrap();
                let algorithm = signature.alg.unwrap();
                let scheme = u16::from_be_bytes([algorithm.hash.0, algorithm.sign.0]);
                assert_eq!((ours.group, ours.signature_scheme), (Some(29), Some(scheme)));
            }
            TlsMessage::Handshake(TlsMessageHandshake::ServerDone(_)) => assert!(ours.done),
            other => panic!("{other:?}"),
        }
        seen += 1;
    }
    assert_eq!(seen, 4);
    assert_eq!(chosen(dtls(Depth::Flight, &dtls_flight(0))).certificates, ours.certificates);
}
