//! Scenarios about what the media port of a call accepts, asked with hellos by hand.

use ringfence_model::verdict::Level;
use ringfence_model::verdict::Severity::{Critical, High, Medium};
use ringfence_model::verdict::State::{Fail, Inconclusive, Pass};
use serde_json::{Value, json};

use crate::healthy::{About, input_failed};

fn suite(name: &str) -> Value {
    json!({ "version": "1.2", "name": name, "code": 1 })
}

/// One question that was not answered.
fn open(version: &str, list: &str) -> Value {
    let question = json!({ "version": version, "list": list, "reason": "no answer" });
    json!({ "complete": null, "inconclusive_questions": [question] })
}

/// Two observations in one.
fn both(mut one: Value, other: Value) -> Value {
    let fields = other.as_object().expect("an object").clone();
    one.as_object_mut().expect("an object").extend(fields);
    one
}

/// Nothing of the scan came to a checked pair.
fn no_pair() -> Value {
    json!({ "outcome": "timeout", "versions": [], "refused": [], "suites": [], "groups": [], "profiles": [],
        "preferred_profile": null, "complete": null, "calls_made": 3 })
}

/// The call is refused.
fn refused(status: u16) -> Value {
    json!({ "status": status, "invite_status": status, "answered": false, "granted": 0,
        "sdp": { "media_accepted": false }, "ice": { "connected": false },
        "dtls": { "completed": false, "version": null }, "srtp": { "profile": null },
        "media": { "received": 0, "authenticated": 0, "echoed": 0 } })
}

#[test]
fn dtls_old_version() {
    let about = About::new("media/dtls-old-version", &[]);
    let case = |what: &str, change: Value, expected| about.case(what, &[("d", change)], expected);
    let verdict = case("1.0 as well", json!({ "versions": ["1.0", "1.2"], "refused": ["1.3"] }), Fail);
    assert_eq!((verdict.severity, verdict.level), (High, Level::Must));
    assert!(verdict.findings[0].message.visible().contains("1.0"));
    case(
        "1.0 as well, and no word about 1.3",
        both(json!({ "versions": ["1.0", "1.2"] }), open("1.3", "versions")),
        Fail,
    );
    case("1.3 as well", json!({ "versions": ["1.2", "1.3"], "refused": ["1.0"] }), Pass);
    let verdict = case("no word about 1.0", both(json!({ "refused": ["1.3"] }), open("1.0", "versions")), Inconclusive);
    assert_eq!(verdict.notes.len(), 1);
    case(
        "1.2 is refused, though a call has it",
        json!({ "versions": [], "refused": ["1.0", "1.2", "1.3"] }),
        Inconclusive,
    );
    case("all is refused but what the call has", json!({ "versions": [], "refused": ["1.0", "1.3"] }), Inconclusive);
    case("no call came to a pair", no_pair(), Inconclusive);
    case("no configuration", input_failed(), Inconclusive);
    case("no budget", json!({ "outcome": "budget", "versions": [], "refused": [], "complete": null }), Inconclusive);

    let newer = json!({ "dtls": { "version": "1.3" } });
    let scan = json!({ "versions": ["1.3"], "refused": ["1.0", "1.2"] });
    let verdict = about.case("1.2, which is required, is refused", &[("ok", newer), ("d", scan)], Fail);
    assert!(verdict.findings[0].message.visible().contains("required"));
    let old = json!({ "dtls": { "version": "1.0" } });
    about.case("the call itself is old", &[("ok", old)], Fail);
    about.case("no media in the control", &[("ok", refused(486))], Inconclusive);
}

