//! Every scenario before hand-made observations: what a sound target, a broken one, an odd one and a bad network show, and the
//! verdict that follows. It goes through the real loader, checker, journal and judge; no lab is asked.

#[path = "scenarios/attacks.rs"]
mod attacks;
#[path = "scenarios/calls.rs"]
mod calls;
#[path = "scenarios/handshakes.rs"]
mod handshakes;
#[path = "scenarios/healthy.rs"]
mod healthy;
#[path = "scenarios/hellos.rs"]
mod hellos;
#[path = "scenarios/logins.rs"]
mod logins;
#[path = "scenarios/messages.rs"]
mod messages;
#[path = "scenarios/pages.rs"]
mod pages;
#[path = "scenarios/relays.rs"]
mod relays;
#[path = "scenarios/review_hello.rs"]
mod review_hello;
#[path = "scenarios/secrets.rs"]
mod secrets;
mod support;
#[path = "scenarios/tls.rs"]
mod tls;
#[path = "scenarios/tokens.rs"]
mod tokens;
#[path = "scenarios/web.rs"]
mod web;

use healthy::{About, NOT_ASKED, digest, input_failed};
use ringfence_model::verdict::Level;
use ringfence_model::verdict::Severity::{Critical, High, Low, Medium};
use ringfence_model::verdict::State::{Fail, Inconclusive, NotApplicable, Pass};
use serde_json::{Value, json};

/// Nothing came in time, and nothing was seen.
fn timed_out() -> Value {
    json!({ "outcome": "timeout", "status": null })
}

fn answered(status: u16) -> Value {
    json!({ "outcome": "answered", "status": status, "body_bytes": 12 })
}

#[test]
fn endpoint_over_http() {
    let rest = ["c", "d", "e", "c_tls", "d_tls", "e_tls"].map(|step| (step, NOT_ASKED));
    let about = About::new("transport/endpoint-over-http", &rest);
    about.case("answers in clear", &[("b", answered(200))], Fail);
    about.case("asks for a login in clear", &[("b", answered(401))], Fail);
    about.case("broke off after the head", &[("b", json!({ "outcome": "closed", "status": 200 }))], Fail);
    about.case("drips its answer", &[("b", json!({ "outcome": "timeout", "status": 200 }))], Fail);
    about.case("silent", &[("b", timed_out())], Pass);
    about.case("closes", &[("b", json!({ "outcome": "closed" }))], Pass);
    about.case("TLS alert", &[("b", json!({ "outcome": "protocol", "not_http": true }))], Pass);
    about.case("broken HTTP", &[("b", json!({ "outcome": "protocol" }))], Inconclusive);
    about.case("redirect", &[("b", answered(301))], Pass);
    about.case("nginx on a TLS port", &[("b", answered(400))], Pass);
    let leak = json!({ "status": 301, "leaks": [{ "kind": "sip-password", "where": "body" }] });
    about.case("redirect with a secret", &[("b", leak)], Fail);
    about.case("out of order", &[("b", answered(503))], Inconclusive);
    about.case("out of scope", &[("b", json!({ "outcome": "out-of-scope" }))], Inconclusive);
    about.case("dead", &[("a", timed_out()), ("b", timed_out())], Inconclusive);
    let api = |plain: Value, tls: Value| [("c", plain), ("c_tls", tls)];
    about.case("the API answers in clear", &api(answered(200), answered(401)), Fail);
    about.case("the API is closed in clear", &api(timed_out(), answered(401)), Pass);
    about.case("the API is dead", &api(timed_out(), timed_out()), Inconclusive);
}

#[test]
fn ws_cleartext() {
    let about = About::new("transport/ws-cleartext", &[]);
    let ports =
        |accepted: bool| json!({ "ports": [{ "port": 443, "accepted": accepted }, { "port": 80, "accepted": false }] });
    let verdict = about.case("serves ws://", &[("c", ports(true))], Fail);
    assert!(verdict.findings[0].message.visible().contains("443"));
    about.case("and dies of it", &[("c", ports(true)), ("d", json!({ "accepted": false }))], Fail);
    about.case("bans us", &[("d", json!({ "accepted": false, "outcome": "unreachable" }))], Inconclusive);
    about.case("wss refused", &[("b", json!({ "accepted": false, "status": 401 }))], Inconclusive);
    about.case("no subprotocol", &[("b", json!({ "subprotocol": null }))], Inconclusive);
    about.case("no configuration", &["b", "c", "d"].map(|step| (step, input_failed())), Inconclusive);
}

