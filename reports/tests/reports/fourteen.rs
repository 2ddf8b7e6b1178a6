//! The fourteen scenarios of the spine as passed results with plausible evidence.

use ringfence_model::report::{ScenarioResult, StepEvidence};
use ringfence_model::scenario::Manual;
use ringfence_model::verdict::{Confidence, Intrusion, Level, Severity, State, Verdict};
use serde_json::{Map, Value, json};

use crate::samples::object;

/// Claims that the results name: id, statement, how it is told.
pub const CLAIMS: &[(&str, &str, &str)] = &[
    ("cognigy/C3", "SIP runs over WSS, so that TLS covers all signalling.", "No plaintext upgrade is accepted."),
    (
        "cognigy/C7",
        "DTLS exchanges the keys; SRTP encrypts the audio.",
        "Certificate and fingerprint agree, no a=crypto.",
    ),
    ("cognigy/C10", "The configuration request never goes without TLS.", "The http twin is refused or redirects."),
    (
        "cognigy/C13",
        "SIP credentials are scoped to the session.",
        "Two fetches give different pairs; the old one dies.",
    ),
    (
        "cognigy/C14",
        "SIP credentials are never exposed to application code.",
        "no-store, unreadable from foreign origins.",
    ),
    ("cognigy/C24", "TURN relays the media when a direct path is blocked.", "Allocate and relay to a control peer."),
];

/// Clauses that the results name: id, strength, meaning.
pub const CONTROLS: &[(&str, &str, &str)] = &[
    ("asvs-5.0/12.2.1", "L1", "External HTTP services use TLS throughout, with no fallback to cleartext"),
    ("asvs-5.0/14.3.2", "L2", "Answers with sensitive data carry Cache-Control: no-store"),
    ("asvs-5.0/17.2.3", "L2", "SRTP authentication is checked: forged packets neither insert media nor stop the call"),
    ("asvs-5.0/17.2.8", "L3", "DTLS certificate is compared with the SDP fingerprint, and media ends when they differ"),
    ("asvs-5.0/3.4.2", "L1", "CORS allows a fixed or listed origin; * is never sent with sensitive data"),
    ("asvs-5.0/7.4.1", "L1", "A terminated or expired session cannot be used any more, on the server side"),
    ("rfc3711/3.3", "must", "Replayed or unauthentic packets are discarded before any state is updated"),
    ("rfc5763/5", "must", "Certificate matches the signalled fingerprint, else the session is torn down at once"),
    ("rfc6455/10.2", "should", "A server meant for certain sites checks Origin and answers others with 403"),
    ("rfc8656/7.2", "must", "Allocate requires authentication, except for servers of the local or access network"),
    ("rfc8827/6.5", "must", "DTLS-SRTP is supported and offered for every media channel; no MKI"),
];

