//! Evidence as all renderers draw it: the values that decided a finding, and observations as rows.

use std::collections::HashSet;

use ringfence_model::report::{ScenarioResult, StepEvidence};
use ringfence_model::verdict::Finding;
use serde_json::{Map, Value};

use crate::escape;

/// Rows that one table of evidence shows; the rest stands in the JSON.
pub const ROWS_MAX: usize = 200;
/// Decisive values that one finding shows.
const DECISIVE_MAX: usize = 16;
/// Characters of one value in a list of decisive values.
const VALUE_CHARS: usize = 160;

/// The words of CEL that bind a name to each item of a list in turn.
const OVER_ITEMS: [&str; 5] = ["exists", "exists_one", "all", "filter", "map"];

/// Fields that say how a step went, whatever its probe. Those that an observation has are shown, in this order.
const TELLING: [&str; 18] = [
    "outcome",
    "error",
    "status",
    "statuses",
    "answered",
    "accepted",
    "allocated",
    "error_code",
    "cache_control",
    "allowed",
    "leaks",
    "control_before",
    "control_after",
    "attack_echoed",
    "dtls.completed",
    "srtp.profile",
    "media.authenticated",
    "media.echoed",
];

/// A field of an observation and its value, both safe to show on one line.
pub type Row = (String, String);

/// The values that a finding's condition reads, found by the names in it; of a step that it passes on whole, what says
/// how the step went.
pub fn decisive(result: &ScenarioResult, finding: &Finding) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let names = paths(&finding.expected);
    let items = item_fields(&names);
    for path in &names {
        let mut parts = path.split('.');
        let first = parts.next().unwrap_or_default();
        let name = if first == "it" { finding.step.as_deref().unwrap_or(first) } else { first };
        let Some(step) = result.evidence.iter().find(|step| step.step == name) else { continue };
        // The longest beginning of the path that the observation has: what follows is a method.
        let mut found: Option<(String, &Value)> = None;
        let mut missing = None;
        for part in parts {
            let map = found.as_ref().map_or(Some(&step.observation), |(_, value)| value.as_object());
            let Some(map) = map else { break };
            let path = format!("{}.{part}", found.as_ref().map_or(name, |(path, _)| path));
            let Some(value) = map.get(part) else {
                missing = Some(path);
                break;
            };
            found = Some((path, value));
        }
        match (found, missing) {
            (_, Some(path)) => rows.push((escape::visible(&path), "not seen".into())),
            (Some((path, Value::Array(list))), _) if list.iter().any(Value::is_object) => {
                rows.extend(list.iter().enumerate().map(|(i, value)| (format!("{path}[{i}]"), item(value, &items))));
            }
            (Some((path, value)), _) if !value.is_object() => flatten(&path, value, &mut rows),
            _ => rows.extend(telling(step).into_iter().map(|(field, value)| (format!("{name}.{field}"), value))),
        }
    }
    let mut seen = HashSet::new();
    rows.retain(|(field, _)| seen.insert(field.clone()));
    rows.truncate(DECISIVE_MAX);
    rows.iter_mut().for_each(|(_, value)| *value = escape::shortened(value, VALUE_CHARS));
    rows
}

/// What a condition reads of the items of lists: `x.y` of `list.exists(x, x.y)`, without the variable.
fn item_fields(paths: &[String]) -> Vec<&str> {
    let over = |path: &String| path.rsplit_once('.').is_some_and(|(_, last)| OVER_ITEMS.contains(&last));
    let variables: HashSet<&str> =
        paths.iter().zip(paths.iter().skip(1)).filter(|(path, _)| over(path)).map(|(_, next)| next.as_str()).collect();
    let field = |path: &'_ String| path.split_once('.').is_some_and(|(first, _)| variables.contains(first));
    paths.iter().filter(|path| field(path)).filter_map(|path| Some(path.split_once('.')?.1)).collect()
}

/// An item of a list on one line: its own plain values, and of what lies deeper those that are read.
fn item(value: &Value, read: &[&str]) -> String {
    let Some(map) = value.as_object() else { return shown(value) };
    let own = map.iter().filter(|(_, value)| !value.is_object() && !value.is_array());
    let mut said: Vec<String> =
        own.map(|(name, value)| format!("{} {}", escape::visible(name), shown(value))).collect();
    for path in read.iter().filter(|path| path.contains('.')) {
        let at = |path: &str| path.split('.').try_fold(value, |value, part| value.get(part));
        let text = match at(path) {
            Some(found) if found.is_object() => continue,
            Some(found) => shown(found),
            // What follows a plain value is a method.
            None if path.rsplit_once('.').and_then(|(before, _)| at(before)).is_some_and(|v| !v.is_object()) => {
                continue;
            }
            None => "not seen".into(),
        };
        let text = format!("{} {text}", escape::visible(path));
        if !said.contains(&text) {
            said.push(text);
        }
    }
    if said.is_empty() { escape::visible(&value.to_string()) } else { said.join(", ") }
}

