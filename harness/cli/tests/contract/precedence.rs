//! Which code wins where several apply. The report tells all of them, the winning one first.

use ringfence_lab::fault::Fault;
use ringfence_model::Exit;
use ringfence_model::report::Report;

use super::house::{CACHEABLE, Served, holding, own_fault};
use crate::fakes::config::URL_TOKEN;
use crate::fakes::tcp::ClosedPort;
use crate::support::{Ended, Gate, Outputs, TargetFile};

/// Judges what a run left once more, with one output where a folder lies.
async fn judged_with_a_missing_output(ended: Ended) -> (Ended, Report) {
    std::fs::create_dir(ended.path("taken")).expect("a folder");
    // The one that fails comes last: also an output that was written before tells of it.
    let ended = ended.then(&["judge", "run.jsonl", "-o", "json=again.json", "-o", "html=taken"]).await;
    assert!(ended.stderr().contains("html=taken: not written"), "{}", ended.stderr());
    let report = serde_json::from_slice(&ended.file("again.json")).expect("a report");
    (ended, report)
}

#[tokio::test]
async fn a_finding_before_a_missing_output() {
    let served = Served::new(Some(Fault::ConfigCacheable)).await;
    let (ended, report) = judged_with_a_missing_output(served.run(&[CACHEABLE]).ends().await).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr());
    assert_eq!(report.gate.conditions, [Exit::Findings, Exit::Output]);
    assert!(ended.stdout().contains("Findings (1)"), "the terminal has its report: {}", ended.stdout());
}

#[tokio::test]
async fn a_missing_output_before_nothing() {
    let served = Served::new(None).await;
    let (ended, report) = judged_with_a_missing_output(served.run(&[CACHEABLE]).ends().await).await;
    assert_eq!(ended.code, Some(6), "{}", ended.stderr());
    assert_eq!(report.gate.conditions, [Exit::Output]);
    assert!(ended.stdout().contains("CONFORMANT"), "what was seen stays: {}", ended.stdout());
}

#[tokio::test]
async fn nothing_answered_before_no_verdict_before_a_missing_output() {
    let port = ClosedPort::new();
    let target = TargetFile::cognigy(format!("https://{}/{URL_TOKEN}", port.address));
    let (ended, report) = judged_with_a_missing_output(Gate::run(&target, &[CACHEABLE]).ends().await).await;
    assert_eq!(ended.code, Some(3), "{}", ended.stderr());
    assert_eq!(report.gate.conditions, [Exit::Unreachable, Exit::Inconclusive, Exit::Output]);
}

#[tokio::test]
async fn no_verdict_before_a_missing_output() {
    let served = Served::new(None).await;
    let skipped = served.run(&["page/browser-media"]).arg("--browser").arg("none").ends().await;
    let (ended, report) = judged_with_a_missing_output(skipped).await;
    assert_eq!(ended.code, Some(4), "{}", ended.stderr());
    assert_eq!(report.gate.conditions, [Exit::Inconclusive, Exit::Output]);
}

#[tokio::test]
async fn our_own_fault_before_a_finding() {
    let served = Served::new(Some(Fault::ConfigCacheable)).await;
    let ended = own_fault(served.run(&[CACHEABLE])).ends().await;
    assert_eq!(ended.code, Some(70), "{}", ended.stderr());
    assert_eq!(Outputs::of(&ended).report.gate.conditions, [Exit::Internal, Exit::Findings]);
}

#[tokio::test]
async fn a_signal_before_all_that_was_seen() {
    let served = Served::new(Some(Fault::ConfigCacheable)).await;
    let running = holding(own_fault(served.run(&[CACHEABLE]))).start();
    running.journal_holds("\"event\":\"own-fault\"").await;
    running.journal_holds("\"hold\":true").await;
    running.journal_holds(&format!("\"event\":\"seen\",\"scenario\":\"{CACHEABLE}\"")).await;
    running.signal("INT");
    let ended = running.ends().await;
    assert_eq!(ended.code, Some(130), "{}", ended.stderr());
    let conditions = Outputs::of(&ended).report.gate.conditions;
    assert_eq!(conditions, [Exit::Interrupted, Exit::Internal, Exit::Findings, Exit::Inconclusive]);
}

/// Wrong usage is told before leave is asked for, and leave before an output is looked at.
#[tokio::test]
async fn usage_before_leave_before_outputs() {
    let target = TargetFile::cognigy("https://example.invalid/x").table("[[scope]]\nhosts = [\"example.invalid\"]\n");
    let gate = |only| {
        let gate = Gate::run(&target, &[only]).arg("-o").arg("html=taken");
        std::fs::create_dir(gate.path("taken")).expect("a folder");
        gate
    };
    assert_eq!(gate("media/no-such").ends().await.code, Some(2));
    assert_eq!(gate(CACHEABLE).ends().await.code, Some(5));
}
