//! From a journal to a report, on the terminal and in files.

use std::io::Write;
use std::path::Path;

use ringfence_judge::{GateInput, Journal, Library, gate, judge, nothing_answered, report};
use ringfence_model::policy::Policy;
use ringfence_model::report::Report;
use ringfence_model::{Exit, verdict::Severity};
use ringfence_reports::{Format, Style, render, terminal, terminal_brief, write_atomically};

use crate::args::GateArgs;
use crate::library::Kept;
use crate::problem::Problem;

/// Refuses outputs that would overwrite each other, before anything is asked.
pub fn check(args: &GateArgs, taken: &[&Path]) -> Result<(), Problem> {
    let mut paths: Vec<&Path> = taken.to_vec();
    for (format, path) in &args.output {
        if paths.contains(&path.as_path()) {
            return Err(Problem::usage(format!("{}={}: another output has that path", format.name(), path.display())));
        }
        paths.push(path);
    }
    Ok(())
}

/// Judges a journal. `also` is what went wrong besides.
pub fn judged(
    journal: &Journal,
    library: &Library,
    policy: Option<&Policy>,
    fail_on: Severity,
    also: &[Exit],
) -> Result<Report, Problem> {
    let verdicts = judge(journal, library, policy);
    let nothing = nothing_answered(journal);
    let gate = gate(&verdicts, GateInput { end: journal.end.as_ref(), fail_on, nothing_answered: nothing, also });
    Ok(report(journal, &verdicts, gate, library, policy, Kept::standards()?.view()))
}

/// Writes every file, then the terminal. Returns the exit: an output that could not be written may change it.
pub fn deliver(report: &Report, args: &GateArgs, quiet: bool, style: Style) -> Result<Exit, Problem> {
    let mut exits = vec![report.gate.exit];
    for (format, path) in &args.output {
        match write(*format, path, report) {
            Ok(()) => complain!("wrote {}", path.display()),
            Err(problem) => {
                complain!("ringfence: {}", problem.message);
                exits.push(problem.exit);
            }
        }
    }
    let text = if quiet { terminal_brief(report, style) } else { terminal(report, style) };
    if print(&text).is_err() {
        exits.push(Exit::Output);
    }
    Ok(Exit::worst(exits))
}

fn write(format: Format, path: &Path, report: &Report) -> Result<(), Problem> {
    let text = render(format, report).map_err(Problem::internal)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| Problem::output(format!("{}: {error}", folder.display())))?;
    }
    write_atomically(path, &text, true).map_err(Problem::output)
}

/// Prints to stdout; a reader that has gone away (`| head`) is no error of ours, any other failure is.
pub fn print(text: &str) -> Result<(), Problem> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Problem::output),
    }
}
