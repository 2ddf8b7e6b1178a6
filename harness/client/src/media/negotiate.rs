//! Descriptions (RFC 3264): our offer and what answers it, a later offer of the target and our answer to that.
//!
//! A call may be answered more than once: early by a 183 and again by its 200, and then it is mostly the same. What is the
//! same goes on; what differs starts anew: other credentials restart ICE, another fingerprint or role is another DTLS
//! association. A later offer may hold, resume and restart ICE (RFC 8445, section 9). It may not exchange whom we speak to:
//! one with another certificate is refused.

use std::time::Instant;

use ringfence_wire::sdp::{Description, Setup as Word};

use super::answer::{Answer, socket_address};
use super::dtls::Dtls;
use super::io::Event;
use super::machine::MediaMachine;
use super::offer::{self, OfferParts, Shape};
use super::plan::{AudioBefore, Sdes};
use super::rtcp;
use super::srtp::{SdesKey, Srtp};

/// The first stage that cannot work, and why.
pub(super) type Obstacle = (&'static str, String);

/// What all our descriptions of one call have in common.
#[derive(Default)]
pub(super) struct Session {
    /// The number in `o=`. RFC 9429, section 5.2.1: below 2^62.
    id: u64,
    /// Counts descriptions.
    version: u64,
    /// `a=tls-id`. RFC 8842, section 4.
    pub(super) tls_id: String,
}

impl MediaMachine {
    /// Our first offer.
    pub(super) fn offer(&mut self) {
        let tls_id = format!("{:016x}{:016x}", self.random.next(), self.random.next());
        self.session = Session { id: self.random.next() >> 2, version: 1, tls_id };
        match self.describe(&Shape::offer(&self.plan), None) {
            Some(text) => self.tell(Event::Offer(text)),
            None => {
                let why = self.relay_refusal.clone().unwrap_or_else(|| "no server gave a candidate".into());
                self.fail("gathering", &why);
            }
        }
    }

    /// The target answers our offer.
    pub(super) fn answer(&mut self, now: Instant, text: &str) {
        let answer = match Answer::read(text, &self.plan.codecs) {
            Ok(answer) => answer,
            Err(why) => return self.fail("answer", &why),
        };
        if let Err((stage, why)) = self.take_up(now, &answer) {
            self.fail(stage, &why);
        }
        self.answer = Some(answer);
    }

    /// The target offers anew, or asks for our offer. [`Event::Description`] says what comes of it.
    pub(super) fn offered(&mut self, now: Instant, text: Option<&str>) {
        let description = match text {
            Some(text) => self.counter(now, text),
            None => self.describe(&Shape::offer(&self.plan), None),
        };
        self.tell(Event::Description(description));
    }

    /// Starts what the answer allows, as far as it has not started.
    fn take_up(&mut self, now: Instant, answer: &Answer) -> Result<(), Obstacle> {
        if !answer.seen.media_accepted {
            return Err(("answer", "the audio section is refused".into()));
        }
        self.held = !answer.receives;
        if let Some(codec) = answer.codec {
            self.stream.set_codec(codec);
        }
        let known = self.answer.take().unwrap_or_default();
        if known.ice.is_some() && known.ice != answer.ice && known.fingerprints != answer.fingerprints {
            // Another fork: nothing of the first one's way is the second one's.
            self.ice.forget_path();
            self.connected = false;
        }
        if self.plan.sdes != Sdes::Only && !answer.fingerprints.is_empty() {
            self.associate(now, &known, answer)?;
        }
        let by_sdes = match &self.sdes {
            Some(_) if !answer.crypto.is_empty() && known.crypto == answer.crypto => true,
            Some(ours) => self.srtp.key_by_sdes(ours, &answer.crypto),
            None => false,
        };
        let in_clear = self.plan.offers_no_keys() && self.dtls.is_none();
        match &answer.ice {
            Some(credentials) if known.ice.as_ref() == Some(credentials) && self.ice.is_running() => {}
            Some(_) => self.check(now, answer)?,
            None if in_clear => self.go_unchecked(now, answer)?,
            None => return Err(("ice", "the answer has no ice-ufrag and ice-pwd".into())),
        }
        match (&self.dtls, by_sdes) {
            _ if in_clear => Ok(()), // as we asked for it
            (None, false) if self.plan.hellos && !answer.fingerprints.is_empty() => Ok(()),
            (None, false) => Err(("dtls", "the answer has no fingerprint".into())),
            (None, true) => {
                self.next_report = Some(now + rtcp::FIRST);
                Ok(())
            }
            (Some(_), _) => Ok(()),
        }
    }

    /// The DTLS association with whom the answer announces, unless it is there.
    fn associate(&mut self, now: Instant, known: &Answer, answer: &Answer) -> Result<(), Obstacle> {
        let client = answer.we_are_client(self.plan.setup).map_err(|why| ("dtls", why))?;
        if self.plan.hellos {
            let why = "the target is not the DTLS server: it answers no hello".to_owned();
            return if client { Ok(()) } else { Err(("dtls", why)) };
        }
        let same = |dtls: &&Dtls| dtls.is_client() == client && known.fingerprints == answer.fingerprints;
        let same = self.dtls.as_ref().filter(same);
        if let Some(dtls) = same.filter(|dtls| dtls.was_ended() && known.ice == answer.ice) {
            // It was refused early, and that is what the call shows: a repeated description begins nothing anew.
            if !dtls.completed() {
                return Err(("dtls", "the handshake was broken off before".into()));
            }
            self.tell(Event::RemoteClosed);
            return Ok(());
        }
        if !same.is_some_and(|dtls| !dtls.has_failed() || (dtls.completed() && !dtls.was_ended())) {
            let dtls = Dtls::new(self.provider.clone(), client, &self.plan, answer.fingerprints.clone());
            self.dtls = Some(dtls.map_err(|error| ("dtls", error.to_string()))?);
            self.srtp = Srtp::default(); // the keys were the old association's
        } else if self.dtls.as_ref().is_some_and(Dtls::has_begun) {
            return Ok(());
        }
        if self.connected && !self.audio_is_ahead() {
            self.begin_dtls(now);
        }
        Ok(())
    }

    /// Checks the candidates that the scope allows.
    pub(super) fn check(&mut self, now: Instant, theirs: &Answer) -> Result<(), Obstacle> {
        let Some(credentials) = theirs.ice.clone() else { return Ok(()) };
        if self.holds_checks(now, theirs) {
            return Ok(());
        }
        let listed = theirs.candidates.iter().cloned();
        let (allowed, refused): (Vec<_>, Vec<_>) =
            listed.partition(|candidate| socket_address(candidate).is_some_and(|address| (self.allow)(address)));
        self.gather.permit(now, allowed.iter().filter_map(socket_address));
        if self.goes_ahead(AudioBefore::Ice, allowed.iter().filter_map(socket_address)) {
            return Ok(());
        }
        self.counters.out_of_scope += refused.len() as u64;
        self.ice.start(now, credentials, &allowed).map_err(|error| ("ice", error.to_string()))
    }

    /// A call in the clear with a target that has no ICE: media go to where its answer says. RFC 3264, section 6.1.
    fn go_unchecked(&mut self, now: Instant, theirs: &Answer) -> Result<(), Obstacle> {
        let remote =
            theirs.candidates.iter().find_map(socket_address).ok_or(("answer", "it names no address".into()))?;
        if !(self.allow)(remote) {
            self.counters.out_of_scope += 1;
            return Err(("answer", "its address is out of scope".into()));
        }
        self.gather.permit(now, std::iter::once(remote));
        self.ice.go_unchecked(remote);
        self.begin_in_clear(now);
        Ok(())
    }

    /// Our answer to a later offer; `None` where it is not taken.
    fn counter(&mut self, now: Instant, text: &str) -> Option<String> {
        let offer = Description::parse(text.as_bytes()).ok()?;
        let theirs = Answer::read(text, &self.plan.codecs).ok()?;
        let (dtls, known) = (self.dtls.as_ref()?, self.answer.as_ref()?);
        let client = dtls.is_client();
        let same_peer = theirs.fingerprints == known.fingerprints
            && (theirs.seen.tls_id.is_none() || theirs.seen.tls_id == known.seen.tls_id);
        // RFC 8842, section 5.5: an association goes on in the roles that it has.
        let same_role = match theirs.setup {
            Some(Word::Actpass) | None => true,
            Some(Word::Active) => !client,
            Some(Word::Passive) => client,
            Some(Word::Holdconn) => false,
        };
        if !theirs.seen.media_accepted || theirs.ice.is_none() {
            return None;
        }
        let restarts = theirs.ice != known.ice;
        let client = match same_peer && same_role {
            true => client,
            false => self.takes_rotation(now, &theirs, restarts)?,
        };
        let codec = theirs.codec?;
        if restarts {
            self.ice.renew().ok()?;
            self.check(now, &theirs).ok()?;
        }
        self.held = !theirs.receives;
        self.stream.set_codec(codec);
        let shape = Shape::answer(&theirs, client);
        if let Some(known) = &mut self.answer {
            // Evidence stays that of the answer, which is what the call began with.
            *known = Answer { seen: std::mem::take(&mut known.seen), ..theirs };
        }
        self.describe(&shape, Some(&offer))
    }

    /// Our description of this shape; `None` without a candidate.
    pub(super) fn describe(&mut self, shape: &Shape, offer: Option<&Description>) -> Option<String> {
        let default = self.ice.default_address()?;
        let mut candidates = self.ice.local_lines();
        candidates.extend(self.plan.extra_candidates.iter().enumerate().map(offer::extra_candidate));
        self.session.version += 1;
        let crypto = self.sdes.as_ref().map(SdesKey::line);
        let parts = OfferParts {
            plan: &self.plan,
            shape,
            session: (self.session.id, self.session.version),
            ufrag: self.ice.ufrag(),
            pwd: self.ice.pwd(),
            candidates: &candidates,
            default,
            tls_id: &self.session.tls_id,
            crypto: crypto.as_deref(),
            ssrc: self.stream.ssrc(),
        };
        Some(offer::write(&parts, offer))
    }
}
