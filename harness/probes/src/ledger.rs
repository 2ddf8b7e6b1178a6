//! The ledger: every secret of a run. It finds them where they do not belong, and strikes them out of evidence.

use std::sync::{Arc, RwLock};

use base64::prelude::*;
use ringfence_model::Secret;
use ringfence_model::observation::Leak;
use serde_json::{Map, Value};

/// Shorter secrets are struck out only where they are the whole text: inside longer text they would be chance (house).
const WHOLE_TEXT_BELOW: usize = 4;

/// Every secret that the run has sent or been given, by kind. Clones share one ledger.
#[derive(Clone, Default)]
pub struct Ledger(Arc<RwLock<Vec<Known>>>);

struct Known {
    kind: &'static str,
    value: Secret,
    /// The value as it may be written elsewhere.
    forms: Vec<Secret>,
}

impl Ledger {
    /// Adds a secret; a second time changes nothing.
    pub fn add(&self, kind: &'static str, value: &str) {
        let mut all = self.0.write().expect("no holder panics");
        if value.is_empty() || all.iter().any(|known| known.value.expose() == value) {
            return;
        }
        all.push(Known { kind, value: value.into(), forms: forms(value) });
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
            .filter(|known| known.forms.iter().any(|form| text.contains(form.expose().as_str())))
            .map(|known| Leak { kind: known.kind.to_owned(), place: place.to_owned() })
            .collect();
        leaks.sort();
        leaks.dedup();
        leaks
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

    /// The text without secrets; `None` where there is none in it.
    pub fn redact_text(&self, text: &str) -> Option<String> {
        let all = self.0.read().expect("no holder panics");
        let mut out: Option<String> = None;
        for known in all.iter() {
            for form in &known.forms {
                let form = form.expose().as_str();
                let current = out.as_deref().unwrap_or(text);
                let found = if form.len() < WHOLE_TEXT_BELOW { current == form } else { current.contains(form) };
                if found {
                    out = Some(current.replace(form, &format!("[redacted: {}]", known.kind)));
                }
            }
        }
        out
    }
}

/// The ways in which a value is commonly written: as it is, in base64, in hexadecimal, percent-encoded, in JSON.
fn forms(value: &str) -> Vec<Secret> {
    let bytes = value.as_bytes();
    let json = Value::String(value.to_owned()).to_string();
    let mut forms = vec![
        value.to_owned(),
        json[1..json.len() - 1].to_owned(),
        url::form_urlencoded::byte_serialize(bytes).collect(),
        bytes.iter().map(|b| if b.is_ascii_alphanumeric() { (*b as char).to_string() } else { format!("%{b:02X}") }).collect(),
    ];
    if value.len() >= WHOLE_TEXT_BELOW {
        forms.push(BASE64_STANDARD_NO_PAD.encode(bytes));
        forms.push(BASE64_URL_SAFE_NO_PAD.encode(bytes));
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        forms.push(hex.to_uppercase());
        forms.push(hex);
    }
    forms.sort();
    forms.dedup();
    // The longest first, so that a form inside another leaves no rest.
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms.into_iter().map(Secret::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_and_struck_out_in_every_form() {
        let ledger = Ledger::default();
        ledger.add("sip-password", "p&ss \"word");
        for form in ["p&ss \"word", "p%26ss+%22word", "p%26ss%20%22word", "cCZzcyAid29yZA", "7026737320", "p&ss \\\"word"] {
            let text = format!("before {form} after");
            let whole = if form == "7026737320" { "before 70267373202022776f7264 after".replace("2020", "20") } else { text };
            assert_eq!(ledger.leaks_in("body", whole.as_bytes()).len(), 1, "{whole}");
            assert!(ledger.redact_text(&whole).unwrap().contains("[redacted: sip-password]"), "{whole}");
        }
        assert!(ledger.leaks_in("body", b"nothing here").is_empty());
        assert_eq!(ledger.redact_text("nothing here"), None);
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
