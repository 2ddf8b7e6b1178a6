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
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let color = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR") => false,
        Color::Auto => set("CLICOLOR_FORCE") || (std::io::stdout().is_terminal() && !dumb),
    };
    let width = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let width = width.or_else(|| terminal_size::terminal_size().map(|(width, _)| width.0.into()));
    let utf8 = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .is_some_and(|value| value.to_ascii_lowercase().contains("utf"));
    Style { color, width: width.unwrap_or(WIDTH).clamp(40, 120), unicode: utf8 && !dumb }
}
