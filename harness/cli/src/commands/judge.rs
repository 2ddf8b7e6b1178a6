//! `ringfence judge`: judges a journal again; the target is asked nothing.

use ringfence_judge::journal;
use ringfence_model::Exit;
use ringfence_reports::Style;

use crate::args::JudgeArgs;
use crate::problem::Problem;
use crate::{library, outputs};

/// Runs the command.
pub fn judge(args: &JudgeArgs, style: Style) -> Result<Exit, Problem> {
    outputs::check(&args.gate, &[("the journal", &args.journal)])?;
    let wrong = |error: &dyn std::fmt::Display| Problem::usage(format!("{}: {error}", args.journal.display()));
    let bytes = std::fs::read(&args.journal).map_err(|error| wrong(&error))?;
    let journal = journal::read(&bytes).map_err(|error| wrong(&format!("no journal of `ringfence run`: {error}")))?;
    if journal.torn {
        complain!("{}: the last line broke off; judging what is whole", args.journal.display());
    }
    let library = library::of_journal(&journal.header)?;
    let policy = args.gate.policy.as_deref().map(library::policy).transpose()?;
    let report = outputs::judged(&journal, &library, policy.as_ref(), args.gate.fail_on, &[])?;
    outputs::deliver(&report, &args.gate, &args.journal, args.quiet, style)
}
