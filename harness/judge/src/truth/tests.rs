use super::*;
use crate::check::check;
use crate::fixtures::{good_call, known, object, scope, variables, words};
use serde_json::json;

fn judge(text: &str, variables: &Variables) -> Truth {
    let known = known();
    let words = words(&known);
    let checked = check(text, &scope(&known, &words)).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:?}"));
    holds(&checked, variables)
}

/// `c` went well and got no alert, `h` was not asked, `m` ran out of budget.
fn seen() -> Variables {
    let mut variables = variables();
    variables.saw("c", "call", &good_call());
    variables.left_out("h");
    variables.saw("m", "media-attack", &object(json!({ "outcome": "budget", "elapsed_ms": 0, "error": "spent" })));
    variables.saw(
        "w",
        "wait",
        &object(json!({ "outcome": "answered", "elapsed_ms": 1, "seconds": 2, "skipped": false })),
    );
    variables
}

#[track_caller]
fn case(text: &str, truth: Truth) {
    assert_eq!(judge(text, &seen()), truth, "{text}");
}

fn unseen(path: &str) -> Truth {
    Truth::Unknown(vec![Cause::NotSeen(path.into())])
}

fn left_out(step: &str) -> Truth {
    Truth::Unknown(vec![Cause::NotAsked(step.into())])
}

const ALERT: &str = "c.dtls.alert == 'bad_certificate'";

#[test]
fn unknown_goes_through_the_connectives_as_kleene_has_it() {
    let unknown = || unseen("c.dtls.alert");
    case(ALERT, unknown());
    case("c.dtls.alert != 'bad_certificate'", unknown());
    case(&format!("!({ALERT})"), unknown());
    for (left, right) in [(ALERT, "false"), ("false", ALERT)] {
        case(&format!("{left} && {right}"), Truth::False);
        case(&format!("{left} || {right}"), unknown());
    }
    for (left, right) in [(ALERT, "true"), ("true", ALERT)] {
        case(&format!("{left} && {right}"), unknown());
        case(&format!("{left} || {right}"), Truth::True);
    }
    case(&format!("{ALERT} && c.srtp.profile == 'gcm-128'"), {
        Truth::Unknown(vec![Cause::NotSeen("c.dtls.alert".into()), Cause::NotSeen("c.srtp.profile".into())])
    });
    case(&format!("{ALERT} ? true : true"), unknown());
    case(&format!("true ? c.answered : {ALERT}"), Truth::True);
    case(&format!("({ALERT}) == false"), unknown());
    case(&format!("[true].all(x, x && {ALERT})"), unknown());
    case(&format!("[false, true].all(x, x && {ALERT})"), Truth::False);
    case(&format!("[false, true].exists(x, x || {ALERT})"), Truth::True);
    case(&format!("[false].exists(x, x || {ALERT})"), unknown());
    case(&format!("c.media.ssrcs.filter(x, {ALERT}).size() == 0"), unknown());
}

#[test]
fn presence_is_known() {
    case("has(c.dtls.alert)", Truth::False);
    case("has(c.dtls.role)", Truth::True);
    case("has(c.dtls.alert) && c.dtls.alert == 'x'", Truth::False);
    case("!has(c.dtls.alert) || c.dtls.alert == 'x'", Truth::True);
}

#[test]
fn what_is_missing_has_a_path() {
    case("rejected_within(c, 3000)", Truth::False);
    case("c.dtls.alert.startsWith('bad')", unseen("c.dtls.alert"));
    case("c.sdp.setup in ['active']", unseen("c.sdp.setup"));
    case("c.sdp.fingerprints[3] == 'x'", unseen("c.sdp.fingerprints[3]"));
    case("live(m)", unseen("m.control_after").or(unseen("m.control_before")));
    case("has(m.attack_echoed)", Truth::False);
    case("m.outcome == 'budget'", Truth::True);
    case("[c, c].all(x, x.dtls.alert == 'a')", unseen("…[].dtls.alert"));
    case("distinct([c.srtp.keys, c.ice.remote_pwd])", unseen("c.ice.remote_pwd"));
}

#[test]
fn a_step_that_was_left_out_is_told_apart() {
    case("h.status == 200", left_out("h"));
    case("has(h.status)", left_out("h"));
    case("h.status == 200 || c.answered", Truth::True);
    assert!(judge("h.status == 200 || refused(h)", &seen()).falls_away());
    assert!(!judge(&format!("h.status == 200 || {ALERT}"), &seen()).falls_away());
    assert!(!judge(ALERT, &seen()).falls_away());
}

