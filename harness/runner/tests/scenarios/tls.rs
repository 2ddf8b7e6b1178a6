//! The scenarios about what TLS servers accept, before hand-made observations.

use ringfence_judge::{ListOf, rank};
use ringfence_model::policy::Rank;
use ringfence_model::verdict::Level::{Must, Should};
use ringfence_model::verdict::Severity::{High, Low, Medium};
use ringfence_model::verdict::State::{Fail, Inconclusive, NotApplicable, Pass};
use ringfence_model::verdict::{Level, Severity, Verdict};
use ringfence_wire::hello::names;
use serde_json::{Value, json};

use crate::healthy::{About, NOT_ASKED, input_failed};
use crate::support;

const RSA: &str = "TLS_RSA_WITH_AES_128_GCM_SHA256";
const CBC: &str = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA";
const TRIPLE_DES: &str = "TLS_RSA_WITH_3DES_EDE_CBC_SHA";

fn weight(verdict: &Verdict) -> (Severity, Level) {
    (verdict.severity, verdict.level)
}

/// Suites of TLS 1.2.
fn suites(names: &[&str]) -> Value {
    let suite = |name: &&str| {
        let secret = name.contains("DHE_") || !name.contains("_WITH_");
        json!({ "version": "1.2", "name": name, "code": 1, "forward_secrecy": secret })
    };
    json!({ "suites": names.iter().map(suite).collect::<Vec<_>>() })
}

/// Versions, and all others refused.
fn versions(accepted: &[&str], negotiated: &str) -> Value {
    let refused: Vec<_> =
        ["ssl3", "1.0", "1.1", "1.2", "1.3"].into_iter().filter(|one| !accepted.contains(one)).collect();
    json!({ "versions": accepted, "refused": refused, "negotiated": negotiated })
}

/// Something was not seen to its end.
fn unknown(version: &str, list: &str) -> Value {
    json!({ "complete": null, "unknown": [{ "version": version, "list": list, "reason": "no answer" }] })
}

/// Nothing that speaks TLS.
fn unreachable(outcome: &str) -> Value {
    json!({ "outcome": outcome, "reachable": false, "versions": [], "refused": [], "negotiated": null, "complete": null,
        "suites": [], "certificate": null, "forward_secrecy_only": null, "early_data": null,
        "extended_master_secret": null, "secure_renegotiation": null })
}

/// A server that refuses all versions.
fn refuses_all() -> Value {
    let mut seen = unreachable("tls-failed");
    (seen["reachable"], seen["complete"]) = (true.into(), true.into());
    seen["refused"] = json!(["ssl3", "1.0", "1.1", "1.2", "1.3"]);
    seen
}

