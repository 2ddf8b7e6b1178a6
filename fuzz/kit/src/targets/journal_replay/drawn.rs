//! A run of our scenarios, drawn from bytes.

use std::sync::LazyLock;

use arbitrary::Unstructured;
use ringfence_judge::journal::Chain;
use ringfence_model::evidence::{
    End, Entry, Event, JOURNAL_FORMAT, NotAsked, OwnFault, Plan, RunHeader, ScenarioText, Seen,
};
use ringfence_model::scenario::Scenario;
use ringfence_scenarios::SCENARIOS;
use serde_json::{Map, json};

use crate::generators::observation;
use crate::library::{LIBRARY, POLICY, seen};

/// A run of one of our scenarios, of two side by side, or of one that was asked twice.
pub struct Drawn {
    /// The first line, and the chain that begins with it.
    first: (String, Chain),
    /// All lines but the first: the plan, what became of each step, and the end.
    pub entries: Vec<Entry>,
    /// Where the file is cut, which byte is changed and to what, and how lines are moved.
    pub cut: u16,
    pub changed: (u16, u8),
    pub turn: u8,
    /// What is asked of it.
    pub question: u8,
}

/// What the first lines of all runs have in common.
static HEADER: LazyLock<RunHeader> = LazyLock::new(|| RunHeader {
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
    ..RunHeader::default()
});

impl Drawn {
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let ([which, a, b, c, d, e, turn, question], rest) = bytes.split_first_chunk::<8>()?;
        let mut u = Unstructured::new(rest);
        let (ids, entries) = entries(&mut u, usize::from(*which) % SCENARIOS.len()).ok()?;
        let first = first_line(ids);
        let (cut, changed) = (u16::from_be_bytes([*a, *b]), (u16::from_be_bytes([*c, *d]), *e));
        Some(Self { first, entries, cut, changed, turn: *turn, question: *question })
    }

    /// The journal; the lines get the numbers of their places.
    pub fn written(&mut self) -> Vec<u8> {
        let (mut text, mut chain) = self.first.clone();
        for (place, entry) in self.entries.iter_mut().enumerate() {
            entry.seq = place as u64 + 1;
            text += &chain.line(entry);
        }
        text.into_bytes()
    }

    /// What became of the steps: neither the plan nor the end.
    pub fn steps(&self) -> std::ops::Range<usize> {
        1..self.entries.len() - 1
    }
}

/// The scenarios are judged by the library: of each the journal needs to hold nothing but that it was asked.
fn first_line(ids: Vec<String>) -> (String, Chain) {
    let scenarios = ids.into_iter().map(|id| ScenarioText { id, text: String::new() }).collect();
    let header = RunHeader { scenarios, ..HEADER.clone() };
    let mut chain = Chain::default();
    (chain.line(&entry(Event::Run(Box::new(header)))), chain)
}

/// The scenarios that are asked, and all lines but the first.
fn entries(u: &mut Unstructured<'_>, which: usize) -> arbitrary::Result<(Vec<String>, Vec<Entry>)> {
    let scenario = |at: usize| LIBRARY.scenarios().nth(at).map(|loaded| loaded.scenario());
    let first = scenario(which);
    let second = match u.int_in_range(0..=3)? {
        0 => scenario(u.choose_index(SCENARIOS.len())?),
        1 => first,
        _ => None,
    };
    let again = first.zip(second).is_some_and(|(first, second)| first.id == second.id);
    let chains: Vec<String> =
        first.into_iter().chain(second.filter(|_| !again)).map(|scenario| scenario.id.clone()).collect();
    let mut events = vec![Event::Plan(Plan { chains: chains.clone(), left_out: Vec::new() })];
    for (scenario, attempt) in
        first.into_iter().map(|first| (first, 1)).chain(second.map(|next| (next, 1 + u32::from(again))))
    {
        tried(u, scenario, attempt, &mut events)?;
    }
    events.push(Event::End(End { complete: true, answered: true, ..End::default() }));
    Ok((chains, events.into_iter().map(entry).collect()))
}

/// One try: what became of each step, mostly an observation.
fn tried(
    u: &mut Unstructured<'_>,
    scenario: &Scenario,
    attempt: u32,
    events: &mut Vec<Event>,
) -> arbitrary::Result<()> {
    for step in &scenario.step {
        let (scenario, probe, step) = (scenario.id.clone(), step.probe.clone(), step.name.clone());
        match u.int_in_range(0..=31)? {
            0 => {}
            1 => {
                let why = "no endpoint".into();
                events.push(Event::NotAsked(NotAsked { scenario, attempt, step, why, to_enable: None }));
            }
            2 => events.push(Event::OwnFault(OwnFault { scenario, attempt, step, error: "no socket".into() })),
            _ => {
                let mut observation = observation::drawn(u, seen(&probe))?;
                if u.ratio(7, 8)? {
                    observation.insert("outcome".into(), json!("answered"));
                }
                // What a control asks for: else hardly a verdict comes to what is expected.
                if observation.contains_key("status") && u.ratio(3, 4)? {
                    observation.insert("status".into(), json!(200));
                    observation.insert("answered".into(), json!(true));
                }
                events.push(Event::Seen(Seen { scenario, attempt, step, probe, with: Map::new(), observation }));
            }
        }
    }
    Ok(())
}

fn entry(event: Event) -> Entry {
    Entry { seq: 0, t_ms: 10, event }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::generators::stretch;

    #[test]
    fn chains_run_alone_side_by_side_and_twice() {
        let kind = |drawn: Drawn| {
            let places = drawn.entries.iter().filter_map(|entry| match &entry.event {
                Event::Seen(seen) => Some((seen.scenario.clone(), seen.attempt)),
                _ => None,
            });
            let places: BTreeSet<_> = places.collect();
            (places.len(), places.iter().any(|(_, attempt)| *attempt == 2))
        };
        let drawn = |seed| Drawn::of(&stretch(seed, 900)).expect("there is input");
        let kinds: BTreeSet<_> = (0..60).map(|seed| kind(drawn(seed))).collect();
        assert!(kinds.is_superset(&[(1, false), (2, false), (2, true)].into()), "{kinds:?}");
    }
}
