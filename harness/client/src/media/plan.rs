//! What a call is going to say and do: a value, honest by default. A bend is another value of the same field, and the code
//! that writes the offer and runs the handshake does not know which values are honest.

use std::net::SocketAddr;
use std::time::Duration;

use ringfence_model::Secret;
use ringfence_srtp::Profile;

use super::audio::Random;
use super::g711::Law;
use super::hello::{DtlsGroup, DtlsSuite};
use super::identity::Identity;
use super::playback::Playback;
use super::recording::Recording;

/// Everything about one call's media that its maker may choose.
#[derive(Clone, Debug)]
pub struct MediaPlan {
    /// Transport profile of the m-line.
    pub profile: TransportProfile,
    /// Keys in our SDP.
    pub sdes: Sdes,
    /// What our `a=fingerprint` says.
    pub fingerprint: FingerprintBend,
    /// What our `a=setup` says.
    pub setup: Setup,
    /// SRTP profiles that we offer in DTLS, the preferred first.
    pub srtp_profiles: Vec<Profile>,
    /// Which candidates we gather and offer.
    pub candidates: CandidatePolicy,
    /// Our certificate and client random. A clone of another call's identity repeats both.
    pub certificate: Identity,
    /// Which certificate we show.
    pub shown: Shown,
    /// Cipher suites that we offer or accept, the preferred first.
    pub dtls_suites: Vec<DtlsSuite>,
    /// Groups that we offer or accept. `rtc-dtls` has an order of its own: P-256, X25519, P-384.
    pub dtls_groups: Vec<DtlsGroup>,
    /// Finishes a handshake with a certificate that the target did not announce, so that it can be reported. For probes, which
    /// have nothing to tell to whoever is there.
    pub meets_strangers: bool,
    /// No handshake of ours: hellos by hand are put to the target instead, which has to be the DTLS server: see [`super::HelloAsk`].
    pub hellos: bool,
    /// Codecs of the offer, the preferred first.
    pub codecs: Vec<Codec>,
    /// For so long after the answer no checks go out, and none are answered.
    pub unchecked_for: Option<Duration>,
    /// Host candidates of the offer that are none of the call's own sockets.
    pub extra_candidates: Vec<SocketAddr>,
    /// Our canonical name, in SDP and RTCP.
    pub cname: String,
    /// Seed of what is random and no secret: SSRC, first sequence number and timestamp, markers.
    pub seed: u64,
    /// Audio that is sent instead of markers where the codec is G.711: then no echo can be told. One call plays it once.
    pub play: Option<Playback>,
    /// Where the far side's audio is put, as far as it is G.711.
    pub record: Option<Recording>,
    /// Unprotected audio of ours goes out before this stage, for a second; the stage waits that long.
    pub audio_before: Option<AudioBefore>,
    /// Before our handshake so many hellos without a cookie go to the checked port from another socket of ours, one every
    /// 50 ms, 200 at most; none where one end of the pair is a relay.
    pub stranger_hellos: u32,
    /// Our handshake says nothing of SRTP: no `use_srtp`. Keys are then exported all the same, as for
    /// `SRTP_AES128_CM_HMAC_SHA1_80`, so that there is something that a careless target could take.
    pub without_use_srtp: bool,
}

impl MediaPlan {
    /// An honest call. Calls of one seed differ in what they send only as their sockets do.
    pub fn honest(certificate: Identity, seed: u64) -> Self {
        Self {
            profile: TransportProfile::Savpf,
            sdes: Sdes::None,
            fingerprint: FingerprintBend::Right,
            setup: Setup::Actpass,
            srtp_profiles: vec![Profile::AeadAes128Gcm, Profile::AeadAes256Gcm, Profile::AesCm128HmacSha1_80],
            candidates: CandidatePolicy::All,
            certificate,
            shown: Shown::Announced,
            dtls_suites: DtlsSuite::ALL.to_vec(),
            dtls_groups: DtlsGroup::ALL.to_vec(),
            meets_strangers: false,
            hellos: false,
            codecs: vec![Codec::Opus, Codec::Pcmu, Codec::Pcma, Codec::TelephoneEvent],
            unchecked_for: None,
            extra_candidates: Vec::new(),
            cname: format!("{:016x}", Random::new(seed).next()),
            seed,
            play: None,
            record: None,
            audio_before: None,
            stranger_hellos: 0,
            without_use_srtp: false,
        }
    }
}

impl MediaPlan {
    /// Whether our offer holds nothing that keys could come of: what then flows is in the clear.
    pub(super) fn offers_no_keys(&self) -> bool {
        self.sdes == Sdes::None && self.fingerprint == FingerprintBend::Missing
    }
}

impl Default for MediaPlan {
    /// An honest call with a fresh identity and a random seed.
    ///
    /// # Panics
    /// If the system has no randomness.
    fn default() -> Self {
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).expect("the system gives randomness");
        let certificate = Identity::fresh().expect("a certificate needs nothing but randomness");
        Self::honest(certificate, u64::from_le_bytes(seed))
    }
}

