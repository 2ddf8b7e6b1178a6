//! Every oracle of the kit is asked by a target, and has a test beside it that shows what it catches.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ringfence_fuzz_kit::oracles::TIME;
use ringfence_fuzz_kit::targets::TARGETS;

/// Every file of Rust below a folder, with its text.
fn sources(folder: &Path, into: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).expect("text");
            into.push((path, text));
        }
    }
}

fn all_sources() -> Vec<(PathBuf, String)> {
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    all
}

/// Constant and name of each `pub const CONSTANT: Oracle = Oracle::new("name", …`, however that is broken into lines.
fn declared(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("pub const ").skip(1).filter_map(|piece| {
        let (constant, made) = piece.split_once(": Oracle =")?;
        let name = made.split('"').nth(1).expect("a name in quotes");
        (!constant.contains(char::is_whitespace)).then_some((constant, name))
    })
}

/// In the file that declares it, or in the folder that belongs to that file: some names stand in two files.
#[test]
fn each_is_shown_to_catch_a_broken_subject() {
    let sources = all_sources();
    let mut hidden = Vec::new();
    for (file, text) in &sources {
        let folder = file.with_extension("");
        let beside = sources.iter().filter(|(path, _)| path == file || path.starts_with(&folder));
        // Without white space, since a call may be broken into lines.
        let tests: String = beside.flat_map(|(_, text)| text.split_whitespace()).collect();
        for (constant, _) in declared(text) {
            if !tests.contains(&format!("caught(&{constant},")) {
                hidden.push(format!("{constant} of {}", file.display()));
            }
        }
    }
    assert!(hidden.is_empty(), "no `caught(&NAME, …)` with a subject that is broken on purpose: {hidden:#?}");
}

/// This is what finds an oracle that nobody asks, and one that the test above cannot read.
#[test]
fn each_belongs_to_a_target() {
    let sources = all_sources();
    let declared: BTreeSet<&str> = sources
        .iter()
        .flat_map(|(_, text)| declared(text))
        .map(|(_, name)| name)
        .filter(|name| *name != TIME.name)
        .collect();
    let listed: BTreeSet<&str> = TARGETS.iter().flat_map(|target| target.oracles).map(|oracle| oracle.name).collect();
    assert_eq!(declared, listed); // but time, which `Target::check` asks of all
}
