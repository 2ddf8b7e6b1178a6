//! Replies that are in order. RFC 5246, section 7.4; RFC 8446, section 4.1; RFC 6347, section 4.2.

use ringfence_wire::Error;
use ringfence_wire::hello::{Depth, DtlsReader, Reply, ServerHello, TlsReader, Version};

use crate::build::*;

/// SHA-256 of "HelloRetryRequest": RFC 8446, section 4.1.3, as printed there.
pub const RETRY: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2, 0xA2, 0x11,
    0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

/// What a reader of a whole stream says, at its end if not before.
pub fn tls(depth: Depth, stream: &[u8]) -> Reply {
    let mut reader = TlsReader::new(depth);
    reader.feed(stream).unwrap_or_else(|| reader.end())
}

pub fn dtls(depth: Depth, datagrams: &[Vec<u8>]) -> Reply {
    let mut reader = DtlsReader::new(depth);
    let reply = datagrams.iter().find_map(|datagram| reader.feed(datagram));
    reply.unwrap_or_else(|| reader.end())
}

#[track_caller]
pub fn chosen(reply: Reply) -> ServerHello {
    let Reply::ServerHello(hello) = reply else { panic!("{reply:?}") };
    *hello
}

/// A ServerKeyExchange of `suite` in a flight of `version`.
fn exchanged(version: u16, suite: u16, exchange: &[u8]) -> ServerHello {
    let messages = [
        message(SERVER_HELLO, &server_hello(version, [1; 32], suite, &[])),
        message(SERVER_KEY_EXCHANGE, exchange),
        message(SERVER_HELLO_DONE, &[]),
    ];
    let found = chosen(tls(Depth::Flight, &record(HANDSHAKE, version, &messages.concat())));
    assert_eq!((&found.broken, found.done), (&None, true));
    found
}

#[test]
fn a_whole_flight() {
    for found in
        [tls(Depth::Flight, &tls_flight()), dtls(Depth::Flight, &dtls_flight(0)), dtls(Depth::Flight, &dtls_flight(1))]
    {
        let found = chosen(found);
        assert!([Version::TLS12, Version::DTLS12].contains(&found.version));
        assert_eq!((found.legacy_version, found.record_version), (found.version, found.version));
        assert_eq!((found.random, found.session_id.as_slice()), ([0x11; 32], &[0xab; 4][..]));
        assert_eq!((found.suite, found.compression, found.group), (0xc02b, 0, Some(29)));
        assert_eq!((found.dh_bits, found.signature_scheme, found.srtp_profile()), (None, Some(0x0403), Some(7)));
        assert_eq!(found.certificates, [vec![0x30; 300], vec![0x31; 200]]);
        assert_eq!((&found.ocsp_response, found.certificate_requested, found.done), (&None, false, true));
        assert!(found.extended_master_secret() && found.secure_renegotiation() && !found.session_ticket());
        assert_eq!((found.alpn(), found.cookie(), found.srtp_mki()), (None, None, Some(&[][..])));
        assert_eq!((found.alert, found.broken, found.extensions.len()), (None, None, 3));
    }
}

#[test]
fn depth_hello_stops_at_the_server_hello() {
    for found in [tls(Depth::Hello, &tls_flight()), dtls(Depth::Hello, &dtls_flight(0))] {
        let found = chosen(found);
        assert_eq!((found.suite, found.srtp_profile(), found.group, found.done), (0xc02b, Some(7), None, false));
        assert!(found.certificates.is_empty());
    }
}

#[test]
fn a_server_hello_without_extensions() {
    let body = server_hello(0x0300, [5; 32], 0x0035, &[]);
    assert_eq!(body.len(), 42);
    let found = chosen(tls(Depth::Hello, &record(HANDSHAKE, 0x0300, &message(SERVER_HELLO, &body))));
    assert_eq!((found.version, found.suite, found.extensions.len()), (Version::SSL3, 0x0035, 0));
    assert!(!found.extended_master_secret() && !found.secure_renegotiation() && !found.downgrade_mark());
}

#[test]
fn supported_versions_wins_over_the_field() {
    let share = [&[0, 29][..], &prefixed16(&[9; 32])].concat();
    let extensions = [extension(43, &[3, 4]), extension(51, &share)];
    let body = server_hello(0x0303, [5; 32], 0x1302, &extensions);
    // What follows is encrypted, and is not looked at.
    let stream = [record(HANDSHAKE, 0x0303, &message(SERVER_HELLO, &body)), vec![23; 50]].concat();
    let found = chosen(tls(Depth::Flight, &stream));
    assert_eq!((found.version, found.legacy_version), (Version::TLS13, Version::TLS12));
    assert_eq!((found.suite, found.group, found.done), (0x1302, Some(29), true));
    assert!(found.extended_master_secret() && found.secure_renegotiation());
}

