//! One signalling connection: registrar and answering agent in one (RFC 3261, over WebSocket as in RFC 7118).
//!
//! | file | subject |
//! |---|---|
//! | `request` | what a frame asks, read with `rsip` |
//! | `reply` | responses |
//! | `login` | digest: challenges, nonces, wrong logins |
//! | `registrar` | REGISTER |
//! | `call` | INVITE, and all that follows in its dialog |
//! | `directory` | which connection speaks for whom |
//! | `edge` | INVITEs from one visitor to another |
//! | `runtime` | who may call an endpoint that hands out no pair |
//!
//! A session takes messages and time and gives messages back; `signalling` owns the socket.

mod call;
mod directory;
mod edge;
mod login;
mod registrar;
mod reply;
mod request;
mod runtime;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ringfence_wire::sip::{self as wire, Builder, StartLine};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::accounts::{Accounts, ConnectionId};
use crate::config::Endpoint;
use crate::fault::{Fault, Faults};
use crate::figures::{CRASH_PAUSE, MAX_ISSUED, MAX_LIMITED_KEYS, NONCE_LIFE, WRONG_LOGIN_WINDOW, WRONG_LOGINS};
use crate::limits::Window;
use crate::log::{Line, Log};
use crate::media::{Answered, Callee};
use crate::outage::Outage;
use crate::random;
use call::Call;
pub(crate) use directory::Directory;
use directory::{Post, Poster, letter_box};
use edge::{Delivered, Placed};
use login::Nonces;
use registrar::Registered;
use reply::reply;
use request::Request;

/// What the agent does, for `Allow`.
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, REGISTER";

/// What all signalling connections of one lab have in common.
pub(crate) struct Shared {
    /// The lab's fault.
    pub faults: Arc<Faults>,
    /// The SIP pairs.
    pub accounts: Arc<Accounts>,
    /// The lab's log.
    pub log: Arc<Log>,
    /// Whom the visitors of each endpoint may call.
    pub endpoints: Arc<Vec<Endpoint>>,
    /// Who answers calls.
    pub callee: Callee,
    /// Host and port of this agent, for Contact and Via.
    pub host: String,
    /// Wrong logins of late, by source and user name.
    pub wrong_logins: Mutex<Window<(IpAddr, String)>>,
    /// Nonces of all connections, the oldest first.
    pub issued: Mutex<VecDeque<(String, Instant)>>,
    /// What the digest of an unknown user is checked against, so that it takes as long as a known one's.
    pub nobody: ringfence_model::Secret,
    /// Which connection speaks for whom.
    pub directory: Directory,
    /// Ends all connections, where that is the fault.
    pub outage: Outage,
}

impl Shared {
    /// The limit that [`Shared::wrong_logins`] keeps.
    pub fn wrong_login_limit() -> Mutex<Window<(IpAddr, String)>> {
        Mutex::new(Window::new(WRONG_LOGINS, WRONG_LOGIN_WINDOW, MAX_LIMITED_KEYS))
    }

    /// Whether some connection was given this nonce of late.
    fn issued(&self, nonce: &str, now: Instant) -> bool {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.iter().any(|(text, at)| text == nonce && now.saturating_duration_since(*at) < NONCE_LIFE)
    }

    fn note_issued(&self, nonce: &str, now: Instant) {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if issued.len() == MAX_ISSUED {
            issued.pop_front();
        }
        issued.push_back((nonce.to_owned(), now));
    }
}

/// One connection's state. Dropping it frees what it held.
pub(crate) struct Session {
    shared: Arc<Shared>,
    id: ConnectionId,
    source: IpAddr,
    nonces: Nonces,
    registered: Option<Registered>,
    call: Option<Call>,
    /// Offers that are being answered, by the number of their call.
    answering: JoinSet<(u64, Answered)>,
    calls_begun: u64,
    /// Media that say goodbye.
    ending: JoinSet<()>,
    /// Where other connections put what is for this one, and where it comes out.
    poster: Poster,
    letters: mpsc::Receiver<Post>,
    /// An INVITE that another visitor is to answer; there is one at a time.
    placed: Option<Placed>,
    /// INVITEs of other visitors, the oldest first.
    delivered: VecDeque<Delivered>,
}

/// What wakes a session besides the peer.
#[derive(Debug)]
pub(crate) enum Event {
    /// An offer was answered; `None` if the task that did it is no more.
    Answered(Option<(u64, Answered)>),
    /// The running call's media have ended.
    MediaEnded,
    /// It is time to send an unacknowledged 200 again.
    Resend,
    /// Another connection has something to say.
    Posted(Post),
    /// Another visitor has not answered this one's INVITE in time.
    PassedExpired,
}

/// Messages to send, in this order.
pub(crate) type Outgoing = Vec<Vec<u8>>;

/// A frame that is no SIP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadFrame {
    /// Larger, or of more fields, than is read.
    TooLarge,
    /// Wrong in some other way.
    NoMessage,
}

impl Session {
    /// A connection that has said nothing yet.
    pub fn new(shared: Arc<Shared>, id: ConnectionId, source: IpAddr) -> Self {
        let (poster, letters) = letter_box();
        Self {
            shared,
            id,
            source,
            nonces: Nonces::default(),
            registered: None,
            call: None,
            answering: JoinSet::new(),
            calls_begun: 0,
            ending: JoinSet::new(),
            poster,
            letters,
            placed: None,
            delivered: VecDeque::new(),
        }
    }

