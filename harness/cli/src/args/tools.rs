//! Arguments of the commands around a run: before it, behind it, and about ringfence itself.

use std::path::PathBuf;

use clap::Args;
use ringfence_model::target::Adapter;
use ringfence_runner::Profile;

use super::{BrowserArgs, GateArgs, LibraryArgs, profile};

/// Arguments of `report`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
    ringfence report ringfence-out/run.jsonl -o html=report.html -o sarif=findings.sarif
    ringfence report ringfence-out/run.jsonl -o markdown=\"$GITHUB_STEP_SUMMARY\" --force

Nothing is printed but where the files are. To gate on a journal, use `ringfence judge`.")]
pub struct ReportArgs {
    /// A journal that `ringfence run` wrote
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    #[command(flatten)]
    pub gate: GateArgs,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
    ringfence plan --target target.toml
    ringfence plan --target target.toml --profile full --json")]
pub struct PlanArgs {
    /// Description of the deployment
    #[arg(short, long, value_name = "FILE")]
    pub target: PathBuf,
    /// These scenarios only: an id, or `area/*`; may be repeated
    #[arg(long, value_name = "ID")]
    pub only: Vec<String>,
    /// How much is asked where --only names nothing: smoke, ci or full
    #[arg(long, value_parser = profile, default_value = "ci", value_name = "NAME")]
    pub profile: Profile,
    /// How often a scenario that does not pass would be asked
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=3), value_name = "N")]
    pub tries: u32,
    /// Policy to judge by, instead of the target file's
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub browser: BrowserArgs,
    #[command(flatten)]
    pub library: LibraryArgs,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
    ringfence init https://endpoint.example.test/url-token     looks at the answer, writes target.toml
    ringfence init https://www.example.test/call --file shop.toml
    ringfence init --adapter sip --file -                      asks nobody, prints to stdout

With an address, that address is fetched once, as a browser would; nothing else is dialled. Without one, or with
--offline, nobody is asked. The file holds no secrets: these come from the environment or from files that it names.")]
pub struct InitArgs {
    /// Configuration endpoint, or the page with the call button
    #[arg(value_name = "URL")]
    pub url: Option<String>,
    /// How the deployment's clients work: cognigy, sip, vonage or avaya; left out: what the answer looks like
    #[arg(long, value_parser = adapter, value_name = "NAME")]
    pub adapter: Option<Adapter>,
    /// Do not fetch the address
    #[arg(long)]
    pub offline: bool,
    /// Certificates to trust besides the public roots, PEM
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Where to write; `-` for stdout
    #[arg(short, long, default_value = "target.toml", value_name = "FILE")]
    pub file: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
    ringfence check target.toml
    ringfence check target.toml --scenarios our-scenarios

Exit codes: 0 all is well; 2 what is wrong is named with file, line and column")]
pub struct CheckArgs {
    /// Target files
    #[arg(value_name = "FILE")]
    pub targets: Vec<PathBuf>,
    #[command(flatten)]
    pub library: LibraryArgs,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
    ringfence schema                       the names
    ringfence schema target > target.schema.json
    ringfence schema call.seen             what the probe `call` sees")]
pub struct SchemaArgs {
    /// Name of the schema; left out: list them
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
    ringfence completions bash > ~/.local/share/bash-completion/completions/ringfence
    ringfence completions zsh > ~/.zfunc/_ringfence")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
    ringfence man | man -l -
    ringfence man --folder /usr/local/share/man/man1")]
pub struct ManArgs {
    /// Write ringfence.1, ringfence-run.1 and so on into this folder, in place of one page to stdout
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

fn adapter(text: &str) -> Result<Adapter, String> {
    let known = Adapter::ALL.into_iter().find(|adapter| adapter.word() == text);
    known.ok_or_else(|| "expected cognigy, sip, vonage or avaya".to_owned())
}
