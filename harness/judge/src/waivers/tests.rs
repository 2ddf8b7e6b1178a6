use ringfence_model::Exit;
use ringfence_model::report::{Report, WaiverState};
use ringfence_model::verdict::{Severity, State};
use serde_json::json;

use super::*;
use crate::fixtures::run::Run;
use crate::{Assessment, Standards, assess};

/// The fixture's run began on 2026-01-01, at a target `front-desk`.
const STARTED: &str = "2026-01-01T00:00:00Z";

fn waiver(fingerprint: &str, changed: &[(&str, &str)]) -> String {
    let mut keys = vec![
        ("scenario", "\"a/b\"".to_owned()),
        ("target", "\"front-*\"".into()),
        ("fingerprint", format!("\"{fingerprint}\"")),
        ("reason", "\"it is being replaced\"".into()),
        ("owner", "\"voice team\"".into()),
        ("expires", "2026-06-30".into()),
    ];
    for (key, value) in changed {
        keys.retain(|(known, _)| known != key);
        keys.extend((!value.is_empty()).then(|| (*key, (*value).to_owned())));
    }
    let lines: Vec<String> = keys.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    format!("[[waiver]]\n{}", lines.concat())
}

/// Two findings: the high one of `c`, and the one of step `h`.
fn broken() -> Run {
    let mut call = crate::fixtures::run::refused_call();
    call.extend(crate::fixtures::object(json!({ "media": { "authenticated": 5, "echoed": 5 } })));
    Run::new()
        .saw(1, "ok", crate::fixtures::good_call().into())
        .saw(1, "c", call.into())
        .saw(1, "h", json!({ "outcome": "answered", "status": 200, "location": "x" }))
        .saw(1, "g", json!({ "outcome": "closed" }))
        .end()
}

fn assessed(run: &Run, waivers: &str, strict_waivers: bool) -> Report {
    let waivers = Waivers::read("w.toml", waivers, STARTED).unwrap_or_else(|errors| panic!("{errors:?}"));
    let by = Assessment { waivers: Some(&waivers), strict_waivers, ..Assessment::default() };
    assess(&run.0, &Run::library(), Standards::default(), &by)
}

fn fingerprints(run: &Run) -> Vec<String> {
    run.verdict().findings.iter().map(|finding| finding.fingerprint.clone()).collect()
}

#[test]
fn a_waived_finding_stays_and_does_not_close_the_gate() {
    let run = broken();
    let found = fingerprints(&run);
    assert_eq!(found.len(), 2);
    let both = found.iter().map(|fingerprint| waiver(fingerprint, &[])).collect::<String>();
    let report = assessed(&run, &both, false);
    let verdict = &report.results[0].verdict;
    assert_eq!((verdict.state, verdict.waived()), (State::Fail, true));
    assert!(verdict.findings.iter().all(|finding| finding.waived.as_deref() == Some("it is being replaced")));
    assert_eq!((report.counts.fail, report.counts.waived, report.counts.high), (0, 1, 0));
    assert_eq!((report.gate.exit, report.gate.word.as_str()), (Exit::Clean, "Conformant"));
    assert_eq!(report.gate.sentence, "0 of 1 scenario passed and nothing blocks the release; 1 finding waived.");
    assert!(report.waivers.iter().all(|waiver| waiver.state == WaiverState::Used && waiver.days_left == 180));

    // One of two: what is left counts, and only by its own severity.
    let report = assessed(&run, &waiver(&found[0], &[]), false);
    assert_eq!((report.gate.exit, report.counts.fail, report.counts.waived), (Exit::Findings, 1, 0));
    assert_eq!(report.results[0].verdict.findings[1].waived, None);
}

#[test]
fn severity_is_that_of_what_is_left() {
    let mut call = crate::fixtures::run::refused_call();
    // The handshake completes, no alert: low. And packets come back: high.
    call.extend(crate::fixtures::object(json!({
        "dtls": { "completed": true }, "media": { "authenticated": 5, "echoed": 5 }
    })));
    let run = Run::new()
        .saw(1, "ok", crate::fixtures::good_call().into())
        .saw(1, "c", call.into())
        .saw(1, "h", json!({ "outcome": "closed" }))
        .saw(1, "g", json!({ "outcome": "closed" }))
        .end();
    let high = run.verdict().findings.iter().find(|finding| finding.severity == Severity::High).cloned();
    let high = high.unwrap_or_else(|| panic!("no high finding"));
    let report = assessed(&run, &waiver(&high.fingerprint, &[]), false);
    assert_eq!(report.results[0].verdict.severity, Severity::Low);
    assert_eq!((report.counts.high, report.counts.low), (0, 1));
}

#[test]
fn the_last_day_still_counts_and_the_day_after_does_not() {
    let run = broken();
    let found = fingerprints(&run);
    let of = |expires: &str, strict| {
        let text = found.iter().map(|fingerprint| waiver(fingerprint, &[("expires", expires)])).collect::<String>();
        let report = assessed(&run, &text, strict);
        (report.gate.conditions.clone(), report.waivers[0].state, report.waivers[0].days_left)
    };
    assert_eq!(of("2026-01-01", true), (vec![], WaiverState::Used, 0));
    assert_eq!(of("2025-12-31", false), (vec![Exit::Findings], WaiverState::Expired, -1));
    assert_eq!(of("2025-12-31", true), (vec![Exit::Findings, Exit::Waiver], WaiverState::Expired, -1));
}

