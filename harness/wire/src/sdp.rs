//! Session descriptions (RFC 8866) of audio calls: WebRTC (RFC 8829) and SIP (RFC 3264).
//!
//! [`Description`] holds the text in order, [`Section`] answers typed questions about one media section, with the session's
//! value where the section has none.
//!
//! # Limits
//! 64 KiB, 1,000 lines, 64 media sections, 256 candidates. Lines may end in LF alone; CRLF is written, and counted. Attributes
//! come last in each part, as the grammar has it: other lines that follow one are kept, but written before it.

mod attributes;
mod section;

pub use attributes::{Candidate, Crypto, Direction, Fingerprint, RtpMap, Setup};
pub use section::{Address, AddressUse, Section};

use crate::Error;
use std::fmt;

/// Largest description that is read, in bytes; each line counts with CRLF, as it would be written.
pub const MAX_BYTES: usize = 64 * 1024;
/// Most lines that are read.
pub const MAX_LINES: usize = 1000;
/// Most media sections that are read.
pub const MAX_MEDIA: usize = 64;
/// Most candidates that are read, over all sections.
pub const MAX_CANDIDATES: usize = 256;

/// A line other than `a=` and `m=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The letter before `=`.
    pub kind: char,
    /// Verbatim.
    pub value: String,
}

/// `a=name` or `a=name:value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// As written. Compared with case, as browsers do: a misspelt one is not there.
    pub name: String,
    /// Verbatim.
    pub value: Option<String>,
}

impl Attribute {
    /// `a=name`.
    pub fn flag(name: &str) -> Self {
        Self { name: name.to_owned(), value: None }
    }

    /// `a=name:value`.
    pub fn new(name: &str, value: impl fmt::Display) -> Self {
        Self { name: name.to_owned(), value: Some(value.to_string()) }
    }
}

/// One `m=` line and what belongs to it. RFC 8866, section 5.14.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, `application` …
    pub kind: String,
    /// 0 says refused, 9 that ICE will tell.
    pub port: u16,
    /// The number of ports after a slash, which WebRTC does not use.
    pub port_count: Option<u16>,
    /// Verbatim, such as `UDP/TLS/RTP/SAVPF`.
    pub profile: String,
    /// Payload types, as text; at least one.
    pub formats: Vec<String>,
    /// `i=`, `c=`, `b=`, `k=`, in order.
    pub lines: Vec<Line>,
    /// In order.
    pub attributes: Vec<Attribute>,
}

/// A whole description. Values are public, so that wrong ones can be made; they are written verbatim.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description {
    /// `v=`, `o=`, `s=`, `c=`, `t=` …, in order.
    pub lines: Vec<Line>,
    /// Those before the first `m=`.
    pub attributes: Vec<Attribute>,
    /// In order: a section is known by its index.
    pub media: Vec<Media>,
}

