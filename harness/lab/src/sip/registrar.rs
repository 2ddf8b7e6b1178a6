//! REGISTER: a pair becomes the right of this connection to call as one address-of-record.

use std::time::{Duration, Instant};

use ringfence_wire::sip::{Message, param, split_list, uri};

use super::login::Asks;
use super::reply::reply;
use super::request::Request;
use super::{Outgoing, Session, built};
use crate::fault::Fault;
use crate::figures::{MAX_EXPIRES_S, MAX_USER_ID, MIN_EXPIRES_S, SIP_REALM, TEST_USER};

/// Contacts of one registration.
const MAX_CONTACTS: usize = 4;

/// What this connection has registered.
#[derive(Debug)]
pub(super) struct Registered {
    pub aor: String,
    /// Whose pair it was; `None` for a registration that nobody logged in for.
    pub username: Option<String>,
    pub until: Instant,
    contacts: Vec<Contact>,
    expires_s: u32,
}

/// One contact, as it is echoed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Contact(String);

/// What a REGISTER wants.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    Ask,
    Remove,
    Bind { contacts: Vec<Contact>, expires_s: u32 },
    Malformed,
}

impl Session {
    pub(super) fn register(&mut self, request: &Request, now: Instant) -> Outgoing {
        let refuse = |status, reason| built(reply(&request.raw, status, reason, None));
        if request.host != SIP_REALM || request.to.host != SIP_REALM {
            return refuse(404, "Not Found"); // RFC 3261, section 10.3, step 5
        }
        let bare = request.raw.header("Authorization").is_none();
        let username = if bare && self.nonces.any_issued() && self.shared.faults.broken(Fault::RegisterOpen) {
            None
        } else {
            match self.login(request, Asks::Registrar, now) {
                Ok(username) => Some(username),
                Err(response) => return response,
            }
        };
        if !is_user_id(&request.to.user) {
            return self.refuse_name(request);
        }
        let known = is_opaque(&request.to.user) || request.to.user == TEST_USER.replace('@', "%40");
        if !known && !self.shared.faults.broken(Fault::PiiUserIdAccepted) || request.from.aor != request.to.aor {
            return refuse(403, "Forbidden");
        }
        let wish = Wish::of(request);
        match &wish {
            Wish::Malformed => return refuse(400, "Bad Request"),
            Wish::Bind { expires_s, .. } if *expires_s < MIN_EXPIRES_S => {
                let brief = reply(&request.raw, 423, "Interval Too Brief", None);
                return built(brief.header("Min-Expires", MIN_EXPIRES_S.to_string()));
            }
            _ => {}
        }
        if self.registered.as_ref().is_some_and(|registered| registered.username != username) {
            if self.in_call() {
                return refuse(403, "Forbidden");
            }
            self.unregister();
        }
        if let Some(username) = &username
            && self.shared.accounts.register(username, &request.to.aor, self.id, now).is_err()
        {
            return refuse(403, "Forbidden");
        }
        self.apply(wish, request.to.aor.clone(), username, now);
        self.confirm(request, now)
    }

    /// Repeats a name that it does not take as it came.
    fn refuse_name(&self, request: &Request) -> Outgoing {
        let refused = built(reply(&request.raw, 403, "Forbidden", None));
        if !self.shared.faults.broken(Fault::CrlfReflected) {
            return refused;
        }
        let broken_open = refused.iter().filter_map(|bytes| Message::parse(bytes).ok()).map(|mut message| {
            let to = message.headers.iter_mut().filter(|(name, _)| name == "To");
            to.for_each(|(_, value)| *value = unescaped(value));
            message.emit()
        });
        broken_open.collect()
    }

    /// Gives the pair back, so that another connection may take it.
    pub(super) fn unregister(&mut self) {
        let Some(registered) = self.registered.take() else { return };
        self.shared.directory.leave(&registered.aor, self.id);
        if let Some(username) = &registered.username {
            self.shared.accounts.release(username, self.id);
        }
    }

    fn apply(&mut self, wish: Wish, aor: String, username: Option<String>, now: Instant) {
        if let (Wish::Bind { .. } | Wish::Remove, Some(before)) = (&wish, &self.registered) {
            self.shared.directory.leave(&before.aor, self.id);
        }
        match wish {
            Wish::Bind { contacts, expires_s } => {
                let until = now + Duration::from_secs(u64::from(expires_s));
                self.shared.directory.enter(&aor, self.id, until, self.poster.clone());
                self.registered = Some(Registered { aor, username, until, contacts, expires_s });
            }
            // A running call keeps its pair; otherwise it is free for another connection.
            Wish::Remove if self.in_call() => self.registered.iter_mut().for_each(|r| r.until = now),
            Wish::Remove => {
                self.registered = Some(Registered { aor, username, until: now, contacts: Vec::new(), expires_s: 0 });
                self.unregister();
            }
            Wish::Ask | Wish::Malformed => {
                let unheld = self.registered.is_none();
                if let Some(username) = username.filter(|_| unheld) {
                    self.shared.accounts.release(&username, self.id);
                }
            }
        }
    }

