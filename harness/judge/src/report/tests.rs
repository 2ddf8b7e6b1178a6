use super::*;

#[track_caller]
fn case(command: &str, said: &str) {
    assert_eq!(reproduce(command, None, "a/b"), said);
}

#[test]
fn reproducing_takes_the_same_target_policy_and_scenarios() {
    case("ringfence run --target t.toml -o json=x", "ringfence run --target t.toml --only a/b");
    case(
        "ringfence run --policy=asvs-l2 --target=lab/t.toml",
        "ringfence run --target lab/t.toml --policy asvs-l2 --only a/b",
    );
    case(
        "ringfence run --scenarios mine --targets x",
        "ringfence run --target target.toml --scenarios mine --only a/b",
    );
    case(
        "ringfence run --target 'my file.toml' --scenarios a --scenarios 'b c' --only x/y",
        "ringfence run --target 'my file.toml' --scenarios a --scenarios 'b c' --only a/b",
    );
    case("", "ringfence run --target target.toml --only a/b");
    // Judged by another policy, it is asked again under that one.
    let asked = "ringfence run --target t.toml --policy asvs-l2 --scenarios s";
    let again = "ringfence run --target t.toml --policy strict-aead --scenarios s --only a/b";
    assert_eq!(reproduce(asked, Some("strict-aead"), "a/b"), again);
}

#[test]
fn a_report_is_a_function_of_its_journal() {
    use crate::fixtures::run::{Run, refused_call, seen};
    use crate::{GateInput, gate, journal, judge};
    use ringfence_model::evidence::{Entry, Event};
    use ringfence_model::verdict::Severity;
    use serde_json::json;

    let library = Run::library();
    let run = Run::new()
        .saw(1, "ok", crate::fixtures::good_call().into())
        .saw(1, "c", refused_call().into())
        .with(Event::Ended({
            let mut ended = seen(1, "c", refused_call().into());
            ended.observation.insert("elapsed_ms".into(), 4000.into());
            ended.with.clear();
            ended
        }))
        .saw(1, "h", json!({ "outcome": "answered", "status": 200, "elapsed_ms": 5 }))
        .left_out("g")
        .end();
    let of = |journal: &Journal| {
        let verdicts = judge(journal, &library, None);
        let input = GateInput {
            end: journal.end.as_ref(),
            fail_on: Severity::Low,
            new_only: false,
            nothing_answered: false,
            also: &[],
        };
        let gate = gate(&verdicts, input);
        report(journal, &verdicts, gate, &library, None, Standards::default())
    };
    let report = of(&run.0);
    assert_eq!((report.counts.fail, report.counts.medium, report.run.steps), (1, 1, 3));
    let result = &report.results[0];
    assert_eq!(result.elapsed_ms, 1200 + 4000 + 5);
    let steps: Vec<(&str, bool, bool)> =
        result.evidence.iter().map(|step| (step.step.as_str(), step.control, step.not_asked.is_some())).collect();
    assert_eq!(steps, [("ok", true, false), ("c", false, false), ("h", false, false), ("g", false, true)]);
    assert_eq!(result.evidence[1].with["hold"], true, "parameters of the asking, observation of the end");
    assert_eq!((result.proved.as_deref(), report.basis.proved), (Some("config-on-http"), 1));
    let [oracle] = report.sampled.oracles.as_slice() else { panic!("{:?}", report.sampled.oracles) };
    assert_eq!((oracle.scenario.as_str(), oracle.oracle.as_str()), ("a/b", "echo"));
    assert_eq!(report.integrity.scenarios.len(), 64);

    // Written down and read again.
    let mut chain = journal::Chain::default();
    let lines: Vec<String> = vec![Event::Run(Box::new(run.0.header.clone()))]
        .into_iter()
        .chain(run.0.plan.clone().map(Event::Plan))
        .chain(run.0.end.clone().map(Event::End))
        .chain(run.0.tries("a/b").flat_map(|(_, tried)| {
            let seen = tried.seen.values().cloned().map(Event::Seen);
            let ended = tried.ended.values().cloned().map(Event::Ended);
            seen.chain(ended).chain(tried.not_asked.values().cloned().map(Event::NotAsked)).collect::<Vec<_>>()
        }))
        .map(|event| chain.line(&Entry { seq: 0, t_ms: 0, event }))
        .collect();
    let mut again = journal::read(lines.concat().as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(of(&again).integrity.journal_lines, lines.len() as u64);
    again.chain = run.0.chain.clone(); // in memory there are no lines
    let json = |report: &Report| serde_json::to_string(report).unwrap_or_default();
    assert_eq!(json(&of(&again)), json(&report));
}

#[test]
fn explaining_names_words_and_policy() {
    use crate::explain;
    let library = crate::fixtures::run::Run::library();
    let explanation = explain(&library, "a/b", Standards::default()).unwrap_or_else(|| panic!("no such scenario"));
    let forms: Vec<&str> = explanation.words.iter().map(|word| word.form.as_str()).collect();
    assert_eq!(
        forms,
        ["media(c: call)", "refused(x: http-request)", "refused(x: call)", "rejected_within(c: call, ms: int)"]
    );
    assert_eq!(explanation.probes[0], ("ok".to_owned(), "asks by call".to_owned()));
    assert!(explain(&library, "a/c", Standards::default()).is_none());
}
