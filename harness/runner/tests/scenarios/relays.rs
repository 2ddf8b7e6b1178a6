//! Keys that change in mid-call, checks of strangers, and what a relay reaches.

use ringfence_model::verdict::Level;
use ringfence_model::verdict::Severity::{Critical, High, Medium};
use ringfence_model::verdict::State::{Fail, Inconclusive, NotApplicable, Pass};
use serde_json::{Value, json};

use crate::healthy::{About, NOT_ASKED, input_failed};

#[test]
fn rekey_ineffective() {
    let about = About::new("keys/rekey-ineffective", &[]);
    let r = |change: Value| [("r", change)];
    let old = about.case("old keys echoed", &r(json!({ "old_keys_echoed": 25 })), Fail);
    assert_eq!((old.severity, old.level), (High, Level::Must));
    about.case("counted, but not played", &r(json!({ "old_keys_counted_by_rtcp": true })), Pass);
    let counted = json!({ "new_keys_echoed": 0, "new_keys_counted_by_rtcp": true, "old_keys_counted_by_rtcp": true });
    about.case("old keys counted where nothing comes back", &r(counted), Fail);
    about.case("the same keys", &r(json!({ "keys_differ": false })), Fail);
    about.case(
        "the same certificate, new keys",
        &r(json!({ "fingerprint_changed": false, "tls_id_changed": false })),
        Pass,
    );
    let by_reports = json!({ "new_keys_echoed": 0, "control_after": false, "new_keys_counted_by_rtcp": true });
    about.case("seen by reports alone", &r(by_reports), Pass);
    let nothing = json!({ "new_association": false, "keys_differ": false, "new_keys_echoed": 0, "control_after": false,
        "old_keys_sent": 0 });
    about.case("nothing came back", &r(nothing), Inconclusive);
    about.case("good audio stopped", &r(json!({ "control_after": false })), Inconclusive);
    about.case("no time for old keys", &r(json!({ "old_keys_sent": 0 })), Inconclusive);
    let kept = json!({ "new_association": false, "keys_differ": false, "new_keys_echoed": 3, "old_keys_sent": 0 });
    let verdict = about.case("audio without a new handshake", &r(kept), Fail);
    assert_eq!(verdict.findings.len(), 1, "of a handshake that there was not, nothing is said");
    let refused = |status: u16, after: i64| {
        json!({ "status": status, "ufrag_changed": false, "pwd_changed": false, "tls_id_changed": false,
            "fingerprint_changed": false, "new_association": false, "new_keys": null, "keys_differ": false,
            "new_keys_echoed": 0, "old_keys_sent": 0, "media_after": after, "control_after": after > 0 })
    };
    about.case("refused, and goes on", &r(refused(488, 90)), NotApplicable);
    about.case("not implemented", &r(refused(501, 90)), NotApplicable);
    about.case("declined", &r(refused(603, 90)), NotApplicable);
    about.case("refused, and the call is gone", &r(refused(488, 0)), Inconclusive);
    about.case("glare", &r(refused(491, 90)), Inconclusive);
    about.case("out of order", &r(refused(503, 90)), Inconclusive);
    about.case("ignored, and goes on", &r(refused(200, 90)), NotApplicable);
    about.case("ignored, and the call is gone", &r(refused(200, 0)), Inconclusive);
    let mut silent = refused(200, 90);
    silent["status"] = Value::Null;
    about.case("no answer", &r(silent), Inconclusive);
    let mut ended = refused(200, 0);
    ended["status"] = Value::Null;
    ended["outcome"] = json!("closed");
    about.case("the call ended", &r(ended), Inconclusive);
    about.case("no call", &[("c", json!({ "answered": false })), ("r", input_failed())], Inconclusive);
}

