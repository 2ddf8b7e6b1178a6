//! What the terminal can do: colour, width, signs beyond ASCII.

use std::io::IsTerminal;

use ringfence_reports::Style;

use crate::args::Color;

/// Prints a line to stdout. A reader that has gone away (`| head`) is no reason to panic, as `println!` would.
macro_rules! tell {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout().lock(), $($text)*);
    }};
}

/// Prints a line to stderr, likewise.
macro_rules! complain {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr().lock(), $($text)*);
    }};
}

/// Columns where nothing tells: a report stays readable in a log (house).
const WIDTH: usize = 100;

/// The style for stdout.
pub fn style(color: Color) -> Style {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
    let color = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR") => false,
        Color::Auto => forced || (std::io::stdout().is_terminal() && !dumb()),
    };
    let width = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let width = width.or_else(|| terminal_size::terminal_size().map(|(width, _)| width.0.into()));
    Style { color, width: width.unwrap_or(WIDTH).clamp(40, 120), unicode: unicode() }
}

/// Whether the terminal shows characters beyond ASCII.
pub fn unicode() -> bool {
    let utf8 = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .is_some_and(|value| value.to_ascii_lowercase().contains("utf"));
    utf8 && !dumb()
}

fn dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Whether a line that is drawn again and again can be shown on stderr.
pub fn live() -> bool {
    std::io::stderr().is_terminal() && !dumb()
}

/// A paragraph, indented and broken at blanks. White space of the source is no part of it.
pub fn paragraph(text: &str, indent: usize, width: usize) -> String {
    let (mut out, mut used) = (String::new(), 0);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used == 0 || used + 1 + length > width {
            if used > 0 {
                out.push('\n');
            }
            out.push_str(&" ".repeat(indent));
            used = indent;
        } else {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out.push('\n');
    out
}

/// How the program was called: what a person can type again, also from `cargo run`.
pub fn program() -> String {
    std::env::args().next().filter(|name| !name.is_empty()).map_or_else(|| "ringfence".into(), |name| quoted(&name))
}

/// A word as a shell takes it back.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_broken_and_words_quoted_where_needed() {
        assert_eq!(paragraph("aa bb\n  cc", 2, 8), "  aa bb\n  cc\n");
        assert_eq!(quoted("media/a-b.toml"), "media/a-b.toml");
        assert_eq!(quoted("media/*"), "'media/*'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
