//! A server's flight written by hand: its bytes, our readers and `tls-parser` on it; and ClientHellos as a server reads
//! them. RFC 5246, section 7.4; RFC 6347, section 4.2; RFC 8446, section 4.1.

use ringfence_wire::Error;
use ringfence_wire::hello::{
    ClientHello, Depth, Extension, MAX_HELLO_BYTES, Reply, ServerFlight, ServerHello, Version,
};
use tls_parser::{
    DTLSMessage, DTLSMessageHandshakeBody, TlsMessage, TlsMessageHandshake, parse_dtls_plaintext_records,
    parse_tls_plaintext,
};

use crate::build::{curve_exchange, dtls_record, fragment, record};
use crate::replies::{RETRY, chosen, dtls, tls};

/// A flight with everything in it.
fn flight(version: Version) -> ServerFlight {
    let mut flight = ServerFlight::new(version, [0x11; 32], 0xc02b);
    flight.session_id = vec![0xab; 4];
    flight.extensions = vec![
        Extension::new(Extension::USE_SRTP, [0, 2, 0, 7, 0]),
        Extension::extended_master_secret(),
        Extension::renegotiation_info(),
    ];
    flight.certificates = vec![vec![0x30; 300], vec![0x31; 200]];
    flight.key_exchange = Some(curve_exchange(29, 0x0403));
    flight
}

/// What a reader has to have found of it.
#[track_caller]
fn found(hello: &ServerHello, flight: &ServerFlight) {
    assert_eq!((hello.version, hello.record_version), (flight.version, flight.version));
    assert_eq!((hello.random, &hello.session_id), (flight.random, &flight.session_id));
    assert_eq!((hello.suite, hello.compression, &hello.extensions), (flight.suite, 0, &flight.extensions));
    assert_eq!((&hello.certificates, hello.srtp_profile(), hello.group), (&flight.certificates, Some(7), Some(29)));
    assert_eq!((hello.done, &hello.broken, hello.alert), (true, &None, None));
}

#[test]
fn its_bytes_are_those_of_a_flight_put_together_by_hand() {
    assert_eq!(flight(Version::TLS12).to_tls().unwrap(), crate::build::tls_flight());
    for first in [0, 1, 7] {
        let datagrams = flight(Version::DTLS12).to_dtls(first, first.into(), 1200).unwrap();
        assert_eq!(datagrams, crate::build::dtls_flight(first));
    }
    // The least that there is: a ServerHello without a block of extensions, and ServerHelloDone.
    let bare = ServerFlight::new(Version::SSL3, [1; 32], 0x000a).to_tls().unwrap();
    let expected = [&[22, 3, 0, 0, 46, 2, 0, 0, 38, 3, 0][..], &[1; 32], &[0, 0, 0x0a, 0], &[14, 0, 0, 0]].concat();
    assert_eq!(bare, expected);
}

#[test]
fn our_readers_find_in_it_what_was_written() {
    for version in [Version::TLS10, Version::TLS11, Version::TLS12] {
        let flight = flight(version);
        let hello = chosen(tls(Depth::Flight, &flight.to_tls().unwrap()));
        // Below 1.2 the two bytes of the scheme would be the length of the signature, which is then too short.
        if version == Version::TLS12 {
            found(&hello, &flight);
        }
        assert_eq!((hello.version, &hello.certificates), (version, &flight.certificates));
    }
    for (seq, fragment) in [(0, 1), (0, 7), (1, 100), (60, 16_000)] {
        let flight = flight(Version::DTLS12);
        let mut datagrams = flight.to_dtls(seq, 3, fragment).unwrap();
        assert!(datagrams.iter().all(|datagram| datagram.len() <= fragment + 25));
        found(&chosen(dtls(Depth::Flight, &datagrams)), &flight);
        datagrams.reverse();
        found(&chosen(dtls(Depth::Flight, &datagrams)), &flight);
    }
}

#[test]
fn in_1_3_it_is_the_server_hello_alone() {
    let mut flight = ServerFlight::new(Version::TLS13, [2; 32], 0x1301);
    flight.extensions = vec![Extension::new(Extension::KEY_SHARE, [&[0, 29, 0, 32][..], &[9; 32]].concat())];
    let hello = chosen(tls(Depth::Flight, &flight.to_tls().unwrap()));
    assert_eq!((hello.version, hello.legacy_version, hello.group), (Version::TLS13, Version::TLS12, Some(29)));
    assert!(hello.done);
    let mut retry = ServerFlight::new(Version::DTLS13, RETRY, 0x1301);
    retry.extensions = vec![Extension::new(Extension::KEY_SHARE, [0, 23])];
    let reply = dtls(Depth::Flight, &retry.to_dtls(0, 0, 1200).unwrap());
    assert!(matches!(&reply, Reply::HelloRetryRequest(hello) if hello.group == Some(23)), "{reply:?}");
    flight.certificates = vec![vec![1]];
    assert_eq!(flight.to_tls(), Err(Error::Invalid("flight of 1.3 behind its ServerHello")));
}

