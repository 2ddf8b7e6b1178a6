//! What the far side asks in mid-call, and session timers.

use ringfence_client::drive::call::EndedBy;
use ringfence_wire::sip::Message;
use tokio_tungstenite::tungstenite;

use crate::media::dead;
use crate::server::{LIMIT, Peer, call, net, serve};

/// The rest of the line that begins so.
#[track_caller]
fn line<'a>(sdp: &'a str, start: &str) -> &'a str {
    sdp.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_else(|| panic!("no {start} in {sdp}"))
}

/// Our description in a 200 to this change.
async fn changed(peer: &mut Peer, ack: &Message, method: &str, sdp: &str) -> String {
    let answer = peer.ask(ack, method, "Contact: <sip:far@h>", sdp).await;
    assert_eq!(answer.status(), Some(200), "{method} {sdp}");
    assert_eq!(answer.header("Content-Type"), Some("application/sdp"));
    String::from_utf8(answer.body).expect("text")
}

#[tokio::test]
async fn hold_resume_restart_and_an_offer_asked_for() {
    let (url, served) = serve("127.0.0.1:0", |mut peer| async move {
        let (invite, ack) = peer.take_call("Contact: <sip:far@h>", &dead()).await;
        let offered = String::from_utf8_lossy(&invite.body).into_owned();
        let again = dead().replace("a=setup:passive", "a=setup:actpass");
        for method in ["INVITE", "UPDATE"] {
            for (says, answers) in [("sendonly", "recvonly"), ("inactive", "inactive"), ("sendrecv", "sendrecv")] {
                let ours = changed(&mut peer, &ack, method, &again.replace("sendrecv", says)).await;
                assert!(ours.contains(&format!("a={answers}\r\n")) && ours.contains("a=setup:active\r\n"), "{ours}");
                assert_eq!(line(&ours, "a=ice-ufrag:"), line(&offered, "a=ice-ufrag:"));
                if method == "INVITE" {
                    peer.request(&ack, "ACK", "", "").await;
                }
            }
        }
        let restart = again.replace("a=ice-ufrag:theirs", "a=ice-ufrag:restarted");
        let ours = changed(&mut peer, &ack, "INVITE", &restart).await;
        assert_ne!(line(&ours, "a=ice-ufrag:"), line(&offered, "a=ice-ufrag:"));
        peer.request(&ack, "ACK", "", "").await;

        let offer = changed(&mut peer, &ack, "INVITE", "").await;
        assert!(offer.contains("a=setup:actpass\r\n"), "{offer}");
        assert_eq!(line(&offer, "a=ice-ufrag:"), line(&ours, "a=ice-ufrag:"));
        peer.request(&ack, "ACK", "Content-Type: application/sdp", &restart.replace("actpass", "passive")).await;

        let stranger = restart.replace("0A:0A", "0B:0B");
        for refused in [stranger.as_str(), "nonsense"] {
            assert_eq!(peer.ask(&ack, "INVITE", "", refused).await.status(), Some(488));
            peer.request(&ack, "ACK", "", "").await;
        }
        // A refresh without a description, by the far side.
        let answer = peer.ask(&ack, "UPDATE", "Supported: timer\nSession-Expires: 90;refresher=uac", "").await;
        assert_eq!((answer.status(), answer.header("Session-Expires")), (Some(200), Some("90;refresher=uac")));
        peer.hang_up(&ack).await;
    })
    .await;
    let (mut live, _) = call(&net(None), &url, |_| {}).await;
    live.run_for(LIMIT).await;
    let seen = live.hang_up().await;
    assert_eq!((seen.ended_by, seen.failure), (Some(EndedBy::Target), None));
    assert_eq!(seen.media.sdp.setup.map(|text| text.raw().to_owned()).as_deref(), Some("passive"));
    served.await.expect("the script");
}

