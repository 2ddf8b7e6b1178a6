//! One message through all readers, aspect by aspect.

use ringfence_wire::Error;
use ringfence_wire::sip::{Message, Prepared, StartLine};

use super::{Aspect, Case, known};
use crate::known::Difference;
use crate::oracles::{StrictAddress, StrictUri, agreeing};
use crate::peers::sip::{Address, PEERS, Peer, Reading, Start, Uri, host_of};

/// Every known difference that some peer shows with this message, which we read like this.
pub(super) fn against_peers(bytes: &[u8], ours: &Result<Prepared, Error>) -> Vec<(&'static str, &'static str)> {
    let ours_read = ours.as_ref().ok().map(|prepared| reading(&prepared.message));
    let mut seen = Vec::new();
    for (peer, (_, known)) in PEERS.iter().zip(known()) {
        let comparison = Comparison { bytes, ours, peer, theirs: (peer.read)(bytes), known, seen: Vec::new() };
        seen.extend(comparison.of(ours_read.as_ref()).into_iter().map(|id| (peer.name, id)));
    }
    seen
}

/// One message, one peer.
struct Comparison<'a> {
    bytes: &'a [u8],
    ours: &'a Result<Prepared, Error>,
    peer: &'a Peer,
    theirs: Option<Reading>,
    known: &'static [Difference<Case>],
    seen: Vec<&'static str>,
}

impl Comparison<'_> {
    fn of(mut self, ours: Option<&Reading>) -> Vec<&'static str> {
        let target = self.ours.as_ref().ok().and_then(|prepared| uri_text(&prepared.message)).unwrap_or_default();
        let alike = self.ask(Aspect::Verdict, target, &ours.is_some(), &self.theirs.is_some());
        let (Some(ours), Some(theirs), true) = (ours, self.theirs.clone(), alike) else { return self.seen };
        self.ask(Aspect::Start, "", &ours.start, &theirs.start);
        if self.ask(Aspect::Fields, "", &ours.fields, &theirs.fields) {
            let value =
                |name| ours.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
            if ours.from.is_some() {
                self.ask(Aspect::Address, value("from"), &ours.from, &theirs.from);
            }
            if ours.to.is_some() {
                self.ask(Aspect::Address, value("to"), &ours.to, &theirs.to);
            }
            if ours.cseq.is_some() {
                self.ask(Aspect::CSeq, value("cseq"), &ours.cseq, &theirs.cseq);
            }
        }
        self.ask(Aspect::Body, "", &ours.body, &theirs.body);
        if ours.target.is_some() {
            self.ask(Aspect::Target, target, &ours.target, &theirs.target);
        }
        self.seen
    }

    /// Whether both say the same; if not, why is noted.
    fn ask<T: PartialEq + std::fmt::Debug>(&mut self, aspect: Aspect, text: &str, ours: &T, theirs: &T) -> bool {
        if ours == theirs {
            return true;
        }
        let prepared = self.ours.as_ref();
        let case = Case {
            bytes: self.bytes.to_vec(),
            aspect,
            ours: prepared.map(|prepared| prepared.message.clone()).map_err(Clone::clone),
            repairs: prepared.map(|prepared| prepared.repairs.clone()).unwrap_or_default(),
            theirs: self.theirs.clone(),
            takes_uri: (self.peer.uri)(text).is_some(),
            text: text.to_owned(),
        };
        let (ours, theirs) = ((aspect, text, ours, prepared.err()), (aspect, text, theirs, None));
        self.seen.extend(agreeing(self.known, self.peer.name, &case, &ours, &theirs).map(|known| known.id));
        false
    }
}

/// What we read, and what the grammar alone says of addresses and numbers.
fn reading(message: &Message) -> Reading {
    let strict = |name| StrictAddress::of(message.header(name)?).map(|address| address_of(&address));
    Reading {
        start: match &message.start_line {
            StartLine::Request { method, .. } => Start::Request(method.clone()),
            StartLine::Response { status, .. } => Start::Response(*status),
        },
        fields: message.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect(),
        body: message.body.clone(),
        target: uri_text(message).and_then(StrictUri::of).map(|uri| uri_of(&uri)),
        from: strict("From"),
        to: strict("To"),
        cseq: message.header("CSeq").and_then(strict_cseq),
    }
}

