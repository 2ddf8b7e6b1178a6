//! Corpora against small servers on loopback, one that reads with care and some that do not.

use std::path::Path;

use futures_util::{SinkExt, StreamExt};
use ringfence_client::Net;
use ringfence_client::adapters::ConfigKind;
use ringfence_model::target::Target;
use ringfence_wire::sip;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use super::*;

/// How a server reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// With the pre-pass; what it refuses it drops.
    WithCare,
    /// Whatever has a Call-ID is fine.
    Carelessly,
    /// A message is a piece of a stream.
    AsAStream,
    /// Not at all: it closes over anything that is above 64 KiB or has a NUL.
    AndCloses,
}

async fn server(reads: Reads) -> CallConfig {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ws_uri = format!("ws://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, reads));
        }
    });
    CallConfig {
        kind: ConfigKind::Sip,
        ws_given: ws_uri.clone(),
        ws_uri,
        realm: "sip.test".into(),
        aor_user: "a".into(),
        username: Some("u".into()),
        password: Some("p".to_owned().into()),
        token: None,
        read_at: std::time::SystemTime::now(),
        lifetime_s: None,
        target_uri: "sip:desk@sip.test".into(),
        identity_headers: Vec::new(),
        ice_servers: Vec::new(),
        register: true,
        active: true,
        privacy_notice: false,
    }
}

async fn serve(stream: TcpStream, reads: Reads) -> Option<()> {
    #[expect(clippy::result_large_err, reason = "the library's own signature")]
    let grant = |_: &tokio_tungstenite::tungstenite::handshake::server::Request,
                 mut response: tokio_tungstenite::tungstenite::handshake::server::Response| {
        response.headers_mut().insert("Sec-WebSocket-Protocol", "sip".parse().unwrap());
        Ok(response)
    };
    let mut socket = tokio_tungstenite::accept_hdr_async(stream, grant).await.ok()?;
    let mut rest = String::new();
    loop {
        let bytes = match socket.next().await?.ok()? {
            Message::Text(text) => text.as_bytes().to_vec(),
            Message::Binary(bytes) => bytes.to_vec(),
            _ => continue,
        };
        if sip::is_keepalive(&bytes) {
            continue;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let requests = match reads {
            Reads::WithCare if sip::prepare(&bytes).is_ok() => vec![text],
            Reads::WithCare => vec![],
            Reads::Carelessly => vec![text],
            Reads::AndCloses if bytes.len() > 65_536 || bytes.contains(&0) => return None,
            Reads::AndCloses => vec![text],
            Reads::AsAStream => {
                rest.push_str(&text);
                let mut whole = Vec::new();
                while let Some(at) = rest.find("\r\n\r\n") {
                    let after = rest.split_off(at + 4);
                    whole.push(std::mem::replace(&mut rest, after));
                }
                whole
            }
        };
        for request in requests {
            let field = |name: &str| {
                let prefix = format!("{name}: ");
                request.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default().to_owned()
            };
            let (status, more) = match request.contains("REGISTER") && !request.contains("Authorization: Digest") {
                true => (401, "WWW-Authenticate: Digest realm=\"sip.test\", nonce=\"n\", qop=\"auth\"\r\n"),
                false => (200, ""),
            };
            let answer = format!(
                "SIP/2.0 {status} Word\r\nVia: {}\r\nTo: {}\r\nFrom: {}\r\nCall-ID: {}\r\nCSeq: {}\r\n{more}\
                 Content-Length: 0\r\n\r\n",
                field("Via"),
                field("To"),
                field("From"),
                field("Call-ID"),
                field("CSeq"),
            );
            socket.send(Message::text(answer)).await.ok()?;
        }
    }
}

fn net() -> Net {
    let target = "name = \"t\"\nadapter = \"sip\"\n[endpoints]\nconfig = \"https://127.0.0.1/\"\n\
                  [[scope]]\nnetworks = [\"127.0.0.0/8\"]\n";
    Net::new(&Target::parse(target, Path::new("t.toml")).unwrap()).unwrap()
}

async fn sent(reads: Reads, items: impl FnOnce(&Words) -> Vec<Item>) -> Seen {
    let config = server(reads).await;
    let items = items(&Words::new(&config, 1));
    let mut sender = Sender::new(&net(), &config, None).unwrap();
    let mut told = Vec::new();
    for item in &items {
        told.push(sender.say(item).await);
    }
    sender.close().await;
    let mut seen = Seen { connection_losses: sender.losses, ..Seen::default() };
    weigh::weigh(&items, &told, |call_id| sender.statuses(call_id), &mut seen);
    assert_eq!(seen.sent, count(items.len()));
    seen
}

#[tokio::test]
async fn contradictions_are_told_from_their_twins() {
    let items = |words: &Words| contradictions::items(words, true);
    let seen = sent(Reads::WithCare, items).await;
    assert!(seen.accepted_invalid.is_empty() && seen.refused_valid.is_empty(), "{seen:?}");
    assert!(seen.unproved.is_empty() && seen.connection_losses == 0, "{seen:?}");
    assert_eq!(seen.answered, 6, "the sound ones, registrations with credentials");

    let seen = sent(Reads::Carelessly, items).await;
    assert_eq!(seen.accepted_invalid.len(), 2 * draft::Flaw::ALL.len(), "{seen:?}");
    assert!(seen.refused_valid.is_empty());

    let seen = sent(Reads::AndCloses, items).await;
    assert_eq!(seen.connection_losses, 8, "NUL in four places of two requests");
    assert!(seen.accepted_invalid.iter().all(|name| name.contains("/length-")) && seen.unproved.is_empty(), "{seen:?}");
}

#[tokio::test]
async fn frames_are_held_against_the_first() {
    let seen = sent(Reads::WithCare, framing::items).await;
    assert!(seen.accepted_invalid.is_empty() && seen.refused_valid.is_empty() && seen.smuggled.is_empty(), "{seen:?}");
    assert!(seen.unproved.is_empty() && seen.answered == 9, "{seen:?}");
    let seen = sent(Reads::AsAStream, framing::items).await;
    assert_eq!(seen.accepted_invalid, ["two-messages-one-request"]);
    assert_eq!(seen.smuggled, ["second-request-in-one-message"]);
}

#[tokio::test]
async fn what_is_too_large_has_to_be_refused() {
    // The last ones take their time, or are larger than this server's library takes.
    let items = |words: &Words| {
        let short = |item: Item| Item { wait: item::SHORTLY, ..item };
        oversize::items(words).into_iter().take(3).map(short).collect()
    };
    let seen = sent(Reads::AndCloses, items).await;
    assert!(seen.unanswered.is_empty(), "{seen:?}");
    assert_eq!(seen.accepted_invalid, ["2000-header-fields"]);
    assert_eq!(seen.connection_losses, 2);
    let seen = sent(Reads::WithCare, items).await;
    assert_eq!(seen.unanswered, ["header-line-of-256-kib", "2000-header-fields", "body-of-4-mib"]);
}

#[tokio::test]
async fn a_target_that_is_not_there_is_sent_nothing() {
    let mut config = server(Reads::WithCare).await;
    config.ws_uri = "ws://127.0.0.1:9".into();
    let mut sender = Sender::new(&net(), &config, None).unwrap();
    let items = framing::items(&Words::new(&config, 1));
    assert_eq!(sender.say(&items[0]).await, Told::default());
    let mut seen = Seen::default();
    weigh::weigh(&items, &[Told::default()], |_| vec![], &mut seen);
    assert_eq!(seen.sent, 0);
    assert_eq!(seen.unproved.len(), 10, "and nothing is proved: {seen:?}");
}
