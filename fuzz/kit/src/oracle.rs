//! What has to hold, with its name and its reason.

use std::panic::Location;

/// A statement that every input of a target must leave true.
///
/// Every one stands in a `pub const`, and has a test in which [`caught`] shows that it fails a subject which is broken on purpose:
/// `tests/oracles.rs` looks for both.
#[derive(Debug)]
pub struct Oracle {
    /// What is asked, in a word or three: `parse-print-parse fixpoint`.
    pub name: &'static str,
    /// Why it must hold, in a sentence; with the source, if it is a standard's word.
    pub reason: &'static str,
}

impl Oracle {
    /// An oracle of that name.
    pub const fn new(name: &'static str, reason: &'static str) -> Self {
        Self { name, reason }
    }

    /// Nothing, if the condition holds.
    ///
    /// # Panics
    /// If it does not, with the oracle's name, what was seen and the reason: fuzzing engines and tests take a panic for a finding.
    #[track_caller]
    pub fn holds(&self, condition: bool, seen: impl FnOnce() -> String) {
        if !condition {
            let Self { name, reason } = self;
            panic!("oracle `{name}` at {}: {}\nit has to hold because {reason}", Location::caller(), seen());
        }
    }

    /// Nothing, if both are equal; else as [`Oracle::holds`].
    #[track_caller]
    pub fn same<T: PartialEq + std::fmt::Debug>(&self, left: &T, right: &T, what: &str) {
        self.holds(left == right, || format!("{what}\n  one:   {left:?}\n  other: {right:?}"));
    }
}

/// Shows that an oracle catches what it is for: `broken` runs it on a subject that is wrong on purpose.
///
/// # Panics
/// If nothing was caught, or something else panicked.
#[track_caller]
pub fn caught(oracle: &Oracle, broken: impl FnOnce() + std::panic::UnwindSafe) {
    let outcome = std::panic::catch_unwind(broken);
    let said = outcome.expect_err(&format!("oracle `{}` let the broken subject pass", oracle.name));
    let text = said.downcast_ref::<String>().map(String::as_str).or(said.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("something that is no text");
    assert!(text.starts_with(&format!("oracle `{}` ", oracle.name)), "another one spoke up: {text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: Oracle = Oracle::new("sums are sums", "two and two are four");
    const OTHER: Oracle = Oracle::new("sums are sums too", "two and two are four");

    #[test]
    fn what_is_broken_is_caught() {
        caught(&SUM, || SUM.same(&4, &5, "2 + 2"));
    }

    #[test]
    #[should_panic(expected = "let the broken subject pass")]
    fn what_is_whole_is_not() {
        caught(&SUM, || SUM.same(&4, &4, "2 + 2"));
    }

    #[test]
    #[should_panic(expected = "another one spoke up")]
    fn what_another_catches_does_not_count() {
        caught(&SUM, || OTHER.same(&4, &5, "2 + 2"));
    }
}
