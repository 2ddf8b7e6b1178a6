//! A stranger's hellos to the call's port: from a socket of ours that ICE knows nothing of, before our own handshake begins. What
//! comes back was drawn by whoever can send from a forged address. RFC 6347, section 4.2.1; RFC 8827, section 6.3.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ringfence_wire::hello::{ClientHello, Depth, DtlsReader, Extension, Reply, Version};

use super::MediaError;
use super::answer::socket_address;
use super::ice::Path;
use super::machine::MediaMachine;

/// Between two hellos.
const INTERVAL: Duration = Duration::from_millis(50);
/// How long late answers are waited for behind the last hello: RFC 6347, section 4.2.4.1 has a flight repeated after one
/// second.
const LISTENING: Duration = Duration::from_millis(1500);
/// Most hellos (house).
const MAX_HELLOS: u32 = 200;
/// Datagrams that are read for what they are; all of them are counted (house).
const MAX_READ: i64 = 64;
/// Small, as an attacker would have it, and good enough for any server of DTLS-SRTP to begin a handshake over.
const SUITES: [u16; 2] = [0xc02b, 0xc02f]; // TLS_ECDHE_{ECDSA,RSA}_WITH_AES_128_GCM_SHA256
const GROUPS: [u16; 2] = [0x001d, 0x0017]; // x25519, secp256r1
const SCHEMES: [u16; 3] = [0x0403, 0x0804, 0x0401]; // ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256, rsa_pkcs1_sha256
const PROFILES: [u16; 2] = [0x0001, 0x0007]; // RFC 5764, section 4.1.2; RFC 7714, section 14.2

/// What the stranger sent and got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StrangersSeen {
    /// Hellos that were sent, none of them with a cookie.
    pub hellos: i64,
    /// Bytes of these datagrams.
    pub bytes_out: i64,
    /// Bytes of all datagrams that came back from the call's port.
    pub bytes_in: i64,
    /// HelloVerifyRequests and HelloRetryRequests among them.
    pub cookies: i64,
    /// ServerHellos among them: a handshake with a stranger has begun. Then no further hello is sent.
    pub server_hellos: i64,
    /// Nothing was sent, since one end of the pair is a relay: from elsewhere it cannot be reached.
    pub relayed: bool,
}

/// The stranger of one call.
#[derive(Default)]
pub(super) struct Strangers {
    local: Option<SocketAddr>,
    /// Where the hellos go: the pair may change later.
    target: Option<SocketAddr>,
    stage: Stage,
    pub seen: StrangersSeen,
}

#[derive(Clone, Copy, Default)]
enum Stage {
    #[default]
    Ahead,
    Sending {
        next: Instant,
        left: u32,
    },
    Listening {
        until: Instant,
    },
    Over,
}

impl Strangers {
    /// With this socket.
    pub(super) fn from(local: SocketAddr) -> Self {
        Self { local: Some(local), ..Self::default() }
    }

    /// Whether our own handshake has to wait.
    pub(super) fn are_ahead(&self) -> bool {
        matches!(self.stage, Stage::Sending { .. } | Stage::Listening { .. })
    }

    /// When [`MediaMachine::run_strangers`] is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.stage {
            Stage::Sending { next, .. } => Some(next),
            Stage::Listening { until } => Some(until),
            Stage::Ahead | Stage::Over => None,
        }
    }

    /// Notes what came to the stranger's socket; whether it did.
    pub(super) fn takes(&mut self, now: Instant, path: Path, bytes: &[u8]) -> bool {
        if self.local != Some(path.local) {
            return false;
        }
        if self.target != Some(path.remote) {
            return true;
        }
        let bytes_in = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        self.seen.bytes_in = self.seen.bytes_in.saturating_add(bytes_in);
        if self.seen.cookies + self.seen.server_hellos < MAX_READ {
            match DtlsReader::new(Depth::Hello).feed(bytes) {
                Some(Reply::HelloVerifyRequest { .. } | Reply::HelloRetryRequest(_)) => self.seen.cookies += 1,
                Some(Reply::ServerHello(_)) => self.seen.server_hellos += 1,
                _ => {}
            }
        }
        if let Stage::Sending { .. } = self.stage
            && self.seen.server_hellos > 0
        {
            // What was to be shown is shown, and more hellos would only hide how much one of them draws.
            self.stage = Stage::Listening { until: now + LISTENING };
        }
        true
    }
}