    /// Takes one frame.
    ///
    /// # Errors
    /// It is neither a message nor a keep-alive.
    pub fn receive(&mut self, frame: &[u8], now: Instant) -> Result<Outgoing, BadFrame> {
        if frame == wire::KEEPALIVE_PING {
            return Ok(vec![wire::KEEPALIVE_PONG.to_vec()]);
        }
        if wire::is_keepalive(frame) {
            return Ok(Vec::new());
        }
        let prepared = wire::prepare(frame).map_err(|error| self.bad(frame, &error))?;
        let StartLine::Request { method, .. } = &prepared.message.start_line else {
            return Ok(self.answer_came(&prepared.message));
        };
        let method = method.clone();
        let (user, out) = match Request::read(&prepared) {
            Ok(request) => {
                let request = Request { spaced: edge::spaced(frame), ..request };
                (request.from.user.clone(), self.dispatch(&method, &request, now))
            }
            // ACK is never answered, whatever is wrong with it. RFC 3261, section 17.
            Err(_) if method == "ACK" => Default::default(),
            Err(refusal) => {
                let refused = reply(&prepared.message, refusal.status, refusal.reason, None);
                (String::new(), vec![refused.header("Allow", ALLOW)].into_iter().flat_map(Builder::build).collect())
            }
        };
        self.note(&method, &user, &out);
        Ok(out)
    }

    /// Takes what [`Session::event`] gave.
    pub fn wake(&mut self, event: Event, now: Instant) -> Outgoing {
        match event {
            Event::Answered(Some((call, answered))) => self.answered(call, answered, now),
            Event::Answered(None) => self.answering_failed(now),
            Event::MediaEnded => self.hang_up(now),
            Event::Resend => self.resend(now),
            Event::Posted(post) => self.posted(post),
            Event::PassedExpired => self.passed_expired(),
        }
    }

    /// The next event; never, while there is nothing to wait for. May be dropped and asked again.
    pub async fn event(&mut self) -> Event {
        let Self { call, answering, letters, placed, .. } = self;
        let answered = async {
            loop {
                match answering.join_next().await {
                    Some(Ok(answered)) => break Event::Answered(Some(answered)),
                    Some(Err(failed)) if failed.is_panic() => break Event::Answered(None),
                    Some(Err(_)) => {} // cancelled on purpose
                    None => std::future::pending().await,
                }
            }
        };
        tokio::select! {
            event = answered => event,
            event = call::event(call) => event,
            Some(post) = letters.recv() => Event::Posted(post),
            () = edge::expiry(placed) => Event::PassedExpired,
        }
    }

    /// Whether a call is being set up or runs.
    pub fn in_call(&self) -> bool {
        self.call.is_some()
    }

    fn dispatch(&mut self, method: &str, request: &Request, now: Instant) -> Outgoing {
        if method != "ACK" && method != "CANCEL" && request.raw.header("Require").is_some() {
            // No extension is spoken here. RFC 3261, section 8.2.2.3.
            let wanted = request.raw.header("Require").unwrap_or_default();
            return built(reply(&request.raw, 420, "Bad Extension", None).header("Unsupported", wanted));
        }
        match method {
            "REGISTER" => self.register(request, now),
            "INVITE" if request.to.tag.is_some() => self.reinvite(request),
            "INVITE" => self.invite(request, now),
            "ACK" => self.acknowledge(request),
            "CANCEL" => self.cancel(request),
            "BYE" => self.bye(request, now),
            "INFO" => self.info(request),
            "OPTIONS" => {
                built(reply(&request.raw, 200, "OK", None).header("Allow", ALLOW).header("Accept", "application/sdp"))
            }
            _ => built(reply(&request.raw, 405, "Method Not Allowed", None).header("Allow", ALLOW)),
        }
    }

    fn bad(&self, frame: &[u8], error: &ringfence_wire::Error) -> BadFrame {
        if has_negative_length(frame) && self.shared.faults.broken(Fault::TortureCrash) {
            self.shared.outage.strike(CRASH_PAUSE);
        }
        match error {
            ringfence_wire::Error::TooLarge { .. } => BadFrame::TooLarge,
            _ => BadFrame::NoMessage,
        }
    }

    fn note(&self, method: &str, user: &str, out: &[Vec<u8>]) {
        // The last is the one that decides: 100 and 180 come before it.
        let status = out.last().and_then(|bytes| wire::Message::parse(bytes).ok()?.status()).unwrap_or(0);
        self.shared.log.write(Line { part: "signalling", method, status, user, source: self.source });
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end_call(Instant::now());
        self.unregister();
    }
}

/// Whether a Content-Length begins with a minus sign. RFC 4475, section 3.1.2.3.
fn has_negative_length(frame: &[u8]) -> bool {
    let lines = frame.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let fields = lines.skip(1).take_while(|line| !line.is_empty()).filter_map(|line| std::str::from_utf8(line).ok());
    let mut lengths = fields.filter_map(|line| line.split_once(':')).filter(|(name, _)| {
        let name = name.trim();
        name.eq_ignore_ascii_case("Content-Length") || name.eq_ignore_ascii_case("l")
    });
    lengths.any(|(_, value)| value.trim_start().starts_with('-'))
}

/// The one message, if it could be written. What cannot be written was made of the peer's own text, so the peer gets
/// nothing back.
fn built(builder: Builder) -> Outgoing {
    builder.build().into_iter().collect()
}

fn new_tag() -> String {
    random::hex::<6>()
}
