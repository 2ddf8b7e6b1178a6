//! The summary for people who will not read the findings: at most five points, each of them counted, none invented.

use ringfence_model::report::{Report, ScenarioResult};
use ringfence_model::verdict::{Severity, State};
use serde::Serialize;

use crate::areas;
use crate::escape;
use crate::sorted::{Look, Sorted};
use crate::tally;

/// Points that a reader takes in (reports of this class of tool).
const POINTS_MAX: usize = 5;

/// One point: what, and how much of it.
#[derive(Serialize)]
pub struct Point {
    class: &'static str,
    strong: String,
    rest: String,
}

/// The points, the worst first.
pub fn points(report: &Report, sorted: &Sorted) -> Vec<Point> {
    let mut areas: Vec<(&str, Vec<&ScenarioResult>)> = Vec::new();
    for result in &sorted.findings {
        let area = areas::area(&result.verdict.scenario);
        match areas.iter_mut().find(|(known, _)| *known == area) {
            Some((_, results)) => results.push(result),
            None => areas.push((area, vec![result])),
        }
    }
    let others: Vec<Point> =
        [accepted(sorted), untested(sorted), passed(report, sorted)].into_iter().flatten().collect();
    let most = POINTS_MAX - others.len();
    let mut points: Vec<Point> = areas.iter().take(most).map(|(area, results)| at_risk(area, results)).collect();
    let further: usize = areas.iter().skip(most).map(|(_, results)| results.len()).sum();
    if let (Some(last), 1..) = (points.last_mut(), further) {
        last.rest += &format!(" {} in other areas: see the list below.", tally::count(further as u64, "more finding"));
    }
    points.extend(others);
    points
}

fn at_risk(area: &str, results: &[&ScenarioResult]) -> Point {
    let by_severity: Vec<_> = Severity::WORST_FIRST
        .iter()
        .map(|severity| (results.iter().filter(|r| r.verdict.severity == *severity).count(), severity.word()))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    Point {
        class: results.first().map_or("info", |r| Look::of(&r.verdict).class),
        strong: format!("{}.", areas::risk(area)),
        rest: format!(
            "{} in “{}”: {}.",
            tally::count(results.len() as u64, "finding"),
            escape::prose(area),
            by_severity.join(", ")
        ),
    }
}

fn accepted(sorted: &Sorted) -> Option<Point> {
    let number = sorted.waived.len() as u64;
    let areas: Vec<_> = sorted.waived.iter().map(|r| areas::risk(areas::area(&r.verdict.scenario))).collect();
    let risk = areas.first().map(|risk| format!("What it says stays true. {risk}.")).unwrap_or_default();
    (number > 0).then(|| Point {
        class: "waived",
        strong: format!("{} accepted by waivers.", tally::count(number, "finding")),
        rest: if number == 1 { risk } else { "What they say stays true; see the waivers for reasons and ends.".into() },
    })
}

fn untested(sorted: &Sorted) -> Option<Point> {
    let of = |state: State| sorted.untested.iter().filter(|r| r.verdict.state == state).count();
    let parts = [
        (of(State::Inconclusive), "asked without an answer that tells"),
        (of(State::Error), "lost to a fault of ringfence itself"),
        (of(State::Skipped), "not asked"),
    ];
    let unknown = parts.iter().map(|(number, _)| number).sum();
    let mut said: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let absent = of(State::NotApplicable);
    let strong = match unknown {
        0 => format!(
            "{} not applicable here.",
            if absent == 1 { "1 promise is".to_owned() } else { format!("{absent} promises are") }
        ),
        _ => format!("About {} nothing is known.", tally::count(unknown as u64, "promise")),
    };
    if unknown > 0 && absent > 0 {
        said.push(format!("{absent} more not applicable"));
    }
    let rest = if unknown > 0 { format!("{}. No verdict is not a pass.", said.join(", ")) } else { String::new() };
    (unknown + absent > 0).then_some(Point { class: if unknown > 0 { "open" } else { "left" }, strong, rest })
}

fn passed(report: &Report, sorted: &Sorted) -> Option<Point> {
    let (judged, required) = tally::coverage(report);
    (!sorted.passed.is_empty()).then(|| Point {
        class: "pass",
        strong: format!("{} seen to hold.", match sorted.passed.len() {
            1 => "1 promise was".to_owned(),
            number => format!("{number} promises were"),
        }),
        rest: format!(
            "{judged} of {required} required scenarios gave a verdict. A pass says that what was tried did not succeed, not that \
             nothing else would."
        ),
    })
}
