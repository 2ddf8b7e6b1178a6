//! The target file: what a deployment is, where it may be touched, and who says so.

mod bounds;
mod endpoints;
mod method;
mod needs;
mod parse;
mod secrets;
mod view;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::policy;
pub use bounds::{AtOnce, Budget, TimeLimits};
pub use endpoints::{Endpoint, Endpoints};
pub use method::Source;
pub use needs::{Need, WORDS as NEEDS};
pub use parse::TargetError;
pub use view::TargetView;

/// A target file, read and checked.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Name of the deployment; goes into fingerprints.
    pub name: String,
    /// How its clients fetch configuration and signal.
    pub adapter: Adapter,
    /// The line that every page of a report carries, such as `Confidential`.
    #[serde(default)]
    pub classification: Option<String>,
    /// Name of the policy.
    #[serde(default = "default_policy")]
    pub policy: String,
    /// Certificates to trust besides the public roots, PEM; relative to the target file.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Later steps go on although the certificate does not verify; no secret is then worth much.
    #[serde(default)]
    pub accept_untrusted: bool,
    /// Origins of the pages that may use the deployment.
    #[serde(default)]
    pub trusted_origins: Vec<String>,
    /// Who may fetch configurations.
    #[serde(default)]
    pub participants: Participants,
    /// How much may be held at once.
    #[serde(default)]
    pub at_once: AtOnce,
    /// How much the whole run may use.
    #[serde(default)]
    pub budget: Budget,
    /// How long the run waits for the target.
    #[serde(default)]
    pub limits: TimeLimits,
    /// Addresses of HTTP endpoints.
    #[serde(default)]
    pub endpoints: Endpoints,
    /// Who asks a token server or an API, by name.
    #[serde(default)]
    pub logins: BTreeMap<String, Login>,
    /// Whom calls may ring.
    #[serde(default)]
    pub destinations: Destinations,
    /// Adapter `sip`: where the values of a configuration are found.
    #[serde(default)]
    pub sip: SipSettings,
    /// TURN servers that no configuration names.
    #[serde(default)]
    pub turn: TurnSettings,
    /// How a visitor starts a call on the page.
    #[serde(default)]
    pub page: PageSettings,
    /// Files of the operator's.
    #[serde(default)]
    pub files: Files,
    /// Facts that only the operator knows.
    #[serde(default)]
    pub declared: Declared,
    /// Where the run may go.
    #[serde(default)]
    pub scope: Vec<ScopeEntry>,
    /// Who allows it.
    #[serde(default)]
    pub authorization: Option<Authorization>,
    /// Consent to disruptive scenarios.
    #[serde(default)]
    pub disruptive: Disruptive,
    /// The file that all of this was read from.
    #[serde(skip)]
    pub source: Source,
}

fn default_policy() -> String {
    policy::DEFAULT.to_owned()
}

/// How a deployment's clients fetch configuration and signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Adapter {
    /// Cognigy Click To Call.
    Cognigy,
    /// Any SIP over WSS.
    Sip,
    /// Vonage Video.
    Vonage,
    /// Avaya Client SDK.
    Avaya,
}

impl Adapter {
    /// Every adapter.
    pub const ALL: [Adapter; 4] = [Adapter::Cognigy, Adapter::Sip, Adapter::Vonage, Adapter::Avaya];

    /// The written word.
    pub const fn word(self) -> &'static str {
        match self {
            Adapter::Cognigy => "cognigy",
            Adapter::Sip => "sip",
            Adapter::Vonage => "vonage",
            Adapter::Avaya => "avaya",
        }
    }
}

/// Who may fetch configurations: anybody as often as needed, or one identity per login named here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Participants {
    /// The word `unlimited`.
    Unlimited(Unlimited),
    /// Names of logins.
    Logins(Vec<String>),
}

/// The word `unlimited`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unlimited {
    /// Each fetch is a new visitor.
    Unlimited,
}

impl Default for Participants {
    fn default() -> Self {
        Self::Unlimited(Unlimited::Unlimited)
    }
}

