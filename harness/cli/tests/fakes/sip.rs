//! A registrar and answering agent over WSS. It registers everybody; what it makes of an INVITE is the test's.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use ringfence_wire::sip::{Builder, Message, StartLine, tag};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

use super::pki::Pki;
use super::tcp;

/// The tag that this agent puts into To.
pub const TAG: &str = "fake-tag";

/// One thing that the agent does.
pub enum Act {
    /// Sends these bytes, as a text frame where they are text.
    Say(Vec<u8>),
    /// Waits until the client has sent this method.
    Await(&'static str),
    /// Waits until somebody tells.
    AwaitNotice(Arc<Notify>),
    /// Closes the connection.
    Close,
}

/// A TLS connection of a client.
pub type Tls = TlsStream<TcpStream>;

type OnRequest = dyn Fn(&Message) -> Vec<Act> + Send + Sync;

/// What an agent does, and what it has seen.
#[derive(Clone)]
pub struct Agent {
    on_invite: Arc<OnRequest>,
    on_register: Arc<OnRequest>,
    /// Requests by method, in order.
    methods: Arc<Mutex<Vec<String>>>,
    /// Everything that came, as text.
    heard: Arc<Mutex<String>>,
}

impl Agent {
    /// An agent that answers an INVITE like this.
    pub fn new(on_invite: impl Fn(&Message) -> Vec<Act> + Send + Sync + 'static) -> Self {
        let on_register = |request: &Message| vec![Act::Say(registered(request))];
        Self {
            on_invite: Arc::new(on_invite),
            on_register: Arc::new(on_register),
            methods: Arc::default(),
            heard: Arc::default(),
        }
    }

    /// Answers REGISTER like this.
    pub fn registering(mut self, on_register: impl Fn(&Message) -> Vec<Act> + Send + Sync + 'static) -> Self {
        self.on_register = Arc::new(on_register);
        self
    }

    /// The methods that came so far, those of registrations left out.
    pub fn methods(&self) -> Vec<String> {
        let methods = self.methods.lock().expect("no holder panics");
        methods.iter().filter(|method| *method != "REGISTER").cloned().collect()
    }

    /// Everything that came so far.
    pub fn heard(&self) -> String {
        self.heard.lock().expect("no holder panics").clone()
    }

    /// Listens.
    pub async fn serve(&self, pki: &Pki) -> SocketAddr {
        let (agent, acceptor) = (self.clone(), pki.acceptor());
        tcp::serve(move |stream| {
            let (agent, acceptor) = (agent.clone(), acceptor.clone());
            async move {
                if let Ok(stream) = acceptor.accept(stream).await
                    && let Ok(socket) = tokio_tungstenite::accept_hdr_async(stream, sip_subprotocol).await
                {
                    agent.talk(socket).await;
                }
            }
        })
        .await
    }

    async fn talk(&self, mut socket: WebSocketStream<Tls>) {
        let mut acts: VecDeque<Act> = VecDeque::new();
        let mut seen: Vec<String> = Vec::new();
        loop {
            while let Some(act) = acts.pop_front() {
                match act {
                    Act::Say(bytes) => {
                        if socket.send(frame(bytes)).await.is_err() {
                            return;
                        }
                    }
                    Act::Await(method) if seen.iter().any(|known| known == method) => {}
                    Act::Await(method) => {
                        acts.push_front(Act::Await(method));
                        break;
                    }
                    Act::AwaitNotice(notice) => notice.notified().await,
                    Act::Close => {
                        // The client may be gone already.
                        let _ = socket.close(None).await;
                        return;
                    }
                }
            }
            let Some(Ok(frame)) = socket.next().await else { return };
            let bytes = frame.into_data();
            let Ok(message) = Message::parse(&bytes) else { continue };
            self.heard.lock().expect("no holder panics").push_str(&String::from_utf8_lossy(&bytes));
            let Some(method) = message.method() else { continue };
            seen.push(method.to_owned());
            self.methods.lock().expect("no holder panics").push(method.to_owned());
            match method {
                "REGISTER" => acts.extend((self.on_register)(&message)),
                "INVITE" => acts.extend((self.on_invite)(&message)),
                "BYE" => acts.push_back(Act::Say(reply(&message, 200, "OK").build().expect("a message"))),
                _ => {}
            }
        }
    }
}

/// Agrees to the subprotocol `sip` (RFC 7118).
///
/// # Errors
/// Never.
#[allow(clippy::result_large_err, reason = "the type is tungstenite's")]
pub fn sip_subprotocol(_: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    response.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("sip"));
    Ok(response)
}

fn frame(bytes: Vec<u8>) -> Frame {
    match String::from_utf8(bytes) {
        Ok(text) => Frame::text(text),
        Err(error) => Frame::binary(error.into_bytes()),
    }
}

/// An answer with the fields that every answer repeats.
pub fn reply(request: &Message, status: u16, reason: &str) -> Builder {
    let mut builder = Builder::response(status, reason);
    for via in request.headers("Via") {
        builder = builder.header("Via", via);
    }
    for name in ["From", "Call-ID", "CSeq"] {
        builder = builder.header(name, request.header(name).unwrap_or_default());
    }
    let to = request.header("To").unwrap_or_default();
    if status == 100 || tag(to).is_some() {
        return builder.header("To", to);
    }
    builder.header("To", format!("{to};tag={TAG}"))
}

/// 200 to a REGISTER, with its own contact.
pub fn registered(request: &Message) -> Vec<u8> {
    let contact = request.header("Contact").unwrap_or_default();
    reply(request, 200, "OK").header("Contact", contact).build().expect("a message")
}

/// 200 to an INVITE, with this description.
pub fn answered(invite: &Message, sdp: impl Into<Vec<u8>>) -> Vec<u8> {
    let builder = reply(invite, 200, "OK").header("Contact", "<sip:fake@fake.invalid;transport=ws>");
    builder.body("application/sdp", sdp).build().expect("a message")
}

/// A BYE in the dialog of an INVITE that this agent answered.
pub fn bye(invite: &Message) -> Vec<u8> {
    let contact = invite.header("Contact").unwrap_or_default();
    let uri = contact.split(['<', '>']).nth(1).unwrap_or("sip:nobody@fake.invalid");
    let to = invite.header("To").unwrap_or_default();
    let from = if tag(to).is_some() { to.to_owned() } else { format!("{to};tag={TAG}") };
    let start = StartLine::Request { method: "BYE".into(), uri: uri.to_owned() };
    Builder::new(&start)
        .header("Via", "SIP/2.0/WSS fake.invalid;branch=z9hG4bK-fake-bye")
        .header("Max-Forwards", "70")
        .header("From", from)
        .header("To", invite.header("From").unwrap_or_default())
        .header("Call-ID", invite.header("Call-ID").unwrap_or_default())
        .header("CSeq", "1 BYE")
        .build()
        .expect("a message")
}
