//! ICE (RFC 8445) with `rtc-ice`, as the full and controlling agent that an offerer is.
//!
//! The agent is made when the answer is there: until then it could only refuse checks, so those are kept here, and only
//! then is it known how many pairs there are and so how fast they may be checked.

use std::cmp::Reverse;
use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use ringfence_wire::sdp::Candidate as SdpCandidate;
use rtc_crypto::RTCCryptoProvider;
use rtc_ice::agent::{Agent, Event as AgentEvent, agent_config::AgentConfig};
use rtc_ice::candidate::candidate_host::CandidateHostConfig;
use rtc_ice::candidate::candidate_relay::CandidateRelayConfig;
use rtc_ice::candidate::candidate_server_reflexive::CandidateServerReflexiveConfig;
use rtc_ice::candidate::{Candidate, CandidateConfig, unmarshal_candidate};
use rtc_ice::state::ConnectionState;
use rtc_shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use sansio::Protocol as _;

use super::MediaError;
use super::plan::TurnTransport;

/// One round of checks goes out per interval; per pair this keeps above the pace of RFC 8445, section 14.2 (5 ms at least).
const CHECK_INTERVAL_PER_PAIR: Duration = Duration::from_millis(15);
const CHECK_INTERVAL_MAX: Duration = Duration::from_millis(200);
/// How long a pair is checked without an answer.
const CHECKING: Duration = Duration::from_secs(10);
/// RFC 7675, section 5.1: consent expires after 30 s. `rtc-ice` counts in two steps.
const DISCONNECTED: Duration = Duration::from_secs(5);
const FAILED: Duration = Duration::from_secs(25);
/// How long a worse pair waits for a better one.
const PEER_REFLEXIVE_WAIT: Duration = Duration::from_millis(100);
const SERVER_REFLEXIVE_WAIT: Duration = Duration::from_millis(200);
const RELAYED_WAIT: Duration = Duration::from_millis(500);
/// Checks that are kept until the answer is there.
const MAX_EARLY: usize = 16;
/// Addresses that STUN may come from: each with the right password becomes a candidate.
const MAX_SOURCES: usize = 64;

/// What the agent tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The first pair was selected, or a better one.
    Connected,
    /// No pair answered, or consent expired.
    Failed,
}

/// The selected pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// One of our sockets, or a relayed address.
    pub local: SocketAddr,
    /// The target.
    pub remote: SocketAddr,
}

/// Our candidates, and once there is an answer the agent.
pub(super) struct Ice {
    provider: Arc<dyn RTCCryptoProvider>,
    ufrag: String,
    pwd: String,
    before: Option<(String, String)>,
    locals: Vec<Candidate>,
    early: VecDeque<TaggedBytesMut>,
    sources: HashSet<SocketAddr>,
    agent: Option<Agent>,
    checking_until: Option<Instant>,
    path: Option<Path>,
    local_type: Option<String>,
}

/// A kind of local candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Host,
    ServerReflexive,
    Relayed(TurnTransport),
}

/// The smaller, the more likely to work.
fn default_rank(candidate: &&Candidate) -> (u16, Reverse<u32>) {
    (candidate.candidate_type().preference(), Reverse(candidate.priority()))
}

