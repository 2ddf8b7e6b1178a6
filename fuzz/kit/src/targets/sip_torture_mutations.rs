//! The torture messages of RFC 4475 and RFC 5118, as they are and with changes whose effect is known.

mod defects;

use std::sync::LazyLock;

use ringfence_wire::sip::{Message, StartLine, prepare, split_list};

use crate::generators::sip_torture::{Change, Effect, KINDS, Kind, Layout, changes, effect, written};
use crate::known::torture::{MESSAGES, Torture, taken};
use crate::oracle::Oracle;
use crate::oracles::{GRAMMAR, sip_grammatical};
use crate::target::{Seed, Target};

/// A torture message and changes to it: the number of the message, then three bytes for each change.
pub const TARGET: Target = Target {
    name: "sip_torture_mutations",
    reads: "the number of a torture message, then changes of three bytes",
    oracles: &[&VERDICT, &REWRITING, &DEFECT, &GRAMMAR],
    run,
    accepts: |bytes| split(bytes).is_some_and(|(number, _)| MESSAGES.get(number).is_some_and(taken)),
    show,
    seeds,
    dictionary: None,
    max_len: 1 + 3 * MAX_CHANGES,
    covers: &["harness/wire/src/sip.rs", "harness/wire/src/sip"],
};

/// Each message is taken or refused as the RFC says, or as we say where it leaves that open, and what is taken is counted right.
pub const VERDICT: Oracle = Oracle::new(
    "torture messages have the verdict of their RFC",
    "RFC 4475, section 3, and RFC 5118, section 4: valid messages are easily refused, and bad ones easily believed",
);

/// What is written in another legal way means the same; where fields come, go or change places, that and nothing else changes.
pub const REWRITING: Oracle = Oracle::new(
    "another way to write it means the same",
    "RFC 3261, sections 7.3.1 and 7.3.3: a filter in front and the server behind it must not differ over a fold or a short name",
);

/// A message with one of the defects at which readers differ is refused.
pub const DEFECT: Oracle = Oracle::new(
    "a defect is refused",
    "where a line, a name or the body ends is not ours to guess: the next reader guesses otherwise, and one message becomes two",
);

/// Changes that one input can make: enough to combine them, few enough to be fast.
const MAX_CHANGES: usize = 8;

/// Our reader, or a broken one in the tests.
type Subject = fn(&[u8]) -> Option<Message>;

/// One run.
pub fn run(bytes: &[u8]) {
    let Some((number, changes)) = split(bytes) else { return };
    let (Some(torture), Some(original)) = (MESSAGES.get(number), ORIGINALS.get(number)) else { return };
    if changes.is_empty() {
        examine(torture, &changes, parse);
    } else {
        changed(torture, original.clone(), &changes, parse);
    }
}

/// What our reader says of each as it is. Inputs without changes hold that against the RFC, all others take it as read.
static ORIGINALS: LazyLock<Vec<Option<Message>>> =
    LazyLock::new(|| MESSAGES.iter().map(|torture| parse(torture.bytes)).collect());

fn parse(bytes: &[u8]) -> Option<Message> {
    Message::parse(bytes).ok()
}

/// The message's number, and what to change.
fn split(bytes: &[u8]) -> Option<(usize, Vec<Change>)> {
    let (number, rest) = bytes.split_first()?;
    let mut changes = changes(rest);
    changes.truncate(MAX_CHANGES);
    Some((usize::from(*number) % MESSAGES.len(), changes))
}

fn examine(torture: &Torture, changes: &[Change], read: Subject) {
    let original = read(torture.bytes);
    VERDICT.holds(original.is_some() == taken(torture), || format!("{}: {original:?}", torture.name));
    if let Some(original) = &original {
        counted(torture, original);
    }
    changed(torture, original, changes, read);
}

fn changed(torture: &Torture, original: Option<Message>, changes: &[Change], read: Subject) {
    let Some(layout) = Layout::of(torture.bytes) else { return };
    let Some(original) = original else { return refused_still(torture, layout, changes, read) };
    let (layout, expected) = rewritten(layout, original, changes);
    let bytes = layout.bytes();
    let changed = read(&bytes);
    let same = changed.as_ref().is_some_and(|changed| meaning(changed) == meaning(&expected));
    REWRITING.holds(same, || {
        let (name, text) = (torture.name, bytes.escape_ascii());
        format!("{name}: {changes:?}\n  written:  {text}\n  expected: {expected:?}\n  read:     {changed:?}")
    });
    changed.iter().for_each(|changed| sip_grammatical(&changed.emit()));
    let defect = changes.iter().find(|change| effect(change.kind) == Effect::Breaks);
    if let Some(broken) = defect.and_then(|defect| defects::broken(&layout, *defect)) {
        let taken = read(&broken);
        let shown = || format!("{}: {defect:?}: {:?}", torture.name, broken.escape_ascii().to_string());
        DEFECT.holds(taken.is_none(), shown);
    }
}

/// What was refused is refused in every other way to write it.
fn refused_still(torture: &Torture, mut layout: Layout, changes: &[Change], read: Subject) {
    // Another Content-Length beside a wrong one is another message.
    let keeps = |change: &&Change| effect(change.kind) == Effect::Keeps && change.kind != Kind::SameLengthAgain;
    changes.iter().filter(keeps).for_each(|change| {
        layout.keep(*change);
    });
    let taken = read(&layout.bytes());
    REWRITING.holds(taken.is_none(), || format!("{} is taken now: {changes:?}", torture.name));
}

