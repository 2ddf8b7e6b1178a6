//! A peer cannot make us talk much.

use std::time::Duration;

use ringfence_wire::sip::Message;

use super::{Moment, Watcher};
use crate::oracle::Oracle;

/// What goes out stays in proportion to what comes in.
pub const ECONOMY: Oracle = Oracle::new(
    "no amplification",
    "a peer that can make us send much for little turns us against others, or against our own memory",
);
/// Bytes out for each byte in.
const PER_BYTE: usize = 8;
/// Bytes that a wish of ours, or a time that has come, may cost: a request and three answers to challenges.
const PER_WISH: usize = 16 * 1024;
/// Bytes of one message apart from what the peer said before: a request of ours with a description.
const PER_MESSAGE: usize = 4 * 1024;
/// Messages of ours for one of the peer: as many as a call has forks, and an own one.
const MESSAGES: usize = 9;

/// Counts both ways, from moment to moment.
#[derive(Debug, Default)]
pub struct Economy {
    allowed: usize,
    /// Bytes written since the last moment.
    spent: usize,
    /// The longest message that came: its Contact and its routes stand in later requests of ours.
    longest: usize,
    /// Messages written since the last moment.
    written: usize,
}

impl Watcher for Economy {
    fn happens(&mut self, moment: &Moment, _at: Duration) {
        // What is not spent is not saved: many timers would pay for one flood.
        (self.written, self.spent) = (0, 0);
        self.allowed = match moment {
            Moment::Heard(bytes, _) => {
                self.longest = self.longest.max(*bytes);
                PER_BYTE * bytes + PER_MESSAGE + PER_BYTE * self.longest
            }
            Moment::Command(_) | Moment::Timer => PER_WISH + PER_BYTE * self.longest,
            Moment::Gone => 0,
        };
    }

    fn writes(&mut self, moment: &Moment, bytes: &[u8], _message: Option<&Message>) {
        self.spent += bytes.len();
        self.written += 1;
        ECONOMY.holds(self.spent <= self.allowed && self.written <= MESSAGES, || {
            format!("{} bytes went out, of {} for what came; now {} messages", self.spent, self.allowed, self.written)
                + &format!(" because of {moment:?}")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn a_flood_for_a_word_is_caught() {
        let mut economy = Economy::default();
        (0..30).for_each(|_| economy.happens(&Moment::Timer, Duration::ZERO));
        let word = Moment::Heard(100, None);
        economy.happens(&word, Duration::ZERO);
        economy.writes(&word, &[b'x'; 3_000], None);
        caught(&ECONOMY, move || economy.writes(&word, &[b'x'; 3_000], None));
    }

    #[test]
    fn many_messages_for_one_are_caught() {
        let mut economy = Economy::default();
        let word = Moment::Heard(1_000, None);
        economy.happens(&word, Duration::ZERO);
        (0..MESSAGES).for_each(|_| economy.writes(&word, b"x", None));
        caught(&ECONOMY, move || economy.writes(&word, b"x", None));
    }
}
