//! One attack in time: its phases, and what is concluded from what comes back meanwhile.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ringfence_wire::rtcp::ReportBlock;

use super::forge::{Forge, Forged, OLD, RECENT};
use super::reports::Reports;
use super::{Attack, AttackKind, AttackSeen, History, Oracle};
use crate::media::audio::Marker;

/// How long a control waits for its echo.
const CONTROL: Duration = Duration::from_secs(2);
/// How long the packets that a replay needs may take to be sent and to come back: 250 of them are five seconds.
const ENOUGH_TO_REPLAY: Duration = Duration::from_secs(8);
/// How long two reports may take: RFC 3550, section 6.2 lets five seconds and a half lie between two.
const REPORTS: Duration = Duration::from_secs(12);
/// After the second control's echo, for what overtook it.
const LATE: Duration = Duration::from_millis(100);
/// How long good audio goes on after an attack beside which it flowed, and how long its last packets may take: their loss counts.
const TAIL: Duration = Duration::from_secs(1);
const TAIL_LATE: Duration = Duration::from_millis(500);
/// All that an attack may wait for beside its own packets: control, reports, gap, reports, control or reports; and the first of
/// [`AttackKind::SrtcpIndexLimit`].
pub(super) const WAITS: Duration = Duration::from_secs(8 + 5 * 12 + 4);
/// Reports after an attack that are enough to know what it did: the first may have been on its way.
const ABOUT_ATTACK: u32 = 2;
/// Packets that are enough to replay.
const ENOUGH: usize = 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Good audio, until an echo is back.
    Before {
        until: Instant,
    },
    /// No echo came: good audio, until the reports have shown a gap of ours, or that they do not.
    Reports {
        until: Instant,
    },
    Attacking {
        began: Instant,
        next: Instant,
        left: u32,
    },
    /// Reports about the attack may still come.
    Listening {
        until: Instant,
        heard: u32,
    },
    /// Good audio, until an echo is back or reports have named it.
    After {
        least: Instant,
        until: Instant,
    },
    Late {
        until: Instant,
    },
}

/// A running attack.
pub(in super::super) struct Run {
    attack: Attack,
    /// The second socket, where the attack comes from one.
    pub(in super::super) stranger: Option<SocketAddr>,
    pub(super) forge: Forge,
    phase: Phase,
    /// Good packets from this number on are this phase's controls.
    first_control: u64,
    /// The first good packet after the attack's first.
    first_good: Option<u64>,
    good_back: HashSet<u64>,
    sequences: HashSet<u16>,
    ssrcs: HashSet<u32>,
    times: HashSet<u32>,
    /// The time of the report with the last SRTCP index.
    last_index: Option<u32>,
    echoed: HashSet<Marker>,
    forwarded: HashSet<Marker>,
    reports: Reports,
    lost_before: i32,
    /// Packets of the target on the call's own path since the first that came elsewhere.
    own_path: i64,
    seen: AttackSeen,
}

impl Run {
    /// Starts with the first control. `next_good` is the number of the next good packet; `counted`: the target has named the
    /// time of one of our sender reports already; `stranger` is the second socket, where the attack comes from one.
    pub(super) fn new(
        now: Instant,
        attack: Attack,
        stranger: Option<SocketAddr>,
        forge: Forge,
        next_good: u64,
        counted: bool,
    ) -> Self {
        let wanted = match attack.kind {
            AttackKind::Replay | AttackKind::ReplayOld => ENOUGH_TO_REPLAY,
            AttackKind::SrtcpForged | AttackKind::SrtcpPlain | AttackKind::SrtcpReplay => REPORTS,
            _ => CONTROL,
        };
        let counted = counted && attack.kind != AttackKind::SrtcpIndexLimit;
        Self {
            attack,
            stranger,
            forge,
            phase: Phase::Before { until: now + wanted },
            first_control: next_good,
            first_good: None,
            good_back: HashSet::new(),
            sequences: HashSet::new(),
            ssrcs: HashSet::new(),
            times: HashSet::new(),
            last_index: None,
            echoed: HashSet::new(),
            forwarded: HashSet::new(),
            reports: Reports::default(),
            lost_before: 0,
            own_path: 0,
            seen: AttackSeen { control_counted_by_rtcp: counted, ..AttackSeen::default() },
        }
    }

    /// Whether good audio flows now.
    pub(in super::super) fn wants_audio(&self) -> bool {
        let attacked = matches!(self.phase, Phase::Attacking { .. } | Phase::Listening { .. });
        !attacked || !self.attack.kind.pauses_audio()
    }