#[test]
fn a_key_share_below_1_3_says_nothing() {
    let body = server_hello(0x0303, [5; 32], 0xc02b, &[extension(51, &[0, 29, 0])]);
    let found = chosen(tls(Depth::Hello, &record(HANDSHAKE, 0x0303, &message(SERVER_HELLO, &body))));
    assert_eq!((found.version, found.group, found.extensions.len()), (Version::TLS12, None, 1));
}

#[test]
fn the_record_version_is_that_of_the_message_s_beginning() {
    let body = server_hello(0xfefd, [5; 32], 0xc02b, &[]);
    let mut datagrams = [0..10, 10..body.len()].map(|range| dtls_record(22, 0, 0, &fragment(2, 0, &body, range)));
    datagrams[0][2] = 0xff;
    for _ in 0..2 {
        let found = chosen(dtls(Depth::Hello, &datagrams));
        assert_eq!((found.record_version, found.version), (Version::DTLS10, Version::DTLS12));
        datagrams.reverse();
    }
}

#[test]
fn a_retry_is_known_by_its_random() {
    let cookie = extension(44, &prefixed16(&[7, 8, 9]));
    for (field, chosen, version) in [(0x0303, [3, 4], Version::TLS13), (0xfefd, [0xfe, 0xfc], Version::DTLS13)] {
        let extensions = [extension(43, &chosen), extension(51, &[0, 24]), cookie.clone()];
        let body = server_hello(field, RETRY, 0x1301, &extensions);
        let reply = if version.is_dtls() {
            dtls(Depth::Hello, &[dtls_record(HANDSHAKE, 0, 0, &fragment(2, 0, &body, 0..body.len()))])
        } else {
            // The ChangeCipherSpec of middlebox compatibility may stand anywhere: RFC 8446, section D.4.
            tls(Depth::Hello, &[record(20, 0x0303, &[1]), record(HANDSHAKE, 0x0303, &message(2, &body))].concat())
        };
        let Reply::HelloRetryRequest(found) = reply else { panic!("{reply:?}") };
        assert_eq!((found.version, found.suite, found.group), (version, 0x1301, Some(24)));
        assert_eq!((found.cookie(), found.done), (Some(&[7, 8, 9][..]), true));
    }
}

#[test]
fn a_hello_verify_request_does_not_spend_its_reader() {
    // server_version 1.0 although the record says 1.2: RFC 6347, section 4.2.1.
    let verify = |cookie: &[u8]| {
        let body = [&[0xfe, 0xff][..], &prefixed8(cookie)].concat();
        dtls_record(HANDSHAKE, 0, 0, &fragment(3, 0, &body, 0..body.len()))
    };
    let mut reader = DtlsReader::new(Depth::Flight);
    for cookie in [&[1; 20][..], &[1; 20], &[2; 255], &[]] {
        let expected = Reply::HelloVerifyRequest { version: Version::DTLS10, cookie: cookie.to_vec() };
        assert_eq!(reader.feed(&verify(cookie)), Some(expected));
    }
    let flight = dtls_flight(1);
    assert!(flight[..3].iter().all(|datagram| reader.feed(datagram).is_none()));
    assert_eq!(reader.feed(&verify(&[1; 20])), None, "late, and old");
    assert!(chosen(reader.feed(&flight[3]).unwrap()).done);
    assert_eq!(reader.feed(&verify(&[1; 20])), None);
}

#[test]
fn alerts() {
    let alert = |bytes: &[u8]| record(ALERT, 0x0301, bytes);
    let warned = |code| Reply::Alert { fatal: false, code };
    assert_eq!(tls(Depth::Flight, &alert(&[2, 40])), Reply::Alert { fatal: true, code: 40 });
    assert_eq!(tls(Depth::Flight, &alert(&[1, 0])), warned(0));
    assert_eq!(tls(Depth::Flight, &alert(&[1, 112])), warned(112), "at the end");
    assert_eq!(tls(Depth::Flight, &[alert(&[2]), alert(&[70])].concat()), Reply::Alert { fatal: true, code: 70 });
    // unrecognized_name as a warning, then all goes on.
    let found = chosen(tls(Depth::Flight, &[alert(&[1, 112, 1, 112]), tls_flight()].concat()));
    assert!(found.done);
    for (bytes, reply) in
        [([2, 71], Reply::Alert { fatal: true, code: 71 }), ([1, 100], warned(100)), ([1, 0], warned(0))]
    {
        assert_eq!(dtls(Depth::Flight, &[dtls_record(ALERT, 0, 0, &bytes)]), reply);
    }
}

