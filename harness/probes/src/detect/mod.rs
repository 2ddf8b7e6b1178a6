//! Detectors: pure functions from text to what stands in it. They ask nothing, keep nothing and judge nothing.
//!
//! Each comes in two forms: `in_plain` reads a text as it stands, `find` also reads what is written in it in percent, base64,
//! hexadecimal or JSON escapes ([`decode`]). A detector is made for few false alarms first: what it finds becomes a
//! finding against somebody. Its measured rates stand in `tests/detectors.rs`.

pub mod decode;
pub mod entropy;
mod generator;
mod named;
pub mod pii;
pub mod secrets;
pub mod weak;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

pub use decode::Form;

/// Something that a detector found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match<K> {
    /// What it is.
    pub kind: K,
    /// Where it stands, in bytes of the text that was given. For what was decoded: the whole encoded piece.
    pub span: Range<usize>,
    /// How it is written there.
    pub form: Form,
    /// The same number for the same text, as it was read: two places can be compared without keeping either.
    pub mark: u64,
}

/// Matches that are kept of one text (house): the first of a flood say as much as all of it.
const MAX_MATCHES: usize = 256;

/// What a reader of plain text finds in a text and in all that is encoded in it. What several readings show at one place is
/// told once, as it stands there first.
fn everywhere<K: PartialEq>(text: &str, in_plain: impl Fn(&str) -> Vec<(K, Range<usize>)>) -> Vec<Match<K>> {
    let mut found: Vec<Match<K>> = Vec::new();
    for view in decode::views(text) {
        for (kind, span) in in_plain(&view.text) {
            let mut hasher = DefaultHasher::new();
            view.text.get(span.clone()).hash(&mut hasher);
            let mark = hasher.finish();
            let span = if view.form == Form::Plain { span } else { view.span.clone() };
            // What was read of the text as a whole stands somewhere in it, not everywhere.
            let whole = |span: &Range<usize>| *span == (0..text.len());
            let overlaps = |other: &Range<usize>| {
                other.start < span.end && span.start < other.end && !whole(other) && !whole(&span)
            };
            let same = |known: &Match<K>| known.kind == kind && (known.mark == mark || overlaps(&known.span));
            if found.len() < MAX_MATCHES && !found.iter().any(same) {
                found.push(Match { kind, span, form: view.form, mark });
            }
        }
    }
    found
}

/// The longest runs of bytes that `belongs` admits. It must admit ASCII only, or whole characters.
pub(crate) fn runs<'a>(
    text: &'a str,
    belongs: impl Fn(u8) -> bool + 'a,
) -> impl Iterator<Item = (Range<usize>, &'a str)> {
    let mut rest = 0..text.len();
    std::iter::from_fn(move || {
        let from = rest.start + text.as_bytes().get(rest.clone())?.iter().position(|byte| belongs(*byte))?;
        let tail = text.as_bytes().get(from..)?;
        let to = from + tail.iter().position(|byte| !belongs(*byte)).unwrap_or(tail.len());
        rest.start = to;
        Some((from..to, text.get(from..to)?))
    })
}

/// The byte before a place is no letter and no digit.
fn begins_word(text: &str, at: usize) -> bool {
    !text.get(..at).and_then(|before| before.chars().next_back()).is_some_and(char::is_alphanumeric)
}

/// The byte behind a place is no letter and no digit.
fn ends_word(text: &str, at: usize) -> bool {
    !text.get(at..).and_then(|behind| behind.chars().next()).is_some_and(char::is_alphanumeric)
}