#[test]
fn any_origin() {
    let about = About::new("cors/any-origin", &["b", "c", "d", "e"].map(|step| (step, NOT_ASKED)));
    let evil = |allow: &str, status: u16| {
        json!({ "variant": "evil", "origin": "https://evil.test", "preflight": { "status": 204 },
            "actual": { "status": status, "allow_origin": allow } })
    };
    let absent = |status: u16| json!({ "variant": "absent", "preflight": {}, "actual": { "status": status } });
    let answers = |one: Value, two: Value| json!({ "answers": [one, two] });
    let reflected = || ("a", answers(evil("https://evil.test", 200), absent(200)));
    let verdict = about.case("reflects", &[reflected()], Fail);
    assert_eq!((verdict.severity, verdict.level), (Low, Level::Should), "everybody may fetch it");
    let verdict = about.with_policy("asvs-l2").case("reflects, ASVS", &[reflected()], Fail);
    assert_eq!((verdict.severity, verdict.level), (Medium, Level::Should));
    let verdict = about.with_target("cognigy", "admission = \"cookie\"").case("reflects, cookie", &[reflected()], Fail);
    assert_eq!((verdict.severity, verdict.level), (High, Level::Must));
    about.case("wildcard", &[("a", answers(evil("*", 200), absent(200)))], Pass);
    about.case("error to the foreign origin", &[("a", answers(evil("https://www.test", 500), absent(200)))], Pass);
    about.case("out of order", &[("a", answers(evil("", 503), absent(502)))], Inconclusive);
    about.case("too many requests", &[("a", answers(evil("", 429), absent(429)))], Inconclusive);
    about.case("half asked", &[("a", json!({ "outcome": "timeout", "answers": [evil("", 200)] }))], Inconclusive);
    about.case("nothing given", &[("a", NOT_ASKED)], NotApplicable);
    let open = ("e", json!({ "answers": [evil("", 200)] }));
    let verdict = about.case("an API without login", &[open], Fail);
    assert_eq!((verdict.severity, verdict.level), (High, Level::Must), "no matter of origins alone");
    about.case("an API out of order", &[("e", json!({ "answers": [evil("", 502)] }))], Inconclusive);
}

#[test]
fn websocket_origin() {
    let about = About::new("cors/websocket-origin", &[]);
    let granted = json!({ "accepted": true, "status": 101, "subprotocol": "sip" });
    let verdict = about.case("granted, then silent", &[("b", granted.clone())], Fail);
    assert_eq!((verdict.severity, verdict.level), (Medium, Level::Should));
    let strict = about.with_policy("asvs-l3").case("granted", &[("d", granted.clone())], Fail);
    assert_eq!((strict.severity, strict.level), (Medium, Level::Must));
    let cookie = about.with_target("sip", "admission = \"cookie\"").case("granted", &[("c", granted)], Fail);
    assert_eq!((cookie.severity, cookie.level), (High, Level::Must));
    let closed = json!({ "accepted": true, "status": 101, "outcome": "closed", "close_code": 1008 });
    about.case("closed with 1008 before any SIP", &[("b", closed.clone())], Pass);
    let mut spoke = closed;
    spoke["sip_answer"] = json!({ "status": 200 });
    about.case("SIP, then closed", &[("b", spoke)], Fail);
    about.case("reset", &[("e", json!({ "status": null, "outcome": "closed" }))], Pass);
    about.case("silent", &[("e", timed_out())], Inconclusive);
    about.case("error", &[("b", answered(502))], Inconclusive);
    about.case("redirect", &[("b", answered(302))], Pass);
    about.case("a ban", &[("g", json!({ "accepted": false, "outcome": "unreachable" }))], Inconclusive);
    about.case("trusted refused", &[("a", json!({ "accepted": false, "status": 403 }))], Inconclusive);
}

