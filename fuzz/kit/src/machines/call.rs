//! A whole call: the signalling machine and the media machine joined as a driver joins them, and a peer that has no keys.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_client::media::{CandidatePolicy, Event as Told, Input, MediaMachine, MediaPlan, Output};
use ringfence_client::signalling::{Event, Input as Command, Signalling};
use ringfence_model::RunKey;
use ringfence_wire::stun::{Attribute, Class, Message, Method};

use super::dialogue::Dialogue;
use super::relayed::identity;
use crate::generators::peer::Act;
use crate::oracles::calling::{keyless, scoped};
use crate::oracles::machine::{SameInstant, drained};

/// Our socket.
const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 50_000);
/// Where datagrams come from: the target, another port, and somebody beyond the scope.
const REMOTES: [SocketAddr; 3] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 40_000),
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 40_001),
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 66)), 40_000),
];
/// The password in the target's description.
const THEIR_PWD: &[u8] = b"0123456789012345678901";
const THEIR_UFRAG: &str = "abcdef";
/// Wakes of the media in one script: then their clock stands still.
const MAX_WAKES: usize = 600;
/// What one input of the media may lead to: a batch of checks, a flight of DTLS and the audio of a pause.
const MAX_OUTPUTS: usize = 512;
/// Turns between the machines for one act.
const MAX_TURNS: usize = 64;

/// A call in play.
pub struct Call {
    dialogue: Dialogue<Signalling>,
    media: MediaMachine,
    /// Nobody may be dialled at all.
    refuses_all: bool,
    wake: Option<Instant>,
    wakes: usize,
    instants: SameInstant,
    offer: Option<String>,
    checks: Vec<Message>,
    record: Option<Vec<String>>,
}

impl Call {
    /// A call with an open connection, whose media gather.
    pub fn new(dialogue: Dialogue<Signalling>, letters: &[u8], record: bool) -> Self {
        let plan = MediaPlan { candidates: CandidatePolicy::Host, ..MediaPlan::honest(identity(), 7) };
        let key = RunKey::from_random([1; 32]);
        let refuses_all = letters.contains(&b'z');
        let scope = Arc::new(move |address: SocketAddr| !refuses_all && address.ip().is_loopback());
        let media = MediaMachine::new(dialogue.now(), plan, vec![LOCAL], vec![], vec![], key).expect("a plan");
        let mut call = Self {
            dialogue,
            media: media.with_scope(scope),
            refuses_all,
            wake: None,
            wakes: 0,
            instants: SameInstant::default(),
            offer: None,
            checks: Vec::new(),
            record: record.then(Vec::new),
        };
        call.turn();
        call
    }

    /// Plays one act.
    pub fn play(&mut self, act: &Act<'_>) {
        match act {
            Act::Wait(time) => return self.wait(*time),
            Act::Wake => {
                if let Some(at) = self.next() {
                    self.wait(at.saturating_duration_since(self.dialogue.now()));
                }
                return;
            }
            Act::Invite => {
                let sdp = self.offer.clone().unwrap_or_default();
                self.dialogue.command("invite", Command::Invite { sdp, headers: vec![] });
            }
            Act::Datagram(text) => self.datagram(text),
            other => self.dialogue.play(other),
        }
        self.turn();
    }

    /// The peer says no more.
    pub fn fall_silent(&mut self) {
        self.wait(Duration::from_secs(12));
        self.dialogue.fall_silent();
        self.turn();
    }

    /// What happened, in lines.
    pub fn into_record(self) -> Vec<String> {
        let mut lines = self.dialogue.into_record().lines;
        lines.extend(self.record.unwrap_or_default());
        lines
    }

    fn next(&self) -> Option<Instant> {
        [self.dialogue.wake(), self.wake.filter(|_| self.wakes < MAX_WAKES)].into_iter().flatten().min()
    }

    fn wait(&mut self, time: Duration) {
        let until = self.dialogue.now() + time;
        let mut steps = 0;
        while let Some(at) = self.next().filter(|at| *at <= until) {
            self.dialogue.wait(at.saturating_duration_since(self.dialogue.now()));
            if self.wake.is_some_and(|wake| wake <= at) && self.wakes < MAX_WAKES {
                self.wakes += 1;
                self.input(Input::Timeout);
                self.turn();
                let now = self.dialogue.now();
                self.instants.woken(now, self.wake);
            }
            self.turn();
            steps += 1;
            if steps > 2 * MAX_WAKES {
                break; // the dialogue no longer wakes: it has done so often enough
            }
        }
        self.dialogue.wait(until.saturating_duration_since(self.dialogue.now()));
        self.turn();
    }

