//! Verdicts: each try of a scenario is judged by itself, then what all tries say together.

mod one_try;

use ringfence_model::policy::Policy;
use ringfence_model::scenario::Scenario;
use ringfence_model::verdict::{Confidence, Level, Line, Severity, State, Verdict};

use crate::journal::{Journal, Try};
use crate::library::Library;
use one_try::{Judgement, missing, unfinished};

/// Judges every scenario of a journal, by id. With `policy`, by that one instead of the run's.
pub fn judge(journal: &Journal, library: &Library, policy: Option<&Policy>) -> Vec<Verdict> {
    let planned = journal.plan.iter().flat_map(|plan| {
        plan.chains.iter().chain(plan.left_out.iter().map(|left_out| &left_out.scenario)).map(String::as_str)
    });
    let listed = journal.header.scenarios.iter().map(|text| text.id.as_str());
    let ids: std::collections::BTreeSet<&str> = planned.chain(listed).collect();
    ids.into_iter().map(|id| judge_scenario(journal, library, policy, id)).collect()
}

/// Judges one scenario by all its tries.
pub fn judge_scenario(journal: &Journal, library: &Library, policy: Option<&Policy>, id: &str) -> Verdict {
    let Some(loaded) = library.get(id) else { return unknown_scenario(id) };
    let scenario = loaded.scenario();
    let plan = journal.plan.as_ref();
    if let Some(left_out) = plan.and_then(|plan| plan.left_out.iter().find(|left_out| left_out.scenario == id)) {
        let state = if left_out.not_applicable { State::NotApplicable } else { State::Skipped };
        let verdict = blank(scenario, state, 0, vec![Line::ours(left_out.why.clone())]);
        return Verdict { to_enable: left_out.to_enable.clone(), ..verdict };
    }
    crate::tries::join(tries(journal, library, policy, id)).unwrap_or_else(|| {
        let why = match (plan, &journal.end) {
            (None, _) => "the run ended before it was planned",
            (_, None) => "the run ended before this was asked, and its journal has no end",
            (_, Some(_)) => "the run ended before this was asked",
        };
        blank(scenario, State::Inconclusive, 0, vec![Line::ours(why)])
    })
}

/// The verdicts of all tries. A later try that was broken off says nothing beside one that came to its end.
fn tries(journal: &Journal, library: &Library, policy: Option<&Policy>, id: &str) -> Vec<Verdict> {
    let last = journal.tries(id).next_back().map(|(attempt, _)| attempt);
    let mut verdicts = Vec::new();
    for (attempt, tried) in journal.tries(id) {
        let broken_off = last == Some(attempt) && !journal.complete();
        let whole = library.get(id).is_none_or(|loaded| unfinished(loaded, tried, broken_off).is_none());
        if whole || verdicts.is_empty() {
            verdicts.push(one_try(journal, library, policy, id, attempt, broken_off));
        }
    }
    verdicts
}

/// Judges one try of a scenario alone: fail or inconclusive means that it is worth asking again.
pub fn judge_try(journal: &Journal, library: &Library, policy: Option<&Policy>, id: &str, attempt: u32) -> Verdict {
    one_try(journal, library, policy, id, attempt, false)
}

/// Whether every step of a try was asked, or told to be left out, and nothing is still held. A try that broke off before
/// that begins anew when its run is resumed.
pub fn came_to_its_end(journal: &Journal, library: &Library, id: &str, attempt: u32) -> bool {
    let tried = journal.tries(id).find(|(number, _)| *number == attempt).map(|(_, tried)| tried);
    library.get(id).zip(tried).is_some_and(|(loaded, tried)| missing(loaded, tried, true).is_none())
}

/// `broken_off`: the journal goes no further, and the run did not say that it came to its end.
fn one_try(
    journal: &Journal,
    library: &Library,
    policy: Option<&Policy>,
    id: &str,
    attempt: u32,
    broken_off: bool,
) -> Verdict {
    let Some(loaded) = library.get(id) else { return unknown_scenario(id) };
    let empty = Try::default();
    let tried = journal.tries(id).find(|(number, _)| *number == attempt).map_or(&empty, |(_, tried)| tried);
    let policy = match policy.map(serde_json::to_value) {
        Some(Ok(policy)) => policy,
        _ => journal.header.policy.clone(),
    };
    let target = &journal.header.target;
    let mut at_end = library.variables(target, &policy);
    let mut at_hold = library.variables(target, &policy);
    for step in &loaded.scenario().step {
        if let Some(seen) = tried.seen.get(&step.name) {
            at_hold.saw(&step.name, &seen.probe, &seen.observation);
        }
        if let Some(seen) = tried.last(&step.name) {
            at_end.saw(&step.name, &seen.probe, &seen.observation);
        } else if tried.not_asked.contains_key(&step.name) {
            at_end.left_out(&step.name);
            at_hold.left_out(&step.name);
        }
    }
    let target_name = target["name"].as_str().unwrap_or_default();
    Judgement { loaded, tried, at_hold, at_end, target_name, attempt, broken_off }.verdict()
}

fn blank(scenario: &Scenario, state: State, tries: u32, reasons: Vec<Line>) -> Verdict {
    Verdict {
        scenario: scenario.id.clone(),
        state,
        severity: scenario.severity,
        level: scenario.level,
        reasons,
        to_enable: None,
        findings: Vec::new(),
        held: Vec::new(),
        notes: Vec::new(),
        confidence: Confidence::High,
        tries,
    }
}

/// A scenario that the journal names and holds no text of. It must not pass for judged.
fn unknown_scenario(id: &str) -> Verdict {
    Verdict {
        scenario: id.to_owned(),
        state: State::Inconclusive,
        severity: Severity::High,
        level: Level::Must,
        reasons: vec![Line::ours("the journal names this scenario and holds no text of it")],
        to_enable: None,
        findings: Vec::new(),
        held: Vec::new(),
        notes: Vec::new(),
        confidence: Confidence::High,
        tries: 0,
    }
}

#[cfg(test)]
mod tests;
