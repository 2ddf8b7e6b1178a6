//! A SIP message as its pieces, and named changes to it: such as keep its meaning, such as change it in a known way, and defects.
//!
//! Nothing here reads a message as `ringfence-wire` does: fields are cut at the line ends that are no folds, and names at the first
//! colon.

use std::borrow::Cow;

/// The pieces of a message. [`Layout::bytes`] puts them together again, and gives what was taken apart byte by byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The first line, with what stands before it.
    pub start: Vec<u8>,
    /// The fields as written, folds included, without the line end behind each.
    pub fields: Vec<Vec<u8>>,
    /// What follows the empty line.
    pub body: Vec<u8>,
}

/// A change, with a place and a detail that each one takes as it needs. They come from a fuzzer, so any number is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// What is done.
    pub kind: Kind,
    /// Where.
    pub place: usize,
    /// Which, or how often.
    pub detail: usize,
}

/// What a [`Change`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is said in the table below")]
pub enum Kind {
    Fold,
    NameCase,
    NameForm,
    BlankBeforeColon,
    BlankAroundValue,
    EmptyLinesFirst,
    SameLengthAgain,
    AddField,
    DropField,
    SwapFields,
    RepeatField,
    LineFeedAlone,
    ReturnAlone,
    Nul,
    OtherLength,
    BodyOfOtherLength,
    NoToken,
    FoldedName,
    NoText,
    LongField,
    ManyFields,
    NoEnd,
    OtherVersion,
}

/// What a change does to the meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// None: it is another way to write the same.
    Keeps,
    /// Fields come, go, or change places: the model does the same to the value that it expects.
    Alters,
    /// It is no message that we take any more.
    Breaks,
}

/// All changes, with what each does.
pub const KINDS: &[(Kind, Effect)] = &[
    (Kind::Fold, Effect::Keeps),             // RFC 3261, section 7.3.1
    (Kind::NameCase, Effect::Keeps),         // section 7.3.1
    (Kind::NameForm, Effect::Keeps),         // section 7.3.3: short for long, and back
    (Kind::BlankBeforeColon, Effect::Keeps), // section 25.1: HCOLON
    (Kind::BlankAroundValue, Effect::Keeps), // section 25.1: HCOLON, LWS
    (Kind::EmptyLinesFirst, Effect::Keeps),  // section 7.5
    (Kind::SameLengthAgain, Effect::Keeps),  // RFC 7230, section 3.3.2, by analogy: the number is the same
    (Kind::AddField, Effect::Alters),
    (Kind::DropField, Effect::Alters),
    (Kind::SwapFields, Effect::Alters),
    (Kind::RepeatField, Effect::Alters),
    (Kind::LineFeedAlone, Effect::Breaks), // section 7: CRLF ends a line
    (Kind::ReturnAlone, Effect::Breaks),
    (Kind::Nul, Effect::Breaks),
    (Kind::OtherLength, Effect::Breaks),       // section 20.14
    (Kind::BodyOfOtherLength, Effect::Breaks), // section 18.3
    (Kind::NoToken, Effect::Breaks),           // section 25.1: header-name
    (Kind::FoldedName, Effect::Breaks),        // section 25.1: HCOLON has no fold before the colon
    (Kind::NoText, Effect::Breaks),            // section 25.1: UTF-8
    (Kind::LongField, Effect::Breaks),         // 8 KiB (house)
    (Kind::ManyFields, Effect::Breaks),        // 128 (house)
    (Kind::NoEnd, Effect::Breaks),             // section 7: the empty line
    (Kind::OtherVersion, Effect::Breaks),      // section 7.1
];

