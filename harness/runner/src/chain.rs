//! One chain: a scenario's steps in order, on fresh participants, with what earlier steps kept.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use ringfence_client::Net;
use ringfence_client::net::PERMISSION;
use ringfence_judge::{Cause, Loaded, Truth, Variables};
use ringfence_model::evidence::{Event, NotAsked, OwnFault, Seen};
use ringfence_model::observation::{Common, Outcome};
use ringfence_model::scenario::Step;
use ringfence_model::target::{Endpoint, Endpoints, Need};
use ringfence_model::verdict::Intrusion;
use ringfence_probes::{Cost, Cx, Kept, LogMarks, Raw, Verb, verb};
use serde_json::{Map, Value};

use crate::limits::{last_uses, made};
use crate::plan::BROWSER;
use crate::run::Shared;

/// How long a held call may take to hang up (house).
pub(crate) const HANG_UP: Duration = Duration::from_secs(5);

/// One try of one scenario. `outcomes` has every step so far: `None` for one that was not asked.
pub(crate) struct Chain<'a> {
    shared: &'a Shared,
    loaded: &'a Loaded,
    net: Net,
    attempt: u32,
    /// Calls that were set aside for this try and not placed yet.
    calls_left: u32,
    variables: Variables,
    outcomes: BTreeMap<String, Option<Outcome>>,
    kept: BTreeMap<String, Kept>,
    /// What steps saw, as the journal has it.
    observed: BTreeMap<String, Map<String, Value>>,
    /// Where the log files ended when this try began.
    log_marks: LogMarks,
    /// The network as each step used it, of those that kept something.
    nets: BTreeMap<String, Net>,
}

/// Why a step is not asked or cannot be.
enum Obstacle {
    NotAsked(String),
    Unconsented(String),
    Broken(Outcome, String),
}

impl<'a> Chain<'a> {
    /// One try, with so many calls of the budget set aside for it.
    pub(crate) fn new(shared: &'a Shared, loaded: &'a Loaded, net: Net, attempt: u32, calls_left: u32) -> Self {
        let variables = shared.library.variables(&shared.target_view, &shared.policy);
        let (outcomes, kept, nets) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let log_marks = LogMarks::now(&shared.target.files.log);
        Self {
            shared,
            loaded,
            net,
            attempt,
            calls_left,
            variables,
            outcomes,
            kept,
            observed: BTreeMap::new(),
            log_marks,
            nets,
        }
    }

    /// Calls that were set aside and not placed.
    pub(crate) fn calls_left(&self) -> u32 {
        self.calls_left
    }

    /// Asks every step, and ends what they kept. A control that does not hold ends the chain: nothing that follows could
    /// be judged.
    pub(crate) async fn run(&mut self) {
        let last_use = last_uses(self.loaded);
        let mut spoiled: Option<String> = None;
        for (index, step) in self.loaded.scenario().step.iter().enumerate() {
            match &spoiled {
                Some(why) => self.not_asked(step, why.clone()),
                None => spoiled = self.step(index, step).await,
            }
            let over: Vec<String> = self
                .kept
                .keys()
                .filter(|name| last_use.get(*name).is_none_or(|last| *last <= index))
                .cloned()
                .collect();
            for name in over {
                self.end(&name).await;
            }
        }
    }

    /// Ends everything that is still kept.
    pub(crate) async fn end_all(&mut self) {
        for name in self.kept.keys().cloned().collect::<Vec<_>>() {
            self.end(&name).await;
        }
    }

    /// Asks one step. Returns why the rest need not be asked, where its control does not hold.
    async fn step(&mut self, index: usize, step: &Step) -> Option<String> {
        let Some(verb) = verb(&step.probe) else {
            self.own_fault(step, format!("unknown probe {}", step.probe));
            return Some(format!("step {} failed by a fault of ringfence", step.name));
        };
        let with = match self.loaded.with(&step.name, &self.variables) {
            Ok(with) => with,
            Err(why) => {
                self.broken(step, Map::new(), Outcome::Protocol, why.to_string());
                return self.control_missed(step);
            }
        };
        match self.obstacle(step, verb, &with) {
            Some(Obstacle::NotAsked(why)) => {
                self.not_asked(step, why);
                return None;
            }
            Some(Obstacle::Unconsented(why)) => return Some(self.unconsented(step, why)),
            Some(Obstacle::Broken(outcome, why)) => {
                self.broken(step, with, outcome, why);
                return self.control_missed(step);
            }
            None => {}
        }
        if let Ok(cost) = (verb.cost)(with.clone()) {
            self.shared.limits.pace_mints(cost.mints).await;
        }
        let net = self.net_for(verb, &with);
        let cx = self.cx(index, step, net.clone());
        let asked = AssertUnwindSafe((verb.ask)(&cx, with.clone())).catch_unwind().await;
        match asked {
            Ok(Ok(raw)) => match net.withheld() {
                Some(why) => {
                    if let Some(kept) = raw.kept {
                        let _ = tokio::time::timeout(HANG_UP, kept.end()).await; // nothing of it counts
                    }
                    return Some(self.unconsented(step, why));
                }
                None => {
                    self.nets.insert(step.name.clone(), net);
                    self.seen(step, with, raw);
                }
            },
            Ok(Err(fault)) => self.own_fault(step, fault.to_string()),
            Err(panic) => self.own_fault(step, format!("panicked: {}", panic_text(panic.as_ref()))),
        }
        self.control_missed(step)
    }

