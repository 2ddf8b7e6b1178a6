use super::*;
use crate::fixtures::{known, scope, words};

#[track_caller]
fn is(text: &str, ty: &str) {
    let known = known();
    let words = words(&known);
    match check(text, &scope(&known, &words)) {
        Ok(checked) => assert_eq!(checked.ty.to_string(), ty, "{text}"),
        Err(mistakes) => panic!("{text}: {mistakes:?}"),
    }
}

/// `¦` in the text marks where the mistake stands.
#[track_caller]
fn wrong(marked: &str, message: &str) {
    let at = marked.find('¦').unwrap_or_else(|| panic!("no mark in {marked}"));
    let text = marked.replacen('¦', "", 1);
    let known = known();
    let words = words(&known);
    match check(&text, &scope(&known, &words)) {
        Ok(checked) => panic!("{text} is {}", checked.ty),
        Err(mistakes) => assert_eq!(mistakes, [(at, message.to_owned())], "{text}"),
    }
}

#[test]
fn sound_expressions_have_types() {
    is("c.media.authenticated == 0 && !c.dtls.completed", "bool");
    is("has(c.dtls.alert) ? c.dtls.alert : 'none'", "text");
    is("size(c.sdp.fingerprints) > 0", "bool");
    is("c.sdp.fingerprints.size()", "int");
    is("c.sdp.fingerprints[0].startsWith('sha-256 ')", "bool");
    is("h.headers.exists(x, x.name == 'cache-control' && x.value.lowerAscii().contains('no-store'))", "bool");
    is("h.headers.filter(x, x.name == 'via').map(x, x.value)", "list of text");
    is("h.headers.map(x, x.name == 'via', size(x.value))", "list of int");
    is("h.headers.exists_one(x, x.name == 'via')", "bool");
    is("[c, c].all(x, media(x))", "bool");
    is("distinct([c.srtp.keys, h.config.password])", "bool");
    is("distinct([[c.ice.remote_ufrag, c.ice.remote_pwd], [c.ice.remote_ufrag, c.ice.remote_pwd]])", "bool");
    is("c.srtp.keys in [h.config.password]", "bool");
    is("at_least(h.config.tls, policy.min_tls)", "bool");
    is("c.srtp.profile in policy.srtp_profiles", "bool");
    is("wanted(c.srtp.profile) || [c.srtp.profile].exists(p, allowed(p))", "bool");
    is("c.outcome in ['answered', 'closed']", "bool");
    is("target.adapter == 'cognigy' && target.session_scope", "bool");
    is("policy.consent_s + 20", "int");
    is("w.seconds > 1.5 && c.media.loss <= policy.prober_loss_max", "bool");
    is("live(m) && loud(h) && loud(c) && silent(w) && rejected_within(c, 3000)", "bool");
    is("c.media.ssrcs.exists(c2, c2 == 5)", "bool");
    is("[] == c.media.ssrcs", "bool");
    is("'status ' + c.dtls.alert", "text");
}

#[test]
fn the_fields_of_the_policy_are_known_through_words_too() {
    let known = known();
    let words = words(&known);
    let checked = check("wanted(c.srtp.profile)", &scope(&known, &words)).unwrap();
    let fields: Vec<&str> = checked.policy.iter().map(String::as_str).collect();
    assert_eq!(fields, ["preferred_srtp_profile", "srtp_profiles"]);
    assert!(checked.mentions.contains("policy") && checked.words.len() == 2);
}

#[test]
fn unknown_names_are_told_with_the_near_one() {
    wrong("c.¦medai.authenticated == 0", "`call` has no `medai`; did you mean `media`?");
    wrong("c.media.¦authentcated == 0", "`call.media` has no `authentcated`; did you mean `authenticated`?");
    wrong("has(c.dtls.¦alrt)", "`call.dtls` has no `alrt`; did you mean `alert`?");
    wrong("¦hh.status == 200", "unknown name `hh`; did you mean `h`?");
    wrong("¦it.status == 200", "`it` stands for a step only where `each` names some");
    wrong("medai¦(c)", "unknown function `medai`; did you mean `media`?");
    wrong("c.sdp.setup.startWith¦('a')", "unknown function `startWith` behind a value; did you mean `startsWith`?");
    wrong("c.outcome == ¦'anwered'", "`anwered` never occurs here; did you mean `answered`?");
    wrong("c.outcome in ['closed', ¦'Timeout']", "`Timeout` never occurs here; did you mean `timeout`?");
    wrong("target.adapter == ¦'cognigi'", "`cognigi` never occurs here; did you mean `cognigy`?");
    wrong("policy.¦consent == 3", "`policy` has no `consent`; did you mean `consent_s`?");
    wrong("h.headers.all(x, x.¦nam == 'a')", "`http-request.headers` has no `nam`; did you mean `name`?");
}