/// All fourteen, passed, by id.
pub fn results() -> Vec<ScenarioResult> {
    use Severity::{Critical, High, Medium};
    let silent = || json!({ "outcome": "unreachable", "elapsed_ms": 3, "error": "connection refused", "leaks": [] });
    let minted = |n: u8| {
        json!({ "outcome": "answered", "elapsed_ms": 37, "status": 200, "cache_control": "no-store", "config": {
            "kind": "legacy", "ws_uri": "wss://sip.example.test:8443/ws", "realm": "sip.example.test",
            "username": digest(n), "password": digest(n + 100) }, "missing_fields": [], "leaks": [] })
    };
    let upgraded =
        || json!({ "outcome": "answered", "elapsed_ms": 49, "status": 101, "accepted": true, "subprotocol": "sip" });
    let refused = || json!({ "outcome": "closed", "elapsed_ms": 22, "status": 403, "accepted": false, "ports": [{ "port": 8443, "accepted": false }] });
    let registered = |status: u16| {
        json!({ "outcome": "answered", "elapsed_ms": 64, "status": status, "statuses": [401, status],
            "challenge": { "schemes": ["Digest"], "algorithms": ["SHA-256", "MD5"], "qop": ["auth"], "nonce": digest(77) } })
    };
    let called = || call(json!({}));
    let no_call = || json!({ "outcome": "answered", "elapsed_ms": 80, "status": 488, "answered": false });
    let attacked = || json!({ "outcome": "answered", "elapsed_ms": 2100, "control_before": true, "control_after": true, "attack_echoed": false, "sent": 50 });
    let cors = || {
        json!({ "outcome": "answered", "elapsed_ms": 41, "allowed": [], "answers": [
            { "variant": "evil", "origin": "https://evil.example", "actual": { "status": 200, "carries_secret": true } } ] })
    };
    let allocated = |ok: bool| json!({ "outcome": "answered", "elapsed_ms": 12, "reachable": true, "allocated": ok, "error_code": if ok { 0 } else { 401 }, "software": "lab-turn 0.1" });

    vec![
        passed(
            "cors/any-origin",
            "A foreign website may read configuration, token or recording answers",
            High,
            &["cognigy/C14"],
            &["asvs-5.0/3.4.2"],
            vec![step(
                "a",
                "cors-probe",
                false,
                json!({ "endpoint": "config", "variants": ["evil", "absent"], "method": "GET" }),
                cors(),
            )],
        ),
        passed(
            "cors/websocket-origin",
            "The signalling WebSocket accepts a connection that a foreign website opened",
            Medium,
            &[],
            &["rfc6455/10.2"],
            vec![
                step("a", "open-websocket", true, json!({ "origin": "trusted" }), upgraded()),
                step("b", "open-websocket", false, json!({ "origin": "evil" }), refused()),
            ],
        ),
        passed(
            "credentials/answer-cacheable",
            "The answer that holds credentials may be stored by browser or proxy caches",
            Medium,
            &["cognigy/C14"],
            &["asvs-5.0/14.3.2"],
            vec![step("a", "fetch-config", true, json!({}), minted(1))],
        ),
        passed(
            "credentials/register-without",
            "A client registers without credentials, with wrong ones, or before any were minted",
            Critical,
            &["cognigy/C13"],
            &[],
            vec![
                step("d", "register", true, json!({ "login": "own" }), registered(200)),
                step("f", "register", false, json!({ "login": "wrong" }), registered(403)),
            ],
        ),
        passed(
            "credentials/shared",
            "Every visitor gets the same credentials or the same token",
            High,
            &["cognigy/C13"],
            &[],
            vec![
                step("a", "fetch-config", false, json!({ "participant": 1 }), minted(1)),
                step("b", "fetch-config", false, json!({ "participant": 2 }), minted(2)),
            ],
        ),
        passed(
            "keys/repeated-between-calls",
            "Two calls share a DTLS random, SRTP keys or ICE credentials",
            Critical,
            &[],
            &[],
            vec![
                step("a", "call", true, json!({ "media_s": 1, "setup": "active" }), called()),
                step(
                    "b",
                    "call",
                    true,
                    json!({ "media_s": 1, "setup": "active" }),
                    call(json!({ "srtp": { "keys": digest(9) } })),
                ),
            ],
        ),
        passed(
            "media/fingerprint-mismatch",
            "As DTLS server the target keeps media with a client certificate that the offer did not announce",
            Critical,
            &["cognigy/C7"],
            &["asvs-5.0/17.2.8", "rfc5763/5"],
            vec![
                step("ok", "call", true, json!({ "media_s": 2, "setup": "active" }), called()),
                step(
                    "c",
                    "call",
                    false,
                    json!({ "media_s": 6, "setup": "active", "fingerprint": "wrong" }),
                    call(
                        json!({ "dtls": { "completed": false, "alert": "bad_certificate", "alert_after_ms": 4 }, "media": { "sent": 0, "received": 0, "authenticated": 0, "echoed": 0 } }),
                    ),
                ),
            ],
        ),
        passed(
            "media/forged-packet-accepted",
            "SRTP packets with a wrong tag, no tag or a foreign key are played",
            Critical,
            &[],
            &["asvs-5.0/17.2.3", "rfc3711/3.3"],
            vec![
                step("c", "call", true, json!({ "hold": true, "media_s": 2 }), called()),
                step("a", "media-attack", false, json!({ "call": "c", "kind": "forged-tag", "count": 50 }), attacked()),
            ],
        ),
        passed(
            "media/not-dtls-srtp",
            "Media is not DTLS-SRTP: no SAVPF answer, no handshake, or packets in clear",
            Critical,
            &["cognigy/C7"],
            &["rfc8827/6.5"],
            vec![step("c", "call", false, json!({ "media_s": 5 }), called())],
        ),
        passed(
            "media/sdes-accepted",
            "Keys in the SDP (a=crypto) are accepted or offered",
            High,
            &["cognigy/C7"],
            &["rfc8827/6.5"],
            vec![
                step("ok", "call", true, json!({ "media_s": 1 }), called()),
                step("a", "call", false, json!({ "profile": "savp", "sdes": "only" }), no_call()),
            ],
        ),
        passed(
            "tokens/credentials-survive-hangup",
            "Credentials or tokens still work after the call that they were made for has ended",
            High,
            &["cognigy/C13"],
            &["asvs-5.0/7.4.1"],
            vec![
                step("b", "call", true, json!({ "config": "a", "media_s": 2 }), called()),
                step("d", "register", false, json!({ "config": "a" }), registered(403)),
                step("h", "register", true, json!({ "config": "g" }), registered(200)),
            ],
        ),
        passed(
            "transport/endpoint-over-http",
            "A configuration, API, login or recording endpoint answers over plain HTTP",
            Critical,
            &["cognigy/C10"],
            &["asvs-5.0/12.2.1"],
            vec![
                step(
                    "a",
                    "http-request",
                    true,
                    json!({ "endpoint": "config", "scheme": "https" }),
                    json!({ "outcome": "answered", "elapsed_ms": 35, "status": 200, "leaks": [] }),
                ),
                step("b", "http-request", false, json!({ "endpoint": "config", "scheme": "http" }), silent()),
            ],
        ),
        passed(
            "transport/ws-cleartext",
            "The signalling server accepts an unencrypted WebSocket",
            Critical,
            &["cognigy/C3"],
            &["asvs-5.0/12.2.1"],
            vec![
                step("b", "open-websocket", true, json!({ "scheme": "wss" }), upgraded()),
                step(
                    "c",
                    "open-websocket",
                    false,
                    json!({ "scheme": "ws", "port": ["advertised", 80, 8080] }),
                    refused(),
                ),
            ],
        ),
        passed(
            "turn/unauthenticated-allocate",
            "TURN relays without any credentials",
            Critical,
            &["cognigy/C24"],
            &["rfc8656/7.2"],
            vec![
                step("ok", "turn-allocate", true, json!({ "config": "c", "login": "valid" }), allocated(true)),
                step("a", "turn-allocate", false, json!({ "config": "c", "login": "none" }), allocated(false)),
            ],
        ),
    ]
}

