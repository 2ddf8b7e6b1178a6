//! What the template shows: a report as texts that are safe on one line, in the order of the page.

use ringfence_model::report::{Report, ScenarioResult};
use ringfence_model::verdict::Severity;
use serde::Serialize;
use serde_json::Value;

use super::results::{ResultView, result};
use super::stages::{StageView, stages};
use super::summary::{Point, points};
use crate::areas;
use crate::escape::{self, prose};
use crate::facts::{self, Row, Sorted};

/// Units of the bar of states, from end to end.
const BAR: u64 = 1000;

/// The page.
#[derive(Serialize)]
pub struct Page {
    target: String,
    format: String,
    version: String,
    run_id: String,
    started: String,
    gate: GateView,
    severities: Vec<Tile>,
    states: Vec<Tile>,
    bar: String,
    judged: usize,
    required: usize,
    points: Vec<Point>,
    scope: Vec<Row>,
    endpoints: Vec<Row>,
    run: Vec<Row>,
    declared: Vec<Row>,
    stages: Vec<StageView>,
    findings: Vec<ResultView>,
    untested: Vec<ResultView>,
    passed: Vec<Group>,
    passed_count: usize,
}

#[derive(Serialize)]
struct GateView {
    class: &'static str,
    mark: &'static str,
    word: String,
    sentence: String,
    code: u8,
    meaning: &'static str,
    also: Vec<String>,
    fail_on: &'static str,
    policy: String,
    not_asked: Option<String>,
    /// Why the run is not whole, if it is not.
    cut_short: Option<String>,
}

/// A number with its name, and its part of the bar.
#[derive(Serialize)]
struct Tile {
    class: &'static str,
    mark: &'static str,
    word: &'static str,
    count: u64,
    x: u64,
    width: u64,
}

#[derive(Serialize)]
struct Group {
    name: &'static str,
    results: Vec<ResultView>,
}

/// The page of a report.
pub fn page(report: &Report) -> Page {
    let sorted = Sorted::of(report);
    let (judged, required) = facts::coverage(report);
    let results = |list: &[&ScenarioResult]| list.iter().map(|r| result(report, r)).collect();
    let run = &report.run;
    let states = states(report);
    Page {
        target: facts::target_name(report),
        format: prose(&report.format),
        version: prose(&run.version),
        run_id: prose(&run.id),
        started: moment(&run.started),
        gate: gate(report),
        severities: severities(report),
        bar: states.iter().map(|tile| format!("{} {}", tile.count, tile.word)).collect::<Vec<_>>().join(", "),
        states,
        judged,
        required,
        points: points(report, &sorted),
        scope: scope(report),
        endpoints: endpoints(&run.target),
        run: run_rows(report),
        declared: run.target.as_object().map(|target| facts::rows(target).0).unwrap_or_default(),
        stages: stages(&sorted),
        findings: results(&sorted.findings),
        untested: results(&sorted.untested),
        passed: groups(report, &sorted),
        passed_count: sorted.passed.len(),
    }
}

/// Class and shape of a severity.
pub fn severity_look(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Critical => ("critical", "◆"),
        Severity::High => ("high", "▲"),
        Severity::Medium => ("medium", "●"),
        Severity::Low => ("low", "■"),
    }
}

/// The anchor of a result.
pub fn anchor(id: &str) -> String {
    format!("s-{}", escape::slug(id))
}

/// An RFC 3339 moment as people write it; anything else as it stands.
fn moment(text: &str) -> String {
    match text.strip_suffix('Z').and_then(|text| text.split_once('T')) {
        Some((date, time)) => prose(&format!("{date} {time} UTC")),
        None => prose(text),
    }
}

