//! What stands in header values: lists, parameters, addresses.

use ringfence_wire::sip::{branch, param, split_list, tag, uri};

use crate::generators::text::quoted;
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, allocating};
use crate::sections::sections;
use crate::target::{Seed, Target};

/// The value of From, To, Contact, Route or Via; behind the first line's end a display name.
pub const TARGET: Target = Target {
    name: "sip_uri",
    reads: "a value of From, Contact or Via, and a display name",
    oracles: &[&ALLOCATION, &NOTHING_LOST, &JOINED, &ADDRESS, &NAME_HIDES, &CASELESS],
    run,
    accepts,
    show,
    seeds,
    dictionary: Some("sip"),
    max_len: 4_096,
    covers: &["harness/wire/src/sip/fields.rs"],
};

/// The entries of a list are pieces of it, and between them stand commas and blanks alone.
pub const NOTHING_LOST: Oracle = Oracle::new(
    "a list is its entries",
    "an entry that a reader drops, changes or makes up is a hop or an identity that the next element sees otherwise (RFC 3261, section 7.3.1)",
);

/// Entries that are joined again split into the same entries.
pub const JOINED: Oracle = Oracle::new(
    "a list that is joined again splits the same",
    "fields of one name and one field with commas mean the same (RFC 3261, section 7.3.1)",
);

/// What is told as a URI holds nothing that ends one, and is the same URI between angle brackets.
pub const ADDRESS: Oracle = Oracle::new(
    "a URI is one",
    "a URI is visible ASCII without quotes and angle brackets (RFC 3261, section 25.1); with more it is written into the next message as something else",
);

/// No display name changes the URI or the tag behind it.
pub const NAME_HIDES: Oracle = Oracle::new(
    "a display name is only a name",
    "a quoted string may hold any address and parameter (RFC 3261, section 25.1); whoever reads them there believes the caller's name",
);

/// A parameter is found in every case of its name.
pub const CASELESS: Oracle =
    Oracle::new("names of parameters have no case", "they are compared without (RFC 3261, section 7.3.1)");

const BOUND: Bound = Bound { per_byte: 64, fixed: 1_024 };
const ADDRESS_USED: &str = "sip:b@y;x=1,2?h=3";

/// One run.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (value, name) = text.split_once('\n').unwrap_or((text, ""));
    let entries = allocating(BOUND, text.len(), || split_list(value));
    nothing_lost(value, &entries);
    joined(&entries, split_list);
    for entry in entries.iter().take(8) {
        allocating(BOUND, entry.len(), || (branch(entry), param(entry, "expires")));
        caseless(entry, "tag", param);
        address(entry, uri);
    }
    name_hides(name, |entry| (uri(entry), tag(entry)));
}

/// [`NOTHING_LOST`].
fn nothing_lost(value: &str, entries: &[&str]) {
    let start = value.as_ptr() as usize;
    let mut read = 0;
    for entry in entries {
        let at = (entry.as_ptr() as usize).wrapping_sub(start);
        let between = value.get(read..at).filter(|_| value.get(at..at + entry.len()) == Some(entry));
        let separated = between.is_some_and(|text| is_between(text) && (read == 0 || text.contains(',')));
        NOTHING_LOST.holds(separated && !entry.is_empty(), || format!("{entry:?} of {value:?}: {entries:?}"));
        read = at + entry.len();
    }
    let rest = value.get(read..);
    NOTHING_LOST.holds(rest.is_some_and(is_between), || format!("{rest:?} behind {entries:?}"));
}

fn is_between(text: &str) -> bool {
    text.bytes().all(|byte| b", \t".contains(&byte))
}

/// [`JOINED`].
fn joined(entries: &[&str], split: fn(&str) -> Vec<&str>) {
    JOINED.same(&split(&entries.join(" ,\t")).as_slice(), &entries, "split once, and joined and split again");
}

/// [`ADDRESS`].
fn address(entry: &str, uri: fn(&str) -> Option<&str>) {
    let Some(found) = uri(entry) else { return };
    let sound = !found.is_empty() && found.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>".contains(&byte));
    ADDRESS.holds(sound && entry.contains(found), || format!("{found:?} of {entry:?}"));
    ADDRESS.same(&uri(&format!("<{found}>;tag=a")), &Some(found), "read once, and again from angle brackets");
}

