//! DTLS 1.2 with `rtc-dtls`, in either role: one association, its record of what was seen, and the SRTP keys that follow.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use ringfence_model::observation::{CertificateSeen, DtlsSeen};
use ringfence_model::{RunKey, Secret};
use ringfence_srtp::{EXPORTER_LABEL, Profile};
use ringfence_wire::sdp::Fingerprint;
use rtc_crypto::RTCCryptoProvider;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;

use super::MediaError;
use super::certificate::CertificateFacts;
use super::flight::Flight;
use super::identity::announced;
use super::plan::{MediaPlan, Shown};
use super::random_swap::RandomSwap;
use super::renegotiate;
use super::sniff::{
    Clear, alert_name, clear_parts, group_name, is_whole_records, profile_name, suite_name, version_name,
};
use super::tap::{Alert, Ear, Tap};

/// The endpoint tells associations apart by address, we have one: its datagrams travel on whatever pair ICE has chosen.
const PEER: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 9));
/// RFC 6347, section 4.2.4.1 suggests one second to start with, for the wide Internet; ICE has shown that this path is quick.
const RETRANSMIT: Duration = Duration::from_millis(600);
/// Datagrams that one association takes. DTLS-SRTP carries no data, a handshake has a dozen; `rtc-dtls` keeps records of a
/// future epoch and handshake messages without a bound of its own.
const MAX_DATAGRAMS: u32 = 1000;
/// Keys and salts of the longest profile, RFC 6188's. RFC 5764, section 4.2; RFC 5246, section 5: what is exported for a shorter
/// one is the front of it.
const EXPORTED_BYTES: usize = Profile::AesCm256HmacSha1_80.keying_material_len();
const CLOSE_NOTIFY: u8 = 0; // RFC 5246, section 7.2, as the next
const FATAL: u8 = 2;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
/// ClientHello, ServerHello and HelloVerifyRequest: RFC 5246, section 7.4; RFC 6347, section 4.2.2.
const RENEGOTIATES: [u8; 3] = [1, 2, 3];

/// What the association tells.
#[derive(Debug)]
pub(super) enum Told {
    /// Both sides finished: the profile, and as much of the exporter's output as any profile takes, the agreed one's in
    /// front. Nothing where none was negotiated.
    Completed(Option<(Profile, Secret<Vec<u8>>)>),
    /// The peer's first alert, by name.
    Alert(String),
    /// The peer closed with `close_notify`.
    Closed,
    /// The handshake failed on our side, and why.
    Failed(String),
}

/// What the certificate check found out; the check runs inside `rtc-dtls`.
#[derive(Default)]
struct PeerCertificate {
    der: Option<Vec<u8>>,
    matches: bool,
}

/// One association.
pub(super) struct Dtls {
    endpoint: Endpoint,
    config: Arc<HandshakeConfig>,
    ear: Ear,
    swap: RandomSwap,
    peer_certificate: Arc<Mutex<PeerCertificate>>,
    flight: Flight,
    client: bool,
    without_use_srtp: bool,
    closed: bool,
    failed: bool,
    taken: u32,
    /// The next record of data goes out as one of a handshake.
    retyping: bool,
    last_message: Option<Instant>,
    randoms: [Option<[u8; 32]>; 2],
    seen: DtlsSeen,
}

