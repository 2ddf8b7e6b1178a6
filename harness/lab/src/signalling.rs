//! The signalling listener: TLS, the WebSocket upgrade with subprotocol `sip` (RFC 7118), one session per connection.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant as Deadline, sleep_until, timeout};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use crate::fault::Fault;
use crate::figures::{HANDSHAKE_LIMIT, IDLE_LIMIT, MAX_BAD_FRAMES, MAX_FRAME_BYTES};
use crate::front::{self, Opened, Tls};
use crate::log::Line;
use crate::sip::{Event, Outgoing, Session, Shared};

/// What the listener needs.
pub(crate) struct Signalling {
    /// For the sessions.
    pub shared: Arc<Shared>,
    /// The one origin whose pages may connect.
    pub origin: String,
    /// TLS settings.
    pub tls: Tls,
}

/// Serves for ever; dropping the future closes all connections.
pub(crate) async fn serve(listener: TcpListener, signalling: Signalling) {
    let signalling = Arc::new(signalling);
    let ids = Arc::new(AtomicU64::new(1));
    front::serve_each(listener, |stream, source| {
        let (signalling, ids) = (signalling.clone(), ids.clone());
        async move {
            if let Some(socket) = signalling.upgrade(stream, source).await {
                let id = ids.fetch_add(1, Ordering::Relaxed);
                talk(socket, Session::new(signalling.shared.clone(), id, source)).await;
            }
        }
    })
    .await;
}

impl Signalling {
    async fn upgrade(&self, stream: TcpStream, source: IpAddr) -> Option<WebSocketStream<Opened>> {
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
        let upgrading = accept_hdr_async_with_config(opened, check, Some(limits));
        timeout(HANDSHAKE_LIMIT, upgrading).await.ok()?.ok()
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
    Frame(Vec<u8>),
    Alive,
    Gone,
    Session(Event),
    Idle,
}

async fn talk(mut socket: WebSocketStream<Opened>, mut session: Session) {
    let mut bad_frames = 0;
    let mut idle_at = Deadline::now() + IDLE_LIMIT;
    loop {
        let woken = tokio::select! {
            biased; // what the peer has already sent comes first: a CANCEL overtakes the answer
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(text))) => Woken::Frame(text.as_bytes().to_vec()),
                Some(Ok(Message::Binary(bytes))) => Woken::Frame(bytes.to_vec()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => Woken::Gone,
                Some(Ok(_)) => Woken::Alive, // a ping: tungstenite answers
            },
            event = session.event() => Woken::Session(event),
            () = sleep_until(idle_at) => Woken::Idle,
        };
        let now = Instant::now();
        let out = match woken {
            Woken::Frame(frame) => {
                idle_at = Deadline::now() + IDLE_LIMIT;
                session.receive(&frame, now).unwrap_or_else(|_| {
                    bad_frames += 1;
                    Outgoing::new()
                })
            }
            Woken::Session(event) => session.wake(event, now),
            Woken::Idle if session.in_call() => {
                idle_at = Deadline::now() + IDLE_LIMIT;
                Outgoing::new()
            }
            Woken::Alive => {
                idle_at = Deadline::now() + IDLE_LIMIT;
                Outgoing::new()
            }
            Woken::Gone | Woken::Idle => break,
        };
        if bad_frames > MAX_BAD_FRAMES || send(&mut socket, out).await.is_err() {
            break;
        }
    }
    drop(session); // its pair is free before the peer sees the end
    let _ = timeout(HANDSHAKE_LIMIT, socket.close(None)).await;
}

/// Sends in order. A peer that reads nothing is given up, so that nothing piles up for it.
async fn send(socket: &mut WebSocketStream<Opened>, out: Outgoing) -> Result<(), ()> {
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
