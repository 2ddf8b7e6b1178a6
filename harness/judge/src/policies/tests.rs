use super::*;

/// Every key of a policy with an empty value of its type, from the type's own schema.
fn base() -> String {
    let schema = schemars::schema_for!(Policy).to_value();
    let properties = schema["properties"].as_object().unwrap_or_else(|| panic!("no properties"));
    let value = |schema: &serde_json::Value| match schema["type"].as_str() {
        Some("array") => "[]",
        Some("boolean") => "false",
        Some("integer") => "1",
        Some("number") => "0.5",
        _ => "\"x\"",
    };
    let keys = properties.iter().filter(|(key, _)| *key != "name");
    keys.map(|(key, schema)| format!("{key} = {}\n", value(schema))).collect()
}

/// A policy with nothing in it.
pub fn empty() -> Policy {
    let policies = Policies::load(&[("empty", &base())]).unwrap_or_else(|errors| panic!("{errors:?}"));
    policies.get("empty").unwrap_or_else(|| panic!("not there")).clone()
}

#[track_caller]
fn wrong(files: &[(&str, &str)], messages: &[&str]) {
    let Err(errors) = Policies::load(files) else { panic!("this loads") };
    assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), messages);
}

#[test]
fn a_present_key_takes_the_parents_place_whole() {
    let base = base();
    let parent = base.replace("groups = []", "groups = [\"a\", \"b\"]");
    let files = [
        ("one", parent.as_str()),
        ("two", "extends = \"one\"\ntitle = \"second\"\ngroups = [\"c\"]\n"),
        ("three", "extends = \"two\"\ntitle = \"third\"\nconsent_s = 9\n"),
    ];
    let policies = Policies::load(&files).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(policies.names().collect::<Vec<_>>(), ["one", "three", "two"]);
    let three = policies.get("three").unwrap_or_else(|| panic!("not there"));
    assert_eq!((three.name.as_str(), three.title.as_str(), three.consent_s), ("three", "third", 9));
    assert_eq!(three.groups, ["c"]);
}

#[test]
fn mistakes_are_told_with_their_place() {
    let base = base();
    let child =
        |text: &'static str| [("one", base.as_str()), ("two", text)].map(|(name, text)| (name, text.to_owned()));
    let case = |text: &'static str, message: &str| {
        let files = child(text);
        wrong(&files.each_ref().map(|(name, text)| (*name, text.as_str())), &[message]);
    };
    case(
        "extends = \"one\"\ntitle = \"t\"\nconsent = 3\n",
        "two:3:1: unknown key `consent`; did you mean `consent_s`?",
    );
    case(
        "extends = \"one\"\ntitle = \"t\"\nconsent_s = \"3\"\n",
        "two:3:13: `consent_s` must be a whole number, not text",
    );
    case("extends = \"on\"\ntitle = \"t\"\n", "two:1:11: unknown policy `on`; did you mean `one`?");
    case("extends = \"two\"\ntitle = \"t\"\n", "two:1:11: policy `two` extends itself");
    case("extends = \"one\"\n", "two:1:1: `title` is missing");
    wrong(&[("one", base.replace("consent_s = 1\n", "").as_str())], &["one:1:1: `consent_s` is missing"]);
}

#[test]
fn two_parents_above_a_policy_are_the_most() {
    let base = base();
    let files = [
        ("a", base.as_str()),
        ("b", "extends = \"a\"\ntitle = \"t\"\n"),
        ("c", "extends = \"b\"\ntitle = \"t\"\n"),
        ("d", "extends = \"c\"\ntitle = \"t\"\n"),
    ];
    wrong(&files, &["d:1:11: more than 2 policies stand above this one"]);
}
