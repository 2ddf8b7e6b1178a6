//! What the callee reports by RTCP: RFC 3550, section 6.4.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ringfence_wire::rtcp::{self, Chunk, Packet, ReportBlock};

/// Senders that are reported on; the first ones that authenticate.
const MAX_SOURCES: usize = 8;
/// From the start of NTP time, 1900, to that of Unix time. RFC 5905, section 6.
const NTP_AT_UNIX_EPOCH: u64 = 2_208_988_800;

/// What was received, and what was sent.
pub(crate) struct Reports {
    start: Instant,
    wall: SystemTime,
    ssrc: u32,
    cname: String,
    clock_hz: u32,
    sources: Vec<Source>,
    packets: u32,
    octets: u32,
    last_sent: Option<(Instant, u32)>,
}

/// One sender. RFC 3550, appendix A.
struct Source {
    ssrc: u32,
    /// Extended sequence numbers: the first, and the highest.
    first: u64,
    highest: u64,
    received: u64,
    /// Expected and received at the last report.
    before: (u64, u64),
    transit: i64,
    /// In timestamp units times 16. RFC 3550, appendix A.8.
    jitter: u64,
    /// The middle of the last sender report's NTP time, and when it came.
    sender_report: Option<(u32, Instant)>,
}

impl Reports {
    /// `wall` is the time of day at `start`; `clock_hz` that of RTP timestamps.
    pub fn new(start: Instant, wall: SystemTime, ssrc: u32, cname: String, clock_hz: u32) -> Self {
        let sources = Vec::new();
        Self { start, wall, ssrc, cname, clock_hz, sources, packets: 0, octets: 0, last_sent: None }
    }

    /// An RTP packet that authenticated; `index` is its sequence number, extended by the rollovers.
    pub fn received(&mut self, now: Instant, ssrc: u32, index: u64, timestamp: u32) {
        let arrival = self.ticks(now.saturating_duration_since(self.start));
        // In 32 bits both wrap, and so does their difference. RFC 3550, appendix A.8.
        let transit = i64::from(arrival.wrapping_sub(timestamp));
        if let Some(source) = self.sources.iter_mut().find(|source| source.ssrc == ssrc) {
            source.received += 1;
            source.highest = source.highest.max(index);
            let change = (transit - source.transit).unsigned_abs().min(1 << 31);
            source.transit = transit;
            source.jitter = source.jitter + change - ((source.jitter + 8) >> 4);
        } else if self.sources.len() < MAX_SOURCES {
            let (before, jitter, sender_report) = ((0, 0), 0, None);
            let new =
                Source { ssrc, first: index, highest: index, received: 1, before, transit, jitter, sender_report };
            self.sources.push(new);
        }
    }

    /// An RTCP datagram that authenticated.
    pub fn heard(&mut self, now: Instant, datagram: &[u8]) {
        for packet in rtcp::parse(datagram).unwrap_or_default() {
            if let Packet::SenderReport { ssrc, ntp, .. } = packet
                && let Some(source) = self.sources.iter_mut().find(|source| source.ssrc == ssrc)
            {
                source.sender_report = Some(((ntp >> 16) as u32, now)); // RFC 3550, section 6.4.1: the middle 32 bits
            }
        }
    }

    /// An RTP packet that was sent.
    pub fn sent(&mut self, now: Instant, timestamp: u32, payload_bytes: usize) {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload_bytes as u32); // a datagram's length
        self.last_sent = Some((now, timestamp));
    }

    /// A compound for now: a sender report if anything was sent, else a receiver report, and the CNAME.
    pub fn compound(&mut self, now: Instant) -> Option<Vec<u8>> {
        let reports = self.sources.iter_mut().map(|source| source.block(now)).collect();
        let (ssrc, extension) = (self.ssrc, Vec::new());
        let report = match self.last_sent {
            Some((at, timestamp)) => {
                let rtp = timestamp.wrapping_add(self.ticks(now.saturating_duration_since(at)));
                let (ntp, packets, octets) = (self.ntp(now), self.packets, self.octets);
                Packet::SenderReport { ssrc, ntp, rtp, packets, octets, reports, extension }
            }
            None => Packet::ReceiverReport { ssrc, reports, extension },
        };
        rtcp::emit(&[report, Packet::SourceDescription(vec![Chunk::cname(ssrc, &self.cname)])]).ok()
    }

    /// Modulo 2^32, as RTP timestamps are.
    fn ticks(&self, elapsed: Duration) -> u32 {
        (elapsed.as_micros() * u128::from(self.clock_hz) / 1_000_000) as u32
    }

    fn ntp(&self, now: Instant) -> u64 {
        let wall = self.wall + now.saturating_duration_since(self.start);
        let unix = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        let fraction = (u64::from(unix.subsec_nanos()) << 32) / 1_000_000_000;
        unix.as_secs().wrapping_add(NTP_AT_UNIX_EPOCH) << 32 | fraction // the seconds wrap in 2036
    }
}