/// Names that IANA's registry of SIP header fields has a letter for.
const SHORT: [(&str, &str); 20] = [
    ("Accept-Contact", "a"),
    ("Referred-By", "b"),
    ("Content-Type", "c"),
    ("Request-Disposition", "d"),
    ("Content-Encoding", "e"),
    ("From", "f"),
    ("Call-ID", "i"),
    ("Reject-Contact", "j"),
    ("Supported", "k"),
    ("Content-Length", "l"),
    ("Contact", "m"),
    ("Identity-Info", "n"),
    ("Event", "o"),
    ("Refer-To", "r"),
    ("Subject", "s"),
    ("To", "t"),
    ("Allow-Events", "u"),
    ("Via", "v"),
    ("Session-Expires", "x"),
    ("Identity", "y"),
];

/// The changes that these bytes stand for, three bytes each: kind, place, detail. What is left over says nothing.
pub fn changes(bytes: &[u8]) -> Vec<Change> {
    let change = |three: &[u8]| {
        let [kind, place, detail] = three else { return None };
        let (kind, _) = KINDS.get(usize::from(*kind) % KINDS.len())?;
        Some(Change { kind: *kind, place: usize::from(*place), detail: usize::from(*detail) })
    };
    bytes.chunks_exact(3).filter_map(change).collect()
}

/// The bytes that stand for these changes: seeds are made of them.
pub fn written(changes: &[Change]) -> Vec<u8> {
    let number = |kind| KINDS.iter().position(|(known, _)| *known == kind).unwrap_or_default();
    let byte = |value: usize| u8::try_from(value).unwrap_or(u8::MAX);
    changes.iter().flat_map(|change| [byte(number(change.kind)), byte(change.place), byte(change.detail)]).collect()
}

/// What a kind does to the meaning.
pub fn effect(kind: Kind) -> Effect {
    KINDS.iter().find(|(known, _)| *known == kind).map_or(Effect::Keeps, |(_, effect)| *effect)
}

/// The other form of a name, if it has one.
pub fn other_form(name: &str) -> Option<&'static str> {
    SHORT.iter().find_map(|(long, short)| {
        let (long_it_is, short_it_is) = (long.eq_ignore_ascii_case(name), short.eq_ignore_ascii_case(name));
        if long_it_is { Some(*short) } else { short_it_is.then_some(*long) }
    })
}