/// So many bytes of the system's randomness, in hexadecimal.
fn random_text(bytes: usize) -> Result<String, MediaError> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(MediaError::setup)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Ice {
    /// Makes credentials: RFC 8445, section 5.3 asks for 24 and 128 bits.
    pub(super) fn new(provider: Arc<dyn RTCCryptoProvider>) -> Result<Self, MediaError> {
        let (ufrag, pwd) = (random_text(4)?, random_text(16)?);
        let (locals, early, sources) = (Vec::new(), VecDeque::new(), HashSet::new());
        Ok(Self {
            provider,
            ufrag,
            pwd,
            before: None,
            locals,
            early,
            sources,
            agent: None,
            checking_until: None,
            path: None,
            local_type: None,
        })
    }

    /// Takes other credentials, for the restart that [`Ice::start`] makes. RFC 8445, section 9.
    pub(super) fn renew(&mut self) -> Result<(), MediaError> {
        let fresh = (random_text(4)?, random_text(16)?);
        self.before = Some((std::mem::replace(&mut self.ufrag, fresh.0), std::mem::replace(&mut self.pwd, fresh.1)));
        Ok(())
    }

    /// Takes the credentials back that were there before, where no restart came of the others.
    pub(super) fn restore(&mut self) {
        if let Some(before) = self.before.take() {
            (self.ufrag, self.pwd) = before;
        }
    }

    /// Takes the way to an address that was not checked.
    pub(super) fn go_unchecked(&mut self, remote: SocketAddr) {
        self.path = self.default_path(remote);
    }

    /// Goes nowhere until a pair of the next start answers.
    pub(super) fn forget_path(&mut self) {
        self.path = None;
    }

    /// Whether it checks, or has a pair that still answers.
    pub(super) fn is_running(&self) -> bool {
        self.agent.is_some()
    }

    /// Our username fragment.
    pub(super) fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// Our password.
    pub(super) fn pwd(&self) -> &str {
        &self.pwd
    }

    /// Adds a candidate that was gathered; `base` is the socket it stands on.
    pub(super) fn add_local(&mut self, kind: Kind, address: SocketAddr, base: SocketAddr) {
        let same = |known: &Candidate| known.addr() == address;
        if self.locals.iter().any(same) {
            return; // RFC 8445, section 5.1.3
        }
        let preference: u32 = match kind {
            Kind::Host => 126, // RFC 8445, section 5.1.2.2
            Kind::ServerReflexive => 100,
            Kind::Relayed(_) => 0,
        };
        // The worse the way to the relay, the lower: whatever stands on UDP goes before TCP, and that before TLS.
        let best = match kind {
            Kind::Host | Kind::ServerReflexive | Kind::Relayed(TurnTransport::Udp) => 65_535,
            Kind::Relayed(TurnTransport::Tcp) => 43_690,
            Kind::Relayed(TurnTransport::Tls) => 21_845,
        };
        let local_preference = best - u32::try_from(self.locals.len()).unwrap_or(0);
        let base_config = CandidateConfig {
            network: "udp".into(),
            address: address.ip().to_string(),
            port: address.port(),
            component: 1,
            // RFC 8445, section 5.1.2.1: local preferences differ between addresses.
            priority: (preference << 24) + (local_preference << 8) + 255,
            ..CandidateConfig::default()
        };
        let (rel_addr, rel_port) = (base.ip().to_string(), base.port());
        let made = match kind {
            Kind::Host => CandidateHostConfig { base_config, ..Default::default() }.new_candidate_host(),
            Kind::ServerReflexive => CandidateServerReflexiveConfig { base_config, rel_addr, rel_port, url: None }
                .new_candidate_server_reflexive(),
            Kind::Relayed(_) => {
                CandidateRelayConfig { base_config, rel_addr, rel_port, url: None }.new_candidate_relay()
            }
        };
        self.locals.extend(made.ok());
    }

    /// Our candidates as they stand in SDP, without the `candidate:` prefix.
    pub(super) fn local_lines(&self) -> Vec<String> {
        self.locals.iter().map(Candidate::marshal).collect()
    }

    /// The default candidate: the most likely to work. RFC 8839, section 4.2.1.2.
    pub(super) fn default_address(&self) -> Option<SocketAddr> {
        self.locals.iter().min_by_key(default_rank).map(Candidate::addr)
    }

    /// From our default candidate to an address that was not checked.
    pub(super) fn default_path(&self, remote: SocketAddr) -> Option<Path> {
        let family = |candidate: &&Candidate| candidate.addr().is_ipv4() == remote.is_ipv4();
        let local = self.locals.iter().filter(family).min_by_key(default_rank)?;
        Some(Path { local: local.base_addr(), remote })
    }

    /// Starts checking against these candidates. Where there is a pair already, it stays until a new one answers.
    pub(super) fn start(
        &mut self,
        now: Instant,
        credentials: (String, String),
        remotes: &[SdpCandidate],
    ) -> Result<(), MediaError> {
        let pairs = u32::try_from(self.locals.len() * remotes.len().max(1)).unwrap_or(u32::MAX);
        let check_interval = CHECK_INTERVAL_PER_PAIR.saturating_mul(pairs).min(CHECK_INTERVAL_MAX);
        let rounds = CHECKING.as_millis() / check_interval.as_millis().max(1);
        let direct = self.locals.iter().any(|local| local.candidate_type().preference() > 0);
        let config = AgentConfig {
            local_ufrag: self.ufrag.clone(),
            local_pwd: self.pwd.clone(),
            disconnected_timeout: Some(DISCONNECTED),
            failed_timeout: Some(FAILED),
            check_interval,
            max_binding_requests: Some(u16::try_from(rounds).unwrap_or(u16::MAX)),
            is_controlling: true,
            prflx_acceptance_min_wait: Some(PEER_REFLEXIVE_WAIT),
            srflx_acceptance_min_wait: Some(SERVER_REFLEXIVE_WAIT),
            relay_acceptance_min_wait: Some(if direct { RELAYED_WAIT } else { Duration::ZERO }),
            ..AgentConfig::default()
        };
        let mut agent = Agent::new(now, Arc::new(config), self.provider.clone()).map_err(MediaError::setup)?;
        for local in &self.locals {
            agent.add_local_candidate(local.clone()).map_err(MediaError::setup)?;
        }
        for remote in remotes.iter().filter_map(|remote| unmarshal_candidate(&remote.to_string()).ok()) {
            let _ = agent.add_remote_candidate(remote); // refuses only what it cannot dial
        }
        agent.start_connectivity_checks(now, true, credentials.0, credentials.1).map_err(MediaError::setup)?;
        for check in self.early.drain(..) {
            let _ = agent.handle_read(TaggedBytesMut { now, ..check });
        }
        let _ = agent.handle_timeout(now); // the first round, at once
        self.agent = Some(agent);
        self.checking_until = Some(now + CHECKING);
        Ok(())
    }

    /// Takes a STUN message.
    pub(super) fn input(&mut self, now: Instant, path: Path, bytes: &[u8]) {
        if self.sources.len() >= MAX_SOURCES && !self.sources.contains(&path.remote) {
            return;
        }
        self.sources.insert(path.remote);
        let transport = TransportContext {
            local_addr: path.local,
            peer_addr: path.remote,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        let message = TaggedBytesMut { now, transport, message: BytesMut::from(bytes) };
        match &mut self.agent {
            Some(agent) => {
                let _ = agent.handle_read(message); // what it refuses is nobody's business: RFC 8445, section 7.3
            }
            None if self.early.len() < MAX_EARLY => self.early.push_back(message),
            None => {}
        }
    }

    /// Runs checks, keepalives and consent. `rtc-ice` goes on waiting long after the last check; we give up with it.
    pub(super) fn timeout(&mut self, now: Instant) -> Option<Told> {
        let _ = self.agent.as_mut()?.handle_timeout(now);
        self.checking_until.take_if(|until| now >= *until)?;
        self.agent = None;
        Some(Told::Failed)
    }

    /// When [`Ice::timeout`] is due.
    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        let agent = self.agent.as_mut()?.poll_timeout();
        [agent, self.checking_until].into_iter().flatten().min()
    }

    /// The next check or answer to send.
    pub(super) fn poll_transmit(&mut self) -> Option<(Path, Vec<u8>)> {
        let message = self.agent.as_mut()?.poll_write()?;
        let path = Path { local: message.transport.local_addr, remote: message.transport.peer_addr };
        Some((path, message.message.to_vec()))
    }

    /// The next thing to tell.
    pub(super) fn poll_told(&mut self) -> Option<Told> {
        loop {
            match self.agent.as_mut()?.poll_event()?.event {
                AgentEvent::SelectedCandidatePairChange(local, remote) => {
                    self.path = Some(Path { local: local.base_addr(), remote: remote.addr() });
                    self.local_type = Some(local.candidate_type().to_string());
                    self.checking_until = None;
                    return Some(Told::Connected);
                }
                AgentEvent::ConnectionStateChange(ConnectionState::Failed) => return Some(Told::Failed),
                _ => {}
            }
        }
    }

    /// The selected pair.
    pub(super) fn path(&self) -> Option<Path> {
        self.path
    }

    /// Kind of our selected candidate.
    pub(super) fn local_type(&self) -> Option<&str> {
        self.local_type.as_deref()
    }
}