#[test]
fn unauthenticated_check() {
    let about = About::new("ice/unauthenticated-check", &[]);
    for step in ["a", "b", "d", "e"] {
        let verdict = about.case("answered", &[(step, json!({ "answered": true }))], Fail);
        assert_eq!((verdict.severity, verdict.level), (High, Level::Must));
        about.case("the call died", &[(step, json!({ "session_alive": false, "control_ok": false }))], Fail);
        about.case("no control", &[(step, json!({ "control_ok": false }))], Inconclusive);
        let unplaced = json!({ "connected": false, "session_alive": false, "control_ok": false, "outcome": "timeout" });
        about.case("no call", &[(step, unplaced)], Inconclusive);
        about.case("silent at the end", &[(step, json!({ "session_alive": false }))], Inconclusive);
    }
    let died = || json!({ "session_alive": false, "control_ok": false });
    let by_itself = || ("q", json!({ "ended_by": "target", "ended_after_ms": 4000 }));
    for step in ["a", "b", "d"] {
        about.case("it hangs up by itself", &[(step, died()), by_itself()], Inconclusive);
    }
    let mut answered = died();
    answered["answered"] = true.into();
    about.case("answered, and it hangs up by itself", &[("a", answered), by_itself()], Fail);
    about.case("all is well, and it was not asked how long calls last", &[("q", NOT_ASKED)], Pass);
    about.case("drawn away", &[("e", json!({ "nominated": true, "media_moved": true }))], Fail);
    about.case("refused with 400", &[("b", json!({ "refused": 20 }))], Pass);
    about.case("answered, and nothing else", &[("a", json!({ "answered": true, "control_ok": false }))], Fail);
    about.case("a relay", &[("e", NOT_ASKED)], Pass);
    about.case("no media", &[("ok", json!({ "dtls": { "completed": false } }))], Inconclusive);
}

#[test]
fn relays_to_special_addresses() {
    let about = About::new(
        "turn/relays-to-special-addresses",
        &[("ok_tls", NOT_ASKED), ("p_tls", NOT_ASKED), ("d_tls", NOT_ASKED)],
    );
    let granted = |set: &str, declared: bool| {
        let peer = json!({ "peer": "192.0.2.1", "set": set, "allowed": true, "refused": false, "declared": declared });
        json!({ "answers": [peer], "allowed": ["192.0.2.1"] })
    };
    for set in ["loopback", "link-local", "metadata"] {
        let verdict = about.case(set, &[("p", granted(set, false))], Fail);
        assert_eq!((verdict.severity, verdict.level), (Critical, Level::Must), "{set}");
    }
    for set in ["private", "cgnat", "multicast", "broadcast"] {
        let verdict = about.case(set, &[("d", granted(set, false))], Fail);
        assert_eq!((verdict.severity, verdict.level), (High, Level::Must), "{set}");
    }
    let verdict = about.case("where it listens", &[("p", granted("own-server", false))], Fail);
    assert_eq!((verdict.severity, verdict.level), (Medium, Level::Should));
    assert_eq!(about.case("where it relays", &[("p", granted("own-relayed", false))], Pass).notes.len(), 1);
    about.case("declared", &[("p", granted("private", true))], Pass);
    about.case("sends what nothing permitted", &[("d", json!({ "sends_unpermitted": true }))], Fail);
    about.case("cannot be told", &[("d", json!({ "sends_unpermitted": null }))], Pass);
    about.case("no control", &[("p", json!({ "control_ok": false, "control_error": "x" }))], Inconclusive);
    let mut unproved = granted("private", false);
    unproved["control_ok"] = json!(false);
    about.case("granted without a control", &[("p", unproved)], Fail);
    about.case("a silent peer", &[("p", json!({ "silent": ["10.0.0.1"] }))], Inconclusive);
    let full = json!({ "answers": [{ "peer": "10.0.0.1", "set": "private", "error_code": 508, "allowed": false,
        "refused": false, "declared": false }] });
    about.case("out of room", &[("p", full)], Inconclusive);
    about.case("nothing asked", &[("p", json!({ "answers": [] }))], Inconclusive);
    about.case("broke off", &[("d", json!({ "outcome": "closed", "control_ok": false, "answers": [] }))], Inconclusive);
    about.case(
        "no allocation",
        &[("ok", json!({ "allocated": false })), ("p", NOT_ASKED), ("d", NOT_ASKED)],
        Inconclusive,
    );
    let none = json!({ "config": { "ice_servers": [] } });
    let left_out = [("c", none), ("ok", NOT_ASKED), ("p", NOT_ASKED), ("d", NOT_ASKED)];
    about.case("no TURN", &left_out, NotApplicable);
}
