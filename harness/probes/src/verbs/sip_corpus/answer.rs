//! What the target answers, and how what came of an INVITE is ended.

use ringfence_wire::digest::{Authorization, Challenge, challenges};
use ringfence_wire::sip::{self, Builder};

/// A response, read with fewer questions than elsewhere: one to a request with a thousand Via has as many of them (RFC 3261,
/// section 8.2.6.2), and is an answer all the same. The message around it is bounded.
pub(super) struct Answer {
    pub status: u16,
    /// Empty where it has none.
    pub call_id: String,
    fields: Vec<(String, String)>,
}

impl Answer {
    /// `None` for what is no response.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(bytes.get(..end)?);
        let mut lines = head.split("\r\n");
        let status = lines.next()?.strip_prefix("SIP/2.0 ")?.split(' ').next()?.parse().ok()?;
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in lines {
            match (line.split_once(':'), fields.last_mut()) {
                (_, Some((_, value))) if line.starts_with([' ', '\t']) => {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                (Some((name, value)), _) => fields.push((long_name(name.trim()).to_owned(), value.trim().to_owned())),
                (None, _) => {}
            }
        }
        let mut answer = Self { status, call_id: String::new(), fields };
        answer.call_id = answer.header("Call-ID").to_owned();
        (100..700).contains(&status).then_some(answer)
    }

    /// The first field of this name, empty where there is none.
    fn header(&self, name: &'static str) -> &str {
        self.headers(name).next().unwrap_or_default()
    }

    fn headers(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let named = self.fields.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// The strongest challenge that can be answered, and the name of the field for it. RFC 8760, section 2.4.
    pub fn challenge(&self) -> Option<(&'static str, Challenge)> {
        let (asks, answers) = match self.status {
            401 => ("WWW-Authenticate", "Authorization"),
            407 => ("Proxy-Authenticate", "Proxy-Authorization"),
            _ => return None,
        };
        let offered = challenges(self.headers(asks)).ok()?;
        let probe = |challenge: &&Challenge| Authorization::answer(challenge, ("", ""), ("", ""), (1, "")).is_ok();
        let strong = |challenge: &&Challenge| {
            challenge.algorithm.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("SHA-256"))
        };
        let usable: Vec<&Challenge> = offered.iter().filter(probe).collect();
        let chosen = usable.iter().copied().find(strong).or(usable.first().copied())?;
        Some((answers, chosen.clone()))
    }

    /// What has to be said to an answer to INVITE: a refusal is acknowledged, what rings is cancelled, and what is answered is
    /// acknowledged and ended. RFC 3261, sections 9.1, 13.2.2.4, 15.1.1 and 17.1.1.3. `uri` is the INVITE's, empty where it is not
    /// known, `via` ours up to its branch, and `number` sets these transactions apart from others.
    pub fn ending(&self, uri: &str, via: &str, number: u32) -> Vec<Vec<u8>> {
        let mut cseq = self.header("CSeq").split_ascii_whitespace();
        let (Some(Ok(sequence)), Some("INVITE")) = (cseq.next().map(str::parse::<u32>), cseq.next()) else {
            return Vec::new();
        };
        let (theirs, to) = (as_sent(self.header("Via")), self.header("To"));
        let bare = sip::uri(to).unwrap_or(to);
        let uri = if uri.is_empty() { bare } else { uri };
        let remote = sip::uri(self.header("Contact")).filter(|uri| !uri.is_empty()).unwrap_or(bare);
        let fresh = |what: &str| format!("{via};branch=z9hG4bKend{number}-{what}");
        let request = |method: &str, uri: &str, via: &str, to: &str, sequence: u32| {
            let cseq = format!("{sequence} {method}");
            let fields = [("Via", via), ("Max-Forwards", "70"), ("From", self.header("From")), ("To", to)]
                .into_iter()
                .chain([("Call-ID", self.call_id.as_str()), ("CSeq", &cseq)])
                .fold(Builder::request(method, uri), |builder, (name, value)| builder.header(name, value));
            // Made of the target's own text: what cannot be written is left unsaid.
            fields.build().ok()
        };
        let requests = match self.status {
            101..=199 => vec![request("CANCEL", uri, &theirs, &format!("<{bare}>"), sequence)],
            200..=299 => vec![
                request("ACK", remote, &fresh("ack"), to, sequence),
                request("BYE", remote, &fresh("bye"), to, sequence.saturating_add(1)),
            ],
            300.. => vec![request("ACK", uri, &theirs, to, sequence)],
            _ => vec![],
        };
        requests.into_iter().flatten().collect()
    }
}

