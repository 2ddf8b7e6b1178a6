//! Bad input over TCP: whatever comes, there is an end, what it says is exact, and nothing of it is taken for a refusal or for
//! an acceptance that it is not.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use ringfence_client::hello::{Bounds, List, Report, Verdict, Wanted};
use ringfence_wire::hello::{ClientHello, Extension, ServerFlight, Version};

use super::scripted::{End, record, serve};
use super::servers::{PATIENT, tls};

/// What hangs is left after this; the cases wait for it together.
const IMPATIENT: Bounds = Bounds { answer: Duration::from_secs(1), at_once: 5 };
const VERSIONS: usize = 5;
/// More than one answer may make us read, with what the kernel keeps on both sides.
const MOST: u64 = 24 << 20;
const HANDSHAKE_FAILURE: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

/// A flight that chooses this suite in the version that was asked for.
fn flight(hello: &ClientHello, suite: u16) -> ServerFlight {
    let mut flight = ServerFlight::new(hello.version, [9; 32], suite);
    flight.session_id.clone_from(&hello.session_id);
    flight
}

/// A server of TLS 1.2 as it should be, with one suite of static RSA.
fn decent(hello: &ClientHello) -> Vec<u8> {
    const SUITE: u16 = 0x002f;
    if hello.version == Version::TLS12 && hello.suites.contains(&SUITE) {
        flight(hello, SUITE).to_tls().unwrap()
    } else {
        HANDSHAKE_FAILURE.to_vec()
    }
}

/// No version is known; this is why, and three hellos were sent for each.
#[track_caller]
fn unknown(report: &Report, reason: &str) {
    for (version, findings) in &report.versions {
        assert_eq!(findings.verdict, Verdict::Unknown, "{version:?}: {findings:?}");
        let [unknown] = findings.unknown.as_slice() else { panic!("{version:?}: {findings:?}") };
        assert_eq!((unknown.list, unknown.reason.as_str()), (List::Suites, reason), "{version:?}");
        assert_eq!(findings.hellos_sent, 3, "{version:?}");
    }
    assert_eq!(report.versions.len(), VERSIONS);
    assert!(report.suites().next().is_none());
}

#[tokio::test]
async fn what_is_no_answer_leaves_everything_unknown() {
    let mut cases = Vec::new();
    let long = [22, 3, 3, 0x40, 1]; // one byte more than a record may have
    let message = |kind: u8, stated: u32, body: &[u8]| [&[kind][..], &stated.to_be_bytes()[1..], body].concat();
    let cut = "no answer that can be read: TLS record is cut short";
    for (answer, end, reason) in [
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            End::Close,
            "no answer that can be read: TLS record type is not valid",
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), End::Hold, "no answer that can be read: TLS record type is not valid"),
        (vec![22, 9, 9, 0, 4, 0, 0, 0, 0], End::Close, "no answer that can be read: TLS record version is not valid"),
        (vec![22, 3, 3, 0, 0], End::Close, "no answer that can be read: TLS record length is not valid"),
        (long.to_vec(), End::Close, "no answer that can be read: TLS record in bytes is over the limit of 16384"),
        // Cut short, and lying about what follows.
        (vec![22, 3], End::Close, cut),
        (vec![22, 3], End::Half, cut),
        (vec![22, 3, 3, 0, 90, 2, 0, 0], End::Hold, cut),
        (
            record(22, &message(2, 80, &[3, 3])),
            End::Close,
            "no answer that can be read: TLS handshake message is cut short",
        ),
        (
            record(22, &message(2, 2, &[3, 3])),
            End::Close,
            "no answer that can be read: ServerHello random is cut short",
        ),
        (
            record(22, &message(2, 0xff_ffff, &[3, 3])),
            End::Hold,
            "no answer that can be read: handshake message in bytes is over the limit of 65536",
        ),
        (
            record(22, &message(11, 0xff_ffff, &[0; 9])),
            End::Hold,
            "no answer that can be read: Certificate message in bytes is over the limit of 262144",
        ),
        (
            record(22, &message(14, 0, &[])),
            End::Close,
            "no answer that can be read: handshake message before ServerHello is not valid",
        ),
        (
            record(22, &message(3, 5, &[0xfe, 0xff, 2, 1, 1])),
            End::Close,
            "no answer that can be read: handshake message before ServerHello is not valid",
        ),
        (record(21, &[2]), End::Close, "no answer that can be read: TLS alert is cut short"),
        (record(21, &[7, 40]), End::Close, "no answer that can be read: alert level is not valid"),
        (record(21, &[1, 100]), End::Hold, "no answer but a warning alert"),
        (record(20, &[1]), End::Close, "no answer that can be read: ServerHello is missing"),
        (Vec::new(), End::Hold, "no answer"),
    ] {
        let (address, _) = serve(move |_| (answer.clone(), end)).await;
        cases.push(async move { unknown(&tls(address, Wanted::ALL, IMPATIENT).await, reason) });
    }
    join_all(cases).await;
}

