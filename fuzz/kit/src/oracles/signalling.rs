//! What a signalling machine owes to standards, to its owner and to the peer, whatever the peer does. Each watcher sees what
//! happens, what is written and what is told, and holds one oracle, or two of a kind.

mod answering;
mod belief;
mod economy;
mod ending;
mod login;
mod registering;
mod silence;
mod transactions;
mod writing;

use std::rc::Rc;
use std::time::Duration;

use ringfence_client::signalling::Event;
use ringfence_wire::sip::Message;

use super::GRAMMAR;
use super::machine::{DRAINING, PROGRESS};
use crate::oracle::Oracle;

pub use answering::{ANSWERING, Answering};
pub use belief::{BELIEF, Belief};
pub use economy::{ECONOMY, Economy};
pub use ending::{ENDING, Ending};
pub use login::{LOGIN, Login, SECRECY, unsaid};
pub use registering::{REGISTERING, Registering};
pub use silence::{SILENCE, Silence};
pub use transactions::{TRANSACTIONS, Transactions};
pub use writing::{WRITING, Writing};

/// What is asked in every dialogue.
pub const ASKED: &[&Oracle] = &[
    &DRAINING,
    &PROGRESS,
    &WRITING,
    &GRAMMAR,
    &TRANSACTIONS,
    &ANSWERING,
    &BELIEF,
    &REGISTERING,
    &LOGIN,
    &SECRECY,
    &SILENCE,
    &ECONOMY,
    &ENDING,
];

/// What happens to a machine.
#[derive(Clone, Debug)]
pub enum Moment {
    /// We want something; as a word that says what.
    Command(&'static str),
    /// Its time has come.
    Timer,
    /// So many bytes came, and this is what they say, if they say anything.
    Heard(usize, Option<Rc<Message>>),
    /// The connection is gone, or we close it.
    Gone,
}

impl Moment {
    /// What was heard.
    pub fn message(&self) -> Option<&Message> {
        if let Moment::Heard(_, message) = self { message.as_deref() } else { None }
    }
}

/// Sees everything, in order.
pub trait Watcher {
    /// This happens; what is written and told until the next moment comes of it.
    /// `at` is the simulated time since the beginning.
    fn happens(&mut self, _moment: &Moment, _at: Duration) {}
    /// The machine writes this; `None` for a keep-alive or what cannot be read.
    fn writes(&mut self, _moment: &Moment, _bytes: &[u8], _message: Option<&Message>) {}
    /// The machine tells this.
    fn tells(&mut self, _moment: &Moment, _event: &Event) {}
    /// The peer has said nothing for so long that nothing is waited for any more.
    fn ends(&mut self) {}
}

/// A branch as it stands in the topmost Via, or nothing.
fn branch(message: &Message) -> String {
    message.header("Via").and_then(ringfence_wire::sip::branch).unwrap_or_default()
}

/// A field's value, or nothing.
fn field<'a>(message: &'a Message, name: &str) -> &'a str {
    message.header(name).unwrap_or_default()
}

/// Messages for the watchers' tests.
#[cfg(test)]
mod samples {
    use super::*;

    /// A request of ours, or of the peer.
    pub fn request(method: &str, branch: &str, cseq: u32, more: &str) -> Message {
        message(&format!("{method} sip:b@sip.test SIP/2.0"), method, branch, cseq, more)
    }

    /// An answer.
    pub fn answer(status: u16, method: &str, branch: &str, cseq: u32) -> Message {
        message(&format!("SIP/2.0 {status} Word"), method, branch, cseq, "")
    }

    fn message(start: &str, method: &str, branch: &str, cseq: u32, more: &str) -> Message {
        let text = format!(
            "{start}\r\nVia: SIP/2.0/WSS a.invalid;branch={branch}\r\nMax-Forwards: 69\r\nTo: <sip:b@sip.test>\r\n\
             From: <sip:a@sip.test>;tag=1\r\nCall-ID: call\r\nCSeq: {cseq} {method}\r\n{more}Content-Length: 0\r\n\r\n"
        );
        Message::parse(text.as_bytes()).expect("a message")
    }

    /// It was heard.
    pub fn heard(message: Message) -> Moment {
        Moment::Heard(message.emit().len(), Some(Rc::new(message)))
    }

    /// The machine writes it.
    pub fn write(watcher: &mut impl Watcher, moment: &Moment, message: &Message) {
        watcher.writes(moment, &message.emit(), Some(message));
    }
}