#[tokio::test]
async fn we_refresh() {
    let (url, served) = serve("127.0.0.1:0", |mut peer| async move {
        peer.register().await;
        let first = peer.expect("INVITE").await;
        assert_eq!(first.header("Session-Expires"), Some("90"));
        peer.answer(&first, 422, "Min-SE: 120", "").await;
        peer.expect("ACK").await;
        let invite = peer.expect("INVITE").await;
        assert_eq!((invite.header("Session-Expires"), invite.header("Min-SE")), (Some("120"), Some("120")));
        // A short one, so that the test is.
        peer.answer(&invite, 200, "Contact: <sip:far@h>\nSession-Expires: 2;refresher=uac", &dead()).await;
        let ack = peer.expect("ACK").await;
        let update = peer.expect("UPDATE").await;
        assert_eq!(update.header("Session-Expires"), Some("2;refresher=uac"));
        assert!(update.body.is_empty());
        peer.answer(&update, 200, "Session-Expires: 2;refresher=uac", "").await;
        let update = peer.expect("UPDATE").await;
        peer.answer(&update, 501, "", "").await;
        let refresh = peer.expect("INVITE").await;
        assert_eq!(refresh.header("Session-Expires"), Some("2;refresher=uac"));
        assert_eq!(refresh.body, invite.body, "nothing changes");
        peer.answer(&refresh, 200, "Contact: <sip:far@h>\nSession-Expires: 90;refresher=uac", &dead()).await;
        assert_eq!(peer.expect("ACK").await.cseq().map(|(number, _)| number), refresh.cseq().map(|(number, _)| number));
        peer.hang_up(&ack).await;
    })
    .await;
    let (mut live, _) = call(&net(None), &url, |plan| plan.session_expires = Some(90)).await;
    live.run_for(LIMIT).await;
    let seen = live.hang_up().await;
    assert_eq!((seen.ended_by, seen.failure), (Some(EndedBy::Target), None));
    served.await.expect("the script");
}

#[tokio::test]
async fn nobody_refreshes() {
    let (url, served) = serve("127.0.0.1:0", |mut peer| async move {
        let (_, ack) = peer.take_call("Contact: <sip:far@h>\nSession-Expires: 90;refresher=uas", &dead()).await;
        // Once in time; then the far side forgets.
        let more = "Supported: timer\nSession-Expires: 3;refresher=uac";
        assert_eq!(peer.ask(&ack, "UPDATE", more, "").await.header("Session-Expires"), Some("3;refresher=uac"));
        let bye = peer.expect("BYE").await;
        peer.answer(&bye, 200, "", "").await;
        peer.see_off().await;
    })
    .await;
    let (mut live, _) = call(&net(None), &url, |plan| plan.session_expires = Some(90)).await;
    live.run_for(LIMIT).await;
    let seen = live.hang_up().await;
    assert_eq!(seen.ended_by, Some(EndedBy::Us));
    assert!(seen.failure.is_some_and(|failure| failure.error.raw().contains("without a refresh")));
    served.await.expect("the script");
}

#[tokio::test]
async fn what_we_do_not_do_is_refused() {
    let (url, served) = serve("127.0.0.1:0", |mut peer| async move {
        let (_, ack) = peer.take_call("Contact: <sip:far@h>", &dead()).await;
        for (method, more, status) in [
            ("FROBNICATE", "", 405),
            ("PUBLISH", "", 405),
            ("REFER", "Refer-To: <sip:elsewhere@h>", 603),
            ("UPDATE", "Require: nonsense", 420),
            ("CANCEL", "", 481),
        ] {
            let answer = peer.ask(&ack, method, more, "").await;
            assert_eq!(answer.status(), Some(status), "{method}");
            assert!(answer.header("Allow").is_some_and(|allow| allow.contains("UPDATE")), "{answer:?}");
            assert_eq!(answer.header("Unsupported"), (status == 420).then_some("nonsense"));
        }
        for (method, to, status) in [
            ("INVITE", "<sip:us@h>", 603), // a microphone is not opened from outside
            ("SUBSCRIBE", "<sip:us@h>", 405),
            ("OPTIONS", "<sip:us@h>", 200),
            ("BYE", "<sip:us@h>;tag=guessed", 481),
            ("INVITE", "<sip:us@h>;tag=guessed", 481),
        ] {
            peer.send(&format!(
                "{method} sip:us@h SIP/2.0\r\nVia: SIP/2.0/WS s;branch=z9hG4bKs\r\nTo: {to}\r\nFrom: <sip:s@h>;tag=s\r\n\
                 Call-ID: stranger\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
            ))
            .await;
            let answer = peer.next().await.expect("an answer");
            assert_eq!(answer.status(), Some(status), "{method} {to}");
        }
        for _ in 0..2000 {
            peer.request(&ack, "OPTIONS", "", "").await;
        }
        peer.send_frame(tungstenite::Message::Ping(Vec::new().into())).await;
        let mut answers = 0;
        while !matches!(peer.frame().await.expect("a pong"), tungstenite::Message::Pong(_)) {
            answers += 1;
        }
        answers
    })
    .await;
    let (mut live, _) = call(&net(None), &url, |_| {}).await;
    live.run_for(LIMIT).await;
    let seen = live.hang_up().await;
    assert_eq!(seen.ended_by, Some(EndedBy::Target), "it has left");
    assert!(seen.failure.is_some_and(|failure| failure.error.raw().contains("requests on one connection")));
    let answers = served.await.expect("the script");
    assert!((200..400).contains(&answers), "{answers} answers to a storm");
}
