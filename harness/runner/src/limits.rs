//! What the target allows at once and in all: taken by a chain before its first step, counted by each call.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ringfence_judge::Loaded;
use ringfence_model::target::{AtOnce, Budget};
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

    /// Counts a call against the budget; false when it is spent.
    pub fn spend_calls(&self, calls: u32) -> bool {
        let spend = |left: u32| left.checked_sub(calls);
        self.calls_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_ok()
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
    let mut held: Vec<usize> = vec![];
    for (index, step) in loaded.scenario().step.iter().enumerate() {
        let cost = cost(step.with.clone().into_iter().collect(), &step.probe).unwrap_or(Cost::ACTIVE);
        held.retain(|until| *until >= index);
        let others = held.len() as u32;
        peak.calls = peak.calls.max(cost.calls + others);
        peak.connections = peak.connections.max(cost.connections + others);
        peak.allocations = peak.allocations.max(cost.allocations);
        if step.with.get("hold") == Some(&Value::Bool(true)) {
            held.push(last_use.get(&step.name).copied().unwrap_or(index));
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

/// What a step costs; `None` while its parameters are still to be computed.
pub fn cost(with: Map<String, Value>, probe: &str) -> Option<Cost> {
    (verb(probe)?.cost)(with).ok()
}
