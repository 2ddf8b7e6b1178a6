//! Bad input over UDP: whatever comes, and wherever from, there is an end, what it says is exact, and nothing of it is taken
//! for a refusal or for an acceptance that it is not.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use ringfence_client::hello::{Bounds, List, Report, Verdict, Wanted};
use ringfence_wire::hello::{ClientHello, Extension, ServerFlight, Version};
use tokio::net::UdpSocket;

use super::servers::{PATIENT, dtls};

/// What says nothing is left after this; the cases wait for it together.
const IMPATIENT: Bounds = Bounds { answer: Duration::from_secs(1), at_once: 3 };
const CURVE: [u16; 2] = [23, 29];
const SUITE: u16 = 0xc02b;
const PROFILE: u16 = 7;

/// Answers the datagrams of each hello with these, of which some may come from another port.
async fn serve(answer: impl Fn(&ClientHello, u16) -> Vec<(From, Vec<u8>)> + Send + 'static) -> SocketAddr {
    let (own, other) = (UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.2:0").await.unwrap());
    let address = own.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = vec![0; 4096];
        while let Ok((count, from)) = own.recv_from(&mut buffer).await {
            let Ok((hello, sequence)) = ClientHello::from_datagram(&buffer[..count]) else { continue };
            for (by, datagram) in answer(&hello, sequence) {
                let socket = if by == From::Own { &own } else { &other };
                let _ = socket.send_to(&datagram, from).await;
                tokio::task::yield_now().await; // or a flood is more than the buffer of one socket holds
            }
        }
    });
    address
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Own,
    Other,
}

fn own(datagrams: Vec<Vec<u8>>) -> Vec<(From, Vec<u8>)> {
    datagrams.into_iter().map(|datagram| (From::Own, datagram)).collect()
}

fn record(kind: u8, epoch: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 1][..], &length, body].concat()
}

/// A handshake message in one fragment that says what it likes of lengths.
fn message(kind: u8, sequence: u8, [stated, offset, piece]: [u32; 3], body: &[u8]) -> Vec<u8> {
    let u24 = |number: u32| number.to_be_bytes()[1..].to_vec();
    let header = [&[kind][..], &u24(stated), &[0, sequence], &u24(offset), &u24(piece)].concat();
    record(22, 0, &[&header, body].concat())
}

fn alert(level: u8, code: u8) -> Vec<u8> {
    record(21, 0, &[level, code])
}

fn verify_request(cookie: &[u8]) -> Vec<u8> {
    let body = [&[0xfe, 0xff, u8::try_from(cookie.len()).unwrap()][..], cookie].concat();
    let length = u32::try_from(body.len()).unwrap();
    message(3, 0, [length, 0, length], &body)
}

/// The ServerKeyExchange of a group with a point and a signature that nobody checks.
fn key_exchange(group: u16) -> Vec<u8> {
    [&[3][..], &group.to_be_bytes(), &[4, 1, 2, 3, 4], &0x0403u16.to_be_bytes(), &[0, 3, 9, 9, 9]].concat()
}

/// What a server of DTLS 1.2 with one suite, two groups and one profile answers.
fn decent(hello: &ClientHello, fragment: usize) -> Vec<Vec<u8>> {
    let list = |kind: u16| hello.extensions.iter().find(|extension| extension.kind == kind).map(|it| it.data.clone());
    let offers =
        |kind, code: u16| list(kind).is_some_and(|data| data[2..].chunks(2).any(|pair| pair == code.to_be_bytes()));
    let group = CURVE.into_iter().find(|group| offers(Extension::SUPPORTED_GROUPS, *group));
    let fits = hello.version == Version::DTLS12
        && hello.suites.contains(&SUITE)
        && offers(Extension::SIGNATURE_ALGORITHMS, 0x0403);
    let Some(group) = group.filter(|_| fits) else { return vec![alert(2, 40)] };
    let mut flight = ServerFlight::new(Version::DTLS12, [9; 32], SUITE);
    flight.certificates = vec![vec![0x30; 700]];
    flight.key_exchange = Some(key_exchange(group));
    if offers(Extension::USE_SRTP, PROFILE) {
        flight.extensions.push(Extension::use_srtp(&[PROFILE]).unwrap());
    }
    flight.to_dtls(0, 0, fragment).unwrap()
}

