//! What goes out of the machine's own accord: audio, reports, attacks; and by which way.

use std::time::{Duration, Instant};

use super::attack::{Attack, AttackSeen, Run};
use super::audio::{self, PacketKind, Sent};
use super::ice::Path;
use super::io::{Event, Output};
use super::machine::MediaMachine;
use super::rtcp;

/// Behind by more than this, audio starts anew instead of catching up in a burst.
const AUDIO_LAG: Duration = Duration::from_millis(200);

impl MediaMachine {
    pub(super) fn audio_flows(&self) -> bool {
        let wanted = self.attack.as_ref().map_or(self.audio, Run::wants_audio);
        wanted && !self.held && self.srtp.is_keyed() && self.connected
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
            self.send_protected(now, packet);
            self.next_audio = Some(due + audio::INTERVAL);
        }
    }

    fn send_protected(&mut self, now: Instant, packet: Vec<u8>) {
        if let (Some(path), Some(packet)) = (self.ice.path(), self.srtp.protect_rtp(packet)) {
            self.route(now, path, &packet);
        }
    }

    pub(super) fn send_report(&mut self, now: Instant) {
        let Some(due) = self.next_report.filter(|due| *due <= now) else { return };
        self.next_report = Some(due.max(now) + rtcp::INTERVAL);
        let report = self.reception.report(now, &self.stream, &self.plan.cname);
        if let (Some(path), Some(packet)) = (self.ice.path(), self.srtp.protect_rtcp(report)) {
            self.route(now, path, &packet);
        }
    }

    pub(super) fn start_attack(&mut self, now: Instant, attack: Attack) {
        match self.srtp.profile().filter(|_| self.connected && self.attack.is_none()) {
            Some(profile) => {
                let mut run = Run::new(now, attack, profile, self.stream.packets(), self.srtp.targets_view());
                if self.reports_are_ours {
                    run.trust_reports();
                }
                self.attack = Some(run);
            }
            None => self.tell(Event::AttackDone(AttackSeen::default())),
        }
    }

    pub(super) fn run_attack(&mut self, now: Instant) {
        let Some(mut run) = self.attack.take() else { return };
        let tag = self.srtp.profile().map_or(0, |profile| profile.tag_len());
        while run.packet_due(now) {
            let (clear, Some(marker), sequence) = self.stream.packet(PacketKind::Attack) else { continue };
            let bent = run.bend(clear, marker, sequence, tag, |packet| self.srtp.protect_rtp(packet));
            let (Some((packet, markers)), Some(path)) = (bent, self.ice.path()) else { continue };
            markers.into_iter().for_each(|marker| self.markers.remember(marker, Sent::Attack));
            self.route(now, path, &packet);
        }
        match run.timeout(now, self.stream.packets()) {
            Some(seen) => self.tell(Event::AttackDone(seen)),
            None => self.attack = Some(run),
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
