//! Addresses of HTTP endpoints.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Addresses of HTTP endpoints: a URL, or `"none"` where the operator declares that there is no such thing.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    /// Configuration or token endpoint.
    pub config: Option<String>,
    /// The page with the call button.
    pub page: Option<String>,
    /// The vendor's or the deployment's REST interface.
    pub api: Option<String>,
    /// Where a user logs in.
    pub login: Option<String>,
    /// Archives.
    pub archive: Option<String>,
    /// Recordings.
    pub recording: Option<String>,
    /// Where events are delivered.
    pub webhook: Option<String>,
    /// Further configuration endpoints by name: `second`, `inactive`, `relayed`; `runtime` and `runtime-second` admit calls by
    /// identity headers alone.
    #[serde(default)]
    pub sessions: BTreeMap<String, String>,
}

/// An endpoint as the target file gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint<'a> {
    /// Not mentioned.
    Absent,
    /// Declared absent by the word `none`.
    DeclaredNone,
    /// An address.
    Url(&'a str),
}

impl Endpoints {
    /// All names that [`Endpoints::get`] knows.
    pub const NAMES: [&'static str; 7] = ["config", "page", "api", "login", "archive", "recording", "webhook"];

    /// The endpoint of that name.
    pub fn get(&self, name: &str) -> Endpoint<'_> {
        let value = match name {
            "config" => &self.config,
            "page" => &self.page,
            "api" => &self.api,
            "login" => &self.login,
            "archive" => &self.archive,
            "recording" => &self.recording,
            "webhook" => &self.webhook,
            _ => &None,
        };
        match value.as_deref() {
            None => Endpoint::Absent,
            Some("none") => Endpoint::DeclaredNone,
            Some(url) => Endpoint::Url(url),
        }
    }
}
