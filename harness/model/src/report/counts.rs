//! How many scenarios ended in which state: the numbers that every output has to show alike.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::verdict::{Severity, State, Verdict};

/// How many scenarios ended in which state. Each counts once: the states add up to `scenarios`, and the severities to
/// `fail`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// All scenarios of the run.
    pub scenarios: u64,
    /// Passed.
    pub pass: u64,
    /// Failed, and not waived.
    pub fail: u64,
    /// Failed, and every finding waived.
    #[serde(default)]
    pub waived: u64,
    /// Not applicable.
    pub not_applicable: u64,
    /// Inconclusive.
    pub inconclusive: u64,
    /// Skipped.
    pub skipped: u64,
    /// Our own faults.
    pub error: u64,
    /// Failed scenarios of critical severity, waived ones apart.
    pub critical: u64,
    /// Failed scenarios of high severity, likewise.
    pub high: u64,
    /// Failed scenarios of medium severity, likewise.
    pub medium: u64,
    /// Failed scenarios of low severity, likewise.
    pub low: u64,
}

impl Counts {
    /// Counts verdicts.
    pub fn of<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> Self {
        let mut counts = Self::default();
        for verdict in verdicts {
            counts.scenarios += 1;
            *match verdict.state {
                State::Pass => &mut counts.pass,
                State::Fail if verdict.waived() => &mut counts.waived,
                State::Fail => &mut counts.fail,
                State::NotApplicable => &mut counts.not_applicable,
                State::Inconclusive => &mut counts.inconclusive,
                State::Skipped => &mut counts.skipped,
                State::Error => &mut counts.error,
            } += 1;
            if verdict.state == State::Fail && !verdict.waived() {
                *match verdict.severity {
                    Severity::Critical => &mut counts.critical,
                    Severity::High => &mut counts.high,
                    Severity::Medium => &mut counts.medium,
                    Severity::Low => &mut counts.low,
                } += 1;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Confidence, Finding, Level, Line};

    fn verdict(state: State, severity: Severity, waived: &[bool]) -> Verdict {
        let finding = |waived: &bool| Finding {
            message: Line::ours("m"),
            expected: "e".into(),
            step: None,
            severity,
            fingerprint: "v1:0".into(),
            waived: waived.then(|| "reason".into()),
            standing: None,
            first_seen: None,
        };
        Verdict {
            scenario: "a/b".into(),
            state,
            severity,
            level: Level::Must,
            reasons: Vec::new(),
            to_enable: None,
            findings: waived.iter().map(finding).collect(),
            held: Vec::new(),
            notes: Vec::new(),
            confidence: Confidence::High,
            tries: 1,
        }
    }

    #[test]
    fn each_scenario_counts_once() {
        let mut verdicts = Vec::new();
        for severity in Severity::WORST_FIRST {
            for state in
                [State::Pass, State::NotApplicable, State::Inconclusive, State::Skipped, State::Error, State::Fail]
            {
                verdicts.push(verdict(state, severity, &[]));
            }
            verdicts.push(verdict(State::Fail, severity, &[true, true]));
            verdicts.push(verdict(State::Fail, severity, &[true, false]));
        }
        let counts = Counts::of(&verdicts);
        let Counts { scenarios, pass, fail, waived, not_applicable, inconclusive, skipped, error, .. } = counts;
        assert_eq!(scenarios, verdicts.len() as u64);
        assert_eq!(scenarios, pass + fail + waived + not_applicable + inconclusive + skipped + error);
        assert_eq!((fail, waived, pass), (8, 4, 4), "one finding that is not waived is enough to fail");
        assert_eq!(fail, counts.critical + counts.high + counts.medium + counts.low);
        assert_eq!((counts.critical, counts.low), (2, 2));
    }
}
