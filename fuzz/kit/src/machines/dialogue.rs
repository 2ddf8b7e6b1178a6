//! One script played: a machine, its clock, its far side, and the watchers.

use std::rc::Rc;
use std::time::{Duration, Instant};

use ringfence_client::signalling::{Again, Event, Input, LoginBend, Output, SpentLogin, Within};
use ringfence_model::Secret;
use ringfence_wire::sip::Message;

use super::far::Far;
use super::record::Record;
use super::subject::{MARKER, Subject, outputs};
use crate::generators::peer::Act;
use crate::oracles::machine::{MOST_OUTPUTS, SameInstant, drained, rests, woken};
use crate::oracles::signalling::{
    Answering, Belief, Economy, Ending, Login, Moment, Registering, Silence, Transactions, Watcher, Writing,
};

/// Times that a machine is woken in one script, at most: then no more time passes.
const MAX_WAKES: usize = 256;
/// Our description.
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n";

/// A machine in play.
pub struct Dialogue<S> {
    subject: S,
    began: Instant,
    now: Instant,
    wake: Option<Instant>,
    wakes: usize,
    instants: SameInstant,
    far: Far,
    spent: Vec<SpentLogin>,
    watchers: Vec<Box<dyn Watcher>>,
    record: Record,
    /// Events that the driver of a call has to react to, since they were last taken.
    told: Vec<Event>,
}

impl<S: Subject> Dialogue<S> {
    /// A machine whose connection is open. `now` is what it was made with.
    pub fn new(subject: S, now: Instant, has_user: bool, record: Record) -> Self {
        let watchers: Vec<Box<dyn Watcher>> = vec![
            Box::new(Writing),
            Box::new(Silence::default()),
            Box::new(Economy::default()),
            Box::new(Answering::default()),
            Box::new(Transactions::default()),
            Box::new(Belief::default()),
            Box::new(Registering::default()),
            Box::new(Ending::default()),
            Box::new(Login::new(MARKER, has_user)),
        ];
        let mut dialogue = Self {
            subject,
            began: now,
            now,
            wake: None,
            wakes: 0,
            instants: SameInstant::default(),
            far: Far::default(),
            spent: Vec::new(),
            watchers,
            record,
            told: Vec::new(),
        };
        dialogue.command("open", Input::Opened);
        dialogue
    }

