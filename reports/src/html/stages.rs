//! The path of a call with what was found on it.

use ringfence_model::report::ScenarioResult;
use ringfence_model::verdict::State;
use serde::Serialize;

use super::view;
use crate::areas::{ALWAYS, STAGES, stage};
use crate::facts::{self, Sorted};

/// One stage.
#[derive(Serialize)]
pub struct StageView {
    name: &'static str,
    protocol: &'static str,
    class: &'static str,
    mark: &'static str,
    word: String,
    counts: String,
    /// Where its first result stands.
    anchor: Option<String>,
}

/// The stages that every call passes, and those where a scenario lies.
pub fn stages(sorted: &Sorted) -> Vec<StageView> {
    let in_reading_order: Vec<_> =
        sorted.findings.iter().chain(&sorted.untested).chain(&sorted.passed).copied().collect();
    let one = |index: usize| {
        let here: Vec<&ScenarioResult> =
            in_reading_order.iter().copied().filter(|r| stage(&r.verdict.scenario) == index).collect();
        (index < ALWAYS || !here.is_empty()).then(|| view_of(index, &here))
    };
    (0..STAGES.len()).filter_map(one).collect()
}

fn view_of(index: usize, here: &[&ScenarioResult]) -> StageView {
    let of = |states: &[State]| here.iter().filter(|r| states.contains(&r.verdict.state)).count();
    let (failed, passed) = (of(&[State::Fail]), of(&[State::Pass]));
    let open = of(&[State::Inconclusive, State::Error]);
    let left = of(&[State::Skipped, State::NotApplicable]);
    // The worst finding stands first in reading order and gives the stage its look.
    let (class, mark, word) = match here.first() {
        Some(worst) if failed > 0 => {
            let (class, mark) = view::severity_look(worst.verdict.severity);
            (class, mark, facts::count(failed as u64, "finding"))
        }
        Some(_) if open > 0 => ("open", "?", format!("{open} without a verdict")),
        Some(_) if passed > 0 => ("pass", "✓", "holds".into()),
        _ => ("left", "–", "not tested".into()),
    };
    let rest = [(passed, "passed"), (if failed > 0 { open } else { 0 }, "without a verdict"), (left, "not asked")];
    let rest: Vec<_> = rest.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    StageView {
        name: STAGES.get(index).map_or("", |stage| stage.name),
        protocol: STAGES.get(index).map_or("", |stage| stage.protocol),
        class,
        mark,
        word,
        counts: rest.join(", "),
        anchor: here.first().map(|result| view::anchor(&result.verdict.scenario)),
    }
}
