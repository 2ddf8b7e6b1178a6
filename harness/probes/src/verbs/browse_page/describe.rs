//! From what visits showed to what scenarios read and later steps keep.

use std::collections::BTreeSet;

use ringfence_client::browser::{self, IdentityKind, Visited, identities};
use ringfence_model::observation::Leak;
use ringfence_model::{RunKey, Untrusted};
use url::Url;

use super::secrets::Leaks;
use super::seen::{IdentifierSeen, PeerSeen, Seen, ServiceWorkerSeen};
use crate::verbs::fetch_config::IceServerSeen;
use crate::{Cx, Frame, Identifier, IdentifierKind, Ledger, Visit};

/// Entries of one list of an observation (house).
const MOST: usize = 64;

/// Adds a visit to an observation. `secrets` holds those of earlier visits in the same profile, and takes this one's; false
/// where it could not take all.
pub(super) fn add(cx: &Cx, visited: &Visited, secrets: &Ledger, seen: &mut Seen) -> bool {
    let record = &visited.record;
    seen.loaded = visited.loaded && (seen.visits == 0 || seen.loaded);
    seen.visits += 1;
    seen.call_started |= visited.call_started;
    seen.calls_started += i64::from(visited.call_started);
    seen.invites_sent += count(visited.invites);
    let all = super::secrets::learn(cx, &visited.record, secrets);
    let leaks = Leaks::of(secrets, &visited.record);
    join(&mut seen.console_leaks, leaks.console);
    join(&mut seen.storage_leaks, leaks.storage);
    join(&mut seen.url_leaks, leaks.url);
    join(&mut seen.dom_leaks, leaks.dom);
    let plain = |url: &str| url.starts_with("http:") || url.starts_with("ws:");
    let used = record.addresses.iter().filter(|address| address.place != "referer" && plain(&address.url));
    extend(&mut seen.insecure_requests, used.map(|address| bare(&address.url)));
    extend(&mut seen.websocket_urls, record.sockets.iter().map(|socket| bare(&socket.url)));
    extend(&mut seen.identifiers, identities(&record.frames).iter().map(|identity| identifier(&cx.key, identity)));
    let servers = record.peers.values().flat_map(|peer| &peer.ice_servers);
    extend(&mut seen.ice_servers, servers.map(|server| ice_server(&cx.key, server)));
    if let Some(peer) = visited.carrier() {
        seen.peer = describe(peer);
    }
    seen.microphone_without_click |= visited.captured_unasked;
    seen.notice_before_capture |= visited.notice_first;
    extend(&mut seen.service_workers, record.service_workers.iter().map(service_worker));
    seen.injected += i64::from(visited.injected.delivered);
    seen.injected_answered |= visited.injected.answered > 0;
    seen.auto_answered |= visited.injected.accepted > 0;
    extend(&mut seen.refused_hosts, visited.traffic.refused.iter().map(Untrusted::new));
    all
}

/// What later steps keep of a visit.
pub(super) fn kept(visited: &Visited) -> Visit {
    let frame = |frame: &browser::Frame| Frame { sent: frame.sent, text: frame.text.clone() };
    let identifier = |identity: browser::Identity| Identifier { kind: kind(identity.kind), value: identity.value };
    Visit {
        frames: visited.record.frames.iter().map(frame).collect(),
        identifiers: identities(&visited.record.frames).into_iter().map(identifier).collect(),
    }
}

fn kind(kind: IdentityKind) -> IdentifierKind {
    match kind {
        IdentityKind::UserId => IdentifierKind::UserId,
        IdentityKind::DisplayName => IdentifierKind::DisplayName,
        IdentityKind::ContactUser => IdentifierKind::ContactUser,
        IdentityKind::Header(name) => IdentifierKind::Header(name),
    }
}

fn identifier(key: &RunKey, identity: &browser::Identity) -> IdentifierSeen {
    let kind = match &identity.kind {
        IdentityKind::UserId => "user-id".into(),
        IdentityKind::DisplayName => "display-name".into(),
        IdentityKind::ContactUser => "contact-user".into(),
        IdentityKind::Header(name) => Untrusted::new(name),
    };
    IdentifierSeen { kind, value: key.digest(identity.value.as_bytes()) }
}

