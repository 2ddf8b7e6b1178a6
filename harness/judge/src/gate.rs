//! The gate: from verdicts to an exit code and a sentence.

use ringfence_model::evidence::End;
use ringfence_model::exit::Exit;
use ringfence_model::report::{Gate, Standing};
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
    /// Only findings that are new, or fixed and back, close the gate; those that the baseline knows do not.
    pub new_only: bool,
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

/// Whether a question could not be asked because its way led outside the scope, or to a number that is never dialled. What was
/// left alone beside a question that was asked (a script of another's on the page, one of many candidates) is no such thing: the
/// report lists it.
pub fn led_outside(journal: &Journal) -> bool {
    let outcome = |outcome: &serde_json::Value| outcome.as_str() == Some("out-of-scope");
    journal.observations().any(|seen| seen.observation.get("outcome").is_some_and(outcome))
}

/// Applies the table of exit codes.
pub fn gate(verdicts: &[Verdict], input: GateInput<'_>) -> Gate {
    let required: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.required()).collect();
    let blocking: Vec<Severity> = required
        .iter()
        .filter_map(|verdict| severity(verdict, input.new_only))
        .filter(|severity| *severity >= input.fail_on)
        .collect();
    // A gate that nothing went through is not open: what a target declares not to have was never tested.
    let tested = required.iter().filter(|verdict| verdict.state != State::NotApplicable).count();
    let undecided = required.iter().filter(|verdict| verdict.state == State::Inconclusive).count();
    let faults = verdicts.iter().filter(|verdict| verdict.state == State::Error).count();
    let signal = input.end.and_then(|end| end.signal.as_deref());
    let met = [
        (signal == Some("SIGINT"), Exit::Interrupted),
        (signal == Some("SIGTERM"), Exit::Terminated),
        (faults > 0, Exit::Internal),
        (input.nothing_answered, Exit::Unreachable),
        (!blocking.is_empty(), Exit::Findings),
        (undecided > 0 || tested == 0 || input.end.is_none(), Exit::Inconclusive),
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
    let mut sentence = sentence(verdicts, &blocking, (tested, undecided, faults), &conditions, input.new_only);
    if let Some(first) = sentence.get(..1) {
        sentence.replace_range(..1, &first.to_uppercase());
    }
    Gate { exit, code: exit.code(), conditions, fail_on: input.fail_on, word: word.into(), sentence }
}

/// How bad a failed scenario is by the findings that the gate looks at; `None` where there is none.
fn severity(verdict: &Verdict, new_only: bool) -> Option<Severity> {
    if verdict.state != State::Fail || verdict.waived() {
        return None;
    }
    let open = verdict.findings.iter().filter(|finding| finding.waived.is_none());
    let counts = |standing| !new_only || standing != Some(Standing::Unchanged);
    let worst = open.filter(|finding| counts(finding.standing)).map(|finding| finding.severity).max();
    // A fail that names no finding is a fail all the same.
    if verdict.findings.is_empty() { Some(verdict.severity) } else { worst }
}

fn sentence(
    verdicts: &[Verdict],
    blocking: &[Severity],
    (tested, undecided, faults): (usize, usize, usize),
    conditions: &[Exit],
    new_only: bool,
) -> String {
    let of = format!("of {}", counted(verdicts.len(), "scenario"));
    let count = |state| verdicts.iter().filter(|verdict| verdict.state == state).count();
    let mut parts = Vec::new();
    for exit in conditions {
        match exit {
            Exit::Interrupted | Exit::Terminated => parts.push("the run was ended by a signal".to_owned()),
            Exit::Internal if faults > 0 => parts.push(format!("{faults} {of} failed by a fault of ringfence itself")),
            Exit::Unreachable => parts.push("nothing of the target answered".to_owned()),
            Exit::Refused => {
                parts.push("the target leads outside the scope of its file, as its report lists".to_owned())
            }
            Exit::Findings => parts.push(blocks(blocking)),
            Exit::Inconclusive if tested == 0 => {
                parts.push("nothing was selected that the gate looks at and that applies".to_owned());
            }
            Exit::Inconclusive if undecided > 0 => parts.push(format!("{undecided} {of} gave no verdict")),
            Exit::Inconclusive => parts.push("the run broke off before its end".to_owned()),
            other => parts.push(other.meaning().to_owned()),
        }
    }
    if conditions.is_empty() {
        parts.push(format!("{} {of} passed and nothing blocks the release", count(State::Pass)));
    }
    let waived = verdicts.iter().filter(|verdict| verdict.waived()).count();
    let failed = count(State::Fail) - waived;
    let known = verdicts.iter().filter(|verdict| verdict.state == State::Fail && !verdict.waived());
    let known = known.filter(|verdict| new_only && severity(verdict, true).is_none()).count();
    if known > 0 {
        parts.push(format!("{} known from the baseline", counted(known, "finding")));
    }
    if conditions.is_empty() && failed > known {
        parts.push(format!("{} below the gate", counted(failed - known, "finding")));
    }
    if waived > 0 {
        parts.push(format!("{} waived", counted(waived, "finding")));
    }
    let untested = count(State::Skipped) + count(State::NotApplicable);
    if conditions.is_empty() && untested > 0 {
        parts.push(format!("{untested} {} skipped or not applicable", if untested == 1 { "is" } else { "are" }));
    }
    parts.join("; ") + "."
}

/// `1 critical and 2 high findings block the release`.
fn blocks(blocking: &[Severity]) -> String {
    let counts: Vec<(usize, &str)> = Severity::WORST_FIRST
        .iter()
        .map(|severity| (blocking.iter().filter(|other| *other == severity).count(), severity.word()))
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
