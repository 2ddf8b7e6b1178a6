//! What stands in the text of documents and scripts: addresses of SIP, STUN and TURN, and secrets.

use std::collections::BTreeSet;

use ringfence_model::Untrusted;
use ringfence_model::observation::Leak;

use super::{LISTED, Seen};
use crate::Cx;
use crate::detect::secrets;

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    secrets: BTreeSet<(String, &'static str)>,
    sip_uris: BTreeSet<String>,
    ice_servers: BTreeSet<String>,
}

impl Found {
    /// Reads a text; addresses in it count as addresses.
    pub fn text(&mut self, cx: &Cx, place: &'static str, text: &str) {
        self.secrets_in(cx, place, text);
        let in_address = |c: char| c.is_ascii_graphic() && !"\"'`<>(){}\\,;".contains(c);
        for word in text.split(|c: char| !in_address(c)) {
            if word.contains("://") {
                self.address(cx, word);
            }
            add(&mut self.sip_uris, word, &["sip:", "sips:"], |rest| rest.contains('@'));
            add(&mut self.ice_servers, word, &["stun:", "stuns:", "turn:", "turns:"], is_server);
        }
    }

    /// Reads one address.
    pub fn address(&mut self, cx: &Cx, address: &str) {
        self.secrets_in(cx, "url", address);
    }

    fn secrets_in(&mut self, cx: &Cx, place: &'static str, text: &str) {
        let shapes = secrets::find(text).into_iter().map(|found| found.kind.word().to_owned());
        for kind in shapes.chain(secrets::known(text, &cx.ledger)) {
            if self.secrets.len() < LISTED {
                self.secrets.insert((kind, place));
            }
        }
    }

    /// Writes it into the observation.
    pub fn into_seen(self, seen: &mut Seen) {
        let leak = |(kind, place): (String, &str)| Leak { kind, place: place.to_owned() };
        seen.secrets = self.secrets.into_iter().map(leak).collect();
        seen.sip_uris = self.sip_uris.into_iter().map(Untrusted::new).collect();
        seen.ice_servers = self.ice_servers.into_iter().map(Untrusted::new).collect();
    }
}

/// Takes a URI of one of these schemes over, where its rest is what such a URI has. RFC 3261, section 19.1, RFC 7064 and 7065.
fn add(found: &mut BTreeSet<String>, word: &str, schemes: &[&str], is_rest: impl Fn(&str) -> bool) {
    let rest = |scheme: &&str| {
        word.get(..scheme.len()).filter(|start| start.eq_ignore_ascii_case(scheme)).map(|_| scheme.len())
    };
    let Some(rest) = schemes.iter().find_map(rest).and_then(|at| word.get(at..)) else { return };
    if is_rest(rest) && found.len() < LISTED {
        found.insert(word.to_owned());
    }
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
        let mut found = BTreeSet::new();
        let schemes = ["stun:", "turns:"];
        for word in
            ["stun:", "stun:%s", "stun:stun.example.com:19302", "TURNS:[2001:db8::1]:5349", "x-stun:a.b", "stun:a"]
        {
            add(&mut found, word, &schemes, is_server);
        }
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["TURNS:[2001:db8::1]:5349", "stun:stun.example.com:19302"]);
    }
}
