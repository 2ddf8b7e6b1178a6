//! The command line: one definition, from which `--help`, errors and suggestions come.

mod enumerate;
mod known;

mod tools;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ringfence_model::verdict::Severity;
use ringfence_reports::Format;
use ringfence_runner::Profile;

pub use enumerate::{DtlsArgs, EnumerateArgs, Place, TlsArgs};

pub use known::{AgainstArgs, BaselineAction, BaselineArgs, BaselinePrune, BaselineRun, DiffArgs, WaiveArgs};

pub use tools::{CheckArgs, CompletionsArgs, InitArgs, ManArgs, PlanArgs, ReportArgs, SchemaArgs};

/// Longest call of `ringfence call`, in seconds (house).
pub const MAX_CALL_S: u32 = 600;

const AFTER: &str = "\
Exit codes:
    0  every required scenario passed, is not applicable, or failed below the gate
    1  findings at or above the gate
    2  usage or configuration error
    3  nothing of the target answered in the whole run
    4  a required scenario is inconclusive, or none was selected
    5  not authorised, or out of scope
    6  an output could not be written
    7  a waiver or baseline problem
   70  internal error: a bug of ringfence
  130  interrupted; what was seen is kept, complete: false
  143  terminated; what was seen is kept, complete: false

Start with:
    ringfence demo                                  see it work, on loopback only
    ringfence init https://www.example.test/call    a target file for your own deployment
    ringfence plan --target target.toml
    ringfence run --target target.toml -o html=report.html";

/// The CI gate for click-to-call: places real calls against a deployment and says which security promises hold.
#[derive(Debug, Parser)]
#[command(name = "ringfence", version, after_help = AFTER, arg_required_else_help = true, infer_subcommands = false)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, help_heading = "Output")]
    pub color: Color,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set or TERM is dumb.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// See it work: the gate against the embedded lab, healthy and broken (loopback only, under a minute)
    Demo,
    /// Write a commented target file, from an address where that can tell
    Init(InitArgs),
    /// Check target and scenario files; asks nobody
    Check(CheckArgs),
    /// Tell what a run would ask, how often and how intrusively; asks nobody
    Plan(PlanArgs),
    /// Ask a deployment, judge what was seen, and gate
    Run(RunArgs),
    /// Judge a journal again, and gate; asks nobody
    Judge(JudgeArgs),
    /// Render a journal into files, without a gate
    Report(ReportArgs),
    /// Compare two runs of one target: new, fixed, back, unchanged
    Diff(DiffArgs),
    /// Keep the findings that are known of a target, in a file to review
    Baseline(BaselineArgs),
    /// Print the lines that waive findings, for somebody to answer for
    Waive(WaiveArgs),
    /// List the scenarios
    List(ListArgs),
    /// Explain one scenario: why, how, what must hold, what to do
    Explain(ExplainArgs),
    /// Place one call and print, stage by stage, what was negotiated
    Call(CallArgs),
    /// Tell what a TLS server accepts: versions, suites, groups, certificate; judged by a policy
    Tls(TlsArgs),
    /// Tell what a DTLS server accepts, SRTP profiles among it; judged by a policy
    Dtls(DtlsArgs),
    /// Serve the embedded lab on loopback until Ctrl-C
    Lab(LabArgs),
    /// Print the JSON Schema of a format
    Schema(SchemaArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each command
    Man(ManArgs),
}

/// Which scenarios there are.
#[derive(Debug, Args)]
pub struct LibraryArgs {
    /// Folder of further scenarios, `area/slug.toml` each; may be repeated
    #[arg(long, value_name = "DIR")]
    pub scenarios: Vec<PathBuf>,
}

/// Which browser opens pages.
#[derive(Debug, Args)]
pub struct BrowserArgs {
    /// Chromium, or `none` to skip what needs a browser; left out: RINGFENCE_BROWSER, or the first one in PATH
    #[arg(long, value_name = "PATH")]
    pub browser: Option<PathBuf>,
}

