//! From INVITE to BYE.

use std::cell::{Cell, RefCell};
use std::io::Write as _;
use std::time::Duration;

use ringfence_client::drive::call::{EndedBy, Stage};
use ringfence_wire::sip::{KEEPALIVE_PING, KEEPALIVE_PONG, Message, StartLine};
use tokio_tungstenite::tungstenite;

use crate::media::{dead, ice_lite};
use crate::server::{DOMAIN, LIMIT, call, call_telling, net, proved, serve, serve_tls};

const MASKED: &str = "sip:ih4.wg@10.1.255.255:5066;alias=127.0.0.1~5066~5;transport=ws";

fn uri(request: &Message) -> &str {
    if let StartLine::Request { uri, .. } = &request.start_line { uri } else { panic!("{request:?}") }
}

#[tokio::test]
async fn masks_routes_and_names_that_do_not_resolve() {
    let (url, pem, served) = serve_tls(|mut peer| async move {
        peer.register().await;
        let first = peer.expect("INVITE").await;
        assert_eq!(uri(&first), format!("sip:echo@{DOMAIN}"));
        assert!(first.header("Via").is_some_and(|via| via.starts_with("SIP/2.0/WSS ")), "{first:?}");
        assert!(first.header("Contact").is_some_and(|contact| contact.contains(".invalid;transport=ws")), "{first:?}");
        peer.answer(&first, 407, "Proxy-Authenticate: Digest realm=\"r\", nonce=\"one\", qop=\"auth\"", "").await;
        peer.expect("ACK").await;
        let invite = peer.expect("INVITE").await;
        proved(&invite, "Proxy-Authorization");
        peer.answer(&invite, 100, "", "").await;
        let more = format!(
            "Contact: <{MASKED}>\n\
             Record-Route: <sip:10.9.9.9;r2=on;lr;ftag=a>, <sip:127.0.0.1:8443;transport=ws;r2=on;lr;ftag=a>"
        );
        peer.answer(&invite, 200, &more, &dead()).await;
        let ack = peer.expect("ACK").await;
        let routes = ["<sip:127.0.0.1:8443;transport=ws;r2=on;lr;ftag=a>", "<sip:10.9.9.9;r2=on;lr;ftag=a>"];
        assert_eq!((uri(&ack), ack.headers("Route").collect::<Vec<_>>()), (MASKED, routes.to_vec()));
        // The callee's 200 was lost on a leg behind this proxy, or the ACK was.
        for _ in 0..2 {
            peer.answer(&invite, 200, &more, &dead()).await;
            assert_eq!(peer.expect("ACK").await, ack);
        }
        let bye = peer.expect("BYE").await;
        assert_eq!((uri(&bye), bye.headers("Route").collect::<Vec<_>>()), (MASKED, routes.to_vec()));
        peer.answer(&bye, 407, "Proxy-Authenticate: Digest realm=\"r\", nonce=\"two\", qop=\"auth\"", "").await;
        let bye = peer.expect("BYE").await;
        assert_eq!(proved(&bye, "Proxy-Authorization"), "two");
        peer.answer(&bye, 200, "", "").await;
        peer.see_off().await;
    })
    .await;
    let ca = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("habits-ca.pem");
    std::fs::write(&ca, pem).expect("a folder for tests");
    let (live, stages) = call(&net(Some(&ca)), &url, |_| {}).await;
    assert!(matches!(&stages[0], Stage::Connected { tls_version: Some(_), .. }), "{stages:?}");
    let seen = live.hang_up().await;
    assert_eq!((seen.status, seen.ended_by), (Some(200), Some(EndedBy::Us)), "{:?}", seen.failure);
    served.await.expect("the script");
}

#[tokio::test]
async fn keep_alives_are_answered() {
    let (url, served) = serve("127.0.0.1:0", |mut peer| async move {
        let (_, ack) = peer.take_call("Contact: <sip:far@h>", &dead()).await;
        for _ in 0..3 {
            peer.send_frame(tungstenite::Message::Ping(b"alive?".to_vec().into())).await;
            assert_eq!(peer.frame().await, Some(tungstenite::Message::Pong(b"alive?".to_vec().into())));
            peer.send_frame(tungstenite::Message::binary(KEEPALIVE_PING.to_vec())).await;
            let pong = peer.frame().await.expect("an answer").into_data();
            assert_eq!(pong.as_ref(), KEEPALIVE_PONG);
            peer.send("\r\n").await; // an answer to nothing wants none
        }
        let info = peer.ask(&ack, "INFO", "Content-Type: application/json", "{\"a\":1}").await;
        assert_eq!(info.status(), Some(200));
        peer.hang_up(&ack).await;
    })
    .await;
    let (mut live, _) = call(&net(None), &url, |_| {}).await;
    live.run_for(LIMIT).await;
    let seen = live.hang_up().await;
    let infos: Vec<_> = seen.infos.iter().map(|(kind, body)| (kind.raw(), body.raw())).collect();
    assert_eq!(infos, [("application/json", "{\"a\":1}")]);
    assert_eq!(seen.ended_by, Some(EndedBy::Target), "{:?}", seen.failure);
    served.await.expect("the script");
}

