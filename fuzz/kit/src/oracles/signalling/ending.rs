//! Whatever we wish comes to an end.

use std::time::Duration;

use ringfence_client::signalling::Event;

use super::{Moment, Watcher};
use crate::oracle::Oracle;

/// Each wish is followed by what became of it, though the peer never says another word.
pub const ENDING: Oracle = Oracle::new(
    "every wish has an end",
    "transactions end by their timers at the latest (RFC 3261, 17.1.1.2 and 17.1.2.2): who waits for a result must get one",
);

/// Counts wishes and results.
#[derive(Debug, Default)]
pub struct Ending {
    asked: usize,
    answers: usize,
    calls: usize,
    ended_calls: usize,
    changes: usize,
    changed: usize,
    failed: usize,
    /// A registration, or its end, was wished for and nothing was told yet.
    registers: bool,
    gone: bool,
}

impl Watcher for Ending {
    fn happens(&mut self, moment: &Moment, _at: Duration) {
        match moment {
            Moment::Command("ask") => self.asked += 1,
            Moment::Command("invite") => self.calls += 1,
            Moment::Command("change") => self.changes += 1,
            Moment::Command(what) if what.contains("register") => self.registers = true,
            Moment::Gone => self.gone = true,
            _ => {}
        }
    }

    fn tells(&mut self, _moment: &Moment, event: &Event) {
        match event {
            Event::Answer { .. } => self.answers += 1,
            Event::Answered { .. } | Event::Refused { .. } | Event::Ended => self.ended_calls += 1,
            Event::Changed { .. } => self.changed += 1,
            Event::Registered { .. } | Event::RegisterFinal { .. } | Event::Unregistered => self.registers = false,
            Event::Failed(_) => {
                self.failed += 1;
                self.registers = false;
            }
            _ => {}
        }
    }

    fn ends(&mut self) {
        let has_ends = |wishes: usize, ends: usize| wishes <= ends + self.failed;
        let all = has_ends(self.asked, self.answers)
            && has_ends(self.calls, self.ended_calls)
            && has_ends(self.changes, self.changed)
            && !self.registers;
        ENDING.holds(self.gone || all, || format!("the peer is silent for long, and this is left: {self:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn a_wish_without_an_end_is_caught() {
        for what in ["ask", "invite", "change", "register", "unregister"] {
            caught(&ENDING, || {
                let mut ending = Ending::default();
                ending.happens(&Moment::Command(what), Duration::ZERO);
                ending.ends();
            });
        }
        let mut ending = Ending::default();
        ending.happens(&Moment::Command("invite"), Duration::ZERO);
        ending.tells(&Moment::Timer, &Event::Ended);
        ending.ends();
    }
}
