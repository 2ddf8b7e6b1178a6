//! Enumerations through calls to the lab's media port: a healthy one accepts what its library has and refuses the rest by alert,
//! and each fault of the port adds what it says it does.

use std::collections::BTreeSet;
use std::time::Duration;

use ringfence_client::hello::{Ask, Question, Report, Scan, Step, Told, Traffic, Verdict, Wanted};
use ringfence_client::media::{Event, HelloAsk, MediaPlan, Setup};
use ringfence_lab::fault::Fault;
use ringfence_lab::media::Answered;
use ringfence_wire::hello::{ClientHello, Depth, Version};

use crate::pair::{LIMIT, Pair, negotiate};

/// ECDHE with ECDSA: AES-128-GCM, AES-256-GCM, ChaCha20-Poly1305.
const SUITES: [u16; 3] = [0xc02b, 0xc02c, 0xcca9];
/// x25519, secp256r1, secp384r1.
const GROUPS: [u16; 3] = [23, 24, 29];
/// ECDSA with SHA-256 and SHA-384.
const SCHEMES: [u16; 2] = [0x0403, 0x0503];
/// cm-sha1-80, gcm-128, gcm-256.
const PROFILES: [u16; 3] = [1, 7, 8];

/// A call that was answered, with a checked pair, and no handshake.
async fn call(fault: Option<Fault>) -> Pair {
    let plan = MediaPlan { hellos: true, setup: Setup::Active, ..MediaPlan::default() };
    let (client, answered, offer) = negotiate(plan, fault).await;
    let Answered::Accepted { sdp, call } = answered else { panic!("{answered:?}\n{offer}") };
    client.answer(sdp).await;
    let mut pair = Pair { client, lab: call, events: Vec::new() };
    pair.until("pair", |event| matches!(event, Event::IceConnected)).await;
    pair
}

async fn put(pair: &mut Pair, hello: ClientHello, message_seq: u16) -> (Traffic, Told) {
    let ask = HelloAsk { hello: Box::new(hello), message_seq, depth: Depth::Flight, within: Duration::from_secs(5) };
    pair.client.hello(ask).await;
    pair.until("answer", |event| matches!(event, Event::HelloAnswered)).await;
    pair.client.take_hello_answer().expect("there is one")
}

/// One call for each question.
async fn enumerate(fault: Option<Fault>) -> Report {
    let question = Question { server_name: None, wanted: Wanted::ALL, seed: [3; 32] };
    let mut scan = Scan::dtls(&question);
    let mut open = None;
    let scanning = async {
        loop {
            let (number, traffic, told) = match scan.next() {
                Step::Ask(number, Ask::Hello(hello)) => {
                    let pair = open.insert(call(fault).await);
                    let (traffic, told) = put(pair, *hello, 0).await;
                    (number, traffic, told)
                }
                Step::Ask(number, Ask::Cookie(hello, message_seq)) => {
                    let pair = open.as_mut().expect("a cookie comes of a call");
                    let (traffic, told) = put(pair, *hello, message_seq).await;
                    (number, traffic, told)
                }
                Step::Done(report) => return *report,
                Step::Wait | Step::Ask(_, Ask::Done(_)) => unreachable!("each question is answered before the next"),
            };
            scan.answer(number, traffic, told);
        }
    };
    tokio::time::timeout(LIMIT, scanning).await.expect("within the limit")
}

fn sorted(list: &[u16]) -> Vec<u16> {
    list.iter().copied().collect::<BTreeSet<u16>>().into_iter().collect()
}

/// What DTLS 1.2 accepts: suites, groups, schemes, profiles.
#[track_caller]
fn accepts(report: &Report) -> [Vec<u16>; 4] {
    assert_eq!(report.unknown().count(), 0, "{report:#?}");
    let found = report.of(Version::DTLS12).expect("it was asked");
    assert_eq!(found.verdict, Verdict::Accepted);
    [&found.suites, &found.groups, &found.signature_schemes, &found.profiles].map(|list| sorted(list))
}

fn versions(report: &Report) -> Vec<Version> {
    report.accepted().map(|(version, _)| version).collect()
}

fn and(list: &[u16], more: u16) -> Vec<u16> {
    sorted(&[list, &[more]].concat())
}

#[tokio::test]
async fn a_healthy_port_accepts_what_it_has_and_says_no_to_the_rest() {
    let report = enumerate(None).await;
    let expected = [&SUITES[..], &GROUPS, &SCHEMES, &PROFILES].map(sorted);
    assert_eq!((accepts(&report), versions(&report)), (expected, vec![Version::DTLS12]));
    assert_eq!(report.of(Version::DTLS10).unwrap().verdict, Verdict::Refused(Some(70)));
    let found = report.of(Version::DTLS12).unwrap();
    assert!(found.hello_verify && found.extended_master_secret == Some(true), "{found:#?}");
}

#[tokio::test]
async fn an_old_version_is_found() {
    let report = enumerate(Some(Fault::Dtls10)).await;
    assert_eq!(versions(&report), [Version::DTLS10, Version::DTLS12]);
    assert_eq!(accepts(&report)[0], SUITES, "1.2 is what it was");
    assert_eq!(sorted(&report.of(Version::DTLS10).unwrap().suites), [0xc009, 0xc00a]);
}

#[tokio::test]
async fn a_suite_without_forward_secrecy_is_found() {
    let report = enumerate(Some(Fault::DtlsStaticRsa)).await;
    let expected = [and(&SUITES, 0x002f), sorted(&GROUPS), sorted(&SCHEMES), sorted(&PROFILES)];
    assert_eq!((accepts(&report), versions(&report)), (expected, vec![Version::DTLS12]));
}

#[tokio::test]
async fn a_null_profile_is_found() {
    let report = enumerate(Some(Fault::SrtpNullProfile)).await;
    let expected = [sorted(&SUITES), sorted(&GROUPS), sorted(&SCHEMES), and(&PROFILES, 5)];
    assert_eq!((accepts(&report), versions(&report)), (expected, vec![Version::DTLS12]));
}

#[tokio::test]
async fn a_weak_certificate_is_found_behind_the_sound_one() {
    let report = enumerate(Some(Fault::DtlsCertificateWeak)).await;
    let [suites, groups, schemes, profiles] = accepts(&report);
    assert_eq!((suites, groups, profiles), (and(&SUITES, 0xc02f), sorted(&GROUPS), sorted(&PROFILES)));
    assert_eq!(schemes, and(&SCHEMES, 0x0401));
    let chains = &report.of(Version::DTLS12).unwrap().chains;
    let modulus = [0x02, 0x81, 0x81, 0x00]; // an INTEGER of 129 bytes, of which the first is zero: 1024 bits
    assert!(chains.iter().any(|chain| chain[0].windows(4).any(|window| window == modulus)));
}
