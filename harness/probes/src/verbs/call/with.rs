//! The parameters of `call`, and what the client calls their words.

use ringfence_client::media::{AudioBefore, CandidatePolicy, FingerprintBend, Sdes, Setup, TransportProfile};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::step_ref::{CallRef, ConfigRef};

/// Parameters.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct With {
    /// The step whose configuration is used; left out: a fresh one.
    pub config: Option<ConfigRef>,
    /// `call` for the declared destination; `recorded`, `rotating` or `callee` for another one; or a SIP URI.
    pub target: String,
    /// Seconds of audio: an upper bound for a control, the whole time for others.
    pub media_s: u32,
    /// Keep the call for later steps.
    pub hold: bool,
    /// Transport profile of the offer.
    pub profile: ProfileWord,
    /// `a=crypto` lines in the offer.
    pub sdes: SdesWord,
    /// Fingerprint of the offer.
    pub fingerprint: FingerprintWord,
    /// `a=setup` of the offer.
    pub setup: SetupWord,
    /// Our certificate.
    pub certificate: CertificateWord,
    /// The call whose certificate and random are used again.
    pub certificate_of: Option<CallRef>,
    /// SRTP profiles to offer, in order; empty: the usual ones.
    pub srtp_profiles: Vec<String>,
    /// DTLS versions to offer: `1.2` alone, which is what the reference client speaks; `dtls-scan` asks for others.
    pub dtls_versions: Vec<String>,
    /// DTLS cipher suites to offer, by IANA's names, in order; empty: the usual ones. AEAD suites only.
    pub dtls_suites: Vec<String>,
    /// Groups to offer: `secp256r1`, `x25519`, `secp384r1`; empty: all of them. Their order is fixed.
    pub dtls_groups: Vec<String>,
    /// ICE candidates to offer.
    pub candidates: CandidatesWord,
    /// Header fields of the INVITE that say whose endpoint is called: `X-Organisation-Id`, `X-Project-Id`, `X-Endpoint-Id`.
    pub identity_headers: IdentityWord,
    /// The step whose organisation and project are named; `other-tenant` and `duplicated` need it.
    pub tenant_of: Option<ConfigRef>,
    /// User part of our address, instead of the one of the configuration.
    pub user_id: Option<String>,
    /// For a second, unprotected marked audio before ICE or before DTLS; `media.early_echoed` counts what comes back.
    pub start_audio_before: Option<StageWord>,
    /// Calls that are held at once, of one account. What is seen is the first one's; `granted` counts those that were answered.
    #[schemars(range(min = 1, max = 50))]
    pub times: u32,
    /// `Session-Expires` in seconds; 0 asks for none, left out: what the adapter's client asks for.
    pub session_expires: Option<u32>,
    /// Refreshes the session when it is our turn.
    pub session_refresh: bool,
}

impl Default for With {
    fn default() -> Self {
        Self {
            config: None,
            target: "call".into(),
            media_s: 2,
            hold: false,
            profile: ProfileWord::Savpf,
            sdes: SdesWord::None,
            fingerprint: FingerprintWord::Right,
            setup: SetupWord::Actpass,
            certificate: CertificateWord::Fresh,
            certificate_of: None,
            srtp_profiles: vec![],
            dtls_versions: vec![],
            dtls_suites: vec![],
            dtls_groups: vec![],
            candidates: CandidatesWord::All,
            identity_headers: IdentityWord::Own,
            tenant_of: None,
            user_id: None,
            start_audio_before: None,
            times: 1,
            session_expires: None,
            session_refresh: true,
        }
    }
}

impl With {
    /// Whether it is a call as a visitor's client places it, to a destination of the target file.
    pub(super) fn is_plain(&self) -> bool {
        let declared = ["call", "recorded", "rotating", "callee"].contains(&self.target.as_str());
        let plain = Self {
            config: self.config.clone(),
            target: self.target.clone(),
            media_s: self.media_s,
            hold: self.hold,
            ..Self::default()
        };
        declared && *self == plain
    }
}

/// Declares a word of the parameters and what the client calls it.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident => $type:ty { $($(#[$variant_doc:meta])* $word:ident => $value:expr),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$variant_doc])* $word),+ }

        impl From<$name> for $type {
            fn from(word: $name) -> Self {
                match word { $($name::$word => $value),+ }
            }
        }
    };
}

word! {
    /// Transport profile of the offer.
    ProfileWord => TransportProfile {
        /// UDP/TLS/RTP/SAVPF.
        Savpf => TransportProfile::Savpf,
        /// RTP/AVPF.
        Avpf => TransportProfile::Avpf,
        /// RTP/AVP.
        Avp => TransportProfile::Avp,
        /// RTP/SAVP.
        Savp => TransportProfile::Savp,
    }
}
word! {
    /// `a=crypto` lines in the offer.
    SdesWord => Sdes {
        /// None.
        None => Sdes::None,
        /// Instead of a fingerprint.
        Only => Sdes::Only,
        /// Beside a fingerprint.
        Both => Sdes::Both,
    }
}
word! {
    /// Fingerprint of the offer.
    FingerprintWord => FingerprintBend {
        /// Of our certificate.
        Right => FingerprintBend::Right,
        /// Of another certificate.
        Wrong => FingerprintBend::Wrong,
        /// None.
        Missing => FingerprintBend::Missing,
        /// SHA-1 of our certificate, and nothing else.
        Sha1 => FingerprintBend::Sha1,
        /// MD5 of our certificate, and nothing else.
        Md5 => FingerprintBend::Md5,
        /// SHA-256 of another certificate and of ours: one that matches is enough.
        Two => FingerprintBend::Two,
        /// SHA-256 of another certificate, SHA-1 of ours: the strongest decides.
        StrongWrong => FingerprintBend::StrongWrong,
        /// Of our certificate, at the session level.
        SessionLevel => FingerprintBend::SessionLevel,
    }
}
word! {
    /// `a=setup` of the offer.
    SetupWord => Setup {
        /// Either role.
        Actpass => Setup::Actpass,
        /// We are the DTLS client.
        Active => Setup::Active,
        /// We are the DTLS server.
        Passive => Setup::Passive,
    }
}
word! {
    /// ICE candidates to offer.
    CandidatesWord => CandidatePolicy {
        /// All.
        All => CandidatePolicy::All,
        /// Relayed ones only.
        Relay => CandidatePolicy::Relay,
        /// Host candidates only.
        Host => CandidatePolicy::Host,
    }
}
word! {
    /// A stage of the media.
    StageWord => AudioBefore {
        /// Connectivity checks: to what the answer names.
        Ice => AudioBefore::Ice,
        /// The handshake: on the checked pair.
        Dtls => AudioBefore::Dtls,
    }
}

/// Header fields of the INVITE that say whose endpoint is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityWord {
    /// The configuration's.
    Own,
    /// None.
    None,
    /// Organisation and project of `tenant_of`, with the configuration's own endpoint.
    OtherTenant,
    /// The configuration's, and behind them those of `tenant_of`.
    Duplicated,
}

/// Our certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CertificateWord {
    /// Made for this call.
    Fresh,
    /// That of `certificate_of`, and its ClientHello random.
    Reused,
    /// None is shown. We have to be the DTLS client: `setup = "active"`.
    None,
    /// Another one is shown than the offer announces.
    Other,
}
