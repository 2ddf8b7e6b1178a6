//! Scenarios about what a call's handshake agrees on, with whom, and what its port says to strangers.

use ringfence_model::known_certificates::KNOWN_CERTIFICATES;
use ringfence_model::verdict::Level::{Must, Should};
use ringfence_model::verdict::Severity::{High, Low, Medium};
use ringfence_model::verdict::State::{Fail, Inconclusive, NotApplicable, Pass};
use serde_json::{Value, json};

use crate::healthy::{About, NOT_ASKED, input_failed};

/// What a destination declares that sends our audio back.
const ECHO: &str = "session_scope = true\n[destinations.call]\nuri = \"configured\"\necho = true";

/// A call that agreed on this profile.
fn agreed(profile: &str) -> Value {
    json!({ "srtp": { "profile": profile, "used_profile": profile } })
}

fn refused() -> Value {
    json!({ "dtls": { "completed": false, "alert": "handshake_failure" },
        "srtp": { "profile": null, "used_profile": null, "tag_bytes": null, "keys": null },
        "media": { "received": 0, "authenticated": 0, "echoed": 0 } })
}

fn silent() -> Value {
    json!({ "media": { "received": 0, "authenticated": 0, "echoed": 0 },
        "srtp": { "used_profile": null, "tag_bytes": null } })
}

#[test]
fn aes256_not_used() {
    let expects = About::declaring("media/aes256-not-used", "expect_aes256 = true", &[]);
    let verdict = expects.case("the shorter key", &[("c", agreed("gcm-128"))], Fail);
    assert_eq!((verdict.severity, verdict.level), (Medium, Should));
    expects.case("none of GCM", &[("c", agreed("cm-sha1-80"))], Fail);
    expects.case("no media", &[("c", silent())], Inconclusive);
    expects.case("refused", &[("c", refused())], Inconclusive);
    expects.case("no control", &[("ok", refused())], Inconclusive);
    expects.case("no configuration", &[("c", input_failed())], Inconclusive);
    let verdict = expects.case("as DTLS client something else", &[("d", agreed("cm-sha1-80"))], Pass);
    assert_eq!(verdict.notes.len(), 2, "both choices are told");
    expects.case("not the DTLS client at all", &[("d", refused())], Pass);

    let nothing = expects.with_target("cognigy", "session_scope = true");
    nothing.case("nobody asks for anything", &[("c", agreed("gcm-128"))], NotApplicable);
    let strict = nothing.with_policy("strict-aead");
    strict.case("what the policy prefers", &[("c", agreed("gcm-128"))], Pass);
    strict.case("better than that", &[], Pass);
    strict.case("worse than that", &[("c", agreed("cm-sha1-80"))], Fail);
}

#[test]
fn profile_not_used() {
    let about = About::new("media/profile-not-used", &[]).with_target("cognigy", ECHO);
    let other = || json!({ "srtp": { "used_profile": "cm-sha1-80", "tag_bytes": 10 }, "media": { "authenticated": 0, "echoed": 0 } });
    let nothing =
        || json!({ "srtp": { "used_profile": null, "tag_bytes": null }, "media": { "authenticated": 0, "echoed": 0 } });
    for step in ["a", "b"] {
        let verdict = about.case("another profile", &[(step, other())], Fail);
        assert_eq!((verdict.severity, verdict.level), (High, Must));
        about.case("packets that nothing opens", &[(step, nothing())], Fail);
        about.case("ours are not taken", &[(step, json!({ "media": { "echoed": 0 } }))], Fail);
        assert!(about.case("refused", &[(step, refused())], Pass).notes.len() > 2, "and it is said");
        about.case(
            "no profile agreed on",
            &[(step, json!({ "srtp": { "profile": null, "used_profile": null } }))],
            Pass,
        );
        about.case("no packet came", &[(step, silent())], Inconclusive);
        let unfinished = json!({ "dtls": { "completed": false }, "srtp": { "profile": null, "used_profile": null } });
        about.case("neither an alert nor an end", &[(step, unfinished)], Inconclusive);
        about.case("ICE fails", &[(step, json!({ "ice": { "connected": false } }))], Inconclusive);
        about.case("not answered", &[(step, json!({ "answered": false, "status": 486 }))], Inconclusive);
        about.case("no configuration", &[(step, input_failed())], Inconclusive);
    }
    about.case("the control's packets too", &[("ok", nothing())], Fail);
    about.case("no packet in the control", &[("ok", silent())], Inconclusive);
    about.case("no echo in the control", &[("ok", json!({ "media": { "echoed": 0 } }))], Inconclusive);
    let unheard = about.with_target("cognigy", "session_scope = true");
    let quiet = || json!({ "media": { "echoed": 0 } });
    unheard.case("a destination without echo", &[("ok", quiet()), ("a", quiet()), ("b", quiet())], Pass);
    unheard.case("and with another profile", &[("ok", quiet()), ("a", other()), ("b", quiet())], Fail);
}

