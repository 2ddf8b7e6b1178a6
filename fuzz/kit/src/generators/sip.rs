//! SIP messages: what they say, and in which of the legal ways they are spelled.

use arbitrary::Arbitrary;

use super::text::{Text, Token};

/// Most fields of a message and bytes of a body, so that it is within every limit of the reader.
const MAX_FIELDS: usize = 24;
const MAX_BODY: usize = 4_096;

/// Long and compact names. RFC 3261, section 7.3.3, and IANA's registry of header fields.
#[rustfmt::skip]
const NAMES: [(&str, &str); 32] = [
    ("Via", "v"), ("From", "f"), ("To", "t"), ("Call-ID", "i"), ("Contact", "m"), ("Subject", "s"), ("Supported", "k"),
    ("Content-Type", "c"), ("Content-Encoding", "e"), ("Allow-Events", "u"), ("Event", "o"), ("Refer-To", "r"),
    ("Referred-By", "b"), ("Session-Expires", "x"), ("Identity", "y"), ("Accept-Contact", "a"), ("Request-Disposition", "d"),
    ("CSeq", ""), ("Max-Forwards", ""), ("Require", ""), ("Route", ""), ("Record-Route", ""), ("Authorization", ""),
    ("WWW-Authenticate", ""), ("P-Asserted-Identity", ""), ("Expires", ""), ("Warning", ""), ("Retry-After", ""), ("RSeq", ""),
    ("Replaces", ""), ("User-Agent", ""), ("X-Odd", ""),
];
const METHODS: [&str; 8] = ["INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS", "MESSAGE", "invite"];
const BLANKS: [&str; 4] = ["", " ", "\t", " \t "];
/// A space in a value, and folds that mean the same. RFC 3261, section 7.3.1.
const FOLDS: [&str; 4] = [" ", "\r\n ", "\r\n\t", " \t\r\n  "];

/// A message that every reader must take, or that has one defect for which every reader should refuse it.
#[derive(Arbitrary, Clone, Debug)]
pub struct SipMessage {
    /// Request or response.
    pub start: Start,
    length: Length,
    empty_lines: u8,
    /// What is wrong with it, if anything is.
    pub defect: Option<Defect>,
    fields: Vec<Field>,
    body: Vec<u8>,
}

/// The first line.
#[derive(Arbitrary, Clone, Debug)]
pub enum Start {
    /// A method of a list.
    Usual(u8, Text),
    /// Any method.
    Request(Token, Text),
    /// A status of 100 to 699, and a reason.
    Response(u16, Text),
}

#[derive(Arbitrary, Clone, Debug)]
struct Field {
    name: Name,
    value: Text,
    compact: bool,
    letters: u8,
    before_colon: u8,
    behind_colon: u8,
    folds: u16,
}

#[derive(Arbitrary, Clone, Debug)]
enum Name {
    Known(u8),
    Any(Token),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Length {
    Right,
    Compact,
    Repeated,
    Missing,
}

/// What makes a message one that parsers disagree on, or none at all.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// LF alone behind the first line.
    BareLf,
    /// CR alone in a value.
    BareCr,
    /// NUL in a value.
    Nul,
    /// A vertical tab before a value.
    VerticalTab,
    /// A second Content-Length, of another number.
    SecondLength,
    /// A Content-Length that says a byte more than there is.
    LengthAbove,
    /// A Content-Length with a sign.
    LengthSigned,
    /// A byte behind what the Content-Length says.
    ByteBehind,
    /// A blank within a name.
    NameInTwo,
    /// A fold before the colon.
    NameFolded,
    /// No name.
    NameMissing,
    /// No colon.
    ColonMissing,
    /// Another version of SIP.
    Version,
    /// A blank within the first line's first word.
    BlankFirst,
    /// The header does not end.
    Endless,
    /// A line that is no UTF-8.
    NotUtf8,
}

impl SipMessage {
    /// In plain form: long names, one line each.
    pub fn plain(&self) -> Vec<u8> {
        let mut bytes = self.first_line().into_bytes();
        for field in self.fields() {
            bytes.extend_from_slice(format!("{}: {}\r\n", field.name(), field.value.value()).as_bytes());
        }
        if !matches!(self.length, Length::Missing) {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", self.body().len()).as_bytes());
        }
        [bytes.as_slice(), b"\r\n", self.body()].concat()
    }

    /// The same message in an odd but legal spelling.
    pub fn spelled(&self) -> Vec<u8> {
        let mut bytes = b"\r\n".repeat(usize::from(self.empty_lines % 4));
        bytes.extend_from_slice(self.first_line().as_bytes());
        self.fields().for_each(|field| bytes.extend_from_slice(field.spelled().as_bytes()));
        let length = self.body().len();
        bytes.extend_from_slice(&match self.length {
            Length::Right => format!("content-length :{length}\r\n").into_bytes(),
            Length::Compact => format!("l:\r\n {length}\r\n").into_bytes(),
            Length::Repeated => format!("CONTENT-LENGTH: {length}\r\nL: 00{length}\r\n").into_bytes(),
            Length::Missing => Vec::new(),
        });
        [bytes.as_slice(), b"\r\n", self.body()].concat()
    }

