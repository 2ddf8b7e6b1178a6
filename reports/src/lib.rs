//! Renderers: a judged run goes in, text comes out. Each is a pure function of [`Report`]: no clock, no network, no
//! file, and the same report gives the same bytes.
//!
//! A renderer is one file and one line in `formats!` below. It draws the order of results from `sorted`, the counts
//! from `tally` and the evidence from `facts`, so that all of them tell the same story with the same counts, and it
//! takes text only by way of `escape`: what the target sent can neither move a cursor nor become markup.

mod areas;
mod csv;
mod escape;
mod facts;
mod html;
mod json;
mod junit;
mod markdown;
mod sarif;
mod sorted;
mod tally;
mod terminal;
mod write;

use std::fmt;
use std::str::FromStr;

use ringfence_model::report::Report;

pub use json::schema;
pub use terminal::{Style, terminal, terminal_brief, terminal_enumeration};
pub use write::{WriteError, writable, write_atomically};

/// A report that could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The report does not serialise.
    #[error("json: {0}")]
    Json(#[from] serde_json::Error),
    /// The JUnit document could not be written.
    #[error("junit: {0}")]
    Junit(#[from] quick_junit::SerializeError),
    /// The page's template failed.
    #[error("html: {0}")]
    Html(#[from] minijinja::Error),
}

/// A name that is no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format {given:?}: one of {known}")]
pub struct UnknownFormat {
    given: String,
    known: String,
}

/// Declares [`Format`] from one line per renderer.
macro_rules! formats {
    ($($variant:ident $name:literal $render:path, $doc:literal;)*) => {
        /// A kind of output file. The terminal is no file and stands apart: [`terminal()`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Format {
            $(#[doc = $doc] $variant,)*
        }

        impl Format {
            /// All formats, in the order of their introduction.
            pub const ALL: &[Format] = &[$(Format::$variant,)*];

            /// The word of the command line: `-o NAME=PATH`.
            pub const fn name(self) -> &'static str {
                match self { $(Format::$variant => $name,)* }
            }

            /// What it is for, in one line.
            pub const fn about(self) -> &'static str {
                match self { $(Format::$variant => $doc,)* }
            }
        }

        /// The report in a format, as the whole text of a file.
        ///
        /// # Errors
        /// [`RenderError`] where a library refuses its input; no report that `ringfence judge` makes does that.
        pub fn render(format: Format, report: &Report) -> Result<String, RenderError> {
            match format { $(Format::$variant => $render(report),)* }
        }
    };
}

formats! {
    Json "json" json::render, "Everything, for scripts: ringfence.report/v1, with a published schema.";
    Junit "junit" junit::render, "JUnit XML for Jenkins, GitLab and Azure: one test case per scenario.";
    Html "html" html::render, "One self-contained page for people, with the JSON inside.";
    HtmlFlat "html-flat" html::render_flat, "The same page with nothing folded, to print from any browser.";
    Sarif "sarif" sarif::render, "SARIF 2.1.0 for code scanning: failures alone, by GitHub's rules.";
    SarifFull "sarif-full" sarif::render_full, "SARIF 2.1.0 with every verdict: passed, not applicable and open ones too.";
    Markdown "markdown" markdown::render, "A summary for a CI job's page or a comment, under 1 MiB.";
    Csv "csv" csv::render, "A table for spreadsheets: one row per scenario, no formulas.";
}

impl Format {
    /// All formats, for help texts and completions.
    pub fn all() -> impl Iterator<Item = Format> {
        Self::ALL.iter().copied()
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::all().find(|format| format.name() == text).ok_or_else(|| UnknownFormat {
            given: text.to_owned(),
            known: Self::all().map(Format::name).collect::<Vec<_>>().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_and_others_are_refused_with_the_list() {
        for format in Format::all() {
            assert_eq!(format.name().parse(), Ok(format));
        }
        let error = "sarif-9".parse::<Format>().unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown format \"sarif-9\": one of json, junit, html, html-flat, sarif, sarif-full, markdown, csv"
        );
    }
}
