//! The ledger: every secret of a run. It finds them where they do not belong, and strikes them out of evidence.

mod forms;
mod search;

use std::sync::{Arc, RwLock};

use ringfence_model::Secret;
use ringfence_model::observation::Leak;
use serde_json::{Map, Value};

use crate::OwnFault;
use crate::detect::Form;
use forms::forms;
pub use search::Search;

/// Shorter secrets are struck out only where they are the whole text: inside longer text they would be chance (house).
const WHOLE_TEXT_BELOW: usize = 4;

/// Bytes of a secret that are known: evidence keeps no longer text, so none can show what lies beyond.
const KNOWN_BYTES: usize = ringfence_model::untrusted::KEPT_BYTES;

/// What evidence writes behind text that it has cut: see [`ringfence_model::Untrusted::new`].
const CUT_MARK: &str = " bytes omitted]";

/// Every secret that the run has sent or been given, by kind. Clones share one ledger.
#[derive(Clone, Default)]
pub struct Ledger(Arc<RwLock<Vec<Known>>>);

struct Known {
    kind: &'static str,
    value: Secret,
    /// The value as it may be written elsewhere.
    forms: Vec<(Form, Secret)>,
    /// The same in lower case, the longest first, so that a form inside another leaves no rest.
    lower: Vec<Secret>,
}

impl Ledger {
    /// Adds a secret; a second time changes nothing.
    pub fn add(&self, kind: &'static str, value: &str) {
        let end = (0..=KNOWN_BYTES.min(value.len())).rev().find(|end| value.is_char_boundary(*end));
        let value = &value[..end.unwrap_or(0)];
        let mut all = self.0.write().expect("no holder panics");
        if value.is_empty() || all.iter().any(|known| known.value.expose() == value) {
            return;
        }
        let forms = forms(value);
        let mut lower: Vec<String> = forms.iter().map(|(_, form)| form.expose().to_ascii_lowercase()).collect();
        lower.sort_by_key(|form| std::cmp::Reverse(form.len()));
        lower.dedup();
        let lower = lower.into_iter().map(Secret::new).collect();
        all.push(Known { kind, value: value.into(), forms, lower });
    }

    /// The kinds of secrets that stand in `text`.
    pub fn leaks_in(&self, place: &str, text: &[u8]) -> Vec<Leak> {
        let text = String::from_utf8_lossy(text);
        let mut leaks: Vec<Leak> = self
            .0
            .read()
            .expect("no holder panics")
            .iter()
            .filter(|known| known.value.expose().len() >= WHOLE_TEXT_BELOW)
            .filter(|known| known.forms.iter().any(|(_, form)| text.contains(form.expose().as_str())))
            .map(|known| Leak { kind: known.kind.to_owned(), place: place.to_owned() })
            .collect();
        leaks.sort();
        leaks.dedup();
        leaks
    }

    /// All of them, to be looked for in long texts.
    ///
    /// # Errors
    /// There are more than can be looked for at once.
    pub fn search(&self) -> Result<Search, OwnFault> {
        Search::of(&self.0.read().expect("no holder panics"))
    }

    /// Strikes every secret out of every string of an observation, names of fields included.
    pub fn redact(&self, fields: &mut Map<String, Value>) {
        let redacted = std::mem::take(fields).into_iter().map(|(name, mut value)| {
            self.redact_value(&mut value);
            (self.redact_text(&name).unwrap_or(name), value)
        });
        *fields = redacted.collect();
    }

    fn redact_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(redacted) = self.redact_text(text) {
                    *text = redacted;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_value(item)),
            Value::Object(fields) => self.redact(fields),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The text without secrets; `None` where there is none in it. Upper and lower case count as the same, since names of
    /// header fields and some values are kept in lower case.
    pub fn redact_text(&self, text: &str) -> Option<String> {
        let all = self.0.read().expect("no holder panics");
        let mut out: Option<String> = None;
        // ASCII case does not move a byte, so what is found in the one text is cut out of the other.
        let mut lower = text.to_ascii_lowercase();
        for known in all.iter() {
            for form in &known.lower {
                if let Some(redacted) = without(out.as_deref().unwrap_or(text), &lower, form.expose(), known.kind) {
                    lower = redacted.to_ascii_lowercase();
                    out = Some(redacted);
                }
            }
        }
        // Now that whole ones are gone: a secret of which evidence kept the beginning only.
        if let Some((kept, mark)) = cut(out.as_deref().unwrap_or(text)) {
            let longest =
                all.iter().flat_map(|known| known.lower.iter().map(|form| (shared(kept, form.expose()), known.kind)));
            if let Some((length, kind)) = longest.max().filter(|(length, _)| *length >= WHOLE_TEXT_BELOW) {
                out = Some(format!("{}[redacted: {kind}]{mark}", &kept[..kept.len() - length]));
            }
        }
        out
    }
}

