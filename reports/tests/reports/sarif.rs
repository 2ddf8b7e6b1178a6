//! SARIF: valid by the standard's schema, and acceptable to GitHub by its reference, rule by rule.

use jsonschema::Validator;
use ringfence_model::Exit;
use ringfence_model::report::{Report, WaiverState};
use ringfence_model::verdict::{Level, State};
use ringfence_reports::{Format, render};
use serde_json::Value;

use crate::poison::{self, CORPUS};
use crate::{audited, samples};

const SCHEMA: &str = include_str!("../fixtures/sarif-2.1.0/sarif-schema-2.1.0.json");

fn schema() -> Validator {
    // One pattern of the published schema closes a bracket that it never opened.
    let schema = SCHEMA.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}\\\\]?$");
    let schema: Value = serde_json::from_str(&schema).unwrap();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

fn document(format: Format, report: &Report) -> Value {
    serde_json::from_str(&render(format, report).unwrap()).unwrap()
}

fn reports() -> Vec<(String, Report)> {
    let mut reports: Vec<(String, Report)> =
        samples::all().into_iter().map(|(name, report)| (name.to_owned(), report)).collect();
    reports.push(("many".into(), samples::many(154)));
    reports.extend(CORPUS.iter().map(|text| (format!("{text:?}"), poison::poisoned(text))));
    reports
}

#[test]
fn every_document_follows_the_schema() {
    let schema = schema();
    assert!(!schema.is_valid(&serde_json::json!({ "version": "2.1.0", "runs": [{}] })), "the schema can refuse");
    for (name, report) in reports() {
        for format in [Format::Sarif, Format::SarifFull] {
            let document = document(format, &report);
            let errors: Vec<String> =
                schema.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(errors.is_empty(), "{format} of {name}: {errors:?}");
        }
    }
}

