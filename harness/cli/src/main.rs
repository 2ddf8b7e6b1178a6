//! `ringfence`: the command line of the CI gate for click-to-call.

#[macro_use]
mod terminal;

mod against;
mod args;
mod browser;
mod commands;
mod evidence;
mod library;
mod outputs;
mod problem;
mod progress;
mod recorded;
mod signals;
mod sound;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use ringfence_model::Exit;

use crate::args::{Cli, Command};
use crate::commands::{
    baseline, call, check, demo, diff, dtls, explain, init, judge, lab, list, manuals, plan, report, run, schema, tls,
    waive,
};
use crate::problem::Problem;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to stdout and is no error; a failure to print either has nowhere to be told.
            let _ = error.print();
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return ExitCode::from(if asked { Exit::Clean.code() } else { Exit::Usage.code() });
        }
    };
    let outcome = std::panic::catch_unwind(|| match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(dispatch(cli)),
        Err(error) => Err(Problem::internal(format!("cannot start: {error}"))),
    });
    let exit = match outcome {
        Ok(Ok(exit)) => exit,
        Ok(Err(problem)) => {
            complain!("ringfence: {}", problem.message);
            problem.exit
        }
        // The panic itself has been printed by the default hook.
        Err(_) => {
            complain!("ringfence: this is a bug; the lines above say where");
            Exit::Internal
        }
    };
    ExitCode::from(exit.code())
}

async fn dispatch(cli: Cli) -> Result<Exit, Problem> {
    let style = terminal::style(cli.color);
    match cli.command {
        Command::Demo => demo::demo(style).await,
        Command::Run(args) => run::run(args, style).await,
        Command::Judge(args) => judge::judge(&args, style),
        Command::Waive(args) => waive::waive(&args),
        Command::Baseline(args) => baseline::baseline(&args),
        Command::Diff(args) => diff::diff(&args),
        Command::Report(args) => report::report(&args),
        Command::Plan(args) => plan::plan(&args, style),
        Command::Init(args) => init::init(args).await,
        Command::Check(args) => check::check(&args),
        Command::List(args) => list::list(&args, style),
        Command::Explain(args) => explain::explain(&args, style),
        Command::Call(args) => call::call(args).await,
        Command::Tls(args) => tls::tls(args, style).await,
        Command::Dtls(args) => dtls::dtls(args, style).await,
        Command::Lab(args) => lab::lab(args).await,
        Command::Schema(args) => schema::schema(&args),
        Command::Completions(args) => manuals::completions(&args),
        Command::Man(args) => manuals::man(&args),
    }
}