impl Dtls {
    /// Prepares an association in the given role; the client's first flight goes out with [`Dtls::start`].
    ///
    /// # Errors
    /// `rtc-dtls` refuses the configuration: our own fault.
    pub(super) fn new(
        provider: Arc<dyn RTCCryptoProvider>,
        client: bool,
        plan: &MediaPlan,
        fingerprints: Vec<Fingerprint>,
    ) -> Result<Self, MediaError> {
        let ear = Ear::default();
        let swap = if client { RandomSwap::new(plan.certificate.client_random()) } else { RandomSwap::default() };
        let tap = Tap::new(provider, ear.clone(), swap.clone(), plan.dtls_groups.clone());
        let tap: Arc<dyn RTCCryptoProvider> = Arc::new(tap);
        let shown = match &plan.shown {
            Shown::Announced => Some(&plan.certificate),
            Shown::Other(other) => Some(other),
            Shown::None => None,
        };
        let certificates = shown.map(|identity| identity.certificate(tap.crypto())).transpose()?;
        let peer_certificate = Arc::new(Mutex::new(PeerCertificate::default()));
        let (note, meets_strangers) = (peer_certificate.clone(), plan.meets_strangers);
        let offered = plan.srtp_profiles.iter().filter(|_| !plan.without_use_srtp);
        let config = ConfigBuilder::default()
            .with_certificates(certificates.into_iter().collect())
            .with_crypto_provider(tap)
            .with_cipher_suites(plan.dtls_suites.iter().map(|suite| suite.id()).collect())
            .with_srtp_protection_profiles(offered.filter_map(|profile| srtp_profile(*profile)).collect())
            .with_extended_master_secret(ExtendedMasterSecretType::Request)
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            .with_flight_interval(RETRANSMIT)
            // No chain to check in WebRTC: the fingerprint is what counts, in the callback below.
            .with_insecure_skip_verify(true)
            .with_verify_peer_certificate(Some(Arc::new(move |chain, _| {
                let mut note = note.lock().unwrap_or_else(PoisonError::into_inner);
                note.der = chain.first().cloned();
                note.matches = chain.first().is_some_and(|der| announced(der, &fingerprints));
                let mismatch = || rtc_shared::error::Error::Other("certificate fits no announced fingerprint".into());
                if note.matches || meets_strangers { Ok(()) } else { Err(mismatch()) }
            })))
            .build(client, None)
            .map_err(MediaError::setup)?;
        let config = Arc::new(config);
        let server_config = (!client).then(|| config.clone());
        let role = if client { "client" } else { "server" };
        Ok(Self {
            endpoint: Endpoint::new(PEER, TransportProtocol::UDP, server_config),
            config,
            ear,
            swap,
            peer_certificate,
            flight: Flight::default(),
            client,
            without_use_srtp: plan.without_use_srtp,
            closed: false,
            failed: false,
            taken: 0,
            retyping: false,
            last_message: None,
            randoms: [None; 2],
            seen: DtlsSeen { role: Some(role.into()), ..DtlsSeen::default() },
        })
    }

    /// Sends the ClientHello, if we are the client.
    pub(super) fn start(&mut self, now: Instant) -> Result<(), MediaError> {
        if !self.client {
            return Ok(());
        }
        self.endpoint.connect(now, PEER, self.config.clone(), None).map_err(MediaError::setup)
    }

    /// Whether the handshake has completed.
    pub(super) fn completed(&self) -> bool {
        self.seen.completed
    }

    /// Whether we are the client.
    pub(super) fn is_client(&self) -> bool {
        self.client
    }

    /// Whether it is over: nothing that comes is read any more.
    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Whether it is over by an alert of either side, not by silence.
    pub(super) fn was_ended(&self) -> bool {
        self.failed && (self.seen.alert.is_some() || self.seen.alert_sent.is_some())
    }

    /// Whether anything of a handshake has come or gone.
    pub(super) fn has_begun(&self) -> bool {
        self.last_message.is_some()
    }

