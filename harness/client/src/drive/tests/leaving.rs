//! What is left behind with the target when a conversation ends, also one that nobody waits for any more.

use tokio::net::UdpSocket;

use super::super::fake::{Heard, Peer};
use super::*;
use crate::adapters::IceServer;
use crate::media::CandidatePolicy;
use crate::net::Limits;

/// Leaving takes 5 s at most, on a machine that has nothing else to do; a transaction that is waited out takes 32 s.
const LONG: Duration = Duration::from_secs(25);

/// Registers every client and tells each request after that with its `Expires`, and the end of the connection.
async fn remembering(answers: bool) -> (String, Heard) {
    sip_server(move |mut peer, tell| async move {
        registrar(&mut peer).await?;
        tell.send("registered".into()).ok()?;
        tell_all(&mut peer, &tell, answers).await
    })
    .await
}

async fn tell_all(peer: &mut Peer, tell: &tokio::sync::mpsc::UnboundedSender<String>, answers: bool) -> Option<()> {
    while let Some(request) = peer.next().await {
        let method = request.method().unwrap_or_default();
        tell.send(format!("{method} {}", request.header("Expires").unwrap_or_default())).ok()?;
        if answers {
            peer.answer(&request, 200, "", "").await;
        }
    }
    tell.send("closed".into()).ok()
}

#[track_caller]
fn heard(heard: &mut Heard, expected: &'static [&'static str]) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        for text in expected {
            let told = tokio::time::timeout(Duration::from_secs(30), heard.recv()).await;
            assert_eq!(told.ok().flatten().as_deref(), Some(*text), "{caller}");
        }
    }
}

#[tokio::test]
async fn a_registration_takes_its_contact_back_once() {
    let (address, mut told) = remembering(true).await;
    let seen = register(&net(), &RegistrationPlan::honest(config(&address), 1), &key()).await;
    assert_eq!((seen.statuses.as_slice(), seen.answers.as_slice()), (&[200][..], &[401, 200][..]), "as before it left");
    heard(&mut told, &["registered", "REGISTER 0", "closed"]).await;
}

#[tokio::test]
async fn a_target_that_does_not_let_go_is_left() {
    let (address, mut told) = remembering(false).await;
    let started = Instant::now();
    register(&net(), &RegistrationPlan::honest(config(&address), 1), &key()).await;
    assert!(started.elapsed() < LONG, "{:?}", started.elapsed());
    heard(&mut told, &["registered", "REGISTER 0", "closed"]).await;

    // One that has closed first is not waited for.
    let (address, _told) = sip_server(|mut peer, _| async move { registrar(&mut peer).await }).await;
    let seen = register(&net(), &RegistrationPlan::honest(config(&address), 1), &key()).await;
    assert_eq!(seen.status, Some(200));
}

/// Places a call and drops it as soon as the target has told something.
async fn give_up(plan: CallPlan, told: &mut Heard, at: &str) {
    let (net, key) = (net(), key());
    tokio::select! {
        _ = place(&net, plan, &key, |_| {}) => panic!("nobody answers"),
        text = told.recv() => assert_eq!(text.as_deref(), Some(at)),
    }
}

#[tokio::test]
async fn nobodys_telephone_rings_for_a_call_that_was_given_up() {
    // While the registrar thinks about it: what it may yet bind is taken back.
    let (address, mut told) = sip_server(|mut peer, tell| async move { tell_all(&mut peer, &tell, false).await }).await;
    give_up(CallPlan::honest(config(&address), MediaPlan::default(), 1), &mut told, "REGISTER 600").await;
    heard(&mut told, &["REGISTER 0", "closed"]).await;

    // While a STUN server that never answers is waited for.
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (address, mut told) = remembering(true).await;
    let mut gathering = config(&address);
    let urls = vec![format!("stun:{}", silent.local_addr().unwrap())];
    gathering.ice_servers = vec![IceServer { urls, ..IceServer::default() }];
    give_up(CallPlan::honest(gathering, MediaPlan::default(), 1), &mut told, "registered").await;
    heard(&mut told, &["REGISTER 0", "closed"]).await;
}