fn ice_server(key: &RunKey, server: &browser::IceServer) -> IceServerSeen {
    IceServerSeen {
        urls: server.urls.iter().map(Untrusted::new).collect(),
        username: server.username.as_ref().map(|name| key.digest(name.as_bytes())),
        credential: server.credential.as_ref().map(|secret| secret.digest(key)),
        expires_s: server.username.as_ref().and_then(|name| name.split(':').next()?.parse().ok()),
    }
}

fn describe(peer: &browser::Peer) -> PeerSeen {
    let stats = &peer.stats;
    let text = |value: &Option<String>| value.as_ref().map(Untrusted::new);
    PeerSeen {
        dtls_version: stats.dtls_version.clone(),
        dtls_cipher: text(&stats.dtls_cipher),
        srtp_cipher: stats.srtp_cipher.as_deref().map(|name| Untrusted::new(profile(name))),
        local_fingerprint: text(&stats.local_fingerprint),
        remote_fingerprint: text(&stats.remote_fingerprint),
        candidate_types: peer.candidate_types.iter().cloned().collect(),
        selected_type: stats.selected_type.clone(),
        transport_policy: peer.transport_policy.clone().filter(|word| word == "all" || word == "relay"),
        bytes_received: i64::try_from(stats.bytes_received).unwrap_or(i64::MAX),
        bytes_sent: i64::try_from(stats.bytes_sent).unwrap_or(i64::MAX),
    }
}

/// A browser's name of a protection profile (RFC 5764, section 4.1.2; RFC 7714, section 14.2) in the policies' words.
fn profile(name: &str) -> &str {
    match name.trim_start_matches("SRTP_") {
        "AES_CM_128_HMAC_SHA1_80" | "AES128_CM_SHA1_80" | "AES128_CM_HMAC_SHA1_80" => "cm-sha1-80",
        "AES_CM_128_HMAC_SHA1_32" | "AES128_CM_SHA1_32" | "AES128_CM_HMAC_SHA1_32" => "cm-sha1-32",
        "AEAD_AES_128_GCM" => "gcm-128",
        "AEAD_AES_256_GCM" => "gcm-256",
        _ => name,
    }
}

fn service_worker(worker: &browser::ServiceWorker) -> ServiceWorkerSeen {
    let host = Url::parse(&worker.script).ok().and_then(|url| url.host_str().map(str::to_owned));
    ServiceWorkerSeen {
        scope: bare(&worker.scope),
        script_host: host.unwrap_or_default().into(),
        fetch_handler: worker.fetch_handler,
    }
}

/// An address without user, query and fragment: what may hold a secret is told as a leak, and nowhere else.
fn bare(text: &str) -> Untrusted {
    let Ok(mut url) = Url::parse(text) else { return "unreadable".into() };
    // Neither can fail for an address that a browser asked for.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    Untrusted::new(url.as_str())
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn join(known: &mut Vec<Leak>, found: BTreeSet<Leak>) {
    let all: BTreeSet<Leak> = known.drain(..).chain(found).collect();
    *known = all.into_iter().collect();
}

/// Each once, up to a bound.
fn extend<T: PartialEq>(known: &mut Vec<T>, found: impl Iterator<Item = T>) {
    for item in found {
        if known.len() < MOST && !known.contains(&item) {
            known.push(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_have_the_words_of_policies() {
        for (name, word) in [
            ("SRTP_AES128_CM_SHA1_80", "cm-sha1-80"),
            ("AES_CM_128_HMAC_SHA1_32", "cm-sha1-32"),
            ("AEAD_AES_256_GCM", "gcm-256"),
            ("SRTP_AEAD_AES_128_GCM", "gcm-128"),
            ("NULL", "NULL"),
        ] {
            assert_eq!(profile(name), word);
        }
    }

    #[test]
    fn addresses_in_evidence_have_no_secret_part() {
        assert_eq!(bare("wss://u:p@a.test:1/b?c=d#e").raw(), "wss://a.test:1/b");
        assert_eq!(bare("nothing").raw(), "unreadable");
    }
}
