//! Reasons in words.

use ringfence_model::verdict::{Line, Piece};

use crate::journal::Try;
use crate::truth::Cause;

/// Causes that one phrase names; the rest is counted.
const NAMED: usize = 3;

/// Causes in one phrase.
pub(crate) fn say(causes: &[Cause]) -> String {
    let mut phrases: Vec<String> = causes
        .iter()
        .take(NAMED)
        .map(|cause| match cause {
            Cause::NotSeen(path) => format!("`{path}` was not seen"),
            Cause::NotAsked(step) => format!("step `{step}` was not asked"),
            Cause::Failed(term) => format!("`{term}` has no value"),
        })
        .collect();
    if causes.len() > NAMED {
        phrases.push(format!("and {} more", causes.len() - NAMED));
    }
    phrases.join(", ")
}

/// Why a condition could not be decided, with how the conversations ended that it is about.
pub(crate) fn undecided(opening: String, causes: &[Cause], tried: &Try) -> Line {
    let mut line = Line::ours(format!("{opening}: {}", say(causes)));
    let mut steps: Vec<&str> = causes.iter().filter_map(step_of).collect();
    steps.dedup();
    for step in steps {
        ending(step, tried, &mut line);
    }
    line
}

/// Adds how a step's conversation ended, unless it was answered.
pub(crate) fn ending(step: &str, tried: &Try, line: &mut Line) {
    let Some(seen) = tried.last(step) else { return };
    let outcome = seen.observation.get("outcome").and_then(|outcome| outcome.as_str()).unwrap_or("answered");
    if outcome == "answered" {
        return;
    }
    line.0.push(Piece::Ours(format!("; step `{step}` ended with {outcome}")));
    if let Some(error) = seen.observation.get("error").and_then(|error| error.as_str()) {
        line.0.push(Piece::Ours(": ".into()));
        line.0.push(Piece::Target(error.into()));
    }
}

fn step_of(cause: &Cause) -> Option<&str> {
    let (Cause::NotSeen(path) | Cause::NotAsked(path)) = cause else { return None };
    path.split(['.', '[']).next()
}