#[track_caller]
fn unknown(report: &Report, reason: &str, hellos: u32) {
    for (version, findings) in &report.versions {
        assert_eq!(findings.verdict, Verdict::Unknown, "{version:?}: {findings:?}");
        let [unknown] = findings.unknown.as_slice() else { panic!("{version:?}: {findings:?}") };
        assert_eq!((unknown.list, unknown.reason.as_str()), (List::Suites, reason), "{version:?}");
        assert_eq!(findings.hellos_sent, hellos, "{version:?}");
    }
    assert_eq!(report.versions.len(), 3);
}

#[track_caller]
fn as_it_is(report: &Report) {
    assert_eq!(report.unknown().collect::<Vec<_>>(), [], "{report:?}");
    let found: Vec<_> = report.accepted().collect();
    let [(Version::DTLS12, findings)] = found[..] else { panic!("{report:?}") };
    assert_eq!((findings.suites.as_slice(), findings.groups.as_slice()), (&[SUITE][..], &CURVE[..]));
    assert_eq!((findings.profiles.as_slice(), findings.signature_schemes.as_slice()), (&[PROFILE][..], &[0x0403][..]));
}

/// The control of all the others.
#[tokio::test]
async fn a_decent_answer_in_any_pieces_and_order() {
    for fragment in [5, 64, 1400] {
        let address = serve(move |hello, _| own(decent(hello, fragment))).await;
        as_it_is(&dtls(address, Wanted::ALL, PATIENT).await);
        let address = serve(move |hello, _| {
            let mut datagrams = decent(hello, fragment);
            datagrams.extend(datagrams.clone());
            datagrams.reverse();
            own(datagrams)
        })
        .await;
        as_it_is(&dtls(address, Wanted::ALL, PATIENT).await);
    }
    // Between records that say nothing: not DTLS, of another epoch, encrypted, a ChangeCipherSpec.
    let address = serve(|hello, _| {
        let noise = [
            b"\x80\x60RTP".to_vec(),
            record(22, 1, &[2; 40]),
            vec![0x2f; 90],
            record(20, 0, &[1]),
            record(23, 0, &[0; 9]),
        ];
        let between = decent(hello, 300).into_iter().flat_map(|datagram| noise.iter().cloned().chain([datagram]));
        own(between.collect())
    })
    .await;
    as_it_is(&dtls(address, Wanted::ALL, PATIENT).await);
}

