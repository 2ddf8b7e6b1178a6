//! What a sound target shows each probe, and a journal around it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ringfence_judge::{Journal, Library, judge};
use ringfence_model::evidence::{End, Entry, Event, JOURNAL_FORMAT, NotAsked, Plan, RunHeader, Seen};
use ringfence_model::observation::Common;
use ringfence_model::scenario::Step;
use ringfence_model::target::Target;
use ringfence_model::verdict::{State, Verdict};
use ringfence_probes::verbs::{
    browse_page, call, cors_probe, decode_token, dtls_attack, dtls_scan, fetch_config, http_request, ice_attack,
    inspect, media_attack, open_websocket, register, rekey, scan_log, scan_page, sip_corpus, sip_request, tls_scan,
    turn_allocate, turn_permission, use_token, wait,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::support;

static LIBRARY: LazyLock<Library> = LazyLock::new(support::library);

/// The scenarios that there are.
pub fn ids() -> Vec<String> {
    LIBRARY.scenarios().map(|loaded| loaded.scenario().id.clone()).collect()
}

/// One scenario before a target that is sound but for what a case changes.
pub struct About {
    id: &'static str,
    target: Value,
    policy: &'static str,
    sound: BTreeMap<&'static str, Value>,
}

/// Left out, instead of a change: the step is not asked.
pub const NOT_ASKED: Value = Value::Null;

impl About {
    /// `sound` is what this scenario's own steps see of a sound target, beyond what [`healthy`] says of every probe.
    pub fn new(id: &'static str, sound: &[(&'static str, Value)]) -> Self {
        let about = Self {
            id,
            target: target("cognigy", "session_scope = true"),
            policy: "webrtc-mti",
            sound: sound.iter().cloned().collect(),
        };
        about.case("a sound target", &[], State::Pass);
        about
    }

    /// As [`About::new`], for a target that names further configuration endpoints.
    pub fn with_sessions(id: &'static str, sessions: &[&str], sound: &[(&'static str, Value)]) -> Self {
        let target = target("cognigy", "session_scope = true");
        let about =
            Self { id, target, policy: "webrtc-mti", sound: sound.iter().cloned().collect() }.sessions(sessions);
        about.case("a sound target", &[], State::Pass);
        about
    }

    /// As [`About::new`], for a target that declares this as well.
    pub fn declaring(id: &'static str, declared: &str, sound: &[(&'static str, Value)]) -> Self {
        let target = target("cognigy", &format!("session_scope = true\n{declared}"));
        let about = Self { id, target, policy: "webrtc-mti", sound: sound.iter().cloned().collect() };
        about.case("a sound target", &[], State::Pass);
        about
    }

    /// The same with these further configuration endpoints.
    pub fn sessions(&self, names: &[&str]) -> Self {
        let mut target = self.target.clone();
        target["sessions"] = json!(names);
        Self { target, sound: self.sound.clone(), ..*self }
    }

    /// The same before another target file: its adapter and what it declares.
    pub fn with_target(&self, adapter: &str, declared: &str) -> Self {
        Self { target: target(adapter, declared), sound: self.sound.clone(), ..*self }
    }

    /// The same under another policy.
    pub fn with_policy(&self, policy: &'static str) -> Self {
        Self { policy, target: self.target.clone(), sound: self.sound.clone(), ..*self }
    }

    /// Judges what was seen, with these changes.
    #[track_caller]
    pub fn case(&self, what: &str, changes: &[(&str, Value)], expected: State) -> Verdict {
        let loaded = LIBRARY.get(self.id).expect("the scenario exists");
        let mut journal = Journal::new(self.header());
        let mut push = |event| journal.push(Entry { seq: 0, t_ms: 0, event }).expect("each event comes once");
        push(Event::Plan(Plan { chains: vec![self.id.into()], left_out: vec![] }));
        for (step, _) in changes {
            assert!(loaded.scenario().step.iter().any(|known| known.name == *step), "{what}: no step {step}");
        }
        for step in &loaded.scenario().step {
            let change = changes.iter().find(|(name, _)| *name == step.name).map(|(_, change)| change);
            let sound = self.sound.get(step.name.as_str());
            if change.or(sound) == Some(&NOT_ASKED) {
                let (scenario, step, why) = (self.id.into(), step.name.clone(), "not there".into());
                push(Event::NotAsked(NotAsked { scenario, attempt: 1, step, why, to_enable: None }));
                continue;
            }
            let mut observation = healthy(step);
            let sound = sound.filter(|sound| **sound != NOT_ASKED);
            sound.into_iter().chain(change).for_each(|change| merge(&mut observation, change));
            push(Event::Seen(Seen {
                scenario: self.id.into(),
                attempt: 1,
                step: step.name.clone(),
                probe: step.probe.clone(),
                with: step.with.clone().into_iter().collect(),
                observation: if observation.get("only").is_some() { broken() } else { object(observation) },
            }));
        }
        push(Event::End(End { complete: true, ..End::default() }));
        let verdict = judge(&journal, &LIBRARY, None).pop().expect("one verdict");
        assert_eq!(verdict.state, expected, "{}, {what}: {verdict:#?}", self.id);
        verdict
    }

    fn header(&self) -> RunHeader {
        let policy = support::policy(self.policy);
        RunHeader {
            format: JOURNAL_FORMAT.into(),
            id: "1".into(),
            version: "0".into(),
            started: "2026-01-01T00:00:00Z".into(),
            key: "00000001".into(),
            seed: 0,
            target: self.target.clone(),
            policy_name: self.policy.into(),
            policy: serde_json::to_value(policy).expect("plain data"),
            command: "test".into(),
            words: String::new(),
            scenarios: vec![],
            ..RunHeader::default()
        }
    }
}

