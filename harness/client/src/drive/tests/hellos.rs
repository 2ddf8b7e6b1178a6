//! Hellos by hand behind ICE, and scans that take a call for each: against media ports of every manner.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use ringfence_wire::hello::{ClientHello, Extension, ServerFlight, Version};
use ringfence_wire::stun::{Attribute, Class, Message as Stun};
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{self, UnboundedSender};

use super::*;
use crate::adapters::FetchError;
use crate::hello::{CallBounds, CallsReport, List, Question, Verdict, Wanted, media};

const PASSWORD: &str = "abcdefghijklmnopqrstuv"; // of DEAD_ANSWER
/// What the ports accept, in their order: two ECDHE suites and one of static RSA.
const SUITES: [u16; 3] = [0xc02c, 0xc02b, 0x002f];
const GROUPS: [u16; 2] = [29, 23];
const PROFILES: [u16; 2] = [8, 7];
/// A fatal handshake_failure, in a record of its own.
const REFUSAL: [u8; 15] = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40];
const ALL: &[Version] = &[Version::DTLS10, Version::DTLS12, Version::DTLS13];

/// How a media port treats hellos. All take what is acceptable in the first hello of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    /// Answers as many as come, in one call too.
    Again,
    /// One in each call, and nothing more.
    Once,
    /// One in each call; a refusal is silence.
    Mute,
    /// One in each call; it hangs up instead of refusing.
    HangsUp,
    /// The first answer of the call once more, to whatever comes then.
    Repeats,
    /// An alert to whatever comes second.
    Alerts,
    /// A refusal ends all: not even checks are answered any more.
    Dies,
    /// It answers the second copy of a hello.
    Loses,
}

/// The far side of all calls of one test.
#[derive(Clone)]
struct Far {
    manner: Manner,
    /// Different hellos that came in each call.
    hellos: Arc<Mutex<Vec<usize>>>,
}

impl Far {
    fn calls(&self) -> Vec<usize> {
        self.hellos.lock().unwrap().clone()
    }

    /// The media port of one call; tells when it wants to hang up.
    async fn port(self, call: usize, socket: UdpSocket, hang_up: UnboundedSender<()>) {
        let mut seen: Vec<[u8; 32]> = Vec::new();
        let (mut first, mut dead) = (Vec::new(), false);
        let mut datagram = vec![0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut datagram).await {
            let datagram = &datagram[..length];
            if let Ok(check) = Stun::parse(datagram) {
                if check.class == Class::Request && !dead {
                    let _ = socket.send_to(&success(&check, from), from).await;
                }
                continue;
            }
            let Ok((hello, sequence)) = ClientHello::from_datagram(datagram) else { continue }; // a farewell
            let copy = seen.contains(&hello.random);
            if !copy {
                seen.push(hello.random);
                self.hellos.lock().unwrap()[call] = seen.len();
            }
            let used = seen.len() > 1;
            let flight = flight(&hello, sequence, seen.len());
            let refusal = vec![REFUSAL.to_vec()];
            let answer = match (self.manner, used, flight) {
                (Manner::Loses, false, _) if !copy => Vec::new(),
                (Manner::Again, _, Some(flight)) | (_, false, Some(flight)) => flight,
                (Manner::Again, _, None) | (Manner::Alerts, true, _) => refusal,
                (Manner::Repeats, true, _) => first.clone(),
                (_, true, _) => Vec::new(),
                (Manner::Mute, false, None) => Vec::new(),
                (Manner::HangsUp, false, None) => {
                    let _ = hang_up.send(());
                    Vec::new()
                }
                (Manner::Dies, false, None) => {
                    dead = true;
                    Vec::new()
                }
                (_, false, None) => refusal,
            };
            if first.is_empty() {
                first.clone_from(&answer);
            }
            for datagram in answer {
                let _ = socket.send_to(&datagram, from).await;
            }
        }
    }
}

fn success(check: &Stun, from: SocketAddr) -> Vec<u8> {
    let answer = Stun::new(Class::Success, check.method, check.transaction).with(Attribute::XorMappedAddress(from));
    answer.signed(PASSWORD.as_bytes()).unwrap().fingerprinted().unwrap().emit().unwrap()
}