#[test]
fn credentials_shared() {
    let about = About::new("credentials/shared", &[]);
    let one = |step: &str| json!({ "config": { "password": digest(&format!("password {step}")) } });
    let verdict = about.case("one pair for two participants", &[("b", one("a"))], Fail);
    assert_eq!((verdict.severity, verdict.level), (High, Level::Must));
    about.case("one pair for two fetches", &[("c", one("a"))], Fail);
    let verdict = about.with_target("sip", "").case("promised by nobody", &[("b", one("a"))], Fail);
    assert_eq!((verdict.severity, verdict.level), (Low, Level::Info));
    let user = json!({ "config": { "username": digest("user a") } });
    assert_eq!(about.case("one user name", &[("b", user)], Pass).notes.len(), 1);
    let token = |text: &str| json!({ "config": { "password": null, "token": digest(text) } });
    about.case("one token", &[("a", token("1")), ("b", token("2")), ("c", token("1"))], Fail);
    about.case("other tokens", &[("a", token("1")), ("b", token("2")), ("c", token("3"))], Pass);
    about.case("no credential", &[("b", json!({ "config": { "password": null } }))], Inconclusive);
    about.case("rate limited", &[("c", answered(429))], Inconclusive);
    about.case("no answer", &[("b", timed_out())], Inconclusive);
    about.case(
        "runtime endpoint",
        &[("a", json!({ "config": { "kind": "runtime", "password": null } }))],
        NotApplicable,
    );
    about.case("from the target file", &[("a", json!({ "status": null }))], NotApplicable);
}

#[test]
fn register_without() {
    let about = About::new("credentials/register-without", &[]);
    let statuses = |list: &[u16], outcome: &str| json!({ "statuses": list, "status": list.last(), "outcome": outcome });
    about.case("the second goes through", &[("a", statuses(&[401, 200], "answered"))], Fail);
    about.case("a wrong password does", &[("f", statuses(&[200], "answered"))], Fail);
    about.case(
        "one goes, one is busy",
        &[("e", statuses(&[200, 200], "answered")), ("b", statuses(&[503], "answered"))],
        Fail,
    );
    about.case("403 at once", &[("a", statuses(&[403, 403], "answered"))], Pass);
    about.case("404 for who is not there", &[("a", statuses(&[404, 404], "answered"))], Pass);
    about.case("closes after the first", &[("a", statuses(&[403], "closed"))], Pass);
    about.case("silent after the first", &[("a", statuses(&[401], "timeout"))], Inconclusive);
    about.case("never upgraded", &[("b", json!({ "statuses": [], "status": 403, "outcome": "closed" }))], Inconclusive);
    about.case("busy", &[("a", statuses(&[401, 503], "answered"))], Inconclusive);
    about.case("bad request", &[("f", statuses(&[400], "answered"))], Inconclusive);
    about.case("no answer", &[("f", json!({ "statuses": [], "status": null, "outcome": "timeout" }))], Inconclusive);
    about.case("the right pair fails", &[("d", statuses(&[403], "answered"))], Inconclusive);
    about.case("no configuration", &["d", "e", "f"].map(|step| (step, input_failed())), Inconclusive);
    about.case("runtime endpoint", &[("c", json!({ "config": { "kind": "runtime" } }))], NotApplicable);
    let token = about.with_target("sip", "admission = \"token\"");
    token.case("admitted by the address", &[("e", statuses(&[200, 200], "answered"))], Pass);
    token.case("admitted as somebody else", &[("a", statuses(&[200, 200], "answered"))], Fail);
}

#[test]
fn credentials_survive_hangup() {
    let refused = json!({ "status": 401, "statuses": [401] });
    let call = json!({ "status": 401, "invite_status": null, "answered": false });
    let about = About::new("tokens/credentials-survive-hangup", &[("d", refused), ("f", call)]);
    let verdict = about.case("still registers", &[("d", json!({ "status": 200 }))], Fail);
    assert_eq!((verdict.severity, verdict.level), (High, Level::Must));
    about.case("still calls", &[("f", json!({ "status": 200, "answered": true }))], Fail);
    about.case(
        "calls, and the registrar is busy",
        &[("f", json!({ "status": 200 })), ("d", json!({ "status": 503 }))],
        Fail,
    );
    let verdict = about.with_target("sip", "").case("promised by nobody", &[("d", json!({ "status": 200 }))], Fail);
    assert_eq!((verdict.severity, verdict.level), (Low, Level::Info));
    let by_hand = || ("a", json!({ "status": null }));
    let left_out = ["b", "c", "d", "f"].map(|step| (step, NOT_ASKED));
    let typed_in: Vec<_> = left_out.into_iter().chain([by_hand()]).collect();
    about.with_target("sip", "").case("an account, promised by nobody", &typed_in, NotApplicable);
    let promised = about.with_target("sip", "session_scope = true");
    promised.case("an account, promised for a session", &[by_hand(), ("d", json!({ "status": 200 }))], Fail);
    for status in [302, 408, 480, 500, 503] {
        about.case("busy", &[("d", json!({ "status": status }))], Inconclusive);
        about.case("busy", &[("f", json!({ "status": status }))], Inconclusive);
    }
    about.case("no answer", &[("f", timed_out())], Inconclusive);
    about.case("closes the connection", &[("d", json!({ "status": null, "outcome": "closed" }))], Pass);
    about.case("an outage", &[("h", json!({ "status": 503 }))], Inconclusive);
    about.case("never called", &[("b", json!({ "answered": false, "status": 486 }))], Inconclusive);
    about.case("no time", &[("c", json!({ "skipped": true }))], Inconclusive);
    about.case("runtime endpoint", &[("a", json!({ "config": { "kind": "runtime" } }))], NotApplicable);
}