    /// What was told since the last time.
    pub fn told(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.told)
    }

    /// Simulated time since the beginning, and now.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// What the machine waits for.
    pub fn wake(&self) -> Option<Instant> {
        self.wake
    }

    /// Plays one act.
    pub fn play(&mut self, act: &Act<'_>) {
        match act {
            Act::Plan(_) | Act::Datagram(_) => {}
            Act::Wait(time) => self.wait(*time),
            Act::Wake => {
                if let Some(at) = self.wake {
                    self.wait(at.saturating_duration_since(self.now));
                }
            }
            Act::Register(login, times) => self.register(*login, *times),
            Act::Unregister => self.command("unregister", Input::Unregister),
            Act::Invite => self.command("invite", Input::Invite { sdp: SDP.into(), headers: vec![] }),
            Act::Change => self.command("change", Input::Change { sdp: SDP.into() }),
            Act::Answer(yes) => self.command("answer", Input::Answer { sdp: yes.then(|| SDP.into()) }),
            Act::Cancel => self.command("cancel", Input::Cancel),
            Act::Bye => self.command("bye", Input::Bye),
            Act::Ask(in_call, method) => {
                let within = if *in_call { Within::Call } else { Within::Nothing };
                let body = (*method == "INFO").then(|| ("text/plain".to_owned(), b"x".to_vec()));
                let method = (*method).to_owned();
                self.command("ask", Input::Request { method, headers: vec![], body, within });
            }
            Act::Close => self.happen(Moment::Gone, Input::Close),
            Act::Gone => self.happen(Moment::Gone, Input::Closed),
            Act::Reply(reply) => {
                if let Some(bytes) = self.far.reply(reply) {
                    self.hear(&bytes);
                }
            }
            Act::Demand(demand) => {
                let bytes = self.far.demand(demand);
                self.hear(&bytes);
            }
            Act::Repeat => {
                let bytes = self.far.last();
                self.hear(&bytes);
            }
            Act::Raw(text) => {
                let bytes = self.far.raw(text);
                self.hear(&bytes);
            }
            Act::Ping => self.hear(b"\r\n\r\n"),
        }
    }

    /// Something that we want.
    pub fn command(&mut self, what: &'static str, input: Input<'_>) {
        self.happen(Moment::Command(what), input);
    }

    /// The peer falls silent: the machine has to come to rest.
    pub fn fall_silent(&mut self) {
        self.record.act(&"the peer is silent for ever");
        self.wakes = 0;
        while let Some(at) = self.wake.filter(|_| self.wakes < MAX_WAKES) {
            self.wait(at.saturating_duration_since(self.now));
        }
        rests(self.wakes, self.wake.is_none());
        self.watchers.iter_mut().for_each(|watcher| watcher.ends());
    }

    fn register(&mut self, login: char, times: u32) {
        let again = |how| LoginBend::Again { login: self.spent.clone(), how };
        let (what, login) = match login {
            'n' => ("register", LoginBend::None),
            'w' => ("register as another", LoginBend::Wrong),
            'x' => {
                let (username, password) = ("other".to_owned(), Secret::from("another secret"));
                ("register as another", LoginBend::Other { username, password })
            }
            'r' => ("register again", again(Again::Replayed)),
            's' => ("register again", again(Again::SameCount)),
            'c' => ("register again", again(Again::NextCount)),
            _ => ("register", LoginBend::Own),
        };
        self.command(what, Input::Register { login, times });
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.happen(Moment::Heard(bytes.len(), Message::parse(bytes).ok().map(Rc::new)), Input::Message(bytes));
    }

    /// Time passes, and what is due meanwhile is done at its time.
    pub fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.wake.filter(|at| *at <= until) {
            if self.wakes >= MAX_WAKES {
                return;
            }
            self.wakes += 1;
            self.now = self.now.max(at);
            self.happen(Moment::Timer, Input::Timeout);
            woken(self.now, self.wake);
            self.instants.woken(self.now, self.wake);
        }
        self.now = until;
    }

    fn happen(&mut self, moment: Moment, input: Input<'_>) {
        self.note(|at| format!("{at} {}", told_of(&moment)));
        let at = self.now.saturating_duration_since(self.began);
        self.watchers.iter_mut().for_each(|watcher| watcher.happens(&moment, at));
        self.subject.input(self.now, input);
        let (all, wake) = outputs(&mut self.subject, MOST_OUTPUTS);
        drained(all.len());
        self.wake = wake;
        for output in all {
            match output {
                Output::Transmit(bytes) => {
                    let message = Message::parse(&bytes).ok().map(Rc::new);
                    self.note(|at| format!("{at}   writes {}", first_line(&bytes)));
                    let watchers = self.watchers.iter_mut();
                    watchers.for_each(|watcher| watcher.writes(&moment, &bytes, message.as_deref()));
                    if let Some(message) = message {
                        self.far.hear(message);
                    }
                }
                Output::Event(event) => {
                    self.note(|at| format!("{at}   tells {}", readable(&event)));
                    self.watchers.iter_mut().for_each(|watcher| watcher.tells(&moment, &event));
                    if let Event::LoggedIn(spent) = &event {
                        self.spent.clone_from(spent);
                    }
                    self.told.push(event);
                }
                Output::Timeout(_) | Output::Idle => {}
            }
        }
    }

    fn note(&self, text: impl FnOnce(String) -> String) {
        let at = || format!("{:>8.1} s", self.now.saturating_duration_since(self.began).as_secs_f64());
        self.record.note(|| text(at()));
    }
}

/// An event, its descriptions as text.
fn readable(event: &Event) -> String {
    let text = |sdp: &[u8]| sdp.escape_ascii().to_string();
    match event {
        Event::Described { sdp } => format!("Described {{ sdp: \"{}\" }}", text(sdp)),
        Event::Offered { sdp } => format!("Offered {{ sdp: {:?} }}", sdp.as_deref().map(text)),
        Event::Changed { status, sdp } => {
            format!("Changed {{ status: {status:?}, sdp: {:?} }}", sdp.as_deref().map(text))
        }
        Event::Answered { status, sdp, headers } => {
            format!("Answered {{ status: {status}, sdp: {:?}, headers: {headers:?} }}", sdp.as_deref().map(text))
        }
        other => format!("{other:?}"),
    }
}

fn told_of(moment: &Moment) -> String {
    match moment {
        Moment::Heard(bytes, Some(message)) => format!("hears {bytes} bytes: {}", first_line(&message.emit())),
        Moment::Heard(bytes, None) => format!("hears {bytes} bytes that are no message"),
        other => format!("{other:?}"),
    }
}

fn first_line(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == b'\r').unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests;
