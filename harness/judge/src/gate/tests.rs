use std::sync::LazyLock;

use ringfence_model::verdict::{Confidence, Level};

use super::*;

static WHOLE: LazyLock<End> =
    LazyLock::new(|| End { complete: true, conversations: 1, answered: true, ..End::default() });

fn verdict(state: State, severity: Severity, level: Level) -> Verdict {
    Verdict {
        scenario: "a/b".into(),
        state,
        severity,
        level,
        reasons: Vec::new(),
        to_enable: None,
        findings: Vec::new(),
        held: Vec::new(),
        notes: Vec::new(),
        confidence: Confidence::High,
        tries: 1,
    }
}

fn must(state: State) -> Verdict {
    verdict(state, Severity::High, Level::Must)
}

#[track_caller]
fn case<'a>(verdicts: &[Verdict], change: impl FnOnce(&mut GateInput<'a>), exit: Exit, word: &str, sentence: &str) {
    let mut input =
        GateInput { end: Some(&*WHOLE), fail_on: Severity::Low, new_only: false, nothing_answered: false, also: &[] };
    change(&mut input);
    let gate = gate(verdicts, input);
    assert_eq!((gate.exit, gate.code, gate.word.as_str(), gate.sentence.as_str()), (exit, exit.code(), word, sentence));
}

#[test]
fn the_table_of_exit_codes() {
    use Severity::{Critical, High, Low, Medium};
    use State::{Error, Fail, Inconclusive, NotApplicable, Pass, Skipped};
    let fine = [must(Pass), must(NotApplicable), must(Skipped)];
    case(
        &fine,
        |_| {},
        Exit::Clean,
        "Conformant",
        "1 of 3 scenarios passed and nothing blocks the release; 2 are skipped or not applicable.",
    );
    let found = [must(Fail), must(Fail), verdict(Fail, Critical, Level::Should), must(Inconclusive), must(Pass)];
    case(
        &found,
        |_| {},
        Exit::Findings,
        "Not conformant",
        "1 critical and 2 high findings block the release; 1 of 5 scenarios gave no verdict.",
    );
    case(&[must(Fail)], |_| {}, Exit::Findings, "Not conformant", "1 high finding blocks the release.");
    let below = [verdict(Fail, Medium, Level::Must), must(Pass)];
    case(
        &below,
        |input| input.fail_on = High,
        Exit::Clean,
        "Conformant",
        "1 of 2 scenarios passed and nothing blocks the release; 1 finding below the gate.",
    );
    case(
        &[verdict(Fail, Critical, Level::Info), must(Pass)],
        |_| {},
        Exit::Clean,
        "Conformant",
        "1 of 2 scenarios passed and nothing blocks the release; 1 finding below the gate.",
    );
    case(
        &[must(Inconclusive), must(Pass)],
        |_| {},
        Exit::Inconclusive,
        "Inconclusive",
        "1 of 2 scenarios gave no verdict.",
    );
    case(
        &[must(Skipped)],
        |_| {},
        Exit::Inconclusive,
        "Inconclusive",
        "Nothing was selected that the gate looks at and that applies.",
    );
    case(
        &[must(NotApplicable), must(NotApplicable)],
        |_| {},
        Exit::Inconclusive,
        "Inconclusive",
        "Nothing was selected that the gate looks at and that applies.",
    );
    case(
        &[],
        |_| {},
        Exit::Inconclusive,
        "Inconclusive",
        "Nothing was selected that the gate looks at and that applies.",
    );
    case(
        &[verdict(Pass, Low, Level::Info)],
        |_| {},
        Exit::Inconclusive,
        "Inconclusive",
        "Nothing was selected that the gate looks at and that applies.",
    );
    case(
        &[must(Error), must(Fail)],
        |_| {},
        Exit::Internal,
        "Not conformant",
        "1 of 2 scenarios failed by a fault of ringfence itself; 1 high finding blocks the release.",
    );
    case(
        &[must(Inconclusive)],
        |input| input.nothing_answered = true,
        Exit::Unreachable,
        "Inconclusive",
        "Nothing of the target answered; 1 of 1 scenario gave no verdict.",
    );
    case(&fine, |input| input.end = None, Exit::Inconclusive, "Inconclusive", "The run broke off before its end.");
    case(&fine, |input| input.also = &[Exit::Output], Exit::Output, "Conformant", "An output could not be written.");
    case(
        &[must(Fail)],
        |input| input.also = &[Exit::Output, Exit::Waiver],
        Exit::Findings,
        "Not conformant",
        "1 high finding blocks the release; a waiver or baseline problem; an output could not be written.",
    );
}

#[test]
fn signals_win() {
    for (signal, exit) in [("SIGINT", Exit::Interrupted), ("SIGTERM", Exit::Terminated)] {
        let end = End { signal: Some(signal.into()), ..End::default() };
        case(
            &[must(State::Pass)],
            |input| input.end = Some(&end),
            exit,
            "Inconclusive",
            "The run was ended by a signal.",
        );
    }
}

#[test]
fn nothing_answered_is_told_by_every_conversation() {
    use crate::fixtures::run::Run;
    use serde_json::json;
    let said = |outcomes: &[&str]| {
        let steps = ["ok", "c", "h", "g"].into_iter().zip(outcomes);
        let run = steps.fold(Run::new(), |run, (step, outcome)| run.saw(1, step, json!({ "outcome": outcome })));
        nothing_answered(&run.0)
    };
    assert!(!said(&[]), "nothing was asked");
    assert!(said(&["unreachable", "timeout", "budget"]));
    assert!(!said(&["budget", "out-of-scope"]), "nothing was sent");
    for answer in ["answered", "closed", "tls-failed", "protocol"] {
        assert!(!said(&["unreachable", answer]), "{answer}");
    }
    // Answers came within a step that then timed out.
    let mut run = Run::new().saw(1, "ok", json!({ "outcome": "timeout" }));
    assert!(nothing_answered(&run.0));
    run.0.end = Some(End { answered: true, ..End::default() });
    assert!(!nothing_answered(&run.0));
}
