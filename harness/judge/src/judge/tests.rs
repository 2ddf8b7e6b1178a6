use ringfence_model::evidence::{Event, LeftOut, OwnFault, Plan};
use ringfence_model::verdict::Piece;
use serde_json::{Map, json};

use super::*;
use crate::fixtures::run::{Run, refused_call, seen};
use crate::fixtures::{good_call, load, object};

fn echoing() -> serde_json::Value {
    json!({ "media": { "authenticated": 40, "echoed": 40 } })
}

#[track_caller]
fn says(verdict: &Verdict, state: State, reason: &str) {
    let reasons: Vec<String> = verdict.reasons.iter().map(Line::visible).collect();
    assert_eq!((verdict.state, reasons.join(" | ").as_str()), (state, reason));
}

#[test]
fn a_sound_target_passes_with_its_note() {
    let verdict = Run::new().one(1, json!({})).end().verdict();
    says(&verdict, State::Pass, "");
    assert_eq!(verdict.notes[0].visible(), "alert bad_certificate");
    assert_eq!(verdict.notes[0].0[1], Piece::Target("bad_certificate".into()), "what was seen stays marked");
    assert_eq!((verdict.severity, verdict.level, verdict.tries), (Severity::High, Level::Must, 1));
}

#[test]
fn every_false_expectation_is_a_finding() {
    let verdict = Run::new().one(1, echoing()).end().verdict();
    says(&verdict, State::Fail, "");
    assert_eq!(verdict.findings.len(), 1);
    let finding = &verdict.findings[0];
    assert_eq!(
        (finding.message.visible().as_str(), finding.expected.as_str()),
        ("40 packets came back", "c.media.echoed == 0")
    );
    assert_eq!((finding.severity, verdict.severity, verdict.level), (Severity::High, Severity::High, Level::Must));
    assert_eq!((finding.fingerprint.len(), finding.fingerprint.get(..3)), (35, Some("v1:")));
}

#[test]
fn severity_follows_expectation_and_rule() {
    let silent = json!({ "dtls": { "completed": true } });
    let verdict = Run::new().one(1, silent.clone()).end().verdict();
    assert_eq!(
        (verdict.findings[0].severity, verdict.severity, verdict.level),
        (Severity::Low, Severity::Low, Level::Should)
    );
    let open = Run::new()
        .saw(1, "ok", good_call().into())
        .saw(1, "c", {
            let mut call = refused_call();
            call.extend(object(silent));
            call.into()
        })
        .saw(1, "h", json!({ "outcome": "answered", "status": 200, "location": "\u{1b}[2J" }))
        .saw(1, "g", json!({ "outcome": "answered", "status": 200 }))
        .end();
    let verdict = open.verdict();
    assert_eq!(verdict.findings.len(), 3);
    assert_eq!(verdict.findings[1].step.as_deref(), Some("h"));
    assert_eq!(verdict.findings[1].message.visible(), "answered 200 to \\u{1b}[2J");
    assert_eq!(verdict.findings[2].message.visible(), "answered 200 to [not seen]");
    assert_eq!((verdict.findings[1].severity, verdict.severity), (Severity::Medium, Severity::Medium));
    assert_ne!(verdict.findings[1].fingerprint, verdict.findings[2].fingerprint, "one per step");
}

#[test]
fn fingerprints_do_not_move_with_what_was_seen() {
    let of = |echoed: i64, name: &str| {
        let mut run = Run::new();
        run.0.header.target["name"] = name.into();
        run.one(1, json!({ "media": { "authenticated": 9, "echoed": echoed } })).end().verdict().findings[0]
            .fingerprint
            .clone()
    };
    assert_eq!(of(3, "a"), of(77, "a"));
    assert_ne!(of(3, "a"), of(3, "b"));
}