/// What is chosen of a hello for DTLS 1.2.
fn flight(hello: &ClientHello, sequence: u16, number: usize) -> Option<Vec<Vec<u8>>> {
    let list = |kind: u16| -> Vec<u16> {
        let data = hello.extensions.iter().find(|one| one.kind == kind).map_or(&[][..], |one| &one.data);
        let length = usize::from(u16::from_be_bytes([*data.first().unwrap_or(&0), *data.get(1).unwrap_or(&0)]));
        let entries = data.get(2..2 + length).unwrap_or_default();
        entries.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    };
    let chosen = |ours: &[u16], theirs: &[u16]| ours.iter().copied().find(|code| theirs.contains(code));
    if hello.version != Version::DTLS12 {
        return None;
    }
    let group = chosen(&GROUPS, &list(Extension::SUPPORTED_GROUPS));
    let fits = |suite: &&u16| hello.suites.contains(suite) && (**suite == 0x002f || group.is_some());
    let suite = *SUITES.iter().find(fits)?;
    let mut random = hello.random;
    random[0] ^= u8::try_from(number).unwrap();
    let mut flight = ServerFlight::new(Version::DTLS12, random, suite);
    flight.certificates = vec![b"no certificate".to_vec()];
    if let Some(group) = group.filter(|_| suite != 0x002f) {
        // RFC 8422, section 5.4: a named curve, a point, and a signature of a scheme.
        let [high, low] = group.to_be_bytes();
        flight.key_exchange = Some(vec![3, high, low, 2, 4, 4, 4, 3, 0, 2, 9, 9]);
    }
    if let Some(profile) = chosen(&PROFILES, &list(Extension::USE_SRTP)) {
        flight.extensions.push(Extension::use_srtp(&[profile]).unwrap());
    }
    Some(flight.to_dtls(sequence, u64::from(sequence) + u64::try_from(number).unwrap() * 100, 1200).unwrap())
}

/// A target with such media ports; what it heard says BYE for each call that was ended.
async fn far(manner: Manner) -> (Far, String, super::super::fake::Heard) {
    let far = Far { manner, hellos: Arc::default() };
    let served = far.clone();
    let (address, heard) = sip_server(move |mut peer, tell| {
        let far = served.clone();
        async move {
            registrar(&mut peer).await?;
            let invite = peer.expect("INVITE").await?;
            let socket = UdpSocket::bind("127.0.0.1:0").await.ok()?;
            let port = socket.local_addr().ok()?.port();
            let call = {
                let mut hellos = far.hellos.lock().unwrap();
                hellos.push(0);
                hellos.len() - 1
            };
            let (hang_up, mut wish) = mpsc::unbounded_channel();
            tokio::spawn(far.port(call, socket, hang_up));
            let answer = DEAD_ANSWER.replace("127.0.0.1 9 typ", &format!("127.0.0.1 {port} typ"));
            let answer = answer.replace("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n");
            peer.answer(&invite, 200, "Contact: <sip:x@y.invalid>\nContent-Type: application/sdp", &answer).await;
            let ack = peer.expect("ACK").await?;
            loop {
                tokio::select! {
                    message = peer.next() => {
                        let message = message?;
                        if message.method() == Some("BYE") {
                            peer.answer(&message, 200, "", "").await;
                            tell.send("BYE".into()).ok()?;
                        }
                    }
                    Some(()) = wish.recv() => {
                        peer.hang_up(&ack).await;
                        tell.send("BYE".into()).ok()?;
                    }
                }
            }
        }
    })
    .await;
    (far, address, heard)
}

async fn scan(
    address: &str,
    versions: &[Version],
    wanted: Wanted,
    (answer, max_calls): (Duration, u32),
) -> Result<CallsReport, FetchError> {
    let next = |number: u32| -> BoxFuture<'_, Result<CallPlan, FetchError>> {
        let mut plan = CallPlan::honest(config(address), MediaPlan::default(), number.into());
        plan.transaction = Duration::from_secs(20);
        plan.media_within = Duration::from_secs(20);
        Box::pin(async move { Ok(plan) })
    };
    let question = Question { server_name: None, wanted, seed: [5; 32] };
    media(&net(), &key(), &next, versions, &question, CallBounds { answer, max_calls, apart: Duration::ZERO }, |_| {})
        .await
}

/// All that there is, and nothing else.
fn is_whole(told: &CallsReport) {
    let found = told.report.of(Version::DTLS12).unwrap();
    assert_eq!((found.verdict, found.suites.as_slice()), (Verdict::Accepted, &SUITES[..]), "{found:#?}");
    let mut groups = found.groups.clone();
    groups.sort_unstable();
    assert_eq!(groups, [23, 29]);
    assert_eq!((found.profiles.as_slice(), found.goes_without_srtp), (&PROFILES[..], true));
    assert_eq!(told.report.unknown().count(), 0, "{:#?}", told.report);
    assert!(told.report.accepted().count() == 1 && !found.chains.is_empty());
}

const LONG: Duration = Duration::from_secs(30);
const LISTS: Wanted = Wanted { groups: true, profiles: true, ..Wanted::SUITES };

#[tokio::test]
async fn ports_of_every_manner_are_laid_open() {
    let manners = [Manner::Once, Manner::Again, Manner::HangsUp, Manner::Alerts, Manner::Loses];
    futures_util::future::join_all(manners.map(is_laid_open)).await;
}

