//! The secrets that one browser was given or made, and where they do not belong.

use std::collections::BTreeSet;

use base64::prelude::*;
use ringfence_client::adapters;
use ringfence_client::browser::{Record, Visited, logins};
use ringfence_client::http;
use ringfence_model::observation::Leak;
use ringfence_model::target::{Endpoint, Endpoints};
use ringfence_wire::digest::{Algorithm, ha1};

use crate::cx::secrets_in;
use crate::{Cx, Ledger};

/// Shorter ones stand in addresses and texts by chance (house).
const SHORTEST: usize = 6;
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
    pub fn of(cx: &Cx, visited: &Visited) -> Self {
        let ledger = secrets(cx, &visited.record);
        let record = &visited.record;
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

/// What this browser was given in answers, gave to its peer connections, and computed from both. The run's ledger gets
/// what was given, so that no evidence holds it.
fn secrets(cx: &Cx, record: &Record) -> Ledger {
    let ledger = Ledger::default();
    let add = |kind: &'static str, value: &str| {
        cx.ledger.add(kind, value);
        if value.len() >= SHORTEST && !is_public(cx, value) {
            ledger.add(kind, value);
        }
    };
    let mut passwords: Vec<String> = vec![];
    for answer in &record.answers {
        if let Ok(document) = serde_json::from_slice(&answer.body) {
            for (kind, value) in secrets_in(&document) {
                add(kind, value);
                passwords.extend((kind == "sip-password").then(|| value.to_owned()));
            }
        }
        let answer = http::Answer { status: answer.status, body: answer.body.clone(), ..http::Answer::default() };
        let Some(config) = adapters::read_answer(&cx.target, &answer) else { continue };
        if let Some(password) = &config.password {
            add("sip-password", password.expose());
            passwords.push(password.expose().clone());
        }
        let credentials = config.ice_servers.iter().filter_map(|server| server.credential.as_ref());
        credentials.for_each(|credential| add("turn-credential", credential.expose()));
    }
    for server in record.peers.values().flat_map(|peer| &peer.ice_servers) {
        server.credential.iter().for_each(|credential| add("turn-credential", credential.expose()));
    }
    passwords.sort();
    passwords.dedup();
    passwords.truncate(MOST);
    for login in logins(&record.frames).iter().take(MOST) {
        add("authorization", &login.response);
        let Ok(algorithm) = Algorithm::named(login.algorithm.as_deref()) else { continue };
        for password in &passwords {
            add("ha1", &ha1(algorithm, &login.username, &login.realm, password));
            // RFC 7617, section 2.
            add("login", &BASE64_STANDARD.encode(format!("{}:{password}", login.username)));
        }
    }
    ledger
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