#[test]
fn order_of_judgement() {
    let mut refusing = good_call();
    refusing.extend(object(json!({ "status": 488, "answered": false, "dtls": { "role": "server" } })));
    let run = |ok: Map<String, serde_json::Value>, c: serde_json::Value| {
        let mut call = refused_call();
        call.extend(object(c));
        Run::new()
            .saw(1, "ok", ok.into())
            .saw(1, "c", call.into())
            .saw(1, "h", json!({ "outcome": "answered", "status": 403 }))
            .saw(1, "g", json!({ "outcome": "answered", "status": 403 }))
            .end()
            .verdict()
    };
    // Not applicable comes before the control that failed with it.
    says(&run(refusing.clone(), echoing()), State::NotApplicable, "it refuses to be server");
    // A control that failed comes before an expectation that is false.
    refusing.insert("status".into(), 404.into());
    says(&run(refusing, echoing()), State::Inconclusive, "the control of step `ok` did not hold: `media(ok)`");
    says(&run(good_call(), json!({ "status": 503, "media": { "echoed": 4 } })), State::Inconclusive, "overloaded");
    // An unknown condition for inconclusive counts as true.
    says(
        &run(good_call(), json!({ "status": null, "media": { "echoed": 4 } })),
        State::Inconclusive,
        "it cannot be said whether `c.status == 503`: `c.status` was not seen",
    );
    // One false expectation decides although another is unknown.
    assert_eq!(run(good_call(), json!({ "media": { "echoed": 4 }, "dtls": {} })).state, State::Fail);
    says(
        &run(good_call(), json!({ "dtls": {} })),
        State::Inconclusive,
        "it cannot be said whether `!c.dtls.completed || rejected_within(c, 3000)` holds: `c.dtls.completed` was not seen",
    );
}

#[test]
fn a_broken_step_says_how_it_ended() {
    let broken = json!({ "outcome": "timeout", "elapsed_ms": 0, "error": "no answer \u{7}in 5 s" });
    let verdict = Run::new().saw(1, "ok", broken).left_out("c").left_out("h").left_out("g").end().verdict();
    says(
        &verdict,
        State::Inconclusive,
        "the control of step `ok` cannot be decided: `ok.answered` was not seen, `ok.dtls` was not seen, `ok.media` was not seen; step `ok` ended with timeout: no answer \\u{7}in 5 s",
    );
}

#[test]
fn steps_that_were_not_asked_take_their_expectations_with_them() {
    let verdict = Run::new()
        .saw(1, "ok", good_call().into())
        .saw(1, "c", refused_call().into())
        .left_out("h")
        .saw(1, "g", json!({ "outcome": "closed" }))
        .end()
        .verdict();
    says(&verdict, State::Pass, "");
    let none = Run::new().left_out("ok").left_out("c").left_out("h").left_out("g").end().verdict();
    assert_eq!(none.state, State::NotApplicable);
    assert_eq!(none.reasons.len(), 4);
    assert_eq!(none.reasons[0].visible(), "step `c`: the target file gives no endpoints.api");
}

#[test]
fn controls_read_the_hold_and_expectations_the_end() {
    let mut ended = refused_call();
    ended.extend(object(echoing()));
    let run = Run::new().one(1, json!({})).with(Event::Ended(seen(1, "c", ended.into()))).end();
    assert_eq!(run.verdict().state, State::Fail);
}

#[test]
fn what_was_broken_off_is_inconclusive() {
    says(&Run::new().verdict(), State::Inconclusive, "the run ended before this was asked, and its journal has no end");
    let run = Run::new().saw(1, "ok", good_call().into()).saw(1, "c", refused_call().into());
    says(&run.verdict(), State::Inconclusive, "the run ended before step `h` was asked");
    // All was asked, but the held call was never seen at its end.
    says(&Run::new().one(1, json!({})).verdict(), State::Inconclusive, "the run ended while step `c` was held");
    // A second try that broke off says nothing beside the first.
    let run = Run::new()
        .one(1, echoing())
        .with(Event::Ended(seen(1, "c", {
            let mut call = refused_call();
            call.extend(object(echoing()));
            call.into()
        })))
        .saw(2, "ok", good_call().into());
    assert_eq!(run.verdict().state, State::Fail);
}

/// What is left to ask when a run goes on.
#[test]
fn a_try_is_whole_when_every_step_was_told_and_nothing_is_held() {
    let library = Run::library();
    let whole = |run: &Run, attempt| came_to_its_end(&run.0, &library, "a/b", attempt);
    let fault = |step: &str| {
        let (scenario, error) = ("a/b".into(), "panicked".into());
        Event::OwnFault(OwnFault { scenario, attempt: 1, step: step.into(), error })
    };
    assert!(!whole(&Run::new(), 1), "nothing was asked");
    let held = Run::new().one(1, json!({}));
    assert!(!whole(&held, 1), "its call was never seen at its end");
    let ended = held.with(Event::Ended(seen(1, "c", refused_call().into())));
    assert!(whole(&ended, 1) && !whole(&ended, 2));
    assert!(whole(&Run::new().one(1, json!({})).with(fault("c")), 1), "a fault of ours is an end as well");
    let broken = Run::new().saw(1, "ok", good_call().into()).with(fault("c"));
    assert!(!whole(&broken, 1), "and yet the steps behind it were not told");
    assert!(whole(&broken.left_out("h").left_out("g"), 1));
}

