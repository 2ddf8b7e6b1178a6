//! Reception statistics of the target's streams, our reports, and what the target reports of us. RFC 3550, section 6.

use std::time::{Duration, Instant};

use ringfence_wire::rtcp::{Chunk, Packet, ReportBlock, emit};
use ringfence_wire::rtp::Header;

use super::audio::Stream;

/// Between our reports. RFC 3550, section 6.2 asks for 5 s unless a profile says otherwise; AVPF (RFC 4585) does.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);
/// Before the first.
pub(super) const FIRST: Duration = Duration::from_millis(500);
/// Streams of the target that are followed.
const MAX_SOURCES: usize = 32;
/// Report blocks in one of our reports.
const MAX_BLOCKS: usize = 4;
/// A jump beyond this is a restart, not a loss. RFC 3550, appendix A.1 (MAX_DROPOUT).
const MAX_DROPOUT: u16 = 3000;
/// Seconds between 1900 and an arbitrary origin of our NTP time: it need not be the wall clock (RFC 3550, section 6.4.1).
const NTP_ORIGIN_S: u64 = 3_900_000_000;

/// What was received of one source. RFC 3550, appendix A.
#[derive(Debug)]
struct Source {
    ssrc: u32,
    first: u32,
    highest: u32,
    received: u64,
    expected_before: u64,
    received_before: u64,
    transit: Option<i64>,
    jitter: f64,
    last_report: Option<(u32, Instant)>,
}

impl Source {
    fn expected(&self) -> u64 {
        u64::from(self.highest.wrapping_sub(self.first)) + 1
    }
}

/// Everything received.
pub(super) struct Reception {
    began: Instant,
    sources: Vec<Source>,
}

impl Reception {
    /// Nothing yet; NTP time counts from `began`.
    pub(super) fn new(began: Instant) -> Self {
        Self { began, sources: Vec::new() }
    }

    /// Counts an RTP packet that authenticated.
    pub(super) fn received(&mut self, now: Instant, header: &Header, clock_hz: u32) {
        let sequence = u32::from(header.sequence);
        let elapsed = now.saturating_duration_since(self.began).as_micros();
        let arrival = i64::try_from(elapsed * u128::from(clock_hz) / 1_000_000).unwrap_or(i64::MAX);
        let transit = arrival - i64::from(header.timestamp);
        if let Some(source) = self.sources.iter_mut().find(|source| source.ssrc == header.ssrc) {
            let ahead = header.sequence.wrapping_sub(source.highest as u16);
            if ahead > 0 && ahead < MAX_DROPOUT {
                source.highest = source.highest.wrapping_add(u32::from(ahead));
            } else if (MAX_DROPOUT..u16::MAX - MAX_DROPOUT).contains(&ahead) {
                (source.first, source.highest) = (sequence, sequence); // restarted
                (source.received, source.expected_before, source.received_before) = (0, 0, 0);
            }
            source.received += 1;
            let difference = source.transit.map_or(0.0, |before| transit.saturating_sub(before).unsigned_abs() as f64);
            source.jitter += (difference - source.jitter) / 16.0; // RFC 3550, section 6.4.1
            source.transit = Some(transit);
        } else if self.sources.len() < MAX_SOURCES {
            self.sources.push(Source {
                ssrc: header.ssrc,
                first: sequence,
                highest: sequence,
                received: 1,
                expected_before: 0,
                received_before: 0,
                transit: Some(transit),
                jitter: 0.0,
                last_report: None,
            });
        }
    }

    /// Notes a sender report, for the delay that our next report states.
    pub(super) fn sender_report(&mut self, now: Instant, ssrc: u32, ntp: u64) {
        if let Some(source) = self.sources.iter_mut().find(|source| source.ssrc == ssrc) {
            source.last_report = Some(((ntp >> 16) as u32, now));
        }
    }

    /// The share of all expected packets that did not come, 0 to 1.
    pub(super) fn loss(&self) -> f64 {
        let (expected, received) =
            self.sources.iter().fold((0, 0), |(e, r), source| (e + source.expected(), r + source.received));
        if expected == 0 { 0.0 } else { (1.0 - received as f64 / expected as f64).max(0.0) }
    }

    /// The middle of the NTP time that a sender report of now states. RFC 3550, section 6.4.1.
    pub(super) fn time(&self, now: Instant) -> u32 {
        (self.ntp(now) >> 16) as u32
    }

