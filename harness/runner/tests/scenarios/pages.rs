//! The scenarios that a browser asks, before hand-made observations.

use ringfence_model::verdict::Severity::{Critical, High, Low, Medium};
use ringfence_model::verdict::State::{Fail, Inconclusive, NotApplicable, Pass};
use serde_json::{Value, json};

use crate::healthy::{About, NOT_ASKED, input_failed};

fn leak(kind: &str, place: &str) -> Value {
    json!([{ "kind": kind, "where": place }])
}

/// A browser that saw nothing in time.
fn blank() -> Value {
    json!({ "outcome": "timeout", "loaded": false, "call_started": false, "calls_started": 0, "invites_sent": 0,
        "websocket_urls": [], "ice_servers": [], "injected": 0, "injected_answered": false,
        "peer": { "dtls_version": null, "dtls_cipher": null, "srtp_cipher": null, "local_fingerprint": null,
            "candidate_types": [], "bytes_received": 0, "bytes_sent": 0 } })
}

/// A visit that was cut off, but showed what it had to until then.
fn cut() -> Value {
    json!({ "outcome": "protocol" })
}

/// An INVITE was sent, and that is all.
fn no_media() -> Value {
    json!({ "peer": { "dtls_version": null } })
}

fn no_call() -> Value {
    json!({ "call_started": false, "calls_started": 0, "invites_sent": 0 })
}

/// What a chain leaves of its later steps where a control did not hold.
fn rest<'a>(control: (&'a str, Value), later: &[&'a str]) -> Vec<(&'a str, Value)> {
    std::iter::once(control).chain(later.iter().map(|step| (*step, NOT_ASKED))).collect()
}

#[test]
fn exposed_in_browser() {
    let about = About::new("credentials/exposed-in-browser", &[]);
    for step in ["a", "b"] {
        for place in ["console_leaks", "storage_leaks", "dom_leaks"] {
            let found = |kind: &str| [(step, json!({ place: leak(kind, "local-storage") }))];
            assert_eq!(about.case("a password", &found("sip-password"), Fail).severity, High);
            about.case("what the target file's address holds", &found("url"), Pass);
        }
    }
    about.case("no page", &rest(("a", blank()), &["b"]), Inconclusive);
    about.case("no call", &rest(("a", no_call()), &["b"]), Inconclusive);
    about.case("no second visit", &[("b", blank())], Inconclusive);
    about.case("a refused call", &[("a", no_media())], Inconclusive);
    for step in ["a", "b"] {
        about.case("cut off", &[(step, cut())], Inconclusive);
        let found = json!({ "outcome": "protocol", "dom_leaks": leak("sip-password", "text") });
        about.case("found, then cut off", &[(step, found)], Fail);
    }
    about.case("no browser left", &[("b", input_failed())], Inconclusive);
}

#[test]
fn in_url() {
    let about = About::new("credentials/in-url", &[]);
    let verdict =
        about.case("in the WebSocket's", &[("a", json!({ "url_leaks": leak("sip-password", "websocket") }))], Fail);
    assert_eq!(verdict.severity, Medium);
    assert!(verdict.findings[0].message.visible().contains("websocket"));
    about.case("in a script's", &[("b", json!({ "secrets": leak("jwt", "url") }))], Fail);
    about.case("in a script, no address", &[("b", json!({ "secrets": leak("jwt", "script") }))], Pass);
    let own = json!({ "url_leaks": leak("url", "page") });
    assert_eq!(about.case("the target file's own", &[("a", own)], Pass).notes.len(), 1);
    about.case("no call", &rest(("a", no_call()), &["b"]), Inconclusive);
    about.case("a refused call", &[("a", no_media())], Inconclusive);
    about.case("cut off", &[("a", cut())], Inconclusive);
    about.case("gone", &[("b", json!({ "status": 404 }))], Inconclusive);
    about.case("no text", &[("b", json!({ "outcome": "timeout", "status": null }))], Inconclusive);
}

