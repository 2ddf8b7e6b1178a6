//! The machine's side of a change of keys: what it sends, and what it makes of what comes.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use ringfence_wire::rtcp::ReportBlock;
use ringfence_wire::sdp::Setup as Word;

use super::super::answer::Answer;
use super::super::audio::{PacketKind, Sent};
use super::super::dtls::{self, Dtls};
use super::super::ice::Path;
use super::super::identity::Identity;
use super::super::io::Event;
use super::super::machine::MediaMachine;
use super::super::offer::Shape;
use super::super::plan::Setup;
use super::super::srtp::{Opened, Srtp};
use super::run::{Phase, Run};
use super::{LATE, Rekey, RekeyHow, RekeySeen, ThenSend};

/// Between the first echo under the new keys and the old ones: what a target keeps for packets on their way is over by then.
const GRACE: Duration = Duration::from_secs(2);
/// Between two wishes for a second handshake, as RFC 6347, section 4.2.4.1 has it.
const WISH: Duration = Duration::from_secs(1);
/// Packets under the old keys, one per packet time.
const OLD_PACKETS: u32 = 25;
const OLD_INTERVAL: Duration = Duration::from_millis(20);
/// First datagrams of the new handshake that wait for the new pair.
const MAX_EARLY: usize = 16;

impl MediaMachine {
    /// Begins. [`Event::Reoffer`] is to be carried to the target, and its answer to be given back; [`Event::RekeyDone`] ends it.
    pub(in super::super) fn start_rekey(&mut self, now: Instant, rekey: Rekey) {
        let idle = self.connected && self.srtp.is_keyed() && self.dtls.is_some() && self.rekey.is_none();
        if !idle || self.attack.is_some() {
            return self.tell(Event::RekeyDone(RekeySeen::default()));
        }
        let before = (self.plan.certificate.clone(), self.session.tls_id.clone(), self.plan.setup);
        let mut run = Run {
            rekey,
            phase: Phase::Asking,
            until: now + rekey.time,
            before,
            dtls: None,
            early: Vec::new(),
            connected: false,
            old: None,
            old_path: self.ice.path(),
            first_new: None,
            first_control: None,
            old_sequences: HashSet::new(),
            roc: None,
            wish: None,
            last_authentic: now,
            seen: RekeySeen::default(),
        };
        match rekey.how {
            RekeyHow::Observe => self.rekey = Some(run),
            RekeyHow::Renegotiate => {
                let asked = self.dtls.as_mut().map(|dtls| dtls.renegotiate(now));
                (run.phase, run.wish) = (Phase::Changing, Some(now + WISH));
                self.rekey = Some(run);
                if !matches!(asked, Some(Ok(()))) {
                    self.tell_rekey_done();
                }
            }
            RekeyHow::IceRestart => {
                self.rekey = Some(run);
                match self.reoffer() {
                    Some(text) => self.tell(Event::Reoffer(text)),
                    None => self.tell_rekey_done(),
                }
            }
        }
    }

    /// Our offer with everything of it new.
    fn reoffer(&mut self) -> Option<String> {
        self.plan.certificate = Identity::fresh().ok()?;
        self.plan.setup = Setup::Actpass;
        self.session.tls_id = format!("{:016x}{:016x}", self.random.next(), self.random.next());
        self.ice.renew().ok()?;
        self.describe(&Shape::offer(&self.plan), None)
    }

    /// The target's final answer to it; no status where none came.
    pub(in super::super) fn rekey_answered(&mut self, now: Instant, status: Option<u16>, text: Option<&str>) {
        let Some(mut run) = self.rekey.take_if(|run| run.phase == Phase::Asking) else { return };
        run.seen.status = status;
        let accepted = status.is_some_and(|status| (200..300).contains(&status));
        let theirs = text.filter(|_| accepted).and_then(|text| Answer::read(text, &self.plan.codecs).ok());
        let changed = match theirs {
            Some(theirs) => self.compare(&mut run, &theirs) && self.take_restart(now, &mut run, theirs).is_ok(),
            None => false,
        };
        if changed {
            run.phase = Phase::Changing;
        } else {
            // All stays as it was, and has to go on.
            (self.plan.certificate, self.session.tls_id, self.plan.setup) = run.before.clone();
            self.ice.restore();
            run.first_control = Some(self.stream.packets());
            run.phase = Phase::Late { until: now + LATE * 2 };
        }
        self.rekey = Some(run);
    }