#[test]
fn tls_old_versions() {
    let about = About::new("transport/tls-old-versions", &[("d", NOT_ASKED)]);
    for step in ["a", "b", "c", "d"] {
        for old in [&["ssl3", "1.2", "1.3"][..], &["1.0", "1.1", "1.2"], &["1.0"], &["ssl3"]] {
            let verdict = about.case("an old one", &[(step, versions(old, old[old.len() - 1]))], Fail);
            assert_eq!(weight(&verdict), (High, Must));
        }
        about.case("silent", &[(step, unreachable("timeout"))], Inconclusive);
        about.case("nobody there", &[(step, unreachable("unreachable"))], Inconclusive);
        about.case("refuses everything", &[(step, refuses_all())], Inconclusive);
        about.case("one version is not told", &[(step, unknown("1.0", "version"))], Inconclusive);
    }
    let verdict = about.case("two old ones", &[("a", versions(&["1.0", "1.1", "1.2"], "1.2"))], Fail);
    assert_eq!(verdict.findings.len(), 1);
    assert!(verdict.findings[0].message.visible().contains("1.0, 1.1"), "{verdict:#?}");
    about.case("1.3 alone", &[("a", versions(&["1.3"], "1.3"))], Fail);
    about.case("1.2 alone", &[("a", versions(&["1.2"], "1.2"))], Pass);
    about.case("1.2 is chosen", &[("a", json!({ "negotiated": "1.2" }))], Pass);
    about.case("what is chosen is not told", &[("a", json!({ "negotiated": null }))], Pass);
    let old_and_dark =
        [("a", versions(&["1.0", "1.2"], "1.2")), ("b", unreachable("timeout")), ("c", unknown("1.1", "version"))];
    about.case("an old one, and others not told", &old_and_dark, Fail);
    let open = about.case("not told", &[("b", unknown("1.1", "version"))], Inconclusive);
    assert_eq!(open.notes.len(), 1, "which one, and why: {open:#?}");
    about.case("no configuration", &[("b", input_failed())], Inconclusive);
    let mut quiet = versions(&["1.2", "1.3"], "1.3");
    (quiet["refused"], quiet["unanswered"]) = (json!(["ssl3"]), json!(["1.0", "1.1"]));
    assert_eq!(about.case("says nothing to old ones", &[("b", quiet)], Pass).notes.len(), 1);

    let newest = about.with_policy("asvs-l2");
    newest.case("1.3 is chosen", &[], Pass);
    assert_eq!(weight(&newest.case("1.2 is chosen", &[("c", json!({ "negotiated": "1.2" }))], Fail)), (High, Must));
    newest.case("what is chosen is not told", &[("c", json!({ "negotiated": null }))], Inconclusive);
    newest.case("1.2 alone", &[("a", versions(&["1.2"], "1.2"))], Fail);
    about.with_policy("nist-800-52r2").case("1.2 alone", &[("a", versions(&["1.2"], "1.2"))], Fail);
    about.with_policy("nist-800-52r2").case("both", &[], Pass);
}

#[test]
fn tls_weak_suites() {
    let about = About::new("transport/tls-weak-suites", &[("d", NOT_ASKED)]);
    for step in ["a", "b", "c", "d"] {
        let verdict = about.case("3DES", &[(step, suites(&[CBC, TRIPLE_DES]))], Fail);
        assert_eq!((weight(&verdict), verdict.findings.len()), ((High, Must), 1));
        assert!(verdict.findings[0].message.visible().contains(&format!("1.2 {TRIPLE_DES}")), "{verdict:#?}");
        about.case("no encryption", &[(step, suites(&["TLS_RSA_WITH_NULL_SHA256"]))], Fail);
        about.case("nobody signs", &[(step, suites(&["TLS_ECDH_anon_WITH_AES_128_CBC_SHA"]))], Fail);
        assert_eq!(weight(&about.case("compresses", &[(step, json!({ "compression": true }))], Fail)), (High, Must));
        let loose = json!({ "secure_renegotiation": false });
        assert_eq!(weight(&about.case("renegotiates loosely", &[(step, loose)], Fail)), (High, Must));
        let unbound = || json!({ "extended_master_secret": false });
        assert_eq!(weight(&about.case("no master secret", &[(step, unbound())], Fail)), (Medium, Should));
        about.case("silent", &[(step, unreachable("timeout"))], Inconclusive);
        about.case("refuses everything", &[(step, refuses_all())], Inconclusive);
        about.case("a list is not told", &[(step, unknown("1.2", "groups"))], Inconclusive);
        let both = [(step, json!({ "complete": null, "compression": true }))];
        about.case("a list is not told, and it compresses", &both, Fail);
        let group = json!({ "groups": ["x25519", "sect163k1"] });
        assert_eq!(weight(&about.case("a short curve", &[(step, group)], Fail)), (Medium, Should));
        assert_eq!(weight(&about.case("a short prime", &[(step, json!({ "dh_bits": 1024 }))], Fail)), (Medium, Should));
        about.case("a long prime", &[(step, json!({ "dh_bits": 2048 }))], Pass);
        let md5 = json!({ "signature_schemes": ["rsa_pkcs1_md5"] });
        assert_eq!(weight(&about.case("signs with MD5", &[(step, md5)], Fail)), (High, Must));
    }
    let both = [("a", suites(&[TRIPLE_DES])), ("b", json!({ "extended_master_secret": false }))];
    let verdict = about.case("worse and less bad", &both, Fail);
    let severities: Vec<Severity> = verdict.findings.iter().map(|finding| finding.severity).collect();
    assert_eq!((weight(&verdict), severities), ((High, Must), vec![High, Medium]));

    let new_only = || {
        let mut seen = versions(&["1.3"], "1.3");
        (seen["extended_master_secret"], seen["secure_renegotiation"]) = (Value::Null, Value::Null);
        seen
    };
    about.case("a server of 1.3 alone is not asked", &[("a", new_only())], Pass);
    about.case("extensions were not told", &[("a", json!({ "extended_master_secret": null }))], Inconclusive);
    for step in ["a", "d"] {
        let early = json!({ "early_data": true });
        assert_eq!(weight(&about.case("early data", &[(step, early)], Fail)), (Medium, Should));
        about.case("whether early data", &[(step, json!({ "early_data": null }))], Inconclusive);
    }
    about.case("early data of the page", &[("c", json!({ "early_data": true }))], Pass);
    about.case("static RSA is another scenario's", &[("a", suites(&[RSA]))], Pass);
    assert_eq!(about.case("CBC is noted", &[("a", suites(&[CBC]))], Pass).notes.len(), 1);
    let strict = about.with_policy("strict-aead");
    assert_eq!(weight(&strict.case("CBC is not wanted", &[("a", suites(&[CBC]))], Fail)), (Medium, Should));
    strict.case("static RSA is another scenario's", &[("a", suites(&[RSA]))], Pass);
    about.case("no configuration", &[("b", input_failed())], Inconclusive);
}

