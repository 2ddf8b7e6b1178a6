//! The measure: the hardened bed with one real misconfiguration at a time (`harness/beds/hardened/variants`).
//!
//! Each variant has a proof of its own, which does not use ringfence: it has to find the defect in the variant and not in the
//! hardened bed. Then `ringfence run` has to report that defect and nothing else, except what the variant says why. The
//! table of all of them is a reviewed snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

use crate::JUDGING;
use crate::bed::{Bed, Up, beds};
use crate::expected::{Expected, besides_passes};

/// Beds that are up at once: a run mostly waits (house).
const AT_ONCE: usize = 6;
/// What `bed proof` answers where the defect is not there.
const ABSENT: i32 = 10;

/// One misconfiguration.
struct Variant {
    name: String,
    /// What it is, in a line.
    title: String,
    /// The scenario that has to find it.
    finds: String,
    /// What else follows from it, with the reason beside it in the script.
    also: BTreeMap<String, String>,
    /// Only a browser sees it.
    browser: bool,
}

/// What ringfence said of one.
struct Row {
    found: bool,
    missed: Vec<String>,
    false_alarms: Vec<String>,
    said: String,
}

#[test]
fn each_misconfiguration_is_found_and_nothing_else() {
    let bed = Bed::named("hardened");
    if !bed.is_installed() {
        return;
    }
    let _alone = JUDGING.lock().unwrap_or_else(PoisonError::into_inner);
    let variants = Variant::all(&bed.folder().join("variants"));
    let expected = Expected::read(&bed.folder().join("expected.toml"));
    let hardened = bed.up();
    let (left, rows) = (Mutex::new(variants.iter()), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(variant) = { left.lock().expect("no panic").next() } {
                    let row = variant.measure(&bed, &hardened, &expected);
                    rows.lock().expect("no panic").insert(&variant.name, row);
                }
            });
        }
    });
    hardened.down();
    let rows = rows.into_inner().expect("no panic");
    let wrong: Vec<&Row> =
        rows.values().filter(|row| !row.found || !row.missed.is_empty() || !row.false_alarms.is_empty()).collect();
    for row in &wrong {
        eprintln!("{}", row.said);
    }
    insta::assert_snapshot!("variants", table(&variants, &rows));
    assert!(wrong.is_empty(), "{} variants are missed or raise a false alarm", wrong.len());
}

impl Variant {
    fn all(folder: &Path) -> Vec<Self> {
        let scripts = std::fs::read_dir(folder).expect("variants").map(|entry| entry.expect("an entry").path());
        let mut variants: Vec<Self> = scripts.map(|script| Self::read(&script)).collect();
        variants.sort_by(|a, b| a.name.cmp(&b.name));
        assert!(variants.len() >= 25, "{} variants", variants.len());
        variants
    }

    fn read(script: &Path) -> Self {
        let text = std::fs::read_to_string(script).expect("a script");
        let line = |start: &str| text.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default();
        let also = line("ALSO=").trim_matches('"').split_whitespace().map(|one| {
            let (scenario, state) = one.split_once('=').expect("ALSO=\"area/slug=state …\"");
            (scenario.to_owned(), state.to_owned())
        });
        Self {
            name: script.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned(),
            title: line("# ").to_owned(),
            finds: line("FINDS=").trim_matches('"').to_owned(),
            also: also.collect(),
            browser: text.lines().any(|line| line == "BROWSER=yes"),
        }
    }