/// The message with all changes but defects, and what it has to mean then.
fn rewritten(mut layout: Layout, mut expected: Message, changes: &[Change]) -> (Layout, Message) {
    let mut again = None;
    for change in changes {
        let Some(at) = layout.field_of(*change) else { continue };
        let is_length = layout.length_field() == Some(at);
        match change.kind {
            // Put behind all others, so that fields and values stay side by side.
            Kind::SameLengthAgain => again = Some(*change),
            Kind::AddField => {
                layout.fields.insert(at, b"X-Fuzz: added".to_vec());
                expected.headers.insert(at, ("X-Fuzz".to_owned(), "added".to_owned()));
            }
            // Without its length, the rest of the message is the body: RFC 7118, section 5.
            Kind::DropField if layout.fields.len() > 1 => {
                layout.fields.remove(at);
                expected.headers.remove(at);
            }
            Kind::RepeatField if !is_length => {
                layout.fields.insert(at, layout.fields.get(at).cloned().unwrap_or_default());
                expected.headers.insert(at, expected.headers.get(at).cloned().unwrap_or_default());
            }
            Kind::SwapFields => {
                let other = change.detail % layout.fields.len();
                layout.fields.swap(at, other);
                expected.headers.swap(at, other);
            }
            kind if effect(kind) == Effect::Keeps => {
                layout.keep(*change);
            }
            _ => {}
        }
    }
    if let Some(again) = again {
        layout.keep(again);
    }
    (layout, expected)
}

/// What has to stay: names in one case and in their long form, values with each stretch of blanks as one. (RFC 3261, section 25.1: LWS)
fn meaning(message: &Message) -> (StartLine, Vec<(String, String)>, &[u8]) {
    let field = |(name, value): &(String, String)| {
        let words: Vec<&str> = value.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        (name.to_ascii_lowercase(), words.join(" "))
    };
    (message.start_line.clone(), message.headers.iter().map(field).collect(), &message.body)
}

fn counted(torture: &Torture, message: &Message) {
    let entries = |name| message.headers(name).map(|value| split_list(value).len()).sum();
    let facts = &torture.facts;
    let number = |name| message.header(name).and_then(|value| value.parse().ok());
    let same = |fact: Option<usize>, ours: usize, what: &str| {
        VERDICT.holds(fact.is_none_or(|fact| fact == ours), || {
            format!("{}: {what}: {fact:?}, {ours} counted", torture.name)
        });
    };
    same(facts.headers, message.headers.len(), "header fields");
    same(facts.via, entries("Via"), "Via");
    same(facts.contact, entries("Contact"), "Contact");
    same(facts.body, message.body.len(), "bytes of the body");
    let (cseq, method) = message.cseq().unzip();
    VERDICT.holds(facts.cseq.is_none() || facts.cseq == cseq, || format!("{}: CSeq {cseq:?}", torture.name));
    let method_is = facts.cseq_method.is_none() || facts.cseq_method.as_deref() == method;
    VERDICT.holds(method_is, || format!("{}: CSeq of {method:?}", torture.name));
    let forwards = facts.max_forwards.is_none() || facts.max_forwards == number("Max-Forwards");
    VERDICT.holds(forwards, || format!("{}: Max-Forwards", torture.name));
}

fn show(bytes: &[u8]) -> String {
    let Some((message, changes)) = split(bytes).and_then(|(number, changes)| Some((MESSAGES.get(number)?, changes)))
    else {
        return "nothing".to_owned();
    };
    let read = |bytes: &[u8]| format!("{}\n{:#?}", bytes.escape_ascii(), prepare(bytes));
    let Some(layout) = Layout::of(message.bytes) else { return read(message.bytes) };
    let (name, kept) = (message.name, read(message.bytes));
    let Ok(original) = Message::parse(message.bytes) else { return format!("{name} {changes:#?}\n{kept}") };
    let (layout, _) = rewritten(layout, original, &changes);
    let defect = changes.iter().find(|change| effect(change.kind) == Effect::Breaks);
    let broken = defect.and_then(|defect| defects::broken(&layout, *defect)).map(|bytes| read(&bytes));
    let broken = broken.unwrap_or_else(|| "none".to_owned());
    format!("{name} {changes:#?}\nas it is:\n{kept}\nrewritten:\n{}\nbroken:\n{broken}", read(&layout.bytes()))
}

/// Each message as it is, and each change once.
fn seeds() -> Vec<Seed> {
    let seed = |name: String, number: usize, changes: &[Change]| {
        let mut bytes = vec![u8::try_from(number).unwrap_or_default()];
        bytes.extend(written(changes));
        let valid = MESSAGES.get(number).is_some_and(taken);
        if valid { Seed::valid(name, bytes) } else { Seed::other(name, bytes) }
    };
    let as_they_are = MESSAGES.iter().enumerate().map(|(number, message)| seed(message.name.to_owned(), number, &[]));
    let changed = KINDS.iter().enumerate().map(|(at, (kind, _))| {
        let change = Change { kind: *kind, place: at * 7, detail: at };
        seed(format!("changed-{}", format!("{kind:?}").to_ascii_lowercase()), 0, &[change])
    });
    as_they_are.chain(changed).collect()
}

#[cfg(test)]
mod tests;
