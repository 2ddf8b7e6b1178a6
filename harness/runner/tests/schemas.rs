//! The JSON Schemas in `scenarios/schema/` are those of the Rust types. `UPDATE_SCHEMAS=1` writes them anew.

use std::path::Path;

use ringfence_model::enumeration::Enumeration;
use ringfence_model::evidence::Entry;
use ringfence_model::policy::Policy;
use ringfence_model::report::Report;
use ringfence_model::scenario::Scenario;
use ringfence_model::target::{Target, TargetView};
use ringfence_probes::VERBS;
use schemars::schema_for;
use serde_json::Value;

#[test]
fn kept_schemas_are_those_of_the_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/schema");
    let mut all: Vec<(String, Value)> = vec![
        ("scenario".into(), schema_for!(Scenario).to_value()),
        ("target".into(), schema_for!(Target).to_value()),
        ("journal".into(), schema_for!(Entry).to_value()),
        ("report".into(), schema_for!(Report).to_value()),
        ("target-in-cel".into(), schema_for!(TargetView).to_value()),
        ("policy".into(), schema_for!(Policy).to_value()),
        ("enumeration".into(), schema_for!(Enumeration).to_value()),
    ];
    for verb in VERBS {
        all.push((format!("{}.with", verb.name), (verb.with_schema)()));
        all.push((format!("{}.seen", verb.name), (verb.seen_schema)()));
    }
    for (name, schema) in all {
        let path = folder.join(format!("{name}.json"));
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            kept,
            text,
            "{} is not current: UPDATE_SCHEMAS=1 cargo test -p ringfence-runner --test schemas",
            path.display()
        );
    }
}
