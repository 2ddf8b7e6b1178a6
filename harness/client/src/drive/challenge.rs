//! What a challenge (RFC 7616) says, for evidence.

use ringfence_model::{Digest, RunKey, Untrusted};

use crate::signalling::FinalAnswer;

/// Most entries of each list of a challenge that are kept.
const MAX_LISTED: usize = 16;

/// The first answer that challenges.
#[derive(Clone, Debug, Default)]
pub struct ChallengeSeen {
    /// Authentication schemes, unreadable challenges included.
    pub schemes: Vec<Untrusted>,
    /// Algorithms; `MD5` where a challenge names none, which is what that means.
    pub algorithms: Vec<Untrusted>,
    /// Qualities of protection.
    pub qop: Vec<Untrusted>,
    /// Digest challenges that could be read.
    pub digests: usize,
    /// Those of them that offer neither `auth` nor `auth-int`.
    pub without_qop: usize,
    /// Nonce of the first Digest challenge.
    pub nonce: Option<Digest>,
    /// A challenge says that the nonce was stale.
    pub stale: bool,
}

impl ChallengeSeen {
    /// What one answer asks for.
    pub fn of(answer: &FinalAnswer, key: &RunKey) -> Self {
        let challenges = &answer.challenges;
        let algorithm = |text: &Option<String>| Untrusted::new(text.as_deref().unwrap_or("MD5"));
        let protects = |qop: &String| ["auth", "auth-int"].iter().any(|known| known.eq_ignore_ascii_case(qop));
        Self {
            schemes: answer.schemes.iter().take(MAX_LISTED).cloned().collect(),
            algorithms: challenges.iter().take(MAX_LISTED).map(|challenge| algorithm(&challenge.algorithm)).collect(),
            qop: challenges.iter().flat_map(|challenge| &challenge.qop).take(MAX_LISTED).map(Untrusted::new).collect(),
            digests: challenges.len(),
            without_qop: challenges.iter().filter(|challenge| !challenge.qop.iter().any(protects)).count(),
            nonce: challenges.first().map(|challenge| key.digest(challenge.nonce.as_bytes())),
            stale: challenges.iter().any(|challenge| challenge.stale),
        }
    }
}
