//! One STUN message before two readers: what they are asked, and what they say.

use ringfence_wire::Error;

use crate::mutators::stun::{HEADER_BYTES, Span, spans};

/// What a reader is asked of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Whether it is one; its type and transaction id.
    Message,
    /// The types of its attributes and their raw values, those that count for nothing included.
    Attributes,
    /// The first value that counts of this type of attribute.
    Value(u16),
    /// Whether MESSAGE-INTEGRITY fits the key.
    Integrity,
    /// Whether FINGERPRINT is right.
    Fingerprint,
}

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// No message; or the value is malformed, or does not verify.
    Refused,
    /// There is no such attribute, or none that counts.
    Absent,
    /// This, in bytes; nothing, if it verifies.
    Is(Vec<u8>),
}

/// One message, one question, two answers.
#[derive(Clone, Debug)]
pub struct Case {
    /// The message.
    pub bytes: Vec<u8>,
    /// The question.
    pub asked: Asked,
    /// Our answer.
    pub ours: Seen,
    /// Our reason, if we do not take the message at all.
    pub error: Option<Error>,
    /// Theirs.
    pub theirs: Seen,
}

impl Case {
    pub(super) fn is(&self, asked: Asked) -> bool {
        self.asked == asked
    }

    pub(super) fn refused_by_us_alone(&self) -> bool {
        self.is(Asked::Message) && self.ours == Seen::Refused && self.theirs != Seen::Refused
    }

    pub(super) fn first(&self, kind: u16) -> Option<Span> {
        spans(&self.bytes).find(|span| span.kind == kind)
    }

    /// Where the attribute is that is asked for, and its value.
    pub(super) fn value(&self) -> Option<(Span, &[u8])> {
        let Asked::Value(kind) = self.asked else { return None };
        let span = self.first(kind)?;
        Some((span, self.bytes.get(span.value()..span.value() + span.length)?))
    }

    pub(super) fn value_of(&self, kinds: &[u16]) -> Option<&[u8]> {
        self.value().filter(|(span, _)| kinds.contains(&span.kind)).map(|(_, value)| value)
    }

    /// Whether lengths and padding are right, so that only a value can be wrong.
    pub(super) fn framed(&self) -> bool {
        let end = spans(&self.bytes).last().map_or(HEADER_BYTES, |span| span.end());
        let stated = self.bytes.get(2..4).map(|length| usize::from(length[0]) << 8 | usize::from(length[1]));
        end == self.bytes.len() && stated == Some(end - HEADER_BYTES)
    }
}
