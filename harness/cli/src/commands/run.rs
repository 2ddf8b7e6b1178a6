//! `ringfence run`: asks a deployment, judges what was seen, and gates.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringfence_client::net::Scope;
use ringfence_judge::Library;
use ringfence_model::target::Target;
use ringfence_model::{Exit, policy::Policy};
use ringfence_reports::Style;
use ringfence_runner::resume::differs;
use ringfence_runner::{Job, Journal, Profile, RunError, Selection, Watcher, consent, run as run_job};
use tokio::sync::watch;

use crate::against::Against;
use crate::args::RunArgs;
use crate::problem::Problem;
use crate::terminal::quoted;
use crate::{browser, evidence, library, outputs, progress, signals};

/// Runs the command.
pub async fn run(args: RunArgs, style: Style) -> Result<Exit, Problem> {
    let target = Target::read(&args.target).map_err(Problem::usage)?;
    let library = Arc::new(library::load(&args.library.scenarios)?);
    let browser = browser::find(&args.browser)?;
    let broken_off = args.resume.as_deref().map(evidence::reopen).transpose()?;
    let header = broken_off.as_ref().map(|broken_off| &broken_off.journal.header);
    let named = args.gate.policy.as_deref().or(header.map(|header| header.policy_name.as_str()));
    let policy = library::policy(named.unwrap_or(&target.policy))?;
    let tries = header.map_or(args.tries, |header| header.method.tries);
    let selection = Selection { only: args.only.clone(), profile: args.profile };
    check_selection(&library, &selection)?;
    outputs::check(&args.gate, &[("the evidence", path(&args)), ("the target file", &args.target)])?;
    // A scope that cannot be read is a mistake in the file, not a want of permission.
    Scope::new(&target).map_err(Problem::usage)?;
    if let Some((broken_off, path)) = broken_off.as_ref().zip(args.resume.as_deref())
        && let Some(why) = differs(&broken_off.journal, &target, &library, &policy, browser.is_some())
    {
        return Err(Problem::usage(format!("--resume {}: {why}", path.display())));
    }
    let today = ringfence_runner::today();
    if let Some(why) = consent::refusal(&target, &today) {
        return Err(Problem { exit: Exit::Refused, message: why });
    }
    consent::notes(&target, &today).iter().for_each(|note| complain!("note: {note}"));
    // Waivers count from the day that the run began.
    let begun = header.map_or(&today, |header| &header.started);
    let against = Against::read(&args.gate.against, &target.name, begun)?;
    outputs::writable(&args.gate)?;
    let done = broken_off.as_ref().is_some_and(|broken_off| broken_off.journal.complete());
    let journal = match broken_off {
        Some(broken_off) => {
            let (file, read) = broken_off.go_on()?;
            Journal::resumed(Box::new(file), read)
        }
        None => Journal::new(Box::new(evidence::create(&args.journal)?)),
    };
    if done {
        complain!("{}: the run came to its end; nothing is left to ask", path(&args).display());
        return conclude(&journal, &library, &args, &against, style);
    }
    let stop = signals::listen("ending calls and writing what was seen");
    let command = command(&args, &args.only);
    let asking = Asking { target, library: library.clone(), policy, selection, tries, browser, command };
    asking.ask(&journal, progress::watcher(args.quiet), stop).await?;
    conclude(&journal, &library, &args, &against, style)
}

/// Where the evidence is.
fn path(args: &RunArgs) -> &Path {
    args.resume.as_ref().unwrap_or(&args.journal)
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
fn conclude(
    journal: &Journal,
    library: &Library,
    args: &RunArgs,
    against: &Against,
    style: Style,
) -> Result<Exit, Problem> {
    let failure = journal.failure();
    if let Some(why) = &failure {
        complain!("ringfence: {why}");
    }
    let unwritten: Vec<Exit> = failure.map(|_| Exit::Output).into_iter().collect();
    let judged = |also: &[Exit]| {
        let also = [&unwritten, also].concat();
        let report = journal.read(|journal| outputs::judged(journal, library, None, args.gate.fail_on, against, &also));
        report.ok_or_else(|| Problem::internal("the run left no journal"))?
    };
    let exit = outputs::deliver(judged, &args.gate, path(args), args.quiet, style)?;
    if !journal.read(ringfence_judge::Journal::complete).unwrap_or_default() {
        complain!("  to go on    {} --resume {}", command(args, &[]), quoted(&path(args).display().to_string()));
    }
    Ok(exit)
}

/// Refuses names that no scenario has.
pub fn check_selection(library: &Library, selection: &Selection) -> Result<(), Problem> {
    let ids: Vec<&str> = library.scenarios().map(|loaded| loaded.scenario().id.as_str()).collect();
    match selection.unmatched(&ids).first() {
        Some(pattern) => Err(Problem::usage(format!("--only: {}", library::no_such_scenario(library, pattern)))),
        None => Ok(()),
    }
}

/// The command as it can be typed again. Nothing of it is secret: secrets never stand in arguments.
fn command(args: &RunArgs, only: &[String]) -> String {
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
    if args.profile != Profile::default() {
        command.push_str(&format!(" --profile {}", args.profile.word()));
    }
    for id in only {
        command.push_str(&format!(" --only {}", quoted(id)));
    }
    command
}
