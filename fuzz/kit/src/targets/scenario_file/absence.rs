//! Runs in which nothing was seen, and what scenarios owe them.

use std::sync::LazyLock;

use ringfence_judge::Loaded;
use ringfence_judge::journal::Journal;
use ringfence_model::evidence::{End, Entry, Event, JOURNAL_FORMAT, NotAsked, RunHeader, Seen};
use ringfence_model::scenario::Step;
use serde_json::{Map, json};

use crate::library::{LIBRARY, POLICY};

/// A run that came to its end, before any step.
static ENDED: LazyLock<Journal> = LazyLock::new(|| {
    let header = RunHeader {
        format: JOURNAL_FORMAT.into(),
        target: json!({ "name": "front-desk", "adapter": "cognigy" }),
        policy: POLICY.clone(),
        ..RunHeader::default()
    };
    let mut journal = Journal::new(header);
    journal.end = Some(End { complete: true, answered: true, ..End::default() });
    journal
});

/// Every step was left out.
pub fn left_out(loaded: &Loaded) -> Journal {
    journal(loaded, |scenario, step| {
        let (step, why) = (step.name.clone(), "no endpoint".to_owned());
        Event::NotAsked(NotAsked { scenario, attempt: 1, step, why, to_enable: None })
    })
}

/// Every step was asked, and nobody answered.
pub fn silent(loaded: &Loaded) -> Journal {
    journal(loaded, |scenario, step| {
        let observation = Map::from_iter([("outcome".to_owned(), json!("timeout"))]);
        let (step, probe) = (step.name.clone(), step.probe.clone());
        Event::Seen(Seen { scenario, attempt: 1, step, probe, with: Map::new(), observation })
    })
}

fn journal(loaded: &Loaded, event: impl Fn(String, &Step) -> Event) -> Journal {
    let mut journal = ENDED.clone();
    let scenario = loaded.scenario();
    for (seq, step) in (1..).zip(&scenario.step) {
        let entry = Entry { seq, t_ms: 0, event: event(scenario.id.clone(), step) };
        journal.push(entry).expect("steps have names of their own: no event contradicts another");
    }
    journal
}

/// Whether silence must not pass: the scenario is one of ours as it stands in its file, or one of its conditions can be decided by
/// nothing but an answer. Somebody else's may ask `has(…)`, or how a step ended: there silence is an answer by its author's word.
pub fn has_to_be_noticed(loaded: &Loaded) -> bool {
    let scenario = loaded.scenario();
    let ours = LIBRARY.get(&scenario.id).is_some_and(|own| own.text() == loaded.text());
    let names: Vec<&str> = scenario.step.iter().map(|step| step.name.as_str()).chain(["it"]).collect();
    ours || scenario.verdict.expect.iter().any(|expect| needs_an_answer(&expect.that, &names))
}

/// A condition of one term that calls nothing and reads fields of steps alone, but not how a step ended. The loader holds that there
/// is such a field.
fn needs_an_answer(that: &str, steps: &[&str]) -> bool {
    let names = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = that;
    while let Some(start) = rest.find(names) {
        let (between, behind) = rest.split_at(start);
        let (word, behind) = behind.split_at(behind.find(|c| !names(c)).unwrap_or(behind.len()));
        let whole_step = steps.contains(&word) && !between.ends_with('.') && !behind.starts_with('.');
        if whole_step || word == "outcome" || behind.trim_start().starts_with('(') && word != "in" {
            return false;
        }
        rest = behind;
    }
    !["||", "&&", "?", "'", "\""].iter().any(|other| that.contains(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_term_about_what_was_answered() {
        for that in ["a.b", "!(a.b)", "!!a.b.c", "a.b == 200", "it.b in [1, 2]", "(a.b in (a.c))", "a.a == 1"] {
            assert!(needs_an_answer(that, &["a", "it"]), "{that}");
        }
        let others = [
            "has(a.b)",
            "!has(a.b)",
            "a == a",
            "size(a.b) == 0",
            "a.b || true",
            "!(a.b && 1 == 2)",
            "a.outcome != 'answered'",
            "[].all(x, a.b)",
            "[a] == []",
            "a.b ? 1 : 2",
            "word(a)",
            "1 in a",
        ];
        for that in others {
            assert!(!needs_an_answer(that, &["a", "it"]), "{that}");
        }
    }
}
