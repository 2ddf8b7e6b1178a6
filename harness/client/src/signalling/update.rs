//! The far side changes the session, or only refreshes it: re-INVITE (RFC 3261, section 14.2) and UPDATE (RFC 3311).

use std::time::Instant;

use ringfence_wire::sip::{self, Message};

use super::Event;
use super::dialog::contact;
use super::machine::Signalling;
use super::peer::Reply;
use super::timer::{AskedBy, SessionTimer};

/// Seconds after which a far side that asked twice at once may ask again. RFC 3261, section 14.2: 0 to 10, at random; the
/// figure is house.
const RETRY_AFTER: &str = "2";

impl Signalling {
    /// A change that was asked for. `None` where the answer has to wait for the media.
    pub(super) fn on_change(&mut self, now: Instant, method: &str, request: &Message) -> Option<Reply> {
        let changing = self.is_changing();
        let Some(invite) = &mut self.invite else { return None };
        if invite.asked.is_some() {
            return Some(Reply::new(500, "Server Internal Error").with("Retry-After", RETRY_AFTER));
        }
        let sdp = Some(request.body.clone()).filter(|body| !body.is_empty());
        let remote_tag = request.header("From").and_then(sip::tag).unwrap_or_default();
        // RFC 3311, section 5.2: no offer while ours waits for its answer.
        if changing || (sdp.is_some() && invite.owes_answer(&remote_tag)) {
            return Some(Reply::new(491, "Request Pending"));
        }
        if sdp.is_none() && method == "UPDATE" {
            return Some(self.accept(now, request));
        }
        invite.asked = Some(request.clone());
        self.event(Event::Offered { sdp });
        None
    }

    /// We change the session: a re-INVITE with this offer. RFC 3261, section 14.1.
    pub(super) fn change(&mut self, now: Instant, sdp: String) {
        let (contact, busy) = (self.agent.dialog_contact(), self.is_refreshing());
        // RFC 3261, section 15.1.1: behind our BYE there is no session that could be changed.
        let dialog = self.invite.as_mut().filter(|invite| !busy && invite.asked.is_none() && !invite.is_ending());
        let Some(invite) = dialog else { return self.event(Event::Changed { status: None, sdp: None }) };
        let Some(dialog) = invite.live_dialog() else {
            return self.event(Event::Changed { status: None, sdp: None });
        };
        let mut draft = dialog.draft("INVITE");
        draft.header("Allow", super::peer::ALLOW);
        draft.header("Contact", contact);
        // RFC 4028, section 7.1: an INVITE that does not name the interval would end it.
        if let Some(timer) = dialog.timer {
            draft.header("Supported", "timer");
            draft.header("Session-Expires", timer.words());
        }
        draft.body = Some(("application/sdp".into(), sdp.clone().into_bytes()));
        invite.changing = Some(sdp);
        self.send_request(now, draft, false);
    }

    /// The final answer to it, if it was one. What was agreed on is what a refresh repeats.
    pub(super) fn changed(&mut self, status: Option<u16>, sdp: Option<Vec<u8>>) -> bool {
        let Some(invite) = &mut self.invite else { return false };
        let Some(ours) = invite.changing.take() else { return false };
        if status.is_some_and(|status| status < 300) {
            invite.sdp = ours;
        }
        self.event(Event::Changed { status, sdp });
        true
    }

    /// What the media say to it.
    pub(super) fn answer_change(&mut self, now: Instant, sdp: Option<String>) {
        let Some(invite) = &mut self.invite else { return };
        let Some(request) = invite.asked.take().filter(|_| invite.is_live()) else { return };
        let reply = match sdp {
            Some(sdp) => {
                invite.answer_due = request.body.is_empty();
                invite.sdp.clone_from(&sdp);
                self.accept(now, &request).describing(sdp)
            }
            None => Reply::new(488, "Not Acceptable Here"),
        };
        self.reply(&request, reply);
    }

    /// The ACK of a re-INVITE: it answers the offer that the far side asked for.
    pub(super) fn on_peer_ack(&mut self, ack: &Message) {
        let Some(invite) = &mut self.invite else { return };
        let due = std::mem::take(&mut invite.answer_due);
        if let Some(sdp) = Some(ack.body.clone()).filter(|body| due && !body.is_empty()) {
            self.event(Event::Described { sdp });
        }
    }

    /// 200, with what a target refresh and a session timer need.
    fn accept(&mut self, now: Instant, request: &Message) -> Reply {
        let reply = Reply::ok().with("Contact", self.agent.dialog_contact());
        let refreshes = self.plan.session_refresh;
        let remote_tag = request.header("From").and_then(sip::tag).unwrap_or_default();
        let Some(dialog) = self.invite.as_mut().and_then(|invite| invite.dialog_with(&remote_tag)) else {
            return reply;
        };
        if let Some(target) = contact(request) {
            dialog.target = target;
        }
        let interval = request.header("Session-Expires").unwrap_or_default();
        let Ok(seconds) = interval.split(';').next().unwrap_or_default().trim().parse::<u32>() else {
            // RFC 4028, section 7.2: an answer without an interval ends it, so nothing of the far side is waited for. Our
            // own refreshes go on: a far side that still counts on them would hang up.
            dialog.timer = dialog.timer.filter(|timer| timer.ours);
            return reply;
        };
        // RFC 4028, section 9, table 2: without a word it is who asked, unless that one knows no timers and a proxy asked.
        let fields = request.headers("Supported").chain(request.headers("Require"));
        let knows = fields.flat_map(sip::split_list).any(|tag| tag.eq_ignore_ascii_case("timer"));
        let refresher = sip::param(interval, "refresher").unwrap_or_default().to_ascii_lowercase();
        let ours = refresher == "uas" || (refresher != "uac" && !knows);
        let agreed = format!("{seconds};refresher={}", if ours { "uas" } else { "uac" });
        dialog.timer = SessionTimer::agreed(now, &agreed, AskedBy::FarSide).filter(|_| refreshes);
        let reply = reply.with("Session-Expires", agreed).with("Supported", "timer");
        // RFC 4028, section 9: a far side that refreshes has to know that we count on it.
        if ours { reply } else { reply.with("Require", "timer") }
    }
}
