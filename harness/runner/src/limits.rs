//! What the target allows at once and in all: taken by a chain before its first step, counted by each call.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ringfence_judge::Loaded;
use ringfence_model::evidence::Seen;
use ringfence_model::scenario::{Scenario, Step};
use ringfence_model::target::{AtOnce, Budget};
use ringfence_model::verdict::Intrusion;
use ringfence_probes::{Cost, verb};
use serde_json::{Map, Value};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

/// The shared limits of one run.
pub struct Limits {
    calls: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    allocations: Arc<Semaphore>,
    at_once: AtOnce,
    calls_left: AtomicU32,
    deadline: Instant,
    next_mint: Mutex<Instant>,
}

/// What a chain takes at once at its peak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peak {
    /// Calls.
    pub calls: u32,
    /// Connections.
    pub connections: u32,
    /// TURN allocations.
    pub allocations: u32,
}

/// What a chain holds while it runs.
pub struct Held(#[expect(dead_code, reason = "held until dropped")] [OwnedSemaphorePermit; 3]);

impl Limits {
    /// The limits of a run that begins now.
    pub fn new(at_once: AtOnce, budget: Budget) -> Self {
        let semaphore = |permits: u32| Arc::new(Semaphore::new(permits as usize));
        Self {
            calls: semaphore(at_once.calls),
            connections: semaphore(at_once.connections),
            allocations: semaphore(at_once.allocations),
            at_once,
            calls_left: AtomicU32::new(budget.calls),
            deadline: Instant::now() + Duration::from_secs(u64::from(budget.minutes) * 60),
            next_mint: Mutex::new(Instant::now()),
        }
    }

    /// The limits of a run that goes on, which has spent so much before.
    pub fn after(mut self, calls: u32, time: Duration) -> Self {
        self.calls_left = AtomicU32::new(self.calls_left.into_inner().saturating_sub(calls));
        self.deadline = self.deadline.checked_sub(time).unwrap_or_else(Instant::now);
        self
    }

    /// Which limit a peak exceeds, with the line that would allow it.
    pub fn exceeded(&self, peak: Peak) -> Option<String> {
        let pairs = [
            ("calls", peak.calls, self.at_once.calls),
            ("connections", peak.connections, self.at_once.connections),
            ("allocations", peak.allocations, self.at_once.allocations),
        ];
        pairs
            .iter()
            .find(|(_, asked, allowed)| asked > allowed)
            .map(|(name, asked, _)| format!("at_once.{name} = {asked}"))
    }

    /// Waits until the chain's peak is free, and takes it whole, always in the same order: nobody waits while holding
    /// what another waits for.
    pub async fn take(&self, peak: Peak) -> Held {
        let take = async |semaphore: &Arc<Semaphore>, count| {
            semaphore.clone().acquire_many_owned(count).await.expect("the semaphores are never closed")
        };
        Held([
            take(&self.calls, peak.calls).await,
            take(&self.connections, peak.connections).await,
            take(&self.allocations, peak.allocations).await,
        ])
    }

    /// Sets calls of the budget aside for one try of a chain: all of them or none.
    pub fn reserve(&self, calls: u32) -> bool {
        let spend = |left: u32| left.checked_sub(calls);
        self.calls_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_ok()
    }

    /// Sets aside so many calls, or as many as are left.
    pub fn reserve_up_to(&self, calls: u32) -> u32 {
        let spend = |left: u32| Some(left.saturating_sub(calls));
        let before = self.calls_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).unwrap_or(0);
        before.min(calls)
    }

    /// Gives back calls that were set aside and not placed.
    pub fn give_back(&self, calls: u32) {
        self.calls_left.fetch_add(calls, Ordering::Relaxed);
    }

    /// Seconds until the run's time is over.
    pub fn seconds_left(&self) -> u64 {
        self.deadline.saturating_duration_since(Instant::now()).as_secs()
    }

    /// Waits for the turn of so many fetches of a configuration.
    pub async fn pace_mints(&self, mints: u32) {
        if mints == 0 {
            return;
        }
        let mut next = self.next_mint.lock().await;
        let turn = (*next).max(Instant::now());
        *next = turn + Duration::from_secs(1) * mints / self.at_once.mints_per_s.max(1);
        drop(next);
        tokio::time::sleep_until(turn.into()).await;
    }
}

/// What a chain takes at its peak: each step beside the calls that are then held.
pub fn peak(loaded: &Loaded) -> Peak {
    let mut peak = Peak::default();
    let last_use = last_uses(loaded);
    let mut held: Vec<(usize, Cost)> = vec![];
    for (index, step) in loaded.scenario().step.iter().enumerate() {
        let cost = cost(step);
        held.retain(|(until, _)| *until >= index);
        let beside = |of: fn(&Cost) -> u32| held.iter().map(|(_, cost)| of(cost)).sum::<u32>() + of(&cost);
        peak.calls = peak.calls.max(beside(Cost::calls_at_once));
        peak.connections = peak.connections.max(beside(|cost| cost.connections));
        peak.allocations = peak.allocations.max(beside(|cost| cost.allocations));
        if step.with.get("hold") == Some(&Value::Bool(true)) {
            held.push((last_use.get(&step.name).copied().unwrap_or(index), cost));
        }
    }
    peak
}

