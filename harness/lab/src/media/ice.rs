//! Connectivity: a full agent with one host candidate, by the crate `is`. RFC 8445; consent by its checks, RFC 7675.

use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use is::stun::{StunMessage, StunPacket};
use is::{Candidate, IceAgent, IceAgentEvent, IceConnectionState, IceCreds, Protocol};
use ringfence_wire::stun::{self, Attribute, Class, Message, Method};

use crate::fault::{Fault, Faults};

/// How long a path may take to be found, counted from the answer.
const SEARCH: Duration = Duration::from_secs(15);
/// Between two checks of one agent. RFC 8445, section 14.2: at least 5 ms.
const PACE: Duration = Duration::from_millis(5);
/// While a path is searched, checks are repeated early and often: the first ones overtake the answer, and a caller drops
/// what it cannot verify yet.
const FIRST_REPEAT: Duration = Duration::from_millis(20);
const SEARCH_REPEAT: Duration = Duration::from_millis(150);
const SEARCH_CHECKS: usize = 100; // SEARCH / SEARCH_REPEAT
/// On a path: a check every 3 s, more often when one stays unanswered, and given up after 9. RFC 7675, section 5.1 allows
/// 30 s without consent; this takes about 20.
const CONSENT_REPEAT: Duration = Duration::from_secs(3);
const CONSENT_CHECKS: usize = 9;
/// Addresses from which the peer has proved to know our password; more are not listened to.
const MAX_SOURCES: usize = 32;

/// What the agent says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum IceOutput {
    Transmit(SocketAddr, Vec<u8>),
    Timeout(Instant),
}

/// The agent of one call.
pub(crate) struct Ice {
    agent: IceAgent,
    local: SocketAddr,
    /// User name that checks of the peer have to have, and its password.
    expected: (String, String),
    path: Option<SocketAddr>,
    /// The path before a restart, which lasts until there is a new one. RFC 8445, section 9.
    before: Option<SocketAddr>,
    sources: HashSet<SocketAddr>,
    faults: Arc<Faults>,
    answers: VecDeque<(SocketAddr, Vec<u8>)>,
    deadline: Instant,
    lost: bool,
}

impl Ice {
    /// Controlled, unless the caller is lite. RFC 8445, section 6.1.1.
    pub fn new(
        ours: IceCreds,
        theirs: IceCreds,
        lite: bool,
        local: SocketAddr,
        faults: Arc<Faults>,
        now: Instant,
    ) -> Option<Self> {
        let expected = (format!("{}:{}", ours.ufrag, theirs.ufrag), ours.pass.clone());
        let mut agent = IceAgent::new(ours);
        agent.set_controlling(lite);
        agent.set_timing_advance(PACE);
        agent.set_initial_stun_rto(FIRST_REPEAT);
        agent.set_max_stun_rto(SEARCH_REPEAT);
        agent.set_max_stun_retransmits(SEARCH_CHECKS);
        agent.set_remote_credentials(theirs);
        agent.add_local_candidate(Candidate::host(local, "udp").ok()?)?;
        let (sources, answers) = (HashSet::new(), VecDeque::new());
        let (path, before, deadline) = (None, None, now + SEARCH);
        Some(Self { agent, local, expected, path, before, sources, faults, answers, deadline, lost: false })
    }

    /// Searches anew, under other credentials; the path of before lasts until there is another.
    pub fn restart(&mut self, ours: IceCreds, theirs: IceCreds, lite: bool, now: Instant) -> Option<()> {
        let fresh = Self::new(ours, theirs, lite, self.local, self.faults.clone(), now)?;
        let before = self.path();
        let sources = std::mem::take(&mut self.sources);
        *self = Self { before, sources, ..fresh };
        Some(())
    }

    /// Adds a candidate of the offer.
    pub fn add(&mut self, candidate: Candidate) {
        self.agent.add_remote_candidate(candidate);
    }

    /// Where to send: the nominated pair. Nothing but checks is sent before there is one.
    pub fn path(&self) -> Option<SocketAddr> {
        self.path.or(self.before)
    }

    /// Whether that pair is of the last search.
    pub fn is_settled(&self) -> bool {
        self.path.is_some()
    }

    /// Whether the peer has proved that it sends from there.
    pub fn knows(&self, source: SocketAddr) -> bool {
        self.sources.contains(&source)
    }

    /// Whether there was no path in time, or there is none any more.
    pub fn failed(&self) -> bool {
        self.lost
    }

    /// A datagram that looks like STUN. To be followed by [`Ice::timeout`], which checks and nominates at once.
    pub fn input(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        // `is` slices attributes by fixed offsets; only what our own parser found sound gets that far.
        let Ok(check) = Message::parse(datagram) else { return };
        let is_check = check.class == Class::Request && check.method == Method::BINDING;
        if is_check && !self.is_believed(&check, datagram) && self.faults.broken(Fault::IceIntegrityUnchecked) {
            self.answers.extend(self.success(from, &check).map(|answer| (from, answer)));
            return;
        }
        if let Ok(message) = StunMessage::parse(datagram) {
            let packet = StunPacket { proto: Protocol::Udp, source: from, destination: self.local, message };
            self.agent.handle_packet(now, packet);
        }
    }

