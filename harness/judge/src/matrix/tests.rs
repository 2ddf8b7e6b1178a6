use ringfence_model::verdict::{Finding, Line, Severity};

use super::*;
use crate::fixtures;

fn result(id: &str, state: State, waived: bool, claims: &[&str], controls: &[&str]) -> ScenarioResult {
    let list = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    let finding = Finding {
        message: Line::ours("m"),
        expected: "e".into(),
        step: None,
        severity: Severity::High,
        fingerprint: "v1:0".into(),
        waived: waived.then(|| "r".into()),
        standing: None,
        first_seen: None,
    };
    let mut result =
        ScenarioResult { claims: list(claims), controls: list(controls), ..fixtures::result::result(id, state) };
    result.verdict.findings.extend((state == State::Fail).then_some(finding));
    result
}

fn claim(id: &str, testable: &str) -> Claim {
    Claim {
        id: id.into(),
        document: "d".into(),
        statement: "s".into(),
        kind: "promise".into(),
        testable: testable.into(),
        how: "It lies with the operator.".into(),
    }
}

fn control(id: &str, bearing: &str, manual: bool) -> Control {
    Control {
        id: id.into(),
        framework: "f".into(),
        section: "1".into(),
        strength: "must".into(),
        meaning: "m".into(),
        confidence: "read".into(),
        bearing: bearing.into(),
        manual,
    }
}

/// What the run says about one clause on which scenarios in these states bear, and others that were not asked.
#[track_caller]
fn clause(bearing: &str, states: &[State], not_asked: usize, met: Met, why: &str) {
    let results: Vec<_> =
        states.iter().enumerate().map(|(i, state)| result(&format!("a/{i}"), *state, false, &[], &["f/1"])).collect();
    let bearings: Vec<_> = (0..not_asked)
        .map(|i| Bearing { scenario: format!("z/{i}"), claims: Vec::new(), controls: vec!["f/1".into()] })
        .collect();
    let controls = [control("f/1", bearing, false)];
    let standards = Standards { claims: &[], controls: &controls, bearings: &bearings };
    let row = matrices(&results, standards, "cognigy").control_matrix.remove(0);
    assert_eq!((row.met, row.why.as_str()), (met, why), "{bearing} {states:?}");
    assert_eq!((row.scenarios.len(), row.not_asked.len()), (states.len(), not_asked));
}

#[test]
fn only_what_was_asked_and_passed_is_met() {
    use State::{Error, Fail, Inconclusive, NotApplicable, Pass, Skipped};
    clause("direct", &[Pass, Pass], 0, Met::Met, "2 passed");
    clause("direct", &[Pass, NotApplicable], 0, Met::Met, "1 passed");
    clause("direct", &[Pass, Fail], 0, Met::NotMet, "1 passed, 1 failed");
    clause("direct", &[Fail, Inconclusive], 2, Met::NotMet, "1 failed, 1 gave no verdict, 2 were no part of the run");
    for open in [Inconclusive, Error, Skipped] {
        clause("direct", &[Pass, open], 0, Met::Partly, "1 passed, 1 gave no verdict");
        clause("direct", &[open], 0, Met::NotTested, "1 gave no verdict");
    }
    clause("direct", &[Pass], 1, Met::Partly, "1 passed, 1 was no part of the run");
    clause("direct", &[NotApplicable], 0, Met::NotTested, "1 did not apply");
    clause("direct", &[], 1, Met::NotTested, "1 was no part of the run");
}

#[test]
fn what_only_bears_on_a_clause_never_settles_it() {
    use State::{Fail, Inconclusive, Pass};
    let supports = "what is seen supports a judgement of the clause and does not make it";
    let analogy = "the clause is a rule of another domain, taken as a yardstick";
    clause("supports", &[Pass], 0, Met::Partly, &format!("1 passed; {supports}"));
    clause("analogy", &[Pass], 0, Met::Partly, &format!("1 passed; {analogy}"));
    clause("analogy", &[Fail], 0, Met::Partly, &format!("1 failed; {analogy}"));
    clause("supports", &[Inconclusive], 0, Met::NotTested, "1 gave no verdict");
}

#[test]
fn every_claim_of_the_vendor_has_a_row_and_others_are_yardsticks() {
    let claims = [
        claim("cognigy/C10", "yes"),
        claim("cognigy/C2", "no"),
        claim("cognigy/C9", "yes"),
        claim("cognigy/C11", "partly"),
        claim("vonage/V1", "yes"),
        claim("vonage/V2", "yes"),
    ];
    let results = [
        result("a/b", State::Pass, false, &["cognigy/C10", "cognigy/C11", "vonage/V1", "cognigy/C2"], &[]),
        result("a/c", State::Pass, false, &["vonage/V1"], &[]),
    ];
    // Another vendor's claim on which only scenarios outside the run bear is nobody's question here.
    let outside = Bearing { scenario: "z/z".into(), claims: vec!["vonage/V2".into()], controls: Vec::new() };
    let standards = Standards { claims: &claims, bearings: &[outside], ..Standards::default() };
    let matrices = matrices(&results, standards, "cognigy");
    let rows: Vec<_> = matrices.claim_matrix.iter().map(|row| (row.id.as_str(), row.met, row.why.as_str())).collect();
    assert_eq!(
        rows,
        [
            ("cognigy/C2", Met::NotTestable, "It lies with the operator"),
            ("cognigy/C9", Met::NotTested, "no scenario bears on it yet"),
            ("cognigy/C10", Met::Met, "1 passed"),
            ("cognigy/C11", Met::Partly, "1 passed; a client sees only a part of what the claim says"),
            ("vonage/V1", Met::Partly, "2 passed; the claim is another vendor's and a yardstick here"),
        ]
    );
    let texts: Vec<_> = matrices.claims.iter().map(|claim| claim.id.as_str()).collect();
    assert_eq!(texts, rows.iter().map(|row| row.0).collect::<Vec<_>>(), "every row has its text");
}

#[test]
fn a_part_of_a_claim_is_enough_to_break_it() {
    let claims = [claim("cognigy/C11", "partly")];
    let results = [result("a/b", State::Fail, false, &["cognigy/C11"], &[])];
    let standards = Standards { claims: &claims, ..Standards::default() };
    assert_eq!(matrices(&results, standards, "cognigy").claim_matrix[0].met, Met::NotMet);
}

#[test]
fn what_is_manual_is_not_testable_whoever_names_it() {
    let controls = [control("f/1", "direct", true), control("f/2", "supports", true), control("f/3", "direct", false)];
    let results = [result("a/b", State::Pass, false, &[], &["f/1"])];
    let standards = Standards { controls: &controls, ..Standards::default() };
    let rows = matrices(&results, standards, "sip").control_matrix;
    let met: Vec<_> = rows.iter().map(|row| (row.id.as_str(), row.met)).collect();
    assert_eq!(met, [("f/1", Met::NotTestable), ("f/2", Met::NotTestable)], "what nobody names has no row");
}

#[test]
fn a_waiver_meets_nothing() {
    let controls = [control("f/1", "direct", false)];
    let results = [result("a/b", State::Fail, true, &[], &["f/1"]), result("a/c", State::Pass, false, &[], &["f/1"])];
    let standards = Standards { controls: &controls, ..Standards::default() };
    let row = matrices(&results, standards, "sip").control_matrix.remove(0);
    assert_eq!(
        (row.met, row.why.as_str()),
        (Met::NotMet, "1 passed, 1 failed; what failed is waived: accepted, and not met")
    );
}
