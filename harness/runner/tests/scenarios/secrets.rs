//! The scenarios about where credentials stand and what they are worth, before hand-made observations.

use ringfence_model::verdict::Severity::{Critical, High};
use ringfence_model::verdict::State::{Fail, Inconclusive, NotApplicable, Pass};
use serde_json::{Value, json};

use crate::healthy::{About, NOT_ASKED, input_failed};

fn entropy(bits: i64) -> Value {
    json!([{ "field": "username", "class": "hex", "bits": 64, "samples": 3 },
        { "field": "password", "class": "hex", "bits": bits, "samples": 3 }])
}

#[test]
fn weak() {
    let sound = json!({ "configs": 3, "pairs": 3, "entropy": entropy(128) });
    let about = About::new("credentials/weak", &[("d", sound)]);
    let d = |change: Value| [("d", change)];
    assert_eq!(about.case("few bits", &d(json!({ "entropy": entropy(40) })), Fail).severity, High);
    about.case("just enough", &d(json!({ "entropy": entropy(80) })), Pass);
    about.with_policy("asvs-l2").case("enough for the policy", &d(json!({ "entropy": entropy(128) })), Pass);
    for why in ["list", "repeat", "same-under-two-names", "counter", "timestamp", "generator", "short", "derived"] {
        let verdict = about.case(why, &d(json!({ "weak": [{ "field": "password", "why": why }] })), Fail);
        assert!(verdict.findings[0].message.visible().contains(why));
    }
    let counted = json!([{ "field": "username", "class": "digits", "bits": 3, "samples": 3 }, { "field": "password", "class": "hex", "bits": 128, "samples": 3 }]);
    about.case("user names count up", &d(json!({ "entropy": counted })), Pass);
    let token = |bits: i64| json!({ "entropy": [{ "field": "token", "class": "base64", "bits": bits, "samples": 3 }] });
    about.case("a short token", &d(token(60)), Fail);
    about.case("a long token", &d(token(256)), Pass);
    let session = json!({ "entropy": [{ "field": "session_id", "class": "hex", "bits": 32, "samples": 3 }] });
    about.case("a short session id", &d(session), Fail);
    about.case("one pair for all", &d(json!({ "pairs": 1 })), Inconclusive);
    about.case(
        "one pair for all, and a bad one",
        &d(json!({ "pairs": 1, "weak": [{ "field": "password", "why": "list" }] })),
        Fail,
    );
    about.case("no secret", &d(json!({ "pairs": 0, "entropy": [] })), Inconclusive);
    about.case(
        "a later fetch failed",
        &[("c", json!({ "outcome": "timeout", "status": null })), ("d", input_failed())],
        Inconclusive,
    );
    let rest = [("a", json!({ "status": 500 })), ("b", NOT_ASKED), ("c", NOT_ASKED), ("d", NOT_ASKED)];
    about.case("no configuration", &rest, Inconclusive);
    let runtime = json!({ "config": { "kind": "runtime", "password": null, "username": null } });
    about.case("a runtime endpoint", &[("a", runtime)], NotApplicable);
    let file = json!({ "status": null, "config": { "kind": "sip" } });
    let sip = about.with_target("sip", "");
    sip.case("the target file's pair", &[("a", file.clone()), ("d", json!({ "pairs": 1 }))], NotApplicable);
    sip.case("and a short one", &[("a", file.clone()), ("d", json!({ "pairs": 1, "entropy": entropy(26) }))], Fail);
    let listed = json!({ "pairs": 1, "weak": [{ "field": "password", "why": "list" }] });
    sip.case("and one of the list", &[("a", file), ("d", listed)], Fail);
}

#[test]
fn in_page() {
    let about = About::new("credentials/in-page", &[("b", json!({ "visits": 2 }))]);
    let b = |change: Value| [("b", change)];
    let secret =
        |kind: &str, same: bool| json!({ "secrets": [{ "kind": kind, "where": "script", "same_in_visits": same }] });
    for kind in ["sip-password", "turn-password", "ha1", "bearer-token", "basic-auth", "turn-credential"] {
        assert_eq!(about.case(kind, &b(secret(kind, true)), Fail).severity, Critical);
        about.case("minted for each visit", &b(secret(kind, false)), Pass);
    }
    for kind in ["jwt", "api-key", "url", "private-key"] {
        about.case("another scenario's", &b(secret(kind, true)), Pass);
    }
    for value in ["password", "token", "turn-credential"] {
        about.case("what was minted", &b(json!({ "config_values_found": [value] })), Fail);
    }
    about.case("a user's name", &b(json!({ "config_values_found": ["username", "turn-username"] })), Pass);
    let server =
        |same: bool| json!({ "ice_servers": [{ "url": "turn:t.test", "credential": true, "same_in_visits": same }] });
    about.case("a static TURN password", &b(server(true)), Fail);
    about.case("a fresh one", &b(server(false)), Pass);
    about.case("no page", &b(json!({ "status": 404, "visits": 0 })), Inconclusive);
    about.case("no answer", &b(json!({ "outcome": "timeout", "status": null, "visits": 0 })), Inconclusive);
    about.case("one visit", &b(json!({ "visits": 1 })), Inconclusive);
    let unread = json!({ "scripts_not_read": ["https://cdn.test/x.js"] });
    about.case("a script was not read", &b(unread), Inconclusive);
    let found = json!({ "scripts_not_read": ["https://cdn.test/x.js"],
        "secrets": [{ "kind": "sip-password", "where": "page", "same_in_visits": true }] });
    about.case("found all the same", &b(found), Fail);
    about.case("no configuration", &[("a", json!({ "status": 500 })), ("b", NOT_ASKED)], Inconclusive);
}

#[test]
fn in_logs() {
    let about = About::new("credentials/in-logs", &[("d", NOT_ASKED)]);
    let f = |change: Value| [("f", change)];
    let found = |kind: &str| json!([{ "file": "/var/log/a.log", "line": 3, "offset": 90, "kind": kind, "form": "plain", "starts_line": false, "ours": true }]);
    let verdict = about.case("a password", &f(json!({ "matches": found("sip-password") })), Fail);
    assert_eq!(verdict.severity, High);
    assert!(verdict.findings[0].message.visible().contains("/var/log/a.log"));
    about.case("a digest login", &f(json!({ "matches": found("authorization") })), Fail);
    about.case("a part of an address", &f(json!({ "matches": found("url") })), Pass);
    let mut others = found("jwt");
    others[0]["ours"] = false.into();
    let verdict = about.case("somebody's token, perhaps", &f(json!({ "matches": others })), Pass);
    assert_eq!(verdict.notes.len(), 1);
    about.case(
        "no file",
        &f(json!({ "files_read": 0, "files_not_read": ["/var/log/a.log"], "newer_lines": 0 })),
        Inconclusive,
    );
    about.case("the wrong file", &f(json!({ "newer_lines": 0 })), Inconclusive);
    about.case("too much to read", &f(json!({ "cut": true })), Inconclusive);
    about.case("found in the beginning", &f(json!({ "cut": true, "matches": found("ha1") })), Fail);
    about.case("one file of two", &f(json!({ "files_not_read": ["/var/log/b.log"] })), Inconclusive);
    about.case(
        "found in the other",
        &f(json!({ "files_not_read": ["/var/log/b.log"], "matches": found("ha1") })),
        Fail,
    );
    let rest = ["d", "e", "f"].map(|step| (step, NOT_ASKED));
    let call: Vec<(&str, Value)> =
        [("c", json!({ "answered": false, "status": 503 }))].into_iter().chain(rest).collect();
    about.case("no call", &call, Inconclusive);
}