/// The text with a form struck out wherever it stands; `None` where it does not. `lower` is the text in lower case.
fn without(text: &str, lower: &str, form: &str, kind: &str) -> Option<String> {
    if form.len() < WHOLE_TEXT_BELOW {
        return (lower == form).then(|| format!("[redacted: {kind}]"));
    }
    // Most texts of an observation are shorter than most forms: no search need be prepared for these.
    if form.len() > lower.len() {
        return None;
    }
    let mut out = String::new();
    let mut from = 0;
    for (at, _) in lower.match_indices(form) {
        out.push_str(&text[from..at]);
        out.push_str(&format!("[redacted: {kind}]"));
        from = at + form.len();
    }
    (from > 0).then(|| out + &text[from..])
}

/// What evidence kept of a text that it has cut, and its mark.
fn cut(text: &str) -> Option<(&str, &str)> {
    text.strip_suffix(CUT_MARK)?;
    text.rfind(" [").map(|at| text.split_at(at))
}

/// How many bytes at the end of `text` are the beginning of `form`, but not all of it. `form` is in lower case. Linear in
/// both (Knuth, Morris and Pratt): the target chose the one and may have chosen the other.
fn shared(text: &str, form: &str) -> usize {
    let form = form.as_bytes();
    // For each beginning of the form, the longest shorter one that it ends with.
    let mut shorter = vec![0];
    let step = |shorter: &[usize], mut length: usize, byte: u8| {
        while length > 0 && form.get(length) != Some(&byte) {
            length = shorter.get(length - 1).copied().unwrap_or(0);
        }
        length + usize::from(form.get(length) == Some(&byte))
    };
    for &byte in form.iter().skip(1) {
        let length = step(&shorter, shorter.last().copied().unwrap_or(0), byte);
        shorter.push(length);
    }
    let end = text.bytes().fold(0, |length, byte| step(&shorter, length, byte.to_ascii_lowercase()));
    if end == form.len() { shorter.get(end.saturating_sub(1)).copied().unwrap_or(0) } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_secret_is_found_at_the_end_of_a_text() {
        for (text, form, length) in [
            ("xx canar", "canary-1", 5),
            ("xx CANAR", "canary-1", 5),
            ("aabaa", "aabaab", 5),
            ("aaaab", "aaaaa", 0),
            ("canary-1", "canary-1", 0),
            ("abab", "abab", 2),
            ("é", "éa", 2),
            ("", "a", 0),
            ("a", "", 0),
        ] {
            assert_eq!(shared(text, form), length, "{text} {form}");
        }
        let (text, form) = ("a".repeat(100_000) + "b", "a".repeat(100_000));
        assert_eq!(shared(&text, &form), 0, "linear: the square would not end");
    }

    #[test]
    fn secrets_are_found_and_struck_out_in_every_form() {
        let ledger = Ledger::default();
        ledger.add("sip-password", "p&ss \"word");
        for form in
            ["p&ss \"word", "p%26ss+%22word", "p%26ss%20%22word", "cCZzcyAid29yZA", "7026737320", "p&ss \\\"word"]
        {
            let text = format!("before {form} after");
            let whole =
                if form == "7026737320" { "before 70267373202022776f7264 after".replace("2020", "20") } else { text };
            assert_eq!(ledger.leaks_in("body", whole.as_bytes()).len(), 1, "{whole}");
            assert!(ledger.redact_text(&whole).unwrap().contains("[redacted: sip-password]"), "{whole}");
        }
        assert!(ledger.leaks_in("body", b"nothing here").is_empty());
        assert_eq!(ledger.redact_text("nothing here"), None);
    }

    #[test]
    fn case_and_cuts_hide_nothing() {
        let ledger = Ledger::default();
        ledger.add("token", "Canary+One");
        for text in ["é x-canary+one é", "CANARY%2bone", "%43%61%6e%61%72%79%2B%4f%6E%65", "43616E6172792B4F6E65"] {
            let redacted = ledger.redact_text(text).unwrap_or_else(|| panic!("{text}"));
            assert!(redacted.contains("[redacted: token]") && !redacted.contains("4f"), "{redacted}");
        }
        assert_eq!(ledger.redact_text("a canary+one b canary+one").unwrap(), "a [redacted: token] b [redacted: token]");
        let long = ringfence_model::Untrusted::new(format!("{}Canary+One", "é".repeat(2045)));
        let redacted = ledger.redact_text(long.raw()).unwrap();
        assert!(redacted.ends_with("é[redacted: token] [4 bytes omitted]"), "{}", &redacted[4080..]);
        assert_eq!(ledger.redact_text("Canar"), None);
    }

    #[test]
    fn a_very_short_secret_goes_only_where_it_is_the_whole_text() {
        let ledger = Ledger::default();
        ledger.add("login", "ab");
        assert_eq!(ledger.redact_text("cabin"), None);
        assert_eq!(ledger.redact_text("ab").unwrap(), "[redacted: login]");
    }

    #[test]
    fn objects_are_redacted_to_the_bottom() {
        let ledger = Ledger::default();
        ledger.add("token", "canary-1");
        let mut fields = serde_json::json!({ "canary-1": [{ "x": "a canary-1 b" }] }).as_object().unwrap().clone();
        ledger.redact(&mut fields);
        assert!(!Value::Object(fields).to_string().contains("canary-1"));
    }
}
