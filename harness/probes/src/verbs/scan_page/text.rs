//! What stands in the text of documents and scripts: addresses of SIP, STUN and TURN, secrets, and values of a configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use ringfence_model::Untrusted;

use super::client_config::ClientConfig;
use super::seen::{IceServerSeen, SecretSeen, Seen};
use super::{LISTED, Looking};
use crate::detect::{decode, runs, secrets};

/// How near a TURN server's password stands to its address, in bytes (house).
const NEAR: usize = 600;

/// What one visit showed.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By kind and place: marks of the values.
    secrets: BTreeMap<(String, &'static str), BTreeSet<u64>>,
    sip_uris: BTreeSet<String>,
    /// By address: marks of the passwords beside it.
    ice_servers: BTreeMap<String, BTreeSet<u64>>,
    config_values: BTreeSet<&'static str>,
    client_config: ClientConfig,
}

impl Found {
    /// Reads a text; addresses in it count as addresses.
    pub fn text(&mut self, looking: &Looking, place: &'static str, text: &str) {
        self.secrets_in(looking, place, text);
        self.client_config.read(text);
        let in_address = |byte: u8| byte.is_ascii_graphic() && !b"\"'`<>(){}\\,;".contains(&byte);
        let passwords = turn_passwords(text);
        for (span, word) in runs(text, in_address) {
            if word.contains("://") {
                self.address(looking, word);
            }
            if has_scheme(word, &["sip:", "sips:"], |rest| rest.contains('@')) && self.sip_uris.len() < LISTED {
                self.sip_uris.insert(word.to_owned());
            }
            if has_scheme(word, &["stun:", "stuns:", "turn:", "turns:"], is_server) {
                let known = self.ice_servers.contains_key(word);
                if known || self.ice_servers.len() < LISTED {
                    let near =
                        passwords.iter().filter(|(at, _)| at.abs_diff(span.start) <= NEAR).map(|(_, mark)| *mark);
                    self.ice_servers.entry(word.to_owned()).or_default().extend(near);
                }
            }
        }
    }

    /// Reads one address.
    pub fn address(&mut self, looking: &Looking, address: &str) {
        self.secrets_in(looking, "url", address);
    }

    fn secrets_in(&mut self, looking: &Looking, place: &'static str, text: &str) {
        let mut add = |kind: &str, mark: u64| {
            if self.secrets.len() < LISTED || self.secrets.contains_key(&(kind.to_owned(), place)) {
                self.secrets.entry((kind.to_owned(), place)).or_default().insert(mark);
            }
        };
        secrets::find(text).iter().for_each(|found| add(found.kind.word(), found.mark));
        for view in decode::views(text) {
            // What this run was given before, and the page shows now, is the same whoever comes.
            looking.known.kinds_in(&view.text).into_iter().for_each(|(kind, _)| add(kind, 0));
            self.config_values.extend(looking.config.kinds_in(&view.text).into_iter().map(|(name, _)| name));
        }
    }

    /// Writes it into the observation; `later` are the same page's other visits.
    pub fn into_seen(self, later: &[Found], seen: &mut Seen) {
        let again = |own: &BTreeSet<u64>, of: &dyn Fn(&Found) -> Option<BTreeSet<u64>>| {
            let stays = |mark: &u64| later.iter().all(|found| of(found).is_some_and(|marks| marks.contains(mark)));
            !later.is_empty() && own.iter().any(stays)
        };
        seen.secrets = self
            .secrets
            .iter()
            .map(|(at, marks)| SecretSeen {
                kind: at.0.clone(),
                place: at.1.to_owned(),
                same_in_visits: again(marks, &|found| found.secrets.get(at).cloned()),
            })
            .collect();
        seen.ice_servers = self
            .ice_servers
            .iter()
            .map(|(url, marks)| IceServerSeen {
                url: Untrusted::new(url),
                credential: !marks.is_empty(),
                same_in_visits: again(marks, &|found| found.ice_servers.get(url).cloned()),
            })
            .collect();
        seen.sip_uris = self.sip_uris.into_iter().map(Untrusted::new).collect();
        seen.config_values_found = self.config_values.into_iter().map(str::to_owned).collect();
        seen.client_config = self.client_config.into_seen();
    }
}

/// Where passwords of TURN servers stand in a text as it is, and their marks.
fn turn_passwords(text: &str) -> Vec<(usize, u64)> {
    let found = secrets::in_plain(text).into_iter();
    let turn = found.filter(|(kind, _)| matches!(kind, secrets::Kind::TurnPassword | secrets::Kind::SipPassword));
    turn.map(|(_, span)| {
        let mut hasher = DefaultHasher::new();
        text.get(span.clone()).hash(&mut hasher);
        (span.start, hasher.finish())
    })
    .collect()
}

/// A URI of one of these schemes, whose rest is what such a URI has. RFC 3261, section 19.1, RFC 7064 and 7065.
fn has_scheme(word: &str, schemes: &[&str], is_rest: impl Fn(&str) -> bool) -> bool {
    let starts = |scheme: &&str| word.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    schemes.iter().find(|scheme| starts(scheme)).and_then(|scheme| word.get(scheme.len()..)).is_some_and(is_rest)
}

/// A host, and not the `stun:` that a library compares with or puts together.
fn is_server(rest: &str) -> bool {
    let host = rest.split([':', '?']).next().unwrap_or_default();
    let name = host.contains('.') && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    name || rest.starts_with('[') || host == "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_from_pieces_of_libraries() {
        let schemes = ["stun:", "turns:"];
        let words =
            ["stun:", "stun:%s", "stun:stun.example.com:19302", "TURNS:[2001:db8::1]:5349", "x-stun:a.b", "stun:a"];
        let found: Vec<&str> = words.into_iter().filter(|word| has_scheme(word, &schemes, is_server)).collect();
        assert_eq!(found, ["stun:stun.example.com:19302", "TURNS:[2001:db8::1]:5349"]);
    }
}
