//! The torture messages of RFC 4475 and RFC 5118 with their verdicts, and what we do where the RFCs leave a choice.

use std::sync::LazyLock;

use ringfence_scenarios::corpora::{TORTURE, TORTURE_VERDICTS};

/// What a parser may do with a message, `parse` in `torture.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parse {
    /// It must take it.
    Ok,
    /// It must refuse it: nobody can say where the body ends.
    Error,
    /// The RFC allows both.
    Either,
}

/// A torture message.
#[derive(Debug)]
pub struct Torture {
    /// The RFC's name of it.
    pub name: &'static str,
    /// The message.
    pub bytes: &'static [u8],
    /// What a parser may do.
    pub parse: Parse,
    /// What a right parser counts in it; empty where it is refused.
    pub facts: Facts,
}

/// What a right parser counts. Of none of them every message has one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Header fields.
    pub headers: Option<usize>,
    /// Entries of Via.
    pub via: Option<usize>,
    /// Entries of Contact.
    pub contact: Option<usize>,
    /// Bytes of the body.
    pub body: Option<usize>,
    /// The number of CSeq.
    pub cseq: Option<u32>,
    /// Max-Forwards.
    pub max_forwards: Option<u32>,
    /// The method of CSeq.
    pub cseq_method: Option<String>,
}

/// All of them, in the order of `scenarios/corpora/torture/torture.toml`.
pub static MESSAGES: LazyLock<Vec<Torture>> =
    LazyLock::new(|| TORTURE_VERDICTS.split("[[message]]").skip(1).filter_map(message).collect());

/// What we do, where the RFCs leave it open, or otherwise than they say: name, whether we take it, and why.
pub const CHOICES: &[(&str, bool, &str)] = &[
    (
        "intmeth",
        false,
        "a NUL, legal as a quoted pair, is refused: other readers end a text there (otherwise than RFC 4475)",
    ),
    ("dblreq", false, "one WebSocket message is one SIP message (RFC 7118, section 5); legal in a datagram alone"),
    ("lwsruri", false, "a blank in the Request-URI: four words, and readers differ on which is the version"),
    ("lwsstart", false, "two blanks where there is one"),
    ("trws", false, "two blanks behind the version"),
    ("badvers", false, "SIP/2.0 alone is read"),
    ("bigcode", false, "a status has three digits"),
    ("badinv01", true, "values are looked into when they are asked for"),
    ("quotbal", true, "as above"),
    ("ltgtruri", true, "the Request-URI is kept as written"),
    ("escruri", true, "as above"),
    ("baddate", true, "nobody asks for Date"),
    ("regbadct", true, "values are looked into when they are asked for"),
    ("badaspec", true, "as above"),
    ("baddn", true, "as above"),
    ("scalar02", true, "numbers are looked into when they are asked for"),
    ("scalarlg", true, "as above"),
    ("mismatch01", true, "what fields say of each other is the transaction's business"),
    ("mismatch02", true, "as above"),
    ("insuf", true, "as above"),
    ("multi01", true, "as above"),
    ("ipv6-bad", true, "the Request-URI is kept as written"),
];

/// Whether our reader has to take it.
pub fn taken(message: &Torture) -> bool {
    let chosen = CHOICES.iter().find(|(name, ..)| *name == message.name).map(|(_, taken, _)| *taken);
    chosen.unwrap_or(message.parse == Parse::Ok)
}

/// Only the forms that the file has: a key and its value in one line.
fn message(text: &str) -> Option<Torture> {
    let line =
        |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('=').map(str::trim));
    let name = line("name")?.trim_matches('"');
    let (name, bytes) = TORTURE.iter().find(|(known, _)| *known == name)?;
    let parse = match line("parse")?.trim_matches('"') {
        "ok" => Parse::Ok,
        "error" => Parse::Error,
        "either" => Parse::Either,
        _ => return None,
    };
    Some(Torture { name, bytes, parse, facts: line("facts").map(facts).unwrap_or_default() })
}

fn facts(table: &str) -> Facts {
    // The Call-ID is the last one and may hold anything.
    let table = table.split("call_id").next().unwrap_or_default();
    let value = |key: &str| {
        let mut pairs = table.split(['{', ',', '}']).filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(known, value)| (known.trim() == key).then(|| value.trim()))
    };
    let count = |key| value(key).and_then(|value| value.parse().ok());
    Facts {
        headers: count("headers"),
        via: count("via"),
        contact: count("contact"),
        body: count("body"),
        cseq: value("cseq").and_then(|value| value.parse().ok()),
        max_forwards: value("max_forwards").and_then(|value| value.parse().ok()),
        cseq_method: value("cseq_method").map(|value| value.trim_matches('"').to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_has_its_verdict_and_the_choices_are_ours_to_make() {
        assert_eq!(MESSAGES.len(), TORTURE.len());
        let of = |parse| MESSAGES.iter().filter(|message| message.parse == parse).count();
        assert_eq!((of(Parse::Error), of(Parse::Either)), (3, 20));
        for (name, ..) in CHOICES {
            assert!(MESSAGES.iter().any(|message| message.name == *name && message.parse != Parse::Error), "{name}");
        }
        for message in MESSAGES.iter().filter(|message| message.parse == Parse::Either) {
            assert!(CHOICES.iter().any(|(name, ..)| *name == message.name), "{} needs a choice", message.name);
        }
    }

    #[test]
    fn facts_are_read() {
        let named =
            |name: &str| MESSAGES.iter().find(|message| message.name == name).map(|message| message.facts.clone());
        let expected = Facts {
            headers: Some(14),
            via: Some(3),
            contact: Some(1),
            body: Some(150),
            cseq: Some(9),
            max_forwards: Some(68),
            cseq_method: Some("INVITE".to_owned()),
        };
        assert_eq!(named("wsinv"), Some(expected));
        assert_eq!(
            named("intmeth").and_then(|facts| facts.cseq_method).as_deref(),
            Some("!interesting-Method0123456789_*+`.%indeed'~")
        );
        assert_eq!(MESSAGES.iter().filter(|message| message.facts.body.is_some()).count(), 29);
    }
}