#[test]
fn answer_cacheable() {
    let about = About::new("credentials/answer-cacheable", &[("c", NOT_ASKED)]);
    let control = |value: &str| ("a", json!({ "cache_control": value }));
    about.case("no-store among others", &[control("private, no-store")], Pass);
    about.case("public", &[control("public, max-age=300")], Fail);
    about.case("private alone", &[control("private, no-cache")], Fail);
    about.case("nothing said", &[("a", json!({ "cache_control": null }))], Fail);
    let bare = || ("c", json!({ "status": 200, "headers": [] }));
    about.case("recording", &[bare()], Fail);
    about.case("recording says no-store", &[("c", json!({}))], Pass);
    about.case(
        "recording does not answer",
        &[("c", json!({ "outcome": "timeout", "status": null, "headers": [] }))],
        Inconclusive,
    );
    about.case("recording forbidden", &[("c", json!({ "status": 403, "headers": [] }))], Inconclusive);
    about.case("both", &[control("public"), ("c", json!({ "status": 403, "headers": [] }))], Fail);
    about.case("no credential", &[("a", json!({ "config": { "password": null } }))], Inconclusive);
    about.case("no answer", &[("a", timed_out())], Inconclusive);
    about.case("from the target file", &[("a", json!({ "status": null }))], NotApplicable);
}

#[test]
fn not_dtls_srtp() {
    let about = About::new("media/not-dtls-srtp", &[]);
    let call = |what: &str, change: Value, expected| about.case(what, &[("c", change)], expected);
    call("plain RTP", json!({ "media": { "plain_received": 5 } }), Fail);
    call("plain RTCP", json!({ "rtcp": { "plain_received": 1 } }), Fail);
    call("RTCP that nobody can open", json!({ "rtcp": { "authenticated": 0 } }), Fail);
    call(
        "RTP/AVP",
        json!({ "sdp": { "profile": "RTP/AVP", "fingerprints": [] }, "dtls": { "completed": false } }),
        Fail,
    );
    call(
        "no handshake",
        json!({ "dtls": { "completed": false }, "media": { "received": 0, "authenticated": 0 } }),
        Fail,
    );
    call("packets that nobody can open", json!({ "media": { "authenticated": 0 } }), Fail);
    call(
        "short form, no RTCP, no mux",
        json!({ "sdp": { "profile": "RTP/SAVPF", "rtcp_mux": false },
        "rtcp": { "received": 0, "authenticated": 0 } }),
        Pass,
    );
    let silent = json!({ "media": { "received": 0, "authenticated": 0, "echoed": 0 } });
    call("a destination that only reports", silent.clone(), Inconclusive);
    let mut nothing = silent;
    nothing["rtcp"] = json!({ "received": 0, "authenticated": 0 });
    call("a silent destination", nothing.clone(), Inconclusive);
    nothing["ice"] = json!({ "connected": false });
    nothing["dtls"] = json!({ "completed": false });
    call("no UDP", nothing.clone(), Inconclusive);
    nothing["sdp"] = json!({ "profile": "RTP/AVP" });
    call("no UDP, and the wrong profile", nothing, Fail);
    call(
        "audio refused",
        json!({ "sdp": { "media_accepted": false, "fingerprints": [] }, "dtls": { "completed": false } }),
        Inconclusive,
    );
    call("hung up in mid-call", json!({ "ended_by": "target", "seconds": 1.0 }), Inconclusive);
    call("refused", json!({ "answered": false, "status": 486 }), Inconclusive);
    call("no configuration", input_failed(), Inconclusive);
}

