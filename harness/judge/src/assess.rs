//! From a journal to a report: verdicts, then waivers, then the baseline, then the gate.

use ringfence_model::exit::Exit;
use ringfence_model::policy::Policy;
use ringfence_model::report::{Report, WaiverState};
use ringfence_model::verdict::Severity;

use crate::baseline::Baseline;
use crate::gate::{GateInput, gate, led_outside, nothing_answered};
use crate::journal::Journal;
use crate::judge::judge;
use crate::library::Library;
use crate::report::{Standards, report};
use crate::waivers::Waivers;

/// What a journal is judged by, besides its scenarios.
#[derive(Clone, Copy, Debug)]
pub struct Assessment<'a> {
    /// Another policy than the run's.
    pub policy: Option<&'a Policy>,
    /// The lowest severity that closes the gate.
    pub fail_on: Severity,
    /// Findings that somebody answers for.
    pub waivers: Option<&'a Waivers>,
    /// A waiver that is expired or unused is a problem.
    pub strict_waivers: bool,
    /// Findings that are known.
    pub baseline: Option<&'a Baseline>,
    /// Only new and reopened findings close the gate.
    pub new_only: bool,
    /// What else happened: an output that could not be written, a refusal.
    pub also: &'a [Exit],
}

impl Default for Assessment<'_> {
    /// By the journal's own policy; every finding closes the gate.
    fn default() -> Self {
        Self {
            policy: None,
            fail_on: Severity::Low,
            waivers: None,
            strict_waivers: false,
            baseline: None,
            new_only: false,
            also: &[],
        }
    }
}

/// Judges a journal and gates. The same journal and the same files give the same report.
pub fn assess(journal: &Journal, library: &Library, standards: Standards<'_>, by: &Assessment<'_>) -> Report {
    let mut verdicts = judge(journal, library, by.policy);
    let target = journal.header.target["name"].as_str().unwrap_or_default();
    let waivers = by.waivers.map(|waivers| waivers.apply(&mut verdicts, library, target, &journal.header.started));
    let waivers = waivers.unwrap_or_default();
    let delta = by.baseline.map(|baseline| baseline.compare(&mut verdicts, by.new_only));
    let mut also = by.also.to_vec();
    let stale = |state| matches!(state, WaiverState::Expired | WaiverState::Unused);
    if by.strict_waivers && waivers.iter().any(|waiver| stale(waiver.state)) {
        also.push(Exit::Waiver);
    }
    if led_outside(journal) {
        also.push(Exit::Refused);
    }
    let input = GateInput {
        end: journal.end.as_ref(),
        fail_on: by.fail_on,
        new_only: by.new_only,
        nothing_answered: nothing_answered(journal),
        also: &also,
    };
    let gate = gate(&verdicts, input);
    Report { waivers, delta, ..report(journal, &verdicts, gate, library, by.policy, standards) }
}
