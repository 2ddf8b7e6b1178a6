//! From a journal to a report, on the terminal and in files.

use std::io::Write;
use std::path::{Path, PathBuf};

use ringfence_judge::{GateInput, Journal, Library, gate, judge, nothing_answered, report};
use ringfence_model::policy::Policy;
use ringfence_model::report::Report;
use ringfence_model::{Exit, verdict::Severity};
use ringfence_reports::{Format, Style, render, terminal, terminal_brief, write_atomically};

use crate::args::GateArgs;
use crate::library::Kept;
use crate::problem::Problem;
use crate::terminal::quoted;

/// Refuses outputs that would overwrite each other or one of the `taken` files, before anything is asked.
pub fn check(args: &GateArgs, taken: &[(&str, &Path)]) -> Result<(), Problem> {
    let mut paths: Vec<(&str, PathBuf)> = taken.iter().map(|(what, path)| (*what, place(path))).collect();
    for (format, path) in &args.output {
        let place = place(path);
        if let Some((what, _)) = paths.iter().find(|(_, taken)| *taken == place) {
            return Err(Problem::usage(format!("{}={}: {what} has that path", format.name(), path.display())));
        }
        paths.push(("another output", place));
    }
    Ok(())
}

/// Where a path leads, as far as that can be known of a file that need not exist.
pub fn place(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (absolute.parent().and_then(|folder| folder.canonicalize().ok()), absolute.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => absolute,
    }
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

/// Writes every file, then the terminal, and last where everything lies. Returns the exit: an output that could not be
/// written may change it.
pub fn deliver(report: &Report, args: &GateArgs, journal: &Path, quiet: bool, style: Style) -> Result<Exit, Problem> {
    let mut exits = vec![report.gate.exit];
    let written: Vec<_> =
        args.output.iter().map(|(format, path)| (format, path, write(*format, path, report))).collect();
    let text = if quiet { terminal_brief(report, style) } else { terminal(report, style) };
    if print(&text).is_err() {
        exits.push(Exit::Output);
    }
    complain!("  evidence    {}", journal.display());
    for (format, path, outcome) in written {
        match outcome {
            Ok(()) => complain!("  {:<11} {}", format.name(), path.display()),
            Err(problem) => {
                complain!("ringfence: {}={}: not written: {}", format.name(), path.display(), problem.message);
                exits.push(problem.exit);
            }
        }
    }
    if args.output.is_empty() && !quiet {
        let journal = quoted(&journal.display().to_string());
        complain!("  as a page   ringfence judge {journal} -o html=report.html");
    }
    let exit = Exit::worst(exits);
    if exit != report.gate.exit {
        complain!("ringfence: exit code {}: {}", exit.code(), exit.meaning());
    }
    Ok(exit)
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
