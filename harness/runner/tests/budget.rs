//! The budget of calls: what it cannot pay is not asked, and never turns a verdict.

mod support;

use std::sync::Arc;

use ringfence_judge::judge;
use ringfence_lab::fault::Fault;
use ringfence_lab::{Lab, LabOptions};
use ringfence_model::target::Target;
use ringfence_model::verdict::{State, Verdict};
use ringfence_runner::{Job, Journal, Selection, Watcher, run};
use tokio::sync::watch;

/// One scenario of one call, asked of a lab that fails it, three times at most.
async fn asked(calls: u32) -> Verdict {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = LabOptions { fault: Some(Fault::SrtpTagIgnored), ..LabOptions::healthy(folder.path()) };
    let lab = Lab::start(options).await.expect("the lab starts");
    let mut target = Target::read(lab.target_path()).expect("the lab's target file is right");
    target.budget.calls = calls;
    let library = Arc::new(support::library());
    let journal = Journal::new(Box::new(std::io::sink()));
    let (_go_on, stop) = watch::channel(None);
    let job = Job {
        policy: support::policy(&target.policy),
        target,
        library: library.clone(),
        selection: Selection { only: vec!["media/forged-packet-accepted".into()], ..Selection::default() },
        tries: 3,
        command: "budget".into(),
        browser: None,
        journal: journal.clone(),
        watcher: Watcher::nobody(),
        stop,
    };
    run(job).await.expect("the run begins");
    lab.stop().await;
    journal.read(|journal| judge(journal, &library, None)).expect("a journal").pop().expect("one verdict")
}

#[tokio::test]
async fn a_fail_that_cannot_be_repeated_stands() {
    let verdict = asked(1).await;
    assert_eq!((verdict.state, verdict.tries), (State::Fail, 1), "{verdict:#?}");
}

#[tokio::test]
async fn a_fail_is_repeated_once() {
    let verdict = asked(9).await;
    assert_eq!((verdict.state, verdict.tries), (State::Fail, 2), "{verdict:#?}");
}

#[tokio::test]
async fn without_calls_nothing_is_said() {
    let verdict = asked(0).await;
    assert_eq!(verdict.state, State::Inconclusive, "{verdict:#?}");
    let why: String = verdict.reasons.iter().map(|line| line.visible()).collect();
    assert!(why.contains("budget.calls"), "{why}");
}