/// A change that leaves nothing of the observation: the step's input gave nothing to work with.
pub fn input_failed() -> Value {
    json!({ "only": true })
}

fn broken() -> Map<String, Value> {
    object(json!({ "outcome": "protocol", "elapsed_ms": 0, "error": "its input gave nothing to work with" }))
}

/// What stands for the SHA-256 of a certificate, and differs for different texts.
pub fn hash(text: &str) -> String {
    format!("{:064x}", text.bytes().fold(1u128, |sum, byte| sum * 257 + u128::from(byte)))
}

/// A digest that differs for different texts.
pub fn digest(text: &str) -> Value {
    let sum = text.bytes().fold(0u128, |sum, byte| sum * 257 + u128::from(byte));
    json!(format!("digest:00000001:{sum:032x}"))
}

fn target(adapter: &str, declared: &str) -> Value {
    let text = format!(
        "name = \"t\"\nadapter = \"{adapter}\"\n[endpoints]\nconfig = \"https://c.test/token\"\n[declared]\n{declared}\n"
    );
    let target = Target::parse(&text, std::path::Path::new("t.toml")).expect("a target file");
    serde_json::to_value(target.view()).expect("plain data")
}

/// What a probe's types say by default, and on top what a sound target adds.
fn healthy(step: &Step) -> Value {
    let word = |name: &str| step.with.get(name).and_then(Value::as_str);
    let own = |what: &str| digest(&format!("{what} {}", step.name));
    match step.probe.as_str() {
        "browse-page" if word("start") == Some("none") => {
            seen(browse_page::Seen::default(), json!({ "loaded": true, "visits": 1 }))
        }
        "browse-page" => {
            let visits = step.with.get("visits").and_then(Value::as_i64).unwrap_or(1);
            let injected = step.with.contains_key("inject");
            seen(
                browse_page::Seen::default(),
                json!({
                    "loaded": true, "visits": visits, "call_started": true, "calls_started": visits, "invites_sent": visits,
                    "websocket_urls": ["wss://s.test/"], "ice_servers": [{ "urls": ["turn:t.test"] }],
                    "peer": { "dtls_version": "1.2", "dtls_cipher": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                        "srtp_cipher": "gcm-128", "local_fingerprint": format!("sha-256 {}", step.name),
                        "candidate_types": ["host", "relay"], "bytes_received": 9000, "bytes_sent": 9000 },
                    "injected": i64::from(injected), "injected_answered": injected
                }),
            )
        }
        "scan-log" => seen(scan_log::Seen::default(), json!({ "files_read": 2, "bytes_read": 900, "newer_lines": 12 })),
        "scan-page" => seen(scan_page::Seen::default(), json!({ "status": 200, "scripts": 3 })),
        "inspect" => {
            let names = json!({ "visits": 3, "identifiers": 6, "with_user_id": 3, "frames": 20 });
            let mut whole = seen(inspect::Seen::default(), names);
            if word("for") == Some("entropy") {
                merge(&mut whole, &json!({ "entropy": [{ "field": "user-id", "class": "hex", "bits": 128 }] }));
            }
            whole
        }
        "fetch-config" => seen(
            fetch_config::Seen::default(),
            json!({ "status": 200, "cache_control": "no-store", "config": {
                "kind": "legacy", "ws_uri": "wss://s.test", "scheme": "wss", "password": own("password"),
                "username": own("user"), "ice_servers": [{ "urls": ["turn:t.test", "turns:t.test"] }]
            } }),
        ),
        "http-request" if word("scheme") == Some("http") => {
            seen(http_request::Seen::default(), json!({ "outcome": "unreachable" }))
        }
        "http-request" => seen(
            http_request::Seen::default(),
            json!({ "status": 200, "headers": [{ "name": "cache-control", "value": "no-store" }] }),
        ),
        "cors-probe" => {
            let answer = |variant: &str| match variant {
                "absent" => json!({ "variant": variant, "preflight": { "status": 204 }, "actual": { "status": 200 } }),
                _ => json!({ "variant": variant, "origin": "https://evil.test",
                    "preflight": { "status": 204 }, "actual": { "status": 200 } }),
            };
            let variants = step.with["variants"].as_array().expect("variants");
            let answers: Vec<Value> = variants.iter().filter_map(Value::as_str).map(answer).collect();
            seen(cors_probe::Seen::default(), json!({ "answers": answers }))
        }
        "open-websocket" if word("scheme") == Some("ws") => {
            let ports: Vec<Value> = [443, 80, 8080].map(|port| json!({ "port": port, "accepted": false })).into();
            seen(open_websocket::Seen::default(), json!({ "outcome": "unreachable", "ports": ports }))
        }
        "open-websocket" if matches!(word("subprotocol"), Some("none" | "other")) => {
            seen(open_websocket::Seen::default(), json!({ "status": 400 }))
        }
        "open-websocket" if word("frames") == Some("split") => {
            let silent = json!({ "status": 101, "accepted": true, "subprotocol": "sip" });
            seen(open_websocket::Seen::default(), silent)
        }
        "open-websocket" if matches!(word("origin"), None | Some("trusted" | "absent")) => seen(
            open_websocket::Seen::default(),
            json!({ "status": 101, "accepted": true, "subprotocol": "sip", "sip_answer": { "status": 200 } }),
        ),
        "open-websocket" => seen(open_websocket::Seen::default(), json!({ "status": 403, "origin": "x" })),
        "register" => {
            let times = step.with.get("times").and_then(Value::as_u64).unwrap_or(1);
            let corpus = word("user_id").is_some_and(|user| user.contains("corpus"));
            let own = matches!(word("login"), None | Some("own")) && matches!(word("aor"), None | Some("own" | "text"));
            let status = if own && !corpus { 200 } else { 401 };
            let statuses = vec![status; usize::try_from(times).expect("few")];
            let aor = format!("aor {}{}", word("aor").unwrap_or_default(), word("config").unwrap_or(&step.name));
            let entry = |name: &str| json!({ "entry": name, "malformed": name == "crlf", "status": 403, "lost": false, "whole": false, "echoed": false });
            let entries: Vec<Value> = ["crlf", "nul", "email"].into_iter().filter(|_| corpus).map(entry).collect();
            let sound = json!({ "status": status, "statuses": statuses, "aor": digest(&aor), "challenge": challenge(&step.name),
                "entries": entries });
            seen(register::Seen::default(), sound)
        }
        "turn-allocate" => seen(
            turn_allocate::Seen::default(),
            match word("login") {
                Some("none") => json!({ "offered": true, "reachable": true, "error_code": 401 }),
                _ => json!({ "offered": true, "reachable": true, "allocated": true, "lifetime_s": 600 }),
            },
        ),
        "call" => {
            let offered = step.with.get("srtp_profiles").and_then(Value::as_array);
            let profile = offered.and_then(|offered| offered.first()?.as_str()).unwrap_or("gcm-128");
            seen(
                call::Seen::default(),
                json!({
                    "status": 200, "invite_status": 200, "answered": true, "ended_by": "us", "seconds": 5.0, "granted": 1,
                    "sdp": { "profile": "UDP/TLS/RTP/SAVPF", "media_accepted": true, "rtcp_mux": true,
                        "fingerprint_hash": "sha-256", "fingerprints": ["sha-256 AA"], "sha256": [hash(&step.name)], "tls_id": format!("id {}", step.name),
                        "setup": if word("setup") == Some("passive") { "active" } else { "passive" } },
                    "ice": { "connected": true, "ufrag_length": 8, "pwd_length": 24,
                        "remote_ufrag": own("ufrag"), "remote_pwd": own("pwd") },
                    "dtls": { "completed": true, "version": "1.2", "server_random": own("random"),
                        "role": if word("setup") == Some("passive") { "server" } else { "client" },
                        "client_random": own("hello"), "group": "x25519", "extended_master_secret": true,
                        "certificate": { "digest": own("certificate"), "sha256": hash(&step.name), "matches": true,
                            "key_type": "ec", "key_bits": 256, "signature_hash": "sha256" } },
                    "srtp": { "profile": profile, "keys": own("keys"), "used_profile": profile,
                        "tag_bytes": if profile.starts_with("gcm") { 16 } else { 10 } },
                    "media": { "sent": 250, "received": 240, "authenticated": 240, "echoed": 230 },
                    "rtcp": { "received": 2, "authenticated": 2 }, "datagrams_received": 300
                }),
            )
        }
        "dtls-attack" if word("kind") == Some("cookie-flood") => {
            seen(dtls_attack::Seen::default(), json!({ "attempts": 20, "bytes_out": 2800, "control_ok": true }))
        }
        "dtls-attack" => seen(dtls_attack::Seen::default(), json!({ "attempts": 2, "control_ok": true })),
        "dtls-scan" => {
            let suite = |name: &str| json!({ "version": "1.2", "name": name, "code": 1 });
            let asked: Vec<&str> = step
                .with
                .get("ask")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let quick = word("depth") != Some("full");
            let has = |list: &str| !quick && (asked.is_empty() || asked.contains(&list));
            let refused = match quick || has("versions") {
                true => json!(["1.0", "1.3"]),
                false => {
                    if has("suites") || has("groups") {
                        json!(["1.3"])
                    } else {
                        json!([])
                    }
                }
            };
            let certificate = json!({ "digest": own("certificate"), "sha256": hash(&step.name), "key_type": "ec", "key_bits": 256,
                "signature_hash": "sha256", "self_signed": true, "days_left": 29, "names": [] });
            seen(
                dtls_scan::Seen::default(),
                json!({
                    "versions": ["1.2"], "refused": refused, "renegotiation_info": true, "extended_master_secret": true,
                    "suites": [suite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")],
                    "groups": if has("groups") { json!(["x25519", "secp256r1"]) } else { json!([]) },
                    "profiles": if has("profiles") { json!(["gcm-256", "gcm-128", "cm-sha1-80"]) } else { json!([]) },
                    "preferred_profile": "gcm-256", "certificates": [certificate], "calls_made": 9, "hellos_sent": 12,
                    "complete": true
                }),
            )
        }
        "ice-attack" => seen(
            ice_attack::Seen::default(),
            json!({ "status": 200, "connected": true, "local_type": "host", "sent": 20, "session_alive": true,
                "control_ok": true }),
        ),
        "rekey" if word("how") == Some("renegotiate") => seen(
            rekey::Seen::default(),
            json!({ "renegotiation_refused": true, "media_gap_ms": 40, "media_after": 90, "call_alive": true }),
        ),
        "rekey" => seen(
            rekey::Seen::default(),
            json!({ "status": 200, "new_association": true, "new_keys": own("new keys"), "keys_differ": true,
                "new_keys_echoed": 90, "old_keys_sent": 25, "control_after": true, "ufrag_changed": true,
                "pwd_changed": true, "tls_id_changed": true, "fingerprint_changed": true, "media_gap_ms": 120,
                "media_after": 40, "call_alive": true }),
        ),
        "turn-permission" => {
            let refused = json!({ "peer": "10.0.0.1", "set": "private", "error_code": 403, "allowed": false,
                "refused": true, "declared": false });
            let sends = (word("by") == Some("send")).then_some(false);
            let sound = json!({ "control_ok": true, "answers": [refused], "sends_unpermitted": sends });
            seen(turn_permission::Seen::default(), sound)
        }
        "media-attack" => seen(
            media_attack::Seen::default(),
            json!({ "oracle": "echo", "control_before": true, "control_after": true, "sent": 50, "call_alive": true }),
        ),
        "sip-corpus" => {
            let prober = json!({ "sent": 60, "lost": 0, "lost_before": 0, "closed": 0, "max_gap_ms": 260 });
            let beside = !matches!(word("corpus"), Some("framing" | "contradictions" | "smuggling" | "rfc4475-mild"));
            let sound = json!({ "total": 12, "sent": 12, "answered": 7, "prober": prober, "connection_losses": 3,
                "callee_view": word("corpus") == Some("smuggling"), "second_call_before": beside, "second_call_alive": beside });
            seen(sip_corpus::Seen::default(), sound)
        }
        "sip-request" => {
            seen(sip_request::Seen::default(), json!({ "status": 407, "challenge": challenge(&step.name) }))
        }
        "tls-scan" => {
            let suite = |version: &str, name: &str| json!({ "version": version, "name": name, "code": 1, "forward_secrecy": true });
            let certificate = json!({
                "sha256": hash("tls"), "trusted": true, "name_matches": true, "days_left": 60, "not_yet_valid": false, "self_signed": false,
                "key_type": "ec", "key_bits": 256, "signature_hash": "sha256", "chain_length": 2, "ocsp_responder": false
            });
            let sound = json!({
                "offered": true, "reachable": true, "versions": ["1.2", "1.3"], "refused": ["ssl3", "1.0", "1.1"],
                "negotiated": "1.3", "secure_renegotiation": true, "extended_master_secret": true, "complete": true,
                "suites": [suite("1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"), suite("1.3", "TLS_AES_128_GCM_SHA256")],
                "hellos_sent": 8, "certificate": certificate
            });
            let mut whole = seen(tls_scan::Seen::default(), sound);
            if word("depth") == Some("full") {
                let schemes = ["ecdsa_secp256r1_sha256"];
                let lists = json!({ "groups": ["secp256r1", "x25519"], "signature_schemes": schemes, "server_order": true,
                    "forward_secrecy_only": true, "early_data": false });
                merge(&mut whole, &lists);
            }
            whole
        }
        "decode-token" => seen(decode_token::Seen::default(), json!({ "format": "opaque", "entropy_bits": 128 })),
        "use-token" => seen(use_token::Seen::default(), json!({ "status": 200, "accepted": true, "statuses": [200] })),
        "wait" => seen(wait::Seen::default(), json!({ "seconds": 3 })),
        other => panic!("no sound observation of {other}"),
    }
}

fn challenge(step: &str) -> Value {
    json!({ "schemes": ["Digest", "Digest"], "algorithms": ["SHA-256", "MD5"], "qop": ["auth", "auth"], "digests": 2,
        "without_qop": 0, "nonce": digest(&format!("nonce {step}")) })
}

fn seen(seen: impl Serialize, sound: Value) -> Value {
    let mut whole = serde_json::to_value(Common::default()).expect("plain data");
    merge(&mut whole, &serde_json::to_value(seen).expect("plain data"));
    merge(&mut whole, &sound);
    whole
}

/// Objects merge, null takes a field away, everything else takes the place of what was there.
fn merge(into: &mut Value, change: &Value) {
    match (into, change) {
        (Value::Object(fields), Value::Object(changes)) => {
            for (name, change) in changes {
                match change {
                    Value::Null => drop(fields.remove(name)),
                    _ => merge(fields.entry(name.clone()).or_insert(Value::Null), change),
                }
            }
        }
        (into, change) => *into = change.clone(),
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}
