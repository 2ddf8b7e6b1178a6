//! The gate: from verdicts to an exit code and a sentence.

use ringfence_model::evidence::End;
use ringfence_model::exit::Exit;
use ringfence_model::report::Gate;
use ringfence_model::verdict::{Severity, State, Verdict};

use crate::Journal;

/// Probes that never speak to the target: what they saw says nothing about whether it answers.
const SILENT_PROBES: [&str; 4] = ["wait", "inspect", "decode-token", "scan-log"];

/// What the gate looks at besides verdicts.
#[derive(Clone, Copy, Debug)]
pub struct GateInput<'a> {
    /// How the run ended; `None` where its journal has no end.
    pub end: Option<&'a End>,
    /// The lowest severity that closes the gate.
    pub fail_on: Severity,
    /// Nothing of the target answered in the whole run: see [`nothing_answered`].
    pub nothing_answered: bool,
    /// What else happened: an output that could not be written, a waiver problem, a refusal.
    pub also: &'a [Exit],
}

/// Whether steps were asked and not one conversation with the target got an answer of any kind. A step that timed out may
/// have had answers before that, which only the end of the journal tells.
pub fn nothing_answered(journal: &Journal) -> bool {
    if journal.end.as_ref().is_some_and(|end| end.answered) {
        return false;
    }
    let mut asked = journal.observations().filter(|seen| !SILENT_PROBES.contains(&seen.probe.as_str())).peekable();
    let silent = |outcome: &str| ["unreachable", "timeout", "out-of-scope", "budget"].contains(&outcome);
    let mut tried = false;
    asked.peek().is_some()
        && asked.all(|seen| {
            let outcome = seen.observation.get("outcome").and_then(|outcome| outcome.as_str()).unwrap_or("answered");
            tried |= outcome == "unreachable" || outcome == "timeout";
            silent(outcome)
        })
        && tried
}

/// Applies the table of exit codes.
pub fn gate(verdicts: &[Verdict], input: GateInput<'_>) -> Gate {
    let required: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.required()).collect();
    let blocking: Vec<&Verdict> = required
        .iter()
        .copied()
        .filter(|verdict| verdict.state == State::Fail && verdict.severity >= input.fail_on)
        .collect();
    let undecided = required.iter().filter(|verdict| verdict.state == State::Inconclusive).count();
    let faults = verdicts.iter().filter(|verdict| verdict.state == State::Error).count();
    let signal = input.end.and_then(|end| end.signal.as_deref());
    let met = [
        (signal == Some("SIGINT"), Exit::Interrupted),
        (signal == Some("SIGTERM"), Exit::Terminated),
        (faults > 0, Exit::Internal),
        (input.nothing_answered, Exit::Unreachable),
        (!blocking.is_empty(), Exit::Findings),
        (undecided > 0 || required.is_empty() || input.end.is_none(), Exit::Inconclusive),
    ];
    let mut conditions: Vec<Exit> = met.into_iter().filter(|(is_met, _)| *is_met).map(|(_, exit)| exit).collect();
    conditions.extend(input.also);
    conditions.sort_by_key(|exit| Exit::PRECEDENCE.iter().position(|other| other == exit));
    conditions.dedup();
    let exit = Exit::worst(conditions.iter().copied());
    let word = match (blocking.is_empty(), exit) {
        (false, _) => "Not conformant",
        (true, Exit::Clean) => "Conformant",
        (true, Exit::Output | Exit::Waiver) if !conditions.contains(&Exit::Inconclusive) => "Conformant",
        _ => "Inconclusive",
    };
    let sentence = sentence(verdicts, &blocking, required.len(), undecided, faults, &conditions);
    Gate { exit, code: exit.code(), conditions, fail_on: input.fail_on, word: word.into(), sentence }
}

fn sentence(
    verdicts: &[Verdict],
    blocking: &[&Verdict],
    required: usize,
    undecided: usize,
    faults: usize,
    conditions: &[Exit],
) -> String {
    let of = format!("of {}", counted(verdicts.len(), "scenario"));
    let mut parts = Vec::new();
    for exit in conditions {
        match exit {
            Exit::Interrupted | Exit::Terminated => parts.push("the run was ended by a signal".to_owned()),
            Exit::Internal if faults > 0 => parts.push(format!("{faults} {of} failed by a fault of ringfence itself")),
            Exit::Unreachable => parts.push("nothing of the target answered".to_owned()),
            Exit::Findings => parts.push(blocks(blocking)),
            Exit::Inconclusive if required == 0 => parts.push("nothing was selected that the gate looks at".to_owned()),
            Exit::Inconclusive if undecided > 0 => parts.push(format!("{undecided} {of} gave no verdict")),
            Exit::Inconclusive => parts.push("the run broke off before its end".to_owned()),
            other => parts.push(other.meaning().to_owned()),
        }
    }
    if conditions.is_empty() {
        let count = |state| verdicts.iter().filter(|verdict| verdict.state == state).count();
        let (passed, below) = (count(State::Pass), count(State::Fail));
        parts.push(format!("{passed} {of} passed and nothing blocks the release"));
        if below > 0 {
            parts.push(format!("{} below the gate", counted(below, "finding")));
        }
        let untested = count(State::Skipped) + count(State::NotApplicable);
        if untested > 0 {
            parts.push(format!("{untested} {} skipped or not applicable", if untested == 1 { "is" } else { "are" }));
        }
    }
    let mut sentence = parts.join("; ");
    if let Some(first) = sentence.get(..1) {
        sentence.replace_range(..1, &first.to_uppercase());
    }
    sentence + "."
}

/// `1 critical and 2 high findings block the release`.
fn blocks(blocking: &[&Verdict]) -> String {
    let counts: Vec<(usize, &str)> = Severity::WORST_FIRST
        .iter()
        .map(|severity| (blocking.iter().filter(|verdict| verdict.severity == *severity).count(), severity.word()))
        .filter(|(count, _)| *count > 0)
        .collect();
    let phrases: Vec<String> = counts.iter().map(|(count, word)| format!("{count} {word}")).collect();
    let listed = match phrases.as_slice() {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        phrases => phrases.concat(),
    };
    match blocking.len() {
        1 => format!("{listed} finding blocks the release"),
        _ => format!("{listed} findings block the release"),
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests;
