//! `ringfence judge`: judges a journal again; the target is asked nothing.

use ringfence_judge::{JudgeError, journal};
use ringfence_model::Exit;
use ringfence_reports::Style;

use crate::against::Against;
use crate::args::JudgeArgs;
use crate::problem::Problem;
use crate::{library, outputs};

/// Runs the command.
pub fn judge(args: &JudgeArgs, style: Style) -> Result<Exit, Problem> {
    outputs::check(&args.gate, &[("the journal", &args.journal)])?;
    let wrong = |error: &dyn std::fmt::Display| Problem::usage(format!("{}: {error}", args.journal.display()));
    let bytes = std::fs::read(&args.journal).map_err(|error| wrong(&error))?;
    let journal = journal::read(&bytes).map_err(|error| {
        wrong(&match error {
            JudgeError::Chain { .. } => format!("{error}; this is not what the run wrote"),
            _ => format!("no journal of `ringfence run`: {error}"),
        })
    })?;
    if journal.torn {
        complain!("{}: the last line broke off; judging what is whole", args.journal.display());
    }
    let library = library::of_journal(&journal.header)?;
    let policy = args.gate.policy.as_deref().map(library::policy).transpose()?;
    let target = journal.header.target["name"].as_str().unwrap_or_default();
    let against = Against::read(&args.gate.against, target, &journal.header.started)?;
    let judged =
        |also: &[Exit]| outputs::judged(&journal, &library, policy.as_ref(), args.gate.fail_on, &against, also);
    outputs::deliver(judged, &args.gate, &args.journal, args.quiet, style)
}
