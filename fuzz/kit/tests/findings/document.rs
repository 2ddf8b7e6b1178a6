//! FINDINGS.md names every file of `fuzz/findings` and `fuzz/regressions`, and no other.

use std::collections::BTreeSet;

use ringfence_fuzz_kit::targets::TARGETS;

use super::{files, fuzz};

const OURS: &str = "\n## Our own";

/// What came of other people's crates, and what is ours.
fn halves() -> (String, String) {
    let text = std::fs::read_to_string(fuzz().join("FINDINGS.md")).expect("FINDINGS.md");
    let (others, ours) = text.split_once(OURS).expect("a chapter of our own");
    (others.to_owned(), ours.to_owned())
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Crate and file: the first cell of each row below `### CRATE`.
fn inputs_of_others(text: &str) -> BTreeSet<(String, String)> {
    let sections = text.split("\n### ").skip(1);
    let rows = sections.flat_map(|section| {
        let name = section.split_whitespace().next().unwrap_or_default();
        let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
        cells.flat_map(quoted).map(move |file| (name.to_owned(), file.to_owned()))
    });
    rows.collect()
}

/// Target and file, wherever they are named.
fn inputs_of_ours(text: &str) -> BTreeSet<(String, String)> {
    let places = quoted(text).filter_map(|place| place.split_once('/'));
    let places = places.filter(|(target, _)| TARGETS.iter().any(|known| known.name == *target));
    places.map(|(target, file)| (target.to_owned(), file.to_owned())).collect()
}

fn assert_same(named: &BTreeSet<(String, String)>, kept: &BTreeSet<(String, String)>) {
    let (missing, gone) = (kept.difference(named), named.difference(kept));
    let apart: (Vec<_>, Vec<_>) = (missing.collect(), gone.collect());
    assert!(
        apart.0.is_empty() && apart.1.is_empty(),
        "FINDINGS.md does not name {:?}, and names {:?}",
        apart.0,
        apart.1
    );
}

#[test]
fn every_finding_in_other_crates_is_named_and_there() {
    assert_same(&inputs_of_others(&halves().0), &files("findings"));
}

#[test]
fn every_regression_is_named_and_there() {
    assert_same(&inputs_of_ours(&halves().1), &files("regressions"));
}

#[test]
fn names_are_found_where_they_stand() {
    let text =
        "# T\n`no/input`\n### a-crate 1.0\n| input | what |\n|---|---|\n| `x`, `y` | `z` |\n### other 2\n| `x` | |\n";
    let pairs =
        |all: &[(&str, &str)]| all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<BTreeSet<_>>();
    assert_eq!(inputs_of_others(text), pairs(&[("a-crate", "x"), ("a-crate", "y"), ("other", "x")]));
    let text = "| `wire::sip` | `sip_message/a`, `token/b` | `sip/c` and `token` |";
    assert_eq!(inputs_of_ours(text), pairs(&[("sip_message", "a"), ("token", "b")]));
}
