//! Who may import whom: the table of ARCHITECTURE.md, read off `cargo metadata`; and what only we may provide.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// What each crate may import of ours: in its code, and besides that in its tests.
const MAY_IMPORT: &[(&str, &[&str], &[&str])] = &[
    ("ringfence-wire", &[], &[]),
    ("ringfence-srtp", &[], &[]),
    ("ringfence-model", &[], &[]),
    ("ringfence-scenarios", &[], &[]),
    ("ringfence-judge", &["model"], &[]),
    ("ringfence-reports", &["model"], &[]),
    ("ringfence-client", &["model", "wire", "srtp"], &[]),
    ("ringfence-probes", &["model", "wire", "srtp", "client", "scenarios"], &[]),
    ("ringfence-lab", &["model", "wire", "srtp"], &[]),
    ("ringfence-runner", &["model", "judge", "client", "probes"], &["wire", "lab", "scenarios"]),
    (
        "ringfence",
        &["wire", "srtp", "model", "judge", "client", "probes", "lab", "runner", "reports", "scenarios"],
        &[],
    ),
    ("ringfence-fuzz-kit", &["wire", "srtp", "model", "client", "judge", "reports", "scenarios"], &[]),
];

#[test]
fn no_crate_imports_what_it_must_not() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let mut seen = BTreeMap::new();
    for package in packages {
        let name = package["name"].as_str().expect("a package has a name");
        let imports = |kind: &str| -> BTreeSet<&str> {
            let all = package["dependencies"].as_array().expect("dependencies").iter();
            let ours = all.filter(|d| d["kind"].as_str().unwrap_or("normal") == kind);
            ours.filter_map(|d| d["name"].as_str()?.strip_prefix("ringfence-")).collect()
        };
        seen.insert(name, (imports("normal"), imports("dev")));
    }
    let listed: BTreeSet<&str> = MAY_IMPORT.iter().map(|(name, _, _)| *name).collect();
    assert_eq!(
        seen.keys().copied().collect::<BTreeSet<_>>(),
        listed,
        "every crate of the workspace stands in the table"
    );
    for (name, code, tests) in MAY_IMPORT {
        let allowed: BTreeSet<&str> = code.iter().copied().collect();
        let in_tests: BTreeSet<&str> = code.iter().chain(*tests).copied().collect();
        let (normal, dev) = &seen[name];
        assert!(normal.is_subset(&allowed), "{name} imports {:?}", normal.difference(&allowed));
        assert!(dev.is_subset(&in_tests), "the tests of {name} import {:?}", dev.difference(&in_tests));
    }
}

/// Other implementations of SRTP are peers of tests and benchmarks.
#[test]
fn srtp_in_the_program_is_ours_alone() {
    let tree = cargo(&["tree", "--package", "ringfence", "--edges", "normal", "--prefix", "none", "--offline"]);
    let tree = String::from_utf8(tree).expect("cargo tree prints text");
    let names = tree.lines().filter_map(|line| line.split(' ').next()).filter(|name| name.contains("srtp"));
    assert_eq!(names.collect::<BTreeSet<_>>(), BTreeSet::from(["ringfence-srtp"]));
}

fn metadata() -> Value {
    let metadata = cargo(&["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    serde_json::from_slice(&metadata).expect("cargo metadata prints JSON")
}

fn cargo(arguments: &[&str]) -> Vec<u8> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let output = Command::new(cargo).args(arguments).args(["--manifest-path", manifest]).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
