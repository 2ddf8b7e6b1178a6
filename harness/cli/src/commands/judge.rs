//! `ringfence judge`: judges a journal again; the target is asked nothing.

use std::path::Path;

use ringfence_judge::{Journal, JudgeError, Library, journal};
use ringfence_model::Exit;
use ringfence_model::policy::Policy;
use ringfence_model::report::Report;
use ringfence_reports::Style;

use crate::against::Against;
use crate::args::{GateArgs, JudgeArgs};
use crate::problem::Problem;
use crate::{library, outputs};

/// Runs the command.
pub fn judge(args: &JudgeArgs, style: Style) -> Result<Exit, Problem> {
    let read = read(&args.journal, &args.gate)?;
    outputs::deliver(|also| read.judged(&args.gate, also), &args.gate, &args.journal, args.quiet, style)
}

/// A journal, and by what it is judged.
pub struct Read {
    journal: Journal,
    library: Library,
    policy: Option<Policy>,
    against: Against,
}

/// Reads a journal, and what it is to be judged by.
pub fn read(path: &Path, gate: &GateArgs) -> Result<Read, Problem> {
    outputs::check(gate, &[("the journal", path)])?;
    let wrong = |error: &dyn std::fmt::Display| Problem::usage(format!("{}: {error}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| wrong(&error))?;
    let journal = journal::read(&bytes).map_err(|error| {
        wrong(&match error {
            JudgeError::Chain { .. } => format!("{error}; this is not what the run wrote"),
            _ => format!("no journal of `ringfence run`: {error}"),
        })
    })?;
    if journal.torn {
        complain!("{}: the last line broke off; judging what is whole", path.display());
    }
    let library = library::of_journal(&journal.header)?;
    let policy = gate.policy.as_deref().map(library::policy).transpose()?;
    let target = journal.header.target["name"].as_str().unwrap_or_default();
    let against = Against::read(&gate.against, target, &journal.header.started)?;
    Ok(Read { journal, library, policy, against })
}

impl Read {
    /// The report. `also` is what went wrong besides.
    pub fn judged(&self, gate: &GateArgs, also: &[Exit]) -> Result<Report, Problem> {
        outputs::judged(&self.journal, &self.library, self.policy.as_ref(), gate.fail_on, &self.against, also)
    }
}