/// What says how a step went.
pub fn telling(step: &StepEvidence) -> Vec<Row> {
    let field = |path: &str| {
        let mut parts = path.split('.');
        let first = step.observation.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    };
    TELLING
        .iter()
        .filter_map(|path| field(path).map(|value| (path, value)))
        .filter(|(_, value)| value.as_array().is_none_or(|list| !list.is_empty()))
        .map(|(path, value)| ((*path).to_owned(), escape::shortened(&shown(value), VALUE_CHARS)))
        .collect()
}

/// A map as rows, nested names joined by dots, lists of plain values on one row. At most [`ROWS_MAX`], and how many are
/// left out.
pub fn rows(map: &Map<String, Value>) -> (Vec<Row>, usize) {
    let mut rows = Vec::new();
    for (name, value) in map {
        flatten(name, value, &mut rows);
    }
    let left_out = rows.len().saturating_sub(ROWS_MAX);
    rows.truncate(ROWS_MAX);
    (rows, left_out)
}

fn flatten(path: &str, value: &Value, rows: &mut Vec<Row>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            map.iter().for_each(|(name, value)| flatten(&format!("{path}.{name}"), value, rows));
        }
        Value::Array(list) if list.iter().any(|item| item.is_object() || item.is_array()) => {
            list.iter().enumerate().for_each(|(i, value)| flatten(&format!("{path}[{i}]"), value, rows));
        }
        _ => rows.push((escape::visible(path), shown(value))),
    }
}

/// A value on one line: text as it is, lists of plain values with commas, of maps with semicolons, the rest as JSON.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => escape::visible(text),
        Value::Array(list) if list.is_empty() => "none".into(),
        Value::Array(list) if !list.iter().any(|item| item.is_object() || item.is_array()) => {
            list.iter().map(shown).collect::<Vec<_>>().join(", ")
        }
        Value::Array(list) if list.iter().all(Value::is_object) => {
            list.iter().map(|value| item(value, &[])).collect::<Vec<_>>().join("; ")
        }
        value => escape::visible(&value.to_string()),
    }
}

/// Milliseconds in the unit that a person would use.
pub fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..120_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// KiB in the unit that a person would use.
pub fn memory(kib: u64) -> String {
    format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024)
}

/// The dotted names in a CEL text, outside its string literals.
fn paths(cel: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut path = String::new();
    let mut quote = None;
    let mut after_backslash = false;
    for c in cel.chars().chain([' ']) {
        if let Some(open) = quote {
            if !after_backslash && c == open {
                quote = None;
            }
            after_backslash = c == '\\' && !after_backslash;
            continue;
        }
        if c.is_alphanumeric() || c == '_' || c == '.' {
            path.push(c);
            continue;
        }
        if path.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            paths.push(path.clone());
        }
        path.clear();
        if matches!(c, '\'' | '"') {
            quote = Some(c);
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_found_outside_literals() {
        assert_eq!(paths("c.dtls.role == 'a.b' && refused(b) || x[0].y"), ["c.dtls.role", "refused", "b", "x"]);
        assert_eq!(paths(r#"a == "q\"c.d" && e.f >= 3.5"#), ["a", "e.f"]);
    }

    #[test]
    fn of_an_item_the_fields_that_are_read_are_shown() {
        let names = paths("!it.answers.exists(x, has(x.actual.origin) && x.actual.origin == x.origin)");
        let read = item_fields(&names);
        assert_eq!(read, ["actual.origin", "actual.origin", "origin"]);
        let value = json!({ "variant": "evil", "actual": { "origin": "o\u{1b}", "age": 5 }, "list": [1] });
        assert_eq!(item(&value, &read), "variant evil, actual.origin o\\u{1b}");
        assert_eq!(item(&value, &["actual.none", "variant.contains"]), "variant evil, actual.none not seen");
        assert_eq!(
            shown(&json!([{ "kind": "password", "where": "body" }, { "kind": "key" }])),
            "kind password, where body; kind key"
        );
    }

    #[test]
    fn nested_evidence_becomes_rows() {
        let value = json!({ "a": { "b": 1, "c": [] }, "d": [{ "e": "x\u{1b}" }], "f": ["p", "q"] });
        let (rows, left_out) = rows(value.as_object().unwrap());
        let rows: Vec<_> = rows.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(rows, ["a.b=1", "a.c=none", "d[0].e=x\\u{1b}", "f=p, q"]);
        assert_eq!(left_out, 0);
    }
}
