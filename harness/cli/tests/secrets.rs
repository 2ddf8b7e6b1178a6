//! A hostile deployment plants every secret that it was given, and characters that act on a terminal, in every field it can.
//! None of them may be found in anything that a run leaves behind.

mod fakes;
mod support;

#[path = "secrets/canaries.rs"]
mod canaries;
#[path = "secrets/hostile.rs"]
mod hostile;

use canaries::Canary;
use hostile::Hostile;
use support::{Ended, Gate, Outputs, TargetFile};

/// Everything that a run left, by name.
fn left_behind(ended: &Ended) -> Vec<(&'static str, String)> {
    let file = |name: &str| String::from_utf8(ended.file(name)).expect("outputs are UTF-8");
    vec![
        ("journal", file("run.jsonl")),
        ("json", file("report.json")),
        ("junit", file("junit.xml")),
        ("html", file("report.html")),
        ("stdout", ended.stdout()),
        ("stderr", ended.stderr()),
    ]
}

/// No secret in any form, and nothing that acts on who reads it.
fn clean(ended: &Ended, canaries: &[Canary]) {
    let mut wrong = Vec::new();
    for (name, text) in left_behind(ended) {
        wrong.extend(canaries.iter().flat_map(|canary| canary.found_in(&text)).map(|found| format!("{name}: {found}")));
        // The journal is for programs: JSON escapes what moves a cursor, and no more.
        let acts = |c: char| if name == "journal" { c.is_ascii_control() && c != '\n' } else { canaries::acts(c) };
        let acts = text.char_indices().find(|(_, c)| acts(*c));
        wrong.extend(acts.map(|(at, c)| {
            let before: String = text[..at].chars().rev().take(80).collect::<Vec<_>>().into_iter().rev().collect();
            format!("{name}: {c:?} after `{before}`")
        }));
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} places:\n{}", wrong.len(), wrong.join("\n"));
}

/// What was planted did arrive: otherwise nothing is tested.
fn planted(ended: &Ended, kinds: &[&str]) {
    let journal = String::from_utf8(ended.file("run.jsonl")).expect("the journal is UTF-8");
    assert!(journal.contains("[redacted: "), "nothing was struck out");
    for kind in kinds {
        assert!(journal.contains(&format!("[redacted: {kind}]")), "no {kind} came back and was struck out");
    }
    assert!(journal.contains(canaries::HARMLESS), "the hostile text is in the evidence");
}

async fn run(target: TargetFile, canaries: &[Canary]) -> Ended {
    let gate = Gate::run(&target.limit("ring_s", 3.0).limit("exchange_s", 3.0).limit("media_s", 0.8), &[]);
    let gate = canaries.iter().fold(gate, |gate, canary| match canary.env {
        Some(name) => gate.env(name, canary.value),
        None => gate,
    });
    let ended = gate.ends().await;
    let outputs = Outputs::of(&ended);
    assert_eq!(outputs.report.counts.error, 0, "no fault of our own");
    outputs.stayed_small();
    ended
}

#[tokio::test]
async fn nothing_of_a_cognigy_deployment_gets_out() {
    let canaries = [canaries::SIP_PASSWORD, canaries::TURN_CREDENTIAL];
    let hostile = Hostile::start(&canaries).await;
    let ended = run(hostile.cognigy(), &canaries).await;
    planted(&ended, &["sip-password", "turn-credential"]);
    let journal = String::from_utf8(ended.file("run.jsonl")).expect("the journal is UTF-8");
    for kind in ["sip-password", "turn-credential"] {
        let leak = format!("{{\"kind\":\"{kind}\",\"where\":\"body\"}}");
        assert!(journal.contains(&leak), "that it came back is told, by its kind: {leak}");
    }
    clean(&ended, &canaries);
}

#[tokio::test]
async fn nothing_of_a_sip_deployment_gets_out() {
    let canaries = canaries::ALL;
    let hostile = Hostile::start(&canaries).await;
    let ended = run(hostile.sip(), &canaries).await;
    planted(&ended, &["sip-password", "turn-credential", "login"]);
    clean(&ended, &canaries);
}

#[tokio::test]
async fn nothing_gets_out_by_way_of_names_in_a_certificate() {
    let canaries = [canaries::HOST_PASSWORD, canaries::TURN_CREDENTIAL];
    let hostile = Hostile::start(&canaries).await;
    let ended = run(hostile.behind_a_wrong_certificate().await, &canaries).await;
    planted(&ended, &["sip-password"]);
    let journal = String::from_utf8(ended.file("run.jsonl")).expect("the journal is UTF-8");
    assert!(journal.contains("only valid for"), "the names of the certificate are told");
    clean(&ended, &canaries);
}

#[test]
fn every_form_is_found() {
    let canary = canaries::SIP_PASSWORD;
    for form in canary.forms() {
        assert!(!canary.found_in(&format!("before{form}after")).is_empty(), "{form}");
    }
    assert!(canary.found_in("nothing of the kind").is_empty());
}
