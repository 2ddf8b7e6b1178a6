//! Every oracle of the kit has a test that it catches what it is for.

use std::path::Path;

fn sources(folder: &Path, into: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(std::fs::read_to_string(&path).expect("text"));
        }
    }
}

#[test]
fn each_is_shown_to_catch_a_broken_subject() {
    let mut texts = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
    let oracles: Vec<&str> = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| line.trim().strip_prefix("pub const ")?.split_once(": Oracle ").map(|(name, _)| name))
        .collect();
    assert!(oracles.len() >= 3, "only {oracles:?}");
    for name in oracles {
        let shown = texts.iter().any(|text| text.contains(&format!("caught(&{name},")));
        assert!(shown, "no test shows `caught(&{name}, …)` with a subject that is broken on purpose");
    }
}
