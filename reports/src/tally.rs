//! What is counted, in words: the same words in every renderer.

use ringfence_model::report::{Report, ScenarioResult, WaiverState, WaiverUse};
use ringfence_model::verdict::{Finding, Severity, State};
use serde_json::Value;

use crate::escape;

/// A number with its noun.
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// What a person counts first: failed, passed, and whatever else there is.
pub fn tally(report: &Report) -> String {
    let counts = &report.counts;
    let by_severity: Vec<_> = Severity::WORST_FIRST
        .into_iter()
        .zip([counts.critical, counts.high, counts.medium, counts.low])
        .filter(|(_, number)| *number > 0)
        .map(|(severity, number)| format!("{number} {}", severity.word()))
        .collect();
    let failed = if by_severity.is_empty() { String::new() } else { format!(" ({})", by_severity.join(", ")) };
    let mut said = vec![format!("{} failed{failed}", counts.fail), format!("{} passed", counts.pass)];
    let others = [
        (counts.waived, "waived"),
        (counts.inconclusive, "inconclusive"),
        (counts.error, "in error"),
        (counts.skipped, "skipped"),
        (counts.not_applicable, "not applicable"),
    ];
    said.extend(others.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}")));
    format!("{}: {}", count(counts.scenarios, "scenario"), said.join(", "))
}

/// How many scenarios were not asked, where there are such, and how many of them are grave.
pub fn not_asked(report: &Report) -> Option<String> {
    let skipped = || report.results.iter().filter(|r| r.verdict.state == State::Skipped);
    let grave = skipped().filter(|r| r.verdict.severity >= Severity::High).count();
    (report.counts.skipped > 0).then(|| {
        let of = count(report.counts.scenarios, "scenario");
        let grave = if grave > 0 { format!(" ({grave} of high or critical severity)") } else { String::new() };
        format!("{} of {of} not asked{grave}: nothing is known about them", report.counts.skipped)
    })
}

/// Of the required scenarios, how many got a verdict, and how many there are.
pub fn coverage(report: &Report) -> (usize, usize) {
    let required = report.results.iter().filter(|r| r.verdict.required());
    let judged = |r: &&ScenarioResult| matches!(r.verdict.state, State::Pass | State::Fail | State::NotApplicable);
    (required.clone().filter(judged).count(), required.count())
}

/// Name of the deployment.
pub fn target_name(report: &Report) -> String {
    let name = report.run.target.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
    escape::visible(name.unwrap_or("unnamed"))
}

/// How the findings stand against the baseline, where there was one.
pub fn delta(report: &Report) -> Option<String> {
    let delta = report.delta.as_ref()?;
    let mut said = vec![
        format!("{} new", delta.new),
        format!("{} reopened", delta.reopened),
        format!("{} unchanged", delta.unchanged),
        format!("{} fixed", delta.fixed.len()),
    ];
    if !delta.not_judged.is_empty() {
        said.push(format!("{} not judged this time", delta.not_judged.len()));
    }
    if delta.new_only {
        said.push("the gate looks at new and reopened ones only".to_owned());
    }
    Some(format!("against the baseline of {}: {}", escape::prose(&delta.baseline), said.join(", ")))
}

/// The waiver by which a finding is accepted.
pub fn waiver<'a>(report: &'a Report, result: &ScenarioResult, finding: &Finding) -> Option<&'a WaiverUse> {
    let own = |waiver: &&WaiverUse| {
        waiver.state == WaiverState::Used
            && waiver.scenario == result.verdict.scenario
            && waiver.fingerprint == finding.fingerprint
    };
    finding.waived.as_ref().and_then(|_| report.waivers.iter().find(own))
}

/// Until when a finding is accepted, and why; nothing where it is not.
pub fn waived(report: &Report, result: &ScenarioResult, finding: &Finding) -> Option<String> {
    let reason = escape::prose(finding.waived.as_ref()?);
    Some(match waiver(report, result, finding) {
        Some(waiver) => format!("waived until {}: {reason}", escape::prose(&waiver.expires)),
        None => format!("waived: {reason}"),
    })
}

/// Waivers that need a hand: what ended, and what no finding of this run answers to.
pub fn waiver_trouble(report: &Report) -> Vec<String> {
    let told = |waiver: &WaiverUse| {
        let id = escape::prose(&waiver.scenario);
        match waiver.state {
            WaiverState::Used | WaiverState::NotJudged => None,
            WaiverState::Expired => Some(format!(
                "the waiver of {id} ended on {}: its finding counts again",
                escape::prose(&waiver.expires)
            )),
            WaiverState::Unused => Some(format!("the waiver of {id} is unused: no finding of this run is its own")),
        }
    };
    report.waivers.iter().filter_map(told).collect()
}

/// What was seen, of every finding that counts; of a waived result, of every finding.
pub fn seen(result: &ScenarioResult) -> Vec<&Finding> {
    let verdict = &result.verdict;
    verdict.findings.iter().filter(|finding| verdict.waived() || finding.waived.is_none()).collect()
}
