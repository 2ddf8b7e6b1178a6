//! Journals: read, judged, cut, moved about.

mod drawn;

use ringfence_judge::journal::{Journal, read};
use ringfence_judge::{Assessment, JudgeError, assess, judge};
use ringfence_model::evidence::{End, Entry, Event, JOURNAL_FORMAT, RunHeader};
use ringfence_model::verdict::{State, Verdict};
use serde_json::json;

use crate::generators::stretch;
use crate::library::{LIBRARY, standards};
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, allocating};
use crate::target::{Seed, Target};
use drawn::Drawn;

/// A journal, or what to draw one from.
pub const TARGET: Target = Target {
    name: "journal_replay",
    reads: "a journal; behind a byte 0, bytes to draw our scenarios from and what a run saw",
    oracles: &[&ALLOCATION, &REPEATED, &CHAINED, &CUT, &ORDER, &DROPPED],
    run,
    accepts: |bytes| match bytes.strip_prefix(&[0]) {
        Some(rest) => Drawn::of(rest).is_some(),
        None => read(bytes).is_ok(),
    },
    show: |bytes| match bytes.strip_prefix(&[0]).map(Drawn::of) {
        Some(drawn) => drawn.map_or("nothing".into(), |mut drawn| {
            let said = judged(&drawn.written());
            format!("{:#?}\n{said:#?}", drawn.entries)
        }),
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

/// What a judge says of a journal.
#[derive(Debug)]
struct Judged {
    /// The run came to its end.
    complete: bool,
    verdicts: Vec<Verdict>,
}

/// One run.
pub fn run(bytes: &[u8]) {
    let Some(rest) = bytes.strip_prefix(&[0]) else {
        // Values of JSON, and the header a second time.
        let bound = Bound { per_byte: 256, fixed: 65_536 };
        if allocating(bound, bytes.len(), || read(bytes)).is_ok() {
            repeated(bytes, reported);
        }
        return;
    };
    let Some(mut drawn) = Drawn::of(rest) else { return };
    let bytes = drawn.written();
    let Some(whole) = taken(&REPEATED, judged(&bytes)) else { return };
    change(&drawn, bytes.clone(), read);
    // A judgement takes most of a run's time, a report with its matrices as much as all others. So each input asks one question.
    match drawn.question {
        0..=31 => repeated(&bytes, reported),
        32..=105 => cut(&drawn, &bytes, &whole, judged),
        106..=180 => dropped(&mut drawn, &whole, judged),
        181.. => moved(&mut drawn, &whole, judged),
    }
}

/// A journal that ringfence wrote is read.
#[track_caller]
fn taken<T>(oracle: &Oracle, journal: Result<T, JudgeError>) -> Option<T> {
    oracle.holds(journal.is_ok(), || format!("the journal is refused: {:?}", journal.as_ref().err()));
    journal.ok()
}

fn repeated(bytes: &[u8], report: impl Fn(&[u8]) -> Result<String, JudgeError>) {
    let (once, again) = (taken(&REPEATED, report(bytes)), taken(&REPEATED, report(bytes)));
    REPEATED.holds(once == again, || format!("{once:?}\n{again:?}"));
}

/// Another byte somewhere in a line.
fn change(drawn: &Drawn, mut bytes: Vec<u8>, read: impl Fn(&[u8]) -> Result<Journal, JudgeError>) {
    let (at, bits) = drawn.changed;
    let length = bytes.len();
    let Some(byte) = bytes.get_mut(usize::from(at) % length) else { return };
    let before = *byte;
    *byte ^= bits.max(1);
    // Lines that become one or two are other lines; of the last line's end, the cut tells.
    if before != b'\n' && *byte != b'\n' {
        CHAINED.holds(read(&bytes).is_err(), || format!("it reads with another byte at {at} of {length}"));
    }
}

/// The end is missing, from somewhere behind the first line on.
fn cut(drawn: &Drawn, bytes: &[u8], whole: &Judged, judge: impl Fn(&[u8]) -> Result<Judged, JudgeError>) {
    let header = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0) + 1;
    let end = header + usize::from(drawn.cut) % (bytes.len() - header + 1);
    let Some(less) = taken(&CUT, judge(bytes.get(..end).unwrap_or_default())) else { return };
    let all = end == bytes.len();
    CUT.holds(all || !less.complete, || "what was cut off left a run that is complete".to_owned());
    no_better(&CUT, whole, &less);
}

/// What became of one step is missing.
fn dropped(drawn: &mut Drawn, whole: &Judged, judge: impl Fn(&[u8]) -> Result<Judged, JudgeError>) {
    let steps = drawn.steps();
    if steps.is_empty() {
        return;
    }
    let at = steps.start + usize::from(drawn.turn) % steps.len();
    let gone = drawn.entries.remove(at);
    let less = judge(&drawn.written());
    drawn.entries.insert(at, gone);
    if let Some(less) = taken(&DROPPED, less) {
        no_better(&DROPPED, whole, &less);
    }
}

/// The same events, in an order in which chains that run side by side may have written them.
fn moved(drawn: &mut Drawn, whole: &Judged, judge: impl Fn(&[u8]) -> Result<Judged, JudgeError>) {
    let (steps, turn) = (drawn.steps(), usize::from(drawn.turn));
    let mut one: Vec<Entry> = drawn.entries.drain(steps.clone()).rev().collect();
    let other = one.split_off(turn % (one.len() + 1));
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let mixed = std::iter::from_fn(|| {
        std::mem::swap(&mut one, &mut other);
        one.next().or_else(|| other.next())
    });
    drawn.entries.splice(steps.start..steps.start, mixed);
    if let Some(moved) = taken(&ORDER, judge(&drawn.written())) {
        ORDER.same(&whole.verdicts, &moved.verdicts, "verdicts of the same events in another order");
    }
}

/// Whatever passes with less evidence passes with all of it.
///
/// Not of a scenario that was asked again: a try that says nothing leaves the word to the other one, whatever it would have said.
#[track_caller]
fn no_better(oracle: &'static Oracle, whole: &Judged, less: &Judged) {
    let ids = |judged: &Judged| judged.verdicts.iter().map(|verdict| verdict.scenario.clone()).collect::<Vec<_>>();
    oracle.same(&ids(whole), &ids(less), "the scenarios that have a verdict");
    for (one, other) in whole.verdicts.iter().zip(&less.verdicts) {
        let better = other.state == State::Pass && one.state != State::Pass && one.tries < 2;
        oracle.holds(!better, || format!("{other:#?}\nis said with less than what gave\n{one:#?}"));
    }
}

fn judged(bytes: &[u8]) -> Result<Judged, JudgeError> {
    let judged = |journal: Journal| Judged { complete: journal.complete(), verdicts: judge(&journal, &LIBRARY, None) };
    read(bytes).map(judged)
}

/// The report as it is written to a file.
fn reported(bytes: &[u8]) -> Result<String, JudgeError> {
    let report = |journal: Journal| assess(&journal, &LIBRARY, standards(), &Assessment::default());
    read(bytes).map(|journal| serde_json::to_string(&report(journal)).unwrap_or_else(|error| error.to_string()))
}

fn seeds() -> Vec<Seed> {
    let drawn = |seed: u64| [vec![0, (seed * 2) as u8], stretch(seed, 1_600)].concat();
    let mut seeds: Vec<Seed> = (0..40).map(|seed| Seed::valid(format!("drawn-{seed}"), drawn(seed))).collect();
    let header =
        RunHeader { format: JOURNAL_FORMAT.into(), target: json!({}), policy: json!({}), ..RunHeader::default() };
    let mut chain = ringfence_judge::journal::Chain::default();
    let mut line = |seq, event| chain.line(&Entry { seq, t_ms: 10, event });
    let small = line(0, Event::Run(Box::new(header))) + &line(1, Event::End(End::default()));
    let torn = small.get(..small.len() - 9).unwrap_or_default().to_owned();
    seeds.extend([
        Seed::valid("smallest", small.clone()),
        Seed::valid("torn", torn),
        Seed::other("another-format", small.replace("/v2", "/v1")),
        Seed::other("no-journal", *b"hello\n"),
    ]);
    seeds
}

#[cfg(test)]
mod tests;
