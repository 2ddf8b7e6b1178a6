//! The values of `Origin` that CORS and WebSocket probes present.

use ringfence_model::target::Target;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A host that nobody of the deployment's owns (RFC 2606 reserves the name).
const EVIL_HOST: &str = "ringfence-evil.example";

/// A kind of origin, relative to the first trusted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OriginVariant {
    /// The page that may call.
    Trusted,
    /// A foreign site.
    Evil,
    /// `null`: sandboxed frames, local files, data URLs.
    Null,
    /// The trusted origin over http.
    HttpTwin,
    /// The trusted host with a foreign domain behind it.
    Suffix,
    /// A foreign host that ends in the trusted one.
    Prefix,
    /// A name below the trusted host.
    Subdomain,
    /// The trusted host on another port.
    Port,
    /// A foreign site, with a valid login whatever the probe's own: an answer with `*` to that goes to everybody.
    WildcardLogin,
    /// No Origin at all: no browser.
    Absent,
}

impl OriginVariant {
    /// The written word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Evil => "evil",
            Self::Null => "null",
            Self::HttpTwin => "http-twin",
            Self::Suffix => "suffix",
            Self::Prefix => "prefix",
            Self::Subdomain => "subdomain",
            Self::Port => "port",
            Self::WildcardLogin => "wildcard-login",
            Self::Absent => "absent",
        }
    }

    /// The header's value; `None` for no header, and where it is built on a trusted origin that is not given.
    pub fn value(self, target: &Target) -> Option<String> {
        let trusted = target.trusted_origins.first().and_then(|origin| url::Url::parse(origin).ok());
        let with = |scheme: &str, host: String, port: Option<u16>| {
            format!("{scheme}://{host}{}", port.map(|port| format!(":{port}")).unwrap_or_default())
        };
        let host = trusted.as_ref().and_then(|url| url.host_str().map(str::to_owned));
        let port = trusted.as_ref().and_then(url::Url::port);
        match self {
            Self::Absent => None,
            Self::Null => Some("null".into()),
            Self::Evil | Self::WildcardLogin => Some(format!("https://{EVIL_HOST}")),
            Self::Trusted => target.trusted_origins.first().cloned(),
            Self::HttpTwin => Some(with("http", host?, port)),
            Self::Suffix => Some(with("https", format!("{}.{EVIL_HOST}", host?), port)),
            Self::Prefix => Some(with("https", format!("evil{}", host?), port)),
            Self::Subdomain => Some(with("https", format!("evil.{}", host?), port)),
            Self::Port => Some(with("https", host?, Some(if port == Some(8444) { 8445 } else { 8444 }))),
        }
    }
}
