//! Replies over DTLS: records of datagrams, handshake messages in fragments.

use std::collections::BTreeMap;

use super::flight::{Flight, LEVEL_FATAL, LEVEL_WARNING, check_length};
use super::reassembly::{Fragment, Partial};
use super::{
    ALERT, CHANGE_CIPHER_SPEC, Depth, HANDSHAKE, HELLO_VERIFY_REQUEST, MAX_RECORD_BYTES, MAX_REPLY_BYTES, Reply,
    SERVER_HELLO, SERVER_HELLO_DONE, Version,
};
use crate::Error;
use crate::bytes::Reader;

/// Most datagrams that one reader takes for its reply.
pub const MAX_DATAGRAMS: usize = 1024; // (house)
/// Most handshake fragments that one reader takes for its reply.
pub const MAX_FRAGMENTS: usize = 4096; // (house)

/// The kind of record with the highest number. RFC 9147, section 7.
const ACK: u8 = 26;
/// Messages with this message_seq or a higher one are passed over: a server's first flight has eight at most.
const MESSAGE_WINDOW: u16 = 64; // (house)

/// Reads what a DTLS server sends until it can say what it is. Fragments may come in any order, and more than once.
///
/// A datagram that is not DTLS, and a record of another epoch or of a kind that says nothing here, is passed over, as
/// RFC 6347, section 4.1.2.7, wants; what was wrong is told by [`DtlsReader::end`] if nothing better came. Messages
/// count in the order of their message_seq, the ServerHello first, whenever they came; the faults of a message too.
#[derive(Debug)]
pub struct DtlsReader {
    flight: Flight,
    depth: Depth,
    messages: BTreeMap<u16, Message>,
    /// The message_seq that counts next, once the ServerHello has counted.
    next: Option<u16>,
    datagrams: usize,
    bytes: usize,
    fragments: usize,
    /// Bytes of all messages that were begun.
    begun: usize,
    first_fault: Option<Error>,
    spent: bool,
}

#[derive(Debug)]
struct Message {
    /// Or what was wrong with it.
    partial: Result<Partial, Error>,
    /// Of the record with its beginning.
    record_version: Version,
}

impl Message {
    fn is_settled(&self) -> bool {
        self.partial.as_ref().is_ok_and(|partial| partial.whole().is_some()) || self.partial.is_err()
    }
}

impl DtlsReader {
    /// A reader for the reply to one hello.
    pub fn new(depth: Depth) -> Self {
        Self {
            flight: Flight::new(depth, true),
            depth,
            messages: BTreeMap::new(),
            next: None,
            datagrams: 0,
            bytes: 0,
            fragments: 0,
            begun: 0,
            first_fault: None,
            spent: false,
        }
    }

    /// Takes one datagram. After a HelloVerifyRequest it may go on: one with the cookie that was just answered is a
    /// late copy. After any other reply everything is ignored.
    pub fn feed(&mut self, datagram: &[u8]) -> Option<Reply> {
        if self.spent {
            return None;
        }
        let reply = self.datagram(datagram).unwrap_or_else(|error| Some(self.flight.fault(error)));
        self.spent = reply.as_ref().is_some_and(|reply| !matches!(reply, Reply::HelloVerifyRequest { .. }));
        reply
    }

    /// Whether any datagram came.
    pub fn heard(&self) -> bool {
        self.datagrams > 0
    }

    /// Nobody waits longer: the ServerHello if it is there, with what is known of its flight, else what is wrong or cut
    /// short, else the last warning alert, else what is missing. After a reply this says nothing new.
    pub fn end(mut self) -> Reply {
        let nothing = if self.heard() { Error::Missing("ServerHello") } else { Error::Missing("DTLS reply") };
        let mut cut = None;
        for (sequence, message) in std::mem::take(&mut self.messages) {
            let old = self.next.is_some_and(|next| sequence < next);
            match message.partial {
                _ if old => {}
                Err(error) => return self.flight.fault(error),
                Ok(partial) => match partial.whole() {
                    None => cut = Some(Error::Truncated("DTLS handshake message")),
                    // Behind a gap a ServerHelloDone does not say that all was read.
                    Some(body) if self.flight.has_hello() && partial.kind() != SERVER_HELLO_DONE => {
                        if let Some(reply) = self.flight.message(partial.kind(), body, message.record_version) {
                            return reply;
                        }
                    }
                    Some(_) => {}
                },
            }
        }
        self.flight.end(cut, self.first_fault.unwrap_or(nothing))
    }

    /// An error ends the reading; what is only to be passed over is kept in `first_fault`.
    fn datagram(&mut self, datagram: &[u8]) -> Result<Option<Reply>, Error> {
        self.datagrams += 1;
        within(self.datagrams, "number of DTLS datagrams", MAX_DATAGRAMS)?;
        self.bytes = self.bytes.saturating_add(datagram.len());
        within(self.bytes, "DTLS reply in bytes", MAX_REPLY_BYTES)?;
        let mut rest = Reader(datagram);
        while !rest.is_empty() {
            let reply = match next_record(&mut rest) {
                Ok(Some(Record { kind: ALERT, body, .. })) => self.alert(body),
                Ok(Some(Record { version, body, .. })) => self.handshake(body, version)?,
                Ok(None) => None,
                Err(fault) => {
                    self.first_fault.get_or_insert(fault);
                    return Ok(None); // where the next record begins is not known
                }
            };
            if reply.is_some() {
                return Ok(reply);
            }
        }
        Ok(None)
    }

    fn alert(&mut self, body: &[u8]) -> Option<Reply> {
        let fault = match *body {
            [level @ (LEVEL_WARNING | LEVEL_FATAL), code] => return self.flight.alert(level, code),
            [_, _] => Error::Invalid("alert level"),
            _ => Error::Length { field: "DTLS alert", stated: 2, actual: body.len() },
        };
        self.first_fault.get_or_insert(fault);
        None
    }

