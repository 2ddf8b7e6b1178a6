//! The faults: each is one knob, read in one place of the lab, and proves one scenario.

use std::collections::BTreeSet;
use std::sync::Mutex;

/// Everything that can be wrong with a lab, one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Proves `media/plain-offer-accepted`.
    AcceptsPlainOffer,
    /// Proves `media/aes256-not-used`.
    Aes256Ignored,
    /// Proves `media/answer-fingerprint-wrong`.
    AnswerFingerprintStale,
    /// Proves `media/sdes-accepted`.
    AnswersSdes,
    /// Proves `credentials/other-aor`.
    AorUnchecked,
    /// Proves `transport/unsafe-redirect`.
    ApiRedirectsToHttps,
    /// Proves `transport/certificate-bad`.
    CertificateWrongName,
    /// Proves `media/not-dtls-srtp`.
    ClearPacketsSent,
    /// Proves `credentials/answer-cacheable`.
    ConfigCacheable,
    /// Proves `transport/endpoint-over-http`.
    ConfigOnHttp,
    /// Proves `transport/config-unsafe-uri`.
    ConfigWsScheme,
    /// Proves `credentials/exposed-in-browser`.
    ConsoleDump,
    /// Proves `cors/any-origin`.
    CorsReflectAny,
    /// Proves `cors/not-quite-trusted`.
    CorsSuffixMatch,
    /// Proves `cors/wildcard-on-secret`.
    CorsWildcard,
    /// Proves `credentials/shared`.
    CredentialsShared,
    /// Proves `tokens/credentials-survive-hangup`.
    CredentialsSurviveHangup,
    /// Proves `identity/user-id-injection`.
    CrlfReflected,
    /// Proves `keys/known-default-certificate`.
    DefaultCertificate,
    /// Proves `credentials/weak-challenge`.
    DigestNoQop,
    /// Proves `media/dtls-old-version`.
    Dtls10,
    /// Proves `media/dtls-amplification`.
    DtlsAnswersStrangers,
    /// Proves `media/certificate-weak`.
    DtlsCertificateWeak,
    /// Proves `keys/repeated-between-calls`.
    DtlsRandomFixed,
    /// Proves `media/dtls-weak-suite`.
    DtlsStaticRsa,
    /// Proves `tokens/expired-accepted`.
    ExpiredAccepted,
    /// Proves `media/fingerprint-mismatch-as-client`.
    FingerprintUncheckedAsClient,
    /// Proves `media/fingerprint-mismatch`.
    FingerprintUncheckedAsServer,
    /// Proves `signalling/invalid-sip-accepted`.
    HeaderSpaceSmuggled,
    /// Proves `transport/hsts-missing`.
    HstsMissing,
    /// Proves `ice/unauthenticated-check`.
    IceIntegrityUnchecked,
    /// Proves `signalling/unauthenticated-invite`.
    InviteUnauthenticated,
    /// Proves `credentials/in-logs`.
    LogWritesCredentials,
    /// Proves `page/capture-before-consent`.
    MicrophoneOnLoad,
    /// Proves `credentials/nonce-replay`.
    NonceCountIgnored,
    /// Proves `signalling/hostile-message-kills-service`.
    OversizeKills,
    /// Proves `page/auto-answers`.
    PageAutoAnswers,
    /// Proves `transport/page-over-http`.
    PageOnHttp,
    /// Proves `page/browser-media`.
    PageReusesCertificate,
    /// Proves `identity/pii-in-identifiers`.
    PageUserIdEmail,
    /// Proves `credentials/in-page`.
    PasswordInPage,
    /// Proves `identity/pii-user-id-accepted`.
    PiiUserIdAccepted,
    /// Proves `media/plain-rtp-accepted`.
    PlainRtpAccepted,
    /// Proves `media/profile-not-used`.
    ProfileTagMismatch,
    /// Proves `credentials/register-without`.
    RegisterOpen,
    /// Proves `keys/rekey-ineffective`.
    RekeyKeepsOldKeys,
    /// Proves `media/renegotiation-accepted`.
    RenegotiationAccepted,
    /// Proves `transport/secure-flag-contradiction`.
    SecureFlagLies,
    /// Proves `media/weak-srtp-profile`.
    SrtpNullProfile,
    /// Proves `media/replay-accepted`.
    SrtpReplayAccepted,
    /// Proves `media/forged-packet-accepted`.
    SrtpTagIgnored,
    /// Proves `identity/header-admission`.
    TenantHeadersUnchecked,
    /// Proves `transport/tls-old-versions`.
    Tls10,
    /// Proves `transport/tls-weak-suites`.
    Tls3des,
    /// Proves `transport/tls-no-forward-secrecy`.
    TlsStaticRsa,
    /// Proves `credentials/in-url`.
    TokenInUrl,
    /// Proves `tokens/used-twice`.
    TokenReusable,
    /// Proves `signalling/torture-kills-service`.
    TortureCrash,
    /// Proves `turn/relays-to-special-addresses`.
    TurnAclMissing,
    /// Proves `turn/unauthenticated-allocate`.
    TurnOpen,
    /// Proves `turn/tls-weak`.
    TurnsTls10,
    /// Proves `identity/predictable-user-id`.
    UserIdCounter,
    /// Proves `credentials/weak`.
    WeakPassword,
    /// Proves `signalling/websocket-nonconformant`.
    WsFrameJoined,
    /// Proves `transport/ws-cleartext`.
    WsOnWssPort,
    /// Proves `cors/websocket-origin`.
    WsOriginUnchecked,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 66] = [
        Fault::AcceptsPlainOffer,
        Fault::Aes256Ignored,
        Fault::AnswerFingerprintStale,
        Fault::AnswersSdes,
        Fault::AorUnchecked,
        Fault::ApiRedirectsToHttps,
        Fault::CertificateWrongName,
        Fault::ClearPacketsSent,
        Fault::ConfigCacheable,
        Fault::ConfigOnHttp,
        Fault::ConfigWsScheme,
        Fault::ConsoleDump,
        Fault::CorsReflectAny,
        Fault::CorsSuffixMatch,
        Fault::CorsWildcard,
        Fault::CredentialsShared,
        Fault::CredentialsSurviveHangup,
        Fault::CrlfReflected,
        Fault::DefaultCertificate,
        Fault::DigestNoQop,
        Fault::Dtls10,
        Fault::DtlsAnswersStrangers,
        Fault::DtlsCertificateWeak,
        Fault::DtlsRandomFixed,
        Fault::DtlsStaticRsa,
        Fault::ExpiredAccepted,
        Fault::FingerprintUncheckedAsClient,
        Fault::FingerprintUncheckedAsServer,
        Fault::HeaderSpaceSmuggled,
        Fault::HstsMissing,
        Fault::IceIntegrityUnchecked,
        Fault::InviteUnauthenticated,
        Fault::LogWritesCredentials,
        Fault::MicrophoneOnLoad,
        Fault::NonceCountIgnored,
        Fault::OversizeKills,
        Fault::PageAutoAnswers,
        Fault::PageOnHttp,
        Fault::PageReusesCertificate,
        Fault::PageUserIdEmail,
        Fault::PasswordInPage,
        Fault::PiiUserIdAccepted,
        Fault::PlainRtpAccepted,
        Fault::ProfileTagMismatch,
        Fault::RegisterOpen,
        Fault::RekeyKeepsOldKeys,
        Fault::RenegotiationAccepted,
        Fault::SecureFlagLies,
        Fault::SrtpNullProfile,
        Fault::SrtpReplayAccepted,
        Fault::SrtpTagIgnored,
        Fault::TenantHeadersUnchecked,
        Fault::Tls10,
        Fault::Tls3des,
        Fault::TlsStaticRsa,
        Fault::TokenInUrl,
        Fault::TokenReusable,
        Fault::TortureCrash,
        Fault::TurnAclMissing,
        Fault::TurnOpen,
        Fault::TurnsTls10,
        Fault::UserIdCounter,
        Fault::WeakPassword,
        Fault::WsFrameJoined,
        Fault::WsOnWssPort,
        Fault::WsOriginUnchecked,
    ];

    /// The name that `--fault` and scenario files use.
    pub const fn name(self) -> &'static str {
        match self {
            Fault::AcceptsPlainOffer => "accepts-plain-offer",
            Fault::Aes256Ignored => "aes256-ignored",
            Fault::AnswerFingerprintStale => "answer-fingerprint-stale",
            Fault::AnswersSdes => "answers-sdes",
            Fault::AorUnchecked => "aor-unchecked",
            Fault::ApiRedirectsToHttps => "api-redirects-to-https",
            Fault::CertificateWrongName => "certificate-wrong-name",
            Fault::ClearPacketsSent => "clear-packets-sent",
            Fault::ConfigCacheable => "config-cacheable",
            Fault::ConfigOnHttp => "config-on-http",
            Fault::ConfigWsScheme => "config-ws-scheme",
            Fault::ConsoleDump => "console-dump",
            Fault::CorsReflectAny => "cors-reflect-any",
            Fault::CorsSuffixMatch => "cors-suffix-match",
            Fault::CorsWildcard => "cors-wildcard",
            Fault::CredentialsShared => "credentials-shared",
            Fault::CredentialsSurviveHangup => "credentials-survive-hangup",
            Fault::CrlfReflected => "crlf-reflected",
            Fault::DefaultCertificate => "default-certificate",
            Fault::DigestNoQop => "digest-no-qop",
            Fault::Dtls10 => "dtls-1-0",
            Fault::DtlsAnswersStrangers => "dtls-answers-strangers",
            Fault::DtlsCertificateWeak => "dtls-certificate-weak",
            Fault::DtlsRandomFixed => "dtls-random-fixed",
            Fault::DtlsStaticRsa => "dtls-static-rsa",
            Fault::ExpiredAccepted => "expired-accepted",
            Fault::FingerprintUncheckedAsClient => "fingerprint-unchecked-as-client",
            Fault::FingerprintUncheckedAsServer => "fingerprint-unchecked-as-server",
            Fault::HeaderSpaceSmuggled => "header-space-smuggled",
            Fault::HstsMissing => "hsts-missing",
            Fault::IceIntegrityUnchecked => "ice-integrity-unchecked",
            Fault::InviteUnauthenticated => "invite-unauthenticated",
            Fault::LogWritesCredentials => "log-writes-credentials",
            Fault::MicrophoneOnLoad => "microphone-on-load",
            Fault::NonceCountIgnored => "nonce-count-ignored",
            Fault::OversizeKills => "oversize-kills",
            Fault::PageAutoAnswers => "page-auto-answers",
            Fault::PageOnHttp => "page-on-http",
            Fault::PageReusesCertificate => "page-reuses-certificate",
            Fault::PageUserIdEmail => "page-user-id-email",
            Fault::PasswordInPage => "password-in-page",
            Fault::PiiUserIdAccepted => "pii-user-id-accepted",
            Fault::PlainRtpAccepted => "plain-rtp-accepted",
            Fault::ProfileTagMismatch => "profile-tag-mismatch",
            Fault::RegisterOpen => "register-open",
            Fault::RekeyKeepsOldKeys => "rekey-keeps-old-keys",
            Fault::RenegotiationAccepted => "renegotiation-accepted",
            Fault::SecureFlagLies => "secure-flag-lies",
            Fault::SrtpNullProfile => "srtp-null-profile",
            Fault::SrtpReplayAccepted => "srtp-replay-accepted",
            Fault::SrtpTagIgnored => "srtp-tag-ignored",
            Fault::TenantHeadersUnchecked => "tenant-headers-unchecked",
            Fault::Tls10 => "tls-1-0",
            Fault::Tls3des => "tls-3des",
            Fault::TlsStaticRsa => "tls-static-rsa",
            Fault::TokenInUrl => "token-in-url",
            Fault::TokenReusable => "token-reusable",
            Fault::TortureCrash => "torture-crash",
            Fault::TurnAclMissing => "turn-acl-missing",
            Fault::TurnOpen => "turn-open",
            Fault::TurnsTls10 => "turns-tls-1-0",
            Fault::UserIdCounter => "user-id-counter",
            Fault::WeakPassword => "weak-password",
            Fault::WsFrameJoined => "ws-frame-joined",
            Fault::WsOnWssPort => "ws-on-wss-port",
            Fault::WsOriginUnchecked => "ws-origin-unchecked",
        }
    }

    /// What the lab then does.
    pub const fn effect(self) -> &'static str {
        match self {
            Fault::AcceptsPlainOffer => {
                "an offer of RTP/AVP or RTP/AVPF is answered 200 with the same and echoed in clear"
            }
            Fault::Aes256Ignored => "AEAD_AES_256_GCM is never chosen where another profile is offered",
            Fault::AnswerFingerprintStale => {
                "the answer carries the fingerprint of another certificate of the lab's than the one that DTLS shows"
            }
            Fault::AnswersSdes => "an offer with a=crypto is answered with a=crypto and SRTP under that key",
            Fault::AorUnchecked => {
                "the registrar checks the digest but lets a pair take any AOR, reserved names included"
            }
            Fault::ApiRedirectsToHttps => {
                "the configuration endpoint's plain port answers 301 to its https twin, with an empty body"
            }
            Fault::CertificateWrongName => {
                "the configuration endpoint shows a valid certificate of the same authority for another host name"
            }
            Fault::ClearPacketsSent => "beside correct SRTP one RTP and one RTCP packet a second go out unprotected",
            Fault::ConfigCacheable => "the configuration endpoint sends Cache-Control: public, max-age=300",
            Fault::ConfigOnHttp => "the configuration endpoint's plain port answers 200 with the full body",
            Fault::ConfigWsScheme => {
                "the configuration hands out WS:// with the right host and port; the listener stays TLS only"
            }
            Fault::ConsoleDump => "the page writes its SIP options, password included, to the console",
            Fault::CorsReflectAny => "the configuration endpoint copies any Origin into Access-Control-Allow-Origin",
            Fault::CorsSuffixMatch => {
                "the configuration endpoint allows every origin whose host ends with the trusted host name"
            }
            Fault::CorsWildcard => "the configuration endpoint sends Access-Control-Allow-Origin: * to every origin",
            Fault::CredentialsShared => {
                "while it lives, the first SIP pair goes to every later fetch, good for each of its AORs"
            }
            Fault::CredentialsSurviveHangup => "BYE leaves a SIP pair valid until it expires, for any number of calls",
            Fault::CrlfReflected => {
                "the registrar undoes %0d%0a in the user part and writes it into the To of its answer"
            }
            Fault::DefaultCertificate => {
                "DTLS shows a certificate whose key ships with the lab's source and is on the known list"
            }
            Fault::DigestNoQop => "challenges carry no qop parameter, RFC 2069 style",
            Fault::Dtls10 => "a hello of DTLS 1.0 to the media port gets a ServerHello of DTLS 1.0",
            Fault::DtlsAnswersStrangers => {
                "a hello from an address without checks gets a whole flight of the server's, without a cookie; the call is not touched"
            }
            Fault::DtlsCertificateWeak => {
                "a hello to the media port that offers none of the lab's ECDSA suites is answered with a certificate of RSA with 1024 bits"
            }
            Fault::DtlsRandomFixed => "the DTLS random of the lab is the same in every handshake",
            Fault::DtlsStaticRsa => {
                "a hello to the media port that offers nothing better is answered with TLS_RSA_WITH_AES_128_CBC_SHA"
            }
            Fault::ExpiredAccepted => "the age of a SIP pair is never compared with the clock",
            Fault::FingerprintUncheckedAsClient => "as DTLS client the lab accepts any server certificate",
            Fault::FingerprintUncheckedAsServer => {
                "as DTLS server the lab wants a client certificate and compares it with nothing"
            }
            Fault::HeaderSpaceSmuggled => {
                "what passes from one visitor to another is stripped of P-Asserted-Identity by its written name: with a blank before the colon it stays"
            }
            Fault::HstsMissing => "the page is served without Strict-Transport-Security",
            Fault::IceIntegrityUnchecked => {
                "a Binding request gets a success response whatever its user and integrity, but never nominates"
            }
            Fault::InviteUnauthenticated => {
                "an INVITE without Authorization is not challenged and reaches the destination"
            }
            Fault::LogWritesCredentials => "the access log writes the body of the configuration",
            Fault::MicrophoneOnLoad => "the page opens the microphone when it loads",
            Fault::NonceCountIgnored => "nonces stay valid for their 20 s on every connection and with any nonce count",
            Fault::OversizeKills => "a WebSocket message of more than 64 KiB closes every signalling connection",
            Fault::PageAutoAnswers => "the page answers any incoming INVITE with its microphone track",
            Fault::PageOnHttp => "the page's plain port answers 200 with the page",
            Fault::PageReusesCertificate => "the page keeps its RTCCertificate in IndexedDB and uses it again",
            Fault::PageUserIdEmail => "the page calls under a test user's e-mail address as its user id",
            Fault::PasswordInPage => "a script of the page holds a fixed SIP password that the registrar does not know",
            Fault::PiiUserIdAccepted => "the registrar takes any user id, personal data included",
            Fault::PlainRtpAccepted => "plain RTP from the nominated pair is echoed, before and after the handshake",
            Fault::ProfileTagMismatch => {
                "AEAD_AES_128_GCM is agreed on, and packets are protected with AES_CM_128_HMAC_SHA1_80 under the exported bytes"
            }
            Fault::RegisterOpen => {
                "after one challenge on a connection, a REGISTER without Authorization gets 200 for any AOR"
            }
            Fault::RekeyKeepsOldKeys => {
                "after a restart with a new handshake, packets under the old keys are still echoed"
            }
            Fault::RenegotiationAccepted => "a ClientHello inside the association is answered with a ServerHello",
            Fault::SecureFlagLies => {
                "the page sets isSecure on every server and gives the recording service an http:// address"
            }
            Fault::SrtpNullProfile => {
                "a hello to the media port that offers a NULL profile and none of the lab's is answered with SRTP_NULL_HMAC_SHA1_80"
            }
            Fault::SrtpReplayAccepted => "the SRTP receiver keeps no replay list; SRTCP keeps its own",
            Fault::SrtpTagIgnored => "an SRTP packet whose tag does not verify is decrypted and echoed all the same",
            Fault::TenantHeadersUnchecked => {
                "for a runtime endpoint X-Endpoint-Id alone admits, whatever organisation and project are named, if any"
            }
            Fault::Tls10 => "a hello of TLS 1.0 to the configuration endpoint gets a ServerHello of TLS 1.0",
            Fault::Tls3des => {
                "a hello to the configuration endpoint that offers nothing better is answered with a suite of 3DES"
            }
            Fault::TlsStaticRsa => {
                "a hello to the configuration endpoint that offers nothing better is answered with TLS_RSA_WITH_AES_128_GCM_SHA256"
            }
            Fault::TokenInUrl => "the page appends the minted password to the WebSocket URL as ?access_token=",
            Fault::TokenReusable => "a SIP pair works on any number of connections at once, until it dies as usual",
            Fault::TortureCrash => {
                "a negative Content-Length closes every signalling connection, and none is let in for 3 s"
            }
            Fault::TurnAclMissing => "CreatePermission succeeds for every IPv4 peer but multicast",
            Fault::TurnOpen => "Allocate without MESSAGE-INTEGRITY is granted; with a wrong one it gets 401",
            Fault::TurnsTls10 => "a hello of TLS 1.0 to the turns port gets a ServerHello of TLS 1.0",
            Fault::UserIdCounter => "the page numbers its user ids: visitor-1, visitor-2",
            Fault::WeakPassword => "the password is the username spelled backwards",
            Fault::WsFrameJoined => {
                "WebSocket messages are read as one stream of bytes, and every SIP request in it is served"
            }
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
