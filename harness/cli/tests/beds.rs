//! The beds of `harness/beds`: real servers, which the real binary judges.
//!
//! What a bed's servers do not allow stands in its `expected.toml`; a run reports exactly that. Where a bed's programs are
//! not installed its part is skipped, with the line that installs them, except in CI, where it has to run.

#[path = "beds/bed.rs"]
mod bed;
#[path = "beds/expected.rs"]
mod expected;
#[path = "beds/hardened.rs"]
mod hardened;
#[path = "beds/media_port.rs"]
mod media_port;
#[path = "beds/tool.rs"]
mod tool;
#[path = "beds/variants.rs"]
mod variants;

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use bed::{Bed, Up};
use expected::Expected;

/// Held by a test that judges whole deployments: two of them at a time would keep each other waiting.
static JUDGING: Mutex<()> = Mutex::new(());

#[test]
fn every_bed_reports_exactly_what_its_file_expects() {
    let _alone = JUDGING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut tested = 0;
    for bed in Bed::all() {
        if !bed.folder().join("expected.toml").is_file() || !bed.is_installed() {
            continue;
        }
        let expected = Expected::read(&bed.folder().join("expected.toml"));
        let up = bed.up();
        for run in 1..=expected.runs {
            let report = judged(&up, run);
            eprintln!(
                "{}: run {run} of {}: {} ms, {} steps, {} conversations",
                bed.name,
                expected.runs,
                report["run"]["duration_ms"],
                report["run"]["steps"],
                report["run"]["conversations"]
            );
            assert_eq!(
                expected::besides_passes(&report),
                expected.states,
                "{}, run {run}; left: seen, right: expected",
                bed.name
            );
        }
        up.down();
        tested += 1;
    }
    assert!(tested > 0 || std::env::var_os("CI").is_none(), "no bed was tested");
}

#[test]
fn a_pair_of_the_hardened_bed_ends_with_its_time_and_with_its_call() {
    let bed = Bed::named("hardened");
    if bed.is_installed() {
        let up = bed.up();
        hardened::pairs_end(&up);
        up.down();
    }
}

/// One run of the binary against a bed: its report.
fn judged(up: &Up, run: u32) -> serde_json::Value {
    let folder = tempfile::tempdir().expect("a folder");
    let out = ringfence(folder.path())
        .args(["run", "--quiet", "--journal", "run.jsonl", "-o", "json=report.json", "--target"])
        .arg(up.folder().join("target.toml"))
        .output()
        .expect("ringfence runs");
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    let report =
        std::fs::read_to_string(folder.path().join("report.json")).unwrap_or_else(|_| panic!("no report: {said}"));
    let report: serde_json::Value = serde_json::from_str(&report).expect("the report is JSON");
    assert_eq!(report["run"]["complete"], true, "run {run} is not complete: {said}");
    report
}

fn ringfence(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
    command.current_dir(folder).env("TERM", "dumb");
    command
}
