//! The one place where text becomes safe to show. Renderers take every text of a report through here, target text and
//! our own alike: a scenario directory or a target file that somebody else wrote is no more to be trusted.

pub mod markdown;

use ringfence_model::Untrusted;
use ringfence_model::verdict::{Line, Piece};

/// Lines of one text to copy (house).
const LINES_MAX: usize = 40;

/// Our own prose on one line: runs of white space become one space, and whatever could act on a terminal is spelt out.
pub fn prose(text: &str) -> String {
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A text as it stands, on one line, with controls, direction marks and zero-width characters spelt out.
pub fn visible(text: &str) -> String {
    // The rule lives in one place. `Untrusted` cuts what is longer than evidence keeps, and says so in the text.
    Untrusted::new(text).visible()
}

/// Lines to copy, each as safe as [`visible`] makes it. At most [`LINES_MAX`].
pub fn lines(text: &str) -> Vec<String> {
    text.lines().take(LINES_MAX).map(visible).collect()
}

/// A text cut to so many characters, with a word of how much is missing.
pub fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}… ({} characters more)", &text[..at], text[at..].chars().count()),
        None => text.to_owned(),
    }
}

/// A sentence on one line.
pub fn line(line: &Line) -> String {
    pieces(line).into_iter().map(|(_, text)| text).collect()
}

/// A sentence in pieces: true where the text is the target's.
pub fn pieces(line: &Line) -> Vec<(bool, String)> {
    line.0
        .iter()
        .map(|piece| match piece {
            // Spaces at the ends of a piece separate it from its neighbour and stay.
            Piece::Ours(text) => (false, visible(&text.replace(['\n', '\t'], " "))),
            Piece::Target(text) => (true, text.visible()),
        })
        .collect()
}

/// The text without the code points that XML 1.0 cannot hold. What [`visible`] leaves are the two noncharacters.
pub fn xml(text: &str) -> String {
    text.chars().filter(|&c| matches!(c, '\t' | '\n' | ' '..='\u{fffd}' | '\u{10000}'..)).collect()
}

/// Text for an output that knows ASCII only: typographic marks become their plain forms, the rest is spelt out.
pub fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii() => out.push(c),
            '–' | '—' => out.push('-'),
            '·' => out.push('|'),
            '…' => out += "...",
            '‘' | '’' => out.push('\''),
            '“' | '”' => out.push('"'),
            c => out.extend(c.escape_unicode()),
        }
    }
    out
}

/// Text for standard output without the orders that GitHub and Azure obey anywhere in a line: `##[…]`, `##vso[…]`.
pub fn ci(text: &str) -> String {
    text.replace("##[", "#\\u{23}[").replace("##vso[", "#\\u{23}vso[")
}

/// A finished line of standard output without the orders that GitHub obeys at a line's start: `::error::…`.
pub fn ci_line(line: &str) -> String {
    let body = line.trim_start();
    match body.strip_prefix("::") {
        Some(rest) => format!("{}\\u{{3a}}:{rest}", &line[..line.len() - body.len()]),
        None => line.to_owned(),
    }
}

/// A word of letters, digits and `-`: for anchors and class names.
pub fn slug(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_to_ci_services_are_defused_and_addresses_are_not() {
        assert_eq!(ci_line("  ::error::x"), "  \\u{3a}:error::x");
        assert_eq!(ci("a ##[group] ##vso[task.x]"), "a #\\u{23}[group] #\\u{23}vso[task.x]");
        assert_eq!(ci_line("peer fe80::1"), "peer fe80::1");
    }

    #[test]
    fn xml_drops_what_it_cannot_hold() {
        assert_eq!(xml("a\u{fffe}\u{ffff}\u{0}b🙂\n"), "ab🙂\n");
    }

    #[test]
    fn prose_is_one_line() {
        assert_eq!(prose(" a\n  b\u{1b}c "), "a b\\u{1b}c");
    }
}