#[tokio::test]
async fn what_is_no_answer_leaves_everything_unknown() {
    let not = |what: &str| format!("no answer that can be read: {what}");
    let mut cases = Vec::new();
    for (datagrams, reason) in [
        (vec![], "no answer".to_owned()),
        (vec![vec![]], "no answer".to_owned()),
        (vec![b"\x80\x60RTP is no handshake".to_vec()], not("DTLS record type is not valid")),
        (vec![b"\x00\x01\x00\x00STUN".to_vec()], not("DTLS record type is not valid")),
        (vec![vec![22, 3, 3, 0, 1, 0]], not("DTLS record version is not valid")),
        (vec![vec![22, 0xfe, 0xfd, 0, 0]], not("DTLS record is cut short")),
        (vec![[&record(22, 0, &[])[..11], &[0xff, 0xff, 1, 2]].concat()], not("DTLS record is cut short")),
        (vec![record(22, 0, &[2, 0, 0])], not("DTLS handshake header is cut short")),
        (vec![message(2, 0, [80, 0, 80], &[3; 9])], not("DTLS handshake fragment is cut short")),
        (vec![message(2, 0, [80, 0, 9], &[3; 9])], not("DTLS handshake message is cut short")),
        (vec![message(2, 0, [9, 7, 9], &[3; 9])], not("DTLS fragment offset is not valid")),
        (vec![message(2, 0, [9, 0xff_fff0, 9], &[3; 9])], not("DTLS fragment offset is not valid")),
        (vec![message(2, 0, [9, 0, 9], &[3; 9])], not("ServerHello version is not valid")),
        (vec![message(2, 0, [0xff_ffff, 0, 9], &[3; 9])], not("handshake message in bytes is over the limit of 65536")),
        (
            vec![message(2, 0, [90, 0, 9], &[3; 9]), message(2, 0, [91, 9, 9], &[3; 9])],
            not("DTLS handshake message length is given twice with different values"),
        ),
        (
            vec![message(2, 0, [90, 0, 9], &[3; 9]), message(2, 0, [90, 5, 9], &[4; 9])],
            not("DTLS handshake fragment is given twice with different values"),
        ),
        (
            vec![message(3, 0, [9, 0, 9], &[0xfe, 0xfd, 200, 1, 1, 1, 1, 1, 1])],
            not("HelloVerifyRequest cookie is cut short"),
        ),
        // Of another epoch, encrypted, or of no use.
        (vec![record(22, 1, &[2; 40])], not("ServerHello is missing")),
        (vec![vec![0x2f; 200]], not("ServerHello is missing")),
        (vec![record(20, 0, &[1])], not("ServerHello is missing")),
        // Alerts that are none, and those that refuse nothing.
        (vec![record(21, 0, &[2])], not("DTLS alert says 2 bytes, there are 1")),
        (vec![alert(3, 40)], not("alert level is not valid")),
        (vec![alert(1, 41)], "no answer but a warning alert".to_owned()),
        (vec![alert(1, 100); 40], not("number of warning alerts is over the limit of 16")),
        (vec![alert(2, 90)], "the server refuses for something else than what is offered".to_owned()),
        // More of it than anybody means.
        (vec![record(22, 1, &[2; 10]); 3000], not("number of DTLS datagrams is over the limit of 1024")),
        (vec![vec![0x2f; 60_000]; 40], not("DTLS reply in bytes is over the limit of 1048576")),
    ] {
        println!("{} of {:02x?}: {reason}", datagrams.len(), datagrams.first().map(|it| &it[..it.len().min(30)]));
        let flood = datagrams.len() > 1000 || datagrams.iter().any(|datagram| datagram.len() > 10_000);
        let address = serve(move |_, _| own(datagrams.clone())).await;
        if flood {
            unknown(&dtls(address, Wanted::ALL, PATIENT).await, &reason, 3);
        } else {
            cases.push(async move { unknown(&dtls(address, Wanted::ALL, IMPATIENT).await, &reason, 3) });
        }
    }
    join_all(cases).await;
}

#[tokio::test]
async fn loops_of_cookies() {
    // Another one each time, of any length; the reply is sent three times for each hello.
    for length in [1, 32, 255] {
        let address = serve(move |hello, sequence| {
            let first = hello.cookie.first().map_or(0, |byte| byte + 1);
            assert_eq!(hello.cookie.is_empty(), sequence == 0);
            own(vec![verify_request(&vec![first; length]); 3])
        })
        .await;
        unknown(&dtls(address, Wanted::ALL, IMPATIENT).await, "the server wants one cookie after the other", 4);
    }
    // The one that it was sent just now.
    let address = serve(|_, _| own(vec![verify_request(b"always the same"); 2])).await;
    let again = "the server wants the cookie again that it was sent";
    unknown(&dtls(address, Wanted::ALL, IMPATIENT).await, again, 6);
    // None at all.
    let address = serve(|_, _| own(vec![verify_request(b"")])).await;
    unknown(&dtls(address, Wanted::ALL, IMPATIENT).await, again, 6);
    // A cookie, and silence behind it.
    let address =
        serve(|hello, _| if hello.cookie.is_empty() { own(vec![verify_request(b"x")]) } else { Vec::new() }).await;
    unknown(&dtls(address, Wanted::ALL, IMPATIENT).await, "no answer", 6);
    // The control: one cookie, doubled on the way, and an answer to the hello that brings it. It refuses what comes twice.
    let address = serve(|hello, sequence| match sequence {
        0 => own(vec![verify_request(b"once"); 2]),
        1 => own([vec![verify_request(b"once")], decent(hello, 1400)].concat()),
        _ => own(vec![alert(2, 10)]),
    })
    .await;
    let report = dtls(address, Wanted::ALL, PATIENT).await;
    as_it_is(&report);
    assert!(report.versions.iter().all(|(_, findings)| findings.hellos_sent == 2 * findings.offers), "{report:?}");
}

