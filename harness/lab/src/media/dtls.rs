//! The DTLS 1.2 association, by the crate `dimpl`, and whom it is with: RFC 5763, section 5; RFC 8122, section 6.2.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use dimpl::{Config, Dtls, DtlsCertificate, Output, SecurityError};
use ringfence_srtp::{MasterKeys, Profile};
use ringfence_wire::hello::ClientHello;
use ringfence_wire::sdp::Fingerprint;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::Ended;
use super::offer::Role;
use super::{flights, masks, profiles};
use crate::fault::{Fault, Faults};

/// First repetition of a flight, doubled by each further one.
const FIRST_REPEAT: Duration = Duration::from_millis(250);
/// From the first hello to the end of the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Largest record or certificate that is taken out of the library.
const MAX_OUTPUT_BYTES: usize = 64 * 1024;
const BAD_CERTIFICATE: u8 = 42; // RFC 5246, section 7.2
/// Any number will do: what counts is that it never changes.
const FIXED_SEED: u64 = 0x5eed;
/// Longer than any process has been running: see [`first_moment`].
const LONG_AGO: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Constants that are dear to make: the library tries out all its ciphers for each, which takes longer than a handshake.
static UNSEEDED: LazyLock<Option<Arc<Config>>> = LazyLock::new(|| config(None, false));
static SEEDED: LazyLock<Option<Arc<Config>>> = LazyLock::new(|| config(Some(FIXED_SEED), false));
static UNSEEDED_MASKED: LazyLock<Option<Arc<Config>>> = LazyLock::new(|| config(None, true));
static SEEDED_MASKED: LazyLock<Option<Arc<Config>>> = LazyLock::new(|| config(Some(FIXED_SEED), true));

/// What the association says.
pub(crate) enum DtlsOutput {
    Transmit(Vec<u8>),
    /// Once: the handshake is done, with the certificate that was announced.
    Keys(MasterKeys),
    /// The last thing but what is still to be sent.
    Ended(Ended),
    Timeout(Instant),
}

/// One association, from before its first packet.
pub(crate) struct Association {
    dtls: Dtls,
    role: Role,
    /// Our certificate, DER.
    certificate: Vec<u8>,
    announced: Vec<Fingerprint>,
    faults: Arc<Faults>,
    buffer: Vec<u8>,
    /// What is ours to send, before anything of the library's.
    out: VecDeque<Vec<u8>>,
    connected: bool,
    keyed: bool,
    /// The peer asked for a second handshake, and gets an answer.
    renegotiating: bool,
    ended: Option<Ended>,
}

impl Association {
    /// Makes ready; nothing is sent before the first [`Association::poll`]. A repeatable one draws the same numbers each time.
    pub fn new(
        role: Role,
        certificate: DtlsCertificate,
        repeatable: bool,
        announced: Vec<Fingerprint>,
        faults: Arc<Faults>,
        now: Instant,
    ) -> Option<Self> {
        let random_fixed = role == Role::Server && faults.broken(Fault::DtlsRandomFixed);
        let config = match (random_fixed || repeatable, faults.chosen()) {
            (false, None) => &*UNSEEDED,
            (true, None) => &*SEEDED,
            (false, Some(_)) => &*UNSEEDED_MASKED,
            (true, Some(_)) => &*SEEDED_MASKED,
        };
        let own = certificate.certificate.clone();
        let mut dtls = Dtls::new_12(config.clone()?, certificate, now);
        dtls.set_active(role == Role::Client);
        dtls.handle_timeout(first_moment(now, random_fixed)).ok()?;
        Some(Self {
            dtls,
            role,
            certificate: own,
            announced,
            faults,
            buffer: vec![0; 2048],
            out: VecDeque::new(),
            connected: false,
            keyed: false,
            renegotiating: false,
            ended: None,
        })
    }