/// [`NAME_HIDES`].
fn name_hides(name: &str, read: impl Fn(&str) -> (Option<&str>, Option<String>)) {
    let written = format!("{} <{ADDRESS_USED}> ;x;tag=abc", quoted(name));
    let (uri, tag) = read(&written);
    NAME_HIDES.holds(uri == Some(ADDRESS_USED) && tag.as_deref() == Some("abc"), || {
        format!("{uri:?} and {tag:?} of {written:?}")
    });
}

/// [`CASELESS`]: with every letter in its other case it is the same parameter with such a value.
fn caseless(entry: &str, name: &str, param: fn(&str, &str) -> Option<String>) {
    let turned = |text: &str| -> String {
        let other = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        text.chars().map(other).collect()
    };
    let written = param(entry, name);
    let otherwise = param(&turned(entry), name).map(|value| turned(&value));
    CASELESS.same(&written, &otherwise, "as it is written, and with the letters in their other case");
}

/// Some entry has a URI, or the branch of a Via.
fn accepts(bytes: &[u8]) -> bool {
    let value = std::str::from_utf8(bytes).ok().and_then(|text| text.lines().next()).unwrap_or_default();
    split_list(value).into_iter().any(|entry| uri(entry).is_some() || branch(entry).is_some())
}

fn show(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let (value, name) = text.split_once('\n').unwrap_or((&text, ""));
    let entries: Vec<String> = split_list(value)
        .into_iter()
        .map(|entry| format!("  {entry:?}\n    uri {:?}, tag {:?}, branch {:?}", uri(entry), tag(entry), branch(entry)))
        .collect();
    format!("value {value:?}\n{}\ndisplay name {name:?}", entries.join("\n"))
}

fn seeds() -> Vec<Seed> {
    let seed = |(name, text)| Seed { valid: name != "nothing-closed", ..Seed::valid(name, text) };
    sections(include_str!("../../seeds/sip/addresses.txt")).map(seed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    const LIST: &str = "\"a, b\" <sip:a@h;x=1,2>;tag=T, <sip:c@h>";

    fn commas(value: &str) -> Vec<&str> {
        value.split(',').map(str::trim).collect()
    }

    #[test]
    fn readers_that_drop_or_change_entries_are_caught() {
        nothing_lost(LIST, &split_list(LIST));
        caught(&NOTHING_LOST, || nothing_lost(LIST, &split_list(LIST)[1..]));
        caught(&NOTHING_LOST, || nothing_lost(LIST, &split_list(LIST)[..1]));
        caught(&NOTHING_LOST, || nothing_lost(LIST, &["<sip:c@h>"]));
        caught(&NOTHING_LOST, || nothing_lost("\u{a0}a", &commas("\u{a0}a")));
    }

    #[test]
    fn a_reader_that_splits_within_quotes_is_caught() {
        joined(&split_list(LIST), split_list);
        caught(&JOINED, || joined(&split_list(LIST), commas));
    }

    #[test]
    fn a_reader_that_takes_anything_for_a_uri_is_caught() {
        address("\"a\" <sip:a@h>", uri);
        caught(&ADDRESS, || address("\"a\" <sip:a@h>", |entry| entry.split(';').next()));
        caught(&ADDRESS, || address("<>", |_| Some("")));
    }

    #[test]
    fn a_reader_that_takes_the_first_bracket_is_caught() {
        name_hides("<sip:evil@x>;tag=1", |entry| (uri(entry), tag(entry)));
        caught(&NAME_HIDES, || {
            name_hides("<sip:evil@x>", |entry| {
                let inner = entry.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
                (inner.map(|(uri, _)| uri), tag(entry))
            });
        });
        caught(&NAME_HIDES, || name_hides(";tag=1", |entry| (uri(entry), Some("1".into()))));
    }

    #[test]
    fn a_reader_of_one_case_is_caught() {
        caseless("<sip:a@h>;tag=T", "tag", param);
        caught(&CASELESS, || {
            caseless("<sip:a@h>;tag=T", "tag", |entry, name| {
                entry.split_once(&format!(";{name}=")).map(|(_, value)| value.to_owned())
            });
        });
    }
}