#[test]
fn what_stops_a_flight_leaves_what_was_read() {
    let flight: Vec<Vec<u8>> =
        flight(0x0303).iter().map(|(kind, body)| record(22, 0x0303, &message(*kind, body))).collect();
    let begun = flight[..2].concat();
    let follow = |more: Vec<u8>| chosen(tls(Depth::Flight, &[begun.clone(), more].concat()));
    let stopped = follow(vec![]);
    assert_eq!((stopped.certificates.len(), stopped.group, stopped.done), (2, None, false));
    assert_eq!((stopped.alert, &stopped.broken), (None, &None));
    let alerted = follow(record(ALERT, 0x0303, &[2, 80]));
    assert_eq!((alerted.certificates.len(), alerted.alert, alerted.done), (2, Some(80), false));
    let closed = follow(record(ALERT, 0x0303, &[1, 0]));
    assert_eq!((closed.certificates.len(), closed.alert, closed.done), (2, None, false));
    let resumed = follow(record(20, 0x0303, &[1]));
    assert_eq!((resumed.certificates.len(), &resumed.broken, resumed.done), (2, &None, false));

    let datagrams = dtls_flight(0);
    let lost = chosen(dtls(Depth::Flight, &[datagrams[0].clone(), datagrams[2].clone()]));
    assert_eq!((lost.group, lost.certificates.len(), lost.done, lost.broken), (Some(29), 0, false, None));
    // A ServerHelloDone behind a gap is no end; what comes whole behind one counts.
    let gap = chosen(dtls(Depth::Flight, &[datagrams[0].clone(), datagrams[2].clone(), datagrams[3].clone()]));
    assert_eq!((gap.group, gap.done, gap.broken), (Some(29), false, None));
    // Half a message is told; one of before the ServerHello is not.
    let half = dtls_record(HANDSHAKE, 0, 1, &fragment(CERTIFICATE, 2, &[0; 9], 0..4));
    let before = dtls_record(HANDSHAKE, 0, 1, &fragment(CERTIFICATE, 0, &[0; 9], 0..4));
    let opened = dtls_flight(1)[0].clone();
    let cut = chosen(dtls(Depth::Flight, &[before.clone(), opened.clone(), half]));
    assert_eq!(cut.broken, Some(Error::Truncated("DTLS handshake message")));
    let whole = chosen(dtls(Depth::Flight, &[before, opened]));
    assert_eq!((whole.done, whole.broken), (false, None));
    let alert = dtls_record(ALERT, 0, 9, &[2, 80]);
    let alerted = chosen(dtls(Depth::Flight, &[datagrams[0].clone(), datagrams[1].clone(), alert]));
    assert_eq!((alerted.certificates.len(), alerted.alert, alerted.done), (2, Some(80), false));
}

#[test]
fn key_exchanges_of_every_shape() {
    let signature = prefixed16(&[9; 10]);
    let named = [&[3, 0, 23][..], &prefixed8(&[4; 65])].concat();
    let prime = [prefixed16(&[0xff; 128]), prefixed16(&[2]), prefixed16(&[3; 128])].concat();
    let hint = prefixed16(b"somebody");
    let signed = |exchange: &[u8], scheme: &[u8]| [exchange, scheme, &signature].concat();
    for (version, suite, exchange, group, bits, scheme) in [
        (0x0303, 0xc02f, signed(&named, &[8, 4]), Some(23), None, Some(0x0804)),
        (0x0302, 0xc013, signed(&named, &[]), Some(23), None, None),
        (0x0303, 0xc018, named.clone(), Some(23), None, None),
        (0x0303, 0xc035, [hint.clone(), named].concat(), Some(23), None, None),
        (0x0303, 0x009e, signed(&prime, &[4, 1]), None, Some(1024), Some(0x0401)),
        (0x0300, 0x0016, signed(&prime, &[]), None, Some(1024), None),
        (0x0303, 0x00a6, prime.clone(), None, Some(1024), None),
        (0x0303, 0x00aa, [hint.clone(), prime].concat(), None, Some(1024), None),
        (0x0303, 0x00a8, hint.clone(), None, None, None),
        (0x0303, 0x00ac, hint, None, None, None),
        (0x0301, 0x0003, [prefixed16(&[7; 64]), prefixed16(&[1, 0, 1]), signature.clone()].concat(), None, None, None),
        (
            0x0303,
            0xc01d,
            [prefixed16(&[7]), prefixed16(&[2]), prefixed8(&[3]), prefixed16(&[4])].concat(),
            None,
            None,
            None,
        ),
        (0x0303, 0xc02f, vec![1, 2, 3], Some(0xff01), None, None), // a curve spelt out
        (0x0303, 0xc02f, vec![2, 2, 3], Some(0xff02), None, None),
        (0x0303, 0xeaea, vec![1, 2, 3], None, None, None), // nobody knows its shape
    ] {
        let found = exchanged(version, suite, &exchange);
        assert_eq!((found.group, found.dh_bits, found.signature_scheme), (group, bits, scheme), "{suite:#06x}");
    }
}

#[test]
fn the_mark_against_downgrades() {
    for (end, marked) in [(*b"DOWNGRD\x00", true), (*b"DOWNGRD\x01", true), (*b"DOWNGRD\x02", false)] {
        let mut random = [0; 32];
        random[24..].copy_from_slice(&end);
        let body = server_hello(0x0302, random, 0x002f, &[]);
        let found = chosen(tls(Depth::Hello, &record(HANDSHAKE, 0x0302, &message(SERVER_HELLO, &body))));
        assert_eq!(found.downgrade_mark(), marked);
    }
}
