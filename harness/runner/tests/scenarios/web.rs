//! The scenarios about HTTP, TLS certificates and origins, before hand-made observations.

use ringfence_model::verdict::Level;
use ringfence_model::verdict::Severity::{High, Low, Medium};
use ringfence_model::verdict::State::{Fail, Inconclusive, NotApplicable, Pass};
use serde_json::{Value, json};

use crate::healthy::{About, NOT_ASKED, input_failed};

fn timed_out() -> Value {
    json!({ "outcome": "timeout", "status": null })
}

fn answered(status: u16) -> Value {
    json!({ "outcome": "answered", "status": status })
}

fn redirect(status: u16, to: &str) -> Value {
    json!({ "outcome": "answered", "status": status, "location": to, "body_bytes": 0 })
}

#[test]
fn unsafe_redirect() {
    let about = About::new("transport/unsafe-redirect", &["b", "c", "e", "b_tls"].map(|step| (step, NOT_ASKED)));
    let verdict = about.case("the API moves to TLS", &[("a", redirect(301, "https://x.test/t"))], Fail);
    assert_eq!((verdict.severity, verdict.level), (Low, Level::Should));
    let asvs = about.with_policy("asvs-l2").case("the same, ASVS", &[("a", redirect(308, "https://x.test/t"))], Fail);
    assert_eq!(asvs.severity, Medium);
    let verdict = about.case("down from TLS", &[("d", redirect(302, "http://x.test/t"))], Fail);
    assert_eq!(verdict.severity, Medium);
    about.case("the page leads down", &[("f", redirect(302, "http://x.test/call"))], Fail);
    about.case("the page moves to TLS", &[("g", redirect(301, "https://x.test/call"))], Pass);
    about.case("refused in clear", &[("a", answered(400))], Pass);
    about.case("TLS alert in clear", &[("a", json!({ "outcome": "protocol", "not_http": true }))], Pass);
    let mut leaking = redirect(301, "https://x.test/?token=x");
    leaking["location_leaks"] = json!([{ "kind": "token", "where": "location" }]);
    let verdict = about.case("a token in the address", &[("g", leaking.clone())], Fail);
    assert_eq!(verdict.severity, Medium);
    leaking["location_leaks"] = json!([{ "kind": "url", "where": "location" }]);
    about.case("the path that was asked for", &[("g", leaking)], Pass);
    about.case("no answer over TLS", &[("d", timed_out())], Inconclusive);
    about.case("the page is down", &[("f", timed_out())], Inconclusive);
    about.case("no page", &["f", "g"].map(|step| (step, NOT_ASKED)), Pass);
    about.case("the login is down", &[("e", timed_out()), ("c", timed_out())], Inconclusive);
    about.case("the login is closed in clear", &[("e", answered(401)), ("c", timed_out())], Pass);
    about.case("the API is down", &[("b_tls", timed_out()), ("b", timed_out())], Inconclusive);
    about.case("the API is closed in clear", &[("b_tls", answered(401)), ("b", timed_out())], Pass);
    about.case(
        "a redirect is one, whatever is down",
        &[("a", redirect(301, "https://x.test")), ("f", timed_out())],
        Fail,
    );
    for step in ["d", "e", "f"] {
        about.case("out of order", &[(step, answered(503))], Inconclusive);
    }
}

#[test]
fn page_over_http() {
    let about = About::new("transport/page-over-http", &[("a", redirect(301, "https://x.test/call"))]);
    about.case("served in clear", &[("a", json!({ "status": 200, "location": null, "body_bytes": 900 }))], Fail);
    about.case("redirected within clear", &[("a", redirect(301, "http://x.test/call"))], Fail);
    let mut script = redirect(301, "https://x.test/call");
    script["body_has_script"] = true.into();
    about.case("a script beside the redirect", &[("a", script)], Fail);
    about.case("closed", &[("a", json!({ "outcome": "closed", "status": null }))], Pass);
    about.case("silent", &[("a", timed_out())], Pass);
    about.case("nginx on a TLS port", &[("a", json!({ "status": 400, "location": null }))], Pass);
    about.case("out of order", &[("a", json!({ "status": 502, "location": null }))], Inconclusive);
    for status in [408, 429, 503] {
        about.case("busy", &[("a", json!({ "status": status, "location": null }))], Inconclusive);
    }
    let cut_off = json!({ "outcome": "closed", "status": 200, "location": null, "body_bytes": 900 });
    about.case("served in clear, and broken off", &[("a", cut_off)], Fail);
    let blocked = json!({ "status": 403, "location": null, "body_has_script": true });
    about.case("a network's own page of refusal, with scripts", &[("a", blocked)], Pass);
    let leaking = json!({ "status": 403, "location": null, "leaks": [{ "kind": "token", "where": "body" }] });
    about.case("a secret in a refusal", &[("a", leaking)], Fail);
    about.case("see other", &[("a", redirect(303, "https://x.test/call"))], Pass);
    about.case(
        "out of scope",
        &[("a", json!({ "outcome": "out-of-scope", "status": null, "location": null }))],
        Inconclusive,
    );
    about.case("loads in clear", &[("b", json!({ "mixed_content": ["http://cdn.test/x.js"] }))], Fail);
    about.case("no page", &[("b", json!({ "status": 404 })), ("a", NOT_ASKED)], Inconclusive);
    about.case("down", &[("b", timed_out()), ("a", NOT_ASKED)], Inconclusive);
}

