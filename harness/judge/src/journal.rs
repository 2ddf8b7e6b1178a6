//! The journal: one JSON object per line, chained by hash. Judging asks for scenario, try and step, never for the order.

mod chain;
mod integrity;

use std::collections::BTreeMap;

use ringfence_model::evidence::{
    End, Entry, Event, JOURNAL_FORMAT, NotAsked, OwnFault, Plan, Resumed, RunHeader, Seen,
};
use serde_json::Value;

use crate::JudgeError;

pub use chain::Chain;

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
    /// Milliseconds from the run's begin to its last event, without those between a break and what was resumed.
    pub duration_ms: u64,
    /// How the run went on, each time that it was resumed.
    pub resumed: Vec<Resumed>,
    /// How the run ended the last time before it was resumed, where it could tell.
    pub earlier_end: Option<End>,
    /// Observations of tries that began anew when it was resumed: no verdict looks at them, the budget does.
    pub dropped: Vec<Seen>,
    /// The chain of the lines.
    pub chain: Chain,
    /// SHA-256 of a file whose last line broke off.
    torn_file: String,
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

/// Reads a journal, and holds every line against its hash. A last line that broke off, one without its line end, is
/// dropped and noted in [`Journal::torn`].
///
/// # Errors
/// [`JudgeError`], which names the line: one that does not follow from the line before, another format, an event that is
/// none, two that contradict each other, a journal without its first line, or one above the limits.
pub fn read(bytes: &[u8]) -> Result<Journal, JudgeError> {
    if bytes.len() > MAX_BYTES {
        return Err(JudgeError::TooLarge { limit: MAX_BYTES, unit: "bytes" });
    }
    let mut journal: Option<Journal> = None;
    let mut chain = Chain::default();
    let mut torn = None;
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if index >= MAX_EVENTS {
            return Err(JudgeError::TooLarge { limit: MAX_EVENTS, unit: "events" });
        }
        let Some(whole) = line.strip_suffix(b"\n") else {
            torn = Some(line);
            break;
        };
        let entry = parse(whole, index, &mut chain)?;
        match (&mut journal, &entry.event) {
            (Some(journal), _) => journal.push(entry)?,
            (None, Event::Run(header)) => journal = Some(Journal::new((**header).clone())),
            (None, _) => return Err(JudgeError::NoHeader),
        }
    }
    let mut journal = journal.ok_or(JudgeError::NoHeader)?;
    if let Some(torn) = torn {
        journal.torn = true;
        journal.torn_file = chain.file_and(torn);
    }
    journal.chain = chain;
    Ok(journal)
}

/// One line, of which the chain says that it follows.
fn parse(line: &[u8], index: usize, chain: &mut Chain) -> Result<Entry, JudgeError> {
    let follows = chain.follows(line);
    let unreadable = |error: serde_json::Error| JudgeError::Line { line: index + 1, problem: error.to_string() };
    // The first line is read whatever its hash says: of what is no journal, or an older one, that is to be told.
    if !follows && index > 0 {
        return Err(JudgeError::Chain { line: index + 1 });
    }
    let value: Value = serde_json::from_slice(line).map_err(unreadable)?;
    // The format is asked first: another one may not even have this version's fields.
    if value["event"] == "run"
        && let Some(found) = value["format"].as_str()
        && found != JOURNAL_FORMAT
    {
        return Err(JudgeError::Format { found: found.chars().take(64).collect(), known: JOURNAL_FORMAT });
    }
    let entry = serde_json::from_value(value).map_err(unreadable)?;
    if follows { Ok(entry) } else { Err(JudgeError::Chain { line: index + 1 }) }
}

impl Journal {
    /// A journal of which only the first line is there: for judging while a run goes on.
    pub fn new(header: RunHeader) -> Self {
        Self {
            header,
            plan: None,
            end: None,
            torn: false,
            duration_ms: 0,
            resumed: Vec::new(),
            earlier_end: None,
            dropped: Vec::new(),
            chain: Chain::default(),
            torn_file: String::new(),
            tries: BTreeMap::new(),
        }
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
            Event::Resumed(resumed) => {
                self.go_on(resumed);
                Ok(())
            }
            Event::Seen(seen) => put(&mut self.of(&seen.scenario, seen.attempt).seen, seen, "seen"),
            Event::Ended(seen) => put(&mut self.of(&seen.scenario, seen.attempt).ended, seen, "ended"),
            Event::NotAsked(event) => put(&mut self.of(&event.scenario, event.attempt).not_asked, event, "not-asked"),
            Event::OwnFault(event) => put(&mut self.of(&event.scenario, event.attempt).own_faults, event, "own-fault"),
        }
    }

    /// The run goes on behind its end so far; what begins anew is forgotten.
    fn go_on(&mut self, resumed: Resumed) {
        self.earlier_end = self.end.take().or(self.earlier_end.take());
        for again in &resumed.again {
            if let Some(tries) = self.tries.get_mut(&again.scenario) {
                let dropped = tries.split_off(&again.attempt).into_values();
                self.dropped.extend(dropped.flat_map(|tried| tried.seen.into_values()));
            }
        }
        self.resumed.push(resumed);
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
