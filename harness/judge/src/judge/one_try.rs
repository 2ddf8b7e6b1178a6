//! One try of one scenario: the order of judgement.

use ringfence_model::evidence::NotAsked;
use ringfence_model::verdict::{Finding, Line, Piece, State, Verdict};
use serde_json::Value;

use super::blank;
use crate::journal::Try;
use crate::library::{ExpectOne, Loaded, LoadedExpect, Rule};
use crate::reason::{ending, undecided};
use crate::truth::{Truth, holds};
use crate::values::Variables;

/// One try and what is known of it.
pub(super) struct Judgement<'a> {
    pub loaded: &'a Loaded,
    pub tried: &'a Try,
    /// Held steps as they were at hold: controls read this.
    pub at_hold: Variables,
    /// Held steps as they were at their end: everything else reads this.
    pub at_end: Variables,
    pub target_name: &'a str,
    pub attempt: u32,
    pub broken_off: bool,
}

impl Judgement<'_> {
    pub fn verdict(&self) -> Verdict {
        let (state, reasons) = self.state();
        let mut verdict = blank(self.loaded.scenario(), state, self.attempt, reasons);
        verdict.notes = self.true_rules(&self.loaded.note);
        if state == State::Skipped {
            verdict.to_enable = self.unconsented().find_map(|event| event.to_enable.clone());
        }
        if state == State::Fail {
            self.findings(&mut verdict);
        }
        if matches!(state, State::Pass | State::Fail) {
            verdict.held = self.held();
        }
        verdict
    }

    /// The order of judgement: our own faults, not applicable, controls and inconclusive, expectations.
    fn state(&self) -> (State, Vec<Line>) {
        let faults: Vec<Line> = self
            .tried
            .own_faults
            .values()
            .map(|fault| {
                Line(vec![Piece::Ours(format!("step `{}`: ", fault.step)), Piece::Target(fault.error.as_str().into())])
            })
            .collect();
        if !faults.is_empty() {
            return (State::Error, faults);
        }
        let skipped: Vec<Line> = self.unconsented().map(unconsented).collect();
        if !skipped.is_empty() {
            return (State::Skipped, skipped);
        }
        if let Some(unfinished) = unfinished(self.loaded, self.tried, self.broken_off) {
            return (State::Inconclusive, vec![unfinished]);
        }
        let not_applicable = self.true_rules(&self.loaded.not_applicable);
        if !not_applicable.is_empty() {
            return (State::NotApplicable, not_applicable);
        }
        let reasons: Vec<Line> = self.failed_controls().into_iter().chain(self.inconclusive()).collect();
        if !reasons.is_empty() {
            return (State::Inconclusive, reasons);
        }
        // Only now: behind a control that did not hold, nothing is asked either, and that is no lack of a feature.
        let left: Vec<(&LoadedExpect, &ExpectOne)> = self.left().collect();
        if left.is_empty() {
            return (State::NotApplicable, self.why_nothing_was_asked());
        }
        let mut unknown = Vec::new();
        for (_, one) in left {
            match holds(&one.that.checked, &self.at_end) {
                Truth::True => {}
                Truth::False => return (State::Fail, Vec::new()),
                Truth::Unknown(causes) => {
                    let opening = format!("it cannot be said whether `{}` holds", one.text());
                    unknown.push(undecided(opening, &causes, self.tried));
                }
            }
        }
        if unknown.is_empty() { (State::Pass, Vec::new()) } else { (State::Inconclusive, unknown) }
    }

    /// The expectations that mention no step that was left out.
    fn left(&self) -> impl Iterator<Item = (&LoadedExpect, &ExpectOne)> {
        self.loaded
            .conditions()
            .filter(|(_, one)| one.that.checked.mentions.iter().all(|name| !self.at_end.not_asked.contains(name)))
    }

    fn why_nothing_was_asked(&self) -> Vec<Line> {
        let why = |event: &NotAsked| Line::ours(format!("step `{}`: {}", event.step, event.why));
        self.tried.not_asked.values().map(why).collect()
    }

    /// Steps for which the target file lacks a consent, as showed only when they were about to be asked.
    fn unconsented(&self) -> impl Iterator<Item = &NotAsked> {
        self.tried.not_asked.values().filter(|event| event.to_enable.is_some())
    }

    /// The sentences of the rules that hold.
    fn true_rules(&self, rules: &[Rule]) -> Vec<Line> {
        let true_ones = rules.iter().filter(|rule| holds(&rule.when.checked, &self.at_end) == Truth::True);
        true_ones.map(|rule| rule.sentence.fill(&self.at_end)).collect()
    }

    /// Rules for inconclusive: unknown counts as true, unless nothing but steps that were left out makes it so.
    fn inconclusive(&self) -> Vec<Line> {
        let mut reasons = Vec::new();
        for rule in &self.loaded.inconclusive {
            let truth = holds(&rule.when.checked, &self.at_end);
            match &truth {
                Truth::False => {}
                Truth::True => {
                    let mut line = rule.sentence.fill(&self.at_end);
                    for name in rule.when.checked.mentions.iter() {
                        ending(name, self.tried, &mut line);
                    }
                    reasons.push(line);
                }
                Truth::Unknown(_) if truth.falls_away() => {}
                Truth::Unknown(causes) => {
                    let opening = format!("it cannot be said whether `{}`", rule.when.text);
                    reasons.push(undecided(opening, causes, self.tried));
                }
            }
        }
        reasons
    }

    fn failed_controls(&self) -> Vec<Line> {
        let mut reasons = Vec::new();
        for (step, loaded) in self.loaded.scenario().step.iter().zip(&self.loaded.steps) {
            let Some(control) = loaded.control.as_ref().filter(|_| !self.at_hold.not_asked.contains(&step.name)) else {
                continue;
            };
            let truth = holds(&control.checked, &self.at_hold);
            match &truth {
                Truth::True => {}
                Truth::False => {
                    let mut line =
                        Line::ours(format!("the control of step `{}` did not hold: `{}`", step.name, control.text));
                    ending(&step.name, self.tried, &mut line);
                    reasons.push(line);
                }
                Truth::Unknown(_) if truth.falls_away() => {}
                Truth::Unknown(causes) => {
                    let opening = format!("the control of step `{}` cannot be decided", step.name);
                    reasons.push(undecided(opening, causes, self.tried));
                }
            }
        }
        reasons
    }

    /// What was seen to hold.
    fn held(&self) -> Vec<String> {
        let true_ones = self.left().filter(|(_, one)| holds(&one.that.checked, &self.at_end) == Truth::True);
        true_ones.map(|(_, one)| self.fingerprint(one)).collect()
    }

    fn fingerprint(&self, one: &ExpectOne) -> String {
        one.fingerprint(&self.loaded.scenario().id, self.target_name)
    }

    /// What failed, how bad that is, and how binding.
    fn findings(&self, verdict: &mut Verdict) {
        let scenario = self.loaded.scenario();
        let rule = self.loaded.severity_if.iter().find(|rule| holds(&rule.when.checked, &self.at_end) == Truth::True);
        let usual = rule.and_then(|rule| rule.severity).unwrap_or(scenario.severity);
        verdict.level = rule.and_then(|rule| rule.level).unwrap_or(scenario.level);
        verdict.findings = self
            .left()
            .filter(|(_, one)| holds(&one.that.checked, &self.at_end) == Truth::False)
            .map(|(expect, one)| Finding {
                message: one.otherwise.fill(&self.at_end),
                expected: one.that.text.clone(),
                step: one.step.clone(),
                severity: expect.severity.unwrap_or(usual),
                fingerprint: self.fingerprint(one),
                waived: None,
                standing: None,
                first_seen: None,
            })
            .collect();
        verdict.severity = verdict.findings.iter().map(|finding| finding.severity).max().unwrap_or(usual);
    }
}

