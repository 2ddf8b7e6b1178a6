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
#[serde(rename_all = "kebab-case")]
pub enum WaiverState {
    /// A finding of this run is waived by it.
    Used,
    /// It ended before the run: its finding counts again.
    Expired,
    /// Its condition was judged and no finding is its own: what it accepts is gone, or it names something else.
    Unused,
    /// Its scenario gave no verdict in this run, or was no part of it: nothing can be said about the waiver either.
    NotJudged,
}

/// A waiver of this target, as the report shows it. Every text is the operator's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaiverUse {
    /// The scenario.
    pub scenario: String,
    /// The targets that it holds for: a name, or a pattern in which `*` stands for any text.
    #[serde(default)]
    pub target: String,
    /// The finding's fingerprint.
    pub fingerprint: String,
    /// Why it is accepted.
    pub reason: String,
    /// Who accepts it.
    pub owner: String,
    /// Where it is tracked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Its last day, `YYYY-MM-DD`.
    pub expires: String,
    /// Days from the run to its last day; negative once it is over.
    pub days_left: i64,
    /// What became of it.
    pub state: WaiverState,
}

/// The comparison with a baseline. Findings that are waived are in none of the numbers: their waivers speak for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Delta {
    /// The run that the baseline was made from, or last updated by: its id and its day.
    pub baseline: String,
    /// The gate looks at new and reopened findings only.
    pub new_only: bool,
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

/// What the run says about a claim or a clause. Absence of a finding is no proof: *met* wants scenarios that passed.
///
/// A claim of the target's vendor and a clause with bearing `direct` can be met or not met. On a clause with another
/// bearing, and on a claim of another vendor, the run only throws light: *partly* at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Met {
    /// A scenario that decides it failed. A waiver accepts that and does not change it.
    NotMet,
    /// There is evidence, and it does not settle the matter: some scenarios passed and others gave no verdict or were
    /// not asked, or what was seen bears on it without deciding it. The row's `why` says which.
    Partly,
    /// Every scenario that bears on it and applies to the target was asked and passed.
    Met,
    /// No scenario that bears on it gave a verdict.
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
    /// Why, in a sentence without a stop: what may be concluded, and what not.
    #[serde(default)]
    pub why: String,
    /// Scenarios of this run that bear on it, by id.
    pub scenarios: Vec<String>,
    /// Scenarios of this version that bear on it and were no part of this run, by id.
    #[serde(default)]
    pub not_asked: Vec<String>,
}
