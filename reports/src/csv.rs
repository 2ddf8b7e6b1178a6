//! CSV for spreadsheets (RFC 4180): one row per scenario, every cell quoted, and no cell that a spreadsheet would run.

use ringfence_model::report::{Report, ScenarioResult, Standing};
use ringfence_model::verdict::{Confidence, Intrusion, Level};

use crate::{RenderError, escape, sorted, tally};

/// Beginnings that make a cell a formula, among them the full-width ones that East Asian settings read as such.
const FORMULA: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '|'];

/// A column: its name, and its cell of a result.
type Column = (&'static str, fn(&Report, &ScenarioResult) -> String);

/// The first says whose file this is, for who would overwrite it.
const COLUMNS: &[Column] = &[
    ("ringfence.report", |report, _| report.format.rsplit('/').next().unwrap_or_default().to_owned()),
    ("run", |report, _| report.run.id.clone()),
    ("started", |report, _| report.run.started.clone()),
    ("target", |report, _| tally::target_name(report)),
    ("scenario", |_, result| result.verdict.scenario.clone()),
    ("title", |_, result| result.title.clone()),
    ("state", |_, result| sorted::state(&result.verdict).to_owned()),
    ("severity", |_, result| result.verdict.severity.word().to_owned()),
    ("level", |_, result| level(result.verdict.level).to_owned()),
    ("required", |_, result| if result.verdict.required() { "yes" } else { "no" }.to_owned()),
    ("confidence", |_, result| if result.verdict.confidence == Confidence::Low { "low" } else { "high" }.to_owned()),
    ("tries", |_, result| result.verdict.tries.to_string()),
    ("intrusion", |_, result| intrusion(result.intrusion).to_owned()),
    ("seen", |_, result| joined(result.verdict.findings.iter().map(|finding| escape::line(&finding.message)))),
    ("expected", |_, result| joined(result.verdict.findings.iter().map(|finding| finding.expected.clone()))),
    ("standing", |_, result| joined(result.verdict.findings.iter().filter_map(|f| f.standing).map(standing))),
    ("waived", |report, result| {
        joined(result.verdict.findings.iter().filter_map(|finding| tally::waived(report, result, finding)))
    }),
    ("reason", |_, result| joined(result.verdict.reasons.iter().map(escape::line))),
    ("to enable", |_, result| result.verdict.to_enable.clone().unwrap_or_default()),
    ("notes", |_, result| joined(result.verdict.notes.iter().map(escape::line))),
    ("remedy", |_, result| result.manual.remedy.clone()),
    ("claims", |_, result| joined(result.claims.iter().cloned())),
    ("controls", |_, result| joined(result.controls.iter().cloned())),
    ("fingerprint", |_, result| joined(result.verdict.findings.iter().map(|finding| finding.fingerprint.clone()))),
    ("reproduce", |_, result| result.reproduce.clone()),
    ("elapsed_ms", |_, result| result.elapsed_ms.to_string()),
];

/// The report as a table.
pub fn render(report: &Report) -> Result<String, RenderError> {
    let mut out = row(COLUMNS.iter().map(|(name, _)| (*name).to_owned()));
    let mut results: Vec<_> = report.results.iter().collect();
    results.sort_by_key(|result| &result.verdict.scenario);
    for result in results {
        out += &row(COLUMNS.iter().map(|(_, cell)| cell(report, result)));
    }
    Ok(out)
}

fn row(cells: impl Iterator<Item = String>) -> String {
    cells.map(|text| cell(&text)).collect::<Vec<_>>().join(",") + "\r\n"
}

/// A quoted cell on one line. A blank before a formula does not keep every spreadsheet from running it.
fn cell(text: &str) -> String {
    let text = escape::prose(text);
    let guard = if text.starts_with(FORMULA) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

fn joined(texts: impl Iterator<Item = impl Into<String>>) -> String {
    texts.map(Into::into).collect::<Vec<String>>().join("; ")
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::New => "new",
        Standing::Reopened => "reopened",
        Standing::Unchanged => "unchanged",
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Must => "must",
        Level::Should => "should",
        Level::Info => "info",
    }
}

fn intrusion(intrusion: Intrusion) -> &'static str {
    match intrusion {
        Intrusion::Passive => "passive",
        Intrusion::Active => "active",
        Intrusion::Disruptive => "disruptive",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_becomes_text_and_quotes_are_doubled() {
        for start in ["=", "+", "-", "@", " =", "\t=", "\r\n-", "＝", "\u{a0}+"] {
            let cell = cell(&format!("{start}cmd|' /C calc'!A0"));
            assert!(cell.starts_with("\"'"), "{start:?}: {cell}");
        }
        assert_eq!(cell("a \"b\", c\nd"), "\"a \"\"b\"\", c d\"");
        assert_eq!(cell("\u{1b}[0m"), "\"\\u{1b}[0m\"");
        assert_eq!(cell("\u{0}=1"), "\"\\u{0}=1\"", "spelt out, so no longer at the start");
    }
}