/// A rule of GitHub's reference: what it says, and what breaks it in a document.
type Rule = (&'static str, fn(&Value) -> Vec<String>);

const RULES: &[Rule] = &[
    ("$schema and version are there", |log| {
        missing(&[
            (&log["$schema"], "$schema"),
            (&log["version"], "version"),
            (&log["runs"][0]["tool"]["driver"]["name"], "name"),
        ])
    }),
    ("at most 20 runs", |log| if list(&log["runs"]).len() > 20 { vec!["runs".into()] } else { vec![] }),
    ("at most 25,000 results and rules", |log| {
        let run = &log["runs"][0];
        let many = list(&run["results"]).len().max(list(&run["tool"]["driver"]["rules"]).len());
        if many > 25_000 { vec![many.to_string()] } else { vec![] }
    }),
    ("every rule has an id of at most 255 characters and texts of at most 1024", |log| {
        each(rules(log), |rule| {
            let texts = ["shortDescription", "fullDescription"].map(|name| (&rule[name]["text"], name));
            let mut broken = missing(&[&texts[..], &[(&rule["id"], "id"), (&rule["help"]["text"], "help")]].concat());
            broken.extend(texts.iter().filter(|(text, _)| length(text) > 1024).map(|(_, name)| (*name).to_owned()));
            broken.extend((length(&rule["id"]) > 255).then(|| "id".to_owned()));
            broken
        })
    }),
    ("at most 20 tags", |log| {
        each(rules(log), |rule| {
            let tags = list(&rule["properties"]["tags"]);
            if tags.is_empty() || tags.len() > 20 { vec!["tags".into()] } else { missing_in(tags, "tag") }
        })
    }),
    ("security-severity is a text of a number over 0.0 and up to 10.0, or is not there", |log| {
        each(rules(log), |rule| match &rule["properties"]["security-severity"] {
            Value::Null => vec![],
            Value::String(text) if text.parse::<f64>().is_ok_and(|n| n > 0.0 && n <= 10.0) => vec![],
            other => vec![other.to_string()],
        })
    }),
    ("precision is one of four words", |log| {
        each(rules(log), |rule| {
            let word = rule["properties"]["precision"].as_str().unwrap_or_default();
            if ["very-high", "high", "medium", "low"].contains(&word) { vec![] } else { vec![word.to_owned()] }
        })
    }),
    ("every result has a message, a rule of this run and a level", |log| {
        each(list(&log["runs"][0]["results"]), |result| {
            let rule = &rules(log)[result["ruleIndex"].as_u64().unwrap() as usize];
            let mut broken = missing(&[(&result["message"]["text"], "message"), (&result["level"], "level")]);
            broken.extend(
                (!result["ruleId"].as_str().unwrap().starts_with(rule["id"].as_str().unwrap()))
                    .then(|| "ruleId".into()),
            );
            broken
        })
    }),
    ("the first location is a relative path of the repository, with a whole region", |log| {
        each(list(&log["runs"][0]["results"]), |result| {
            let place = &result["locations"][0]["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().unwrap_or_default();
            let odd = |c: char| !(c.is_ascii_alphanumeric() || "-._~%/".contains(c));
            let bad =
                uri.is_empty() || uri.starts_with('/') || uri.contains(odd) || uri.split('/').any(|part| part == "..");
            let region = |name: &str| place["region"][name].as_u64().unwrap_or(0);
            let whole = region("startLine") >= 1
                && region("endLine") >= region("startLine")
                && region("startColumn") >= 1
                && region("endColumn") > region("startColumn");
            [bad.then(|| uri.to_owned()), (!whole).then(|| "region".to_owned())].into_iter().flatten().collect()
        })
    }),
    ("a failure is tracked by primaryLocationLineHash, 64 bits and a number", |log| {
        each(list(&log["runs"][0]["results"]), |result| {
            let prints = &result["partialFingerprints"];
            if result["kind"] != "fail" {
                return if prints.is_null() { vec![] } else { vec!["fingerprints without a failure".into()] };
            }
            missing(&[(&prints["primaryLocationLineHash"], "primaryLocationLineHash")])
        })
    }),
    ("what is waived is suppressed from outside, accepted, with a justification", |log| {
        each(list(&log["runs"][0]["results"]), |result| {
            each(list(&result["suppressions"]), |one| {
                let right = one["kind"] == "external" && one["status"] == "accepted";
                let mut broken = missing(&[(&one["justification"], "justification")]);
                broken.extend((!right).then(|| one.to_string()));
                broken
            })
        })
    }),
    ("the category ends in its only closing slash", |log| {
        let id = log["runs"][0]["automationDetails"]["id"].as_str().unwrap_or_default();
        let parts: Vec<&str> = id.split('/').collect();
        if parts.len() == 4
            && parts[0] == "ringfence"
            && parts[3].is_empty()
            && !parts[1].is_empty()
            && !parts[2].is_empty()
        {
            vec![]
        } else {
            vec![id.to_owned()]
        }
    }),
    ("no message has a placeholder or a link that nobody wrote", |log| {
        each(list(&log["runs"][0]["results"]), |result| {
            let text = result["message"]["text"].as_str().unwrap_or_default().replace("{{", "").replace("}}", "");
            let text = text.replace("\\[", "").replace("\\]", "");
            if text.contains(['[', ']']) || text.contains(['{', '}']) { vec![text] } else { vec![] }
        })
    }),
];

fn rules(log: &Value) -> &[Value] {
    list(&log["runs"][0]["tool"]["driver"]["rules"])
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn length(value: &Value) -> usize {
    value.as_str().unwrap_or_default().chars().count()
}

fn each(list: &[Value], broken: impl Fn(&Value) -> Vec<String>) -> Vec<String> {
    list.iter().flat_map(broken).collect()
}

fn missing(texts: &[(&Value, &str)]) -> Vec<String> {
    let empty = |value: &Value| value.as_str().is_none_or(|text| text.trim().is_empty());
    texts.iter().filter(|(value, _)| empty(value)).map(|(_, name)| format!("no {name}")).collect()
}

fn missing_in(texts: &[Value], name: &str) -> Vec<String> {
    texts.iter().flat_map(|text| missing(&[(text, name)])).collect()
}

#[test]
fn every_document_keeps_github_s_rules() {
    for (name, report) in reports() {
        for format in [Format::Sarif, Format::SarifFull] {
            let document = document(format, &report);
            for (rule, broken) in RULES {
                assert_eq!(broken(&document), Vec::<String>::new(), "{format} of {name}: {rule}");
            }
        }
    }
}

#[test]
fn the_rules_can_refuse() {
    let good = document(Format::Sarif, &samples::broken());
    let bend = |path: &str, value: Value| {
        let mut log = good.clone();
        *log.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
        RULES.iter().any(|(_, broken)| !broken(&log).is_empty())
    };
    let (rule, result) = ("/runs/0/tool/driver/rules/0", "/runs/0/results/0");
    let place = format!("{result}/locations/0/physicalLocation");
    for (path, value) in [
        (format!("{rule}/help/text"), "".into()),
        (format!("{rule}/fullDescription/text"), "x".repeat(1025).into()),
        (format!("{rule}/properties/security-severity"), "0.0".into()),
        (format!("{rule}/properties/security-severity"), 9.5.into()),
        (format!("{rule}/properties/precision"), "sure".into()),
        (format!("{rule}/properties/tags"), vec!["x"; 21].into()),
        (format!("{result}/message/text"), " ".into()),
        (format!("{result}/message/text"), "[a](http://x)".into()),
        (format!("{result}/partialFingerprints"), serde_json::json!({})),
        (format!("{place}/artifactLocation/uri"), "wss://sip.example.test/ws".into()),
        (format!("{place}/artifactLocation/uri"), "../x".into()),
        (format!("{place}/region/endColumn"), 1.into()),
        ("/runs/0/automationDetails/id".into(), "ringfence/x".into()),
    ] {
        assert!(bend(&path, value.clone()), "{path} = {value}");
    }
}

#[test]
fn a_result_says_where_how_bad_and_whether_it_is_accepted() {
    let report = samples::broken();
    let log = document(Format::Sarif, &report);
    let run = &log["runs"][0];
    let result = |id: &str| list(&run["results"]).iter().find(|result| result["ruleId"] == id).unwrap();
    let rule = |id: &str| rules(&log).iter().find(|rule| rule["id"] == id).unwrap();

    let worst = result("media/fingerprint-mismatch");
    assert_eq!(worst["level"], "error");
    let place = &worst["locations"][0]["physicalLocation"];
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&"deploy/front-desk.toml".into(), &17.into())
    );
    assert_eq!(rule("media/fingerprint-mismatch")["properties"]["security-severity"], "9.5");
    let waived = result(audited::WAIVED);
    assert!(waived["suppressions"][0]["justification"].as_str().unwrap().starts_with("waived until 2026-12-15: "));
    let informative =
        report.results.iter().find(|r| r.verdict.level == Level::Info && r.verdict.state == State::Fail).unwrap();
    assert_eq!(rule(&informative.verdict.scenario)["properties"].get("security-severity"), None);
    let finding = &report.results.iter().find(|r| r.verdict.scenario == "cors/any-origin").unwrap().verdict.findings[0];
    let prints = &result("cors/any-origin")["partialFingerprints"];
    assert_eq!(format!("v1:{}", prints["ringfence/v1"].as_str().unwrap()), finding.fingerprint);
    assert_eq!(prints["primaryLocationLineHash"], format!("{}:1", &finding.fingerprint[3..19]));
    assert_eq!(run["automationDetails"]["id"], "ringfence/front-desk/full/");
}

#[test]
fn only_a_fault_of_our_own_makes_an_invocation_fail() {
    let mut report = samples::broken();
    let invocation = |report: &Report| document(Format::Sarif, report)["runs"][0]["invocations"][0].clone();
    let notes = list(&invocation(&report)["toolExecutionNotifications"]).to_vec();
    assert_eq!(invocation(&report)["executionSuccessful"], true);
    let troubled =
        report.waivers.iter().filter(|w| matches!(w.state, WaiverState::Expired | WaiverState::Unused)).count();
    assert_eq!(notes.len() as u64, report.counts.inconclusive + report.counts.error + troubled as u64);
    report.gate.conditions.push(Exit::Internal);
    assert_eq!(invocation(&report)["executionSuccessful"], false);
}

#[test]
fn five_hundred_huge_results_fit() {
    let mut report = poison::poisoned(&"<x> \u{202e} {0} `|` ".repeat(300));
    let results = report.results.clone();
    report.results = (0..500).map(|i| results[i % results.len()].clone()).collect();
    for format in [Format::Sarif, Format::SarifFull] {
        let text = render(format, &report).unwrap();
        assert!(text.len() < 10_000_000, "{format}: {} bytes unpacked", text.len());
    }
}
