//! Results in the order in which a reader needs them, and how each of them looks: the same in every renderer.

use std::cmp::Reverse;

use ringfence_model::report::{Report, ScenarioResult};
use ringfence_model::verdict::{Confidence, Severity, State, Verdict};

/// Results in the order in which a reader needs them. Every result stands in exactly one list.
pub struct Sorted<'a> {
    /// Failed and not waived: the worst, the most binding and the surest first.
    pub findings: Vec<&'a ScenarioResult>,
    /// Failed, and every finding waived; in the same order.
    pub waived: Vec<&'a ScenarioResult>,
    /// Without a verdict: inconclusive, error, skipped, not-applicable.
    pub untested: Vec<&'a ScenarioResult>,
    /// Passed, by id.
    pub passed: Vec<&'a ScenarioResult>,
}

impl<'a> Sorted<'a> {
    /// Sorts a report's results.
    pub fn of(report: &'a Report) -> Self {
        let mut sorted = Self { findings: Vec::new(), waived: Vec::new(), untested: Vec::new(), passed: Vec::new() };
        for result in &report.results {
            match result.verdict.state {
                State::Fail if result.verdict.waived() => sorted.waived.push(result),
                State::Fail => sorted.findings.push(result),
                State::Pass => sorted.passed.push(result),
                State::Inconclusive | State::Error | State::Skipped | State::NotApplicable => {
                    sorted.untested.push(result);
                }
            }
        }
        for list in [&mut sorted.findings, &mut sorted.waived] {
            list.sort_by_key(|r| {
                let v = &r.verdict;
                (Reverse(v.severity), Reverse(v.level), v.confidence == Confidence::Low, &v.scenario)
            });
        }
        sorted.untested.sort_by_key(|r| (r.verdict.state, Reverse(r.verdict.level), &r.verdict.scenario));
        sorted.passed.sort_by_key(|r| &r.verdict.scenario);
        sorted
    }

    /// All of them, in reading order.
    pub fn all(&self) -> impl Iterator<Item = &'a ScenarioResult> {
        self.findings.iter().chain(&self.waived).chain(&self.untested).chain(&self.passed).copied()
    }
}

/// Results that say the same thing for the same reason stand together: skipped and not-applicable ones with one reason
/// and one remedy. Each other result stands alone.
pub fn alike<'a>(untested: &[&'a ScenarioResult]) -> Vec<Vec<&'a ScenarioResult>> {
    let mut groups: Vec<Vec<&ScenarioResult>> = Vec::new();
    for result in untested {
        let asked = !matches!(result.verdict.state, State::Skipped | State::NotApplicable);
        let same = |group: &&mut Vec<&ScenarioResult>| {
            group.first().is_some_and(|first| {
                let (a, b) = (&first.verdict, &result.verdict);
                (a.state, &a.reasons, &a.to_enable) == (b.state, &b.reasons, &b.to_enable)
            })
        };
        match groups.iter_mut().find(same).filter(|_| !asked) {
            Some(group) => group.push(result),
            None => groups.push(vec![result]),
        }
    }
    groups
}

/// How an outcome looks: a word, a shape that no other has, and the class that gives the page's colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Class on the page.
    pub class: &'static str,
    /// One character.
    pub mark: &'static str,
    /// What it is called.
    pub word: &'static str,
}

impl Look {
    /// Of a severity.
    pub const fn of_severity(severity: Severity) -> Self {
        let (class, mark) = match severity {
            Severity::Critical => ("critical", "◆"),
            Severity::High => ("high", "▲"),
            Severity::Medium => ("medium", "●"),
            Severity::Low => ("low", "■"),
        };
        Self { class, mark, word: severity.word() }
    }

    /// Of a verdict: what failed is called by its severity.
    pub fn of(verdict: &Verdict) -> Self {
        match verdict.state {
            State::Fail if verdict.waived() => Self { class: "waived", mark: "‖", word: "waived" },
            State::Fail => Self::of_severity(verdict.severity),
            State::Inconclusive => Self { class: "open", mark: "?", word: "inconclusive" },
            State::Error => Self { class: "error", mark: "!", word: "error" },
            State::Skipped => Self { class: "skipped", mark: "○", word: "skipped" },
            State::NotApplicable => Self { class: "left", mark: "–", word: "not applicable" },
            State::Pass => Self { class: "pass", mark: "✓", word: "pass" },
        }
    }

    /// Of a gate, by its exit code.
    pub const fn of_gate(code: u8) -> Self {
        match code {
            0 => Self { class: "pass", mark: "✓", word: "" },
            1 => Self { class: "critical", mark: "✗", word: "" },
            _ => Self { class: "open", mark: "?", word: "" },
        }
    }
}

/// The state in one word, as counts tell it: a waived fail is `waived`.
pub fn state(verdict: &Verdict) -> &'static str {
    if verdict.waived() { "waived" } else { verdict.state.word() }
}
