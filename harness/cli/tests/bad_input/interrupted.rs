//! A run that does not come to its end, and judging again what it saw.

use std::sync::Arc;

use ringfence_lab::fault::Fault;
use ringfence_lab::{Lab, LabOptions};
use ringfence_model::evidence::Event;
use ringfence_model::report::Report;
use ringfence_model::verdict::State;
use tokio::sync::Notify;

use crate::fakes::config;
use crate::fakes::sip::{Act, Agent, reply};
use crate::support::gate::Running;
use crate::support::{Gate, Outputs, outputs};

const CACHEABLE: &str = "credentials/answer-cacheable";
const CALL: &str = "media/not-dtls-srtp";

/// A run that has asked one scenario to its end (its last step is not asked) and hangs in the call of another, which rings.
async fn ringing() -> (Running, Agent) {
    let rings = Arc::new(Notify::new());
    let notice = rings.clone();
    let agent = Agent::new(move |invite| {
        notice.notify_one();
        vec![Act::Say(reply(invite, 180, "Ringing").build().expect("a message"))]
    });
    let target = config::around(agent.clone()).await.limit("ring_s", 300.0);
    let running = Gate::run(&target, &[CACHEABLE, CALL]).start();
    rings.notified().await;
    running.journal_holds("\"event\":\"not-asked\"").await;
    (running, agent)
}

/// After a signal every output is there, and none claims to be whole.
async fn ends_by(name: &str, code: u8) {
    let (running, agent) = ringing().await;
    running.signal(name);
    let ended = running.ends().await;
    let outputs = Outputs::of(&ended);
    assert_eq!(ended.code, Some(code.into()));
    let run = &outputs.report.run;
    assert_eq!((run.complete, run.signal.as_deref()), (false, Some(format!("SIG{name}").as_str())));
    let state =
        |id: &str| outputs.report.results.iter().find(|result| result.verdict.scenario == id).map(|r| r.verdict.state);
    assert_eq!(state(CALL), Some(State::Inconclusive));
    assert!(matches!(outputs.journal.last().map(|entry| &entry.event), Some(Event::End(end)) if !end.complete));
    assert!(agent.methods().contains(&"CANCEL".to_owned()), "nobody is left ringing: {:?}", agent.methods());

    let judged = ended.then(&["judge", "run.jsonl", "-o", "json=again.json"]).await;
    assert_eq!(judged.code, Some(code.into()), "{}", judged.stderr());
    assert_eq!(judged.file("again.json"), judged.file("report.json"));
}

#[tokio::test]
async fn sigint_in_the_middle() {
    ends_by("INT", 130).await;
}

#[tokio::test]
async fn sigterm_in_the_middle() {
    ends_by("TERM", 143).await;
}

#[tokio::test]
async fn kill_in_the_middle() {
    let (running, _) = ringing().await;
    running.signal("KILL");
    let ended = running.ends().await;
    assert_eq!(ended.code, None, "killed");
    assert!(ended.lacks("report.json"));
    let journal = outputs::journal(&ended.file("run.jsonl"));
    assert!(!journal.iter().any(|entry| matches!(entry.event, Event::End(_))));

    let judged = ended.then(&["judge", "run.jsonl", "-o", "json=again.json"]).await;
    assert_eq!(judged.code, Some(4), "{}", judged.stderr());
    let report: Report = serde_json::from_slice(&judged.file("again.json")).expect("a report");
    assert!(!report.run.complete);
    // What was whole keeps its verdict.
    assert_eq!((report.counts.pass, report.counts.inconclusive), (1, 1), "{:?}", report.counts);
}

#[tokio::test]
async fn a_journal_that_breaks_off_in_a_line() {
    let (running, _) = ringing().await;
    running.signal("KILL");
    let ended = running.ends().await;
    let mut bytes = ended.file("run.jsonl");
    bytes.truncate(bytes.len() - 7);
    std::fs::write(ended.path("run.jsonl"), bytes).expect("the journal is written");
    let judged = ended.then(&["judge", "run.jsonl"]).await;
    assert_eq!(judged.code, Some(4), "{}", judged.stderr());
    assert!(judged.stderr().contains("broke off"), "{}", judged.stderr());
}

#[tokio::test]
async fn judging_again_gives_the_same_bytes() {
    for (fault, code) in [(None, 0), (Some(Fault::ConfigCacheable), 1)] {
        let folder = tempfile::tempdir().expect("a folder");
        let options = LabOptions { fault, ..LabOptions::healthy(folder.path()) };
        let lab = Lab::start(options).await.expect("a lab");
        let ended = Gate::run_text(&lab.target_file(), &[CACHEABLE, CALL]).ends().await;
        lab.stop().await;
        let outputs = Outputs::of(&ended);
        assert_eq!(ended.code, Some(code), "{:?}", outputs.report.gate);
        let again = ["judge", "run.jsonl", "-o", "json=again.json", "-o", "html=again.html", "-o", "junit=again.xml"];
        let judged = ended.then(&again).await;
        assert_eq!(judged.code, Some(code));
        for (one, two) in [("report.json", "again.json"), ("report.html", "again.html"), ("junit.xml", "again.xml")] {
            assert_eq!(judged.file(one), judged.file(two), "{one}");
        }
    }
}
