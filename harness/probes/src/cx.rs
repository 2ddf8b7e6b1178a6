//! All that a probe has: the target, the network within scope and limits, what earlier steps kept, the ledger.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ringfence_client::adapters::{self, Ask, CallConfig, FetchError, Fetched};
use ringfence_client::http::Answer;
use ringfence_client::{Failure, Net};
use ringfence_model::target::Target;
use ringfence_model::{RunKey, Secret};
use serde_json::{Map, Value};
use url::Url;

use crate::step_ref::{AllocationRef, CallRef, ConfigRef};
use crate::verbs::call::HeldCall;
use crate::verbs::turn_allocate::HeldAllocation;
use crate::{Kept, Ledger, LogMarks, OwnFault};

/// What one step of a chain works with.
pub struct Cx {
    /// The target.
    pub target: Arc<Target>,
    /// Connections within scope and limits, from the chain's own source address.
    pub net: Net,
    /// The key of the run's digests.
    pub key: RunKey,
    /// Every secret of the run.
    pub ledger: Ledger,
    /// Where the operator's log files ended when the chain began.
    pub log_marks: LogMarks,
    /// What earlier steps of the chain kept, by step.
    pub kept: BTreeMap<String, Kept>,
    /// What earlier steps of the chain saw, by step, as the journal has it.
    pub observed: BTreeMap<String, Map<String, Value>>,
    /// The step has a `control`: it may end as soon as it has shown enough.
    pub control: bool,
    /// Seed of everything random in this step that is no secret.
    pub seed: u64,
    /// Seconds that the run's budget still holds.
    pub seconds_left: u64,
    /// The browser, where there is one.
    pub browser: Option<PathBuf>,
}

impl Cx {
    /// The configuration that a step kept, or one fetched for this step alone. The inner failure is the target's.
    pub async fn config(&self, step: Option<&ConfigRef>) -> Result<Result<Arc<CallConfig>, Failure>, OwnFault> {
        if let Some(name) = step {
            return match self.kept.get(&name.0) {
                Some(Kept::Config(config)) => Ok(Ok(config.clone())),
                _ => Err(OwnFault(format!("step {} keeps no configuration", name.0))),
            };
        }
        self.config_of(1).await
    }

    /// Another participant's configuration: one that an earlier step kept, else that of participant 2; `None` where the
    /// target gives none.
    pub async fn other_config(&self, own: &Arc<CallConfig>) -> Result<Option<Arc<CallConfig>>, OwnFault> {
        let kept = self.kept.values().find_map(|kept| match kept {
            Kept::Config(other) if !Arc::ptr_eq(other, own) && other.aor_user != own.aor_user => Some(other.clone()),
            _ => None,
        });
        match kept {
            Some(other) => Ok(Some(other)),
            None if self.target.participants.count().is_some_and(|count| count < 2) => Ok(None),
            None => Ok(self.config_of(2).await?.ok()),
        }
    }

    async fn config_of(&self, participant: u32) -> Result<Result<Arc<CallConfig>, Failure>, OwnFault> {
        let ask = Ask { participant, ..Ask::default() };
        let fetched = match adapters::fetch(&self.net, &self.target, &ask).await {
            Ok(fetched) => fetched,
            Err(FetchError::Own(why)) => return Err(OwnFault(why)),
            Err(FetchError::Target(failure)) => return Ok(Err(failure)),
        };
        self.learn_answer(&fetched.answer);
        let Some(config) = &fetched.config else { return Ok(Err(unusable(&fetched))) };
        self.learn(config);
        Ok(Ok(Arc::new(config.clone())))
    }

    /// The call that a step kept.
    pub fn call(&self, step: &CallRef) -> Result<Arc<HeldCall>, OwnFault> {
        match self.kept.get(&step.0) {
            Some(Kept::Call(call)) => Ok(call.clone()),
            _ => Err(OwnFault(format!("step {} keeps no call", step.0))),
        }
    }

    /// The allocations that a step kept.
    pub fn allocation(&self, step: &AllocationRef) -> Result<Arc<HeldAllocation>, OwnFault> {
        match self.kept.get(&step.0) {
            Some(Kept::Allocation(held)) => Ok(held.clone()),
            _ => Err(OwnFault(format!("step {} keeps no allocation", step.0))),
        }
    }

