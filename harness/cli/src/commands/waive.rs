//! `ringfence waive`: prints the lines that waive the findings of a run. Reason, owner and day are left to those who answer
//! for them: as printed, the file is refused.

use std::fmt::Write;

use ringfence_model::untrusted::inert_json;
use ringfence_model::verdict::State;
use ringfence_model::{Exit, Untrusted};

use crate::args::WaiveArgs;
use crate::problem::Problem;
use crate::{against, outputs, recorded};

/// Runs the command.
pub fn waive(args: &WaiveArgs) -> Result<Exit, Problem> {
    let report = recorded::read(&args.run, None)?;
    let target = quoted(against::target(&report))?;
    let mut text = String::new();
    let wanted = |id: &String| args.only.is_empty() || args.only.contains(id);
    let failed = report.results.iter().filter(|result| result.verdict.state == State::Fail);
    for result in failed.filter(|result| wanted(&result.verdict.scenario)) {
        for finding in result.verdict.findings.iter().filter(|finding| finding.waived.is_none()) {
            // A report is a file like any other: its texts must neither end the comment nor a string.
            let title = Untrusted::from(result.title.as_str()).visible();
            let step = finding.step.as_deref().map(|step| format!(", step {}", Untrusted::from(step).visible()));
            let (scenario, fingerprint) = (quoted(&result.verdict.scenario)?, quoted(&finding.fingerprint)?);
            let _ = write!(
                text,
                "# {}: {title}{}\n[[waiver]]\nscenario = {scenario}\ntarget = {target}\nfingerprint = {fingerprint}\n\
                 reason = \"\"\nowner = \"\"\nexpires = # a day, as in 2027-01-31; a year after the run at most\n\n",
                finding.severity.word(),
                step.unwrap_or_default(),
            );
        }
    }
    if text.is_empty() {
        complain!("{}: no finding that is not waived", args.run.display());
    }
    outputs::print(&text)?;
    Ok(Exit::Clean)
}

/// A text as TOML quotes it. JSON's form is one of TOML's, on one line, and here nothing in it acts on a terminal.
fn quoted(text: &str) -> Result<String, Problem> {
    Ok(inert_json(&serde_json::to_string(text).map_err(Problem::internal)?))
}
