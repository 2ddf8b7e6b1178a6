//! The echo: what authenticates is sent back, on numbers and under keys of our own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_srtp::{Context, UnprotectError, bend};
use ringfence_wire::rtp::{Header, Packet};

use super::MediaStats;
use super::offer::Codec;
use super::reports::Reports;
use crate::fault::{Fault, Faults};

/// Between two reports. RFC 3550, section 6.2 recommends 5 s at least; a second shows more within a short call.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Frames are taken to be of 20 ms, the usual packet time.
const FRAMES_PER_S: u32 = 50;

/// The numbers that our packets begin with.
pub(crate) struct Start {
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
}

/// Whether unprotected audio is played. RFC 5764, section 5.1: what comes before the keys is dropped, and so is what comes
/// without them.
fn plays_plain(faults: &Faults) -> bool {
    faults.broken(Fault::PlainRtpAccepted)
}

/// The echo in the clear of a packet that came before there were keys: from a lab that plays it.
pub(super) fn early_echo(faults: &Faults, next: &mut Start, datagram: &[u8]) -> Option<Vec<u8>> {
    if !plays_plain(faults) {
        return None;
    }
    let packet = Packet::parse(datagram).ok()?;
    let Start { ssrc, sequence, .. } = *next;
    next.sequence = sequence.wrapping_add(1);
    let header = Header { ssrc, sequence, csrc: Vec::new(), extension: None, ..packet.header };
    Packet { header: Header { padding: false, ..header }, payload: packet.payload, padding_bytes: 0 }.emit().ok()
}

/// One call's audio, from the moment that there are keys.
pub(crate) struct Echo {
    inbound: Context,
    /// What the caller's packets were protected under before the keys changed.
    before: Option<Context>,
    outbound: Context,
    /// At least one.
    codecs: Vec<Codec>,
    may_send: bool,
    next: Start,
    reports: Reports,
    faults: Arc<Faults>,
    due: Option<Instant>,
    pub stats: MediaStats,
}

impl Echo {
    /// `inbound` protects what the caller sends.
    pub fn new(
        (inbound, outbound): (Context, Context),
        codecs: Vec<Codec>,
        may_send: bool,
        next: Start,
        reports: Reports,
        faults: Arc<Faults>,
    ) -> Self {
        let stats = MediaStats::default();
        Self { inbound, before: None, outbound, codecs, may_send, next, reports, faults, due: None, stats }
    }

    /// Goes on under new keys.
    pub fn rekey(&mut self, (inbound, outbound): (Context, Context)) {
        self.before = Some(std::mem::replace(&mut self.inbound, inbound));
        self.outbound = outbound;
    }

    /// The path is there: the first report is due.
    pub fn begin(&mut self, now: Instant) {
        self.stats.connected = true;
        self.due.get_or_insert(now);
    }

    /// When [`Echo::tick`] wants to be called.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// An SRTP packet; what is to be sent for it.
    pub fn rtp(&mut self, now: Instant, datagram: &[u8]) -> Option<Vec<u8>> {
        let mut packet = datagram.to_vec();
        let verified = self.open(&mut packet)?;
        let packet = Packet::parse(&packet).ok()?;
        let Header { payload_type, marker, sequence, ssrc, timestamp, .. } = packet.header;
        if verified {
            self.stats.authenticated += 1;
        }
        // Whatever is played counts as received; what did not authenticate has moved no index.
        let highest = self.inbound.rtp_index(ssrc).unwrap_or_default();
        let index = if verified { highest } else { highest & !0xffff | u64::from(sequence) };
        self.reports.received(now, ssrc, index, timestamp);
        let frame = self.codecs.iter().find(|codec| codec.payload_type == payload_type)?.clock_hz / FRAMES_PER_S;
        if !self.may_send {
            return None;
        }
        let mut echo = self.packet(payload_type, marker, packet.payload)?;
        self.outbound.protect_rtp(&mut echo).ok()?;
        self.reports.sent(now, self.next.timestamp, packet.payload.len());
        self.next.timestamp = self.next.timestamp.wrapping_add(frame);
        self.stats.echoed += 1;
        Some(echo)
    }

    /// An SRTCP packet.
    pub fn rtcp(&mut self, now: Instant, datagram: &[u8]) {
        let mut packet = datagram.to_vec();
        match self.inbound.unprotect_rtcp(&mut packet) {
            Ok(()) => {
                self.stats.reports += 1;
                self.reports.heard(now, &packet);
            }
            Err(UnprotectError::Replay { .. }) => self.stats.replayed += 1,
            Err(_) => self.stats.unauthenticated += 1,
        }
    }

    /// Time has passed: what is to be sent now.
    pub fn tick(&mut self, now: Instant) -> Vec<Vec<u8>> {
        if self.due.is_none_or(|due| now < due) {
            return Vec::new();
        }
        self.due = Some(now + REPORT_EVERY);
        let Some(report) = self.reports.compound(now) else {
            return Vec::new();
        };
        let mut protected = report.clone();
        let mut packets = Vec::new();
        if self.outbound.protect_rtcp(&mut protected).is_ok() {
            packets.push(protected);
        }
        // RFC 8827, section 6.5: no media in the clear, ever.
        if self.faults.broken(Fault::ClearPacketsSent) {
            packets.extend(self.silence());
            packets.push(report);
        }
        packets
    }

    /// Removes the protection, and says whether it was intact.
    fn open(&mut self, packet: &mut Vec<u8>) -> Option<bool> {
        match self.inbound.unprotect_rtp(packet) {
            Ok(()) => return Some(true),
            Err(UnprotectError::Replay { .. }) => {
                self.stats.replayed += 1;
                // RFC 3711, section 3.3.2: what came before, or lies behind the window, is discarded.
                let listless = self.faults.broken(Fault::SrtpReplayAccepted);
                let opened = listless && bend::unprotect_rtp_ignoring_replay(&mut self.inbound, packet).is_ok();
                return opened.then_some(true);
            }
            Err(_) => self.stats.unauthenticated += 1,
        }
        // RFC 8842, section 4: with the association its keys are gone.
        if let Some(before) = &mut self.before
            && self.faults.broken(Fault::RekeyKeepsOldKeys)
            && before.unprotect_rtp(packet).is_ok()
        {
            return Some(false);
        }
        if plays_plain(&self.faults) {
            return Some(false);
        }
        // RFC 3711, section 3.3, step 5: what does not authenticate is discarded.
        if self.faults.broken(Fault::SrtpTagIgnored) {
            bend::unprotect_rtp_ignoring_tag(&mut self.inbound, packet).ok().map(|verified| verified.0)
        } else {
            None
        }
    }

    fn silence(&mut self) -> Option<Vec<u8>> {
        let codec = self.codecs.first()?.clone();
        self.packet(codec.payload_type, false, codec.silence)
    }

    /// The next packet of our stream, in the clear.
    fn packet(&mut self, payload_type: u8, marker: bool, payload: &[u8]) -> Option<Vec<u8>> {
        let Start { ssrc, sequence, timestamp } = self.next;
        let (csrc, extension) = (Vec::new(), None);
        let header = Header { padding: false, marker, payload_type, sequence, timestamp, ssrc, csrc, extension };
        self.next.sequence = sequence.wrapping_add(1);
        Packet { header, payload, padding_bytes: 0 }.emit().ok()
    }
}
