//! The same counts in every output, read back from each of them as a stranger would.

use std::collections::BTreeMap;

use ringfence_model::report::{Counts, Report};
use ringfence_reports::{Format, Style, render, terminal};
use serde_json::Value;

use crate::consistency::elements;
use crate::samples;

/// What an output says of the failed scenarios by severity, and of all scenarios by state.
type Told = BTreeMap<String, u64>;

const SEVERITIES: [&str; 4] = ["critical", "high", "medium", "low"];

fn truth(counts: &Counts) -> Told {
    let all = [
        ("fail", counts.fail),
        ("pass", counts.pass),
        ("waived", counts.waived),
        ("not-applicable", counts.not_applicable),
        ("inconclusive", counts.inconclusive),
        ("skipped", counts.skipped),
        ("error", counts.error),
        ("critical", counts.critical),
        ("high", counts.high),
        ("medium", counts.medium),
        ("low", counts.low),
    ];
    told(all.iter().flat_map(|(name, number)| (0..*number).map(|_| (*name).to_owned())))
}

fn told(words: impl Iterator<Item = String>) -> Told {
    let mut told = Told::new();
    words.for_each(|word| *told.entry(word).or_default() += 1);
    told
}

/// Scenarios as an output lists them: state and severity. The severity counts where it failed.
fn listed(pairs: impl Iterator<Item = (String, String)>) -> Told {
    told(pairs.flat_map(|(state, severity)| {
        let failed = state == "fail";
        [Some(state), failed.then_some(severity)].into_iter().flatten()
    }))
}

fn in_json(text: &str) -> Told {
    let report: Report = serde_json::from_str(text).unwrap();
    let recounted = Counts::of(report.results.iter().map(|result| &result.verdict));
    assert_eq!(recounted, report.counts);
    truth(&report.counts)
}

fn in_html(text: &str) -> Told {
    let classes = text.split("class=\"result ").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    told(classes.flat_map(|class| match class.as_str() {
        severity if SEVERITIES.contains(&severity) => vec!["fail".to_owned(), severity.to_owned()],
        "open" => vec!["inconclusive".into()],
        "left" => vec!["not-applicable".into()],
        _ => vec![class],
    }))
}

fn in_junit(text: &str) -> Told {
    let mut cases: Vec<BTreeMap<String, String>> = Vec::new();
    for (tag, attributes) in elements(text) {
        match (tag.as_str(), cases.last_mut()) {
            ("testcase", _) => cases.push(BTreeMap::new()),
            ("property", Some(case)) => drop(case.insert(attributes["name"].clone(), attributes["value"].clone())),
            _ => {}
        }
    }
    listed(cases.into_iter().map(|case| (case["state"].clone(), case["severity"].clone())))
}

fn in_sarif(text: &str) -> Told {
    let document: Value = serde_json::from_str(text).unwrap();
    let results = document["runs"][0]["results"].as_array().unwrap();
    listed(results.iter().map(|result| {
        let said = |name: &str| result["properties"][name].as_str().unwrap().to_owned();
        let suppressed = result["suppressions"].as_array().is_some_and(|list| !list.is_empty());
        assert_eq!(suppressed, said("state") == "waived");
        assert_eq!(result["kind"] == "fail", ["fail", "waived"].contains(&said("state").as_str()));
        (said("state"), said("severity"))
    }))
}

fn in_csv(text: &str) -> Told {
    let rows = cells(text);
    let column = |name: &str| rows[0].iter().position(|cell| cell == name).unwrap();
    let (state, severity) = (column("state"), column("severity"));
    listed(rows[1..].iter().map(|row| (row[state].clone(), row[severity].clone())))
}

/// The tables of numbers, and beside them the items of the lists.
fn in_markdown(text: &str) -> Told {
    let mut rows = text.lines().filter(|line| line.starts_with("| ") && !line.contains("---"));
    let mut told = Told::new();
    while let (Some(names), Some(numbers)) = (rows.next(), rows.next()) {
        let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        for (name, number) in cells(names).iter().zip(cells(numbers)) {
            let (_, name) = name.split_once(' ').unwrap();
            let name = match name {
                "failed" => "fail",
                "passed" => "pass",
                "not applicable" => "not-applicable",
                name => name,
            };
            told.insert(name.to_owned(), number.parse().unwrap());
        }
    }
    told.retain(|_, number| *number > 0);
    let items = text.lines().filter(|line| line.starts_with("- "));
    let failed = items.filter(|line| SEVERITIES.iter().any(|word| line.contains(&format!(" **{word}**"))));
    assert_eq!(failed.count() as u64, told.get("fail").copied().unwrap_or_default());
    told
}

fn in_terminal(text: &str) -> Told {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let tally = flat.split(" scenarios: ").last().unwrap();
    let number = |what: &str| {
        let before = tally.split(what).next().filter(|before| before.len() < tally.len())?;
        before.trim_end().rsplit([' ', '(']).next()?.parse::<u64>().ok()
    };
    let words = [
        ("fail", " failed"),
        ("pass", " passed"),
        ("waived", " waived"),
        ("not-applicable", " not applicable"),
        ("inconclusive", " inconclusive"),
        ("skipped", " skipped"),
        ("error", " in error"),
        ("critical", " critical"),
        ("high", " high"),
        ("medium", " medium"),
        ("low", " low"),
    ];
    let told = words.iter().filter_map(|(name, what)| number(what).map(|number| ((*name).to_owned(), number)));
    told.filter(|(_, number)| *number > 0).collect()
}

/// Strictly RFC 4180, with every cell quoted.
pub fn cells(csv: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut rest = csv;
    while !rest.is_empty() {
        let mut row = Vec::new();
        loop {
            rest = rest.strip_prefix('"').expect("a quoted cell");
            let mut cell = String::new();
            loop {
                let (before, after) = rest.split_once('"').expect("the cell's end");
                cell += before;
                rest = after;
                let Some(after) = rest.strip_prefix('"') else { break };
                cell.push('"');
                rest = after;
            }
            row.push(cell);
            let Some(after) = rest.strip_prefix(',') else { break };
            rest = after;
        }
        rest = rest.strip_prefix("\r\n").expect("CRLF behind a row");
        rows.push(row);
    }
    let width = rows[0].len();
    assert!(rows.iter().all(|row| row.len() == width), "rows of one length");
    rows
}

#[test]
fn every_output_counts_alike() {
    for (name, report) in samples::all().into_iter().chain([("many", samples::many(154))]) {
        let truth = truth(&report.counts);
        for format in Format::all() {
            let text = render(format, &report).unwrap();
            let (told, without): (Told, &[&str]) = match format {
                Format::Json => (in_json(&text), &[]),
                Format::Html | Format::HtmlFlat => (in_html(&text), &[]),
                Format::Junit => (in_junit(&text), &[]),
                // Failures alone; and what is a fault of ours is no result but a notification.
                Format::Sarif => (in_sarif(&text), &["pass", "not-applicable", "inconclusive", "skipped", "error"]),
                Format::SarifFull => (in_sarif(&text), &["error"]),
                Format::Markdown => (in_markdown(&text), &[]),
                Format::Csv => (in_csv(&text), &[]),
            };
            let mut truth = truth.clone();
            truth.retain(|word, _| !without.contains(&word.as_str()));
            assert_eq!(told, truth, "{format} of {name}");
        }
        let printed = terminal(&report, Style { color: false, width: 120, unicode: true });
        assert_eq!(in_terminal(&printed), truth, "terminal of {name}");
    }
}