#[test]
fn renegotiation_accepted() {
    let about = About::new("media/renegotiation-accepted", &[]).with_target("cognigy", ECHO);
    let begun = json!({ "renegotiation_refused": false, "new_association": true });
    let verdict = about.case("a second handshake", &[("r", begun)], Fail);
    assert_eq!((verdict.severity, verdict.level), (Medium, Must));
    let alert = about.case("refused in words", &[("r", json!({ "alert": "no_renegotiation" }))], Pass);
    assert_eq!(alert.notes.len(), 1);
    about.case("refused, and the audio stops", &[("r", json!({ "media_after": 0, "media_gap_ms": 5000 }))], Fail);
    about.case("refused with a gap", &[("r", json!({ "media_gap_ms": 1400 }))], Fail);
    // Janus 1.1 does so.
    let over =
        || json!({ "outcome": "closed", "renegotiation_refused": false, "call_alive": false, "media_gap_ms": null });
    let ended = |alert: Value| ("c", json!({ "ended_by": "target", "dtls": { "alert": alert } }));
    let words = [ended(json!("no_renegotiation")), ("r", over())];
    assert_eq!(about.case("refused in words, and the call is ended", &words, Pass).notes.len(), 1);
    about.case("ended with another alert", &[ended(json!("internal_error")), ("r", over())], Inconclusive);
    about.case("ended without a word", &[ended(Value::Null), ("r", over())], Inconclusive);
    about.case("ended by nobody that we know", &[("r", over())], Inconclusive);
    let begun = json!({ "renegotiation_refused": false, "new_association": true, "call_alive": false });
    about.case("begun, and ended", &[ended(json!("no_renegotiation")), ("r", begun)], Fail);
    about.case("not sent", &[("r", json!({ "renegotiation_refused": false, "media_gap_ms": null }))], Inconclusive);
    about.case("over", &[("r", input_failed())], Inconclusive);
    about.case("no echo before", &[("c", json!({ "media": { "echoed": 0 } }))], Inconclusive);
    let unheard = about.with_target("cognigy", "session_scope = true");
    unheard.case("a destination without echo", &[("c", json!({ "media": { "echoed": 0 } }))], Pass);
    about.case("1.3", &[("c", json!({ "dtls": { "version": "1.3" } }))], NotApplicable);
}

#[test]
fn dtls_amplification() {
    let about = About::new("media/dtls-amplification", &[]);
    let flight = || json!({ "attempts": 1, "bytes_out": 140, "bytes_in": 900, "succeeded": 1 });
    let verdict = about.case("a flight for a hello", &[("a", flight())], Fail);
    assert_eq!((verdict.severity, verdict.level), (Low, Should));
    let mut lost = flight();
    lost["control_ok"] = json!(false);
    about.case("and the call is lost over it", &[("a", lost)], Fail);
    let cookies = json!({ "bytes_in": 1200, "cookies": 20 });
    assert_eq!(about.case("a cookie for each", &[("a", cookies)], Pass).notes.len(), 1);
    assert_eq!(about.case("nothing for any", &[], Pass).notes.len(), 1);
    about.case("as much as the policy lets", &[("a", json!({ "bytes_out": 100, "bytes_in": 300 }))], Pass);
    about.case("a byte more", &[("a", json!({ "bytes_out": 100, "bytes_in": 301 }))], Fail);
    about.case("no handshake beside", &[("a", json!({ "control_ok": false }))], Inconclusive);
    let relayed = json!({ "attempts": 0, "bytes_out": 0, "relayed": true, "control_ok": false });
    about.case("through a relay", &[("a", relayed)], Inconclusive);
    let unsent = json!({ "attempts": 0, "bytes_out": 0, "control_ok": false });
    about.case("nothing sent", &[("a", unsent)], Inconclusive);
    about.case("no configuration", &[("a", input_failed())], Inconclusive);
    about.case("no control", &[("ok", refused())], Inconclusive);
}

