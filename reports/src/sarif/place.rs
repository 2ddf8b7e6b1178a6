//! Where a result lies: in the target file, on the line that declares what was asked.

use std::collections::BTreeMap;

use ringfence_model::report::{Report, ScenarioResult};
use serde_json::{Value, json};

use crate::areas::{self, STAGES};
use crate::escape;

/// Endpoints that a result names (house).
const ENDPOINTS_MAX: usize = 8;
/// Fields of observations and parameters that hold an endpoint.
const ADDRESSES: [&str; 5] = ["url", "ws_uri", "uri", "address", "server"];
/// Names in the target file that declare what a stage is about, the nearest first. In the order of [`STAGES`].
const DECLARED: [&[&str]; STAGES.len()] = [
    &["endpoints.config", "endpoints.api", "endpoints"],
    &["sip.ws_uri", "sip", "endpoints.config", "endpoints"],
    &["destinations.call", "endpoints.config", "endpoints"],
    &["destinations.call", "endpoints.config", "endpoints"],
    &["turn", "sip.ice_servers", "endpoints.config", "endpoints"],
    &["endpoints.recording", "endpoints.archive", "endpoints"],
    &["endpoints"],
];

/// The location of a result: a path in the repository, and the stage of a call's path as the logical one.
pub fn location(report: &Report, result: &ScenarioResult) -> Value {
    let line = line(report, &result.verdict.scenario);
    let logical: Vec<Value> = endpoints(result)
        .into_iter()
        .map(|endpoint| json!({ "fullyQualifiedName": endpoint, "kind": "resource" }))
        .collect();
    let stage = STAGES.get(areas::stage(&result.verdict.scenario)).map_or("", |stage| stage.name);
    let logical = [vec![json!({ "name": stage, "kind": "module" })], logical].concat();
    json!({
        "physicalLocation": {
            "artifactLocation": { "uri": target_file(report), "uriBaseId": "%SRCROOT%" },
            "region": { "startLine": line, "startColumn": 1, "endLine": line, "endColumn": 2 },
        },
        "logicalLocations": logical,
    })
}

/// Addresses that the evidence of a result names.
pub fn endpoints(result: &ScenarioResult) -> Vec<String> {
    let mut found = Vec::new();
    for step in &result.evidence {
        for (name, value) in step.with.iter().chain(&step.observation) {
            gather(name, value, &mut found);
        }
    }
    found.truncate(ENDPOINTS_MAX);
    found
}

fn gather(name: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if ADDRESSES.contains(&name) && text.contains(':') => {
            let text = escape::shortened(&escape::visible(text), 300);
            if !found.contains(&text) {
                found.push(text);
            }
        }
        Value::Object(map) => map.iter().for_each(|(name, value)| gather(name, value, found)),
        Value::Array(list) => list.iter().for_each(|value| gather(name, value, found)),
        _ => {}
    }
}

fn line(report: &Report, scenario: &str) -> u32 {
    let nothing = BTreeMap::new();
    let lines = report.method.target_file.as_ref().map_or(&nothing, |file| &file.lines);
    let page: &[&str] = if areas::area(scenario) == "page" { &["endpoints.page"] } else { &[] };
    let names = DECLARED.get(areas::stage(scenario)).copied().unwrap_or_default();
    page.iter().chain(names).find_map(|name| lines.get(*name)).copied().unwrap_or(1).max(1)
}

/// The target file's path in the repository: what the command named, where that lies below the folder it ran in.
fn target_file(report: &Report) -> String {
    let named = report.method.target_file.as_ref().map(|file| file.path.as_str());
    let path = named.or_else(|| option(&report.run.command)).unwrap_or("target.toml");
    let parts: Vec<&str> = path.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").collect();
    let inside = !path.starts_with(['/', '\\']) && !parts.contains(&"..") && !path.contains(':');
    let parts = if inside { parts } else { parts.into_iter().next_back().into_iter().collect() };
    let path: Vec<String> = parts.into_iter().map(encoded).filter(|part| part != "..").collect();
    if path.is_empty() { "target.toml".into() } else { path.join("/") }
}

/// What a command says behind `--target`.
fn option(command: &str) -> Option<&str> {
    let mut words = command.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "--target" | "-t" => return words.next(),
            word => {
                if let Some(path) = word.strip_prefix("--target=") {
                    return Some(path);
                }
            }
        }
    }
    None
}

/// A part of a path in a URI (RFC 3986, section 3.3): letters, digits and what needs no escape.
fn encoded(part: &str) -> String {
    let mut out = String::new();
    for byte in part.bytes().take(300) {
        match byte {
            b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => out.push(byte.into()),
            byte => out += &format!("%{byte:02X}"),
        }
    }
    out
}
