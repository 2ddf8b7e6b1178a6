//! What a run leaves behind: the events of the journal, one JSON line each, from which every verdict and report follows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::report::{Method, Sampled};

/// The journal format that this version writes and reads.
pub const JOURNAL_FORMAT: &str = "ringfence.journal/v2";

/// One line of the journal. As it is written, a `hash` stands before these fields, over this line and the one before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Position in this journal, from 0.
    pub seq: u64,
    /// Milliseconds since the run began, by a monotonic clock.
    pub t_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The first line: everything that judging needs besides the observations.
    Run(Box<RunHeader>),
    /// What is going to be asked, and what is not.
    Plan(Plan),
    /// A step's observation; for a held call or allocation, at the moment it is held.
    Seen(Seen),
    /// A held step's observation at its end.
    Ended(Seen),
    /// A step that was left out: its endpoint or input is not there, or its `when` is false.
    NotAsked(NotAsked),
    /// A step failed by our own fault.
    OwnFault(OwnFault),
    /// A run that broke off goes on.
    Resumed(Resumed),
    /// The last line; of a run that goes on later, the last so far.
    End(End),
}

/// The first line of a journal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunHeader {
    /// [`JOURNAL_FORMAT`].
    pub format: String,
    /// Identifier of the run, 16 hexadecimal digits.
    pub id: String,
    /// Version of ringfence.
    pub version: String,
    /// When the run began, RFC 3339 in UTC. Waivers count from here.
    pub started: String,
    /// Identifier of the key of this run's digests, up to where it is resumed. Each digest names its key as well.
    pub key: String,
    /// Seed of everything random that is no secret.
    pub seed: u64,
    /// The target file without its logins.
    pub target: Value,
    /// Name of the policy.
    pub policy_name: String,
    /// The policy, resolved.
    pub policy: Value,
    /// The command that asked, without secrets.
    pub command: String,
    /// How the run is done, and by whose leave.
    #[serde(default)]
    pub method: Method,
    /// SHA-256 of the target file as it stood on disk, hexadecimal.
    #[serde(default)]
    pub target_sha256: String,
    /// The words that scenarios use, as TOML text.
    pub words: String,
    /// The scenarios of the run, as TOML text, by id.
    pub scenarios: Vec<ScenarioText>,
}

/// A scenario's file as it was when the run began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioText {
    /// Its id.
    pub id: String,
    /// Its TOML text.
    pub text: String,
}

/// What is going to be asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Ids of the chains that are asked, in the order they start.
    pub chains: Vec<String>,
    /// What is not asked, and why.
    pub left_out: Vec<LeftOut>,
}

/// A scenario that is not asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// Its id.
    pub scenario: String,
    /// True where the target declares that it has no such thing: not-applicable, else skipped.
    pub not_applicable: bool,
    /// Why.
    pub why: String,
    /// The line of the target file, or the option, that would let it be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_enable: Option<String>,
}

/// An observation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// The scenario's id.
    pub scenario: String,
    /// Which try of the chain, from 1.
    #[serde(rename = "try")]
    pub attempt: u32,
    /// The step's name.
    pub step: String,
    /// The probe.
    pub probe: String,
    /// The parameters, computed.
    pub with: Map<String, Value>,
    /// The observation, redacted.
    pub observation: Map<String, Value>,
}

/// A step that was left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotAsked {
    /// The scenario's id.
    pub scenario: String,
    /// Which try of the chain, from 1.
    #[serde(rename = "try")]
    pub attempt: u32,
    /// The step's name.
    pub step: String,
    /// Why. It may name a host that the target named.
    pub why: String,
    /// The line of the target file that would let it be asked, where a consent is missing: the whole scenario is then skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_enable: Option<String>,
}

/// A fault of ringfence itself, in one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnFault {
    /// The scenario's id.
    pub scenario: String,
    /// Which try of the chain, from 1.
    #[serde(rename = "try")]
    pub attempt: u32,
    /// The step's name.
    pub step: String,
    /// What went wrong.
    pub error: String,
}

/// A run that broke off goes on: with a new key and seed, since the old ones lived in memory only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Resumed {
    /// When, RFC 3339 in UTC. `t_ms` goes on from the last event: the time between does not count.
    pub started: String,
    /// Identifier of the key of the digests that follow.
    pub key: String,
    /// Seed of everything random that is no secret and follows.
    pub seed: u64,
    /// Calls that may have been placed when the run broke off and left no event: they count for the budget.
    #[serde(default)]
    pub in_flight: u32,
    /// The tries that begin anew. What was seen of them before does not count: digests of two keys are never compared.
    pub again: Vec<Again>,
}

/// A try that begins anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Again {
    /// The scenario's id.
    pub scenario: String,
    /// Which try of the chain, from 1.
    #[serde(rename = "try")]
    pub attempt: u32,
}

/// The last line of a journal. Of a run that was resumed, its figures are those of all its parts, as far as these could
/// tell: one that was killed told none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct End {
    /// Every chain of the plan was asked to its end.
    pub complete: bool,
    /// The signal that ended the run early: `SIGINT` or `SIGTERM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// Conversations with the target.
    pub conversations: u64,
    /// How much of the target was seen; oracles are told from the observations.
    #[serde(default)]
    pub sampled: Sampled,
    /// Anything of the target answered, be it a TLS handshake that led to nothing.
    #[serde(default)]
    pub answered: bool,
    /// Processor time of the process, in milliseconds; left out where the system does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<u64>,
    /// Largest resident memory of the process, in KiB; left out where the system does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_rss_kib: Option<u64>,
}
