//! The scenarios about SIP messages and the frames that carry them, before hand-made observations.

use ringfence_model::verdict::Level;
use ringfence_model::verdict::Severity::{High, Low, Medium};
use ringfence_model::verdict::State::{Fail, Inconclusive, Pass};
use serde_json::{Value, json};

use crate::healthy::{About, NOT_ASKED, input_failed};

fn spoke(status: u16) -> Value {
    json!({ "status": 101, "accepted": true, "sip_answer": { "status": status } })
}

fn refused(status: u16) -> Value {
    json!({ "status": status, "accepted": false, "sip_answer": { "status": null } })
}

fn silent() -> Value {
    json!({ "status": 101, "accepted": true, "sip_answer": { "status": null } })
}

fn closed() -> Value {
    json!({ "status": 101, "accepted": true, "outcome": "closed", "sip_answer": { "status": null } })
}

/// What is seen where the service dies in the middle.
fn dying(total: i64, sent: i64) -> Value {
    let prober = json!({ "sent": 40, "lost": 12, "lost_before": 0, "max_gap_ms": 24_000 });
    json!({ "total": total, "sent": sent, "prober": prober, "second_call_alive": false })
}

/// The call beside is gone or silent, and nothing shows that it was lost.
fn left() -> Value {
    json!({ "second_call_alive": false, "second_call_left": true })
}

fn closed_on_another() -> Value {
    json!({ "prober": { "closed": 1 } })
}

fn unplaced() -> Value {
    json!({ "outcome": "unreachable", "status": null, "invite_status": null, "answered": false,
        "dtls": { "completed": false }, "media": { "sent": 0, "received": 0, "authenticated": 0, "echoed": 0 } })
}

#[test]
fn websocket_nonconformant() {
    let about = About::new("signalling/websocket-nonconformant", &[]);
    for step in ["b", "d"] {
        let verdict = about.case("any subprotocol", &[(step, spoke(200))], Fail);
        assert_eq!((verdict.severity, verdict.level), (Low, Level::Should), "nothing else is wrong");
        about.case("granted without a word", &[(step, silent())], Pass);
        about.case("granted and closed", &[(step, closed())], Pass);
    }
    for what in [silent(), closed(), spoke(400), spoke(405)] {
        let verdict = about.case("no binary messages", &[("e", what)], Fail);
        assert_eq!((verdict.severity, verdict.level), (Medium, Level::Should));
    }
    about.case("everything is a 404", &[("a", spoke(404)), ("e", spoke(404))], Pass);
    about.case("busy", &[("e", spoke(503))], Inconclusive);
    about.case("never upgraded again", &[("e", refused(403))], Inconclusive);
    let verdict = about.case("a stream of bytes", &[("g", spoke(200))], Fail);
    assert_eq!((verdict.severity, verdict.level), (Medium, Level::Should));
    about.case("half a request is a bad request", &[("g", spoke(400))], Pass);
    about.case("closes on half a request", &[("g", closed())], Pass);
    about.case("a 405 to all, half requests included", &["a", "e", "g"].map(|step| (step, spoke(405))), Fail);
    let list = |name: &str, items: &[&str]| ("s", json!({ name: items }));
    about.case("answers behind a reserved bit", &[list("accepted_invalid", &["rsv1"])], Fail);
    about.case("no fragments", &[list("refused_valid", &["fragments"])], Fail);
    let verdict = about.case("two requests in one", &[list("smuggled", &["second-request-in-one-message"])], Fail);
    assert_eq!((verdict.severity, verdict.level), (Medium, Level::Must));
    let lost = json!({ "prober": { "lost": 1 } });
    let verdict = about.case("others wait", &[("s", lost)], Fail);
    assert_eq!((verdict.severity, verdict.level), (Medium, Level::Must));

    about.case("half a request is too busy a time", &[("g", spoke(503))], Inconclusive);
    about.case("half a request is taken", &[("a", spoke(405)), ("e", spoke(405)), ("g", spoke(200))], Fail);
    about.case("nothing said", &[("a", silent())], Inconclusive);
    about.case("nothing said at last", &[("z", silent())], Inconclusive);
    about.case("another's connection ends", &[("s", closed_on_another())], Inconclusive);
    let both = json!({ "prober": { "closed": 1 }, "accepted_invalid": ["rsv1"] });
    about.case("and a reserved bit is taken", &[("s", both)], Fail);
    about.case("all is a bad request", &["a", "e", "g"].map(|step| (step, spoke(400))), Inconclusive);
    about.case("another subprotocol", &[("a", json!({ "subprotocol": null }))], Inconclusive);
    about.case("a ban", &[("z", refused(403))], Inconclusive);
    about.case("found, and a ban", &[("z", refused(403)), ("d", spoke(200))], Fail);
    about.case("not all went out", &[("s", json!({ "sent": 11 }))], Inconclusive);
    about.case("died, so that not all went out", &[("s", dying(12, 3))], Fail);
    about.case("no twin", &[list("unproved", &["rsv1"])], Inconclusive);
    about.case("out of order before", &[("s", json!({ "prober": { "lost": 1, "lost_before": 1 } }))], Inconclusive);
    about.case("nobody asked", &[("s", json!({ "prober": { "sent": 0 } }))], Inconclusive);
    about.case("never connected", &[("s", json!({ "outcome": "unreachable", "sent": 0 }))], Inconclusive);
    about.case("no configuration", &["a", "s", "z"].map(|step| (step, input_failed())), Inconclusive);
}

