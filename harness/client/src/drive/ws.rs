//! One WebSocket (RFC 6455) on our own connection, as SIP uses it (RFC 7118).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::error::ProtocolError as Wrong;
use tokio_tungstenite::tungstenite::handshake::client::{Response, generate_key};
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Request};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;

use crate::net::{Limits, version_word};
use crate::{Failure, Net};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Upgrade {
    /// `ws:` or `wss:`.
    pub url: Url,
    /// `Origin`.
    pub origin: Option<String>,
    /// `Sec-WebSocket-Protocol`; a target that does not echo it has refused.
    pub subprotocol: Option<String>,
    /// Further header fields.
    pub headers: Vec<(String, String)>,
}

impl Upgrade {
    /// As a browser's SIP client asks.
    pub fn sip(url: Url, origin: Option<String>) -> Self {
        Self { url, origin, subprotocol: Some("sip".into()), headers: Vec::new() }
    }
}

/// An open WebSocket.
pub struct Opened {
    /// 101.
    pub status: u16,
    /// The subprotocol that the target chose.
    pub subprotocol: Option<String>,
    /// `1.2` or `1.3`; `None` for `ws:`.
    pub tls_version: Option<String>,
    /// The messages.
    pub stream: Socket,
}

/// Why there is none.
#[derive(Clone, Debug)]
pub struct UpgradeRefused {
    /// The status, where there was an HTTP answer; 101 where the answer granted what was not asked for, or otherwise
    /// breaks RFC 6455.
    pub status: Option<u16>,
    /// The reason.
    pub failure: Failure,
}

impl From<Failure> for UpgradeRefused {
    fn from(failure: Failure) -> Self {
        Self { status: None, failure }
    }
}

/// Dials and upgrades.
///
/// # Errors
/// Everything that [`Net::tls`] says, and what the upgrade was answered with.
pub async fn open(net: &Net, upgrade: &Upgrade) -> Result<Opened, UpgradeRefused> {
    let request = request(upgrade)?;
    let (stream, tls_version) = dial(net, &upgrade.url).await?;
    let limits = *net.limits();
    let handshake = client_async_with_config(request, stream, Some(config(&limits)));
    match timeout(limits.exchange, handshake).await {
        Ok(Ok((stream, answer))) => {
            net.note_answer();
            let subprotocol = answer.headers().get("sec-websocket-protocol").and_then(|value| value.to_str().ok());
            Ok(Opened {
                status: answer.status().as_u16(),
                subprotocol: subprotocol.map(str::to_owned),
                tls_version,
                stream: Socket { stream, net: net.clone(), close_code: None },
            })
        }
        Ok(Err(error)) => Err(refusal(net, error)),
        Err(_) => Err(unanswered(&limits)),
    }
}

/// The same, taking up a connection whose answer names another subprotocol than was asked for, or none, or one although none
/// was: a client that keeps the rules drops it (RFC 6455, section 4.1), and a server may speak on it all the same. What it named is
/// not told. Nothing may come before something was said: it would be lost.
///
/// # Errors
/// As [`open`].
pub async fn open_whatever_subprotocol(net: &Net, upgrade: &Upgrade) -> Result<Opened, UpgradeRefused> {
    let request = request(upgrade)?;
    let (mut stream, tls_version) = dial(net, &upgrade.url).await?;
    let limits = *net.limits();
    let handshake = client_async_with_config(request, &mut stream, Some(config(&limits)));
    match timeout(limits.exchange, handshake).await {
        Ok(Ok(_) | Err(WsError::Protocol(Wrong::SecWebSocketSubProtocolError(_)))) => net.note_answer(),
        Ok(Err(error)) => return Err(refusal(net, error)),
        Err(_) => return Err(unanswered(&limits)),
    }
    let stream = WebSocketStream::from_raw_socket(stream, Role::Client, Some(config(&limits))).await;
    let stream = Socket { stream, net: net.clone(), close_code: None };
    Ok(Opened { status: 101, subprotocol: None, tls_version, stream })
}

async fn dial(net: &Net, url: &Url) -> Result<(Stream, Option<String>), Failure> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    match url.scheme() {
        "wss" => {
            let stream = net.tls(host, port, &[b"http/1.1"]).await?;
            let version = version_word(stream.get_ref().1.protocol_version());
            Ok((Stream::Tls(Box::new(stream)), version))
        }
        "ws" => Ok((Stream::Plain(net.tcp(host, port).await?), None)),
        other => Err(Failure::protocol(format!("`{other}:` is no WebSocket address"))),
    }
}

fn unanswered(limits: &Limits) -> UpgradeRefused {
    Failure::timeout(format!("no answer to the WebSocket upgrade within {:?}", limits.exchange)).into()
}

/// What is taken of a WebSocket's frames and messages: no more than the limits say.
pub fn config(limits: &Limits) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        .max_frame_size(Some(limits.ws_frame_bytes))
        .max_message_size(Some(limits.ws_message_bytes))
}

