//! The gate, as CI sees it: `ringfence run` against `ringfence lab`, healthy and with every fault.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ringfence_lab::fault::Fault;
use ringfence_model::scenario::Scenario;
use serde_json::Value;

/// `ringfence lab` in a process of its own; ended when dropped.
struct Lab(Child);

impl Lab {
    fn serve(folder: &Path, fault: Option<Fault>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
        command.arg("lab").arg("--folder").arg(folder);
        if let Some(fault) = fault {
            command.args(["--fault", fault.name()]);
        }
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the lab starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let up = lines.by_ref().map_while(Result::ok).any(|line| line.starts_with("the lab is up"));
        assert!(up, "the lab said nothing of being up");
        Self(child)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has then noticed otherwise.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Exit code and JSON report of `ringfence run` against a lab.
fn gate(fault: Option<Fault>) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let _lab = Lab::serve(folder.path(), fault);
    let report = folder.path().join("report.json");
    let output = Command::new(env!("CARGO_BIN_EXE_ringfence"))
        .args(["run", "--quiet", "--tries", "1", "--target"])
        .arg(folder.path().join("target.toml"))
        .arg("--journal")
        .arg(folder.path().join("run.jsonl"))
        .arg("-o")
        .arg(format!("json={}", report.display()))
        .output()
        .expect("it runs");
    let text = std::fs::read_to_string(&report)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), serde_json::from_str(&text).expect("the report is JSON"))
}

fn in_state(report: &Value, state: &str) -> Vec<String> {
    let results = report["results"].as_array().expect("results");
    let named = results.iter().filter(|result| result["state"] == state);
    named.map(|result| result["scenario"].as_str().expect("an id").to_owned()).collect()
}

/// The scenario that a fault proves, and what it may trip besides.
fn proves(fault: Fault) -> (String, Vec<String>) {
    let scenarios = ringfence_scenarios::SCENARIOS.iter().map(|(_, text)| toml::from_str(text).expect("TOML"));
    scenarios
        .map(|scenario: Scenario| (scenario.id, scenario.proof.expect("each of ours has a proof")))
        .find(|(_, proof)| proof.fault == fault.name())
        .map(|(id, proof)| (id, proof.also_trips))
        .expect("each fault proves a scenario")
}

#[test]
fn the_healthy_lab_goes_through() {
    let (code, report) = gate(None);
    assert_eq!(in_state(&report, "pass").len(), ringfence_scenarios::SCENARIOS.len(), "{report:#}");
    assert_eq!(code, Some(0));
    assert_eq!(report["gate"]["word"], "Conformant");
}

#[test]
fn every_fault_is_blocked_and_named() {
    let runs: Vec<_> =
        Fault::ALL.into_iter().map(|fault| (fault, std::thread::spawn(move || gate(Some(fault))))).collect();
    // All of them end before the first is looked at: a lab must not outlive a test that fails.
    let ended: Vec<_> = runs.into_iter().map(|(fault, run)| (fault, run.join())).collect();
    for (fault, ended) in ended {
        let (code, report) = ended.expect("no run panics");
        let (own, also) = proves(fault);
        let failed = in_state(&report, "fail");
        assert!(failed.contains(&own), "{}: {failed:?} lacks {own}", fault.name());
        let unexplained: Vec<_> = failed.iter().filter(|id| **id != own && !also.contains(id)).collect();
        assert!(unexplained.is_empty(), "{}: {unexplained:?}", fault.name());
        let decided = failed.len() + in_state(&report, "pass").len();
        assert_eq!(decided, ringfence_scenarios::SCENARIOS.len(), "{}: {report:#}", fault.name());
        assert_eq!(code, Some(1), "{}", fault.name());
    }
}
