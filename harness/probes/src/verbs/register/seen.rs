//! What `register` sees.

use ringfence_client::drive::challenge;
use ringfence_client::drive::registration::RegistrationSeen;
use ringfence_model::{Digest, Untrusted};
use schemars::JsonSchema;
use serde::Serialize;

/// Observation; of a corpus, the fields outside `statuses`, `entries` and `echoed_headers` are those of the last entry.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// Final status of the last registration, challenges answered where the login has an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Its reason phrase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Untrusted>,
    /// Final status of each registration that was answered.
    pub statuses: Vec<u16>,
    /// The first challenge.
    pub challenge: ChallengeSeen,
    /// The address-of-record that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aor: Option<Digest>,
    /// The answer lists our own contact.
    pub contact_ok: bool,
    /// Seconds that were granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_s: Option<u32>,
    /// `Server`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_header: Option<Untrusted>,
    /// Header fields of ours that lines of answers begin with.
    pub echoed_headers: Vec<String>,
    /// What became of each entry of a corpus.
    pub entries: Vec<EntrySeen>,
}

/// One entry of a corpus.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct EntrySeen {
    /// Which.
    pub entry: String,
    /// It breaks the grammar of the message: a server may end the connection that it came on.
    pub malformed: bool,
    /// Its final status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The connection ended without an answer.
    pub lost: bool,
    /// It was registered, and the answer names it as one user part.
    pub whole: bool,
    /// A line of an answer began with the entry's header field.
    pub echoed: bool,
}

/// A challenge (RFC 7616).
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct ChallengeSeen {
    /// Authentication schemes, unreadable challenges included.
    pub schemes: Vec<Untrusted>,
    /// Algorithms.
    pub algorithms: Vec<Untrusted>,
    /// Qualities of protection.
    pub qop: Vec<Untrusted>,
    /// Digest challenges that could be read.
    pub digests: i64,
    /// Those of them that offer neither `auth` nor `auth-int`.
    pub without_qop: i64,
    /// Nonce of the first Digest challenge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Digest>,
    /// A challenge says that the nonce was stale.
    pub stale: bool,
}

impl From<challenge::ChallengeSeen> for ChallengeSeen {
    fn from(seen: challenge::ChallengeSeen) -> Self {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            schemes: seen.schemes,
            algorithms: seen.algorithms,
            qop: seen.qop,
            digests: count(seen.digests),
            without_qop: count(seen.without_qop),
            nonce: seen.nonce,
            stale: seen.stale,
        }
    }
}

impl Seen {
    /// An upgrade that is denied is an answer too: no registration without it.
    pub(super) fn of(seen: RegistrationSeen) -> Self {
        Seen {
            status: seen.status.or(seen.upgrade_status.filter(|status| *status != 101)),
            reason: seen.reason,
            statuses: seen.statuses,
            challenge: seen.challenge.into(),
            aor: None,
            contact_ok: seen.contact_ok,
            expires_s: seen.expires_s,
            server_header: seen.server_header,
            echoed_headers: seen.echoed,
            entries: Vec::new(),
        }
    }
}
