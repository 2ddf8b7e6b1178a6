//! What can be wrong with the files that the judge reads.

use std::fmt;

/// A mistake in a scenario, words or policy file: where it stands and what was meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoadError {
    /// The file, as the caller named it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and, where it can be told, what was meant.
    pub message: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }
}

impl std::error::Error for LoadError {}

/// Why a journal cannot be read or judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JudgeError {
    /// It is larger than any run of ours.
    #[error("journal is larger than {limit} {unit}")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// Of what.
        unit: &'static str,
    },
    /// A line other than a torn last one cannot be read.
    #[error("journal line {line}: {problem}")]
    Line {
        /// Line, from 1.
        line: usize,
        /// What the reader says.
        problem: String,
    },
    /// A line does not follow from the one before it.
    #[error(
        "journal line {line} was changed, or lines before it were removed, inserted or moved: its hash does not follow"
    )]
    Chain {
        /// Line, from 1.
        line: usize,
    },
    /// Another format or a later version.
    #[error("journal format is `{found}`; this version reads `{known}`")]
    Format {
        /// What the file says.
        found: String,
        /// What is known.
        known: &'static str,
    },
    /// Nothing says what was run.
    #[error("journal has no `run` event; its first line is missing")]
    NoHeader,
    /// Two events claim the same place.
    #[error("journal has two different `{event}` events for {place}")]
    Twice {
        /// Name of the event.
        event: &'static str,
        /// Scenario, try and step.
        place: String,
    },
}
