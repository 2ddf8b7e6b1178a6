//! A run that was killed goes on, and says what it would have said undisturbed.
#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet};

use ringfence_lab::fault::Fault;
use ringfence_model::evidence::{Entry, Event};
use ringfence_model::report::Report;
use ringfence_model::verdict::State;

use crate::house::{CACHEABLE, Served, with_scenario};
use crate::support::gate::Running;
use crate::support::{Ended, Outputs, outputs};

const RESUME: [&str; 9] =
    ["run", "--target", "target.toml", "--resume", "run.jsonl", "-o", "json=report.json", "-o", "junit=junit.xml"];

/// Some that pass, one that fails, and one that takes its time between two fetches: long enough to be broken off.
const ASKED: [&str; 3] = [CACHEABLE, "cors/any-origin", "transport/ws-cleartext"];

fn slow(served: &Served) -> crate::support::Gate {
    let steps = "[[step]]\nname = \"f\"\nprobe = \"fetch-config\"\n[[step]]\nname = \"w\"\nprobe = \"wait\"\n\
                 with = { for = \"duration\", seconds = 8 }\n[[step]]\nname = \"g\"\nprobe = \"fetch-config\"\n";
    with_scenario(served.run(&ASKED), "slow", steps, "f.config.username != g.config.username")
}

fn verdicts(report: &Report) -> BTreeMap<String, State> {
    report.results.iter().map(|result| (result.verdict.scenario.clone(), result.verdict.state)).collect()
}

fn report(ended: &Ended) -> Report {
    serde_json::from_slice(&ended.file("report.json")).expect("a report")
}

/// Waits until everything has ended but the slow one, which has begun, and kills the run.
async fn killed(running: Running) -> Ended {
    for id in ASKED {
        running.stderr_holds(id).await;
    }
    running.journal_holds("\"scenario\":\"house/slow\",\"try\":1,\"step\":\"f\"").await;
    running.signal("KILL");
    let ended = running.ends().await;
    assert_eq!(ended.code, None, "killed");
    ended
}

fn seen(journal: &[Entry]) -> Vec<(String, u32, String)> {
    let seen = journal.iter().filter_map(|entry| match &entry.event {
        Event::Seen(seen) => Some((seen.scenario.clone(), seen.attempt, seen.step.clone())),
        _ => None,
    });
    seen.collect()
}

