//! Audio of the far side: authenticated G.711 packets, put where their timestamps say. It is kept only where the target file
//! allows that, which whoever makes a [`Recording`] has to see to.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ringfence_wire::rtp::Packet;

use super::g711::Law;
use super::playback::RATE_HZ;

/// One second: what comes earlier or later than that is no reordering, but a timestamp that began anew.
const SLACK: i64 = RATE_HZ as i64;

/// The audio of one call's far side. Clones are the same audio.
#[derive(Clone, Debug)]
pub struct Recording(Arc<Mutex<Tape>>);

/// What a [`Recording`] holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Samples of 8000 Hz, silence in gaps included.
    pub samples: usize,
    /// Samples that no packet brought.
    pub silence: usize,
    /// Packets that came too late, behind the limit, or in another codec.
    pub left_out: u64,
}

#[derive(Debug)]
struct Tape {
    samples: Vec<i16>,
    max: usize,
    /// Samples that packets brought.
    brought: usize,
    left_out: u64,
    line: Option<Line>,
    heard: Option<Instant>,
}

/// How the timestamps of a source become places on the tape.
#[derive(Clone, Copy, Debug)]
struct Line {
    ssrc: u32,
    timestamp: u32,
    place: usize,
}

impl Recording {
    /// An empty one that takes so many seconds.
    pub fn new(max_seconds: u32) -> Self {
        let max = max_seconds as usize * RATE_HZ as usize;
        let tape = Tape { samples: Vec::new(), max, brought: 0, left_out: 0, line: None, heard: None };
        Self(Arc::new(Mutex::new(tape)))
    }

    /// A copy of the samples.
    pub fn samples(&self) -> Vec<i16> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).samples.clone()
    }

    /// What it holds.
    pub fn recorded(&self) -> Recorded {
        let tape = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let samples = tape.samples.len();
        Recorded { samples, silence: samples.saturating_sub(tape.brought), left_out: tape.left_out }
    }

    /// Takes a packet that authenticated. Its type is one of our offer: there G.711 has its static numbers.
    pub(super) fn take(&self, now: Instant, packet: &[u8]) {
        let mut tape = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tape.take(now, packet).is_none() {
            tape.left_out += 1;
        }
    }
}

impl Tape {
    fn take(&mut self, now: Instant, packet: &[u8]) -> Option<()> {
        let Packet { header, payload, .. } = Packet::parse(packet).ok()?;
        let law = match header.payload_type {
            0 => Law::Mu, // RFC 3551, table 4
            8 => Law::A,
            _ => return None,
        };
        let place = self.place(now, header.ssrc, header.timestamp)?;
        let end = place.saturating_add(payload.len()).min(self.max);
        if end > self.samples.len() {
            self.samples.resize(end, 0); // a gap is silence until its packet comes
        }
        let samples = self.samples.get_mut(place..end).filter(|samples| !samples.is_empty())?;
        samples.iter_mut().zip(payload).for_each(|(sample, code)| *sample = law.decode(*code));
        self.brought += samples.len();
        Some(())
    }

    /// Where a timestamp belongs; `None` for what lies before the beginning.
    fn place(&mut self, now: Instant, ssrc: u32, timestamp: u32) -> Option<usize> {
        let end = i64::try_from(self.samples.len()).ok()?;
        let passed = self.heard.replace(now).map_or(0.0, |heard| now.saturating_duration_since(heard).as_secs_f64());
        let latest = end + (passed * f64::from(RATE_HZ)) as i64 + SLACK;
        if let Some(line) = self.line.filter(|line| line.ssrc == ssrc) {
            let since = i64::from(timestamp.wrapping_sub(line.timestamp) as i32);
            let place = i64::try_from(line.place).ok()? + since;
            if (end - SLACK..=latest).contains(&place) {
                return usize::try_from(place).ok();
            }
        }
        // Another source, or timestamps that began anew: they go on where the tape ends.
        let place = self.samples.len();
        self.line = Some(Line { ssrc, timestamp, place });
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ringfence_wire::rtp::Header;

    use super::*;

    /// A packet of 160 times one mu-law code.
    fn packet(payload_type: u8, ssrc: u32, timestamp: u32, code: u8) -> Vec<u8> {
        let header = Header {
            padding: false,
            marker: false,
            payload_type,
            sequence: 0,
            timestamp,
            ssrc,
            csrc: Vec::new(),
            extension: None,
        };
        Packet { header, payload: &[code; 160], padding_bytes: 0 }.emit().unwrap()
    }

    /// Values of the first sample of each packet's time.
    fn heard(recording: &Recording) -> Vec<i16> {
        recording.samples().chunks(160).map(|chunk| chunk[0]).collect()
    }

    #[test]
    fn packets_go_where_their_timestamps_say() {
        let (now, recording) = (Instant::now(), Recording::new(10));
        let at = u32::MAX - 200; // it wraps
        let [one, two, three] = [0xfe, 0xfd, 0xfc].map(|code| Law::Mu.decode(code));
        recording.take(now, &packet(0, 1, at, 0xfe));
        recording.take(now, &packet(0, 1, at.wrapping_add(480), 0xfc));
        assert_eq!(recording.recorded(), Recorded { samples: 640, silence: 320, left_out: 0 });
        recording.take(now, &packet(0, 1, at.wrapping_add(160), 0xfd));
        assert_eq!(heard(&recording), [one, two, 0, three]);
        recording.take(now, &packet(8, 1, at.wrapping_add(640), 0xd4));
        assert_eq!(heard(&recording).last(), Some(&24), "A-law, by its payload type");
        assert_eq!(recording.recorded(), Recorded { samples: 800, silence: 160, left_out: 0 });
        for other in [packet(0, 1, at.wrapping_sub(160), 0xfe), packet(111, 1, at, 0xfe), b"no RTP".to_vec()] {
            recording.take(now, &other);
        }
        assert_eq!(recording.recorded(), Recorded { samples: 800, silence: 160, left_out: 3 });
    }

    #[test]
    fn silence_is_as_long_as_time_has_passed_and_no_longer() {
        let (now, recording) = (Instant::now(), Recording::new(60));
        recording.take(now, &packet(0, 1, 0, 0xfe));
        recording.take(now + Duration::from_secs(5), &packet(0, 1, 5 * RATE_HZ, 0xfd));
        assert_eq!(recording.recorded().samples, 40_160, "a pause of the far side's");
        recording.take(now + Duration::from_secs(5), &packet(0, 1, 50 * RATE_HZ, 0xfc));
        recording.take(now + Duration::from_secs(5), &packet(0, 1, 50 * RATE_HZ + 160, 0xfc));
        assert_eq!(recording.recorded().samples, 40_480, "a clock that was set");
        recording.take(now + Duration::from_secs(5), &packet(0, 2, 7, 0xfb));
        assert_eq!(recording.recorded().samples, 40_640, "another source");
    }

    #[test]
    fn memory_is_bounded() {
        let (now, recording) = (Instant::now(), Recording::new(1));
        for number in 0..60 {
            recording.take(now, &packet(0, number / 7, number * 160, 0xfe));
        }
        let recorded = recording.recorded();
        assert_eq!((recorded.samples, recorded.left_out), (8000, 10));
    }
}
