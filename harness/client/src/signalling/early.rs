//! Before the call is answered: early dialogs (RFC 3261, section 12.1), early answers, and reliable provisional answers
//! (RFC 3262) of a far side that sends them unasked.

use std::time::Instant;

use ringfence_wire::sip::{self, Message};

use super::Event;
use super::dialog::Dialog;
use super::invite::{Invite, MAX_FORKS};
use super::machine::Signalling;
use super::message::Answer;

/// Reliable provisional answers of one fork that are acknowledged.
const MAX_RELIABLE: u32 = 32;

/// One fork that has said something.
pub(super) struct Early {
    pub dialog: Dialog,
    /// The first description that this fork sent; RFC 3261, section 13.2.1: later ones are to be ignored.
    pub sdp: Option<Vec<u8>>,
    /// `RSeq` of the last reliable answer. RFC 3262, section 4.
    rseq: Option<u32>,
    reliable: u32,
}

impl Invite {
    /// The fork that this answer comes from; none where it does not say, or there are too many.
    fn fork(&mut self, answer: &Answer) -> Option<&mut Early> {
        let tag = answer.message.header("To").and_then(sip::tag)?;
        let known = self.early.iter().position(|early| early.dialog.remote_tag == tag);
        if known.is_none() && self.early.len() < MAX_FORKS {
            let dialog = Dialog::new(&self.pending.draft, answer);
            self.early.push(Early { dialog, sdp: None, rseq: None, reliable: 0 });
        }
        self.early.iter_mut().find(|early| early.dialog.remote_tag == tag)
    }

    /// Whether this fork has not yet described itself: our offer waits for that.
    pub fn owes_answer(&mut self, remote_tag: &str) -> bool {
        let answered = self.live_dialog().is_some();
        !answered && self.early.iter().any(|early| early.dialog.remote_tag == remote_tag && early.sdp.is_none())
    }
}

impl Signalling {
    /// What a provisional answer begins. False for one that only repeats an earlier one, or comes out of order.
    pub(super) fn on_early(&mut self, now: Instant, answer: &Answer) -> bool {
        let Some(invite) = &mut self.invite else { return false };
        let cseq = invite.pending.draft.cseq;
        let described = invite.early.iter().any(|early| early.sdp.is_some());
        let Some(early) = invite.fork(answer).filter(|_| answer.status > 100) else { return true };
        let mut prack = None;
        if let Some(rseq) = reliable(&answer.message) {
            let in_order = early.rseq.is_none_or(|last| last.checked_add(1) == Some(rseq));
            if !in_order || early.reliable >= MAX_RELIABLE {
                return false;
            }
            early.rseq = Some(rseq);
            early.reliable += 1;
            let mut draft = early.dialog.draft("PRACK");
            draft.header("RAck", format!("{rseq} {cseq} INVITE"));
            prack = Some(draft);
        }
        let body = Some(&answer.message.body).filter(|body| !body.is_empty() && early.sdp.is_none());
        early.sdp = early.sdp.take().or_else(|| body.cloned());
        let first = body.filter(|_| !described).cloned();
        if let Some(draft) = prack {
            self.send_request(now, draft, false);
        }
        if let Some(sdp) = first {
            self.event(Event::Described { sdp });
        }
        true
    }
}

/// `RSeq` of an answer that wants to be acknowledged.
fn reliable(message: &Message) -> Option<u32> {
    let wants = message.headers("Require").flat_map(sip::split_list).any(|tag| tag.eq_ignore_ascii_case("100rel"));
    message.header("RSeq").filter(|_| wants)?.trim().parse().ok()
}
