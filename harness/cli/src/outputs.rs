//! From a journal to a report, on the terminal and in files.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Write;
use std::path::{Path, PathBuf};

use ringfence_judge::{Assessment, Journal, Library, assess};
use ringfence_model::Exit;
use ringfence_model::policy::Policy;
use ringfence_model::report::Report;
use ringfence_model::verdict::{Severity, State};
use ringfence_reports::{self as reports, Format, Style, render, terminal, terminal_brief, write_atomically};

use crate::against::{self, Against};
use crate::args::GateArgs;
use crate::library::Kept;
use crate::problem::Problem;
use crate::terminal::quoted;

/// Refuses outputs that would overwrite each other or one of the `taken` files, before anything is asked.
pub fn check(args: &GateArgs, taken: &[(&str, &Path)]) -> Result<(), Problem> {
    let mut paths: Vec<(&str, PathBuf)> = taken.iter().map(|(what, path)| (*what, place(path))).collect();
    let held = [("the waivers", &args.against.waivers), ("the baseline", &args.against.baseline)];
    paths.extend(held.into_iter().filter_map(|(what, path)| Some((what, place(path.as_deref()?)))));
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
    against: &Against,
    also: &[Exit],
) -> Result<Report, Problem> {
    let by = Assessment {
        policy,
        fail_on,
        waivers: against.waivers.as_ref(),
        strict_waivers: against.strict_waivers,
        baseline: against.baseline.as_ref(),
        new_only: against.new_only,
        also,
    };
    Ok(assess(journal, library, Kept::standards()?.view(), &by))
}

/// Whether every output can be written, as far as that can be known before the target is asked anything.
pub fn writable(args: &GateArgs) -> Result<(), Problem> {
    for (format, path) in &args.output {
        let ready = folder(path).and_then(|()| reports::writable(path, args.force).map_err(Problem::output));
        ready.map_err(|problem| {
            let Problem { exit, message } = problem;
            let message = format!("{}={}: {message}; nothing was asked", format.name(), path.display());
            Problem { exit, message }
        })?;
    }
    Ok(())
}

/// Writes every file, then the terminal, and last where everything lies. `judge` judges, with what went wrong besides:
/// an output that could not be written is a condition of the gate, and the others tell of it. Returns the exit.
pub fn deliver(
    judge: impl Fn(&[Exit]) -> Result<Report, Problem>,
    args: &GateArgs,
    journal: &Path,
    quiet: bool,
    style: Style,
) -> Result<Exit, Problem> {
    let mut report = judge(&[])?;
    against::tell(&report.waivers);
    let mut missing = write_all(&report, args, BTreeMap::new());
    if !missing.is_empty() {
        report = judge(&exits(&missing))?;
        missing = write_all(&report, args, missing);
    }
    let shown = shown(&report, args.show);
    let text = if quiet { terminal_brief(&shown, style) } else { terminal(&shown, style) };
    if let Err(problem) = print(&text) {
        complain!("ringfence: the report cannot be printed: {}", problem.message);
        report = judge(&[exits(&missing), vec![problem.exit]].concat())?;
        missing = write_all(&report, args, missing);
    }
    let hidden = report.results.len() - shown.results.len();
    if hidden > 0 {
        complain!("  not shown   {hidden} below {}: --show", args.show.word());
    }
    complain!("  evidence    {}", journal.display());
    tell_files(args, &missing);
    if args.output.is_empty() && !quiet {
        let journal = quoted(&journal.display().to_string());
        complain!("  as a page   ringfence judge {journal} -o html=report.html");
    }
    // What was only missed when all others had been written is told by no report.
    Ok(Exit::worst([vec![report.gate.exit], exits(&missing)].concat()))
}

/// Writes every file, and says where they are. The exit tells whether they were written, and nothing of the target.
pub fn write_report(judge: impl Fn(&[Exit]) -> Result<Report, Problem>, args: &GateArgs) -> Result<Exit, Problem> {
    let mut missing = write_all(&judge(&[])?, args, BTreeMap::new());
    if !missing.is_empty() {
        missing = write_all(&judge(&exits(&missing))?, args, missing);
    }
    tell_files(args, &missing);
    Ok(Exit::worst(exits(&missing)))
}

/// Where each file lies, or why it does not.
fn tell_files(args: &GateArgs, missing: &Missing) {
    for (index, (format, path)) in args.output.iter().enumerate() {
        match missing.get(&index) {
            None => complain!("  {:<11} {}", format.name(), path.display()),
            Some(why) => complain!("ringfence: {}={}: not written: {}", format.name(), path.display(), why.message),
        }
    }
}

/// The outputs that could not be written, by their place in the command.
type Missing = BTreeMap<usize, Problem>;

fn exits(missing: &Missing) -> Vec<Exit> {
    missing.values().map(|problem| problem.exit).collect()
}

/// Writes all outputs but those that are known to be missing; returns all that are now.
fn write_all(report: &Report, args: &GateArgs, mut missing: Missing) -> Missing {
    for (index, (format, path)) in args.output.iter().enumerate() {
        if let Entry::Vacant(place) = missing.entry(index)
            && let Err(problem) = write(*format, path, report, args.force)
        {
            place.insert(problem);
        }
    }
    missing
}

fn write(format: Format, path: &Path, report: &Report, force: bool) -> Result<(), Problem> {
    let text = render(format, report).map_err(Problem::internal)?;
    folder(path)?;
    write_atomically(path, &text, force).map_err(Problem::output)
}

/// Makes the folder of a file.
fn folder(path: &Path) -> Result<(), Problem> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(|error| Problem::output(format!("{}: {error}", folder.display())))
        }
        None => Ok(()),
    }
}

/// The report without the findings below a severity. Its counts and its gate stay whole.
fn shown(report: &Report, show: Severity) -> Report {
    let mut report = report.clone();
    report.results.retain(|result| result.verdict.state != State::Fail || result.verdict.severity >= show);
    report
}

/// Prints to stdout; a reader that has gone away (`| head`) is no error of ours, any other failure is.
pub fn print(text: &str) -> Result<(), Problem> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Problem::output),
    }
}