    /// Time has passed.
    pub fn timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
        while let Some(event) = self.agent.poll_event() {
            match event {
                IceAgentEvent::DiscoveredRecv { source, .. } if self.sources.len() < MAX_SOURCES => {
                    self.sources.insert(source);
                }
                IceAgentEvent::NominatedSend { destination, .. } => self.nominated(destination),
                IceAgentEvent::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                    self.lost |= self.path.is_some();
                }
                _ => {}
            }
        }
        self.lost |= self.path.is_none() && now >= self.deadline;
    }

    /// What to do next; ends with a timeout.
    pub fn poll(&mut self) -> IceOutput {
        if let Some((to, answer)) = self.answers.pop_front() {
            return IceOutput::Transmit(to, answer);
        }
        if let Some(transmit) = self.agent.poll_transmit() {
            return IceOutput::Transmit(transmit.destination, transmit.contents.into());
        }
        let next = self.agent.poll_timeout().filter(|next| self.path.is_some() || *next < self.deadline);
        IceOutput::Timeout(next.unwrap_or(self.deadline))
    }

    /// RFC 8445, section 7.3; RFC 8489, section 9.1.3.
    fn is_believed(&self, check: &Message, datagram: &[u8]) -> bool {
        let (username, password) = &self.expected;
        check.username() == Some(username) && stun::verify_integrity(datagram, password.as_bytes()).is_ok()
    }

    fn success(&self, from: SocketAddr, check: &Message) -> Option<Vec<u8>> {
        let answer = Message::new(Class::Success, Method::BINDING, check.transaction);
        let answer = answer.with(Attribute::XorMappedAddress(from)).signed(self.expected.1.as_bytes()).ok()?;
        answer.fingerprinted().ok()?.emit().ok()
    }

    fn nominated(&mut self, destination: SocketAddr) {
        if self.path.replace(destination).is_none() {
            self.agent.set_max_stun_rto(CONSENT_REPEAT);
            self.agent.set_max_stun_retransmits(CONSENT_CHECKS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn creds(name: &str) -> IceCreds {
        IceCreds { ufrag: name.into(), pass: format!("{name}-password-of-some-length") }
    }

    fn agent(ours: &str, theirs: &str, port: u16, controlling: bool, now: Instant) -> Ice {
        let local = SocketAddr::from(([127, 0, 0, 1], port));
        Ice::new(creds(ours), creds(theirs), controlling, local, Arc::default(), now).unwrap()
    }

    /// Carries datagrams both ways, on simulated time, until both have a path or `until` has come.
    fn run(sides: &mut [Ice; 2], mut now: Instant, until: Instant, drop_all: bool) -> Instant {
        while now < until && !sides.iter().all(|ice| ice.path().is_some()) && !sides.iter().any(Ice::failed) {
            let mut next = until;
            for (from, to) in [(0, 1), (1, 0)] {
                sides[from].timeout(now);
                loop {
                    match sides[from].poll() {
                        IceOutput::Transmit(destination, datagram) => {
                            assert_eq!(destination, sides[to].local);
                            let source = sides[from].local;
                            if !drop_all {
                                sides[to].input(now, source, &datagram);
                                sides[to].timeout(now);
                            }
                        }
                        IceOutput::Timeout(at) => break next = next.min(at),
                    }
                }
            }
            now = next.max(now + Duration::from_millis(1));
        }
        now
    }

    #[test]
    fn a_path_is_nominated_within_milliseconds() {
        let start = Instant::now();
        let mut sides = [agent("caller", "callee", 1, true, start), agent("callee", "caller", 2, false, start)];
        sides[0].add(Candidate::host(sides[1].local, "udp").unwrap());
        let end = run(&mut sides, start, start + SEARCH, false);
        assert_eq!(sides[1].path(), Some(sides[0].local));
        assert!(sides[1].knows(sides[0].local));
        assert!(end - start < Duration::from_millis(50), "{:?}", end - start);
    }

    #[test]
    fn silence_and_wrong_passwords_end_in_failure() {
        let start = Instant::now();
        for (theirs, drop_all) in [("caller", true), ("stranger", false)] {
            let mut sides = [agent("caller", "callee", 1, true, start), agent("callee", theirs, 2, false, start)];
            sides[0].add(Candidate::host(sides[1].local, "udp").unwrap());
            sides[1].add(Candidate::host(sides[0].local, "udp").unwrap());
            run(&mut sides, start, start + SEARCH * 2, drop_all);
            assert!(sides[1].failed() && sides[1].path().is_none(), "{theirs}");
        }
    }

    #[test]
    fn a_path_without_answers_is_given_up_within_thirty_seconds() {
        let start = Instant::now();
        let mut sides = [agent("caller", "callee", 1, true, start), agent("callee", "caller", 2, false, start)];
        sides[0].add(Candidate::host(sides[1].local, "udp").unwrap());
        let found = run(&mut sides, start, start + SEARCH, false);
        let [_, mut alone] = sides;
        let mut now = found;
        while !alone.failed() && now < found + Duration::from_secs(60) {
            alone.timeout(now);
            now = loop {
                if let IceOutput::Timeout(at) = alone.poll() {
                    break at.max(now + Duration::from_millis(1));
                }
            };
        }
        assert!(alone.failed() && now < found + Duration::from_secs(30), "{:?}", now - found);
    }
}