async fn is_laid_open(manner: Manner) {
    // Where a used call is silent, each of the first two costs its time.
    let quiet = matches!(manner, Manner::Once | Manner::Loses | Manner::HangsUp);
    let answer = if quiet { Duration::from_secs(3) } else { LONG };
    let (far, address, mut heard) = far(manner).await;
    let told = scan(&address, ALL, LISTS, (answer, 100)).await.unwrap();
    is_whole(&told);
    let calls = far.calls();
    assert_eq!(calls.len(), usize::try_from(told.calls_made).unwrap(), "{manner:?}");
    for _ in &calls {
        assert_eq!(heard.recv().await.as_deref(), Some("BYE"), "{manner:?}: each call is ended");
    }
    let again = calls.iter().filter(|hellos| **hellos > 1).count();
    match manner {
        Manner::Again => assert!(told.reused > 0 && calls.len() < calls.iter().sum::<usize>(), "{calls:?}"),
        // Two tries show that a call is good for one question.
        _ => assert!(told.reused == 0 && again <= 3, "{manner:?} {calls:?}"),
    }
}

#[tokio::test]
async fn silence_of_a_port_that_lives_is_a_refusal_where_it_repeats() {
    let (_far, address, _heard) = far(Manner::Mute).await;
    let versions = [Version::DTLS10, Version::DTLS12];
    let told = scan(&address, &versions, Wanted::SUITES, (Duration::from_millis(1300), 100)).await.unwrap();
    let of = |version| told.report.of(version).unwrap().verdict;
    assert_eq!((of(Version::DTLS10), of(Version::DTLS12)), (Verdict::Refused(None), Verdict::Accepted));
    assert_eq!(told.report.of(Version::DTLS12).unwrap().suites, SUITES);
    assert_eq!(told.report.unknown().count(), 0, "{:#?}", told.report);
}

#[tokio::test]
async fn silence_of_a_port_that_answers_no_check_is_no_refusal() {
    let (_far, address, _heard) = far(Manner::Dies).await;
    let versions = [Version::DTLS10, Version::DTLS12];
    let told = scan(&address, &versions, Wanted::SUITES, (Duration::from_millis(300), 100)).await.unwrap();
    assert_eq!(told.report.of(Version::DTLS10).unwrap().verdict, Verdict::Unknown);
    let found = told.report.of(Version::DTLS12).unwrap();
    assert_eq!((found.verdict, found.suites.as_slice()), (Verdict::Accepted, &SUITES[..]));
    assert!(found.unknown.iter().any(|unknown| unknown.list == List::Suites), "{found:#?}");
}

#[tokio::test]
async fn an_old_answer_is_never_taken_for_a_new_one() {
    let (_far, address, _heard) = far(Manner::Repeats).await;
    let told = scan(&address, ALL, LISTS, (LONG, 100)).await.unwrap();
    is_whole(&told);
    assert_eq!(told.reused, 0);
}

#[tokio::test]
async fn what_the_calls_did_not_tell_is_unknown() {
    let (far, address, _heard) = far(Manner::HangsUp).await;
    let told = scan(&address, &[Version::DTLS12], LISTS, (Duration::from_secs(2), 2)).await.unwrap();
    assert_eq!((told.calls_made, far.calls().len()), (2, 2));
    let found = told.report.of(Version::DTLS12).unwrap();
    assert!(found.suites.iter().all(|suite| SUITES.contains(suite)) && found.suites.len() < SUITES.len());
    let why = &found.unknown.iter().find(|unknown| unknown.list == List::Suites).unwrap().reason;
    assert_eq!(why, "all 2 calls that are allowed were placed");
}

#[tokio::test]
async fn a_target_that_refuses_is_not_rung_on_and_on() {
    let (address, mut heard) = sip_server(|mut peer, tell| async move {
        registrar(&mut peer).await?;
        let invite = peer.expect("INVITE").await?;
        tell.send("INVITE".into()).ok()?;
        peer.answer(&invite, 486, "", "").await;
        peer.expect("ACK").await.map(|_| ())
    })
    .await;
    let Err(FetchError::Target(failure)) = scan(&address, ALL, Wanted::ALL, (LONG, 100)).await else { panic!() };
    assert!(failure.error.raw().contains("486"), "{failure}");
    let mut invites = 0;
    while heard.try_recv().is_ok() {
        invites += 1;
    }
    assert_eq!(invites, 3);
}

#[tokio::test]
async fn a_call_with_a_handshake_of_its_own_takes_no_hellos() {
    let (_far, address, _heard) = far(Manner::Again).await;
    let (mut live, _) = call(&address, |_| {}).await;
    let hello = Box::new(ClientHello::new(Version::DTLS12, [1; 32]));
    let depth = ringfence_wire::hello::Depth::Hello;
    let ask = crate::media::HelloAsk { hello, message_seq: 0, depth, within: LONG };
    let (traffic, told) = live.ask(ask).await;
    assert!(matches!(told, crate::hello::Told::Broken(_)) && traffic.sent == 0, "{told:?}");
}
