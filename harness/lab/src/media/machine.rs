//! One call's media as one machine: datagrams and time in, datagrams and one end out. No socket, no clock.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use ringfence_srtp::{Context, MasterKey};
use ringfence_wire::demux::{self, Kind};
use ringfence_wire::sdp::Direction;

use super::dtls::{Association, DtlsOutput};
use super::echo::{self, Echo, Start};
use super::ice::{Ice, IceOutput};
use super::identity::Identity;
use super::offer::{Codec, Keying, Offer, Role};
use super::plain::PlainEcho;
use super::reports::Reports;
use super::restart::Known;
use super::{Ended, MediaStats};
use crate::fault::Faults;

/// How long a caller may take from the path to the end of the handshake.
const HANDSHAKE: Duration = Duration::from_secs(15);
/// DTLS datagrams that are kept while there is no path to answer on.
const MAX_EARLY: usize = 8;

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this datagram there.
    Transmit(SocketAddr, Vec<u8>),
    /// Nothing else follows.
    Ended(Ended),
    /// Nothing, before that moment or the next datagram.
    Timeout(Instant),
}

/// From the answer to the end of media.
pub struct Machine {
    pub(super) ice: Ice,
    pub(super) dtls: Option<(Association, Role)>,
    /// What it takes to build the echo once there are keys.
    plan: Option<EchoPlan>,
    pub(super) echo: Option<Echo>,
    /// What a restart goes on with.
    pub(super) known: Known,
    /// There is a new association, and no keys of it yet.
    pub(super) renewing: bool,
    plain: Option<PlainEcho>,
    pub(super) early: VecDeque<Vec<u8>>,
    out: VecDeque<(SocketAddr, Vec<u8>)>,
    /// Until when there must be keys; set with the path.
    pub(super) deadline: Option<Instant>,
    pub(super) dtls_wakes: Option<Instant>,
    ended: Option<Ended>,
}

struct EchoPlan {
    codecs: Vec<Codec>,
    may_send: bool,
    start: Start,
    reports: Reports,
    faults: Arc<Faults>,
}

impl Machine {
    /// `wall` is the time of day at `now`. Nothing if a library refuses its configuration, which no offer can cause.
    pub(super) fn new(
        offer: Offer,
        identity: Identity,
        local: SocketAddr,
        faults: Arc<Faults>,
        now: Instant,
        wall: SystemTime,
    ) -> Option<Self> {
        let known = Known::of(&offer, &identity, local, faults.clone());
        let mut ice = Ice::new(identity.ice, offer.ice, offer.ice_lite, local, faults.clone(), now)?;
        offer.candidates.into_iter().for_each(|candidate| ice.add(candidate));
        let clock_hz = offer.codecs.first()?.clock_hz;
        let plan = EchoPlan {
            codecs: offer.codecs,
            may_send: matches!(offer.direction, Direction::SendRecv | Direction::SendOnly),
            start: Start { ssrc: identity.ssrc, sequence: identity.sequence, timestamp: identity.timestamp },
            reports: Reports::new(now, wall, identity.ssrc, identity.cname, clock_hz),
            faults: faults.clone(),
        };
        let mut machine = Self {
            ice,
            dtls: None,
            plan: Some(plan),
            echo: None,
            known,
            renewing: false,
            plain: None,
            early: VecDeque::new(),
            out: VecDeque::new(),
            deadline: None,
            dtls_wakes: None,
            ended: None,
        };
        match offer.keying {
            Keying::Dtls { role, fingerprints } => {
                let association =
                    Association::new(role, identity.certificate, identity.repeatable, fingerprints, faults, now)?;
                machine.dtls = Some((association, role));
            }
            Keying::Sdes(keys) => machine.build_echo(&keys.theirs, &keys.ours),
            Keying::None => machine.plain = machine.plan.take().map(|plan| PlainEcho::new(plan.start)),
        }
        machine.step(now);
        Some(machine)
    }

    /// A datagram came. Whatever it holds, it is answered, kept within a bound, or dropped.
    pub fn input(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        match demux::classify(datagram) {
            Kind::Stun => self.ice.input(now, from, datagram),
            Kind::Dtls if !self.ice.knows(from) => {
                let answer = self.dtls.as_ref().map(|(dtls, _)| dtls.stranger(datagram));
                self.out.extend(answer.into_iter().flatten().map(|datagram| (from, datagram)));
            }
            _ if !self.ice.knows(from) => {} // RFC 8445, section 12: media only between validated addresses
            Kind::Dtls => self.handshake(now, datagram),
            Kind::Rtp => {
                let packet = match (&mut self.echo, &mut self.plain, &mut self.plan) {
                    (Some(echo), _, _) => echo.rtp(now, datagram),
                    (None, Some(plain), _) => plain.rtp(datagram),
                    (None, None, Some(plan)) => echo::early_echo(&plan.faults, &mut plan.start, datagram),
                    (None, None, None) => None,
                };
                if let (Some(packet), Some(path)) = (packet, self.ice.path()) {
                    self.out.push_back((path, packet));
                }
            }
            Kind::Rtcp => {
                if let Some(echo) = &mut self.echo {
                    echo.rtcp(now, datagram);
                }
            }
            Kind::Zrtp | Kind::TurnChannel | Kind::Unknown => {}
        }
        self.step(now);
    }