#[test]
fn sdes_accepted() {
    let refused = json!({ "status": 488, "invite_status": 488, "answered": false, "sdp": { "media_accepted": false },
        "dtls": { "completed": false }, "media": { "received": 0, "authenticated": 0, "echoed": 0 } });
    let about = About::new("media/sdes-accepted", &[("a", refused), ("b", json!({}))]);
    let flows = json!({ "status": 200, "invite_status": 200, "answered": true,
        "sdp": { "media_accepted": true, "has_crypto": true }, "media": { "received": 90, "authenticated": 90 } });
    let verdict = about.case("media under the key in the SDP", &[("a", flows.clone())], Fail);
    assert_eq!(verdict.severity, High);
    let verdict = about.case("a=crypto to anybody", &[("ok", json!({ "sdp": { "has_crypto": true } }))], Fail);
    assert_eq!(verdict.severity, Critical);
    about.case("prefers the key in the SDP", &[("b", json!({ "sdp": { "has_crypto": true } }))], Fail);
    let mut careless = flows;
    careless["media"] = json!({ "received": 0, "authenticated": 0 });
    about.case("a careless line, nothing flows", &[("a", careless)], Pass);
    let plain = json!({ "status": 200, "invite_status": 200, "answered": true, "sdp": { "media_accepted": true },
        "media": { "received": 9, "plain_received": 9 } });
    about.case("in clear", &[("a", plain)], Fail);
    let lost = json!({ "ice": { "connected": false }, "dtls": { "completed": false },
        "media": { "received": 0, "authenticated": 0, "echoed": 0 } });
    about.case("ICE fails", &[("b", lost)], Inconclusive);
    about.case(
        "refused before the offer was seen",
        &[("a", json!({ "status": 403, "invite_status": null }))],
        Inconclusive,
    );
    for status in [408, 480, 503] {
        about.case("busy", &[("a", json!({ "status": status, "invite_status": status }))], Inconclusive);
    }
    about.case("no control", &[("ok", json!({ "media": { "authenticated": 0 } }))], Inconclusive);
}

#[test]
fn fingerprint_mismatch() {
    let silent = json!({ "received": 0, "authenticated": 0, "echoed": 0 });
    let sound = json!({ "dtls": { "completed": false, "alert": "bad_certificate", "alert_after_ms": 12 }, "media": silent,
        "srtp": { "profile": null, "keys": null } });
    let about = About::new("media/fingerprint-mismatch", &[("c", sound)]);
    let call = |what: &str, change: Value, expected| about.case(what, &[("c", change)], expected);
    let alive = json!({ "dtls": { "completed": true, "alert": null, "alert_after_ms": null },
        "media": { "received": 300, "authenticated": 300, "echoed": 290 } });
    let verdict = call("media go on", alive.clone(), Fail);
    assert_eq!((verdict.severity, verdict.level), (Critical, Level::Must));
    let mut quiet = alive;
    quiet["media"] = silent.clone();
    let verdict = call("silence without an alert", quiet.clone(), Fail);
    assert_eq!((verdict.severity, verdict.level), (Medium, Level::Should));
    quiet["ended_by"] = json!("target");
    quiet["ended_after_ms"] = json!(900);
    call("hung up at once", quiet.clone(), Pass);
    quiet["ended_after_ms"] = json!(5900);
    call("hung up late", quiet, Fail);
    call("no alert, never finished", json!({ "dtls": { "alert": null, "alert_after_ms": null } }), Pass);
    let never = json!({ "dtls": { "alert": null, "server_random": null } });
    call("no handshake at all", never.clone(), Inconclusive);
    let mut lost = never;
    lost["ice"] = json!({ "connected": false });
    call("ICE fails", lost, Inconclusive);
    call("we broke off", json!({ "dtls": { "alert": null, "alert_sent": "bad_certificate" } }), Inconclusive);
    for status in [403, 480, 488, 503] {
        call("not answered", json!({ "answered": false, "status": status }), Inconclusive);
    }
    call("no answer", json!({ "answered": false, "status": null, "outcome": "timeout" }), Inconclusive);
    call("no configuration", input_failed(), Inconclusive);
    about.case("setup:active refused", &[("ok", json!({ "answered": false, "status": 488 }))], Inconclusive);
    about.case("no audio in the control", &[("ok", json!({ "media": silent }))], Inconclusive);
}

