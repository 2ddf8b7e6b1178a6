//! Hellos by hand on the checked pair of a call, instead of a handshake: what a media port answers in the clear. Each hello
//! goes out again until something comes back, and with each a connectivity check: where that is answered and the hello is not,
//! the port lives and says nothing, which on UDP is all that can be known of a refusal without a word.

use std::time::{Duration, Instant};

use ringfence_wire::hello::{ClientHello, Depth, MAX_DATAGRAMS, Reply};

use super::checks::CheckBend;
use super::io::Event;
use super::machine::MediaMachine;
use crate::hello::{Exchange, Told, Traffic};

/// Between two copies of a hello, as long as between two flights of our handshakes.
const REPEAT: Duration = Duration::from_millis(600);

/// A hello, and how long its answer may take.
#[derive(Clone, Debug)]
pub struct HelloAsk {
    /// The hello.
    pub hello: Box<ClientHello>,
    /// Its message_seq: 0, or more where it brings back the cookie of the answer before.
    pub message_seq: u16,
    /// How far the answer is read.
    pub depth: Depth,
    /// From the first copy to the end of the answer.
    pub within: Duration,
}

/// The questions of one call.
#[derive(Default)]
pub(super) struct Asking {
    /// Exchanges that there were.
    asked: u16,
    current: Option<Current>,
    /// It gave a cookie, and goes on with that.
    open: Option<Exchange>,
    answer: Option<(Traffic, Told)>,
}

/// A question on its way.
struct Current {
    ask: HelloAsk,
    exchange: Exchange,
    datagrams: usize,
    /// When the next copy goes out.
    next: Instant,
    until: Instant,
    /// Checks that were answered before the last copy went out.
    answered: i64,
}

impl Asking {
    /// When [`MediaMachine::run_asking`] is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.current.as_ref().map(|current| current.next.min(current.until))
    }
}

impl MediaMachine {
    /// Puts a question; [`Event::HelloAnswered`] tells that something came of it.
    pub(super) fn ask(&mut self, now: Instant, ask: HelloAsk) {
        let asking = &mut self.asking;
        (asking.current, asking.answer) = (None, None);
        let mut exchange = match asking.open.take().filter(|_| ask.message_seq > 0) {
            Some(open) => open,
            None => {
                asking.asked = asking.asked.saturating_add(1);
                Exchange::after(asking.asked - 1, ask.depth)
            }
        };
        if !self.plan.hellos || !self.connected {
            return self.answered(Traffic::default(), Told::Broken("the call has no checked pair to ask on".into()));
        }
        let datagrams = match exchange.ask(&ask.hello, ask.message_seq) {
            Ok(datagrams) => datagrams,
            Err(why) => return self.answered(Traffic::default(), Told::Broken(why)),
        };
        let (next, until) = (now, now + ask.within);
        let mut current = Current { ask, exchange, datagrams: 0, next, until, answered: 0 };
        self.send_copy(now, &mut current, &datagrams);
        self.asking.current = Some(current);
    }

    /// What came of the last question; of one that is still on its way as much as there is.
    pub fn take_hello_answer(&mut self) -> Option<(Traffic, Told)> {
        let Some(mut current) = self.asking.current.take() else { return self.asking.answer.take() };
        let told = current.exchange.end();
        Some((current.exchange.traffic(), told))
    }

    /// Sends what is due, and ends a question whose time is over.
    pub(super) fn run_asking(&mut self, now: Instant) {
        let Some(mut current) = self.asking.current.take() else { return };
        if now >= current.until {
            let lives = self.checks_seen().good_answered > current.answered;
            return self.end_question(now, current, lives);
        }
        if now >= current.next {
            // Whoever has begun to answer repeats that by itself.
            let datagrams = match current.exchange.heard() {
                true => Ok(Vec::new()),
                false => current.exchange.again(&current.ask.hello, current.ask.message_seq),
            };
            match datagrams {
                Ok(datagrams) => self.send_copy(now, &mut current, &datagrams),
                Err(why) => return self.answered(current.exchange.traffic(), Told::Broken(why)),
            }
        }
        self.asking.current = Some(current);
    }

    /// A datagram that looks like DTLS.
    pub(super) fn answer_to_hello(&mut self, now: Instant, bytes: &[u8]) {
        let Some(mut current) = self.asking.current.take() else { return }; // late, or never asked for
        current.datagrams += 1;
        match current.exchange.feed(bytes) {
            Some(reply @ Reply::HelloVerifyRequest { .. }) => {
                let traffic = current.exchange.traffic();
                self.asking.open = Some(current.exchange);
                self.answered(traffic, Told::Reply(reply));
            }
            Some(reply) => {
                self.leave(now, &current);
                self.answered(current.exchange.traffic(), Told::Reply(reply));
            }
            None if current.datagrams >= MAX_DATAGRAMS => self.end_question(now, current, false),
            None => self.asking.current = Some(current),
        }
    }

    fn send_copy(&mut self, now: Instant, current: &mut Current, datagrams: &[Vec<u8>]) {
        // The last copy has as long for its answer as any.
        current.next = if now + 2 * REPEAT <= current.until { now + REPEAT } else { current.until };
        let Some(path) = self.ice.path().filter(|_| !datagrams.is_empty()) else { return };
        datagrams.iter().for_each(|datagram| self.route(now, path, datagram));
        current.answered = self.checks_seen().good_answered;
        // Where none can be made nothing is proved, and silence stays silence.
        if let Some(check) = self.check_kit().and_then(|kit| kit.check(CheckBend::None, false).ok()) {
            self.send_check(now, &check);
        }
    }

    fn end_question(&mut self, now: Instant, mut current: Current, lives: bool) {
        let told = match current.exchange.end() {
            Told::Silence if lives => Told::Closed,
            told => told,
        };
        self.leave(now, &current);
        self.answered(current.exchange.traffic(), told);
    }

    /// Ends what the target may have begun: it would go on sending its flight. Whether it arrives does not matter.
    fn leave(&mut self, now: Instant, current: &Current) {
        if let Some(path) = self.ice.path() {
            self.route(now, path, &current.exchange.leave(&current.ask.hello));
        }
    }

    fn answered(&mut self, traffic: Traffic, told: Told) {
        self.asking.answer = Some((traffic, told));
        self.tell(Event::HelloAnswered);
    }
}
