//! SARIF 2.1.0 for code scanning, by the standard's schema and by the stricter rules of GitHub's reference.
//!
//! One result per failed scenario, so that it counts what every other output counts. What a scanner of networks has to
//! bend: a result must lie in a file of the repository, so it lies in the target file, on the line that declares the
//! endpoint; the endpoint itself is a logical location.

mod place;
mod rules;

use ringfence_model::Exit;
use ringfence_model::report::{Report, ScenarioResult, Standing};
use ringfence_model::untrusted::inert_json;
use ringfence_model::verdict::{Finding, Line, Severity, State, Verdict};
use serde_json::{Map, Value, json};

use crate::sorted::{self, Sorted};
use crate::{RenderError, escape, tally};

/// The schema that a document follows.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// Results of one run that GitHub takes.
const RESULTS_MAX: usize = 25_000;
/// Bytes of all results and rules, unpacked, without their indentation; GitHub takes 10 MB packed (house).
const RESULTS_BYTES: usize = 6_000_000;
/// Notifications of a run (house).
const NOTIFICATIONS_MAX: usize = 500;
/// Characters of a message (house).
const MESSAGE_CHARS: usize = 1024;

/// Failures alone, for code scanning.
pub fn render(report: &Report) -> Result<String, RenderError> {
    document(report, false)
}

/// Every verdict: what passed, does not apply, or stayed open as well.
pub fn render_full(report: &Report) -> Result<String, RenderError> {
    document(report, true)
}

fn document(report: &Report, full: bool) -> Result<String, RenderError> {
    let sorted = Sorted::of(report);
    let told = |result: &&ScenarioResult| result.verdict.state == State::Fail || full;
    let (mut results, mut rules) = (Vec::new(), Vec::new());
    let (mut bytes, mut left_out) = (0, 0);
    for result in sorted.all().filter(told).filter(|result| result.verdict.state != State::Error) {
        let (one, rule) = (one(report, result, results.len()), rules::rule(result));
        bytes += inert_json(&one.to_string()).len() + inert_json(&rule.to_string()).len();
        if results.len() < RESULTS_MAX && bytes < RESULTS_BYTES {
            results.push(one);
            rules.push(rule);
        } else {
            left_out += 1;
        }
    }
    let category = format!(
        "ringfence/{}/{}{}/",
        escape::slug(&tally::target_name(report)),
        escape::slug(if report.method.profile.is_empty() { "run" } else { &report.method.profile }),
        if full { "-full" } else { "" }
    );
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        // Within the first bytes: by this a file is known as ours before it is replaced.
        "properties": { "format": escape::prose(&report.format) },
        "runs": [{
            "tool": { "driver": { "name": "ringfence", "version": escape::prose(&report.run.version), "rules": rules } },
            "automationDetails": { "id": category },
            "invocations": [invocation(report, left_out)],
            "columnKind": "unicodeCodePoints",
            "results": results,
            "properties": {
                "verdict": escape::prose(&report.gate.word),
                "exitCode": report.gate.code,
                "complete": report.run.complete,
                "run": escape::prose(&report.run.id),
                "policy": escape::prose(&report.run.policy),
                "counts": report.counts,
                "integrity": report.integrity,
            },
        }],
    });
    Ok(inert_json(&serde_json::to_string_pretty(&document)?) + "\n")
}

/// `false` makes GitHub refuse the file: only a fault of our own says so. That a run is not whole is a notification.
fn invocation(report: &Report, left_out: usize) -> Value {
    let gate = &report.gate;
    let own_fault = gate.conditions.contains(&Exit::Internal);
    let mut value = json!({
        "executionSuccessful": !own_fault,
        "exitCode": gate.code,
        "exitCodeDescription": gate.exit.meaning(),
        "toolExecutionNotifications": notifications(report, left_out),
    });
    if let (Some(fields), true) = (value.as_object_mut(), is_moment(&report.run.started)) {
        fields.insert("startTimeUtc".into(), json!(report.run.started));
    }
    value
}

fn notifications(report: &Report, left_out: usize) -> Vec<Value> {
    let note = |level: &str, text: String| json!({ "level": level, "message": { "text": message(&text) } });
    let mut notes = Vec::new();
    if !report.run.complete {
        notes.push(note("warning", "The run was ended early: what stands here is not everything.".into()));
    }
    if left_out > 0 {
        notes.push(note("warning", format!("{left_out} results are left out: the file would be too large.")));
    }
    for result in &report.results {
        let verdict = &result.verdict;
        let level = match verdict.state {
            State::Error => "error",
            State::Inconclusive if verdict.required() => "warning",
            State::Inconclusive => "note",
            _ => continue,
        };
        let reason = verdict.reasons.first().map(escape::line).unwrap_or_else(|| "no reason given".into());
        let text = format!("{} ({}): {reason}", escape::prose(&verdict.scenario), verdict.state.word());
        notes.push(note(level, text));
    }
    notes.extend(tally::waiver_trouble(report).into_iter().map(|text| note("warning", text)));
    notes.truncate(NOTIFICATIONS_MAX);
    notes
}