/// The index of the last step that names each step.
pub fn last_uses(loaded: &Loaded) -> BTreeMap<String, usize> {
    let mut last = BTreeMap::new();
    for (index, step) in loaded.scenario().step.iter().enumerate() {
        last.entry(step.name.clone()).or_insert(index);
        last.extend(loaded.inputs(&step.name).iter().map(|input| (input.clone(), index)));
    }
    last
}

/// Calls that one try of a chain places at most.
pub fn calls(loaded: &Loaded) -> u32 {
    loaded.scenario().step.iter().map(|step| cost(step).calls).sum()
}

/// Calls that a step has placed, or may have.
pub fn placed(seen: &Seen) -> u32 {
    if seen.observation.get("outcome") == Some(&Value::String("budget".into())) {
        return 0;
    }
    if let Some(made) = made(&seen.observation) {
        return made;
    }
    let verb = verb(&seen.probe);
    // What the journal keeps of the parameters is redacted: where that no longer reads, the step may have been a call.
    verb.map_or(0, |verb| (verb.cost)(seen.with.clone()).map_or(1, |cost| cost.calls))
}

/// Calls that a step says it has placed; only those that place some in turn count them.
pub(crate) fn made(observation: &Map<String, Value>) -> Option<u32> {
    observation.get("calls_made").and_then(Value::as_u64).and_then(|made| u32::try_from(made).ok())
}

/// What a scenario does to the target: what it says, or what the worst of its steps does.
pub fn intrusion(scenario: &Scenario) -> Intrusion {
    let steps = scenario.step.iter().map(|step| cost(step).intrusion);
    // A step of another's scenario that cannot be read is no reason to ask for consent: the loader refuses it.
    steps.filter(|intrusion| *intrusion == Intrusion::Disruptive).fold(scenario.intrusion, Ord::max)
}

/// What a step costs. Parameters that are still to be computed count as left out.
pub(crate) fn cost(step: &Step) -> Cost {
    let computed = |value: &Value| value.as_object().is_some_and(|table| table.contains_key("cel"));
    let known = step.with.iter().filter(|(_, value)| !computed(value));
    let with: Map<String, Value> = known.map(|(name, value)| (name.clone(), value.clone())).collect();
    verb(&step.probe).and_then(|verb| (verb.cost)(with).ok()).unwrap_or(Cost::ACTIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(calls: u32) -> Limits {
        Limits::new(AtOnce::default(), Budget { calls, ..Budget::default() })
    }

    #[test]
    fn calls_are_set_aside_whole_or_as_far_as_they_go() {
        let limits = limits(5);
        assert_eq!(limits.reserve_up_to(3), 3);
        assert!(!limits.reserve(3), "two are left");
        assert_eq!(limits.reserve_up_to(3), 2);
        assert_eq!(limits.reserve_up_to(1), 0);
        limits.give_back(2);
        assert!(limits.reserve(2) && !limits.reserve(1) && limits.reserve(0));
    }

    #[test]
    fn a_step_with_a_computed_parameter_costs_as_much() {
        let step = |probe: &str, with: Value| Step {
            name: "a".into(),
            probe: probe.into(),
            with: with.as_object().expect("a table").clone().into_iter().collect(),
            control: None,
            when: None,
            needs: vec![],
        };
        let call = step("call", serde_json::json!({ "media_s": { "cel": "policy.consent_s" }, "hold": true }));
        assert_eq!((cost(&call).calls, cost(&call).connections), (1, 1));
        assert_eq!(cost(&step("wait", serde_json::json!({ "for": "session-end" }))).connections, 0);
    }

    #[test]
    fn calls_in_turn_are_one_at_once_and_only_those_that_were_made_are_spent() {
        let with = serde_json::json!({ "depth": "full", "max_calls": 40 });
        let scan = Step {
            name: "s".into(),
            probe: "dtls-scan".into(),
            with: with.as_object().expect("a table").clone().into_iter().collect(),
            control: None,
            when: None,
            needs: vec![],
        };
        assert_eq!((cost(&scan).calls, cost(&scan).calls_at_once()), (40, 1));
        let seen = |observation: Value| Seen {
            scenario: "media/x".into(),
            attempt: 1,
            step: "s".into(),
            probe: "dtls-scan".into(),
            with: with.as_object().expect("a table").clone(),
            observation: observation.as_object().expect("a table").clone(),
        };
        let spent = |observation| placed(&seen(observation));
        assert_eq!(spent(serde_json::json!({ "outcome": "answered", "calls_made": 12 })), 12);
        assert_eq!(spent(serde_json::json!({ "outcome": "timeout" })), 40, "it does not say");
        assert_eq!(spent(serde_json::json!({ "outcome": "budget", "calls_made": 12 })), 0);
    }
}
