//! The secrets that one browser was given or made, and where they do not belong.

use std::collections::BTreeSet;

use base64::prelude::*;
use ringfence_client::adapters;
use ringfence_client::browser::{Record, logins};
use ringfence_client::http;
use ringfence_model::observation::Leak;
use ringfence_model::target::{Endpoint, Endpoints, SecretValue};
use ringfence_wire::digest::{Algorithm, ha1};

use crate::cx::secrets_in;
use crate::{Cx, Ledger};

/// Shorter ones stand in addresses and texts by chance (house).
const SHORTEST: usize = 6;
/// Secrets of one visit (house): every text of the page is searched for each.
const MOST_GIVEN: usize = 256;
/// Passwords and logins that are multiplied to HA1 values (house).
const MOST: usize = 16;

/// Leaks of one visit.
#[derive(Default)]
pub(super) struct Leaks {
    pub console: BTreeSet<Leak>,
    pub storage: BTreeSet<Leak>,
    pub url: BTreeSet<Leak>,
    pub dom: BTreeSet<Leak>,
}

impl Leaks {
    /// Compares everything that a page leaves behind with everything secret that it was given.
    pub fn of(ledger: &Ledger, record: &Record) -> Self {
        let mut leaks = Self::default();
        for text in &record.console {
            leaks.console.extend(ledger.leaks_in("console", text.as_bytes()));
        }
        for stored in &record.storage {
            leaks.storage.extend(ledger.leaks_in(&stored.place, stored.text.as_bytes()));
        }
        for address in &record.addresses {
            leaks.url.extend(ledger.leaks_in(address.place, address.url.as_bytes()));
        }
        for text in &record.document {
            leaks.dom.extend(ledger.leaks_in(&text.place, text.text.as_bytes()));
        }
        leaks
    }
}

/// Takes what this browser was given in answers and messages, gave to its peer connections, and computed from both. The
/// run's ledger gets what was given, so that no evidence holds it. False where there was more than is looked for.
pub(super) fn learn(cx: &Cx, record: &Record, ledger: &Ledger) -> bool {
    let mut given = Given { cx, ledger, values: BTreeSet::new(), all: true };
    let mut passwords = BTreeSet::new();
    for answer in &record.answers {
        passwords.extend(given.named(&answer.body));
        let answer = http::Answer { status: answer.status, body: answer.body.clone(), ..http::Answer::default() };
        let Some(config) = adapters::read_answer(&cx.target, &answer) else { continue };
        if let Some(password) = &config.password {
            given.add("sip-password", password.expose());
            passwords.insert(password.expose().clone());
        }
        let credentials = config.ice_servers.iter().filter_map(|server| server.credential.as_ref());
        credentials.for_each(|credential| given.add("turn-credential", credential.expose()));
    }
    for frame in record.frames.iter().filter(|frame| !frame.sent) {
        passwords.extend(given.named(frame.text.as_bytes()));
    }
    // A page that asks for no configuration may have the same login written into it.
    if let Some(SecretValue::Source(source)) = &cx.target.sip.password
        && let Ok(password) = source.read("sip.password")
    {
        given.add("sip-password", password.expose());
        passwords.insert(password.expose().clone());
    }
    for server in record.peers.values().flat_map(|peer| &peer.ice_servers) {
        server.credential.iter().for_each(|credential| given.add("turn-credential", credential.expose()));
    }
    for login in logins(&record.frames).iter().take(MOST) {
        given.add("authorization", &login.response);
        let Ok(algorithm) = Algorithm::named(login.algorithm.as_deref()) else { continue };
        for password in passwords.iter().take(MOST) {
            given.add("ha1", &ha1(algorithm, &login.username, &login.realm, password));
            // RFC 7617, section 2.
            given.add("login", &BASE64_STANDARD.encode(format!("{}:{password}", login.username)));
        }
    }
    given.all
}

/// What a browser was given.
struct Given<'a> {
    cx: &'a Cx,
    ledger: &'a Ledger,
    values: BTreeSet<String>,
    /// None was left out.
    all: bool,
}

impl Given<'_> {
    fn add(&mut self, kind: &'static str, value: &str) {
        if self.values.len() >= MOST_GIVEN && !self.values.contains(value) {
            self.all = false;
        } else if self.values.insert(value.to_owned()) {
            if is_public(self.cx, value) {
                return;
            }
            self.cx.ledger.add(kind, value);
            if value.len() >= SHORTEST {
                self.ledger.add(kind, value);
            }
        }
    }

    /// Takes what is a secret by its name in a JSON text; the passwords among it.
    fn named(&mut self, text: &[u8]) -> Vec<String> {
        let document = serde_json::from_slice(text).unwrap_or_default();
        let found = secrets_in(&document).into_iter().filter(|(_, value)| !is_words(value));
        let mut passwords = vec![];
        for (kind, value) in found {
            self.add(kind, value);
            passwords.extend((kind == "sip-password").then(|| value.to_owned()));
        }
        passwords
    }
}

