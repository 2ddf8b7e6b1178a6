//! Attacks on a live call: packets that a receiver must refuse, with good packets before and after as control.
//!
//! Phases: good audio until one packet's echo is back (or two seconds), then the attack alone, each packet with the next
//! sequence number and a marker of its own, then good audio again until an echo is back. Sequence numbers go on, so a
//! correct receiver sees a gap and nothing else. The audio pauses during the attack, so that a report of the target whose
//! highest sequence number lies in the gap shows that it took an attack packet.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use ringfence_srtp::{Context, MasterKey, Profile, bend};
use ringfence_wire::rtp::Header;

use super::audio::{MARKER_BYTES, MARKER_OFFSET, Marker};

/// How long a control waits for its echo.
const CONTROL: Duration = Duration::from_secs(2);
/// After the second control's echo, for what overtook it.
const LATE: Duration = Duration::from_millis(100);
/// Upper bounds of what is asked: a typing error in a scenario is no flood.
const MAX_COUNT: u32 = 1000;
const MAX_RATE: u32 = 500;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttackKind {
    /// Right key, SSRC and next sequence number; one bit of the tag flipped, with GCM one bit of the ciphertext as well.
    ForgedTag,
    /// A right packet without its tag.
    NoTag,
    /// Protected under a random key with the same profile.
    WrongKey,
}

/// An attack on a live call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attack {
    /// What is sent.
    pub kind: AttackKind,
    /// How many packets, 1 to 1000.
    pub count: u32,
    /// How many per second, 1 to 500.
    pub rate: u32,
}

/// What came of an attack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttackSeen {
    /// A good packet came back just before.
    pub control_before: bool,
    /// A good packet came back just after.
    pub control_after: bool,
    /// Attack packets that came back.
    pub attack_echoed: i64,
    /// Attack packets that were sent.
    pub sent: i64,
    /// A report of the target names a sequence number as the highest that only the attack used.
    pub attack_counted_by_rtcp: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Before { until: Instant },
    Attacking { next: Instant, left: u32 },
    After { until: Instant },
    Late { until: Instant },
}

/// A running attack.
pub(super) struct Run {
    attack: Attack,
    phase: Phase,
    /// Good packets from this number on are this phase's controls.
    first_control: u64,
    sequences: HashSet<u16>,
    echoed: HashSet<Marker>,
    foreign: Option<Context>,
    view: Option<Context>,
    reports_are_ours: bool,
    seen: AttackSeen,
}

impl Run {
    /// Starts with the first control. `next_good` is the number of the next good packet; `view` opens what we send.
    pub(super) fn new(now: Instant, attack: Attack, profile: Profile, next_good: u64, view: Option<Context>) -> Self {
        let attack = Attack { count: attack.count.clamp(1, MAX_COUNT), rate: attack.rate.clamp(1, MAX_RATE), ..attack };
        Self {
            attack,
            phase: Phase::Before { until: now + CONTROL },
            first_control: next_good,
            sequences: HashSet::new(),
            echoed: HashSet::new(),
            foreign: random_context(profile),
            view,
            reports_are_ours: false,
            seen: AttackSeen::default(),
        }
    }

    /// Whether good audio flows now.
    pub(super) fn wants_audio(&self) -> bool {
        !matches!(self.phase, Phase::Attacking { .. })
    }

    /// When something is due.
    pub(super) fn poll_timeout(&self) -> Instant {
        match self.phase {
            Phase::Attacking { next, .. } => next,
            Phase::Before { until } | Phase::After { until } | Phase::Late { until } => until,
        }
    }

    /// Whether an attack packet is due; each call takes one from the count.
    pub(super) fn packet_due(&mut self, now: Instant) -> bool {
        let Phase::Attacking { next, left } = &mut self.phase else { return false };
        if *left == 0 || *next > now {
            return false;
        }
        *left -= 1;
        *next += Duration::from_secs(1) / self.attack.rate;
        true
    }

