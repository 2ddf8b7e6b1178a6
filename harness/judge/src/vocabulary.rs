//! What scenarios may speak of: probes with the types of their parameters and observations, target, policy, and the
//! closed lists of words.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::types::Ty;

/// One probe, as scenarios see it.
#[derive(Clone, Debug, Default)]
pub struct ProbeWords {
    /// JSON Schema of its parameters. Text with `"format": "step"` names an earlier step.
    pub with: Value,
    /// JSON Schema of its observation, the fields common to all observations included. Text with `"format": "digest"`
    /// stands for a secret.
    pub seen: Value,
    /// What it does, in one line.
    pub does: String,
}

/// What scenarios may speak of.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// Probes by name.
    pub probes: BTreeMap<String, ProbeWords>,
    /// JSON Schema of what CEL calls `target`.
    pub target: Value,
    /// JSON Schema of what CEL calls `policy`.
    pub policy: Value,
    /// Adapters, besides `any`.
    pub adapters: Vec<String>,
    /// Words of `needs`.
    pub needs: Vec<String>,
    /// Ids of claims.
    pub claims: Vec<String>,
    /// Ids of clauses.
    pub controls: Vec<String>,
    /// Names of the lab's faults; empty where they are not known, and then not checked.
    pub faults: Vec<String>,
}

/// The vocabulary with its schemas read as types.
#[derive(Debug)]
pub(crate) struct Known {
    pub words: Vocabulary,
    /// What each probe sees.
    pub seen: BTreeMap<String, Ty>,
    /// The fields that every observation has.
    pub common: Ty,
    pub target: Ty,
    pub policy: Ty,
}

impl Known {
    pub fn new(words: Vocabulary) -> Self {
        let seen = words.probes.iter().map(|(name, probe)| (name.clone(), Ty::of(&probe.seen, name))).collect();
        let common = schemars::schema_for!(ringfence_model::observation::Common);
        Self {
            seen,
            common: Ty::of(common.as_value(), "any"),
            target: Ty::of(&words.target, "target"),
            policy: Ty::of(&words.policy, "policy"),
            words,
        }
    }

    /// Names of all probes.
    pub fn probes(&self) -> impl Iterator<Item = &str> {
        self.words.probes.keys().map(String::as_str)
    }
}
