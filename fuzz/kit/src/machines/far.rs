//! The far side: it has seen what we sent, and writes what a script wants, however wrong.

use std::rc::Rc;

use ringfence_wire::sip::{self, Message};

use crate::generators::peer::{Demand, Reply, repeated};
use crate::generators::script::Words;

/// A description that a peer may send.
const SDP: &[u8] = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-lite\r\nm=audio 40000 UDP/TLS/RTP/SAVPF 0\r\n\
c=IN IP4 127.0.0.1\r\na=ice-ufrag:abcdef\r\na=ice-pwd:0123456789012345678901\r\na=setup:passive\r\na=rtcp-mux\r\n\
a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n\
a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host\r\n";
/// Bytes of one message at most: a reader refuses more than 64 KiB, which is worth a try.
const MAX_BYTES: usize = 70 * 1024;

/// What the far side knows.
#[derive(Debug, Default)]
pub struct Far {
    /// Our requests that can be answered, in order.
    asked: Vec<Rc<Message>>,
    /// The last of our requests that began a call.
    invite: Option<Rc<Message>>,
    last: Vec<u8>,
}

impl Far {
    /// It hears a message of ours.
    pub fn hear(&mut self, message: Rc<Message>) {
        match message.method() {
            None | Some("ACK") => return,
            Some("INVITE") => self.invite = Some(message.clone()),
            _ => {}
        }
        self.asked.push(message);
    }

    /// What it said last, to say it again.
    pub fn last(&self) -> Vec<u8> {
        self.last.clone()
    }

    /// An answer to one of our requests; none, where there was no such request.
    pub fn reply(&mut self, reply: &Reply<'_>) -> Option<Vec<u8>> {
        let at = self.asked.len().checked_sub(reply.back + 1)?;
        let request = self.asked.get(at)?;
        let field = |name: &str| request.header(name).unwrap_or_default();
        let mut text = Vec::new();
        line(&mut text, &[b"SIP/2.0 ", reply.status.0, b" Word"]);
        let bent = |letter: char, end: &'static str| if reply.bend == letter { end } else { "" };
        if reply.bend != 'v' {
            line(&mut text, &[b"Via: ", field("Via").as_bytes(), bent('b', "x").as_bytes()]);
        }
        let to = field("To");
        let tagged = reply.tag.is_empty() || sip::tag(to).is_some();
        let tag = if tagged { vec![] } else { [b";tag=", reply.tag.0].concat() };
        line(&mut text, &[b"To: ", to.as_bytes(), &tag]);
        line(&mut text, &[b"From: ", field("From").as_bytes()]);
        line(&mut text, &[b"Call-ID: ", field("Call-ID").as_bytes(), bent('i', "x").as_bytes()]);
        let (number, method) = request.cseq().unwrap_or((1, "OPTIONS"));
        let number = number.saturating_add(u32::from(reply.bend == 'c'));
        let method = if reply.bend == 'm' { "SUBSCRIBE" } else { method };
        line(&mut text, &[format!("CSeq: {number} {method}").as_bytes()]);
        let contact = field("Contact").to_owned();
        Some(self.finished(text, &reply.fields, &contact))
    }

    /// A request of its own.
    pub fn demand(&mut self, demand: &Demand<'_>) -> Vec<u8> {
        let invite = self.invite.as_ref().filter(|_| demand.place != 'n');
        let field = |name: &str| invite.and_then(|invite| invite.header(name)).unwrap_or_default();
        let ours = if demand.place == 'w' { "<sip:alice@sip.test>;tag=other" } else { field("From") };
        let ours = if ours.is_empty() { "<sip:alice@sip.test>" } else { ours };
        let call_id = if invite.is_some() { field("Call-ID") } else { "theirs" };
        let mut text = Vec::new();
        line(&mut text, &[demand.method.0, b" sip:alice@sip.test SIP/2.0"]);
        line(&mut text, &[b"Via: SIP/2.0/WSS far.test;branch=z9hG4bKfar", demand.cseq.0]);
        line(&mut text, &[b"To: ", ours.as_bytes()]);
        line(&mut text, &[b"From: <sip:app-1@sip.test>;tag=", demand.tag.0]);
        line(&mut text, &[b"Call-ID: ", call_id.as_bytes()]);
        line(&mut text, &[b"CSeq: ", demand.cseq.0, b" ", demand.method.0]);
        self.finished(text, &demand.fields, "")
    }

