//! Our answers answer something.

use std::rc::Rc;
use std::time::Duration;

use ringfence_wire::sip::{self, Message};

use super::{Moment, Watcher, field};
use crate::oracle::Oracle;

/// Each answer belongs to a request that came and was not answered yet, and opens no microphone.
pub const ANSWERING: Oracle = Oracle::new(
    "answers answer a request",
    "an answer repeats Via, From, Call-ID and CSeq of its request (RFC 3261, 8.2.6.2), there is none to ACK (17.1.1.3), \
     and a call that nobody here asked for is never taken",
);

/// Remembers what was asked of us.
#[derive(Debug, Default)]
pub struct Answering {
    /// Requests that have no answer yet.
    open: Vec<Rc<Message>>,
}

impl Watcher for Answering {
    fn happens(&mut self, moment: &Moment, _at: Duration) {
        let Moment::Heard(_, Some(message)) = moment else { return };
        if message.method().is_some_and(|method| method != "ACK") {
            self.open.push(message.clone());
        }
    }

    fn writes(&mut self, _moment: &Moment, _bytes: &[u8], message: Option<&Message>) {
        let Some((answer, status)) = message.and_then(|message| Some((message, message.status()?))) else { return };
        let same = |request: &Rc<Message>| {
            let vias = request.headers("Via").eq(answer.headers("Via"));
            vias && ["From", "Call-ID", "CSeq"].iter().all(|name| field(request, name) == field(answer, name))
        };
        let at = self.open.iter().position(same);
        ANSWERING.holds(at.is_some(), || format!("nothing was asked that this answers:\n{}", text(answer)));
        let Some(request) = at.map(|at| self.open.remove(at)) else { return };
        let (asked, said) = (field(&request, "To"), field(answer, "To"));
        let tagged = if sip::tag(asked).is_some() { said == asked } else { said.starts_with(asked) };
        ANSWERING.holds(tagged, || format!("another To than {asked}:\n{}", text(answer)));
        let uninvited = request.method() == Some("INVITE") && sip::tag(asked).is_none();
        ANSWERING.holds(!uninvited || status >= 300, || format!("a foreign call is taken:\n{}", text(answer)));
    }
}

fn text(message: &Message) -> String {
    String::from_utf8_lossy(&message.emit()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{answer, heard, request, write};
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn an_answer_to_nothing_is_caught() {
        let mut answering = Answering::default();
        let moment = heard(request("OPTIONS", "z9hG4bKf", 7, ""));
        answering.happens(&moment, Duration::ZERO);
        write(&mut answering, &moment, &answer(200, "OPTIONS", "z9hG4bKf", 7));
        caught(&ANSWERING, move || write(&mut answering, &moment, &answer(200, "OPTIONS", "z9hG4bKf", 7)));
    }

    #[test]
    fn an_answer_to_an_ack_is_caught() {
        let moment = heard(request("ACK", "z9hG4bKf", 7, ""));
        let mut answering = Answering::default();
        answering.happens(&moment, Duration::ZERO);
        caught(&ANSWERING, move || write(&mut answering, &moment, &answer(200, "ACK", "z9hG4bKf", 7)));
    }

    #[test]
    fn a_microphone_that_opens_is_caught() {
        let moment = heard(request("INVITE", "z9hG4bKf", 7, ""));
        let mut answering = Answering::default();
        answering.happens(&moment, Duration::ZERO);
        caught(&ANSWERING, move || write(&mut answering, &moment, &answer(200, "INVITE", "z9hG4bKf", 7)));
    }
}
