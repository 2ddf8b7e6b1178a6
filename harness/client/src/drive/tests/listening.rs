//! Who is registered and hears what others ask.

use std::sync::Arc;

use tokio::sync::Notify;

use super::*;
use crate::drive::listener::{ListenerPlan, listen};

fn request(method: &str) -> String {
    format!(
        "{method} sip:alice@a.invalid SIP/2.0\r\nVia: SIP/2.0/WS f.invalid;branch=z9hG4bK{method}\r\nFrom: <sip:f@f>;tag=1\r\n\
         To: <sip:alice@sip.test>\r\nCall-ID: {method}\r\nCSeq: 1 {method}\r\nContact: <sip:f@f>\r\nContent-Length: 0\r\n\r\n"
    )
}

#[tokio::test]
async fn a_registrars_own_questions_are_no_calls() {
    let go_on = Arc::new(Notify::new());
    let theirs = go_on.clone();
    let (address, mut heard) = sip_server(move |mut peer, tell| {
        let go_on = theirs.clone();
        async move {
            registrar(&mut peer).await?;
            for method in ["OPTIONS", "NOTIFY"] {
                peer.send(request(method)).await;
                tell.send(format!("={}", peer.next().await?.status()?)).ok()?;
            }
            go_on.notified().await;
            peer.send(request("INVITE")).await;
            while peer.next().await.is_some() {}
            Some(())
        }
    })
    .await;
    let answer_within = Duration::from_secs(5);
    let plan = ListenerPlan { config: config(&address), origin: None, seed: 1, answer_within };
    let mut listener = listen(&net(), plan).await.unwrap();
    for _ in 0..2 {
        assert!(heard.recv().await.unwrap().starts_with('='), "both were answered");
    }
    assert!(!listener.comes(0, Duration::from_millis(300)).await, "nobody has called");
    assert_eq!(listener.invites(), 0);
    go_on.notify_one();
    assert!(listener.comes(0, Duration::from_secs(10)).await);
    let methods: Vec<String> = listener.heard().await.into_iter().map(|asked| asked.method).collect();
    assert_eq!(methods, ["OPTIONS", "NOTIFY", "INVITE"]);
}
