//! The page's SIP, read from its WebSocket messages: who it says it is, which calls it makes, and what may be put into them.

use std::collections::BTreeSet;

use ringfence_wire::digest::Authorization;
use ringfence_wire::sip::{self, Message};

use super::record::Frame;

mod inject;

pub(super) use inject::{Injection, Request};

/// By what the page names its visitor.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// Where it stands.
    pub kind: IdentityKind,
    /// The value.
    pub value: String,
}

/// Where an identity stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum IdentityKind {
    /// User part of `From` of an INVITE, of `To` of a REGISTER.
    UserId,
    /// Display name of `From` or `Contact`.
    DisplayName,
    /// User part of the `Contact` URI.
    ContactUser,
    /// A header field whose name begins with `X-`; the name in lower case.
    Header(String),
}

/// Identities of one visit that are kept (house).
const MAX_IDENTITIES: usize = 256;

/// Every identity in what the page sent, each once, in the order of kinds.
pub fn identities(frames: &[Frame]) -> Vec<Identity> {
    let mut found = BTreeSet::new();
    for message in sent(frames) {
        let who = match message.method() {
            Some("REGISTER") => message.header("To"),
            Some("INVITE") => message.header("From"),
            _ => continue,
        };
        let mut add = |kind, value: Option<String>| {
            if let Some(value) = value.filter(|value| !value.is_empty() && found.len() < MAX_IDENTITIES) {
                found.insert(Identity { kind, value });
            }
        };
        add(IdentityKind::UserId, who.and_then(user));
        add(IdentityKind::DisplayName, message.header("From").and_then(display_name));
        for contact in message.headers("Contact").flat_map(sip::split_list) {
            add(IdentityKind::DisplayName, display_name(contact));
            add(IdentityKind::ContactUser, user(contact));
        }
        for (name, value) in &message.headers {
            let name = name.to_ascii_lowercase();
            if name.starts_with("x-") {
                add(IdentityKind::Header(name), Some(value.clone()));
            }
        }
    }
    found.into_iter().collect()
}

/// Every Digest login that the page sent.
pub fn logins(frames: &[Frame]) -> Vec<Authorization> {
    let fields = |message: &Message| {
        let both = message.headers("Authorization").chain(message.headers("Proxy-Authorization"));
        both.filter_map(|value| Authorization::parse(value).ok().flatten()).collect::<Vec<_>>()
    };
    sent(frames).flat_map(|message| fields(&message)).collect()
}

/// User part of the URI of an address field.
fn user(field: &str) -> Option<String> {
    let uri = sip::uri(field)?;
    let (_, rest) = uri.split_once(':')?;
    let (user, _) = rest.rsplit_once('@')?;
    let user = user.split([':', ';']).next()?;
    Some(decoded(user))
}

/// Percent-encoding undone where the result is text. RFC 3261, section 25.1: `escaped`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = hex.filter(|_| byte == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Display name of an address field, without quotes. RFC 3261, section 25.1.
fn display_name(field: &str) -> Option<String> {
    let (name, _) = field.rsplit_once('<')?;
    let name = name.trim();
    let bare = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    Some(bare.replace("\\\"", "\"").replace("\\\\", "\\"))
}

fn sent(frames: &[Frame]) -> impl Iterator<Item = Message> + '_ {
    frames.iter().filter(|frame| frame.sent).filter_map(|frame| Message::parse(frame.text.as_bytes()).ok())
}

/// What the page's signalling is up to.
#[derive(Clone, Default)]
pub(super) struct Signalling {
    /// Call-IDs of its own INVITEs.
    pub calls: Vec<String>,
    /// The last of them, with login.
    pub invite: Option<Message>,
    /// Its final answer: 401 and 407 only ask for a login.
    pub answer: Option<Message>,
    /// BYE or CANCEL of that call was sent or came.
    pub ended: bool,
    /// The last REGISTER that was answered with 2xx.
    pub registered: Option<Message>,
    register: Option<Message>,
    read: usize,
}

impl Signalling {
    /// Reads on: only frames that were not read before.
    pub fn read(&mut self, frames: &[Frame]) {
        for frame in frames.get(self.read..).unwrap_or_default() {
            if let Ok(message) = Message::parse(frame.text.as_bytes()) {
                self.message(message, frame.sent);
            }
        }
        self.read = frames.len();
    }

    fn message(&mut self, message: Message, sent: bool) {
        let call_id = message.header("Call-ID").unwrap_or_default().to_owned();
        let ours = self.invite.as_ref().is_some_and(|invite| invite.header("Call-ID") == Some(&call_id));
        match (message.method(), sent) {
            (Some("REGISTER"), true) => self.register = Some(message),
            (Some("INVITE"), true) if message.header("To").and_then(sip::tag).is_none() => {
                if !self.calls.contains(&call_id) {
                    self.calls.push(call_id);
                    self.ended = false;
                }
                (self.invite, self.answer) = (Some(message), None);
            }
            (Some("BYE" | "CANCEL"), _) if ours => self.ended = true,
            (None, false) => self.answered(message, ours),
            _ => {}
        }
    }

    fn answered(&mut self, message: Message, ours: bool) {
        let Some(status) = message.status() else { return };
        match message.cseq().map(|(number, method)| (number, method.to_owned())) {
            Some((_, method)) if method == "REGISTER" && (200..300).contains(&status) => {
                // Expires: 0 takes a registration back.
                let gone = |register: &Message| register.header("Expires").is_some_and(|value| value.trim() == "0");
                self.registered = self.register.clone().filter(|register| !gone(register));
            }
            Some((number, method)) if method == "INVITE" && ours && status >= 200 => {
                let same = self.invite.as_ref().and_then(Message::cseq).is_some_and(|(known, _)| known == number);
                if same && !matches!(status, 401 | 407) {
                    self.answer = Some(message);
                }
            }
            _ => {}
        }
    }

    /// The call was refused for good.
    pub fn refused(&self) -> bool {
        self.answer.as_ref().and_then(Message::status).is_some_and(|status| status >= 300)
    }

    /// The call was accepted and runs.
    pub fn in_call(&self) -> bool {
        !self.ended && self.answer.as_ref().and_then(Message::status).is_some_and(|status| status < 300)
    }
}

#[cfg(test)]
mod tests;
