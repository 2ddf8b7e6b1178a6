//! What was sent lately, to be sent once more, and which of it came back.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use super::super::audio::Marker;

/// Packets that are kept: replays reach 250 back.
const MAX_PACKETS: usize = 300;
/// Sender reports that are kept.
const MAX_REPORTS: usize = 16;

/// The last good packets and reports, as they went out.
#[derive(Default)]
pub(in super::super) struct History {
    packets: VecDeque<Sent>,
    reports: VecDeque<(u32, Vec<u8>)>,
    /// The time of a sender report that the target has named last.
    named: Option<u32>,
    doubled: i64,
}

struct Sent {
    number: u64,
    marker: Marker,
    bytes: Vec<u8>,
    came_back: bool,
    replayed: bool,
}

impl History {
    /// A good packet went out.
    pub fn sent(&mut self, number: u64, marker: Marker, bytes: &[u8]) {
        if self.packets.len() == MAX_PACKETS {
            self.packets.pop_front();
        }
        self.packets.push_back(Sent { number, marker, bytes: bytes.to_vec(), came_back: false, replayed: false });
    }

    /// A sender report went out; `time` is the middle of its NTP time.
    pub fn reported(&mut self, time: u32, bytes: &[u8]) {
        if self.reports.len() == MAX_REPORTS {
            self.reports.pop_front();
        }
        self.reports.push_back((time, bytes.to_vec()));
    }

    /// A good packet came back. `true`: once more, after a replay of it.
    pub fn came_back(&mut self, number: u64) -> bool {
        let Some(sent) = self.packets.iter_mut().find(|sent| sent.number == number) else { return false };
        let again = std::mem::replace(&mut sent.came_back, true);
        self.doubled += i64::from(again && !sent.replayed);
        again && sent.replayed
    }

    /// Good packets that came back twice although they were sent once.
    pub fn doubled(&self) -> i64 {
        self.doubled
    }

    /// How many of the packets that lie so far behind the newest came back.
    pub fn replayable(&self, behind: &RangeInclusive<usize>) -> usize {
        self.behind(behind).filter(|sent| sent.came_back).count()
    }

    /// Up to `count` of the packets that lie so far behind the newest, oldest first; all of them, or those that came back.
    pub fn take(
        &mut self,
        behind: &RangeInclusive<usize>,
        count: usize,
        came_back: bool,
    ) -> VecDeque<(Marker, Vec<u8>)> {
        let wanted = self.behind(behind).filter(|sent| sent.came_back || !came_back);
        let mut chosen: Vec<u64> = wanted.map(|sent| sent.number).take(count).collect();
        chosen.sort_unstable();
        let sent = self.packets.iter_mut().filter(|sent| chosen.binary_search(&sent.number).is_ok());
        sent.map(|sent| {
            sent.replayed = true;
            (sent.marker, sent.bytes.clone())
        })
        .collect()
    }

    /// The target names this time as that of our last sender report. Whether it is one of ours.
    pub fn named(&mut self, time: u32) -> bool {
        let ours = self.reports.iter().any(|(known, _)| *known == time);
        if ours {
            self.named = Some(time);
        }
        ours
    }

    /// Whether the target ever named one.
    pub fn counted(&self) -> bool {
        self.named.is_some()
    }

    /// The report before the one that the target has named last: its time, and the bytes. Named again, it has gone back.
    pub fn old_report(&self) -> Option<&(u32, Vec<u8>)> {
        let place = self.reports.iter().position(|(time, _)| Some(*time) == self.named)?;
        self.reports.get(place.checked_sub(1)?)
    }

    /// Newest first.
    fn behind(&self, behind: &RangeInclusive<usize>) -> impl Iterator<Item = &Sent> {
        self.packets.iter().rev().skip(*behind.start()).take(behind.end() - behind.start() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_came_back_once_is_replayed_and_only_a_replay_comes_back_again() {
        let mut history = History::default();
        for number in 0..400u64 {
            history.sent(number, number.to_be_bytes(), &number.to_be_bytes());
            if number % 2 == 0 {
                assert!(!history.came_back(number));
            }
        }
        assert_eq!((history.replayable(&(1..=40)), history.replayable(&(100..=250))), (20, 75));
        assert!(!history.came_back(398), "doubled by the way");
        assert_eq!(history.doubled(), 1);
        let replays = history.take(&(1..=40), 10, true);
        let numbers: Vec<u64> = replays.iter().map(|(marker, _)| u64::from_be_bytes(*marker)).collect();
        assert_eq!(numbers, (380..=398).step_by(2).collect::<Vec<_>>());
        assert!(history.came_back(398) && !history.came_back(399) && !history.came_back(3));
        assert_eq!(history.doubled(), 1);
    }

    #[test]
    fn a_report_is_old_once_the_target_has_named_a_later_one() {
        let mut history = History::default();
        (1..=20).for_each(|time| history.reported(time, &[time as u8]));
        assert!(!history.named(4) && !history.counted() && history.old_report().is_none(), "long forgotten");
        assert!(history.named(9));
        assert_eq!(history.old_report(), Some(&(8, vec![8])));
    }
}