#[tokio::test]
async fn a_killed_run_says_in_the_end_what_an_undisturbed_one_says() {
    let served = Served::new(Some(Fault::ConfigCacheable)).await;
    let undisturbed = slow(&served).ends().await;
    assert_eq!(undisturbed.code, Some(1), "{}", undisturbed.stderr());
    let expected = verdicts(&report(&undisturbed));
    assert_eq!(expected["house/slow"], State::Pass, "{}", undisturbed.stdout());

    let ended = killed(slow(&served).start()).await;
    let first = ended.file("run.jsonl");
    // A kill in the middle of a write.
    std::fs::write(ended.path("run.jsonl"), [&first[..], b"{\"hash\":\"00"].concat()).expect("it is written");

    // It goes on, and is killed again in the same chain.
    let resume = [&RESUME[..], &["--scenarios", "scenarios"]].concat();
    let running = ended.next(&resume).start();
    running.stderr_holds("asking 1 scenario, 0 left out").await;
    running.journal_holds("\"event\":\"resumed\"").await;
    let again = async {
        loop {
            let text = std::fs::read_to_string(running.path("run.jsonl")).expect("the journal");
            if text.matches("\"scenario\":\"house/slow\",\"try\":1,\"step\":\"f\"").count() == 2 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(crate::support::gate::HANG, again).await.expect("it begins anew");
    running.signal("KILL");
    let ended = running.ends().await;

    let ended = ended.then(&resume).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr());
    let last = report(&ended);
    assert_eq!(verdicts(&last), expected);
    assert!(last.run.complete);
    let bytes = ended.file("run.jsonl");
    assert!(bytes.starts_with(&first), "what was whole stays, byte for byte");

    let journal = outputs::journal(&bytes);
    let whole: BTreeSet<String> = ASKED.into_iter().map(str::to_owned).collect();
    let seen = seen(&journal);
    let count = |id: &str| seen.iter().filter(|(scenario, ..)| scenario == id).count();
    let once: BTreeSet<_> = seen.iter().filter(|(id, ..)| whole.contains(id)).collect();
    assert_eq!(once.len(), seen.len() - count("house/slow"), "whole chains are not asked again");
    assert_eq!(count("house/slow"), 1 + 1 + 3, "the whole chain begins anew, each time");

    // Each part has a key of its own, and says so.
    let keys: Vec<String> = journal
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Run(header) => Some(header.key.clone()),
            Event::Resumed(resumed) => Some(resumed.key.clone()),
            _ => None,
        })
        .collect();
    assert_eq!((keys.len(), keys.iter().collect::<BTreeSet<_>>().len()), (3, 3));
    let last = journal.iter().rposition(|entry| matches!(entry.event, Event::Resumed(_))).expect("resumed");
    let digests = serde_json::to_string(&journal[last..]).expect("JSON");
    assert!(digests.contains(&format!("digest:{}:", keys[2])) && !digests.contains(&format!("digest:{}:", keys[0])));

    // Judged from the file, the same follows; and there is nothing left to ask.
    let asked = served.log().lines().count();
    let ended = ended.then(&["judge", "run.jsonl", "-o", "json=again.json"]).await;
    assert_eq!(ended.file("again.json"), ended.file("report.json"));
    let ended = ended.then(&resume).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr());
    assert!(ended.stderr().contains("nothing is left to ask"), "{}", ended.stderr());
    assert_eq!((ended.file("run.jsonl"), served.log().lines().count()), (bytes, asked), "nobody was asked");
}

#[tokio::test]
async fn an_interrupted_run_goes_on_behind_its_end() {
    let served = Served::new(None).await;
    let running = slow(&served).start();
    running.journal_holds("\"scenario\":\"house/slow\",\"try\":1,\"step\":\"f\"").await;
    running.signal("INT");
    let ended = running.ends().await;
    assert_eq!(ended.code, Some(130), "{}", ended.stderr());
    let conversations = Outputs::of(&ended).report.run.conversations;
    // As it says itself.
    let command = ended.stderr();
    let command =
        command.lines().find_map(|line| line.trim().strip_prefix("to go on    ringfence ")).expect("a command");
    let resume: Vec<&str> = command.split(' ').chain(["-o", "json=report.json"]).collect();
    let ended = ended.then(&resume).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr());
    let report = report(&ended);
    assert!(report.run.complete && report.run.signal.is_none());
    assert!(report.run.conversations > conversations, "both parts count");
}

/// A call that was placed before the kill is not paid for twice.
#[tokio::test]
async fn what_was_spent_counts_on() {
    let served = Served::new(None).await;
    let target = served.lab.target_file().replace("budget = { calls = 500", "budget = { calls = 1");
    assert!(target.contains("calls = 1,"));
    let steps = "[[step]]\nname = \"c\"\nprobe = \"call\"\nwith = { media_s = 0 }\n[[step]]\nname = \"w\"\nprobe = \"wait\"\n\
                 with = { for = \"duration\", seconds = 120 }\n";
    let gate =
        with_scenario(crate::support::Gate::run_text(&target, &[]), "paid", steps, "c.answered && w.seconds > 0");
    let running = gate.start();
    running.journal_holds("\"step\":\"c\"").await;
    running.signal("KILL");
    let ended = running.ends().await;
    let invites = served.log().matches("method=INVITE").count();
    let running = ended.next(&[&RESUME[..], &["--scenarios", "scenarios"]].concat()).start();
    running.journal_holds("\"event\":\"resumed\"").await;
    running.journal_holds("the run's calls are spent").await;
    assert_eq!(served.log().matches("method=INVITE").count(), invites, "nobody is rung");
    running.signal("TERM");
    assert_eq!(running.ends().await.code, Some(143));
}
