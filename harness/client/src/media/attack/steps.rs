//! The machine's side of an attack: what it sends for it, and what it tells it.

use std::net::SocketAddr;
use std::time::Instant;

use ringfence_wire::demux::{self, Kind as Protocol};
use ringfence_wire::rtcp::ReportBlock;

use super::forge::{Forge, Forged, Hand};
use super::reports::GAP;
use super::{Attack, AttackSeen, Run};
use crate::media::audio::Sent;
use crate::media::ice::Path;
use crate::media::io::Event;
use crate::media::machine::MediaMachine;

impl MediaMachine {
    pub(in super::super) fn start_attack(&mut self, now: Instant, attack: Attack, stranger: Option<SocketAddr>) {
        if !self.srtp.is_keyed() || !self.connected || self.attack.is_some() {
            return self.tell(Event::AttackDone(AttackSeen::default()));
        }
        let forge = Forge::new(attack, &mut self.hand());
        let counted = self.history.counted();
        self.attack = Some(Run::new(now, attack, stranger, forge, self.stream.packets(), counted));
    }

    pub(in super::super) fn run_attack(&mut self, now: Instant) {
        let Some(mut run) = self.attack.take() else { return };
        if run.wants_gap(self.stream.packets()) {
            self.stream.skip(GAP);
        }
        while run.packet_due(now) {
            if let Some(forged) = run.forge.next(&mut self.hand()) {
                run.sent(&forged);
                self.send_forged(now, run.stranger, forged);
            }
        }
        match run.timeout(now, self.stream.packets(), &self.history) {
            Some(seen) => self.tell(Event::AttackDone(seen)),
            None => self.attack = Some(run),
        }
    }

    /// What the running attack has shown so far.
    pub fn attack_so_far(&self) -> Option<AttackSeen> {
        self.attack.as_ref().map(Run::so_far)
    }

    fn hand(&mut self) -> Hand<'_> {
        let target_ssrc = self.counters.media.ssrcs.first().and_then(|ssrc| u32::try_from(*ssrc).ok());
        Hand { stream: &mut self.stream, srtp: &mut self.srtp, history: &mut self.history, target_ssrc }
    }

    fn send_forged(&mut self, now: Instant, stranger: Option<SocketAddr>, forged: Forged) {
        let Some(path) = self.ice.path() else { return };
        for marker in forged.markers {
            match forged.good {
                Some(number) => {
                    self.counters.media.sent += 1;
                    self.history.sent(number, marker, &forged.bytes);
                    self.markers.remember(marker, Sent::Good(number));
                }
                None => self.markers.remember(marker, Sent::Attack),
            }
        }
        let mut remote = path.remote;
        if forged.odd_port {
            remote.set_port(remote.port().saturating_add(1) | 1);
        }
        match stranger {
            Some(local) => self.transmit(Path { local, remote }, forged.bytes),
            None => self.route(now, Path { remote, ..path }, &forged.bytes),
        }
    }

    /// Whether this came to an attack's second socket. The target's audio there is evidence; everything else is nothing.
    pub(in super::super) fn is_strangers(&mut self, path: Path, bytes: &[u8]) -> bool {
        let Some(run) = self.attack.as_mut().filter(|run| run.stranger == Some(path.local)) else { return false };
        let target = self.ice.path().map(|path| path.remote.ip());
        if demux::classify(bytes) == Protocol::Rtp && target == Some(path.remote.ip()) {
            run.elsewhere();
        }
        true
    }

    /// A packet of the target that authenticated before came again. If it holds a good marker that was replayed, a box on the way
    /// passes replays on under the numbers that they have.
    pub(in super::super) fn repeated(&mut self, bytes: &[u8]) {
        if self.attack.is_none() {
            return;
        }
        let opened = self.srtp.open_again(bytes).unwrap_or_default();
        if let Some((marker, Sent::Good(number))) = self.marker_in(&opened)
            && self.history.came_back(number)
            && let Some(run) = &mut self.attack
        {
            run.passed_on(marker);
        }
    }

    /// A report of the target came, with these blocks.
    pub(in super::super) fn reported(&mut self, now: Instant, blocks: &[ReportBlock]) {
        let ours = self.stream.ssrc();
        if let Some(run) = &mut self.attack {
            run.heard(now);
        }
        for block in blocks {
            if block.ssrc != ours {
                if let Some(run) = &mut self.attack {
                    run.listed(block.ssrc);
                }
                continue;
            }
            let counted = self.history.named(block.last_report);
            let number = self.stream.number_of(block.highest_sequence as u16);
            if let Some(run) = &mut self.attack {
                run.reported(now, block, number, counted);
            }
        }
    }
}
