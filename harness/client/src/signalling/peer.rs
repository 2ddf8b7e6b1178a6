//! Requests of the far side, answered down the same connection.

use std::time::Instant;

use ringfence_model::Untrusted;
use ringfence_wire::sip::{self, Builder, Message};

use super::dialog::Dialog;
use super::machine::Signalling;
use super::{Asked, Event};
use crate::Failure;

/// What we say that we take.
pub(super) const ALLOW: &str = "INVITE,ACK,CANCEL,BYE,UPDATE,MESSAGE,OPTIONS,INFO,NOTIFY";
/// Extensions that a request may demand. Reliable provisional answers are easy to promise: we send none.
const EXTENSIONS: [&str; 5] = ["timer", "100rel", "outbound", "ice", "gruu"];
/// Extensions of one request that its 420 names.
const MAX_UNSUPPORTED: usize = 8;
/// Characters of one of them (house): the longest that is registered has 23.
const MAX_TAG_CHARS: usize = 64;
/// Requests that are answered on one connection, beside one for each second that it lasts; more is a storm, and the call is
/// not worth it.
const MAX_REQUESTS: u64 = 256;

/// An answer to be written.
pub(super) struct Reply {
    status: u16,
    reason: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

impl Reply {
    pub fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason, headers: Vec::new(), body: None }
    }

    pub fn ok() -> Self {
        Self::new(200, "OK")
    }

    pub fn describing(self, sdp: String) -> Self {
        Self { body: Some(sdp.into_bytes()), ..self }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Signalling {
    pub(super) fn on_request(&mut self, now: Instant, request: &Message) {
        self.peer_requests += 1;
        let allowed = MAX_REQUESTS + now.saturating_duration_since(self.began).as_secs();
        if self.peer_requests > allowed {
            if !std::mem::replace(&mut self.stormed, true) {
                self.fail(Failure::protocol(format!("more than {MAX_REQUESTS} requests on one connection")));
            }
            return;
        }
        let method = request.method().unwrap_or_default().to_owned();
        let named = ["Via", "From", "To", "Call-ID"].iter().all(|name| request.header(name).is_some());
        // Without these nobody could tell what an answer belongs to.
        let Some((cseq, _)) = request.cseq().filter(|(_, of)| named && *of == method) else { return };
        let ours = self.matching_dialog(request);
        if method == "ACK" {
            if ours == Some(true) {
                self.on_peer_ack(request);
            }
            return;
        }
        let reply = match (ours, unsupported(&method, request)) {
            (Some(false), _) => Some(Reply::new(481, "Call/Transaction Does Not Exist")),
            (_, Some(tags)) => Some(Reply::new(420, "Bad Extension").with("Unsupported", tags)),
            (Some(true), None) => self.in_dialog(now, &method, cseq, request),
            (None, None) => Some({
                self.event(Event::Asked(Asked { method: method.clone(), headers: request.headers.clone() }));
                match method.as_str() {
                    "OPTIONS" => Reply::ok().with("Accept", "application/sdp"),
                    "CANCEL" => Reply::new(481, "Call/Transaction Does Not Exist"),
                    // Never answered by itself: that would open a microphone.
                    "INVITE" => Reply::new(603, "Decline"),
                    _ => Reply::new(405, "Method Not Allowed"),
                }
            }),
        };
        if let Some(reply) = reply {
            self.reply(request, reply);
        }
    }

    /// Whether the request belongs to our call; `None` outside of any dialog.
    fn matching_dialog(&mut self, request: &Message) -> Option<bool> {
        let local_tag = request.header("To").and_then(sip::tag)?;
        let call_id = request.header("Call-ID").unwrap_or_default();
        let dialog = self.dialog_of(request);
        Some(dialog.is_some_and(|dialog| dialog.call_id == call_id && dialog.local_tag == local_tag))
    }

    /// The dialog that this request would belong to by its far side.
    fn dialog_of(&mut self, request: &Message) -> Option<&mut Dialog> {
        let remote_tag = request.header("From").and_then(sip::tag).unwrap_or_default();
        self.invite.as_mut()?.dialog_with(&remote_tag)
    }

    /// The answer, unless it has to wait for [`super::Input::Answer`].
    fn in_dialog(&mut self, now: Instant, method: &str, cseq: u32, request: &Message) -> Option<Reply> {
        let gone = || Some(Reply::new(481, "Call/Transaction Does Not Exist"));
        let answered = self.invite.as_mut().is_some_and(|invite| invite.live_dialog().is_some());
        let Some(dialog) = self.dialog_of(request) else { return gone() };
        // RFC 3261, section 12.2.2. CANCEL has the number of what it cancels.
        if method != "CANCEL" {
            if dialog.remote_cseq.is_some_and(|last| cseq < last) {
                return Some(Reply::new(500, "Server Internal Error"));
            }
            dialog.remote_cseq = Some(cseq);
        }
        let reply = match method {
            // RFC 3261, sections 14.2 and 15: neither is anything for a call that is not answered.
            "BYE" | "INVITE" if !answered => return gone(),
            "BYE" => {
                self.on_remote_bye(request.header("Reason").map(Untrusted::new));
                Reply::ok()
            }
            "INFO" => {
                let content_type = Untrusted::new(request.header("Content-Type").unwrap_or_default());
                self.event(Event::Info { content_type, body: request.body.clone() });
                Reply::ok()
            }
            "INVITE" | "UPDATE" => return self.on_change(now, method, request),
            "OPTIONS" => Reply::ok().with("Accept", "application/sdp"),
            "NOTIFY" => {
                if let Some(status) = fragment_status(request) {
                    self.event(Event::Notified { status });
                }
                Reply::ok()
            }
            "MESSAGE" => Reply::ok(),
            "REFER" => Reply::new(603, "Decline"), // a transfer moves the caller to where they did not ask to be
            "CANCEL" => return gone(),             // what it cancels is answered as soon as the media have looked at it
            _ => Reply::new(405, "Method Not Allowed"),
        };
        Some(reply)
    }

    pub(super) fn reply(&mut self, request: &Message, reply: Reply) {
        let mut builder = Builder::response(reply.status, reply.reason);
        for via in request.headers("Via") {
            builder = builder.header("Via", via);
        }
        let to = request.header("To").unwrap_or_default();
        let to = if sip::tag(to).is_some() { to.to_owned() } else { format!("{to};tag={}", self.agent.random(10)) };
        builder = builder.header("To", to);
        for name in ["From", "Call-ID", "CSeq"] {
            builder = builder.header(name, request.header(name).unwrap_or_default());
        }
        builder = builder.header("Allow", ALLOW);
        for (name, value) in reply.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = reply.body {
            builder = builder.body("application/sdp", body);
        }
        // What was read has no line ends in its values, so this does not fail; if it did, silence is an answer too.
        if let Ok(bytes) = builder.build() {
            self.transmit(bytes);
        }
    }
}

/// The status line of a `message/sipfrag` (RFC 3420) that tells how a REFER goes.
fn fragment_status(notify: &Message) -> Option<u16> {
    let kind = notify.header("Content-Type")?.split(';').next()?.trim();
    let is_fragment = kind.eq_ignore_ascii_case("message/sipfrag");
    let text = std::str::from_utf8(&notify.body).ok().filter(|_| is_fragment)?;
    let status = text.lines().next()?.strip_prefix("SIP/2.0 ")?.split(' ').next()?.parse().ok()?;
    (100..700).contains(&status).then_some(status)
}

/// RFC 3261, section 8.2.2.3: the demanded extensions that we do not know. CANCEL demands nothing.
fn unsupported(method: &str, request: &Message) -> Option<String> {
    let known = |tag: &&str| EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(tag));
    let demanded = request.headers("Require").flat_map(sip::split_list);
    let unknown: Vec<&str> = demanded.filter(|tag| !known(tag)).take(MAX_UNSUPPORTED).collect();
    let short = |tag: &&str| tag.chars().take(MAX_TAG_CHARS).collect::<String>();
    let named = || unknown.iter().map(short).collect::<Vec<_>>().join(", ");
    (method != "CANCEL" && !unknown.is_empty()).then(named)
}
