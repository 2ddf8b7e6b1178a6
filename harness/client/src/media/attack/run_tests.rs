//! One attack on simulated time, without a network: what is waited for, and what is concluded.

use std::time::{Duration, Instant};

use ringfence_wire::rtcp::ReportBlock;

use super::forge::{Forge, Forged, Hand};
use super::{Attack, AttackKind, AttackSeen, History, Oracle, Run};
use crate::media::audio::Stream;
use crate::media::srtp::Srtp;

/// Between two packets of audio.
const STEP: Duration = Duration::from_millis(20);

/// A run with a good packet every twenty milliseconds while it wants audio.
struct Bench {
    run: Run,
    began: Instant,
    now: Instant,
    good: u64,
    history: History,
}

impl Bench {
    fn new(attack: Attack) -> Self {
        let (mut stream, mut srtp, mut history) = (Stream::new(1, None), Srtp::default(), History::default());
        let mut hand = Hand { stream: &mut stream, srtp: &mut srtp, history: &mut history, target_ssrc: None };
        let forge = Forge::new(attack, &mut hand);
        let now = Instant::now();
        Self { run: Run::new(now, attack, None, forge, 0, true), began: now, now, good: 0, history }
    }

    /// Twenty milliseconds; `echo` says what becomes of a good packet, `attacked` what is told with each attack packet.
    fn step(&mut self, echo: impl Fn(u64) -> bool, attacked: impl Fn(&mut Run)) -> Option<AttackSeen> {
        self.now += STEP;
        if self.run.wants_audio() {
            if echo(self.good) {
                self.run.good_echo(self.good);
            }
            self.good += 1;
        }
        while self.run.packet_due(self.now) {
            self.run.sent(&Forged { sequence: Some(7), time: Some(self.good as u32), ..Forged::default() });
            attacked(&mut self.run);
        }
        self.run.timeout(self.now, self.good, &self.history)
    }

    fn until_done(&mut self, echo: impl Fn(u64) -> bool, attacked: impl Fn(&mut Run)) -> AttackSeen {
        let longest = self.run_longest();
        loop {
            if let Some(seen) = self.step(&echo, &attacked) {
                return seen;
            }
            assert!(self.now - self.began <= longest, "it ends before whoever waits gives up");
        }
    }

    fn run_longest(&self) -> Duration {
        Attack::new(AttackKind::SrtcpForged, 10, 10).longest()
    }
}

fn block(highest_sequence: u32, lost: i32, last_report: u32) -> ReportBlock {
    ReportBlock { highest_sequence, lost, last_report, ..ReportBlock::default() }
}

#[test]
fn a_target_that_says_nothing_is_seen_by_nobody() {
    use AttackKind as K;
    for kind in [K::ForgedTag, K::Replay, K::SrtcpForged, K::SrtcpIndexLimit, K::RocJump, K::BleedSpray] {
        let seen = Bench::new(Attack::new(kind, 10, 10)).until_done(|_| false, |_| {});
        assert_eq!(
            (seen.oracle, seen.control_before, seen.control_after, seen.sent),
            (None, false, false, 10),
            "{kind:?}"
        );
        assert!(!seen.attack_counted_by_rtcp && seen.attack_echoed == 0, "{kind:?}");
    }
}

#[test]
fn good_packets_that_are_lost_beside_an_attack_are_counted() {
    let mut bench = Bench::new(Attack::new(AttackKind::RocJump, 10, 10));
    let seen = bench.until_done(|number| number % 4 > 0, |_| {});
    assert_eq!(seen.oracle, Some(Oracle::Echo));
    let (sent, lost) = seen.good;
    assert!(sent >= 95, "a second of attack and one after it: {sent}");
    assert!((lost * 4 - sent).abs() <= 4, "{lost} of {sent}");
}

#[test]
fn audio_that_goes_elsewhere_has_moved_once_it_is_more_than_on_the_own_path() {
    for (own, moved) in [(1, true), (3, false)] {
        let mut bench = Bench::new(Attack::new(AttackKind::BleedSpray, 10, 50));
        let seen = bench.until_done(
            |_| true,
            |run| {
                run.elsewhere();
                run.elsewhere();
                (0..own).for_each(|_| run.on_own_path());
            },
        );
        assert_eq!((seen.elsewhere, seen.moved), (20, moved));
    }
}

#[test]
fn reports_count_an_attack_only_after_they_have_shown_our_gap() {
    for shows_gap in [true, false] {
        let mut bench = Bench::new(Attack::new(AttackKind::ForgedTag, 10, 50));
        let (mut lost, mut done) = (0, None);
        for step in 0..10_000 {
            if bench.run.wants_gap(bench.good) && shows_gap {
                lost += 40;
            }
            if step % 50 == 0 {
                // Good packets are named while they flow; in the pause a number that only the attack used.
                let named = bench.run.wants_audio().then(|| bench.good.saturating_sub(1));
                bench.run.reported(bench.now, &block(7, lost, 0), named, false);
                bench.run.heard(bench.now);
            }
            done = bench.step(|_| false, |_| {});
            if done.is_some() {
                break;
            }
        }
        let seen = done.expect("it ends");
        assert_eq!(seen.oracle, shows_gap.then_some(Oracle::Reports));
        assert_eq!((seen.control_before, seen.control_after), (shows_gap, shows_gap));
        assert_eq!(seen.attack_counted_by_rtcp, shows_gap);
    }
}

#[test]
fn the_report_with_the_last_index_is_waited_for() {
    let mut bench = Bench::new(Attack::new(AttackKind::SrtcpIndexLimit, 3, 10));
    while bench.run.so_far().sent == 0 {
        assert!(bench.step(|_| true, |_| {}).is_none());
    }
    let first = bench.good as u32;
    for _ in 0..100 {
        bench.step(|_| true, |_| {});
    }
    assert_eq!(bench.run.so_far().sent, 1, "two seconds later");
    bench.run.reported(bench.now, &block(0, 0, first), None, false);
    assert!(bench.run.so_far().control_counted_by_rtcp && !bench.run.so_far().attack_counted_by_rtcp);
    let second = bench.good as u32;
    bench.step(|_| true, |_| {});
    assert_eq!(bench.run.so_far().sent, 2);
    let seen = {
        bench.run.reported(bench.now, &block(0, 0, second + 1), None, false);
        bench.until_done(|_| true, |_| {})
    };
    assert!(seen.attack_counted_by_rtcp && seen.control_after, "{seen:?}");
}
