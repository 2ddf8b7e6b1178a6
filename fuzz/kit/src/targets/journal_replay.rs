//! Journals: read, judged, cut, moved about.

use arbitrary::Unstructured;
use ringfence_judge::journal::{Chain, Journal, read};
use ringfence_judge::{Assessment, JudgeError, assess};
use ringfence_model::evidence::{End, Entry, Event, JOURNAL_FORMAT, NotAsked, OwnFault, Plan, RunHeader, Seen};
use ringfence_model::report::Report;
use ringfence_model::verdict::State;
use serde_json::{Map, Value, json};

use crate::generators::{observation, stretch};
use crate::library::{LIBRARY, POLICY, schema, standards};
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, allocating};
use crate::target::{Seed, Target};

/// A journal, or what to draw one from.
pub const TARGET: Target = Target {
    name: "journal_replay",
    reads: "a journal; behind a byte 0, bytes to draw one of our scenarios from and what a run saw",
    oracles: &[&ALLOCATION, &REPEATED, &CHAINED, &CUT, &ORDER, &DROPPED],
    run,
    accepts: |bytes| match bytes.strip_prefix(&[0]) {
        Some(rest) => Drawn::of(rest).is_some(),
        None => read(bytes).is_ok(),
    },
    show: |bytes| match bytes.strip_prefix(&[0]).map(Drawn::of) {
        Some(drawn) => {
            drawn.map_or("nothing".into(), |drawn| format!("{:#?}\n{:#?}", drawn.events, judged(&drawn.written())))
        }
        None => format!("{:#?}", judged(bytes)),
    },
    seeds,
    dictionary: None,
    max_len: 4_096,
    covers: &[
        "harness/judge/src/journal.rs",
        "harness/judge/src/journal",
        "harness/judge/src/judge.rs",
        "harness/judge/src/judge",
        "harness/judge/src/truth.rs",
    ],
};

/// One journal, one report.
pub const REPEATED: Oracle = Oracle::new(
    "one journal is one report",
    "a verdict that anybody can compute again from the evidence is all that makes it evidence",
);
/// What was changed is noticed.
pub const CHAINED: Oracle = Oracle::new(
    "a changed line is noticed",
    "each line's hash covers it and the line before: a journal that reads after a change proves nothing",
);
/// What is cut off helps nobody.
pub const CUT: Oracle = Oracle::new(
    "a cut journal passes nothing more",
    "a run that was killed, or evidence that lost its end, must never look better than the whole",
);
/// Where events stand says nothing.
pub const ORDER: Oracle = Oracle::new(
    "the order of observations changes no verdict",
    "judging asks for scenario, try and step: chains run side by side, and their lines mix as time has it",
);
/// What was not seen helps nobody.
pub const DROPPED: Oracle = Oracle::new(
    "a missing observation passes nothing",
    "absence never passes: who can suppress an answer must not get a verdict for it that the answer would not give",
);

/// A run of one of our scenarios.
struct Drawn {
    events: Vec<Event>,
    /// Where the file is cut, which byte is changed and to what, and how lines are moved.
    cut: u16,
    changed: (u16, u8),
    turn: u8,
}

impl Drawn {
    fn of(bytes: &[u8]) -> Option<Self> {
        let ([which, a, b, c, d, e, turn], rest) = bytes.split_first_chunk::<7>()?;
        let scenarios: Vec<_> = LIBRARY.scenarios().collect();
        let scenario = scenarios.get(usize::from(*which) % scenarios.len())?.scenario();
        let mut events = vec![
            Event::Run(Box::new(header(&scenario.id))),
            Event::Plan(Plan { chains: vec![scenario.id.clone()], left_out: Vec::new() }),
        ];
        let mut u = Unstructured::new(rest);
        for step in &scenario.step {
            let place = (scenario.id.clone(), step.name.clone());
            events.extend(event(&mut u, place, &step.probe).ok()?);
        }
        events.push(Event::End(End { complete: true, answered: true, ..End::default() }));
        Some(Self {
            events,
            cut: u16::from_be_bytes([*a, *b]),
            changed: (u16::from_be_bytes([*c, *d]), *e),
            turn: *turn,
        })
    }

    fn written(&self) -> Vec<u8> {
        written(&self.events)
    }
}

