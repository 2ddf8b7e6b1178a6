use ringfence_model::Exit;
use ringfence_model::report::Report;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::run::Run;
use crate::{Assessment, Standards, Waivers, assess};

/// The call of the fixture's scenario with so many packets come back, and the status that its HTTP request got.
fn run(echoed: i64, status: i64) -> Run {
    let mut call = crate::fixtures::run::refused_call();
    call.extend(crate::fixtures::object(json!({ "media": { "authenticated": echoed, "echoed": echoed } })));
    Run::new()
        .saw(1, "ok", crate::fixtures::good_call().into())
        .saw(1, "c", Value::Object(call))
        .saw(1, "h", json!({ "outcome": "answered", "status": status, "location": "x" }))
        .saw(1, "g", json!({ "outcome": "closed" }))
        .end()
}

fn assessed(run: &Run, by: &Assessment<'_>) -> Report {
    assess(&run.0, &Run::library(), Standards::default(), by)
}

fn plain(run: &Run) -> Report {
    assessed(run, &Assessment::default())
}

fn against(run: &Run, baseline: &Baseline, new_only: bool) -> (Report, Delta) {
    let report = assessed(run, &Assessment { baseline: Some(baseline), new_only, ..Assessment::default() });
    let delta = report.delta.clone().unwrap_or_else(|| panic!("no comparison"));
    (report, delta)
}

fn numbers(delta: &Delta) -> (u64, u64, u64, usize, usize) {
    (delta.new, delta.reopened, delta.unchanged, delta.fixed.len(), delta.not_judged.len())
}

#[test]
fn new_unchanged_fixed_and_reopened() {
    let (first, second) = (run(5, 403), run(0, 200));
    let mut baseline = Baseline::of(&plain(&first));
    let (report, delta) = against(&first, &baseline, false);
    assert_eq!(numbers(&delta), (0, 0, 1, 0, 0));
    assert_eq!(report.gate.exit, Exit::Findings, "a baseline alone opens no gate");

    let (report, delta) = against(&second, &baseline, false);
    assert_eq!(numbers(&delta), (1, 0, 0, 1, 0));
    assert_eq!(report.results[0].verdict.findings[0].standing, Some(Standing::New));
    assert_eq!((delta.fixed[0].scenario.as_str(), delta.baseline.as_str()), ("a/b", "1 of 2026-01-01"));

    baseline.update(&plain(&second));
    assert_eq!(baseline.count(), (1, 1));
    let (report, delta) = against(&run(5, 200), &baseline, false);
    assert_eq!(numbers(&delta), (0, 1, 1, 0, 0));
    let standings: Vec<_> = report.results[0].verdict.findings.iter().map(|finding| finding.standing).collect();
    assert_eq!(standings, [Some(Standing::Reopened), Some(Standing::Unchanged)]);
    assert!(
        report.results[0].verdict.findings.iter().all(|finding| finding.first_seen.as_deref() == Some("2026-01-01"))
    );

    baseline.update(&plain(&run(5, 200)));
    assert_eq!(baseline.count(), (2, 0), "what is back is open again");
}

#[test]
fn the_gate_can_look_at_what_is_new() {
    let baseline = Baseline::of(&plain(&run(5, 403)));
    let gate = |run: &Run| against(run, &baseline, true).0.gate;
    let same = gate(&run(5, 403));
    assert_eq!((same.exit, same.word.as_str()), (Exit::Clean, "Conformant"));
    assert_eq!(
        same.sentence,
        "0 of 1 scenario passed and nothing blocks the release; 1 finding known from the baseline."
    );
    assert_eq!(gate(&run(5, 200)).exit, Exit::Findings, "one of two findings is new");
    let mut fixed = baseline.clone();
    fixed.update(&plain(&run(0, 403)));
    assert_eq!(against(&run(5, 403), &fixed, true).0.gate.exit, Exit::Findings, "what is back closes it");
    let high =
        Assessment { baseline: Some(&baseline), new_only: true, fail_on: Severity::Critical, ..Assessment::default() };
    assert_eq!(assessed(&run(5, 200), &high).gate.exit, Exit::Clean, "below --fail-on stays below");
}

