//! What a target is.

use crate::oracle::Oracle;
use crate::oracles::{RUN_LIMIT, timed};

/// A target: a function of bytes, what it holds its subject to, and what to begin with.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, `sip_message`: that of its file, of its libFuzzer binary and of its folders.
    pub name: &'static str,
    /// What the bytes are, in half a line.
    pub reads: &'static str,
    /// What is asked of the subject besides that it neither panics nor overflows, and ends soon.
    pub oracles: &'static [&'static Oracle],
    /// One run; [`Target::check`] bounds it.
    pub run: fn(&[u8]),
    /// Whether the subject takes these bytes: every seed marked valid.
    pub accepts: fn(&[u8]) -> bool,
    /// The input field by field, as `cargo suite replay` prints it.
    pub show: fn(&[u8]) -> String,
    /// What fuzzing begins with.
    pub seeds: fn() -> Vec<Seed>,
    /// Its words, `fuzz/dictionaries/NAME.dict`.
    pub dictionary: Option<&'static str>,
    /// Bytes of an input at most, libFuzzer's `-max_len`.
    pub max_len: usize,
    /// Our own code whose coverage by this target counts: paths from the root of the repository, files or folders.
    pub covers: &'static [&'static str],
}

impl Target {
    /// One run, as fuzzing engines and tests do it: within [`RUN_LIMIT`].
    ///
    /// # Panics
    /// If an oracle finds something.
    pub fn check(&self, bytes: &[u8]) {
        timed(RUN_LIMIT, || (self.run)(bytes));
    }
}

/// An input to begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// What it is, in lower case with `-` between: the file is `fuzz/corpus/TARGET/seed-NAME`.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
    /// Whether the subject must take it.
    pub valid: bool,
}

impl Seed {
    /// One that the subject must take.
    pub fn valid(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into(), valid: true }
    }

    /// One that it may refuse.
    pub fn other(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into(), valid: false }
    }
}