/// What became of a step: mostly an observation.
fn event(
    u: &mut Unstructured<'_>,
    (scenario, step): (String, String),
    probe: &str,
) -> arbitrary::Result<Option<Event>> {
    Ok(match u.int_in_range(0..=15)? {
        0 => None,
        1 => Some(Event::NotAsked(NotAsked { scenario, attempt: 1, step, why: "no endpoint".into(), to_enable: None })),
        2 => Some(Event::OwnFault(OwnFault { scenario, attempt: 1, step, error: "no socket".into() })),
        _ => {
            let mut observation = observation::drawn(u, &schema(&format!("{probe}.seen")))?;
            if u.ratio(3, 4)? {
                observation.insert("outcome".into(), json!("answered"));
            }
            Some(Event::Seen(Seen {
                scenario,
                attempt: 1,
                step,
                probe: probe.to_owned(),
                with: Map::new(),
                observation,
            }))
        }
    })
}

fn header(id: &str) -> RunHeader {
    RunHeader {
        format: JOURNAL_FORMAT.into(),
        id: "0011223344556677".into(),
        version: "0.1.0".into(),
        started: "2026-01-01T00:00:00Z".into(),
        key: "00000000".into(),
        seed: 7,
        target: json!({ "name": "front-desk", "adapter": "cognigy", "session_scope": true }),
        policy_name: "webrtc-mti".into(),
        policy: POLICY.clone(),
        command: "ringfence run --target t.toml".into(),
        scenarios: LIBRARY.texts([id]),
        ..RunHeader::default()
    }
}

fn written(events: &[Event]) -> Vec<u8> {
    let mut chain = Chain::default();
    let line = |(seq, event): (usize, &Event)| chain.line(&Entry { seq: seq as u64, t_ms: 10, event: event.clone() });
    events.iter().enumerate().map(line).collect::<String>().into_bytes()
}

/// One run.
pub fn run(bytes: &[u8]) {
    let Some(rest) = bytes.strip_prefix(&[0]) else {
        // Values of JSON, and the header a second time.
        let bound = Bound { per_byte: 256, fixed: 65_536 };
        let journal = allocating(bound, bytes.len(), || read(bytes));
        if let Ok(journal) = journal {
            repeated(&report(&journal), &report(&journal));
        }
        return;
    };
    let Some(drawn) = Drawn::of(rest) else { return };
    let bytes = drawn.written();
    let whole = judged(&bytes).unwrap_or_else(|error| {
        CHAINED.holds(false, || format!("a journal as it was written is refused: {error}"));
        unreachable!("the line above ends the run")
    });
    repeated(&whole, &judged(&bytes).unwrap_or_else(|_| whole.clone()));
    change(&drawn, bytes.clone());
    let header = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0) + 1;
    let end = header + usize::from(drawn.cut) % (bytes.len() - header + 1);
    let cut = judged(bytes.get(..end).unwrap_or_default());
    if let Ok(cut) = &cut {
        no_better(&CUT, &whole, cut, end == bytes.len());
    }
    CUT.holds(cut.is_ok(), || format!("what is left of it is refused: {:?}", cut.err()));
    moved(&drawn, &whole);
    dropped(&drawn, &whole);
}

/// Another byte somewhere in a line.
fn change(drawn: &Drawn, mut bytes: Vec<u8>) {
    let (at, bits) = drawn.changed;
    let length = bytes.len();
    let Some(byte) = bytes.get_mut(usize::from(at) % length) else { return };
    let before = *byte;
    *byte ^= bits.max(1);
    // Lines that become one or two are other lines; of the last line's end, the cut tells.
    if before != b'\n' && *byte != b'\n' {
        refused(read(&bytes));
    }
}

fn refused(read: Result<Journal, JudgeError>) {
    CHAINED.holds(read.is_err(), || "it reads with another byte in it".to_owned());
}

fn moved(drawn: &Drawn, whole: &Report) {
    let mut events = drawn.events.clone();
    let last = events.len() - 1;
    if let Some(seen) = events.get_mut(2..last).filter(|seen| !seen.is_empty()) {
        seen.reverse();
        let by = usize::from(drawn.turn) % seen.len();
        seen.rotate_left(by);
    }
    if let Ok(moved) = judged(&written(&events)) {
        let verdicts = |report: &Report| report.results.iter().map(|result| result.verdict.clone()).collect::<Vec<_>>();
        same_verdicts(&json!(verdicts(whole)), &json!(verdicts(&moved)));
    }
}

