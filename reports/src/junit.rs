//! JUnit XML in the dialect that Jenkins, GitLab and Azure read alike.
//!
//! One suite per area, one case per scenario, one `failure` per failed case whatever the number of its findings, since
//! many readers keep one. What got no verdict is an `error`; what was not asked, or is waived, is `skipped`; none of them
//! is ever a pass.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};
use ringfence_model::report::{Report, ScenarioResult};
use ringfence_model::verdict::State;

use crate::{RenderError, areas, escape, facts, sorted, tally};

/// The report as a JUnit document.
pub fn render(report: &Report) -> Result<String, RenderError> {
    let target = class_part(&tally::target_name(report));
    let mut document = quick_junit::Report::new(clean(&format!("ringfence {}", tally::target_name(report))));
    document.set_time(Duration::from_millis(report.run.duration_ms));
    let mut results: Vec<_> = report.results.iter().collect();
    results.sort_by_key(|result| &result.verdict.scenario);
    for group in results.chunk_by(|a, b| areas::area(&a.verdict.scenario) == areas::area(&b.verdict.scenario)) {
        let area = group.first().map_or("", |result| areas::area(&result.verdict.scenario));
        let mut suite = TestSuite::new(clean(area));
        suite.extra.insert("timestamp".into(), clean(&report.run.started).into());
        suite.set_time(Duration::from_millis(group.iter().map(|result| result.elapsed_ms).sum()));
        suite.add_property(Property::new("format", clean(&report.format)));
        suite.add_property(Property::new("run", clean(&report.run.id)));
        suite.add_property(Property::new("policy", clean(&report.run.policy)));
        for result in group {
            let mut case = test_case(report, result);
            case.set_classname(format!("ringfence.{}.{target}", class_part(area)));
            suite.add_test_case(case);
        }
        document.add_test_suite(suite);
    }
    Ok(document.to_string()?)
}

fn test_case(report: &Report, result: &ScenarioResult) -> TestCase {
    let verdict = &result.verdict;
    let name = clean(&format!("{}: {}", verdict.scenario, result.title));
    let mut case = TestCase::new(name, status(report, result));
    case.set_time(Duration::from_millis(result.elapsed_ms));
    if let Some(file) = &report.method.target_file {
        // GitLab links it.
        case.extra.insert("file".into(), clean(&file.path).into());
    }
    case.add_property(Property::new("severity", verdict.severity.word()));
    case.add_property(Property::new("state", sorted::state(verdict)));
    for control in &result.controls {
        case.add_property(Property::new("control", clean(control)));
    }
    for claim in &result.claims {
        case.add_property(Property::new("claim", clean(claim)));
    }
    for finding in &verdict.findings {
        case.add_property(Property::new("fingerprint", clean(&finding.fingerprint)));
    }
    case.set_system_out(evidence(result));
    case
}

fn status(report: &Report, result: &ScenarioResult) -> TestCaseStatus {
    let verdict = &result.verdict;
    let reasons: Vec<_> = verdict.reasons.iter().map(escape::line).collect();
    let reason = reasons.first().cloned().unwrap_or_else(|| "no reason given".into());
    let mut status = match verdict.state {
        State::Pass => return TestCaseStatus::success(),
        State::Fail if verdict.waived() => TestCaseStatus::skipped(),
        State::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        State::Inconclusive | State::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
        State::Skipped | State::NotApplicable => TestCaseStatus::skipped(),
    };
    let (message, kind, description) = match verdict.state {
        State::Fail if verdict.waived() => {
            let why = verdict.findings.iter().find_map(|finding| tally::waived(report, result, finding));
            (why.unwrap_or_else(|| "waived".into()), "waived", failure_text(report, result))
        }
        State::Fail => {
            let first = tally::seen(result).first().map(|finding| escape::line(&finding.message));
            let first = first.unwrap_or_else(|| escape::prose(&result.title));
            (first, verdict.severity.word(), failure_text(report, result))
        }
        state => {
            let enable = verdict.to_enable.iter().map(|text| format!("to enable:\n{}", escape::lines(text).join("\n")));
            let text: Vec<_> = reasons.into_iter().chain(enable).collect();
            (format!("{}: {reason}", state.word()), state.word(), text.join("\n"))
        }
    };
    status.set_message(escape::xml(&message)).set_type(kind).set_description(escape::xml(&description));
    status
}

fn failure_text(report: &Report, result: &ScenarioResult) -> String {
    let mut lines = Vec::new();
    for finding in &result.verdict.findings {
        lines.extend(tally::waived(report, result, finding));
        lines.push(format!("saw ({}): {}", finding.severity.word(), escape::line(&finding.message)));
        lines.push(format!("expected: {}", escape::prose(&finding.expected)));
        lines.extend(facts::decisive(result, finding).iter().map(|(field, value)| format!("  {field} = {value}")));
    }
    lines.push(format!("why: {}", escape::prose(&result.manual.why)));
    lines.push(format!("remedy: {}", escape::prose(&result.manual.remedy)));
    lines.join("\n")
}

fn evidence(result: &ScenarioResult) -> String {
    let mut lines = vec![format!("reproduce: {}", escape::prose(&result.reproduce))];
    lines.extend(result.verdict.notes.iter().map(|note| format!("note: {}", escape::line(note))));
    for step in &result.evidence {
        let control = if step.control { ", control" } else { "" };
        lines.push(format!("step {} ({}{control})", escape::prose(&step.step), escape::prose(&step.probe)));
        lines.extend(step.not_asked.iter().map(|why| format!("  not asked: {}", escape::prose(why))));
        let (rows, left_out) = facts::rows(&step.observation);
        lines.extend(rows.iter().map(|(field, value)| format!("  {field} = {value}")));
        if left_out > 0 {
            lines.push(format!("  {left_out} more in the JSON report"));
        }
    }
    escape::xml(&lines.join("\n"))
}

fn clean(text: &str) -> String {
    escape::xml(&escape::prose(text))
}

/// A part of a class name: readers split these at dots.
fn class_part(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' }).collect()
}
