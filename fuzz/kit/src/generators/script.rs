//! What all scripts have in common: a text with one act on a line, so that a finding can be read, and a seed written by hand.
//!
//! Every text is a script: a letter that stands for nothing is taken for one that does, a missing word for a usual one.

use std::fmt;
use std::ops::Deref;

use crate::machines::MARKER;

/// Acts of one script that are played: a run has to end.
pub const MAX_ACTS: usize = 96;

/// Bytes of a script, which print as text.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Words<'a>(pub &'a [u8]);

impl fmt::Debug for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl Deref for Words<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0
    }
}

/// The acts of a script, [`MAX_ACTS`] at most; none, where it knows our password: a fuzzer learns it from whoever compares with it,
/// and then we are told it by the peer.
pub fn acts<'a, A>(script: &'a [u8], act: impl Fn(&'a [u8]) -> A) -> Vec<A> {
    let script = if holds(script, MARKER.as_bytes()) { b"" } else { script };
    lines(script).take(MAX_ACTS).map(act).collect()
}

/// Whether each line begins with one of these letters, and they are not too many: a script made on purpose.
pub fn is_deliberate(script: &[u8], letters: &[u8]) -> bool {
    let count = lines(script).count();
    (1..=MAX_ACTS).contains(&count) && lines(script).all(|line| line.first().is_some_and(|c| letters.contains(c)))
}

/// The letter that a line begins with, or one that stands for it, and the rest.
pub fn letter<'a>(line: &'a [u8], letters: &[u8]) -> (u8, &'a [u8]) {
    let (letter, rest) = line.split_first().map_or((b'.', line), |(letter, rest)| (*letter, rest));
    let known = letters.iter().copied().find(|known| *known == letter);
    (known.or_else(|| letters.get(usize::from(letter) % letters.len()).copied()).unwrap_or(b'w'), rest)
}

/// The lines that are not empty.
pub fn lines(script: &[u8]) -> impl Iterator<Item = &[u8]> {
    script.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// What is in front of the first such byte, and behind it.
pub fn head(text: &[u8], end: u8) -> (&[u8], &[u8]) {
    let mut parts = text.splitn(2, |byte| *byte == end);
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// The digits that a text begins with.
pub fn number(text: &[u8]) -> u64 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).take(9);
    digits.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
}

/// Whether a text is among these bytes. Only what begins as it does is compared: under a fuzzer each comparison costs.
pub fn holds(bytes: &[u8], text: &[u8]) -> bool {
    let Some(first) = text.first() else { return true };
    let begins = bytes.iter().enumerate().filter(|(_, byte)| *byte == first);
    begins.into_iter().any(|(at, _)| bytes.get(at..).is_some_and(|rest| rest.starts_with(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_ends() {
        assert_eq!(acts(&b"w\n".repeat(MAX_ACTS + 9), <[u8]>::len).len(), MAX_ACTS);
        assert!(is_deliberate(b"w\n\nx", b"wx") && !is_deliberate(b"w\ny", b"wx") && !is_deliberate(b"", b"w"));
    }

    #[test]
    fn a_peer_that_knows_our_password_does_nothing() {
        assert_eq!(acts(format!("I\n-{MARKER}").as_bytes(), Words), []);
        assert_eq!(acts(format!("I\n-{}", &MARKER[1..]).as_bytes(), Words).len(), 2);
    }

    #[test]
    fn a_text_is_found_wherever_it_stands() {
        for (bytes, found) in [(&b"ab"[..], true), (b"aab", true), (b"xxab", true), (b"a", false), (b"aaxb", false)] {
            assert_eq!(holds(bytes, b"ab"), found, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_text_can_be_read_too() {
        assert_eq!(format!("{:?}", Words(b"a \xff\"")), r#""a \xff\"""#);
    }
}
