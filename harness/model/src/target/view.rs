//! The target as scenarios, journal and reports see it: without logins, secrets and local paths.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::known_certificates::sha256_hex;

use super::{Adapter, AtOnce, Budget, Declared, Endpoint, Endpoints, Participants, Target, TimeLimits};

/// What CEL calls `target`, and what the journal keeps.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TargetView {
    /// Name of the deployment.
    pub name: String,
    /// Its adapter.
    pub adapter: Adapter,
    /// Origins of the pages that may use it.
    pub trusted_origins: Vec<String>,
    /// How many identities there are; 0 for as many as asked.
    pub participants: i64,
    /// How much may be held at once.
    pub at_once: AtOnce,
    /// How much the whole run may use.
    pub budget: Budget,
    /// How long the run waits for it.
    pub limits: TimeLimits,
    /// Addresses of the endpoints, without user, query and fragment.
    pub endpoints: Vec<EndpointView>,
    /// Names of the further configuration endpoints.
    #[serde(default)]
    pub sessions: Vec<String>,
    /// Names of the destinations.
    pub destinations: Vec<String>,
    /// The ordinary destination sends our audio back.
    pub echo: bool,
    /// Who allows the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization: Option<String>,
    /// Facts that only the operator knows, without a heading of their own.
    #[serde(flatten)]
    pub declared: Declared,
}

/// One endpoint.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EndpointView {
    /// `config`, `page`, …
    pub name: String,
    /// The address, or `none`.
    pub url: String,
}

impl Target {
    /// The target without logins, secrets and local paths.
    pub fn view(&self) -> TargetView {
        let endpoints = Endpoints::NAMES
            .iter()
            .filter_map(|name| match self.endpoints.get(name) {
                Endpoint::Absent => None,
                Endpoint::DeclaredNone => Some(EndpointView { name: (*name).into(), url: "none".into() }),
                Endpoint::Url(url) => Some(EndpointView { name: (*name).into(), url: bare(url) }),
            })
            .collect();
        let all = &self.destinations;
        let known = self.declared.known_certificates.iter();
        let named = [
            ("call", &all.call),
            ("recorded", &all.recorded),
            ("rotating", &all.rotating),
            ("callee", &all.callee),
            ("transfer", &all.transfer),
        ];
        TargetView {
            name: self.name.clone(),
            adapter: self.adapter,
            trusted_origins: self.trusted_origins.clone(),
            participants: match &self.participants {
                Participants::Unlimited(_) => 0,
                Participants::Logins(names) => names.len() as i64,
            },
            at_once: self.at_once,
            budget: self.budget,
            limits: self.limits,
            endpoints,
            sessions: self.endpoints.sessions.keys().cloned().collect(),
            destinations: named.iter().filter(|(_, d)| d.is_some()).map(|(name, _)| (*name).to_owned()).collect(),
            echo: all.call.as_ref().is_some_and(|destination| destination.echo),
            authorization: self.authorization.as_ref().map(|a| format!("{} ({})", a.statement, a.contact)),
            declared: Declared {
                known_certificates: known.filter_map(|hash| sha256_hex(hash)).collect(),
                ..self.declared.clone()
            },
        }
    }
}

fn bare(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else { return "unreadable".into() };
    // Neither call can fail for a URL with a host, and `Target::check` lets no other through.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}
