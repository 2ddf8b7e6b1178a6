//! A bed's `expected.toml`: what ringfence reports of it besides passes, each with the reason why that is right.

use std::collections::BTreeMap;
use std::path::Path;

/// States that may be expected.
const STATES: [&str; 4] = ["fail", "inconclusive", "not-applicable", "skipped"];

/// The file, read.
pub struct Expected {
    /// Runs in a row that have to agree.
    pub runs: u32,
    /// State by scenario; every scenario that is not here has to pass.
    pub states: BTreeMap<String, String>,
}

impl Expected {
    /// Reads a file.
    ///
    /// # Panics
    /// If it is not as `harness/beds/README.md` says.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut table: toml::Table = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let runs = table.remove("runs").map_or(1, |runs| runs.as_integer().expect("runs is a number"));
        let entries = table.remove("expected").unwrap_or_else(|| toml::Value::Array(Vec::new()));
        assert!(table.is_empty(), "{}: unknown: {table}", path.display());
        let mut states = BTreeMap::new();
        for entry in entries.as_array().expect("[[expected]]") {
            let text = |key: &str| entry.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_owned();
            let (scenario, state) = (text("scenario"), text("state"));
            assert!(STATES.contains(&&*state), "{}: {scenario}: state {state:?}", path.display());
            assert!(text("why").len() > 20, "{}: {scenario} gives no reason", path.display());
            let twice = states.insert(scenario.clone(), state);
            assert_eq!(twice, None, "{}: {scenario} stands there twice", path.display());
        }
        Self { runs: u32::try_from(runs).expect("runs is a small number"), states }
    }
}

/// State by scenario of a report, without those that passed.
pub fn besides_passes(report: &serde_json::Value) -> BTreeMap<String, String> {
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let results = report["results"].as_array().expect("results").iter();
    let states = results.map(|result| (text(&result["scenario"]), text(&result["state"])));
    let states: BTreeMap<String, String> = states.collect();
    assert!(states.values().any(|state| state == "pass"), "nothing passed: {states:?}");
    states.into_iter().filter(|(_, state)| state != "pass").collect()
}
