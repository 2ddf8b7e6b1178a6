//! Our last flight, to be repeated where `rtc-dtls` forgets to. RFC 6347, section 4.2.4.
//!
//! Any handshake message disarms its timer, also one that completes nothing: the first half of the peer's flight, or a
//! repeated HelloVerifyRequest. If the rest is lost, nobody says anything any more. The records go out again as they were,
//! under their old numbers: a peer that missed them takes them, and one that has them answers of its own accord.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Repetitions of one flight; `rtc-dtls` stops after seven of its own.
const MAX_REPEATS: u32 = 7;

/// What was sent last.
#[derive(Default)]
pub(super) struct Flight {
    datagrams: Vec<Vec<u8>>,
    /// The next datagram begins another flight.
    over: bool,
    sent_at: Option<Instant>,
    repeats: u32,
    again: VecDeque<Vec<u8>>,
}

impl Flight {
    /// Something went in: what comes out of it is another flight, if anything does.
    pub(super) fn end(&mut self) {
        self.over = true;
    }

    /// A datagram went out.
    pub(super) fn sent(&mut self, now: Instant, datagram: &[u8]) {
        if std::mem::take(&mut self.over) {
            self.datagrams.clear();
            self.again.clear();
            self.repeats = 0;
        }
        self.datagrams.push(datagram.to_vec());
        self.sent_at = Some(now);
    }

    /// When to repeat it; never, if nothing was sent.
    pub(super) fn due(&self, interval: Duration) -> Option<Instant> {
        self.sent_at.filter(|_| !self.datagrams.is_empty()).map(|at| at + interval)
    }

    /// Repeats it. `false` if that was done often enough.
    pub(super) fn repeat(&mut self, now: Instant) -> bool {
        self.repeats += 1;
        self.sent_at = Some(now);
        self.again = self.datagrams.iter().cloned().collect();
        self.repeats <= MAX_REPEATS
    }

    /// The next datagram that is to go out again.
    pub(super) fn poll(&mut self) -> Option<Vec<u8>> {
        self.again.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(600);

    #[test]
    fn the_last_flight_is_repeated_until_there_is_another() {
        let start = Instant::now();
        let mut flight = Flight::default();
        assert_eq!(flight.due(INTERVAL), None, "nothing was sent");
        flight.sent(start, &[1]);
        flight.sent(start, &[2]);
        flight.end(); // something came, and changed nothing
        assert_eq!(flight.due(INTERVAL), Some(start + INTERVAL));
        let later = start + INTERVAL;
        assert!(flight.repeat(later));
        assert_eq!([flight.poll(), flight.poll(), flight.poll()], [Some(vec![1]), Some(vec![2]), None]);
        assert_eq!(flight.due(INTERVAL), Some(later + INTERVAL));

        flight.sent(later, &[3]);
        assert!(flight.repeat(later));
        assert_eq!([flight.poll(), flight.poll()], [Some(vec![3]), None]);
    }

    #[test]
    fn repetitions_are_counted_per_flight() {
        let now = Instant::now();
        let mut flight = Flight::default();
        flight.sent(now, &[1]);
        assert!((0..MAX_REPEATS).all(|_| flight.repeat(now)));
        assert!(!flight.repeat(now));
        flight.end();
        flight.sent(now, &[2]);
        assert!(flight.repeat(now));
    }
}
