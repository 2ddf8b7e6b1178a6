//! What a judgement says: states, severities, findings and notes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Untrusted;
use crate::report::Standing;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Little harm by itself.
    Low,
    /// Harm under further conditions.
    Medium,
    /// Direct harm to callers or the operator.
    High,
    /// Calls can be overheard, altered or stolen.
    Critical,
}

impl Severity {
    /// The written word.
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// All severities, the worst first.
    pub const WORST_FIRST: [Severity; 4] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];
}

/// How binding a scenario is. `info` never fails the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Reported only.
    Info,
    /// Gates; the sources say should.
    Should,
    /// Gates; the sources say must.
    Must,
}

/// What a scenario does to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Intrusion {
    /// What a visitor's client does anyway.
    Passive,
    /// Wrong or repeated requests, a few calls.
    Active,
    /// May lock, remove or load; needs a consent of its own.
    Disruptive,
}

/// The outcome of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Seen to be broken, with evidence.
    Fail,
    /// The target or the network prevented a verdict.
    Inconclusive,
    /// Our own fault.
    Error,
    /// Not selected, not consented, or a need not given.
    Skipped,
    /// The target declares or shows no such feature.
    NotApplicable,
    /// Seen to hold, with evidence.
    Pass,
}

impl State {
    /// The written word.
    pub const fn word(self) -> &'static str {
        match self {
            State::Pass => "pass",
            State::Fail => "fail",
            State::NotApplicable => "not-applicable",
            State::Inconclusive => "inconclusive",
            State::Skipped => "skipped",
            State::Error => "error",
        }
    }
}

/// Whether repeated asking gave the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// One try, or tries that agree.
    High,
    /// Tries that differ.
    Low,
}

/// A piece of a sentence: our text, or the target's, which an output must escape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Piece {
    /// Written by ringfence or by a scenario's author.
    Ours(String),
    /// Seen from the target.
    Target(Untrusted),
}

/// A sentence of our text and target text in turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Line(pub Vec<Piece>);

impl Line {
    /// A sentence of our own text alone.
    pub fn ours(text: impl Into<String>) -> Self {
        Self(vec![Piece::Ours(text.into())])
    }

    /// The sentence with target text made visible: for terminals, and as the input of an output's own escaper.
    pub fn visible(&self) -> String {
        self.0.iter().fold(String::new(), |out, piece| match piece {
            Piece::Ours(text) => out + text,
            Piece::Target(text) => out + &text.visible(),
        })
    }
}

/// The version of fingerprints that this version of ringfence makes.
pub const FINGERPRINT_VERSION: &str = "v1";

/// One expectation that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What was seen, as the scenario's `else` says it.
    pub message: Line,
    /// What had to hold: the scenario's `that`, in CEL.
    pub expected: String,
    /// The step that an `each` expectation was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// Stable over runs of one target: its version, a colon, and 32 hexadecimal digits, as in `v1:…`.
    pub fingerprint: String,
    /// Why it is accepted, where a waiver holds. Judging knows no waivers; the report fills this in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
    /// How it stands against the baseline, where one was given and no waiver holds. The report fills this in too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// The day of the run that saw it first, `YYYY-MM-DD`, where the baseline knows. The report fills this in too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<String>,
}

/// The verdict on one scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The scenario's id.
    pub scenario: String,
    /// The outcome.
    pub state: State,
    /// The severity of the worst finding that is not waived, of the worst one where all are; the scenario's own where
    /// nothing failed.
    pub severity: Severity,
    /// How binding it is, after policy and `severity_if`.
    pub level: Level,
    /// Why, for every state but pass and fail.
    pub reasons: Vec<Line>,
    /// The line of the target file, or the command, that would let it be tested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_enable: Option<String>,
    /// What failed.
    pub findings: Vec<Finding>,
    /// Fingerprints of the conditions that were seen to hold. A condition that is neither here nor among the findings
    /// was not judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<String>,
    /// What is worth knowing and changes nothing.
    pub notes: Vec<Line>,
    /// Low when repeated asking gave different answers.
    pub confidence: Confidence,
    /// How often the chain was asked.
    pub tries: u32,
}

impl Verdict {
    /// Failed, and every finding waived.
    pub fn waived(&self) -> bool {
        self.state == State::Fail
            && !self.findings.is_empty()
            && self.findings.iter().all(|finding| finding.waived.is_some())
    }

    /// Whether the gate looks at this verdict: must or should, and not skipped.
    pub fn required(&self) -> bool {
        self.level > Level::Info && self.state != State::Skipped
    }
}