/// The words of the catalogue and the function behind `ringfence tls` read the lists of a policy alike.
#[test]
fn words_and_ranks_agree() {
    let about = About::new("transport/tls-weak-suites", &["b", "c", "d"].map(|step| (step, NOT_ASKED)));
    let mut told = [0; 4];
    for policy in ["webrtc-mti", "asvs-l2", "strict-aead", "bsi-tr-02102", "nist-800-52r2"] {
        let (about, lists) = (about.with_policy(policy), support::policy(policy));
        let mut agree = |of: ListOf, name: &str, seen: Value| {
            let rank = rank(&lists, of, name).rank;
            told[rank as usize] += 1;
            let verdict = about.case(name, &[("a", seen)], if rank <= Rank::Discouraged { Fail } else { Pass });
            match rank {
                Rank::Forbidden => assert_eq!(weight(&verdict), (High, Must), "{policy}, {name}"),
                Rank::Discouraged => assert_eq!(weight(&verdict), (Medium, Should), "{policy}, {name}"),
                Rank::Note => assert_eq!(verdict.notes.len(), 1, "{policy}, {name}"),
                Rank::Fine => assert!(verdict.notes.is_empty(), "{policy}, {name}: {:?}", verdict.notes),
            }
        };
        let lists = |groups: &[&str], schemes: &[&str]| {
            let mut seen = suites(&[]);
            (seen["groups"], seen["signature_schemes"]) = (json!(groups), json!(schemes));
            seen
        };
        for (code, name) in names::suites().filter(|(code, _)| code % 3 == 0) {
            let mut seen = lists(&[], &[]);
            seen["suites"] = json!([{ "version": "1.2", "name": name, "code": code, "forward_secrecy": true }]);
            agree(ListOf::TlsSuites, name, seen);
        }
        names::groups().for_each(|(_, name)| agree(ListOf::Groups, name, lists(&[name], &[])));
        names::signature_schemes().for_each(|(_, name)| agree(ListOf::SignatureSchemes, name, lists(&[], &[name])));
    }
    assert!(told.iter().all(|count| *count > 20), "{told:?}");
}