#[test]
fn config_unsafe_uri() {
    let config = json!({ "config": { "ws_uri": "wss://s.test", "scheme": "wss", "ice_servers": [{ "urls": ["turn:t.test"] }] } });
    let about = About::new("transport/config-unsafe-uri", &[("a", config)]);
    about.case("in clear", &[("a", json!({ "config": { "scheme": "ws", "ws_uri": "WS://s.test" } }))], Fail);
    about.case("http", &[("a", json!({ "config": { "scheme": "http" } }))], Fail);
    about.case("a password in it", &[("a", json!({ "config": { "ws_userinfo": true } }))], Fail);
    about.case("somebody else's host", &[("a", json!({ "config": { "out_of_scope": ["wss://evil.test"] } }))], Fail);
    about.case("a field is missing", &[("a", json!({ "missing_fields": ["realm"] }))], Fail);
    about.case("refused there", &[("b", json!({ "accepted": false, "status": 404 }))], Fail);
    about.case("broken there", &[("b", json!({ "accepted": false, "status": 502 }))], Inconclusive);
    about.case(
        "nobody there",
        &[("b", json!({ "accepted": false, "outcome": "unreachable", "status": null }))],
        Inconclusive,
    );
    let in_clear = || ("a", json!({ "config": { "scheme": "ws", "ws_uri": "ws://s.test" } }));
    let nobody = || ("b", json!({ "accepted": false, "outcome": "timeout", "status": null }));
    let verdict = about.case("in clear, and no TLS there", &[in_clear(), nobody()], Fail);
    assert_eq!(verdict.findings.len(), 1, "that the server has no answer to TLS is no finding of its own");
    let foreign = ("a", json!({ "config": { "out_of_scope": ["wss://evil.test"] } }));
    let not_dialled = || ("b", json!({ "accepted": false, "outcome": "out-of-scope", "status": null }));
    assert_eq!(about.case("so it is not dialled", &[foreign, not_dialled()], Fail).findings.len(), 1);
    about.case("not dialled, and nobody knows why", &[not_dialled()], Inconclusive);
    about.case("too many requests", &[("b", json!({ "accepted": false, "status": 429 }))], Inconclusive);
    about.case("the browser gets no page", &[("c", json!({ "loaded": false }))], Inconclusive);
    about.case("in clear, and the browser gets no page", &[in_clear(), ("c", json!({ "loaded": false }))], Fail);
    about.case("no answer at all", &[("a", timed_out()), ("b", input_failed())], Inconclusive);
    about.case("the page dials in clear", &[("c", json!({ "websocket_urls": ["ws://s.test"] }))], Fail);
    about.case("no browser, no page", &["c", "d"].map(|step| (step, NOT_ASKED)), Pass);
    about.case("no configuration", &[("a", answered(500)), ("b", input_failed())], Inconclusive);
    let odd = json!({ "ports": [{ "port": 8443, "accepted": true }] });
    assert_eq!(about.case("an odd port", &[("b", odd)], Pass).notes.len(), 1);
}

#[test]
fn certificate_bad() {
    let about = About::new("transport/certificate-bad", &[("d", NOT_ASKED)]);
    let certificate = |change: Value| json!({ "certificate": change });
    for step in ["a", "b", "c", "d"] {
        about.case("untrusted", &[(step, certificate(json!({ "trusted": false })))], Fail);
        about.case("another name", &[(step, certificate(json!({ "name_matches": false })))], Fail);
        about.case("over", &[(step, certificate(json!({ "days_left": -1 })))], Fail);
    }
    about.case("self-signed", &[("a", certificate(json!({ "self_signed": true })))], Fail);
    about.case("not yet", &[("a", certificate(json!({ "not_yet_valid": true })))], Fail);
    about.case("RSA 1024", &[("a", certificate(json!({ "key_type": "rsa", "key_bits": 1024 })))], Fail);
    about.case("RSA 2048", &[("a", certificate(json!({ "key_type": "rsa", "key_bits": 2048 })))], Pass);
    about.case("SHA-1", &[("a", certificate(json!({ "signature_hash": "sha1" })))], Fail);
    about.case("Ed25519", &[("a", certificate(json!({ "key_type": "ed25519", "signature_hash": "ed25519" })))], Pass);
    let strict = about.with_policy("asvs-l3");
    let responder = || certificate(json!({ "ocsp_responder": true }));
    assert_eq!(strict.case("no staple", &[("a", responder())], Fail).severity, Low);
    let verdict =
        strict.case("no staple, and over", &[("a", responder()), ("b", certificate(json!({ "days_left": -3 })))], Fail);
    assert_eq!(verdict.severity, High);
    about.case("no staple, and no policy asks", &[("a", responder())], Pass);
    assert_eq!(about.case("ends soon", &[("a", certificate(json!({ "days_left": 3 })))], Pass).notes.len(), 1);
    let unlearned = || ("b", json!({ "certificate": null, "outcome": "tls-failed", "reachable": false }));
    let expired = || ("a", certificate(json!({ "days_left": -1 })));
    about.case("over, so that nobody learns where signalling is", &[expired(), unlearned()], Fail);
    about.case("over, and the rest broke", &[expired(), ("b", input_failed()), ("c", unlearned().1)], Fail);
    about.case("broken", &[("b", input_failed())], Inconclusive);
    about.case("no TLS", &[("b", json!({ "certificate": null, "outcome": "tls-failed" }))], Inconclusive);
    about.case("a key of a kind nobody knows", &[("a", certificate(json!({ "key_bits": null })))], Inconclusive);
}

