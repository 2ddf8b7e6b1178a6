//! Raw bytes to one plain form, with notes of what was changed.

use super::fields::is_token;
use super::{MAX_HEADER_BYTES, MAX_HEADERS, MAX_MESSAGE_BYTES, Message, StartLine, VERSION};
use crate::Error;

/// A legal but unusual form that was made plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Repair {
    /// Empty lines before the first line. RFC 3261, section 7.5.
    LeadingLineEnd,
    /// A field over several lines. RFC 3261, section 7.3.1.
    Folded,
    /// A one-letter name. RFC 3261, section 7.3.3.
    CompactName,
    /// Space between name and colon. RFC 3261, section 7.3.1.
    SpaceBeforeColon,
    /// Content-Length twice with the same number; the second was dropped.
    RepeatedContentLength,
}

/// A message in plain form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// What it says.
    pub message: Message,
    /// What was changed, in order, one entry per place.
    pub repairs: Vec<Repair>,
}

impl Prepared {
    /// The plain bytes, for a full parser.
    pub fn bytes(&self) -> Vec<u8> {
        self.message.emit()
    }
}

/// Brings a message into plain form: unfolds, lengthens compact names, trims, and checks what parsers disagree on.
///
/// # Errors
/// - over a limit, header fields that are not UTF-8, or no blank line after them;
/// - NUL, or CR or LF that is not part of CRLF, anywhere before the body;
/// - a first line that is neither `token uri SIP/2.0` nor `SIP/2.0 nnn reason`, a name that is no token;
/// - a Content-Length that is no number, differs from another one, or is not the body's length: over WebSocket one
///   message is one frame (RFC 7118, section 5), so a body cut short or left over was not sent by a sound peer.
pub fn prepare(bytes: &[u8]) -> Result<Prepared, Error> {
    if bytes.len() > MAX_MESSAGE_BYTES {
        return Err(Error::TooLarge { field: "SIP message in bytes", limit: MAX_MESSAGE_BYTES });
    }
    let mut repairs = Vec::new();
    let mut rest = bytes;
    while let Some(after) = rest.strip_prefix(b"\r\n") {
        rest = after;
        repairs = vec![Repair::LeadingLineEnd];
    }
    let blank = rest.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, body) = blank
        .and_then(|at| Some((rest.get(..at)?, rest.get(at + 4..)?)))
        .ok_or(Error::Missing("blank line after the SIP header"))?;
    let head = std::str::from_utf8(head).map_err(|_| Error::NotUtf8("SIP header"))?;
    let mut lines = head.split("\r\n");
    let start_line = parse_start_line(plain(lines.next().unwrap_or_default())?)?;
    let mut headers = Vec::new();
    for field in unfold(lines, &mut repairs)? {
        let (name, value) = parse_field(&field, &mut repairs)?;
        if name.eq_ignore_ascii_case("Content-Length") && check_length(&headers, &value, body.len())? {
            repairs.push(Repair::RepeatedContentLength);
            continue;
        }
        headers.push((name, value));
    }
    Ok(Prepared { message: Message { start_line, headers, body: body.to_vec() }, repairs })
}

fn plain(line: &str) -> Result<&str, Error> {
    if line.contains(['\0', '\r', '\n']) { Err(Error::Invalid("SIP header line")) } else { Ok(line) }
}

fn parse_start_line(line: &str) -> Result<StartLine, Error> {
    let wrong = Error::Invalid("SIP start line");
    let (first, rest) = line.split_once(' ').ok_or(wrong.clone())?;
    if first == VERSION {
        let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let digits = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
        let status = status.parse().ok().filter(|status| digits && (100..700).contains(status));
        let status = status.ok_or(Error::Invalid("SIP status"))?;
        return Ok(StartLine::Response { status, reason: reason.to_owned() });
    }
    let (uri, version) = rest.split_once(' ').ok_or(wrong.clone())?;
    if version != VERSION {
        return Err(Error::Invalid("SIP version"));
    }
    if !is_token(first) || uri.is_empty() || uri.contains(|c: char| c.is_ascii_whitespace() || c.is_ascii_control()) {
        return Err(wrong);
    }
    Ok(StartLine::Request { method: first.to_owned(), uri: uri.to_owned() })
}

fn unfold<'a>(lines: impl Iterator<Item = &'a str>, repairs: &mut Vec<Repair>) -> Result<Vec<String>, Error> {
    let mut fields: Vec<String> = Vec::new();
    for line in lines {
        let line = plain(line)?;
        let length = match fields.last_mut() {
            Some(field) if line.starts_with([' ', '\t']) => {
                field.push(' '); // the fold itself counts as one space
                field.push_str(line.trim_matches([' ', '\t']));
                repairs.push(Repair::Folded);
                field.len()
            }
            _ => {
                fields.push(line.to_owned());
                line.len()
            }
        };
        if length > MAX_HEADER_BYTES {
            return Err(Error::TooLarge { field: "SIP header field in bytes", limit: MAX_HEADER_BYTES });
        }
        if fields.len() > MAX_HEADERS {
            return Err(Error::TooLarge { field: "number of SIP header fields", limit: MAX_HEADERS });
        }
    }
    Ok(fields)
}

fn parse_field(field: &str, repairs: &mut Vec<Repair>) -> Result<(String, String), Error> {
    let (written, value) = field.split_once(':').ok_or(Error::Invalid("SIP header field"))?;
    let name = written.trim_end_matches([' ', '\t']);
    if !is_token(name) {
        return Err(Error::Invalid("SIP header name"));
    }
    if name.len() < written.len() {
        repairs.push(Repair::SpaceBeforeColon);
    }
    let long = long_name(name);
    if long.is_some() {
        repairs.push(Repair::CompactName);
    }
    Ok((long.unwrap_or(name).to_owned(), value.trim_matches([' ', '\t']).to_owned()))
}

/// Whether this Content-Length only repeats an earlier one.
fn check_length(before: &[(String, String)], value: &str, actual: usize) -> Result<bool, Error> {
    let field = "Content-Length";
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let stated: usize = value.parse().ok().filter(|_| digits).ok_or(Error::Invalid(field))?;
    let earlier = before.iter().find(|(name, _)| name.eq_ignore_ascii_case(field));
    if earlier.is_some_and(|(_, earlier)| earlier.parse() != Ok(stated)) {
        return Err(Error::Conflict(field));
    }
    if stated != actual {
        return Err(Error::Length { field, stated, actual });
    }
    Ok(earlier.is_some())
}

/// IANA's registry of SIP header fields, column "compact".
fn long_name(name: &str) -> Option<&'static str> {
    let [letter] = name.as_bytes() else { return None };
    Some(match letter.to_ascii_lowercase() {
        b'a' => "Accept-Contact",
        b'b' => "Referred-By",
        b'c' => "Content-Type",
        b'd' => "Request-Disposition",
        b'e' => "Content-Encoding",
        b'f' => "From",
        b'i' => "Call-ID",
        b'j' => "Reject-Contact",
        b'k' => "Supported",
        b'l' => "Content-Length",
        b'm' => "Contact",
        b'n' => "Identity-Info",
        b'o' => "Event",
        b'r' => "Refer-To",
        b's' => "Subject",
        b't' => "To",
        b'u' => "Allow-Events",
        b'v' => "Via",
        b'x' => "Session-Expires",
        b'y' => "Identity",
        _ => return None,
    })
}
