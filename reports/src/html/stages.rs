//! The path of a call with what was found on it: a drawing, and the same in words.

use ringfence_model::report::ScenarioResult;
use ringfence_model::verdict::State;
use serde::Serialize;

use super::view;
use crate::areas::{ALWAYS, STAGES, stage};
use crate::sorted::{Look, Sorted};
use crate::tally;

/// Width of a box of the drawing and of the arrow behind it, in its own units.
const BOX: usize = 156;
const ARROW: usize = 34;
/// Height of a box, and of each line of what else there is.
const HEAD: usize = 92;
const LINE: usize = 17;

/// The drawing and its twin.
#[derive(Serialize)]
pub struct PathView {
    width: usize,
    height: usize,
    /// What the drawing says, in one sentence.
    said: String,
    stages: Vec<StageView>,
}

/// One stage.
#[derive(Serialize)]
struct StageView {
    name: &'static str,
    protocol: &'static str,
    class: &'static str,
    mark: &'static str,
    word: String,
    /// What else there is, one kind each.
    rest: Vec<String>,
    /// Where its first result stands.
    anchor: Option<String>,
    /// Left edge in the drawing.
    x: usize,
}

/// The stages that every call passes, and those where a scenario lies.
pub fn path(sorted: &Sorted) -> PathView {
    let in_reading_order: Vec<_> = sorted.all().collect();
    let one = |index: usize| {
        let here: Vec<&ScenarioResult> =
            in_reading_order.iter().copied().filter(|r| stage(&r.verdict.scenario) == index).collect();
        (index < ALWAYS || !here.is_empty()).then(|| view_of(index, &here))
    };
    let mut stages: Vec<StageView> = (0..STAGES.len()).filter_map(one).collect();
    stages.iter_mut().enumerate().for_each(|(i, stage)| stage.x = i * (BOX + ARROW));
    let said: Vec<_> = stages.iter().map(|stage| format!("{}: {}", stage.name, stage.word)).collect();
    let lines = stages.iter().map(|stage| stage.rest.len()).max().unwrap_or(0);
    let height = HEAD + LINE * lines;
    PathView { height, width: (stages.len() * (BOX + ARROW)).saturating_sub(ARROW), said: said.join("; "), stages }
}

fn view_of(index: usize, here: &[&ScenarioResult]) -> StageView {
    let of = |states: &[State]| here.iter().filter(|r| states.contains(&r.verdict.state)).count();
    let waived = here.iter().filter(|r| r.verdict.waived()).count();
    let (failed, passed) = (of(&[State::Fail]) - waived, of(&[State::Pass]));
    let open = of(&[State::Inconclusive, State::Error]);
    let left = of(&[State::Skipped, State::NotApplicable]);
    // The worst finding stands first in reading order and gives the stage its look.
    let (class, mark, word) = match here.first() {
        Some(worst) if failed > 0 => {
            let look = Look::of(&worst.verdict);
            (look.class, look.mark, tally::count(failed as u64, "finding"))
        }
        Some(_) if open > 0 => ("open", "?", format!("{open} undecided")),
        Some(_) if waived > 0 => ("waived", "‖", format!("{waived} waived")),
        Some(_) if passed > 0 => ("pass", "✓", "holds".into()),
        _ => ("left", "–", "not tested".into()),
    };
    let rest = [
        (passed, "passed"),
        (if failed > 0 { open } else { 0 }, "undecided"),
        (if failed > 0 || open > 0 { waived } else { 0 }, "waived"),
        (left, "not asked"),
    ];
    let rest = rest.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    StageView {
        name: STAGES.get(index).map_or("", |stage| stage.name),
        protocol: STAGES.get(index).map_or("", |stage| stage.protocol),
        class,
        mark,
        word,
        rest,
        anchor: here.first().map(|result| view::anchor(&result.verdict.scenario)),
        x: 0,
    }
}
