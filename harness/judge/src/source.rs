//! Places in a file: from an offset in a TOML string's text to line and column of the file.

use crate::LoadError;

/// One file while it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    /// Its name in messages.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// A mistake at a byte offset of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub at: usize,
    pub message: String,
}

impl Problem {
    pub fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

impl Source<'_> {
    /// The problem with its line and column.
    pub fn place(&self, problem: Problem) -> LoadError {
        let mut at = problem.at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        LoadError {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: problem.message,
        }
    }

    /// Where byte `decoded` of a TOML string's value stands in the file; `literal` is where the string is written,
    /// quotes included.
    pub fn inside(&self, literal: std::ops::Range<usize>, decoded: usize) -> usize {
        let start = literal.start;
        self.text.get(literal).map_or(start, |raw| start + raw_offset(raw, decoded))
    }
}

/// Walks a TOML string as it is written until `wanted` bytes of its value have gone by (TOML 1.1, "String").
fn raw_offset(raw: &str, wanted: usize) -> usize {
    let multiline = raw.starts_with("\"\"\"") || raw.starts_with("'''");
    let escapes = raw.starts_with('"');
    let mut at = if multiline { 3 } else { 1 };
    if multiline {
        let rest = raw.get(at..).unwrap_or_default();
        at += if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
    }
    let mut decoded = 0;
    while let Some(c) = raw.get(at..).and_then(|rest| rest.chars().next()) {
        if c == '\\' && escapes {
            let (written, gives) = escape(&raw[at..]);
            if decoded >= wanted && gives > 0 {
                break;
            }
            at += written;
            decoded += gives;
        } else if decoded >= wanted {
            break;
        } else {
            at += c.len_utf8();
            decoded += c.len_utf8();
        }
    }
    at
}

/// Bytes that an escape takes, and bytes that it stands for.
fn escape(rest: &str) -> (usize, usize) {
    let hex = |digits: usize| {
        let code = rest.get(2..2 + digits).and_then(|text| u32::from_str_radix(text, 16).ok());
        (2 + digits, code.and_then(char::from_u32).map_or(1, char::len_utf8))
    };
    match rest[1..].chars().next() {
        Some('x') => hex(2),
        Some('u') => hex(4),
        Some('U') => hex(8),
        // A backslash at a line's end takes all white space after it away.
        Some(c) if c.is_whitespace() => {
            let blank = rest[1..].find(|c: char| !c.is_whitespace()).unwrap_or(rest.len() - 1);
            (1 + blank, 0)
        }
        Some(c) => (1 + c.len_utf8(), 1),
        None => (1, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(raw: &str, decoded: usize, at: usize) {
        assert_eq!(raw_offset(raw, decoded), at, "{raw}");
    }

    #[test]
    fn offsets_count_escapes_and_openings() {
        case(r#""abc""#, 1, 2);
        case("'a\\b'", 2, 3);
        case(r#""a\"b""#, 2, 4);
        case(r#""\u00e9x""#, 2, 7);
        case("\"\"\"\nabc\"\"\"", 1, 5);
        case("'''\r\nabc'''", 0, 5);
        case("\"\"\"a\\\n   b\"\"\"", 1, 9);
        case("\"ab\"", 9, 4);
    }

    #[test]
    fn columns_count_characters() {
        let source = Source { file: "f", text: "x\né = 1\n" };
        let error = source.place(Problem::new(5, "wrong"));
        assert_eq!(error.to_string(), "f:2:3: wrong");
    }
}
