//! Single requests, listeners and hostile names against small servers on loopback.

use super::*;
use crate::drive::listener::{ListenerPlan, listen};
use crate::drive::registration::MARKER;
use crate::drive::request::{RequestLogin, RequestPlan, offer, request};
use crate::signalling::Within;

const CHALLENGE: &str = "Proxy-Authenticate: Digest realm=\"sip.test\", nonce=\"n\"";
const LONG: Duration = Duration::from_secs(30);

fn asking(address: &str, method: &str) -> RequestPlan {
    RequestPlan {
        config: config(address),
        method: method.into(),
        target_uri: "sip:app-1@sip.test".into(),
        login: RequestLogin::None,
        register: false,
        headers: vec![("X-A".into(), "b".into())],
        body: (method == "INVITE").then(|| ("application/sdp".into(), offer(1).unwrap().into_bytes())),
        within: Within::Nothing,
        origin: None,
        seed: 1,
        answer_within: LONG,
        ring_within: LONG,
    }
}

#[tokio::test]
async fn a_refused_invite_shows_its_challenge() {
    for (login, heard_invites) in [(RequestLogin::None, 1), (RequestLogin::Wrong, 2), (RequestLogin::Own, 2)] {
        let (address, mut heard) = sip_server(|mut peer, tell| async move {
            while let Some(message) = peer.next().await {
                tell.send(message.method()?.into()).ok()?;
                if message.method() == Some("INVITE") {
                    peer.answer(&message, 407, CHALLENGE, "").await;
                }
            }
            Some(())
        })
        .await;
        let seen = request(&net(), &RequestPlan { login, ..asking(&address, "INVITE") }, &key()).await;
        let answer = seen.answer.unwrap();
        assert_eq!((answer.status, seen.progressed, seen.failure), (407, false, None));
        assert_eq!((seen.challenge.digests, seen.challenge.without_qop), (1, 1));
        let mut all = Vec::new();
        while let Some(method) = heard.recv().await {
            all.push(method);
            if all.iter().filter(|method| *method == "ACK").count() == heard_invites {
                break;
            }
        }
        assert!(!all.contains(&"REGISTER".to_owned()), "{all:?}");
    }
}

#[tokio::test]
async fn what_rings_is_cancelled_and_what_is_answered_is_ended() {
    for status in [180, 200] {
        let (address, mut heard) = sip_server(move |mut peer, tell| async move {
            let invite = peer.expect("INVITE").await?;
            peer.answer(&invite, status, "Contact: <sip:desk@h>", if status == 200 { DEAD_ANSWER } else { "" }).await;
            while let Some(message) = peer.next().await {
                tell.send(message.method()?.into()).ok()?;
                if message.method() != Some("ACK") {
                    peer.answer(&message, 200, "", "").await;
                }
                if message.method() == Some("CANCEL") {
                    peer.answer(&invite, 487, "", "").await;
                }
            }
            Some(())
        })
        .await;
        let seen = request(&net(), &asking(&address, "INVITE"), &key()).await;
        assert!(seen.progressed && seen.failure.is_none(), "{seen:?}");
        assert_eq!(seen.answer.unwrap().status, if status == 180 { 487 } else { 200 });
        let first = [heard.recv().await.unwrap(), heard.recv().await.unwrap()];
        assert_eq!(first, if status == 180 { ["CANCEL", "ACK"] } else { ["ACK", "BYE"] });
    }
}

#[tokio::test]
async fn nothing_is_dialled_that_the_rule_denies() {
    let (address, mut heard) =
        sip_server(|mut peer, tell| async move { tell.send(peer.next().await?.method()?.into()).ok() }).await;
    let emergency = RequestPlan { target_uri: "sip:911@sip.test".into(), ..asking(&address, "INVITE") };
    let refer = RequestPlan { headers: vec![("Refer-To".into(), "<sip:112@h>".into())], ..asking(&address, "REFER") };
    for plan in [emergency, refer] {
        let seen = request(&net(), &plan, &key()).await;
        assert_eq!(seen.failure.map(|failure| failure.outcome), Some(Outcome::OutOfScope));
    }
    assert!(heard.try_recv().is_err());
}

#[tokio::test]
async fn a_listener_hears_what_comes_to_it() {
    let (address, _heard) = sip_server(|mut peer, _| async move {
        registrar(&mut peer).await?;
        peer.send(
            "MESSAGE sip:a@b SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK1\r\nFrom: <sip:c@h>;tag=1\r\n\
             To: <sip:alice@sip.test>\r\nCall-ID: x\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"
                .into(),
        )
        .await;
        while peer.next().await.is_some() {}
        Some(())
    })
    .await;
    let plan = ListenerPlan { config: config(&address), origin: None, seed: 1, answer_within: LONG };
    let listener = listen(&net(), plan).await.unwrap_or_else(|failure| panic!("{failure}"));
    // It may come after the registration's answer has been read.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let heard = listener.heard().await;
    assert!(heard.len() == 1 && heard[0].method == "MESSAGE", "{heard:?}");
}

#[tokio::test]
async fn hostile_names_show_what_they_broke() {
    for (user, echoes, drops) in [("a%0d%0a", true, false), ("a\0b", false, true), ("a;b", false, false)] {
        let (address, _heard) = sip_server(move |mut peer, _| async move {
            let mut unread = 0;
            loop {
                // NUL makes a message that our own reader refuses; at the end of the connection there is none at all.
                let Some(message) = peer.next().await else {
                    unread += 1;
                    if unread > 3 {
                        return None;
                    }
                    continue;
                };
                match message.method()? {
                    "REGISTER" if echoes => {
                        peer.answer(&message, 403, &format!("{MARKER}: 1"), "").await;
                    }
                    "REGISTER" => peer.answer(&message, 403, "", "").await,
                    _ => peer.answer(&message, 200, "", "").await,
                }
            }
        })
        .await;
        let plan = RegistrationPlan {
            aor_user: Some(user.into()),
            user_as_is: true,
            answer_within: LONG,
            ..RegistrationPlan::honest(config(&address), 1)
        };
        let seen = tokio::time::timeout(LONG, register(&net(), &plan, &key())).await.unwrap();
        assert_eq!((!seen.echoed.is_empty(), seen.dropped), (echoes, drops), "{user}");
        assert_eq!(seen.statuses.is_empty(), drops, "{user}");
    }
}