/// The transport profile of an audio section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransportProfile {
    /// `UDP/TLS/RTP/SAVPF`: RFC 5764 with RFC 5124.
    #[default]
    Savpf,
    /// `RTP/AVPF`: RFC 4585, in the clear.
    Avpf,
    /// `RTP/AVP`: RFC 3551, in the clear.
    Avp,
    /// `RTP/SAVP`: RFC 3711, keys by other means.
    Savp,
}

impl TransportProfile {
    /// As it stands in the m-line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Savpf => "UDP/TLS/RTP/SAVPF",
            Self::Avpf => "RTP/AVPF",
            Self::Avp => "RTP/AVP",
            Self::Savp => "RTP/SAVP",
        }
    }

    /// Whether it asks for no protection.
    pub(super) const fn is_in_clear(self) -> bool {
        matches!(self, Self::Avpf | Self::Avp)
    }
}

/// Keys in our SDP: `a=crypto`, RFC 4568.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sdes {
    /// No `a=crypto`.
    #[default]
    None,
    /// `a=crypto`, and nothing of DTLS.
    Only,
    /// Both.
    Both,
}

/// What `a=fingerprint` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FingerprintBend {
    /// The hash of our certificate.
    #[default]
    Right,
    /// The hash of another.
    Wrong,
    /// The line is not there.
    Missing,
    /// SHA-1 of our certificate alone.
    Sha1,
    /// MD5 of our certificate alone: RFC 8122, section 5 forbids it.
    Md5,
    /// SHA-256 of another certificate, and of ours: one that matches is enough. RFC 8122, section 5.
    Two,
    /// SHA-256 of another certificate, and SHA-1 of ours: the strongest hash decides, so nothing matches.
    StrongWrong,
    /// The hash of our certificate, at the session level.
    SessionLevel,
}

/// Which certificate we show in DTLS.
#[derive(Clone, Debug, Default)]
pub enum Shown {
    /// The plan's own, which the offer announces.
    #[default]
    Announced,
    /// Another one, of which the offer says nothing.
    Other(Identity),
    /// None, as DTLS client. A server cannot do without.
    None,
}

/// What `a=setup` says in our offer. RFC 8842, section 5.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Setup {
    /// The answer chooses.
    #[default]
    Actpass,
    /// We will be the DTLS client.
    Active,
    /// We will be the DTLS server.
    Passive,
}

impl Setup {
    /// As it stands in the SDP.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Actpass => "actpass",
            Self::Active => "active",
            Self::Passive => "passive",
        }
    }
}

/// The stage before which unprotected audio goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioBefore {
    /// Before the first check: to what the answer names.
    Ice,
    /// On the checked pair, before our first message of the handshake.
    Dtls,
}

/// Which candidates we gather and offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CandidatePolicy {
    /// Host, server-reflexive and relayed.
    #[default]
    All,
    /// Relayed only.
    Relay,
    /// Host only.
    Host,
}

/// A codec that we can send without having it: its frames are opaque to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// RFC 7587, payload type 111 in our offer.
    Opus,
    /// RFC 3551, payload type 0.
    Pcmu,
    /// RFC 3551, payload type 8.
    Pcma,
    /// RFC 4733, payload type 101 in our offer; never sent.
    TelephoneEvent,
}

impl Codec {
    /// The payload type in our offer.
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Opus => 111,
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::TelephoneEvent => 101,
        }
    }

    /// The value of `a=rtpmap` behind the payload type.
    pub const fn rtpmap(self) -> &'static str {
        match self {
            Self::Opus => "opus/48000/2",
            Self::Pcmu => "PCMU/8000",
            Self::Pcma => "PCMA/8000",
            Self::TelephoneEvent => "telephone-event/8000",
        }
    }

    /// The value of `a=fmtp` behind the payload type, where there is one.
    pub const fn fmtp(self) -> Option<&'static str> {
        match self {
            Self::Opus => Some("minptime=10;useinbandfec=1"),
            Self::TelephoneEvent => Some("0-16"),
            Self::Pcmu | Self::Pcma => None,
        }
    }

    /// Timestamp units per second.
    pub const fn clock_hz(self) -> u32 {
        if matches!(self, Self::Opus) { 48_000 } else { 8_000 }
    }

    /// The law of G.711, so that its samples can be read and written.
    pub(super) const fn law(self) -> Option<Law> {
        match self {
            Self::Pcmu => Some(Law::Mu),
            Self::Pcma => Some(Law::A),
            Self::Opus | Self::TelephoneEvent => None,
        }
    }

    /// Whether one byte is one sample, so that the length of a plain payload is known.
    pub const fn is_g711(self) -> bool {
        self.law().is_some()
    }
}

/// How a TURN server is reached; what it relays is UDP in any case. RFC 8656, section 3.1. The best comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TurnTransport {
    /// UDP.
    #[default]
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

/// A TURN server, with long-term credentials. RFC 8656.
#[derive(Clone, Debug)]
pub struct TurnServer {
    /// Where it is.
    pub address: SocketAddr,
    /// Its name or address as its URL has it: what a certificate is checked against.
    pub host: String,
    /// How it is reached.
    pub transport: TurnTransport,
    /// Account name.
    pub username: String,
    /// Password.
    pub credential: Secret,
}