    /// The network for one step: whether it may do more than a visitor, and how fast, is known from what it costs.
    fn net_for(&self, verb: &Verb, with: &Map<String, Value>) -> Net {
        let intrusion = (verb.cost)(with.clone()).map_or(Intrusion::Active, |cost| cost.intrusion);
        let disruptive = intrusion.max(self.loaded.scenario().intrusion) == Intrusion::Disruptive;
        let rate = disruptive.then(|| self.shared.rate.clone());
        self.net.for_step(intrusion == Intrusion::Passive, rate)
    }

    fn cx(&self, index: usize, step: &Step, net: Net) -> Cx {
        Cx {
            target: self.shared.target.clone(),
            net,
            key: self.shared.key.clone(),
            ledger: self.shared.ledger.clone(),
            log_marks: self.log_marks.clone(),
            kept: self.kept.clone(),
            observed: self.observed.clone(),
            control: step.control.is_some(),
            seed: self.seed(index),
            seconds_left: self.shared.limits.seconds_left(),
            browser: self.shared.browser.clone(),
        }
    }

    /// A seed that differs between all steps of a run.
    fn seed(&self, index: usize) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.shared.seed, &self.loaded.scenario().id, self.attempt, index).hash(&mut hasher);
        hasher.finish()
    }

    /// What stands in the way of asking: a need, a condition, an endpoint, an input, the budget.
    fn obstacle(&mut self, step: &Step, verb: &Verb, with: &Map<String, Value>) -> Option<Obstacle> {
        for word in &step.needs {
            if word == BROWSER && self.shared.browser.is_none() {
                return Some(Obstacle::NotAsked("there is no browser for it".into()));
            }
            if self.shared.target.need(word) != Some(Need::Given) {
                return Some(Obstacle::NotAsked(format!("the target file gives no {word}")));
            }
        }
        match self.loaded.when(&step.name, &self.variables) {
            Truth::True => {}
            // Not known, for another reason than that an earlier step was left out, is not the same as no.
            Truth::Unknown(causes) if !causes.iter().all(|cause| matches!(cause, Cause::NotAsked(_))) => {
                return Some(Obstacle::Broken(Outcome::Protocol, "its condition cannot be decided".into()));
            }
            Truth::False | Truth::Unknown(_) => {
                return Some(Obstacle::NotAsked("its condition does not hold".into()));
            }
        }
        if let Some(Value::String(name)) = with.get("endpoint")
            && Endpoints::NAMES.contains(&name.as_str())
            && !matches!(self.shared.target.endpoints.get(name), Endpoint::Url(_))
        {
            return Some(Obstacle::NotAsked(format!("the target file gives no endpoints.{name}")));
        }
        for name in self.loaded.inputs(&step.name) {
            match self.outcomes.get(name) {
                None | Some(None) => {
                    return Some(Obstacle::NotAsked(format!("its input, step {name}, was not asked")));
                }
                _ if self.kept.contains_key(name) => {}
                // Its observation is all that is looked at.
                Some(Some(Outcome::Answered)) if verb.name == "inspect" => {}
                Some(Some(outcome)) => {
                    // Another step's silence or refusal is none of this one's: nothing here was asked.
                    let outcome = match outcome {
                        Outcome::OutOfScope | Outcome::Budget => *outcome,
                        _ => Outcome::Protocol,
                    };
                    return Some(Obstacle::Broken(
                        outcome,
                        format!("its input, step {name}, gave nothing to work with"),
                    ));
                }
            }
        }
        let cost = (verb.cost)(with.clone()).unwrap_or(Cost::ACTIVE);
        if cost.intrusion != Intrusion::Passive {
            let inputs = self.loaded.inputs(&step.name).iter();
            // What an earlier step has opened at a vendor's gets no more either.
            if let Some(why) = inputs.filter_map(|name| self.nets.get(name)).find_map(Net::visited_vendor) {
                return Some(Obstacle::Unconsented(why));
            }
        }
        let calls = cost.calls;
        if self.shared.limits.seconds_left() == 0 {
            return Some(Obstacle::Broken(Outcome::Budget, "the run's minutes are spent: budget.minutes".into()));
        }
        match self.calls_left.checked_sub(calls) {
            Some(left) => self.calls_left = left,
            None => return Some(Obstacle::Broken(Outcome::Budget, "the run's calls are spent: budget.calls".into())),
        }
        None
    }

    fn seen(&mut self, step: &Step, with: Map<String, Value>, raw: Raw) {
        let mut observation = raw.observation;
        if let (Some(verb), Some(made)) = (verb(&step.probe), made(&observation)) {
            // What it did not need is there for the next try.
            self.calls_left += (verb.cost)(with.clone()).map_or(0, |cost| cost.calls.saturating_sub(made));
        }
        if matches!(raw.outcome, Outcome::OutOfScope | Outcome::Budget) {
            only_common(&mut observation);
        }
        self.shared.ledger.redact(&mut observation);
        self.variables.saw(&step.name, &step.probe, &observation);
        self.observed.insert(step.name.clone(), observation.clone());
        self.outcomes.insert(step.name.clone(), Some(raw.outcome));
        if let Some(kept) = raw.kept {
            self.kept.insert(step.name.clone(), kept);
        }
        self.shared.journal.append(Event::Seen(self.entry(step, with, observation)));
    }

    fn broken(&mut self, step: &Step, with: Map<String, Value>, outcome: Outcome, why: String) {
        let common = Common { outcome, elapsed_ms: 0, error: Some(why.into()) };
        let Ok(Value::Object(observation)) = serde_json::to_value(common) else { return };
        self.variables.saw(&step.name, &step.probe, &observation);
        self.outcomes.insert(step.name.clone(), Some(outcome));
        self.shared.journal.append(Event::Seen(self.entry(step, with, observation)));
    }

    fn not_asked(&mut self, step: &Step, why: String) {
        self.left_out(step, why, None);
    }

    /// A consent is missing, as shows only now: the scenario is skipped. Returns why the rest is not asked either.
    fn unconsented(&mut self, step: &Step, why: String) -> String {
        self.left_out(step, why, Some(PERMISSION.into()));
        format!("step {} lacks a consent", step.name)
    }

    fn left_out(&mut self, step: &Step, why: String, to_enable: Option<String>) {
        self.variables.left_out(&step.name);
        self.outcomes.insert(step.name.clone(), None);
        let scenario = self.loaded.scenario().id.clone();
        self.shared.journal.append(Event::NotAsked(NotAsked {
            scenario,
            attempt: self.attempt,
            step: step.name.clone(),
            why,
            to_enable,
        }));
    }

    fn own_fault(&mut self, step: &Step, error: String) {
        let scenario = self.loaded.scenario().id.clone();
        let error = self.shared.ledger.redact_text(&error).unwrap_or(error);
        self.variables.saw(&step.name, &step.probe, &Map::new());
        self.outcomes.insert(step.name.clone(), Some(Outcome::Protocol));
        self.shared.journal.append(Event::OwnFault(OwnFault {
            scenario,
            attempt: self.attempt,
            step: step.name.clone(),
            error,
        }));
    }

    fn entry(&self, step: &Step, mut with: Map<String, Value>, observation: Map<String, Value>) -> Seen {
        self.shared.ledger.redact(&mut with);
        Seen {
            scenario: self.loaded.scenario().id.clone(),
            attempt: self.attempt,
            step: step.name.clone(),
            probe: step.probe.clone(),
            with,
            observation,
        }
    }

    /// Why nothing after this step could be judged, where it is a control that does not hold.
    fn control_missed(&self, step: &Step) -> Option<String> {
        step.control.as_ref()?;
        let held = self.loaded.control(&step.name, &self.variables) == Some(Truth::True);
        (!held).then(|| format!("the control {} did not hold", step.name))
    }

    async fn end(&mut self, name: &str) {
        let Some(kept) = self.kept.remove(name) else { return };
        let Some(step) = self.loaded.scenario().step.iter().find(|step| step.name == name) else { return };
        match tokio::time::timeout(HANG_UP, kept.end()).await {
            Ok(Ok(Some(mut observation))) => {
                if observation.get("outcome").and_then(Value::as_str) == Some(Outcome::OutOfScope.word()) {
                    only_common(&mut observation);
                }
                self.shared.ledger.redact(&mut observation);
                self.shared.journal.append(Event::Ended(self.entry(step, Map::new(), observation)));
            }
            Ok(Ok(None)) => {}
            Ok(Err(fault)) => self.own_fault(step, fault.to_string()),
            Err(_) => self.own_fault(step, "the call could not be hung up in time".into()),
        }
    }
}

/// A step that we did not let come to its end says how it ended and nothing else: what it did not see is unknown, and must
/// neither blame the target nor pass for silence.
fn only_common(observation: &mut Map<String, Value>) {
    observation.retain(|field, _| ["outcome", "elapsed_ms", "error"].contains(&field.as_str()));
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}