/// The observation of a call that went well, with some groups changed.
pub fn call(changes: Value) -> Value {
    let mut seen = json!({
        "outcome": "answered", "elapsed_ms": 2840, "status": 200, "answered": true,
        "sdp": { "profile": "UDP/TLS/RTP/SAVPF", "media_accepted": true, "has_crypto": false, "fingerprint_hash": "sha-256",
            "fingerprints": ["sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1"],
            "setup": "passive", "rtcp_mux": true, "ice_lite": true,
            "candidates": ["1 1 udp 2130706431 127.0.0.1 40123 typ host"], "addresses": ["127.0.0.1"] },
        "ice": { "connected": true, "remote_ufrag": digest(3), "remote_pwd": digest(4), "ufrag_length": 8, "pwd_length": 24, "local_type": "host", "remote_address": "127.0.0.1:40123" },
        "dtls": { "completed": true, "version": "1.2", "suite": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "role": "client",
            "server_random": digest(5), "certificate": { "digest": digest(6), "matches": true }, "client_certificate_requested": true },
        "srtp": { "profile": "gcm-128", "keys": digest(7), "tag_bytes": 16 },
        "media": { "sent": 100, "received": 97, "authenticated": 97, "echoed": 94, "plain_received": 0, "ssrcs": [2_718_281_828_u32], "loss": 0.0 },
        "rtcp": { "received": 2, "authenticated": 2, "plain_received": 0 },
        "datagrams_received": 118,
    });
    for (group, fields) in object(changes) {
        for (name, value) in object(fields) {
            seen[&group][&name] = value;
        }
    }
    seen
}

