//! Datagrams that lie, or are not for us: each is bounded, and told in exact words.

use ringfence_wire::Error;
use ringfence_wire::hello::{Depth, DtlsReader, MAX_DATAGRAMS, MAX_REPLY_BYTES, Reply};

use crate::bad_streams::garbage;
use crate::build::*;
use crate::replies::{chosen, dtls};

/// The longest that a handshake message can claim to be.
const MIB_16: usize = (1 << 24) - 1;

#[test]
fn datagrams_that_are_not_dtls_are_passed_over_and_told_at_the_end() {
    let whole = dtls_flight(0).concat();
    let tail = |body: &[u8]| dtls_record(HANDSHAKE, 0, 0, body);
    let cases: [(Vec<u8>, &str); 14] = [
        (vec![], "ServerHello is missing"),
        (b"\x00\x01\x00\x00\x21\x12\xa4\x42".to_vec(), "DTLS record type is not valid"), // STUN
        (vec![0x80; 172], "DTLS record type is not valid"),                              // RTP
        (vec![22, 3, 3, 0, 1, 0], "DTLS record version is not valid"),
        (vec![22, 0xfe, 0xfd, 0, 0], "DTLS record is cut short"),
        (whole[..60].to_vec(), "DTLS record is cut short"),
        (dtls_record(HANDSHAKE, 0, 0, &vec![0; 16_385]), "DTLS record in bytes is over the limit of 16384"),
        (dtls_record(HANDSHAKE, 1, 0, &[7; 40]), "ServerHello is missing"), // encrypted
        (vec![0x2f; 30], "ServerHello is missing"),                         // encrypted, DTLS 1.3
        (vec![25; 30], "ServerHello is missing"),                           // encrypted, with a connection id
        (dtls_record(ALERT, 0, 0, &[2]), "DTLS alert says 2 bytes, there are 1"),
        (dtls_record(ALERT, 0, 0, &[3, 40]), "alert level is not valid"),
        (tail(&[2, 0, 0]), "DTLS handshake header is cut short"),
        (tail(&fragment(2, 0, &[1; 9], 0..9)[..20]), "DTLS handshake fragment is cut short"),
    ];
    for (datagram, words) in cases {
        let mut reader = DtlsReader::new(Depth::Flight);
        assert_eq!(reader.feed(&datagram), None);
        assert!(reader.heard());
        let mut again = DtlsReader::new(Depth::Flight);
        again.feed(&datagram);
        assert_eq!(garbage(reader.end()), words, "{datagram:x?}");
        // And does no harm: before, behind and within the flight.
        let reply = dtls_flight(0).iter().flat_map(|x| [x, &datagram]).find_map(|x| again.feed(x)).unwrap();
        assert!(chosen(reply).done, "{words}");
    }
    assert_eq!(garbage(DtlsReader::new(Depth::Flight).end()), "DTLS reply is missing");
}

#[test]
fn epochs_and_numbers_of_others_do_not_count() {
    let flight = dtls_flight(0);
    let mut wrong_epoch = flight.clone();
    for datagram in &mut wrong_epoch {
        datagram[4] = 1;
    }
    assert_eq!(garbage(dtls(Depth::Flight, &wrong_epoch)), "ServerHello is missing");
    assert_eq!(garbage(dtls(Depth::Flight, &dtls_flight(64))), "ServerHello is missing");
    assert!(chosen(dtls(Depth::Flight, &dtls_flight(60))).done);
    assert!(!chosen(dtls(Depth::Flight, &dtls_flight(61))).done);
    // Messages behind a gap are not taken for the flight's end.
    let gap = [flight[0].clone(), flight[3].clone(), flight[2].clone()];
    let mut reader = DtlsReader::new(Depth::Flight);
    assert!(gap.iter().all(|datagram| reader.feed(datagram).is_none()));
    assert!(chosen(reader.feed(&flight[1]).unwrap()).done);
}

#[test]
fn dtls_messages_that_lie() {
    let opening = dtls_flight(0)[0].clone();
    let lone = |body: Vec<u8>| dtls_record(HANDSHAKE, 0, 1, &body);
    let huge = lone([&[CERTIFICATE][..], &length24(MIB_16), &[0, 1], &[0; 3], &prefixed24(&[1; 100])].concat());
    let outside = lone([&[CERTIFICATE][..], &length24(50), &[0, 1], &length24(20), &prefixed24(&[1; 31])].concat());
    let twice =
        [lone(fragment(CERTIFICATE, 1, &[1; 50], 0..30)), lone(fragment(CERTIFICATE, 1, &[2; 50], 29..50))].concat();
    let lengths =
        [lone(fragment(CERTIFICATE, 1, &[1; 50], 0..30)), lone(fragment(CERTIFICATE, 1, &[1; 51], 30..51))].concat();
    let types = [lone(fragment(CERTIFICATE, 1, &[1; 50], 0..30)), lone(fragment(12, 1, &[1; 50], 30..50))].concat();
    for (datagram, words) in [
        (huge, "Certificate message in bytes is over the limit of 262144"),
        (outside, "DTLS fragment offset is not valid"),
        (twice, "DTLS handshake fragment is given twice with different values"),
        (lengths, "DTLS handshake message length is given twice with different values"),
        (types, "DTLS handshake message type is given twice with different values"),
    ] {
        // Whether it comes behind the ServerHello or before.
        for datagrams in [[opening.clone(), datagram.clone()], [datagram.clone(), opening.clone()]] {
            let found = chosen(dtls(Depth::Flight, &datagrams));
            assert_eq!((found.suite, found.broken.map(|x| x.to_string()).as_deref()), (0xc02b, Some(words)));
            // Who wants no more than the ServerHello does not even look.
            assert_eq!(chosen(dtls(Depth::Hello, &datagrams)).broken, None);
        }
        assert_eq!(garbage(dtls(Depth::Flight, &[datagram])), words);
    }
    // A ServerHello that cannot be read is not waited for.
    let huge = lone([&[SERVER_HELLO][..], &length24(MIB_16), &[0, 0], &[0; 3], &prefixed24(&[1; 100])].concat());
    let reply = DtlsReader::new(Depth::Hello).feed(&huge).unwrap();
    assert_eq!(garbage(reply), "handshake message in bytes is over the limit of 65536");
    let twice = [fragment(SERVER_HELLO, 0, &[1; 50], 0..30), fragment(SERVER_HELLO, 0, &[2; 50], 20..40)].concat();
    let reply = DtlsReader::new(Depth::Hello).feed(&lone(twice)).unwrap();
    assert_eq!(garbage(reply), "DTLS handshake fragment is given twice with different values");
    let half = lone(fragment(SERVER_HELLO, 0, &[1; 50], 0..30));
    assert_eq!(garbage(dtls(Depth::Hello, &[half])), "DTLS handshake message is cut short");
}

