//! `ringfence report`: renders a journal into files. The gate is `run` or `judge`.

use ringfence_model::Exit;

use crate::args::ReportArgs;
use crate::commands::judge;
use crate::outputs;
use crate::problem::Problem;

/// Runs the command.
pub fn report(args: &ReportArgs) -> Result<Exit, Problem> {
    if args.gate.output.is_empty() {
        return Err(Problem::usage("name at least one file to write: -o html=report.html"));
    }
    let read = judge::read(&args.journal, &args.gate)?;
    outputs::write_report(|also| read.judged(&args.gate, also), &args.gate)
}
