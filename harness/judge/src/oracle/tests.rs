use ringfence_model::report::ScopeView;
use ringfence_model::verdict::State;
use serde_json::json;

use super::*;
use crate::fixtures::{self, object};

fn step(probe: &str, with: Value, observation: Value) -> StepEvidence {
    StepEvidence {
        step: "c".into(),
        probe: probe.into(),
        control: false,
        with: object(with),
        observation: object(observation),
        not_asked: None,
    }
}

fn result(id: &str, proved: Option<&str>, evidence: Vec<StepEvidence>) -> ScenarioResult {
    ScenarioResult { proved: proved.map(str::to_owned), evidence, ..fixtures::result::result(id, State::Pass) }
}

/// What one scenario with these steps used; nothing where it sent no media.
#[track_caller]
fn case(steps: Vec<StepEvidence>, oracle: Option<&str>) {
    let used = oracles(&[result("a/b", None, steps)]);
    assert_eq!(
        used.first().map(|used| (used.scenario.as_str(), used.oracle.as_str())),
        oracle.map(|oracle| ("a/b", oracle))
    );
}

#[test]
fn the_best_oracle_of_a_scenario_is_named() {
    let answered = |more: Value| {
        let mut seen = object(json!({ "outcome": "answered", "answered": true }));
        seen.extend(object(more));
        Value::Object(seen)
    };
    let call = |echoed: i64| step("call", json!({}), answered(json!({ "media": { "echoed": echoed } })));
    case(vec![call(0)], Some("none"));
    case(vec![call(0), call(12)], Some("echo"));
    // A good packet that arrived may have been seen by either: the probe says by which.
    for (said, oracle) in [("echo", "echo"), ("reports", "receiver-reports"), ("none", "none")] {
        let seen = answered(json!({ "control_before": true, "control_after": true, "oracle": said }));
        case(vec![call(0), step("media-attack", json!({}), seen)], Some(oracle));
    }
    let rekeyed = answered(json!({ "new_keys_echoed": 4, "old_keys_echoed": 0 }));
    case(vec![call(0), step("rekey", json!({}), rekeyed)], Some("echo"));
    let far = step("call", json!({ "target": "callee" }), answered(json!({ "media": { "echoed": 3 } })));
    case(vec![call(5), far], Some("callee"));
    // Nothing was sent, or no media is in it at all.
    case(vec![step("call", json!({}), json!({ "outcome": "budget" }))], None);
    case(vec![step("fetch-config", json!({}), answered(json!({})))], None);
    let left_out = StepEvidence { not_asked: Some("no endpoint".into()), ..step("call", json!({}), json!({})) };
    case(vec![left_out], None);
}

#[test]
fn a_lab_is_told_from_a_product() {
    let scope = |owner: &str| ScopeView { owner: owner.into(), ..ScopeView::default() };
    let method =
        |owners: &[&str]| Method { scope: owners.iter().map(|owner| scope(owner)).collect(), ..Method::default() };
    let results = [result("a/b", Some("config-on-http"), Vec::new()), result("x/y", None, Vec::new())];
    let lab = basis(&results, &method(&["lab"]));
    assert!(lab.lab && lab.sentence.starts_with("Everything here was seen on a lab, a simulator"), "{}", lab.sentence);
    assert_eq!((lab.proved, lab.unproved.as_slice()), (1, &["x/y".to_owned()][..]));
    for owners in [&["lab", "self"][..], &[]] {
        let product = basis(&results, &method(owners));
        assert!(!product.lab && product.sentence.contains("was proved on the lab only"), "{}", product.sentence);
        assert!(product.sentence.contains("for 1 of 2, and nowhere for the others"), "{}", product.sentence);
    }
    assert!(basis(&results[1..], &method(&["self"])).sentence.contains("has been shown nowhere"));
    assert!(basis(&results[..1], &method(&["self"])).sentence.ends_with("with a fault built in."));
}
