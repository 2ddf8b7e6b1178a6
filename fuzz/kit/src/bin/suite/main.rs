//! `cargo suite`: everything that is done with the fuzzing suite but `cargo fuzz run` itself.
//!
//! Exit codes: 0 done, 1 something was found or is out of bounds, 2 it could not be done.

mod campaign;
mod corpus;
mod coverage;
mod figures;
mod fuzzer;
mod places;
mod replay;
mod stop;

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use ringfence_fuzz_kit::target::Target;
use ringfence_fuzz_kit::targets::{TARGETS, named};

use crate::campaign::{Budget, Shard};

/// What could not be done, in words that say what to do.
type Problem = String;

/// The fuzzing suite of ringfence: seeds, short and long runs, coverage, figures, and what was found before.
#[derive(Parser)]
#[command(name = "cargo suite", bin_name = "cargo suite", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the targets, what each reads, and what it is held to
    List,
    /// Write what is made of the targets: `fuzz/corpus/TARGET/seed-*`, `fuzz/dictionaries/targets.txt`, the table of `fuzz/README.md`
    Seeds,
    /// Build every target once and fuzz each briefly; what CI does
    Smoke {
        /// Seconds for each target
        #[arg(long, value_name = "S", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
        seconds: u64,
        #[command(flatten)]
        which: Which,
    },
    /// Fuzz for long; what is found new is kept in `fuzz/corpus/TARGET`, and the time is added to `fuzz/figures.toml`
    Nightly {
        /// Minutes for each target
        #[arg(long, value_name = "M", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        minutes: u64,
        /// Only the i-th of n parts of the targets, to share them out among machines
        #[arg(long, value_name = "I/N")]
        shard: Option<Shard>,
        /// Write what came out, for machines
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
        #[command(flatten)]
        which: Which,
    },
    /// Throw away what adds no coverage to a corpus; the seeds stay
    Minimise {
        #[command(flatten)]
        which: Which,
    },
    /// Line coverage by the corpora that are there: of each target's own code, and of every reader
    Coverage {
        /// Write an HTML page with the lines themselves into this folder
        #[arg(long, value_name = "DIR")]
        html: Option<PathBuf>,
        /// Fail if a reader of `wire` or `srtp` has less, in percent
        #[arg(long, value_name = "PERCENT")]
        floor: Option<f64>,
        #[command(flatten)]
        which: Which,
    },
    /// Measure executions per second and coverage, and write `fuzz/figures.toml` and the table of `fuzz/README.md`
    Figures {
        /// Seconds for each target
        #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
        seconds: u64,
        #[command(flatten)]
        which: Which,
    },
    /// Print an input field by field, run it, and say which oracle it breaks
    Replay {
        /// The target
        target: String,
        /// Inputs, or folders of inputs: a crash of `fuzz/artifacts`, a seed, a regression
        #[arg(required = true)]
        inputs: Vec<PathBuf>,
        /// Print no fields
        #[arg(long, short)]
        quiet: bool,
    },
}

/// Which targets, and how many at once.
#[derive(Args)]
struct Which {
    /// Targets; all of them if none is named
    targets: Vec<String>,
    /// Targets at once [default: one for each processor]
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

impl Which {
    /// Each once, whatever was named twice.
    fn targets(&self) -> Result<Vec<&'static Target>, Problem> {
        if let Some(name) = self.targets.iter().find(|name| named(name).is_none()) {
            return Err(no_such_target(name));
        }
        let is_meant =
            |target: &&Target| self.targets.is_empty() || self.targets.iter().any(|name| name == target.name);
        Ok(TARGETS.iter().filter(is_meant).collect())
    }

    fn jobs(&self) -> usize {
        let jobs = self.jobs.or_else(|| std::thread::available_parallelism().ok());
        jobs.map_or(1, NonZeroUsize::get)
    }
}

fn no_such_target(name: &str) -> Problem {
    format!("no target {name:?}; `cargo suite list` prints them all")
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    match stop::watch().and_then(|()| run(command)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::from(2)
        }
    }
}

/// Prints a line; where nobody reads any more (`| head`), that is the end.
fn say(line: impl std::fmt::Display) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(0);
    }
}

/// Whether all was well.
fn run(command: Command) -> Result<bool, Problem> {
    match command {
        Command::List => {
            for target in TARGETS {
                say(format_args!("{:<24} {}", target.name, target.reads));
                for oracle in target.oracles {
                    say(format_args!("{:<24}   {}: {}", "", oracle.name, oracle.reason));
                }
            }
            Ok(true)
        }
        Command::Seeds => corpus::write_seeds().and_then(|()| figures::write_table()).map(|()| true),
        Command::Smoke { seconds, which } => {
            let targets = which.targets()?;
            let results = campaign::campaign(&targets, which.jobs(), Budget::Smoke { seconds })?;
            Ok(campaign::summary(&results, targets.len()))
        }
        Command::Nightly { minutes, shard, json, which } => {
            let targets = shard.map_or_else(|| which.targets(), |shard| which.targets().map(|all| shard.of(&all)))?;
            if targets.is_empty() {
                return Err(format!("this part has no target: there are {}", TARGETS.len()));
            }
            let results = campaign::campaign(&targets, which.jobs(), Budget::Nightly { seconds: minutes * 60 })?;
            if let Some(path) = json {
                campaign::write_json(&results, &path)?;
            }
            Ok(campaign::summary(&results, targets.len()))
        }
        Command::Minimise { which } => corpus::minimise(&which.targets()?, which.jobs()),
        Command::Coverage { html, floor, which } => {
            coverage::command(&which.targets()?, which.jobs(), html.as_deref(), floor)
        }
        Command::Figures { seconds, which } => figures::command(&which.targets()?, which.jobs(), seconds),
        Command::Replay { target, inputs, quiet } => {
            let target = named(&target).ok_or_else(|| no_such_target(&target))?;
            replay::command(target, &inputs, quiet)
        }
    }
}
