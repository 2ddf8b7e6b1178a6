//! The gate, as CI sees it: `ringfence run` against `ringfence lab`, healthy and with every fault.

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ringfence_client::browser::{INSTALL, find};
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

/// Exit code and JSON report of `ringfence run`, with these arguments, against a lab.
fn gate(fault: Option<Fault>, args: &[&str]) -> (Option<i32>, Value) {
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
        .args(args)
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

fn scenarios() -> Vec<Scenario> {
    ringfence_scenarios::SCENARIOS.iter().map(|(_, text)| toml::from_str(text).expect("TOML")).collect()
}

fn needs_browser(scenario: &Scenario) -> bool {
    scenario.needs.iter().any(|need| need == "browser")
}

/// The scenario that a fault proves.
fn proved_by(fault: Fault) -> Scenario {
    let proves = |scenario: &Scenario| scenario.proof.as_ref().is_some_and(|proof| proof.fault == fault.name());
    scenarios().into_iter().find(proves).expect("each fault proves a scenario")
}

/// Whether this machine has a browser. In CI it has to.
fn has_browser() -> bool {
    let named = std::env::var_os("RINGFENCE_BROWSER");
    let found = find(named.as_deref(), std::env::var_os("PATH").as_deref()).expect("RINGFENCE_BROWSER is a browser");
    assert!(found.is_some() || std::env::var_os("CI").is_none(), "CI has a browser: {INSTALL}");
    if found.is_none() {
        // Past the capture of the test runner: who runs this should read it.
        let _ = writeln!(std::io::stderr(), "skipped: what needs a browser. {INSTALL}");
    }
    found.is_some()
}

#[test]
fn the_healthy_lab_goes_through() {
    let (code, report) = gate(None, &[]);
    let asked = scenarios().iter().filter(|scenario| has_browser() || !needs_browser(scenario)).count();
    assert_eq!(in_state(&report, "pass").len(), asked, "{report:#}");
    assert_eq!(in_state(&report, "skipped").len(), scenarios().len() - asked, "{report:#}");
    assert_eq!(code, Some(0));
    assert_eq!(report["gate"]["word"], "Conformant");
}

/// What a run against a lab with this fault has to come to, where so many scenarios are asked.
fn blocked(fault: Fault, (code, report): (Option<i32>, Value), asked: usize) {
    let own = proved_by(fault);
    let also = own.proof.expect("each of ours has a proof").also_trips;
    let failed = in_state(&report, "fail");
    assert!(failed.contains(&own.id), "{}: {failed:?} lacks {}", fault.name(), own.id);
    let unexplained: Vec<_> = failed.iter().filter(|id| **id != own.id && !also.contains(id)).collect();
    assert!(unexplained.is_empty(), "{}: {unexplained:?}", fault.name());
    let decided = failed.len() + in_state(&report, "pass").len();
    assert_eq!(decided, asked, "{}: {report:#}", fault.name());
    assert_eq!(code, Some(1), "{}", fault.name());
}

#[test]
fn every_fault_is_blocked_and_named() {
    let faults = Fault::ALL.into_iter().filter(|fault| !needs_browser(&proved_by(*fault)));
    let run = |fault| std::thread::spawn(move || gate(Some(fault), &["--browser", "none"]));
    let runs: Vec<_> = faults.map(|fault| (fault, run(fault))).collect();
    // All of them end before the first is looked at: a lab must not outlive a test that fails.
    let ended: Vec<_> = runs.into_iter().map(|(fault, run)| (fault, run.join())).collect();
    let asked = scenarios().iter().filter(|scenario| !needs_browser(scenario)).count();
    for (fault, ended) in ended {
        blocked(fault, ended.expect("no run panics"), asked);
    }
}

/// Each with its own scenario alone: a browser takes its time, and the matrix of the proof has the other pairs.
#[test]
fn every_fault_of_the_page_is_blocked_and_named() {
    if !has_browser() {
        return;
    }
    for fault in Fault::ALL.into_iter().filter(|fault| needs_browser(&proved_by(*fault))) {
        blocked(fault, gate(Some(fault), &["--only", &proved_by(fault).id]), 1);
    }
}