fn uri_text(message: &Message) -> Option<&str> {
    if let StartLine::Request { uri, .. } = &message.start_line { Some(uri) } else { None }
}

fn uri_of(uri: &StrictUri<'_>) -> Uri {
    Uri { user: uri.user.map(str::to_owned), host: host_of(uri.host), port: uri.port }
}

fn address_of(address: &StrictAddress<'_>) -> Address {
    Address { uri: uri_of(&address.parts), tag: address.tag.map(str::to_owned) }
}

/// RFC 3261, section 20.16: `1*DIGIT LWS Method`, the number below 2^31.
pub(super) fn strict_cseq(value: &str) -> Option<(u32, String)> {
    let (number, method) = value.split_once([' ', '\t'])?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse().ok().filter(|number| digits && *number < 1 << 31)?;
    let method = method.trim_start_matches([' ', '\t']);
    let token = method.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte));
    (token && !method.is_empty()).then(|| (number, method.to_owned()))
}

#[cfg(test)]
mod tests {
    use ringfence_wire::sip::prepare;

    use super::*;
    use crate::oracle::caught;
    use crate::oracles::AGREEMENT;

    type Read = fn(&[u8]) -> Option<Reading>;

    /// One message and one peer, who reads it like this.
    fn compare(bytes: &[u8], name: &'static str, theirs: Option<Reading>) -> Vec<&'static str> {
        let ours = prepare(bytes);
        let peer = Peer { name, read: |_| None, uri: |_| None };
        let (_, known) = known().into_iter().find(|(parser, _)| *parser == name).expect("one of them");
        let comparison = Comparison { bytes, ours: &ours, peer: &peer, theirs, known, seen: Vec::new() };
        comparison.of(ours.as_ref().ok().map(|ours| reading(&ours.message)).as_ref())
    }

    #[test]
    fn a_peer_that_reads_something_else_is_caught() {
        let wrong: [Read; 3] = [
            |_| None,
            |bytes| (PEERS.first()?.read)(bytes).map(|read| Reading { start: Start::Response(200), ..read }),
            |bytes| {
                let mut read = (PEERS.first()?.read)(bytes)?;
                read.fields.pop();
                Some(read)
            },
        ];
        let message = b"OPTIONS sip:a@h.example SIP/2.0\r\nX-Ringfence: strip\r\n\r\n";
        for read in wrong {
            caught(&AGREEMENT, || drop(compare(message, "rsip", read(message))));
        }
    }

    /// A message with a known difference is no excuse for another one.
    #[test]
    fn what_no_peer_is_known_to_say_is_caught_whatever_else_differs() {
        let wrong: [fn(Reading) -> Reading; 4] = [
            |read| Reading { body: b"made up".to_vec(), ..read },
            |read| Reading { fields: [read.fields, vec![("x".into(), "made up".into())]].concat(), ..read },
            |read| Reading { start: Start::Response(299), ..read },
            |read| Reading { cseq: Some((77, "OTHER".into())), ..read },
        ];
        let mut tried = 0;
        for (parser, known) in known() {
            let peer = PEERS.iter().find(|peer| peer.name == parser).expect("one of them");
            for one in known {
                let (ours, theirs) = (prepare(one.example), (peer.read)(one.example));
                let (Ok(ours), Some(theirs)) = (ours, theirs) else { continue };
                let has_cseq = reading(&ours.message).cseq.is_some();
                // CSeq is asked only of the same fields.
                let same_fields = reading(&ours.message).fields == theirs.fields;
                for change in wrong.iter().take(if has_cseq && same_fields { 4 } else { 3 }) {
                    caught(&AGREEMENT, || drop(compare(one.example, parser, Some(change(theirs.clone())))));
                    tried += 1;
                }
            }
        }
        assert!(tried > 20, "only {tried}");
    }
}
