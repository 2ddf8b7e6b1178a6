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
            Aspect::CSeq => self.text.rsplit([' ', '\t']).next().is_some_and(|method| !known(method)),
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
    use std::collections::BTreeSet;

    use super::*;
    use crate::peers::sip::{PEERS, Uri};

    #[test]
    fn every_known_difference_is_still_there() {
        let mut gone = Vec::new();
        for (parser, known) in known() {
            let mut ids = BTreeSet::new();
            for one in known {
                assert!(ids.insert(one.id), "{parser}: {} stands there twice", one.id);
                assert_eq!(one.parser, parser, "{}", one.id);
                let seen = differences(one.example);
                if !seen.contains(&(parser, one.id)) {
                    gone.push((parser, one.id, seen));
                }
                for text in [one.theirs, one.ours, one.rfc, one.reach] {
                    assert!(!text.is_empty() && !text.ends_with('.'), "{}: {text:?}", one.id);
                }
            }
        }
        assert!(gone.is_empty(), "no longer shown, and what is seen instead: {gone:#?}");
    }

    /// Not compared above, since RFC 3261 leaves open what an element makes of a scheme that it does not know.
    #[test]
    fn a_telephone_number_is_still_a_host_for_rsip() {
        let message = include_bytes!("../../../findings/rsip/tel-is-a-host");
        assert!(prepare(message).is_ok());
        let target = PEERS.iter().find(|peer| peer.name == "rsip").and_then(|peer| (peer.read)(message)?.target);
        assert_eq!(target, Some(Uri { user: None, host: "tel".to_owned(), port: Some(4_915) }));
    }

    #[test]
    fn a_message_without_choices_has_no_differences() {
        let message = b"REGISTER sip:sip.lab.test SIP/2.0\r\nVia: SIP/2.0/WSS a.invalid;branch=z9hG4bK1\r\n\
            From: \"V\" <sip:visitor@sip.lab.test>;tag=abc\r\nTo: <sip:visitor@sip.lab.test>\r\nCSeq: 7 REGISTER\r\n\
            Content-Length: 2\r\n\r\nok";
        assert_eq!(differences(message), []);
    }
}
