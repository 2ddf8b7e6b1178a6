//! The journal: one JSON object per line, written in order, read in any.

use std::collections::BTreeMap;

use ringfence_model::evidence::{End, Entry, Event, JOURNAL_FORMAT, NotAsked, OwnFault, Plan, RunHeader, Seen};
use ringfence_model::untrusted::inert_json;
use serde_json::Value;

use crate::JudgeError;

/// Largest journal, in bytes: far above any run, below what a machine has.
pub const MAX_BYTES: usize = 512 * 1024 * 1024;
/// Most events of a journal.
pub const MAX_EVENTS: usize = 1_000_000;

/// A journal, indexed by scenario, try and step.
#[derive(Clone, Debug)]
pub struct Journal {
    /// What was run.
    pub header: RunHeader,
    /// What was going to be asked.
    pub plan: Option<Plan>,
    /// How the run ended; nothing where it was killed.
    pub end: Option<End>,
    /// True where the last line broke off in the middle, as after a kill.
    pub torn: bool,
    /// Milliseconds from the run's begin to its last event.
    pub duration_ms: u64,
    tries: BTreeMap<String, BTreeMap<u32, Try>>,
}

/// One try of a chain.
#[derive(Clone, Debug, Default)]
pub struct Try {
    /// Observations, by step; of a held step, the one at hold.
    pub seen: BTreeMap<String, Seen>,
    /// Observations of held steps at their end.
    pub ended: BTreeMap<String, Seen>,
    /// Steps that were left out.
    pub not_asked: BTreeMap<String, NotAsked>,
    /// Faults of ringfence itself.
    pub own_faults: BTreeMap<String, OwnFault>,
}

impl Try {
    /// The last observation of a step.
    pub fn last(&self, step: &str) -> Option<&Seen> {
        self.ended.get(step).or_else(|| self.seen.get(step))
    }
}

/// One line of a journal, with its line end; harmless also where somebody prints it on a terminal.
pub fn write_line(entry: &Entry) -> String {
    // Entries hold JSON values, text and numbers only: none of them can fail to be written.
    let mut line = inert_json(&serde_json::to_string(entry).unwrap_or_default());
    line.push('\n');
    line
}

/// Reads a journal. A last line that broke off is dropped and noted in [`Journal::torn`].
///
/// # Errors
/// [`JudgeError`], which names the line: another format, an event that is none, two that contradict each other, a
/// journal without its first line, or one above the limits.
pub fn read(bytes: &[u8]) -> Result<Journal, JudgeError> {
    if bytes.len() > MAX_BYTES {
        return Err(JudgeError::TooLarge { limit: MAX_BYTES, unit: "bytes" });
    }
    let mut entries = Vec::new();
    let mut torn = false;
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for (index, line) in lines.iter().enumerate() {
        if entries.len() >= MAX_EVENTS {
            return Err(JudgeError::TooLarge { limit: MAX_EVENTS, unit: "events" });
        }
        let whole = line.ends_with(b"\n");
        if line.trim_ascii().is_empty() {
            continue;
        }
        match parse(line) {
            Ok(entry) => entries.push(entry),
            Err(Refusal::Format(found)) => return Err(JudgeError::Format { found, known: JOURNAL_FORMAT }),
            Err(Refusal::Unreadable(_)) if !whole && index + 1 == lines.len() => torn = true,
            Err(Refusal::Unreadable(problem)) => return Err(JudgeError::Line { line: index + 1, problem }),
        }
    }
    let header =
        entries.iter().find_map(|entry| if let Event::Run(header) = &entry.event { Some(header) } else { None });
    let mut journal = Journal::new((**header.ok_or(JudgeError::NoHeader)?).clone());
    for entry in entries {
        journal.push(entry)?;
    }
    journal.torn = torn;
    Ok(journal)
}

enum Refusal {
    Format(String),
    Unreadable(String),
}

