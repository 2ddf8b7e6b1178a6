//! Waivers and baseline: what findings are held against before they close the gate. Whatever is wrong with one of these
//! files is exit 7, also that there is none of that name: the scenarios, and the target, are all right.

use std::path::Path;

use ringfence_judge::{Baseline, LoadError, Waivers};
use ringfence_model::Exit;
use ringfence_model::report::{Report, WaiverState, WaiverUse};

use crate::args::AgainstArgs;
use crate::problem::Problem;

/// The files, read.
#[derive(Debug, Default)]
pub struct Against {
    /// Findings that somebody answers for.
    pub waivers: Option<Waivers>,
    /// A waiver that is expired or unused is a problem.
    pub strict_waivers: bool,
    /// Findings that are known.
    pub baseline: Option<Baseline>,
    /// Only new and reopened findings close the gate.
    pub new_only: bool,
}

impl Against {
    /// Reads them for a run of the target of that name, which began at `started`.
    pub fn read(args: &AgainstArgs, target: &str, started: &str) -> Result<Self, Problem> {
        Ok(Self {
            waivers: args.waivers.as_deref().map(|path| waivers(path, started)).transpose()?,
            strict_waivers: args.strict_waivers,
            baseline: args.baseline.as_deref().map(|path| baseline(path, Some(target))).transpose()?,
            new_only: args.new_only,
        })
    }
}

/// Reads a file of waivers for a run that began at `started`.
pub fn waivers(path: &Path, started: &str) -> Result<Waivers, Problem> {
    Waivers::read(&path.display().to_string(), &text(path)?, started).map_err(refused)
}

/// Reads a baseline, of the target of that name where one is given.
pub fn baseline(path: &Path, target: Option<&str>) -> Result<Baseline, Problem> {
    Baseline::read(&path.display().to_string(), &text(path)?, target).map_err(refused)
}

/// Says on stderr which waivers ended, and which waive nothing, where no report says so.
pub fn tell(waivers: &[WaiverUse]) {
    for waiver in waivers {
        let WaiverUse { scenario, fingerprint, owner, expires, .. } = waiver;
        match waiver.state {
            WaiverState::Expired => complain!(
                "ringfence: waiver of {scenario}, {fingerprint}: ended on {expires}, the finding counts again; ask {owner}"
            ),
            WaiverState::Unused => {
                complain!(
                    "ringfence: waiver of {scenario}, {fingerprint}: waives nothing that this run found; remove it"
                )
            }
            WaiverState::Used | WaiverState::NotJudged => {}
        }
    }
}

/// The name of the target of a report.
pub fn target(report: &Report) -> &str {
    report.run.target["name"].as_str().unwrap_or_default()
}

fn text(path: &Path) -> Result<String, Problem> {
    let wrong = |error: std::io::Error| Problem { exit: Exit::Waiver, message: format!("{}: {error}", path.display()) };
    std::fs::read_to_string(path).map_err(wrong)
}

fn refused(errors: Vec<LoadError>) -> Problem {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Problem { exit: Exit::Waiver, message: lines.join("\n") }
}
