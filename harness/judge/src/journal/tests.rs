use proptest::prelude::*;
use ringfence_model::evidence::{LeftOut, ScenarioText};
use serde_json::{Map, json};

use super::*;

fn header() -> RunHeader {
    RunHeader {
        format: JOURNAL_FORMAT.into(),
        id: "0011223344556677".into(),
        version: "0.1.0".into(),
        started: "2026-01-01T00:00:00Z".into(),
        key: "00000000".into(),
        seed: 7,
        target: json!({ "name": "front-desk" }),
        policy_name: "webrtc-mti".into(),
        policy: json!({}),
        command: "ringfence run --target t.toml".into(),
        words: String::new(),
        scenarios: vec![ScenarioText { id: "a/b".into(), text: String::new() }],
        ..RunHeader::default()
    }
}

fn seen(step: &str, status: i64) -> Seen {
    let observation = json!({ "outcome": "answered", "status": status, "loss": 0.5 });
    Seen {
        scenario: "a/b".into(),
        attempt: 1,
        step: step.into(),
        probe: "call".into(),
        with: Map::new(),
        observation: observation.as_object().cloned().unwrap_or_default(),
    }
}

fn written(events: Vec<Event>) -> String {
    let entries = events.into_iter().enumerate();
    entries.map(|(seq, event)| write_line(&Entry { seq: seq as u64, t_ms: seq as u64 * 10, event })).collect()
}

fn whole() -> String {
    let left_out = LeftOut { scenario: "c/d".into(), not_applicable: false, why: "no need".into(), to_enable: None };
    written(vec![
        Event::Run(Box::new(header())),
        Event::Plan(Plan { chains: vec!["a/b".into()], left_out: vec![left_out] }),
        Event::Seen(seen("a", 200)),
        Event::Seen(seen("b", 200)),
        Event::Ended(seen("a", 201)),
        Event::NotAsked(NotAsked { scenario: "a/b".into(), attempt: 1, step: "e".into(), why: "no endpoint".into() }),
        Event::End(End { complete: true, ..End::default() }),
    ])
}

#[test]
fn what_is_written_is_read() {
    let journal = read(whole().as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert!(journal.complete() && !journal.torn);
    assert_eq!((journal.duration_ms, journal.observations().count()), (60, 2));
    let (attempt, tried) = journal.tries("a/b").next().unwrap_or_else(|| panic!("no try"));
    assert_eq!((attempt, tried.last("a"), tried.last("b")), (1, Some(&seen("a", 201)), Some(&seen("b", 200))));
    assert!(tried.not_asked.contains_key("e"));
}

#[test]
fn order_does_not_matter() {
    let text = whole();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.reverse();
    let journal = read(lines.join("\n").as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(journal.observations().count(), 2);
    assert!(journal.complete());
}

#[test]
fn a_torn_last_line_is_dropped_and_told() {
    let text = whole();
    for cut in [3, 20, 60] {
        let journal = read(&text.as_bytes()[..text.len() - cut]).unwrap_or_else(|error| panic!("{error}"));
        assert!(journal.torn && journal.end.is_none(), "{cut}");
    }
    let whole_but_unended = read(&text.as_bytes()[..text.len() - 1]).unwrap_or_else(|error| panic!("{error}"));
    assert!(!whole_but_unended.torn && whole_but_unended.complete());
}

#[track_caller]
fn refused(text: &str, message: &str) {
    match read(text.as_bytes()) {
        Ok(_) => panic!("this reads:\n{text}"),
        Err(error) => assert!(error.to_string().starts_with(message), "{error}"),
    }
}

#[test]
fn what_is_no_journal_is_refused() {
    refused("", "journal has no `run` event");
    refused("hello\n", "journal line 1: expected value");
    refused(
        &whole().replace("ringfence.journal/v1", "ringfence.journal/v2"),
        "journal format is `ringfence.journal/v2`; this version reads",
    );
    refused(&whole().replace("\"seen\"", "\"sene\""), "journal line 3: unknown variant `sene`");
    refused(&whole().replace("\"seq\":3,", ""), "journal line 4: missing field `seq`");
    let twice = written(vec![Event::Run(Box::new(header())), Event::Seen(seen("a", 200)), Event::Seen(seen("a", 404))]);
    refused(&twice, "journal has two different `seen` events for `a/b`, try 1, step `a`");
    let other = RunHeader { id: "ff".into(), ..header() };
    refused(
        &written(vec![Event::Run(Box::new(header())), Event::Run(Box::new(other))]),
        "journal has two different `run`",
    );
    refused(&format!("{}\n", "[".repeat(100_000)), "journal line 1: recursion limit exceeded");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever a file is cut, swapped or overwritten to, reading ends with a journal or a reason.
    #[test]
    fn reading_never_panics(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12), cut in any::<prop::sample::Index>()) {
        let mut bytes = whole().into_bytes();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        let _ = read(&bytes);
    }

    /// A kill may come after any byte: what was whole before it is read.
    #[test]
    fn any_beginning_that_has_the_first_line_is_read(cut in any::<prop::sample::Index>()) {
        let text = whole();
        let first = text.find('\n').unwrap_or(0) + 1;
        let end = first + cut.index(text.len() - first + 1);
        let journal = read(&text.as_bytes()[..end]);
        prop_assert!(journal.is_ok(), "{journal:?}");
    }
}
