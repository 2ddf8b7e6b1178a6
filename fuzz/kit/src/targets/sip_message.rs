//! SIP messages, as the pre-pass takes them.

use ringfence_scenarios::corpora::TORTURE;
use ringfence_wire::Error;
use ringfence_wire::sip::{Builder, Message, Prepared, StartLine, prepare};

use crate::mutators::content_length::content_length;
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, FIXPOINT, GRAMMAR, allocating, fixpoint, sip_grammatical};
use crate::sections::sections;
use crate::target::{Seed, Target};

/// A SIP message, as it comes in one WebSocket message.
pub const TARGET: Target = Target {
    name: "sip_message",
    reads: "a SIP message",
    oracles: &[&ALLOCATION, &FIXPOINT, &GRAMMAR, &REBUILT],
    run,
    accepts: |bytes| prepare(bytes).is_ok(),
    show: |bytes| format!("{:#?}", prepare(bytes)),
    seeds,
    dictionary: Some("sip"),
    max_len: 70_000, // a message is 65,536 bytes at most
    covers: &["harness/wire/src/sip.rs", "harness/wire/src/sip"],
};

/// What was read can be written by the checked writer, and says the same then.
pub const REBUILT: Oracle = Oracle::new(
    "what is read can be written",
    "reader and writer must agree on what a name, a value and a first line may hold (RFC 3261, section 25.1), or one lets through what the other has to stop",
);

const BOUND: Bound = Bound { per_byte: 64, fixed: 4_096 };

/// One run.
pub fn run(bytes: &[u8]) {
    if let Err(Error::Length { .. } | Error::Conflict(LENGTH) | Error::Invalid(LENGTH)) = read(bytes) {
        content_length(bytes).iter().for_each(|repaired| drop(read(repaired)));
    }
}

const LENGTH: &str = "Content-Length";

fn read(bytes: &[u8]) -> Result<(), Error> {
    let prepared = allocating(BOUND, bytes.len(), || prepare(bytes))?;
    let plain = Prepared { repairs: Vec::new(), ..prepared };
    let written = plain.bytes();
    sip_grammatical(&written);
    if written != bytes {
        // Equal bytes need no second look.
        fixpoint(&plain, |_| written.as_slice(), |bytes| prepare(bytes));
    }
    rebuilt(&plain.message, Builder::build);
    Ok(())
}

/// [`REBUILT`].
fn rebuilt(message: &Message, build: impl FnOnce(Builder) -> Result<Vec<u8>, Error>) {
    let kept = || message.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(LENGTH));
    let builder = kept().fold(Builder::new(&message.start_line), |builder, (name, value)| builder.header(name, value));
    let built = build(builder.body("x/y", message.body.as_slice()));
    let mut rest = built.as_deref().ok();
    let mut expect = |pieces: &[&[u8]]| {
        pieces.iter().for_each(|piece| rest = rest.and_then(|rest| rest.strip_prefix(*piece)));
        rest
    };
    match &message.start_line {
        StartLine::Request { method, uri } => expect(&[method.as_bytes(), b" ", uri.as_bytes(), b" SIP/2.0\r\n"]),
        StartLine::Response { status, reason } => {
            expect(&[b"SIP/2.0 ", status.to_string().as_bytes(), b" ", reason.as_bytes(), b"\r\n"])
        }
    };
    for (name, value) in kept() {
        expect(&[name.as_bytes(), b": ", value.as_bytes(), b"\r\n"]);
    }
    let length = message.body.len().to_string();
    let end = [b"Content-Type: x/y\r\nContent-Length: ".as_slice(), length.as_bytes(), b"\r\n\r\n", &message.body];
    let same = expect(&end).is_some_and(<[u8]>::is_empty);
    REBUILT.holds(same, || format!("{built:?} of {message:?}"));
}

/// The torture messages that are refused, or may be: NUL as a quoted pair in intmeth, and 450 bytes behind the length in dblreq
/// are legal elsewhere, but not in what crosses a WebSocket unharmed.
const REFUSED: [&str; 11] =
    ["badvers", "bigcode", "clerr", "dblreq", "intmeth", "lwsruri", "lwsstart", "mcl01", "ncl", "trws", "ltgtruri"];

fn seeds() -> Vec<Seed> {
    let torture = TORTURE.iter().map(|(name, bytes)| Seed {
        name: format!("torture-{name}"),
        bytes: bytes.to_vec(),
        valid: !REFUSED.contains(name),
    });
    let examples = sections(include_str!("../../seeds/sip/messages.txt")).map(|(name, text)| {
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let message = format!("{}\r\n\r\n{}", head.replace('\n', "\r\n"), body.replace('\n', "\r\n")).into_bytes();
        Seed::valid(name, content_length(&message).unwrap_or(message))
    });
    torture.chain(examples).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    const FOLDED: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nSubject: one\r\n two\r\n\r\n";

    #[test]
    fn a_writer_that_loses_or_injects_is_caught() {
        let message = prepare(FOLDED).expect("it is sound").message;
        rebuilt(&message, Builder::build);
        caught(&REBUILT, || rebuilt(&message, |_| Ok(FOLDED.to_vec())));
        caught(&REBUILT, || rebuilt(&message, |builder| builder.header("X", "y").build()));
        let injecting = Message { headers: vec![("A".into(), "b\r\nC: d".into())], ..message };
        caught(&REBUILT, move || rebuilt(&injecting, Builder::build));
    }
}
