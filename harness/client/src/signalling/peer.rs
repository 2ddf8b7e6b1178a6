//! Requests of the far side, answered down the same connection.

use std::time::Instant;

use ringfence_model::Untrusted;
use ringfence_wire::sip::{self, Builder, Message};

use super::Event;
use super::dialog::contact;
use super::invite::Invite;
use super::machine::Signalling;
use crate::Failure;

/// What we say that we take.
pub(super) const ALLOW: &str = "INVITE,ACK,CANCEL,BYE,UPDATE,MESSAGE,OPTIONS,INFO,NOTIFY";
/// Requests that are answered on one connection; more is a storm, and the call is not worth it.
const MAX_REQUESTS: u32 = 256;

/// An answer to be written.
struct Reply {
    status: u16,
    reason: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

impl Reply {
    fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason, headers: Vec::new(), body: None }
    }

    fn ok() -> Self {
        Self::new(200, "OK")
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Signalling {
    pub(super) fn on_request(&mut self, now: Instant, request: &Message) {
        self.peer_requests += 1;
        if self.peer_requests > MAX_REQUESTS {
            if self.peer_requests == MAX_REQUESTS + 1 {
                self.fail(Failure::protocol(format!("more than {MAX_REQUESTS} requests on one connection")));
            }
            return;
        }
        let method = request.method().unwrap_or_default().to_owned();
        let named = ["Via", "From", "To", "Call-ID"].iter().all(|name| request.header(name).is_some());
        // Without these nobody could tell what an answer belongs to. An ACK has none.
        let Some((cseq, _)) = request.cseq().filter(|(_, of)| named && *of == method && method != "ACK") else {
            return;
        };
        let reply = match self.matching_dialog(request) {
            Some(true) => self.in_dialog(now, &method, cseq, request),
            Some(false) => Reply::new(481, "Call/Transaction Does Not Exist"),
            None => match method.as_str() {
                "OPTIONS" => Reply::ok().with("Accept", "application/sdp"),
                "CANCEL" => Reply::new(481, "Call/Transaction Does Not Exist"),
                // Never answered by itself: that would open a microphone.
                "INVITE" => Reply::new(603, "Decline"),
                _ => Reply::new(405, "Method Not Allowed"),
            },
        };
        self.reply(request, reply);
    }

    /// Whether the request belongs to our call; `None` outside of any dialog.
    fn matching_dialog(&mut self, request: &Message) -> Option<bool> {
        let local_tag = request.header("To").and_then(sip::tag)?;
        let remote_tag = request.header("From").and_then(sip::tag).unwrap_or_default();
        let call_id = request.header("Call-ID").unwrap_or_default();
        let dialog = self.invite.as_mut().and_then(Invite::live_dialog);
        Some(dialog.is_some_and(|dialog| {
            dialog.call_id == call_id && dialog.local_tag == local_tag && dialog.remote_tag == remote_tag
        }))
    }

    fn in_dialog(&mut self, now: Instant, method: &str, cseq: u32, request: &Message) -> Reply {
        let Some(dialog) = self.invite.as_mut().and_then(Invite::live_dialog) else {
            return Reply::new(481, "Call/Transaction Does Not Exist");
        };
        // RFC 3261, section 12.2.2. CANCEL has the number of what it cancels.
        if method != "CANCEL" {
            if dialog.remote_cseq.is_some_and(|last| cseq < last) {
                return Reply::new(500, "Server Internal Error");
            }
            dialog.remote_cseq = Some(cseq);
        }
        match method {
            "BYE" => {
                self.on_remote_bye(request.header("Reason").map(Untrusted::new));
                Reply::ok()
            }
            "INFO" => {
                let content_type = Untrusted::new(request.header("Content-Type").unwrap_or_default());
                self.event(Event::Info { content_type, body: request.body.clone() });
                Reply::ok()
            }
            "INVITE" | "UPDATE" => self.on_session_update(now, method, request),
            "OPTIONS" => Reply::ok().with("Accept", "application/sdp"),
            "NOTIFY" | "MESSAGE" => Reply::ok(),
            "REFER" => Reply::new(603, "Decline"), // a transfer moves the caller to where they did not ask to be
            "CANCEL" => Reply::new(481, "Call/Transaction Does Not Exist"), // what it cancels was answered at once
            _ => Reply::new(405, "Method Not Allowed"),
        }
    }

    /// A refresh keeps the session as it is; anything else is not taken. RFC 3261, section 14.2; RFC 3311.
    fn on_session_update(&mut self, now: Instant, method: &str, request: &Message) -> Reply {
        let contact_of_ours = self.agent.dialog_contact();
        let refreshes = self.plan.session_refresh;
        let Some(invite) = &mut self.invite else { return Reply::new(481, "Call/Transaction Does Not Exist") };
        let sdp = invite.sdp.clone();
        let Some(dialog) = invite.live_dialog() else { return Reply::new(481, "Call/Transaction Does Not Exist") };
        if !request.body.is_empty() && !same_session(&request.body, &dialog.remote_sdp) {
            return Reply::new(488, "Not Acceptable Here");
        }
        if let Some(target) = contact(request) {
            dialog.target = target;
        }
        let mut reply = Reply::ok().with("Contact", contact_of_ours);
        if let Some(interval) = request.header("Session-Expires") {
            let seconds = interval.split(';').next().unwrap_or_default().trim();
            let refresher = sip::param(interval, "refresher").unwrap_or_else(|| "uac".into());
            dialog.refresh = None; // whoever refreshes now, the next turn is set below
            if refreshes && refresher.eq_ignore_ascii_case("uas") {
                dialog.set_timer(now, Some(&format!("{seconds};refresher=uac")));
            }
            reply =
                reply.with("Session-Expires", format!("{seconds};refresher={refresher}")).with("Supported", "timer");
        }
        if method == "INVITE" || !request.body.is_empty() {
            reply.body = Some(sdp.into_bytes());
        }
        reply
    }

    fn reply(&mut self, request: &Message, reply: Reply) {
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

/// Whether two descriptions are the same session: only `o=` may count up.
fn same_session(new: &[u8], old: &[u8]) -> bool {
    let lines = |text: &[u8]| {
        let text = String::from_utf8_lossy(text).into_owned();
        text.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.starts_with("o=")).collect::<Vec<_>>()
    };
    lines(new) == lines(old)
}
