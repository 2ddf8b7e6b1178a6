//! Datagrams on their way: lost, late, twice, damaged, or as they were.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::time::{Duration, Instant};

use ringfence_wire::demux::{Kind, classify};

use super::conditions::Weather;
use super::random::Random;

/// Who sends, or who receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Client,
    Lab,
}

impl Side {
    pub fn other(self) -> Self {
        if self == Self::Client { Self::Lab } else { Self::Client }
    }
}

/// What the network does to one datagram. Drawn whole for each, so that what is in one changes nothing for the next.
struct Fate {
    lost: bool,
    after: Duration,
    /// A second copy, so much later.
    again: Option<Duration>,
    /// Where, as a fraction of the length in 2^-64, and what is added to the byte there.
    damage: Option<(u64, u8)>,
}

/// What came through.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Datagram {
    pub at: Instant,
    /// Of equal times the first sent comes first.
    order: u64,
    pub to: Side,
    pub bytes: Vec<u8>,
    pub damaged: bool,
}

/// Counts of one direction.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub sent: u64,
    pub lost: u64,
    pub repeated: u64,
    pub damaged: u64,
    /// Different RTP datagrams that were delivered undamaged, and how many of those came again.
    pub rtp: u64,
    pub rtp_again: u64,
    /// Different RTCP datagrams that were delivered undamaged.
    pub rtcp: u64,
    /// What looked like RTP and RTCP, but came damaged.
    pub damaged_media: u64,
    /// Delivered after one that was sent later.
    pub overtaken: u64,
    newest: u64,
}

/// Both directions between one client and one lab.
pub struct Network {
    weather: Weather,
    random: [Random; 2],
    under_way: BinaryHeap<Reverse<Datagram>>,
    order: u64,
    delivered: HashSet<Vec<u8>>,
    /// By sender.
    pub counts: [Counts; 2],
}

impl Network {
    pub fn new(seed: u64, weather: Weather) -> Self {
        let random = [Random::new(!seed), Random::new(!seed ^ 1 << 63)];
        let (under_way, delivered) = (BinaryHeap::new(), HashSet::new());
        Self { weather, random, under_way, order: 0, delivered, counts: Default::default() }
    }

    /// Takes a datagram.
    pub fn send(&mut self, now: Instant, from: Side, mut bytes: Vec<u8>) {
        let mut fate = self.fate(from);
        let counts = &mut self.counts[from as usize];
        counts.sent += 1;
        counts.lost += u64::from(fate.lost);
        if fate.lost || bytes.is_empty() {
            return;
        }
        if classify(&bytes) == Kind::Dtls && !self.weather.corrupts_dtls {
            fate.damage = None;
        }
        if let Some((place, change)) = fate.damage {
            let at = ((u128::from(place) * bytes.len() as u128) >> 64) as usize;
            bytes[at] = bytes[at].wrapping_add(change);
            counts.damaged += 1;
        }
        counts.repeated += u64::from(fate.again.is_some());
        let (to, damaged) = (from.other(), fate.damage.is_some());
        for at in [Some(now + fate.after), fate.again.map(|later| now + fate.after + later)].into_iter().flatten() {
            self.order += 1;
            let order = self.order;
            self.under_way.push(Reverse(Datagram { at, order, to, bytes: bytes.clone(), damaged }));
        }
    }

    /// When the next datagram arrives.
    pub fn next_arrival(&self) -> Option<Instant> {
        self.under_way.peek().map(|Reverse(datagram)| datagram.at)
    }

    /// The next one that has arrived.
    pub fn receive(&mut self, now: Instant) -> Option<Datagram> {
        self.next_arrival().filter(|at| *at <= now)?;
        let Reverse(datagram) = self.under_way.pop()?;
        let counts = &mut self.counts[datagram.to.other() as usize];
        counts.overtaken += u64::from(datagram.order < counts.newest);
        counts.newest = counts.newest.max(datagram.order);
        match (classify(&datagram.bytes), datagram.damaged) {
            (Kind::Rtp | Kind::Rtcp, true) => counts.damaged_media += 1,
            (Kind::Rtp, false) if self.delivered.insert(datagram.bytes.clone()) => counts.rtp += 1,
            (Kind::Rtp, false) => counts.rtp_again += 1,
            (Kind::Rtcp, false) if self.delivered.insert(datagram.bytes.clone()) => counts.rtcp += 1,
            _ => {}
        }
        Some(datagram)
    }

    fn fate(&mut self, from: Side) -> Fate {
        let (random, weather) = (&mut self.random[from as usize], &self.weather);
        let lost = random.happens(weather.loss);
        let late = random.up_to_ms(1000);
        let late = if random.happens(weather.late) { late } else { Duration::ZERO };
        let after = weather.delay + random.up_to_ms(weather.jitter_ms) + late;
        let again = random.up_to_ms(300);
        let again = random.happens(weather.duplication).then_some(again);
        let damage = (random.next(), random.below(255) as u8 + 1);
        let damage = random.happens(weather.corruption).then_some(damage);
        Fate { lost, after, again, damage }
    }
}
