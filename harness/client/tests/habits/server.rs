//! A scripted SIP server on one WebSocket, plain or over TLS, and the client's side of it.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use ringfence_client::Net;
use ringfence_client::adapters::{CallConfig, ConfigKind};
use ringfence_client::drive::call::{CallPlan, LiveCall, Stage, place};
use ringfence_client::media::MediaPlan;
use ringfence_model::target::Target;
use ringfence_model::{RunKey, Secret};
use ringfence_wire::digest::{Algorithm, Authorization, ha1};
use ringfence_wire::sip::{self, Message};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::{WebSocketStream, tungstenite};

/// Nothing here takes longer, unless it is broken.
pub const LIMIT: Duration = Duration::from_secs(60);
/// A domain that no resolver knows. RFC 6761, section 6.4.
pub const DOMAIN: &str = "pbx.internal.invalid";

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// The server's side of the connection.
pub struct Peer {
    socket: WebSocketStream<Box<dyn Io>>,
    /// Of the next request within the call.
    cseq: u32,
}

/// Serves one connection on `address`; what the script ends with is the handle's value.
pub async fn serve<T, R>(address: &str, script: impl FnOnce(Peer) -> R + Send + 'static) -> (String, JoinHandle<T>)
where
    T: Send + 'static,
    R: Future<Output = T> + Send + 'static,
{
    let listener = TcpListener::bind(address).await.expect("a loopback address");
    let url = format!("ws://{}/sip", listener.local_addr().expect("it is bound"));
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        script(Peer::accept(Box::new(stream)).await).await
    });
    (url, served)
}

/// The same over TLS, with the certificate's PEM for the client to trust.
pub async fn serve_tls<T, R>(script: impl FnOnce(Peer) -> R + Send + 'static) -> (String, String, JoinHandle<T>)
where
    T: Send + 'static,
    R: Future<Output = T> + Send + 'static,
{
    use tokio_rustls::rustls::{ServerConfig, crypto::ring::default_provider, pki_types::PrivateKeyDer};
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("its key");
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider's own")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a certificate with its key");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback address");
    let url = format!("wss://localhost:{}/", listener.local_addr().expect("it is bound").port());
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        let stream = acceptor.accept(stream).await.expect("TLS");
        script(Peer::accept(Box::new(stream)).await).await
    });
    (url, made.cert.pem(), served)
}

impl Peer {
    async fn accept(stream: Box<dyn Io>) -> Self {
        let socket = tokio_tungstenite::accept_hdr_async(stream, echo_subprotocol).await.expect("an upgrade");
        Self { socket, cseq: 100 }
    }

    /// The next frame, whatever it is; `None` where the client has left.
    pub async fn frame(&mut self) -> Option<tungstenite::Message> {
        timeout(LIMIT, self.socket.next()).await.expect("the client says nothing more")?.ok()
    }

    /// The next SIP message; `None` where the client has left.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            match self.frame().await? {
                tungstenite::Message::Text(text) if !sip::is_keepalive(text.as_bytes()) => {
                    return Some(Message::parse(text.as_bytes()).expect("a SIP message"));
                }
                tungstenite::Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// The next SIP message, which has to be this request.
    pub async fn expect(&mut self, method: &str) -> Message {
        let message = self.next().await.unwrap_or_else(|| panic!("the client left instead of {method}"));
        assert_eq!(message.method(), Some(method), "{message:?}");
        message
    }

    pub async fn send(&mut self, text: &str) {
        self.send_frame(tungstenite::Message::text(text)).await;
    }

    pub async fn send_frame(&mut self, frame: tungstenite::Message) {
        self.socket.send(frame).await.expect("the client reads");
    }

    /// Answers a request; `more` is header fields, one per line.
    pub async fn answer(&mut self, request: &Message, status: u16, more: &str, body: &str) {
        let field = |name: &str| request.header(name).unwrap_or_default();
        let tag = if field("To").contains("tag=") || status == 100 { "" } else { ";tag=far" };
        self.send(&format!(
            "SIP/2.0 {status} Word\r\nVia: {}\r\nTo: {}{tag}\r\nFrom: {}\r\nCall-ID: {}\r\nCSeq: {}\r\n{}Content-Length: {}\r\n\r\n{body}",
            field("Via"), field("To"), field("From"), field("Call-ID"), field("CSeq"), lines(more), body.len(),
        ))
        .await;
    }

    /// Takes a registration without asking who it is.
    pub async fn register(&mut self) {
        let request = self.expect("REGISTER").await;
        let contact = request.header("Contact").unwrap_or_default().to_owned();
        self.answer(&request, 200, &format!("Contact: {contact}"), "").await;
    }

    /// Takes a registration, answers the call with this description, and returns the INVITE and its ACK.
    pub async fn take_call(&mut self, more: &str, sdp: &str) -> (Message, Message) {
        self.register().await;
        let invite = self.expect("INVITE").await;
        self.answer(&invite, 200, more, sdp).await;
        (invite, self.expect("ACK").await)
    }

