//! What stands beside verdicts: waivers, the comparison with an earlier run, and the matrices of claims and clauses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::verdict::Severity;

/// How a finding stands against the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Not in the baseline.
    New,
    /// In the baseline, and fixed in a run between.
    Reopened,
    /// In the baseline as well.
    Unchanged,
}

/// What became of a waiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WaiverState {
    /// A finding of this run is waived by it.
    Used,
    /// It ended before the run: its finding counts again.
    Expired,
    /// No finding of this run is its own.
    Unused,
}

/// A waiver as the report shows it. Every text is the operator's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaiverUse {
    /// The scenario.
    pub scenario: String,
    /// The finding's fingerprint.
    pub fingerprint: String,
    /// Why it is accepted.
    pub reason: String,
    /// Who accepts it.
    pub owner: String,
    /// Its last day, `YYYY-MM-DD`.
    pub expires: String,
    /// Days from the run to its last day; negative once it is over.
    pub days_left: i64,
    /// What became of it.
    pub state: WaiverState,
}

/// The comparison with a baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Delta {
    /// The run that the baseline was made from, or last updated by.
    pub baseline: String,
    /// Findings that the baseline does not hold.
    pub new: u64,
    /// Findings that were fixed and are back.
    pub reopened: u64,
    /// Findings that the baseline holds.
    pub unchanged: u64,
    /// What the baseline holds and this run saw to hold.
    pub fixed: Vec<Fixed>,
    /// What the baseline holds and this run did not judge: no word about it.
    pub not_judged: Vec<Fixed>,
}

/// A finding of the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fixed {
    /// The scenario.
    pub scenario: String,
    /// Its title then.
    pub title: String,
    /// How bad it was.
    pub severity: Severity,
    /// The finding's fingerprint.
    pub fingerprint: String,
}

/// What the run says about a claim or a clause. Absence of a finding is no proof: *met* wants a scenario that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Met {
    /// A scenario that bears on it failed.
    NotMet,
    /// Some passed, others gave no verdict.
    Partly,
    /// Every scenario that bears on it and applies passed.
    Met,
    /// Scenarios bear on it; none gave a verdict.
    NotTested,
    /// Nothing that a client can see would tell.
    NotTestable,
}

/// One line of a matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MatrixRow {
    /// Id of the claim or clause; its text stands in `claims` or `controls`.
    pub id: String,
    /// What the run says about it.
    pub met: Met,
    /// Scenarios of this run that bear on it, by id.
    pub scenarios: Vec<String>,
}
