//! What a run would take, before anything is asked: each call may ring a person or cost money.

use ringfence_judge::{Library, Loaded};
use ringfence_model::evidence::Plan;
use ringfence_model::policy::Policy;
use ringfence_model::scenario::Step;
use ringfence_model::target::{AtOnce, Target};
use ringfence_model::verdict::Intrusion;
use ringfence_probes::verbs::wait::SESSION_END_S;
use ringfence_probes::{Cost, verb};
use serde_json::{Map, Value};

use crate::limits::{intrusion, peak};

/// What all scenarios of a plan would take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// One for each that is asked, in the plan's order.
    pub scenarios: Vec<ScenarioEstimate>,
    /// All first tries together.
    pub once: Sums,
    /// The same where every scenario is asked as often as it may be. Budget and verdicts keep a run below that.
    pub at_most: Sums,
}

/// What one try of one scenario would take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioEstimate {
    /// Its id.
    pub scenario: String,
    /// What it does to the target: what it says, or what the worst of its steps does.
    pub intrusion: Intrusion,
    /// What its steps take, one after the other.
    pub sums: Sums,
    /// What it takes at once at its peak.
    pub at_once: AtOnce,
}

/// What is taken of a target, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Calls placed, at most.
    pub calls: u64,
    /// Connections and UDP associations, at least.
    pub connections: u64,
    /// TURN allocations of steps that ask for one; a call may make more.
    pub allocations: u64,
    /// Configurations fetched.
    pub mints: u64,
    /// Seconds of audio and of waiting, where all goes well: what a slow target adds is bounded by `budget.minutes` alone.
    /// Chains overlap, so a run is shorter than their sum.
    pub seconds: u64,
}

/// What a plan would take of this target. Steps that a `when` may leave out are counted.
pub fn estimate(plan: &Plan, library: &Library, target: &Target, policy: &Policy, tries: u32) -> Estimate {
    let mut estimate = Estimate::default();
    for loaded in plan.chains.iter().filter_map(|id| library.get(id)) {
        let scenario = one_try(loaded, library, target, policy);
        estimate.once.add(scenario.sums, 1);
        estimate.at_most.add(scenario.sums, tries.max(1).into());
        estimate.scenarios.push(scenario);
    }
    estimate
}

fn one_try(loaded: &Loaded, library: &Library, target: &Target, policy: &Policy) -> ScenarioEstimate {
    let view = serde_json::to_value(target.view()).unwrap_or_default();
    let variables = library.variables(&view, &serde_json::to_value(policy).unwrap_or_default());
    let mut sums = Sums::default();
    for step in &loaded.scenario().step {
        // What is computed from target and policy is known now; what earlier steps have to say first, is not.
        let with = loaded.with(&step.name, &variables).unwrap_or_else(|_| known(step));
        let cost = verb(&step.probe).and_then(|verb| (verb.cost)(with.clone()).ok()).unwrap_or(Cost::ACTIVE);
        sums.calls += u64::from(cost.calls);
        sums.connections += u64::from(cost.connections);
        sums.allocations += u64::from(cost.allocations);
        sums.mints += u64::from(cost.mints);
        sums.seconds += u64::from(cost.seconds) + declared_wait(step, &with, target);
    }
    let peak = peak(loaded);
    ScenarioEstimate {
        scenario: loaded.scenario().id.clone(),
        intrusion: intrusion(loaded.scenario()),
        sums,
        at_once: AtOnce {
            calls: peak.calls,
            connections: peak.connections,
            allocations: peak.allocations,
            mints_per_s: 0,
        },
    }
}

/// The parameters that stand in the file as they are.
fn known(step: &Step) -> Map<String, Value> {
    let computed = |value: &Value| value.as_object().is_some_and(|table| table.contains_key("cel"));
    let known = step.with.iter().filter(|(_, value)| !computed(value));
    known.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Seconds of a wait whose length the target file declares.
fn declared_wait(step: &Step, with: &Map<String, Value>, target: &Target) -> u64 {
    let seconds = |declared: Option<i64>| declared.and_then(|seconds| u64::try_from(seconds).ok());
    match with.get("for").and_then(Value::as_str).filter(|_| step.probe == "wait") {
        Some("session-end") => seconds(target.declared.session_end_s).unwrap_or(SESSION_END_S),
        Some("token-expiry") => {
            let leeway = target.declared.clock_leeway_s.or_else(|| with.get("leeway_s").and_then(Value::as_i64));
            // A life that only the answer tells is not known yet.
            seconds(target.declared.credential_life_s).map_or(0, |life| life + seconds(leeway).unwrap_or_default() + 1)
        }
        Some("nonce-expiry") => seconds(target.declared.nonce_life_s).map_or(0, |life| life.saturating_add(1)),
        _ => 0,
    }
}

impl Sums {
    fn add(&mut self, other: Sums, times: u64) {
        self.calls += other.calls * times;
        self.connections += other.connections * times;
        self.allocations += other.allocations * times;
        self.mints += other.mints * times;
        self.seconds += other.seconds * times;
    }
}
