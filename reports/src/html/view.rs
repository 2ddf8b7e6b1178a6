//! What the template shows: a report as texts that are safe on one line, in the order of the page.

use ringfence_model::report::{Report, ScenarioResult};
use ringfence_model::verdict::Severity;
use serde::Serialize;

use super::matrix::{self, StateView, TableView};
use super::method::{MethodView, method};
use super::results::{self, GroupView, ResultView, result};
use super::stages::{PathView, path};
use super::summary::{Point, points};
use super::waivers::{WaiverView, waivers};
use crate::areas;
use crate::escape::{self, prose};
use crate::sorted::{Look, Sorted, alike};
use crate::tally;

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
    /// How the findings stand against the baseline.
    delta: Option<String>,
    /// What the baseline holds and this run saw to hold, and what it did not judge.
    fixed: Vec<FixedView>,
    points: Vec<Point>,
    method: MethodView,
    path: PathView,
    findings: Vec<ResultView>,
    waived: Vec<ResultView>,
    untested: Vec<GroupView>,
    untested_count: usize,
    passed: Vec<Group>,
    passed_count: usize,
    met: Vec<StateView>,
    matrices: Vec<TableView>,
    waivers: Vec<WaiverView>,
    /// Kinds of results that this page has, for the filter.
    kinds: Vec<Tile>,
    classification: String,
}

/// A finding of the baseline that this run has not.
#[derive(Serialize)]
struct FixedView {
    id: String,
    title: String,
    word: &'static str,
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
#[derive(Clone, Serialize)]
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
    let (judged, required) = tally::coverage(report);
    let results = |list: &[&ScenarioResult]| list.iter().map(|r| result(report, r)).collect();
    let run = &report.run;
    let (states, severities) = (states(report), severities(report));
    // What failed stands in the filter by its severity.
    let kinds = severities.iter().chain(states.iter().skip(1)).filter(|tile| tile.count > 0).cloned().collect();
    Page {
        target: tally::target_name(report),
        format: prose(&report.format),
        version: prose(&run.version),
        run_id: prose(&run.id),
        started: moment(&run.started),
        gate: gate(report),
        severities,
        bar: states.iter().map(|tile| format!("{} {}", tile.count, tile.word)).collect::<Vec<_>>().join(", "),
        states,
        judged,
        required,
        points: points(report, &sorted),
        delta: tally::delta(report),
        fixed: fixed(report),
        method: method(report),
        path: path(&sorted),
        findings: results(&sorted.findings),
        waived: results(&sorted.waived),
        untested: alike(&sorted.untested).iter().map(|group| results::untested(report, group)).collect(),
        untested_count: sorted.untested.len(),
        passed: groups(report, &sorted),
        passed_count: sorted.passed.len(),
        met: matrix::states(),
        matrices: matrix::tables(report),
        waivers: waivers(report),
        kinds,
        classification: report.method.classification.as_deref().map(prose).unwrap_or_default(),
    }
}

/// The anchor of a result.
pub fn anchor(id: &str) -> String {
    format!("s-{}", escape::slug(id))
}

/// An RFC 3339 moment as people write it; anything else as it stands.
pub fn moment(text: &str) -> String {
    match text.strip_suffix('Z').and_then(|text| text.split_once('T')) {
        Some((date, time)) => prose(&format!("{date} {time} UTC")),
        None => prose(text),
    }
}

fn gate(report: &Report) -> GateView {
    let gate = &report.gate;
    let Look { class, mark, .. } = Look::of_gate(gate.code);
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
        not_asked: tally::not_asked(report),
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
            let Look { class, mark, word } = Look::of_severity(severity);
            Tile { class, mark, word, count, x: 0, width: 0 }
        })
        .collect()
}

fn states(report: &Report) -> Vec<Tile> {
    let counts = &report.counts;
    let all = [
        ("critical", "✗", "failed", counts.fail),
        ("waived", "‖", "waived", counts.waived),
        ("open", "?", "inconclusive", counts.inconclusive),
        ("error", "!", "error", counts.error),
        ("skipped", "○", "skipped", counts.skipped),
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

fn fixed(report: &Report) -> Vec<FixedView> {
    let Some(delta) = &report.delta else { return Vec::new() };
    let fixed = delta.fixed.iter().map(|fixed| (fixed, "fixed"));
    let not_judged = delta.not_judged.iter().map(|fixed| (fixed, "not judged this time"));
    fixed
        .chain(not_judged)
        .map(|(fixed, word)| FixedView { id: prose(&fixed.scenario), title: prose(&fixed.title), word })
        .collect()
}

fn groups(report: &Report, sorted: &Sorted) -> Vec<Group> {
    let of = |index: usize| {
        let here = sorted.passed.iter().filter(|r| areas::stage(&r.verdict.scenario) == index);
        here.map(|r| result(report, r)).collect::<Vec<_>>()
    };
    let groups = areas::STAGES.iter().enumerate().map(|(i, stage)| Group { name: stage.name, results: of(i) });
    groups.filter(|group| !group.results.is_empty()).collect()
}
