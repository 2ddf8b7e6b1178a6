//! What `sip-request` takes.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::OwnFault;
use crate::step_ref::{CallRef, ConfigRef};

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// Any method.
    pub method: String,
    /// Request-URI outside of a dialog: `call`, another destination of the target file, `other` for participant 2, `unknown`,
    /// `reserved`, `foreign-number` for each entry of destinations.foreign_numbers, or a SIP URI.
    #[serde(default = "call")]
    pub target: String,
    /// The step whose configuration is used; left out: a fresh one.
    #[serde(default)]
    pub config: Option<ConfigRef>,
    /// Whose credentials.
    #[serde(default)]
    pub login: Login,
    /// Header fields, `Name: value` each. From, To and Route take the place of ours; {realm}, {username}, {call-id}, {to-tag},
    /// {from-tag} and {transfer-destination} are filled in.
    #[serde(default)]
    pub headers: Vec<String>,
    /// On whose connection, and with whose account.
    #[serde(default)]
    pub from_connection: Connection,
    /// Which dialog it claims to belong to, with `call`.
    #[serde(default)]
    pub dialog: Dialog,
    /// The body: `good-json`, `canary`, or the text itself. An INVITE without one makes an offer.
    #[serde(default)]
    pub body: Option<String>,
    /// The held call whose dialog is meant.
    #[serde(default)]
    pub call: Option<CallRef>,
}

fn call() -> String {
    "call".into()
}

/// Whose credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Login {
    /// The configuration's, used as its client uses it: it registers first where that one does.
    #[default]
    Own,
    /// None: no challenge is answered, and nothing is registered.
    None,
    /// The configuration's user name with a wrong password, and nothing is registered.
    Wrong,
}

/// On whose connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Connection {
    /// The call's, or a fresh one of the configuration.
    #[default]
    Own,
    /// A fresh one of participant 2.
    Second,
}

/// Which dialog a request claims to belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Dialog {
    /// None.
    #[default]
    None,
    /// The call's.
    Own,
    /// The call's, with other tags.
    GuessedTags,
    /// The call's, without tags.
    NoTags,
}

impl With {
    /// Whether it takes participant 2.
    pub(super) fn needs_second(&self) -> bool {
        self.from_connection == Connection::Second
            || matches!(self.target.as_str(), "other" | "callee")
            || self.headers.iter().any(|line| line.contains("{transfer-destination}"))
    }

    /// What cannot be meant.
    pub(super) fn check(&self) -> Result<(), OwnFault> {
        match (&self.call, self.dialog) {
            (None, Dialog::Own | Dialog::GuessedTags | Dialog::NoTags) => {
                Err(OwnFault("dialog belongs to a held call: call is missing".into()))
            }
            _ if self.target == "foreign-number" && self.method != "INVITE" => {
                Err(OwnFault("foreign numbers are only dialled".into()))
            }
            _ => Ok(()),
        }
    }
}
