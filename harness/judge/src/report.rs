//! The report: verdicts with their evidence and texts, in the form that renderers and JSON take.

use ringfence_model::policy::Policy;
use ringfence_model::report::{Counts, Gate, REPORT_FORMAT, Report, RunInfo, Sampled, ScenarioResult, StepEvidence};
use ringfence_model::scenario::Manual;
use ringfence_model::standards::{Claim, Control};
use ringfence_model::verdict::{Intrusion, Verdict};

use crate::journal::{Journal, Try};
use crate::library::{Library, Loaded};
use crate::matrix::{Bearing, matrices};
use crate::oracle::{basis, oracles};

/// Options of the asking command that belong into the one that reproduces a finding.
const CARRIED: [&str; 3] = ["--target", "--policy", "--scenarios"];

/// Claims and clauses to cite.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standards<'a> {
    /// Claims of vendors.
    pub claims: &'a [Claim],
    /// Clauses of standards.
    pub controls: &'a [Control],
    /// What each scenario of this version bears on, also those that are no part of the run.
    pub bearings: &'a [Bearing],
}

/// Builds the report. The same journal, verdicts and gate give the same report. Waivers and the comparison with a
/// baseline are the caller's to fill in.
pub fn report(
    journal: &Journal,
    verdicts: &[Verdict],
    gate: Gate,
    library: &Library,
    policy: Option<&Policy>,
    standards: Standards<'_>,
) -> Report {
    let mut results: Vec<ScenarioResult> =
        verdicts.iter().map(|verdict| result(journal, verdict, library, policy)).collect();
    results.sort_by(|a, b| a.verdict.scenario.cmp(&b.verdict.scenario));
    let matrices = matrices(&results, standards, journal.header.target["adapter"].as_str().unwrap_or_default());
    let sampled = journal.end.as_ref().map(|end| end.sampled.clone()).unwrap_or_default();
    Report {
        format: REPORT_FORMAT.into(),
        run: run_info(journal, policy),
        gate,
        counts: Counts::of(verdicts),
        method: journal.header.method.clone(),
        sampled: Sampled { oracles: oracles(&results), ..sampled },
        basis: basis(&results, &journal.header.method),
        integrity: journal.integrity(policy),
        results,
        waivers: Vec::new(),
        delta: None,
        claims: matrices.claims,
        controls: matrices.controls,
        claim_matrix: matrices.claim_matrix,
        control_matrix: matrices.control_matrix,
    }
}

fn run_info(journal: &Journal, policy: Option<&Policy>) -> RunInfo {
    let header = &journal.header;
    let end = journal.end.clone().unwrap_or_default();
    RunInfo {
        id: header.id.clone(),
        version: header.version.clone(),
        started: header.started.clone(),
        duration_ms: journal.duration_ms,
        complete: journal.complete(),
        signal: end.signal,
        command: header.command.clone(),
        target: header.target.clone(),
        policy: policy.map_or_else(|| header.policy_name.clone(), |policy| policy.name.clone()),
        policy_title: policy.map_or_else(
            || header.policy["title"].as_str().unwrap_or_default().to_owned(),
            |policy| policy.title.clone(),
        ),
        steps: journal.observations().count() as u64,
        conversations: end.conversations,
        cpu_ms: end.cpu_ms,
        peak_rss_kib: end.peak_rss_kib,
    }
}

fn result(journal: &Journal, verdict: &Verdict, library: &Library, policy: Option<&Policy>) -> ScenarioResult {
    let id = &verdict.scenario;
    let reproduce = reproduce(&journal.header.command, policy.map(|policy| policy.name.as_str()), id);
    let Some(loaded) = library.get(id) else {
        return ScenarioResult {
            title: id.clone(),
            intrusion: Intrusion::Passive,
            verdict: verdict.clone(),
            manual: Manual::default(),
            claims: Vec::new(),
            controls: Vec::new(),
            evidence: Vec::new(),
            proved: None,
            reproduce,
            elapsed_ms: 0,
        };
    };
    let scenario = loaded.scenario();
    let evidence = journal.tries(id).next_back().map_or_else(Vec::new, |(_, tried)| evidence(loaded, tried));
    let elapsed = |step: &StepEvidence| step.observation.get("elapsed_ms").and_then(|elapsed| elapsed.as_u64());
    ScenarioResult {
        title: scenario.title.clone(),
        intrusion: scenario.intrusion,
        verdict: verdict.clone(),
        manual: scenario.manual.clone(),
        claims: scenario.claims.clone(),
        controls: scenario.controls.clone(),
        elapsed_ms: evidence.iter().filter_map(elapsed).fold(0, u64::saturating_add),
        evidence,
        proved: scenario.proof.as_ref().map(|proof| proof.fault.clone()),
        reproduce,
    }
}

/// What each step saw, in the scenario's order; a held step as it was at its end.
fn evidence(loaded: &Loaded, tried: &Try) -> Vec<StepEvidence> {
    let mut steps = Vec::new();
    for step in &loaded.scenario().step {
        let (seen, asked) = (tried.last(&step.name), tried.seen.get(&step.name));
        let not_asked = tried.not_asked.get(&step.name).map(|event| event.why.clone());
        if seen.is_none() && not_asked.is_none() {
            continue;
        }
        steps.push(StepEvidence {
            step: step.name.clone(),
            probe: step.probe.clone(),
            control: step.control.is_some(),
            with: asked.map(|seen| seen.with.clone()).unwrap_or_default(),
            observation: seen.map(|seen| seen.observation.clone()).unwrap_or_default(),
            not_asked,
        });
    }
    steps
}

/// The command that asks one scenario again: the target, policy and scenario folders of the asking one, nothing else; the
/// policy that was judged by, where that is another.
fn reproduce(command: &str, policy: Option<&str>, id: &str) -> String {
    let words = words(command);
    let mut options = Vec::new();
    for option in CARRIED {
        if let Some(name) = policy.filter(|_| option == "--policy") {
            options.push(format!("--policy {name}"));
            continue;
        }
        let given = words.iter().enumerate().filter_map(|(at, word)| match word.strip_prefix(option) {
            Some("") => words.get(at + 1).copied(),
            Some(value) => value.strip_prefix('='),
            None => None,
        });
        let before = options.len();
        options.extend(given.map(|value| format!("{option} {value}")));
        if options.len() == before && option == "--target" {
            options.push("--target target.toml".into());
        }
    }
    format!("ringfence run {} --only {id}", options.join(" "))
}

/// The words of a command as they stand: blanks inside quotes part nothing.
fn words(command: &str) -> Vec<&str> {
    let mut quote = None;
    let parts = command.split(move |c: char| {
        match quote {
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            _ => {}
        }
        quote.is_none() && c.is_whitespace()
    });
    parts.filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests;