    /// What the answer changes; whether that is a restart.
    fn compare(&self, run: &mut Run, theirs: &Answer) -> bool {
        let known = self.answer.clone().unwrap_or_default();
        let part = |answer: &Answer| answer.ice.clone().unwrap_or_default();
        let ((old_ufrag, old_pwd), (ufrag, pwd)) = (part(&known), part(theirs));
        run.seen.ufrag_changed = theirs.ice.is_some() && old_ufrag != ufrag;
        run.seen.pwd_changed = theirs.ice.is_some() && old_pwd != pwd;
        run.seen.tls_id_changed = theirs.seen.tls_id.is_some() && theirs.seen.tls_id != known.seen.tls_id;
        run.seen.fingerprint_changed = theirs.fingerprints != known.fingerprints;
        run.seen.ufrag_changed && theirs.seen.media_accepted && !theirs.fingerprints.is_empty()
    }

    fn take_restart(&mut self, now: Instant, run: &mut Run, theirs: Answer) -> Result<(), ()> {
        let client = theirs.we_are_client(Setup::Actpass).map_err(drop)?;
        let dtls = Dtls::new(self.provider.clone(), client, &self.plan, theirs.fingerprints.clone());
        run.dtls = Some(dtls.map_err(drop)?);
        self.held = !theirs.receives;
        if let Some(codec) = theirs.codec {
            self.stream.set_codec(codec);
        }
        self.check(now, &theirs).map_err(drop)?;
        if let Some(known) = &mut self.answer {
            // Evidence stays that of the answer, which is what the call began with.
            *known = Answer { seen: std::mem::take(&mut known.seen), ..theirs };
        }
        Ok(())
    }

    /// The target changes its keys by itself: another certificate in an offer of its own. Our role in the new handshake, where
    /// that was waited for.
    pub(in super::super) fn takes_rotation(&mut self, now: Instant, theirs: &Answer, restarts: bool) -> Option<bool> {
        let run = self.rekey.as_mut().filter(|run| run.rekey.how == RekeyHow::Observe && run.dtls.is_none())?;
        let client = theirs.setup != Some(Word::Active);
        let dtls = Dtls::new(self.provider.clone(), client, &self.plan, theirs.fingerprints.clone());
        run.dtls = Some(dtls.ok()?);
        run.connected = false;
        self.session.tls_id = format!("{:016x}{:016x}", self.random.next(), self.random.next());
        if !restarts {
            self.rekey_connected(now);
        }
        Some(client)
    }

    /// There is a pair of the new checks: the new handshake goes there.
    pub(in super::super) fn rekey_connected(&mut self, now: Instant) {
        let Some(run) = self.rekey.as_mut().filter(|run| !run.connected && run.dtls.is_some()) else { return };
        run.connected = true;
        if let Some(dtls) = &mut run.dtls {
            let _ = dtls.start(now); // shows as a handshake that never completes
        }
        for datagram in std::mem::take(&mut run.early) {
            self.takes_dtls(now, &datagram);
        }
    }

    /// Whether a DTLS datagram belongs to the new handshake, which then has it.
    pub(in super::super) fn takes_dtls(&mut self, now: Instant, datagram: &[u8]) -> bool {
        let Some(run) = self.rekey.as_mut() else { return false };
        let Some(dtls) = &mut run.dtls else { return false };
        // The old association speaks under its keys, a handshake begins without any. RFC 6347, section 4.1: the epoch.
        let in_clear = matches!(datagram.get(3..5), Some([0, 0]));
        if !in_clear && !dtls.has_begun() {
            return false;
        }
        if !run.connected {
            if run.early.len() < MAX_EARLY {
                run.early.push(datagram.to_vec());
            }
            return true;
        }
        let told = dtls.input(now, datagram);
        self.rekey_told(now, told);
        true
    }

    /// The next datagram of the new handshake.
    pub(in super::super) fn rekey_datagram(&mut self, now: Instant) -> Option<(Path, Vec<u8>)> {
        let path = self.ice.path()?;
        let run = self.rekey.as_mut().filter(|run| run.connected)?;
        Some((path, run.dtls.as_mut()?.poll_transmit(now)?))
    }