/// Why a consent is missing. The words name a host that the target may have named.
fn unconsented(event: &NotAsked) -> Line {
    Line(vec![Piece::Ours(format!("step `{}`: ", event.step)), Piece::Target(event.why.as_str().into())])
}

/// Which step of a chain that was not asked to its end is missing.
pub(super) fn unfinished(loaded: &Loaded, tried: &Try, broken_off: bool) -> Option<Line> {
    // A fault of ours is a verdict of its own.
    if tried.own_faults.is_empty() { missing(loaded, tried, broken_off) } else { None }
}

/// The same, where a fault of ours is one more end that a step can come to.
pub(super) fn missing(loaded: &Loaded, tried: &Try, broken_off: bool) -> Option<Line> {
    let steps = || loaded.scenario().step.iter().map(|step| &step.name);
    let told = |name: &str| {
        tried.seen.contains_key(name) || tried.not_asked.contains_key(name) || tried.own_faults.contains_key(name)
    };
    if let Some(name) = steps().find(|name| !told(name)) {
        return Some(Line::ours(format!("the run ended before step `{name}` was asked")));
    }
    let held = |name: &&String| {
        tried.seen.get(*name).is_some_and(|seen| {
            seen.with.get("hold") == Some(&Value::Bool(true))
                && seen.observation.get("answered") != Some(&Value::Bool(false))
        })
    };
    let name = steps()
        .filter(held)
        .find(|name| broken_off && !tried.ended.contains_key(*name) && !tried.own_faults.contains_key(*name))?;
    Some(Line::ours(format!("the run ended while step `{name}` was held")))
}

impl ExpectOne {
    /// The condition as written, with the step that `it` stands for.
    fn text(&self) -> String {
        match &self.step {
            Some(step) => format!("{} (it = {step})", self.that.text),
            None => self.that.text.clone(),
        }
    }
}