#[tokio::test]
async fn a_relay_that_is_not_there_is_the_targets_doing() {
    let (address, mut told) = remembering(true).await;
    let started = Instant::now();
    let (live, stages) = call(&address, |plan| plan.media.candidates = CandidatePolicy::Relay).await;
    let seen = live.hang_up().await;
    assert_eq!(seen.own_fault, None);
    assert_eq!(seen.failure.map(|failure| failure.outcome), Some(Outcome::Unreachable));
    assert!(stages.iter().any(|stage| matches!(stage, Stage::MediaFailed(_))), "{stages:?}");
    assert!(started.elapsed() < LONG, "{:?}", started.elapsed());
    heard(&mut told, &["registered", "REGISTER 0", "closed"]).await;
}

#[tokio::test]
async fn a_target_that_ignores_the_hang_up_is_left_in_time() {
    let (address, mut told) = sip_server(|mut peer, tell| async move {
        registrar(&mut peer).await?;
        let invite = peer.expect("INVITE").await?;
        peer.answer(&invite, 200, "Contact: <sip:callee@10.0.0.1>", DEAD_ANSWER).await;
        peer.expect("ACK").await?;
        tell_all(&mut peer, &tell, false).await
    })
    .await;
    let (live, _) = call(&address, |_| {}).await;
    let started = Instant::now();
    let seen = live.hang_up().await;
    assert!(started.elapsed() < LONG, "{:?}", started.elapsed());
    assert_eq!((seen.ended_by, seen.failure), (Some(EndedBy::Us), None));
    heard(&mut told, &["BYE ", "REGISTER 0", "closed"]).await;
}

#[tokio::test]
async fn a_target_that_asks_and_does_not_read_holds_nobody_up() {
    // A small window, and more requests than the answers to them fit into.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(8).unwrap();
    let address = format!("ws://{}/sip", listener.local_addr().unwrap());
    let (begin, begun) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let mut peer = super::super::fake::accept(listener.accept().await.unwrap().0).await?;
        registrar(&mut peer).await?;
        let invite = peer.expect("INVITE").await?;
        peer.answer(&invite, 200, "Contact: <sip:callee@10.0.0.1>", DEAD_ANSWER).await;
        peer.expect("ACK").await?;
        begun.await.ok()?;
        let via = format!("Via: SIP/2.0/WSS f;branch=z9hG4bKo;x={}\r\n", "x".repeat(8000)).repeat(7);
        for number in 0..250 {
            peer.send(format!(
                "OPTIONS sip:x@y.invalid SIP/2.0\r\n{via}From: <sip:f@f>;tag=f\r\nTo: <sip:x@y>\r\nCall-ID: {number}\r\n\
                 CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
            ))
            .await;
        }
        std::future::pending::<Option<()>>().await
    });
    let net = net().with_limits(Limits::default());
    let mut plan = CallPlan::honest(config(&address), MediaPlan::default(), 1);
    plan.media_within = Duration::from_millis(100);
    let mut live = place(&net, plan, &key(), |_| {}).await;
    begin.send(()).unwrap();
    // How long the buffers take to fill is the machine's affair; that they fill is not.
    let stuck = async {
        while tokio::time::timeout(Duration::from_secs(2), live.run_for(Duration::from_millis(100))).await.is_ok() {}
    };
    let stuck = tokio::time::timeout(Duration::from_secs(60), stuck).await;
    assert!(stuck.is_ok(), "the call's task waits for the target to read");
    let started = Instant::now();
    let seen = live.hang_up().await;
    assert!(started.elapsed() < LONG, "{:?}", started.elapsed());
    assert!(seen.answered && seen.ended_by.is_some(), "{seen:#?}");
    server.abort();
}