    /// Whether our reports go out now. A later good one would hide that a bad one was taken.
    pub(in super::super) fn wants_reports(&self) -> bool {
        let attacked = matches!(self.phase, Phase::Attacking { .. } | Phase::Listening { .. });
        !attacked || !self.attack.kind.is_srtcp()
    }

    /// When something is due.
    pub(in super::super) fn poll_timeout(&self) -> Instant {
        match self.phase {
            Phase::Attacking { next, .. } => next,
            Phase::After { least, until } if self.seen.control_after => least.min(until),
            Phase::After { until, .. } => until,
            Phase::Before { until } | Phase::Reports { until } => until,
            Phase::Listening { until, .. } | Phase::Late { until } => until,
        }
    }

    /// Whether a gap of ours is to be made now; asked again, it was made, and `next_good` is the first packet behind it.
    pub(super) fn wants_gap(&mut self, next_good: u64) -> bool {
        let wanted = matches!(self.phase, Phase::Reports { .. }) && self.reports.wants_gap();
        if wanted {
            self.reports.gap_made(next_good);
        }
        wanted
    }

    /// Whether an attack packet is due; each call takes one from the count.
    pub(super) fn packet_due(&mut self, now: Instant) -> bool {
        let Phase::Attacking { next, left, .. } = &mut self.phase else { return false };
        if *left == 0 || *next > now {
            return false;
        }
        *left -= 1;
        let first_of_two = self.attack.kind == AttackKind::SrtcpIndexLimit && self.seen.sent == 0;
        // The one with the last index has to be counted before another shows anything.
        *next += if first_of_two { REPORTS } else { Duration::from_secs(1) / self.attack.rate.max(1) };
        true
    }

    /// An attack packet goes out.
    pub(super) fn sent(&mut self, forged: &Forged) {
        self.seen.sent += 1;
        self.sequences.extend(forged.sequence.filter(|_| self.attack.kind != AttackKind::Flood));
        self.ssrcs.extend(forged.ssrc);
        match forged.time {
            Some(time) if self.attack.kind == AttackKind::SrtcpIndexLimit && self.seen.sent == 1 => {
                self.last_index = Some(time);
            }
            time => self.times.extend(time),
        }
    }

    /// Moves on in time. `Some` when it is over.
    pub(super) fn timeout(&mut self, now: Instant, next_good: u64, history: &History) -> Option<AttackSeen> {
        match self.phase {
            Phase::Before { .. } if self.ready(history) => self.begin(now, next_good),
            Phase::Before { until } if now >= until && self.seen.control_before => self.begin(now, next_good),
            Phase::Before { until } if now >= until => self.phase = Phase::Reports { until: now + REPORTS * 2 },
            Phase::Reports { .. } if self.reports.trusted() => {
                (self.seen.oracle, self.seen.control_before) = (Some(Oracle::Reports), true);
                self.begin(now, next_good);
            }
            // Without control: the verdict will say so.
            Phase::Reports { until } if now >= until => self.begin(now, next_good),
            Phase::Attacking { left: 0, next, began } if now >= next => {
                let took = now.saturating_duration_since(began).as_millis();
                self.seen.sending_ms = i64::try_from(took).unwrap_or(i64::MAX);
                self.phase = Phase::Listening { until: now + self.listens(), heard: 0 };
                return self.timeout(now, next_good, history);
            }
            Phase::Listening { until, .. } if now >= until => {
                self.first_control = next_good;
                self.reports.attack_over(next_good);
                let least = if self.attack.kind.pauses_audio() { now } else { now + TAIL };
                let wanted = if self.seen.oracle == Some(Oracle::Reports) { REPORTS } else { CONTROL };
                self.phase = Phase::After { least, until: now + wanted };
            }
            Phase::After { least, until } => {
                self.seen.control_after |= self.reports.shown_after();
                if now >= until || self.seen.control_after && now >= least {
                    self.seen.good.0 = self.first_good.map_or(0, |first| next_good.saturating_sub(first) as i64);
                    let late = if self.attack.kind.pauses_audio() { LATE } else { TAIL_LATE };
                    self.phase = Phase::Late { until: now + late };
                }
            }
            Phase::Late { until } if now >= until => {
                self.seen.good.1 = (self.seen.good.0 - self.good_back.len() as i64).max(0);
                self.seen.moved = self.seen.elsewhere > self.own_path;
                self.seen.doubled = history.doubled();
                let replays = matches!(self.attack.kind, AttackKind::Replay | AttackKind::ReplayOld);
                let taken_back = i64::from(self.lost_before.saturating_sub(self.reports.lost()));
                let duplicates = replays && self.reports.trusted() && self.seen.sent > 0;
                self.seen.attack_counted_by_rtcp |= duplicates && taken_back * 2 >= self.seen.sent;
                return Some(self.seen.clone());
            }
            _ => {}
        }
        None
    }

