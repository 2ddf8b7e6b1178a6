//! Two runs of one target, finding by finding: what is new, fixed, back, unchanged, and what was not judged again.

use std::collections::BTreeMap;

use ringfence_model::report::{Report, ScenarioResult};
use ringfence_model::verdict::{Finding, Severity};
use serde::Serialize;

use crate::baseline::{Baseline, target};

/// The form of the JSON.
const FORMAT: &str = "ringfence.diff/v1";

/// What differs between two runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// `ringfence.diff/v1`.
    pub format: &'static str,
    /// The target's name.
    pub target: String,
    /// The run before: its id and when it began.
    pub before: String,
    /// The run after, likewise.
    pub after: String,
    /// What makes the two hard to compare: another policy, another version.
    pub remarks: Vec<String>,
    /// Findings of the run after that the one before had not.
    pub new: Vec<Changed>,
    /// Those of them that the baseline knows as fixed.
    pub reopened: Vec<Changed>,
    /// Findings of the run before that the one after saw to hold.
    pub fixed: Vec<Changed>,
    /// Findings of both.
    pub unchanged: Vec<Changed>,
    /// Findings of the run before that are waived in the one after.
    pub waived: Vec<Changed>,
    /// Findings of the run before that the one after did not judge.
    pub not_judged: Vec<Changed>,
    /// Scenarios whose state changed without one of their findings being new, back, fixed or waived.
    pub states: Vec<StateChange>,
}

/// A finding in one of the lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// The scenario.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// The step that the finding was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// The fingerprint.
    pub fingerprint: String,
}

/// A scenario whose state changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StateChange {
    /// The scenario.
    pub scenario: String,
    /// Its state before: a state's word, `waived`, or `no part of the run`.
    pub before: &'static str,
    /// Its state after.
    pub after: &'static str,
}

impl Diff {
    /// Whether there is something that was not there before.
    pub fn worse(&self) -> bool {
        !self.new.is_empty() || !self.reopened.is_empty()
    }
}

/// Compares two runs of one target; `baseline` tells what was fixed before either.
///
/// # Errors
/// The names of the targets, where they are two.
pub fn diff(before: &Report, after: &Report, baseline: Option<&Baseline>) -> Result<Diff, (String, String)> {
    if target(before) != target(after) {
        return Err((target(before).into(), target(after).into()));
    }
    let run = |report: &Report| format!("{} of {}", report.run.id, report.run.started);
    let mut diff = Diff {
        format: FORMAT,
        target: target(after).into(),
        before: run(before),
        after: run(after),
        remarks: remarks(before, after),
        ..Diff::default()
    };
    let (old, new) = (findings(before), findings(after));
    for (fingerprint, (result, finding)) in &new {
        let list = match old.contains_key(fingerprint) {
            true if finding.waived.is_some() => &mut diff.waived,
            true => &mut diff.unchanged,
            false if finding.waived.is_some() => continue,
            false if baseline.is_some_and(|baseline| baseline.was_fixed(fingerprint)) => &mut diff.reopened,
            false => &mut diff.new,
        };
        list.push(changed(result, finding));
    }
    let held = |fingerprint: &str| {
        after.results.iter().any(|result| result.verdict.held.iter().any(|held| held == fingerprint))
    };
    for (fingerprint, (result, finding)) in old.iter().filter(|(fingerprint, _)| !new.contains_key(*fingerprint)) {
        let list = if held(fingerprint) { &mut diff.fixed } else { &mut diff.not_judged };
        list.push(changed(result, finding));
    }
    let told = |diff: &Diff, id: &str| {
        let lists = [&diff.new, &diff.reopened, &diff.fixed, &diff.waived];
        lists.into_iter().flatten().any(|finding| finding.scenario == id)
    };
    let states = (states(before), states(after));
    let ids: std::collections::BTreeSet<&str> = states.0.keys().chain(states.1.keys()).copied().collect();
    for id in ids {
        let state = |run: &BTreeMap<&str, &'static str>| run.get(id).copied().unwrap_or("no part of the run");
        let (before, after) = (state(&states.0), state(&states.1));
        if before != after && !told(&diff, id) {
            diff.states.push(StateChange { scenario: id.to_owned(), before, after });
        }
    }
    for list in [
        &mut diff.new,
        &mut diff.reopened,
        &mut diff.fixed,
        &mut diff.unchanged,
        &mut diff.waived,
        &mut diff.not_judged,
    ] {
        list.sort_by(|a, b| (b.severity, &a.scenario, &a.fingerprint).cmp(&(a.severity, &b.scenario, &b.fingerprint)));
    }
    Ok(diff)
}

fn remarks(before: &Report, after: &Report) -> Vec<String> {
    let mut remarks = Vec::new();
    for (what, old, new) in [
        ("policies", &before.run.policy, &after.run.policy),
        ("versions of ringfence", &before.run.version, &after.run.version),
    ] {
        if old != new {
            remarks.push(format!("the runs have two {what}, {old} and {new}"));
        }
    }
    for (which, report) in [("first", before), ("second", after)] {
        if !report.run.complete {
            remarks.push(format!("the {which} run is not complete"));
        }
    }
    remarks
}

fn findings(report: &Report) -> BTreeMap<&str, (&ScenarioResult, &Finding)> {
    let all =
        report.results.iter().flat_map(|result| result.verdict.findings.iter().map(move |finding| (result, finding)));
    all.map(|(result, finding)| (finding.fingerprint.as_str(), (result, finding))).collect()
}

fn states(report: &Report) -> BTreeMap<&str, &'static str> {
    let state = |result: &ScenarioResult| if result.verdict.waived() { "waived" } else { result.verdict.state.word() };
    report.results.iter().map(|result| (result.verdict.scenario.as_str(), state(result))).collect()
}

fn changed(result: &ScenarioResult, finding: &Finding) -> Changed {
    Changed {
        scenario: result.verdict.scenario.clone(),
        title: result.title.clone(),
        step: finding.step.clone(),
        severity: finding.severity,
        fingerprint: finding.fingerprint.clone(),
    }
}

#[cfg(test)]
mod tests;
