//! Odd servers before the scenarios of TLS and DTLS: cases that once passed, or failed, for the wrong reason.

use ringfence_model::verdict::Level::{Must, Should};
use ringfence_model::verdict::Severity::{High, Medium};
use ringfence_model::verdict::State::{Fail, Inconclusive, Pass};
use serde_json::{Value, json};

use crate::healthy::{About, NOT_ASKED, input_failed};

/// A suite of TLS 1.2, and whether it is forward secret.
fn suites(names: &[(&str, bool)]) -> Value {
    let suite =
        |(name, secret): &(&str, bool)| json!({ "version": "1.2", "name": name, "code": 1, "forward_secrecy": secret });
    json!({ "suites": names.iter().map(suite).collect::<Vec<_>>() })
}

/// A relay that takes no login is not proved to be the calls' own, whatever else is odd about its TLS that nothing here judges.
#[test]
fn a_relay_that_grants_nothing_does_not_pass_for_an_old_library() {
    let about = About::new("turn/tls-weak", &[]);
    let refused = || ("ok", json!({ "allocated": false, "error_code": 401 }));
    let loose = || ("t", json!({ "secure_renegotiation": false }));
    let md5 = || ("t", json!({ "signature_schemes": ["rsa_pkcs1_md5"] }));
    about.case("no login works, and no RFC 5746", &[loose(), refused()], Inconclusive);
    about.case("no login works, and MD5", &[md5(), refused()], Inconclusive);
    about.case("no login works", &[refused()], Inconclusive);
    let both = [("t", suites(&[("TLS_RSA_WITH_AES_128_GCM_SHA256", false)])), loose()];
    let mut seen = both[0].1.clone();
    seen["secure_renegotiation"] = false.into();
    let verdict = about.case("static RSA is all that fails", &[("t", seen)], Fail);
    assert_eq!((verdict.severity, verdict.level), (Medium, Should));
    let early = about.case("not valid yet", &[("t", json!({ "certificate": { "not_yet_valid": true } }))], Fail);
    assert_eq!((early.severity, early.level), (High, Must));
    // A server of 1.3 alone is asked for nothing of 1.2.
    let new_only = json!({ "versions": ["1.3"], "refused": ["ssl3", "1.0", "1.1", "1.2"], "secure_renegotiation": null,
        "extended_master_secret": null });
    about.case("1.3 alone", &[("t", new_only.clone())], Pass);
    about.case("1.3 alone, and no login works", &[("t", new_only), refused()], Inconclusive);
}