fn answers(list: &[(&str, Option<&str>, u16)]) -> Value {
    let one = |(variant, allow, status): &(&str, Option<&str>, u16)| {
        let mut actual = json!({ "status": status, "carries_secret": true, "allow_credentials": false });
        if let Some(allow) = allow {
            actual["allow_origin"] = (*allow).into();
        }
        let origin = if *variant == "null" { "null".to_owned() } else { format!("https://{variant}.test") };
        json!({ "variant": variant, "origin": origin, "preflight": { "status": 204, "allow_credentials": false },
            "actual": actual })
    };
    json!({ "answers": list.iter().map(one).collect::<Vec<_>>() })
}

#[test]
fn not_quite_trusted() {
    let about = About::new("cors/not-quite-trusted", &["b", "c"].map(|step| (step, NOT_ASKED)));
    let asked = |allow: Option<&str>, status: u16| {
        ("a", answers(&[("trusted", Some("https://www.test"), 200), ("null", allow, status)]))
    };
    let verdict = about.case("null", &[asked(Some("null"), 200)], Fail);
    assert_eq!((verdict.severity, verdict.level), (Low, Level::Should));
    let cookie =
        about.with_target("cognigy", "admission = \"cookie\"").case("null, cookie", &[asked(Some("null"), 200)], Fail);
    assert_eq!((cookie.severity, cookie.level), (High, Level::Must));
    about.case("nothing allowed", &[asked(None, 200)], Pass);
    about.case("a wildcard is another matter", &[asked(Some("*"), 200)], Pass);
    about.case("one origin for everybody, not theirs", &[asked(Some("https://app.test"), 200)], Pass);
    about.case("an error for who may not", &[asked(None, 500)], Pass);
    about.case(
        "the trusted one is refused",
        &[("a", answers(&[("trusted", None, 403), ("null", None, 403)]))],
        Inconclusive,
    );
    about.case("too many requests", &[asked(None, 429)], Inconclusive);
    about.case("down", &[("a", timed_out())], Inconclusive);
    about.case(
        "the trusted one gets errors",
        &[("a", answers(&[("trusted", None, 503), ("null", None, 503)]))],
        Inconclusive,
    );
    let mut preflight = answers(&[("trusted", None, 200), ("port", None, 200)]);
    preflight["answers"][1]["preflight"]["allow_origin"] = "https://port.test".into();
    about.case("the preflight alone", &[("a", preflight)], Fail);
    about.case("nothing given", &[("a", NOT_ASKED)], NotApplicable);
}

#[test]
fn wildcard_on_secret() {
    let sound = ("a", answers(&[("evil", None, 200), ("wildcard-login", None, 200)]));
    let rest = ["b", "c", "d"].map(|step| (step, NOT_ASKED));
    let about = About::new("cors/wildcard-on-secret", &[&[sound][..], &rest[..]].concat());
    let wild = || answers(&[("evil", Some("*"), 200)]);
    let verdict = about.case("a wildcard", &[("a", wild())], Fail);
    assert_eq!((verdict.severity, verdict.level), (Low, Level::Should));
    let network =
        about.with_target("cognigy", "admission = \"none\"").case("the network decides", &[("a", wild())], Fail);
    assert_eq!((network.severity, network.level), (High, Level::Must));
    let mut harmless = wild();
    harmless["answers"][0]["actual"]["carries_secret"] = false.into();
    about.case("a wildcard on what everybody may have", &[("a", harmless.clone())], Pass);
    harmless["answers"][0]["actual"]["allow_credentials"] = true.into();
    about.case("a wildcard with credentials", &[("a", harmless)], Fail);
    let mut nothing = answers(&[("evil", None, 200)]);
    nothing["answers"][0]["actual"]["carries_secret"] = false.into();
    about.case("no secret to be had", &[("a", nothing)], Inconclusive);
    let mut refused = answers(&[("trusted", Some("https://trusted.test"), 200), ("evil", None, 403)]);
    refused["answers"][1]["actual"]["carries_secret"] = false.into();
    about.case("foreign origins are refused", &[("a", refused)], Pass);
    about.case("the API too", &[("b", wild())], Fail);
    about.case("the API is down", &[("b", timed_out())], Inconclusive);
    about.case("too many requests", &[("a", answers(&[("evil", None, 429)]))], Inconclusive);
}