/// Our Via as it was before the target wrote into it where it came from. RFC 3261, section 18.2.1; RFC 3581, section 4.
fn as_sent(via: &str) -> String {
    let named =
        |param: &str, name: &str| param.split('=').next().is_some_and(|found| found.trim().eq_ignore_ascii_case(name));
    let params = via.split(';').filter(|param| !named(param, "received"));
    params.map(|param| if named(param, "rport") { "rport" } else { param }).collect::<Vec<_>>().join(";")
}

/// IANA's registry of SIP header fields, column "compact": those that are read here.
fn long_name(name: &str) -> &str {
    match name {
        "i" | "I" => "Call-ID",
        "f" | "F" => "From",
        "t" | "T" => "To",
        "v" | "V" => "Via",
        "m" | "M" => "Contact",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use ringfence_wire::sip::{Message, StartLine};

    use super::*;

    fn answer(status: u16, method: &str, more: &str) -> Answer {
        let text = format!(
            "SIP/2.0 {status} Word\r\nVia: SIP/2.0/WSS a.invalid;branch=z9hG4bKa\r\nFrom: <sip:a@h>;tag=1\r\n\
             To: <sip:b@h>;tag=2\r\nCall-ID: c\r\nCSeq: 3 {method}\r\n{more}Content-Length: 0\r\n\r\n"
        );
        Answer::read(text.as_bytes()).unwrap()
    }

    fn said(answer: &Answer) -> Vec<Message> {
        let ending = answer.ending("sip:asked@h", "SIP/2.0/WSS rf.invalid", 7);
        ending.iter().map(|bytes| Message::parse(bytes).unwrap()).collect()
    }

    #[test]
    fn what_an_invite_leads_to_is_ended() {
        let lines = |status, method| -> Vec<(String, String, u32)> {
            let read = |message: Message| {
                let StartLine::Request { method, uri } = &message.start_line else { panic!("no request") };
                (method.clone(), uri.clone(), message.cseq().unwrap().0)
            };
            said(&answer(status, method, "Contact: <sip:x@y>\r\n")).into_iter().map(read).collect()
        };
        let of = |method: &str, uri: &str, number| (method.to_owned(), uri.to_owned(), number);
        assert_eq!(lines(180, "INVITE"), [of("CANCEL", "sip:asked@h", 3)]);
        assert_eq!(lines(200, "INVITE"), [of("ACK", "sip:x@y", 3), of("BYE", "sip:x@y", 4)]);
        assert_eq!(lines(603, "INVITE"), [of("ACK", "sip:asked@h", 3)]);
        assert!(lines(100, "INVITE").is_empty() && lines(200, "OPTIONS").is_empty());
        assert!(Answer::read(b"OPTIONS sip:a SIP/2.0\r\nCall-ID: a\r\n\r\n").is_none());
    }

    /// A server writes into a Via where it came from, and behind a parameter of its own no branch can be made.
    #[test]
    fn what_ends_it_has_vias_of_ours() {
        let text = "SIP/2.0 180 Word\r\nv: SIP/2.0/WSS a.invalid;rport=5060;branch=z9hG4bKa;received=192.0.2.1\r\n\
                    f: <sip:a@h>;tag=1\r\nt: <sip:b@h>\r\n ;tag=2\r\ni: c\r\nCSeq: 3 INVITE\r\n\r\n";
        let vias = |text: &str| -> Vec<String> {
            said(&Answer::read(text.as_bytes()).unwrap())
                .iter()
                .map(|message| message.header("Via").unwrap().to_owned())
                .collect()
        };
        assert_eq!(vias(text), ["SIP/2.0/WSS a.invalid;rport;branch=z9hG4bKa"], "that of the INVITE");
        let own = ["ack", "bye"].map(|what| format!("SIP/2.0/WSS rf.invalid;branch=z9hG4bKend7-{what}"));
        assert_eq!(vias(&text.replace("180", "200")), own);
    }

    #[test]
    fn an_answer_may_have_a_thousand_vias() {
        let many = "Via: SIP/2.0/WSS v.invalid;branch=z9hG4bKv\r\n".repeat(1000);
        assert!(sip::prepare(format!("SIP/2.0 200 OK\r\n{many}Call-ID: c\r\n\r\n").as_bytes()).is_err());
        let read = answer(200, "OPTIONS", &many);
        assert_eq!((read.status, read.call_id.as_str(), read.headers("Via").count()), (200, "c", 1001));
        let unnamed = Answer::read(b"SIP/2.0 400 Bad\r\nCSeq").unwrap();
        assert_eq!((unnamed.status, unnamed.call_id.as_str()), (400, ""));
        for none in ["\r\n\r\n", "SIP/2.0 OK\r\n\r\n", "SIP/2.0 99 OK\r\n\r\n", ""] {
            assert!(Answer::read(none.as_bytes()).is_none(), "{none:?}");
        }
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