#[test]
fn what_was_not_judged_is_not_fixed() {
    let baseline = Baseline::of(&plain(&run(5, 200)));
    assert_eq!(baseline.count(), (2, 0));
    // Inconclusive: neither holds.
    let open = Run::new().one(1, json!({ "status": 503 })).end();
    let (_, delta) = against(&open, &baseline, false);
    assert_eq!(numbers(&delta), (0, 0, 0, 0, 2));
    // A pass without the step that one of them is about: only the other is fixed.
    let call = crate::fixtures::run::refused_call();
    let run = Run::new().saw(1, "ok", crate::fixtures::good_call().into()).saw(1, "c", call.into());
    let run = run.left_out("h").saw(1, "g", json!({ "outcome": "closed" })).end();
    let (report, delta) = against(&run, &baseline, false);
    assert_eq!((report.counts.pass, numbers(&delta)), (1, (0, 0, 0, 1, 1)));
    let mut updated = baseline.clone();
    updated.update(&report);
    assert_eq!(updated.count(), (1, 1), "what was not judged stays open");
}

#[test]
fn waived_findings_are_neither_new_nor_known() {
    let broken = run(5, 403);
    let fingerprint = &broken.verdict().findings[0].fingerprint;
    let text = format!(
        "[[waiver]]\nscenario = \"a/b\"\ntarget = \"*\"\nfingerprint = \"{fingerprint}\"\nreason = \"r\"\nowner = \"o\"\n\
         expires = 2026-02-01\n"
    );
    let waivers = Waivers::read("w", &text, "2026-01-01").unwrap_or_else(|errors| panic!("{errors:?}"));
    let waived = Assessment { waivers: Some(&waivers), ..Assessment::default() };
    let empty = Baseline::of(&assessed(&broken, &waived));
    assert_eq!(empty.count(), (0, 0));
    let report = assessed(&broken, &Assessment { baseline: Some(&empty), ..waived });
    assert_eq!(report.delta.as_ref().map(numbers), Some((0, 0, 0, 0, 0)));
    assert_eq!(report.results[0].verdict.findings[0].standing, None);
    // When the waiver ends, the finding is new.
    assert_eq!(against(&broken, &empty, true).0.gate.exit, Exit::Findings);
    // A known finding that is waived now is not fixed either.
    let known = Baseline::of(&plain(&broken));
    let report = assessed(&broken, &Assessment { baseline: Some(&known), ..waived });
    assert_eq!(report.delta.as_ref().map(numbers), Some((0, 0, 0, 0, 0)));
}

#[test]
fn the_file_reads_back_and_prune_forgets() {
    let mut baseline = Baseline::of(&plain(&run(5, 403)));
    baseline.update(&plain(&run(0, 200)));
    let text = baseline.text();
    assert!(text.starts_with("# Findings that are known"), "{text}");
    let read = Baseline::read("b.toml", &text, Some("front-desk")).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(read, baseline);
    let possible = Run::library().fingerprints("front-desk");
    let mut pruned = read.clone();
    assert_eq!((pruned.prune(&possible), pruned.count()), ((1, 0), (1, 0)));
    assert_eq!((pruned.prune(&BTreeSet::new()), pruned.count()), ((0, 1), (0, 0)));
}

#[test]
fn broken_and_foreign_files_are_refused_with_the_place() {
    let text = Baseline::of(&plain(&run(5, 403))).text();
    let said = |from: &str, to: &str, target: Option<&str>| {
        assert!(text.contains(from), "{text}");
        match Baseline::read("b.toml", &text.replace(from, to), target) {
            Ok(_) => panic!("read"),
            Err(errors) => errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        }
    };
    assert_eq!(
        said("", "", Some("back-desk")),
        "b.toml:5:10: this is a baseline of target \"front-desk\", not \"back-desk\""
    );
    assert!(said("\"v1\"", "\"v2\"", None).contains("version of fingerprints \"v2\", not \"v1\""));
    assert!(said("baseline/v1", "baseline/v9", None).contains("b.toml:4:10: this is a baseline of format"));
    assert!(said("v1:", "w1:", None).contains("`fingerprint` is none of v1"));
    assert!(said("first_seen", "frist_seen", None).contains("did you mean `first_seen`?"));
    assert!(said("last_seen = \"2026-01-01\"", "last_seen = \"soon\"", None).contains("`last_seen` is no day"));
    let twice = text.find("[[finding]]").and_then(|at| text.get(at..)).unwrap_or_else(|| panic!("{text}"));
    assert!(Baseline::read("b.toml", &format!("{text}\n{twice}"), None).is_err());
    assert!(Baseline::read("b.toml", "nonsense", None).is_err());
}
