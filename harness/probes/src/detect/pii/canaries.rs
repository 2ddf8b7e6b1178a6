//! The operator's values of a test user, however they are spelled.

use std::ops::Range;

/// Shorter values, without what separates, count only as words of their own: `Ann` is in `annual` (house).
const INSIDE_WORDS_FROM: usize = 8;
/// Shorter values say nothing (house).
const SHORTEST: usize = 2;
/// So many last digits of a phone number make it known, with or without its country (house).
const PHONE_DIGITS: usize = 9;

/// Where one of the values stands: letters of either case, with any separators between the parts.
pub(super) fn find(text: &str, values: &[String]) -> Vec<Range<usize>> {
    let text_folded = Folded::new(text);
    values.iter().flat_map(|value| wanted(value)).flat_map(|value| text_folded.positions(text, &value)).collect()
}

/// What is looked for: the value, and the end of a phone number.
fn wanted(value: &str) -> Vec<String> {
    let folded = Folded::new(value).text;
    if folded.chars().count() < SHORTEST {
        return Vec::new();
    }
    let number = folded.chars().all(|c| c.is_ascii_digit());
    let end = folded.len().checked_sub(PHONE_DIGITS).filter(|at| number && *at > 0);
    let end = end.and_then(|at| folded.get(at..)).map(str::to_owned);
    end.into_iter().chain([folded]).collect()
}

/// A text without what separates words, in lower case.
struct Folded {
    text: String,
    /// For each byte of it, the byte of the text that it comes from.
    from: Vec<usize>,
}

impl Folded {
    fn new(text: &str) -> Self {
        let mut folded = Self { text: String::with_capacity(text.len()), from: Vec::with_capacity(text.len()) };
        for (at, c) in text.char_indices().filter(|(_, c)| c.is_alphanumeric() || *c == '@') {
            folded.text.extend(c.to_lowercase());
            folded.from.resize(folded.text.len(), at);
        }
        folded
    }

    fn positions(&self, text: &str, value: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for (at, _) in self.text.match_indices(value) {
            let (Some(start), Some(last)) = (self.from.get(at), self.from.get(at + value.len() - 1)) else { continue };
            let end = *last + text.get(*last..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            let alone = super::begins_word(text, *start) && super::ends_word(text, end);
            if alone || value.chars().count() >= INSIDE_WORDS_FROM {
                found.push(*start..end);
            }
        }
        found
    }
}
