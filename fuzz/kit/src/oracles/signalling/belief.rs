//! What is told did happen.

use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

use ringfence_client::signalling::Event;
use ringfence_wire::sip::{self, Message};

use super::{Moment, Watcher, branch, field};
use crate::oracle::Oracle;

/// Success is told behind an answer that says so, and to the request that is out.
pub const BELIEF: Oracle = Oracle::new(
    "belief has a ground",
    "an answer belongs to the request with its branch, method and number (RFC 3261, 17.1.3): who believes another reports what did not happen",
);

/// A request of ours as its answers name it: branch, number and method.
type Sent = (String, u32, String);

/// Remembers what is out and how far the call is.
#[derive(Debug, Default)]
pub struct Belief {
    /// All requests that went out.
    sent: HashSet<Sent>,
    /// The last REGISTER, and whether it takes our contact back.
    register: Sent,
    takes_back: bool,
    /// A registration was told, and no REGISTER took it back since.
    registered: bool,
    /// The INVITE that is out.
    invite: Sent,
    answered: bool,
    over: bool,
    /// We wished for the end of the call, or went for it.
    hung_up: bool,
    /// Call-ID of requests that were asked by hand: an INVITE among them is not the call's.
    by_hand: HashSet<String>,
}

/// The answer that came, with what it names, and its status.
fn answer(moment: &Moment) -> Option<(Sent, u16)> {
    let answer = moment.message()?;
    let (number, method) = answer.cseq()?;
    Some(((branch(answer), number, method.to_owned()), answer.status()?))
}

/// The method of the request that came.
fn asked(moment: &Moment) -> Option<&str> {
    moment.message()?.method()
}

impl Belief {
    /// Whether this moment is an answer of this status to a request of ours with this method.
    fn is_answered(&self, moment: &Moment, method: &str, status: u16) -> bool {
        answer(moment).is_some_and(|(to, said)| said == status && to.2 == method && self.sent.contains(&to))
    }

    /// Whether what is told did happen.
    fn has_ground(&self, moment: &Moment, event: &Event) -> bool {
        let is = |sent: &Sent, status: &u16, range: Range<u16>| {
            range.contains(status) && answer(moment).is_some_and(|(to, said)| to == *sent && said == *status)
        };
        let rings = !self.answered && !self.over;
        match event {
            Event::Registered { status, .. } => is(&self.register, status, 200..300) && !self.takes_back,
            Event::RegisterFinal { status, .. } => is(&self.register, status, 300..700),
            Event::LoggedIn(_) => (200..300).any(|status| is(&self.register, &status, 200..300)),
            // There was nothing to be taken back, or it is.
            Event::Unregistered => match moment {
                Moment::Command("unregister") => !self.registered,
                _ => self.takes_back && (200..300).any(|status| is(&self.register, &status, 200..300)),
            },
            Event::Provisional { status } => rings && is(&self.invite, status, 100..200),
            Event::Answered { status, .. } => rings && is(&self.invite, status, 200..300),
            Event::Refused { status, .. } => rings && is(&self.invite, status, 300..700),
            Event::Ended => self.hung_up,
            Event::RemoteBye { .. } => asked(moment) == Some("BYE") && self.answered && !self.over,
            Event::FinalAnswer(said) => said.status >= 200 && self.is_answered(moment, &said.method, said.status),
            Event::Answer { method, status, .. } => *status >= 200 && self.is_answered(moment, method, *status),
            Event::Changed { status: Some(status), .. } => {
                *status >= 200 && self.is_answered(moment, "INVITE", *status)
            }
            Event::Offered { .. } => matches!(asked(moment), Some("INVITE" | "UPDATE")),
            Event::Info { .. } => asked(moment) == Some("INFO"),
            Event::Notified { .. } => asked(moment) == Some("NOTIFY"),
            Event::Asked(request) => asked(moment) == Some(&request.method),
            // An answer, or the ACK of one that asked for our offer.
            Event::Described { .. } => asked(moment) == Some("ACK") || answer(moment).is_some(),
            Event::Changed { status: None, .. } | Event::Failed(_) => true,
        }
    }
}

impl Watcher for Belief {
    fn happens(&mut self, moment: &Moment, _at: Duration) {
        match moment {
            Moment::Command("bye" | "cancel") => self.hung_up = true,
            Moment::Command(what) if what.starts_with("register") => self.registered = false,
            _ => {}
        }
    }

    fn writes(&mut self, moment: &Moment, _bytes: &[u8], message: Option<&Message>) {
        let Some((message, method)) = message.and_then(|message| Some((message, message.method()?))) else { return };
        let sent = (branch(message), message.cseq().map_or(0, |(number, _)| number), method.to_owned());
        match method {
            "REGISTER" => {
                self.takes_back = field(message, "Expires") == "0";
                self.registered &= !self.takes_back;
                self.register = sent.clone();
            }
            "BYE" | "CANCEL" => self.hung_up = true,
            "INVITE" if message.header("To").and_then(sip::tag).is_none() => {
                let call_id = field(message, "Call-ID");
                if matches!(moment, Moment::Command("ask")) {
                    self.by_hand.insert(call_id.to_owned());
                } else if !self.by_hand.contains(call_id) {
                    (self.invite, self.answered, self.over) = (sent.clone(), false, false);
                    // What was wished for before is not of this call; a challenged INVITE is the same call.
                    self.hung_up &= !matches!(moment, Moment::Command(_));
                }
            }
            _ => {}
        }
        self.sent.insert(sent);
    }

