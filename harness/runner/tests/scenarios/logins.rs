//! The scenarios about SIP logins and names, before hand-made observations.

use ringfence_model::verdict::Level;
use ringfence_model::verdict::Severity::{Critical, High, Low, Medium};
use ringfence_model::verdict::State::{Fail, Inconclusive, NotApplicable, Pass};
use serde_json::{Value, json};

use crate::healthy::{About, NOT_ASKED, digest, input_failed};

fn answered(status: u16) -> Value {
    json!({ "status": status, "statuses": [status] })
}

/// Nothing came in time.
fn silent() -> Value {
    json!({ "outcome": "timeout", "status": null, "statuses": [], "challenge": { "schemes": [], "digests": 0, "nonce": null } })
}

fn closed() -> Value {
    json!({ "outcome": "closed", "status": null, "statuses": [], "challenge": { "schemes": [], "digests": 0, "nonce": null } })
}

/// The upgrade to WebSocket itself is refused.
fn denied(status: u16) -> Value {
    let challenge = json!({ "schemes": [], "digests": 0, "nonce": null });
    json!({ "outcome": "closed", "status": status, "statuses": [], "challenge": challenge })
}

fn bare(status: u16) -> Value {
    json!({ "status": status, "statuses": [status], "challenge": { "schemes": [], "digests": 0, "nonce": null } })
}

fn runtime() -> (&'static str, Value) {
    ("a", json!({ "config": { "kind": "runtime" } }))
}

#[test]
fn other_aor() {
    let about = About::new("credentials/other-aor", &[]);
    for step in ["e", "f"] {
        let verdict = about.case("takes it", &[(step, answered(200))], Fail);
        assert_eq!((verdict.severity, verdict.level), (Critical, Level::Must));
        about.case("takes it, the other is busy", &[(step, answered(200)), (other(step), answered(503))], Fail);
        for status in [401, 403, 404, 407] {
            about.case("refuses", &[(step, answered(status))], Pass);
        }
        about.case("refuses whoever asks", &[(step, bare(403))], Inconclusive);
        about.case("takes it unasked", &[(step, bare(200))], Fail);
        about.case("takes it unasked, the other is silent", &[(step, bare(200)), (other(step), silent())], Fail);
        let busy = [(step, answered(200)), (other(step), answered(503))];
        assert_eq!(about.case("takes it, the other is busy", &busy, Fail).findings.len(), 1, "503 takes nothing");
        about.case("silent", &[(step, silent())], Inconclusive);
        about.case("closes", &[(step, closed())], Inconclusive);
        for status in [302, 480, 500, 503] {
            about.case("busy", &[(step, answered(status))], Inconclusive);
        }
    }
    about.case("a ban behind it", &[("g", answered(403))], Inconclusive);
    for step in ["c", "d"] {
        about.case("does not register", &[(step, answered(403))], Inconclusive);
    }
    let same = || ("d", json!({ "aor": digest("aor a") }));
    about.case("one address for both", &[same()], Inconclusive);
    let by_hand = || ("a", json!({ "status": null }));
    let verdict = about.with_target("sip", "").case("one account, typed in", &[by_hand(), same()], Pass);
    assert_eq!(verdict.notes.len(), 1);
    about.with_target("sip", "").case("and it takes any name", &[by_hand(), same(), ("e", answered(200))], Fail);
    about.case("called as what is reserved", &[("f", json!({ "aor": digest("aor a") }))], Inconclusive);
    about.case("no configuration", &["c", "d", "e", "f", "g"].map(|step| (step, input_failed())), Inconclusive);
    about.case("runtime endpoint", &[runtime()], NotApplicable);
}

fn other(step: &str) -> &'static str {
    if step == "e" { "f" } else { "e" }
}

#[test]
fn weak_challenge() {
    let about = About::new("credentials/weak-challenge", &[]);
    let schemes = |list: &[&str], digests: i64, without: i64| json!({ "challenge": { "schemes": list, "digests": digests, "without_qop": without } });
    for step in ["b", "c"] {
        let verdict = about.case("no qop", &[(step, schemes(&["Digest"], 1, 1))], Fail);
        assert_eq!((verdict.severity, verdict.level), (Medium, Level::Must));
        about.case("one without qop", &[(step, schemes(&["Digest", "Digest"], 2, 1))], Fail);
        about.case("Basic too", &[(step, schemes(&["Digest", "Basic"], 1, 0))], Fail);
        about.case("unreadable", &[(step, schemes(&["Digest", "Digest"], 1, 0))], Fail);
        about.case("Bearer", &[(step, schemes(&["Bearer"], 0, 0))], Pass);
    }
    about.case("login refused, but asked for", &[("b", answered(403))], Pass);
    about.case("refused without a challenge", &[("c", bare(403))], Pass);
    about.case("connected without a challenge", &[("c", bare(200))], Pass);
    about.case("INVITE closes", &[("c", closed())], Pass);
    about.case("INVITE silent", &[("c", silent())], Inconclusive);
    about.case("neither a challenge nor a registration", &[("b", bare(403))], Inconclusive);
    about.case("no answer", &[("b", silent())], Inconclusive);
    about.case("admitted by something else", &[("b", bare(200)), ("c", bare(200))], NotApplicable);
    let rings = about.with_target("cognigy", "[destinations.call]\nuri = \"configured\"");
    rings.case("only INVITE is challenged", &[("b", bare(200))], Pass);
    rings.case("only INVITE is, without qop", &[("b", bare(200)), ("c", schemes(&["Digest"], 1, 1))], Fail);
    about.case("no destination", &[("c", NOT_ASKED)], Pass);
    about.case("no destination, no challenge", &[("c", NOT_ASKED), ("b", bare(200))], Inconclusive);
    about.case("runtime endpoint", &[runtime()], NotApplicable);
}

