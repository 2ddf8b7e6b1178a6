//! SIP messages (RFC 3261) as they cross a WebSocket (RFC 7118), one message in one frame.
//!
//! This is the pass before a full parser, a tolerant reader of header fields, and a writer that can also write what no
//! client should. [`prepare`] makes any legal form plain (one line per field, long names) and refuses what parsers are known
//! to disagree on: those messages are how requests are smuggled past a proxy.
//!
//! # Limits
//! 64 KiB per message, 128 header fields, 8 KiB per field; a message and each field are within them as sent and in plain form.

mod builder;
mod fields;
mod prepare;

pub use builder::Builder;
// Digest has the same tokens, quoting and lists.
pub(crate) use fields::{BLANKS, is_token, quote, split_outside, unquote};
pub use fields::{branch, param, split_list, tag, uri};
pub use prepare::{Prepared, Repair, prepare};

use crate::Error;

/// Largest message that is read, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Most header fields that are read.
pub const MAX_HEADERS: usize = 128;
/// Longest header field that is read, in bytes, unfolded and in plain form, `name: value`.
pub const MAX_HEADER_BYTES: usize = 8 * 1024;
/// The keep-alive that asks. RFC 5626, section 3.5.1.
pub const KEEPALIVE_PING: &[u8] = b"\r\n\r\n";
/// The keep-alive that answers.
pub const KEEPALIVE_PONG: &[u8] = b"\r\n";

const VERSION: &str = "SIP/2.0"; // RFC 3261, section 7.1

/// Whether a frame is a keep-alive and no message. RFC 5626, section 3.5.1; RFC 7118, section 6.
pub fn is_keepalive(frame: &[u8]) -> bool {
    frame == KEEPALIVE_PING || frame == KEEPALIVE_PONG
}

/// The first line. RFC 3261, sections 7.1 and 7.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartLine {
    /// A request.
    Request {
        /// Any token, also one nobody knows.
        method: String,
        /// As written.
        uri: String,
    },
    /// A response.
    Response {
        /// 100 to 699.
        status: u16,
        /// May be empty.
        reason: String,
    },
}

/// A message with its header fields in order, values trimmed and otherwise as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Request or status line.
    pub start_line: StartLine,
    /// Name and value; names are long ones, in the sender's case where it used the long one.
    pub headers: Vec<(String, String)>,
    /// What follows the blank line.
    pub body: Vec<u8>,
}

impl Message {
    /// [`prepare`], without the notes on what was repaired.
    ///
    /// # Errors
    /// As [`prepare`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        prepare(bytes).map(|prepared| prepared.message)
    }

    /// The value of the first field of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The values of all fields of this name, in any case and in order. Lists are not split: see [`split_list`].
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let same =
            move |(known, value): &'a (String, String)| known.eq_ignore_ascii_case(name).then_some(value.as_str());
        self.headers.iter().filter_map(same)
    }

    /// The method of a request.
    pub fn method(&self) -> Option<&str> {
        if let StartLine::Request { method, .. } = &self.start_line { Some(method) } else { None }
    }

    /// The status of a response.
    pub fn status(&self) -> Option<u16> {
        if let StartLine::Response { status, .. } = self.start_line { Some(status) } else { None }
    }

    /// Sequence number and method of CSeq.
    pub fn cseq(&self) -> Option<(u32, &str)> {
        let (number, method) = self.header("CSeq")?.split_once([' ', '\t'])?;
        Some((number.parse().ok()?, method.trim_matches(fields::BLANKS)))
    }

    /// The bytes, every value verbatim and no Content-Length of its own. To make a message, use [`Builder`].
    pub fn emit(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.emitted_len());
        let mut add = |parts: &[&str]| parts.iter().for_each(|part| bytes.extend_from_slice(part.as_bytes()));
        match &self.start_line {
            StartLine::Request { method, uri } => add(&[method, " ", uri, " ", VERSION, "\r\n"]),
            StartLine::Response { status, reason } => add(&[VERSION, " ", &status.to_string(), " ", reason, "\r\n"]),
        }
        for (name, value) in &self.headers {
            add(&[name, ": ", value, "\r\n"]);
        }
        add(&["\r\n"]);
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Bytes of [`Message::emit`], for a status of three digits.
    fn emitted_len(&self) -> usize {
        let start_line = match &self.start_line {
            StartLine::Request { method, uri } => method.len() + uri.len() + VERSION.len() + "  ".len(),
            StartLine::Response { reason, .. } => VERSION.len() + " nnn ".len() + reason.len(),
        };
        let fields: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + ": \r\n".len()).sum();
        start_line + "\r\n".len() + fields + "\r\n".len() + self.body.len()
    }
}