#[test]
fn types_must_fit() {
    wrong("c.status ¦== 200.0", "int is not compared with double; write 1.0 for a fraction");
    wrong("w.seconds ¦> 3", "int is not compared with double; write 1.0 for a fraction");
    wrong("c.media.sent ¦+ 1.5 > 2.0", "`+` mixes int and double; write 1.0 for a fraction");
    wrong("c.srtp.keys ¦< c.ice.remote_pwd", "digests have no order; they are equal or not");
    wrong("c.srtp.keys ¦== 'x'", "a digest stands for a secret and equals only another digest, never a text");
    wrong("c.srtp.keys ¦+ 'x' == 'y'", "a digest can be compared and nothing else; put several into a list");
    wrong(
        "c.srtp¦.keys.contains('x')",
        "what stands before `.contains` must be text, not digest; a digest can be compared and nothing else",
    );
    wrong("c.dtls.version ¦< '1.2'", "texts have no order here; versions go through at_least(a, b)");
    wrong("c.status ¦== '200'", "int never equals text");
    wrong(
        "c.media¦.authenticated && c.answered",
        "the left side of `&&` must be bool, not int; compare it, as in `> 0`",
    );
    wrong(
        "c.answered || c.sdp¦.fingerprints",
        "the right side of `||` must be bool, not list of text; ask for its size, as in `size(…) > 0`",
    );
    wrong("!c.dtls¦.alert", "what stands behind `!` must be bool, not text; ask `has(…)` or compare it");
    wrong(
        "h.headers¦.name == 'a'",
        "a list has no `name`; go through it by all(x, …), exists(x, …), filter(x, …), map(x, …) or an index",
    );
    wrong("c.status¦.code == 3", "int has no fields");
    wrong("c.media ¦== c.rtcp", "`call.media` and `call.rtcp` are groups; compare their fields");
    wrong("c.status ¦in 5", "`in` needs a list on its right, not int");
    wrong("c.status in [200, ¦'x']", "a list holds one type: int before, text here");
    wrong("c.answered ¦? 1 : 'x'", "both sides of `:` must agree: int and text");
    wrong("c.status == ¦200u", "whole numbers are int; leave the `u` out");
    wrong("c.status == ¦null", "no field is ever null; ask `has(…)`");
    wrong("c.status.all¦(x, x > 3)", "only a list can be gone through, not int");
    wrong("h.leaks.all¦(c, c.kind == 'a')", "`c` already has a meaning; take another name");
    wrong("h.leaks.all¦(x)", "`all` needs a name and an expression: list.all(x, …)");
}

#[test]
fn functions_must_get_what_they_take() {
    wrong("media¦(h)", "media(c: call) does not take (`http-request`)");
    wrong("media¦(c, 1)", "media(c: call) does not take (`call`, int)");
    wrong("refused¦(w)", "refused(x: http-request) or refused(x: call) does not take (`wait`)");
    wrong("rejected_within¦(c, '3')", "rejected_within(c: call, ms: int) does not take (`call`, text)");
    wrong("distinct¦(c.srtp.keys)", "`distinct` takes a list, not digest");
    wrong("distinct¦([1], [2])", "`distinct` takes 1 argument, not 2");
    wrong("at_least(c¦.status, '1.2')", "a version for `at_least` must be text, not int");
    wrong("listed(c¦.status, ['a'])", "an argument of `listed` must be text, not int");
    wrong("listed('a', ¦'b')", "an argument of `listed` must be list of text, not text");
    wrong("listed¦('a')", "`listed` takes 2 arguments, not 1");
    wrong("default_of(c¦.status) == ''", "the argument of `default_of` must be text, not int");
    wrong("default_of¦('a', 'b') == ''", "`default_of` takes 1 argument, not 2");
    wrong("c.sdp.setup.contains¦()", "`contains` takes 1 argument, not 0");
    wrong("size¦(c.status)", "`size` takes a list or text, not int");
}

#[test]
fn syntax_errors_have_a_place() {
    wrong("c.answered &&¦", "the expression ends too early");
    wrong("c.answered == ¦== true", "not CEL: extraneous input '=='");
    wrong("has(¦c)", "not CEL: invalid argument to has() macro");
}

#[test]
fn words_are_written_out_and_their_macros_keep_apart() {
    let known = known();
    let words = words(&known);
    let scope = scope(&known, &words);
    let checked = check("h.headers.all(x, has_field(h, x.name))", &scope).unwrap_or_else(|e| panic!("{e:?}"));
    assert_eq!(checked.mentions, ["h".to_owned()].into());
    assert_eq!(checked.words, ["has_field".to_owned()].into());
    let checked =
        check("loud(c) && c.srtp.profile in policy.srtp_profiles", &scope).unwrap_or_else(|e| panic!("{e:?}"));
    assert_eq!(checked.words, ["loud", "refused", "silent"].map(str::to_owned).into());
    assert_eq!(checked.policy, ["srtp_profiles".to_owned()].into());
    assert_eq!(checked.mentions, ["c", "policy"].map(str::to_owned).into());
}

#[test]
fn too_long_or_too_deep_is_refused() {
    let known = known();
    let words = words(&known);
    let deep = |open: &str, times: usize, close: &str| open.repeat(times) + "true" + &close.repeat(times);
    let flat = "c.answered && ".repeat(40) + "true";
    assert!(check(&flat, &scope(&known, &words)).is_ok(), "the parser balances chains of one connective");
    for text in [
        deep("true || ", 600, ""),
        deep("(", 1900, ")"),
        deep("!(", 900, ")"),
        deep("[", 1900, "]"),
        deep("true ? true : ", 280, ""),
        "1".to_owned() + &"+1".repeat(2000) + " == 3",
        "c".to_owned() + &".media".repeat(600),
    ] {
        assert!(check(&text, &scope(&known, &words)).is_err(), "{}", &text[..20]);
    }
}