impl Source {
    fn block(&mut self, now: Instant) -> ReportBlock {
        let expected = self.highest - self.first + 1;
        // Negative with duplicates; 24 bits. RFC 3550, appendix A.3.
        let lost = (expected as i64 - self.received as i64).clamp(-0x80_0000, 0x7f_ffff) as i32;
        let expected_since = expected - self.before.0;
        let lost_since = expected_since.saturating_sub(self.received - self.before.1);
        self.before = (expected, self.received);
        let (last_report, delay) = self.sender_report.map_or((0, 0), |(middle, at)| {
            let delay = now.saturating_duration_since(at).as_micros() * 65_536 / 1_000_000;
            (middle, u32::try_from(delay).unwrap_or(u32::MAX))
        });
        ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: (lost_since * 256).checked_div(expected_since).unwrap_or(0).min(255) as u8,
            lost,
            highest_sequence: self.highest as u32, // RFC 3550, section 6.4.1: cycles modulo 2^16
            jitter: (self.jitter >> 4) as u32,
            last_report,
            delay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(compound: &[u8]) -> Vec<ReportBlock> {
        match rtcp::parse(compound).unwrap().remove(0) {
            Packet::SenderReport { reports, .. } | Packet::ReceiverReport { reports, .. } => reports,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn losses_and_the_highest_number_are_told() {
        let start = Instant::now();
        let mut reports = Reports::new(start, UNIX_EPOCH, 1, "name".into(), 8000);
        for (packet, index) in [65_534, 65_535, 65_537, 65_538].into_iter().enumerate() {
            let at = start + Duration::from_millis(20) * packet as u32;
            reports.received(at, 7, index, 160 * packet as u32);
        }
        let block = blocks(&reports.compound(start + Duration::from_secs(1)).unwrap())[0];
        assert_eq!((block.ssrc, block.highest_sequence, block.lost), (7, 65_538, 1));
        assert_eq!((block.fraction_lost, block.jitter, block.last_report), (51, 0, 0)); // 1/5 of 256
        let again = blocks(&reports.compound(start + Duration::from_secs(2)).unwrap())[0];
        assert_eq!((again.lost, again.fraction_lost), (1, 0));
    }

    #[test]
    fn a_sender_report_is_given_once_something_was_sent() {
        let start = Instant::now();
        let mut reports = Reports::new(start, UNIX_EPOCH, 1, "name".into(), 8000);
        assert!(matches!(rtcp::parse(&reports.compound(start).unwrap()).unwrap()[0], Packet::ReceiverReport { .. }));
        reports.sent(start, u32::MAX, 160);
        reports.received(start, 7, 0, 0);
        let theirs = Packet::SenderReport {
            ssrc: 7,
            ntp: 0x1122_3344_5566_7788,
            rtp: 0,
            packets: 0,
            octets: 0,
            reports: Vec::new(),
            extension: Vec::new(),
        };
        reports.heard(start, &rtcp::emit(&[theirs]).unwrap());
        let compound = rtcp::parse(&reports.compound(start + Duration::from_millis(500)).unwrap()).unwrap();
        let Packet::SenderReport { ntp, rtp, packets, octets, reports, .. } = &compound[0] else {
            panic!("{compound:?}");
        };
        assert_eq!((*packets, *octets, *rtp), (1, 160, 3999));
        assert_eq!(*ntp, NTP_AT_UNIX_EPOCH << 32 | 1 << 31);
        assert_eq!((reports[0].last_report, reports[0].delay), (0x3344_5566, 32_768));
        assert_eq!(compound[1], Packet::SourceDescription(vec![Chunk::cname(1, "name")]));
    }

    #[test]
    fn only_so_many_senders_are_kept() {
        let start = Instant::now();
        let mut reports = Reports::new(start, UNIX_EPOCH, 1, "name".into(), 8000);
        (0..100).for_each(|ssrc| reports.received(start, ssrc, 0, 0));
        assert_eq!(blocks(&reports.compound(start).unwrap()).len(), MAX_SOURCES);
    }
}
