//! What goes out of the machine's own accord: audio and reports; and by which way.

use std::time::{Duration, Instant};

use super::attack::Run;
use super::audio::{self, Marker, PacketKind, Sent};
use super::ice::Path;
use super::io::{Event, Output};
use super::machine::MediaMachine;
use super::rekey;
use super::rtcp;

/// Behind by more than this, audio starts anew instead of catching up in a burst.
const AUDIO_LAG: Duration = Duration::from_millis(200);

impl MediaMachine {
    pub(super) fn audio_flows(&self) -> bool {
        let wanted = self.attack.as_ref().map_or(self.audio, Run::wants_audio);
        let wanted = wanted && self.rekey.as_ref().is_none_or(rekey::Run::wants_audio);
        let keyed = self.srtp.is_keyed() && self.connected;
        wanted && !self.held && (keyed || self.is_in_clear())
    }

    /// Whether neither side has or wants keys, and there is a way: what flows is unprotected, as we asked for it.
    pub(super) fn is_in_clear(&self) -> bool {
        let keys = self.dtls.is_some() || self.sdes.is_some();
        self.plan.offers_no_keys() && !keys && self.answer.is_some() && self.ice.path().is_some()
    }

    /// There is a way for a call in the clear.
    pub(super) fn begin_in_clear(&mut self, now: Instant) {
        let keys = self.dtls.is_some() || self.sdes.is_some();
        if self.plan.offers_no_keys() && !keys {
            self.next_report = Some(now + rtcp::FIRST);
            self.tell(Event::InClear);
        }
    }

    pub(super) fn send_audio(&mut self, now: Instant) {
        if !self.audio_flows() {
            self.next_audio = None;
            return;
        }
        let due = self.next_audio.filter(|due| *due + AUDIO_LAG > now).unwrap_or(now);
        self.next_audio = Some(due);
        while let Some(due) = self.next_audio.filter(|due| *due <= now) {
            let number = self.stream.packets();
            let (packet, marker, _) = self.stream.packet(PacketKind::Good);
            if let Some(marker) = marker {
                self.markers.remember(marker, Sent::Good(number));
            }
            self.counters.media.sent += 1;
            self.send_rtp(now, packet, marker.map(|marker| (number, marker)));
            self.next_audio = Some(due + audio::INTERVAL);
        }
    }

    fn send_rtp(&mut self, now: Instant, packet: Vec<u8>, marked: Option<(u64, Marker)>) {
        let in_clear = self.is_in_clear();
        let packet = if in_clear { Some(packet) } else { self.srtp.protect_rtp(packet) };
        let (Some(path), Some(packet)) = (self.ice.path(), packet) else { return };
        if let Some((number, marker)) = marked.filter(|_| !in_clear) {
            self.history.sent(number, marker, &packet);
        }
        self.route(now, path, &packet);
    }

    /// Sends a report, protected where the call has keys; what went out.
    pub(super) fn send_rtcp(&mut self, now: Instant, packet: Vec<u8>) -> Option<Vec<u8>> {
        let packet = if self.is_in_clear() { packet } else { self.srtp.protect_rtcp(packet)? };
        self.route(now, self.ice.path()?, &packet);
        Some(packet)
    }

    pub(super) fn send_report(&mut self, now: Instant) {
        let Some(due) = self.next_report.filter(|due| *due <= now) else { return };
        self.next_report = Some(due.max(now) + rtcp::INTERVAL);
        if self.attack.as_ref().is_some_and(|run| !run.wants_reports()) {
            return;
        }
        let report = self.reception.report(now, &self.stream, &self.plan.cname);
        let packet = self.send_rtcp(now, report);
        if let Some(packet) = packet.filter(|_| self.stream.packets() > 0 && !self.is_in_clear()) {
            self.history.reported(self.reception.time(now), &packet);
        }
    }

    /// Sends on a pair: through a relayed address, or from a socket.
    pub(super) fn route(&mut self, now: Instant, path: Path, bytes: &[u8]) {
        if self.gather.is_relayed(path.local) {
            self.gather.send(now, path, bytes);
        } else {
            self.transmit(path, bytes.to_vec());
        }
    }

    pub(super) fn transmit(&mut self, path: Path, bytes: Vec<u8>) {
        self.out.push_back(Output::Transmit { local: path.local, remote: path.remote, bytes });
    }
}
