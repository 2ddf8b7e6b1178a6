//! Tokens, credentials in use, and calls that identity headers admit.

use ringfence_model::verdict::Level;
use ringfence_model::verdict::Severity::{Critical, High, Low, Medium};
use ringfence_model::verdict::State::{Fail, Inconclusive, NotApplicable, Pass};
use serde_json::{Value, json};

use crate::healthy::{About, NOT_ASKED, input_failed};

fn status(status: u16) -> Value {
    json!({ "status": status, "statuses": [status], "invite_status": status, "answered": status < 300 })
}

fn timed_out() -> Value {
    json!({ "outcome": "timeout", "status": null, "invite_status": null, "answered": false })
}

#[test]
fn expired_accepted() {
    let without_token = ["n", "k", "f"].map(|step| (step, NOT_ASKED));
    let waited = json!({ "seconds": 31, "known": true });
    let mut sound = vec![("c", waited), ("d", status(403))];
    sound.extend(without_token);
    let about = About::new("tokens/expired-accepted", &sound);
    let verdict = about.case("still registers", &[("d", status(200))], Fail);
    assert_eq!((verdict.severity, verdict.level), (High, Level::Must));
    assert!(verdict.findings[0].message.visible().contains("31 s"));
    for busy in [302, 408, 480, 500, 503] {
        about.case("busy", &[("d", status(busy))], Inconclusive);
    }
    about.case("no answer", &[("d", timed_out())], Inconclusive);
    about.case("closes the connection", &[("d", json!({ "status": null, "outcome": "closed" }))], Pass);
    about.case("an outage", &[("h", status(503))], Inconclusive);
    about.case("no configuration", &["a", "b", "c", "d"].map(|step| (step, input_failed())), Inconclusive);

    let unwaited = |known: bool| {
        let wait = json!({ "seconds": 0, "skipped": true, "known": known });
        [("c", wait), ("d", NOT_ASKED), ("h", NOT_ASKED)]
    };
    let verdict = about.case("a day long", &unwaited(true), Inconclusive);
    assert!(verdict.reasons[0].visible().contains("budget"), "{:?}", verdict.reasons);
    let verdict = about.case("nobody says when", &unwaited(false), Inconclusive);
    assert!(verdict.reasons[0].visible().contains("credential_life_s"), "{:?}", verdict.reasons);
    let runtime = ("a", json!({ "config": { "kind": "runtime", "password": null } }));
    about.case("runtime endpoint", &[runtime], NotApplicable);

    let by_hand = || ("a", json!({ "status": null, "config": { "kind": "sip" } }));
    let account = about.with_target("sip", "");
    account.case("an account, promised by nobody", &[by_hand(), ("c", NOT_ASKED)], NotApplicable);
    let promised = about.with_target("sip", "credential_life_s = 30");
    promised.case("an account that was to end", &[by_hand(), ("d", status(200))], Fail);
    let longer = promised.case("says another time", &[("b", json!({ "lifetime_s": 3600 }))], Pass);
    assert_eq!(longer.notes.len(), 1);

    let token = |f: Value| {
        let strangers = ("n", json!({ "status": 401 }));
        [("a", json!({ "config": { "token": "digest:00000001:aa" } })), strangers, ("k", json!({})), ("f", f)]
    };
    about.case("a token that ends", &token(json!({ "status": 401, "accepted": false })), Pass);
    about.case("a token that does not", &token(json!({})), Fail);
    about.case("a busy endpoint", &token(json!({ "status": 429, "accepted": false })), Inconclusive);
}

