//! Corpora against small servers on loopback, one that reads with care and some that do not.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

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
    /// As carelessly, and takes a second for it.
    Slowly,
    /// With care, until the first bad message: then it answers nobody any more.
    UntilTheFirst,
    /// With care, and no further on a connection that had a bad message.
    AndGoesDeaf,
    /// With care; behind a bad message it reads one more, and closes over the next without a look at it.
    AndClosesLater,
    /// Nothing above 64 KiB, to which it says what answers nothing.
    AndPrattles,
    /// Nothing above 64 KiB, to which it says more than we read.
    AndShouts,
    /// Nothing: it says of two hundred calls that they ring.
    AndRings,
}

/// What all connections of a server share.
#[derive(Default)]
struct Shared {
    /// Messages that were read.
    read: Mutex<BTreeSet<Vec<u8>>>,
    has_met_a_bad_one: AtomicBool,
}

async fn server(reads: Reads) -> (CallConfig, Arc<Shared>) {
    let shared = Arc::new(Shared::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ws_uri = format!("ws://{}", listener.local_addr().unwrap());
    let theirs = shared.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, reads, theirs.clone()));
        }
    });
    let config = CallConfig {
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
    };
    (config, shared)
}

async fn serve(stream: TcpStream, reads: Reads, shared: Arc<Shared>) -> Option<()> {
    #[expect(clippy::result_large_err, reason = "the library's own signature")]
    let grant = |_: &tokio_tungstenite::tungstenite::handshake::server::Request,
                 mut response: tokio_tungstenite::tungstenite::handshake::server::Response| {
        response.headers_mut().insert("Sec-WebSocket-Protocol", "sip".parse().unwrap());
        Ok(response)
    };
    let mut socket = tokio_tungstenite::accept_hdr_async(stream, grant).await.ok()?;
    let (mut rest, mut left) = (String::new(), None);
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
        let is_sound = sip::prepare(&bytes).is_ok();
        if left == Some(0) {
            return None;
        }
        shared.read.lock().unwrap().insert(bytes.clone());
        left = left.map(|left| left - 1_u32);
        let is_silent = shared.has_met_a_bad_one.load(Ordering::Relaxed);
        shared.has_met_a_bad_one.fetch_or(!is_sound, Ordering::Relaxed);
        let requests = match reads {
            Reads::AndGoesDeaf if !is_sound => std::future::pending().await,
            Reads::AndClosesLater if !is_sound => {
                left = Some(1);
                vec![]
            }
            Reads::UntilTheFirst if is_silent => vec![],
            Reads::Slowly => {
                sleep(Duration::from_secs(1)).await;
                vec![text]
            }
            Reads::AndPrattles if bytes.len() > 65_536 => {
                for said in ["\r\n", "OPTIONS sip:you SIP/2.0\r\nCall-ID: x\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n"] {
                    socket.send(Message::text(said)).await.ok()?;
                }
                socket.send(Message::Pong(vec![].into())).await.ok()?;
                vec![]
            }
            Reads::AndShouts if bytes.len() > 65_536 => {
                socket.send(Message::text("r".repeat(300_000))).await.ok()?;
                vec![]
            }
            Reads::AndRings if text.starts_with("CANCEL") => vec![],
            Reads::AndRings => {
                for number in 0..200 {
                    let ringing = format!(
                        "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/WS a.invalid\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n\
                         Call-ID: somebody-{number}\r\nCSeq: 1 INVITE\r\n\r\n"
                    );
                    socket.send(Message::text(ringing)).await.ok()?;
                }
                vec![]
            }
            Reads::WithCare | Reads::AndGoesDeaf | Reads::AndClosesLater | Reads::UntilTheFirst if is_sound => {
                vec![text]
            }
            Reads::WithCare | Reads::AndGoesDeaf | Reads::AndClosesLater | Reads::UntilTheFirst => vec![],
            Reads::AndPrattles | Reads::AndShouts => vec![text],
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
            let vias: Vec<&str> = request.lines().filter(|line| line.starts_with("Via: ")).collect();
            let answer = format!(
                "SIP/2.0 {status} Word\r\n{}\r\nTo: {}\r\nFrom: {}\r\nCall-ID: {}\r\nCSeq: {}\r\n{more}\
                 Content-Length: 0\r\n\r\n",
                vias.join("\r\n"),
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
    sent_to(server(reads).await.0, items).await
}

async fn sent_to(config: CallConfig, items: impl FnOnce(&Words) -> Vec<Item>) -> Seen {
    let words = Words::new(&config, 1);
    let items = items(&words);
    let mut sender = Sender::new(&net(), &config, None, &words).unwrap();
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
async fn an_answer_that_takes_its_time_is_no_refusal() {
    let items = |words: &Words| contradictions::items(words, false);
    let seen = sent(Reads::Slowly, items).await;
    assert_eq!(seen.accepted_invalid.len(), draft::Flaw::ALL.len(), "{seen:?}");
}

#[tokio::test]
async fn silence_towards_everybody_is_no_refusal() {
    let seen = sent(Reads::UntilTheFirst, |words| contradictions::items(words, false)).await;
    assert!(seen.accepted_invalid.is_empty() && seen.refused_valid == ["options/sound-again"], "{seen:?}");
    assert_eq!(seen.unproved.len(), draft::Flaw::ALL.len(), "{seen:?}");
    let seen = sent(Reads::UntilTheFirst, framing::items).await;
    assert!(seen.unproved.len() == 10 && seen.refused_valid.is_empty(), "{seen:?}");
}

fn bytes_of(item: &Item) -> Vec<u8> {
    let item::Say::Message(bytes) = &item.say else { panic!("{} is no message", item.name) };
    bytes.clone()
}

#[tokio::test]
async fn every_message_of_a_corpus_is_read() {
    for reads in [Reads::AndGoesDeaf, Reads::AndClosesLater] {
        let (config, shared) = server(reads).await;
        let (mut names, mut wanted) = (Vec::new(), Vec::new());
        let seen = sent_to(config, |words| {
            let items = torture::whole(words, 4475).unwrap().into_iter();
            let mut items: Vec<_> = items.filter(|item| sip::prepare(&bytes_of(item)).is_err()).take(4).collect();
            items.iter_mut().for_each(|item| item.wait = Duration::from_millis(50));
            names = items.iter().map(|item| item.name.clone()).collect();
            wanted = items.iter().map(bytes_of).collect();
            items
        })
        .await;
        let read = shared.read.lock().unwrap();
        assert_eq!(wanted.len(), 4);
        assert!(wanted.iter().all(|bytes| read.contains(bytes)), "{names:?}: {seen:?}");
    }
}

#[tokio::test]
async fn what_rings_without_end_is_not_ended_without_end() {
    let (config, shared) = server(Reads::AndRings).await;
    sent_to(config, |words| {
        let items = torture::regressions(words).into_iter().take(1);
        items.map(|item| Item { behind: None, wait: Duration::from_secs(2), ..item }).collect()
    })
    .await;
    let read = shared.read.lock().unwrap();
    let cancels = read.iter().filter(|message| message.starts_with(b"CANCEL ")).count();
    assert!((1..=16).contains(&cancels), "{cancels}");
}

#[tokio::test]
async fn frames_are_held_against_the_first() {
    let seen = sent(Reads::WithCare, framing::items).await;
    assert!(seen.accepted_invalid.is_empty() && seen.refused_valid.is_empty() && seen.smuggled.is_empty(), "{seen:?}");
    assert!(seen.unproved.is_empty() && seen.answered == 8, "{seen:?}");
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
    let only = |wanted: &'static str| {
        move |words: &Words| {
            let found = oversize::items(words).into_iter().filter(|item| item.name == wanted);
            found.map(|item| Item { wait: Duration::from_secs(1), ..item }).collect()
        }
    };
    let seen = sent(Reads::Carelessly, only("1000-vias")).await;
    assert_eq!(seen.accepted_invalid, ["1000-vias"], "its answer has as many");
    let seen = sent(Reads::AndPrattles, only("header-line-of-256-kib")).await;
    assert_eq!(seen.unanswered, ["header-line-of-256-kib"], "no word of it is a refusal: {seen:?}");
    let seen = sent(Reads::AndShouts, only("header-line-of-256-kib")).await;
    assert_eq!((seen.unanswered.len(), seen.connection_losses), (0, 0), "we gave up, and nobody closed");
    assert_eq!(seen.unproved, ["header-line-of-256-kib"]);
}

#[tokio::test]
async fn a_target_that_is_not_there_is_sent_nothing() {
    let mut config = server(Reads::WithCare).await.0;
    config.ws_uri = "ws://127.0.0.1:9".into();
    let words = Words::new(&config, 1);
    let mut sender = Sender::new(&net(), &config, None, &words).unwrap();
    let items = framing::items(&words);
    assert_eq!(sender.say(&items[0]).await, Told::default());
    let mut seen = Seen::default();
    weigh::weigh(&items, &[Told::default()], |_| vec![], &mut seen);
    assert_eq!(seen.sent, 0);
    assert_eq!(seen.unproved.len(), 10, "and nothing is proved: {seen:?}");
}
