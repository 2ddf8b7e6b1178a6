//! Messages and streams that lie: each is bounded, and told in exact words.

use ringfence_wire::hello::{Depth, DtlsReader, MAX_CERTIFICATE_MESSAGE_BYTES, MAX_REPLY_BYTES, Reply, TlsReader};

use crate::build::*;
use crate::replies::{RETRY, chosen, dtls, tls};

#[track_caller]
pub fn garbage(reply: Reply) -> String {
    let Reply::Garbage(error) = reply else { panic!("{reply:?}") };
    error.to_string()
}

/// What stopped the flight behind a ServerHello for `suite`, over TLS 1.2.
fn broken_by(suite: u16, messages: &[Vec<u8>]) -> String {
    let hello = message(SERVER_HELLO, &server_hello(0x0303, [1; 32], suite, &[]));
    let stream = record(HANDSHAKE, 0x0303, &[hello, messages.concat()].concat());
    chosen(tls(Depth::Flight, &stream)).broken.expect("broken").to_string()
}

#[test]
fn streams_that_are_not_tls() {
    for (stream, words) in [
        (&b""[..], "TLS reply is missing"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "TLS record type is not valid"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "TLS record type is not valid"),
        (&[0x80, 0x2e, 1, 0, 2, 0, 0x15], "TLS record type is not valid"), // SSL 2.0
        (&[23, 3, 3, 0, 1, 0], "TLS record type is not valid"),
        (&[22, 5, 3, 0, 1, 0], "TLS record version is not valid"),
        (&[22, 0xfe, 0xfd, 0, 1, 0], "TLS record version is not valid"),
        (&[22, 3, 3, 0x40, 1], "TLS record in bytes is over the limit of 16384"),
        (&[22, 3, 3, 0, 0], "TLS record length is not valid"),
        (&[21, 3, 3, 0, 0], "TLS record length is not valid"),
        (&[22, 3, 3, 0], "TLS record is cut short"),
        (&[22, 3, 3, 0x40, 0, 2], "TLS record is cut short"),
        (&[22, 3, 3, 0, 3, 2, 0, 0], "TLS handshake message is cut short"),
        (&[22, 3, 3, 0, 4, 2, 0, 0, 1], "TLS handshake message is cut short"),
        (&[21, 3, 3, 0, 1, 2], "TLS alert is cut short"),
        (&[21, 3, 3, 0, 2, 3, 40], "alert level is not valid"),
        (&[20, 3, 3, 0, 1, 1], "ServerHello is missing"),
        (&[22, 3, 3, 0, 4, 14, 0, 0, 0], "handshake message before ServerHello is not valid"),
        (&[22, 3, 3, 0, 4, 3, 0, 0, 0], "handshake message before ServerHello is not valid"), // DTLS only
        (&[22, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff], "handshake message in bytes is over the limit of 65536"),
    ] {
        assert_eq!(garbage(tls(Depth::Flight, stream)), words, "{stream:x?}");
    }
}

