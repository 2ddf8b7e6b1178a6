//! A scenario as a rule: what GitHub shows beside an alert.

use ringfence_model::report::ScenarioResult;
use ringfence_model::verdict::{Confidence, Level, Severity, Verdict};
use serde_json::{Map, Value, json};

use super::{message, security_severity};
use crate::escape::markdown;
use crate::{areas, escape};

/// Characters of an id.
const ID_CHARS: usize = 255;
/// Characters of a description.
const TEXT_CHARS: usize = 1000;
/// Tags of a rule.
const TAGS_MAX: usize = 20;

/// The rule of a result.
pub fn rule(result: &ScenarioResult) -> Value {
    let verdict = &result.verdict;
    let title = text(&[&result.title, &verdict.scenario]);
    json!({
        "id": id(&verdict.scenario),
        "shortDescription": { "text": title },
        "fullDescription": { "text": text(&[&result.manual.why, &result.title, &verdict.scenario]) },
        "help": help(result),
        "defaultConfiguration": { "level": level(verdict) },
        "properties": properties(result),
    })
}

/// An id as GitHub takes it.
fn id(scenario: &str) -> String {
    escape::prose(scenario).chars().take(ID_CHARS).collect()
}

/// The first of these texts that says something, as a message.
fn text(texts: &[&str]) -> String {
    let said = texts.iter().map(|text| escape::prose(text)).find(|text| !text.is_empty());
    let said = said.unwrap_or_else(|| "no description".into());
    // Escapes make a text longer, at worst twice as long; GitHub counts what stands in the file.
    let whole = message(&escape::shortened(&said, TEXT_CHARS));
    if whole.chars().count() <= TEXT_CHARS + 24 {
        whole
    } else {
        message(&escape::shortened(&said, TEXT_CHARS / 2 - 24))
    }
}

fn help(result: &ScenarioResult) -> Value {
    let manual = &result.manual;
    let parts = [
        ("Why it matters", &manual.why),
        ("How to fix it", &manual.remedy),
        ("How it is tested", &manual.how),
        ("What a pass does not say", &manual.limits),
    ];
    let parts = || {
        parts
            .iter()
            .map(|(name, text)| (name, escape::shortened(&escape::prose(text), TEXT_CHARS)))
            .filter(|(_, text)| !text.is_empty())
    };
    let plain: Vec<_> = parts().map(|(name, text)| format!("{name}: {text}")).collect();
    let again = escape::shortened(&escape::prose(&result.reproduce), TEXT_CHARS);
    let mut marked: Vec<_> = parts().map(|(name, text)| format!("**{name}.** {}", markdown::prose(&text))).collect();
    marked.push(format!("**Ask again.** {}", markdown::code(&again)));
    json!({
        "text": message(&[plain, vec![format!("Ask again: {again}")]].concat().join("\n\n")),
        "markdown": marked.join("\n\n"),
    })
}

fn properties(result: &ScenarioResult) -> Value {
    let verdict = &result.verdict;
    let own = ["security".to_owned(), escape::slug(areas::area(&verdict.scenario)), "click-to-call".to_owned()];
    let cited = result.controls.iter().chain(&result.claims).map(|id| escape::prose(id));
    let mut tags: Vec<String> = Vec::new();
    for tag in own.into_iter().chain(cited).filter(|tag| !tag.is_empty()) {
        if !tags.contains(&tag) && tags.len() < TAGS_MAX {
            tags.push(tag);
        }
    }
    let mut properties = Map::new();
    properties.insert("tags".into(), json!(tags));
    properties
        .insert("precision".into(), json!(if verdict.confidence == Confidence::Low { "medium" } else { "very-high" }));
    if verdict.level == Level::Info {
        properties.insert("problem.severity".into(), json!("recommendation"));
    } else {
        // A text of digits. What does not count for the gate has none: "0.0" would be refused.
        properties.insert("security-severity".into(), json!(security_severity(verdict)));
    }
    Value::Object(properties)
}

/// The level of a failure.
pub const fn level(verdict: &Verdict) -> &'static str {
    match (verdict.level, verdict.severity) {
        (Level::Info, _) | (_, Severity::Low) => "note",
        (_, Severity::Medium) => "warning",
        (_, Severity::High | Severity::Critical) => "error",
    }
}
