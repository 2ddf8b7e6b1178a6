//! What several tries of one chain say together.

use ringfence_model::verdict::{Confidence, Line, State, Verdict};

/// Joins the verdicts of the tries, the first one first; nothing where there was none.
///
/// A fail counts when it repeats. Pass, fail and not-applicable are answers, inconclusive is none: answers that differ
/// are inconclusive, and so is a fail that later tries could not repeat. One try speaks for itself.
pub(crate) fn join(verdicts: Vec<Verdict>) -> Option<Verdict> {
    let tries = u32::try_from(verdicts.len()).unwrap_or(u32::MAX);
    let states: Vec<State> = verdicts.iter().map(|verdict| verdict.state).collect();
    let count = |state| states.iter().filter(|other| **other == state).count();
    let answers: Vec<State> = states.iter().copied().filter(|state| *state != State::Inconclusive).collect();
    let agree = states.windows(2).all(|pair| pair[0] == pair[1]);
    let state = match answers.as_slice() {
        // A fault of ours in any try is told as such.
        _ if count(State::Error) > 0 => State::Error,
        [] => State::Inconclusive,
        [first, rest @ ..] if rest.iter().any(|other| other != first) => State::Inconclusive,
        [State::Fail] if tries > 1 => State::Inconclusive,
        [first, ..] => *first,
    };
    let said = states.iter().map(|state| state.word()).collect::<Vec<_>>().join(", ");
    let seen_broken: Vec<String> =
        verdicts.iter().flat_map(|verdict| &verdict.findings).map(|finding| finding.fingerprint.clone()).collect();
    // The last try that came to the joint state speaks; where none did, the last one does, as inconclusive.
    let last = verdicts.iter().rposition(|verdict| verdict.state == state);
    let at = last.unwrap_or(verdicts.len().saturating_sub(1));
    let mut joint = verdicts.into_iter().nth(at)?;
    let differ = Line::ours(format!("the tries differ: {said}"));
    if joint.state != state {
        joint.state = state;
        joint.findings.clear();
        joint.reasons = vec![differ];
    } else if !agree && state != State::Error {
        match state {
            State::Inconclusive => joint.reasons.insert(0, differ),
            _ => joint.notes.push(differ),
        }
    }
    if joint.state == State::Inconclusive {
        joint.held.clear();
    }
    // What one try saw broken and another saw to hold is not known to hold.
    joint.held.retain(|fingerprint| !seen_broken.contains(fingerprint));
    joint.tries = tries;
    joint.confidence = if agree { Confidence::High } else { Confidence::Low };
    Some(joint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringfence_model::verdict::{Level, Severity};

    fn verdict(state: State) -> Verdict {
        Verdict {
            scenario: "a/b".into(),
            state,
            severity: Severity::High,
            level: Level::Must,
            reasons: Vec::new(),
            to_enable: None,
            findings: Vec::new(),
            held: Vec::new(),
            notes: Vec::new(),
            confidence: Confidence::High,
            tries: 1,
        }
    }

    #[track_caller]
    fn case(states: &[State], state: State, confidence: Confidence) {
        let joint = join(states.iter().map(|state| verdict(*state)).collect()).unwrap_or_else(|| panic!("no verdict"));
        assert_eq!((joint.state, joint.confidence), (state, confidence), "{states:?}");
        assert_eq!(joint.tries as usize, states.len());
    }

    #[test]
    fn tries_join() {
        use Confidence::{High, Low};
        use State::{Error, Fail, Inconclusive, NotApplicable, Pass};
        case(&[Pass], Pass, High);
        case(&[Fail], Fail, High);
        case(&[Inconclusive], Inconclusive, High);
        case(&[Fail, Fail], Fail, High);
        case(&[Fail, Pass], Inconclusive, Low);
        case(&[Fail, NotApplicable], Inconclusive, Low);
        case(&[Fail, Inconclusive, Fail], Fail, Low);
        case(&[Fail, Inconclusive, Inconclusive], Inconclusive, Low);
        case(&[Inconclusive, Fail], Inconclusive, Low);
        case(&[Inconclusive, Fail, Fail], Fail, Low);
        case(&[Inconclusive, Pass], Pass, Low);
        case(&[Fail, Fail, Pass], Inconclusive, Low);
        case(&[Fail, Error], Error, Low);
        case(&[Inconclusive, Inconclusive], Inconclusive, High);
    }
}