#[tokio::test]
async fn early_media_are_a_call_already() {
    for repeats in [false, true] {
        let (media_are_there, there) = tokio::sync::oneshot::channel::<()>();
        let sdp = ice_lite("127.0.0.1:0").await;
        let (url, served) = serve("127.0.0.1:0", move |mut peer| async move {
            peer.register().await;
            let invite = peer.expect("INVITE").await;
            peer.answer(&invite, 183, "Contact: <sip:early@h>", &sdp).await;
            there.await.expect("ICE connects before anybody answers");
            peer.answer(&invite, 200, "Contact: <sip:far@h>", if repeats { &sdp } else { "" }).await;
            assert_eq!(uri(&peer.expect("ACK").await), "sip:far@h");
            let bye = peer.expect("BYE").await;
            peer.answer(&bye, 200, "", "").await;
            peer.see_off().await;
        })
        .await;
        let (stages, media_are_there) = (RefCell::new(Vec::new()), Cell::new(Some(media_are_there)));
        let progress = |stage| {
            if stage == Stage::IceConnected {
                media_are_there.take().into_iter().for_each(|tell| tell.send(()).expect("the script waits"));
            }
            stages.borrow_mut().push(stage);
        };
        let live = call_telling(&net(None), &url, |_| {}, progress).await;
        let seen = live.hang_up().await;
        assert_eq!((seen.status, seen.provisional.as_slice(), seen.failure), (Some(200), &[183][..], None));
        assert!(seen.media.ice.connected && seen.media.sdp.media_accepted);
        let stages = stages.into_inner();
        let at = |wanted: &Stage| stages.iter().position(|stage| stage == wanted);
        assert!(at(&Stage::IceConnected) < at(&Stage::Answered { status: 200 }), "{stages:?}");
        served.await.expect("the script");
    }
}

#[tokio::test]
async fn reliable_provisional_answers() {
    let (url, served) = serve("127.0.0.1:0", |mut peer| async move {
        peer.register().await;
        let first = peer.expect("INVITE").await;
        assert!(!first.headers("Supported").any(|tags| tags.contains("100rel")));
        peer.answer(&first, 421, "Require: 100rel", "").await;
        peer.expect("ACK").await;
        let invite = peer.expect("INVITE").await;
        assert!(invite.headers("Supported").any(|tags| tags.contains("100rel")));
        for rseq in [500, 500, 501] {
            let more = format!("Require: 100rel\nRSeq: {rseq}\nContact: <{MASKED}>\nRecord-Route: <sip:p;lr>");
            peer.answer(&invite, 183, &more, &dead()).await;
        }
        for rseq in [500, 501] {
            let prack = peer.expect("PRACK").await;
            let number = invite.cseq().map(|(number, _)| number).unwrap_or_default();
            assert_eq!(prack.header("RAck"), Some(format!("{rseq} {number} INVITE").as_str()));
            assert_eq!((uri(&prack), prack.header("Route")), (MASKED, Some("<sip:p;lr>")));
            peer.answer(&prack, 200, "", "").await;
        }
        peer.answer(&invite, 200, &format!("Contact: <{MASKED}>"), "").await;
        let ack = peer.expect("ACK").await;
        peer.hang_up(&ack).await;
    })
    .await;
    let (mut live, _) = call(&net(None), &url, |_| {}).await;
    live.run_for(LIMIT).await;
    let seen = live.hang_up().await;
    assert_eq!((seen.provisional.as_slice(), seen.failure), (&[183, 183][..], None));
    assert!(seen.answered && seen.media.sdp.media_accepted);
    served.await.expect("the script");
}

#[tokio::test]
async fn literals_of_ipv6() {
    if tokio::net::TcpListener::bind("[::1]:0").await.is_err() {
        // Past the capture of the test runner: who runs this should read it.
        return drop(writeln!(std::io::stderr(), "skipped: this machine has no ::1"));
    }
    let sdp = ice_lite("[::1]:0").await;
    let (url, served) = serve("[::1]:0", move |mut peer| async move {
        let (invite, ack) =
            peer.take_call("Contact: <sip:far@[::1]:5060;ob>\nRecord-Route: <sip:[::1];lr>", &sdp).await;
        let offer = String::from_utf8_lossy(&invite.body);
        assert!(offer.contains("c=IN IP6 ::1\r\n"), "{offer}");
        assert_eq!((uri(&ack), ack.header("Route")), ("sip:far@[::1]:5060;ob", Some("<sip:[::1];lr>")));
        let bye = peer.expect("BYE").await;
        peer.answer(&bye, 200, "", "").await;
        peer.see_off().await;
    })
    .await;
    let (mut live, _) = call(&net(None), &url, |_| {}).await;
    let connected = async {
        while !live.seen().media.ice.connected {
            live.run_for(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, connected).await.unwrap_or_else(|_| panic!("{:#?}", live.seen()));
    live.hang_up().await;
    served.await.expect("the script");
}