    fn measure(&self, bed: &Bed, hardened: &Up, expected: &Expected) -> Row {
        let here = hardened.proof(&self.name);
        assert_eq!(here.status.code(), Some(ABSENT), "{}: its proof, on the hardened bed: {}", self.name, said(&here));
        let up = bed.up_as(&self.name);
        let there = up.proof(&self.name);
        assert!(there.status.success(), "{}: its proof, on the variant: {}", self.name, said(&there));
        let (report, said) = self.judged(&up);
        up.down();
        let mut wanted = expected.states.clone();
        wanted.extend(self.also.clone());
        wanted.insert(self.finds.clone(), "fail".into());
        if !self.browser {
            // Nothing is asked in a browser, which takes its half minute.
            wanted.retain(|_, state| state != "skipped");
        }
        let seen = besides_passes(&report);
        let seen: BTreeMap<_, _> = seen.into_iter().filter(|(_, state)| self.browser || state != "skipped").collect();
        let differs = |a: &BTreeMap<String, String>, b: &BTreeMap<String, String>| -> Vec<String> {
            a.iter()
                .filter(|(id, state)| b.get(*id) != Some(state))
                .map(|(id, state)| format!("{id} {state}"))
                .collect()
        };
        Row {
            found: seen.get(&self.finds).is_some_and(|state| state == "fail"),
            missed: differs(&wanted, &seen),
            false_alarms: differs(&seen, &wanted),
            said: format!("{}: {said}", self.name),
        }
    }

    /// One run of the binary: its report, and what it said.
    fn judged(&self, up: &Up) -> (serde_json::Value, String) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
        command.current_dir(folder.path()).env("TERM", "dumb").args(["run", "--quiet", "-o", "json=report.json"]);
        if !self.browser {
            command.args(["--browser", "none"]);
        }
        let out = command.arg("--target").arg(up.folder().join("target.toml")).output().expect("ringfence runs");
        let report = std::fs::read_to_string(folder.path().join("report.json"));
        let report = report.unwrap_or_else(|_| panic!("{}: no report: {}", self.name, said(&out)));
        (serde_json::from_str(&report).expect("the report is JSON"), said(&out))
    }
}

fn said(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

/// One line per variant, and the sums.
fn table(variants: &[Variant], rows: &BTreeMap<&String, Row>) -> String {
    let mut text = String::new();
    let or = |list: &[String]| if list.is_empty() { "-".into() } else { list.join(", ") };
    for variant in variants {
        let row = &rows[&variant.name];
        let mark = if row.found { "found " } else { "MISSED" };
        writeln!(text, "{mark} {:<30} {}", variant.name, variant.finds).expect("text");
        writeln!(text, "       {}", variant.title).expect("text");
        for (id, state) in &variant.also {
            writeln!(text, "       follows from it: {id} {state}").expect("text");
        }
        if !row.missed.is_empty() || !row.false_alarms.is_empty() {
            writeln!(text, "       missed: {}; false alarms: {}", or(&row.missed), or(&row.false_alarms))
                .expect("text");
        }
    }
    let found = rows.values().filter(|row| row.found).count();
    let false_alarms: usize = rows.values().map(|row| row.false_alarms.len()).sum();
    let scenarios: BTreeSet<&String> = variants.iter().map(|variant| &variant.finds).collect();
    writeln!(
        text,
        "\n{} variants of {} scenarios: {found} found, {} missed, {false_alarms} false alarms",
        variants.len(),
        scenarios.len(),
        variants.len() - found
    )
    .expect("text");
    text
}

#[test]
fn a_variant_that_changes_nothing_does_not_come_up() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["bed", "lib.sh"] {
        std::fs::copy(beds().join(name), folder.path().join(name)).expect("the tool is copied");
    }
    std::fs::create_dir_all(folder.path().join("toy/variants")).expect("a folder");
    let script = "PROGRAMS=sleep\nup() { echo is >\"$FOLDER/conf\"; vary; launch one sleep 100; }\n";
    std::fs::write(folder.path().join("toy/bed.sh"), script).expect("a script");
    let variant = "# none\nFINDS=\"a/b\"\nchange() { edit conf 's/was/will be/'; }\nproof() { return 10; }\n";
    std::fs::write(folder.path().join("toy/variants/none.sh"), variant).expect("a script");
    let bed = |args: &[&str]| Command::new(folder.path().join("bed")).args(args).env("TMPDIR", folder.path()).output();
    let up = bed(&["up", "toy", "--variant", "none"]).expect("bash runs");
    assert_eq!(up.status.code(), Some(1));
    assert!(said(&up).contains("conf holds nothing for s/was/will be/"), "{}", said(&up));
    let unknown = bed(&["up", "toy", "--variant", "../toy/variants/none"]).expect("bash runs");
    assert!(said(&unknown).contains("no variant"), "{}", said(&unknown));
}