/// A digest as evidence holds it.
fn digest(n: u8) -> String {
    format!("digest:1f2e3d4c:{:032x}", u128::from(n) * 0x0123_4567_89ab_cdef_0011_2233)
}

fn step(name: &str, probe: &str, control: bool, with: Value, observation: Value) -> StepEvidence {
    let (with, observation): (Map<_, _>, Map<_, _>) = (object(with), object(observation));
    StepEvidence { step: name.into(), probe: probe.into(), control, with, observation, not_asked: None }
}

fn passed(
    id: &str,
    title: &str,
    severity: Severity,
    claims: &[&str],
    controls: &[&str],
    evidence: Vec<StepEvidence>,
) -> ScenarioResult {
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
    ScenarioResult {
        title: title.into(),
        intrusion: if id.starts_with("cors/any") { Intrusion::Passive } else { Intrusion::Active },
        verdict: Verdict {
            scenario: id.into(),
            state: State::Pass,
            severity,
            level: Level::Must,
            reasons: vec![],
            to_enable: None,
            findings: vec![],
            held: vec![],
            notes: vec![],
            confidence: Confidence::High,
            tries: 1,
        },
        manual: manual(id),
        claims: words(claims),
        controls: words(controls),
        elapsed_ms: evidence.iter().filter_map(|s| s.observation.get("elapsed_ms")?.as_u64()).sum(),
        evidence,
        proved: None,
        reproduce: format!("ringfence run --target front-desk.toml --only {id} --seed 7"),
    }
}

fn manual(id: &str) -> Manual {
    let [why, how, remedy, limits] = match id {
        "media/fingerprint-mismatch" => [
            "The fingerprint in the SDP is all that ties the media to the person who signalled. A server that does not\n                compare it will talk, encrypted, to anybody on the path.",
            "One honest call shows that media flows. In a second call the offer announces the fingerprint of another certificate than the one that our DTLS client shows.",
            "Compare the hash of the client certificate with a=fingerprint before the first SRTP packet, and end the session when they differ. rtpengine: DTLS-verify-cert=on; Asterisk: dtlsverify=fingerprint.",
            "One wrong fingerprint in the DTLS client role is tried; the other role is media/fingerprint-mismatch-as-client.",
        ],
        "cors/any-origin" => [
            "Any site that a visitor opens could fetch SIP credentials and place calls at the operator's cost.",
            "The endpoint is asked with an Origin that nobody trusts; judged is whether a browser would hand the answer over.",
            "Answer with Access-Control-Allow-Origin for origins of a fixed list only, and add Vary: Origin.",
            "A server that checks tokens instead of origins may still be safe; the finding says only what a browser allows.",
        ],
        _ => [
            "A promise of the deployment to its callers would not hold, and nobody would notice from the outside.",
            "An honest conversation shows that the service works; the same is then asked in the way that must be refused.",
            "Refuse what the scenario asks for, and log that it was asked.",
            "What was not asked from this vantage point is not shown.",
        ],
    };
    Manual { why: why.into(), how: how.into(), remedy: remedy.into(), limits: limits.into() }
}