/// Text in a natural language, and no secret whatever its name: a page's translations have `password = "Passwort"`.
fn is_words(text: &str) -> bool {
    let word = |word: &str| word.chars().all(char::is_alphabetic) && !word.chars().skip(1).any(char::is_uppercase);
    text.contains(char::is_whitespace) || text.split(['-', '.', ':', '!', '?', '*', '…']).all(word)
}

/// Part of an address in the target file: every visitor has it.
fn is_public(cx: &Cx, value: &str) -> bool {
    let endpoints = &cx.target.endpoints;
    let mut named = Endpoints::NAMES.iter().filter_map(|name| match endpoints.get(name) {
        Endpoint::Url(url) => Some(url),
        Endpoint::Absent | Endpoint::DeclaredNone => None,
    });
    named.any(|url| url.contains(value)) || endpoints.sessions.values().any(|url| url.contains(value))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::Arc;

    use ringfence_client::Net;
    use ringfence_client::browser::{Answer, Frame, Stored};
    use ringfence_model::RunKey;
    use ringfence_model::target::Target;

    use super::*;

    #[test]
    fn translations_are_told_from_secrets() {
        for text in
            ["Passwort", "E-Mail-Passwort:", "Mot de passe oublié ?", "at least 8 characters", "Contraseña*", ""]
        {
            assert!(is_words(text), "{text}");
        }
        for text in ["hunter2", "kQzPwLxRtN", "9f8e7d6c5b4a39281706f5e4d3c2b1a0", "s3cr3t-pass", "ABCDEF", "a_b+c/d="] {
            assert!(!is_words(text), "{text}");
        }
    }

    fn cx() -> Cx {
        let text = "name = \"t\"\nadapter = \"sip\"\n[endpoints]\nconfig = \"https://c.test/public-part\"\n\
                    [sip]\nws_uri = \"wss://c.test\"\n[[scope]]\nhosts = [\"c.test\"]\n";
        let target = Target::parse(text, Path::new("t.toml")).unwrap();
        Cx {
            net: Net::new(&target).unwrap(),
            target: Arc::new(target),
            key: RunKey::from_random([1; 32]),
            ledger: Ledger::default(),
            log_marks: crate::LogMarks::default(),
            kept: BTreeMap::new(),
            observed: BTreeMap::new(),
            control: false,
            seed: 1,
            seconds_left: 60,
            browser: None,
        }
    }

    fn given(answer: &str, message: &str) -> Record {
        Record {
            answers: vec![Answer { status: 200, body: answer.into() }],
            frames: vec![Frame { socket: "1".into(), sent: false, text: message.into() }],
            ..Record::default()
        }
    }

    #[test]
    fn what_one_visit_was_given_is_looked_for_in_the_next() {
        let (cx, ledger) = (cx(), Ledger::default());
        let first = given(r#"{"password":"Passwort","token":"public-part"}"#, r#"{"session_token":"canary-0001"}"#);
        assert!(learn(&cx, &first, &ledger));
        let second = Record {
            console: vec!["Passwort: public-part".into()],
            storage: vec![Stored { place: "local-storage".into(), text: "t=canary-0001".into() }],
            ..Record::default()
        };
        assert!(learn(&cx, &second, &ledger));
        let leaks = Leaks::of(&ledger, &second);
        assert!(leaks.console.is_empty(), "a label, and what every visitor has");
        let found: Vec<(&str, &str)> = leaks.storage.iter().map(|l| (l.kind.as_str(), l.place.as_str())).collect();
        assert_eq!(found, [("token", "local-storage")]);
        assert!(cx.ledger.redact_text("canary-0001").is_some());
    }

    #[test]
    fn a_flood_of_secrets_is_cut_and_said_to_be() {
        let (cx, ledger) = (cx(), Ledger::default());
        let mut flood = Record::default();
        for number in 0..=MOST_GIVEN {
            let text = format!(r#"{{"token":"flood-{number:04}"}}"#);
            flood.frames.push(Frame { socket: "1".into(), sent: false, text });
        }
        assert!(!learn(&cx, &flood, &ledger));
    }
}