/// How verdicts become an exit code and files.
#[derive(Debug, Args)]
pub struct GateArgs {
    /// Lowest severity that closes the gate
    #[arg(long, value_parser = severity, default_value = "low", value_name = "SEVERITY")]
    pub fail_on: Severity,
    /// Policy to judge by, instead of the target file's: webrtc-mti, asvs-l2, asvs-l3, strict-aead, bsi-tr-02102, nist-800-52r2
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// Write a report, as FORMAT=PATH; may be repeated: json, junit, html, html-flat, sarif, sarif-full, markdown, csv
    #[arg(short, long = "output", value_parser = output, value_name = "FORMAT=PATH")]
    pub output: Vec<(Format, PathBuf)>,
    /// Replace output files that are no reports of ringfence, too
    #[arg(long)]
    pub force: bool,
    /// Lowest severity of the findings that the terminal shows; files, counts and exit code know all of them
    #[arg(long, value_parser = severity, default_value = "low", value_name = "SEVERITY")]
    pub show: Severity,
    #[command(flatten)]
    pub against: AgainstArgs,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
    ringfence run --target target.toml
    ringfence run --target target.toml --only 'media/*' -o html=report.html -o junit=junit.xml
    ringfence run --target target.toml --fail-on high --journal run.jsonl
    ringfence run --target target.toml --resume run.jsonl")]
pub struct RunArgs {
    /// Description of the deployment; `ringfence init` writes one to fill in
    #[arg(short, long, value_name = "FILE")]
    pub target: PathBuf,
    /// Ask these scenarios only: an id, or `area/*`; may be repeated
    #[arg(long, value_name = "ID")]
    pub only: Vec<String>,
    /// How much is asked where --only names nothing: smoke (what a visitor's client does, and one call), ci (all but what may
    /// lock, remove or load), full (all that the target file consents to)
    #[arg(long, value_parser = profile, default_value = "ci", value_name = "NAME")]
    pub profile: Profile,
    /// How often a scenario that does not pass is asked
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=3), value_name = "N")]
    pub tries: u32,
    #[command(flatten)]
    pub browser: BrowserArgs,
    /// Where the evidence goes, one JSON line per event; that of the run before moves to *.previous.jsonl
    #[arg(long, default_value = "ringfence-out/run.jsonl", value_name = "FILE")]
    pub journal: PathBuf,
    /// Go on with a run that broke off: asks what is left of it, with the same target file, policy and scenarios
    #[arg(long, value_name = "JOURNAL", conflicts_with_all = ["journal", "only", "tries", "profile"])]
    pub resume: Option<PathBuf>,
    /// Print the verdict and the findings only
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    pub gate: GateArgs,
    #[command(flatten)]
    pub library: LibraryArgs,
}

/// Arguments of `judge`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
    ringfence judge ringfence-out/run.jsonl
    ringfence judge ringfence-out/run.jsonl --policy strict-aead -o html=strict.html")]
pub struct JudgeArgs {
    /// A journal that `ringfence run` wrote
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// Print the verdict and the findings only
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    pub gate: GateArgs,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Tell which would be asked of this deployment, and why the others would not
    #[arg(short, long, value_name = "FILE")]
    pub target: Option<PathBuf>,
    #[command(flatten)]
    pub browser: BrowserArgs,
    #[command(flatten)]
    pub library: LibraryArgs,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Id of a scenario, as `ringfence list` shows it
    #[arg(value_name = "ID")]
    pub id: String,
    #[command(flatten)]
    pub library: LibraryArgs,
}

/// Arguments of `call`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
    ringfence call --target target.toml
    ringfence call --target target.toml --seconds 10 --setup passive
    ringfence call --target target.toml --play question.wav --record answer.wav

--play and --record offer G.711 alone. A file that is played is mono of 8000 Hz, 16 bits linear, A-law or mu-law;
to make one: sox in.wav -r 8000 -c 1 -b 16 -e signed-integer out.wav. It takes the place of the markers, so no echo is
looked for. --record stores what the far side says, which the target file has to allow:
    [destinations.call]
    record = true

Exit codes: 0 answered, and audio that authenticates came; 1 answered, but no such audio; 2 usage; 3 not answered;
5 may not be called; 130 interrupted")]
pub struct CallArgs {
    /// Description of the deployment
    #[arg(short, long, value_name = "FILE")]
    pub target: PathBuf,
    /// SIP URI to call instead of the target file's destination
    #[arg(long, value_name = "URI", value_parser = sip_uri)]
    pub uri: Option<String>,
    /// Seconds of audio; left out: 3, or as long as --play takes
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=i64::from(MAX_CALL_S)))]
    pub seconds: Option<u32>,
    /// WAV file to play to the far side, in place of our own markers
    #[arg(long, value_name = "IN.WAV")]
    pub play: Option<PathBuf>,
    /// WAV file for what the far side says, written when the call ends, by Ctrl-C too; needs `record = true` in the target file
    #[arg(long, value_name = "OUT.WAV")]
    pub record: Option<PathBuf>,
    /// DTLS role to offer
    #[arg(long, value_enum, default_value_t = SetupArg::Actpass)]
    pub setup: SetupArg,
    /// ICE candidates to offer
    #[arg(long, value_enum, default_value_t = CandidatesArg::All)]
    pub candidates: CandidatesArg,
    /// Print the observation as JSON
    #[arg(long)]
    pub json: bool,
}

