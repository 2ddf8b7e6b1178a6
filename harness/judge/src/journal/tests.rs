use proptest::prelude::*;
use ringfence_model::evidence::{Again, LeftOut, ScenarioText};
use serde_json::{Map, json};
use sha2::{Digest, Sha256};

use super::chain::hex;
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
    let mut chain = Chain::default();
    let entries = events.into_iter().enumerate();
    entries.map(|(seq, event)| chain.line(&Entry { seq: seq as u64, t_ms: seq as u64 * 10, event })).collect()
}

/// The same text with a chain that fits it: what somebody can do who writes every line anew.
fn chained(text: &str) -> String {
    let mut head = String::new();
    let lines = text.lines().map(|line| {
        let rest = line.split_once(',').map_or(line, |(_, rest)| rest);
        head = hex(&Sha256::digest(format!("{head}{rest}")));
        format!("{{\"hash\":\"{head}\",{rest}\n")
    });
    lines.collect()
}

fn whole() -> String {
    let left_out = LeftOut { scenario: "c/d".into(), not_applicable: false, why: "no need".into(), to_enable: None };
    written(vec![
        Event::Run(Box::new(header())),
        Event::Plan(Plan { chains: vec!["a/b".into()], left_out: vec![left_out] }),
        Event::Seen(seen("a", 200)),
        Event::Seen(seen("b", 200)),
        Event::Ended(seen("a", 201)),
        Event::NotAsked(NotAsked {
            scenario: "a/b".into(),
            attempt: 1,
            step: "e".into(),
            why: "no endpoint".into(),
            to_enable: None,
        }),
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
fn a_line_without_its_end_is_dropped_and_told() {
    let text = whole();
    for cut in [1, 3, 20, 60] {
        let journal = read(&text.as_bytes()[..text.len() - cut]).unwrap_or_else(|error| panic!("{error}"));
        assert!(journal.torn && journal.end.is_none(), "{cut}");
        assert_eq!((journal.chain.lines(), journal.observations().count()), (6, 2));
    }
}

/// As a shell does it: `printf %s "$before${line#*,}" | sha256sum`.
#[test]
fn each_hash_is_that_of_the_hash_before_and_the_rest_of_the_line() {
    assert_eq!(chained(&whole()), whole());
    let first = whole().lines().next().map(|line| line[..9].to_owned());
    assert_eq!(first.as_deref(), Some("{\"hash\":\""));
}

/// Whatever is done to one line is told at that line, or at the one that then stands in its place.
#[test]
fn lines_that_are_changed_removed_inserted_or_moved_are_named() {
    let text = whole();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.len() - 1;
    let told = |lines: &[&str], at: usize| match read((lines.join("\n") + "\n").as_bytes()) {
        Err(JudgeError::Chain { line }) => assert_eq!(line, at + 1),
        other => panic!("line {}: {other:?}", at + 1),
    };
    for at in 0..lines.len() {
        let changed = lines[at].replacen("\"t_ms\":", "\"t_ms\":1", 1);
        let mut edited = lines.clone();
        edited[at] = &changed;
        told(&edited, at);
        let other_hash = lines[at].replacen(|c: char| c.is_ascii_digit(), "f", 1);
        edited[at] = &other_hash;
        told(&edited, at);

        let mut inserted = lines.clone();
        inserted.insert(at, lines[at]);
        told(&inserted, at + 1);
        inserted[at] = "";
        if at > 0 {
            told(&inserted, at);
        }
        if at < last {
            let mut moved = lines.clone();
            moved.swap(at, at + 1);
            if at > 0 {
                told(&moved, at);
            }
            let mut removed = lines.clone();
            removed.remove(at);
            if at > 0 {
                told(&removed, at);
            }
        }
    }
    // Without its first line nobody can say what was run.
    assert!(read(lines[1..].join("\n").as_bytes()).is_err());
    // The last line can be taken off: then the run has no end, and the head is another.
    let short = read((lines[..last].join("\n") + "\n").as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    let long = read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert!(!short.complete() && !short.torn && short.chain.head() != long.chain.head());
}

#[test]
fn digests_name_the_evidence() {
    let text = whole();
    let whole = read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    let integrity = whole.integrity(None);
    assert_eq!(integrity.journal_lines, 7);
    assert_eq!(integrity.journal, hex(&Sha256::digest(&text)));
    assert!(text.lines().last().is_some_and(|line| line.contains(&integrity.journal_head)));
    assert_eq!(integrity.policy, hex(&Sha256::digest("{}")));
    assert_eq!(integrity.scenarios, hex(&Sha256::digest(r#"["",[{"id":"a/b","text":""}]]"#)));
    assert_eq!(integrity.target, "");
    let torn = &text[..text.len() - 5];
    let torn = (torn, read(torn.as_bytes()).unwrap_or_else(|error| panic!("{error}")).integrity(None));
    assert_eq!((torn.1.journal, torn.1.journal_lines), (hex(&Sha256::digest(torn.0)), 6));
}

#[test]
fn what_is_resumed_takes_the_place_of_what_broke_off() {
    let again = vec![Again { scenario: "a/b".into(), attempt: 2 }, Again { scenario: "e/f".into(), attempt: 1 }];
    let second = |status| Event::Seen(Seen { attempt: 2, ..seen("a", status) });
    let resumed = Resumed { key: "11111111".into(), again, ..Resumed::default() };
    let events = vec![
        Event::Run(Box::new(header())),
        Event::Seen(seen("a", 200)),
        second(200),
        Event::End(End { signal: Some("SIGINT".into()), ..End::default() }),
        Event::Resumed(resumed.clone()),
        second(404),
    ];
    let journal = read(written(events.clone()).as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((journal.end.as_ref(), journal.resumed.len()), (None, 1), "it goes on behind its end");
    let status = |attempt| {
        let (_, tried) =
            journal.tries("a/b").find(|(number, _)| *number == attempt).unwrap_or_else(|| panic!("no try"));
        tried.seen["a"].observation["status"].clone()
    };
    assert_eq!((status(1), status(2)), (json!(200), json!(404)));

    let often =
        [events, vec![Event::Resumed(resumed), second(403), Event::End(End { complete: true, ..End::default() })]];
    let journal = read(written(often.concat()).as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert!(journal.complete() && journal.resumed.len() == 2);
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
    let old = whole().replace("ringfence.journal/v2", "ringfence.journal/v1");
    refused(&old, "journal format is `ringfence.journal/v1`; this version reads");
    let unchained: String =
        old.lines().map(|line| format!("{{{}\n", line.split_once(',').map_or("", |l| l.1))).collect();
    refused(&unchained, "journal format is `ringfence.journal/v1`; this version reads");
    refused(&chained(&whole().replace("\"seen\"", "\"sene\"")), "journal line 3: unknown variant `sene`");
    refused(&chained(&whole().replace("\"seq\":3,", "")), "journal line 4: missing field `seq`");
    let twice = written(vec![Event::Run(Box::new(header())), Event::Seen(seen("a", 200)), Event::Seen(seen("a", 404))]);
    refused(&twice, "journal has two different `seen` events for `a/b`, try 1, step `a`");
    let other = RunHeader { id: "ff".into(), ..header() };
    refused(
        &written(vec![Event::Run(Box::new(header())), Event::Run(Box::new(other))]),
        "journal has two different `run`",
    );
    refused(&written(vec![Event::Seen(seen("a", 200)), Event::Run(Box::new(header()))]), "journal has no `run` event");
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