    /// Takes everything in a JSON answer into the ledger that is a secret by its name, whether or not the answer is a
    /// usable configuration.
    pub fn learn_answer(&self, answer: &Answer) {
        if let Ok(document) = serde_json::from_slice(&answer.body) {
            secrets_in(&document).into_iter().for_each(|(kind, value)| self.ledger.add(kind, value));
        }
        if let Some(config) = adapters::read_answer(&self.target, answer) {
            self.learn(&config);
        }
    }

    /// Takes the secrets of a configuration into the ledger.
    pub fn learn(&self, config: &CallConfig) {
        let add = |kind, secret: &Option<Secret>| {
            if let Some(secret) = secret {
                self.ledger.add(kind, secret.expose());
            }
        };
        add("sip-password", &config.password);
        add("token", &config.token);
        // An address may hold one as well: RFC 3986, section 3.2.1.
        if let Some(password) = Url::parse(&config.ws_given).ok().as_ref().and_then(Url::password) {
            self.ledger.add("sip-password", password);
        }
        for server in &config.ice_servers {
            add("turn-credential", &server.credential);
        }
    }
}

/// Why an answer holds no configuration.
pub(crate) fn unusable(fetched: &Fetched) -> Failure {
    let missing = || format!("the configuration lacks {}", fetched.missing_fields.join(", "));
    let why = fetched.error.as_ref().map_or_else(missing, |error| error.raw().to_owned());
    Failure::protocol(why)
}

/// Names of JSON fields that hold secrets, in lower case and without `_` and `-`: (house), after what vendors' answers are seen to use.
const SECRET_NAMES: [(&str, &str); 10] = [
    ("password", "sip-password"),
    ("passwd", "sip-password"),
    ("pwd", "sip-password"),
    ("passphrase", "secret"),
    ("credential", "turn-credential"),
    ("token", "token"),
    ("jwt", "token"),
    ("secret", "secret"),
    ("apikey", "api-key"),
    ("ha1", "ha1"),
];

/// Secrets by name that one answer may add to the ledger: a hostile one could hold tens of thousands, each of which every
/// later observation would be searched for (house).
const NAMED_PER_ANSWER: usize = 16;

/// The texts of a JSON document that are secrets by their names, with their kinds.
pub(crate) fn secrets_in(document: &Value) -> Vec<(&'static str, &str)> {
    let mut found = vec![];
    named(document, &mut found);
    found
}

/// serde_json refuses documents deeper than 128, so this ends.
fn named<'a>(value: &'a Value, found: &mut Vec<(&'static str, &'a str)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| named(item, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match (secret_kind(name), value) {
                    // Each once: twenty servers with one credential would hide a token behind them.
                    (Some(kind), Value::String(text)) => {
                        if found.len() < NAMED_PER_ANSWER && !found.iter().any(|(_, known)| known == text) {
                            found.push((kind, text));
                        }
                    }
                    _ => named(value, found),
                }
            }
        }
        _ => {}
    }
}

fn secret_kind(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase().replace(['_', '-'], "");
    // `endpointUrlToken` is the address of the endpoint, which every visitor of the page has.
    let named = || SECRET_NAMES.iter().find(|(part, _)| name.ends_with(part)).map(|(_, kind)| *kind);
    if name.ends_with("urltoken") { None } else { named() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_teaches_its_secrets_and_no_flood_of_them() {
        let ledger = Ledger::default();
        let mut fields =
            serde_json::json!({ "a": [{ "SipPassword": "canary-first" }], "endpointUrlToken": "public-1" });
        for number in 0..1000 {
            fields[format!("x{number}token")] = format!("flood-{number:04}").into();
        }
        secrets_in(&fields).into_iter().for_each(|(kind, value)| ledger.add(kind, value));
        assert_eq!(ledger.redact_text("canary-first").as_deref(), Some("[redacted: sip-password]"));
        assert_eq!(ledger.redact_text("public-1"), None);
        assert_eq!(ledger.redact_text("flood-0999"), None, "a made-up one beyond the bound");
    }

    #[test]
    fn one_credential_of_many_servers_counts_once() {
        let server = serde_json::json!({ "credential": "canary-turn" });
        let answer =
            serde_json::json!({ "ice": vec![server; 40], "z": { "api_key": "canary-key", "sip-pwd": "canary-pwd" } });
        let expected = [("turn-credential", "canary-turn"), ("api-key", "canary-key"), ("sip-password", "canary-pwd")];
        assert_eq!(secrets_in(&answer), expected);
    }
}
