//! Each exit code once, alone.

use ringfence_lab::fault::Fault;
use ringfence_model::Exit;
use ringfence_model::verdict::State;

use super::house::{CACHEABLE, Served, own_fault};
use crate::fakes::answers;
use crate::fakes::config::{self, URL_TOKEN};
use crate::fakes::https::Reply;
use crate::fakes::tcp::ClosedPort;
use crate::support::{Ended, Gate, Outputs, TargetFile};

/// Ended with this code, and with this alone.
#[track_caller]
fn ended(ended: &Ended, code: i32, alone: &[Exit]) -> Outputs {
    assert_eq!(ended.code, Some(code), "{}", ended.stderr());
    let outputs = Outputs::of(ended);
    assert_eq!(outputs.report.gate.conditions, alone, "{}", outputs.report.gate.sentence);
    assert_eq!(alone.first().map_or(0, |exit| exit.code().into()), code);
    outputs
}

fn nobody() -> TargetFile {
    TargetFile::cognigy("https://127.0.0.1:1/x")
}

#[tokio::test]
async fn zero_when_all_that_is_required_passed() {
    let served = Served::new(None).await;
    let outputs = ended(&served.run(&[CACHEABLE]).ends().await, 0, &[]);
    assert_eq!((outputs.state(), outputs.report.gate.word.as_str()), (State::Pass, "Conformant"));
}

#[tokio::test]
async fn one_for_a_finding() {
    let served = Served::new(Some(Fault::ConfigCacheable)).await;
    let outputs = ended(&served.run(&[CACHEABLE]).ends().await, 1, &[Exit::Findings]);
    assert_eq!(outputs.state(), State::Fail);
}

/// What does not close the gate is reported all the same: in every output, and in the counts.
#[tokio::test]
async fn zero_for_a_finding_below_the_gate_which_is_shown_everywhere() {
    let served = Served::new(Some(Fault::ConfigCacheable)).await;
    let first = served.run(&[CACHEABLE]).arg("--fail-on").arg("high").ends().await;
    let outputs = ended(&first, 0, &[]);
    assert_eq!((outputs.report.counts.fail, outputs.report.counts.medium), (1, 1));
    assert!(outputs.junit.contains("<failure"), "{}", outputs.junit);
    assert!(first.stdout().contains(CACHEABLE) && first.stdout().contains("Findings (1)"), "{}", first.stdout());
    assert!(outputs.html.contains(&outputs.only().title));

    // What the terminal shows is another matter, and so is what the gate looks at.
    let unseen = first.then(&["judge", "run.jsonl", "--show", "high", "-o", "json=report.json"]).await;
    assert_eq!(unseen.code, Some(1), "{}", unseen.stderr());
    assert!(!unseen.stdout().contains("Findings (1)"), "{}", unseen.stdout());
    assert!(unseen.stdout().contains("1 scenario: 1 failed"), "counts stay whole: {}", unseen.stdout());
    assert!(unseen.stderr().contains("1 below high: --show"), "{}", unseen.stderr());
    assert!(String::from_utf8_lossy(&unseen.file("report.json")).contains("\"fail\": 1"));
}

#[tokio::test]
async fn two_for_a_command_that_cannot_be_meant() {
    for args in [&["run"][..], &["run", "--target", "nowhere.toml"], &["judge", "nowhere.jsonl"], &["nonsense"]] {
        let ended = Gate::new(args).ends().await;
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.stderr());
        assert!(ended.stdout().is_empty(), "stdout is for results");
    }
}

#[tokio::test]
async fn three_when_nothing_answers() {
    let port = ClosedPort::new();
    let target = TargetFile::cognigy(format!("https://{}/{URL_TOKEN}", port.address));
    let outputs = Outputs::of(&Gate::run(&target, &[CACHEABLE]).ends().await);
    assert_eq!(outputs.report.gate.conditions, [Exit::Unreachable, Exit::Inconclusive]);
}

#[tokio::test]
async fn four_when_a_required_one_has_no_verdict() {
    let (_server, target) = config::answering(|_| Reply::Bytes(answers::json("[]"))).await;
    let outputs = ended(&Gate::run(&target, &[CACHEABLE]).ends().await, 4, &[Exit::Inconclusive]);
    assert_eq!(outputs.state(), State::Inconclusive);
}

/// No verdict is never 0: all skipped, and all not applicable, are nothing that was tested.
#[tokio::test]
async fn four_when_nothing_was_tested() {
    let served = Served::new(None).await;
    let gate = served.run(&["page/browser-media"]).arg("--browser").arg("none");
    let outputs = ended(&gate.ends().await, 4, &[Exit::Inconclusive]);
    assert_eq!(outputs.state(), State::Skipped);

    let url = served.lab.urls().page.clone();
    let target = served.lab.target_file().replace(&format!("page = \"{url}\""), "page = \"none\"");
    let outputs = ended(&Gate::run_text(&target, &["page/browser-media"]).ends().await, 4, &[Exit::Inconclusive]);
    assert_eq!(outputs.state(), State::NotApplicable, "{}", outputs.said());
    assert!(outputs.report.gate.sentence.contains("applies"), "{}", outputs.report.gate.sentence);
}

#[tokio::test]
async fn five_without_leave() {
    let target = TargetFile::cognigy("https://example.invalid/x").table("[[scope]]\nhosts = [\"example.invalid\"]\n");
    let ended = Gate::run(&target, &[CACHEABLE]).ends().await;
    assert_eq!(ended.code, Some(5), "{}", ended.stderr());
    assert!(ended.lacks("run.jsonl"), "nothing was begun");
}

#[tokio::test]
async fn six_for_an_output_that_cannot_be_written() {
    let (server, target) = config::answering(|_| Reply::Bytes(answers::json("{}"))).await;
    let gate = Gate::run(&target, &[CACHEABLE]).arg("-o").arg("html=taken");
    std::fs::create_dir(gate.path("taken")).expect("a folder");
    let ended = gate.ends().await;
    assert_eq!(ended.code, Some(6), "{}", ended.stderr());
    assert!(
        ended.stderr().contains("html=taken") && ended.stderr().contains("nothing was asked"),
        "{}",
        ended.stderr()
    );
    assert!(ended.lacks("run.jsonl") && server.heads().is_empty(), "it was found before anything was asked");
}

#[tokio::test]
async fn seven_for_waivers_that_cannot_be_read() {
    let gate = Gate::run(&nobody(), &[CACHEABLE]).arg("--waivers").arg("waivers.toml");
    std::fs::write(gate.path("waivers.toml"), "[[waiver]]\nscenario = 7\n").expect("a file");
    let ended = gate.ends().await;
    assert_eq!(ended.code, Some(7), "{}", ended.stderr());
    assert!(ended.stderr().contains("waivers.toml"), "{}", ended.stderr());
}

/// A step that ringfence fails to take is its own fault: no finding, no pass, and nobody else's.
#[tokio::test]
async fn seventy_for_a_fault_of_our_own() {
    let served = Served::new(None).await;
    let outputs = ended(&own_fault(served.run(&[])).ends().await, 70, &[Exit::Internal]);
    assert_eq!(outputs.state(), State::Error);
    assert!(outputs.said().contains("user_id"), "{}", outputs.said());
}
