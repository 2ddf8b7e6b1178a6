//! Replies over TLS: records of a byte stream.

use super::flight::{Flight, check_length};
use super::{ALERT, CHANGE_CIPHER_SPEC, Depth, HANDSHAKE, MAX_RECORD_BYTES, MAX_REPLY_BYTES, Reply, Version};
use crate::Error;
use crate::bytes::Reader;

const RECORD_HEADER_BYTES: usize = 5; // RFC 8446, section 5.1
const MESSAGE_HEADER_BYTES: usize = 4; // RFC 8446, section 4

/// Reads what a TLS server sends until it can say what it is.
#[derive(Debug)]
pub struct TlsReader {
    flight: Flight,
    /// The record that is being received, with its header.
    record: Vec<u8>,
    /// Whole bytes of the record that is being received; the header's length until that is there.
    wanted: usize,
    /// Handshake bytes that make no whole message yet.
    messages: Vec<u8>,
    /// The level of an alert whose code is in the next record.
    alert_level: Option<u8>,
    /// All bytes of records that were begun.
    taken: usize,
    spent: bool,
}

impl TlsReader {
    /// A reader for the reply to one hello.
    pub fn new(depth: Depth) -> Self {
        Self {
            flight: Flight::new(depth, false),
            record: Vec::new(),
            wanted: RECORD_HEADER_BYTES,
            messages: Vec::new(),
            alert_level: None,
            taken: 0,
            spent: false,
        }
    }

    /// Takes the next bytes of the stream, however it is cut. After a reply everything is ignored.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Option<Reply> {
        while !self.spent {
            let missing = self.wanted.saturating_sub(self.record.len());
            let Some((now, later)) = bytes.split_at_checked(missing) else {
                self.record.extend_from_slice(bytes);
                return None;
            };
            self.record.extend_from_slice(now);
            bytes = later;
            if let Some(reply) = self.advance().unwrap_or_else(|error| Some(self.flight.fault(error))) {
                self.spent = true;
                return Some(reply);
            }
        }
        None
    }

    /// Whether any byte came.
    pub fn heard(&self) -> bool {
        self.taken > 0 || !self.record.is_empty()
    }

    /// The stream ended, or nobody waits longer: the ServerHello if it is there, else what is cut short, else the last
    /// warning alert, else what is missing. After a reply this says nothing new.
    pub fn end(self) -> Reply {
        let cut = if !self.record.is_empty() {
            Some(Error::Truncated("TLS record"))
        } else if !self.messages.is_empty() {
            Some(Error::Truncated("TLS handshake message"))
        } else if self.alert_level.is_some() {
            Some(Error::Truncated("TLS alert"))
        } else {
            None
        };
        let nothing = if self.heard() { Error::Missing("ServerHello") } else { Error::Missing("TLS reply") };
        self.flight.end(cut, nothing)
    }

    /// A header, or a whole record, is there.
    fn advance(&mut self) -> Result<Option<Reply>, Error> {
        let mut rest = Reader(&self.record);
        let kind = rest.u8("TLS record")?;
        let version = Version(rest.u16("TLS record")?);
        let length = usize::from(rest.u16("TLS record")?);
        if self.wanted == RECORD_HEADER_BYTES {
            check_header(kind, version, length)?;
            self.wanted += length;
            self.taken = self.taken.saturating_add(self.wanted);
            if self.taken > MAX_REPLY_BYTES {
                return Err(Error::TooLarge { field: "TLS reply in bytes", limit: MAX_REPLY_BYTES });
            }
            return Ok(None);
        }
        self.wanted = RECORD_HEADER_BYTES;
        let record = std::mem::take(&mut self.record);
        let body = record.get(RECORD_HEADER_BYTES..).unwrap_or_default();
        match kind {
            HANDSHAKE => self.handshake(body, version),
            ALERT => Ok(self.alerts(body)),
            // Before the ServerHello it is there for old middleboxes (RFC 8446, section D.4); after it all is
            // encrypted.
            _ if !self.flight.has_hello() => Ok(None),
            _ => Ok(Some(self.flight.stop(|_| ()))),
        }
    }

    fn handshake(&mut self, body: &[u8], version: Version) -> Result<Option<Reply>, Error> {
        self.messages.extend_from_slice(body);
        let mut taken = 0;
        let mut reply = None;
        while reply.is_none() {
            let rest = self.messages.get(taken..).unwrap_or_default();
            let Some((&[kind, a, b, c], rest)) = rest.split_first_chunk::<MESSAGE_HEADER_BYTES>() else { break };
            let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
            check_length(kind, length)?;
            let Some(message) = rest.get(..length) else { break };
            taken += MESSAGE_HEADER_BYTES + length;
            reply = self.flight.message(kind, message, version);
        }
        self.messages.drain(..taken);
        Ok(reply)
    }

    /// Alerts may be cut, or several in a record. RFC 5246, section 6.2.1.
    fn alerts(&mut self, body: &[u8]) -> Option<Reply> {
        for byte in body {
            let Some(level) = self.alert_level.take() else {
                self.alert_level = Some(*byte);
                continue;
            };
            if let Some(reply) = self.flight.alert(level, *byte) {
                return Some(reply);
            }
        }
        None
    }
}

pub(super) fn check_header(kind: u8, version: Version, length: usize) -> Result<(), Error> {
    if !matches!(kind, CHANGE_CIPHER_SPEC | ALERT | HANDSHAKE) {
        return Err(Error::Invalid("TLS record type"));
    }
    if version.0 >> 8 != 3 {
        return Err(Error::Invalid("TLS record version"));
    }
    if length > MAX_RECORD_BYTES {
        return Err(Error::TooLarge { field: "TLS record in bytes", limit: MAX_RECORD_BYTES });
    }
    if length == 0 {
        return Err(Error::Invalid("TLS record length")); // no kind that is read may be empty: RFC 8446, section 5.1
    }
    Ok(())
}