#[test]
fn tls_no_forward_secrecy() {
    let about = About::new("transport/tls-no-forward-secrecy", &[("c", NOT_ASKED)]);
    let open = || {
        let mut seen = suites(&[CBC, RSA]);
        seen["forward_secrecy_only"] = false.into();
        seen
    };
    for step in ["a", "b", "c"] {
        let verdict = about.case("static RSA", &[(step, open())], Fail);
        assert_eq!((weight(&verdict), verdict.findings.len()), ((Medium, Should), 1));
        assert!(verdict.findings[0].message.visible().ends_with(&format!(": 1.2 {RSA}")), "{verdict:#?}");
        assert_eq!(weight(&about.with_policy("asvs-l3").case("a must", &[(step, open())], Fail)), (Medium, Must));
        about.case("silent", &[(step, unreachable("timeout"))], Inconclusive);
        let mut dark = unknown("1.2", "suites");
        dark["forward_secrecy_only"] = Value::Null;
        assert_eq!(about.case("not all suites were told", &[(step, dark)], Inconclusive).notes.len(), 1);
        about.case("refuses everything", &[(step, refuses_all())], Inconclusive);
    }
    about.case("not all groups were told", &[("a", unknown("1.2", "groups"))], Pass);
    about.case("one fails, one is silent", &[("a", open()), ("b", unreachable("timeout"))], Fail);
}

#[test]
fn hsts_missing() {
    let page = |value: &str, age: Value, subdomains: bool| {
        json!({ "headers": [{ "name": "strict-transport-security", "value": value }],
            "hsts": { "max_age_s": age, "subdomains": subdomains, "for_address": false } })
    };
    let year = || page("max-age=31536000", json!(31_536_000), false);
    let about = About::new("transport/hsts-missing", &[("a", year())]);
    let bare = || json!({ "headers": [], "hsts": { "max_age_s": null } });
    let verdict = about.case("nothing said", &[("a", bare())], Fail);
    assert_eq!((weight(&verdict), verdict.findings.len()), ((Low, Should), 1));
    about.case("a day", &[("a", page("max-age=86400", json!(86_400), true))], Fail);
    about.case("no age", &[("a", page("includeSubDomains", Value::Null, true))], Fail);
    about.case("taken back", &[("a", page("max-age=0", json!(0), false))], Fail);
    let mut twice = year();
    let one = twice["headers"][0].clone();
    twice["headers"] = json!([one.clone(), one.clone()]);
    about.case("twice", &[("a", twice)], Fail);
    let redirect = json!({ "outcome": "answered", "status": 301, "headers": [one] });
    about.case("in clear as well", &[("b", redirect)], Fail);
    about.case("a redirect in clear", &[("b", json!({ "outcome": "answered", "status": 301, "headers": [] }))], Pass);
    about.case("nobody answers in clear", &[("b", json!({ "outcome": "timeout" }))], Pass);
    about.case("not found", &[("a", json!({ "status": 404 }))], Inconclusive);
    about.case("silent", &[("a", json!({ "status": null, "outcome": "timeout", "headers": [] }))], Inconclusive);
    about.case("an address", &[("a", json!({ "headers": [], "hsts": { "for_address": true } }))], NotApplicable);
    let strict = about.with_policy("asvs-l2");
    strict.case("not below", &[], Fail);
    strict.case("below as well", &[("a", page("max-age=31536000; includeSubDomains", json!(31_536_000), true))], Pass);
    assert_eq!(strict.case("nothing said", &[("a", bare())], Fail).findings.len(), 1);
}

