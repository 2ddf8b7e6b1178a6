//! Claims and clauses as matrices: what the run says about each, and by which scenarios.

use std::collections::HashMap;

use ringfence_model::report::{MatrixRow, Met, Report};
use serde::Serialize;

use super::view::anchor;
use crate::escape::prose;
use crate::sorted::Look;
use crate::tally;

/// States of a matrix, the worst first.
const STATES: [Met; 5] = [Met::NotMet, Met::Partly, Met::Met, Met::NotTested, Met::NotTestable];

/// One table: the claims of a vendor, or the clauses of a standard.
#[derive(Serialize)]
pub struct TableView {
    name: String,
    /// Name for anchors, unlike any other's.
    slug: String,
    kind: &'static str,
    /// How many there are.
    count: String,
    totals: Vec<usize>,
    rows: Vec<RowView>,
}

#[derive(Serialize)]
struct RowView {
    id: String,
    /// How binding it is, by its own words.
    strength: String,
    meaning: String,
    /// What may be concluded, and what not.
    why: String,
    class: &'static str,
    mark: &'static str,
    word: &'static str,
    scenarios: Vec<ScenarioView>,
    /// Scenarios that bear on it and were no part of the run.
    not_asked: Vec<String>,
}

#[derive(Serialize)]
struct ScenarioView {
    id: String,
    anchor: String,
    class: &'static str,
    mark: &'static str,
    word: &'static str,
}

/// A heading of the overview.
#[derive(Serialize)]
pub struct StateView {
    class: &'static str,
    mark: &'static str,
    word: &'static str,
}

/// The states, as columns of the overview.
pub fn states() -> Vec<StateView> {
    STATES.iter().map(|met| look(*met)).collect()
}

/// All tables: claims first, then clauses, each by vendor or standard in the order of their ids.
pub fn tables(report: &Report) -> Vec<TableView> {
    let looks: HashMap<&str, Look> =
        report.results.iter().map(|r| (r.verdict.scenario.as_str(), Look::of(&r.verdict))).collect();
    let claims: HashMap<&str, _> = report.claims.iter().map(|claim| (claim.id.as_str(), claim)).collect();
    let controls: HashMap<&str, _> = report.controls.iter().map(|control| (control.id.as_str(), control)).collect();
    let claim = |row: &MatrixRow| match claims.get(row.id.as_str()) {
        Some(claim) => (prose(&claim.kind), prose(&claim.statement)),
        None => Default::default(),
    };
    let control = |row: &MatrixRow| match controls.get(row.id.as_str()) {
        Some(control) => (prose(&control.strength), prose(&control.meaning)),
        None => Default::default(),
    };
    let mut tables = grouped("claims", &report.claim_matrix, &looks, claim);
    tables.extend(grouped("clauses", &report.control_matrix, &looks, control));
    tables
}

fn grouped(
    kind: &'static str,
    rows: &[MatrixRow],
    looks: &HashMap<&str, Look>,
    text: impl Fn(&MatrixRow) -> (String, String),
) -> Vec<TableView> {
    let mut tables: Vec<TableView> = Vec::new();
    for row in rows {
        let name = source(&row.id);
        let at = tables.iter().position(|table| table.name == name).unwrap_or_else(|| {
            let slug = format!("{kind}-{}", tables.len() + 1);
            tables.push(TableView {
                name,
                slug,
                kind,
                count: String::new(),
                totals: vec![0; STATES.len()],
                rows: Vec::new(),
            });
            tables.len() - 1
        });
        let Some(table) = tables.get_mut(at) else { continue };
        if let Some(total) = STATES.iter().position(|met| *met == row.met).and_then(|i| table.totals.get_mut(i)) {
            *total += 1;
        }
        let (strength, meaning) = text(row);
        let StateView { class, mark, word } = look(row.met);
        table.rows.push(RowView {
            id: prose(&row.id),
            strength,
            meaning,
            why: prose(&row.why),
            class,
            mark,
            word,
            scenarios: row.scenarios.iter().map(|id| scenario(id, looks.get(id.as_str()))).collect(),
            not_asked: row.not_asked.iter().map(|id| prose(id)).collect(),
        });
    }
    for table in &mut tables {
        table.count = tally::count(table.rows.len() as u64, kind.trim_end_matches('s'));
    }
    tables
}

/// Who says it: of a standard's clause its standard, and all RFCs together.
fn source(id: &str) -> String {
    let source = id.split('/').next().unwrap_or_default();
    let number = source.strip_prefix("rfc").is_some_and(|number| number.parse::<u16>().is_ok());
    if number { "RFCs of the IETF".into() } else { prose(source) }
}

fn scenario(id: &str, look: Option<&Look>) -> ScenarioView {
    match look {
        Some(look) => {
            ScenarioView { id: prose(id), anchor: anchor(id), class: look.class, mark: look.mark, word: look.word }
        }
        // Not of this run: no link that would lead nowhere.
        None => {
            ScenarioView { id: prose(id), anchor: String::new(), class: "left", mark: "○", word: "not in this run" }
        }
    }
}

const fn look(met: Met) -> StateView {
    let (class, mark, word) = match met {
        Met::NotMet => ("critical", "✗", "not met"),
        Met::Partly => ("medium", "◐", "partly"),
        Met::Met => ("pass", "✓", "met"),
        Met::NotTested => ("open", "?", "not tested"),
        Met::NotTestable => ("left", "–", "not testable from outside"),
    };
    StateView { class, mark, word }
}
