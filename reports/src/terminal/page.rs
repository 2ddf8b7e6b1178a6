//! Lines for a terminal: wrapped, indented, coloured where asked, and free of anything that acts on it.

use ringfence_model::verdict::{Severity, State};

use crate::escape;

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Colours by SGR sequences; no other escape is ever written.
    pub color: bool,
    /// Columns; fewer than [`Style::MIN_WIDTH`] count as that many.
    pub width: usize,
    /// Characters beyond ASCII; else they are spelt out.
    pub unicode: bool,
}

impl Style {
    /// The narrowest page, in columns.
    pub const MIN_WIDTH: usize = 32;
}

impl Default for Style {
    /// What a file or a CI log takes: 100 columns of ASCII.
    fn default() -> Self {
        Self { color: false, width: 100, unicode: false }
    }
}

/// How a line looks in colour. It never says anything that the words do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// As the terminal has it.
    Plain,
    /// Headings.
    Strong,
    /// Labels.
    Faint,
    /// Passed.
    Good,
    /// Without a verdict, or high.
    Warning,
    /// Medium.
    Middle,
    /// Low, and commands.
    Calm,
    /// Critical.
    Alarm,
}

impl Ink {
    const fn sgr(self) -> &'static str {
        match self {
            Ink::Plain => "",
            Ink::Strong => "\x1b[1m",
            Ink::Faint => "\x1b[2m",
            Ink::Good => "\x1b[1;32m",
            Ink::Warning => "\x1b[1;35m",
            Ink::Middle => "\x1b[33m",
            Ink::Calm => "\x1b[36m",
            Ink::Alarm => "\x1b[1;31m",
        }
    }

    /// The ink of a severity.
    pub const fn of_severity(severity: Severity) -> Self {
        match severity {
            Severity::Critical | Severity::High => Ink::Alarm,
            Severity::Medium => Ink::Middle,
            Severity::Low => Ink::Calm,
        }
    }

    /// The ink of a state.
    pub const fn of_state(state: State) -> Self {
        match state {
            State::Fail => Ink::Alarm,
            State::Pass => Ink::Good,
            State::Inconclusive | State::Error => Ink::Warning,
            State::Skipped | State::NotApplicable => Ink::Middle,
        }
    }
}

/// The column where what follows a label begins.
const LABELLED: usize = 14;
/// Below this width a label has a line of its own.
const ROOMY: usize = 56;

/// A page in the making.
pub struct Page {
    style: Style,
    width: usize,
    out: String,
}

impl Page {
    /// An empty page.
    pub fn new(style: Style) -> Self {
        Self { style, width: style.width.max(Style::MIN_WIDTH), out: String::new() }
    }

    /// The finished text.
    pub fn finish(self) -> String {
        self.out
    }

    /// A character, or what stands for it in ASCII.
    pub const fn mark(&self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.style.unicode { unicode } else { ascii }
    }

    /// An empty line, where none is yet.
    pub fn gap(&mut self) {
        if !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A heading with a rule below.
    pub fn heading(&mut self, text: &str, ink: Ink) {
        self.gap();
        self.text(0, ink, text);
        let rule = self.mark("─", "-").repeat(self.width.min(columns(text)));
        self.line("", Ink::Faint, &rule);
    }

    /// A paragraph.
    pub fn text(&mut self, indent: usize, ink: Ink, text: &str) {
        let text = self.prepare(text);
        for line in wrap(&text, self.width.saturating_sub(indent)) {
            self.line(&" ".repeat(indent), ink, &line);
        }
    }

    /// A paragraph behind a bar.
    pub fn barred(&mut self, ink: Ink, text: &str) {
        let text = self.prepare(text);
        let bar = self.mark("┃ ", "| ");
        for line in wrap(&text, self.width - 2) {
            self.line(bar, ink, &line);
        }
    }

    /// A paragraph with a label in the margin.
    pub fn labelled(&mut self, label: &str, ink: Ink, text: &str) {
        let text = self.prepare(text);
        let indent = self.indent_after(label);
        let margin = self.margin(label);
        for (i, line) in wrap(&text, self.width - indent).into_iter().enumerate() {
            let before = if i == 0 && indent == LABELLED { margin.clone() } else { " ".repeat(indent) };
            self.line(&before, ink, &line);
        }
    }

    /// Lines to copy, with a label in the margin: never broken.
    pub fn verbatim(&mut self, label: &str, ink: Ink, lines: &[String]) {
        let indent = self.indent_after(label);
        for (i, line) in lines.iter().enumerate() {
            let line = self.prepare(line);
            let before = if i == 0 && indent == LABELLED { self.margin(label) } else { " ".repeat(indent) };
            self.line(&before, ink, &line);
        }
    }

    /// A line of a table: never broken.
    pub fn row(&mut self, ink: Ink, text: &str) {
        let text = self.prepare(text);
        self.line(" ", ink, &text);
    }

    fn margin(&self, label: &str) -> String {
        format!("  {label:<width$}", width = LABELLED - 2)
    }

    /// Where the text behind a label begins; on a narrow page the label is written first, on its own line.
    fn indent_after(&mut self, label: &str) -> usize {
        if self.width >= ROOMY {
            return LABELLED;
        }
        if !label.is_empty() {
            self.line("  ", Ink::Faint, &format!("{label}:"));
        }
        4
    }

    fn prepare(&self, text: &str) -> String {
        let text = escape::ci(text);
        if self.style.unicode { text } else { escape::ascii(&text) }
    }

    fn line(&mut self, before: &str, ink: Ink, text: &str) {
        let whole = escape::ci_line(&format!("{before}{text}"));
        let whole = whole.trim_end();
        match whole.strip_prefix(before) {
            Some(text) if self.style.color => {
                // A bar has its text's colour, a label none of its own.
                let margin = if before.starts_with(' ') { Ink::Faint } else { ink };
                paint(&mut self.out, margin, before);
                paint(&mut self.out, ink, text);
            }
            _ => self.out += whole,
        }
        self.out.push('\n');
    }
}

fn paint(out: &mut String, ink: Ink, text: &str) {
    if ink == Ink::Plain || text.trim().is_empty() {
        *out += text;
    } else {
        *out += &format!("{}{text}\x1b[0m", ink.sgr());
    }
}

/// Columns that a character takes; a guess on the wide side beyond the symbols that we print ourselves.
fn width_of(c: char) -> usize {
    if c < '\u{1100}' || ('\u{2000}'..'\u{2e80}').contains(&c) { 1 } else { 2 }
}

fn columns(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

/// Breaks a text at spaces, and inside a word that is wider than a line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if used > 0 && used + 1 + columns(word) <= width {
            line.push(' ');
            used += 1;
        } else if used > 0 {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        for c in word.chars() {
            if used + width_of(c) > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += width_of(c);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_within_the_width() {
        assert_eq!(wrap("aa bb  cc dd", 8), ["aa bb cc", "dd"]);
        assert_eq!(wrap("0123456789ab cd", 8), ["01234567", "89ab cd"]);
        assert_eq!(wrap("漢字漢字漢字", 8), ["漢字漢字", "漢字"]);
        assert!(wrap("", 8).is_empty());
    }

    #[test]
    fn an_order_to_a_ci_service_is_defused_where_wrapping_brings_it_to_a_line_s_start() {
        let mut page = Page::new(Style { color: true, width: 32, unicode: true });
        page.text(0, Ink::Alarm, "padding padding padding padding ::error::forged");
        assert!(page.finish().contains("\\u{3a}:error::forged"));
    }
}
