//! What is written is sound.

use ringfence_wire::sip::{self, MAX_HEADER_BYTES, MAX_HEADERS, MAX_MESSAGE_BYTES, Message, StartLine};

use super::{Moment, Watcher, branch};
use crate::oracle::Oracle;
use crate::oracles::sip_grammatical;

/// What goes out is plain SIP.
pub const WRITING: Oracle = Oracle::new(
    "what is written is sound",
    "a request has Via with a branch of its own and Max-Forwards (RFC 3261, 8.1.1), and what a peer said must not bend what we write",
);
/// Fields that an answer of ours adds to those that it repeats, and bytes.
const ADDED: (usize, usize) = (8, 1_024);
/// By how much one of them may grow: a tag behind To.
const LONGER: usize = 64;

/// Reads everything that is written.
#[derive(Debug, Default)]
pub struct Writing;

impl Watcher for Writing {
    fn writes(&mut self, moment: &Moment, bytes: &[u8], message: Option<&Message>) {
        if sip::is_keepalive(bytes) {
            return;
        }
        let text = || String::from_utf8_lossy(bytes).into_owned();
        let Some(message) = message else {
            // An answer repeats what it answers, and may pass a reader's limits then.
            let repeats_much = moment.message().is_some_and(is_big) && bytes.starts_with(b"SIP/2.0 ");
            return WRITING
                .holds(repeats_much, || format!("it cannot be read: {:?}\n{}", Message::parse(bytes), text()));
        };
        // Plain as well: what was read may have been mended.
        sip_grammatical(bytes);
        let once = |name: &str| message.headers(name).count() == 1;
        for name in ["From", "To", "Call-ID", "CSeq"] {
            WRITING.holds(once(name), || format!("it has not one {name}:\n{}", text()));
        }
        if let StartLine::Request { method, .. } = &message.start_line {
            WRITING.holds(branch(message).starts_with("z9hG4bK") && once("Via"), || format!("no branch:\n{}", text()));
            WRITING.holds(message.header("Max-Forwards").is_some_and(|hops| hops.parse::<u8>().is_ok()), || {
                format!("no Max-Forwards:\n{}", text())
            });
            WRITING
                .holds(message.cseq().is_some_and(|(_, of)| of == method), || format!("CSeq of another:\n{}", text()));
        }
    }
}

fn is_big(message: &Message) -> bool {
    let long = |(name, value): &(String, String)| name.len() + value.len() + LONGER > MAX_HEADER_BYTES;
    let headers = &message.headers;
    headers.len() + ADDED.0 > MAX_HEADERS
        || headers.iter().any(long)
        || message.emit().len() + ADDED.1 > MAX_MESSAGE_BYTES
}

#[cfg(test)]
mod tests {
    use super::super::samples::{request, write};
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn a_request_without_a_branch_is_caught() {
        let mut writing = Writing;
        write(&mut writing, &Moment::Timer, &request("BYE", "z9hG4bK1", 2, ""));
        caught(&WRITING, || write(&mut Writing, &Moment::Timer, &request("BYE", "1", 2, "")));
        caught(&WRITING, || write(&mut Writing, &Moment::Timer, &request("BYE", "z9hG4bK1", 2, "To: <sip:c@d>\r\n")));
        caught(&WRITING, || Writing.writes(&Moment::Timer, b"BYE sip:a\r\n b SIP/2.0\r\n\r\n", None));
    }
}