#[test]
fn certificate_weak() {
    let about = About::new("media/certificate-weak", &[]);
    let key = |kind: &str, bits: u32| json!({ "dtls": { "certificate": { "key_type": kind, "key_bits": bits } } });
    let other = |change: Value| {
        let mut second =
            json!({ "sha256": "cd".repeat(32), "key_type": "rsa", "key_bits": 2048, "self_signed": true, "names": [] });
        second.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        ("s", json!({ "certificates": [second] }))
    };
    for step in ["c", "d"] {
        let verdict = about.case("RSA of 1024 bits", &[(step, key("rsa", 1024))], Fail);
        assert_eq!((verdict.severity, verdict.level), (Medium, Must));
        about.case("an old curve", &[(step, key("ec", 192))], Fail);
        about.case("RSA of 2048 bits", &[(step, key("rsa", 2048))], Pass);
        about.case("Ed25519", &[(step, key("ed25519", 256))], Pass);
        let published = json!({ "dtls": { "certificate": { "sha256": KNOWN_CERTIFICATES[0].sha256 } } });
        about.case("published", &[(step, published)], Fail);
    }
    about.case("to other hellos RSA of 1024 bits", &[other(json!({ "key_bits": 1024 }))], Fail);
    about.case("to other hellos a published one", &[other(json!({ "sha256": KNOWN_CERTIFICATES[0].sha256 }))], Fail);
    about.case("to other hellos a sound one", &[other(json!({}))], Pass);
    let past = about.case("past its end", &[other(json!({ "days_left": -3 }))], Pass);
    assert_eq!(past.notes.len(), 1);
    let sha1 = json!({ "dtls": { "certificate": { "signature_hash": "sha1" } } });
    assert_eq!(about.case("signed with SHA-1", &[("c", sha1)], Pass).notes.len(), 1);
    let more = json!({ "inconclusive_questions": [{ "version": "1.2", "list": "suites", "reason": "max_calls" }] });
    assert_eq!(about.case("more suites than calls", &[("s", more)], Pass).notes.len(), 1);
    let unseen = || json!({ "dtls": { "completed": false, "certificate": { "sha256": null, "key_type": null, "key_bits": null } } });
    about.case("never the DTLS client", &[("d", unseen())], Pass);
    about.case("seen by hellos alone", &[("c", unseen()), ("d", unseen())], Pass);
    let weak = [("c", unseen()), ("d", unseen()), other(json!({ "key_bits": 512 }))];
    about.case("seen by hellos alone, and short", &weak, Fail);
    let nothing = ("s", json!({ "certificates": [], "outcome": "timeout" }));
    about.case("no certificate at all", &[("c", unseen()), ("d", unseen()), nothing], Inconclusive);
    about.case("unreadable", &[("c", json!({ "dtls": { "certificate": { "key_bits": null } } }))], Inconclusive);
    about.case("ICE fails", &[("c", json!({ "ice": { "connected": false } }))], Inconclusive);
    about.case("no configuration", &[("c", input_failed())], Inconclusive);
    let own = "ab".repeat(32);
    let lists = about.with_target("cognigy", &format!("session_scope = true\nknown_certificates = [\"{own}\"]"));
    lists.case("on the operator's own list", &[other(json!({ "sha256": own }))], Fail);
}

#[test]
fn known_default_certificate() {
    let about = About::new("keys/known-default-certificate", &[]);
    let known = KNOWN_CERTIFICATES[0];
    let shown = || json!({ "dtls": { "certificate": { "sha256": known.sha256 } } });
    let announced = || json!({ "sdp": { "sha256": ["00", known.sha256] } });
    let unseen =
        || json!({ "dtls": { "completed": false, "certificate": { "sha256": null } }, "sdp": { "sha256": [] } });
    for step in ["c", "d"] {
        let verdict = about.case("shown", &[(step, shown())], Fail);
        assert_eq!((verdict.severity, verdict.level), (High, Must));
        assert!(format!("{verdict:?}").contains(known.source), "whose it is");
        assert!(format!("{:?}", about.case("announced", &[(step, announced())], Fail)).contains(known.source));
        about.case("seen in the other role alone", &[(step, unseen())], Pass);
    }
    about.case("no handshake in either role", &[("c", unseen()), ("d", unseen())], Inconclusive);
    let mut only_announced = announced();
    only_announced["dtls"] = unseen()["dtls"].clone();
    about.case("announced, and never shown", &[("c", only_announced), ("d", unseen())], Fail);
    about.case("no configuration", &[("c", input_failed())], Inconclusive);
    let relay = |sha256: &str| ("t", json!({ "certificate": { "sha256": sha256 } }));
    assert_eq!(about.case("of the relay", &[relay(known.sha256)], Fail).severity, High);
    about.case("no turns: server", &[("t", NOT_ASKED)], Pass);
    about.case("its handshake fails", &[("t", json!({ "outcome": "tls-failed", "certificate": null }))], Pass);
    about.case("of the relay, and no handshake", &[("c", unseen()), relay(known.sha256)], Fail);
    let own = "ab".repeat(32);
    let lists = about.with_target("cognigy", &format!("session_scope = true\nknown_certificates = [\"{own}\"]"));
    lists.case("none of the operator's own list", &[], Pass);
    lists.case("one of it", &[("d", json!({ "dtls": { "certificate": { "sha256": own } } }))], Fail);
    lists.case("the relay's", &[relay(&own)], Fail);
    lists.case("announced", &[("c", json!({ "sdp": { "sha256": [own] } }))], Fail);
}