    /// What it has shown so far.
    pub(super) fn so_far(&self) -> AttackSeen {
        self.seen.clone()
    }

    /// A good packet came back.
    pub(in super::super) fn good_echo(&mut self, number: u64) {
        // Those of the tail only: what is sent in the last moment may still be on its way.
        let counted = self.first_good.is_some_and(|first| number >= first);
        let sent = self.first_good.map_or(0, |first| first.saturating_add(self.seen.good.0 as u64));
        if counted && (self.seen.good.0 == 0 || number < sent) {
            self.good_back.insert(number);
        }
        if number < self.first_control {
            return;
        }
        match self.phase {
            Phase::Before { .. } | Phase::Reports { .. } => {
                (self.seen.oracle, self.seen.control_before) = (Some(Oracle::Echo), true);
            }
            Phase::After { .. } => self.seen.control_after = true,
            _ => {}
        }
    }

    /// An attack packet came back.
    pub(in super::super) fn attack_echo(&mut self, marker: Marker) {
        if self.echoed.insert(marker) {
            self.seen.attack_echoed += 1;
        }
    }

    /// A replayed packet came back under its old number.
    pub(in super::super) fn passed_on(&mut self, marker: Marker) {
        if self.forwarded.insert(marker) {
            self.seen.passed_on += 1;
        }
    }

    /// An authenticated report of the target came, about whatever.
    pub(in super::super) fn heard(&mut self, now: Instant) {
        if let Phase::Listening { heard, until } = &mut self.phase {
            *heard += 1;
            if *heard >= ABOUT_ATTACK {
                *until = now;
            }
        }
    }

    /// It has a report about us. `number` is the good packet that it names as the highest; `counted`: it names the time of one
    /// of our good sender reports.
    pub(in super::super) fn reported(&mut self, now: Instant, block: &ReportBlock, number: Option<u64>, counted: bool) {
        let attacked = matches!(self.phase, Phase::Attacking { .. } | Phase::Listening { .. });
        let names_attack = self.sequences.contains(&(block.highest_sequence as u16)) && number.is_none();
        self.seen.attack_counted_by_rtcp |= attacked && names_attack && self.reports.trusted();
        // While none of ours goes out, an earlier time than the last is that of a replay.
        self.seen.attack_counted_by_rtcp |= attacked && self.times.contains(&block.last_report);
        self.seen.control_counted_by_rtcp |= counted && self.attack.kind != AttackKind::SrtcpIndexLimit;
        if self.last_index == Some(block.last_report) && !self.seen.control_counted_by_rtcp {
            self.seen.control_counted_by_rtcp = true;
            if let Phase::Attacking { next, .. } = &mut self.phase {
                *next = now;
            }
        }
        self.reports.heard(block, number);
    }

    /// It has a report about another source.
    pub(in super::super) fn listed(&mut self, ssrc: u32) {
        self.seen.attack_counted_by_rtcp |= self.ssrcs.contains(&ssrc) && self.reports.trusted();
    }

    /// RTP of the target arrived at the second socket.
    pub(in super::super) fn elsewhere(&mut self) {
        self.seen.elsewhere += 1;
    }

    /// RTP of the target arrived on the call's own path.
    pub(in super::super) fn on_own_path(&mut self) {
        self.own_path += i64::from(self.seen.elsewhere > 0);
    }

    fn ready(&self, history: &History) -> bool {
        let enough = ENOUGH.min(self.attack.count as usize);
        self.seen.control_before
            && match self.attack.kind {
                AttackKind::Replay => history.replayable(&RECENT) >= enough,
                AttackKind::ReplayOld => history.replayable(&OLD) >= enough,
                AttackKind::SrtcpForged | AttackKind::SrtcpPlain => self.seen.control_counted_by_rtcp,
                AttackKind::SrtcpReplay => history.old_report().is_some(),
                _ => true,
            }
    }

    fn begin(&mut self, now: Instant, next_good: u64) {
        self.first_good = Some(next_good);
        self.lost_before = self.reports.lost();
        self.phase = Phase::Attacking { began: now, next: now, left: self.attack.count };
    }

    /// How long reports about the attack are waited for.
    fn listens(&self) -> Duration {
        let reports = self.attack.kind.is_srtcp() || self.seen.oracle == Some(Oracle::Reports);
        if reports { REPORTS } else { Duration::ZERO }
    }
}
