//! `ringfence baseline`: keeps the findings that are known of a target, in a file to review.

use std::path::Path;

use ringfence_judge::Baseline;
use ringfence_model::Exit;
use ringfence_reports::write_atomically;

use crate::args::{BaselineAction, BaselineArgs, BaselinePrune, BaselineRun};
use crate::problem::Problem;
use crate::{against, library, recorded};

/// Runs the command.
pub fn baseline(args: &BaselineArgs) -> Result<Exit, Problem> {
    match &args.action {
        BaselineAction::Create(args) => create(args),
        BaselineAction::Update(args) => update(args),
        BaselineAction::Prune(args) => prune(args),
    }
}

fn create(args: &BaselineRun) -> Result<Exit, Problem> {
    if std::fs::symlink_metadata(&args.baseline).is_ok() {
        let path = args.baseline.display();
        return Err(Problem::output(format!("{path}: is there already; `ringfence baseline update` takes a run in")));
    }
    let report = recorded::read(&args.run, args.waivers.as_ref())?;
    write(&args.baseline, &Baseline::of(&report))
}

fn update(args: &BaselineRun) -> Result<Exit, Problem> {
    let report = recorded::read(&args.run, args.waivers.as_ref())?;
    let mut baseline = against::baseline(&args.baseline, Some(against::target(&report)))?;
    baseline.update(&report);
    write(&args.baseline, &baseline)
}

fn prune(args: &BaselinePrune) -> Result<Exit, Problem> {
    let mut baseline = against::baseline(&args.baseline, None)?;
    let possible = library::load(&args.library.scenarios)?.fingerprints(baseline.target());
    let (fixed, gone) = baseline.prune(&possible);
    complain!("dropped {fixed} that were fixed, and {gone} that no scenario can find any more");
    write(&args.baseline, &baseline)
}

fn write(path: &Path, baseline: &Baseline) -> Result<Exit, Problem> {
    write_atomically(path, &baseline.text(), true).map_err(Problem::output)?;
    let (open, fixed) = baseline.count();
    complain!("{}: {open} open, {fixed} fixed, of {}", path.display(), baseline.target());
    Ok(Exit::Clean)
}