#[test]
fn our_own_faults_are_errors() {
    let fault = OwnFault { scenario: "a/b".into(), attempt: 1, step: "c".into(), error: "panicked".into() };
    let verdict = Run::new().saw(1, "ok", good_call().into()).with(Event::OwnFault(fault)).end().verdict();
    says(&verdict, State::Error, "step `c`: panicked");
}

#[test]
fn what_was_left_out_is_skipped_or_does_not_apply() {
    for (not_applicable, state) in [(true, State::NotApplicable), (false, State::Skipped)] {
        let mut run = Run::new();
        let to_enable = Some("[destinations.call]".to_owned());
        let left_out = LeftOut { scenario: "a/b".into(), not_applicable, why: "no destination".into(), to_enable };
        run.0.plan = Some(Plan { chains: Vec::new(), left_out: vec![left_out] });
        let verdict = run.end().verdict();
        says(&verdict, state, "no destination");
        assert_eq!(verdict.to_enable.as_deref(), Some("[destinations.call]"));
    }
}

#[test]
fn a_scenario_without_its_text_never_passes() {
    let library = load(&[]).unwrap_or_else(|errors| panic!("{errors:?}"));
    let verdicts = judge(&Run::new().one(1, json!({})).end().0, &library, None);
    says(&verdicts[0], State::Inconclusive, "the journal names this scenario and holds no text of it");
    assert!(verdicts[0].required());
}

#[test]
fn tries_that_differ_are_inconclusive() {
    let run = Run::new().one(1, echoing()).one(2, json!({})).end();
    let verdict = run.verdict();
    says(&verdict, State::Inconclusive, "the tries differ: fail, pass");
    assert_eq!((verdict.tries, verdict.findings.len(), verdict.confidence), (2, 0, Confidence::Low));
    let twice = Run::new().one(1, echoing()).one(2, echoing()).end().verdict();
    assert_eq!((twice.state, twice.tries, twice.confidence), (State::Fail, 2, Confidence::High));
}

#[test]
fn what_was_seen_to_hold_is_told_apart_from_what_was_not_judged() {
    let library = Run::library();
    let all = library.fingerprints("front-desk");
    assert_eq!(all.len(), 4);
    let whole = Run::new().one(1, json!({})).end().verdict();
    assert_eq!(whole.held.iter().cloned().collect::<std::collections::BTreeSet<_>>(), all);

    // A step that was left out takes its condition with it: that one neither fails nor holds.
    let call = refused_call();
    let run = Run::new().saw(1, "ok", good_call().into()).saw(1, "c", call.into());
    let run = run.saw(1, "h", json!({ "outcome": "answered", "status": 403 })).left_out("g").end();
    let verdict = run.verdict();
    says(&verdict, State::Pass, "");
    assert_eq!(verdict.held.len(), 3);

    // In a fail too: what could not be decided holds no more than what failed.
    let failed = Run::new().one(1, echoing()).end().verdict();
    assert_eq!((failed.findings.len(), failed.held.len()), (1, 3));
    assert!(!failed.held.contains(&failed.findings[0].fingerprint));

    let open = Run::new().one(1, json!({ "status": 503 })).end().verdict();
    assert_eq!((open.state, open.held.len()), (State::Inconclusive, 0));
}

#[test]
fn what_one_try_saw_broken_does_not_hold() {
    let silent = json!({ "dtls": { "completed": true } });
    let verdict = Run::new().one(1, echoing()).one(2, silent).end().verdict();
    assert_eq!((verdict.state, verdict.findings.len()), (State::Fail, 1));
    let echoed = Run::new().one(1, echoing()).end().verdict().findings[0].fingerprint.clone();
    assert_ne!(verdict.findings[0].fingerprint, echoed);
    assert!(!verdict.held.contains(&echoed), "the first try saw it broken");
    assert_eq!(verdict.held.len(), 2);
}
