//! One SIP message in its many legal spellings, and with a defect.

use ringfence_wire::Error;
use ringfence_wire::sip::{Prepared, prepare};

use crate::generators::sip::SipMessage;
use crate::generators::{stretch, value};
use crate::oracle::Oracle;
use crate::target::{Seed, Target};

/// What a SIP message is drawn from.
pub const TARGET: Target = Target {
    name: "sip_spelling",
    reads: "bytes to draw a SIP message from, how it is spelled, and what is wrong with it",
    oracles: &[&SPELLING, &DEFECTS],
    run,
    accepts: |bytes| value::<SipMessage>(bytes).is_some_and(|message| prepare(&message.spelled()).is_ok()),
    show: |bytes| match value::<SipMessage>(bytes) {
        Some(message) => format!("{message:#?}\n{}", message.spelled().escape_ascii()),
        None => "nothing".to_owned(),
    },
    seeds,
    dictionary: None,
    max_len: 4_096,
    covers: &["harness/wire/src/sip/prepare.rs"],
};

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

type Read = fn(&[u8]) -> Result<Prepared, Error>;

/// One run.
pub fn run(bytes: &[u8]) {
    let Some(message) = value::<SipMessage>(bytes) else { return };
    spellings(&message, prepare);
    defects(&message, prepare);
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

fn seeds() -> Vec<Seed> {
    (0..16).map(|seed| Seed::valid(format!("drawn-{seed}"), stretch(seed, 300))).collect()
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