#[test]
fn server_hellos_that_lie() {
    let good = server_hello(0x0303, [1; 32], 0xc02b, &[extension(23, &[])]);
    let with = |extensions: &[Vec<u8>]| server_hello(0x0303, [1; 32], 0xc02b, extensions);
    let changed = |at: usize, value: u8| {
        let mut body = good.clone();
        body[at] = value;
        body
    };
    let retry = |extensions: &[Vec<u8>]| server_hello(0x0303, RETRY, 0x1301, extensions);
    for (body, words) in [
        (vec![], "ServerHello version is cut short"),
        (good[..20].to_vec(), "ServerHello random is cut short"),
        (good[..34].to_vec(), "ServerHello session id is cut short"),
        (changed(34, 33), "ServerHello session id in bytes is over the limit of 32"),
        (good[..40].to_vec(), "ServerHello suite is cut short"),
        (good[..41].to_vec(), "ServerHello compression method is cut short"),
        (good[..43].to_vec(), "ServerHello extensions is cut short"),
        (changed(0, 2), "ServerHello version is not valid"),
        (changed(43, 5), "ServerHello extensions says 5 bytes, there are 4"),
        (changed(43, 3), "ServerHello extensions says 3 bytes, there are 4"),
        (changed(47, 1), "ServerHello extensions is cut short"),
        (with(&vec![extension(0, &[]); 65]), "number of extensions is over the limit of 64"),
        (with(&[extension(43, &[3])]), "supported_versions of ServerHello is cut short"),
        (with(&[extension(43, &[2, 3, 4])]), "supported_versions of ServerHello is not valid"),
        (with(&[extension(43, &[0xfe, 0xfc])]), "supported_versions of ServerHello is not valid"),
        (with(&[extension(43, &[3, 4]), extension(51, &[0, 29])]), "key_share of ServerHello is cut short"),
        (with(&[extension(14, &[0, 4, 0, 1, 0, 2, 0])]), "number of profiles in use_srtp of ServerHello is not valid"),
        (with(&[extension(14, &[0, 2, 0, 1])]), "MKI in use_srtp of ServerHello is cut short"),
        (with(&[extension(14, &[0, 2, 0, 1, 0, 0])]), "use_srtp of ServerHello is not valid"),
        (retry(&[]), "supported_versions of HelloRetryRequest is missing"),
        (retry(&[extension(43, &[3, 4]), extension(51, &[0, 29, 0, 0])]), "key_share of ServerHello is not valid"),
    ] {
        let stream = record(HANDSHAKE, 0x0303, &message(SERVER_HELLO, &body));
        assert_eq!(garbage(tls(Depth::Hello, &stream)), words, "{body:x?}");
    }
    // Of the other family.
    let other = fragment(SERVER_HELLO, 0, &good, 0..good.len());
    assert_eq!(garbage(dtls(Depth::Hello, &[dtls_record(22, 0, 0, &other)])), "ServerHello version is not valid");
    let verify = fragment(3, 0, &[0xfe, 0xff, 9, 1], 0..4);
    assert_eq!(
        garbage(dtls(Depth::Hello, &[dtls_record(22, 0, 0, &verify)])),
        "HelloVerifyRequest cookie is cut short"
    );
}

#[test]
fn flights_that_lie() {
    let exchange = |body: &[u8]| message(SERVER_KEY_EXCHANGE, body);
    let good = curve_exchange(23, 0x0403);
    let prime = |prime: &[u8]| exchange(&[prefixed16(prime), prefixed16(&[2]), prefixed16(&[3])].concat());
    for (suite, messages, words) in [
        (0xc02b, vec![vec![CERTIFICATE, 0xff, 0xff, 0xff]], "Certificate message in bytes is over the limit of 262144"),
        (0xc02b, vec![vec![22, 0xff, 0xff, 0xff]], "CertificateStatus message in bytes is over the limit of 262144"),
        (0xc02b, vec![message(CERTIFICATE, &[0, 0])], "Certificate list is cut short"),
        (0xc02b, vec![message(CERTIFICATE, &[0, 0, 9, 0])], "Certificate list is cut short"),
        (0xc02b, vec![message(CERTIFICATE, &[0, 0, 0, 0])], "Certificate message is not valid"),
        (0xc02b, vec![message(CERTIFICATE, &[0, 0, 4, 0, 0, 2, 1])], "certificate is cut short"),
        (0xc02b, vec![message(CERTIFICATE, &[0, 0, 3, 0, 0, 0])], "certificate is missing"),
        (
            0xc02b,
            vec![message(CERTIFICATE, &certificates(&[&[1][..]; 65]))],
            "number of certificates is over the limit of 64",
        ),
        (0xc02b, vec![message(22, &[1, 0, 0, 9])], "OCSPResponse is cut short"),
        (0xc02b, vec![message(22, &[1, 0, 0, 1, 7, 7])], "CertificateStatus is not valid"),
        (0xc02b, vec![exchange(&[])], "EC curve type is cut short"),
        (0xc02b, vec![exchange(&[4])], "EC curve type is not valid"),
        (0xc02b, vec![exchange(&good[..30])], "EC point is cut short"),
        (0xc02b, vec![exchange(&good[..70])], "ServerKeyExchange signature scheme is cut short"),
        (0xc02b, vec![exchange(&good[..90])], "ServerKeyExchange signature is cut short"),
        (0xc02b, vec![exchange(&[good, vec![0]].concat())], "ServerKeyExchange is not valid"),
        (0x009c, vec![exchange(&[0, 0])], "ServerKeyExchange of a suite that has none is not valid"),
        (0x00a6, vec![prime(&[])], "DH prime is not valid"),
        (0x00a6, vec![prime(&[0; 4])], "DH prime is not valid"),
        (0x00a6, vec![prime(&[0xff; 9000])], "DH prime in bits is over the limit of 65535"),
        (0xc02b, vec![message(SERVER_HELLO_DONE, &[0])], "ServerHelloDone is not valid"),
        (0xc02b, vec![message(20, &[0; 12])], "handshake message after ServerHello is not valid"),
        (0xc02b, vec![message(SERVER_HELLO, &[])], "handshake message after ServerHello is not valid"),
        (0xc02b, vec![vec![CERTIFICATE, 0, 0]], "TLS handshake message is cut short"),
    ] {
        assert_eq!(broken_by(suite, &messages), words, "{messages:x?}");
    }
}