#[tokio::test]
async fn what_never_ends_is_left() {
    for (answer, reason) in [
        (record(20, &[1]), "no answer that can be read: TLS reply in bytes is over the limit of 1048576"),
        (record(20, &[1; 16_384]), "no answer that can be read: TLS reply in bytes is over the limit of 1048576"),
        (record(21, &[1, 100]), "no answer that can be read: number of warning alerts is over the limit of 16"),
        (record(22, &[0, 0, 0, 0]), "no answer that can be read: TLS reply in bytes is over the limit of 1048576"),
    ] {
        println!("{:02x?}", &answer[..5]);
        let (address, sent) = serve(move |_| (answer.clone(), End::Endless)).await;
        unknown(&tls(address, Wanted::ALL, PATIENT).await, reason);
        assert!(sent.load(Ordering::Relaxed) < 3 * VERSIONS as u64 * MOST, "{sent:?} bytes");
    }
    // A ServerHello, a byte at a time: what is there after the time counts, which is nothing.
    let (address, _) = serve(|hello| (flight(hello, 0x002f).to_tls().unwrap(), End::Drip)).await;
    let report = tls(address, Wanted::ALL, Bounds { answer: Duration::from_millis(150), ..IMPATIENT }).await;
    unknown(&report, "no answer that can be read: TLS record is cut short");
}

#[tokio::test]
async fn answers_that_nobody_may_give() {
    let not_offered = "the server chose a suite that was not offered";
    let (address, _) = serve(|hello| (flight(hello, 0x5555).to_tls().unwrap(), End::Close)).await;
    unknown(&tls(address, Wanted::ALL, IMPATIENT).await, not_offered);
    // It mirrors what it heard.
    let (address, _) = serve(|hello| (hello.to_tls().unwrap(), End::Hold)).await;
    let mirrored = tls(address, Wanted::ALL, IMPATIENT).await;
    unknown(&mirrored, "no answer that can be read: handshake message before ServerHello is not valid");
    // Fields that are too long, and lists that lie.
    for (field, reason) in [
        (0, "no answer that can be read: ServerHello session id in bytes is over the limit of 32"),
        (1, "no answer that can be read: ServerHello extensions is cut short"),
    ] {
        let (address, _) = serve(move |hello| {
            let mut flight = flight(hello, hello.suites[0]);
            match field {
                0 => flight.session_id = vec![1; 33],
                _ => flight.extensions = vec![Extension::new(99, vec![0; 40])],
            }
            let mut bytes = flight.to_tls().unwrap();
            if field == 1 {
                // The last extension says that it is longer than the message.
                let place = bytes.windows(4).position(|at| at == [0, 99, 0, 40]).unwrap();
                bytes[place + 3] = 200;
            }
            (bytes, End::Close)
        })
        .await;
        let report = tls(address, Wanted::ALL, IMPATIENT).await;
        let findings = report.of(Version::TLS12).unwrap();
        assert_eq!((findings.verdict, findings.unknown[0].reason.as_str()), (Verdict::Unknown, reason));
    }
}

#[tokio::test]
async fn closed_reset_and_refused() {
    // Who closes on everything has refused nothing.
    for end in [End::Close, End::Half, End::Reset] {
        let (address, _) = serve(move |_| (Vec::new(), end)).await;
        let report = tls(address, Wanted::ALL, IMPATIENT).await;
        for (version, findings) in &report.versions {
            // Thrice, and below 1.3 again with few suites.
            let hellos = if version.is_13() { 3 } else { 6 };
            assert_eq!((findings.verdict, findings.hellos_sent), (Verdict::Closed, hellos), "{version:?} {end:?}");
            assert_eq!(findings.unknown[0].reason, "closed without a word");
        }
    }
    // A flood of refusals is one; an alert behind half an answer is one as well.
    for answer in [HANDSHAKE_FAILURE.repeat(100_000), [record(20, &[1]), HANDSHAKE_FAILURE.to_vec()].concat()] {
        let (address, _) = serve(move |_| (answer.clone(), End::Close)).await;
        let report = tls(address, Wanted::ALL, IMPATIENT).await;
        for (version, findings) in &report.versions {
            let hellos = if version.is_13() { 1 } else { 2 };
            assert_eq!((findings.verdict, findings.hellos_sent), (Verdict::Refused(Some(40)), hellos), "{version:?}");
        }
    }
    // One that speaks 1.2 and resets what it does not: refused, since it is alive.
    let (address, _) =
        serve(
            |hello| {
                if hello.version == Version::TLS12 { (decent(hello), End::Close) } else { (Vec::new(), End::Reset) }
            },
        )
        .await;
    let report = tls(address, Wanted::ALL, IMPATIENT).await;
    assert_eq!(report.unknown().collect::<Vec<_>>(), []);
    for (version, findings) in &report.versions {
        let expected = if *version == Version::TLS12 { Verdict::Accepted } else { Verdict::Refused(None) };
        assert_eq!(findings.verdict, expected, "{version:?}");
    }
}