impl Description {
    /// Reads a description.
    ///
    /// # Errors
    /// Over a limit, not UTF-8, NUL or CR within a line, a line that is not `letter=value`, or a malformed `m=`. It has to begin
    /// with `v=0`; nothing else of the session's part is asked for.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let too_large = Error::TooLarge { field: "SDP in bytes", limit: MAX_BYTES };
        if bytes.len() > MAX_BYTES {
            return Err(too_large);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Error::NotUtf8("SDP"))?;
        let mut description = Self::default();
        let (mut candidates, mut written) = (0, 0);
        let trimmed = text.trim_end_matches(['\r', '\n']); // blank lines at the end are common
        for (number, line) in trimmed.split('\n').enumerate() {
            if number == MAX_LINES {
                return Err(Error::TooLarge { field: "number of SDP lines", limit: MAX_LINES });
            }
            let line = line.strip_suffix('\r').unwrap_or(line);
            // What was read has to be readable once it is written: LF alone becomes CRLF.
            written += line.len() + "\r\n".len();
            if written > MAX_BYTES {
                return Err(too_large);
            }
            if line.contains(['\0', '\r']) {
                return Err(Error::Invalid("SDP line"));
            }
            if number == 0 && line != "v=0" {
                return Err(Error::Invalid("SDP version"));
            }
            candidates += usize::from(line.starts_with("a=candidate:"));
            if candidates > MAX_CANDIDATES {
                return Err(Error::TooLarge { field: "number of SDP candidates", limit: MAX_CANDIDATES });
            }
            description.add(line)?;
        }
        Ok(description)
    }

    fn add(&mut self, line: &str) -> Result<(), Error> {
        let (kind, value) = line.split_once('=').ok_or(Error::Invalid("SDP line"))?;
        let kind = match kind.as_bytes() {
            [letter] if letter.is_ascii_lowercase() => char::from(*letter),
            _ => return Err(Error::Invalid("SDP line")),
        };
        if kind == 'm' {
            if self.media.len() == MAX_MEDIA {
                return Err(Error::TooLarge { field: "number of SDP media sections", limit: MAX_MEDIA });
            }
            self.media.push(parse_media(value)?);
            return Ok(());
        }
        let (lines, attributes) = match self.media.last_mut() {
            Some(media) => (&mut media.lines, &mut media.attributes),
            None => (&mut self.lines, &mut self.attributes),
        };
        if kind == 'a' {
            attributes.push(match value.split_once(':') {
                Some((name, value)) => Attribute::new(name, value),
                None => Attribute::flag(value),
            });
        } else {
            lines.push(Line { kind, value: value.to_owned() });
        }
        Ok(())
    }

    /// The session's part alone.
    pub fn session(&self) -> Section<'_> {
        Section { session: self, media: None }
    }

    /// The media section at this index.
    pub fn section(&self, index: usize) -> Option<Section<'_>> {
        self.media.get(index).map(|media| Section { session: self, media: Some(media) })
    }

    /// All media sections in order.
    pub fn sections(&self) -> impl Iterator<Item = Section<'_>> {
        self.media.iter().map(|media| Section { session: self, media: Some(media) })
    }
}

/// The text, each line with CRLF.
impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_part(f, &self.lines, &self.attributes)?;
        for media in &self.media {
            write!(f, "m={} {}", media.kind, media.port)?;
            if let Some(count) = media.port_count {
                write!(f, "/{count}")?;
            }
            write!(f, " {} {}\r\n", media.profile, media.formats.join(" "))?;
            write_part(f, &media.lines, &media.attributes)?;
        }
        Ok(())
    }
}

fn write_part(f: &mut fmt::Formatter<'_>, lines: &[Line], attributes: &[Attribute]) -> fmt::Result {
    for line in lines {
        write!(f, "{}={}\r\n", line.kind, line.value)?;
    }
    for attribute in attributes {
        match &attribute.value {
            Some(value) => write!(f, "a={}:{value}\r\n", attribute.name)?,
            None => write!(f, "a={}\r\n", attribute.name)?,
        }
    }
    Ok(())
}

fn parse_media(value: &str) -> Result<Media, Error> {
    let mut words = value.split_ascii_whitespace();
    let mut word = |field| words.next().ok_or(Error::Missing(field));
    let kind = word("SDP media type")?.to_owned();
    let port = word("SDP media port")?;
    let profile = word("SDP media profile")?.to_owned();
    let formats: Vec<String> = words.map(str::to_owned).collect();
    if formats.is_empty() {
        return Err(Error::Missing("SDP media format"));
    }
    let (port, port_count) = match port.split_once('/') {
        Some((port, count)) => (port, Some(decimal(count, "SDP media port count")?)),
        None => (port, None),
    };
    let port = decimal(port, "SDP media port")?;
    Ok(Media { kind, port, port_count, profile, formats, lines: Vec::new(), attributes: Vec::new() })
}

/// Digits only: `parse` alone would take a plus sign.
fn decimal<T: std::str::FromStr>(text: &str, field: &'static str) -> Result<T, Error> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(Error::Invalid(field))
}
