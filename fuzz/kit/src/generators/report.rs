//! Reports with given texts in some places.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ringfence_model::report::Report;
use serde_json::Value;

/// A report of a broken deployment, as `reports/samples` keeps it: every state of a verdict, waivers, claims and clauses.
const SAMPLE: &str = include_str!("../../../../reports/samples/broken.json");

/// All of it.
pub static WHOLE: LazyLock<Sample> =
    LazyLock::new(|| Sample::of(serde_json::from_str(SAMPLE).expect("a report of ours")));

/// One result of each kind, and two of everything else: the same pages in a quarter of the time.
pub static SMALL: LazyLock<Sample> = LazyLock::new(|| {
    let mut report = WHOLE.report.clone();
    let mut kinds = BTreeSet::new();
    for (name, value) in report.as_object_mut().into_iter().flatten() {
        match value {
            Value::Array(results) if name == "results" => results.retain(|result| kinds.insert(kind(result))),
            Value::Array(list) => list.truncate(2),
            _ => {}
        }
    }
    shorten(&mut report["results"]);
    Sample::of(report)
});

/// Reads them now: with counters and sanitizers that takes seconds, which are no input's.
pub fn load() {
    LazyLock::force(&WHOLE);
    LazyLock::force(&SMALL);
}

/// What tells results apart for who draws them.
fn kind(result: &Value) -> (String, bool) {
    let waived = result["findings"].as_array().is_some_and(|list| list.iter().any(|one| !one["waived"].is_null()));
    (result["state"].to_string(), waived)
}

/// Few fields of what was observed.
fn shorten(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(shorten),
        Value::Object(map) => {
            for (name, value) in map {
                match value {
                    Value::Object(fields) if FREE.contains(&name.as_str()) => {
                        *fields = std::mem::take(fields).into_iter().take(4).collect();
                    }
                    value => shorten(value),
                }
            }
        }
        _ => {}
    }
}

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

/// A report, and where others' texts stand in it.
pub struct Sample {
    report: Value,
    places: Vec<Place>,
}

/// Where a text of somebody else's stands.
enum Place {
    /// A text, by its JSON pointer (RFC 6901); of a name, what is put there stands behind it.
    Text { pointer: String, name: bool },
    /// A field of the object at the pointer: another one of the same value is put beside it.
    Field { pointer: String, field: String },
}

impl Sample {
    fn of(report: Value) -> Self {
        let mut places = Vec::new();
        walk(&report, String::new(), "", false, &mut places);
        Self { report, places }
    }

    /// How many places there are.
    pub fn places(&self) -> usize {
        self.places.len()
    }

    /// The report with each text in its place, counted from 0 and round again; of two for one place, the first.
    pub fn with(&self, texts: &[(usize, String)]) -> Report {
        let mut report = self.report.clone();
        let mut taken = Vec::new();
        for (place, text) in texts {
            let place = place % self.places.len();
            if let Some(at) = self.places.get(place).filter(|_| !taken.contains(&place)) {
                put(&mut report, at, text);
                taken.push(place);
            }
        }
        serde_json::from_value(report).expect("texts alone were changed")
    }
}

fn put(report: &mut Value, place: &Place, text: &str) {
    match place {
        Place::Text { pointer, name } => {
            if let Some(Value::String(old)) = report.pointer_mut(pointer) {
                if !name {
                    old.clear();
                }
                old.push_str(text);
            }
        }
        Place::Field { pointer, field } => {
            if let Some(Value::Object(map)) = report.pointer_mut(pointer)
                && let Some(value) = map.get(field).filter(|_| field != text).cloned()
            {
                map.insert(text.to_owned(), value);
            }
        }
    }
}

/// Finds the places of a value that has that name.
fn walk(value: &Value, pointer: String, name: &str, free: bool, places: &mut Vec<Place>) {
    match value {
        Value::String(_) if free || !FIXED.contains(&name) => {
            places.push(Place::Text { pointer, name: !free && NAMES.contains(&name) });
        }
        Value::Array(list) => {
            for (at, item) in list.iter().enumerate() {
                walk(item, format!("{pointer}/{at}"), name, free, places);
            }
        }
        Value::Object(map) => {
            for (name, value) in map {
                if free {
                    places.push(Place::Field { pointer: pointer.clone(), field: name.clone() });
                }
                let inner = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                walk(value, inner, name, free || FREE.contains(&name.as_str()), places);
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
        for sample in [&*WHOLE, &*SMALL] {
            let unchanged = serde_json::to_string(&sample.with(&[])).expect("JSON");
            assert!(!unchanged.contains('☠'));
            for place in (0..sample.places()).step_by(7) {
                let changed = serde_json::to_string(&sample.with(&[(place, "☠".to_owned())])).expect("JSON");
                assert!(changed.contains('☠'), "place {place}");
            }
        }
    }

    #[test]
    fn the_small_one_has_every_kind_of_result() {
        let kinds = |sample: &Sample| -> BTreeSet<_> {
            sample.report["results"].as_array().into_iter().flatten().map(kind).collect()
        };
        assert!(kinds(&WHOLE).len() > 6 && kinds(&SMALL) == kinds(&WHOLE), "{:?}", kinds(&WHOLE));
        assert!(WHOLE.places() > 400 && (100..WHOLE.places() / 2).contains(&SMALL.places()), "{}", SMALL.places());
    }

    #[test]
    fn of_two_texts_for_a_place_the_first_one_counts() {
        let with = |texts: &[&str]| {
            let texts: Vec<_> = texts.iter().map(|text| (3, (*text).to_owned())).collect();
            serde_json::to_string(&SMALL.with(&texts)).expect("JSON")
        };
        assert_eq!(with(&["a", "b"]), with(&["a"]));
        assert_ne!(with(&["a"]), with(&["b"]));
    }
}