#[test]
fn tls_parser_reads_it_too() {
    let flight_tls = flight(Version::TLS12).to_tls().unwrap();
    let (rest, record) = parse_tls_plaintext(&flight_tls).unwrap();
    assert!(rest.is_empty());
    let [
        TlsMessage::Handshake(TlsMessageHandshake::ServerHello(hello)),
        TlsMessage::Handshake(TlsMessageHandshake::Certificate(certificates)),
        TlsMessage::Handshake(TlsMessageHandshake::ServerKeyExchange(exchange)),
        TlsMessage::Handshake(TlsMessageHandshake::ServerDone(_)),
    ] = &record.msg[..]
    else {
        panic!("{record:?}")
    };
    assert_eq!((hello.version.0, hello.cipher.0, hello.session_id), (0x0303, 0xc02b, Some(&[0xab; 4][..])));
    let read: Vec<&[u8]> = certificates.cert_chain.iter().map(|x| x.data).collect();
    assert_eq!(read, flight(Version::TLS12).certificates);
    assert_eq!(exchange.parameters, curve_exchange(29, 0x0403));

    // It does not know every message over DTLS.
    let known = ServerFlight { key_exchange: None, ..flight(Version::DTLS12) };
    let datagrams = known.to_dtls(1, 5, 1200).unwrap();
    for (sequence, datagram) in (1..).zip(&datagrams) {
        let (rest, records) = parse_dtls_plaintext_records(datagram).unwrap();
        assert!(rest.is_empty());
        let [DTLSMessage::Handshake(message)] = &records[0].messages[..] else { panic!("{records:?}") };
        assert_eq!((message.message_seq, records[0].header.sequence_number), (sequence, u64::from(sequence) + 4));
        if let DTLSMessageHandshakeBody::ServerHello(hello) = &message.body {
            assert_eq!((hello.version.0, hello.cipher.0), (0xfefd, 0xc02b));
        }
    }
    assert_eq!(datagrams.len(), 3);
}

#[test]
fn what_does_not_fit_a_flight_is_refused_with_its_name() {
    let broken = |change: fn(&mut ServerFlight)| {
        let mut flight = flight(Version::TLS12);
        change(&mut flight);
        flight.to_tls().unwrap_err().to_string()
    };
    assert_eq!(broken(|x| x.session_id = vec![0; 256]), "session id in bytes is over the limit of 255");
    let long = |x: &mut ServerFlight| x.extensions = vec![Extension::new(21, vec![0; 65_536])];
    assert_eq!(broken(long), "extension in bytes is over the limit of 65535");
    let limit = "handshake message in bytes is over the limit of 16777215";
    assert_eq!(broken(|x| x.certificates = vec![vec![0; 1 << 24]]), limit);
    assert_eq!(broken(|x| x.certificates = vec![vec![0; 1 << 23]; 2]), limit);
    assert_eq!(broken(|x| x.key_exchange = Some(vec![0; 1 << 24])), limit);
    assert_eq!(broken(|x| x.version = Version::DTLS12), "version of a TLS flight is not valid");
    let dtls = flight(Version::DTLS12);
    assert_eq!(flight(Version::TLS12).to_dtls(0, 0, 9), Err(Error::Invalid("version of a DTLS flight")));
    assert_eq!(dtls.to_dtls(0, 0, 0), Err(Error::Invalid("fragment size of a DTLS flight")));
    assert_eq!(dtls.to_dtls(u16::MAX, 0, 900), Err(Error::Invalid("message_seq of a DTLS flight")));
    assert_eq!(dtls.to_dtls(0, (1 << 48) - 1, 900), Err(Error::Invalid("DTLS record number")));
}

/// A hello of some length, and the same as it is read.
fn hello(version: Version) -> (ClientHello, ClientHello) {
    let mut hello = ClientHello::new(version, [4; 32]);
    hello.suites = vec![0xc02b, 0x000a];
    hello.extensions = vec![Extension::extended_master_secret(), Extension::new(21, vec![0; 400])];
    let record_version = if version.is_dtls() { Version::DTLS10 } else { Version::TLS10 };
    let read = ClientHello { legacy_version: Some(version), record_version: Some(record_version), ..hello.clone() };
    (hello, read)
}