    /// Sends a request within the call that this ACK of the client belongs to.
    pub async fn request(&mut self, ack: &Message, method: &str, more: &str, body: &str) {
        self.cseq += u32::from(method != "ACK");
        let (field, cseq) = (|name: &str| ack.header(name).unwrap_or_default(), self.cseq);
        self.send(&format!(
            "{method} sip:us@client.invalid SIP/2.0\r\nVia: SIP/2.0/WS far.invalid;branch=z9hG4bK{method}{cseq}\r\n\
             To: {}\r\nFrom: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n{}Content-Length: {}\r\n\r\n{body}",
            field("From"),
            field("To"),
            field("Call-ID"),
            lines(more),
            body.len(),
        ))
        .await;
    }

    /// The same, and the client's answer.
    pub async fn ask(&mut self, ack: &Message, method: &str, more: &str, body: &str) -> Message {
        self.request(ack, method, more, body).await;
        let answer = self.next().await.expect("an answer");
        assert_eq!(answer.cseq(), Some((self.cseq, method)), "{answer:?}");
        answer
    }

    /// Hangs up, and lets the client leave as it wants to.
    pub async fn hang_up(mut self, ack: &Message) {
        assert_eq!(self.ask(ack, "BYE", "Reason: SIP;cause=200", "").await.status(), Some(200));
        self.see_off().await;
    }

    /// Takes all that still comes.
    pub async fn see_off(mut self) {
        while let Some(request) = self.next().await {
            self.answer(&request, 200, "", "").await;
        }
    }
}

fn lines(more: &str) -> String {
    more.lines().map(|line| format!("{line}\r\n")).collect()
}

#[expect(clippy::result_large_err, reason = "the signature is the library's")]
fn echo_subprotocol(request: &Request, mut answer: Response) -> Result<Response, ErrorResponse> {
    if let Some(name) = request.headers().get("sec-websocket-protocol") {
        answer.headers_mut().insert("sec-websocket-protocol", name.clone());
    }
    Ok(answer)
}

/// The nonce that a request answers, checked as a server would.
#[track_caller]
pub fn proved(request: &Message, field: &str) -> String {
    let value = request.header(field).unwrap_or_else(|| panic!("no {field} in {request:?}"));
    let answer = Authorization::parse(value).expect("it can be read").expect("it is Digest");
    let algorithm = Algorithm::named(answer.algorithm.as_deref()).expect("one that was offered");
    let stored = ha1(algorithm, "user", &answer.realm, "pass");
    answer.verify(&stored, request.method().unwrap_or_default()).expect("the right password");
    answer.nonce
}

pub fn config(ws_uri: &str) -> CallConfig {
    CallConfig {
        kind: ConfigKind::Sip,
        ws_uri: ws_uri.into(),
        ws_given: ws_uri.into(),
        realm: DOMAIN.into(),
        aor_user: "alice".into(),
        username: Some("user".into()),
        password: Some(Secret::from("pass")),
        token: None,
        read_at: std::time::SystemTime::now(),
        lifetime_s: None,
        target_uri: format!("sip:echo@{DOMAIN}"),
        identity_headers: Vec::new(),
        ice_servers: Vec::new(),
        privacy_notice: false,
        register: true,
        active: true,
    }
}

/// A network whose scope is this machine. `ca` names a file of certificates to trust.
pub fn net(ca: Option<&Path>) -> Net {
    let ca = ca.map(|path| format!("ca_file = {path:?}\n")).unwrap_or_default();
    let text = format!(
        "name = \"x\"\nadapter = \"sip\"\n{ca}[sip]\nws_uri = \"ws://localhost/\"\n[[scope]]\nhosts = [\"localhost\"]\n\
         networks = [\"127.0.0.0/8\", \"::1/128\"]\n"
    );
    Net::new(&Target::parse(&text, Path::new("t.toml")).expect("a target file")).expect("a network")
}

pub fn key() -> RunKey {
    RunKey::from_random([7; 32])
}

/// Places a call as an honest client does; `change` may shorten its patience.
pub async fn call(net: &Net, ws_uri: &str, change: impl FnOnce(&mut CallPlan)) -> (LiveCall, Vec<Stage>) {
    let stages = RefCell::new(Vec::new());
    let live = call_telling(net, ws_uri, change, |stage| stages.borrow_mut().push(stage)).await;
    (live, stages.into_inner())
}

/// The same, telling each stage as it comes.
pub async fn call_telling(
    net: &Net,
    ws_uri: &str,
    change: impl FnOnce(&mut CallPlan),
    progress: impl Fn(Stage),
) -> LiveCall {
    let mut plan = CallPlan::honest(config(ws_uri), MediaPlan::default(), 1);
    (plan.transaction, plan.answer_within) = (LIMIT, LIMIT);
    plan.media_within = Duration::from_millis(200); // no script has DTLS to wait for
    change(&mut plan);
    place(net, plan, &key(), progress).await
}
