//! Arguments about findings that are known: waivers, baseline, comparison.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::LibraryArgs;

/// What findings are held against before they close the gate.
#[derive(Debug, Default, Args)]
pub struct AgainstArgs {
    /// Findings that somebody answers for until a day, as TOML; `ringfence waive` writes the lines to start from
    #[arg(long, value_name = "FILE")]
    pub waivers: Option<PathBuf>,
    /// A waiver that ended, or that waives nothing, is exit code 7
    #[arg(long, requires = "waivers")]
    pub strict_waivers: bool,
    /// Findings that are known, as `ringfence baseline` wrote them: tells what is new, back, fixed
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Only what is new, or was fixed and is back, closes the gate
    #[arg(long, requires = "baseline")]
    pub new_only: bool,
}

/// Arguments of `waive`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
    ringfence waive ringfence-out/run.jsonl --only turn/unauthenticated-allocate >> waivers.toml
    ringfence run --target target.toml --waivers waivers.toml")]
pub struct WaiveArgs {
    /// A journal, or a JSON report
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Findings of this scenario only; may be repeated
    #[arg(long, value_name = "ID")]
    pub only: Vec<String>,
}

/// Arguments of `baseline`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
    ringfence baseline create ringfence-out/run.jsonl --baseline baseline.toml
    ringfence run --target target.toml --baseline baseline.toml --new-only
    ringfence baseline update ringfence-out/run.jsonl --baseline baseline.toml
    ringfence baseline prune --baseline baseline.toml")]
pub struct BaselineArgs {
    /// What to do with the file
    #[command(subcommand)]
    pub action: BaselineAction,
}

/// What to do with a baseline.
#[derive(Debug, Subcommand)]
pub enum BaselineAction {
    /// Write a new one: every finding of a run that is not waived
    Create(BaselineRun),
    /// Take a later run in: its findings are known from now on, what it saw fixed is marked
    Update(BaselineRun),
    /// Drop what was fixed, and what no scenario can find any more
    Prune(BaselinePrune),
}

/// A run, and the baseline to write.
#[derive(Debug, Args)]
pub struct BaselineRun {
    /// A journal, or a JSON report
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// The baseline
    #[arg(long, value_name = "FILE")]
    pub baseline: PathBuf,
    /// Findings that these waive stay out, for a journal; a JSON report says itself what was waived
    #[arg(long, value_name = "FILE")]
    pub waivers: Option<PathBuf>,
}

/// A baseline, and the scenarios there are.
#[derive(Debug, Args)]
pub struct BaselinePrune {
    /// The baseline
    #[arg(long, value_name = "FILE")]
    pub baseline: PathBuf,
    #[command(flatten)]
    pub library: LibraryArgs,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
    ringfence diff before.jsonl after.jsonl
    ringfence diff main.json branch.json --baseline baseline.toml --json

Exit codes: 0 nothing new; 1 something is new, or was fixed and is back; 2 usage, or two targets; 7 a baseline problem")]
pub struct DiffArgs {
    /// The run before: a journal, or a JSON report
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,
    /// The run after, likewise
    #[arg(value_name = "AFTER")]
    pub after: PathBuf,
    /// Tells what was fixed before and is back
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