    /// What either machine tells goes to the other, until both rest.
    fn turn(&mut self) {
        for _ in 0..MAX_TURNS {
            let told = self.drain();
            let events = self.dialogue.told();
            if told.is_empty() && events.is_empty() {
                return keyless(&self.media.seen(self.dialogue.now()));
            }
            for event in told {
                match event {
                    Told::Offer(sdp) => self.offer = Some(sdp),
                    Told::Description(sdp) => self.dialogue.command("answer", Command::Answer { sdp }),
                    Told::Reoffer(sdp) => self.dialogue.command("change", Command::Change { sdp }),
                    _ => {}
                }
            }
            for event in events {
                self.hand_over(event);
            }
        }
        drained(usize::MAX);
    }

    fn hand_over(&mut self, event: Event) {
        let text = |sdp: &[u8]| String::from_utf8_lossy(sdp).into_owned();
        match event {
            Event::Answered { sdp, .. } => {
                if let Some(sdp) = sdp {
                    self.input(Input::Answer(&text(&sdp)));
                }
                self.input(Input::SendAudio(true));
            }
            Event::Described { sdp } => self.input(Input::Answer(&text(&sdp))),
            Event::Offered { sdp } => {
                let sdp = sdp.as_deref().map(text);
                self.input(Input::Offer(sdp.as_deref()));
            }
            Event::Changed { status, sdp } => {
                let sdp = sdp.as_deref().map(text);
                self.input(Input::Reanswer { status, sdp: sdp.as_deref() });
            }
            Event::RemoteBye { .. } | Event::Ended | Event::Refused { .. } => self.input(Input::Close),
            _ => {}
        }
    }

    fn input(&mut self, input: Input<'_>) {
        self.media.input(self.dialogue.now(), input);
    }

    fn drain(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        for _ in 0..MAX_OUTPUTS {
            match self.media.poll() {
                Output::Transmit { remote, bytes, .. } => {
                    scoped(remote, self.refuses_all);
                    let check = Message::parse(&bytes).ok().filter(|message| message.class == Class::Request);
                    self.checks.extend(check);
                }
                Output::Event(event) => {
                    if let Some(record) = &mut self.record {
                        record.push(format!("media: {event:?}"));
                    }
                    told.push(event);
                }
                output => {
                    self.wake = if let Output::Timeout(at) = output { Some(at) } else { None };
                    return told;
                }
            }
        }
        drained(usize::MAX);
        told
    }

    fn datagram(&mut self, text: &[u8]) {
        let kind = text.first().copied().unwrap_or(b'x');
        let place = text.get(1).copied().unwrap_or(b'0');
        let rest = text.get(2..).unwrap_or_default();
        let remote = REMOTES.get(usize::from(place) % REMOTES.len()).copied().unwrap_or(REMOTES[0]);
        let bytes = match kind {
            b's' | b'S' => self.check(kind == b's').unwrap_or_default(),
            b'a' | b'A' => self.check_answer(kind == b'a').unwrap_or_default(),
            b'd' => [&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1], &length(rest)[..], rest].concat(),
            b'r' => [&[0x80, 0, 0, 1, 0, 0, 0, 160, 0, 0, 0, 7], rest].concat(),
            b'c' => [&[0x80, 201, 0, 1, 0, 0, 0, 7], rest].concat(),
            _ => rest.to_vec(),
        };
        self.input(Input::Datagram { local: LOCAL, remote, bytes: &bytes });
    }

    /// A connectivity check of the target, under our password or another.
    fn check(&self, right: bool) -> Option<Vec<u8>> {
        let offer = self.offer.as_deref()?;
        let line = |name: &str| offer.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        let check = Message::new(Class::Request, Method::BINDING, [3; 12]);
        let check = check.with(Attribute::Username(format!("{}:{THEIR_UFRAG}", line("a=ice-ufrag:"))));
        let check = check.with(Attribute::Priority(1)).with(Attribute::IceControlled(5));
        let key = if right { line("a=ice-pwd:") } else { "not the password that is" };
        check.signed(key.as_bytes()).ok()?.fingerprinted().ok()?.emit().ok()
    }

    /// The answer to our last check, under the target's password or another.
    fn check_answer(&self, right: bool) -> Option<Vec<u8>> {
        let check = self.checks.last()?;
        let answer = Message::new(Class::Success, check.method, check.transaction);
        let answer = answer.with(Attribute::XorMappedAddress(LOCAL));
        let key = if right { THEIR_PWD } else { b"not the password that is" };
        answer.signed(key).ok()?.fingerprinted().ok()?.emit().ok()
    }
}

fn length(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes()
}
