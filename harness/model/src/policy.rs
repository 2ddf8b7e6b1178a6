//! What is acceptable, as data: scenarios compare with `policy.FIELD` and never with a literal list.
//!
//! The values and their sources stand in `scenarios/policies/`. Lists are judged forbidden, discouraged, fine, note, in
//! this order; `*` in an entry stands for any run of characters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The policy that a target gets which names none.
pub const DEFAULT: &str = "webrtc-mti";

/// Where a policy puts a value, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rank {
    /// It must not be accepted.
    Forbidden,
    /// It should not be accepted.
    Discouraged,
    /// Reported; it never fails.
    Note,
    /// As the policy wants it.
    Fine,
}

impl Rank {
    /// The written word.
    pub const fn word(self) -> &'static str {
        match self {
            Rank::Forbidden => "forbidden",
            Rank::Discouraged => "discouraged",
            Rank::Note => "note",
            Rank::Fine => "fine",
        }
    }
}

/// Where a policy puts a value, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ranked {
    /// Where.
    pub rank: Rank,
    /// It stands in a list of the policy; else the rank follows from the policy's `unlisted`.
    pub listed: bool,
}

/// A policy with every value filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its name: the file's.
    #[serde(default)]
    pub name: String,
    /// What it stands for, in one line.
    pub title: String,
    /// Lowest TLS version that may be accepted.
    pub min_tls: String,
    /// TLS versions that must be accepted when offered alone.
    pub tls_required: Vec<String>,
    /// TLS version that must be chosen among others; empty: no rule.
    pub tls_preferred: String,
    /// Lowest DTLS version that may be accepted.
    pub min_dtls: String,
    /// DTLS versions that must be accepted when offered alone.
    pub dtls_required: Vec<String>,
    /// Extended master secret is asked for below 1.3 (RFC 7627).
    pub require_ems: bool,
    /// Level of forward secrecy: `must` or `should`.
    pub forward_secrecy: String,
    /// What a value outside all lists is: `note` or `fail`.
    pub unlisted: String,
    /// Suites that fail as high.
    pub suites_forbidden: Vec<String>,
    /// Suites that fail as medium.
    pub suites_discouraged: Vec<String>,
    /// DTLS suites that are fine.
    pub dtls_suites: Vec<String>,
    /// DTLS suites that are reported and never fail.
    pub dtls_suites_note: Vec<String>,
    /// TLS suites that are fine.
    pub tls_suites: Vec<String>,
    /// TLS suites that are reported and never fail.
    pub tls_suites_note: Vec<String>,
    /// Groups that are fine.
    pub groups: Vec<String>,
    /// Groups that are reported and never fail.
    pub groups_note: Vec<String>,
    /// Groups that fail as medium.
    pub groups_discouraged: Vec<String>,
    /// Groups of which one must be accepted.
    pub groups_required_one_of: Vec<String>,
    /// Min RSA bits.
    pub min_rsa_bits: i64,
    /// Min EC bits.
    pub min_ec_bits: i64,
    /// Signature hashes that are fine.
    pub signature_hashes: Vec<String>,
    /// Signature schemes that fail as high.
    pub signature_schemes_forbidden: Vec<String>,
    /// Signature schemes that fail as medium.
    pub signature_schemes_discouraged: Vec<String>,
    /// Signature schemes that are reported and never fail.
    pub signature_schemes_note: Vec<String>,
    /// Fingerprint hashes that are fine.
    pub fingerprint_hashes: Vec<String>,
    /// Fingerprint hashes that are reported and never fail.
    pub fingerprint_hashes_note: Vec<String>,
    /// Whether the policy asks for it: fresh certificate per call.
    pub fresh_certificate_per_call: bool,
    /// Whether the policy asks for it: OCSP required.
    pub ocsp_required: bool,
    /// SRTP profiles that are fine.
    pub srtp_profiles: Vec<String>,
    /// SRTP profiles that are reported and never fail.
    pub srtp_profiles_note: Vec<String>,
    /// SRTP profiles that fail as medium.
    pub srtp_profiles_discouraged: Vec<String>,
    /// SRTP profiles that fail as high.
    pub srtp_profiles_forbidden: Vec<String>,
    /// Preferred SRTP profile.
    pub preferred_srtp_profile: String,
    /// DTLS ratio max.
    pub dtls_ratio_max: i64,
    /// STUN ratio max.
    pub stun_ratio_max: i64,
    /// TURN credential max, in seconds.
    pub turn_credential_max_s: i64,
    /// TURN quota max.
    pub turn_quota_max: i64,
    /// Whether the policy asks for it: TURN sha256.
    pub turn_sha256: bool,
    /// Whether the policy asks for it: turns 443.
    pub turns_443: bool,
    /// Max concurrent calls.
    pub max_concurrent_calls: i64,
    /// Prober loss max.
    pub prober_loss_max: f64,
    /// Consent, in seconds.
    pub consent_s: i64,
    /// Consent slack, in seconds.
    pub consent_slack_s: i64,
    /// Whether the policy asks for it: SIP timers.
    pub sip_timers: bool,
    /// Whether the policy asks for it: hide versions.
    pub hide_versions: bool,
    /// Clock leeway, in seconds.
    pub clock_leeway_s: i64,
    /// Token lifetime max, in seconds.
    pub token_lifetime_max_s: i64,
    /// Whether the policy asks for it: token single use.
    pub token_single_use: bool,
    /// Token bits min.
    pub token_bits_min: i64,
    /// Password bits min.
    pub password_bits_min: i64,
    /// Bits that an identifier which a page makes up for its visitor must be able to have.
    pub user_id_bits_min: i64,
    /// Archive URL max, in seconds.
    pub archive_url_max_s: i64,
    /// HSTS min, in seconds.
    pub hsts_min_s: i64,
    /// Whether the policy asks for it: HSTS subdomains.
    pub hsts_subdomains: bool,
}
