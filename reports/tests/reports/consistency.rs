//! Outputs hold together: pages and their data, links and their ends, groups and their members.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use ringfence_model::report::{Counts, Report};
use ringfence_model::verdict::{Line, State};
use ringfence_reports::{Format, Style, render, terminal};

use crate::samples;

/// The JSON that a page holds.
pub fn embedded(page: &str) -> &str {
    let start = r#"<script type="application/json" id="report">"#;
    let (_, rest) = page.split_once(start).expect("the page embeds the report");
    rest.split_once("</script>").expect("and ends it").0
}

/// Elements and their attributes, unescaped. Fails where the document is not well-formed.
pub fn elements(xml: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let mut elements = Vec::new();
    let read = |start: &BytesStart| {
        let attributes = start.attributes().map(|attribute| {
            let attribute = attribute.expect("a well-formed attribute");
            let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).expect("a readable value");
            (String::from_utf8(attribute.key.as_ref().to_vec()).unwrap(), value.into_owned())
        });
        (String::from_utf8(start.name().as_ref().to_vec()).unwrap(), attributes.collect())
    };
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(start) | Event::Empty(start) => elements.push(read(&start)),
            Event::Eof => return elements,
            _ => {}
        }
    }
}

#[test]
fn junit_says_one_thing_of_each_case() {
    for (name, report) in samples::all() {
        let counts = &report.counts;
        let elements = elements(&render(Format::Junit, &report).unwrap());
        let number = |tag: &str| elements.iter().filter(|(element, _)| element == tag).count() as u64;
        let skipped = counts.skipped + counts.not_applicable + counts.waived;
        assert_eq!(number("testcase"), counts.scenarios, "{name}");
        assert_eq!(number("failure"), counts.fail, "{name}: one failure per failed scenario");
        assert_eq!(number("error"), counts.inconclusive + counts.error, "{name}");
        assert_eq!(number("skipped"), skipped, "{name}");
        let (_, root) = elements.first().unwrap();
        let told = |attribute: &str| root[attribute].parse::<u64>().unwrap();
        assert_eq!(
            (told("tests"), told("failures"), told("errors"), told("skipped")),
            (counts.scenarios, counts.fail, counts.inconclusive + counts.error, skipped)
        );
        for (_, case) in elements.iter().filter(|(tag, _)| tag == "testcase") {
            assert_eq!(case["classname"].split('.').count(), 3, "{}", case["classname"]);
        }
        assert!(
            elements
                .iter()
                .filter(|(tag, _)| ["failure", "error", "skipped"].contains(&tag.as_str()))
                .all(|(_, e)| !e["message"].is_empty())
        );
    }
}

#[test]
fn the_page_holds_the_json_file_byte_for_byte() {
    for (name, report) in samples::all() {
        let json = render(Format::Json, &report).unwrap();
        let page = render(Format::Html, &report).unwrap();
        assert_eq!(embedded(&page), json, "{name}");
        let back: Report = serde_json::from_str(&json).unwrap();
        assert_eq!(render(Format::Json, &back).unwrap(), json, "{name}");
        assert_eq!(Counts::of(back.results.iter().map(|result| &result.verdict)), report.counts, "{name}");
        assert_eq!(render(Format::Html, &back).unwrap(), page, "{name}: same report, same bytes");
    }
}

#[test]
fn page_and_terminal_show_every_result_once() {
    for (name, report) in [("healthy", samples::healthy()), ("broken", samples::broken())] {
        let page = render(Format::Html, &report).unwrap();
        let printed = terminal(&report, Style { color: false, width: 120, unicode: true });
        for result in &report.results {
            let anchor = format!("id=\"s-{}\"", result.verdict.scenario.replace('/', "-"));
            assert_eq!(page.matches(&anchor).count(), 1, "{name}: {anchor}");
            let (_, slug) = result.verdict.scenario.split_once('/').unwrap();
            assert!(printed.contains(slug), "{name}: {slug}");
        }
    }
}

#[test]
fn what_was_left_out_for_one_reason_stands_together_with_lines_that_can_be_copied() {
    let mut report = samples::broken();
    let alike = ["media/sdes-accepted", "media/not-dtls-srtp"];
    for result in report.results.iter_mut().filter(|r| alike.contains(&r.verdict.scenario.as_str())) {
        result.verdict.state = State::Skipped;
        result.verdict.reasons = vec![Line::ours("no call destination")];
        result.verdict.to_enable = Some("[destinations.call]\nuri = \"configured\"".into());
    }
    report.counts = Counts::of(report.results.iter().map(|result| &result.verdict));
    let printed = terminal(&report, Style { color: false, width: 120, unicode: true });
    assert_eq!(printed.matches("no call destination").count(), 1, "{printed}");
    assert!(
        alike
            .iter()
            .all(|id| printed.contains(&format!("? skipped  {id}")) || printed.contains(&format!("? skipped {id}")))
    );
    let copied: Vec<&str> = printed.lines().skip_while(|l| !l.contains("[destinations.call]")).take(2).collect();
    assert_eq!(
        copied.iter().map(|line| line.trim_start().trim_start_matches("to enable").trim()).collect::<Vec<_>>(),
        ["[destinations.call]", "uri = \"configured\""]
    );
    assert!(printed.contains("3 of 14 scenarios not asked (3 of high or critical severity)"), "{printed}");
    let page = render(Format::Html, &report).unwrap();
    assert!(page.contains("[destinations.call]\nuri = &quot;configured&quot;"));
    let junit = render(Format::Junit, &report).unwrap();
    assert!(junit.contains("to enable:\n[destinations.call]\nuri"));
}

#[test]
fn every_link_inside_the_page_leads_somewhere() {
    for (name, report) in samples::all() {
        let page = render(Format::Html, &report).unwrap();
        let links: Vec<_> = page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(!links.is_empty());
        for link in links {
            match link.strip_prefix('#') {
                Some(anchor) => assert_eq!(page.matches(&format!("id=\"{anchor}\"")).count(), 1, "{name}: #{anchor}"),
                None => assert!(
                    link.replace("&#x2f;", "/").starts_with("https://www.rfc-editor.org/rfc/rfc"),
                    "{name}: {link}"
                ),
            }
        }
    }
}