    fn rekey_told(&mut self, now: Instant, told: Vec<dtls::Told>) {
        for told in told {
            match told {
                dtls::Told::Completed(keys) => {
                    let Some(run) = &mut self.rekey else { return };
                    let Some(dtls) = run.dtls.take() else { return };
                    let mut fresh = Srtp::default();
                    let keyed = keys.map(|(profile, keys)| fresh.key_by_dtls(profile, keys, dtls.is_client()));
                    self.dtls = Some(dtls);
                    if !matches!(keyed, Some(Ok(()))) {
                        return;
                    }
                    let (old, new) = (self.srtp.seen(&self.key).keys, fresh.seen(&self.key).keys);
                    run.seen.new_association = true;
                    run.seen.keys_differ = new.is_some() && old != new;
                    run.seen.new_keys = new;
                    run.seen.rotations += i64::from(run.rekey.how == RekeyHow::Observe);
                    run.roc = self.srtp.roc(self.stream.ssrc()).filter(|roc| run.rekey.keep_roc && *roc > 0);
                    fresh.keep_roc(run.roc);
                    run.old = Some(std::mem::replace(&mut self.srtp, fresh));
                    run.first_new = Some(self.stream.packets());
                    run.phase = Phase::New { since: now };
                    match (run.rekey.how, run.rekey.then_send) {
                        (RekeyHow::Observe, _) => run.phase = Phase::Asking, // the next one may come
                        (_, ThenSend::OldKeys) => run.phase = Phase::Grace { until: now + GRACE },
                        _ => {}
                    }
                }
                dtls::Told::Alert(name) => {
                    if let Some(run) = &mut self.rekey {
                        run.seen.alert.get_or_insert(name);
                    }
                }
                dtls::Told::Closed | dtls::Told::Failed(_) => {}
            }
        }
    }

    /// A packet that the keys of now do not open: under those of before?
    pub(in super::super) fn opens_under_old_keys(&mut self, packet: &[u8], is_rtcp: bool) -> Opened {
        let Some(old) = self.rekey.as_mut().and_then(|run| run.old.as_mut()) else { return Opened::Refused };
        if is_rtcp { old.open_rtcp(packet) } else { old.open_rtp(packet) }
    }

    /// It does: on its way when the keys changed, or a target that goes on under them.
    pub(in super::super) fn authentic_under_old_keys(&mut self, packet: &[u8]) {
        let found = self.marker_in(packet);
        let Some(run) = &mut self.rekey else { return };
        match found {
            Some((_, Sent::OldKeys)) => run.seen.old_keys_echoed += 1,
            // Long after the change: the target itself still speaks under them.
            Some((_, Sent::Good(number)))
                if matches!(run.phase, Phase::Old { .. } | Phase::Late { .. })
                    && run.first_new.is_some_and(|first| number >= first) =>
            {
                run.seen.old_keys_echoed += 1;
            }
            _ => {}
        }
    }

    /// A packet authenticated, under the new keys or before there were any; `echo` is the good packet that it brings back.
    pub(in super::super) fn rekey_heard(&mut self, now: Instant, echo: Option<u64>) {
        let Some(run) = &mut self.rekey else { return };
        run.heard(now);
        let Some(number) = echo else { return };
        if run.first_new.is_some_and(|first| number >= first) {
            run.seen.new_keys_echoed += 1;
            if let Phase::New { .. } = run.phase {
                run.seen.roc_echoed = run.roc.map(|_| if self.srtp.keeps_roc() { "kept" } else { "zero" });
                run.phase = Phase::Grace { until: now + GRACE };
            }
        }
        if run.first_control.is_some_and(|first| number >= first) {
            run.seen.control_after = true;
        }
    }

    /// A packet that went out under the old keys came back.
    pub(in super::super) fn old_keys_echo(&mut self) {
        if let Some(run) = &mut self.rekey {
            run.seen.old_keys_echoed += 1;
        }
    }

