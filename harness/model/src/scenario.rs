//! A scenario: what it finds, why it matters, the steps, and what must hold of their observations. One TOML file each.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::verdict::{Intrusion, Level, Severity};

/// One scenario file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// `area/slug`: equals the file's path and never changes.
    pub id: String,
    /// What is wrong when it fails, in one line.
    pub title: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// How binding it is.
    pub level: Level,
    /// What it does to the target.
    pub intrusion: Intrusion,
    /// Adapters that it speaks to; `any` for all.
    pub adapters: Vec<String>,
    /// What the target file must give: words of a closed list.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Claims of vendors that it bears on.
    #[serde(default)]
    pub claims: Vec<String>,
    /// Clauses of standards that its verdict may cite.
    #[serde(default)]
    pub controls: Vec<String>,
    /// The text for people.
    pub manual: Manual,
    /// Read after a fail: the first that holds changes severity or level.
    #[serde(default)]
    pub severity_if: Vec<SeverityIf>,
    /// The steps, in order.
    pub step: Vec<Step>,
    /// What must hold.
    pub verdict: Rules,
    /// How the lab proves that it can fail; required in ringfence's own scenarios.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
}

impl Scenario {
    /// The part of the id before the slash.
    pub fn area(&self) -> &str {
        self.id.split('/').next().unwrap_or(&self.id)
    }
}

/// The text for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manual {
    /// Why it matters.
    pub why: String,
    /// How it is tested.
    pub how: String,
    /// What to do about a finding.
    pub remedy: String,
    /// What a pass does not say.
    pub limits: String,
}

/// A change of severity or level after a fail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeverityIf {
    /// CEL over steps, target and policy.
    pub when: String,
    /// The severity then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The level then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
}

/// One use of a probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The name that verdicts use.
    pub name: String,
    /// The probe.
    pub probe: String,
    /// Its parameters; `{ cel = "…" }` computes one.
    #[serde(default)]
    pub with: BTreeMap<String, Value>,
    /// CEL that must be true of what was seen, else the scenario is inconclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    /// CEL over target, policy and earlier steps; false leaves the step out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// What the target file must give for this step alone.
    #[serde(default)]
    pub needs: Vec<String>,
}

/// What must hold, and when that cannot be said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// When the question does not arise.
    #[serde(default)]
    pub not_applicable: Vec<Why>,
    /// When nothing can be said.
    #[serde(default)]
    pub inconclusive: Vec<Why>,
    /// What is worth saying, whatever the verdict.
    #[serde(default)]
    pub note: Vec<Note>,
    /// What must hold, every one.
    pub expect: Vec<Expect>,
}

/// A condition with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// CEL.
    pub when: String,
    /// The reason; `{{ … }}` takes in a value.
    pub why: String,
}

/// A condition with a remark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// CEL.
    pub when: String,
    /// The remark; `{{ … }}` takes in a value.
    pub text: String,
}

/// Something that must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// CEL that must be true.
    pub that: String,
    /// What to say when it is false; `{{ … }}` takes in a value.
    #[serde(rename = "else")]
    pub otherwise: String,
    /// One condition per step named here, with `it` as the step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each: Vec<String>,
    /// How bad it is when false; the scenario's severity where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

/// The lab fault that makes a scenario fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Name of the fault.
    pub fault: String,
    /// Other scenarios that this fault makes fail.
    #[serde(default)]
    pub also_trips: Vec<String>,
}