    /// These very bytes; `~` is a line end.
    pub fn raw(&mut self, text: &[u8]) -> Vec<u8> {
        self.last = unfolded(text);
        self.last.clone()
    }

    /// Fields, length and body. `$c` in a field is our contact.
    fn finished(&mut self, mut text: Vec<u8>, fields: &[Words<'_>], contact: &str) -> Vec<u8> {
        let mut body = Vec::new();
        for field in fields {
            if let Some(more) = field.strip_prefix(b"+") {
                body = match more.strip_prefix(b"!") {
                    Some(all) => unfolded(all),
                    None => [SDP, &unfolded(more)].concat(),
                };
                continue;
            }
            let (times, field) = repeated(field.0);
            let with_contact = field.strip_suffix(b"$c").map(|name| [name, contact.as_bytes()].concat());
            let field = with_contact.as_deref().unwrap_or(field);
            for _ in 0..times {
                if text.len() + field.len() < MAX_BYTES {
                    line(&mut text, &[field]);
                }
            }
        }
        line(&mut text, &[format!("Content-Length: {}", body.len()).as_bytes()]);
        line(&mut text, &[]);
        text.extend_from_slice(&body);
        self.last = text.clone();
        text
    }
}

/// With a line end in place of each `~`.
fn unfolded(text: &[u8]) -> Vec<u8> {
    text.split(|byte| *byte == b'~').collect::<Vec<_>>().join(&b"\r\n"[..])
}

fn line(text: &mut Vec<u8>, parts: &[&[u8]]) {
    parts.iter().for_each(|part| text.extend_from_slice(part));
    text.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::peer::{Act, acts};

    const REGISTER: &[u8] = b"REGISTER sip:sip.test SIP/2.0\r\nVia: SIP/2.0/WSS a.invalid;branch=z9hG4bKa\r\nTo: <sip:a@sip.test>\r\n\
From: <sip:a@sip.test>;tag=1\r\nCall-ID: c\r\nCSeq: 4 REGISTER\r\nContact: <sip:x@a.invalid>\r\nContent-Length: 0\r\n\r\n";

    fn said(script: &[u8]) -> Vec<u8> {
        let mut far = Far::default();
        far.hear(Rc::new(Message::parse(REGISTER).expect("a request")));
        match &acts(script)[0] {
            Act::Reply(reply) => far.reply(reply).expect("there is a request"),
            Act::Demand(demand) => far.demand(demand),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn its_answer_is_one_to_the_request() {
        let answer = Message::parse(&said(b"a0 200 t|Contact: $c|+|*3 X-A: b")).expect("an answer");
        assert_eq!((answer.status(), answer.cseq()), (Some(200), Some((4, "REGISTER"))));
        assert_eq!(answer.header("Contact"), Some("<sip:x@a.invalid>"));
        assert_eq!((answer.header("To").and_then(sip::tag).as_deref(), answer.body == SDP), (Some("t"), true));
        assert_eq!(answer.headers("X-A").count(), 3);
    }

    #[test]
    fn a_bend_changes_what_it_names() {
        let branch = |text: &[u8]| Message::parse(&said(text)).ok()?.header("Via").and_then(sip::branch);
        assert_eq!(branch(b"a0 200 t").as_deref(), Some("z9hG4bKa"));
        assert_eq!(branch(b"a0b 200 t").as_deref(), Some("z9hG4bKax"));
        assert_eq!(branch(b"a0v 200 t"), None);
        let answer = |text: &[u8]| Message::parse(&said(text)).expect("an answer");
        assert_eq!(answer(b"a0c 200 t").cseq(), Some((5, "REGISTER")));
        assert_eq!(answer(b"a0m 200 t").cseq(), Some((4, "SUBSCRIBE")));
        assert_eq!(answer(b"a0i 200 t").header("Call-ID"), Some("cx"));
    }

    #[test]
    fn its_request_is_one() {
        let request = Message::parse(&said(b"pn INFO 7 t|Content-Type: x/y|+")).expect("a request");
        assert_eq!((request.method(), request.cseq()), (Some("INFO"), Some((7, "INFO"))));
        assert!(!request.body.is_empty());
    }

    #[test]
    fn raw_bytes_are_what_they_are() {
        assert_eq!(Far::default().raw(b"a~b\xff"), b"a\r\nb\xff");
    }
}