    /// The message in plain form, with this defect and nothing else wrong.
    pub fn with(&self, defect: Defect) -> Vec<u8> {
        let (first, length) = (self.first_line(), self.body().len());
        let fields: String =
            self.fields().map(|field| format!("{}: {}\r\n", field.name(), field.value.value())).collect();
        let (first, odd): (String, String) = match defect {
            Defect::BareLf => (first.replace("\r\n", "\n"), String::new()),
            Defect::BareCr => (first, "X: a\rb\r\n".into()),
            Defect::Nul => (first, "X: a\0\r\n".into()),
            Defect::VerticalTab => (first, "X:\x0ba\r\n".into()),
            Defect::SecondLength => (first, format!("Content-Length: {length}\r\nl: {}\r\n", length + 1)),
            Defect::LengthAbove => (first, format!("Content-Length: {}\r\n", length + 1)),
            Defect::LengthSigned => (first, format!("Content-Length: +{length}\r\n")),
            Defect::ByteBehind => (first, format!("Content-Length: {length}\r\n")),
            Defect::NameInTwo => (first, "X Y: a\r\n".into()),
            Defect::NameFolded => (first, "X\r\n : a\r\n".into()),
            Defect::NameMissing => (first, ": a\r\n".into()),
            Defect::ColonMissing => (first, "X\r\n".into()),
            Defect::Version => (first.replace("SIP/2.0", "SIP/3.0"), String::new()),
            Defect::BlankFirst => (format!(" {first}"), String::new()),
            Defect::Endless | Defect::NotUtf8 => (first, String::new()),
        };
        let mut head = [first.as_bytes(), odd.as_bytes(), fields.as_bytes()].concat();
        match defect {
            // A body could end the header in its place.
            Defect::Endless => return head,
            Defect::NotUtf8 => head.extend_from_slice(b"X: \xc3\x28\r\n"),
            _ => {}
        }
        let behind: &[u8] = if defect == Defect::ByteBehind { b"x" } else { b"" };
        [head.as_slice(), b"\r\n", self.body(), behind].concat()
    }

    fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().take(MAX_FIELDS)
    }

    fn body(&self) -> &[u8] {
        self.body.get(..MAX_BODY).unwrap_or(&self.body)
    }

    fn first_line(&self) -> String {
        let request = |method: &str, uri: &Text| format!("{method} {} SIP/2.0\r\n", uri.uri());
        match &self.start {
            Start::Usual(method, uri) => request(METHODS[usize::from(method % 8)], uri),
            Start::Request(method, uri) => request(&method.0, uri),
            Start::Response(status, reason) => format!("SIP/2.0 {} {}\r\n", 100 + status % 600, reason.0),
        }
    }
}

impl Field {
    fn name(&self) -> String {
        match &self.name {
            Name::Known(at) => NAMES[usize::from(at % 32)].0.to_owned(),
            // One letter may be a compact name, and a length is `Length`'s.
            Name::Any(token) => format!("X-{}", token.0),
        }
    }

    fn spelled(&self) -> String {
        let compact = match &self.name {
            Name::Known(at) if self.compact => NAMES[usize::from(at % 32)].1,
            _ => "",
        };
        let name = if compact.is_empty() { self.name() } else { compact.to_owned() };
        let name = match self.letters % 3 {
            0 => name,
            1 => name.to_ascii_uppercase(),
            _ => name.to_ascii_lowercase(),
        };
        let mut folds = self.folds;
        let mut value = String::new();
        for word in self.value.value().split_inclusive(' ') {
            value.push_str(word.trim_end_matches(' '));
            if word.ends_with(' ') {
                value.push_str(FOLDS[usize::from(folds & 3)]);
                folds = folds.rotate_right(2);
            }
        }
        let behind = if self.behind_colon & 4 == 0 { BLANKS[usize::from(self.behind_colon & 3)] } else { "\r\n " };
        let (before, after) =
            (BLANKS[usize::from(self.before_colon & 3)], BLANKS[usize::from(self.before_colon >> 2 & 3)]);
        format!("{name}{before}:{behind}{value}{after}\r\n")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::generators::{stretch, value};

    #[test]
    fn messages_are_many_and_of_every_kind() {
        let drawn: Vec<SipMessage> = (0..3_000).filter_map(|seed| value(&stretch(seed, 400))).collect();
        let different: BTreeSet<Vec<u8>> = drawn.iter().map(SipMessage::plain).collect();
        assert!(different.len() > 2_500, "{}", different.len());
        let defects: Vec<Defect> = drawn.iter().filter_map(|message| message.defect).collect();
        assert!(defects.contains(&Defect::BareLf) && defects.contains(&Defect::NotUtf8), "{}", defects.len());
        let spelled = |what: &[u8]| {
            drawn.iter().filter(|message| message.spelled().windows(what.len()).any(|found| found == what)).count()
        };
        assert!(spelled(b"\r\n ") > 300 && spelled(b"\nv") > 20 && spelled(b"L: 00") > 300);
    }
}
