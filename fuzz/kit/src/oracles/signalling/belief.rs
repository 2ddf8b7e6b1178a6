//! What is told did happen.

use std::collections::HashSet;

use ringfence_client::signalling::Event;
use ringfence_wire::sip::{self, Message};

use super::{Moment, Watcher, branch, field};
use crate::oracle::Oracle;

/// Success is told behind an answer that says so, and to the request that is out.
pub const BELIEF: Oracle = Oracle::new(
    "belief has a ground",
    "an answer belongs to the request with its branch, method and number (RFC 3261, 17.1.3): who believes another reports what did not happen",
);

/// Remembers what is out and how far the call is.
#[derive(Debug, Default)]
pub struct Belief {
    /// Branch and number of the last REGISTER.
    register: (String, u32),
    /// Branch and number of the INVITE that is out.
    invite: (String, u32),
    answered: bool,
    over: bool,
    /// Call-ID of requests that were asked by hand: an INVITE among them is not the call's.
    by_hand: HashSet<String>,
}

impl Belief {
    /// Whether this moment is an answer of such a status to that request.
    fn is_ground(moment: &Moment, method: &str, (sent, number): &(String, u32), statuses: [u16; 2]) -> bool {
        let heard = moment.message();
        heard.is_some_and(|answer| {
            answer.status().is_some_and(|status| (statuses[0]..statuses[1]).contains(&status))
                && answer.cseq() == Some((*number, method))
                && branch(answer) == *sent
        })
    }
}

impl Watcher for Belief {
    fn writes(&mut self, moment: &Moment, _bytes: &[u8], message: Option<&Message>) {
        let Some(message) = message.filter(|message| message.method().is_some()) else { return };
        let sent = (branch(message), message.cseq().map_or(0, |(number, _)| number));
        match message.method() {
            Some("REGISTER") => self.register = sent,
            Some("INVITE") if message.header("To").and_then(sip::tag).is_none() => {
                let call_id = field(message, "Call-ID");
                if matches!(moment, Moment::Command("ask")) {
                    self.by_hand.insert(call_id.to_owned());
                } else if !self.by_hand.contains(call_id) {
                    (self.invite, self.answered, self.over) = (sent, false, false);
                }
            }
            _ => {}
        }
    }

    fn tells(&mut self, moment: &Moment, event: &Event) {
        let why = || format!("{event:?} came of {moment:?}; sent were {:?} and {:?}", self.register, self.invite);
        let (ground, answered, over) = match event {
            Event::Registered { .. } => {
                (Self::is_ground(moment, "REGISTER", &self.register, [200, 300]), self.answered, self.over)
            }
            Event::RegisterFinal { .. } => {
                (Self::is_ground(moment, "REGISTER", &self.register, [300, 700]), self.answered, self.over)
            }
            Event::Answered { .. } => {
                let ground = Self::is_ground(moment, "INVITE", &self.invite, [200, 300]);
                (ground && !self.answered && !self.over, true, false)
            }
            Event::Refused { .. } => {
                let ground = Self::is_ground(moment, "INVITE", &self.invite, [300, 700]);
                (ground && !self.answered && !self.over, false, true)
            }
            Event::Ended => (true, self.answered, true),
            Event::RemoteBye { .. } => {
                let bye = moment.message().is_some_and(|message| message.method() == Some("BYE"));
                (bye && self.answered && !self.over, true, true)
            }
            Event::Provisional { .. } => {
                let ground = Self::is_ground(moment, "INVITE", &self.invite, [100, 200]);
                (ground && !self.answered && !self.over, self.answered, self.over)
            }
            Event::FinalAnswer(_) | Event::Answer { .. } => {
                let last = moment.message().and_then(Message::status).is_some_and(|status| status >= 200);
                (last, self.answered, self.over)
            }
            _ => (true, self.answered, self.over),
        };
        BELIEF.holds(ground, why);
        (self.answered, self.over) = (answered, over);
    }
}

#[cfg(test)]
mod tests {
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
}