    fn handshake(&mut self, body: &[u8], version: Version) -> Result<Option<Reply>, Error> {
        let mut rest = Reader(body);
        while !rest.is_empty() {
            self.fragments += 1;
            within(self.fragments, "number of DTLS fragments", MAX_FRAGMENTS)?;
            let reply = match next_fragment(&mut rest) {
                Ok(fragment) => self.fragment(&fragment, version)?,
                Err(fault) => {
                    self.first_fault.get_or_insert(fault);
                    return Ok(None);
                }
            };
            if reply.is_some() {
                return Ok(reply);
            }
        }
        Ok(None)
    }

    fn fragment(&mut self, fragment: &Fragment<'_>, version: Version) -> Result<Option<Reply>, Error> {
        let opening = matches!(fragment.kind, SERVER_HELLO | HELLO_VERIFY_REQUEST);
        let old = self.next.is_some_and(|next| fragment.sequence < next);
        if old || fragment.sequence >= MESSAGE_WINDOW || self.depth == Depth::Hello && !opening {
            return Ok(None);
        }
        if !self.messages.contains_key(&fragment.sequence) {
            let partial = check_length(fragment.kind, fragment.length);
            if partial.is_ok() {
                self.begun += fragment.length;
                within(self.begun, "DTLS handshake messages in bytes", MAX_REPLY_BYTES)?;
            }
            let partial = partial.map(|()| Partial::new(fragment.kind, fragment.length));
            self.messages.insert(fragment.sequence, Message { partial, record_version: version });
        }
        let Some(message) = self.messages.get_mut(&fragment.sequence) else { return Ok(None) };
        if fragment.offset == 0 {
            message.record_version = version;
        }
        if let Ok(partial) = &mut message.partial
            && let Err(error) = partial.add(fragment)
        {
            message.partial = Err(error);
        }
        // What makes it unreadable before the ServerHello counted might be it.
        match &message.partial {
            Err(error) if opening => Err(error.clone()),
            _ => Ok(self.settle(fragment.sequence)),
        }
    }

    /// Counts what can be counted now that this message has grown.
    fn settle(&mut self, sequence: u16) -> Option<Reply> {
        if self.next.is_none() {
            let message = self.messages.get(&sequence)?;
            let partial = message.partial.as_ref().ok()?;
            let opens = matches!(partial.kind(), SERVER_HELLO | HELLO_VERIFY_REQUEST) && partial.whole().is_some();
            if !opens {
                return None;
            }
            self.next = (partial.kind() == SERVER_HELLO).then_some(sequence);
            if self.next.is_none() {
                return self.take(sequence); // and nothing of it stays, so that another one is no conflict
            }
        }
        while let Some(next) = self.next
            && self.messages.get(&next).is_some_and(Message::is_settled)
        {
            self.next = Some(next.saturating_add(1));
            let reply = self.take(next);
            if reply.is_some() {
                return reply;
            }
        }
        None
    }

    fn take(&mut self, sequence: u16) -> Option<Reply> {
        let message = self.messages.remove(&sequence)?;
        match message.partial {
            Ok(partial) => self.flight.message(partial.kind(), partial.whole()?, message.record_version),
            Err(error) => Some(self.flight.fault(error)),
        }
    }
}

/// An alert or handshake fragments, not encrypted. RFC 6347, section 4.1.
pub(super) struct Record<'a> {
    pub kind: u8,
    pub version: Version,
    pub body: &'a [u8],
}

/// The next record; `None` if it is to be passed over.
pub(super) fn next_record<'a>(rest: &mut Reader<'a>) -> Result<Option<Record<'a>>, Error> {
    const CONNECTION_ID: u8 = 25; // RFC 9146, section 4
    let kind = rest.u8("DTLS record")?;
    if kind >> 5 == 1 || kind == CONNECTION_ID {
        rest.0 = &[]; // encrypted, and without a header that tells its length: RFC 9147, section 4
        return Ok(None);
    }
    if !(CHANGE_CIPHER_SPEC..=ACK).contains(&kind) {
        return Err(Error::Invalid("DTLS record type"));
    }
    let version = Version(rest.u16("DTLS record")?);
    if !version.is_dtls() {
        return Err(Error::Invalid("DTLS record version"));
    }
    let epoch = rest.u16("DTLS record")?;
    rest.array::<6>("DTLS record")?; // sequence_number
    let length = usize::from(rest.u16("DTLS record")?);
    let body = rest.take(length, "DTLS record")?;
    if epoch != 0 || !matches!(kind, ALERT | HANDSHAKE) {
        return Ok(None);
    }
    within(length, "DTLS record in bytes", MAX_RECORD_BYTES)?;
    Ok(Some(Record { kind, version, body }))
}

pub(super) fn next_fragment<'a>(rest: &mut Reader<'a>) -> Result<Fragment<'a>, Error> {
    let kind = rest.u8("DTLS handshake header")?;
    let length = u24(rest)?;
    let sequence = rest.u16("DTLS handshake header")?;
    let offset = u24(rest)?;
    let piece = u24(rest)?;
    Ok(Fragment { kind, length, sequence, offset, piece: rest.take(piece, "DTLS handshake fragment")? })
}

fn u24(rest: &mut Reader<'_>) -> Result<usize, Error> {
    let [a, b, c] = rest.array("DTLS handshake header")?;
    Ok(usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c))
}

fn within(value: usize, field: &'static str, limit: usize) -> Result<(), Error> {
    if value > limit { Err(Error::TooLarge { field, limit }) } else { Ok(()) }
}