#[test]
fn pii_in_identifiers() {
    let about = About::new("identity/pii-in-identifiers", &[]);
    let verdict = about.case("an address", &[("b", json!({ "pii": leak("email", "user-id") }))], Fail);
    assert_eq!(verdict.severity, High);
    assert!(verdict.findings[0].message.visible().contains("email"));
    about.case("a token", &[("c", json!({ "secrets": leak("jwt", "x-user") }))], Fail);
    about.case("what the target file's address holds", &[("c", json!({ "secrets": leak("url", "x-user") }))], Pass);
    about.case("cut off", &[("a", cut())], Inconclusive);
    let nothing = |frames: i64| json!({ "identifiers": 0, "with_user_id": 0, "frames": frames });
    about.case("no names", &[("b", nothing(20))], Inconclusive);
    let vonage = about.with_target("vonage", "");
    vonage.case("another protocol", &[("b", nothing(20))], Pass);
    vonage.case("no messages", &[("b", nothing(0))], Inconclusive);
    about.case("no call", &rest(("a", no_call()), &["b", "c"]), Inconclusive);
    about.case("nothing kept", &["b", "c"].map(|step| (step, input_failed())), Inconclusive);
}

#[test]
fn predictable_user_id() {
    let about = About::new("identity/predictable-user-id", &[]);
    let bits = |field: &str, bits: i64| json!({ "entropy": [{ "field": field, "class": "digits", "bits": bits }] });
    assert_eq!(about.case("a counter", &[("c", bits("user-id", 0))], Fail).severity, Low);
    let open = about.with_target("cognigy", "admission = \"headers\"");
    assert_eq!(open.case("and it is all that is asked", &[("c", bits("user-id", 0))], Fail).severity, Medium);
    about.case("just enough", &[("c", bits("user-id", 64))], Pass);
    about.case("just not", &[("c", bits("user-id", 63))], Fail);
    about.case("another name", &[("c", bits("display-name", 0))], Pass);
    let again = |field: &str| [("d", json!({ "reused": [{ "field": field }] }))];
    about.case("comes again", &again("user-id"), Fail);
    about.case("another name comes again", &again("display-name"), Pass);
    about.with_target("sip", "fixed_user_id = true").case("an account", &again("user-id"), NotApplicable);
    let ids = |all: i64, ids: i64| [("c", json!({ "identifiers": all, "with_user_id": ids, "entropy": [] }))];
    about.case("anonymous", &ids(6, 0), NotApplicable);
    about.case("nothing seen", &ids(0, 0), Inconclusive);
    about.case("seen once", &ids(6, 1), Inconclusive);
    let one = json!({ "calls_started": 1 });
    about.case("one of two calls", &rest(("a", one), &["b", "c", "d"]), Inconclusive);
    about.case("no third call", &rest(("b", no_call()), &["c", "d"]), Inconclusive);
}

#[test]
fn capture_before_consent() {
    let about = About::new("page/capture-before-consent", &[]);
    for step in ["b", "c"] {
        let verdict = about.case("opens it", &[(step, json!({ "microphone_without_click": true }))], Fail);
        assert_eq!(verdict.severity, High);
    }
    about.case("cut off", &[("b", cut())], Inconclusive);
    about.case("calls", &[("b", json!({ "call_started": true }))], Fail);
    about.case("calls in vain", &[("b", json!({ "invites_sent": 1 }))], Fail);
    let notice = || ("a", json!({ "config": { "privacy_notice": true } }));
    about.case("no notice shown", &[notice()], Fail);
    about.case("notice accepted first", &[notice(), ("c", json!({ "notice_before_capture": true }))], Pass);
    let silent = || ("a", json!({ "outcome": "timeout", "status": null, "config": { "kind": null } }));
    about.case("no configuration", &[silent()], Inconclusive);
    about.case("and a notice all the same", &[silent(), ("c", json!({ "notice_before_capture": true }))], Pass);
    about.case("configuration out of reach", &[("a", input_failed())], Inconclusive);
    about.case("no page without a click", &[("b", blank())], Inconclusive);
    about.case("no call", &rest(("c", no_call()), &["b"]), Inconclusive);
}