    /// A datagram that looks like DTLS.
    pub fn input(&mut self, now: Instant, datagram: &[u8]) {
        self.timeout(now);
        if self.ended.is_some() {
            return;
        }
        if let Some((hello, seq)) = self.hello(datagram).filter(|_| !self.connected) {
            if let Some(flight) = flights::bent(&self.faults, &hello, &self.certificate) {
                return self.out.extend(flights::written(&flight, seq));
            }
            if let Some(alert) = flights::refusal(&hello) {
                self.ended = Some(Ended::DtlsFailed("the hello has nothing in common with ours".into()));
                return self.out.push_back(fatal(alert));
            }
        }
        let masked = self.masked(datagram);
        let result = self.dtls.handle_packet(masked.as_deref().unwrap_or(datagram));
        self.note(result);
    }

    /// A datagram of somebody's to whom ICE did not lead: what is sent back there. The association is not touched.
    pub fn stranger(&self, datagram: &[u8]) -> Vec<Vec<u8>> {
        let Some((hello, seq)) = self.hello(datagram) else { return Vec::new() };
        let flight = flights::careless(&self.faults, &hello, &self.certificate);
        flight.map_or(Vec::new(), |flight| flights::written(&flight, seq))
    }

    /// Time has passed.
    pub fn timeout(&mut self, now: Instant) {
        if self.ended.is_none() {
            let result = self.dtls.handle_timeout(now);
            self.note(result);
        }
    }

    /// Says goodbye, if there is someone to hear it.
    pub fn close(&mut self) {
        if self.ended.is_none() && self.connected {
            let _ = self.dtls.close(); // an association that broke in this moment needs no goodbye
        }
    }

    /// What to do next; ends with a timeout, or with the end.
    pub fn poll(&mut self) -> DtlsOutput {
        if let Some(datagram) = self.out.pop_front() {
            return DtlsOutput::Transmit(datagram);
        }
        // Of an association with a stranger nothing more is sent: its last flight may be waiting.
        while self.ended != Some(Ended::FingerprintMismatch) {
            match self.dtls.poll_output(&mut self.buffer) {
                Output::Packet(packet) if self.renegotiating => {
                    return DtlsOutput::Transmit(masks::as_handshake(packet));
                }
                Output::Packet(packet) => return DtlsOutput::Transmit(packet.to_vec()),
                Output::BufferTooSmall { needed } if needed <= MAX_OUTPUT_BYTES => self.buffer.resize(needed, 0),
                Output::BufferTooSmall { .. } => {
                    self.ended.get_or_insert(Ended::DtlsFailed("a record is too long".into()));
                    break;
                }
                Output::PeerCert(certificate) => {
                    let announced = self.announced.iter().any(|print| matches(print, certificate));
                    // RFC 5763, section 5; RFC 8122, section 6.2: without a match the association is torn down.
                    if !announced && !self.tolerates_strangers() {
                        self.ended = Some(Ended::FingerprintMismatch);
                        return DtlsOutput::Transmit(fatal(BAD_CERTIFICATE));
                    }
                }
                Output::Connected => self.connected = true,
                Output::KeyingMaterial(material, profile) => {
                    let profile = profiles::of(profile);
                    if let Some(Ok(keys)) = profile.map(|profile| MasterKeys::from_exporter(profile, &material)) {
                        self.keyed = true;
                        return DtlsOutput::Keys(self.protecting_as_agreed(keys, &material));
                    }
                }
                Output::ApplicationData(message) if self.renegotiating => {
                    if let Some(answer) = flights::renegotiated(message) {
                        let _ = self.dtls.send_application_data(&answer); // an association that broke needs none
                    }
                }
                Output::CloseNotify => {
                    self.ended.get_or_insert(Ended::PeerClosed);
                }
                Output::Timeout(_) if self.connected && !self.keyed && self.ended.is_none() => {
                    self.ended = Some(Ended::DtlsFailed("no SRTP profile in common".into()));
                }
                Output::Timeout(at) if self.ended.is_none() => return DtlsOutput::Timeout(at),
                Output::Timeout(_) => break,
                _ => {} // application data, of which DTLS-SRTP has none
            }
        }
        DtlsOutput::Ended(self.ended.clone().unwrap_or(Ended::Stopped))
    }

    fn tolerates_strangers(&self) -> bool {
        match self.role {
            Role::Client => self.faults.broken(Fault::FingerprintUncheckedAsClient),
            Role::Server => self.faults.broken(Fault::FingerprintUncheckedAsServer),
        }
    }

