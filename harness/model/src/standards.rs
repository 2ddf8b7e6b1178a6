//! Claims of vendors and clauses of standards that verdicts cite: data, kept in `scenarios/standards/`.

use serde::{Deserialize, Serialize};

/// The file of claims.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// All claims.
    pub claim: Vec<Claim>,
}

/// One sentence that a vendor promises or asks for, in our words.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// `vendor/number`.
    pub id: String,
    /// The document that says it.
    #[serde(default)]
    pub document: String,
    /// What it says.
    pub statement: String,
    /// `promise`, `requirement`, `fact`, …
    pub kind: String,
    /// Whether a client can tell: `yes`, `partly` or `no`.
    pub testable: String,
    /// How it can be told, or why not.
    pub how: String,
}

/// The file of clauses.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Controls {
    /// All clauses.
    pub control: Vec<Control>,
}

/// One clause of a standard.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// `framework/section`.
    pub id: String,
    /// The standard.
    pub framework: String,
    /// Its section.
    pub section: String,
    /// The source's own word: must, should, required, or an ASVS level.
    pub strength: String,
    /// What it asks, in our words.
    pub meaning: String,
    /// `read` against the source, or `secondary`.
    pub confidence: String,
    /// What a failed scenario says about it: `direct`, `supports` or `analogy`.
    pub bearing: String,
    /// True where nothing seen from outside could count.
    pub manual: bool,
}
