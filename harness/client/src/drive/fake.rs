//! A small SIP server over plain WebSocket, one script per connection, for tests.

use std::path::Path;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use ringfence_model::target::Target;
use ringfence_model::{RunKey, Secret};
use ringfence_wire::sip::{self, Message};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use crate::Net;
use crate::adapters::{CallConfig, ConfigKind};
use crate::net::Limits;

/// An answer to our offer whose candidate nobody listens at: port 9 of loopback.
pub const DEAD_ANSWER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n\
    c=IN IP4 127.0.0.1\r\na=rtcp-mux\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=setup:passive\r\n\
    a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n\
    a=mid:0\r\na=rtpmap:0 PCMU/8000\r\na=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\na=sendrecv\r\n";

/// The far side of one connection.
pub struct Peer {
    socket: WebSocketStream<TcpStream>,
}

impl Peer {
    /// The next message; ends the script where there is none.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            match self.socket.next().await?.ok()? {
                tungstenite::Message::Text(text) => return Message::parse(text.as_bytes()).ok(),
                tungstenite::Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// The next request of this method, whatever comes before it.
    pub async fn expect(&mut self, method: &str) -> Option<Message> {
        loop {
            let message = self.next().await?;
            if message.method() == Some(method) {
                return Some(message);
            }
        }
    }

    pub async fn send(&mut self, text: String) {
        let _ = self.socket.send(tungstenite::Message::text(text)).await;
    }

    pub async fn ping(&mut self) {
        let _ = self.socket.send(tungstenite::Message::Ping(vec![1].into())).await;
    }

    /// The payload of the next pong.
    pub async fn pong(&mut self) -> Option<Vec<u8>> {
        loop {
            if let tungstenite::Message::Pong(bytes) = self.socket.next().await?.ok()? {
                return Some(bytes.to_vec());
            }
        }
    }

    pub async fn answer(&mut self, request: &Message, status: u16, more: &str, body: &str) {
        let field = |name: &str| request.header(name).unwrap_or_default().to_owned();
        let tag = if field("To").contains("tag=") || status == 100 { "" } else { ";tag=fake" };
        let more: String = more.lines().map(|line| format!("{line}\r\n")).collect();
        self.send(format!(
            "SIP/2.0 {status} Word\r\nVia: {}\r\nTo: {}{tag}\r\nFrom: {}\r\nCall-ID: {}\r\nCSeq: {}\r\n{more}\
             Content-Length: {}\r\n\r\n{body}",
            field("Via"),
            field("To"),
            field("From"),
            field("Call-ID"),
            field("CSeq"),
            body.len()
        ))
        .await;
    }

    /// BYE within the call that this ACK belongs to.
    pub async fn hang_up(&mut self, ack: &Message) {
        let field = |name: &str| ack.header(name).unwrap_or_default().to_owned();
        self.send(format!(
            "BYE sip:x@y.invalid SIP/2.0\r\nVia: SIP/2.0/WS f.invalid;branch=z9hG4bKfake\r\nTo: {}\r\nFrom: {}\r\nCall-ID: {}\r\n\
             CSeq: 7 BYE\r\nReason: SIP;cause=200\r\nContent-Length: 0\r\n\r\n",
            field("From"),
            field("To"),
            field("Call-ID")
        ))
        .await;
    }
}

/// What a server heard, as `METHOD` or `=STATUS`.
pub type Heard = mpsc::UnboundedReceiver<String>;

/// Serves one script on every connection; the address is that of the WebSocket.
pub async fn sip_server<F, R>(script: F) -> (String, Heard)
where
    F: Fn(Peer, mpsc::UnboundedSender<String>) -> R + Send + 'static,
    R: Future<Output = Option<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("ws://{}/sip", listener.local_addr().unwrap());
    let (tell, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Some(peer) = accept(stream).await {
                tokio::spawn(script(peer, tell.clone()));
            }
        }
    });
    (address, heard)
}

/// The far side of this connection, after the upgrade.
pub async fn accept(stream: TcpStream) -> Option<Peer> {
    let socket = tokio_tungstenite::accept_hdr_async(stream, echo_subprotocol).await.ok()?;
    Some(Peer { socket })
}

#[expect(clippy::result_large_err, reason = "the signature is the library's")]
fn echo_subprotocol(request: &Request, mut answer: Response) -> Result<Response, ErrorResponse> {
    if let Some(name) = request.headers().get("sec-websocket-protocol") {
        answer.headers_mut().insert("sec-websocket-protocol", name.clone());
    }
    Ok(answer)
}

pub fn net() -> Net {
    let text = "name = \"x\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://c.test/t\"\n[[scope]]\n\
                networks = [\"127.0.0.0/8\"]\n";
    let limits = Limits {
        idle: Duration::from_millis(500),
        exchange: Duration::from_millis(500),
        tls: Duration::from_millis(500),
        ..Limits::default()
    };
    Net::new(&Target::parse(text, Path::new("t.toml")).unwrap()).unwrap().with_limits(limits)
}

pub fn key() -> RunKey {
    RunKey::from_random([7; 32])
}

pub fn config(ws_uri: &str) -> CallConfig {
    CallConfig {
        kind: ConfigKind::Legacy,
        ws_uri: ws_uri.into(),
        ws_given: ws_uri.into(),
        realm: "sip.test".into(),
        aor_user: "alice".into(),
        username: Some("user".into()),
        password: Some(Secret::from("pass")),
        token: None,
        read_at: std::time::SystemTime::now(),
        lifetime_s: None,
        target_uri: "sip:app-1@sip.test".into(),
        identity_headers: vec![("X-Project-Id".into(), "p".into())],
        ice_servers: Vec::new(),
        register: true,
        active: true,
        privacy_notice: false,
    }
}

/// Registers one client as a server with digest does, each nonce good for one request.
pub async fn registrar(peer: &mut Peer) -> Option<()> {
    let first = peer.expect("REGISTER").await?;
    let nonce = "WWW-Authenticate: Digest realm=\"sip.test\", nonce=\"once\", algorithm=SHA-256, qop=\"auth\"";
    peer.answer(&first, 401, nonce, "").await;
    let second = peer.expect("REGISTER").await?;
    let status = if authorized(&second, "once") { 200 } else { 403 };
    let contact = second.header("Contact").unwrap_or_default().to_owned();
    peer.answer(&second, status, &format!("Contact: {contact}\nServer: fake/1"), "").await;
    Some(())
}

fn authorized(request: &Message, nonce: &str) -> bool {
    use ringfence_wire::digest::{Algorithm, Authorization, ha1};
    let answer = request.header("Authorization").and_then(|value| Authorization::parse(value).ok().flatten());
    answer.is_some_and(|answer| {
        let stored = ha1(Algorithm::Sha256, "user", "sip.test", "pass");
        answer.nonce == nonce && answer.verify(&stored, "REGISTER").is_ok()
    })
}

/// The branch of a request, to tell one transaction from another.
pub fn branch(message: &Message) -> Option<String> {
    message.header("Via").and_then(sip::branch)
}
