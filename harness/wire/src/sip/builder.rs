//! Writes messages: honest ones easily, hostile ones on purpose.

use super::fields::{is_token, is_visible};
use super::prepare::is_ambiguous;
use super::{StartLine, VERSION};
use crate::Error;

/// Collects a message. The first mistake is kept, and reported by [`Builder::build`].
///
/// ```
/// use ringfence_wire::sip::{Builder, Message};
/// let bytes = Builder::request("OPTIONS", "sip:desk@example.test").header("CSeq", "1 OPTIONS").build()?;
/// assert_eq!(Message::parse(&bytes)?.cseq(), Some((1, "OPTIONS")));
/// assert!(Builder::response(200, "OK").header("Subject", "a\r\nInjected: b").build().is_err());
/// # Ok::<(), ringfence_wire::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Builder {
    bytes: Vec<u8>,
    body: Vec<u8>,
    writes_length: bool,
    error: Option<Error>,
}

impl Builder {
    /// A request. `method` has to be a token; `uri` is visible ASCII.
    pub fn request(method: &str, uri: &str) -> Self {
        Self::start(format!("{method} {uri} {VERSION}\r\n"), is_token(method) && is_visible(uri))
    }

    /// A response. `status` has to be 100 to 699.
    pub fn response(status: u16, reason: &str) -> Self {
        let sound = (100..700).contains(&status) && is_one_line(reason);
        Self::start(format!("{VERSION} {status} {reason}\r\n"), sound)
    }

    /// Either, from a value.
    pub fn new(start_line: &StartLine) -> Self {
        match start_line {
            StartLine::Request { method, uri } => Self::request(method, uri),
            StartLine::Response { status, reason } => Self::response(*status, reason),
        }
    }

    /// A first line that is written as it is, with CRLF after it.
    pub fn raw_start_line(line: impl AsRef<[u8]>) -> Self {
        let mut builder = Self::start(String::new(), true);
        builder.add_line(line.as_ref());
        builder
    }

    fn start(line: String, sound: bool) -> Self {
        let error = (!sound).then_some(Error::Invalid("SIP start line"));
        Self { bytes: line.into_bytes(), body: Vec::new(), writes_length: true, error }
    }

    /// Adds a field. A name that is no token, a value with NUL, VT, FF, CR or LF, and Content-Length (which is written by `build`)
    /// are mistakes.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let value = value.as_ref();
        if !is_token(name) || is_length(name.as_bytes()) {
            self.error.get_or_insert(Error::Invalid("SIP header name"));
        } else if !is_one_line(value) {
            self.error.get_or_insert(Error::Invalid("SIP header value"));
        } else {
            self.add_line(format!("{name}: {value}").as_bytes());
        }
        self
    }

    /// Adds a line as it is, with CRLF after it: folded, injected, not UTF-8 … A Content-Length written this way, also
    /// as `l`, replaces the one of `build`; an empty line ends the header early.
    #[must_use]
    pub fn raw_header(mut self, line: impl AsRef<[u8]>) -> Self {
        let name = line.as_ref().split(|byte| *byte == b':').next().unwrap_or_default();
        self.writes_length &= !is_length(name.trim_ascii());
        self.add_line(line.as_ref());
        self
    }

    /// Sets the body and adds its Content-Type.
    #[must_use]
    pub fn body(mut self, content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = bytes.into();
        self.header("Content-Type", content_type)
    }

    /// The message, with Content-Length as the last field.
    ///
    /// # Errors
    /// The first mistake that was made.
    pub fn build(mut self) -> Result<Vec<u8>, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.writes_length {
            self.add_line(format!("Content-Length: {}", self.body.len()).as_bytes());
        }
        self.add_line(b"");
        self.bytes.extend_from_slice(&self.body);
        Ok(self.bytes)
    }

    fn add_line(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.bytes.extend_from_slice(b"\r\n");
    }
}

fn is_one_line(text: &str) -> bool {
    !is_ambiguous(text)
}

fn is_length(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"Content-Length") || name.eq_ignore_ascii_case(b"l")
}
