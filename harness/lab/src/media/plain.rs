//! The echo of a call in the clear: what a healthy callee never does, for the fault that does.

use ringfence_wire::rtp::{Header, Packet};

use super::MediaStats;
use super::echo::Start;

/// One call's audio, without keys.
pub(crate) struct PlainEcho {
    next: Start,
    pub stats: MediaStats,
}

impl PlainEcho {
    pub fn new(next: Start) -> Self {
        Self { next, stats: MediaStats { connected: true, ..MediaStats::default() } }
    }

    /// An RTP packet; what is to be sent for it: the same payload, on numbers of our own.
    pub fn rtp(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        let packet = Packet::parse(datagram).ok()?;
        let Header { payload_type, marker, timestamp, .. } = packet.header;
        let Start { ssrc, sequence, .. } = self.next;
        let (csrc, extension) = (Vec::new(), None);
        let header = Header { padding: false, marker, payload_type, sequence, timestamp, ssrc, csrc, extension };
        self.next.sequence = sequence.wrapping_add(1);
        self.stats.echoed += 1;
        Packet { header, payload: packet.payload, padding_bytes: 0 }.emit().ok()
    }
}
