use ringfence_model::report::Report;
use serde_json::json;

use super::*;
use crate::fixtures::run::{Run, refused_call};
use crate::fixtures::{good_call, object};
use crate::{Assessment, Standards, assess};

fn report(echoed: i64, status: i64) -> Report {
    let mut call = refused_call();
    call.extend(object(json!({ "media": { "authenticated": echoed, "echoed": echoed } })));
    let run = Run::new()
        .saw(1, "ok", good_call().into())
        .saw(1, "c", call.into())
        .saw(1, "h", json!({ "outcome": "answered", "status": status, "location": "x" }))
        .saw(1, "g", json!({ "outcome": "closed" }))
        .end();
    of(&run)
}

fn of(run: &Run) -> Report {
    assess(&run.0, &Run::library(), Standards::default(), &Assessment::default())
}

fn compared(before: &Report, after: &Report, baseline: Option<&Baseline>) -> Diff {
    diff(before, after, baseline).unwrap_or_else(|targets| panic!("{targets:?}"))
}

#[test]
fn findings_are_sorted_into_lists() {
    let (before, after) = (report(5, 403), report(0, 200));
    let diff = compared(&before, &after, None);
    assert_eq!((diff.new.len(), diff.fixed.len(), diff.unchanged.len(), diff.not_judged.len()), (1, 1, 0, 0));
    assert_eq!(diff.new[0].step.as_deref(), Some("h"));
    assert!(diff.worse() && diff.states.is_empty());
    let same = compared(&before, &before, None);
    assert_eq!((same.unchanged.len(), same.worse()), (1, false));
    let better = compared(&before, &report(0, 403), None);
    assert_eq!((better.fixed.len(), better.worse(), better.states.len()), (1, false, 0));
}

#[test]
fn what_came_back_is_told_with_a_baseline() {
    let mut baseline = Baseline::of(&report(5, 403));
    let fixed = report(0, 403);
    baseline.update(&fixed);
    let diff = compared(&fixed, &report(5, 200), Some(&baseline));
    assert_eq!((diff.reopened.len(), diff.new.len()), (1, 1));
    assert!(diff.worse());
}

#[test]
fn what_was_not_judged_again_is_not_fixed_and_states_are_told() {
    let open = of(&Run::new().one(1, json!({ "status": 503 })).end());
    let diff = compared(&report(5, 403), &open, None);
    assert_eq!((diff.fixed.len(), diff.not_judged.len(), diff.worse()), (0, 1, false));
    let state = |before, after| vec![StateChange { scenario: "a/b".into(), before, after }];
    assert_eq!(diff.states, state("fail", "inconclusive"));
    assert_eq!(compared(&report(0, 403), &open, None).states, state("pass", "inconclusive"));
    let mut nothing = open.clone();
    nothing.results.clear();
    assert_eq!(compared(&nothing, &open, None).states, state("no part of the run", "inconclusive"));
}

#[test]
fn runs_of_two_targets_are_not_compared_and_other_differences_are_remarked() {
    let before = report(0, 403);
    let mut after = before.clone();
    after.run.target = json!({ "name": "back-desk" });
    assert_eq!(diff(&before, &after, None), Err(("front-desk".into(), "back-desk".into())));
    let mut after = before.clone();
    (after.run.policy, after.run.complete) = ("asvs-l3".into(), false);
    let remarks = compared(&before, &after, None).remarks;
    assert_eq!(remarks, ["the runs have two policies, webrtc-mti and asvs-l3", "the second run is not complete"]);
}

#[test]
fn a_waived_finding_is_not_new() {
    let (before, mut after) = (report(0, 403), report(5, 403));
    let waive = |report: &mut Report| {
        for finding in report.results.iter_mut().flat_map(|result| &mut result.verdict.findings) {
            finding.waived = Some("r".into());
        }
    };
    waive(&mut after);
    let diff = compared(&before, &after, None);
    assert!(!diff.worse());
    assert_eq!(diff.states, [StateChange { scenario: "a/b".into(), before: "pass", after: "waived" }]);
    assert_eq!(compared(&report(5, 403), &after, None).waived.len(), 1);
}