impl MediaMachine {
    /// Gives the machine a second socket of ours, which a plan with `stranger_hellos` needs.
    #[must_use]
    pub fn with_stranger(mut self, local: SocketAddr) -> Self {
        self.strangers = Strangers::from(local);
        self
    }

    /// What a stranger's hellos drew so far.
    pub fn strangers_seen(&self) -> StrangersSeen {
        self.strangers.seen.clone()
    }

    /// Whether the handshake has to wait for a stranger's hellos, which begin with the first time that this is asked.
    pub(super) fn strangers_go_ahead(&mut self, now: Instant) -> bool {
        if let Stage::Ahead = self.strangers.stage {
            let hellos = self.plan.stranger_hellos.min(MAX_HELLOS);
            self.strangers.seen.relayed = hellos > 0 && self.is_relayed();
            let can = hellos > 0 && self.strangers.local.is_some() && !self.strangers.seen.relayed;
            self.strangers.stage = if can { Stage::Sending { next: now, left: hellos } } else { Stage::Over };
        }
        self.strangers.are_ahead()
    }

    /// Sends what is due, and lets the handshake begin at the end.
    pub(super) fn run_strangers(&mut self, now: Instant) {
        match self.strangers.stage {
            Stage::Sending { next, left } if now >= next => {
                self.strangers.stage = match left {
                    0 | 1 => Stage::Listening { until: now + LISTENING },
                    _ => Stage::Sending { next: now + INTERVAL, left: left - 1 },
                };
                if let Err(error) = self.stranger_hello() {
                    self.fail("stranger", &error.to_string());
                }
            }
            Stage::Listening { until } if now >= until => {
                self.strangers.stage = Stage::Over;
                self.begin_dtls(now);
            }
            _ => {}
        }
    }

    fn stranger_hello(&mut self) -> Result<(), MediaError> {
        let target = self.strangers.target.or(self.ice.path().map(|path| path.remote));
        let (Some(local), Some(remote)) = (self.strangers.local, target) else { return Ok(()) };
        self.strangers.target = Some(remote);
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(MediaError::setup)?;
        let hello = small_hello(random, &PROFILES).and_then(|hello| hello.to_dtls(0, 0, usize::MAX));
        for datagram in hello.map_err(MediaError::setup)? {
            let bytes = i64::try_from(datagram.len()).unwrap_or(i64::MAX);
            self.strangers.seen.bytes_out = self.strangers.seen.bytes_out.saturating_add(bytes);
            self.transmit(Path { local, remote }, datagram);
        }
        self.strangers.seen.hellos += 1;
        Ok(())
    }

    /// Whether either end of the pair is a relay's.
    fn is_relayed(&self) -> bool {
        let Some(path) = self.ice.path() else { return false };
        let ours = self.gather.is_relayed(path.local) || self.ice.local_type() == Some("relay");
        let theirs = self.answer.iter().flat_map(|answer| &answer.candidates).any(|candidate| {
            candidate.kind.eq_ignore_ascii_case("relay") && socket_address(candidate) == Some(path.remote)
        });
        ours || theirs
    }
}