/// Feeds the same again and again until there is a reply, which has to come in so many bytes.
fn endless(mut reader: TlsReader, record: &[u8]) -> Reply {
    let most = 2 * MAX_REPLY_BYTES / record.len();
    (0..most).find_map(|_| reader.feed(record)).expect("a bound")
}

#[test]
fn streams_without_end() {
    let over = format!("TLS reply in bytes is over the limit of {MAX_REPLY_BYTES}");
    for endless_record in [
        record(20, 0x0303, &[1]),                    // ChangeCipherSpec
        record(HANDSHAKE, 0x0303, &message(0, &[])), // HelloRequest
        record(HANDSHAKE, 0x0303, &[0; 16_384]),
        record(HANDSHAKE, 0x0303, &message(0, &[1; 9])),
    ] {
        assert_eq!(garbage(endless(TlsReader::new(Depth::Flight), &endless_record)), over);
    }
    let flood = endless(TlsReader::new(Depth::Flight), &record(ALERT, 0x0303, &[1, 90]));
    assert_eq!(garbage(flood), "number of warning alerts is over the limit of 16");
    // Behind a ServerHello that is known.
    for (again, words) in [
        (record(HANDSHAKE, 0x0303, &message(0, &[])), over.as_str()),
        (record(HANDSHAKE, 0x0303, &message(CERTIFICATE, &certificates(&[&[1; 9000]]))), over.as_str()),
        (record(ALERT, 0x0303, &[1, 90]), "number of warning alerts is over the limit of 16"),
    ] {
        let mut reader = TlsReader::new(Depth::Flight);
        let opening = message(SERVER_HELLO, &server_hello(0x0303, [1; 32], 0xc02b, &[]));
        assert_eq!(reader.feed(&record(HANDSHAKE, 0x0303, &opening)), None);
        let found = chosen(endless(reader, &again));
        assert_eq!((found.suite, found.broken.map(|x| x.to_string()).as_deref()), (0xc02b, Some(words)));
    }
}

#[test]
fn certificates_up_to_the_limit_are_read() {
    let long = certificates(&[&vec![0x30; MAX_CERTIFICATE_MESSAGE_BYTES - 6]]);
    assert_eq!(long.len(), MAX_CERTIFICATE_MESSAGE_BYTES);
    let opening = message(SERVER_HELLO, &server_hello(0x0303, [1; 32], 0x009c, &[]));
    let messages = [opening, message(CERTIFICATE, &long), message(SERVER_HELLO_DONE, &[])].concat();
    let stream: Vec<u8> = messages.chunks(16_384).flat_map(|x| record(HANDSHAKE, 0x0303, x)).collect();
    let found = chosen(tls(Depth::Flight, &stream));
    assert!(found.done && found.certificates[0].len() == MAX_CERTIFICATE_MESSAGE_BYTES - 6);
}

#[test]
fn nothing_is_read_after_a_reply() {
    let mut reader = TlsReader::new(Depth::Hello);
    assert!(reader.feed(&[tls_flight(), tls_flight()].concat()).is_some());
    assert_eq!((reader.feed(&tls_flight()), reader.heard()), (None, true));
    let mut reader = DtlsReader::new(Depth::Hello);
    let datagrams = dtls_flight(0);
    assert!(reader.feed(&datagrams[0]).is_some());
    assert_eq!((reader.feed(&datagrams[0]), reader.heard()), (None, true));
    assert!(!TlsReader::new(Depth::Hello).heard() && !DtlsReader::new(Depth::Hello).heard());
}
