//! REGISTER: challenges in all their forms.

use ringfence_client::drive::registration::{RegistrationPlan, register};
use ringfence_wire::sip::Message;

use crate::server::{LIMIT, config, key, net, proved, serve};

fn plan(ws_uri: &str) -> RegistrationPlan {
    RegistrationPlan { answer_within: LIMIT, ..RegistrationPlan::honest(config(ws_uri), 1) }
}

/// A 200 as some servers write it: compact names, a folded line, spaces around the length.
fn oddly_written(request: &Message, more: &str) -> String {
    let field = |name: &str| request.header(name).unwrap_or_default();
    format!(
        "SIP/2.0 200 OK\r\nv: {}\r\nt: {};tag=far\r\nf: {}\r\ni: {}\r\nCSeq:   {}\r\nm:\r\n {}\r\n{more}\r\nContent-Length :    0  \r\n\r\n",
        field("Via"),
        field("To"),
        field("From"),
        field("Call-ID"),
        field("CSeq"),
        field("Contact"),
    )
}

#[tokio::test]
async fn nonces_serve_once() {
    let (url, served) = serve("127.0.0.1:0", |mut peer| async move {
        let first = peer.expect("REGISTER").await;
        let two = "WWW-Authenticate: Digest realm=\"r\", nonce=\"md5\", algorithm=MD5, qop=\"auth\", \
                   Digest realm=\"r\", nonce=\"one\", algorithm=SHA-256, qop=\"auth\"";
        peer.answer(&first, 401, two, "").await;
        let second = peer.expect("REGISTER").await;
        let mut nonces = vec![proved(&second, "Authorization")];
        let stale = "WWW-Authenticate: Digest realm=\"r\", nonce=\"two\", stale=true, algorithm=SHA-256, qop=\"auth\"";
        peer.answer(&second, 401, stale, "").await;
        let third = peer.expect("REGISTER").await;
        nonces.push(proved(&third, "Authorization"));
        peer.send(&oddly_written(&third, "Authentication-Info: nextnonce=\"three\", qop=auth")).await;
        // The contact is taken back. Whoever takes no nonce twice asks again.
        let mut leaving = peer.expect("REGISTER").await;
        if leaving.header("Authorization").is_none() {
            let next = "WWW-Authenticate: Digest realm=\"r\", nonce=\"three\", algorithm=SHA-256, qop=\"auth\"";
            peer.answer(&leaving, 401, next, "").await;
            leaving = peer.expect("REGISTER").await;
        }
        nonces.push(proved(&leaving, "Authorization"));
        peer.answer(&leaving, 200, "", "").await;
        nonces
    })
    .await;
    let seen = register(&net(None), &plan(&url), &key()).await;
    assert_eq!((seen.answers.as_slice(), seen.status), (&[401, 401, 200][..], Some(200)), "{:?}", seen.failure);
    assert!(seen.contact_ok);
    assert_eq!(seen.expires_s, Some(600));
    assert_eq!(served.await.expect("the script"), ["one", "two", "three"]);
}

#[tokio::test]
async fn each_hop_asks() {
    let (url, served) = serve("127.0.0.1:0", |mut peer| async move {
        let first = peer.expect("REGISTER").await;
        peer.answer(&first, 407, "Proxy-Authenticate: Digest realm=\"p\", nonce=\"p1\"", "").await;
        let second = peer.expect("REGISTER").await;
        proved(&second, "Proxy-Authorization");
        peer.answer(&second, 401, "WWW-Authenticate: Digest realm=\"r\", nonce=\"r1\"", "").await;
        let third = peer.expect("REGISTER").await;
        // The proxy takes no nonce twice, and does not call the old one stale.
        peer.answer(&third, 407, "Proxy-Authenticate: Digest realm=\"p\", nonce=\"p2\"", "").await;
        let fourth = peer.expect("REGISTER").await;
        let nonces = [proved(&fourth, "Proxy-Authorization"), proved(&fourth, "Authorization")];
        peer.answer(&fourth, 200, "", "").await;
        peer.see_off().await;
        nonces
    })
    .await;
    let seen = register(&net(None), &plan(&url), &key()).await;
    assert_eq!(seen.answers, [407, 401, 407, 200], "{:?}", seen.failure);
    assert_eq!(served.await.expect("the script"), ["p2", "r1"]);
}