/// A small ClientHello of DTLS 1.2 that any server of DTLS-SRTP can begin a handshake over, with these SRTP profiles alone.
///
/// # Errors
/// There is no profile, or there are more than `use_srtp` has room for.
pub fn small_hello(random: [u8; 32], profiles: &[u16]) -> Result<ClientHello, ringfence_wire::Error> {
    let mut hello = ClientHello::new(Version::DTLS12, random);
    hello.suites = SUITES.to_vec();
    hello.extensions = vec![
        Extension::supported_groups(&GROUPS)?,
        Extension::ec_point_formats(),
        Extension::signature_algorithms(&SCHEMES)?,
        Extension::use_srtp(profiles)?,
        Extension::extended_master_secret(),
        Extension::renegotiation_info(),
    ];
    Ok(hello)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: ([u8; 4], u16) = ([192, 0, 2, 1], 1000);
    const TARGET: ([u8; 4], u16) = ([192, 0, 2, 2], 2000);

    /// A stranger that sends, and what comes to it from there.
    fn sending(left: u32) -> Strangers {
        let stage = Stage::Sending { next: Instant::now(), left };
        let seen = StrangersSeen { hellos: 1, bytes_out: 100, ..StrangersSeen::default() };
        Strangers { local: Some(LOCAL.into()), target: Some(TARGET.into()), stage, seen }
    }

    fn takes(strangers: &mut Strangers, from: ([u8; 4], u16), bytes: &[u8]) -> bool {
        let path = Path { local: LOCAL.into(), remote: from.into() };
        strangers.takes(Instant::now(), path, bytes)
    }

    /// A record with one message of a server's.
    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u8::try_from(body.len()).unwrap();
        let header = [kind, 0, 0, length, 0, 0, 0, 0, 0, 0, 0, length];
        [&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, length + 12][..], &header, body].concat()
    }

    fn server_hello() -> Vec<u8> {
        message(2, &[&[0xfe, 0xfd][..], &[7; 32], &[0], &[0xc0, 0x2b], &[0]].concat())
    }

    #[test]
    fn the_hello_is_one_small_datagram_that_offers_what_any_server_takes() {
        let datagrams = small_hello([9; 32], &PROFILES).unwrap().to_dtls(0, 0, usize::MAX).unwrap();
        assert_eq!(datagrams.len(), 1);
        assert!(datagrams[0].len() < 160, "{} bytes", datagrams[0].len());
        let (read, _) = ClientHello::from_datagram(&datagrams[0]).expect("a whole hello");
        assert!(read.cookie.is_empty());
        assert_eq!((read.version, read.suites), (Version::DTLS12, SUITES.to_vec()));
    }

    #[test]
    fn bytes_of_the_target_alone_count() {
        let mut strangers = sending(9);
        assert!(takes(&mut strangers, ([192, 0, 2, 3], 2000), &[22; 50]), "nobody else reads it either");
        assert!(takes(&mut strangers, TARGET, &[22; 50]));
        assert_eq!(strangers.seen.bytes_in, 50);
        let elsewhere = Path { local: TARGET.into(), remote: TARGET.into() };
        assert!(!strangers.takes(Instant::now(), elsewhere, &[22; 50]), "the call's own");
        let mut unsent = Strangers::from(LOCAL.into());
        assert!(takes(&mut unsent, TARGET, &[22; 50]) && unsent.seen == StrangersSeen::default(), "before any hello");
        assert_eq!((strangers.seen.bytes_in, strangers.seen.cookies, strangers.seen.server_hellos), (50, 0, 0));
    }

    #[test]
    fn cookies_go_on_and_a_flight_ends_it() {
        let mut strangers = sending(9);
        takes(&mut strangers, TARGET, &message(3, &[0xfe, 0xff, 4, 1, 2, 3, 4]));
        assert_eq!((strangers.seen.cookies, strangers.seen.server_hellos), (1, 0));
        assert!(matches!(strangers.stage, Stage::Sending { .. }));
        takes(&mut strangers, TARGET, &server_hello());
        assert_eq!((strangers.seen.cookies, strangers.seen.server_hellos), (1, 1));
        assert!(matches!(strangers.stage, Stage::Listening { .. }) && strangers.are_ahead());
        strangers.stage = Stage::Over;
        takes(&mut strangers, TARGET, &server_hello());
        assert!(strangers.seen.server_hellos == 2 && !strangers.are_ahead(), "what comes late counts all the same");
    }

    #[test]
    fn a_flood_of_answers_is_counted_and_not_read() {
        let mut strangers = sending(9);
        (0..100).for_each(|_| assert!(takes(&mut strangers, TARGET, &server_hello())));
        assert_eq!(strangers.seen.server_hellos, MAX_READ);
        assert_eq!(strangers.seen.bytes_in, 100 * i64::try_from(server_hello().len()).unwrap());
    }
}