#[tokio::test]
async fn long_hellos_are_refused_and_short_ones_are_not() {
    // As old load balancers do, whatever is in the hello.
    for refusal in [HANDSHAKE_FAILURE.to_vec(), Vec::new()] {
        let (address, _) = serve(move |hello| match hello.suites.len() {
            0..=128 => (decent(hello), End::Close),
            _ => (refusal.clone(), End::Close),
        })
        .await;
        for wanted in [Wanted::ALL, Wanted::VERSIONS] {
            let report = tls(address, wanted, IMPATIENT).await;
            assert_eq!(report.unknown().collect::<Vec<_>>(), []);
            let accepted: Vec<_> = report.suites().collect();
            assert_eq!(accepted, [(Version::TLS12, 0x002f)]);
        }
    }
}

#[tokio::test]
async fn huge_certificates_and_flights_that_never_end() {
    // 16 MB less a little, all of it sent: the suite counts, the chain does not.
    let (address, sent) = serve(|hello| {
        let accepted = [0x002f, 0xc013];
        let Some(suite) = accepted.into_iter().find(|suite| hello.suites.contains(suite)) else {
            return (HANDSHAKE_FAILURE.to_vec(), End::Close);
        };
        let mut flight = flight(hello, suite);
        flight.certificates = vec![vec![0x30; 16_777_000]];
        (flight.to_tls().unwrap(), End::Close)
    })
    .await;
    let report = tls(address, Wanted::ALL, PATIENT).await;
    let findings = report.of(Version::TLS12).unwrap();
    assert_eq!((findings.verdict, findings.suites.as_slice()), (Verdict::Accepted, &[0x002f, 0xc013][..]));
    assert!(findings.chains.is_empty());
    let reason = "the answer broke off: Certificate message in bytes is over the limit of 262144";
    for list in [List::Groups, List::SignatureSchemes] {
        let unknown = findings.unknown.iter().find(|unknown| unknown.list == list);
        assert_eq!(unknown.map(|unknown| unknown.reason.as_str()), Some(reason), "{list:?}");
    }
    assert!(findings.hellos_sent < 12, "{findings:?}");
    assert!(sent.load(Ordering::Relaxed) < u64::from(report.hellos_sent()) * MOST);

    // Behind the ServerHello one ticket after the other.
    let (address, _) = serve(|hello| {
        if hello.version != Version::TLS12 {
            return (HANDSHAKE_FAILURE.to_vec(), End::Close);
        }
        let done = [14, 0, 0, 0];
        let mut bytes = flight(hello, hello.suites[0]).to_tls().unwrap();
        let place = bytes.windows(4).rposition(|at| at == done).unwrap();
        bytes.truncate(place);
        let length = u16::try_from(bytes.len() - 5).unwrap().to_be_bytes();
        bytes[3..5].copy_from_slice(&length);
        for _ in 0..80 {
            bytes.extend(record(22, &[&[4, 0, 0x3f, 0xf0][..], &[0; 0x3ff0]].concat()));
        }
        (bytes, End::Hold)
    })
    .await;
    let report = tls(address, Wanted { order: false, ..Wanted::SUITES }, PATIENT).await;
    let findings = report.of(Version::TLS12).unwrap();
    // Only the hello was wanted, and it accepts every suite that there is.
    assert!(findings.suites.len() > 300 && findings.unknown.is_empty(), "{:?}", findings.unknown);
    assert_eq!(findings.hellos_sent as usize, findings.suites.len());
}

#[tokio::test]
async fn a_server_that_turns_bad_keeps_what_it_said() {
    for (bad, reason) in [
        (b"\x00\x00\x00\x00\x00\x00".to_vec(), "no answer that can be read: TLS record type is not valid"),
        (Vec::new(), "no answer"),
    ] {
        let good = AtomicU64::new(0);
        let (address, _) = serve(move |hello| {
            if hello.version != Version::TLS12 {
                return (HANDSHAKE_FAILURE.to_vec(), End::Close);
            }
            if good.fetch_add(1, Ordering::Relaxed) < 3 {
                return (flight(hello, hello.suites[0]).to_tls().unwrap(), End::Close);
            }
            (bad.clone(), End::Hold)
        })
        .await;
        let report = tls(address, Wanted::SUITES, IMPATIENT).await;
        let findings = report.of(Version::TLS12).unwrap();
        assert_eq!((findings.verdict, findings.suites.len()), (Verdict::Accepted, 3));
        assert_eq!((findings.unknown[0].list, findings.unknown[0].reason.as_str()), (List::Suites, reason));
        assert_eq!(findings.hellos_sent, 3 + 3);
    }
}
