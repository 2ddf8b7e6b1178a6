//! Both machines and the network between them, from the offer to the end of both.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use ringfence_client::media::{Event, Identity, Input, MediaMachine, MediaPlan, Output};
use ringfence_lab::fault::Faults;
use ringfence_lab::media::{Ended, Machine, MediaSettings, MediaStats, Output as LabOutput, answer_on};
use ringfence_model::RunKey;
use ringfence_model::observation::CallSeen;
use ringfence_wire::demux::classify;

use super::conditions::Conditions;
use super::network::{Counts, Network, Side};

/// How long we talk after the first echo.
const TALK: Duration = Duration::from_millis(1500);
/// A call without an echo until then is hung up.
const NO_ECHO: Duration = Duration::from_secs(30);
/// Consent expires after 30 s at the latest (RFC 7675, section 5.1): by then a side knows that the other has gone, even if
/// the goodbye was lost.
const AFTERWARDS: Duration = Duration::from_secs(40);
/// What one machine may have to say at one moment: a burst of checks, a flight, kept audio.
const MAX_OUTPUTS: usize = 600;
/// So many of a kind that one side says are recorded: enough for a handshake.
const MAX_SAID: usize = 6;
/// How often a machine may ask to be woken at one and the same moment.
const MAX_WAKES: u32 = 20;

/// What became of a call. Moments are counted from the offer.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub events: Vec<(Duration, Event)>,
    pub seen: CallSeen,
    pub stats: MediaStats,
    pub lab_ended: Option<(Duration, Ended)>,
    /// The client hung up and has nothing more to do.
    pub client_idle: bool,
    /// When one of the two hung up.
    pub hung_up: Option<Duration>,
    /// Most datagrams of one machine within a second.
    pub busiest_second: usize,
    pub counts: [Counts; 2],
    /// Every datagram and event, if that was wanted.
    pub trace: Vec<String>,
    /// What was said, a line each, if that was wanted: who, what it is, and its bytes in hex.
    pub said: Vec<String>,
}

impl Outcome {
    /// When the client told this first.
    pub fn told(&self, event: &Event) -> Option<Duration> {
        self.events.iter().find(|(_, told)| told == event).map(|(at, _)| *at)
    }
}

/// One call under way.
pub struct Call {
    conditions: Conditions,
    traced: bool,
    start: Instant,
    now: Instant,
    client: MediaMachine,
    lab: Option<Machine>,
    network: Network,
    /// The offer or the answer, under way.
    letter: Option<(Instant, Side, String)>,
    wakes: [Option<Instant>; 2],
    sent: [VecDeque<Instant>; 2],
    outcome: Outcome,
}

impl Call {
    /// Runs a call to its end, with or without a trace of every datagram.
    pub fn run(conditions: Conditions, traced: bool) -> Outcome {
        let start = Instant::now(); // the only look at a clock: any moment will do
        let plan = MediaPlan {
            setup: conditions.setup,
            srtp_profiles: conditions.profiles.clone(),
            codecs: vec![conditions.codec],
            ..MediaPlan::honest(Identity::fresh().expect("a certificate"), conditions.seed)
        };
        let key = RunKey::from_random([7; 32]);
        let client = MediaMachine::new(start, plan, vec![address(Side::Client)], Vec::new(), Vec::new(), key);
        let mut call = Self {
            client: client.expect("a plan that can be used"),
            lab: None,
            network: Network::new(conditions.seed, conditions.weather.clone()),
            conditions,
            traced,
            start,
            now: start,
            letter: None,
            wakes: [None, None],
            sent: Default::default(),
            outcome: Outcome::default(),
        };
        call.drain_client();
        while let Some(next) = call.next_moment() {
            assert!(next >= call.now, "time goes backwards");
            call.now = next;
            call.moment();
        }
        call.finish()
    }

    /// Everything that happens now.
    fn moment(&mut self) {
        if let Some((_, to, text)) = self.letter.take_if(|(at, _, _)| *at <= self.now) {
            self.record(to.other(), "sdp", text.as_bytes());
            self.deliver_letter(to, &text);
        }
        while let Some(datagram) = self.network.receive(self.now) {
            let bytes = &datagram.bytes;
            self.note(
                datagram.to,
                &format!("receives {:?} {}{}", classify(bytes), bytes.len(), damage(datagram.damaged)),
            );
            match (datagram.to, &mut self.lab) {
                (Side::Lab, Some(lab)) => {
                    lab.input(self.now, address(Side::Client), bytes);
                    self.drain_lab();
                }
                (Side::Lab, None) => {}
                (Side::Client, _) => {
                    let (local, remote) = (address(Side::Client), address(Side::Lab));
                    self.client.input(self.now, Input::Datagram { local, remote, bytes });
                    self.drain_client();
                }
            }
        }
        self.wake();
        self.maybe_hang_up();
        let gone = |(_, event): &(Duration, Event)| matches!(event, Event::RemoteClosed | Event::Failed(_));
        if self.outcome.hung_up.is_some() && self.outcome.events.iter().any(gone) {
            self.client.input(self.now, Input::Close); // as its user does
            self.drain_client();
        }
    }

    /// Wakes whoever asked for it, until both want to sleep.
    fn wake(&mut self) {
        for round in 0.. {
            let due = self.wakes.map(|at| at.is_some_and(|at| at <= self.now));
            if due == [false, false] {
                return;
            }
            assert!(round < MAX_WAKES, "seed {}: {due:?} wants to be woken again and again", self.conditions.seed);
            if due[Side::Client as usize] {
                self.client.input(self.now, Input::Timeout);
                self.drain_client();
            }
            if let (true, Some(lab)) = (due[Side::Lab as usize], &mut self.lab) {
                lab.timeout(self.now);
                self.drain_lab();
            }
        }
    }