#[test]
fn a_waiver_that_was_renewed_is_unused_and_so_is_one_whose_finding_is_gone() {
    let run = broken();
    let (found, held) = (fingerprints(&run), run.verdict().held);
    let over = [("expires", "2025-12-31"), ("reason", "\"the old reason\"")];
    let both = [waiver(&found[0], &over), waiver(&found[0], &[]), waiver(&held[0], &over)].concat();
    let report = assessed(&run, &both, false);
    let states: Vec<_> = report.waivers.iter().map(|waiver| (waiver.days_left < 0, waiver.state)).collect();
    assert_eq!(states.iter().filter(|state| **state == (true, WaiverState::Unused)).count(), 2, "{states:?}");
    assert!(states.contains(&(false, WaiverState::Used)), "{states:?}");
    assert_eq!(report.results[0].verdict.findings[0].waived.as_deref(), Some("it is being replaced"));
}

#[test]
fn a_waiver_that_waives_nothing_is_unused_and_one_that_cannot_be_told_is_not() {
    let run = broken();
    let (found, held) = (fingerprints(&run), run.verdict().held);
    let nobody = "v1:00000000000000000000000000000000";
    let state = |run: &Run, text: &str| {
        let report = assessed(run, text, true);
        let problem = report.gate.conditions.contains(&Exit::Waiver);
        assert_eq!(problem, report.waivers.iter().any(|waiver| waiver.state == WaiverState::Unused));
        report.waivers.first().map(|waiver| waiver.state)
    };
    assert_eq!(state(&run, &waiver(&held[0], &[])), Some(WaiverState::Unused), "it holds");
    assert_eq!(state(&run, &waiver(nobody, &[])), Some(WaiverState::Unused), "no condition has it");
    let other = [("scenario", "\"a/other\"")];
    assert_eq!(state(&run, &waiver(&found[0], &other)), Some(WaiverState::Unused), "it is another scenario's finding");
    assert_eq!(state(&run, &waiver(nobody, &other)), Some(WaiverState::NotJudged), "no part of the run");
    let open = Run::new().one(1, json!({ "status": 503 })).end();
    assert_eq!(state(&open, &waiver(&found[0], &[])), Some(WaiverState::NotJudged), "inconclusive");
    assert_eq!(state(&run, &waiver(&found[0], &[("target", "\"back-desk\"")])), None, "another target's");
    let report = assessed(&run, &waiver(&found[0], &[("scenario", "\"a/other\"")]), false);
    assert_eq!(report.results[0].verdict.findings[0].waived, None, "scenario and fingerprint have to agree");
}

#[test]
fn malformed_files_are_refused_with_the_place() {
    let fingerprint = "v1:0123456789abcdef0123456789abcdef";
    let said = |text: &str| match Waivers::read("w.toml", text, STARTED) {
        Ok(_) => panic!("read: {text}"),
        Err(errors) => errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    };
    let with = |key, value| said(&waiver(fingerprint, &[(key, value)]));
    assert_eq!(with("resaon", "\"x\""), "w.toml:8:1: unknown key `resaon` of `waiver`; did you mean `reason`?");
    for key in ["scenario", "target", "fingerprint", "reason", "owner", "expires"] {
        assert!(with(key, "").contains(&format!("`{key}`")), "{key} is required");
    }
    assert_eq!(with("owner", "\" \""), "w.toml:7:9: `owner` is empty");
    assert!(with("expires", "\"2026-06-30\"").starts_with("w.toml:7:11: "), "{}", with("expires", "\"2026-06-30\""));
    assert!(with("expires", "2026-06-30T10:00:00").contains("without a time"));
    assert_eq!(
        with("expires", "2027-01-03"),
        "w.toml:7:11: `expires` is 2027-01-03, 367 days after the run of 2026-01-01; a waiver holds for a year at most"
    );
    assert!(Waivers::read("w.toml", &waiver(fingerprint, &[("expires", "2027-01-01")]), STARTED).is_ok());
    assert!(with("fingerprint", "\"v2:0123456789abcdef0123456789abcdef\"").contains("is of version v2"));
    assert!(with("fingerprint", "\"0123456789abcdef0123456789abcdef\"").contains("`fingerprint` is none"));
    assert!(said("[[waiver").starts_with("w.toml:1:"));
    assert!(said("[[waivers]]\n").contains("did you mean `waiver`?"));
    assert!(Waivers::read("w.toml", "", STARTED).is_ok(), "no waiver is no mistake");
    assert!(Waivers::read("w.toml", "", "yesterday").is_err());
}

#[test]
fn patterns_fit_whole_names() {
    for (pattern, name, yes) in [
        ("desk", "desk", true),
        ("desk", "desks", false),
        ("*", "", true),
        ("*", "desk", true),
        ("front-*", "front-desk", true),
        ("front-*", "a-front-desk", false),
        ("*-desk", "front-desk", true),
        ("*-desk", "front-desk-2", false),
        ("f*t*k", "front-desk", true),
        ("f*x*k", "front-desk", false),
        ("a*a", "a", false),
        ("*desk*desk", "desk", false),
    ] {
        assert_eq!(fits(pattern, name), yes, "{pattern} {name}");
    }
}
