//! How the run was done, by whose leave, and how much of the target it saw.

use ringfence_model::report::{AuthorizationView, Report, ScopeView};
use serde::Serialize;
use serde_json::Value;

use super::view::{anchor, moment};
use crate::escape::{self, prose};
use crate::facts::{self, Row};
use crate::tally;

/// Addresses of one kind that are listed (house).
const ADDRESSES_MAX: usize = 24;

/// Part 4.
#[derive(Serialize)]
pub struct MethodView {
    scope: Vec<Row>,
    endpoints: Vec<Row>,
    run: Vec<Row>,
    places: Vec<PlaceView>,
    sampled: Vec<Row>,
    oracles: Vec<OracleView>,
    integrity: Vec<Row>,
    /// What was seen on the product, and what was proved on the lab, in a sentence.
    basis: String,
    lab: bool,
    unproved: Vec<String>,
    declared: Vec<Row>,
    declared_left_out: usize,
}

#[derive(Serialize)]
struct PlaceView {
    hosts: String,
    networks: String,
    owner: String,
}

/// Scenarios whose media verdicts rest on one oracle.
#[derive(Serialize)]
struct OracleView {
    name: String,
    meaning: &'static str,
    scenarios: Vec<(String, String)>,
}

/// The view of a report's method.
pub fn method(report: &Report) -> MethodView {
    let (declared, declared_left_out) = report.run.target.as_object().map(facts::rows).unwrap_or_default();
    MethodView {
        scope: scope(report),
        endpoints: endpoints(&report.run.target),
        run: run(report),
        places: report.method.scope.iter().map(place).collect(),
        sampled: sampled(report),
        oracles: oracles(report),
        integrity: integrity(report),
        basis: prose(&report.basis.sentence),
        lab: report.basis.lab,
        unproved: report.basis.unproved.iter().map(|id| prose(id)).collect(),
        declared,
        declared_left_out,
    }
}

fn rows<const N: usize>(rows: [(&str, Option<String>); N]) -> Vec<Row> {
    rows.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value))).collect()
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| prose(text))
}

fn scope(report: &Report) -> Vec<Row> {
    let target = &report.run.target;
    let field = |name: &str| target.get(name).filter(|value| !value.is_null()).map(facts::shown);
    let method = &report.method;
    let allowed = method.authorization.as_ref().map(authorization);
    let none = "none: every address is on this machine";
    rows([
        ("Deployment", Some(tally::target_name(report))),
        ("Adapter", field("adapter")),
        ("Policy", Some(format!("{}: {}", prose(&report.run.policy), prose(&report.run.policy_title)))),
        ("Gate", Some(format!("closes at {} and above", report.gate.fail_on.word()))),
        ("Authorization", allowed.or_else(|| field("authorization")).or_else(|| Some(none.into()))),
        ("Pages that may use it", field("trusted_origins")),
        ("Destinations called", field("destinations")),
        (
            "Disruptive scenarios",
            Some(
                method.disruptive_rate.map_or_else(
                    || "not allowed".into(),
                    |rate| format!("allowed, at most {rate} requests per second"),
                ),
            ),
        ),
    ])
}

fn authorization(view: &AuthorizationView) -> String {
    format!("{} (contact {}; until {})", prose(&view.statement), prose(&view.contact), prose(&view.expires))
}

fn endpoints(target: &Value) -> Vec<Row> {
    let list = target.get("endpoints").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |entry: &Value, name: &str| entry.get(name).map(facts::shown).unwrap_or_default();
    list.iter().take(facts::ROWS_MAX).map(|entry| (text(entry, "name"), text(entry, "url"))).collect()
}

fn run(report: &Report) -> Vec<Row> {
    let (run, method) = (&report.run, &report.method);
    rows([
        ("Run", Some(prose(&run.id))),
        ("Profile", some(&method.profile)),
        ("Began", Some(moment(&run.started))),
        ("Took", Some(facts::duration(run.duration_ms))),
        ("Complete", Some(if run.complete { "yes" } else { "no" }.to_owned())),
        ("Steps, conversations", Some(format!("{}, {}", run.steps, run.conversations))),
        ("Tries of what does not pass", (method.tries > 0).then(|| method.tries.to_string())),
        ("Browser", method.browser.as_deref().map(prose)),
        ("Seed", some(&method.seed)),
        ("Processor time", run.cpu_ms.map(facts::duration)),
        ("Largest memory", run.peak_rss_kib.map(facts::memory)),
        ("ringfence", Some(prose(&run.version))),
        ("Command", Some(prose(&run.command))),
    ])
}

fn place(scope: &ScopeView) -> PlaceView {
    let list = |texts: &[String]| match texts {
        [] => "none".to_owned(),
        texts => texts.iter().map(|text| prose(text)).collect::<Vec<_>>().join(", "),
    };
    let owner = match &scope.vendor_permission {
        Some(permission) => format!("{}, permission {}", prose(&scope.owner), prose(permission)),
        None => prose(&scope.owner),
    };
    PlaceView { hosts: list(&scope.hosts), networks: list(&scope.networks), owner }
}

fn sampled(report: &Report) -> Vec<Row> {
    let sampled = &report.sampled;
    let list = |texts: &[String]| {
        let mut shown: Vec<_> = texts.iter().take(ADDRESSES_MAX).map(|text| escape::visible(text)).collect();
        let more = texts.len().saturating_sub(ADDRESSES_MAX);
        shown.extend((more > 0).then(|| format!("and {more} more in the embedded JSON")));
        (!shown.is_empty()).then(|| shown.join(", "))
    };
    rows([
        ("Calls placed", Some(sampled.calls.to_string())),
        ("Calls answered", Some(sampled.answered.to_string())),
        ("Addresses dialled", Some(list(&sampled.addresses).unwrap_or_else(|| "none recorded".into()))),
        ("Addresses that sent media", Some(list(&sampled.media_nodes).unwrap_or_else(|| "none recorded".into()))),
        ("Refused as out of scope", Some(list(&sampled.refused).unwrap_or_else(|| "nothing".into()))),
    ])
}

fn oracles(report: &Report) -> Vec<OracleView> {
    let mut views: Vec<OracleView> = Vec::new();
    for used in &report.sampled.oracles {
        let name = prose(&used.oracle);
        let own = (prose(&used.scenario), anchor(&used.scenario));
        // A link is made only to what this page shows.
        let shown = report.results.iter().any(|result| result.verdict.scenario == used.scenario);
        let own = if shown { own } else { (own.0, String::new()) };
        match views.iter_mut().find(|view| view.name == name) {
            Some(view) => view.scenarios.push(own),
            None => views.push(OracleView { meaning: oracle(&used.oracle), name, scenarios: vec![own] }),
        }
    }
    views
}

fn oracle(name: &str) -> &'static str {
    match name {
        "echo" => "the far side sent our own marker back",
        "receiver-reports" => "the target's own RTCP receiver reports counted our packets",
        "callee" => "ringfence itself was the far end",
        "none" => "only what the target sends was seen",
        _ => "",
    }
}

fn integrity(report: &Report) -> Vec<Row> {
    let digests = &report.integrity;
    let head =
        some(&digests.journal_head).map(|head| format!("{head} ({})", tally::count(digests.journal_lines, "line")));
    rows([
        ("Journal, last of its chain", head),
        ("Journal file", some(&digests.journal)),
        ("Scenarios and words", some(&digests.scenarios)),
        ("Policy", some(&digests.policy)),
        ("Target file", some(&digests.target)),
    ])
}
