//! The phases of a change of keys, and what was seen so far.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::super::dtls::Dtls;
use super::super::ice::Path;
use super::super::identity::Identity;
use super::super::plan::Setup;
use super::super::srtp::Srtp;
use super::{Rekey, RekeySeen, ThenSend};

/// With `roc = kept`: how long that counter is tried before zero is.
const KEPT_ROC: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Our offer is out.
    Asking,
    /// It is answered; checks and handshake run.
    Changing,
    /// Audio under the new keys.
    New { since: Instant },
    /// Its echo is back.
    Grace { until: Instant },
    /// Packets under the old keys.
    Old { next: Instant, left: u32 },
    /// What is late, and the control.
    Late { until: Instant },
}

/// A change of keys under way.
pub(in super::super) struct Run {
    pub(super) rekey: Rekey,
    pub(super) phase: Phase,
    pub(super) until: Instant,
    /// Ours before, to go back to where the target refuses.
    pub(super) before: (Identity, String, Setup),
    pub(super) dtls: Option<Dtls>,
    pub(super) early: Vec<Vec<u8>>,
    /// There is a pair of the new checks.
    pub(super) connected: bool,
    pub(super) old: Option<Srtp>,
    pub(super) old_path: Option<Path>,
    /// The first good packet under the new keys, and the first of the control behind the old ones.
    pub(super) first_new: Option<u64>,
    pub(super) first_control: Option<u64>,
    /// Numbers of packets under the old keys, which are nobody else's.
    pub(super) old_sequences: HashSet<u16>,
    pub(super) roc: Option<u32>,
    /// When the wish for a second handshake goes out again: networks lose datagrams.
    pub(super) wish: Option<Instant>,
    pub(super) last_authentic: Instant,
    pub(super) seen: RekeySeen,
}

impl Run {
    /// Whether good audio flows.
    pub(in super::super) fn wants_audio(&self) -> bool {
        match self.phase {
            Phase::Asking | Phase::Changing => true,
            Phase::New { .. } | Phase::Grace { .. } => self.rekey.then_send != ThenSend::OldKeys,
            Phase::Old { .. } => false,
            Phase::Late { .. } => true,
        }
    }

    /// When something is due.
    pub(in super::super) fn poll_timeout(&self) -> Instant {
        let own = match self.phase {
            Phase::Asking | Phase::Changing => self.wish.map_or(self.until, |wish| wish.min(self.until)),
            Phase::New { since } if self.roc.is_some() => (since + KEPT_ROC).min(self.until),
            Phase::New { .. } => self.until,
            Phase::Grace { until } | Phase::Late { until } => until,
            Phase::Old { next, .. } => next,
        };
        self.dtls.as_ref().and_then(Dtls::poll_timeout).map_or(own, |dtls| dtls.min(own))
    }

    /// Another packet authenticated.
    pub(super) fn heard(&mut self, now: Instant) {
        // Silence that we made ourselves is none of the target's.
        if !matches!(self.phase, Phase::Old { .. } | Phase::Late { .. }) {
            let gap = now.saturating_duration_since(self.last_authentic);
            self.seen.media_gap = self.seen.media_gap.max(Some(gap));
        }
        if matches!(self.phase, Phase::Late { .. }) {
            self.seen.media_after += 1;
        }
        self.last_authentic = now;
    }

    /// Whether it is.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        match self.phase {
            Phase::New { since } if self.roc.is_some() => now >= (since + KEPT_ROC).min(self.until),
            Phase::Changing if self.wish.is_some_and(|wish| now >= wish) => true,
            Phase::Asking | Phase::Changing | Phase::New { .. } => now >= self.until,
            Phase::Grace { until } | Phase::Late { until } => now >= until,
            Phase::Old { next, .. } => now >= next,
        }
    }
}
