//! Numbers, branches, ACK and CANCEL.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ringfence_wire::sip::{Message, StartLine};

use super::{Moment, Watcher, branch, field};
use crate::oracle::Oracle;

/// Requests count up, and those that belong to an INVITE have its number.
pub const TRANSACTIONS: Oracle = Oracle::new(
    "transactions are told apart",
    "in a dialog CSeq grows (RFC 3261, 12.2.1.1); ACK and CANCEL have number and branch of their INVITE (17.1.1.3, 9.1), that of a 2xx \
     a branch of its own (13.2.2.4); no CANCEL before a provisional answer (9.1)",
);

/// Remembers what was sent.
#[derive(Debug, Default)]
pub struct Transactions {
    /// The last number by Call-ID, far tag and, within a dialog, how many INVITEs began one: a peer may use a tag again.
    numbers: HashMap<(String, String, usize), u32>,
    branches: HashSet<String>,
    /// INVITEs by branch: Request-URI, number, and whether a provisional answer came.
    invites: HashMap<String, (String, u32, bool)>,
    began: usize,
    acks: HashSet<Vec<u8>>,
}

impl Watcher for Transactions {
    fn happens(&mut self, moment: &Moment, _at: Duration) {
        let Some(answer) = moment.message().filter(|answer| answer.status().is_some_and(|status| status < 200)) else {
            return;
        };
        let Some(invite) = self.invites.get_mut(&branch(answer)) else { return };
        invite.2 |= answer.cseq() == Some((invite.1, "INVITE"));
    }

    fn writes(&mut self, moment: &Moment, bytes: &[u8], message: Option<&Message>) {
        let Some(message) = message else { return };
        let StartLine::Request { method, uri } = &message.start_line else { return };
        let number = message.cseq().map_or(0, |(number, _)| number);
        let (branch, text) = (branch(message), || String::from_utf8_lossy(bytes).into_owned());
        match method.as_str() {
            "ACK" => self.acknowledges(moment, bytes, &branch, number),
            "CANCEL" => {
                let of = self.invites.get(&branch);
                let fits = of.is_some_and(|(of, sent, proceeds)| of == uri && *sent == number && *proceeds);
                TRANSACTIONS.holds(fits, || format!("it cancels {of:?}:\n{}", text()));
            }
            _ => {
                TRANSACTIONS.holds(self.branches.insert(branch.clone()), || format!("a branch again:\n{}", text()));
                let tag = ringfence_wire::sip::tag(field(message, "To")).unwrap_or_default();
                if method == "INVITE" {
                    self.began += usize::from(tag.is_empty());
                    self.invites.insert(branch, (uri.clone(), number, false));
                }
                let generation = if tag.is_empty() { 0 } else { self.began };
                let key = (field(message, "Call-ID").to_owned(), tag, generation);
                let last = self.numbers.insert(key, number);
                TRANSACTIONS
                    .holds(last.is_none_or(|last| last < number), || format!("{last:?} was before:\n{}", text()));
            }
        }
    }
}

impl Transactions {
    fn acknowledges(&mut self, moment: &Moment, bytes: &[u8], branch: &str, number: u32) {
        let text = || String::from_utf8_lossy(bytes).into_owned();
        let answer = moment.message().and_then(|answer| Some((answer, answer.status()?)));
        let of = answer.filter(|(answer, status)| *status >= 200 && answer.cseq() == Some((number, "INVITE")));
        let Some((answer, status)) = of else {
            return TRANSACTIONS.holds(false, || format!("an ACK of {moment:?}:\n{}", text()));
        };
        let to = super::branch(answer);
        TRANSACTIONS.holds(self.invites.contains_key(&to), || format!("an ACK of no INVITE's answer:\n{}", text()));
        let fits = if status >= 300 {
            branch == to
        } else {
            // The same again for an answer that comes again.
            self.acks.contains(bytes) || self.branches.insert(branch.to_owned())
        };
        TRANSACTIONS.holds(fits, || format!("an ACK of {status} under this branch:\n{}", text()));
        self.acks.insert(bytes.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{answer, heard, request, write};
    use super::*;
    use crate::oracle::caught;

    fn calling() -> Transactions {
        let mut watch = Transactions::default();
        write(&mut watch, &Moment::Timer, &request("INVITE", "z9hG4bK1", 3, ""));
        watch
    }

    #[test]
    fn a_number_or_a_branch_again_is_caught() {
        caught(&TRANSACTIONS, || write(&mut calling(), &Moment::Timer, &request("INVITE", "z9hG4bK2", 3, "")));
        caught(&TRANSACTIONS, || write(&mut calling(), &Moment::Timer, &request("INVITE", "z9hG4bK1", 4, "")));
    }

    #[test]
    fn an_ack_of_nothing_or_under_another_branch_is_caught() {
        let (no, yes) = (heard(answer(486, "INVITE", "z9hG4bK1", 3)), heard(answer(200, "INVITE", "z9hG4bK1", 3)));
        let ack = |branch: &str| request("ACK", branch, 3, "");
        write(&mut calling(), &no, &ack("z9hG4bK1"));
        write(&mut calling(), &yes, &ack("z9hG4bK2"));
        caught(&TRANSACTIONS, || write(&mut calling(), &no, &ack("z9hG4bK2")));
        caught(&TRANSACTIONS, || write(&mut calling(), &yes, &ack("z9hG4bK1")));
        caught(&TRANSACTIONS, || write(&mut calling(), &Moment::Timer, &ack("z9hG4bK1")));
    }

    #[test]
    fn a_cancel_before_a_provisional_answer_is_caught() {
        let cancel = request("CANCEL", "z9hG4bK1", 3, "");
        let mut ringing = calling();
        ringing.happens(&heard(answer(180, "INVITE", "z9hG4bK1", 3)), Duration::ZERO);
        write(&mut ringing, &Moment::Timer, &cancel);
        caught(&TRANSACTIONS, || write(&mut calling(), &Moment::Timer, &cancel));
    }
}
