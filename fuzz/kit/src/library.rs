//! Our scenarios, policy and standards, read once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ringfence_judge::{Bearing, Library, Policies, ProbeWords, ScenarioSource, Standards, Vocabulary};
use ringfence_model::standards::{Claim, Claims, Control, Controls};
use ringfence_model::target::{Adapter, NEEDS};
use ringfence_scenarios::{CLAIMS, CONTROLS, SCENARIOS, SCHEMAS, WORDS};
use serde_json::Value;

/// All own scenarios, checked.
pub static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
    let sources: Vec<ScenarioSource<'_>> =
        SCENARIOS.iter().map(|(path, text)| ScenarioSource { path, text, own: true }).collect();
    Library::load(vocabulary(), WORDS, &sources).unwrap_or_else(|errors| panic!("our own scenarios: {errors:?}"))
});

/// The default policy, as a journal's first line has it.
pub static POLICY: LazyLock<Value> = LazyLock::new(|| {
    let files: Vec<(&str, &str)> = ringfence_scenarios::policies().collect();
    let policies = Policies::load(&files).unwrap_or_else(|errors| panic!("our own policies: {errors:?}"));
    serde_json::to_value(policies.get("webrtc-mti").expect("the default")).expect("JSON")
});

static SEEN: LazyLock<BTreeMap<&str, Value>> =
    LazyLock::new(|| probes().map(|name| (name, schema(&format!("{name}.seen")))).collect());

/// Reads them now: with counters and sanitizers that takes seconds, which are no input's.
pub fn load() {
    LazyLock::force(&LIBRARY);
    LazyLock::force(&POLICY);
    LazyLock::force(&SEEN);
}

static KEPT: LazyLock<(Vec<Claim>, Vec<Control>, Vec<Bearing>)> = LazyLock::new(|| {
    let claims: Claims = toml::from_str(CLAIMS).expect("our own claims");
    let controls: Controls = toml::from_str(CONTROLS).expect("our own controls");
    let bearings = SCENARIOS.iter().map(|(_, text)| toml::from_str(text).expect("our own scenario"));
    (claims.claim, controls.control, bearings.collect())
});

/// Claims, clauses and what each scenario bears on.
pub fn standards() -> Standards<'static> {
    Standards { claims: &KEPT.0, controls: &KEPT.1, bearings: &KEPT.2 }
}

/// The schema of what that probe sees, `call`; nothing if there is none.
pub fn seen(probe: &str) -> &'static Value {
    SEEN.get(probe).unwrap_or(&Value::Null)
}

fn probes() -> impl Iterator<Item = &'static str> {
    SCHEMAS.iter().filter_map(|(path, _)| path.strip_prefix("schema/")?.strip_suffix(".seen.json"))
}

fn schema(name: &str) -> Value {
    let path = format!("schema/{name}.json");
    let text = SCHEMAS.iter().find(|(known, _)| *known == path).map_or("null", |(_, text)| text);
    serde_json::from_str(text).unwrap_or(Value::Null)
}

fn vocabulary() -> Vocabulary {
    let probe = |name: &str| ProbeWords {
        with: schema(&format!("{name}.with")),
        seen: seen(name).clone(),
        does: String::new(),
    };
    let probes: BTreeMap<String, ProbeWords> = probes().map(|name| (name.to_owned(), probe(name))).collect();
    Vocabulary {
        probes,
        target: schema("target-in-cel"),
        policy: schema("policy"),
        adapters: Adapter::ALL.iter().map(|adapter| adapter.word().to_owned()).collect(),
        needs: NEEDS.iter().map(|word| (*word).to_owned()).collect(),
        claims: KEPT.0.iter().map(|claim| claim.id.clone()).collect(),
        controls: KEPT.1.iter().map(|control| control.id.clone()).collect(),
        faults: Vec::new(), // which the lab knows: not checked
    }
}
