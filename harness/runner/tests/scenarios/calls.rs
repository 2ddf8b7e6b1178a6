//! Scenarios about what a call's two descriptions and its certificate say.

use ringfence_model::verdict::Level;
use ringfence_model::verdict::Severity::{Critical, High, Low, Medium};
use ringfence_model::verdict::State::{Fail, Inconclusive, NotApplicable, Pass};
use serde_json::{Value, json};

use crate::healthy::{About, NOT_ASKED, digest, input_failed};

fn refused(status: u16) -> Value {
    json!({ "status": status, "invite_status": status, "answered": false, "granted": 0, "datagrams_received": 0,
        "sdp": { "media_accepted": false, "profile": null, "setup": null, "fingerprints": [], "fingerprint_hash": null },
        "ice": { "connected": false, "ufrag_length": 0 },
        "dtls": { "completed": false, "client_random": null, "server_random": null,
            "certificate": { "digest": null, "matches": false } },
        "media": silence() })
}

fn silence() -> Value {
    json!({ "received": 0, "authenticated": 0, "echoed": 0, "plain_received": 0 })
}

#[test]
fn answer_fingerprint_wrong() {
    let about = About::new("media/answer-fingerprint-wrong", &[]);
    let stale = json!({ "dtls": { "certificate": { "matches": false } } });
    for step in ["a", "b"] {
        let case = |what: &str, change: Value, expected| about.case(what, &[(step, change)], expected);
        let verdict = case("another certificate", stale.clone(), Fail);
        assert_eq!((verdict.severity, verdict.level), (Critical, Level::Must));
        let gone = json!({ "sdp": { "fingerprints": [], "fingerprint_hash": null, "profile": "RTP/AVP" },
            "dtls": { "completed": false, "certificate": { "digest": null, "matches": false } } });
        let verdict = case("no fingerprint", gone, Fail);
        assert_eq!((verdict.severity, verdict.level), (Critical, Level::Must));
        assert!(verdict.findings.iter().any(|finding| finding.message.visible().contains("RTP/AVP")));
        let verdict = case("a hash that nobody lists", json!({ "sdp": { "fingerprint_hash": "md2" } }), Fail);
        assert_eq!((verdict.severity, verdict.level), (Low, Level::Should));
        let weak = json!({ "sdp": { "fingerprint_hash": "sha-1" } });
        let verdict = case("a weak hash that is still usual", weak.clone(), Pass);
        assert_eq!(verdict.notes.len(), 1);
        let verdict = about.with_policy("asvs-l3").case("the same, strictly", &[(step, weak)], Fail);
        assert_eq!(verdict.severity, Low);
        let verdict = case("another setup", json!({ "sdp": { "setup": "actpass" } }), Fail);
        assert_eq!((verdict.severity, verdict.level), (Low, Level::Should));
        case("no setup", json!({ "sdp": { "setup": null } }), Fail);
        case(
            "both in one",
            json!({ "sdp": { "setup": "holdconn" }, "dtls": { "certificate": { "matches": false } } }),
            Fail,
        );

        let verdict = case("the role is refused", refused(488), Pass);
        assert_eq!(verdict.notes.len(), 1);
        for status in [408, 480, 486, 503, 600] {
            case("busy", refused(status), Inconclusive);
        }
        let begun = json!({ "dtls": { "completed": false, "certificate": { "digest": null, "matches": false } } });
        case("no handshake", begun.clone(), Inconclusive);
        let shown = json!({ "dtls": { "completed": false, "certificate": { "matches": false } } });
        case("a stranger, and then it broke off", shown, Fail);
        let mut odd = begun;
        odd["sdp"] = json!({ "setup": null });
        case("no setup, so no handshake", odd, Fail);
        case("no configuration", input_failed(), Inconclusive);
        let other = if step == "a" { "b" } else { "a" };
        about.case("stale here, busy there", &[(step, stale.clone()), (other, refused(503))], Fail);
    }
    about.case("both refused", &[("a", refused(488)), ("b", refused(488))], Inconclusive);
    let port_0 = json!({ "sdp": { "media_accepted": false, "fingerprints": [] }, "dtls": { "completed": false,
        "certificate": { "digest": null, "matches": false } } });
    about.case("audio refused in both answers", &[("a", port_0.clone()), ("b", port_0.clone())], Inconclusive);
    about.case("audio refused in one", &[("a", port_0)], Pass);
}