fn one(report: &Report, result: &ScenarioResult, rule: usize) -> Value {
    let verdict = &result.verdict;
    let failed = verdict.state == State::Fail;
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    set("ruleId", json!(escape::prose(&verdict.scenario)));
    set("ruleIndex", json!(rule));
    set("kind", json!(kind(verdict.state)));
    set("level", json!(if failed { rules::level(verdict) } else { "none" }));
    set("message", json!({ "text": message(&said(result)) }));
    set("locations", json!([place::location(report, result)]));
    if let Some(finding) = tally::seen(result).first().filter(|_| failed) {
        set("partialFingerprints", fingerprints(finding));
        set("suppressions", Value::Array(suppressions(report, result)));
        let known = finding.standing.filter(|_| report.delta.is_some());
        if let Some(standing) = known {
            // SARIF has no word for what came back: it is new again.
            set("baselineState", json!(if standing == Standing::Unchanged { "unchanged" } else { "new" }));
        }
    }
    set("properties", properties(result));
    Value::Object(fields)
}

const fn kind(state: State) -> &'static str {
    match state {
        State::Fail => "fail",
        State::Pass => "pass",
        State::NotApplicable | State::Skipped => "notApplicable",
        State::Inconclusive | State::Error => "open",
    }
}

fn said(result: &ScenarioResult) -> String {
    let all = |lines: &mut dyn Iterator<Item = &Line>| lines.map(escape::line).collect::<Vec<_>>().join("; ");
    let text = match result.verdict.state {
        State::Fail => all(&mut tally::seen(result).into_iter().map(|finding| &finding.message)),
        State::Pass => format!("Not found: {}", escape::prose(&result.title)),
        _ => all(&mut result.verdict.reasons.iter()),
    };
    if text.trim().is_empty() { escape::prose(&result.title) } else { text }
}

/// GitHub follows an alert by the first of these and by no other.
fn fingerprints(finding: &Finding) -> Value {
    let (version, own) = finding.fingerprint.split_once(':').unwrap_or(("v1", &finding.fingerprint));
    let own = escape::slug(own);
    let short: String = own.chars().take(16).collect();
    let mut prints = Map::new();
    prints.insert("primaryLocationLineHash".into(), json!(format!("{short}:1")));
    prints.insert(format!("ringfence/{}", escape::slug(version)), json!(own));
    Value::Object(prints)
}

fn suppressions(report: &Report, result: &ScenarioResult) -> Vec<Value> {
    if !result.verdict.waived() {
        return Vec::new();
    }
    let reasons = result.verdict.findings.iter().filter_map(|finding| tally::waived(report, result, finding));
    let mut reasons: Vec<String> = reasons.collect();
    reasons.dedup();
    vec![json!({ "kind": "external", "status": "accepted", "justification": message(&reasons.join("; ")) })]
}

fn properties(result: &ScenarioResult) -> Value {
    let verdict = &result.verdict;
    json!({
        "state": sorted::state(verdict),
        "severity": verdict.severity.word(),
        "confidence": verdict.confidence,
        "tries": verdict.tries,
        "required": verdict.required(),
        "expected": verdict.findings.iter().map(|finding| escape::prose(&finding.expected)).collect::<Vec<_>>(),
        "fingerprints": verdict.findings.iter().map(|finding| escape::prose(&finding.fingerprint)).collect::<Vec<_>>(),
        "controls": result.controls.iter().map(|id| escape::prose(id)).collect::<Vec<_>>(),
        "claims": result.claims.iter().map(|id| escape::prose(id)).collect::<Vec<_>>(),
        "endpoints": place::endpoints(result),
        "reproduce": escape::prose(&result.reproduce),
    })
}

/// Plain text as a SARIF message: braces are placeholders and brackets links there (sections 3.11.5 and 3.11.6).
fn message(text: &str) -> String {
    let text = escape::shortened(text, MESSAGE_CHARS);
    text.replace('{', "{{").replace('}', "}}").replace('[', "\\[").replace(']', "\\]")
}

/// Whether a text is a moment of RFC 3339 in UTC, in seconds.
fn is_moment(text: &str) -> bool {
    let shape = "0000-00-00T00:00:00Z";
    text.len() == shape.len()
        && text.chars().zip(shape.chars()).all(|(c, s)| if s == '0' { c.is_ascii_digit() } else { c == s })
}

/// The number that GitHub makes a severity of: over 9.0 critical, from 7.0 high, from 4.0 medium.
const fn security_severity(verdict: &Verdict) -> &'static str {
    match verdict.severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_no_placeholder_and_no_link() {
        assert_eq!(message("{0} [a](http://x)"), "{{0}} \\[a\\](http://x)");
    }

    #[test]
    fn only_moments_are_moments() {
        assert!(is_moment("2026-11-21T09:30:00Z"));
        assert!(!is_moment("2026-11-21 09:30:00Z") && !is_moment("yesterday") && !is_moment(""));
    }
}