/// DTLS role to offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SetupArg {
    /// Either: the target chooses.
    Actpass,
    /// We are the DTLS client.
    Active,
    /// We are the DTLS server.
    Passive,
}

/// ICE candidates to offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CandidatesArg {
    /// All.
    All,
    /// Relayed ones only: forces the call through TURN.
    Relay,
    /// Host candidates only.
    Host,
}

/// Arguments of `lab`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
    ringfence lab > target.toml
    ringfence lab --fault srtp-tag-ignored --folder lab
Then, in another terminal:
    ringfence run --target target.toml")]
pub struct LabArgs {
    /// What is wrong with it; see --list-faults
    #[arg(long, value_name = "NAME")]
    pub fault: Option<String>,
    /// List the faults, what each does, and the scenario that it proves
    #[arg(long)]
    pub list_faults: bool,
    /// Folder for the CA certificate, the target file and the log; left out: a temporary one
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Serve this script in place of the page's own phone: a module with the interface of harness/lab/src/page/phone.js
    #[arg(long, value_name = "FILE")]
    pub phone: Option<PathBuf>,
    /// The page calls through the TURN server only
    #[arg(long)]
    pub relay_only: bool,
    /// Program that answers each call instead of the lab's own echo: a shell command, started once per call. It reads the
    /// SDP offer and writes the answer, each ended by a line with one dot; the call is over when its input closes
    #[arg(long, value_name = "COMMAND")]
    pub callee: Option<String>,
}

fn severity(text: &str) -> Result<Severity, String> {
    Severity::WORST_FIRST
        .into_iter()
        .find(|severity| severity.word() == text)
        .ok_or_else(|| "expected low, medium, high or critical".to_owned())
}

fn profile(text: &str) -> Result<Profile, String> {
    Profile::ALL
        .into_iter()
        .find(|profile| profile.word() == text)
        .ok_or_else(|| "expected smoke, ci or full".to_owned())
}

fn sip_uri(text: &str) -> Result<String, String> {
    let rest = ["sip:", "sips:", "tel:"].iter().find_map(|scheme| text.strip_prefix(scheme));
    match rest.filter(|rest| !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control())) {
        Some(_) => Ok(text.to_owned()),
        None => Err("expected a SIP URI, for example sip:echo@sip.example.test".to_owned()),
    }
}

fn output(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, path) = text.split_once('=').ok_or("expected FORMAT=PATH, for example html=report.html")?;
    if path.is_empty() {
        return Err(format!("{format}= names no file"));
    }
    Ok((format.parse::<Format>().map_err(|error| error.to_string())?, PathBuf::from(path)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use ringfence_model::Exit;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Arguments are seen by everybody on the machine, and kept by shells and CI logs.
    #[test]
    fn no_argument_takes_a_secret() {
        const SECRET: [&str; 9] =
            ["password", "passwd", "secret", "token", "login", "credential", "cookie", "bearer", "api-key"];
        let mut open = vec![Cli::command()];
        while let Some(command) = open.pop() {
            for argument in command.get_arguments() {
                let names = argument.get_long_and_visible_aliases().unwrap_or_default();
                let values = argument.get_value_names().unwrap_or_default().iter().map(|name| name.as_str());
                for name in names.into_iter().chain(values).chain([argument.get_id().as_str()]) {
                    let name = name.to_ascii_lowercase().replace('_', "-");
                    assert!(!SECRET.iter().any(|word| name.contains(word)), "{} {name}", command.get_name());
                }
            }
            open.extend(command.get_subcommands().cloned());
        }
    }

    #[test]
    fn help_lists_every_exit_code() {
        for exit in Exit::PRECEDENCE {
            assert!(AFTER.contains(&format!("{:>5}  {}", exit.code(), exit.meaning())), "{exit:?}");
        }
    }
}
