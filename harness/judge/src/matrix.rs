//! The matrices: what a run says about vendors' claims and standards' clauses, and what may not be concluded from it.
//!
//! A row is *met* only where everything that bears on it was asked and what applies passed. Where a scenario cannot
//! decide the matter, the row is *partly* at most, whatever the scenario saw: a clause that it supports or is only a
//! yardstick for, a claim of which a client sees one side, a claim of another vendor.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_model::report::{MatrixRow, Met, ScenarioResult};
use ringfence_model::standards::{Claim, Control};
use ringfence_model::verdict::State;

use crate::report::Standards;

/// What a scenario bears on, as its file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub struct Bearing {
    /// The scenario.
    #[serde(rename = "id")]
    pub scenario: String,
    /// Claims of vendors.
    #[serde(default)]
    pub claims: Vec<String>,
    /// Clauses of standards.
    #[serde(default)]
    pub controls: Vec<String>,
}

/// Both matrices, and the text of every row and of everything that a result names.
pub(crate) struct Matrices {
    pub claims: Vec<Claim>,
    pub controls: Vec<Control>,
    pub claim_matrix: Vec<MatrixRow>,
    pub control_matrix: Vec<MatrixRow>,
}

/// How far what scenarios see can settle a row.
enum Reach<'a> {
    /// Not at all, and why.
    Nothing(&'a str),
    /// It bears on it; this is what it cannot say.
    Bears(&'a str),
    /// It breaks it; that it is kept shows in part only, as this says.
    Breaks(&'a str),
    /// It decides it.
    Decides,
}

/// Builds the matrices. `vendor` is the target's adapter, the part of a claim's id before the slash.
pub(crate) fn matrices(results: &[ScenarioResult], standards: Standards<'_>, vendor: &str) -> Matrices {
    let claims_of = Bearers::new(results, standards.bearings, |result| &result.claims, |bearing| &bearing.claims);
    let controls_of = Bearers::new(results, standards.bearings, |result| &result.controls, |bearing| &bearing.controls);
    let own = |claim: &Claim| claim.id.split('/').next() == Some(vendor);
    let mut claims: Vec<Claim> = standards
        .claims
        .iter()
        .filter(|claim| own(claim) || claims_of.asked.contains_key(claim.id.as_str()))
        .cloned()
        .collect();
    let mut controls: Vec<Control> =
        standards.controls.iter().filter(|control| control.manual || controls_of.name(&control.id)).cloned().collect();
    claims.sort_by_key(|claim| natural(&claim.id));
    controls.sort_by_key(|control| natural(&control.id));
    let claim_matrix = claims.iter().map(|claim| claims_of.row(&claim.id, of_claim(claim, own(claim)))).collect();
    let control_matrix = controls.iter().map(|control| controls_of.row(&control.id, of_control(control))).collect();
    Matrices { claims, controls, claim_matrix, control_matrix }
}

fn of_claim(claim: &Claim, own: bool) -> Reach<'_> {
    match claim.testable.as_str() {
        "no" => Reach::Nothing(&claim.how),
        _ if !own => Reach::Bears("the claim is another vendor's and a yardstick here"),
        "partly" => Reach::Breaks("a client sees only a part of what the claim says"),
        _ => Reach::Decides,
    }
}

fn of_control(control: &Control) -> Reach<'_> {
    match control.bearing.as_str() {
        _ if control.manual => Reach::Nothing("nothing seen from outside could count as evidence; ask for documents"),
        "direct" => Reach::Decides,
        "supports" => Reach::Bears("what is seen supports a judgement of the clause and does not make it"),
        _ => Reach::Bears("the clause is a rule of another domain, taken as a yardstick"),
    }
}

/// The scenarios that bear on each id.
struct Bearers<'a> {
    asked: BTreeMap<&'a str, Vec<&'a ScenarioResult>>,
    not_asked: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Bearers<'a> {
    fn new(
        results: &'a [ScenarioResult],
        bearings: &'a [Bearing],
        named: impl Fn(&'a ScenarioResult) -> &'a Vec<String>,
        would_name: impl Fn(&'a Bearing) -> &'a Vec<String>,
    ) -> Self {
        let mut bearers = Self { asked: BTreeMap::new(), not_asked: BTreeMap::new() };
        let run: BTreeSet<&str> = results.iter().map(|result| result.verdict.scenario.as_str()).collect();
        for result in results {
            for id in named(result) {
                bearers.asked.entry(id).or_default().push(result);
            }
        }
        for bearing in bearings.iter().filter(|bearing| !run.contains(bearing.scenario.as_str())) {
            for id in would_name(bearing) {
                bearers.not_asked.entry(id).or_default().insert(&bearing.scenario);
            }
        }
        bearers
    }

    fn name(&self, id: &str) -> bool {
        self.asked.contains_key(id) || self.not_asked.contains_key(id)
    }

    fn row(&self, id: &str, reach: Reach<'_>) -> MatrixRow {
        let asked = self.asked.get(id).map_or(&[][..], Vec::as_slice);
        let not_asked: Vec<String> = self.not_asked.get(id).into_iter().flatten().map(|id| (*id).to_owned()).collect();
        let (met, why) = conclude(asked, not_asked.len(), reach);
        let scenarios = asked.iter().map(|result| result.verdict.scenario.clone()).collect();
        MatrixRow { id: id.to_owned(), met, why, scenarios, not_asked }
    }
}

/// What may be concluded.
fn conclude(asked: &[&ScenarioResult], not_asked: usize, reach: Reach<'_>) -> (Met, String) {
    if let Reach::Nothing(why) = reach {
        return (Met::NotTestable, why.trim_end_matches('.').to_owned());
    }
    let count = |wanted: &[State]| asked.iter().filter(|result| wanted.contains(&result.verdict.state)).count();
    let (passed, failed) = (count(&[State::Pass]), count(&[State::Fail]));
    let open = count(&[State::Inconclusive, State::Error, State::Skipped]);
    let mut said = Vec::new();
    for (count, what) in [
        (passed, "passed"),
        (failed, "failed"),
        (open, "gave no verdict"),
        (count(&[State::NotApplicable]), if open + passed + failed == 0 { "did not apply" } else { "" }),
        (not_asked, if not_asked == 1 { "was no part of the run" } else { "were no part of the run" }),
    ] {
        if count > 0 && !what.is_empty() {
            said.push(format!("{count} {what}"));
        }
    }
    let waived = asked.iter().filter(|result| result.verdict.waived()).count();
    let waived = match waived {
        0 => "",
        all if all == failed => "what failed is waived: accepted, and not met",
        _ => "a part of what failed is waived: accepted, and not met",
    };
    let why = |limit: &str| {
        let parts = [said.join(", "), waived.to_owned(), limit.to_owned()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
    };
    match reach {
        _ if passed + failed == 0 && said.is_empty() => (Met::NotTested, "no scenario bears on it yet".to_owned()),
        _ if passed + failed == 0 => (Met::NotTested, why("")),
        Reach::Bears(limit) => (Met::Partly, why(limit)),
        _ if failed > 0 => (Met::NotMet, why("")),
        Reach::Breaks(limit) => (Met::Partly, why(limit)),
        _ if open + not_asked > 0 => (Met::Partly, why("")),
        _ => (Met::Met, why("")),
    }
}

/// An order in which `C9` comes before `C10`: text and numbers in turn.
fn natural(id: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = id;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (text, number) = rest.split_at(digits);
        let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        let (number, next) = number.split_at(end);
        parts.push((text.to_owned(), number.parse().unwrap_or(0)));
        rest = next;
    }
    parts
}

#[cfg(test)]
mod tests;
