//! Reports with given texts in some places.

use std::sync::LazyLock;

use ringfence_model::report::Report;
use serde_json::{Map, Value};

/// A report of a broken deployment, as `reports/samples` keeps it: every state of a verdict, waivers, claims and clauses.
const SAMPLE: &str = include_str!("../../../../reports/samples/broken.json");

static REPORT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(SAMPLE).expect("a report of ours"));

/// Texts that the format itself fixes: a report with others is none.
const FIXED: [&str; 12] = [
    "format",
    "exit",
    "conditions",
    "fail_on",
    "intrusion",
    "state",
    "severity",
    "level",
    "confidence",
    "standing",
    "met",
    "lab",
];
/// Texts by which parts of a report find each other: each keeps its own and gets the other behind it.
const NAMES: [&str; 7] = ["scenario", "scenarios", "id", "claims", "controls", "fingerprint", "unproved"];
/// Objects whose names are the target's as well.
const FREE: [&str; 3] = ["with", "observation", "target"];

/// How many texts of the sample can be replaced.
pub fn places() -> usize {
    static PLACES: LazyLock<usize> = LazyLock::new(|| {
        let mut count = 0;
        walk(&mut REPORT.clone(), "", false, &mut |_, _| {
            count += 1;
            None
        });
        count
    });
    *PLACES
}

/// The sample with each text in its place, counted from 0 and round again; what is observed gets fields of that name as well.
pub fn with(texts: &[(usize, String)]) -> Report {
    let mut report = REPORT.clone();
    let mut at = 0;
    walk(&mut report, "", false, &mut |name, text| {
        let found = texts.iter().find(|(place, _)| place % places() == at);
        at += 1;
        found.map(|(_, new)| if NAMES.contains(&name) { format!("{text}{new}") } else { new.clone() })
    });
    serde_json::from_value(report).expect("texts alone were changed")
}

/// Asks for another text in each place. The places are the same whatever was answered.
fn walk(value: &mut Value, name: &str, free: bool, other: &mut impl FnMut(&str, &str) -> Option<String>) {
    match value {
        Value::String(text) if free || !FIXED.contains(&name) => {
            if let Some(new) = other(if free { "" } else { name }, text) {
                *text = new;
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|item| walk(item, name, free, other)),
        Value::Object(map) => {
            let names: Map<String, Value> = std::mem::take(map);
            for (name, mut value) in names {
                // A field that the target named, beside the one that was there.
                let extra = if free { other("", &name) } else { None };
                walk(&mut value, &name, free || FREE.contains(&name.as_str()), other);
                if let Some(extra) = extra {
                    map.insert(extra, value.clone());
                }
                map.insert(name, value);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_can_be_reached_and_changes_the_report() {
        assert!(places() > 400, "{}", places());
        let sample = serde_json::to_value(with(&[])).expect("JSON");
        for place in (0..places()).step_by(7) {
            let changed = serde_json::to_string(&with(&[(place, "☠".to_owned())])).expect("JSON");
            assert!(changed.contains('☠') && !sample.to_string().contains('☠'), "place {place}");
        }
    }
}