#[test]
fn a_hello_is_read_as_soon_as_it_is_whole() {
    let (hello, read) = hello(Version::TLS12);
    let stream = hello.to_tls().unwrap();
    let message = &stream[5..];
    for cut in [1, 3, 100, 16_384] {
        let stream: Vec<u8> = message.chunks(cut).flat_map(|piece| record(22, 0x0301, piece)).collect();
        for end in 0..stream.len() {
            assert_eq!(ClientHello::from_tls(&stream[..end]), Ok(None), "{end} bytes of {cut}");
        }
        let more = [&stream[..], b"whatever follows"].concat();
        assert_eq!(ClientHello::from_tls(&stream), Ok(Some(read.clone())));
        assert_eq!(ClientHello::from_tls(&more), Ok(Some(read.clone())));
    }
    assert_eq!(read.to_tls().unwrap(), stream, "the same bytes are written again");
}

#[test]
fn what_is_no_hello_of_tls_is_refused_at_once() {
    let error = |stream: &[u8]| ClientHello::from_tls(stream).unwrap_err().to_string();
    assert_eq!(error(b"GET / HTTP/1.1"), "first TLS record is not valid");
    assert_eq!(error(&[21]), "first TLS record is not valid");
    assert_eq!(error(&[22, 2, 0, 0, 1]), "TLS record version is not valid");
    assert_eq!(error(&[22, 3, 1, 0, 0]), "TLS record length is not valid");
    assert_eq!(error(&[22, 3, 1, 0x40, 1]), "TLS record in bytes is over the limit of 16384");
    assert_eq!(error(&[22, 3, 1, 0, 1, 2]), "first handshake message is not valid");
    let long = format!("hello in bytes is over the limit of {MAX_HELLO_BYTES}");
    assert_eq!(error(&[22, 3, 1, 0, 4, 1, 1, 0, 1]), long);
    let drip = [&[22, 3, 1, 0, 4, 1, 0, 0xff, 0xff][..], &[22, 3, 1, 0, 1, 0].repeat(30_000)].concat();
    assert_eq!(error(&drip), "TLS records of a hello in bytes is over the limit of 131072");
    let mut other = hello(Version::TLS12).0.to_tls().unwrap();
    other[9] = 0xfe; // the version of the other family, which has a cookie
    assert!(ClientHello::from_tls(&other).is_err());
}

#[test]
fn a_hello_is_found_in_a_datagram() {
    let (hello, read) = hello(Version::DTLS12);
    let [datagram] = &hello.to_dtls(1, 9, 1200).unwrap()[..] else { panic!("one datagram") };
    assert_eq!(ClientHello::from_datagram(datagram), Ok((read.clone(), 1)));
    // Behind what says nothing here, be it in the same record.
    let request = fragment(0, 0, &[], 0..0);
    let more = [dtls_record(21, 0, 0, &[1, 0]), dtls_record(22, 1, 0, b"encrypted"), datagram.clone()].concat();
    assert_eq!(ClientHello::from_datagram(&more), Ok((read.clone(), 1)));
    let both = [&request[..], &datagram[13..]].concat();
    let (found, sequence) = ClientHello::from_datagram(&dtls_record(22, 0, 0, &both)).unwrap();
    assert_eq!((found.suites, sequence), (read.suites, 1));

    let error = |datagram: &[u8]| ClientHello::from_datagram(datagram).unwrap_err().to_string();
    assert_eq!(error(&hello.to_dtls(0, 0, 100).unwrap()[0]), "ClientHello is missing");
    assert_eq!(error(&[]), "ClientHello is missing");
    assert_eq!(error(&[0; 20]), "DTLS record type is not valid");
    assert_eq!(error(&datagram[..datagram.len() - 1]), "DTLS record is cut short");
    let mut other = datagram.clone();
    other[25] = 3; // the version of the other family, which has no cookie
    assert!(ClientHello::from_datagram(&other).is_err());
}

#[test]
fn what_a_hello_offers_is_told() {
    let mut hello = ClientHello::new(Version::DTLS12, [0; 32]);
    assert_eq!((hello.groups(), hello.signature_schemes(), hello.srtp_profiles()), (vec![], vec![], vec![]));
    hello.extensions = vec![
        Extension::supported_groups(&[29, 23]).unwrap(),
        Extension::signature_algorithms(&[0x0403]).unwrap(),
        Extension::use_srtp(&[1, 7]).unwrap(),
    ];
    assert_eq!(
        (hello.groups(), hello.signature_schemes(), hello.srtp_profiles()),
        (vec![29, 23], vec![0x0403], vec![1, 7])
    );
    assert_eq!(hello.extension(Extension::SUPPORTED_GROUPS), Some(&[0, 4, 0, 29, 0, 23][..]));
    for odd in [&[0][..], &[0, 3, 0, 29, 0], &[0, 4, 0, 29]] {
        hello.extensions = vec![Extension::new(Extension::SUPPORTED_GROUPS, odd)];
        assert_eq!(hello.groups(), [], "{odd:?}");
    }
}
