//! What an auditor holds a report against: digests of the evidence, and of what it was judged by.

use ringfence_model::policy::Policy;
use ringfence_model::report::Integrity;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Journal, chain::hex};

impl Journal {
    /// The digests of this journal, judged by its own policy or by another. Scenarios and policy are hashed as compact
    /// JSON, the way they stand in the first line: `[.words, .scenarios]` and `.policy` of it, in the notation of `jq -cj`.
    pub fn integrity(&self, policy: Option<&Policy>) -> Integrity {
        let policy = policy.and_then(|policy| serde_json::to_value(policy).ok());
        Integrity {
            journal_head: self.chain.head().to_owned(),
            journal_lines: self.chain.lines(),
            journal: if self.torn { self.torn_file.clone() } else { self.chain.file() },
            scenarios: sha256(&json!([self.header.words, self.header.scenarios])),
            policy: sha256(policy.as_ref().unwrap_or(&self.header.policy)),
            target: self.header.target_sha256.clone(),
        }
    }
}

fn sha256(value: &Value) -> String {
    hex(&Sha256::digest(value.to_string()))
}