#[test]
fn torture_kills_service() {
    let about = About::new("signalling/torture-kills-service", &[]);
    let verdict = about.case("dies of RFC 4475", &[("s", dying(49, 20)), ("z", unplaced())], Fail);
    assert_eq!((verdict.severity, verdict.level), (High, Level::Must));
    // Where nothing is left to ask, the second corpus never begins: that hides nothing.
    let never = json!({ "outcome": "unreachable", "total": 12, "sent": 0, "second_call_before": false,
        "prober": { "sent": 4, "lost": 4, "lost_before": 4 } });
    about.case("dies for good", &[("s", dying(49, 20)), ("t", never), ("z", unplaced())], Fail);
    about.case("dies of RFC 5118", &[("t", dying(12, 3))], Fail);
    for (step, change) in [
        ("s", json!({ "prober": { "lost": 1 } })),
        ("t", json!({ "prober": { "max_gap_ms": 2001 } })),
        ("s", json!({ "second_call_alive": false })),
    ] {
        about.case("others suffer", &[(step, change)], Fail);
    }
    about.case(
        "no call any more",
        &[("z", json!({ "status": 404, "answered": false, "dtls": { "completed": false } }))],
        Fail,
    );
    about.case("busy at last", &[("z", json!({ "status": 503, "answered": false }))], Inconclusive);
    for (what, change) in [("hangs up on who is silent", left()), ("ends what does not register", closed_on_another())]
    {
        about.case(what, &[("t", change.clone())], Inconclusive);
        about.case("and dies", &[("t", change.clone()), ("s", dying(49, 20))], Fail);
        about.case("and no call any more", &[("t", change), ("z", unplaced())], Fail);
    }
    about.case("closes on the sender", &[("s", json!({ "connection_losses": 49 }))], Pass);
    about.case("half of it went out", &[("s", json!({ "sent": 6 }))], Inconclusive);
    about.case("nothing went out", &[("s", json!({ "sent": 0 }))], Inconclusive);
    about.case("no call beside", &[("s", json!({ "second_call_before": false }))], Inconclusive);
    about.case("out of order before", &[("s", json!({ "prober": { "lost": 2, "lost_before": 2 } }))], Inconclusive);
    about.case("never answers OPTIONS", &[("s", json!({ "prober": { "lost": 60, "lost_before": 4 } }))], Inconclusive);
    about.case("nobody asked", &[("t", json!({ "prober": { "sent": 0 } }))], Inconclusive);
    about.case("no call at all", &[("ok", unplaced())], Inconclusive);
    about.case("no configuration", &[("s", input_failed())], Inconclusive);
}

