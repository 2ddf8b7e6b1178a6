//! Header fields that an edge removes, in spellings that an edge may not know, on their way to a participant whom the harness
//! plays. Each value has a marker of its own, which is looked for in whatever arrives.

use super::draft::{Draft, Words};

/// What is removed: who calls is the network's to say (RFC 3325, section 5; Remote-Party-ID is its draft's), and the third is
/// there to be declared by who wants to try.
const FIELDS: [&str; 3] = ["P-Asserted-Identity", "Remote-Party-ID", "X-Ringfence-Strip"];

/// How a field is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As everybody does.
    Plain,
    /// A blank before the colon: HCOLON of RFC 3261, section 25.1, has it, many readers have not.
    Space,
    /// A tab there.
    Tab,
    /// The value on a line of its own. RFC 3261, section 7.3.1.
    Folded,
    /// Twice: who removes the first may leave the second.
    Repeated,
    /// Names are compared without case. RFC 3261, section 7.3.1.
    OddCase,
    /// NUL behind the name, where it ends for who reads it as a C string. Nothing allows it.
    Nul,
}

impl Spelling {
    /// Those that the grammar allows.
    pub const LEGAL: [Spelling; 5] = [Self::Space, Self::Tab, Self::Folded, Self::Repeated, Self::OddCase];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Space => "space-before-colon",
            Self::Tab => "tab-before-colon",
            Self::Folded => "folded",
            Self::Repeated => "repeated",
            Self::OddCase => "odd-case",
            Self::Nul => "nul",
        }
    }

    fn lines(self, name: &str, value: impl Fn(usize) -> String) -> Vec<String> {
        match self {
            Self::Plain => vec![format!("{name}: {}", value(0))],
            Self::Space => vec![format!("{name} : {}", value(0))],
            Self::Tab => vec![format!("{name}\t: {}", value(0))],
            Self::Folded => vec![format!("{name}:\r\n {}", value(0))],
            Self::Repeated => vec![format!("{name}: {}", value(0)), format!("{name}: {}", value(1))],
            Self::OddCase => vec![format!("{}: {}", odd(name), value(0))],
            Self::Nul => vec![format!("{name}\0: {}", value(0))],
        }
    }
}

fn odd(name: &str) -> String {
    let turned = |(at, c): (usize, char)| if at % 2 == 0 { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() };
    name.chars().enumerate().map(turned).collect()
}

/// The marker of a field in a spelling: nothing else in the run has it in it.
fn marker(words: &Words, field: usize, spelling: Spelling) -> String {
    format!("rf{}f{field}{}", words.mark, spelling.name())
}

/// An INVITE to `aor` of this name, with every field in these spellings.
pub(super) fn invite(
    words: &Words,
    item: &str,
    aor: &str,
    identity: &[(String, String)],
    sdp: &str,
    spellings: &[Spelling],
) -> Draft {
    let mut draft = Draft::new(words, "INVITE", aor.to_owned(), words.call_id(item));
    draft.body = Some(("application/sdp", sdp.as_bytes().to_vec()));
    draft.line(format!("Contact: <sip:rf@{}.invalid;transport=ws>", words.mark));
    identity.iter().for_each(|(name, value)| draft.line(format!("{name}: {value}")));
    for spelling in spellings {
        for (number, field) in FIELDS.iter().enumerate() {
            let value = |_| format!("<sip:{}@{}>", marker(words, number, *spelling), words.realm);
            spelling.lines(field, value).into_iter().for_each(|line| draft.line(line));
        }
    }
    draft
}

/// What arrived although its plain spelling was removed, by our names. `values` are those of all header fields that came.
pub(super) fn smuggled<'a>(words: &Words, values: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let arrived = |marker: &str| values.clone().any(|value| value.contains(marker));
    let mut found = Vec::new();
    for (number, field) in FIELDS.iter().enumerate() {
        // An element that passes the field on anyway removes nothing: there is no edge to be smuggled past.
        if arrived(&marker(words, number, Spelling::Plain)) {
            continue;
        }
        let spellings = Spelling::LEGAL.into_iter().chain([Spelling::Nul]);
        let came = spellings.filter(|spelling| arrived(&marker(words, number, *spelling)));
        found.extend(came.map(|spelling| format!("{field}/{}", spelling.name())));
    }
    found
}

#[cfg(test)]
mod tests {
    use ringfence_wire::sip;

    use super::*;
    use crate::verbs::sip_corpus::draft::tests::words;

    #[test]
    fn spellings_say_the_same_to_who_reads_them_all() {
        let words = words();
        for spelling in [Spelling::Plain].into_iter().chain(Spelling::LEGAL) {
            let bytes = invite(&words, "item", "sip:b@sip.test", &[], "v=0\r\n", &[spelling]).bytes(1, None);
            let read = sip::prepare(&bytes).unwrap().message;
            for field in FIELDS {
                let count = 1 + usize::from(spelling == Spelling::Repeated);
                assert_eq!(read.headers(field).count(), count, "{field} {spelling:?}");
            }
        }
        let joint = invite(&words, "item", "sip:b@sip.test", &[], "v=0\r\n", &Spelling::LEGAL).bytes(1, None);
        assert_eq!(sip::prepare(&joint).unwrap().message.headers(FIELDS[0]).count(), 6);
        let nul = invite(&words, "item", "sip:b@sip.test", &[], "v=0\r\n", &[Spelling::Nul]).bytes(1, None);
        assert!(sip::prepare(&nul).is_err());
    }

    #[test]
    fn what_comes_through_is_smuggled_only_past_an_edge() {
        let words = words();
        let values = |spellings: &[Spelling]| -> Vec<String> {
            let bytes = invite(&words, "item", "sip:b@sip.test", &[], "", spellings).bytes(1, None);
            sip::prepare(&bytes).unwrap().message.headers.into_iter().map(|(_, value)| value).collect()
        };
        let found = |values: &[String]| smuggled(&words, values.iter().map(String::as_str));
        assert!(found(&[]).is_empty());
        assert_eq!(
            found(&values(&[Spelling::Space])),
            FIELDS.map(|field| format!("{field}/space-before-colon")).to_vec()
        );
        assert!(found(&values(&[Spelling::Plain, Spelling::Space])).is_empty(), "nothing is removed here");
        let mut twice = values(&[Spelling::Repeated]);
        twice.retain(|value| !value.contains("fff0") && !value.contains("fff1"));
        assert_eq!(found(&twice), ["X-Ringfence-Strip/repeated"]);
    }
}