fn gate(report: &Report) -> GateView {
    let gate = &report.gate;
    let (class, mark) = match gate.code {
        0 => ("pass", "✓"),
        1 => ("critical", "✗"),
        _ => ("open", "?"),
    };
    let also = gate.conditions.iter().filter(|exit| **exit != gate.exit);
    let by = report.run.signal.as_deref().map(|signal| format!(" by {}", prose(signal))).unwrap_or_default();
    GateView {
        class,
        mark,
        word: prose(&gate.word),
        sentence: prose(&gate.sentence),
        code: gate.code,
        meaning: gate.exit.meaning(),
        also: also.map(|exit| format!("{} ({})", exit.meaning(), exit.code())).collect(),
        fail_on: gate.fail_on.word(),
        policy: prose(&report.run.policy),
        not_asked: facts::not_asked(report),
        cut_short: (!report.run.complete)
            .then(|| format!("The run was ended early{by}: what follows is not everything.")),
    }
}

fn severities(report: &Report) -> Vec<Tile> {
    let counts = &report.counts;
    let of = [counts.critical, counts.high, counts.medium, counts.low];
    Severity::WORST_FIRST
        .into_iter()
        .zip(of)
        .map(|(severity, count)| {
            let (class, mark) = severity_look(severity);
            Tile { class, mark, word: severity.word(), count, x: 0, width: 0 }
        })
        .collect()
}

fn states(report: &Report) -> Vec<Tile> {
    let counts = &report.counts;
    let all = [
        ("critical", "✗", "failed", counts.fail),
        ("open", "?", "inconclusive", counts.inconclusive),
        ("error", "!", "error", counts.error),
        ("waived", "○", "skipped", counts.skipped),
        ("left", "–", "not applicable", counts.not_applicable),
        ("pass", "✓", "passed", counts.pass),
    ];
    let total = counts.scenarios.max(1);
    let mut before = 0;
    all.into_iter()
        .map(|(class, mark, word, count)| {
            let x = before * BAR / total;
            before += count;
            Tile { class, mark, word, count, x, width: before * BAR / total - x }
        })
        .collect()
}

fn scope(report: &Report) -> Vec<Row> {
    let target = &report.run.target;
    let field = |name: &str| target.get(name).filter(|value| !value.is_null()).map(facts::shown);
    let policy = format!("{}: {}", prose(&report.run.policy), prose(&report.run.policy_title));
    let rows = [
        ("Deployment", Some(facts::target_name(report))),
        ("Adapter", field("adapter")),
        ("Policy", Some(policy)),
        (
            "Authorization",
            field("authorization").or_else(|| Some("none stated: addresses of this machine only".into())),
        ),
        ("Pages that may use it", field("trusted_origins")),
        ("Destinations called", field("destinations")),
        ("Gate", Some(format!("closes at {} and above", report.gate.fail_on.word()))),
    ];
    rows.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value))).collect()
}

fn endpoints(target: &Value) -> Vec<Row> {
    let list = target.get("endpoints").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |entry: &Value, name: &str| entry.get(name).map(facts::shown).unwrap_or_default();
    list.iter().take(facts::ROWS_MAX).map(|entry| (text(entry, "name"), text(entry, "url"))).collect()
}

fn run_rows(report: &Report) -> Vec<Row> {
    let run = &report.run;
    let rows = [
        ("Run", Some(prose(&run.id))),
        ("Began", Some(moment(&run.started))),
        ("Took", Some(facts::duration(run.duration_ms))),
        ("Complete", Some(if run.complete { "yes".into() } else { "no".to_owned() })),
        ("Steps, conversations", Some(format!("{}, {}", run.steps, run.conversations))),
        ("Processor time", run.cpu_ms.map(facts::duration)),
        ("Largest memory", run.peak_rss_kib.map(facts::memory)),
        ("ringfence", Some(prose(&run.version))),
    ];
    rows.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value))).collect()
}

fn groups(report: &Report, sorted: &Sorted) -> Vec<Group> {
    let of = |index: usize| {
        let here = sorted.passed.iter().filter(|r| areas::stage(&r.verdict.scenario) == index);
        here.map(|r| result(report, r)).collect::<Vec<_>>()
    };
    let groups = areas::STAGES.iter().enumerate().map(|(i, stage)| Group { name: stage.name, results: of(i) });
    groups.filter(|group| !group.results.is_empty()).collect()
}
