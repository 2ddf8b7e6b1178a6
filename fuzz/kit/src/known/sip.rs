//! Where `rsip` and `rsipstack` read a SIP message otherwise than we do, and than the grammar says.
//!
//! Every message is compared as it came and in the plain form that the pre-pass makes of it. What is left of the differences in the
//! plain form is what somebody has to mind who hands it to one of them.

mod comparison;
mod rsip;
mod rsipstack;

use ringfence_wire::Error;
use ringfence_wire::sip::{Message, Prepared, Repair, prepare};

use super::Difference;
use crate::oracles::{DERIVED, sip_addresses, sip_grammatical};
use crate::peers::sip::{Reading, Start};
use comparison::{against_peers, strict_cseq};

/// What two readings are compared in. The later ones only where the earlier ones are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// Whether it is a message at all.
    Verdict,
    /// The first line.
    Start,
    /// The fields.
    Fields,
    /// The body.
    Body,
    /// Where a Request-URI of the grammar leads.
    Target,
    /// What a From or To of the grammar says.
    Address,
    /// What a CSeq of the grammar says.
    CSeq,
}

/// A difference to be explained.
#[derive(Debug, Clone)]
pub struct Case {
    /// The message.
    pub bytes: Vec<u8>,
    /// In what they differ.
    pub aspect: Aspect,
    /// What we say.
    pub ours: Result<Message, Error>,
    /// What the pre-pass repaired.
    pub repairs: Vec<Repair>,
    /// What the peer says.
    pub theirs: Option<Reading>,
    /// Whether the peer takes the Request-URI alone.
    pub takes_uri: bool,
    /// The URI or value that it is about; of a verdict, the Request-URI.
    pub text: String,
}

/// All that is known, by parser.
pub fn known() -> [(&'static str, &'static [Difference<Case>]); 2] {
    [("rsip", rsip::KNOWN), ("rsipstack", rsipstack::KNOWN)]
}

/// Holds our reader against the others and the letter of the grammar, and tells which known differences were seen: parser and id.
///
/// # Panics
/// If there is a difference that nothing explains.
pub fn differences(bytes: &[u8]) -> Vec<(&'static str, &'static str)> {
    let ours = prepare(bytes);
    let mut seen = against_peers(bytes, &ours);
    if let Ok(prepared) = ours {
        let plain = prepared.bytes();
        sip_grammatical(&plain);
        for name in ["From", "To"] {
            prepared.message.header(name).into_iter().for_each(sip_addresses);
        }
        if let Some((number, method)) = prepared.message.header("CSeq").and_then(strict_cseq) {
            DERIVED.same(&Some((number, method.as_str())), &prepared.message.cseq(), "CSeq");
        }
        if plain != bytes {
            let message = prepared.message;
            seen.extend(against_peers(&plain, &Ok(Prepared { message, repairs: Vec::new() })));
        }
    }
    seen.sort_unstable();
    seen.dedup();
    seen
}

/// The methods that both peers know, each in an enumeration of its own.
const METHODS: [&str; 14] = [
    "ACK",
    "BYE",
    "CANCEL",
    "INFO",
    "INVITE",
    "MESSAGE",
    "NOTIFY",
    "OPTIONS",
    "PRACK",
    "PUBLISH",
    "REFER",
    "REGISTER",
    "SUBSCRIBE",
    "UPDATE",
];

/// The transports that both peers know.
const TRANSPORTS: &[&str] = &["UDP", "TCP", "TLS", "SCTP", "TLS-SCTP", "WS", "WSS"];

/// Short names of fields, and the long ones. IANA's registry of SIP header fields, column "compact".
const COMPACT: [(&str, &str); 20] = [
    ("a", "accept-contact"),
    ("b", "referred-by"),
    ("c", "content-type"),
    ("d", "request-disposition"),
    ("e", "content-encoding"),
    ("f", "from"),
    ("i", "call-id"),
    ("j", "reject-contact"),
    ("k", "supported"),
    ("l", "content-length"),
    ("m", "contact"),
    ("n", "identity-info"),
    ("o", "event"),
    ("r", "refer-to"),
    ("s", "subject"),
    ("t", "to"),
    ("u", "allow-events"),
    ("v", "via"),
    ("x", "session-expires"),
    ("y", "identity"),
];

/// A message with 130 fields.
const MANY_FIELDS: &[u8] = &{
    let (start, end) = (*b"OPTIONS sip:h SIP/2.0\r\n", *b"\r\n");
    let mut bytes = [0; 23 + 130 * 4 + 2];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = if at < 23 {
            start[at]
        } else if at < 23 + 130 * 4 {
            b"A:\r\n"[(at - 23) % 4]
        } else {
            end[at - 23 - 130 * 4]
        };
        at += 1;
    }
    bytes
};

impl Case {
    /// A verdict: we refuse it, and the peer does not.
    fn only_theirs(&self) -> Option<&Error> {
        self.ours.as_ref().err().filter(|_| self.aspect == Aspect::Verdict && self.theirs.is_some())
    }

    /// A verdict: we take it, and the peer does not.
    fn only_ours(&self) -> Option<&Message> {
        self.ours.as_ref().ok().filter(|_| self.aspect == Aspect::Verdict && self.theirs.is_none())
    }