    fn deliver_letter(&mut self, to: Side, text: &str) {
        if to == Side::Client {
            self.client.input(self.now, Input::Answer(text));
            self.client.input(self.now, Input::SendAudio(true));
            return self.drain_client();
        }
        let faults = Arc::new(Faults::new(self.conditions.fault));
        let settings = MediaSettings { local_ip: address(Side::Lab).ip(), faults };
        let wall = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let answered = answer_on(&settings, text, address(Side::Lab), self.now, wall);
        let (answer, lab) = answered.unwrap_or_else(|refusal| panic!("{refusal:?}\n{text}"));
        self.letter = Some((self.now + self.conditions.signalling, Side::Client, answer));
        self.lab = Some(lab);
        self.drain_lab();
    }

    fn maybe_hang_up(&mut self) {
        let enough = match self.outcome.told(&Event::Echoed) {
            Some(at) => at + TALK,
            None => NO_ECHO,
        };
        if self.outcome.hung_up.is_some() || self.now < self.start + enough {
            return;
        }
        self.outcome.hung_up = Some(self.now - self.start);
        self.outcome.seen = self.client.seen(self.now);
        if let (true, Some(lab)) = (self.conditions.lab_hangs_up, &mut self.lab) {
            lab.stop();
            self.drain_lab();
            self.client.input(self.now, Input::SendAudio(false)); // nobody is there to hear it
            self.drain_client();
        } else {
            self.client.input(self.now, Input::Close);
            self.drain_client();
        }
    }

    fn drain_client(&mut self) {
        self.wakes[Side::Client as usize] = None;
        self.outcome.client_idle = false;
        for _ in 0..MAX_OUTPUTS {
            match self.client.poll() {
                Output::Transmit { local, remote, bytes } => {
                    assert_eq!((local, remote), (address(Side::Client), address(Side::Lab)));
                    self.send(Side::Client, bytes);
                }
                Output::Event(Event::Offer(offer)) => {
                    self.letter = Some((self.now + self.conditions.signalling, Side::Lab, offer));
                }
                Output::Event(event) => {
                    self.note(Side::Client, &format!("tells {event:?}"));
                    self.outcome.events.push((self.now - self.start, event));
                }
                Output::Timeout(at) => return self.wakes[Side::Client as usize] = Some(at),
                Output::Idle => return self.outcome.client_idle = true,
            }
        }
        panic!("seed {}: the client has no end of things to do", self.conditions.seed);
    }

    fn drain_lab(&mut self) {
        self.wakes[Side::Lab as usize] = None;
        for _ in 0..MAX_OUTPUTS {
            let Some(lab) = &mut self.lab else { return };
            match lab.poll() {
                LabOutput::Transmit(to, bytes) => {
                    assert_eq!(to, address(Side::Client));
                    self.send(Side::Lab, bytes);
                }
                LabOutput::Timeout(at) => return self.wakes[Side::Lab as usize] = Some(at),
                LabOutput::Ended(ended) => {
                    self.outcome.stats = lab.stats();
                    self.lab = None; // as its driver does
                    self.note(Side::Lab, &format!("ends: {ended:?}"));
                    self.outcome.lab_ended = Some((self.now - self.start, ended));
                    return;
                }
            }
        }
        panic!("seed {}: the lab has no end of things to do", self.conditions.seed);
    }

    fn send(&mut self, from: Side, bytes: Vec<u8>) {
        let kind = classify(&bytes);
        let what = format!("sends {kind:?} {}", bytes.len());
        self.record(from, &format!("{kind:?}").to_lowercase(), &bytes);
        self.network.send(self.now, from, bytes);
        self.note(from, &what);
        let sent = &mut self.sent[from as usize];
        sent.push_back(self.now);
        while sent.front().is_some_and(|at| *at + Duration::from_secs(1) < self.now) {
            sent.pop_front();
        }
        self.outcome.busiest_second = self.outcome.busiest_second.max(sent.len());
    }

    /// The next moment at which anything happens; none once the call is over.
    fn next_moment(&self) -> Option<Instant> {
        if let Some(hung_up) = self.outcome.hung_up
            && (self.now > self.start + hung_up + AFTERWARDS || (self.lab.is_none() && self.outcome.client_idle))
        {
            return None;
        }
        let letter = self.letter.as_ref().map(|(at, _, _)| *at);
        let own = self.outcome.hung_up.is_none().then_some(self.start + NO_ECHO);
        let moments = [letter, own, self.network.next_arrival(), self.wakes[0], self.wakes[1]];
        moments.into_iter().flatten().min().map(|next| next.max(self.now))
    }

    fn finish(mut self) -> Outcome {
        if let Some(lab) = &self.lab {
            self.outcome.stats = lab.stats();
        }
        self.outcome.seen = self.client.seen(self.now);
        Outcome { counts: self.network.counts, ..self.outcome }
    }

    fn record(&mut self, side: Side, kind: &str, bytes: &[u8]) {
        if self.traced {
            let who = format!("{side:?} {kind} ").to_lowercase();
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            if self.outcome.said.iter().filter(|line| line.starts_with(&who)).count() < MAX_SAID {
                self.outcome.said.push(who + &hex);
            }
        }
    }

    fn note(&mut self, side: Side, what: &str) {
        if self.traced {
            self.outcome.trace.push(format!("{:>9.3} s {side:?} {what}", (self.now - self.start).as_secs_f64()));
        }
    }
}

fn damage(damaged: bool) -> &'static str {
    if damaged { ", damaged" } else { "" }
}

/// Where a side is.
fn address(side: Side) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], if side == Side::Client { 5000 } else { 4000 }))
}