fn same_verdicts(one: &Value, other: &Value) {
    ORDER.same(one, other, "verdicts of the same events in another order");
}

fn dropped(drawn: &Drawn, whole: &Report) {
    for at in 2..drawn.events.len() - 1 {
        let mut events = drawn.events.clone();
        events.remove(at);
        if let Ok(without) = judged(&written(&events)) {
            no_better(&DROPPED, whole, &without, false);
        }
    }
}

/// Whatever passes with less evidence passes with all of it, and only the whole can be complete.
fn no_better(oracle: &'static Oracle, whole: &Report, less: &Report, all: bool) {
    for (one, other) in whole.results.iter().zip(&less.results) {
        let better = other.verdict.state == State::Pass && one.verdict.state != State::Pass;
        oracle.holds(!better, || {
            format!("{} with less than what gave {:?}: {:#?}", other.verdict.scenario, one.verdict.state, other.verdict)
        });
    }
    if oracle.name == CUT.name {
        oracle.holds(all || !less.run.complete, || "what was cut off left a run that is complete".to_owned());
    }
}

fn judged(bytes: &[u8]) -> Result<Report, JudgeError> {
    read(bytes).map(|journal| report(&journal))
}

fn report(journal: &Journal) -> Report {
    assess(journal, &LIBRARY, standards(), &Assessment::default())
}

fn repeated(once: &Report, again: &Report) {
    let (once, again) = (serde_json::to_string(once).ok(), serde_json::to_string(again).ok());
    REPEATED.holds(once.is_some() && once == again, || format!("{once:?}\n{again:?}"));
}

fn seeds() -> Vec<Seed> {
    let drawn = |seed: u64| [vec![0, (seed * 2) as u8], stretch(seed, 700)].concat();
    let mut seeds: Vec<Seed> = (0..40).map(|seed| Seed::valid(format!("drawn-{seed}"), drawn(seed))).collect();
    let small = written(&[
        Event::Run(Box::new(RunHeader {
            format: JOURNAL_FORMAT.into(),
            target: json!({}),
            policy: json!({}),
            ..RunHeader::default()
        })),
        Event::End(End::default()),
    ]);
    let torn = small.get(..small.len() - 9).unwrap_or_default().to_vec();
    seeds.extend([
        Seed::valid("smallest", small.clone()),
        Seed::valid("torn", torn),
        Seed::other("another-format", String::from_utf8_lossy(&small).replace("/v2", "/v1").into_bytes()),
        Seed::other("no-journal", *b"hello\n"),
    ]);
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;
    use std::panic::AssertUnwindSafe;

    fn with_state(state: State) -> Report {
        let drawn = Drawn::of(&stretch(3, 900)).expect("there is input");
        let mut report = judged(&drawn.written()).expect("a journal");
        report.results.iter_mut().for_each(|result| result.verdict.state = state);
        report
    }

    #[test]
    fn what_is_drawn_gets_every_verdict() {
        let states: Vec<State> = (0..300)
            .filter_map(|seed| Drawn::of(&[vec![seed as u8], stretch(seed, 900)].concat()))
            .flat_map(|drawn| judged(&drawn.written()).expect("a journal").results)
            .map(|result| result.verdict.state)
            .collect();
        for state in [State::Pass, State::Fail, State::Inconclusive] {
            assert!(states.contains(&state), "{state:?} is not among {}", states.len());
        }
    }

    #[test]
    fn a_judge_that_changes_his_mind_is_caught() {
        let (one, other) = (with_state(State::Pass), with_state(State::Fail));
        caught(&REPEATED, AssertUnwindSafe(|| repeated(&one, &other)));
        caught(&ORDER, || same_verdicts(&json!(1), &json!(2)));
    }

    #[test]
    fn a_reader_that_takes_what_was_changed_is_caught() {
        let journal = Journal::new(RunHeader::default());
        caught(&CHAINED, AssertUnwindSafe(|| refused(Ok(journal))));
    }

    #[test]
    fn a_pass_with_less_evidence_is_caught() {
        let (whole, less) = (with_state(State::Inconclusive), with_state(State::Pass));
        caught(&CUT, AssertUnwindSafe(|| no_better(&CUT, &whole, &less, true)));
        caught(&DROPPED, AssertUnwindSafe(|| no_better(&DROPPED, &whole, &less, false)));
    }
}