#[test]
fn repeated_between_calls() {
    let about = About::new("keys/repeated-between-calls", &[]);
    let repeat = |group: &str, field: &str, value: Value| json!({ group: { field: value } });
    about.case("random", &[("b", repeat("dtls", "server_random", digest("random a")))], Fail);
    about.case("keys", &[("d", repeat("srtp", "keys", digest("keys b")))], Fail);
    about.case("ICE password", &[("d", repeat("ice", "remote_pwd", digest("pwd a")))], Fail);
    about.case("tls-id", &[("d", repeat("sdp", "tls_id", json!("id a")))], Fail);
    about.case("no tls-id", &["a", "b", "d"].map(|step| (step, repeat("sdp", "tls_id", Value::Null))), Pass);
    assert_eq!(about.case("fragment", &[("b", repeat("ice", "remote_ufrag", digest("ufrag a")))], Pass).notes.len(), 1);
    let certificate = || ("b", json!({ "dtls": { "certificate": { "digest": digest("certificate a") } } }));
    assert_eq!(about.case("certificate", &[certificate()], Pass).notes.len(), 1);
    about.case("random not seen", &[("a", repeat("dtls", "server_random", Value::Null))], Inconclusive);
    about.case("no media", &[("b", repeat("media", "authenticated", json!(0)))], Inconclusive);
    about.case("refused", &[("d", json!({ "answered": false, "status": 488 }))], Inconclusive);
}

#[test]
fn unauthenticated_allocate() {
    let about = About::new("turn/unauthenticated-allocate", &[("ok_tls", NOT_ASKED)]);
    let granted = || json!({ "allocated": true, "error_code": null, "lifetime_s": 600 });
    let silent = || json!({ "reachable": false, "error_code": null, "outcome": "timeout" });
    for step in ["a", "b", "d"] {
        about.case("granted", &[(step, granted())], Fail);
        about.case("another refusal", &[(step, json!({ "error_code": 403 }))], Pass);
        about.case("full, not forbidden", &[(step, json!({ "error_code": 508 }))], Inconclusive);
        about.case("a refusal without a code", &[(step, json!({ "error_code": null }))], Inconclusive);
        let verdict = about.case("a signed refusal", &[(step, json!({ "integrity_on_401": true }))], Fail);
        assert_eq!(verdict.severity, Medium);
    }
    about.case("no UDP answer", &[("a", silent())], Inconclusive);
    about.case("UDP only", &[("b", silent()), ("d", silent())], Pass);
    about.case("no control", &[("ok", json!({ "allocated": false, "error_code": 401 }))], Inconclusive);
    about.case(
        "no configuration",
        &[
            ("c", json!({ "status": 500, "config": { "ice_servers": [] } })),
            ("ok", NOT_ASKED),
            ("a", NOT_ASKED),
            ("b", NOT_ASKED),
            ("d", input_failed()),
        ],
        Inconclusive,
    );
    let tls_only = |last: Value| {
        let servers = json!({ "config": { "ice_servers": [{ "urls": ["turns:t.test"] }] } });
        [("c", servers), ("ok", NOT_ASKED), ("ok_tls", json!({})), ("a", NOT_ASKED), ("b", NOT_ASKED), ("d", last)]
    };
    about.case("TLS only", &tls_only(json!({})), Pass);
    about.case("TLS only, granted", &tls_only(granted()), Fail);
    about.case("TLS only, silent", &tls_only(silent()), Inconclusive);
    let none = json!({ "config": { "ice_servers": [{ "urls": ["stun:s.test"] }] } });
    about.case(
        "no TURN",
        &[
            ("c", none),
            ("ok", NOT_ASKED),
            ("a", NOT_ASKED),
            ("b", NOT_ASKED),
            ("ok_tls", NOT_ASKED),
            ("d", json!({ "offered": false, "reachable": false, "error_code": null })),
        ],
        NotApplicable,
    );
}

#[test]
fn each_scenario_has_its_table() {
    let text = concat!(
        include_str!("scenarios.rs"),
        include_str!("scenarios/attacks.rs"),
        include_str!("scenarios/calls.rs"),
        include_str!("scenarios/handshakes.rs"),
        include_str!("scenarios/hellos.rs"),
        include_str!("scenarios/messages.rs"),
        include_str!("scenarios/pages.rs"),
        include_str!("scenarios/relays.rs"),
        include_str!("scenarios/secrets.rs"),
        include_str!("scenarios/tls.rs"),
        include_str!("scenarios/tokens.rs"),
        include_str!("scenarios/web.rs"),
        include_str!("scenarios/logins.rs")
    );
    // A long call is broken over lines.
    let text: String = text.split_whitespace().collect();
    for id in healthy::ids() {
        let made = |how: &str| text.contains(&format!("About::{how}(\"{id}\""));
        assert!(made("new") || made("with_sessions") || made("declaring"), "{id} has no cases here");
    }
}
