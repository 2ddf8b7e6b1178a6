//! `ringfence run`: asks a deployment, judges what was seen, and gates.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringfence_client::net::Scope;
use ringfence_judge::Library;
use ringfence_model::target::Target;
use ringfence_model::{Exit, policy::Policy};
use ringfence_reports::Style;
use ringfence_runner::{Job, Journal, RunError, Selection, Watcher, consent, run as run_job};
use tokio::sync::watch;

use crate::args::RunArgs;
use crate::problem::Problem;
use crate::terminal::quoted;
use crate::{browser, library, outputs, progress, signals};

/// Runs the command.
pub async fn run(args: RunArgs, style: Style) -> Result<Exit, Problem> {
    let target = Target::read(&args.target).map_err(Problem::usage)?;
    let library = Arc::new(library::load(&args.library.scenarios)?);
    let browser = browser::find(&args.browser)?;
    let policy = library::policy(args.gate.policy.as_deref().unwrap_or(&target.policy))?;
    let selection = Selection { only: args.only.clone() };
    check_selection(&library, &selection)?;
    outputs::check(&args.gate, &[("the evidence", &args.journal), ("the target file", &args.target)])?;
    // A scope that cannot be read is a mistake in the file, not a want of permission.
    Scope::new(&target).map_err(Problem::usage)?;
    let today = ringfence_runner::today();
    if let Some(why) = consent::refusal(&target, &today) {
        return Err(Problem { exit: Exit::Refused, message: why });
    }
    let journal = Journal::new(Box::new(create(&args.journal)?));
    let stop = signals::listen("ending calls and writing what was seen");
    let asking = Asking {
        target,
        library: library.clone(),
        policy,
        selection,
        tries: args.tries,
        browser,
        command: command(&args),
    };
    asking.ask(&journal, progress::watcher(args.quiet), stop).await?;
    conclude(&journal, &library, &args, style)
}

/// What is asked, and how.
pub struct Asking {
    /// The deployment.
    pub target: Target,
    /// The scenarios.
    pub library: Arc<Library>,
    /// The policy.
    pub policy: Policy,
    /// Which scenarios.
    pub selection: Selection,
    /// How often at most.
    pub tries: u32,
    /// The browser for pages.
    pub browser: Option<PathBuf>,
    /// The command, for the journal.
    pub command: String,
}

impl Asking {
    /// Runs to the end, or until stopped.
    pub async fn ask(
        self,
        journal: &Journal,
        watcher: Watcher,
        stop: watch::Receiver<Option<&'static str>>,
    ) -> Result<(), Problem> {
        let Self { target, library, policy, selection, tries, browser, command } = self;
        let journal = journal.clone();
        let job = Job { target, library, policy, selection, tries, browser, command, journal, watcher, stop };
        run_job(job).await.map_err(|error| match error {
            RunError::Setup(why) => Problem::usage(why),
            other => Problem::internal(other),
        })
    }
}

/// Judges what a journal of this process holds, and delivers.
fn conclude(journal: &Journal, library: &Library, args: &RunArgs, style: Style) -> Result<Exit, Problem> {
    let failure = journal.failure();
    if let Some(why) = &failure {
        complain!("ringfence: {why}");
    }
    let also: Vec<Exit> = failure.map(|_| Exit::Output).into_iter().collect();
    let report = journal
        .read(|journal| outputs::judged(journal, library, None, args.gate.fail_on, &also))
        .ok_or_else(|| Problem::internal("the run left no journal"))??;
    outputs::deliver(&report, &args.gate, &args.journal, args.quiet, style)
}

fn check_selection(library: &Library, selection: &Selection) -> Result<(), Problem> {
    let ids: Vec<&str> = library.scenarios().map(|loaded| loaded.scenario().id.as_str()).collect();
    match selection.unmatched(&ids).first() {
        Some(pattern) => Err(Problem::usage(format!("--only: {}", library::no_such_scenario(library, pattern)))),
        None => Ok(()),
    }
}

/// The command as it can be typed again. Nothing of it is secret: secrets never stand in arguments.
fn command(args: &RunArgs) -> String {
    let path = |path: &Path| quoted(&path.display().to_string());
    let mut command = format!("ringfence run --target {}", path(&args.target));
    for folder in &args.library.scenarios {
        command.push_str(&format!(" --scenarios {}", path(folder)));
    }
    if let Some(policy) = &args.gate.policy {
        command.push_str(&format!(" --policy {}", quoted(policy)));
    }
    if let Some(browser) = &args.browser.browser {
        command.push_str(&format!(" --browser {}", path(browser)));
    }
    for id in &args.only {
        command.push_str(&format!(" --only {}", quoted(id)));
    }
    command
}

/// A journal file that only its owner reads. One of an earlier run moves aside, so that asking one scenario again does
/// not take the evidence of the whole run away; any other file stays, and is a problem.
fn create(path: &Path) -> Result<File, Problem> {
    let failed = |error: std::io::Error| Problem::output(format!("{}: {error}", path.display()));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    if let Ok(kind) = std::fs::symlink_metadata(path) {
        let ours = kind.is_file() && starts_like_a_journal(path).map_err(failed)?;
        if !ours {
            return Err(Problem::output(format!(
                "{}: is there already and is no journal of an earlier run; choose another --journal",
                path.display()
            )));
        }
        let aside = path.with_extension("previous.jsonl");
        let free = std::fs::symlink_metadata(&aside)
            .map_or(true, |kind| kind.is_file() && starts_like_a_journal(&aside).unwrap_or(false));
        match free {
            true => std::fs::rename(path, &aside).map_err(failed)?,
            false => std::fs::remove_file(path).map_err(failed)?,
        }
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(failed)
}

fn starts_like_a_journal(path: &Path) -> std::io::Result<bool> {
    use std::io::Read;
    let mut start = Vec::new();
    File::open(path)?.take(256).read_to_end(&mut start)?;
    let start = String::from_utf8_lossy(&start);
    Ok(start.is_empty() || start.starts_with("{\"seq\":0,"))
}