#[test]
fn late_copies_of_what_counted_change_nothing() {
    let flight = dtls_flight(1);
    let other = server_hello(0xfefd, [0x22; 32], 0xc02f, &[]);
    let huge = [&[CERTIFICATE, 4, 0, 0, 0, 1, 0, 0, 0][..], &prefixed24(&[1])].concat();
    let late = [
        dtls_record(HANDSHAKE, 0, 7, &fragment(SERVER_HELLO, 1, &other, 0..other.len())),
        dtls_record(HANDSHAKE, 0, 7, &fragment(SERVER_HELLO, 0, &other, 0..9)),
        dtls_record(HANDSHAKE, 0, 7, &fragment(SERVER_HELLO, 0, &other[1..], 0..9)),
        dtls_record(HANDSHAKE, 0, 7, &huge),
    ];
    let mut reader = DtlsReader::new(Depth::Flight);
    assert_eq!(reader.feed(&flight[0]), None);
    assert!((0..100).all(|_| late.iter().all(|datagram| reader.feed(datagram).is_none())));
    let found = flight[1..].iter().find_map(|datagram| reader.feed(datagram));
    assert_eq!(found, Some(dtls(Depth::Flight, &flight)));
}

#[test]
fn depth_hello_keeps_no_other_message() {
    let mut reader = DtlsReader::new(Depth::Hello);
    for sequence in 1..60 {
        let begun = [&[CERTIFICATE, 4, 0, 0, 0, sequence, 0, 0, 0][..], &prefixed24(&[1])].concat();
        assert_eq!(reader.feed(&dtls_record(HANDSHAKE, 0, 0, &begun)), None);
    }
    assert_eq!(chosen(reader.feed(&dtls_flight(0)[0]).unwrap()).suite, 0xc02b);
}

#[test]
fn floods_of_datagrams() {
    let flood = |datagram: &dyn Fn(usize) -> Vec<u8>| {
        let mut reader = DtlsReader::new(Depth::Flight);
        garbage((0..2 * MAX_DATAGRAMS).find_map(|i| reader.feed(&datagram(i))).expect("a bound"))
    };
    let many = "number of DTLS datagrams is over the limit of 1024";
    assert_eq!(flood(&|_| vec![0]), many);
    assert_eq!(flood(&|_| vec![]), many);
    assert_eq!(flood(&|_| dtls_record(23, 0, 0, &[0; 16])), many);
    assert_eq!(flood(&|_| dtls_record(HANDSHAKE, 0, 0, &fragment(2, 0, &[9; 900], 0..1))), many);
    assert_eq!(flood(&|_| vec![0; 60_000]), format!("DTLS reply in bytes is over the limit of {MAX_REPLY_BYTES}"));
    let warning = dtls_record(ALERT, 0, 0, &[1, 90]);
    assert_eq!(flood(&|_| warning.clone()), "number of warning alerts is over the limit of 16");
    let pieces: Vec<u8> = (0..200).flat_map(|i| fragment(2, 0, &[9; 900], 2 * i..2 * i + 1)).collect();
    assert_eq!(flood(&|_| dtls_record(HANDSHAKE, 0, 0, &pieces)), "number of DTLS fragments is over the limit of 4096");
    // Each begins one more message of a quarter of a MiB.
    let begins = |i: usize| [&[CERTIFICATE, 4, 0, 0, 0, i as u8, 0, 0, 0][..], &prefixed24(&[1])].concat();
    let words = format!("DTLS handshake messages in bytes is over the limit of {MAX_REPLY_BYTES}");
    assert_eq!(flood(&|i| dtls_record(HANDSHAKE, 0, 0, &begins(i % 64))), words);
    // A loop of HelloVerifyRequests ends as well.
    let verify = dtls_record(HANDSHAKE, 0, 0, &fragment(3, 0, &[0xfe, 0xff, 1, 7], 0..4));
    let mut reader = DtlsReader::new(Depth::Flight);
    let replies: Vec<Reply> = (0..2 * MAX_DATAGRAMS).map_while(|_| reader.feed(&verify)).collect();
    assert_eq!(replies.len(), MAX_DATAGRAMS + 1);
    let limit = Error::TooLarge { field: "number of DTLS datagrams", limit: MAX_DATAGRAMS };
    assert_eq!(replies.last(), Some(&Reply::Garbage(limit)));
}