    /// Takes a datagram of the peer.
    pub(super) fn input(&mut self, now: Instant, datagram: &[u8]) -> Vec<Told> {
        let mut told = Vec::new();
        if self.failed || !is_whole_records(datagram) {
            return told; // also keeps `rtc-dtls` from answering with a new association
        }
        self.taken += 1;
        if self.taken > MAX_DATAGRAMS {
            self.failed = true; // a completed call goes on without its DTLS
            told.extend((!self.seen.completed).then(|| Told::Failed("too many datagrams for a handshake".into())));
            return told;
        }
        let mut alerts = self.note(now, datagram, Side::Peer);
        let before = self.seen.completed;
        self.flight.end();
        let result = self.endpoint.read(now, PEER, None, BytesMut::from(datagram));
        let encrypted = self.ear.take_received();
        // Plaintext alerts count until the handshake is over; afterwards anybody could have sent them.
        alerts.retain(|_| !before);
        alerts.extend(encrypted);
        let (events, error) = match result {
            Ok(events) => (events, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        for event in events {
            match event {
                EndpointEvent::HandshakeComplete => told.push(self.complete()),
                EndpointEvent::PeerClosed => self.failed = true,
                _ => {}
            }
        }
        let closed = self.failed && !self.closed;
        let fatal = alerts.iter().any(|alert| alert.level == FATAL);
        // A warning makes `rtc-dtls` return an error, and nothing is wrong with the association.
        let warned = !alerts.is_empty() && !fatal;
        let farewell = alerts.iter().any(|alert| alert.description == CLOSE_NOTIFY);
        told.extend(alerts.into_iter().filter_map(|alert| self.hear(now, alert)));
        told.extend(closed.then_some(Told::Closed));
        if fatal || warned && before && !farewell {
            // `rtc-dtls` sends the peer's alert back to it: nothing of ours, and RFC 5246, section 7.2 wants silence. A warning
            // that comes back may end the association: OpenSSL takes a no_renegotiation for the end of its own wish.
            while self.endpoint.poll_transmit().is_some() {}
            self.ear.take_sent();
        }
        if fatal {
            self.failed = true;
        } else if let Some(error) = error.filter(|_| !warned && !self.failed && !self.seen.completed) {
            self.failed = true;
            told.push(Told::Failed(error.to_string()));
        }
        told
    }

    /// Runs the retransmission timer.
    pub(super) fn timeout(&mut self, now: Instant) -> Vec<Told> {
        if self.failed || self.poll_timeout().is_none_or(|at| at > now) {
            return Vec::new();
        }
        let repeated = if self.endpoint.poll_timeout(&PEER).is_some() {
            self.flight.end();
            self.endpoint.handle_timeout(PEER, now).is_ok()
        } else {
            self.flight.repeat(now)
        };
        if repeated {
            return Vec::new();
        }
        self.failed = true;
        vec![Told::Failed("no answer to any retransmission".into())]
    }

    /// When [`Dtls::timeout`] is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let own = || self.flight.due(RETRANSMIT).filter(|_| !self.seen.completed);
        if self.failed { None } else { self.endpoint.poll_timeout(&PEER).or_else(own) }
    }

    /// The next datagram to send.
    pub(super) fn poll_transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        let Some(mut datagram) = self.endpoint.poll_transmit().map(|transmit| transmit.message) else {
            return self.flight.poll();
        };
        if let Some(kind) = datagram.first_mut().filter(|kind| **kind == APPLICATION_DATA)
            && std::mem::take(&mut self.retyping)
        {
            *kind = HANDSHAKE;
        }
        if let Some(Clear::ClientHello(random)) =
            clear_parts(&datagram).into_iter().find(|p| matches!(p, Clear::ClientHello(_)))
        {
            self.swap.learn(random);
        }
        let datagram = self.swap.to_wire(&datagram).into_owned();
        let mut alerts = self.note(now, &datagram, Side::Us);
        alerts.extend(self.ear.take_sent());
        let alert = alerts.into_iter().find(|alert| alert.description != CLOSE_NOTIFY);
        if let Some(alert) = alert.filter(|_| self.seen.alert_sent.is_none()) {
            self.seen.alert_sent = Some(alert_name(alert.description));
        }
        self.flight.sent(now, &datagram);
        Some(datagram)
    }

    /// Asks for a second handshake; [`Dtls::take_renegotiated`] tells whether the peer begins one.
    ///
    /// # Errors
    /// The association is over, or the system has no randomness.
    pub(super) fn renegotiate(&mut self, now: Instant) -> Result<(), MediaError> {
        let message = renegotiate::message(self.client, &self.ear.verify_data())?;
        self.ear.take_handshakes();
        self.ear.retype_next();
        self.retyping = true;
        self.endpoint.write(now, PEER, &message).map_err(MediaError::setup)
    }

