//! The media machine and a TURN server by script: a call that is relayed, or is to be.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ringfence_client::media::{
    CandidatePolicy, Event, Input, MediaMachine, MediaPlan, Output, TurnServer, TurnTransport,
};
use ringfence_model::{RunKey, Secret};

use super::pace::Pace;
use super::record::Record;
use super::server::{LOCAL, PEER, SERVER, Server, data_of};
use super::subject::{MARKER, Medium, identity};
use crate::generators::relay::Act;
use crate::oracles::machine::{SameInstant, calm, drained, rests};
use crate::oracles::relaying::{gathered, offered, sent};
use crate::oracles::signalling::unsaid;

/// Somebody who is not the server.
const STRANGER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 66)), 3478);
/// What the target says to our offer.
const ANSWER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 40000 UDP/TLS/RTP/SAVPF 0\r\n\
c=IN IP4 127.0.0.8\r\na=ice-ufrag:abcdef\r\na=ice-pwd:0123456789012345678901\r\na=setup:active\r\na=fingerprint:sha-256 00:11\r\n\
a=candidate:1 1 udp 2130706431 127.0.0.8 40000 typ host\r\n";
/// Wakes of one script, and outputs between two of them: beyond that a machine never rests.
const MAX_WAKES: usize = 400;
const MAX_OUTPUTS: usize = 512;
/// How long the server is silent at the end: gathering has to be over, whatever came before.
const SILENCE: Duration = Duration::from_secs(8);

/// A machine in play with its server.
pub struct Relayed<M> {
    machine: M,
    began: Instant,
    now: Instant,
    wake: Option<Instant>,
    wakes: usize,
    instants: SameInstant,
    local: SocketAddr,
    /// Requests of ours, as they came.
    requests: Vec<Vec<u8>>,
    last: Vec<u8>,
    server: Server,
    stranger: bool,
    /// Our own addresses are candidates too.
    offers_ours: bool,
    /// What the server has granted under the right password.
    granted: Vec<SocketAddr>,
    closed: bool,
    told: bool,
    sent: usize,
    elsewhere: usize,
    came: usize,
    record: Record,
}

impl Relayed<MediaMachine> {
    /// Our machine, with the plan of these letters.
    pub fn of(letters: &[u8], record: Record) -> Self {
        let has = |letter| letters.contains(&letter);
        let now = Instant::now();
        let candidates = if has(b'a') { CandidatePolicy::All } else { CandidatePolicy::Relay };
        let plan = MediaPlan { candidates, ..MediaPlan::honest(identity(), 7) };
        let transport = match (has(b't'), has(b's')) {
            (true, _) => TurnTransport::Tcp,
            (_, true) => TurnTransport::Tls,
            _ => TurnTransport::Udp,
        };
        let server = TurnServer {
            address: SERVER,
            host: "127.0.0.9".into(),
            transport,
            username: "user".into(),
            credential: Secret::from(MARKER),
        };
        let machine = MediaMachine::new(now, plan, vec![LOCAL], vec![server], vec![], RunKey::from_random([1; 32]))
            .expect("a plan");
        Self::new(machine, now, has(b'a'), record)
    }
}

impl<M: Medium> Relayed<M> {
    /// A machine that begins to gather. `now` is what it was made with; `offers_ours` says that relay-only is not its plan.
    pub fn new(machine: M, now: Instant, offers_ours: bool, record: Record) -> Self {
        let mut relayed = Self {
            machine,
            began: now,
            now,
            wake: None,
            wakes: 0,
            instants: SameInstant::default(),
            local: LOCAL,
            requests: Vec::new(),
            last: Vec::new(),
            server: Server::default(),
            stranger: false,
            offers_ours,
            granted: Vec::new(),
            closed: false,
            told: false,
            sent: 0,
            elsewhere: 0,
            came: 0,
            record,
        };
        relayed.drain();
        relayed
    }