#[test]
fn numbers_keep_their_kind() {
    case("c.status == 200 && c.media.ssrcs == [1]", Truth::True);
    // Written as the whole number 2 in the journal, a fraction by its type.
    case("w.seconds == 2.0 && w.seconds / 4.0 == 0.5", Truth::True);
    case("c.status / 3 == 66", Truth::True);
    let mut variables = seen();
    variables.saw("c", "call", &object(json!({ "outcome": "answered", "status": "200", "answered": null })));
    assert_eq!(judge("c.status != 404", &variables), unseen("c.status"), "text where a number belongs is not seen");
    assert_eq!(judge("!c.answered", &variables), unseen("c.answered"), "null is not seen");
    variables.saw("c", "call", &object(json!({ "outcome": "answered", "status": u64::MAX })));
    assert_eq!(judge("c.status != 404", &variables), unseen("c.status"), "what no int holds is not seen");
}

#[test]
fn the_deepest_expression_still_has_stack() {
    case(&format!("0{} == 55", " + 1".repeat(55)), Truth::True);
    case(&format!("{}c.answered{}", "!(".repeat(56), ")".repeat(56)), Truth::True);
    case(&format!("{}c.srtp.profile == 'x'{}", "!(".repeat(50), ")".repeat(50)), unseen("c.srtp.profile"));
}

#[test]
fn functions_of_our_own() {
    case("distinct([1, 2, 3]) && !distinct([1, 2, 1]) && distinct([])", Truth::True);
    case("distinct([c.srtp.keys, c.srtp.keys])", Truth::False);
    case(
        "at_least('1.3', '1.2') && at_least('1.10', '1.9') && at_least('1.2', '1.2') && at_least('2', '1.9')",
        Truth::True,
    );
    case("at_least('1.2', '1.2.1') || at_least('1.1', '1.2') || at_least('ssl3', '1.0')", Truth::False);
    case("at_least('1.0', 'ssl3') && at_least('ssl3', 'ssl2') && !at_least('ssl2', 'ssl3')", Truth::True);
    case(
        "listed('TLS_RSA_WITH_X', ['tls_rsa_*']) && listed('a', ['b', 'A']) && listed('abcbc', ['a*bc'])",
        Truth::True,
    );
    case("listed('abc', ['a', 'b*', '*b', 'a*b*bc'])", Truth::False);
    case("listed(c.srtp.profile, ['gcm-*'])", unseen("c.srtp.profile"));
    let known = ringfence_model::known_certificates::KNOWN_CERTIFICATES[0];
    case(&format!("default_of('{}') == '{}'", known.sha256, known.source), Truth::True);
    case("default_of('00') == ''", Truth::True);
    let unknown = judge("at_least('TLSv1.2', '1.2')", &seen());
    assert!(matches!(unknown, Truth::Unknown(_)), "{unknown:?}");
}

impl Truth {
    /// The causes of two unknowns together.
    fn or(self, other: Truth) -> Truth {
        self.join(Truth::True, || other)
    }
}

/// What the walk relies on: `cel` itself fails with the missing key, and `&&`, `||` absorb that as the standard says.
#[test]
fn cel_itself_absorbs_errors() {
    let run = |text: &str| {
        let mut context = Context::with_env(ENV.clone());
        context.add_variable_from_value("c", std::collections::HashMap::from([("a", true)]));
        ENV.compile(text).unwrap_or_else(|error| panic!("{error}")).execute(&context)
    };
    assert_eq!(run("false && c.b"), Ok(Cel::Bool(false)));
    assert_eq!(run("c.b && false"), Ok(Cel::Bool(false)));
    assert_eq!(run("c.b || c.a"), Ok(Cel::Bool(true)));
    assert_eq!(run("[c].exists(x, x.b || x.a)"), Ok(Cel::Bool(true)));
    for unknown in ["c.b && c.a", "c.a && c.b", "c.b || false", "!c.b", "c.b == c.a", "c.b in [true]"] {
        assert!(matches!(run(unknown), Err(ExecutionError::NoSuchKey(key)) if key.as_str() == "b"), "{unknown}");
    }
}