    /// A hello to the server that we are, with its message_seq.
    fn hello(&self, datagram: &[u8]) -> Option<(ClientHello, u16)> {
        ClientHello::from_datagram(datagram).ok().filter(|_| self.role == Role::Server)
    }

    /// The datagram as the library is to see it, if that is not how it came.
    fn masked(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        if self.role == Role::Client {
            return None;
        }
        if !self.connected {
            // The longest key that both have.
            return masks::without_aes256(datagram).filter(|_| self.faults.broken(Fault::Aes256Ignored));
        }
        // RFC 8827, section 6.5: no renegotiation.
        let asked = masks::as_data(datagram).filter(|_| self.faults.broken(Fault::RenegotiationAccepted));
        self.renegotiating |= asked.is_some();
        asked
    }

    /// RFC 5764, section 4.1.2: the profile that was agreed on says what protects packets, of this side too.
    fn protecting_as_agreed(&self, mut keys: MasterKeys, material: &[u8]) -> MasterKeys {
        let ours = if self.role == Role::Client { &mut keys.client } else { &mut keys.server };
        if ours.profile() == Profile::AeadAes128Gcm && self.faults.broken(Fault::ProfileTagMismatch) {
            *ours = profiles::as_cm_sha1(material, self.role).unwrap_or_else(|| ours.clone());
        }
        keys
    }

    fn note(&mut self, result: Result<(), dimpl::Error>) {
        if let Err(error) = result {
            // RFC 5246, section 7.2.2: whoever finds an error says so; as a server the library does not.
            let alert = alert_of(&error).filter(|_| self.role == Role::Server && !self.connected);
            self.out.extend(alert.filter(|_| self.ended.is_none()).map(fatal));
            let farewell = matches!(error, dimpl::Error::SecurityError(SecurityError::FatalAlert { .. }));
            let ended =
                if farewell && self.connected { Ended::PeerClosed } else { Ended::DtlsFailed(error.to_string()) };
            self.ended.get_or_insert(ended);
        }
    }
}

/// A fatal alert in the clear, as all records are that come before the keys. RFC 6347, section 4.1; RFC 5246, section 7.2. Its
/// record number lies far behind those of a handshake, so that it is not taken for a repetition.
fn fatal(code: u8) -> Vec<u8> {
    vec![21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 2, code]
}

/// What is to be said of an error that is the peer's and that nobody else speaks of.
fn alert_of(error: &dimpl::Error) -> Option<u8> {
    match error {
        dimpl::Error::SecurityError(SecurityError::FatalAlert { .. }) => None,
        dimpl::Error::SecurityError(SecurityError::UnsupportedClientVersion(_)) => Some(flights::PROTOCOL_VERSION),
        dimpl::Error::SecurityError(_) => Some(flights::HANDSHAKE_FAILURE),
        _ => None,
    }
}

/// `masked`: for a lab with a fault, which may be one that the library knows nothing of.
fn config(seed: Option<u64>, masked: bool) -> Option<Arc<Config>> {
    let config = if masked { Config::builder().with_crypto_provider(masks::provider()) } else { Config::builder() };
    let config = config.flight_start_rto(FIRST_REPEAT).handshake_timeout(HANDSHAKE);
    let config = config.require_client_certificate(true).use_server_cookie(true);
    let config = seed.into_iter().fold(config, |config, seed| config.dangerously_set_rng_seed(seed));
    config.build().ok().map(Arc::new)
}

/// What the library takes for the time of the hello, whose seconds are part of its random (RFC 5246, section 7.4.1.2). It
/// turns every moment before its own beginning into one and the same second, so that a very old one stands still.
fn first_moment(now: Instant, random_fixed: bool) -> Instant {
    let long_ago = now.checked_sub(LONG_AGO).filter(|_| random_fixed);
    long_ago.unwrap_or(now)
}

fn matches(print: &Fingerprint, certificate: &[u8]) -> bool {
    match print.hash.as_str() {
        "sha-256" => Sha256::digest(certificate)[..] == print.bytes,
        "sha-384" => Sha384::digest(certificate)[..] == print.bytes,
        "sha-512" => Sha512::digest(certificate)[..] == print.bytes,
        _ => false,
    }
}
