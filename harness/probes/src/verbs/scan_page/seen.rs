//! What `scan-page` observes.

use ringfence_model::Untrusted;
use ringfence_model::observation::HeaderField;
use schemars::JsonSchema;
use serde::Serialize;

/// Observation. Lists hold 64 entries at most. All is of the first visit, but what says otherwise.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// HTTP status of the page, behind its redirects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Visits in which the page was read.
    pub visits: i64,
    /// Header fields of the page.
    pub headers: Vec<HeaderField>,
    /// Content security policies, of the header and of the document: all of them hold.
    pub csp: Vec<Untrusted>,
    /// `Permissions-Policy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_policy: Option<Untrusted>,
    /// `Referrer-Policy`; of the document, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer_policy: Option<Untrusted>,
    /// `Strict-Transport-Security`.
    pub hsts: HstsSeen,
    /// What the page, fetched over TLS, loads over `http:`.
    pub mixed_content: Vec<Untrusted>,
    /// Secrets by their shape or name, and the run's own.
    pub secrets: Vec<SecretSeen>,
    /// Values of `config` that stand in the page or its files: `username`, `password`, `token`, `turn-username`, `turn-credential`.
    pub config_values_found: Vec<String>,
    /// SIP addresses.
    pub sip_uris: Vec<Untrusted>,
    /// STUN and TURN servers.
    pub ice_servers: Vec<IceServerSeen>,
    /// Scripts from another host than the page's.
    pub third_party_scripts: Vec<Untrusted>,
    /// Scripts among them whose content nothing fixes: W3C Subresource Integrity.
    pub scripts_without_integrity: Vec<Untrusted>,
    /// Scripts that were read.
    pub scripts: i64,
    /// Scripts that were not, of any visit: out of scope, not answered, over a limit.
    pub scripts_not_read: Vec<Untrusted>,
    /// Source maps that were read.
    pub source_maps: i64,
    /// Files that the page or its scripts name, and that were read: JSON, text, settings.
    pub storage_files: i64,
    /// Settings of an Avaya client.
    pub client_config: ClientConfigSeen,
}

/// RFC 6797, section 6.1.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct HstsSeen {
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_s: Option<i64>,
    /// `includeSubDomains`.
    pub subdomains: bool,
    /// The page's host is an address, for which browsers keep no such policy (RFC 6797, section 8.1.1).
    pub for_address: bool,
}

/// Secrets of one kind in one place. What they are is not told.
#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SecretSeen {
    /// `sip-password`, `turn-password`, `bearer-token`, `basic-auth`, `jwt`, `api-key`, …
    pub kind: String,
    /// `url`, `page`, `script`, `source-map` or `storage-file`.
    #[serde(rename = "where")]
    pub place: String,
    /// One of them came in every visit; false where there was one visit.
    pub same_in_visits: bool,
}

/// An ICE server that the page names.
#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IceServerSeen {
    /// RFC 7064 or 7065.
    pub url: Untrusted,
    /// A password stands beside it.
    pub credential: bool,
    /// One of these passwords came in every visit; false where there was one visit.
    pub same_in_visits: bool,
}

/// Settings of an Avaya client.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct ClientConfigSeen {
    /// `true`, `false`, `mixed`, `not-boolean` or `missing`; left out where there are no such settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_secure: Option<String>,
    /// Addresses of its servers.
    pub urls: Vec<Untrusted>,
}