#[test]
fn plain_offer_accepted() {
    let about = About::new("media/plain-offer-accepted", &[("a", refused(488)), ("b", refused(415))]);
    let answer = |media: Value, datagrams: i64| {
        json!({ "status": 200, "invite_status": 200, "answered": true, "sdp": { "media_accepted": true, "profile": "RTP/AVP" },
            "ice": { "connected": false, "ufrag_length": 0 }, "media": media, "datagrams_received": datagrams })
    };
    let plain = || json!({ "received": 90, "plain_received": 90, "authenticated": 0, "echoed": 0 });
    for step in ["a", "b"] {
        let case = |what: &str, change: Value, expected| about.case(what, &[(step, change)], expected);
        let verdict = case("audio in clear", answer(plain(), 95), Fail);
        assert_eq!((verdict.severity, verdict.level), (High, Level::Must));
        let by_dtls = json!({ "received": 90, "plain_received": 0, "authenticated": 90, "echoed": 0 });
        case("audio under keys that nobody announced", answer(by_dtls, 95), Fail);
        let verdict = case("answered, then DTLS alone", answer(silence(), 4), Pass);
        assert_eq!(verdict.notes.len(), 1);
        case("answered, then nothing", answer(silence(), 0), Inconclusive);
        let mut hung_up = answer(silence(), 0);
        hung_up["ended_by"] = json!("target");
        case("answered, then hung up", hung_up, Pass);
        let mut lost = answer(silence(), 3);
        lost["ice"] = json!({ "connected": false, "ufrag_length": 8 });
        case("ICE fails", lost, Inconclusive);
        let mut port_0 = answer(silence(), 0);
        port_0["sdp"]["media_accepted"] = json!(false);
        case("audio port 0", port_0, Pass);
        for status in [403, 404, 415, 488, 606] {
            case("refused", refused(status), Pass);
        }
        for status in [302, 408, 429, 480, 486, 500, 503, 600] {
            case("busy", refused(status), Inconclusive);
        }
        let mut before = refused(403);
        before["invite_status"] = Value::Null;
        case("refused before the offer was seen", before, Inconclusive);
        case("no configuration", input_failed(), Inconclusive);
        let other = if step == "a" { "b" } else { "a" };
        about.case("in clear here, busy there", &[(step, answer(plain(), 9)), (other, refused(503))], Fail);
        let asked_by_nobody = [(step, answer(plain(), 9)), ("ok", json!({ "sdp": { "profile": "RTP/AVP" } }))];
        assert_eq!(about.case("the same for everybody", &asked_by_nobody, Fail).severity, Critical);
    }
    about.case("no control", &[("ok", json!({ "media": { "authenticated": 0 } }))], Inconclusive);
}

#[test]
fn fingerprint_mismatch_as_client() {
    let sound = json!({ "dtls": { "completed": false, "alert": "bad_certificate", "alert_after_ms": 12 },
        "media": silence(), "srtp": { "profile": null, "keys": null } });
    let about = About::new("media/fingerprint-mismatch-as-client", &[("c", sound), ("s", NOT_ASKED)]);
    let call = |what: &str, change: Value, expected| about.case(what, &[("c", change)], expected);
    let alive = json!({ "dtls": { "completed": true, "alert": null, "alert_after_ms": null },
        "media": { "received": 300, "authenticated": 300, "echoed": 290 } });
    let verdict = call("media go on", alive.clone(), Fail);
    assert_eq!((verdict.severity, verdict.level), (Critical, Level::Must));
    let mut quiet = alive;
    quiet["media"] = silence();
    let verdict = call("silence without an alert", quiet.clone(), Fail);
    assert_eq!((verdict.severity, verdict.level), (Medium, Level::Should));
    quiet["ended_by"] = json!("target");
    quiet["ended_after_ms"] = json!(900);
    call("hung up at once", quiet.clone(), Pass);
    quiet["ended_after_ms"] = json!(5900);
    call("hung up late", quiet, Fail);
    call("no alert, never finished", json!({ "dtls": { "alert": null, "alert_after_ms": null } }), Pass);
    call("no handshake", json!({ "dtls": { "alert": null, "client_random": null } }), Inconclusive);
    call("we broke off", json!({ "dtls": { "alert": null, "alert_sent": "handshake_failure" } }), Inconclusive);
    for status in [403, 480, 488, 503] {
        call("not answered", json!({ "answered": false, "status": status }), Inconclusive);
    }
    call("no configuration", input_failed(), Inconclusive);

    let left_out = |ok: Value, other: Value, what: &str, expected| {
        about.case(what, &[("ok", ok), ("c", NOT_ASKED), ("s", other)], expected);
    };
    let server = || json!({ "dtls": { "client_random": digest("ours") } });
    left_out(refused(488), server(), "refuses to be the client", NotApplicable);
    left_out(refused(488), refused(488), "refuses everything", Inconclusive);
    left_out(refused(488), NOT_ASKED, "the other role was not tried", Inconclusive);
    for status in [429, 480, 486, 503, 600] {
        left_out(refused(status), server(), "is busy", Inconclusive);
    }
    let stays = |setup: &str| {
        json!({ "sdp": { "setup": setup }, "ice": { "connected": false }, "media": silence(),
            "dtls": { "completed": false, "client_random": null, "server_random": null } })
    };
    left_out(stays("passive"), server(), "answers that it stays the server", NotApplicable);
    left_out(stays("passive"), refused(488), "and does not speak as server either", Inconclusive);
    left_out(stays("active"), server(), "agrees and never begins", Inconclusive);
    about.case("we were the client", &[("ok", json!({ "dtls": { "role": "client" } }))], Inconclusive);
}