    /// The target's report, authenticated under the new keys.
    pub(in super::super) fn rekey_reported(&mut self, blocks: &[ReportBlock]) {
        let ours = self.stream.ssrc();
        let Some(run) = self.rekey.as_mut().filter(|run| run.first_new.is_some()) else { return };
        for block in blocks.iter().filter(|block| block.ssrc == ours) {
            let highest = block.highest_sequence as u16;
            let is_new = |number| run.first_new.is_some_and(|first| number >= first);
            if self.stream.number_of(highest).is_some_and(is_new) {
                run.seen.new_keys_counted = true;
            } else if run.seen.new_keys_counted && run.old_sequences.contains(&highest) {
                run.seen.old_keys_counted = true;
            }
        }
    }

    /// The running association's alert, which may be the answer to a renegotiation.
    pub(in super::super) fn rekey_alert(&mut self, name: &str) {
        if let Some(run) = &mut self.rekey {
            run.seen.alert.get_or_insert_with(|| name.to_owned());
        }
    }

    /// The old association says no more that counts.
    pub(in super::super) fn is_rekeying(&self) -> bool {
        self.rekey.is_some()
    }

    /// Moves on in time.
    pub(in super::super) fn run_rekey(&mut self, now: Instant) {
        if let Some(dtls) = self.rekey.as_mut().and_then(|run| run.dtls.as_mut()) {
            let told = dtls.timeout(now);
            self.rekey_told(now, told);
        }
        while let Some(run) = self.rekey.as_mut().filter(|run| run.is_due(now)) {
            match run.phase {
                Phase::Changing if now < run.until => self.wish_again(now),
                Phase::Asking | Phase::Changing => self.end_rekey(now),
                Phase::New { since } if run.roc.is_some() && self.srtp.keeps_roc() && now < run.until => {
                    self.srtp.keep_roc(None);
                    run.phase = Phase::New { since };
                }
                Phase::New { .. } => self.end_rekey(now),
                Phase::Grace { .. } if run.rekey.then_send == ThenSend::NewKeys => self.end_rekey(now),
                Phase::Grace { .. } => run.phase = Phase::Old { next: now, left: OLD_PACKETS },
                Phase::Old { left: 0, .. } => self.end_rekey(now),
                Phase::Old { next, left } => {
                    run.phase = Phase::Old { next: next + OLD_INTERVAL, left: left - 1 };
                    self.send_under_old_keys(now);
                }
                Phase::Late { .. } => return self.tell_rekey_done(),
            }
        }
    }

    /// As long as nothing answers it: one datagram may be lost, and what did not arrive is not refused.
    fn wish_again(&mut self, now: Instant) {
        let Some((run, dtls)) = self.rekey.as_mut().zip(self.dtls.as_mut()) else { return };
        run.seen.new_association |= dtls.take_renegotiated();
        let answered = run.seen.new_association || run.seen.alert.is_some();
        let sent = !answered && dtls.renegotiate(now).is_ok();
        run.wish = sent.then_some(now + WISH);
    }

    fn send_under_old_keys(&mut self, now: Instant) {
        let (clear, Some(marker), sequence) = self.stream.packet(PacketKind::Attack) else { return };
        let Some(run) = &mut self.rekey else { return };
        run.old_sequences.insert(sequence);
        let Some(packet) = run.old.as_mut().and_then(|old| old.protect_rtp(clear)) else { return };
        run.seen.old_keys_sent += 1;
        self.markers.remember(marker, Sent::OldKeys);
        let mut paths: Vec<Path> = [self.ice.path(), run.old_path].into_iter().flatten().collect();
        paths.dedup();
        paths.into_iter().for_each(|path| self.route(now, path, &packet));
    }

    /// Good audio once more, then it is over.
    fn end_rekey(&mut self, now: Instant) {
        let Some(run) = &mut self.rekey else { return };
        if run.rekey.how == RekeyHow::Renegotiate {
            run.seen.new_association |= self.dtls.as_ref().is_some_and(Dtls::take_renegotiated);
            run.seen.renegotiation_refused = !run.seen.new_association;
        }
        let gap = now.saturating_duration_since(run.last_authentic);
        if !matches!(run.phase, Phase::Old { .. }) {
            run.seen.media_gap = run.seen.media_gap.max(Some(gap));
        }
        run.first_control = Some(self.stream.packets());
        run.phase = Phase::Late { until: now + LATE };
    }

    fn tell_rekey_done(&mut self) {
        if let Some(run) = self.rekey.take() {
            self.tell(Event::RekeyDone(run.seen));
        }
    }
}
