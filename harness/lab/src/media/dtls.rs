//! The DTLS 1.2 association, by the crate `dimpl`, and whom it is with: RFC 5763, section 5; RFC 8122, section 6.2.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use dimpl::{Config, Dtls, DtlsCertificate, Output, SecurityError, SrtpProfile};
use ringfence_srtp::{MasterKeys, Profile};
use ringfence_wire::sdp::Fingerprint;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::Ended;
use super::offer::Role;
use crate::fault::{Fault, Faults};

/// First repetition of a flight, doubled by each further one.
const FIRST_REPEAT: Duration = Duration::from_millis(250);
/// From the first hello to the end of the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Largest record or certificate that is taken out of the library.
const MAX_OUTPUT_BYTES: usize = 64 * 1024;
/// A fatal `bad_certificate` in the clear, as all records are that come before the keys. RFC 6347, section 4.1; RFC 5246,
/// section 7.2. Its record number lies far behind those of a handshake, so that it is not taken for a repetition.
const BAD_CERTIFICATE: [u8; 15] = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 2, 42];
/// Any number will do: what counts is that it never changes.
const FIXED_SEED: u64 = 0x5eed;
/// Longer than any process has been running: see [`first_moment`].
const LONG_AGO: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Constants that are dear to make: the library tries out all its ciphers for each, which takes longer than a handshake.
static UNSEEDED: LazyLock<Option<Arc<Config>>> = LazyLock::new(|| config(None));
static SEEDED: LazyLock<Option<Arc<Config>>> = LazyLock::new(|| config(Some(FIXED_SEED)));

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
    announced: Vec<Fingerprint>,
    faults: Arc<Faults>,
    buffer: Vec<u8>,
    connected: bool,
    keyed: bool,
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
        let config = if random_fixed || repeatable { &*SEEDED } else { &*UNSEEDED };
        let mut dtls = Dtls::new_12(config.clone()?, certificate, now);
        dtls.set_active(role == Role::Client);
        dtls.handle_timeout(first_moment(now, random_fixed)).ok()?;
        Some(Self { dtls, role, announced, faults, buffer: vec![0; 2048], connected: false, keyed: false, ended: None })
    }

    /// A datagram that looks like DTLS.
    pub fn input(&mut self, now: Instant, datagram: &[u8]) {
        self.timeout(now);
        if self.ended.is_none() {
            let result = self.dtls.handle_packet(datagram);
            self.note(result);
        }
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
        // Of an association with a stranger nothing more is sent: its last flight may be waiting.
        while self.ended != Some(Ended::FingerprintMismatch) {
            match self.dtls.poll_output(&mut self.buffer) {
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
                        return DtlsOutput::Transmit(BAD_CERTIFICATE.to_vec());
                    }
                }
                Output::Connected => self.connected = true,
                Output::KeyingMaterial(material, profile) => {
                    let profile = profile_of(profile);
                    if let Some(Ok(keys)) = profile.map(|profile| MasterKeys::from_exporter(profile, &material)) {
                        self.keyed = true;
                        return DtlsOutput::Keys(keys);
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

    fn note(&mut self, result: Result<(), dimpl::Error>) {
        if let Err(error) = result {
            let farewell = matches!(error, dimpl::Error::SecurityError(SecurityError::FatalAlert { .. }));
            let ended =
                if farewell && self.connected { Ended::PeerClosed } else { Ended::DtlsFailed(error.to_string()) };
            self.ended.get_or_insert(ended);
        }
    }
}

fn config(seed: Option<u64>) -> Option<Arc<Config>> {
    let config = Config::builder().flight_start_rto(FIRST_REPEAT).handshake_timeout(HANDSHAKE);
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

fn profile_of(profile: SrtpProfile) -> Option<Profile> {
    match profile {
        SrtpProfile::AES128_CM_SHA1_80 => Some(Profile::AesCm128HmacSha1_80),
        SrtpProfile::AEAD_AES_128_GCM => Some(Profile::AeadAes128Gcm),
        SrtpProfile::AEAD_AES_256_GCM => Some(Profile::AeadAes256Gcm),
        _ => None,
    }
}
