//! The faults: each is one knob, read in one place of the lab, and proves one scenario.

use std::collections::BTreeSet;
use std::sync::Mutex;

/// Everything that can be wrong with a lab, one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Proves `media/sdes-accepted`.
    AnswersSdes,
    /// Proves `media/not-dtls-srtp`.
    ClearPacketsSent,
    /// Proves `credentials/answer-cacheable`.
    ConfigCacheable,
    /// Proves `transport/endpoint-over-http`.
    ConfigOnHttp,
    /// Proves `credentials/exposed-in-browser`.
    ConsoleDump,
    /// Proves `cors/any-origin`.
    CorsReflectAny,
    /// Proves `credentials/shared`.
    CredentialsShared,
    /// Proves `tokens/credentials-survive-hangup`.
    CredentialsSurviveHangup,
    /// Proves `keys/repeated-between-calls`.
    DtlsRandomFixed,
    /// Proves `media/fingerprint-mismatch`.
    FingerprintUncheckedAsServer,
    /// Proves `page/capture-before-consent`.
    MicrophoneOnLoad,
    /// Proves `page/auto-answers`.
    PageAutoAnswers,
    /// Proves `page/browser-media`.
    PageReusesCertificate,
    /// Proves `identity/pii-in-identifiers`.
    PageUserIdEmail,
    /// Proves `credentials/register-without`.
    RegisterOpen,
    /// Proves `media/forged-packet-accepted`.
    SrtpTagIgnored,
    /// Proves `credentials/in-url`.
    TokenInUrl,
    /// Proves `turn/unauthenticated-allocate`.
    TurnOpen,
    /// Proves `identity/predictable-user-id`.
    UserIdCounter,
    /// Proves `transport/ws-cleartext`.
    WsOnWssPort,
    /// Proves `cors/websocket-origin`.
    WsOriginUnchecked,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 21] = [
        Fault::AnswersSdes,
        Fault::ClearPacketsSent,
        Fault::ConfigCacheable,
        Fault::ConfigOnHttp,
        Fault::ConsoleDump,
        Fault::CorsReflectAny,
        Fault::CredentialsShared,
        Fault::CredentialsSurviveHangup,
        Fault::DtlsRandomFixed,
        Fault::FingerprintUncheckedAsServer,
        Fault::MicrophoneOnLoad,
        Fault::PageAutoAnswers,
        Fault::PageReusesCertificate,
        Fault::PageUserIdEmail,
        Fault::RegisterOpen,
        Fault::SrtpTagIgnored,
        Fault::TokenInUrl,
        Fault::TurnOpen,
        Fault::UserIdCounter,
        Fault::WsOnWssPort,
        Fault::WsOriginUnchecked,
    ];

    /// The name that `--fault` and scenario files use.
    pub const fn name(self) -> &'static str {
        match self {
            Fault::AnswersSdes => "answers-sdes",
            Fault::ClearPacketsSent => "clear-packets-sent",
            Fault::ConfigCacheable => "config-cacheable",
            Fault::ConfigOnHttp => "config-on-http",
            Fault::ConsoleDump => "console-dump",
            Fault::CorsReflectAny => "cors-reflect-any",
            Fault::CredentialsShared => "credentials-shared",
            Fault::CredentialsSurviveHangup => "credentials-survive-hangup",
            Fault::DtlsRandomFixed => "dtls-random-fixed",
            Fault::FingerprintUncheckedAsServer => "fingerprint-unchecked-as-server",
            Fault::MicrophoneOnLoad => "microphone-on-load",
            Fault::PageAutoAnswers => "page-auto-answers",
            Fault::PageReusesCertificate => "page-reuses-certificate",
            Fault::PageUserIdEmail => "page-user-id-email",
            Fault::RegisterOpen => "register-open",
            Fault::SrtpTagIgnored => "srtp-tag-ignored",
            Fault::TokenInUrl => "token-in-url",
            Fault::TurnOpen => "turn-open",
            Fault::UserIdCounter => "user-id-counter",
            Fault::WsOnWssPort => "ws-on-wss-port",
            Fault::WsOriginUnchecked => "ws-origin-unchecked",
        }
    }

    /// What the lab then does.
    pub const fn effect(self) -> &'static str {
        match self {
            Fault::AnswersSdes => "an offer with a=crypto is answered with a=crypto and SRTP under that key",
            Fault::ClearPacketsSent => "beside correct SRTP one RTP and one RTCP packet a second go out unprotected",
            Fault::ConfigCacheable => "the configuration endpoint sends Cache-Control: public, max-age=300",
            Fault::ConfigOnHttp => "the configuration endpoint's plain port answers 200 with the full body",
            Fault::ConsoleDump => "the page writes its SIP options, password included, to the console",
            Fault::CorsReflectAny => "the configuration endpoint copies any Origin into Access-Control-Allow-Origin",
            Fault::CredentialsShared => {
                "while it lives, the first SIP pair goes to every later fetch, good for each of its AORs"
            }
            Fault::CredentialsSurviveHangup => "BYE leaves a SIP pair valid until it expires, for any number of calls",
            Fault::DtlsRandomFixed => "the DTLS random of the lab is the same in every handshake",
            Fault::FingerprintUncheckedAsServer => {
                "as DTLS server the lab wants a client certificate and compares it with nothing"
            }
            Fault::MicrophoneOnLoad => "the page opens the microphone when it loads",
            Fault::PageAutoAnswers => "the page answers any incoming INVITE with its microphone track",
            Fault::PageReusesCertificate => "the page keeps its RTCCertificate in IndexedDB and uses it again",
            Fault::PageUserIdEmail => "the page calls under a test user's e-mail address as its user id",
            Fault::RegisterOpen => {
                "after one challenge on a connection, a REGISTER without Authorization gets 200 for any AOR"
            }
            Fault::SrtpTagIgnored => "an SRTP packet whose tag does not verify is decrypted and echoed all the same",
            Fault::TokenInUrl => "the page appends the minted password to the WebSocket URL as ?access_token=",
            Fault::TurnOpen => "Allocate without MESSAGE-INTEGRITY is granted; with a wrong one it gets 401",
            Fault::UserIdCounter => "the page numbers its user ids: visitor-1, visitor-2",
            Fault::WsOnWssPort => "the signalling port takes a plaintext upgrade and serves it like an encrypted one",
            Fault::WsOriginUnchecked => "the WebSocket upgrade is granted whatever its Origin says",
        }
    }

    /// The fault of that name.
    pub fn from_name(name: &str) -> Option<Fault> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }
}

/// The fault of one lab, and which faults its traffic could have shown.
#[derive(Debug, Default)]
pub struct Faults {
    chosen: Option<Fault>,
    met: Mutex<BTreeSet<Fault>>,
}

impl Faults {
    /// A lab with that fault, or a healthy one.
    pub fn new(chosen: Option<Fault>) -> Self {
        Self { chosen, met: Mutex::default() }
    }

    /// Whether the lab has this fault. Asked on the spot where it matters, whatever the fault is; being asked is
    /// recorded, so that the proof knows which faults a conversation can meet.
    pub fn broken(&self, fault: Fault) -> bool {
        self.met.lock().expect("no holder panics").insert(fault);
        self.chosen == Some(fault)
    }

    /// The faults that were asked for so far.
    pub fn met(&self) -> BTreeSet<Fault> {
        self.met.lock().expect("no holder panics").clone()
    }

    /// The fault of this lab.
    pub fn chosen(&self) -> Option<Fault> {
        self.chosen
    }
}
