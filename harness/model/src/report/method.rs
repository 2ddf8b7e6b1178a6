//! How a run was done, by whose leave, and how much of the target it saw: what an auditor asks first.

use std::collections::BTreeMap;

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
    /// Where the target file lies, for outputs that point into a repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_file: Option<TargetFile>,
}

/// The target file, and what stands where in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TargetFile {
    /// Its path as the command named it.
    pub path: String,
    /// Lines, counted from 1, where tables and endpoints are declared: `turn`, `endpoints.config`.
    pub lines: BTreeMap<String, u32>,
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

impl Sampled {
    /// What both parts of a run saw, each thing once.
    #[must_use]
    pub fn and(mut self, later: Self) -> Self {
        self.calls += later.calls;
        self.answered += later.answered;
        let lists = [
            (&mut self.addresses, later.addresses),
            (&mut self.media_nodes, later.media_nodes),
            (&mut self.refused, later.refused),
        ];
        for (known, later) in lists {
            let new: Vec<String> = later.into_iter().filter(|item| !known.contains(item)).collect();
            known.extend(new);
        }
        self.oracles.extend(later.oracles);
        self
    }
}

/// What showed what the far side of a call did with our media.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OracleUse {
    /// The scenario.
    pub scenario: String,
    /// `echo`: our marker came back. `callee`: the harness was the far end. `receiver-reports`: the target's own RTCP
    /// counted. `none`: only what the target sends was seen.
    pub oracle: String,
}

/// What the verdicts stand on: what was seen on the real product, and what was proved on the lab only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Basis {
    /// The target is a lab, as its scope says: everything seen is a simulator's word.
    pub lab: bool,
    /// Scenarios of this run that were proved on the lab to fail when what they look for is there.
    pub proved: u64,
    /// Scenarios of this run that carry no such proof, by id.
    pub unproved: Vec<String>,
    /// The same in plain language.
    pub sentence: String,
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