fn parse(line: &[u8]) -> Result<Entry, Refusal> {
    let unreadable = |error: serde_json::Error| Refusal::Unreadable(error.to_string());
    let value: Value = serde_json::from_slice(line).map_err(unreadable)?;
    // The format is asked first: another one may not even have this version's fields.
    if value["event"] == "run"
        && let Some(found) = value["format"].as_str()
        && found != JOURNAL_FORMAT
    {
        return Err(Refusal::Format(found.chars().take(64).collect()));
    }
    serde_json::from_value(value).map_err(unreadable)
}

impl Journal {
    /// A journal of which only the first line is there: for judging while a run goes on.
    pub fn new(header: RunHeader) -> Self {
        Self { header, plan: None, end: None, torn: false, duration_ms: 0, tries: BTreeMap::new() }
    }

    /// Adds one event.
    ///
    /// # Errors
    /// [`JudgeError::Twice`] where the journal already holds another event of that kind for that place.
    pub fn push(&mut self, entry: Entry) -> Result<(), JudgeError> {
        self.duration_ms = self.duration_ms.max(entry.t_ms);
        match entry.event {
            Event::Run(header) if *header == self.header => Ok(()),
            Event::Run(_) => Err(twice("run", "the journal")),
            Event::Plan(plan) => once(&mut self.plan, plan, "plan"),
            Event::End(end) => once(&mut self.end, end, "end"),
            Event::Seen(seen) => put(&mut self.of(&seen.scenario, seen.attempt).seen, seen, "seen"),
            Event::Ended(seen) => put(&mut self.of(&seen.scenario, seen.attempt).ended, seen, "ended"),
            Event::NotAsked(event) => put(&mut self.of(&event.scenario, event.attempt).not_asked, event, "not-asked"),
            Event::OwnFault(event) => put(&mut self.of(&event.scenario, event.attempt).own_faults, event, "own-fault"),
        }
    }

    fn of(&mut self, scenario: &str, attempt: u32) -> &mut Try {
        self.tries.entry(scenario.to_owned()).or_default().entry(attempt).or_default()
    }

    /// The tries of a scenario, the first one first.
    pub fn tries(&self, scenario: &str) -> impl DoubleEndedIterator<Item = (u32, &Try)> {
        self.tries.get(scenario).into_iter().flatten().map(|(attempt, tried)| (*attempt, tried))
    }

    /// Every observation, held ones at their hold.
    pub fn observations(&self) -> impl Iterator<Item = &Seen> {
        self.tries.values().flat_map(BTreeMap::values).flat_map(|tried| tried.seen.values())
    }

    /// Every chain of the plan was asked to its end.
    pub fn complete(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.complete)
    }
}

/// Scenario, try and step of an event.
trait Placed: PartialEq {
    fn place(&self) -> (&str, u32, &str);
}

macro_rules! placed {
    ($($event:ty),*) => {$(
        impl Placed for $event {
            fn place(&self) -> (&str, u32, &str) {
                (&self.scenario, self.attempt, &self.step)
            }
        }
    )*};
}
placed!(Seen, NotAsked, OwnFault);

fn put<E: Placed>(events: &mut BTreeMap<String, E>, event: E, name: &'static str) -> Result<(), JudgeError> {
    let (scenario, attempt, step) = event.place();
    if events.get(step).is_some_and(|other| *other != event) {
        return Err(twice(name, &format!("`{scenario}`, try {attempt}, step `{step}`")));
    }
    events.insert(step.to_owned(), event);
    Ok(())
}

fn once<E: PartialEq>(place: &mut Option<E>, event: E, name: &'static str) -> Result<(), JudgeError> {
    if place.as_ref().is_some_and(|other| *other != event) {
        return Err(twice(name, "the journal"));
    }
    *place = Some(event);
    Ok(())
}

fn twice(event: &'static str, place: &str) -> JudgeError {
    JudgeError::Twice { event, place: place.chars().take(200).collect() }
}

#[cfg(test)]
mod tests;