#[test]
fn dtls_weak_suite() {
    let about = About::new("media/dtls-weak-suite", &[]);
    let case = |what: &str, change: Value, expected| about.case(what, &[("s", change)], expected);
    let good = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    let with = |name: &str| json!({ "suites": [suite(good), suite(name)] });
    for name in ["TLS_RSA_WITH_NULL_SHA256", "TLS_DH_anon_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_RC4_128_SHA"] {
        let verdict = case(name, with(name), Fail);
        assert_eq!((verdict.severity, verdict.level), (High, Level::Must), "{name}");
        case("the same, and no end", both(with(name), open("1.2", "suites")), Fail);
    }
    for name in ["TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA"] {
        let verdict = case(name, with(name), Fail);
        assert_eq!((verdict.severity, verdict.level), (Medium, Level::Should), "{name}");
    }
    let cbc = with("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA");
    let verdict = case("CBC", cbc.clone(), Pass);
    assert_eq!(verdict.notes.len(), 1);
    about.with_policy("strict-aead").case("CBC, strictly", &[("s", cbc)], Fail);
    let old = json!({ "suites": [suite(good)], "groups": ["secp256r1", "sect233k1"] });
    assert_eq!(case("a binary curve", old, Fail).severity, Medium);
    let verdict = case("without P-256", json!({ "groups": ["x25519"] }), Fail);
    assert_eq!((verdict.severity, verdict.level), (Medium, Level::Should));
    case("without P-256 so far", both(json!({ "groups": ["x25519"] }), open("1.2", "groups")), Inconclusive);
    case("a small field", json!({ "dh_bits": 1024 }), Fail);
    case("a field of 2048 bits", json!({ "dh_bits": 2048 }), Pass);
    let verdict = case("no end of the suites", open("1.2", "suites"), Inconclusive);
    assert_eq!(verdict.notes.len(), 1);
    case("no word about 1.3", open("1.3", "versions"), Inconclusive);
    case("1.2 and 1.3 are refused", json!({ "versions": [], "suites": [], "groups": [] }), Inconclusive);
    case("no call came to a pair", no_pair(), Inconclusive);
    case("no configuration", input_failed(), Inconclusive);
    case("no answer to renegotiation_info", json!({ "renegotiation_info": false }), Pass);

    let plain = json!({ "dtls": { "extended_master_secret": false } });
    let verdict = about.case("no extended master secret", &[("ok", plain)], Fail);
    assert_eq!((verdict.severity, verdict.level), (Medium, Level::Must));
    let newer = json!({ "dtls": { "version": "1.3", "extended_master_secret": false } });
    about.case("1.3 has it built in", &[("ok", newer)], Pass);
    about.case("no media in the control", &[("ok", refused(503))], Inconclusive);
}

#[test]
fn weak_srtp_profile() {
    let about = About::new("media/weak-srtp-profile", &[]);
    let case = |what: &str, change: Value, expected| about.case(what, &[("p", change)], expected);
    let null = json!({ "profiles": ["gcm-128", "null-sha1-80"], "null_profile_accepted": true });
    let verdict = case("no encryption", null.clone(), Fail);
    assert_eq!((verdict.severity, verdict.level), (Critical, Level::Must));
    case("no encryption, and no end", both(null.clone(), open("1.2", "profiles")), Fail);
    let verdict =
        case("a short tag where nothing else is offered", json!({ "profiles": ["gcm-128", "cm-sha1-32"] }), Pass);
    assert_eq!(verdict.notes.len(), 1);
    let short = [("p", json!({ "profiles": ["gcm-128", "cm-sha1-32"] }))];
    about.with_policy("strict-aead").case("the same, strictly", &short, Fail);
    let verdict = case("goes on without", json!({ "goes_without_srtp": true }), Pass);
    assert_eq!(verdict.notes.len(), 1);
    case("no end", open("1.2", "profiles"), Inconclusive);
    case(
        "1.3 alone",
        json!({ "versions": [], "refused": ["1.2"], "profiles": [], "preferred_profile": null }),
        Inconclusive,
    );
    case("no call came to a pair", no_pair(), Inconclusive);
    case("no configuration", input_failed(), Inconclusive);

    let case = |what: &str, change: Value, expected| about.case(what, &[("o", change)], expected);
    let verdict =
        case("the short tag, though the long one is preferred", json!({ "srtp": { "profile": "cm-sha1-32" } }), Fail);
    assert_eq!((verdict.severity, verdict.level), (Medium, Level::Should));
    case("GCM alone: both are refused", refused(488), Pass);
    case("busy", refused(486), Inconclusive);
    case("answered, and no profile was seen", json!({ "srtp": { "profile": null } }), Inconclusive);

    let case = |what: &str, change: Value, expected| about.case(what, &[("m", change)], expected);
    let verdict = case("media without an agreement", json!({ "succeeded": 1 }), Fail);
    assert_eq!((verdict.severity, verdict.level), (Critical, Level::Must));
    case("the same, and the other attempt came to nothing", json!({ "succeeded": 1, "control_ok": false }), Fail);
    case("no pair for the attempts", json!({ "control_ok": false }), Inconclusive);
    about.case(
        "no pair for the attempts, and no encryption",
        &[("m", json!({ "control_ok": false })), ("p", null)],
        Fail,
    );
    about.case("no media in the control", &[("ok", refused(480))], Inconclusive);
}
