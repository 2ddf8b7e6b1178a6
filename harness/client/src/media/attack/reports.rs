//! The target's receiver reports as oracle, for destinations that echo nothing.
//!
//! A middle box may pass on reports of another leg, whose numbers are not ours. So a gap of our own comes first: only reports that
//! then name a good packet behind the gap, and count the gap as lost, speak of what the target itself received from us.

use ringfence_wire::rtcp::ReportBlock;

/// Sequence numbers that are left out on purpose (house): more than a lossy network takes of a second of audio.
pub(super) const GAP: u16 = 40;
/// So much of the gap has to show up as lost: packets before it may have arrived late, and take something back.
const SHOWN: i32 = 30;
/// Reports that are wanted before and after an attack.
const WANTED: u32 = 2;

/// What the reports have shown.
#[derive(Debug, Default)]
pub(super) struct Reports {
    stage: Stage,
    /// Loss in all, by the last report.
    lost: i32,
}

#[derive(Debug, Default)]
enum Stage {
    /// They have named good packets so often.
    #[default]
    Strange,
    Named(u32),
    /// A gap of ours lies before this good packet; until then so many were lost.
    Gap {
        first: u64,
        lost: i32,
    },
    /// They are about what we send.
    Trusted,
    /// The attack is over, and audio goes on from this good packet; they have named it or later ones so often.
    After {
        first: u64,
        named: u32,
    },
}

impl Reports {
    /// A report about us; `number` is the good packet that it names as the highest.
    pub fn heard(&mut self, block: &ReportBlock, number: Option<u64>) {
        self.lost = block.lost;
        match (&mut self.stage, number) {
            (Stage::Strange, Some(_)) => self.stage = Stage::Named(1),
            (Stage::Named(times), Some(_)) => *times += 1,
            (Stage::Gap { first, lost }, Some(number))
                if number >= *first && block.lost.saturating_sub(*lost) >= SHOWN =>
            {
                self.stage = Stage::Trusted;
            }
            (Stage::After { first, named }, Some(number)) if number >= *first => *named += 1,
            _ => {}
        }
    }

    /// Whether it is time for a gap.
    pub fn wants_gap(&self) -> bool {
        matches!(self.stage, Stage::Named(times) if times >= WANTED)
    }

    /// The gap was made; this is the next good packet.
    pub fn gap_made(&mut self, first: u64) {
        self.stage = Stage::Gap { first, lost: self.lost };
    }

    /// Whether they are about what we send.
    pub fn trusted(&self) -> bool {
        matches!(self.stage, Stage::Trusted | Stage::After { .. })
    }

    /// The attack is over; this is the next good packet.
    pub fn attack_over(&mut self, next: u64) {
        if let Stage::Trusted = self.stage {
            self.stage = Stage::After { first: next, named: 0 };
        }
    }

    /// Whether good packets after the attack have been reported.
    pub fn shown_after(&self) -> bool {
        matches!(self.stage, Stage::After { named, .. } if named >= WANTED)
    }

    /// Loss in all, by the last report.
    pub fn lost(&self) -> i32 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(lost: i32) -> ReportBlock {
        ReportBlock { lost, ..ReportBlock::default() }
    }

    #[test]
    fn only_reports_that_show_our_gap_count() {
        let mut reports = Reports::default();
        reports.heard(&block(0), None);
        reports.heard(&block(2), Some(10));
        assert!(!reports.wants_gap());
        reports.heard(&block(2), Some(60));
        assert!(reports.wants_gap() && !reports.trusted());
        reports.gap_made(80);
        reports.heard(&block(2), Some(79));
        reports.heard(&block(2), Some(90)); // of another leg, which has no gap
        reports.heard(&block(42), None);
        assert!(!reports.trusted());
        reports.heard(&block(41), Some(140));
        assert!(reports.trusted());
        reports.attack_over(200);
        reports.heard(&block(91), Some(199));
        reports.heard(&block(91), Some(200));
        assert!(!reports.shown_after());
        reports.heard(&block(91), Some(250));
        assert!(reports.shown_after() && reports.lost() == 91);
    }
}
