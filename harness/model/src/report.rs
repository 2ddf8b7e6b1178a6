//! The report: what every renderer draws from, and what `--output json` writes as it stands.

mod counts;
mod method;
mod standing;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use counts::Counts;
pub use method::{AuthorizationView, Basis, Integrity, Method, OracleUse, Sampled, ScopeView, TargetFile};
pub use standing::{Delta, Fixed, MatrixRow, Met, Standing, WaiverState, WaiverUse};

use crate::exit::Exit;
use crate::scenario::Manual;
use crate::standards::{Claim, Control};
use crate::verdict::{Intrusion, Severity, Verdict};

/// The report format: within v1 fields are added and never changed.
pub const REPORT_FORMAT: &str = "ringfence.report/v1";

/// A judged run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`REPORT_FORMAT`].
    pub format: String,
    /// The run that was judged.
    pub run: RunInfo,
    /// What the gate says.
    pub gate: Gate,
    /// How many scenarios ended in which state.
    pub counts: Counts,
    /// How the run was done, and by whose leave.
    #[serde(default)]
    pub method: Method,
    /// How much of the target it saw.
    #[serde(default)]
    pub sampled: Sampled,
    /// What was seen on the real product, and what was proved on the lab only.
    #[serde(default)]
    pub basis: Basis,
    /// Digests of what the report follows from.
    #[serde(default)]
    pub integrity: Integrity,
    /// One result per scenario, by id.
    pub results: Vec<ScenarioResult>,
    /// Every waiver that was given for this target, by scenario and fingerprint.
    #[serde(default)]
    pub waivers: Vec<WaiverUse>,
    /// The comparison with a baseline, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<Delta>,
    /// The claims that results and matrix name, by id.
    pub claims: Vec<Claim>,
    /// The clauses that results and matrix name, by id.
    pub controls: Vec<Control>,
    /// What the run says about each claim of the target's vendor, and each other one that scenarios name, by id.
    #[serde(default)]
    pub claim_matrix: Vec<MatrixRow>,
    /// What the run says about each clause that scenarios name, and each that no client can test, by id.
    #[serde(default)]
    pub control_matrix: Vec<MatrixRow>,
}

/// The run that was judged.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RunInfo {
    /// Identifier of the run.
    pub id: String,
    /// Version of ringfence that asked.
    pub version: String,
    /// When it began, RFC 3339 in UTC.
    pub started: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Every chain of the plan was asked to its end.
    pub complete: bool,
    /// The signal that ended it early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// The command that asked.
    pub command: String,
    /// The target file without its logins.
    pub target: Value,
    /// Name of the policy that it was judged by.
    pub policy: String,
    /// The policy in one line.
    pub policy_title: String,
    /// Steps asked.
    pub steps: u64,
    /// Conversations with the target.
    pub conversations: u64,
    /// Processor time of the asking process, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<u64>,
    /// Largest resident memory of the asking process, in KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_rss_kib: Option<u64>,
}

/// What the gate says.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Gate {
    /// The exit that applies.
    pub exit: Exit,
    /// Its code.
    pub code: u8,
    /// Every condition that was met, the winning one first.
    pub conditions: Vec<Exit>,
    /// The lowest severity that closes the gate.
    pub fail_on: Severity,
    /// One word: `Conformant`, `Not conformant` or `Inconclusive`.
    pub word: String,
    /// One sentence in plain language.
    pub sentence: String,
}

/// One scenario, its verdict and its evidence.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioResult {
    /// What is wrong when it fails.
    pub title: String,
    /// What it does to the target.
    pub intrusion: Intrusion,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The text for people.
    pub manual: Manual,
    /// Claims that it bears on.
    pub claims: Vec<String>,
    /// Clauses that it bears on.
    pub controls: Vec<String>,
    /// What was seen, in the last try, step by step.
    pub evidence: Vec<StepEvidence>,
    /// The fault of the lab by which it is shown that this scenario can fail; left out where nothing shows it. That is
    /// proved on the lab: the verdict is what was seen on this target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proved: Option<String>,
    /// The command that asks this scenario alone again.
    pub reproduce: String,
    /// How long its steps took together, in milliseconds.
    pub elapsed_ms: u64,
}

/// What one step saw.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StepEvidence {
    /// The step.
    pub step: String,
    /// The probe.
    pub probe: String,
    /// The step is a control.
    pub control: bool,
    /// Its parameters.
    pub with: Map<String, Value>,
    /// The observation; strings in it are target text. Empty where the step was not asked.
    pub observation: Map<String, Value>,
    /// Why it was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_asked: Option<String>,
}
