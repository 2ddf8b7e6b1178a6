//! The groups of fields that observations share. How missing fields behave: counts, lists and yes/no fields are always
//! there; text and numbers that were not seen are left out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Digest, Untrusted};

/// How a conversation ended, from our side of the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The target answered what was asked.
    #[default]
    Answered,
    /// The target closed the connection or refused it after it was open.
    Closed,
    /// The address does not resolve, is refused, or nothing listens.
    Unreachable,
    /// No answer within the limit.
    Timeout,
    /// The TLS handshake failed.
    TlsFailed,
    /// What came back is not the protocol.
    Protocol,
    /// The address lies outside the declared scope: nothing was sent.
    OutOfScope,
    /// The run's budget was spent.
    Budget,
}

impl Outcome {
    /// The written word.
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Answered => "answered",
            Outcome::Closed => "closed",
            Outcome::Unreachable => "unreachable",
            Outcome::Timeout => "timeout",
            Outcome::TlsFailed => "tls-failed",
            Outcome::Protocol => "protocol",
            Outcome::OutOfScope => "out-of-scope",
            Outcome::Budget => "budget",
        }
    }
}

/// The fields that every observation has besides its probe's own.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Common {
    /// How the conversation ended.
    pub outcome: Outcome,
    /// Milliseconds that the step took.
    pub elapsed_ms: i64,
    /// What went wrong, where something did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Untrusted>,
}

/// One header field of an answer. The value is target text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeaderField {
    /// Field name in lower case.
    pub name: Untrusted,
    /// Field value.
    pub value: Untrusted,
}

/// A place where a secret or a canary came back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Leak {
    /// Which secret: `sip-password`, `turn-credential`, `login`, …
    pub kind: String,
    /// Where it stood: `body`, `header`, …
    #[serde(rename = "where")]
    pub place: String,
}

/// The SDP that the target sent in this call.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct SdpSeen {
    /// Transport profile of the audio section, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Untrusted>,
    /// The answer has an audio section with a port other than 0.
    pub media_accepted: bool,
    /// An `a=crypto` line is present (RFC 4568).
    pub has_crypto: bool,
    /// Hash name of the strongest fingerprint (RFC 8122, section 5), in lower case; of the first where none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint_hash: Option<Untrusted>,
    /// Fingerprints, `hash value`, in the order given.
    pub fingerprints: Vec<Untrusted>,
    /// Those of the fingerprints that are SHA-256: 64 hexadecimal digits in lower case, without colons.
    pub sha256: Vec<String>,
    /// `a=setup` (RFC 4145, RFC 8842).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setup: Option<Untrusted>,
    /// `a=rtcp-mux` (RFC 5761).
    pub rtcp_mux: bool,
    /// `a=ice-lite` (RFC 8839).
    pub ice_lite: bool,
    /// `a=tls-id` (RFC 8842).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_id: Option<Untrusted>,
    /// Candidate lines without their `candidate:` prefix.
    pub candidates: Vec<Untrusted>,
    /// Every address in connection lines and candidates.
    pub addresses: Vec<Untrusted>,
    /// CNAME of the first `a=ssrc` line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cname: Option<Untrusted>,
}

/// ICE as this call saw it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct IceSeen {
    /// A pair was nominated.
    pub connected: bool,
    /// The target's username fragment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_ufrag: Option<Digest>,
    /// The target's password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_pwd: Option<Digest>,
    /// Characters of the username fragment.
    pub ufrag_length: i64,
    /// Characters of the password.
    pub pwd_length: i64,
    /// Kind of our nominated candidate: `host`, `srflx`, `prflx` or `relay`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_type: Option<String>,
    /// Address of the target's nominated candidate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_address: Option<Untrusted>,
}

/// The certificate that the target showed in DTLS.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct CertificateSeen {
    /// Digest of the DER bytes: equal for equal certificates of one run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// SHA-256 of the DER bytes, 64 hexadecimal digits in lower case. No secret: SDP tells it to everybody in the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The certificate hashes to a fingerprint of the SDP.
    pub matches: bool,
    /// `rsa`, `ec`, `ed25519` or `ed448`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_type: Option<String>,
    /// Bits of the modulus, or of the curve's field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_bits: Option<i64>,
    /// Hash of the signature on it: `sha256`; `ed25519` where the scheme has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_hash: Option<String>,
    /// Common names of the subject, and alternative names.
    pub names: Vec<Untrusted>,
}

/// DTLS as this call saw it. `role` and `alert_sent` are ours, `alert` is the target's.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct DtlsSeen {
    /// Both sides finished.
    pub completed: bool,
    /// Version that ServerHello chose: `1.2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// IANA name of the cipher suite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// Group of the key exchange, by IANA's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Our role: `client` or `server`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The first fatal or warning alert that the target sent, by its TLS name; `close_notify` after our hang-up is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// Milliseconds from the handshake's last message to that alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert_after_ms: Option<i64>,
    /// The alert that we sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert_sent: Option<String>,
    /// Random of ClientHello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_random: Option<Digest>,
    /// Random of ServerHello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_random: Option<Digest>,
    /// The target's certificate.
    pub certificate: CertificateSeen,
    /// SRTP profile that ServerHello chose, as `srtp_profiles` names it, else its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_srtp: Option<String>,
    /// Both sides use the extended master secret (RFC 7627).
    pub extended_master_secret: bool,
    /// The target asked for a client certificate (we are the client).
    pub client_certificate_requested: bool,
}

/// SRTP as this call negotiated it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct SrtpSeen {
    /// `cm-sha1-80`, `cm-sha1-32`, `gcm-128` or `gcm-256`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Keying material of the association.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<Digest>,
    /// Profile that the target's packets open under with the keys of this association: the agreed one, or another that was
    /// tried where that one opened none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_profile: Option<String>,
    /// Bytes of the SRTP authentication tag of these packets, as measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag_bytes: Option<i64>,
}

/// RTP as this call counted it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct MediaSeen {
    /// Audio packets that we sent.
    pub sent: i64,
    /// RTP-like packets that came.
    pub received: i64,
    /// Packets among them that authenticated as SRTP.
    pub authenticated: i64,
    /// Packets among those that brought our marker back.
    pub echoed: i64,
    /// Well-formed RTP packets that came unprotected.
    pub plain_received: i64,
    /// Markers that came back of the unprotected audio that we sent before ICE or DTLS.
    pub early_echoed: i64,
    /// Packets of the target that repeat the SRTP index of another one, under one key and SSRC, with another ciphertext.
    pub index_reuse: i64,
    /// Synchronisation sources of the target.
    pub ssrcs: Vec<i64>,
    /// Lost share of the target's stream, from 0 to 1.
    pub loss: f64,
}

/// RTCP as this call counted it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct RtcpSeen {
    /// RTCP-like packets that came.
    pub received: i64,
    /// Packets among them that authenticated as SRTCP.
    pub authenticated: i64,
    /// Well-formed RTCP packets that came unprotected.
    pub plain_received: i64,
}

/// Everything that the media side of one call saw.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct CallSeen {
    /// The target's SDP.
    pub sdp: SdpSeen,
    /// ICE.
    pub ice: IceSeen,
    /// DTLS.
    pub dtls: DtlsSeen,
    /// SRTP.
    pub srtp: SrtpSeen,
    /// RTP.
    pub media: MediaSeen,
    /// RTCP.
    pub rtcp: RtcpSeen,
    /// Datagrams of any kind that came.
    pub datagrams_received: i64,
}
