//! SIP messages, as the pre-pass takes them.

use ringfence_scenarios::corpora::TORTURE;
use ringfence_wire::Error;
use ringfence_wire::sip::{Builder, Message, Prepared, StartLine, prepare};

use crate::generators::sip::SipMessage;
use crate::generators::{stretch, value};
use crate::mutators::content_length::content_length;
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, FIXPOINT, GRAMMAR, allocating, fixpoint, sip_grammatical};
use crate::sections::sections;
use crate::target::{Seed, Target};

/// A SIP message, as it comes in one WebSocket message. Behind a NUL, with which none begins, stands one that is drawn.
pub const TARGET: Target = Target {
    name: "sip_message",
    reads: "a SIP message",
    oracles: &[&ALLOCATION, &FIXPOINT, &GRAMMAR, &REBUILT, &SPELLING, &DEFECTS],
    run,
    accepts,
    show,
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

/// A message means the same in each of its legal spellings.
pub const SPELLING: Oracle = Oracle::new(
    "spelling changes no meaning",
    "folds, compact names, blanks at the colon, the case of names and a repeated length are free (RFC 3261, sections 7.3.1 and 7.3.3); \
     whoever reads one of them otherwise can be made to see another message than the next hop",
);

/// A message with a defect that parsers disagree on is refused.
pub const DEFECTS: Oracle = Oracle::new(
    "defects are refused",
    "what one parser drops and another takes is how requests are smuggled past a proxy (RFC 3261, sections 7 and 18.3, and RFC 7118, section 5)",
);

const BOUND: Bound = Bound { per_byte: 64, fixed: 4_096 };

/// One run.
pub fn run(bytes: &[u8]) {
    if let Some((0, drawn)) = bytes.split_first() {
        let Some(message) = value::<SipMessage>(drawn) else { return };
        spellings(&message, prepare);
        return defects(&message, prepare);
    }
    if let Err(Error::Length { .. } | Error::Conflict(LENGTH) | Error::Invalid(LENGTH)) = read(bytes) {
        content_length(bytes).iter().for_each(|repaired| drop(read(repaired)));
    }
}

const LENGTH: &str = "Content-Length";

fn read(bytes: &[u8]) -> Result<(), Error> {
    let prepared = allocating(BOUND, bytes.len(), || prepare(bytes))?;
    let plain = Prepared { repairs: Vec::new(), ..prepared };
    fixpoint(&plain, Prepared::bytes, |bytes| {
        sip_grammatical(bytes);
        prepare(bytes)
    });
    rebuilt(&plain.message, Builder::build);
    Ok(())
}

type Read = fn(&[u8]) -> Result<Prepared, Error>;

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

/// [`SPELLING`].
fn spellings(drawn: &SipMessage, read: Read) {
    let (plain, spelled) = (drawn.plain(), drawn.spelled());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let plain = match read(&plain) {
        Ok(Prepared { message, repairs }) if repairs.is_empty() => message,
        other => return SPELLING.holds(false, || format!("the plain form gives {other:?}:\n{}", text(&plain))),
    };
    let odd = read(&spelled);
    let same = odd.as_ref().is_ok_and(|Prepared { message, .. }| {
        let alike = |((one, first), (other, second)): (&(String, String), &(String, String))| {
            one.eq_ignore_ascii_case(other) && first == second
        };
        message.start_line == plain.start_line
            && message.body == plain.body
            && message.headers.len() == plain.headers.len()
            && message.headers.iter().zip(&plain.headers).all(alike)
    });
    SPELLING.holds(same, || format!("{odd:?}\n  plain: {plain:?}\n  spelled:\n{}", text(&spelled)));
}

/// [`DEFECTS`]; that the message is taken without the defect is [`SPELLING`]'s.
fn defects(drawn: &SipMessage, read: Read) {
    let Some(defect) = drawn.defect else { return };
    let read = read(&drawn.with(defect));
    DEFECTS.holds(read.is_err(), || format!("{defect:?} is taken: {read:?}"));
}

fn accepts(bytes: &[u8]) -> bool {
    match bytes.split_first() {
        Some((0, drawn)) => value::<SipMessage>(drawn).is_some_and(|message| prepare(&message.spelled()).is_ok()),
        _ => prepare(bytes).is_ok(),
    }
}

fn show(bytes: &[u8]) -> String {
    match bytes.split_first() {
        Some((0, drawn)) => format!("{:#?}", value::<SipMessage>(drawn)),
        _ => format!("{:#?}", prepare(bytes)),
    }
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
    let drawn =
        (0..16).map(|seed| Seed::valid(format!("drawn-{seed}"), [&[0], stretch(seed, 300).as_slice()].concat()));
    torture.chain(examples).chain(drawn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    const FOLDED: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nSubject: one\r\n two\r\n\r\n";

    fn drawn(has: impl Fn(&SipMessage) -> bool) -> SipMessage {
        let mut all = (0..2_000).filter_map(|seed| value::<SipMessage>(&stretch(seed, 300)));
        all.find(has).expect("one in many has it")
    }

    /// Drops what it cannot read, as many do.
    fn skipping(bytes: &[u8]) -> Result<Prepared, Error> {
        let text = String::from_utf8_lossy(bytes).replace("\r\n ", "\r\nX: ");
        prepare(text.as_bytes())
    }

    #[test]
    fn a_writer_that_loses_or_injects_is_caught() {
        let message = prepare(FOLDED).expect("it is sound").message;
        rebuilt(&message, Builder::build);
        caught(&REBUILT, || rebuilt(&message, |_| Ok(FOLDED.to_vec())));
        caught(&REBUILT, || rebuilt(&message, |builder| builder.header("X", "y").build()));
        let injecting = Message { headers: vec![("A".into(), "b\r\nC: d".into())], ..message };
        caught(&REBUILT, move || rebuilt(&injecting, Builder::build));
    }

    #[test]
    fn a_reader_without_folds_is_caught() {
        let folded = drawn(|message| message.spelled().windows(3).any(|bytes| bytes == b"\r\n "));
        spellings(&folded, prepare);
        caught(&SPELLING, || spellings(&folded, skipping));
        caught(&SPELLING, || spellings(&folded, |_| Err(Error::Invalid("anything"))));
    }

    #[test]
    fn a_reader_that_takes_everything_is_caught() {
        let broken = drawn(|message| message.defect == Some(crate::generators::sip::Defect::NameFolded));
        defects(&broken, prepare);
        caught(&DEFECTS, || defects(&broken, |_| prepare(FOLDED)));
        for seed in 0..3_000 {
            value::<SipMessage>(&stretch(seed, 300)).iter().for_each(|message| defects(message, prepare));
        }
    }
}
