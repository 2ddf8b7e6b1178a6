//! What a TLS or DTLS server accepts, and what a policy says to that: what `ringfence tls` and `ringfence dtls` print.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::policy::{Rank, Ranked};
use crate::untrusted::Untrusted;
use crate::verdict::{Level, Severity};

/// The format: within v1 fields are added and never changed.
pub const ENUMERATION_FORMAT: &str = "ringfence.enumeration/v1";

/// What one server accepts. Lists hold what it was seen to choose, in the order in which it chose; `unknown` of a version
/// names those of which there may be more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Enumeration {
    /// [`ENUMERATION_FORMAT`].
    pub format: String,
    /// Version of ringfence.
    pub ringfence: String,
    /// Which protocol was asked for.
    pub protocol: Protocol,
    /// Host as it was given.
    pub host: String,
    /// Port.
    pub port: u16,
    /// DTLS: the media port of calls was asked, not one that anybody can ask. `host` and `port` are then the last call's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<Calls>,
    /// What the hellos said in server_name (RFC 6066, section 3); left out where the host is an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// Name, or file, of the policy.
    pub policy: String,
    /// All versions that were asked for, oldest first.
    pub versions: Vec<VersionSeen>,
    /// TLS: the version that the server chose where 1.0 to 1.3 were offered in one hello; left out where it accepts fewer than two
    /// of them, or no answer told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen_version: Option<String>,
    /// Different certificates that were shown.
    pub certificates: Vec<CertificateSeen>,
    /// Why no certificate was seen, where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_certificate: Option<Untrusted>,
    /// What the policy does not allow, the worst first.
    pub findings: Vec<Breach>,
    /// What is worth knowing and fails nothing.
    pub notes: Vec<String>,
    /// Hellos that were sent, repeated ones included.
    pub hellos_sent: u32,
    /// Milliseconds from the first hello to the last answer.
    pub elapsed_ms: u64,
    /// What the process ends with, by name.
    pub exit: Exit,
    /// The same as a number.
    pub code: u8,
}

/// Calls whose media port was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Calls {
    /// Name of the target file.
    pub target: String,
    /// Calls that were placed, whatever came of them.
    pub placed: u32,
}

/// Which protocol was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TLS, over TCP.
    Tls,
    /// DTLS, over UDP.
    Dtls,
}

impl Protocol {
    /// As the RFCs write it.
    pub const fn word(self) -> &'static str {
        match self {
            Protocol::Tls => "TLS",
            Protocol::Dtls => "DTLS",
        }
    }
}

/// Whether a server speaks a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VersionState {
    /// It chose it, with a suite.
    Accepted,
    /// It refused it.
    Refused,
    /// Nothing that came tells; `unknown` says why.
    #[default]
    Unknown,
}

/// What was found about one version. What a version cannot show is empty or left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VersionSeen {
    /// `ssl3`, `1.0`, `1.1`, `1.2` or `1.3`.
    pub version: String,
    /// Whether the server speaks it.
    pub state: VersionState,
    /// The alert that refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// What the policy says to a version that is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<Rank>,
    /// Cipher suites.
    pub suites: Vec<SuiteSeen>,
    /// The server follows its own order of suites, not the client's; left out where that was not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_order: Option<bool>,
    /// Groups of the key exchange.
    pub groups: Vec<Entry>,
    /// Schemes that the key exchange was signed with; 1.2 only.
    pub signature_schemes: Vec<Entry>,
    /// SRTP protection profiles; DTLS 1.0 and 1.2 only.
    pub srtp_profiles: Vec<Entry>,
    /// The profile that the server chose when all were offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_srtp_profile: Option<String>,
    /// The server went on without SRTP where it shared no profile.
    pub goes_without_srtp: bool,
    /// RFC 7627; left out where no answer could tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_master_secret: Option<bool>,
    /// RFC 5746, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure_renegotiation: Option<bool>,
    /// The server chose to compress (RFC 3749).
    pub compression: bool,
    /// A certificate status was stapled (RFC 6066, section 8).
    pub ocsp_stapled: bool,
    /// The server asks for a certificate of the client's.
    pub certificate_requested: bool,
    /// Fewest bits of the prime in a DHE answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dh_bits: Option<u16>,
    /// DTLS: a cookie was demanded (RFC 6347, section 4.2.1).
    pub cookie: bool,
    /// DTLS: the exchange without a cookie in which the server sent the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_cookie: Option<Exchange>,
    /// Hellos that were sent for this version.
    pub hellos_sent: u32,
    /// Lists of which there may be more than was found.
    pub unknown: Vec<Unknown>,
}

