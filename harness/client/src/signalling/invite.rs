//! INVITE: RFC 3261 section 13, with its answers, acknowledgements and its end. What happens before the answer is in
//! `early`, what changes the session afterwards in `update` and `timer`.

use std::time::Instant;

use ringfence_model::Untrusted;
use ringfence_wire::sip::{self, Message};

use super::auth::{Authenticator, Credentials};
use super::dialog::Dialog;
use super::early::Early;
use super::machine::{Pending, Signalling};
use super::message::{Answer, Draft};
use super::timer::{AskedBy, SessionTimer, min_se};
use super::{Event, FinalAnswer, peer};
use crate::Failure;

/// Provisional answers that are told.
const MAX_PROVISIONAL: u32 = 32;
/// Acknowledgements that are repeated for repeated final answers.
const MAX_REPEATED_ACKS: u32 = 64;
/// Answers of one forked INVITE that are acknowledged and ended.
pub(super) const MAX_FORKS: usize = 8;

/// One call.
pub(super) struct Invite {
    pub pending: Pending,
    /// The credentials of the INVITE, which its ACK repeats (RFC 3261, section 22.1).
    sent_auth: Vec<(String, String)>,
    stage: Stage,
    /// The caller no longer wants it.
    unwanted: bool,
    /// It rang for too long.
    gave_up: bool,
    /// When it has rung for long enough.
    rings_until: Instant,
    /// What was sent for each final answer.
    acks: Vec<(AckKey, Vec<u8>)>,
    repeated_acks: u32,
    provisional: u32,
    wished_interval: bool,
    wished_extension: bool,
    /// Forks that have said something but no final answer.
    pub early: Vec<Early>,
    pub dialog: Option<Dialog>,
    /// A change of the session that the far side asked for, until [`super::Input::Answer`] says what we make of it.
    pub asked: Option<Message>,
    /// The far side asked for an offer, and will answer it in its ACK.
    pub answer_due: bool,
    /// A re-INVITE of ours is out that changes the session, with this description.
    pub changing: Option<String>,
    /// Our last description.
    pub sdp: String,
}

/// Which final answer an ACK was for. A success and a refusal with one tag are two answers: their ACKs differ in the branch
/// (RFC 3261, sections 13.2.2.4 and 17.1.1.3).
#[derive(PartialEq, Eq)]
struct AckKey {
    branch: String,
    cseq: u32,
    tag: String,
    refuses: bool,
}