    /// Plays one act.
    pub fn play(&mut self, act: &Act<'_>) {
        match act {
            Act::Plan(_) => {}
            Act::Wait(time) => self.wait(*time),
            Act::Wake => {
                if let Some(at) = self.wake {
                    self.wait(at.saturating_duration_since(self.now));
                }
            }
            Act::Answer(back, answer) => {
                let at = self.requests.len().checked_sub(back + 1);
                let request = at.and_then(|at| self.requests.get(at)).cloned();
                if let Some(bytes) = request.and_then(|request| self.server.answer(&request, answer)) {
                    self.say(bytes);
                }
            }
            Act::Data(channel, data) => self.say(data_of(*channel, data)),
            Act::Stranger => self.stranger = true,
            Act::Target => self.input(Input::Answer(ANSWER)),
            Act::Raw(bytes) => self.say(bytes.to_vec()),
            Act::Repeat => self.say(self.last.clone()),
            Act::Connected => {
                if let Some(place) = self.machine.unconnected() {
                    self.local = SocketAddr::new(LOCAL.ip(), 41_000);
                    self.input(Input::TurnConnected { place, local: self.local });
                }
            }
            Act::Lost => self.input(Input::TurnLost { place: 0, why: "gone" }),
            Act::Close => {
                (self.told, self.closed) = (true, true);
                self.input(Input::Close);
            }
        }
    }

    /// The server says no more: gathering ends, and who has closed rests.
    pub fn fall_silent(&mut self) {
        self.record.act(&"the server is silent for ever");
        self.wakes = 0;
        self.wait(SILENCE);
        calm(self.wakes, SILENCE);
        rests(0, !self.closed || self.wake.is_none());
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        let mut pace = Pace::new(self.now, time);
        while let Some(at) = pace.due(self.wake).filter(|at| *at <= until) {
            if self.wakes >= MAX_WAKES {
                return;
            }
            self.wakes += 1;
            self.now = self.now.max(at);
            self.input(Input::Timeout);
            self.instants.woken(self.now, self.wake);
            pace.woken(self.now, self.wake);
        }
        self.now = until;
        gathered(self.now.saturating_duration_since(self.began), self.told);
    }

    fn say(&mut self, bytes: Vec<u8>) {
        let remote = if std::mem::take(&mut self.stranger) { STRANGER } else { SERVER };
        self.came += 1;
        self.note(|| format!("hears {} bytes from {remote}", bytes.len()));
        self.last.clone_from(&bytes);
        if remote == SERVER {
            self.granted.extend(self.server.granted(&bytes, &self.requests));
        }
        self.input(Input::Datagram { local: self.local, remote, bytes: &bytes });
    }

    fn input(&mut self, input: Input<'_>) {
        self.machine.input(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        for _ in 0..MAX_OUTPUTS {
            match self.machine.poll() {
                Output::Transmit { remote, bytes, .. } => {
                    unsaid(MARKER, &bytes);
                    self.sent += 1;
                    // With our own candidates offered, checks go to the target directly.
                    self.elsewhere += usize::from(remote != SERVER && !(self.offers_ours && remote == PEER));
                    self.note(|| format!("  sends {} bytes to {remote}", bytes.len()));
                    self.requests.push(bytes);
                }
                Output::Event(event) => {
                    self.note(|| format!("{event:?}"));
                    if let Event::Offer(offer) = &event {
                        offered(offer, &self.granted);
                    }
                    self.told |= matches!(event, Event::Offer(_) | Event::Failed(_));
                }
                output => {
                    self.wake = if let Output::Timeout(at) = output { Some(at) } else { None };
                    let time = self.now.saturating_duration_since(self.began);
                    return sent(self.sent, self.elsewhere, time, self.came);
                }
            }
        }
        drained(usize::MAX);
    }

    fn note(&self, text: impl FnOnce() -> String) {
        let at = || self.now.saturating_duration_since(self.began).as_secs_f64();
        self.record.note(|| format!("{:>8.2} s {}", at(), text()));
    }
}