impl Participants {
    /// How many identities there are; `None` for as many as asked.
    pub fn count(&self) -> Option<usize> {
        match self {
            Self::Unlimited(_) => None,
            Self::Logins(names) => Some(names.len()),
        }
    }
}

/// A value that never stands in the file itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretSource {
    /// Name of an environment variable.
    pub env: Option<String>,
    /// Path of a file, relative to the target file; one trailing line end is dropped.
    pub file: Option<PathBuf>,
}

/// Who asks a token server or an API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// `Authorization: Bearer`.
    pub bearer: Option<SecretSource>,
    /// `Authorization: Basic`, with `password`.
    pub user: Option<String>,
    /// The password for `user`.
    pub password: Option<SecretSource>,
    /// `Cookie`.
    pub cookie: Option<SecretSource>,
    /// API key.
    pub key: Option<SecretSource>,
}

/// Whom calls may ring.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Destinations {
    /// The ordinary one.
    pub call: Option<Destination>,
    /// One that is recorded.
    pub recorded: Option<Destination>,
    /// One whose peer rotates keys.
    pub rotating: Option<Destination>,
    /// One that rings the harness itself.
    pub callee: Option<Destination>,
    /// Where a transfer may go.
    pub transfer: Option<Destination>,
    /// The only other numbers that are ever dialled.
    #[serde(default)]
    pub foreign_numbers: Vec<String>,
}

/// One destination.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// A SIP URI, or `configured` for what the configuration says.
    pub uri: String,
    /// It sends our audio back.
    #[serde(default)]
    pub echo: bool,
    /// What its side says may be stored: `ringfence call --record`.
    #[serde(default)]
    pub record: bool,
}

/// Adapter `sip`: where the values of a configuration are found. Each is text, or a JSON pointer into the answer of
/// `endpoints.config`.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SipSettings {
    /// WebSocket address.
    pub ws_uri: Option<Value>,
    /// Digest user name; also the user of the address-of-record unless `aor` is given.
    pub username: Option<Value>,
    /// Digest password.
    pub password: Option<SecretValue>,
    /// Domain of the address-of-record.
    pub realm: Option<Value>,
    /// User part of the address-of-record.
    pub aor: Option<Value>,
    /// Whom to call.
    pub target: Option<Value>,
    /// ICE servers; a pointer to a list in the form of RTCConfiguration.iceServers.
    pub ice_servers: Option<Value>,
    /// Whether a client registers before it calls.
    pub register: Option<bool>,
    /// An access token, beside the pair.
    pub token: Option<SecretValue>,
    /// Seconds that credentials and token live from this answer on, such as OAuth's `expires_in` (RFC 6749, section 5.1).
    pub lifetime_s: Option<Value>,
}

/// Text, or where it stands in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// The text itself.
    Text(String),
    /// JSON pointer (RFC 6901) into the answer of `endpoints.config`.
    Pointer {
        /// The pointer.
        pointer: String,
    },
}

/// A secret from elsewhere, or where it stands in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum SecretValue {
    /// JSON pointer (RFC 6901) into the answer of `endpoints.config`.
    Pointer {
        /// The pointer.
        pointer: String,
    },
    /// From outside the file.
    Source(SecretSource),
}

/// TURN servers that no configuration names.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TurnSettings {
    /// URLs (RFC 7065): `turn:host:port?transport=udp`.
    #[serde(default)]
    pub urls: Vec<String>,
    /// User name.
    pub username: Option<String>,
    /// Password.
    pub credential: Option<SecretSource>,
    /// A peer that the relay may reach and that sends back what it gets: address and port.
    pub control_peer: Option<String>,
    /// A pair that worked, and whose time has passed.
    pub expired_login: Option<TurnLogin>,
}

/// A user of a TURN server.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TurnLogin {
    /// User name.
    pub username: String,
    /// Password.
    pub credential: SecretSource,
}

