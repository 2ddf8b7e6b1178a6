//! Raw bytes to one plain form, with notes of what was changed.

use std::borrow::Cow;

use super::fields::{BLANKS, is_token, is_visible};
use super::{MAX_HEADER_BYTES, MAX_HEADERS, MAX_MESSAGE_BYTES, Message, StartLine, VERSION};
use crate::Error;

/// What no line holds, not even as a quoted pair: some readers end a text or a line at these, or trim them as blanks.
const AMBIGUOUS: [char; 5] = ['\0', '\r', '\n', '\x0b', '\x0c'];

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
/// - over a limit, as sent or in plain form, header fields that are not UTF-8, or no blank line after them;
/// - NUL, VT, FF, or CR or LF that is not part of CRLF, anywhere before the body; other control characters are taken, though RFC
///   3261, section 25.1 has them in quoted pairs alone: nobody reads the message otherwise for them, and they are evidence;
/// - a first line that is neither `token uri SIP/2.0`, the URI of visible ASCII, nor `SIP/2.0 nnn reason`;
/// - a name that is no token, or is folded before its colon;
/// - a Content-Length that is no number, differs from another one, or is not the body's length: over WebSocket one
///   message is one frame (RFC 7118, section 5), so a body cut short or left over was not sent by a sound peer.
pub fn prepare(bytes: &[u8]) -> Result<Prepared, Error> {
    within_message(bytes.len())?;
    let mut repairs = Vec::new();
    let mut rest = bytes;
    while let Some(after) = rest.strip_prefix(b"\r\n") {
        rest = after;
    }
    if rest.len() < bytes.len() {
        repairs.push(Repair::LeadingLineEnd);
    }
    let mut lines = Lines::of(rest);
    let start_line = parse_start_line(plain(lines.next().unwrap_or(Err(NO_END))?)?)?;
    let fields = unfold(&mut lines, &mut repairs)?;
    let body = lines.rest.unwrap_or_default();
    let mut headers = Vec::with_capacity(fields.len());
    for field in &fields {
        let (name, value) = parse_field(field, &mut repairs)?;
        if name.eq_ignore_ascii_case("Content-Length") && check_length(&headers, &value, body.len())? {
            repairs.push(Repair::RepeatedContentLength);
            continue;
        }
        headers.push((name, value));
    }
    let message = Message { start_line, headers, body: body.to_vec() };
    // Long names may take the plain form over the limit; whoever reads on relies on it.
    within_message(message.emitted_len())?;
    Ok(Prepared { message, repairs })
}

const NO_END: Error = Error::Missing("blank line after the SIP header");

/// The lines up to the blank one, without their ends.
struct Lines<'a> {
    /// What is UTF-8 from here on.
    text: &'a str,
    /// Why it ends where it ends, if there was no blank line.
    end: Error,
    bytes: &'a [u8],
    /// What follows the blank line, once that was found.
    rest: Option<&'a [u8]>,
}

impl<'a> Lines<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let (valid, end) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, NO_END),
            // A body may be anything.
            Err(error) => {
                let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
                (std::str::from_utf8(valid).unwrap_or_default(), Error::NotUtf8("SIP header"))
            }
        };
        Self { text: valid, end, bytes, rest: None }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Result<&'a str, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_some() {
            return None;
        }
        let Some((line, behind)) = self.text.split_once('\r') else { return Some(Err(self.end.clone())) };
        let Some(behind) = behind.strip_prefix('\n') else {
            return Some(Err(if behind.is_empty() { self.end.clone() } else { Error::Invalid("SIP header line") }));
        };
        self.text = behind;
        self.bytes = self.bytes.get(line.len() + 2..).unwrap_or_default();
        if line.is_empty() {
            self.rest = Some(self.bytes);
            return None;
        }
        Some(Ok(line))
    }
}

fn within_message(length: usize) -> Result<(), Error> {
    let limit = MAX_MESSAGE_BYTES;
    if length > limit { Err(Error::TooLarge { field: "SIP message in bytes", limit }) } else { Ok(()) }
}

fn within_field(length: usize) -> Result<(), Error> {
    let limit = MAX_HEADER_BYTES;
    if length > limit { Err(Error::TooLarge { field: "SIP header field in bytes", limit }) } else { Ok(()) }
}

/// Whether there is one of [`AMBIGUOUS`]. A search for each is faster than one for all.
pub(super) fn is_ambiguous(text: &str) -> bool {
    AMBIGUOUS.iter().any(|c| text.contains(*c))
}

fn plain(line: &str) -> Result<&str, Error> {
    if is_ambiguous(line) { Err(Error::Invalid("SIP header line")) } else { Ok(line) }
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
    if !is_token(first) || !is_visible(uri) {
        return Err(wrong);
    }
    Ok(StartLine::Request { method: first.to_owned(), uri: uri.to_owned() })
}

fn unfold<'a>(lines: &mut Lines<'a>, repairs: &mut Vec<Repair>) -> Result<Vec<Cow<'a, str>>, Error> {
    let mut fields: Vec<Cow<str>> = Vec::new();
    let mut named = false;
    for line in lines {
        let line = plain(line?)?;
        let length = match fields.last_mut() {
            Some(field) if line.starts_with(BLANKS) => {
                // RFC 3261, section 25.1: HCOLON has blanks before the colon, and no fold. Some read such a line as a field
                // of its own.
                if !named {
                    return Err(Error::Invalid("SIP header name"));
                }
                let field = field.to_mut();
                // The fold, with the blanks on both sides of it, counts as one space.
                field.truncate(field.trim_end_matches(BLANKS).len());
                field.push(' ');
                field.push_str(line.trim_matches(BLANKS));
                repairs.push(Repair::Folded);
                field.len()
            }
            _ => {
                named = line.contains(':');
                fields.push(Cow::Borrowed(line));
                line.len()
            }
        };
        within_field(length)?;
        if fields.len() > MAX_HEADERS {
            return Err(Error::TooLarge { field: "number of SIP header fields", limit: MAX_HEADERS });
        }
    }
    Ok(fields)
}

fn parse_field(field: &str, repairs: &mut Vec<Repair>) -> Result<(String, String), Error> {
    let (written, value) = field.split_once(':').ok_or(Error::Invalid("SIP header field"))?;
    let name = written.trim_end_matches(BLANKS);
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
    let (name, value) = (long.unwrap_or(name), value.trim_matches(BLANKS));
    within_field(name.len() + ": ".len() + value.len())?;
    Ok((name.to_owned(), value.to_owned()))
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