#[test]
fn browser_media() {
    let about = About::new("page/browser-media", &[]);
    let peer = |field: &str, value: Value| [("b", json!({ "peer": { field: value } }))];
    assert_eq!(about.case("one certificate", &peer("local_fingerprint", json!("sha-256 c")), Fail).severity, Medium);
    assert_eq!(about.case("DTLS 1.0", &peer("dtls_version", json!("1.0")), Fail).severity, High);
    let suite = |name: &str| peer("dtls_cipher", json!(name));
    assert_eq!(about.case("no encryption", &suite("TLS_RSA_WITH_NULL_SHA256"), Fail).severity, High);
    assert_eq!(about.case("static keys", &suite("TLS_RSA_WITH_AES_128_GCM_SHA256"), Fail).severity, Medium);
    let cbc = suite("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA");
    assert_eq!(about.case("CBC", &cbc, Pass).notes.len(), 1);
    about.with_policy("strict-aead").case("CBC, strict", &cbc, Fail);
    about.case("a newer suite", &suite("TLS_OF_TOMORROW"), Pass);
    about.with_policy("asvs-l2").case("a newer suite, ASVS", &suite("TLS_OF_TOMORROW"), Fail);
    let profile = |name: &str| peer("srtp_cipher", json!(name));
    about.case("the mandatory profile", &profile("cm-sha1-80"), Pass);
    about.with_policy("strict-aead").case("the mandatory profile, strict", &profile("cm-sha1-80"), Fail);
    about.case("no profile", &profile("null-sha1-80"), Fail);
    for field in ["dtls_version", "dtls_cipher", "srtp_cipher", "local_fingerprint"] {
        about.case("not told", &peer(field, Value::Null), Inconclusive);
    }
    about.case("ws", &[("b", json!({ "websocket_urls": ["wss://s.test/", "ws://s.test/"] }))], Fail);
    about.case("no servers given", &[("b", json!({ "ice_servers": [] }))], Fail);
    about.case("no TURN given", &[("b", json!({ "ice_servers": [{ "urls": ["stun:t.test"] }] }))], Fail);
    let direct = || peer("candidate_types", json!(["host"]))[0].clone();
    about.case("no relay", &[direct()], Fail);
    let refused = || ("t", json!({ "allocated": false, "error_code": 401 }));
    assert_eq!(about.case("no relay for us either", &[direct(), refused()], Pass).notes.len(), 1);
    let none = ("a", json!({ "config": { "ice_servers": [] } }));
    let bare = ("b", json!({ "ice_servers": [], "peer": { "candidate_types": ["host"] } }));
    about.case("no servers at all", &[none, ("t", NOT_ASKED), bare], Pass);
    let unknown = || [("a", input_failed()), ("t", input_failed())];
    about.case("no configuration, and a relay all the same", &unknown(), Pass);
    about.case("no configuration, and no relay", &[unknown().as_slice(), &[direct()]].concat(), Inconclusive);
    about.case("no media", &peer("bytes_received", json!(0)), Inconclusive);
    about.case("no second call", &[("b", blank())], Inconclusive);
    about.case("no call", &rest(("c", blank()), &["b", "t", "d"]), Inconclusive);
}

#[test]
fn auto_answers() {
    let about = About::new("page/auto-answers", &[]);
    let silent = || json!({ "injected_answered": false });
    for step in ["b", "c", "d"] {
        let verdict = about.case("answers", &[(step, json!({ "auto_answered": true }))], Fail);
        assert_eq!(verdict.severity, Critical);
        let other = if step == "b" { "c" } else { "b" };
        about.case("answers, and misses another", &[(step, json!({ "auto_answered": true })), (other, silent())], Fail);
        about.case("not delivered", &[(step, silent())], Inconclusive);
        about.case("cut off", &[(step, cut())], Inconclusive);
        about.case("a refused call", &[(step, no_media())], Inconclusive);
        about.case("no page", &[(step, blank())], Inconclusive);
    }
    let other_ways = json!({ "websocket_urls": [] });
    about.case("no WebSocket", &[("a", other_ways)], NotApplicable);
    about.case("no call", &rest(("a", no_call()), &["b", "c", "d"]), Inconclusive);
}
