//! The gate, as CI sees it: `ringfence run` against `ringfence lab`, healthy and with every fault.

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ringfence_client::browser::{INSTALL, find};
use ringfence_lab::fault::Fault;
use ringfence_model::scenario::Scenario;
use serde_json::Value;

/// The adapter in the lab's target file.
const LAB_ADAPTER: &str = "cognigy";
/// Labs and runs at once: each mostly waits (house).
const AT_ONCE: usize = 6;

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
    if let Some(adapter) = fault.map(proved_by).and_then(|own| other_adapter(&own)) {
        let target = folder.path().join("target.toml");
        let text = std::fs::read_to_string(&target).expect("the lab's target file");
        let adapted = text.replacen(&format!("adapter = \"{LAB_ADAPTER}\""), &format!("adapter = \"{adapter}\""), 1);
        assert_ne!(adapted, text);
        std::fs::write(&target, adapted).expect("it can be written");
    }
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

/// The adapter that a scenario is for, where the lab's is not among them.
fn other_adapter(scenario: &Scenario) -> Option<String> {
    let the_labs = scenario.adapters.iter().any(|adapter| adapter == "any" || adapter == LAB_ADAPTER);
    scenario.adapters.first().filter(|_| !the_labs).cloned()
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
    let (code, report) = gate(None, &["--profile", "full"]);
    let others = scenarios().iter().filter(|scenario| other_adapter(scenario).is_some()).count();
    let asked = scenarios().iter().filter(|scenario| has_browser() || !needs_browser(scenario)).count();
    assert_eq!(in_state(&report, "pass").len(), asked - others, "{report:#}");
    assert_eq!(in_state(&report, "not-applicable").len(), others, "{report:#}");
    assert_eq!(in_state(&report, "skipped").len(), scenarios().len() - asked, "{report:#}");
    assert_eq!(code, Some(0));
    assert_eq!(report["gate"]["word"], "Conformant");
}

/// A run of a fault's own scenario against a lab with it. The other pairs stand in the matrix of the proof.
fn blocked(fault: Fault) {
    let own = proved_by(fault);
    let (code, report) = gate(Some(fault), &["--only", &own.id]);
    assert_eq!(in_state(&report, "fail"), [own.id.as_str()], "{}: {report:#}", fault.name());
    let result = &report["results"][0];
    // What is told for information closes no gate, and is no verdict of the gate's either.
    let expected = if result["level"] == "info" { 4 } else { 1 };
    assert_eq!(code, Some(expected), "{}", fault.name());
}

#[test]
fn every_fault_is_blocked_and_named() {
    let faults = Fault::ALL.into_iter().filter(|fault| !needs_browser(&proved_by(*fault)));
    let left = std::sync::Mutex::new(faults);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(fault) = { left.lock().expect("no panic").next() } {
                    blocked(fault);
                }
            });
        }
    });
}

#[test]
fn every_fault_of_the_page_is_blocked_and_named() {
    if !has_browser() {
        return;
    }
    Fault::ALL.into_iter().filter(|fault| needs_browser(&proved_by(*fault))).for_each(blocked);
}
