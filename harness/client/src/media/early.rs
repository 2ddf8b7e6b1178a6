//! Unprotected audio before a call has keys: on the checked pair before DTLS, or to what the answer names before ICE. A sound
//! receiver plays none of it (RFC 5764, section 5.1; RFC 8445, section 12). The stage that it precedes waits for its end.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::audio::{INTERVAL, Marker, PacketKind, Sent};
use super::ice::Path;
use super::machine::MediaMachine;
use super::plan::AudioBefore;

/// For how long it goes out: fifty packets, more than any jitter buffer swallows (house).
const LENGTH: Duration = Duration::from_secs(1);
/// Addresses of the answer that get it before ICE (house).
const MAX_REMOTES: usize = 4;

/// The early audio of one call.
#[derive(Default)]
pub(super) struct Early {
    stage: Stage,
    /// Before ICE: where the answer says that the target is.
    remotes: Vec<SocketAddr>,
    echoed: HashSet<Marker>,
}

#[derive(Clone, Copy, Default)]
enum Stage {
    /// Its time has not come.
    #[default]
    Ahead,
    /// It waits until we may speak.
    Waiting,
    Sending {
        next: Instant,
        until: Instant,
    },
    Over,
}

impl MediaMachine {
    /// Whether the stage has to wait now for audio that goes ahead of it. `remotes` are where the target may be.
    pub(super) fn goes_ahead(&mut self, stage: AudioBefore, remotes: impl Iterator<Item = SocketAddr>) -> bool {
        if self.plan.audio_before != Some(stage) {
            return false;
        }
        if let Stage::Ahead = self.early.stage {
            self.early.stage = Stage::Waiting;
            self.early.remotes = remotes.take(MAX_REMOTES).collect();
        }
        self.audio_is_ahead()
    }

    /// Whether early audio goes out, or is about to.
    pub(super) fn audio_is_ahead(&self) -> bool {
        matches!(self.early.stage, Stage::Waiting | Stage::Sending { .. })
    }

    /// When [`MediaMachine::send_early`] is due.
    pub(super) fn early_due(&self) -> Option<Instant> {
        match self.early.stage {
            Stage::Sending { next, until } => Some(next.min(until)),
            _ => None,
        }
    }

    /// Sends what is due, and lets the stage begin at its end.
    pub(super) fn send_early(&mut self, now: Instant) {
        if matches!(self.early.stage, Stage::Waiting) && self.audio && !self.held {
            self.early.stage = Stage::Sending { next: now, until: now + LENGTH };
        }
        let Stage::Sending { next, until } = self.early.stage else { return };
        if now >= until {
            self.early.stage = Stage::Over;
            return self.late_start(now);
        }
        if now >= next {
            self.early.stage = Stage::Sending { next: now + INTERVAL, until };
            for path in self.early_paths() {
                let (packet, Some(marker), _) = self.stream.packet(PacketKind::Attack) else { continue };
                self.markers.remember(marker, Sent::Early);
                self.route(now, path, &packet);
            }
        }
    }

    /// A marker of early audio came back, in whatever packet.
    pub(super) fn early_echo(&mut self, marker: Marker) {
        if self.early.echoed.insert(marker) {
            self.counters.media.early_echoed += 1;
        }
    }

    fn early_paths(&self) -> Vec<Path> {
        match self.plan.audio_before {
            Some(AudioBefore::Dtls) => self.ice.path().into_iter().collect(),
            _ => self.early.remotes.iter().filter_map(|remote| self.ice.default_path(*remote)).collect(),
        }
    }

    fn late_start(&mut self, now: Instant) {
        if self.plan.audio_before == Some(AudioBefore::Dtls) {
            return self.begin_dtls(now);
        }
        let Some(answer) = self.answer.clone() else { return };
        if let Err((stage, why)) = self.check(now, &answer) {
            self.fail(stage, &why);
        }
    }
}
