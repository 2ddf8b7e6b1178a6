//! A signal while a call is held: nobody is left ringing, nothing stays allocated, and what was seen is written.
#![cfg(unix)]

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use ringfence_client::browser::{INSTALL, find};
use ringfence_model::evidence::Event;
use ringfence_model::report::Report;
use tokio::sync::Notify;

use super::house::{CACHEABLE, Served, holding};
use crate::fakes::config;
use crate::fakes::sip::{Act, Agent, reply};
use crate::support::gate::{HANG, Running};
use crate::support::{Gate, Outputs, outputs};

/// A run whose call is held, through the relay, while media flows.
async fn held(served: &Served) -> Running {
    let running = holding(served.run(&[CACHEABLE])).start();
    running.journal_holds("\"hold\":true").await;
    running.journal_holds(&format!("\"event\":\"seen\",\"scenario\":\"{CACHEABLE}\"")).await;
    running
}

/// The lines of the lab's log for a method that was answered well.
fn count(log: &str, part: &str, method: &str) -> usize {
    let (part, method) = (format!(" part={part} "), format!(" method={method} status=200 "));
    log.lines().filter(|line| line.contains(&part) && line.contains(&method)).count()
}

async fn ends_by(name: &str, code: i32) {
    let served = Served::new(None).await;
    let running = held(&served).await;
    let before = served.log();
    let allocated = count(&before, "turn", "Allocate");
    assert!(count(&before, "signalling", "BYE") == 0 && allocated > 0, "{before}");
    running.signal(name);
    let ended = running.ends().await;
    assert_eq!(ended.code, Some(code), "{}", ended.stderr());

    // Every output is there, and none claims to be whole.
    let outputs = Outputs::of(&ended);
    let run = &outputs.report.run;
    assert_eq!((run.complete, run.signal.as_deref()), (false, Some(format!("SIG{name}").as_str())));
    assert!(matches!(outputs.journal.last().map(|entry| &entry.event), Some(Event::End(end)) if !end.complete));
    let held = outputs.journal.iter().find_map(|entry| match &entry.event {
        Event::Ended(seen) if seen.scenario == "house/held" => Some(&seen.observation),
        _ => None,
    });
    let media = &held.expect("the call was seen to its end")["media"];
    assert!(media["authenticated"].as_u64() > Some(0), "media flowed: {media}");
    assert!(ended.stderr().contains("--resume run.jsonl"), "{}", ended.stderr());

    // The far side was told: the call is over, the relay is free, the registration is taken back.
    let log = served.log();
    assert_eq!(count(&log, "signalling", "BYE"), 1, "{log}");
    let refreshed = count(&log, "turn", "Refresh") - count(&before, "turn", "Refresh");
    assert_eq!(refreshed, allocated, "each allocation is given back: {log}");
    assert!(count(&log, "signalling", "REGISTER") > count(&before, "signalling", "REGISTER"), "{log}");
}

#[tokio::test]
async fn sigint_takes_everything_back() {
    ends_by("INT", 130).await;
}

#[tokio::test]
async fn sigterm_takes_everything_back() {
    ends_by("TERM", 143).await;
}

/// The far side rings and answers no CANCEL: the first signal has to wait for it. The second does not, and keeps the
/// code of the first.
#[tokio::test]
async fn a_second_signal_ends_at_once() {
    for (first, second, code) in [("INT", "INT", 130), ("TERM", "INT", 143)] {
        let rings = Arc::new(Notify::new());
        let notice = rings.clone();
        let agent = Agent::new(move |invite| {
            notice.notify_one();
            vec![Act::Say(reply(invite, 180, "Ringing").build().expect("a message"))]
        });
        let target = config::around(agent).await.limit("ring_s", 300.0);
        let running = Gate::run(&target, &["media/not-dtls-srtp"]).start();
        rings.notified().await;
        running.signal(first);
        running.stderr_holds("once more to stop at once").await;
        running.signal(second);
        let ended = running.ends().await;
        assert_eq!(ended.code, Some(code), "{first}, {second}: {}", ended.stderr());
        let end = outputs::journal(&ended.file("run.jsonl")).into_iter().find(|e| matches!(e.event, Event::End(_)));
        assert!(end.is_none() && ended.lacks("report.json"), "{first}, {second}: it did not wait");
    }
}

/// A browser goes with the run that opened it.
#[tokio::test]
async fn no_browser_stays() {
    let named = std::env::var_os("RINGFENCE_BROWSER");
    let found = find(named.as_deref(), std::env::var_os("PATH").as_deref()).expect("RINGFENCE_BROWSER is a browser");
    if found.is_none() || !cfg!(target_os = "linux") {
        assert!(std::env::var_os("CI").is_none(), "CI has a browser: {INSTALL}");
        // Past the capture of the test runner: who runs this should read it.
        let _ = writeln!(std::io::stderr(), "skipped: what needs a browser. {INSTALL}");
        return;
    }
    let served = Served::new(None).await;
    let running = served.run(&["page/browser-media"]).start();
    let pid = running.pid();
    let opened = async {
        while children(pid).is_empty() {
            // No event tells that another process has started one.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(HANG, opened).await.expect("a browser is started");
    running.file_holds(&served.lab.log_path().display().to_string(), "part=page").await;
    let browsers = children(pid);
    running.signal("TERM");
    let ended = running.ends().await;
    assert_eq!(ended.code, Some(143), "{}", ended.stderr());
    let gone = async {
        while browsers.iter().any(|child| std::path::Path::new(&format!("/proc/{child}/exe")).exists()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(HANG, gone).await.expect("no browser stays");
}

/// The processes that a process has started and that still run.
fn children(pid: u32) -> Vec<u32> {
    let parent = |child: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    let all = std::fs::read_dir("/proc")
        .expect("Linux has /proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    all.filter(|child| parent(*child) == Some(pid)).collect()
}

#[tokio::test]
async fn a_kill_leaves_a_journal_that_can_be_judged() {
    let served = Served::new(None).await;
    let running = held(&served).await;
    running.signal("KILL");
    let ended = running.ends().await;
    assert_eq!(ended.code, None, "killed");
    let mut bytes = ended.file("run.jsonl");
    bytes.truncate(bytes.len() - 9);
    std::fs::write(ended.path("run.jsonl"), bytes).expect("the journal is written");
    let judged = ended.then(&["judge", "run.jsonl", "-o", "json=report.json"]).await;
    assert_eq!(judged.code, Some(4), "{}", judged.stderr());
    assert!(judged.stderr().contains("the last line broke off"), "{}", judged.stderr());
    let report: Report = serde_json::from_slice(&judged.file("report.json")).expect("a report");
    assert!(!report.run.complete && report.run.signal.is_none());
    assert_eq!((report.counts.pass, report.counts.inconclusive), (1, 1), "whole chains keep their verdict");
}
