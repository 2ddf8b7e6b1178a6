//! What observations hold, as the journal has them: header fields, SDP, what servers call themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ringfence_model::Untrusted;
use ringfence_model::observation::Leak;
use serde_json::{Map, Value};

use super::{ReusedSeen, VersionSeen, leak, tidy};
use crate::detect::{pii, runs, secrets};

/// What one step saw.
pub(super) type Observation = Map<String, Value>;

/// Entries of each list (house).
const LISTED: usize = 64;
/// Fields that are ours, or that every step has.
const OURS: [&str; 4] = ["outcome", "error", "elapsed_ms", "ended_by"];
/// What a digest of the run begins with: see [`ringfence_model::Digest`].
const DIGEST: &str = "digest:";
/// What a secret is replaced by: see [`crate::Ledger::redact`].
const REDACTED: &str = "[redacted: ";
/// Endings of names that mean something inside one's own network only: RFC 6762, RFC 8375, and what is common.
const INSIDE: [&str; 8] =
    [".local", ".internal", ".intranet", ".corp", ".lan", ".home.arpa", ".private", ".localdomain"];

/// Every text, with its field: `headers.via`, `sdp.addresses`.
fn texts<'a>(observed: &[&'a Observation]) -> Vec<(String, &'a str)> {
    fn collect<'a>(place: &str, value: &'a Value, found: &mut Vec<(String, &'a str)>) {
        match value {
            Value::String(text) if !text.starts_with(DIGEST) => found.push((place.to_owned(), text)),
            Value::Array(items) => items.iter().for_each(|item| collect(place, item, found)),
            Value::Object(fields) => {
                // A header field has its name beside its value.
                if let (Some(Value::String(name)), Some(value)) = (fields.get("name"), fields.get("value")) {
                    return collect(&format!("{place}.{}", name.to_ascii_lowercase()), value, found);
                }
                fields.iter().for_each(|(name, value)| collect(&format!("{place}.{name}"), value, found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for (name, value) in observed.iter().flat_map(|fields| fields.iter()) {
        if !OURS.contains(&name.as_str()) {
            collect(name, value, &mut found);
        }
    }
    found
}

/// Fields whose values are shaped like `local@domain`, by the end of their names.
const SHAPED: [&str; 4] = ["cname", "call-id", "via", "msid"];

/// Personal data that means nothing else in signalling.
pub(super) fn personal_data(test_user: &[String], observed: &[&Observation]) -> Vec<Leak> {
    let mut found = Vec::new();
    let shaped = |place: &str| SHAPED.contains(&place.rsplit('.').next().unwrap_or_default());
    for (place, text) in texts(observed).into_iter().filter(|(place, _)| !shaped(place)) {
        let clear =
            pii::find(text, test_user).into_iter().filter(|one| super::traffic::MEANS_NOTHING_ELSE.contains(&one.kind));
        found.extend(clear.map(|one| leak(one.kind.word(), &place)));
    }
    listed(found)
}

/// Secrets of the run, which stand struck out, and those that look like one.
pub(super) fn secrets(observed: &[&Observation]) -> Vec<Leak> {
    let mut found = Vec::new();
    for (place, text) in texts(observed) {
        let struck =
            text.match_indices(REDACTED).filter_map(|(at, mark)| text.get(at + mark.len()..)?.split(']').next());
        found.extend(struck.map(|kind| leak(kind, &place)));
        found.extend(secrets::find(text).iter().map(|one| leak(one.kind.word(), &place)));
    }
    listed(found)
}

/// Addresses and names of the inside.
pub(super) fn addresses(observed: &[&Observation]) -> Vec<Leak> {
    let mut found = Vec::new();
    for (place, text) in texts(observed) {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b".:-".contains(&byte);
        for (_, word) in runs(text, token) {
            let bare = word.trim_end_matches(['.', ':']);
            let address = bare.parse().ok().or_else(|| bare.split(':').next()?.parse().ok());
            let kind = address.and_then(inside).or_else(|| is_inside(bare).then_some("internal-name"));
            found.extend(kind.map(|kind| leak(kind, &place)));
        }
    }
    listed(found)
}

fn inside(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => match address.octets() {
            _ if address.is_private() => Some("private"),
            _ if address.is_loopback() => Some("loopback"),
            _ if address.is_link_local() => Some("link-local"),
            [100, 64..=127, ..] => Some("cgnat"), // RFC 6598
            _ => None,
        },
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => inside(IpAddr::V4(mapped)),
            None if address.is_loopback() => Some("loopback"),
            None if address.is_unique_local() => Some("unique-local"),
            None if address.is_unicast_link_local() => Some("link-local"),
            None => None,
        },
    }
}

fn is_inside(word: &str) -> bool {
    let host = word.split(':').next().unwrap_or_default().to_ascii_lowercase();
    // `<uuid>.local` is how browsers hide an address.
    let hidden = host.len() == 36 + ".local".len() && host.bytes().filter(|byte| *byte == b'-').count() == 4;
    !hidden && INSIDE.iter().any(|ending| host.len() > ending.len() && host.ends_with(ending))
}

/// Fields in which servers say what they are, by the end of their names.
const BANNERS: [&str; 8] =
    ["server", "server_header", "user-agent", "x-powered-by", "software", "x-aspnet-version", "via", "session_name"];

/// Products with a number: `nginx/1.22.1`, `Asterisk PBX 20.5.0`.
pub(super) fn versions(observed: &[&Observation]) -> Vec<VersionSeen> {
    let banner = |place: &str| BANNERS.contains(&place.rsplit('.').next().unwrap_or_default());
    let mut found = BTreeSet::new();
    for (place, text) in texts(observed).into_iter().filter(|(place, text)| banner(place) && has_version(place, text)) {
        if found.len() < LISTED {
            found.insert(VersionSeen { product: Untrusted::new(text), place });
        }
    }
    found.into_iter().collect()
}

/// A number with a dot in it behind a word. `SIP/2.0` and `HTTP/1.1` are protocols, and `Via: 1.1 name` is one, too.
fn has_version(place: &str, text: &str) -> bool {
    let words = text.split([' ', '(', ')', ',', ';']);
    let number = |word: &str| {
        let (name, number) = word.rsplit_once(['/', '-', 'v']).unwrap_or(("", word));
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        let protocol = ["SIP", "HTTP", "RTP", "TLS", "SIP/2.0"].iter().any(|known| name.eq_ignore_ascii_case(known));
        digits > 0 && !protocol && (number.as_bytes().get(digits) == Some(&b'.') || !name.is_empty())
    };
    let versions = words.filter(|word| number(word)).count();
    let is_via = place.ends_with("via");
    versions > 0 && !(is_via && (versions == 1 || text.contains("SIP/2.0")))
}

/// Values that stand under one field in more than one observation: digests, which say nothing else.
pub(super) fn reused(observed: &[&Observation]) -> Vec<ReusedSeen> {
    fn collect(place: &str, value: &Value, found: &mut BTreeSet<(String, String)>) {
        match value {
            Value::String(text) if text.starts_with(DIGEST) => {
                found.insert((place.to_owned(), text.clone()));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(place, item, found)),
            Value::Object(fields) => {
                fields.iter().for_each(|(name, value)| collect(&format!("{place}.{name}"), value, found))
            }
            _ => {}
        }
    }
    let mut times: BTreeMap<(String, String), usize> = BTreeMap::new();
    for fields in observed {
        let mut of_step = BTreeSet::new();
        fields.iter().for_each(|(name, value)| collect(name, value, &mut of_step));
        of_step.into_iter().for_each(|value| *times.entry(value).or_default() += 1);
    }
    let again = times.into_iter().filter(|(_, times)| *times > 1);
    tidy(again.map(|((field, _), _)| ReusedSeen { field }).collect())
}

fn listed(found: Vec<Leak>) -> Vec<Leak> {
    let mut found = tidy(found);
    found.truncate(LISTED);
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn step(value: Value) -> Observation {
        value.as_object().cloned().unwrap()
    }

    fn told(leaks: Vec<Leak>) -> Vec<(String, String)> {
        leaks.into_iter().map(|leak| (leak.kind, leak.place)).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(kind, place)| ((*kind).to_owned(), (*place).to_owned())).collect()
    }

    #[test]
    fn what_the_inside_looks_like_is_found_where_it_stands() {
        let a = step(json!({ "error": "10.0.0.1", "headers": [
            { "name": "Via", "value": "SIP/2.0/WSS 10.1.2.3:5060;branch=z9hG4bK" }, { "name": "x-node", "value": "sbc1.voice.internal" },
            { "name": "server", "value": "nginx/1.22.1" }], "sdp": { "addresses": ["100.64.1.1", "203.0.113.9", "fd00::1"],
            "candidates": ["8d1f2c3a-9b4e-4f60-8a7b-0c1d2e3f4a5b.local"] } }));
        assert_eq!(
            told(addresses(&[&a])),
            pairs(&[
                ("cgnat", "sdp.addresses"),
                ("internal-name", "headers.x-node"),
                ("private", "headers.via"),
                ("unique-local", "sdp.addresses")
            ])
        );
        let found = versions(&[&a]);
        assert_eq!(
            found.iter().map(|v| (v.product.raw(), v.place.as_str())).collect::<Vec<_>>(),
            [("nginx/1.22.1", "headers.server")]
        );
    }

    #[test]
    fn versions_are_told_from_protocols() {
        for banner in
            ["Kamailio (5.6.3 (x86_64/linux))", "Coturn-4.6.1", "Asterisk PBX 20.5.0", "LabProxy/4.2.0 (build 7)"]
        {
            assert!(has_version("server", banner), "{banner}");
        }
        for banner in ["nginx", "Kamailio", "ringfence", ""] {
            assert!(!has_version("server", banner), "{banner}");
        }
        assert!(
            !has_version("headers.via", "1.1 varnish") && !has_version("headers.via", "SIP/2.0/WSS h;branch=z9hG4bK-1")
        );
    }

    #[test]
    fn secrets_and_personal_data_are_told_by_their_field() {
        let a = step(
            json!({ "headers": [{ "name": "x-token", "value": "t [redacted: token]" }, { "name": "x-user", "value": "erika@example.com" }] }),
        );
        assert_eq!(told(secrets(&[&a])), pairs(&[("token", "headers.x-token")]));
        assert_eq!(told(personal_data(&[], &[&a])), pairs(&[("email", "headers.x-user")]));
    }

    #[test]
    fn the_same_digest_in_two_steps_is_reuse() {
        let a = step(json!({ "ice": { "remote_pwd": "digest:1:aa" }, "challenge": { "nonce": "digest:1:bb" } }));
        let b = step(json!({ "ice": { "remote_pwd": "digest:1:aa" }, "challenge": { "nonce": "digest:1:cc" } }));
        let fields: Vec<String> = reused(&[&a, &b]).into_iter().map(|seen| seen.field).collect();
        assert_eq!(fields, ["ice.remote_pwd"]);
        assert!(reused(&[&a]).is_empty());
    }
}