#[test]
fn nonce_replay() {
    let about = About::new("credentials/nonce-replay", &[("h", NOT_ASKED), ("i", NOT_ASKED)]);
    let declared = about.with_target("cognigy", "nonce_life_s = 20");
    let expired = || [("h", json!({})), ("i", answered(401))];
    assert!(declared.case("all refused", &expired(), Pass).notes.is_empty());
    for step in ["e", "g"] {
        let verdict = about.case("taken twice", &[(step, answered(200))], Fail);
        assert_eq!((verdict.severity, verdict.level), (Medium, Level::Should));
        about.case(
            "taken, the other is busy",
            &[(step, answered(200)), (if step == "e" { "g" } else { "e" }, answered(503))],
            Fail,
        );
        about.case("stale", &[(step, json!({ "challenge": { "stale": true } }))], Pass);
        about.case("proxy", &[(step, answered(407))], Pass);
        about.case("closes", &[(step, closed())], Pass);
        about.case("silent", &[(step, silent())], Inconclusive);
        about.case("busy", &[(step, answered(503))], Inconclusive);
        about.case("odd", &[(step, answered(404))], Inconclusive);
        for status in [403, 429, 503] {
            about.case("never upgraded", &[(step, denied(status))], Inconclusive);
        }
        let busy = [(step, answered(200)), (if step == "e" { "g" } else { "e" }, denied(503))];
        assert_eq!(about.case("taken, the other never upgraded", &busy, Fail).findings.len(), 1, "503 takes nothing");
    }
    for last in [answered(404), answered(480), answered(503), denied(403), denied(503), silent()] {
        let [wait, _] = expired();
        declared.case("nothing decided after its end", &[wait, ("i", last)], Inconclusive);
    }
    let [wait, _] = expired();
    declared.case("taken after its end", &[wait, ("i", answered(200))], Fail);
    assert_eq!(about.case("its life is not declared", &[], Pass).notes.len(), 1);
    let verdict = declared.case(
        "one nonce for all",
        &[&expired()[..], &[("c", json!({ "challenge": { "nonce": digest("nonce b") } }))]].concat(),
        Pass,
    );
    assert_eq!(verdict.notes.len(), 1);
    about.case("a ban behind it", &[("z", answered(403))], Inconclusive);
    about.case("does not register", &[("c", answered(403))], Inconclusive);
    about.case(
        "never challenged",
        &[("b", bare(200)), ("c", bare(200)), ("e", NOT_ASKED), ("g", NOT_ASKED)],
        NotApplicable,
    );
    about.case("runtime endpoint", &[runtime()], NotApplicable);
}

#[test]
fn pii_user_id_accepted() {
    let about = About::new("identity/pii-user-id-accepted", &[]);
    let statuses = |list: &[u16]| {
        let entry = |status: &u16| json!({ "entry": "email", "malformed": false, "status": status, "lost": false, "whole": true, "echoed": false });
        json!({ "statuses": list, "status": list.last(), "entries": list.iter().map(entry).collect::<Vec<_>>() })
    };
    let taken = || ("c", statuses(&[200, 403, 403, 403, 403, 403]));
    let verdict = about.case("takes one", &[taken()], Fail);
    assert_eq!((verdict.severity, verdict.level), (Low, Level::Info));
    let verdict =
        about.with_target("cognigy", "validates_user_ids = true").case("and says that it does not", &[taken()], Fail);
    assert_eq!((verdict.severity, verdict.level), (Medium, Level::Should));
    assert!(verdict.findings[0].message.visible().contains("email"));
    about.case("takes one, then dies", &[("c", statuses(&[403, 200]))], Fail);
    about.case("five answers", &[("c", statuses(&[403; 5]))], Inconclusive);
    for status in [302, 429, 480, 503] {
        about.case("busy", &[("c", statuses(&[403, 403, 403, 403, 403, status]))], Inconclusive);
    }
    about.case("bad request", &[("c", statuses(&[400; 6]))], Pass);
    assert_eq!(about.case("only its own names", &[("b", answered(401))], Pass).notes.len(), 1);
    about.case("random text is odd", &[("b", answered(503))], Inconclusive);
    about.case("random text is not answered", &[("b", silent())], Inconclusive);
    about.case("the pair fails", &[("o", answered(403))], Inconclusive);
    about.case("a ban behind it", &[("z", answered(403))], Inconclusive);
    about.case("runtime endpoint", &[runtime()], NotApplicable);
}

