//! What the target answers, and how what came of an INVITE is ended.

use ringfence_wire::digest::{Authorization, Challenge, challenges};
use ringfence_wire::sip::{self, Builder, Message};

/// A response that could be read.
pub(super) struct Answer {
    pub status: u16,
    pub call_id: String,
    message: Message,
}

impl Answer {
    /// `None` for what is no response, or one that belongs to nothing.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let message = sip::prepare(bytes).ok()?.message;
        Some(Self { status: message.status()?, call_id: message.header("Call-ID")?.to_owned(), message })
    }

    /// The strongest challenge that can be answered, and the name of the field for it. RFC 8760, section 2.4.
    pub fn challenge(&self) -> Option<(&'static str, Challenge)> {
        let (asks, answers) = match self.status {
            401 => ("WWW-Authenticate", "Authorization"),
            407 => ("Proxy-Authenticate", "Proxy-Authorization"),
            _ => return None,
        };
        let offered = challenges(self.message.headers(asks)).ok()?;
        let probe = |challenge: &&Challenge| Authorization::answer(challenge, ("", ""), ("", ""), (1, "")).is_ok();
        let strong = |challenge: &&Challenge| {
            challenge.algorithm.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("SHA-256"))
        };
        let usable: Vec<&Challenge> = offered.iter().filter(probe).collect();
        let chosen = usable.iter().copied().find(strong).or(usable.first().copied())?;
        Some((answers, chosen.clone()))
    }

    /// What has to be said to an answer to INVITE: a refusal is acknowledged, what rings is cancelled, and what is answered is
    /// acknowledged and ended. RFC 3261, sections 9.1, 13.2.2.4, 15.1.1 and 17.1.1.3.
    pub fn ending(&self) -> Vec<Vec<u8>> {
        let Some((number, "INVITE")) = self.message.cseq() else { return Vec::new() };
        let field = |name: &str| self.message.header(name).unwrap_or_default().to_owned();
        let (via, to) = (field("Via"), field("To"));
        let bare = sip::uri(&to).unwrap_or(&to).to_owned();
        let contact = field("Contact");
        let remote = sip::uri(&contact).filter(|uri| !uri.is_empty()).unwrap_or(&bare).to_owned();
        let fresh = format!("{via}x"); // the branch is the last that we write in a Via
        let request = |method: &str, uri: &str, via: &str, to: &str, number: u32| {
            let cseq = format!("{number} {method}");
            let fields = [("Via", via), ("Max-Forwards", "70"), ("From", &field("From")), ("To", to)]
                .into_iter()
                .chain([("Call-ID", self.call_id.as_str()), ("CSeq", &cseq)])
                .fold(Builder::request(method, uri), |builder, (name, value)| builder.header(name, value));
            // Made of the target's own text: what cannot be written is left unsaid.
            fields.build().ok()
        };
        let requests = match self.status {
            101..=199 => vec![request("CANCEL", &bare, &via, &format!("<{bare}>"), number)],
            200..=299 => vec![
                request("ACK", &remote, &fresh, &to, number),
                request("BYE", &remote, &format!("{fresh}x"), &to, number.saturating_add(1)),
            ],
            300.. => vec![request("ACK", &bare, &via, &to, number)],
            _ => vec![],
        };
        requests.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, method: &str, more: &str) -> Answer {
        let text = format!(
            "SIP/2.0 {status} Word\r\nVia: SIP/2.0/WSS a.invalid;branch=z9hG4bKa\r\nFrom: <sip:a@h>;tag=1\r\n\
             To: <sip:b@h>;tag=2\r\nCall-ID: c\r\nCSeq: 3 {method}\r\n{more}Content-Length: 0\r\n\r\n"
        );
        Answer::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_an_invite_leads_to_is_ended() {
        let said = |status, method| -> Vec<(String, String, u32)> {
            let ending = answer(status, method, "Contact: <sip:x@y>\r\n").ending();
            let read = |bytes: &Vec<u8>| {
                let message = Message::parse(bytes).unwrap();
                let sip::StartLine::Request { method, uri } = &message.start_line else { panic!("no request") };
                (method.clone(), uri.clone(), message.cseq().unwrap().0)
            };
            ending.iter().map(read).collect()
        };
        let of = |method: &str, uri: &str, number| (method.to_owned(), uri.to_owned(), number);
        assert_eq!(said(180, "INVITE"), [of("CANCEL", "sip:b@h", 3)]);
        assert_eq!(said(200, "INVITE"), [of("ACK", "sip:x@y", 3), of("BYE", "sip:x@y", 4)]);
        assert_eq!(said(603, "INVITE"), [of("ACK", "sip:b@h", 3)]);
        assert!(said(100, "INVITE").is_empty() && said(200, "OPTIONS").is_empty());
        assert!(Answer::read(b"OPTIONS sip:a SIP/2.0\r\nCall-ID: a\r\n\r\n").is_none());
    }

    #[test]
    fn the_strongest_challenge_is_answered() {
        let of = |name: &str| {
            format!("WWW-Authenticate: Digest realm=\"r\", nonce=\"{name}\", algorithm={name}, qop=\"auth\"\r\n")
        };
        let both = answer(401, "REGISTER", &format!("{}{}", of("MD5"), of("SHA-256")));
        let (field, challenge) = both.challenge().unwrap();
        assert_eq!((field, challenge.nonce.as_str()), ("Authorization", "SHA-256"));
        assert!(answer(401, "REGISTER", &of("SHA-512-256")).challenge().is_none());
        assert!(answer(403, "REGISTER", &of("MD5")).challenge().is_none());
    }
}
