//! How a run was done, by whose leave, and how much of the target it saw: what an auditor asks first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the run was done. Set when it begins; journaled in its first line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Method {
    /// `smoke`, `ci` or `full`.
    pub profile: String,
    /// The line that the target file puts on every page, such as `Confidential`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification: Option<String>,
    /// Who allows the run; left out where everything is on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization: Option<AuthorizationView>,
    /// Where the run may go.
    pub scope: Vec<ScopeView>,
    /// Requests per second that disruptive scenarios may make; left out where they are not allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disruptive_rate: Option<u32>,
    /// How often a chain that does not pass is asked.
    pub tries: u32,
    /// Version of the browser that opened pages; left out where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// Seed of everything random that is no secret, as 16 hexadecimal digits.
    pub seed: String,
}

/// Who allows a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuthorizationView {
    /// What is allowed, in a sentence.
    pub statement: String,
    /// Whom to reach when something breaks.
    pub contact: String,
    /// Its last day, `YYYY-MM-DD`.
    pub expires: String,
}

/// One part of the scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScopeView {
    /// Host names; `*.` stands for any name below.
    pub hosts: Vec<String>,
    /// Networks, CIDR.
    pub networks: Vec<String>,
    /// `self`, `customer`, `lab` or `vendor`.
    pub owner: String,
    /// Reference and last day of the vendor's permission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_permission: Option<String>,
}

/// How much of the target the run saw: a verdict speaks for these and for no others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Sampled {
    /// Calls placed, whoever was called and however they ended.
    pub calls: u64,
    /// Calls that were answered.
    pub answered: u64,
    /// Addresses that were dialled, with the port: `192.0.2.1:443/tcp`. Target text.
    pub addresses: Vec<String>,
    /// Addresses that sent media. Target text.
    pub media_nodes: Vec<String>,
    /// What was refused because it lay outside the scope or the consent. Target text.
    pub refused: Vec<String>,
    /// For each scenario about media, what showed what the far side did.
    pub oracles: Vec<OracleUse>,
}

/// What showed what the far side of a call did with our media.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OracleUse {
    /// The scenario.
    pub scenario: String,
    /// `echo`, `receiver-reports`, `callee` or `none`.
    pub oracle: String,
}

/// Digests by which an auditor knows that report, evidence and rules belong together: SHA-256, hexadecimal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Integrity {
    /// Of the last line of the journal's chain, which stands for every line before it; empty while the run goes on.
    pub journal_head: String,
    /// Lines of the journal.
    pub journal_lines: u64,
    /// Of the journal file; empty where it was judged while it was written.
    pub journal: String,
    /// Of the scenarios and words, as the journal holds them.
    pub scenarios: String,
    /// Of the policy that was judged by.
    pub policy: String,
    /// Of the target file as it stood on disk.
    pub target: String,
}
