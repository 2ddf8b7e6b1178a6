//! A whole call: the signalling machine and the media machine joined as a driver joins them, and a peer that has no keys.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_client::media::{CandidatePolicy, Event as Told, Input, MediaMachine, MediaPlan, Output};
use ringfence_client::signalling::{Event, Input as Command};
use ringfence_model::RunKey;
use ringfence_wire::demux::{Kind, classify};

use super::dialogue::Dialogue;
use super::keyless::Keyless;
use super::pace::Pace;
use super::record::Record;
use super::subject::{Medium, Subject, identity};
use crate::generators::peer::Act;
use crate::oracles::calling::{keyless, scoped, told_keyless};
use crate::oracles::machine::{SameInstant, drained};

/// Our socket.
const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 50_000);
/// Where datagrams come from: the target, another port, and somebody beyond the scope.
const REMOTES: [SocketAddr; 3] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 40_000),
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 40_001),
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 66)), 40_000),
];
/// Wakes of the media in one script, and once more when the peer has fallen silent: then their clock stands still.
const MAX_WAKES: usize = 400;
/// How long the peer is silent at the end, before signalling alone goes on: longer than ICE checks.
const SILENCE: Duration = Duration::from_secs(12);
/// What one input of the media may lead to: a batch of checks, a flight of DTLS and the audio of a pause.
const MAX_OUTPUTS: usize = 512;
/// Turns between the machines for one act.
const MAX_TURNS: usize = 64;

/// A call in play.
pub struct Call<S, M> {
    dialogue: Dialogue<S>,
    media: M,
    /// Nobody may be dialled at all.
    refuses_all: bool,
    wake: Option<Instant>,
    wakes: usize,
    instants: SameInstant,
    offer: Option<String>,
    far: Keyless,
    /// Each check of ours is answered at once, and right: there is a way for what follows.
    has_ice: bool,
    /// A check waits for that answer.
    asked: bool,
    record: Record,
}

impl<S: Subject> Call<S, MediaMachine> {
    /// A call with an open connection, whose media are ours and gather.
    pub fn of(dialogue: Dialogue<S>, letters: &[u8], record: Record) -> Self {
        let plan = MediaPlan { candidates: CandidatePolicy::Host, ..MediaPlan::honest(identity(), 7) };
        let key = RunKey::from_random([1; 32]);
        let refuses_all = letters.contains(&b'z');
        let scope = Arc::new(move |address: SocketAddr| !refuses_all && address.ip().is_loopback());
        let media = MediaMachine::new(dialogue.now(), plan, vec![LOCAL], vec![], vec![], key).expect("a plan");
        Self::new(dialogue, media.with_scope(scope), letters, record)
    }
}

impl<S: Subject, M: Medium> Call<S, M> {
    /// A call with an open connection, and these media.
    pub fn new(dialogue: Dialogue<S>, media: M, letters: &[u8], record: Record) -> Self {
        let mut call = Self {
            dialogue,
            media,
            refuses_all: letters.contains(&b'z'),
            wake: None,
            wakes: 0,
            instants: SameInstant::default(),
            offer: None,
            far: Keyless::default(),
            has_ice: letters.contains(&b'i'),
            asked: false,
            record,
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

    /// The peer says no more. What was seen of it until then is asked for once: it only grows.
    pub fn fall_silent(&mut self) {
        self.wakes = 0;
        self.wait(SILENCE);
        self.dialogue.fall_silent();
        self.turn();
        keyless(&self.media.seen(self.dialogue.now()));
    }

    fn next(&self) -> Option<Instant> {
        [self.dialogue.wake(), self.wake()].into_iter().flatten().min()
    }

    /// What the media wait for, while their clock goes.
    fn wake(&self) -> Option<Instant> {
        self.wake.filter(|_| self.wakes < MAX_WAKES)
    }

    fn wait(&mut self, time: Duration) {
        let until = self.dialogue.now() + time;
        let mut pace = Pace::new(self.dialogue.now(), time);
        loop {
            let wake = pace.due(self.wake());
            let Some(at) = [self.dialogue.wake(), wake].into_iter().flatten().min().filter(|at| *at <= until) else {
                break;
            };
            self.dialogue.wait(at.saturating_duration_since(self.dialogue.now()));
            if self.dialogue.now() < at {
                break; // the dialogue no longer wakes: it has done so often enough
            }
            let is_woken = wake.is_some_and(|wake| wake <= at);
            if is_woken {
                self.wakes += 1;
                self.input(Input::Timeout);
            }
            self.turn();
            if is_woken {
                self.instants.woken(at, self.wake);
                pace.woken(at, self.wake);
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
            let answer = if std::mem::take(&mut self.asked) && self.has_ice { self.far.answer(LOCAL) } else { None };
            if told.is_empty() && events.is_empty() && answer.is_none() {
                return;
            }
            if let Some(bytes) = answer {
                self.input(Input::Datagram { local: LOCAL, remote: REMOTES[0], bytes: &bytes });
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
                    self.asked |= self.far.hear(&bytes);
                    let kind = classify(&bytes);
                    if kind != Kind::Stun {
                        self.note(|| format!("sends {kind:?} of {} bytes", bytes.len()));
                    }
                }
                Output::Event(event) => {
                    told_keyless(&event);
                    self.note(|| format!("{event:?}"));
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

    fn note(&self, text: impl FnOnce() -> String) {
        self.record.note(|| format!("media: {}", text()));
    }

    fn datagram(&mut self, text: &[u8]) {
        let kind = text.first().copied().unwrap_or(b'x');
        let place = text.get(1).copied().unwrap_or(b'0');
        // A line has no line end in it: `~` is that byte.
        let rest: Vec<u8> = text.iter().skip(2).map(|byte| if *byte == b'~' { b'\n' } else { *byte }).collect();
        let remote = REMOTES.get(usize::from(place) % REMOTES.len()).copied().unwrap_or(REMOTES[0]);
        if let Some(bytes) = self.far.says(kind, &rest, self.offer.as_deref(), LOCAL) {
            self.input(Input::Datagram { local: LOCAL, remote, bytes: &bytes });
        }
    }
}