/// How a visitor starts a call on the page of `endpoints.page`.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageSettings {
    /// The call button.
    pub start: Option<Start>,
    /// CSS selector of what accepts the privacy notice, if one comes before the call.
    pub accept: Option<String>,
    /// Values of the test user that the page must not put into identifiers: name, e-mail address, phone number.
    #[serde(default)]
    pub test_user: Vec<String>,
}

/// What starts a call on a page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum Start {
    /// CSS selector of the button that is clicked.
    Button(String),
    /// JavaScript that is run as if a visitor's click had run it.
    Script {
        /// The script.
        script: String,
    },
}

/// Files of the operator's.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Log files.
    #[serde(default)]
    pub log: Vec<PathBuf>,
    /// Script bundles or repositories.
    #[serde(default)]
    pub bundle: Vec<PathBuf>,
}

/// Facts that only the operator knows. Scenarios read them as `target.NAME`.
#[derive(Clone, Debug, Default, serde::Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Declared {
    /// Seconds after a call's end until its credentials are dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_end_s: Option<i64>,
    /// Seconds that a digest nonce of the SIP server is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce_life_s: Option<i64>,
    /// Seconds after they were handed out until call credentials and tokens are dead: the operator's promise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_life_s: Option<i64>,
    /// Seconds that the deployment's clocks may differ; instead of the policy's figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_leeway_s: Option<i64>,
    /// Credentials are promised per session.
    pub session_scope: bool,
    /// Call credentials and tokens may be used more than once at a time, on purpose.
    pub tokens_reusable: bool,
    /// How signalling admits a client: `register`, `headers`, `token`, `cookie` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admission: Option<String>,
    /// User identifiers are checked by the deployment.
    pub validates_user_ids: bool,
    /// Networks of the deployment, CIDR.
    pub networks: Vec<String>,
    /// Special-purpose networks that are its own, CIDR.
    pub allowed_private: Vec<String>,
    /// Peers that the relay may reach, CIDR.
    pub allowed_peers: Vec<String>,
    /// Further certificates whose private keys are no secret, by SHA-256: those of an old image of one's own, say.
    pub known_certificates: Vec<String>,
    /// AES-256 is expected for media.
    pub expect_aes256: bool,
    /// Seconds after which the peer says that it rotates keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_s: Option<i64>,
    /// Media goes through a relay only.
    pub relay_only: bool,
    /// A selective forwarding unit answers, or another box that forwards media and plays none.
    pub sfu: bool,
    /// Calls are recorded.
    pub recorded: bool,
    /// A logged-in user keeps one user id on purpose.
    pub fixed_user_id: bool,
}

/// One part of the scope: every dialled address lies in one.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeEntry {
    /// Host names; `*.` stands for any name below.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Networks, CIDR.
    #[serde(default)]
    pub networks: Vec<String>,
    /// Whose they are.
    #[serde(default)]
    pub owner: Owner,
    /// A vendor's permission to be attacked.
    pub vendor_permission: Option<VendorPermission>,
}

/// Whose hosts they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// The operator who runs ringfence.
    #[default]
    #[serde(rename = "self")]
    Own,
    /// The operator's customer.
    Customer,
    /// ringfence's own lab.
    Lab,
    /// The vendor: only what a visitor's client does.
    Vendor,
}

/// A vendor's permission.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VendorPermission {
    /// Where it can be read.
    pub reference: String,
    /// Its last day.
    #[schemars(with = "String")]
    pub expires: toml::value::Datetime,
}

/// Who allows the run; needed unless every address is loopback.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authorization {
    /// What is allowed, in a sentence.
    pub statement: String,
    /// Whom to reach when something breaks.
    pub contact: String,
    /// Its last day.
    #[schemars(with = "String")]
    pub expires: toml::value::Datetime,
}

/// Consent to disruptive scenarios.
#[derive(Clone, Copy, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Disruptive {
    /// Given.
    pub allow: bool,
    /// Requests per second at most; at least 1, or no consent is given.
    pub rate: u32,
    /// Made-up events may be sent to the webhook, besides.
    pub webhook: bool,
    /// Made-up text may be planted where operators will read it, such as log files, besides.
    pub injection: bool,
}
