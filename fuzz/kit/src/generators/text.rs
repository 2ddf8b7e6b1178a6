//! Text of header fields: few bytes of input, and much that readers stumble over.

use arbitrary::{Arbitrary, Result, Unstructured};

/// Most pieces of a text, and most characters of a token.
const MAX_PIECES: usize = 48;

/// What a text is made of, one for each of 64 values of a byte. No control character but HTAB.
#[rustfmt::skip]
const PIECES: [&str; 64] = [
    " ", "\t", "\"", "\\", "<", ">", ",", ";", "=", ":", "@", "?", "&", "/", "%", "%41", "%00", "%3b", "#", "(", ")", "[", "]", "'",
    "sip:", "sips:", "tel:", "tag=", "branch=z9hG4bK", "Digest ", "realm=", "nonce=", "\\\"", "\"\"", "\\\\", "<>", ";lr", ";q=", "é",
    "\u{a0}", "\u{2028}", "\u{85}", "日", "*", "+", "-", ".", "~", "a", "b", "e", "h", "i", "n", "o", "t", "x", "A", "Z", "0", "1", "7",
    "example.test", "auth",
];
const TOKEN: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIKLMNPRSTVXYZ0123456789-.!%*_+";

/// Any text of one line, without NUL, CR, LF and other control characters but HTAB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(pub String);

/// A token (RFC 3261, section 25.1), of one character at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token(pub String);

impl<'a> Arbitrary<'a> for Text {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let count = u.int_in_range(0..=MAX_PIECES)?.min(u.len());
        let pieces = u.bytes(count)?.iter().map(|byte| PIECES[usize::from(byte & 63)]);
        Ok(Self(pieces.collect()))
    }
}

impl Text {
    /// As a field's value: no blanks at its ends, and one space where there were blanks.
    pub fn value(&self) -> String {
        self.0.split([' ', '\t']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// As a URI: visible ASCII without the characters that end one; `sip:a`, if nothing is left.
    pub fn uri(&self) -> String {
        let kept: String = self.0.chars().filter(|c| c.is_ascii_graphic() && !"\"<>".contains(*c)).collect();
        if kept.is_empty() { "sip:a".to_owned() } else { kept }
    }

    /// As a quoted string. RFC 3261, section 25.1.
    pub fn quoted(&self) -> String {
        quoted(&self.0)
    }
}

/// A quoted string of this text. RFC 3261, section 25.1.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl<'a> Arbitrary<'a> for Token {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let count = u.int_in_range(1..=MAX_PIECES)?.min(u.len());
        let text: String = u.bytes(count)?.iter().map(|byte| char::from(TOKEN[usize::from(byte & 63)])).collect();
        Ok(Self(if text.is_empty() { "a".to_owned() } else { text }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> impl Iterator<Item = Text> {
        (0_u32..2_000).map(|seed| {
            let bytes: Vec<u8> = (0_u32..60).map(|at| (seed.wrapping_mul(2_654_435_761) >> (at % 23)) as u8).collect();
            Text::arbitrary(&mut Unstructured::new(&bytes)).expect("there is input")
        })
    }

    #[test]
    fn texts_are_of_one_line_and_many() {
        let found: std::collections::BTreeSet<String> = texts().map(|text| text.0).collect();
        assert!(found.len() > 1_000, "{}", found.len());
        assert!(found.iter().all(|text| !text.contains(|c: char| c.is_ascii_control() && c != '\t')));
    }

    #[test]
    fn values_and_uris_are_what_they_say() {
        for text in texts() {
            let value = text.value();
            assert!(!value.contains('\t') && !value.contains("  ") && value == value.trim_matches(' '), "{value:?}");
            let uri = text.uri();
            assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()) && !uri.contains(['<', '>', '"']), "{uri:?}");
        }
    }

    #[test]
    fn tokens_are_tokens() {
        for byte in 0..=255 {
            let token = Token::arbitrary(&mut Unstructured::new(&[byte; 9])).expect("there is input").0;
            assert!(!token.is_empty());
            assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)), "{token}");
        }
    }
}