#[test]
fn used_twice() {
    let sound = [("c", status(403)), ("d", status(403)), ("e", status(403))];
    let about = About::new("tokens/used-twice", &sound);
    let verdict = about.case("a second call", &[("d", status(200))], Fail);
    assert_eq!((verdict.severity, verdict.level), (Low, Level::Info));
    let single = ["asvs-l2", "asvs-l3", "strict-aead", "nist-800-52r2", "bsi-tr-02102"];
    let single = single.into_iter().filter(|name| crate::support::policy(name).token_single_use);
    for policy in single {
        let verdict = about.with_policy(policy).case("a second call", &[("d", status(200))], Fail);
        assert_eq!((verdict.severity, verdict.level), (Medium, Level::Should), "{policy}");
    }
    let noted = about.case("a second registration beside it", &[("c", status(200)), ("e", status(200))], Pass);
    assert_eq!(noted.notes.len(), 2);
    let ended = || ("b", json!({ "ended_by": "target" }));
    about.case("a second registration in its place", &[("c", status(200)), ended()], Fail);
    about.case("from a second address", &[("e", status(200)), ended()], Fail);
    about.case("the call ends by itself", &[ended()], Inconclusive);
    let nowhere = json!({ "outcome": "unreachable", "status": null, "error": "this machine has no second address" });
    let noted = about.case("no second address", &[("e", nowhere)], Pass);
    assert_eq!(noted.notes.len(), 1);
    for busy in [302, 408, 480, 503] {
        about.case("busy", &[("d", status(busy))], Inconclusive);
    }
    about.case("no answer", &[("d", timed_out())], Inconclusive);
    about.case("never called", &[("b", status(486))], Inconclusive);
    about.case("no configuration", &["a", "b", "c", "d", "e", "z"].map(|step| (step, input_failed())), Inconclusive);
    let left_out = || ["b", "c", "d", "e", "z"].map(|step| (step, NOT_ASKED));
    let kind = ("a", json!({ "config": { "kind": "runtime" } }));
    about.case("runtime endpoint", &left_out().into_iter().chain([kind]).collect::<Vec<_>>(), NotApplicable);
    let by_hand = ("a", json!({ "status": null }));
    let typed_in: Vec<_> = left_out().into_iter().chain([by_hand]).collect();
    about.with_target("sip", "").case("an account", &typed_in, NotApplicable);
    let reusable = about.with_target("cognigy", "tokens_reusable = true");
    reusable.case("reusable on purpose", &left_out(), NotApplicable);
}

#[test]
fn header_admission() {
    let runtime = || json!({ "config": { "kind": "runtime", "password": null, "username": null } });
    let sound: Vec<(&'static str, Value)> = ["a", "f", "m"]
        .map(|step| (step, runtime()))
        .into_iter()
        .chain(["c", "d", "e", "g"].map(|step| (step, status(403))))
        .collect();
    let about = About::with_sessions("identity/header-admission", &["second"], &sound);
    for (step, what) in [("c", "without"), ("d", "another"), ("e", "behind"), ("g", "second endpoint")] {
        let verdict = about.case(what, &[(step, status(200))], Fail);
        assert_eq!((verdict.severity, verdict.level), (Critical, Level::Must));
        assert!(verdict.findings[0].message.visible().contains(what), "{:?}", verdict.findings);
        about.case("not found", &[(step, status(404))], Pass);
        about.case("busy", &[(step, status(486))], Inconclusive);
        about.case("out of order", &[(step, status(503))], Inconclusive);
        about.case("no answer", &[(step, timed_out())], Inconclusive);
    }
    about.case("busy, but admits", &[("c", status(486)), ("d", status(200))], Fail);
    about.case("nobody picks up", &[("b", status(486))], Inconclusive);
    about.case("bans us", &[("h", status(403))], Inconclusive);
    let legacy_second = [("f", json!({ "config": { "kind": "legacy" } })), ("g", NOT_ASKED)];
    about.case("a second endpoint that registers", &legacy_second, Pass);

    let alone = ["f", "d", "e", "g"].map(|step| (step, NOT_ASKED));
    let single = about.sessions(&[]);
    single.case("no second endpoint", &alone, Inconclusive);
    let admits: Vec<_> = alone.iter().cloned().chain([("c", status(200))]).collect();
    single.case("no second endpoint, and admits anybody", &admits, Fail);

    let legacy = || ("m", json!({ "config": { "kind": "legacy" } }));
    about.sessions(&["runtime", "runtime-second"]).case("beside one that registers", &[legacy()], Pass);
    let nobody: Vec<_> =
        ["a", "b", "c", "f", "d", "e", "g", "h"].map(|step| (step, NOT_ASKED)).into_iter().chain([legacy()]).collect();
    about.case("registers, and no other is declared", &nobody, NotApplicable);
    let wrong = ("a", json!({ "config": { "kind": "legacy" } }));
    let not_asked = ["b", "c", "f", "d", "e", "g", "h"].map(|step| (step, NOT_ASKED));
    let declared: Vec<_> = not_asked.into_iter().chain([legacy(), wrong]).collect();
    about.sessions(&["runtime"]).case("declared, but registers", &declared, NotApplicable);
}