    /// Whether the peer answered with a message of a second handshake.
    pub(super) fn take_renegotiated(&self) -> bool {
        self.ear.take_handshakes().into_iter().any(|kind| RENEGOTIATES.contains(&kind))
    }

    /// Sends `close_notify`; what comes afterwards is no alert of the peer.
    pub(super) fn close(&mut self, now: Instant) {
        self.closed = true;
        if !self.failed && self.seen.completed {
            self.endpoint.stop(now, PEER);
        }
        self.failed = true;
    }

    /// What was seen so far.
    pub(super) fn seen(&self, key: &RunKey) -> DtlsSeen {
        let mut seen = self.seen.clone();
        let [client, server] = self.randoms.map(|random| random.map(|random| key.digest(&random)));
        (seen.client_random, seen.server_random) = (client, server);
        let certificate = self.peer_certificate.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(der) = &certificate.der {
            let CertificateFacts { key_type, key_bits, signature_hash, names } = CertificateFacts::read(der);
            let (digest, sha256, matches) =
                (Some(key.digest(der)), Some(CertificateFacts::sha256(der)), certificate.matches);
            seen.certificate = CertificateSeen { digest, sha256, matches, key_type, key_bits, signature_hash, names };
        }
        seen
    }

    fn complete(&mut self) -> Told {
        self.seen.completed = true;
        let Some(state) = self.endpoint.get_connection_state(PEER) else { return Told::Completed(None) };
        // `Unsupported` is how `rtc-dtls` says that no profile was agreed on.
        let agreed = Profile::from_id(state.srtp_protection_profile() as u16);
        let profile = agreed.or(self.without_use_srtp.then_some(Profile::AesCm128HmacSha1_80));
        let keys = profile.and_then(|profile| {
            let bytes = state.export_keying_material(EXPORTER_LABEL, &[], EXPORTED_BYTES).ok()?;
            Some((profile, Secret::new(bytes.as_ref().to_vec())))
        });
        Told::Completed(keys)
    }

    fn hear(&mut self, now: Instant, alert: Alert) -> Option<Told> {
        if self.seen.alert.is_some() || (self.closed && alert.description == CLOSE_NOTIFY) {
            return None;
        }
        let name = alert_name(alert.description);
        self.seen.alert = Some(name.clone());
        let after = self.last_message.map(|last| now.saturating_duration_since(last).as_millis());
        self.seen.alert_after_ms = after.and_then(|ms| i64::try_from(ms).ok());
        Some(Told::Alert(name))
    }

    /// Notes what a datagram says in the clear and returns its plaintext alerts. A hello counts until the handshake is over:
    /// what comes in the clear afterwards says nothing of what was agreed on.
    fn note(&mut self, now: Instant, datagram: &[u8], side: Side) -> Vec<Alert> {
        let mut alerts = Vec::new();
        let from_client = (side == Side::Us) == self.client;
        for part in clear_parts(datagram) {
            match part {
                Clear::Alert(alert) => alerts.push(alert),
                Clear::Handshake => self.last_message = Some(now),
                _ if self.seen.completed => {}
                Clear::ClientHello(random) if from_client => self.randoms[0] = Some(random),
                Clear::ServerHello { random, version, suite, extended_master_secret, profile } if !from_client => {
                    self.randoms[1] = Some(random);
                    self.seen.extended_master_secret = extended_master_secret;
                    self.seen.version = Some(version_name(version));
                    self.seen.suite = Some(suite_name(suite));
                    self.seen.use_srtp = profile.map(profile_name);
                }
                Clear::Group(group) if !from_client => self.seen.group = Some(group_name(group)),
                Clear::CertificateRequest if side == Side::Peer => self.seen.client_certificate_requested = true,
                _ => {}
            }
        }
        alerts
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Us,
    Peer,
}

/// What DTLS calls it; AES-256 in counter mode has no number there.
fn srtp_profile(profile: Profile) -> Option<SrtpProtectionProfile> {
    profile.id().map(SrtpProtectionProfile::from)
}
