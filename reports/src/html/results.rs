//! One result as the template shows it.

use ringfence_model::report::{Report, ScenarioResult, Standing, StepEvidence};
use ringfence_model::standards::Control;
use ringfence_model::verdict::{Confidence, Finding, Intrusion, Level, Line, State};
use serde::Serialize;

use super::view::anchor;
use crate::escape::{self, prose};
use crate::facts::{self, Row};
use crate::sorted::Look;
use crate::tally;

/// One result.
#[derive(Serialize)]
pub struct ResultView {
    id: String,
    anchor: String,
    title: String,
    class: &'static str,
    mark: &'static str,
    word: &'static str,
    /// What stands before the title, which says what is wrong when a scenario fails.
    whether: &'static str,
    /// How bad it is or would be.
    severity: &'static str,
    level: &'static str,
    informative: bool,
    /// How it stands against the baseline.
    standing: &'static str,
    /// Passed or failed.
    judged: bool,
    confidence: String,
    unsure: bool,
    intrusion: &'static str,
    elapsed: String,
    /// The fault of the lab that shows that it can fail.
    proved: String,
    findings: Vec<FindingView>,
    reasons: Vec<Vec<(bool, String)>>,
    to_enable: Option<String>,
    notes: Vec<Vec<(bool, String)>>,
    why: String,
    how: String,
    remedy: String,
    limits: String,
    reproduce: String,
    claims: Vec<Row>,
    controls: Vec<ControlView>,
    steps: Vec<StepView>,
}

#[derive(Serialize)]
struct FindingView {
    message: Vec<(bool, String)>,
    expected: String,
    step: Option<String>,
    severity: &'static str,
    standing: &'static str,
    waived: Option<String>,
    fingerprint: String,
    values: Vec<Row>,
}

#[derive(Serialize)]
struct ControlView {
    id: String,
    strength: String,
    meaning: String,
    bearing: String,
    /// Where an RFC can be read; made of its number alone.
    href: Option<String>,
}

#[derive(Serialize)]
struct StepView {
    name: String,
    probe: String,
    control: bool,
    not_asked: Option<String>,
    telling: Vec<Row>,
    with: Vec<Row>,
    seen: Vec<Row>,
    left_out: usize,
}

/// Results of one state and one reason.
#[derive(Serialize)]
pub struct GroupView {
    /// Asked, but without a verdict: each stands alone, with its evidence.
    asked: bool,
    results: Vec<ResultView>,
}

/// The view of results without a verdict.
pub fn untested(report: &Report, results: &[&ScenarioResult]) -> GroupView {
    let asked = results.iter().any(|r| matches!(r.verdict.state, State::Inconclusive | State::Error));
    GroupView { asked, results: results.iter().map(|r| result(report, r)).collect() }
}

/// The view of a result.
pub fn result(report: &Report, result: &ScenarioResult) -> ResultView {
    let verdict = &result.verdict;
    let Look { class, mark, word } = Look::of(verdict);
    let lines = |lines: &[Line]| lines.iter().map(escape::pieces).collect();
    ResultView {
        id: prose(&verdict.scenario),
        anchor: anchor(&verdict.scenario),
        title: prose(&result.title),
        class,
        mark,
        word,
        whether: match verdict.state {
            State::Fail => "",
            State::Pass => "Not found:",
            State::Inconclusive | State::Error => "Unknown whether:",
            State::Skipped => "Not asked whether:",
            State::NotApplicable => "Does not arise here:",
        },
        severity: verdict.severity.word(),
        level: match verdict.level {
            Level::Must => "must",
            Level::Should => "should",
            Level::Info => "for information",
        },
        informative: verdict.level == Level::Info,
        standing: verdict.findings.iter().find_map(|finding| finding.standing).map_or("", standing),
        judged: matches!(verdict.state, State::Pass | State::Fail),
        confidence: match verdict.confidence {
            Confidence::High => "high".into(),
            Confidence::Low => format!("low: {} tries gave different answers", verdict.tries),
        },
        unsure: verdict.confidence == Confidence::Low,
        intrusion: match result.intrusion {
            Intrusion::Passive => "passive",
            Intrusion::Active => "active",
            Intrusion::Disruptive => "disruptive",
        },
        elapsed: facts::duration(result.elapsed_ms),
        proved: result.proved.as_deref().map(prose).unwrap_or_default(),
        findings: findings(report, result),
        reasons: lines(&verdict.reasons),
        to_enable: verdict.to_enable.as_deref().map(|text| escape::lines(text).join("\n")),
        notes: lines(&verdict.notes),
        why: prose(&result.manual.why),
        how: prose(&result.manual.how),
        remedy: prose(&result.manual.remedy),
        limits: prose(&result.manual.limits),
        reproduce: prose(&result.reproduce),
        claims: claims(report, result),
        controls: result.controls.iter().map(|id| control(report, id)).collect(),
        steps: result.evidence.iter().map(step).collect(),
    }
}

/// How a finding stands against the baseline, in a word or two.
fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::New => "new",
        Standing::Reopened => "reopened",
        Standing::Unchanged => "known",
    }
}

fn findings(report: &Report, result: &ScenarioResult) -> Vec<FindingView> {
    let view = |finding: &Finding| FindingView {
        message: escape::pieces(&finding.message),
        expected: prose(&finding.expected),
        step: finding.step.as_deref().map(prose),
        severity: finding.severity.word(),
        standing: finding.standing.map_or("", standing),
        waived: tally::waived(report, result, finding),
        fingerprint: prose(&finding.fingerprint),
        values: facts::decisive(result, finding),
    };
    result.verdict.findings.iter().map(view).collect()
}

fn claims(report: &Report, result: &ScenarioResult) -> Vec<Row> {
    let text = |id: &String| report.claims.iter().find(|claim| claim.id == *id).map(|claim| prose(&claim.statement));
    result.claims.iter().map(|id| (prose(id), text(id).unwrap_or_default())).collect()
}

fn control(report: &Report, id: &str) -> ControlView {
    let control: Option<&Control> = report.controls.iter().find(|control| control.id == id);
    let text = |field: fn(&Control) -> &String| control.map(|control| prose(field(control))).unwrap_or_default();
    let number = id.strip_prefix("rfc").and_then(|rest| rest.split('/').next()).and_then(|n| n.parse::<u16>().ok());
    ControlView {
        id: prose(id),
        strength: text(|control| &control.strength),
        meaning: text(|control| &control.meaning),
        bearing: text(|control| &control.bearing),
        href: number.map(|number| format!("https://www.rfc-editor.org/rfc/rfc{number}")),
    }
}

fn step(step: &StepEvidence) -> StepView {
    let (seen, left_out) = facts::rows(&step.observation);
    StepView {
        name: prose(&step.step),
        probe: prose(&step.probe),
        control: step.control,
        not_asked: step.not_asked.as_deref().map(prose),
        telling: facts::telling(step),
        with: facts::rows(&step.with).0,
        seen,
        left_out,
    }
}