#[test]
fn secure_flag_contradiction() {
    let flags = |value: Value, urls: &[&str]| json!({ "client_config": { "is_secure": value, "urls": urls } });
    let safe = ["https://r.test/x", "wss://w.test/", "HTTPS://s.test"];
    let about = About::new("transport/secure-flag-contradiction", &[("a", flags(json!("true"), &safe))]);
    for value in ["false", "mixed", "not-boolean", "missing"] {
        let verdict = about.case(value, &[("a", flags(json!(value), &safe))], Fail);
        assert_eq!((weight(&verdict), verdict.findings.len()), ((High, Must), 1));
    }
    for url in ["http://r.test/x", "ws://w.test/", "HTTP://r.test"] {
        let verdict = about.case("an address in clear", &[("a", flags(json!("true"), &["https://x.test", url]))], Fail);
        assert!(verdict.findings[0].message.visible().contains(url), "{verdict:#?}");
    }
    about.case("no settings", &[("a", flags(Value::Null, &[]))], Inconclusive);
    about.case(
        "no page",
        &[("a", json!({ "status": null, "outcome": "timeout", "client_config": { "is_secure": null } }))],
        Inconclusive,
    );
    let plain = |status: u16| ("c", json!({ "outcome": "answered", "status": status, "body_bytes": 9 }));
    for status in [200, 204, 401] {
        about.case("the API answers in clear", &[plain(status)], Fail);
    }
    for status in [301, 400, 403, 404, 426] {
        about.case("the API refuses in clear", &[plain(status)], Pass);
    }
    for status in [408, 429, 500, 503] {
        about.case("the API is busy", &[plain(status)], Inconclusive);
    }
    about.case("closes in clear", &[("c", json!({ "outcome": "closed" }))], Pass);
    about.case("the API does not speak TLS", &[("b", unreachable("timeout"))], Inconclusive);
    about.case("no API", &["b", "c"].map(|step| (step, NOT_ASKED)), Pass);
}

#[test]
fn turn_tls_weak() {
    let about = About::new("turn/tls-weak", &[]);
    let certificate = |change: Value| ("t", json!({ "certificate": change }));
    let fails = |what: &str, change: (&str, Value), weighs: (Severity, Level)| {
        assert_eq!(weight(&about.case(what, &[change], Fail)), weighs, "{what}");
    };
    fails("TLS 1.0", ("t", versions(&["1.0", "1.2", "1.3"], "1.3")), (High, Must));
    fails("3DES", ("t", suites(&[CBC, TRIPLE_DES])), (High, Must));
    fails("static RSA", ("t", suites(&[CBC, RSA])), (Medium, Should));
    fails("compresses", ("t", json!({ "compression": true })), (High, Must));
    fails("untrusted", certificate(json!({ "trusted": false })), (High, Must));
    fails("self-signed", certificate(json!({ "self_signed": true })), (High, Must));
    fails("another name", certificate(json!({ "name_matches": false })), (High, Must));
    fails("over", certificate(json!({ "days_left": -1 })), (High, Must));
    let refused = || ("ok", json!({ "allocated": false, "outcome": "tls-failed" }));
    about.case(
        "untrusted, so that no client gets through",
        &[certificate(json!({ "trusted": false })), refused()],
        Fail,
    );
    let old = || ("t", versions(&["1.0"], "1.0"));
    about.case("TLS 1.0 alone, so that no client gets through", &[old(), refused()], Fail);
    about.case("no login works", &[refused()], Inconclusive);
    about.case("silent", &[("t", unreachable("timeout")), refused()], Inconclusive);
    about.case("refuses everything", &[("t", refuses_all()), refused()], Inconclusive);
    about.case("a list is not told", &[("t", unknown("1.2", "suites"))], Inconclusive);
    about.case(
        "a list is not told, and TLS 1.0",
        &[("t", json!({ "complete": null, "versions": ["1.0", "1.2"] }))],
        Fail,
    );
    about.case("no certificate", &[certificate(Value::Null)], Inconclusive);
    about.case(
        "none is named",
        &[("t", json!({ "offered": false, "reachable": false, "versions": [], "suites": [] }))],
        NotApplicable,
    );
    about.case(
        "no configuration",
        &[("c", json!({ "outcome": "timeout", "status": null })), ("t", input_failed())],
        Inconclusive,
    );
    let plain = ("p", json!({ "reachable": false, "error_code": null }));
    assert_eq!(about.case("nothing in clear", &[plain], Pass).notes.len(), 0);
    assert_eq!(about.case("STUN in clear", &[], Pass).notes.len(), 1);
    assert_eq!(about.case("ends soon", &[certificate(json!({ "days_left": 3 }))], Pass).notes.len(), 2);
    let strict = about.with_policy("strict-aead");
    assert_eq!(weight(&strict.case("CBC", &[("t", suites(&[CBC]))], Fail)), (Medium, Should));
}