impl AckKey {
    fn of(answer: &Answer, tag: String) -> Self {
        Self { branch: answer.branch.clone(), cseq: answer.cseq, tag, refuses: answer.status >= 300 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing came yet.
    Calling,
    /// A provisional answer came.
    Proceeding,
    /// CANCEL is sent.
    Cancelling,
    /// Answered and acknowledged.
    Confirmed,
    /// BYE is sent.
    Ending,
    /// Refused, failed or ended.
    Over,
}

impl Invite {
    pub fn is_live(&self) -> bool {
        self.stage != Stage::Over
    }

    /// Whether we have hung up, and nobody has said a word to it yet.
    pub fn is_ending(&self) -> bool {
        self.stage == Stage::Ending
    }

    /// The dialog, while it lasts.
    pub fn live_dialog(&mut self) -> Option<&mut Dialog> {
        self.dialog.as_mut().filter(|_| matches!(self.stage, Stage::Confirmed | Stage::Ending))
    }

    /// The dialog with this tag of the far side: the call's, or before its answer that of a fork.
    pub fn dialog_with(&mut self, remote_tag: &str) -> Option<&mut Dialog> {
        match self.stage {
            Stage::Calling | Stage::Proceeding | Stage::Cancelling => {
                self.early.iter_mut().map(|early| &mut early.dialog).find(|dialog| dialog.remote_tag == remote_tag)
            }
            _ => self.live_dialog().filter(|dialog| dialog.remote_tag == remote_tag),
        }
    }

    pub fn wake_at(&self) -> Option<Instant> {
        match self.stage {
            Stage::Calling => Some(self.pending.deadline.min(self.rings_until)),
            Stage::Proceeding => Some(self.rings_until),
            Stage::Cancelling => Some(self.pending.deadline),
            Stage::Confirmed => self.dialog.as_ref().and_then(|dialog| dialog.timer).map(|timer| timer.due),
            Stage::Ending | Stage::Over => None,
        }
    }
}

impl Signalling {
    pub(super) fn invite(&mut self, now: Instant, sdp: String, headers: Vec<(String, String)>) {
        if self.invite.as_ref().is_some_and(Invite::is_live) {
            return self.fail(Failure::protocol("there is a call already"));
        }
        let mut draft = self.outside_draft("INVITE");
        draft.header("Contact", self.agent.dialog_contact());
        draft.header("Allow", peer::ALLOW);
        let timer = self.plan.session_expires;
        draft
            .header("Supported", if timer.is_some() { "timer,ice,replaces,outbound" } else { "ice,replaces,outbound" });
        if let Some(seconds) = timer {
            draft.header("Session-Expires", seconds.to_string());
        }
        draft.add(self.plan.identity_headers.iter().cloned().chain(headers).collect());
        draft.body = Some(("application/sdp".into(), sdp.clone().into_bytes()));
        let pending =
            Pending { draft, branch: String::new(), auth: Authenticator::default(), deadline: now, reported: true };
        self.invite = Some(Invite {
            pending,
            sent_auth: Vec::new(),
            stage: Stage::Calling,
            unwanted: false,
            gave_up: false,
            rings_until: now + self.plan.answer_within,
            acks: Vec::new(),
            repeated_acks: 0,
            provisional: 0,
            wished_interval: false,
            wished_extension: false,
            early: Vec::new(),
            dialog: None,
            asked: None,
            answer_due: false,
            changing: None,
            sdp,
        });
        self.send_invite(now, None);
    }

    fn send_invite(&mut self, now: Instant, credentials: Option<&Credentials>) {
        let Some(invite) = &mut self.invite else { return };
        let Pending { draft, auth, .. } = &mut invite.pending;
        let headers = credentials.map(|who| auth.headers(who, "INVITE", &draft.uri, &mut self.agent));
        invite.sent_auth = headers.unwrap_or_default();
        match self.agent.write(draft, &invite.sent_auth) {
            Ok((bytes, branch)) => {
                invite.pending.branch = branch;
                invite.pending.deadline = now + self.plan.transaction;
                invite.stage = Stage::Calling;
                invite.early.clear();
                self.transmit(bytes);
            }
            Err(failure) => {
                invite.stage = Stage::Over;
                self.fail(failure);
            }
        }
    }

    pub(super) fn on_invite_answer(&mut self, now: Instant, answer: Answer) {
        let Some(invite) = &mut self.invite else { return };
        let key = AckKey::of(&answer, answer.message.header("To").and_then(sip::tag).unwrap_or_default());
        if answer.status >= 200
            && let Some((_, ack)) = invite.acks.iter().find(|(known, _)| *known == key)
        {
            // A proxy on the way may repeat a final answer until it hears the ACK.
            if invite.repeated_acks < MAX_REPEATED_ACKS {
                invite.repeated_acks += 1;
                let ack = ack.clone();
                self.transmit(ack);
            }
            return;
        }
        if invite.pending.branch != answer.branch || invite.pending.draft.cseq != answer.cseq {
            return;
        }
        let first = matches!(invite.stage, Stage::Calling | Stage::Proceeding | Stage::Cancelling);
        if answer.status >= 200 && first {
            self.event(Event::FinalAnswer(FinalAnswer::of(&answer)));
        }
        match answer.status {
            ..200 => self.on_provisional(now, &answer),
            200..300 => self.on_success(now, key, answer),
            _ => self.on_refusal(now, key, answer),
        }
    }

    fn on_provisional(&mut self, now: Instant, answer: &Answer) {
        let Some(invite) = &mut self.invite else { return };
        if !matches!(invite.stage, Stage::Calling | Stage::Proceeding) {
            return;
        }
        invite.stage = Stage::Proceeding;
        invite.provisional += 1;
        let (tell, unwanted) = (invite.provisional <= MAX_PROVISIONAL, invite.unwanted);
        if self.on_early(now, answer) && tell {
            self.event(Event::Provisional { status: answer.status });
        }
        if unwanted {
            self.send_cancel(now);
        }
    }

    fn on_success(&mut self, now: Instant, key: AckKey, answer: Answer) {
        let Some(invite) = &mut self.invite else { return };
        if invite.acks.len() >= MAX_FORKS {
            return;
        }
        let mut dialog = Dialog::new(&invite.pending.draft, &answer);
        let early = invite.early.iter().find(|early| early.dialog.remote_tag == dialog.remote_tag);
        // RFC 3261, section 13.2.2.4: the route is that of the 2xx, the numbers go on.
        if let Some(early) = early {
            (dialog.local_cseq, dialog.remote_cseq) = (early.dialog.local_cseq, early.dialog.remote_cseq);
        }
        let early_sdp = early.and_then(|early| early.sdp.clone());
        let ack = dialog.ack(invite.pending.draft.cseq);
        let bytes = match self.agent.write(&ack, &invite.sent_auth) {
            Ok((bytes, _)) => bytes,
            Err(failure) => {
                invite.stage = Stage::Over;
                return self.fail(failure);
            }
        };
        invite.acks.push((key, bytes.clone()));
        let first = matches!(invite.stage, Stage::Calling | Stage::Proceeding | Stage::Cancelling);
        let wanted = first && !invite.unwanted && !invite.gave_up;
        let bye = (!wanted).then(|| dialog.draft("BYE"));
        if wanted {
            if self.plan.session_refresh {
                let value = answer.message.header("Session-Expires");
                dialog.timer = value.and_then(|value| SessionTimer::agreed(now, value, AskedBy::Us));
            }
            invite.stage = Stage::Confirmed;
        } else if first {
            invite.stage = Stage::Ending; // CANCEL and 200 crossed: RFC 3261, section 9.1
        }
        if first {
            invite.dialog = Some(dialog);
        }
        self.transmit(bytes);
        match bye {
            Some(bye) => self.send_request(now, bye, false),
            None => {
                let sdp = Some(answer.message.body).filter(|body| !body.is_empty()).or(early_sdp);
                self.event(Event::Answered { status: answer.status, sdp, headers: answer.message.headers });
            }
        }
    }

    fn on_refusal(&mut self, now: Instant, key: AckKey, answer: Answer) {
        let credentials = self.own_credentials();
        let Some(invite) = &mut self.invite else { return };
        if !matches!(invite.stage, Stage::Calling | Stage::Proceeding | Stage::Cancelling) {
            return;
        }
        // RFC 3261, section 17.1.1.3: the ACK of a refusal belongs to the INVITE's own transaction.
        let draft = &invite.pending.draft;
        let mut ack = Draft::new("ACK", draft.uri.clone(), draft.from.clone(), draft.to.clone(), draft.call_id.clone());
        ack.to = answer.message.header("To").unwrap_or(&draft.to).to_owned();
        ack.cseq = draft.cseq;
        let ack = self.agent.write_with(&ack, &[], &invite.pending.branch);
        if let Ok(bytes) = &ack
            && invite.acks.len() < MAX_FORKS
        {
            invite.acks.push((key, bytes.clone()));
        }
        let over = invite.unwanted || invite.gave_up;
        let again = !over
            && match answer.status {
                401 | 407 => credentials.is_some() && invite.pending.auth.take(&answer.message, self.plan.algorithm),
                421 => !std::mem::replace(&mut invite.wished_extension, true) && support_reliable(invite, &answer),
                422 => !std::mem::replace(&mut invite.wished_interval, true) && wish_interval(invite, &answer),
                _ => false,
            };
        invite.pending.draft.cseq = invite.pending.draft.cseq.saturating_add(u32::from(again));
        invite.stage = if again { invite.stage } else { Stage::Over };
        let (gave_up, unwanted) = (invite.gave_up, invite.unwanted);
        match ack {
            Ok(bytes) => self.transmit(bytes),
            Err(failure) => self.fail(failure),
        }
        if again {
            self.send_invite(now, credentials.as_ref());
        } else if gave_up {
            self.fail(self.unanswered());
        } else {
            self.event(Event::Refused { status: answer.status, reason: Untrusted::new(answer.reason) });
            if unwanted {
                self.event(Event::Ended);
            }
        }
    }

    pub(super) fn cancel(&mut self, now: Instant) {
        let Some(invite) = &mut self.invite else { return };
        invite.unwanted = true;
        match invite.stage {
            Stage::Proceeding => self.send_cancel(now),
            Stage::Over => self.event(Event::Ended),
            // RFC 3261, section 9.1: nothing can be cancelled before the far side has said that it is there.
            Stage::Calling | Stage::Cancelling | Stage::Confirmed | Stage::Ending => {}
        }
    }

    /// CANCEL has branch, number and Request-URI of the INVITE.
    fn send_cancel(&mut self, now: Instant) {
        let Some(invite) = &mut self.invite else { return };
        let cancel = Draft { method: "CANCEL".into(), headers: Vec::new(), body: None, ..invite.pending.draft.clone() };
        invite.stage = Stage::Cancelling;
        invite.pending.deadline = now + self.plan.transaction;
        match self.agent.write_with(&cancel, &[], &invite.pending.branch) {
            Ok(bytes) => self.transmit(bytes),
            Err(failure) => self.fail(failure),
        }
    }

    pub(super) fn bye(&mut self, now: Instant) {
        let Some(invite) = &mut self.invite else { return self.event(Event::Ended) };
        if invite.stage != Stage::Confirmed {
            return self.cancel(now);
        }
        invite.stage = Stage::Ending;
        if let Some(bye) = invite.dialog.as_mut().map(|dialog| dialog.draft("BYE")) {
            self.send_request(now, bye, false);
        }
    }

    pub(super) fn on_bye_answer(&mut self) {
        let Some(invite) = self.invite.as_mut().filter(|invite| invite.stage == Stage::Ending) else { return };
        invite.stage = Stage::Over;
        if invite.gave_up {
            self.fail(self.unanswered());
        } else {
            self.event(Event::Ended);
        }
    }

    /// The far side hung up.
    pub(super) fn on_remote_bye(&mut self, reason: Option<Untrusted>) {
        let Some(invite) = &mut self.invite else { return };
        // RFC 3261, section 15.1.2: what the far side still waits for is terminated.
        let waiting = invite.asked.take();
        // Both may hang up at once; then ours is answered 481 or not at all.
        let ours = invite.stage == Stage::Ending;
        invite.stage = Stage::Over;
        if let Some(request) = waiting {
            self.reply(&request, peer::Reply::new(487, "Request Terminated"));
        }
        self.event(if ours { Event::Ended } else { Event::RemoteBye { reason } });
    }

    pub(super) fn on_invite_timeout(&mut self, now: Instant) {
        let Some(invite) = self.invite.as_mut().filter(|i| i.wake_at().is_some_and(|at| at <= now)) else { return };
        match invite.stage {
            Stage::Proceeding => {
                invite.gave_up = true;
                self.send_cancel(now);
            }
            Stage::Calling | Stage::Cancelling => {
                invite.stage = Stage::Over;
                let (gave_up, unwanted) = (invite.gave_up, invite.unwanted);
                let failure = if gave_up { self.unanswered() } else { self.silence("INVITE") };
                self.event(if unwanted { Event::Ended } else { Event::Failed(failure) });
            }
            Stage::Confirmed => self.on_session_timer(now),
            Stage::Ending | Stage::Over => {}
        }
    }

    /// The ACK of a final answer to a re-INVITE, kept for answers that are repeated.
    pub(super) fn acknowledge_reinvite(&mut self, draft: &Draft, answer: &Answer) {
        let Some(invite) = &mut self.invite else { return };
        let Some(dialog) = &invite.dialog else { return };
        let written = if answer.status < 300 {
            self.agent.write(&dialog.ack(draft.cseq), &[]).map(|(bytes, _)| bytes)
        } else {
            let ack = Draft { method: "ACK".into(), headers: Vec::new(), body: None, ..draft.clone() };
            self.agent.write_with(&ack, &[], &answer.branch)
        };
        match written {
            Ok(bytes) => {
                let key = AckKey::of(answer, dialog.remote_tag.clone());
                invite.acks.truncate(MAX_FORKS - 1); // the INVITE's own stay; of re-INVITEs the last is enough
                invite.acks.push((key, bytes.clone()));
                self.transmit(bytes);
            }
            Err(failure) => self.fail(failure),
        }
    }

    pub(super) fn dialog_draft(&mut self, method: &str) -> Option<Draft> {
        self.invite.as_mut()?.live_dialog().map(|dialog| dialog.draft(method))
    }

    /// The next number for a request that was sent before: its dialog's, or one more outside of any.
    pub(super) fn next_cseq(&mut self, draft: &Draft) -> u32 {
        let dialog = self.invite.as_mut().filter(|invite| invite.pending.draft.call_id == draft.call_id);
        let dialog = dialog.and_then(|invite| invite.dialog_with(&sip::tag(&draft.to)?));
        let Some(dialog) = dialog else { return draft.cseq.saturating_add(1) };
        dialog.local_cseq = dialog.local_cseq.max(draft.cseq).saturating_add(1);
        dialog.local_cseq
    }

    fn unanswered(&self) -> Failure {
        Failure::timeout(format!("no final answer to INVITE within {:?}; cancelled", self.plan.answer_within))
    }
}

/// RFC 4028, section 6: asks for the interval that the far side wishes.
fn wish_interval(invite: &mut Invite, answer: &Answer) -> bool {
    let Some(seconds) = min_se(&answer.message) else { return false };
    invite.pending.draft.set("Session-Expires", seconds.to_string());
    invite.pending.draft.set("Min-SE", seconds.to_string());
    true
}

/// RFC 3261, section 21.4.16: says that reliable provisional answers are understood, where nothing else is demanded.
fn support_reliable(invite: &mut Invite, answer: &Answer) -> bool {
    let mut demanded = answer.message.headers("Require").flat_map(sip::split_list).peekable();
    if demanded.peek().is_none() || !demanded.all(|tag| tag.eq_ignore_ascii_case("100rel")) {
        return false;
    }
    let headers = &invite.pending.draft.headers;
    let supported = headers.iter().find(|(name, _)| name == "Supported").map_or("", |(_, value)| value.as_str());
    let supported = format!("{supported},100rel");
    invite.pending.draft.set("Supported", supported);
    true
}
