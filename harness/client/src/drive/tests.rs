//! Whole conversations with small servers on loopback.

mod asking;
mod hellos;
mod leaving;
mod listening;
mod probing;

use std::cell::RefCell;
use std::time::{Duration, Instant};

use ringfence_model::observation::Outcome;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

use super::call::{CallObservation, CallPlan, EndedBy, LiveCall, Stage, place};
use super::fake::{DEAD_ANSWER, branch, config, key, net, registrar, sip_server};
use super::registration::{RegistrationPlan, register};
use super::ws::{self, Upgrade};
use crate::Failure;
use crate::media::{Attack, AttackKind, MediaPlan};
use crate::signalling::LoginBend;

/// A server that answers each connection with these bytes, and keeps it open.
async fn raw_server(answer: &'static [u8]) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(stream.read_u8().await?);
                }
                stream.write_all(answer).await?;
                stream.read_u8().await
            });
        }
    });
    Url::parse(&url).unwrap()
}

#[tokio::test]
async fn refused_upgrades_say_why() {
    for (answer, status, outcome) in [
        (&b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"[..], Some(403), Outcome::Closed),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Some(200), Outcome::Closed),
        (
            b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
            Some(101),
            Outcome::Protocol,
        ),
        (b"\x15\x03\x01\x00\x02\x02\x28\r\n\r\n", None, Outcome::Protocol),
        (b"", None, Outcome::Timeout),
    ] {
        let net = net();
        let refused = ws::open(&net, &Upgrade::sip(raw_server(answer).await, None)).await.err().unwrap();
        assert_eq!((refused.status, refused.failure.outcome), (status, outcome), "{}", refused.failure);
        assert_eq!(net.answered(), !answer.is_empty());
    }
}

#[tokio::test]
async fn pings_are_answered_and_messages_are_bounded() {
    let (address, mut heard) = sip_server(|mut peer, tell| async move {
        peer.ping().await;
        tell.send(format!("{:?}", peer.pong().await?)).ok()?;
        peer.send("x".repeat(2 << 20)).await;
        peer.next().await.map(|_| ())
    })
    .await;
    let upgrade = Upgrade::sip(Url::parse(&address).unwrap(), Some("https://a.test".into()));
    let mut opened = ws::open(&net(), &upgrade).await.unwrap_or_else(|refused| panic!("{}", refused.failure));
    assert_eq!((opened.status, opened.subprotocol.as_deref(), opened.tls_version), (101, Some("sip"), None));
    let failure = opened.stream.receive().await.err().unwrap();
    assert_eq!(failure.outcome, Outcome::Protocol, "{failure}");
    assert_eq!(heard.recv().await.unwrap(), "[1]");
}

#[tokio::test]
async fn a_registration_is_seen_as_it_went() {
    let (address, _heard) = sip_server(|mut peer, _| async move {
        registrar(&mut peer).await?;
        peer.next().await.map(|_| ())
    })
    .await;
    let plan = RegistrationPlan::honest(config(&address), 1);
    let seen = register(&net(), &plan, &key()).await;
    assert_eq!(
        (seen.status, seen.statuses.as_slice(), seen.answers.as_slice()),
        (Some(200), &[200][..], &[401, 200][..]),
        "{:?}",
        seen.failure
    );
    assert!(seen.contact_ok && seen.failure.is_none());
    assert_eq!(seen.expires_s, Some(600));
    assert_eq!(seen.challenge.algorithms[0].raw(), "SHA-256");
    assert_eq!(seen.challenge.nonce, Some(key().digest(b"once")));
    assert_eq!(seen.server_header.unwrap().raw(), "fake/1");

    let wrong = register(&net(), &RegistrationPlan { login: LoginBend::Wrong, ..plan.clone() }, &key()).await;
    assert_eq!(wrong.status, Some(403));
    let none = register(&net(), &RegistrationPlan { login: LoginBend::None, times: 2, ..plan }, &key()).await;
    assert_eq!(none.statuses, [401, 403]);
}

#[tokio::test]
async fn a_registration_that_gets_no_answer_ends() {
    let (address, _heard) = sip_server(|mut peer, _| async move { peer.next().await.map(|_| ()) }).await;
    let closed = register(&net(), &RegistrationPlan::honest(config(&address), 1), &key()).await;
    assert_eq!(closed.failure.map(|failure| failure.outcome), Some(Outcome::Closed));

    let (address, _heard) = sip_server(|mut peer, _| async move {
        while let Some(request) = peer.next().await {
            peer.answer(&request, 100, "", "").await;
        }
        None
    })
    .await;
    let plan =
        RegistrationPlan { answer_within: Duration::from_millis(100), ..RegistrationPlan::honest(config(&address), 1) };
    let silent = register(&net(), &plan, &key()).await;
    assert_eq!(silent.failure.map(|failure| failure.outcome), Some(Outcome::Timeout));
}

async fn call(address: &str, change: impl FnOnce(&mut CallPlan)) -> (LiveCall, Vec<Stage>) {
    let mut plan = CallPlan::honest(config(address), MediaPlan::default(), 1);
    plan.media_within = Duration::from_millis(300);
    plan.transaction = Duration::from_secs(5);
    change(&mut plan);
    let stages = RefCell::new(Vec::new());
    let live = place(&net(), plan, &key(), |stage| stages.borrow_mut().push(stage)).await;
    (live, stages.into_inner())
}

#[tokio::test]
async fn a_refused_call_is_over() {
    let (address, mut heard) = sip_server(|mut peer, tell| async move {
        registrar(&mut peer).await?;
        let invite = peer.expect("INVITE").await?;
        peer.answer(&invite, 180, "", "").await;
        peer.answer(&invite, 486, "", "").await;
        let ack = peer.expect("ACK").await?;
        tell.send(format!("{}", branch(&ack) == branch(&invite))).ok()
    })
    .await;
    let (mut live, stages) = call(&address, |_| {}).await;
    let seen = live.seen();
    assert_eq!((seen.register_status, seen.status, seen.answered), (Some(200), Some(486), false));
    assert_eq!((seen.provisional.as_slice(), seen.ended_by), (&[180][..], None));
    assert_eq!(heard.recv().await.unwrap(), "true");
    assert!(matches!(stages.first(), Some(Stage::Connected { .. })) && stages.contains(&Stage::Inviting), "{stages:?}");
    assert!(stages.iter().any(|stage| matches!(stage, Stage::Refused { status: 486, .. })));
    live.run_for(Duration::from_secs(60)).await; // returns at once: the call is over
    let attack = Attack::new(AttackKind::ForgedTag, 1, 1);
    assert_eq!(live.attack(attack).await.err().map(|failure| failure.outcome), Some(Outcome::Closed));
    assert_eq!(live.hang_up().await.status, Some(486));
}

/// Registers, answers the call with this description, and does the rest.
async fn answering<R>(
    answer: &'static str,
    rest: fn(super::fake::Peer, ringfence_wire::sip::Message) -> R,
) -> (String, super::fake::Heard)
where
    R: Future<Output = Option<String>> + Send + 'static,
{
    sip_server(move |mut peer, tell| async move {
        registrar(&mut peer).await?;
        let invite = peer.expect("INVITE").await?;
        peer.answer(&invite, 200, "Contact: <sip:callee@10.0.0.1>\nSession-Expires: 90;refresher=uas", answer).await;
        let ack = peer.expect("ACK").await?;
        tell.send(rest(peer, ack).await?).ok()
    })
    .await
}

#[tokio::test]
async fn media_that_never_come_do_not_hold_the_call_up() {
    let started = Instant::now();
    let (address, mut heard) = answering(DEAD_ANSWER, |mut peer, _| async move {
        let bye = peer.expect("BYE").await?;
        peer.answer(&bye, 200, "", "").await;
        Some("hung up".into())
    })
    .await;
    let (mut live, stages) = call(&address, |_| {}).await;
    assert!(live.is_live());
    assert!(!live.run_until_echoes(1, Duration::from_millis(50)).await);
    let seen = live.hang_up().await;
    assert!(stages.contains(&Stage::Answered { status: 200 }), "{stages:?}");
    assert!(seen.answered && !seen.media.ice.connected && !seen.media.dtls.completed);
    assert_eq!((seen.ended_by, seen.session_expires_s), (Some(EndedBy::Us), Some(90)));
    assert_eq!(seen.media.sdp.setup.map(|text| text.raw().to_owned()).as_deref(), Some("passive"));
    assert_eq!(heard.recv().await.unwrap(), "hung up");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn nonsense_and_missing_answers_are_told() {
    for answer in ["v=0\r\nthis is no SDP\r\n", ""] {
        let (address, _heard) = answering(answer, |mut peer, _| async move {
            let bye = peer.expect("BYE").await?;
            peer.answer(&bye, 200, "", "").await;
            Some(String::new())
        })
        .await;
        let (live, _) = call(&address, |plan| plan.media_within = Duration::from_secs(60)).await;
        let CallObservation { answered, media_failure, failure, .. } = live.hang_up().await;
        assert!(answered && (media_failure.is_some() || failure.is_some()));
    }
}

#[tokio::test]
async fn the_target_ends_the_call() {
    let (address, _heard) = answering(DEAD_ANSWER, |mut peer, ack| async move {
        peer.hang_up(&ack).await;
        let reply = peer.next().await?;
        Some(format!("{:?}", reply.status()))
    })
    .await;
    let (mut live, _) = call(&address, |plan| plan.media_within = Duration::from_secs(60)).await;
    live.run_for(Duration::from_secs(60)).await;
    assert!(!live.is_live());
    let seen = live.hang_up().await;
    assert_eq!(seen.ended_by, Some(EndedBy::Target));
    assert!(seen.ended_after_ms.is_some());
    assert_eq!(seen.bye_reason.unwrap().raw(), "SIP;cause=200");

    let (address, _heard) = answering(DEAD_ANSWER, |peer, _| async move {
        drop(peer);
        None
    })
    .await;
    let (live, _) = call(&address, |plan| plan.media_within = Duration::from_secs(60)).await;
    let seen = live.hang_up().await;
    assert_eq!(seen.ended_by, Some(EndedBy::Target));
    assert_eq!(seen.failure.map(|failure| failure.outcome), Some(Outcome::Closed));
}

#[tokio::test]
async fn a_call_that_is_never_answered_is_cancelled() {
    let (address, mut heard) = sip_server(|mut peer, tell| async move {
        registrar(&mut peer).await?;
        let invite = peer.expect("INVITE").await?;
        peer.answer(&invite, 100, "", "").await;
        tell.send("ringing".into()).ok()?;
        let cancel = peer.expect("CANCEL").await?;
        peer.answer(&cancel, 200, "", "").await;
        peer.answer(&invite, 487, "", "").await;
        tell.send("cancelled".into()).ok()
    })
    .await;
    let (live, _) = call(&address, |plan| plan.answer_within = Duration::from_millis(100)).await;
    let failure = live.seen().failure.unwrap();
    assert_eq!(failure.outcome, Outcome::Timeout, "{failure}");
    assert_eq!(heard.recv().await.unwrap(), "ringing");
    assert_eq!(heard.recv().await.unwrap(), "cancelled");

    // Whoever drops the future of a ringing call does not leave it ringing.
    let (net, key) = (net(), key());
    tokio::select! {
        _ = place(&net, CallPlan::honest(config(&address), MediaPlan::default(), 1), &key, |_| {}) => panic!("nobody answers"),
        rings = heard.recv() => assert_eq!(rings.unwrap(), "ringing"),
    }
    assert_eq!(heard.recv().await.unwrap(), "cancelled");
}

#[tokio::test]
async fn a_dropped_call_hangs_up() {
    let (address, mut heard) = answering(DEAD_ANSWER, |mut peer, _| async move {
        peer.expect("BYE").await?;
        Some("hung up".into())
    })
    .await;
    drop(call(&address, |_| {}).await);
    assert_eq!(heard.recv().await.unwrap(), "hung up");

    // Nor is it held by something that was asked of it and given up.
    let (mut live, _) = call(&address, |_| {}).await;
    let given_up = tokio::time::timeout(Duration::from_millis(10), live.run_for(Duration::from_secs(600))).await;
    assert!(given_up.is_err());
    assert_eq!(live.hang_up().await.ended_by, Some(EndedBy::Us));
    assert_eq!(heard.recv().await.unwrap(), "hung up");
}

#[tokio::test]
async fn what_may_not_be_dialled_is_not_dialled() {
    let (address, mut heard) = sip_server(|_, tell| async move { tell.send("connected".into()).ok() }).await;
    for target in ["sip:911@sip.test", "tel:+19005551234", "sip:+14155552671@sip.test"] {
        let (live, _) = call(&address, |plan| plan.target_uri = Some(target.into())).await;
        let failure: Failure = live.seen().failure.unwrap();
        assert_eq!(failure.outcome, Outcome::OutOfScope, "{failure}");
    }
    assert!(heard.try_recv().is_err());

    let outside = call("wss://192.0.2.1/", |_| {}).await.0.seen();
    assert_eq!(outside.failure.map(|failure| failure.outcome), Some(Outcome::OutOfScope));
}