fn request(upgrade: &Upgrade) -> Result<Request<()>, Failure> {
    let mut url = upgrade.url.clone();
    url.set_fragment(None);
    // The host as a browser writes it: with its port unless that is the scheme's own.
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => return Err(Failure::protocol("the WebSocket address has no host")),
    };
    let mut request = Request::builder()
        .uri(url.as_str())
        .header("Host", host)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", generate_key());
    let origin = upgrade.origin.iter().map(|value| ("Origin", value.as_str()));
    let subprotocol = upgrade.subprotocol.iter().map(|value| ("Sec-WebSocket-Protocol", value.as_str()));
    let others = upgrade.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in origin.chain(subprotocol).chain(others) {
        let wrong = |_| Failure::protocol(format!("header field {name} of the upgrade cannot be sent"));
        let value = HeaderValue::from_str(value).map_err(|_| wrong(()))?;
        request = request.header(HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong(()))?, value);
    }
    request.body(()).map_err(|error| Failure::protocol(format!("the upgrade cannot be written: {error}")))
}

fn refusal(net: &Net, error: WsError) -> UpgradeRefused {
    let status = match &error {
        WsError::Http(answer) => Some(Response::status(answer).as_u16()),
        WsError::Protocol(inner) => {
            let after_101 = matches!(
                inner,
                Wrong::MissingUpgradeWebSocketHeader
                    | Wrong::MissingConnectionUpgradeHeader
                    | Wrong::SecWebSocketAcceptKeyMismatch
                    | Wrong::SecWebSocketSubProtocolError(_)
            );
            after_101.then_some(101)
        }
        _ => None,
    };
    let failure = match status {
        Some(status) if status != 101 => Failure::closed(format!("the WebSocket upgrade was answered {status}")),
        _ => failure("WebSocket upgrade", &error),
    };
    if !matches!(error, WsError::Io(_)) && failure.outcome != ringfence_model::observation::Outcome::Closed
        || status.is_some()
    {
        net.note_answer();
    }
    UpgradeRefused { status, failure }
}

fn failure(what: &str, error: &WsError) -> Failure {
    match error {
        WsError::Io(io) => Failure::from_io(what, io),
        WsError::ConnectionClosed
        | WsError::AlreadyClosed
        | WsError::Protocol(Wrong::ResetWithoutClosingHandshake | Wrong::HandshakeIncomplete) => {
            Failure::closed(format!("{what}: the target closed the connection"))
        }
        other => Failure::protocol(format!("{what}: {other}")),
    }
}

/// The messages of an open WebSocket. Pings are answered while it is read.
pub struct Socket {
    stream: WebSocketStream<Stream>,
    net: Net,
    close_code: Option<u16>,
}

impl Socket {
    /// Sends one message, as text where it is UTF-8.
    ///
    /// # Errors
    /// The connection is gone, or the target stopped reading.
    pub async fn send(&mut self, bytes: Vec<u8>) -> Result<(), Failure> {
        self.send_message(match String::from_utf8(bytes) {
            Ok(text) => Message::text(text),
            Err(error) => Message::binary(error.into_bytes()),
        })
        .await
    }

    /// Sends one message as binary, whatever it is.
    ///
    /// # Errors
    /// As [`Socket::send`].
    pub async fn send_binary(&mut self, bytes: Vec<u8>) -> Result<(), Failure> {
        self.send_message(Message::binary(bytes)).await
    }

    /// Sends one text message in two frames (RFC 6455, section 5.4), parted in the middle.
    ///
    /// # Errors
    /// As [`Socket::send`].
    pub async fn send_fragmented(&mut self, mut bytes: Vec<u8>) -> Result<(), Failure> {
        let rest = bytes.split_off(bytes.len() / 2);
        self.send_message(Message::Frame(Frame::message(bytes, OpCode::Data(Data::Text), false))).await?;
        self.send_message(Message::Frame(Frame::message(rest, OpCode::Data(Data::Continue), true))).await
    }

    async fn send_message(&mut self, message: Message) -> Result<(), Failure> {
        match timeout(self.net.limits().idle, self.stream.send(message)).await {
            Ok(sent) => sent.map_err(|error| failure("WebSocket", &error)),
            Err(_) => Err(Failure::timeout("the target stopped reading its WebSocket")),
        }
    }

    /// The next message. Nothing is lost where the future is dropped before it is ready.
    ///
    /// # Errors
    /// The connection is closed, broken, or over a limit.
    pub async fn receive(&mut self) -> Result<Vec<u8>, Failure> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.as_bytes().to_vec()),
                Some(Ok(Message::Binary(bytes))) => return Ok(bytes.to_vec()),
                Some(Ok(Message::Close(frame))) => {
                    self.close_code = frame.map(|frame| frame.code.into()).or(self.close_code);
                    return Err(Failure::closed("the target closed the WebSocket"));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return Err(failure("WebSocket", &error)),
                None => return Err(Failure::closed("the target closed the WebSocket")),
            }
        }
    }

    /// The code of the target's close frame. RFC 6455, section 7.4.
    pub fn close_code(&self) -> Option<u16> {
        self.close_code
    }

    /// The connection under it, for who writes frames by hand.
    pub(super) fn into_stream(self) -> Stream {
        self.stream.into_inner()
    }

    /// Says good-bye; a target that does not listen is left.
    pub async fn close(&mut self) {
        let _ = timeout(self.net.limits().idle, self.stream.close(None)).await;
    }
}

/// Either kind of connection.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