    fn tells(&mut self, moment: &Moment, event: &Event) {
        BELIEF.holds(self.has_ground(moment, event), || {
            format!("{event:?} came of {moment:?}; sent were {:?} and {:?}", self.register, self.invite)
        });
        match event {
            Event::Registered { .. } => self.registered = true,
            Event::Answered { .. } => self.answered = true,
            Event::Refused { .. } | Event::Ended | Event::RemoteBye { .. } => self.over = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use ringfence_model::Untrusted;

    use super::super::samples::{answer, heard, request, write};
    use super::*;
    use crate::oracle::caught;

    const REGISTERED: Event = Event::Registered { status: 200, contact_ok: true, expires_s: None };

    fn answered() -> Event {
        Event::Answered { status: 200, sdp: None, headers: Vec::new() }
    }

    fn sent(method: &str) -> Belief {
        let mut belief = Belief::default();
        write(&mut belief, &Moment::Command("go"), &request(method, "z9hG4bK1", 3, ""));
        belief
    }

    #[test]
    fn a_registration_that_was_not_is_caught() {
        sent("REGISTER").tells(&heard(answer(200, "REGISTER", "z9hG4bK1", 3)), &REGISTERED);
        for wrong in [
            heard(answer(200, "REGISTER", "z9hG4bK2", 3)),
            heard(answer(200, "REGISTER", "z9hG4bK1", 4)),
            heard(answer(200, "OPTIONS", "z9hG4bK1", 3)),
            heard(answer(401, "REGISTER", "z9hG4bK1", 3)),
            Moment::Timer,
        ] {
            caught(&BELIEF, || sent("REGISTER").tells(&wrong, &REGISTERED));
        }
    }

    #[test]
    fn a_call_that_is_answered_twice_or_after_its_end_is_caught() {
        let yes = heard(answer(200, "INVITE", "z9hG4bK1", 3));
        let mut twice = sent("INVITE");
        twice.tells(&yes, &answered());
        let again = yes.clone();
        caught(&BELIEF, move || twice.tells(&again, &answered()));
        let mut late = sent("INVITE");
        late.happens(&Moment::Command("bye"), Duration::ZERO);
        late.tells(&Moment::Timer, &Event::Ended);
        caught(&BELIEF, {
            let yes = yes.clone();
            move || late.tells(&yes, &answered())
        });
        // Another INVITE that was asked by hand is not the call.
        let mut both = sent("INVITE");
        write(&mut both, &Moment::Command("ask"), &request("INVITE", "z9hG4bK2", 3, ""));
        both.tells(&yes, &answered());
    }

    #[test]
    fn an_end_that_nobody_wished_for_is_caught() {
        caught(&BELIEF, || sent("INVITE").tells(&Moment::Timer, &Event::Ended));
        let mut cancelled = sent("INVITE");
        write(&mut cancelled, &Moment::Timer, &request("CANCEL", "z9hG4bK1", 3, ""));
        cancelled.tells(&Moment::Timer, &Event::Ended);
    }

    #[test]
    fn a_contact_that_is_still_bound_is_caught() {
        let yes = || heard(answer(200, "REGISTER", "z9hG4bK1", 3));
        caught(&BELIEF, || {
            sent("REGISTER").tells(&heard(answer(200, "REGISTER", "z9hG4bK1", 3)), &Event::Unregistered)
        });
        let mut bound = sent("REGISTER");
        bound.tells(&yes(), &REGISTERED);
        caught(&BELIEF, move || bound.tells(&Moment::Command("unregister"), &Event::Unregistered));
        sent("REGISTER").tells(&Moment::Command("unregister"), &Event::Unregistered);
        let mut leaving = Belief::default();
        write(&mut leaving, &Moment::Command("unregister"), &request("REGISTER", "z9hG4bK1", 3, "Expires: 0\r\n"));
        leaving.tells(&yes(), &Event::Unregistered);
    }

    #[test]
    fn an_answer_to_something_else_is_caught() {
        let told = |method: &str, status| Event::Answer {
            method: method.into(),
            status,
            reason: Untrusted::new(""),
            headers: Vec::new(),
        };
        let no = || heard(answer(486, "INVITE", "z9hG4bK1", 3));
        sent("INVITE").tells(&no(), &told("INVITE", 486));
        for (moment, event) in [
            (no(), told("INFO", 486)),
            (no(), told("INVITE", 200)),
            (heard(answer(486, "INVITE", "z9hG4bK2", 3)), told("INVITE", 486)),
            (heard(answer(180, "INVITE", "z9hG4bK1", 3)), told("INVITE", 180)),
            (no(), Event::Changed { status: Some(200), sdp: None }),
            (no(), Event::Info { content_type: Untrusted::new(""), body: Vec::new() }),
        ] {
            caught(&BELIEF, move || sent("INVITE").tells(&moment, &event));
        }
    }
}