    /// Time has passed.
    pub fn timeout(&mut self, now: Instant) {
        self.step(now);
    }

    /// The callee hangs up: says goodbye on the association and ends.
    pub fn stop(&mut self) {
        if let (Some((dtls, _)), Some(path)) = (&mut self.dtls, self.ice.path()) {
            dtls.close();
            while let DtlsOutput::Transmit(packet) = dtls.poll() {
                self.out.push_back((path, packet));
            }
        }
        self.ended.get_or_insert(Ended::Stopped);
    }

    /// What to do next. To be asked after each call of the others, until there is a timeout or the end.
    pub fn poll(&mut self) -> Output {
        if let Some((to, packet)) = self.out.pop_front() {
            return Output::Transmit(to, packet);
        }
        if let Some(ended) = &self.ended {
            return Output::Ended(ended.clone());
        }
        let ice = match self.ice.poll() {
            IceOutput::Transmit(to, packet) => return Output::Transmit(to, packet),
            IceOutput::Timeout(at) => at,
        };
        let others = [self.deadline, self.dtls_wakes, self.echo.as_ref().and_then(Echo::due)];
        Output::Timeout(others.into_iter().flatten().fold(ice, Instant::min))
    }

    /// What was counted so far.
    pub fn stats(&self) -> MediaStats {
        let keyed = self.echo.as_ref().map(|echo| echo.stats);
        keyed.or(self.plain.as_ref().map(|plain| plain.stats)).unwrap_or_default()
    }

    fn handshake(&mut self, now: Instant, datagram: &[u8]) {
        match &mut self.dtls {
            Some((dtls, _)) if self.ice.is_settled() => {
                dtls.input(now, datagram);
                self.dtls_wakes = None; // there may be an answer
            }
            Some(_) if self.early.len() < MAX_EARLY => self.early.push_back(datagram.to_vec()),
            _ => {}
        }
    }

    /// Lets every part act on what happened.
    fn step(&mut self, now: Instant) {
        if self.ended.is_some() {
            return;
        }
        self.ice.timeout(now); // after each datagram too: no flood of them keeps consent from being checked
        if self.ice.failed() {
            self.ended = Some(Ended::IceFailed);
            return;
        }
        let Some(path) = self.ice.path() else { return };
        let waits = self.renewing || (self.echo.is_none() && self.plain.is_none());
        if waits && now >= *self.deadline.get_or_insert(now + HANDSHAKE) {
            self.ended = Some(Ended::DtlsFailed("the handshake took too long".into()));
            return;
        }
        self.associate(now, path);
        if let Some(echo) = &mut self.echo {
            self.deadline = self.deadline.filter(|_| self.renewing);
            echo.begin(now);
            self.out.extend(echo.tick(now).into_iter().map(|packet| (path, packet)));
        }
    }

    /// Drains the association. It is not asked before there is a path, so none of its timers runs against ICE.
    fn associate(&mut self, now: Instant, path: SocketAddr) {
        let Some((dtls, role)) = self.dtls.as_mut().filter(|_| self.ice.is_settled()) else { return };
        if self.dtls_wakes.is_some_and(|at| now < at) {
            return;
        }
        let role = *role;
        dtls.timeout(now);
        loop {
            match dtls.poll() {
                DtlsOutput::Transmit(packet) => self.out.push_back((path, packet)),
                DtlsOutput::Keys(keys) => {
                    let (theirs, ours) = match role {
                        Role::Client => (&keys.server, &keys.client),
                        Role::Server => (&keys.client, &keys.server),
                    };
                    if let Some(echo) = self.echo.as_mut().filter(|_| std::mem::take(&mut self.renewing)) {
                        echo.rekey((Context::new(theirs), Context::new(ours)));
                    } else if let Some(plan) = self.plan.take() {
                        self.echo = Some(plan.build(theirs, ours));
                    }
                }
                DtlsOutput::Ended(ended) => {
                    self.ended.get_or_insert(ended);
                    return;
                }
                DtlsOutput::Timeout(at) => match self.early.pop_front() {
                    Some(datagram) => dtls.input(now, &datagram),
                    None => return self.dtls_wakes = Some(at),
                },
            }
        }
    }

    fn build_echo(&mut self, theirs: &MasterKey, ours: &MasterKey) {
        self.echo = self.plan.take().map(|plan| plan.build(theirs, ours));
    }
}

impl EchoPlan {
    fn build(self, theirs: &MasterKey, ours: &MasterKey) -> Echo {
        let contexts = (Context::new(theirs), Context::new(ours));
        Echo::new(contexts, self.codecs, self.may_send, self.start, self.reports, self.faults)
    }
}
