//! What is written in a text in another form: percent (RFC 3986, section 2.1), base64 (RFC 4648, sections 4 and 5),
//! hexadecimal, JSON escapes (RFC 8259, section 7) and character references of HTML (section 13.5), one inside the other
//! as far as the bounds go.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::runs;

/// How many encodings may lie inside each other (house).
const MAX_DEPTH: usize = 3;
/// Readings of one text (house). A text that is made to hold more hides something from us, and from nobody else.
const MAX_VIEWS: usize = 512;
/// Bytes of all decoded readings of one text together (house).
const MAX_DECODED: usize = 2 * 1024 * 1024;
/// Shorter pieces of base64 or hexadecimal are read as they stand: what they could hold is nothing to be found (house).
const SHORTEST: usize = 8;

/// How something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// As it is.
    Plain,
    /// Percent-encoded.
    Percent,
    /// In base64, of either alphabet.
    Base64,
    /// In hexadecimal.
    Hex,
    /// With JSON escapes.
    Json,
    /// With character references of HTML.
    Html,
}

/// One reading of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View<'a> {
    /// What it says.
    pub text: Cow<'a, str>,
    /// The piece of the text that was read so, in bytes.
    pub span: Range<usize>,
    /// How that piece is written; of encodings inside each other, the outermost.
    pub form: Form,
}

/// All readings of a text, the plain one first.
pub fn views(text: &str) -> Vec<View<'_>> {
    let mut all = vec![View { text: Cow::Borrowed(text), span: 0..text.len(), form: Form::Plain }];
    let mut left = MAX_DECODED;
    let mut begin = 0;
    for _ in 0..MAX_DEPTH {
        let end = all.len();
        for at in begin..end {
            let Some(View { text, span, form: outer }) = all.get(at).cloned() else { continue };
            for (piece, form, decoded) in pieces(&text) {
                if all.len() >= MAX_VIEWS || decoded.len() > left {
                    return all;
                }
                left -= decoded.len();
                let (span, form) = if outer == Form::Plain { (piece, form) } else { (span.clone(), outer) };
                if !all.iter().any(|known| known.text == decoded && known.span == span) {
                    all.push(View { text: Cow::Owned(decoded), span, form });
                }
            }
        }
        begin = end;
    }
    all
}

/// What one text holds in other forms.
fn pieces(text: &str) -> Vec<(Range<usize>, Form, String)> {
    let mut found = Vec::new();
    if text.contains('\\') {
        found.extend(json(text).map(|decoded| (0..text.len(), Form::Json, decoded)));
    }
    if text.contains('&') {
        found.extend(html(text).map(|decoded| (0..text.len(), Form::Html, decoded)));
    }
    let in_url = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>`".contains(&byte);
    let encoded = runs(text, in_url).filter(|(_, piece)| piece.contains('%'));
    found.extend(encoded.filter_map(|(span, piece)| Some((span, Form::Percent, percent(piece)?))));
    let digits = runs(text, |byte| byte.is_ascii_hexdigit());
    found.extend(digits.filter_map(|(span, piece)| Some((span, Form::Hex, hex(piece)?))));
    for (span, piece) in runs(text, |byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte)) {
        // What separates words elsewhere belongs to the alphabets too: the whole first, then the words.
        let words = runs(piece, |byte| byte.is_ascii_alphanumeric());
        let words = words.filter(|(word, _)| word.len() < piece.len());
        for (inner, word) in std::iter::once((0..piece.len(), piece)).chain(words) {
            let span = span.start + inner.start..span.start + inner.end;
            found.extend(base64(word).map(|decoded| (span, Form::Base64, decoded)));
        }
    }
    found
}

fn percent(piece: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(piece.len());
    let mut rest = piece.as_bytes();
    while let [first, behind @ ..] = rest {
        match behind {
            [high, low, behind @ ..] if *first == b'%' && nibble(*high).is_some() && nibble(*low).is_some() => {
                bytes.push(nibble(*high)? << 4 | nibble(*low)?);
                rest = behind;
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    (bytes.len() < piece.len()).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

fn hex(piece: &str) -> Option<String> {
    if piece.len() < SHORTEST || !piece.len().is_multiple_of(2) {
        return None;
    }
    let bytes = piece.as_bytes().chunks_exact(2).map(|pair| match pair {
        [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
        _ => None,
    });
    legible(bytes.collect::<Option<_>>()?)
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn base64(piece: &str) -> Option<String> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
    let piece = piece.trim_end_matches('=');
    if piece.len() < SHORTEST {
        return None;
    }
    let engine = if piece.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    legible(engine.decode(piece).ok()?)
}

/// As text, if it is such: of random bytes hardly any are.
fn legible(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    text.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\r' | '\n')).then_some(text)
}

/// The text without JSON's escapes.
fn json(text: &str) -> Option<String> {
    unescaped(text, '\\', escape)
}

/// The text without character references.
fn html(text: &str) -> Option<String> {
    unescaped(text, '&', reference)
}

/// The text with what follows each mark read, wherever that is sound; `None` where it never is.
fn unescaped(text: &str, mark: char, read: impl Fn(&str) -> Option<(char, &str)>) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut changed = false;
    while let Some((before, behind)) = rest.split_once(mark) {
        out.push_str(before);
        let read = read(behind);
        changed |= read.is_some();
        let (c, behind) = read.unwrap_or((mark, behind));
        out.push(c);
        rest = behind;
    }
    out.push_str(rest);
    changed.then_some(out)
}

/// The character that a reference stands for, without its `&`, and what follows. Of the names those that stand for ASCII.
fn reference(behind: &str) -> Option<(char, &str)> {
    /// Digits and name at most: `#x10ffff`, `commat`.
    const LONGEST: usize = 8;
    let end = behind.bytes().take(LONGEST + 1).position(|byte| byte == b';')?;
    let (name, rest) = (behind.get(..end)?, behind.get(end + 1..)?);
    let number = name.strip_prefix('#').map(|digits| match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => digits.parse(),
    });
    let c = match number {
        Some(number) => char::from_u32(number.ok()?)?,
        None => match name {
            "amp" => '&',
            "apos" => '\'',
            "colon" => ':',
            "commat" => '@',
            "equals" => '=',
            "gt" => '>',
            "lt" => '<',
            "nbsp" => ' ',
            "period" => '.',
            "plus" => '+',
            "quot" => '"',
            "sol" => '/',
            _ => return None,
        },
    };
    Some((c, rest))
}