#[tokio::test]
async fn answers_from_another_address_are_nobodys() {
    let accepts_all = |hello: &ClientHello| {
        let mut flight = ServerFlight::new(hello.version, [9; 32], hello.suites[0]);
        flight.key_exchange = None;
        flight.to_dtls(0, 0, 1400).unwrap()
    };
    // Only strangers answer.
    for forged in [vec![alert(2, 40)], vec![]] {
        let address = serve(move |hello, _| {
            let forged = if forged.is_empty() { accepts_all(hello) } else { forged.clone() };
            forged.into_iter().map(|datagram| (From::Other, datagram)).collect()
        })
        .await;
        unknown(&dtls(address, Wanted::ALL, IMPATIENT).await, "no answer", 3);
    }
    // Strangers are first.
    let address = serve(move |hello, _| {
        let forged = [vec![alert(2, 40)], accepts_all(hello), vec![verify_request(b"forged")]].concat();
        let forged = forged.into_iter().map(|datagram| (From::Other, datagram));
        forged.chain(own(decent(hello, 1400))).collect()
    })
    .await;
    as_it_is(&dtls(address, Wanted::ALL, PATIENT).await);
    // Nobody is there at all: the system says so, and that is no refusal of a server.
    let nobody = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let report = dtls(nobody, Wanted::ALL, IMPATIENT).await;
    assert!(report.versions.iter().all(|(_, findings)| findings.verdict == Verdict::Unknown));
    assert!(report.unknown().all(|(_, it)| it.reason.starts_with("cannot receive: Connection refused")), "{report:?}");
}

#[tokio::test]
async fn flights_that_break_off_or_lie() {
    let mut cases = Vec::new();
    // A certificate of 16 MB, announced; one that conflicts; none of what should follow the hello.
    for (tail, reason) in [
        (
            vec![message(11, 1, [0xff_ffff, 0, 9], &[0; 9])],
            "the answer broke off: Certificate message in bytes is over the limit of 262144",
        ),
        (
            vec![message(11, 1, [90, 0, 9], &[0; 9]), message(11, 1, [90, 0, 9], &[1; 9])],
            "the answer broke off: DTLS handshake fragment is given twice with different values",
        ),
        (vec![message(11, 1, [90, 0, 9], &[0; 9])], "the answer broke off: DTLS handshake message is cut short"),
        (
            vec![message(77, 1, [2, 0, 2], &[0; 2])],
            "the answer broke off: handshake message after ServerHello is not valid",
        ),
        (vec![], "the answer broke off"),
    ] {
        let address = serve(move |hello, _| {
            let mut datagrams = decent(hello, 1400);
            if datagrams.len() > 1 {
                datagrams.truncate(1);
                datagrams.extend(tail.clone());
            }
            own(datagrams)
        })
        .await;
        cases.push(async move {
            let report = dtls(address, Wanted::ALL, IMPATIENT).await;
            let findings = report.of(Version::DTLS12).unwrap();
            assert_eq!(
                (findings.verdict, findings.suites.as_slice()),
                (Verdict::Accepted, &[SUITE][..]),
                "{findings:?}"
            );
            for list in [List::Groups, List::SignatureSchemes] {
                let unknown = findings.unknown.iter().find(|unknown| unknown.list == list);
                assert_eq!(unknown.map(|unknown| unknown.reason.as_str()), Some(reason), "{list:?}");
            }
            assert!(findings.groups.is_empty() && findings.hellos_sent < 20, "{findings:?}");
        });
    }
    join_all(cases).await;
    // An alert behind the ServerHello takes it back.
    let address = serve(|hello, _| {
        own(if decent(hello, 1400).len() > 1 {
            vec![decent(hello, 1400).remove(0), alert(2, 40)]
        } else {
            vec![alert(2, 40)]
        })
    })
    .await;
    let report = dtls(address, Wanted::ALL, IMPATIENT).await;
    assert_eq!(report.of(Version::DTLS12).unwrap().verdict, Verdict::Refused(Some(40)), "{report:?}");
}