impl Layout {
    /// The pieces of a message that has an empty line.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let at = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let (head, body) = (bytes.get(..at)?, bytes.get(at + 4..)?);
        let mut lines: Vec<Vec<u8>> = Vec::new();
        for line in split_lines(head) {
            match lines.last_mut() {
                Some(field) if line.starts_with(b" ") || line.starts_with(b"\t") => {
                    field.extend_from_slice(b"\r\n");
                    field.extend_from_slice(line);
                }
                _ => lines.push(line.to_vec()),
            }
        }
        let mut lines = lines.into_iter();
        Some(Self { start: lines.next()?, fields: lines.collect(), body: body.to_vec() })
    }

    /// The message.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.start.clone();
        for field in &self.fields {
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(field);
        }
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The name of a field, without what stands around it.
    pub fn name(&self, field: usize) -> Option<Cow<'_, str>> {
        let written = self.fields.get(field)?.split(|byte| *byte == b':').next()?;
        Some(String::from_utf8_lossy(written.trim_ascii()))
    }

    /// The place of Content-Length, in either form.
    pub fn length_field(&self) -> Option<usize> {
        (0..self.fields.len()).find(|field| {
            self.name(*field)
                .is_some_and(|name| name.eq_ignore_ascii_case("Content-Length") || name.eq_ignore_ascii_case("l"))
        })
    }

    /// The place in the fields that a change means, if there are any.
    pub fn field_of(&self, change: Change) -> Option<usize> {
        change.place.checked_rem(self.fields.len())
    }

    /// Writes the same in another way. Whether anything was there to be changed.
    pub fn keep(&mut self, change: Change) -> bool {
        self.kept(change).is_some()
    }

    fn kept(&mut self, change: Change) -> Option<()> {
        let at = self.field_of(change);
        let colon = |field: &[u8]| field.iter().position(|byte| *byte == b':');
        match change.kind {
            Kind::EmptyLinesFirst => {
                let lines = b"\r\n".repeat(1 + change.detail % 3);
                self.start.splice(..0, lines);
            }
            Kind::SameLengthAgain => {
                let field = self.fields.get(self.length_field()?)?;
                let value = String::from_utf8_lossy(field.get(colon(field)? + 1..)?).trim().to_owned();
                let zeros = "0".repeat(change.detail % 3);
                self.fields.push(format!("Content-Length: {zeros}{value}").into_bytes());
            }
            Kind::Fold => {
                let field = self.fields.get_mut(at?)?;
                let from = colon(field)? + 1;
                let foldable = |at: &usize| {
                    // Beside a line end it would make an empty line, or one of blanks alone.
                    let beside = [field.get(at - 1), field.get(at + 1)];
                    matches!(field.get(*at), Some(b' ' | b'\t'))
                        && !beside.iter().any(|one| matches!(one, Some(b'\r' | b'\n')))
                };
                let blanks: Vec<usize> = (from..field.len()).filter(foldable).collect();
                let blank = *blanks.get(change.detail.checked_rem(blanks.len())?)?;
                field.splice(blank..=blank, *b"\r\n ");
            }
            Kind::NameCase => {
                let field = self.fields.get_mut(at?)?;
                let end = colon(field)?;
                for (letter, byte) in field.iter_mut().take(end).enumerate() {
                    if byte.is_ascii_alphabetic() && (change.detail >> (letter % 8)) & 1 == 1 {
                        *byte ^= 0x20;
                    }
                }
            }
            Kind::NameForm => {
                let form = other_form(&self.name(at?)?)?;
                let field = self.fields.get_mut(at?)?;
                let end = colon(field)?;
                field.splice(..end, form.bytes());
            }
            Kind::BlankBeforeColon => {
                let field = self.fields.get_mut(at?)?;
                let end = colon(field)?;
                let blank = if change.detail & 1 == 0 { b" " } else { b"\t" };
                field.splice(end..end, blank.repeat(1 + change.detail % 3));
            }
            _ => {
                let field = self.fields.get_mut(at?)?;
                let behind = colon(field)? + 1;
                let blank = if change.detail & 1 == 0 { b" \t" } else { b"\t " };
                let to = if change.detail & 2 == 0 { behind } else { field.len() };
                field.splice(to..to, blank.iter().copied());
            }
        }
        Some(())
    }
}

/// At CRLF alone.
fn split_lines(head: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = head;
    while let Some(at) = rest.windows(2).position(|two| two == b"\r\n") {
        let (line, behind) = rest.split_at(at);
        lines.push(line);
        rest = behind.get(2..).unwrap_or_default();
    }
    lines.push(rest);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::torture::MESSAGES;

    #[test]
    fn pieces_make_the_message_again() {
        for message in MESSAGES.iter() {
            let layout = Layout::of(message.bytes).unwrap_or_else(|| panic!("{} has no empty line", message.name));
            assert_eq!(layout.bytes(), message.bytes, "{}", message.name);
            if let Some(headers) = message.facts.headers {
                assert_eq!(layout.fields.len(), headers, "{}", message.name);
            }
        }
    }

    #[test]
    fn changes_are_written_as_they_are_read() {
        let all: Vec<Change> = KINDS.iter().map(|(kind, _)| Change { kind: *kind, place: 7, detail: 9 }).collect();
        assert_eq!(changes(&written(&all)), all);
        assert_eq!(changes(&[0, 1]), []);
    }

    #[test]
    fn every_way_to_write_the_same_changes_something() {
        let layout = Layout::of(b"OPTIONS sip:h SIP/2.0\r\nContent-Length: 0\r\n\r\n").expect("an empty line");
        for (kind, _) in KINDS.iter().filter(|(_, effect)| *effect == Effect::Keeps) {
            let mut changed = layout.clone();
            assert!(changed.keep(Change { kind: *kind, place: 0, detail: 1 }), "{kind:?}");
            assert_ne!(changed, layout, "{kind:?}");
        }
    }
}