    fn confirm(&self, request: &Request, now: Instant) -> Outgoing {
        let mut response = reply(&request.raw, 200, "OK", None);
        if let Some(registered) = self.registered.as_ref().filter(|r| r.until > now) {
            for Contact(text) in &registered.contacts {
                response = response.header("Contact", format!("{text};expires={}", registered.expires_s));
            }
        }
        built(response)
    }
}

impl Wish {
    fn of(request: &Request) -> Self {
        let entries: Vec<&str> = request.raw.headers("Contact").flat_map(split_list).collect();
        let header = request.raw.header("Expires");
        // Larger than 32 bits is as good as the longest. RFC 3261, section 20.19, has no more than that.
        let seconds = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().unwrap_or(u32::MAX))
        };
        match entries.as_slice() {
            [] => Wish::Ask,
            ["*"] if header == Some("0") => Wish::Remove,
            many if many.len() > MAX_CONTACTS => Wish::Malformed,
            many => {
                let wanted = many.iter().find_map(|entry| param(entry, "expires"));
                let wanted = wanted.or(header.map(str::to_owned));
                let expires_s = wanted.map_or(Some(MAX_EXPIRES_S), |text| seconds(&text));
                let contacts: Option<Vec<Contact>> = many.iter().map(|entry| Contact::of(entry)).collect();
                match (expires_s, contacts) {
                    (Some(0), Some(_)) => Wish::Remove,
                    (Some(s), Some(contacts)) => Wish::Bind { contacts, expires_s: s.min(MAX_EXPIRES_S) },
                    _ => Wish::Malformed,
                }
            }
        }
    }
}

impl Contact {
    /// The entry with the parameters that outbound clients look for in the 200 (RFC 5626), and no others.
    fn of(entry: &str) -> Option<Self> {
        let address = uri(entry).filter(|uri| uri.contains(':') && !uri.contains(['<', '>', '"']))?;
        let mut text = format!("<{address}>");
        let plain = |value: &String| !value.contains(['"', '\\', ';', ',']) && value.len() <= 256;
        for name in ["+sip.ice", "reg-id", "+sip.instance"] {
            match param(entry, name).filter(plain) {
                None => {}
                Some(empty) if empty.is_empty() => text.push_str(&format!(";{name}")),
                Some(number) if name == "reg-id" && number.bytes().all(|b| b.is_ascii_digit()) => {
                    text.push_str(&format!(";{name}={number}"));
                }
                Some(value) if name != "reg-id" => text.push_str(&format!(";{name}=\"{value}\"")),
                Some(_) => {}
            }
        }
        Some(Self(text))
    }
}

/// What can be a visitor's name at all: unreserved characters and escapes of printable ones (RFC 3261, section 19.1.2). The
/// names of applications are not among them.
fn is_user_id(user: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+%".contains(&byte);
    let decoded = unescaped(user);
    let printable = !decoded.contains('%') && decoded.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (1..=MAX_USER_ID).contains(&user.len()) && user.bytes().all(plain) && printable && !user.starts_with("app-")
}

/// What a page may choose as its visitor's name: no mail address, number or name of a person can be written in it.
fn is_opaque(user: &str) -> bool {
    user.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && user.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// With escapes undone.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..2).filter(|_| *first == b'%').and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = digits.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_are_echoed_for_outbound_clients() {
        let entry = "\"x\" <sip:u@a.invalid;transport=ws>;+sip.ice;reg-id=1;+sip.instance=\"<urn:uuid:1>\";expires=60";
        let expected = "<sip:u@a.invalid;transport=ws>;+sip.ice;reg-id=1;+sip.instance=\"<urn:uuid:1>\"";
        assert_eq!(Contact::of(entry), Some(Contact(expected.to_owned())));
        assert_eq!(Contact::of("<sip:u@h>;reg-id=1;x=y").unwrap().0, "<sip:u@h>;reg-id=1");
        assert_eq!(Contact::of("nonsense"), None);
        assert_eq!(Contact::of(""), None);
    }

    #[test]
    fn user_ids_are_checked() {
        for good in ["webrtc-sdk-labdesk-Zz9Yy8Xx", "a", "ringfence-plain-1"] {
            assert!(is_user_id(good) && is_opaque(good), "{good}");
        }
        for personal in [
            "test.user%40example.com",
            "+493023125042",
            "4111111111111111",
            "DE89370400440532013000",
            "Erika%20Mustermann",
            "erika.mustermann",
            "a.b.c",
        ] {
            assert!(is_user_id(personal) && !is_opaque(personal), "{personal}");
        }
        for bad in ["", "a b", "a%0d%0ab", "a%00", "%c0%ae", "a%", "a%2541", "app-1", "ä", "a;x", &"x".repeat(65)] {
            assert!(!is_user_id(bad), "{bad}");
        }
    }
}
