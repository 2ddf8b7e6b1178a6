//! The signalling listener: TLS, the WebSocket upgrade with subprotocol `sip` (RFC 7118), one session per connection.
//!
//! | file | subject |
//! |---|---|
//! | `unfinished` | the messages of a connection, and those that never end |
//! | `joined` | messages read as a stream, where that is the fault |

mod joined;
mod unfinished;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::SinkExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant as Deadline, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use crate::fault::Fault;
use crate::figures::{HANDSHAKE_LIMIT, IDLE_LIMIT, MAX_BAD_FRAMES, MAX_FRAME_BYTES};
use crate::front::{self, Opened, Tls};
use crate::log::Line;
use crate::sip::{BadFrame, Event, Outgoing, Session, Shared};
use joined::Joined;
use unfinished::{Next, Watched, next};

/// What the listener needs.
pub(crate) struct Signalling {
    /// For the sessions.
    pub shared: Arc<Shared>,
    /// The one origin whose pages may connect.
    pub origin: String,
    /// TLS settings.
    pub tls: Tls,
}

/// Serves for ever; dropping the future closes all connections, and so does an outage.
pub(crate) async fn serve(listener: TcpListener, signalling: Signalling) {
    let signalling = Arc::new(signalling);
    let ids = Arc::new(AtomicU64::new(1));
    let mut outage = signalling.shared.outage.watch();
    loop {
        let serving = front::serve_each(&listener, |stream, source| {
            let (signalling, ids) = (signalling.clone(), ids.clone());
            async move {
                if let Some(socket) = signalling.upgrade(stream, source).await {
                    let id = ids.fetch_add(1, Ordering::Relaxed);
                    talk(socket, Session::new(signalling.shared.clone(), id, source), &signalling.shared).await;
                }
            }
        });
        tokio::select! {
            () = serving => {}
            pause = outage.struck() => sleep(pause).await, // whoever was being served is gone by now
        }
    }
}

impl Signalling {
    async fn upgrade(&self, stream: TcpStream, source: IpAddr) -> Option<WebSocketStream<Watched<Opened>>> {
        let faults = &self.shared.faults;
        let opened = front::open(stream, &self.tls, || faults.broken(Fault::WsOnWssPort)).await.ok()?;
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MAX_FRAME_BYTES))
            .max_frame_size(Some(MAX_FRAME_BYTES))
            .max_write_buffer_size(4 * MAX_FRAME_BYTES)
            .write_buffer_size(MAX_FRAME_BYTES);
        #[allow(clippy::result_large_err)] // the type is tungstenite's
        let check = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            let granted = self.grants(request.headers());
            let status = granted.err().unwrap_or(StatusCode::SWITCHING_PROTOCOLS);
            self.shared.log.write(Line {
                part: "signalling",
                method: "GET",
                status: status.as_u16(),
                user: "",
                source,
            });
            granted.map_err(refusal)?;
            response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("sip"));
            Ok(response)
        };
        let upgrading = accept_hdr_async_with_config(Watched::new(opened), check, Some(limits));
        let mut socket = timeout(HANDSHAKE_LIMIT, upgrading).await.ok()?.ok()?;
        socket.get_mut().follow();
        Some(socket)
    }

    /// Whether a client may connect. One without Origin is no browser, so no foreign page is behind it.
    fn grants(&self, headers: &HeaderMap) -> Result<(), StatusCode> {
        let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
        if !offered.flat_map(|value| value.split(',')).any(|name| name.trim() == "sip") {
            return Err(StatusCode::BAD_REQUEST);
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let foreign = origins.any(|origin| origin.as_bytes() != self.origin.as_bytes());
        if foreign && !self.shared.faults.broken(Fault::WsOriginUnchecked) {
            return Err(StatusCode::FORBIDDEN);
        }
        Ok(())
    }
}

fn refusal(status: StatusCode) -> ErrorResponse {
    let mut response = ErrorResponse::new(None);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

/// What woke the connection.
enum Woken {
    Peer(Next),
    Session(Event),
    Idle,
}

async fn talk(mut socket: WebSocketStream<Watched<Opened>>, mut session: Session, shared: &Shared) {
    let mut bad_frames = 0;
    let mut stream = Joined::default();
    let mut idle_at = Deadline::now() + IDLE_LIMIT;
    let last_words = loop {
        let woken = tokio::select! {
            biased; // what the peer has already sent comes first: a CANCEL overtakes the answer
            came = next(&mut socket) => Woken::Peer(came),
            event = session.event() => Woken::Session(event),
            () = sleep_until(idle_at) => Woken::Idle,
        };
        if !matches!(woken, Woken::Session(_)) {
            idle_at = Deadline::now() + IDLE_LIMIT;
        }
        let now = Instant::now();
        let mut out = Outgoing::new();
        match woken {
            Woken::Peer(Next::Message(message)) => {
                let frame = match &message {
                    Message::Text(text) => text.as_bytes(),
                    Message::Binary(bytes) => bytes,
                    _ => continue, // a ping: tungstenite answers
                };
                let messages = match shared.faults.broken(Fault::WsFrameJoined) {
                    true => stream.cut(frame),
                    false => vec![frame.to_vec()],
                };
                let mut too_large = false;
                for message in messages {
                    match session.receive(&message, now) {
                        Ok(answers) => out.extend(answers),
                        Err(bad) => {
                            bad_frames += 1;
                            too_large |= bad == BadFrame::TooLarge;
                        }
                    }
                }
                if too_large {
                    break Some((CloseCode::Size, "too large"));
                }
            }
            Woken::Peer(Next::TooLarge) => {
                if shared.faults.broken(Fault::OversizeKills) {
                    shared.outage.strike(Duration::ZERO);
                }
                break Some((CloseCode::Size, "too large"));
            }
            Woken::Peer(Next::Unfinished) => break Some((CloseCode::Policy, "unfinished")),
            Woken::Session(event) => out = session.wake(event, now),
            Woken::Idle if session.in_call() => {}
            Woken::Peer(Next::Gone) | Woken::Idle => break None,
        }
        if bad_frames > MAX_BAD_FRAMES || send(&mut socket, out).await.is_err() {
            break None;
        }
    };
    drop(session); // its pair is free before the peer sees the end
    let last_words = last_words.map(|(code, reason)| CloseFrame { code, reason: reason.into() });
    let _ = timeout(HANDSHAKE_LIMIT, socket.close(last_words)).await;
}

/// Sends in order. A peer that reads nothing is given up, so that nothing piles up for it.
async fn send(socket: &mut WebSocketStream<Watched<Opened>>, out: Outgoing) -> Result<(), ()> {
    let sending = async {
        for message in out {
            match Utf8Bytes::try_from(message) {
                Ok(text) => socket.feed(Message::Text(text)).await,
                Err(_) => Ok(()), // made of UTF-8 header fields and our own SDP, so it cannot be
            }?;
        }
        socket.flush().await
    };
    match timeout(HANDSHAKE_LIMIT, sending).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(()),
    }
}