/// The character that an escape stands for, without its backslash, and what follows.
fn escape(behind: &str) -> Option<(char, &str)> {
    let first = behind.chars().next()?;
    let short = |c| behind.get(first.len_utf8()..).map(|rest| (c, rest));
    match first {
        '"' | '\\' | '/' => short(first),
        'n' => short('\n'),
        'r' => short('\r'),
        't' => short('\t'),
        'u' => {
            let unit = |digits: &str| u32::from_str_radix(digits, 16).ok();
            let high = unit(behind.get(1..5)?)?;
            let rest = behind.get(5..)?;
            if let Some(c) = char::from_u32(high) {
                return Some((c, rest));
            }
            let low = unit(rest.strip_prefix("\\u")?.get(..4)?)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
            Some((char::from_u32(0x10000 + (high.checked_sub(0xd800)? << 10) + low)?, rest.get(6..)?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, form: Form, expected: &str) {
        let all = views(text);
        let found = all.iter().any(|view| view.form == form && view.text.contains(expected));
        assert!(found, "{text}: {all:?}");
    }

    #[test]
    fn every_form_is_read_also_inside_another() {
        reads("sip:erika%40example.test@pbx.test", Form::Percent, "erika@example.test");
        reads("visitor-ZXJpa2FAZXhhbXBsZS50ZXN0", Form::Base64, "erika@example.test");
        reads("ZXJpa2FAZXhhbXBsZS50ZXN0==", Form::Base64, "erika@example.test");
        reads("u-6572696b61406578616d706c652e74657374", Form::Hex, "erika@example.test");
        reads(r#"{"u":"erika\u0040example.test"}"#, Form::Json, "erika@example.test");
        reads("mailto:erika&#64;example&#x2e;test", Form::Html, "erika@example.test");
        reads("erika&commat;example.test", Form::Html, "erika@example.test");
        reads(r"\ud83d\ude42\/", Form::Json, "🙂/");
        // Percent inside base64, and base64 inside percent.
        reads("ZXJpa2ElNDBleGFtcGxlLnRlc3Q=", Form::Base64, "erika@example.test");
        reads("id=ZXJpa2FAZXhhbXBsZS50ZXN0%3D%3D&x=1", Form::Percent, "ZXJpa2FAZXhhbXBsZS50ZXN0==");
        assert_eq!(views("id=ZXJpa2FAZXhhbXBsZS50ZXN0=")[1].span, 3..27);
    }

    #[test]
    fn what_is_not_encoded_stays_as_it_is() {
        for text in [
            "",
            "plain text",
            "100 % sure",
            "%zz",
            "1700000000123",
            "deadbeefdeadbeef",
            r"C:\dir\x",
            "é%é",
            "a & b; c",
            "&é;",
            "&#xffffffff;",
        ] {
            assert_eq!(views(text).len(), 1, "{text}: {:?}", views(text));
        }
    }

    #[test]
    fn a_bomb_stays_small() {
        let piece = "YWFhYWFhYWFhYWFh ";
        assert!(views(&piece.repeat(100_000)).len() <= MAX_VIEWS);
        let deep =
            (0..12).fold("erika@example.test".to_owned(), |text, _| base64::prelude::BASE64_STANDARD.encode(text));
        assert!(!views(&deep).iter().any(|view| view.text.contains("erika")), "deeper than we look");
    }
}
