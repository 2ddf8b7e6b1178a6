//! Scenarios that attack the media of a call.

use ringfence_model::verdict::Severity::Medium;
use ringfence_model::verdict::State::{Fail, Inconclusive, Pass};
use serde_json::{Value, json};

use crate::healthy::{About, NOT_ASKED, input_failed};

/// What a destination declares that sends our audio back.
const ECHO: &str = "session_scope = true\n[destinations.call]\nuri = \"configured\"\necho = true";
/// The same, without the echo.
const NO_ECHO: &str = "session_scope = true\n[destinations.call]\nuri = \"configured\"";

fn unechoed() -> Value {
    json!({ "media": { "echoed": 0 } })
}

/// What an attack sees that is judged by reports, with these changes.
fn by_reports(change: Value) -> Value {
    let mut seen = json!({ "oracle": "reports" });
    seen.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    seen
}

/// Nobody saw what arrived.
fn unseen() -> Value {
    json!({ "oracle": "none", "control_before": false, "control_after": false })
}

#[test]
fn forged_packet_accepted() {
    let about = About::new("media/forged-packet-accepted", &[]);
    let about = about.with_target("cognigy", ECHO);
    for step in ["a", "b", "d"] {
        about.case("played", &[(step, json!({ "attack_echoed": 50 }))], Fail);
        about.case("played, then dead", &[(step, json!({ "attack_echoed": 3, "control_after": false }))], Fail);
        about.case("dead", &[(step, json!({ "control_after": false }))], Inconclusive);
        about.case("nothing sent", &[(step, json!({ "sent": 0 }))], Inconclusive);
        about.case("over", &[(step, input_failed())], Inconclusive);
        let others = ["a", "b", "d"].into_iter().filter(|other| *other != step);
        let mut cases: Vec<(&str, Value)> = others.map(|other| (other, input_failed())).collect();
        cases.push((step, json!({ "attack_echoed": 50 })));
        about.case("played, and the rest broke", &cases, Fail);
    }
    about.case("no echo", &[("c", unechoed())], Inconclusive);

    let silent = about.with_target("cognigy", NO_ECHO);
    let all = |a: Value| [("c", unechoed()), ("a", a), ("b", by_reports(json!({}))), ("d", by_reports(json!({})))];
    silent.case("reports name good packets only", &all(by_reports(json!({}))), Pass);
    silent.case("reports name an attack packet", &all(by_reports(json!({ "attack_counted_by_rtcp": true }))), Fail);
    silent.case("reports stop", &all(by_reports(json!({ "control_after": false }))), Inconclusive);
    silent.case("no reports that are ours", &all(unseen()), Inconclusive);
}

#[test]
fn plain_rtp_accepted() {
    let about = About::new("media/plain-rtp-accepted", &[]).with_target("cognigy", ECHO);
    about.case("played in the call", &[("a", json!({ "attack_echoed": 50 }))], Fail);
    about.case("played, then dead", &[("a", json!({ "attack_echoed": 2, "control_after": false }))], Fail);
    about.case("played before the handshake", &[("e", json!({ "media": { "early_echoed": 3 } }))], Fail);
    let early =
        json!({ "media": { "early_echoed": 3, "echoed": 0, "authenticated": 0 }, "dtls": { "completed": false } });
    about.case("played before a handshake that failed", &[("e", early)], Fail);
    about.case(
        "the first part broke, the second shows it",
        &[("a", unseen()), ("e", json!({ "media": { "early_echoed": 1 } }))],
        Fail,
    );
    about.case("dead", &[("a", json!({ "control_after": false }))], Inconclusive);
    about.case("nothing sent", &[("a", json!({ "sent": 0 }))], Inconclusive);
    about.case("over", &[("a", input_failed())], Inconclusive);
    about.case("no echo in the control", &[("c", unechoed())], Inconclusive);
    about.case("no echo after the handshake", &[("e", unechoed())], Inconclusive);
    about.case("no handshake", &[("e", json!({ "dtls": { "completed": false } }))], Inconclusive);
    about.case(
        "no answer the second time",
        &[("e", json!({ "answered": false, "status": 486, "ice": { "connected": false } }))],
        Inconclusive,
    );
    about.case("no configuration the second time", &[("e", input_failed())], Inconclusive);
    let lost = json!({ "ice": { "connected": false }, "dtls": { "completed": false }, "media": { "authenticated": 0, "echoed": 0 } });
    let verdict = about.case("no way for ICE the second time", &[("e", lost)], Pass);
    assert_eq!(verdict.notes.len(), 1, "what was left out is said");

    let silent = about.with_target("cognigy", NO_ECHO);
    let seen = |a: Value| [("c", unechoed()), ("a", a), ("e", NOT_ASKED)];
    let verdict = silent.case("reports name good packets only", &seen(by_reports(json!({}))), Pass);
    assert_eq!(verdict.notes.len(), 1, "what was left out is said");
    silent.case("reports name a plain packet", &seen(by_reports(json!({ "attack_counted_by_rtcp": true }))), Fail);
    silent.case("no reports that are ours", &seen(unseen()), Inconclusive);
}

#[test]
fn replay_accepted() {
    let about = About::new("media/replay-accepted", &[]).with_target("cognigy", ECHO);
    for step in ["a", "b"] {
        let verdict = about.case("played again", &[(step, json!({ "attack_echoed": 30, "sent": 30 }))], Fail);
        assert_eq!(verdict.notes.len(), 1, "seen through the echo");
        about.case("played again, then dead", &[(step, json!({ "attack_echoed": 3, "control_after": false }))], Fail);
        about.case("dead", &[(step, json!({ "control_after": false }))], Inconclusive);
        about.case("too few came back the first time", &[(step, json!({ "sent": 9 }))], Inconclusive);
        about.case("the way doubles", &[(step, json!({ "doubled": 2, "attack_echoed": 2 }))], Inconclusive);
        about.case("over", &[(step, input_failed())], Inconclusive);
        about.case("reports alone prove nothing", &[(step, by_reports(json!({})))], Inconclusive);
        about.case("nobody saw", &[(step, unseen())], Inconclusive);
        let verdict = about.case("reports count copies", &[(step, json!({ "attack_counted_by_rtcp": true }))], Pass);
        assert_eq!(verdict.notes.len(), 1);
    }
    about.case("no echo", &[("c", unechoed())], Inconclusive);
    let passed_on = || json!({ "attack_passed_on": 30, "sent": 30 });
    about.case("a box forwards copies", &[("a", passed_on()), ("b", passed_on())], Inconclusive);
    about.case("forwarded and played", &[("a", passed_on()), ("b", json!({ "attack_echoed": 1 }))], Fail);
    let forwarding = about.with_target("cognigy", &format!("sfu = true\n{ECHO}"));
    assert_eq!(forwarding.case("an SFU", &[("a", json!({ "attack_echoed": 30 }))], Fail).severity, Medium);
    let verdict = forwarding.case("declared to forward", &[("a", passed_on()), ("b", passed_on())], Pass);
    assert_eq!(verdict.notes.len(), 1, "and it is said");
    let many = json!({ "sdp": { "ice_lite": true }, "media": { "ssrcs": [1, 2, 3] } });
    assert_eq!(about.case("like an SFU", &[("c", many), ("a", json!({ "attack_echoed": 30 }))], Fail).severity, Medium);
}