/// A cipher suite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteSeen {
    /// Its number in the registry.
    pub code: u16,
    /// Its name there; the number where it has none.
    pub name: String,
    /// `ECDHE`, `DHE`, `RSA`, `DH anon` and the like; `(EC)DHE` in 1.3, where the group decides.
    pub key_exchange: String,
    /// How the server proves who it is: `RSA`, `ECDSA`, `DSS`, `PSK`; left out where the suite does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<String>,
    /// A key that leaks later does not open what was recorded.
    pub forward_secrecy: bool,
    /// Bits of an attack on the cipher, at most; left out where unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<u16>,
    /// What the policy says.
    #[serde(flatten)]
    pub ranked: Ranked,
}

/// A group, signature scheme or SRTP profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Its number in the registry.
    pub code: u16,
    /// Its name; the number where it has none.
    pub name: String,
    /// What the policy says.
    #[serde(flatten)]
    pub ranked: Ranked,
}

/// Bytes of an exchange, without headers of UDP and IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exchange {
    /// That we sent.
    pub sent: u64,
    /// That came back.
    pub received: u64,
}

/// A list whose end was not seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unknown {
    /// `suites`, `groups`, `signature_schemes` or `srtp_profiles`; `chosen_version` where it is not known whether this version is
    /// chosen among others, as the policy wants.
    pub list: String,
    /// Why.
    pub reason: Untrusted,
}

/// A certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateSeen {
    /// Subject, as RFC 4514 nearly writes it.
    pub subject: Untrusted,
    /// Issuer, likewise.
    pub issuer: Untrusted,
    /// Common names of the subject, and alternative names.
    pub names: Vec<Untrusted>,
    /// Whole days until its end; negative behind it.
    pub days_left: i64,
    /// Its beginning lies ahead.
    pub not_yet_valid: bool,
    /// Issuer and subject are one.
    pub self_signed: bool,
    /// It leads to a public root or to one of `--ca-file`, apart from its name and its dates.
    pub trusted: bool,
    /// It is made out to the host that was asked for; left out over DTLS, where nobody looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_matches: Option<bool>,
    /// `rsa`, `ec`, `ed25519` or `ed448`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_type: Option<String>,
    /// Bits of the modulus, or of the curve's field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_bits: Option<i64>,
    /// Hash of the signature on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_hash: Option<String>,
    /// Certificates that came with it, itself included.
    pub chain_length: usize,
    /// It names a responder for its status (RFC 6960).
    pub ocsp_responder: bool,
    /// SHA-256 of its DER, 64 hexadecimal digits in lower case.
    #[serde(default)]
    pub sha256: String,
    /// Where everybody can have its private key, if it is a known default certificate ([`crate::known_certificates`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_public_in: Option<String>,
}

/// Something that the policy does not allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Breach {
    /// Which rule: `version`, `suite`, `forward-secrecy`, `group`, `dh-bits`, `signature-scheme`, `srtp-profile`,
    /// `extended-master-secret`, `renegotiation`, `compression`, `certificate`, `ocsp`, `amplification`.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// How binding the rule is.
    pub level: Level,
    /// What was seen. It holds nothing that the target wrote.
    pub message: String,
}