#[test]
fn hostile_message_kills_service() {
    let about = About::new("signalling/hostile-message-kills-service", &[]);
    let verdict = about.case("dies of size", &[("s", dying(9, 8)), ("z", unplaced())], Fail);
    assert_eq!((verdict.severity, verdict.level), (High, Level::Must));
    about.case("dies of a crasher", &[("t", dying(12, 3))], Fail);
    for what in [json!({ "unanswered": ["body-of-4-mib"] }), json!({ "accepted_invalid": ["1000-vias"] })] {
        let verdict = about.case("takes it, and serves the others", &[("s", what)], Fail);
        assert_eq!((verdict.severity, verdict.level), (Low, Level::Should));
    }
    let both = json!({ "accepted_invalid": ["1000-vias"], "prober": { "lost": 1 } });
    let verdict = about.case("takes it, and others wait", &[("s", both)], Fail);
    assert_eq!((verdict.severity, verdict.level), (High, Level::Must));
    about.case("others suffer", &[("s", json!({ "prober": { "max_gap_ms": 9000 } }))], Fail);
    about.case("the call beside ends", &[("t", json!({ "second_call_alive": false }))], Fail);
    about.case(
        "no call any more",
        &[("z", json!({ "status": 404, "answered": false, "dtls": { "completed": false } }))],
        Fail,
    );
    for what in [left(), closed_on_another(), json!({ "unproved": ["body-of-4-mib"] })] {
        about.case("nobody can say", &[("s", what.clone())], Inconclusive);
        let verdict = about.case(
            "and the call beside breaks",
            &[("s", what), ("t", json!({ "second_call_alive": false }))],
            Fail,
        );
        assert_eq!((verdict.severity, verdict.level), (High, Level::Must));
    }
    let taken = json!({ "unanswered": ["body-of-4-mib"], "second_call_alive": false, "second_call_left": true });
    let verdict = about.case("takes it, and hangs up on who is silent", &[("s", taken)], Fail);
    assert_eq!((verdict.severity, verdict.level), (Low, Level::Should));
    about.case("let in after a minute", &[("s", json!({ "refused_at_once": true }))], Pass);
    let shut_out = || json!({ "refused_at_once": true, "sent": 1 });
    about.case("shut out", &[("s", shut_out())], Inconclusive);
    about.case("nothing went out", &[("t", json!({ "total": 0, "sent": 0 }))], Inconclusive);
    about.case("no call beside", &[("s", json!({ "second_call_before": false }))], Inconclusive);
    about.case("out of order before", &[("s", json!({ "prober": { "lost": 2, "lost_before": 2 } }))], Inconclusive);
    about.case("busy at last", &[("z", json!({ "status": 503, "answered": false }))], Inconclusive);
}

#[test]
fn invalid_sip_accepted() {
    let about = About::new("signalling/invalid-sip-accepted", &[("r", json!({ "contact_ok": true }))]);
    let list = |step: &'static str, name: &str, items: &[&str]| (step, json!({ name: items }));
    let verdict = about.case("two lengths", &[list("s", "accepted_invalid", &["options/length-twice"])], Fail);
    assert_eq!((verdict.severity, verdict.level), (High, Level::Must));
    about.case("NUL", &[list("m", "accepted_invalid", &["nul"])], Fail);
    let smuggled = || ("m", json!({ "smuggled": ["P-Asserted-Identity/space-before-colon"] }));
    about.case("smuggled", &[smuggled()], Fail);
    about.case("smuggled, and a twin refused", &[smuggled(), list("s", "unproved", &["nul-in-uri"])], Fail);
    about.case("a twin refused", &[list("s", "unproved", &["nul-in-uri"])], Inconclusive);
    about.case("OPTIONS refused, REGISTER not", &[list("s", "refused_valid", &["options/sound"])], Pass);
    about.case("not all went out", &[("s", json!({ "sent": 3 }))], Inconclusive);
    about.case("not all spellings went out", &[("m", json!({ "sent": 1 }))], Inconclusive);
    about.case("no second plain one arrives", &[list("m", "unproved", &["folded"])], Inconclusive);
    about.case(
        "but one did",
        &[("m", json!({ "unproved": ["folded"], "smuggled": ["Remote-Party-ID/odd-case"] }))],
        Fail,
    );
    let verdict = about.case("others wait", &[("s", json!({ "prober": { "lost": 2 } }))], Pass);
    assert_eq!(verdict.notes.len(), 1, "another scenario's, and told");
    let unseen = json!({ "callee_view": false, "sent": 1, "answered": 1 });
    let verdict = about.case("visitors do not reach each other", &[("m", unseen.clone())], Pass);
    assert!(verdict.notes.iter().any(|note| note.visible().contains("not tried out")));
    about.case("and two lengths", &[("m", unseen), list("s", "accepted_invalid", &["options/length-twice"])], Fail);
    let verdict = about.case(
        "RFC 4475 is noted",
        &[("n", json!({ "accepted_invalid": ["badaspec"], "refused_valid": ["intmeth"] }))],
        Pass,
    );
    assert_eq!(verdict.notes.len(), 2);
    about.case("the registrar refuses", &[("r", json!({ "status": 403 }))], Inconclusive);
    about.case("no contact", &[("r", json!({ "contact_ok": false }))], Inconclusive);
    about.case("never connected", &[("s", json!({ "outcome": "unreachable", "sent": 0, "total": 0 }))], Inconclusive);
    let nobody =
        || ("m", json!({ "outcome": "protocol", "callee_view": false, "error": "there is no second participant" }));
    about.case("no second participant", &[nobody()], Inconclusive);
    about.case("and two lengths", &[nobody(), list("s", "accepted_invalid", &["options/length-twice"])], Fail);
    let runtime = json!({ "config": { "kind": "runtime", "password": null } });
    about.case("an endpoint without registration", &[("cfg", runtime), ("r", NOT_ASKED)], Pass);
}