    /// Our report: sender's if we sent, receiver's otherwise, with our CNAME. In the clear.
    pub(super) fn report(&mut self, now: Instant, stream: &Stream, cname: &str) -> Vec<u8> {
        let reports = self.sources.iter_mut().take(MAX_BLOCKS).map(|source| block(source, now)).collect();
        let (ssrc, extension) = (stream.ssrc(), Vec::new());
        let report = if stream.packets() > 0 {
            Packet::SenderReport {
                ssrc,
                ntp: self.ntp(now),
                rtp: stream.timestamp(),
                packets: stream.packets() as u32,
                octets: stream.octets() as u32,
                reports,
                extension,
            }
        } else {
            Packet::ReceiverReport { ssrc, reports, extension }
        };
        let name = cname.get(..255).unwrap_or(cname);
        emit(&[report, Packet::SourceDescription(vec![Chunk::cname(ssrc, name)])]).unwrap_or_default()
    }

    /// Our last words. RFC 3550, section 6.6.
    pub(super) fn goodbye(&mut self, now: Instant, stream: &Stream, cname: &str) -> Vec<u8> {
        let bye = Packet::Bye { sources: vec![stream.ssrc()], reason: None };
        [self.report(now, stream, cname), emit(&[bye]).unwrap_or_default()].concat()
    }

    fn ntp(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.began);
        let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        (NTP_ORIGIN_S + since.as_secs()) << 32 | fraction
    }
}

// RFC 3550, appendix A.3.
fn block(source: &mut Source, now: Instant) -> ReportBlock {
    let expected = source.expected();
    let lost = i64::try_from(expected).unwrap_or(0) - i64::try_from(source.received).unwrap_or(0);
    let interval = expected.saturating_sub(source.expected_before);
    let got = source.received.saturating_sub(source.received_before);
    (source.expected_before, source.received_before) = (expected, source.received);
    let missing = interval.saturating_sub(got);
    let fraction = missing.saturating_mul(256).checked_div(interval).unwrap_or(0);
    let (last_report, delay) = source.last_report.map_or((0, 0), |(ntp, at)| {
        let delay = now.saturating_duration_since(at).as_micros() * 65_536 / 1_000_000;
        (ntp, u32::try_from(delay).unwrap_or(u32::MAX))
    });
    ReportBlock {
        ssrc: source.ssrc,
        fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
        lost: i32::try_from(lost.clamp(-0x80_0000, 0x7f_ffff)).unwrap_or(0), // 24 bits with sign
        highest_sequence: source.highest,
        jitter: source.jitter as u32,
        last_report,
        delay,
    }
}

#[cfg(test)]
mod tests {
    use ringfence_wire::rtcp::parse;

    use super::super::audio::PacketKind;
    use super::*;

    fn header(sequence: u16) -> Header {
        Header {
            padding: false,
            marker: false,
            payload_type: 0,
            sequence,
            timestamp: u32::from(sequence) * 160,
            ssrc: 9,
            csrc: Vec::new(),
            extension: None,
        }
    }

    #[test]
    fn losses_are_counted_over_the_wrap() {
        let now = Instant::now();
        let mut reception = Reception::new(now);
        for sequence in [65_533u16, 65_534, 0, 1, 65_535, 3] {
            reception.received(now, &header(sequence), 8000);
        }
        let stream = Stream::new(1, None);
        let report = parse(&reception.report(now, &stream, "name")).unwrap();
        let Packet::ReceiverReport { reports, .. } = &report[0] else { panic!("{report:?}") };
        assert_eq!((reports[0].lost, reports[0].highest_sequence, reports[0].fraction_lost), (1, 65_539, 36));
        assert!((reception.loss() - 1.0 / 7.0).abs() < 1e-9);
    }

    #[test]
    fn a_sender_reports_what_it_sent() {
        let now = Instant::now();
        let mut stream = Stream::new(1, None);
        stream.packet(PacketKind::Good);
        stream.packet(PacketKind::Attack);
        let mut reception = Reception::new(now);
        reception.received(now, &header(1), 8000);
        reception.sender_report(now, 9, 0x1234_5678_9abc_def0);
        let report = parse(&reception.goodbye(now + Duration::from_millis(1500), &stream, "name")).unwrap();
        let Packet::SenderReport { packets, octets, ntp, reports, .. } = &report[0] else { panic!("{report:?}") };
        assert_eq!((*packets, *octets, *ntp as u32), (1, 160, 0x8000_0000));
        assert_eq!((reports[0].last_report, reports[0].delay), (0x5678_9abc, 98_304));
        assert!(matches!(report[2], Packet::Bye { .. }));
    }
}
