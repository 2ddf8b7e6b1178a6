//! Real stacks without sockets, `rtc-dtls` and `dimpl`, behind a network that loses, doubles and reorders datagrams, on a
//! clock of its own: the sets found are those that they were told to accept, or said to be unknown. Never others.

use std::time::{Duration, Instant};

use ringfence_wire::hello::{Depth, Reply, Version};

use super::network::never_wrong;
use super::sets::found;
use super::stacks::{Peer, Stack, peers};
use super::*;

/// How long a hello is waited for; the servers send again after one second.
const PATIENCE: Duration = Duration::from_millis(2500);

/// A datagram under way: when it arrives, and whether at the server.
type Way = (Instant, bool, Vec<u8>);

struct Lossy<'a> {
    peer: &'a Peer,
    /// In percent: of datagrams lost, and of those doubled. Each takes up to 20 ms, so that they overtake each other.
    loss: u64,
    random: u64,
    now: Instant,
    stack: Stack,
    exchange: Exchange,
    under_way: Vec<Way>,
}

impl<'a> Lossy<'a> {
    fn new(peer: &'a Peer, loss: u64, seed: u64) -> Self {
        let now = Instant::now();
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let (stack, exchange) = ((peer.make)(now), Exchange::new(Depth::Flight));
        Self { peer, loss, random, now, stack, exchange, under_way: Vec::new() }
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 24) % sides
    }

    fn send(&mut self, to_server: bool, datagram: &[u8]) {
        let copies = 1 + u64::from(self.roll(100) < self.loss);
        for _ in 0..copies {
            let late = Duration::from_micros(self.roll(20_000));
            if self.roll(100) >= self.loss {
                self.under_way.push((self.now + late, to_server, datagram.to_vec()));
            }
        }
    }

    fn tell(&mut self, ask: &Ask) -> (Traffic, Told) {
        let (hello, sequence) = match ask {
            Ask::Hello(hello) => {
                self.under_way.clear();
                self.stack = (self.peer.make)(self.now);
                self.exchange = Exchange::new(Depth::Flight);
                (hello, 0)
            }
            Ask::Cookie(hello, sequence) => (hello, *sequence),
            Ask::Done(_) => panic!("nothing was asked"),
        };
        for datagram in self.exchange.ask(hello, sequence).unwrap() {
            self.send(true, &datagram);
        }
        let deadline = self.now + PATIENCE;
        let told = loop {
            let (sent, due) = self.stack.poll();
            sent.iter().for_each(|datagram| self.send(false, datagram));
            let due = due.map(|due| due.max(self.now));
            let next = self.under_way.iter().enumerate().min_by_key(|(_, way)| way.0).map(|(at, way)| (at, way.0));
            match next {
                Some((at, when)) if due.is_none_or(|due| when <= due) && when <= deadline => {
                    let (when, to_server, datagram) = self.under_way.swap_remove(at);
                    self.now = self.now.max(when);
                    if to_server {
                        self.stack.take(&datagram, self.now);
                    } else if let Some(reply) = self.exchange.feed(&datagram) {
                        break Told::Reply(reply);
                    }
                }
                _ => match due.filter(|due| *due <= deadline) {
                    Some(due) => {
                        self.now = due + Duration::from_micros(1);
                        self.stack.wake(self.now);
                    }
                    None => {
                        self.now = deadline;
                        break self.exchange.end();
                    }
                },
            }
        };
        (self.exchange.traffic(), told)
    }

    fn enumerate(mut self) -> Findings {
        let mut machine = Enumerator::new(self.peer.version, QUESTION);
        loop {
            let ask = machine.next();
            if let Ask::Done(findings) = ask {
                return *findings;
            }
            let (traffic, told) = self.tell(&ask);
            machine.traffic(traffic);
            machine.answer(told);
        }
    }
}

/// Of each server and each loss that is not nought (house).
const ROUNDS: u64 = 200;

#[test]
fn what_real_stacks_accept_is_found_in_whatever_order_datagrams_come() {
    for peer in peers() {
        for seed in 0..ROUNDS / 4 {
            exactly(&peer, &Lossy::new(&peer, 0, seed).enumerate());
        }
        // What it does not speak, it does not seem to.
        let others = [Version::DTLS10, Version::DTLS13].into_iter().filter(|version| *version != peer.version);
        for version in others.filter(|_| peer.refuses) {
            let other = Peer { version, ..peers().remove(0) };
            let findings = Lossy::new(&other, 0, 1).enumerate();
            assert!(matches!(findings.verdict, Verdict::Refused(_)), "{findings:?}");
        }
    }
}

fn exactly(peer: &Peer, findings: &Findings) {
    assert_eq!(found(findings), peer.truth, "{}: {findings:?}", peer.name);
    assert_eq!(findings.verdict, Verdict::Accepted);
    if peer.refuses {
        assert!(findings.unknown.is_empty(), "{}: {findings:?}", peer.name);
        assert!(findings.hello_verify && findings.server_order.is_none_or(|own| !own), "{}", peer.name);
        return;
    }
    // It says nothing to what it does not take.
    let silent = ["no answer", "the server wants the cookie again that it was sent"];
    let suites = findings.unknown.iter().find(|unknown| unknown.list == List::Suites);
    assert!(suites.is_some_and(|unknown| silent.contains(&unknown.reason.as_str())), "{}: {findings:?}", peer.name);
}

#[test]
fn one_percent_of_loss_makes_nothing_up_of_real_stacks() {
    rounds(1, 80);
}

#[test]
fn five_percent_of_loss_make_nothing_up_of_real_stacks() {
    rounds(5, 30);
}

/// Never a wrong set, and so often in a hundred the whole.
fn rounds(loss: u64, least: u64) {
    for peer in peers() {
        let mut whole = 0;
        for seed in 0..ROUNDS {
            let findings = Lossy::new(&peer, loss, 1000 * loss + seed).enumerate();
            let wrong = |error| panic!("{}, {loss} %, {seed}: {error}", peer.name);
            never_wrong(&findings, &peer.truth).unwrap_or_else(wrong);
            whole += u64::from(found(&findings) == peer.truth && findings.unknown.is_empty() == peer.refuses);
        }
        println!("{}, {loss} %: {whole} of {ROUNDS} whole", peer.name);
        assert!(whole * 100 >= least * ROUNDS, "{}, {loss} %: {whole} of {ROUNDS}", peer.name);
    }
}

#[test]
fn a_real_answer_ends_an_exchange() {
    let peer = peers().remove(0);
    let mut network = Lossy::new(&peer, 0, 7);
    let mut machine = Enumerator::new(Version::DTLS12, QUESTION);
    let (traffic, told) = network.tell(&machine.next());
    assert!(matches!(told, Told::Reply(Reply::HelloVerifyRequest { .. })), "{told:?}");
    assert!(traffic.sent > traffic.received && traffic.received > 0);
    machine.answer(told);
    let (_, told) = network.tell(&machine.next());
    assert!(matches!(told, Told::Reply(Reply::ServerHello(ref hello)) if hello.done), "{told:?}");
}