    /// We take a request of a method that the peer does not know; so it is refused, whatever else there is.
    fn unknown_method(&self) -> bool {
        let known = |method: &str| METHODS.iter().any(|known| known.eq_ignore_ascii_case(method));
        match self.aspect {
            Aspect::CSeq => {
                let refused = self.theirs.as_ref().is_some_and(|theirs| theirs.cseq.is_none());
                refused && self.text.rsplit([' ', '\t']).next().is_some_and(|method| !known(method))
            }
            _ => self.only_ours().and_then(Message::method).is_some_and(|method| !known(method)),
        }
    }

    /// Both read the same method in another case.
    fn method_in_any_case(&self) -> bool {
        let (Ok(ours), Some(theirs)) = (&self.ours, &self.theirs) else { return false };
        let same = |ours: &str, theirs: &str| ours != theirs && ours.eq_ignore_ascii_case(theirs);
        match (self.aspect, &theirs.start, &theirs.cseq) {
            (Aspect::Start, Start::Request(theirs), _) => ours.method().is_some_and(|ours| same(ours, theirs)),
            (Aspect::CSeq, _, Some((number, theirs))) => {
                strict_cseq(&self.text).is_some_and(|(ours, method)| ours == *number && same(&method, theirs))
            }
            _ => false,
        }
    }

    /// The fields are the same but for compact names, a Content-Length that is there again, and what `plain` makes of values.
    fn same_fields(&self, plain: impl Fn(&str) -> String) -> bool {
        let (Aspect::Fields, Ok(ours), Some(theirs)) = (self.aspect, &self.ours, &self.theirs) else { return false };
        let long =
            |name: &str| COMPACT.iter().find(|(short, _)| *short == name).map_or(name, |(_, long)| *long).to_owned();
        let ours = ours.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), plain(value)));
        let mut length = self.repairs.contains(&Repair::RepeatedContentLength).then_some(0);
        let mut is_first = |name: &str| match &mut length {
            Some(count) if name == "content-length" => std::mem::replace(count, 1) == 0,
            _ => true,
        };
        let theirs = theirs.fields.iter().map(|(name, value)| (long(name), plain(value)));
        ours.eq(theirs.filter(|(name, _)| is_first(name)))
    }

    /// We take it, and the peer refuses its Request-URI, which this says something of.
    fn refused_uri(&self, is: fn(&str) -> bool) -> bool {
        self.only_ours().is_some() && !self.text.is_empty() && !self.takes_uri && is(&self.text)
    }

    /// A URI of the grammar is read otherwise or, in From and To, refused; this says something of it.
    fn address(&self, is: fn(&str) -> bool) -> bool {
        matches!(self.aspect, Aspect::Target | Aspect::Address) && is(&self.text)
    }
}

/// Whether this stands in the user part.
fn in_user(text: &str, letter: char) -> bool {
    text.rsplit_once('@').is_some_and(|(user, _)| user.contains(letter))
}

/// Whether a parameter of that name has a value that is not in the peers' lists.
fn unlisted(text: &str, name: &str, listed: &[&str]) -> bool {
    text.split([';', '>', '?', ',']).filter_map(|part| part.split_once('=')).any(|(known, value)| {
        known.trim().eq_ignore_ascii_case(name) && !listed.iter().any(|one| one.eq_ignore_ascii_case(value.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a repaired field would once have excused.
    #[test]
    fn a_repair_explains_no_other_value() {
        let message = b"OPTIONS sip:h SIP/2.0\r\nl: 0\r\nContent-Length: 0\r\nf : <sip:a@h>\r\n\r\n";
        let ours = prepare(message).expect("a message");
        let (name, length) = (|name: &str| name.to_owned(), || ("content-length".to_owned(), "0".to_owned()));
        let theirs = |from: &str| vec![length(), length(), (name("f"), from.to_owned())];
        let plain = |value: &str| value.trim().to_owned();
        let same = |fields| {
            let start = Start::Request("OPTIONS".to_owned());
            let (body, target, from, to, cseq) = (Vec::new(), None, None, None, None);
            let theirs = Some(Reading { start, fields, body, target, from, to, cseq });
            let (bytes, repairs, text) = (message.to_vec(), ours.repairs.clone(), String::new());
            let ours = Ok(ours.message.clone());
            Case { bytes, aspect: Aspect::Fields, ours, repairs, theirs, takes_uri: true, text }.same_fields(plain)
        };
        assert!(same(theirs("<sip:a@h>")));
        assert!(!same(theirs("<sip:evil@h>")));
        assert!(!same(vec![length(), (name("t"), "<sip:a@h>".to_owned())]));
        assert!(!same([theirs("<sip:a@h>"), vec![length(), (name("x"), "1".to_owned())]].concat()));
    }

    #[test]
    fn a_message_without_choices_has_no_differences() {
        let message = b"REGISTER sip:sip.lab.test SIP/2.0\r\nVia: SIP/2.0/WSS a.invalid;branch=z9hG4bK1\r\n\
            From: \"V\" <sip:visitor@sip.lab.test>;tag=abc\r\nTo: <sip:visitor@sip.lab.test>\r\nCSeq: 7 REGISTER\r\n\
            Content-Length: 2\r\n\r\nok";
        assert_eq!(differences(message), []);
    }
}
