//! What is drawn, and judges that are broken on purpose.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;

use super::*;
use crate::oracle::caught;

fn drawn(seed: u64) -> Drawn {
    Drawn::of(&[vec![seed as u8], stretch(seed, 2_000)].concat()).expect("there is input")
}

/// A run of one try whose verdict is that, with some steps.
fn with_state(state: State) -> (Drawn, Judged) {
    let run = |seed| {
        let mut drawn = drawn(seed);
        let whole = judged(&drawn.written()).expect("a journal");
        (drawn, whole)
    };
    let is = |(drawn, whole): &(Drawn, Judged)| {
        let one = matches!(&whole.verdicts[..], [one] if one.state == state && one.tries == 1);
        one && drawn.steps().len() > 1
    };
    (0..300).map(run).find(is).unwrap_or_else(|| panic!("no {state:?} is drawn"))
}

/// A judge who changes what ours says.
fn but(change: impl Fn(&[u8], &mut Judged)) -> impl Fn(&[u8]) -> Result<Judged, JudgeError> {
    move |bytes| {
        let mut said = judged(bytes)?;
        change(bytes, &mut said);
        Ok(said)
    }
}

fn pass(said: &mut Judged) {
    said.verdicts.iter_mut().for_each(|verdict| verdict.state = State::Pass);
}

fn refusing<T>(_: &[u8]) -> Result<T, JudgeError> {
    Err(JudgeError::NoHeader)
}

#[test]
fn what_is_drawn_gets_every_verdict() {
    let all: Vec<Verdict> =
        (0..300).flat_map(|seed| judged(&drawn(seed).written()).expect("a journal").verdicts).collect();
    let count = |of: fn(&Verdict) -> bool| all.iter().filter(|verdict| of(verdict)).count();
    let kinds = [
        count(|one| one.state == State::Pass),
        count(|one| one.state == State::Fail),
        count(|one| one.state == State::Inconclusive),
        count(|one| one.state == State::NotApplicable),
        count(|one| one.tries == 2),
    ];
    assert!(kinds.iter().all(|count| *count > 0), "{kinds:?} of {}", all.len());
}

#[test]
fn a_judge_that_changes_his_mind_is_caught() {
    let bytes = drawn(3).written();
    let reports = Cell::new(0);
    let moody = |_: &[u8]| Ok(reports.replace(reports.get() + 1).to_string());
    caught(&REPEATED, AssertUnwindSafe(|| repeated(&bytes, moody)));
    caught(&REPEATED, AssertUnwindSafe(|| repeated(&bytes, refusing)));
}

#[test]
fn a_reader_that_takes_what_was_changed_is_caught() {
    let mut drawn = drawn(3);
    let bytes = drawn.written();
    drawn.changed = (40, 1);
    let trusting = |_: &[u8]| Ok(Journal::new(RunHeader::default()));
    caught(&CHAINED, AssertUnwindSafe(|| change(&drawn, bytes, trusting)));
}

#[test]
fn a_judge_who_passes_what_was_cut_is_caught() {
    let (mut drawn, whole) = with_state(State::Fail);
    let bytes = drawn.written();
    drawn.cut = 3;
    let kind = but(|_, said| pass(said));
    caught(&CUT, AssertUnwindSafe(|| cut(&drawn, &bytes, &whole, kind)));
    let sure = but(|_, said| said.complete = true);
    caught(&CUT, AssertUnwindSafe(|| cut(&drawn, &bytes, &whole, sure)));
    let forgetful = but(|_, said| said.verdicts.clear());
    caught(&CUT, AssertUnwindSafe(|| cut(&drawn, &bytes, &whole, forgetful)));
    caught(&CUT, AssertUnwindSafe(|| cut(&drawn, &bytes, &whole, refusing)));
}

#[test]
fn a_judge_who_passes_what_he_did_not_see_is_caught() {
    let (mut drawn, whole) = with_state(State::Inconclusive);
    let length = drawn.written().len();
    let kind = but(move |bytes, said| {
        if bytes.len() < length {
            pass(said)
        }
    });
    caught(&DROPPED, AssertUnwindSafe(|| dropped(&mut drawn, &whole, kind)));
    caught(&DROPPED, AssertUnwindSafe(|| dropped(&mut drawn, &whole, refusing)));
}

#[test]
fn a_judge_who_looks_at_the_first_observation_is_caught() {
    let (mut drawn, mut whole) = with_state(State::Fail);
    let third = |bytes: &[u8]| bytes.split(|byte| *byte == b'\n').nth(2).map_or(0, <[u8]>::len) as u32;
    let hasty = |bytes: &[u8], said: &mut Judged| said.verdicts.iter_mut().for_each(|one| one.tries = third(bytes));
    hasty(&drawn.written(), &mut whole);
    caught(&ORDER, AssertUnwindSafe(|| moved(&mut drawn, &whole, but(hasty))));
    caught(&ORDER, AssertUnwindSafe(|| moved(&mut drawn, &whole, refusing)));
}