#[test]
fn user_id_injection() {
    let whole =
        json!({ "entry": "long", "malformed": false, "status": 403, "lost": false, "whole": false, "echoed": false });
    let all = ("d", json!({ "statuses": vec![403; 13], "entries": vec![whole.clone(); 13] }));
    let about = About::new("identity/user-id-injection", &[all]);
    let entry = |name: &str, change: Value| {
        let malformed = ["crlf", "nul"].contains(&name);
        let mut entry =
            json!({ "entry": name, "malformed": malformed, "lost": false, "whole": false, "echoed": false });
        change.as_object().expect("fields").iter().for_each(|(field, value)| entry[field] = value.clone());
        let mut entries = vec![whole.clone(); 12];
        entries.push(entry);
        ("d", json!({ "entries": entries, "statuses": [403] }))
    };
    let mut echoed = entry("crlf-escaped", json!({ "status": 403, "echoed": true }));
    echoed.1["echoed_headers"] = json!(["X-Ringfence-Marker"]);
    let verdict = about.case("reflected", &[echoed], Fail);
    assert_eq!((verdict.severity, verdict.level), (High, Level::Must));
    assert!(verdict.findings[0].message.visible().contains("crlf-escaped"));
    about.case("taken in one piece", &[entry("parameter", json!({ "status": 200, "whole": true }))], Pass);
    about.case("taken in pieces", &[entry("at", json!({ "status": 200 }))], Fail);
    about.case("lost", &[entry("nul-escaped", json!({ "lost": true }))], Fail);
    about.case("lost by a raw NUL", &[entry("nul", json!({ "lost": true }))], Pass);
    about.case("lost by a raw line end", &[entry("crlf", json!({ "lost": true }))], Pass);
    assert_eq!(about.case("dropped", &[entry("nul", json!({}))], Pass).notes.len(), 1);
    assert_eq!(about.case("a fault of its own", &[entry("nul", json!({ "status": 500 }))], Pass).notes.len(), 1);
    assert_eq!(about.case("only its own names", &[("b", answered(401))], Pass).notes.len(), 1);
    about.case("a plain name is odd", &[("b", answered(503))], Inconclusive);
    about.case("nothing answered", &[("d", json!({ "statuses": [], "entries": [] }))], Inconclusive);
    about.case("cut short", &[("d", json!({ "statuses": [403], "entries": [whole] }))], Inconclusive);
    let mut taken = entry("at", json!({ "status": 200 }));
    taken.1["entries"] = json!([taken.1["entries"][12]]);
    about.case("taken in pieces, then cut short", &[taken], Fail);
    about.case("busy all along", &[("d", json!({ "statuses": vec![503; 13] }))], Inconclusive);
    about.case("no plain name at last", &[("f", answered(403))], Inconclusive);
    about.case("dead at last", &[("f", silent())], Inconclusive);
    about.case("runtime endpoint", &[runtime()], NotApplicable);
}

#[test]
fn unauthenticated_invite() {
    let about = About::new("signalling/unauthenticated-invite", &[]);
    for step in ["a", "b", "d"] {
        let verdict = about.case("answered", &[(step, json!({ "status": 200, "progressed": true }))], Fail);
        assert_eq!((verdict.severity, verdict.level), (Critical, Level::Must));
        about.case("rang, and was cancelled", &[(step, json!({ "status": 487, "progressed": true }))], Fail);
        for status in [401, 403, 404, 603] {
            about.case("refused", &[(step, answered(status))], Pass);
        }
        about.case("closed", &[(step, closed())], Pass);
        about.case("silent", &[(step, silent())], Inconclusive);
        for status in [408, 480, 486, 488, 503] {
            about.case("not decided", &[(step, answered(status))], Inconclusive);
        }
        about.case("a ban", &[(step, answered(403)), ("z", answered(403))], Inconclusive);
        about.case("a challenge, and no registrar", &[("z", answered(405))], Pass);
        for banned in [silent(), closed(), answered(503)] {
            about.case("a ban that closes", &[(step, closed()), ("z", banned)], Inconclusive);
        }
        about.case("closed, and no registrar", &[(step, closed()), ("z", answered(405))], Pass);
    }
    about.case("a bad request for what is one", &[("d", answered(400))], Pass);
    about.case("a bad request for what is none", &[("a", answered(400))], Inconclusive);
    about.case("no media", &[("ok", json!({ "media": { "authenticated": 0 } }))], Inconclusive);
    for admission in ["headers", "token", "cookie", "none"] {
        let open = about.with_target("cognigy", &format!("admission = \"{admission}\""));
        open.case("admitted by something else", &[("a", json!({ "status": 200, "progressed": true }))], NotApplicable);
    }
}