/// transport/tls-no-forward-secrecy does not look at the page, so that its suites are judged here, all of them.
#[test]
fn what_the_page_accepts_is_judged_by_somebody() {
    let about = About::new("transport/tls-weak-suites", &[("d", NOT_ASKED)]);
    let open =
        || suites(&[("TLS_RSA_WITH_AES_128_GCM_SHA256", false), ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", true)]);
    let verdict = about.case("the page goes without forward secrecy", &[("c", open())], Fail);
    assert_eq!((verdict.severity, verdict.level), (Medium, Should));
    for step in ["a", "b"] {
        about.case("another scenario's", &[(step, open())], Pass);
    }
}

/// The short key may be shown to hellos alone.
#[test]
fn a_certificate_is_not_sound_where_no_hello_was_answered() {
    let about = About::new("media/certificate-weak", &[]);
    let nothing = || json!({ "outcome": "timeout", "versions": [], "refused": [], "suites": [], "certificates": [], "complete": null });
    about.case("the scan comes to no pair", &[("s", nothing())], Inconclusive);
    about.case("the scan has no configuration", &[("s", input_failed())], Inconclusive);
    let short = || ("c", json!({ "dtls": { "certificate": { "key_type": "rsa", "key_bits": 1024 } } }));
    about.case("the call shows a short key all the same", &[short(), ("s", nothing())], Fail);
}

/// Silence and a lost network refuse no tag length.
#[test]
fn a_short_tag_is_not_refused_by_silence() {
    let about = About::new("media/weak-srtp-profile", &[]);
    let lost = |ice: bool| {
        json!({ "ice": { "connected": ice }, "dtls": { "completed": false, "version": null }, "srtp": { "profile": null },
            "media": { "received": 0, "authenticated": 0, "echoed": 0 } })
    };
    about.case("ICE came to no pair", &[("o", lost(false))], Inconclusive);
    about.case("no word of DTLS", &[("o", lost(true))], Inconclusive);
    let mut alert = lost(true);
    alert["dtls"]["alert"] = "insufficient_security".into();
    about.case("refused with an alert", &[("o", alert)], Pass);
    let mut hung_up = lost(true);
    hung_up["ended_by"] = "target".into();
    about.case("the target hangs up", &[("o", hung_up)], Pass);
    about.case(
        "lost, and no encryption",
        &[("o", lost(false)), ("p", json!({ "null_profile_accepted": true, "profiles": ["null-sha1-80"] }))],
        Fail,
    );
}

/// A relay that nobody reached showed no certificate, sound or not.
#[test]
fn a_relay_out_of_reach_is_not_cleared() {
    let about = About::new("keys/known-default-certificate", &[]);
    let gone = |outcome: &str| json!({ "outcome": outcome, "reachable": false, "versions": [], "certificate": null });
    about.case("silent", &[("t", gone("timeout"))], Inconclusive);
    about.case("nobody there", &[("t", gone("unreachable"))], Inconclusive);
    about.case(
        "no configuration",
        &[("f", json!({ "outcome": "timeout", "status": null })), ("t", input_failed())],
        Inconclusive,
    );
    about.case("it speaks no TLS that shows any", &[("t", gone("tls-failed"))], Pass);
    about.case("none is named", &[("t", NOT_ASKED)], Pass);
}

/// An answer that says nothing of `use_srtp` is no agreement on what was offered.
#[test]
fn media_without_a_profile_are_seen() {
    let about = About::new("media/profile-not-used", &[]);
    let none = || {
        json!({ "dtls": { "completed": true }, "srtp": { "profile": null, "used_profile": null, "tag_bytes": null },
        "media": { "received": 0, "authenticated": 0, "echoed": 0 } })
    };
    about.case("gcm-128 is not agreed on", &[("a", none())], Pass);
    let lost = || {
        json!({ "ice": { "connected": false }, "dtls": { "completed": false }, "srtp": { "profile": null, "used_profile": null },
        "media": { "received": 0, "authenticated": 0, "echoed": 0 } })
    };
    about.case("the call with gcm-256 is lost", &[("b", lost())], Inconclusive);
    let other = json!({ "srtp": { "used_profile": "cm-sha1-80", "tag_bytes": 10 }, "media": { "authenticated": 0, "echoed": 0 } });
    about.case("protected as another", &[("a", other)], Fail);
}

/// What a server does not speak, and what nobody knows, differ.
#[test]
fn a_version_that_is_not_told_is_not_refused() {
    let about = About::new("transport/tls-old-versions", &[("d", NOT_ASKED)]);
    let open = |version: &str| json!({ "complete": null, "unknown": [{ "version": version, "list": "version", "reason": "closed without a word" }] });
    let mut dark = open("1.0");
    dark["refused"] = json!(["ssl3", "1.1"]);
    about.case("resets hellos of 1.0 now and then", &[("a", dark)], Inconclusive);
    let mut required = open("1.3");
    (required["versions"], required["refused"]) = (json!(["1.2"]), json!(["ssl3", "1.0", "1.1"]));
    required["negotiated"] = "1.2".into();
    about.with_policy("asvs-l2").case("1.2 is chosen where 1.3 is preferred", &[("a", required.clone())], Fail);
    required["negotiated"] = Value::Null;
    about.with_policy("nist-800-52r2").case("1.3, which is required, is not told", &[("a", required)], Inconclusive);
}

/// DTLS servers that say nothing, or refuse everything.
#[test]
fn a_media_port_that_says_nothing_does_not_pass() {
    let about = About::new("media/dtls-old-version", &[]);
    let silent = json!({ "outcome": "timeout", "versions": [], "refused": [], "suites": [], "complete": null,
        "inconclusive_questions": [{ "version": "1.0", "list": "versions", "reason": "no answer" }] });
    about.case("silent to every hello", &[("d", silent.clone())], Inconclusive);
    let weak = About::new("media/dtls-weak-suite", &[]);
    weak.case("silent to every hello", &[("s", silent.clone())], Inconclusive);
    let refuses = json!({ "versions": [], "refused": ["1.2", "1.3"], "suites": [], "groups": [], "certificates": [] });
    weak.case("refuses every hello", &[("s", refuses)], Inconclusive);
    let srtp = About::new("media/weak-srtp-profile", &[]);
    srtp.case("silent to every hello", &[("p", silent)], Inconclusive);
    srtp.case("the attempts have no configuration", &[("m", input_failed())], Inconclusive);
    srtp.case(
        "goes on without SRTP, and names none",
        &[("p", json!({ "profiles": [], "preferred_profile": null, "goes_without_srtp": true }))],
        Inconclusive,
    );
}