    /// Moves on in time. `Some` when it is over.
    pub(super) fn timeout(&mut self, now: Instant, next_good: u64) -> Option<AttackSeen> {
        match self.phase {
            Phase::Before { until } if now >= until => self.begin(now), // without control: the verdict will say so
            Phase::Attacking { left: 0, next } if now >= next => {
                self.phase = Phase::After { until: now + CONTROL };
                self.first_control = next_good;
            }
            Phase::After { until } | Phase::Late { until } if now >= until => return Some(self.seen),
            _ => {}
        }
        None
    }

    /// A good packet came back.
    pub(super) fn good_echo(&mut self, now: Instant, number: u64) {
        if number < self.first_control {
            return;
        }
        match self.phase {
            Phase::Before { .. } => {
                self.seen.control_before = true;
                self.begin(now);
            }
            Phase::After { .. } => {
                self.seen.control_after = true;
                self.phase = Phase::Late { until: now + LATE };
            }
            _ => {}
        }
    }

    /// An attack packet came back.
    pub(super) fn attack_echo(&mut self, marker: Marker) {
        if self.echoed.insert(marker) {
            self.seen.attack_echoed += 1;
        }
    }

    /// The target says that this was the highest sequence number it got from us.
    pub(super) fn reported(&mut self, highest: u32) {
        let attacked = self.sequences.contains(&(highest as u16));
        // A middle box may report of numbers that are not ours; one that named a good one before speaks of ours.
        self.seen.attack_counted_by_rtcp |= attacked && self.reports_are_ours;
    }

    /// The target's reports have named a good packet's number before.
    pub(super) fn trust_reports(&mut self) {
        self.reports_are_ours = true;
    }

    /// Makes the attack packet of a clear one; `protect` is the call's own protection. Returns what goes out and the markers
    /// that betray a receiver who took it.
    pub(super) fn bend(
        &mut self,
        clear: Vec<u8>,
        marker: Marker,
        sequence: u16,
        tag: usize,
        protect: impl FnOnce(Vec<u8>) -> Option<Vec<u8>>,
    ) -> Option<(Vec<u8>, Vec<Marker>)> {
        self.sequences.insert(sequence);
        let mut markers = vec![marker];
        let packet = match self.attack.kind {
            AttackKind::ForgedTag => {
                let mut packet = protect(clear)?;
                *packet.last_mut()? ^= 1;
                // The last byte of the ciphertext, behind the marker. With the other profiles it would change nothing more:
                // their tag covers it, and it is the tag that is wrong.
                let ciphertext_end = packet.len().checked_sub(tag + 1)?;
                *packet.get_mut(ciphertext_end)? ^= u8::from(tag == Profile::AeadAes128Gcm.tag_len());
                packet
            }
            AttackKind::NoTag => {
                let mut packet = protect(clear)?;
                packet.truncate(packet.len().checked_sub(tag)?);
                packet
            }
            AttackKind::WrongKey => {
                let mut packet = clear;
                self.foreign.as_mut()?.protect_rtp(&mut packet).ok()?;
                markers.extend(self.garbage_marker(&packet));
                packet
            }
        };
        self.seen.sent += 1;
        Some((packet, markers))
    }

    /// A receiver who ignores tags decrypts a foreign packet with the right key: what then stands in the marker's place.
    fn garbage_marker(&mut self, packet: &[u8]) -> Option<Marker> {
        let mut copy = packet.to_vec();
        bend::unprotect_rtp_ignoring_tag(self.view.as_mut()?, &mut copy).ok()?;
        let (_, payload) = Header::parse(&copy).ok()?;
        payload.get(MARKER_OFFSET..MARKER_OFFSET + MARKER_BYTES)?.try_into().ok()
    }

    fn begin(&mut self, now: Instant) {
        self.phase = Phase::Attacking { next: now, left: self.attack.count };
    }
}

fn random_context(profile: Profile) -> Option<Context> {
    let (mut key, mut salt) = (vec![0; profile.key_len()], vec![0; profile.salt_len()]);
    getrandom::fill(&mut key).and_then(|()| getrandom::fill(&mut salt)).ok()?;
    Some(Context::new(profile, &MasterKey::new(profile, &key, &salt).ok()?))
}
