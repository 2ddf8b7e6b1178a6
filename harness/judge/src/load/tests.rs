use crate::fixtures::{load, scenario};

const STEP: &str = "[[step]]\nname = \"c\"\nprobe = \"call\"\n";
const EXPECT: &str = "[[verdict.expect]]\nthat = \"c.answered\"\nelse = \"no answer\"\n";

/// The lines that `fixtures::scenario` puts before the rest.
const HEAD: usize = 8;

#[track_caller]
fn errors(text: &str) -> Vec<String> {
    match load(&[("a/b.toml", text)]) {
        Ok(_) => panic!("this loads:\n{text}"),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

/// A sound step, then `rest`; lines count from the first line of `rest`.
#[track_caller]
fn wrong(rest: &str, line: usize, column: usize, message: &str) {
    let errors = errors(&scenario("a/b", rest));
    assert_eq!(errors, [format!("a/b.toml:{}:{column}: {message}", HEAD + line)], "{rest}");
}

/// The whole file, with one line replaced.
#[track_caller]
fn wrong_head(from: &str, to: &str, place: &str, message: &str) {
    let text = scenario("a/b", &format!("{STEP}{EXPECT}"));
    assert!(text.contains(from), "{from}");
    assert_eq!(errors(&text.replacen(from, to, 1)), [format!("a/b.toml:{place}: {message}")], "{to}");
}

#[test]
fn a_sound_file_loads() {
    let library =
        load(&[("x/a/b.toml", &scenario("a/b", &format!("{STEP}{EXPECT}")))]).unwrap_or_else(|e| panic!("{e:?}"));
    let loaded = library.get("a/b").unwrap_or_else(|| panic!("not there"));
    assert!(loaded.is_own() && loaded.inputs("c").is_empty());
    assert_eq!(library.texts(["a/b"]).len(), 1);
}

#[test]
fn the_head_is_held_against_closed_lists() {
    wrong_head("title =", "titel =", "2:1", "unknown key `titel`; did you mean `title`?");
    wrong_head(
        "severity = \"high\"",
        "severity = \"hihg\"",
        "3:12",
        "`severity` cannot be `hihg`; did you mean `high`?",
    );
    wrong_head("level = \"must\"", "level = 3", "4:9", "`level` must be one of info, should, must, not a whole number");
    wrong_head("id = \"a/b\"", "id = \"a/c\"", "1:6", "id `a/c` does not equal the file's path `a/b.toml`");
    wrong_head("[\"any\"]", "[\"cognigi\"]", "6:13", "unknown adapter `cognigi`; did you mean `cognigy`?");
    wrong_head("[\"any\"]", "[\"any\"]\nneeds = [\"eco\"]", "7:10", "unknown need `eco`; did you mean `echo`?");
    wrong_head(
        "[\"any\"]",
        "[\"any\"]\nclaims = [\"cognigy/C8\"]",
        "7:11",
        "unknown claim `cognigy/C8`; did you mean `cognigy/C7`?",
    );
    wrong_head(
        "[\"any\"]",
        "[\"any\"]\ncontrols = [\"rfc8827/6.4\"]",
        "7:13",
        "unknown control `rfc8827/6.4`; did you mean `rfc8827/6.5`?",
    );
    wrong_head(
        "config-on-http",
        "config-on-htp",
        "8:19",
        "unknown fault `config-on-htp`; did you mean `config-on-http`?",
    );
    wrong_head("remedy = \"r\", ", "", "7:10", "`remedy` of `manual` is missing");
    wrong_head(
        "proof = { fault = \"config-on-http\" }\n",
        "",
        "1:1",
        "`proof` is missing: a scenario that cannot be shown to fail does not exist",
    );
    wrong_head("title = \"t\"", "title = \"t", "2:11", "invalid basic string, expected `\"`");
}

#[test]
fn steps_are_held_against_their_probes() {
    let step = |rest: &str| format!("[[step]]\nname = \"c\"\n{rest}\n{EXPECT}");
    wrong(&step("probe = \"cal\""), 3, 9, "unknown probe `cal`; did you mean `call`?");
    wrong(&step("prob = \"call\"\nprobe = \"call\""), 3, 1, "unknown key `prob` of `step`; did you mean `probe`?");
    wrong(
        &step("probe = \"call\"\nwith = { medias = 3 }"),
        4,
        10,
        "`call` has no parameter `medias`; did you mean `media_s`?",
    );
    wrong(
        &step("probe = \"call\"\nwith = { media_s = \"3\" }"),
        4,
        20,
        "parameter `media_s` of `call` must be a whole number, not text",
    );
    wrong(
        &step("probe = \"call\"\nwith = { media_s = -3 }"),
        4,
        20,
        "parameter `media_s` of `call` is -3, outside 0 to …",
    );
    wrong(
        &step("probe = \"call\"\nwith = { setup = \"activ\" }"),
        4,
        18,
        "parameter `setup` of `call` cannot be `activ`; did you mean `active`?",
    );
    wrong(
        &step("probe = \"call\"\nwith = { srtp_profiles = [\"a\", 3] }"),
        4,
        32,
        "parameter `srtp_profiles` of `call` must be text, not a whole number",
    );
    wrong(&step("probe = \"call\"\nwith = { config = \"d\" }"), 4, 19, "there is no step `d`");
    wrong(&step("probe = \"call\"\nneeds = [\"ekho\"]"), 4, 10, "unknown need `ekho`; did you mean `echo`?");
    wrong(
        &format!("{}[[step]]\nname = \"a\"\nprobe = \"media-attack\"\n", step("probe = \"call\"")),
        7,
        1,
        "step `a` lacks the parameter `call` of `media-attack`",
    );
    wrong(
        &format!("[[step]]\nname = \"target\"\nprobe = \"call\"\n{STEP}{EXPECT}"),
        2,
        8,
        "`target` has a meaning of its own; take another name",
    );
    wrong(
        &format!("[[step]]\nname = \"C\"\nprobe = \"call\"\n{STEP}{EXPECT}"),
        2,
        8,
        "`C` is no step name: small letters, digits and `_`, a letter first",
    );
    wrong(&format!("{STEP}{STEP}{EXPECT}"), 5, 8, "there are two steps `c`");
}

#[test]
fn steps_speak_of_earlier_ones_only() {
    let second = |rest: &str| format!("{STEP}[[step]]\nname = \"d\"\nprobe = \"call\"\n{rest}\n{EXPECT}");
    wrong(
        &format!("[[step]]\nname = \"a\"\nprobe = \"media-attack\"\nwith = {{ call = \"c\" }}\n{STEP}{EXPECT}"),
        4,
        17,
        "step `c` does not come before this one",
    );
    wrong(&second("with = { config = \"d\" }"), 7, 19, "step `d` does not come before this one");
    wrong(&second("when = \"d.answered\""), 7, 9, "step `d` comes later");
    wrong(
        &format!("[[step]]\nname = \"a\"\nprobe = \"call\"\ncontrol = \"c.answered\"\n{STEP}{EXPECT}"),
        4,
        12,
        "step `c` comes later",
    );
    wrong(
        &second("with = { media_s = { cel = \"c.answered\" } }"),
        7,
        28,
        "parameter `media_s` of `call` is int, not bool",
    );
    wrong(
        &second("with = { media_s = { cel = \"polcy.consent_s\" } }"),
        7,
        29,
        "unknown name `polcy`; did you mean `policy`?",
    );
    wrong(
        &second("with = { config = { cel = \"c.outcome\" } }"),
        7,
        27,
        "parameter `config` of `call` names a step; it is written as it stands, not computed",
    );
}

#[test]
fn conditions_are_checked_where_they_stand() {
    let expect = |that: &str| format!("{STEP}[[verdict.expect]]\nthat = {that}\nelse = \"e\"\n");
    wrong(&expect("\"c.medai.sent == 0\""), 5, 11, "`call` has no `medai`; did you mean `media`?");
    wrong(
        &expect("\"\"\"\nc.answered\n  && c.medai.sent == 0\"\"\""),
        7,
        8,
        "`call` has no `medai`; did you mean `media`?",
    );
    wrong(
        &expect("'''c.answered\n&& c.status == 200.0'''"),
        6,
        13,
        "int is not compared with double; write 1.0 for a fraction",
    );
    wrong(
        &expect("\"c.dtls.alert == \\\"a\\\" && c.answred\""),
        5,
        36,
        "`call` has no `answred`; did you mean `answered`?",
    );
    wrong(&expect("\"c.answered &&\""), 5, 22, "the expression ends too early");
    wrong(&expect("\"c.status\""), 5, 8, "a condition is true or false, not int");
    wrong(
        &expect("\"policy.sip_timers\""),
        5,
        8,
        "the condition mentions no step: it would judge nothing that was seen",
    );
    wrong(
        &format!("{STEP}{EXPECT}[[severity_if]]\nwhen = \"c.answered\"\n"),
        7,
        1,
        "a `severity_if` gives a `severity`, a `level` or both",
    );
    wrong(
        &format!("{STEP}{EXPECT}[[severity_if]]\nwhen = \"c.answerd\"\nlevel = \"info\"\n"),
        8,
        11,
        "`call` has no `answerd`; did you mean `answered`?",
    );
    let rule = |rule: &str| format!("{STEP}[verdict]\n{rule}\n{EXPECT}");
    wrong(&rule("not_applicable = [{ when = \"c.status == '4'\", why = \"w\" }]"), 5, 38, "int never equals text");
    wrong(
        &rule("inconclusive = [{ when = \"refused(c, 1)\", why = \"w\" }]"),
        5,
        34,
        "refused(x: http-request) or refused(x: call) does not take (`call`, int)",
    );
    wrong(
        &rule("inconclusive = [{ when = \"c.answered\", wy = \"w\", why = \"w\" }]"),
        5,
        40,
        "unknown key `wy` of `inconclusive` of `verdict`; did you mean `why`?",
    );
    wrong(
        &rule("note = [{ when = \"c.answered\", text = \"is {{ c.statuss }}\" }]"),
        5,
        48,
        "`call` has no `statuss`; did you mean `status`?",
    );
    wrong(&rule("note = [{ when = \"c.answered\", text = \"is {{ c.status\" }]"), 5, 43, "`{{` without `}}`");
    wrong(
        &rule("note = [{ when = \"c.answered\", text = \"is {{ c.srtp.keys }}\" }]"),
        5,
        46,
        "a sentence cannot show digest",
    );
}

#[test]
fn each_makes_one_condition_per_step() {
    let each = |each: &str, that: &str| {
        format!(
            "{STEP}[[step]]\nname = \"h\"\nprobe = \"http-request\"\n[[verdict.expect]]\neach = {each}\nthat = \"{that}\"\nelse = \"{{{{ it.status }}}}\"\n"
        )
    };
    let text = scenario("a/b", &each("[\"c\", \"h\"]", "refused(it)"));
    let library = load(&[("a/b.toml", &text)]).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(library.get("a/b").map(|loaded| loaded.conditions().count()), Some(2));
    wrong(&each("[\"c\", \"x\"]", "refused(it)"), 8, 14, "there is no step `x`; known: c, h");
    wrong(&each("[\"c\", \"c\"]", "refused(it)"), 8, 14, "`each` names step `c` twice");
    wrong(
        &each("[\"c\", \"h\"]", "it.answered"),
        9,
        12,
        "`http-request` has no `answered`; known: config, elapsed_ms, error, headers, leaks, location, outcome, status",
    );
    wrong(&each("[\"c\"]", "h.status == 3"), 9, 8, "`each` names steps, and the condition never says `it`");
}

#[test]
fn several_mistakes_come_in_the_order_of_the_file() {
    let text = scenario(
        "a/b",
        "[[step]]\nname = \"c\"\nprobe = \"call\"\nwith = { medi_s = 1 }\n[[verdict.expect]]\nthat = \"c.x\"\nelse = \"{{ d }}\"\n",
    );
    let lines: Vec<String> =
        errors(&text).iter().map(|error| error.split(':').nth(1).unwrap_or_default().into()).collect();
    assert_eq!(lines, ["12", "14", "15"]);
}

#[test]
fn two_files_cannot_be_one_scenario() {
    let text = scenario("a/b", &format!("{STEP}{EXPECT}"));
    let Err(errors) = load(&[("a/b.toml", &text), ("mine/a/b.toml", &text)]) else { panic!("this loads") };
    assert_eq!(errors[0].to_string(), "mine/a/b.toml:1:1: there are two scenarios `a/b`");
}

mod words {
    use crate::fixtures::vocabulary;
    use crate::{Library, LoadError};

    #[track_caller]
    fn wrong(args: &str, cel: &str, place: &str, message: &str) {
        let text = format!("[[word]]\nname = \"w\"\nargs = {args}\nmeans = \"m\"\ncel = \"{cel}\"\n");
        let Err(errors) = Library::load(vocabulary(), &text, &[]) else { panic!("this loads: {cel}") };
        let errors: Vec<String> = errors.iter().map(LoadError::to_string).collect();
        assert_eq!(errors, [format!("words.toml:{place}: {message}")]);
    }

    #[test]
    fn words_are_checked_for_all_that_they_take() {
        wrong("[\"c: cal\"]", "c.answered", "3:8", "unknown type `cal`; did you mean `call`?");
        wrong("[\"c\"]", "c.answered", "3:8", "`c` must be a name, a colon and types: `c: call`");
        wrong(
            "[\"x: call|http-request\"]",
            "x.answered",
            "5:10",
            "`http-request` has no `answered`; known: config, elapsed_ms, error, headers, leaks, location, outcome, status",
        );
        wrong("[\"x: any\"]", "x.status == 3", "5:10", "`any` has no `status`; known: elapsed_ms, error, outcome");
        wrong("[\"x: call\"]", "x.status", "5:8", "a word says yes or no, not int");
        wrong("[\"x: call\"]", "w(x)", "5:9", "in word `w`: word `w` uses itself");
        wrong("[\"x: call\"]", "x.answered && target.session_scope", "5:22", "unknown name `target`; known: policy, x");
        wrong("[\"x: call\"]", "x.answered &&", "5:21", "the expression ends too early");
    }
}
