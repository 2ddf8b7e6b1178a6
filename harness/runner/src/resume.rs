//! A run that broke off goes on: what of it is left to ask, and whether it is still the same run.

use std::time::Duration;

use ringfence_judge::{Library, Loaded, came_to_its_end, judge_try};
use ringfence_model::evidence::Again;
use ringfence_model::policy::Policy;
use ringfence_model::target::{AtOnce, Target};
use ringfence_model::verdict::State;

use crate::limits::{Limits, calls, placed};
use crate::plan::BROWSER;

/// A chain that is still to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// Its scenario.
    pub id: String,
    /// Which try comes next, from 1.
    pub attempt: u32,
    /// What the try before said.
    pub before: Option<State>,
}

/// Whether a chain is asked once more: a fail that repeats is a fail, and what passes or does not apply needs no second
/// asking.
pub(crate) fn once_more(before: Option<State>, now: State, attempt: u32, tries: u32) -> bool {
    let repeated = before == Some(State::Fail) && now == State::Fail;
    matches!(now, State::Fail | State::Inconclusive) && !repeated && attempt < tries
}

/// What of the plan is left to ask: chains that were never begun, tries that broke off, and tries that are still due.
pub(crate) fn left(journal: &ringfence_judge::Journal, library: &Library, tries: u32) -> Vec<Left> {
    let chains = journal.plan.iter().flat_map(|plan| &plan.chains);
    chains.filter_map(|id| next_try(journal, library, id, tries)).collect()
}

fn next_try(journal: &ringfence_judge::Journal, library: &Library, id: &str, tries: u32) -> Option<Left> {
    let mut next = Left { id: id.to_owned(), attempt: 1, before: None };
    for (attempt, _) in journal.tries(id) {
        next.attempt = attempt;
        if !came_to_its_end(journal, library, id, attempt) {
            return Some(next);
        }
        let now = judge_try(journal, library, None, id, attempt).state;
        if !once_more(next.before, now, attempt, tries) {
            return None;
        }
        next = Left { attempt: attempt + 1, before: Some(now), ..next };
    }
    Some(next)
}

/// The tries among them of which something was seen before the run broke off.
pub(crate) fn begun(journal: &ringfence_judge::Journal, left: &[Left]) -> Vec<Again> {
    let begun = |left: &&Left| journal.tries(&left.id).any(|(attempt, _)| attempt == left.attempt);
    left.iter().filter(begun).map(|left| Again { scenario: left.id.clone(), attempt: left.attempt }).collect()
}

/// Calls that may have been under way when the run broke off: what they saw was not written down, whom they rang is.
pub(crate) fn in_flight(left: &[Left], library: &Library, at_once: AtOnce) -> u32 {
    let calling = left.iter().filter(|left| library.get(&left.id).is_some_and(|loaded| calls(loaded) > 0)).count();
    u32::try_from(calling).unwrap_or(u32::MAX).min(at_once.calls)
}

/// The limits without what the run has spent so far.
pub(crate) fn unspent(limits: Limits, journal: &ringfence_judge::Journal, in_flight: u32) -> Limits {
    let seen: u32 = journal.observations().chain(&journal.dropped).map(placed).sum();
    let earlier: u32 = journal.resumed.iter().map(|resumed| resumed.in_flight).sum();
    limits.after(seen.saturating_add(earlier).saturating_add(in_flight), Duration::from_millis(journal.duration_ms))
}

/// Why a run cannot go on with these: it would no longer be the run that its first line tells of. Names what differs.
pub fn differs(
    journal: &ringfence_judge::Journal,
    target: &Target,
    library: &Library,
    policy: &Policy,
    browser: bool,
) -> Option<String> {
    let header = &journal.header;
    let version = env!("CARGO_PKG_VERSION");
    if header.version != version {
        return Some(format!("it was begun by ringfence {}; this is {version}", header.version));
    }
    if journal.plan.is_none() {
        return Some("it broke off before it was planned: nothing was asked yet, begin anew".into());
    }
    if header.target_sha256 != target.source.sha256 {
        return Some("the target file is another one, or was changed since".into());
    }
    if header.policy_name != policy.name || serde_json::to_value(policy).ok().as_ref() != Some(&header.policy) {
        return Some(format!("it was begun with the policy `{}`; this is `{}`", header.policy_name, policy.name));
    }
    if header.words != library.words_text() {
        return Some("the words that scenarios use were changed since".into());
    }
    let now = library.texts(header.scenarios.iter().map(|scenario| scenario.id.as_str()));
    if let Some(other) = header.scenarios.iter().find(|scenario| !now.contains(scenario)) {
        return Some(format!("the scenario {} was changed since, or is not there: see --scenarios", other.id));
    }
    let chains = journal.plan.iter().flat_map(|plan| &plan.chains);
    let needs_browser = |loaded: &Loaded| loaded.scenario().needs.iter().any(|need| need == BROWSER);
    let page = chains.filter_map(|id| library.get(id)).find(|loaded| needs_browser(loaded));
    page.filter(|_| !browser).map(|loaded| format!("{} needs a browser, and there is none now", loaded.scenario().id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fail_is_repeated_and_a_pass_is_not() {
        use State::{Fail, Inconclusive, Pass};
        assert!(once_more(None, Fail, 1, 3) && once_more(Some(Inconclusive), Fail, 2, 3));
        assert!(!once_more(Some(Fail), Fail, 2, 3), "it repeated");
        assert!(!once_more(None, Pass, 1, 3) && !once_more(None, Fail, 1, 1));
    }
}
