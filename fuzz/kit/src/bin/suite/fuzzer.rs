//! libFuzzer's binaries: built once, run many at a time.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::Mutex;

use ringfence_fuzz_kit::target::Target;
use serde::Serialize;

use crate::{Problem, figures, places};

/// MiB that a run may hold at most, and allocate at once: far above what any bounded reader needs (house).
const RSS_LIMIT_MB: u32 = 512;
const MALLOC_LIMIT_MB: u32 = 256;
/// Seconds that one input may take, and in a smoke test, whose machine may have other work (house).
const TIMEOUT_S: u32 = 5;
const SMOKE_TIMEOUT_S: u32 = 25;
/// Lines of a log that are printed of a target that found something.
const TAIL: usize = 40;

/// How long, and what for.
#[derive(Clone, Copy)]
pub enum Budget {
    /// A look at each: nothing is kept.
    Smoke {
        /// Seconds for each target.
        seconds: u64,
    },
    /// What is found new is kept, and the time is added up.
    Nightly {
        /// Seconds for each target.
        seconds: u64,
    },
}

/// One of n parts of the targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    of: usize,
}

impl Shard {
    /// The targets of this part: every n-th.
    pub fn of(self, all: &[&'static Target]) -> Vec<&'static Target> {
        all.iter().copied().skip(self.index - 1).step_by(self.of).collect()
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Self { index, of }),
            _ => Err("it has to be I/N with I from 1 to N, such as 1/4".into()),
        }
    }
}

/// What a run of a target came to.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// The target's name.
    pub target: String,
    /// Whether it ended by itself and found nothing.
    pub clean: bool,
    /// Inputs run.
    pub executions: u64,
    /// Of them a second.
    pub per_second: u64,
    /// libFuzzer's counts: edges, features, inputs that brought any.
    pub edges: u64,
    /// See `edges`.
    pub features: u64,
    /// See `edges`.
    pub inputs: u64,
    /// MiB held at most.
    pub peak_rss_mb: u64,
    /// Seconds that it ran.
    pub seconds: u64,
    /// Where its output is.
    pub log: PathBuf,
}

/// The built binaries.
pub struct Engine {
    binaries: PathBuf,
}

impl Engine {
    /// Builds these targets, with whatever else `cargo fuzz build` wants. On a stable compiler too: AddressSanitizer is there, but asks
    /// for the word of `RUSTC_BOOTSTRAP`.
    pub fn build(targets: &[&'static Target]) -> Result<Self, Problem> {
        let host = host()?;
        let mut cargo = Command::new("cargo");
        cargo.args(["fuzz", "build"]).current_dir(places::root()).env("RUSTC_BOOTSTRAP", "1");
        if let [one] = targets {
            cargo.arg(one.name);
        }
        let status = cargo.stdin(Stdio::null()).status().map_err(|error| format!("cargo: {error}"))?;
        if !status.success() {
            return Err(
                "`cargo fuzz build` failed; if there is no such command: cargo install cargo-fuzz --locked".into()
            );
        }
        Ok(Self { binaries: places::fuzz().join(format!("target/{host}/release")) })
    }

    /// Runs a target for so long on what lies in `corpora`; new inputs go to the first.
    pub fn run(&self, target: &Target, budget: Budget, corpora: &[PathBuf]) -> Result<Outcome, Problem> {
        let (seconds, timeout) = match budget {
            Budget::Smoke { seconds } => (seconds, SMOKE_TIMEOUT_S),
            Budget::Nightly { seconds } => (seconds, TIMEOUT_S),
        };
        let mut arguments: Vec<OsString> = vec![
            format!("-max_total_time={seconds}").into(),
            format!("-timeout={timeout}").into(),
            format!("-rss_limit_mb={RSS_LIMIT_MB}").into(),
            format!("-malloc_limit_mb={MALLOC_LIMIT_MB}").into(),
            format!("-max_len={}", target.max_len).into(),
            "-print_final_stats=1".into(),
        ];
        if let Some(words) = target.dictionary {
            let path = places::fuzz().join(format!("dictionaries/{words}.dict"));
            arguments.push(format!("-dict={}", path.display()).into());
        }
        arguments.extend(corpora.iter().map(|path| path.clone().into_os_string()));
        let begun = std::time::Instant::now();
        let (clean, log) = self.start(target, "run", &arguments)?;
        let text = String::from_utf8_lossy(&places::read(&log)?).into_owned();
        let outcome = Outcome { seconds: begun.elapsed().as_secs(), clean, log, ..counted(target.name, &text) };
        Ok(outcome)
    }

    /// Adds to a folder what it lacks of another's coverage.
    pub fn merge(&self, target: &Target, into: &Path, from: &Path) -> Result<(), Problem> {
        let arguments = ["-merge=1".into(), format!("-max_len={}", target.max_len).into(), into.into(), from.into()];
        match self.start(target, "merge", &arguments)? {
            (true, _) => Ok(()),
            (false, log) => Err(format!("the merge failed: {}", log.display())),
        }
    }

    /// Whether it ended well, and its output.
    fn start(&self, target: &Target, what: &str, arguments: &[OsString]) -> Result<(bool, PathBuf), Problem> {
        let artifacts = places::artifacts(target.name);
        places::make(&artifacts)?;
        places::make(&places::scratch(""))?;
        let log = places::scratch(&format!("{}.{what}.log", target.name));
        let output = File::create(&log).map_err(|error| places::about(&log, &error))?;
        let errors = output.try_clone().map_err(|error| places::about(&log, &error))?;
        let binary = self.binaries.join(target.name);
        let status = Command::new(&binary)
            .args(arguments)
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            // Freed memory is kept back for a while, to notice its use: 256 MiB of it would be half of what a run may hold.
            .env("ASAN_OPTIONS", "quarantine_size_mb=32")
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .status()
            .map_err(|error| places::about(&binary, &error))?;
        Ok((status.success(), log))
    }
}

/// Runs the targets, so many at once, and says of each how it went.
pub fn campaign(targets: &[&'static Target], jobs: usize, budget: Budget) -> Result<Vec<Outcome>, Problem> {
    let engine = Engine::build(targets)?;
    let (Budget::Smoke { seconds } | Budget::Nightly { seconds }) = budget;
    println!("{} targets, {seconds} s each, {jobs} at once", targets.len());
    let outcomes = in_parallel(targets, jobs, |target| {
        let outcome = one(&engine, target, budget);
        match &outcome {
            Ok(outcome) => tell(outcome),
            Err(problem) => println!("{:<24} {problem}", target.name),
        }
        outcome
    });
    let outcomes: Vec<Outcome> = outcomes.into_iter().map(|(_, outcome)| outcome).collect::<Result<_, _>>()?;
    if matches!(budget, Budget::Nightly { .. }) {
        figures::add_time(&outcomes)?;
    }
    Ok(outcomes)
}

fn one(engine: &Engine, target: &Target, budget: Budget) -> Result<Outcome, Problem> {
    let corpus = places::corpus(target.name);
    let regressions = places::fuzz().join("regressions").join(target.name);
    let mut corpora = vec![corpus];
    if regressions.is_dir() {
        corpora.push(regressions);
    }
    match budget {
        Budget::Nightly { .. } => engine.run(target, budget, &corpora),
        Budget::Smoke { .. } => {
            let passing = places::scratch(&format!("new/{}", target.name));
            let _ = std::fs::remove_dir_all(&passing);
            places::make(&passing)?;
            corpora.insert(0, passing);
            engine.run(target, budget, &corpora)
        }
    }
}

/// Whether all were clean; if not, where to look.
pub fn summary(outcomes: &[Outcome]) -> bool {
    let found: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.clean).collect();
    for outcome in &found {
        let log = places::read(&outcome.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = text.lines().collect();
        println!("\n--- {}, the end of {}", outcome.target, outcome.log.display());
        println!("{}", lines[lines.len().saturating_sub(TAIL)..].join("\n"));
        println!("--- the input is in {}", places::artifacts(&outcome.target).display());
        println!("--- see it with: cargo suite replay {} FILE", outcome.target);
    }
    let executions: u64 = outcomes.iter().map(|outcome| outcome.executions).sum();
    println!("{} targets, {executions} executions, {} with a finding", outcomes.len(), found.len());
    found.is_empty()
}

/// What came out, as JSON.
pub fn write_json(outcomes: &[Outcome], path: &Path) -> Result<(), Problem> {
    let text = serde_json::to_string_pretty(outcomes).map_err(|error| error.to_string())?;
    std::fs::write(path, text + "\n").map_err(|error| places::about(path, &error))
}

/// The work on each target, so many at once; in the order of the targets.
pub fn in_parallel<T: Send>(
    targets: &[&'static Target],
    jobs: usize,
    work: impl Fn(&'static Target) -> T + Sync,
) -> Vec<(&'static Target, T)> {
    let queue = Mutex::new(targets.iter().enumerate());
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(targets.len()) {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().map_or(None, |mut queue| queue.next());
                    let Some((place, target)) = next else { return };
                    let outcome = work(target);
                    if let Ok(mut done) = done.lock() {
                        done.push((place, *target, outcome));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(place, ..)| *place);
    done.into_iter().map(|(_, target, outcome)| (target, outcome)).collect()
}

fn tell(outcome: &Outcome) {
    let Outcome { target, clean, executions, per_second, edges, features, inputs, .. } = outcome;
    let word = if *clean { "nothing found" } else { "FOUND SOMETHING" };
    println!(
        "{target:<24} {executions:>10} runs {per_second:>8}/s  {edges:>6} edges {features:>6} features {inputs:>5} inputs  {word}"
    );
}

/// The figures in libFuzzer's output.
fn counted(target: &str, log: &str) -> Outcome {
    let number = |text: &str| text.trim().split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse().ok());
    let behind = |mark: &str| log.rsplit_once(mark).and_then(|(_, rest)| number(rest)).unwrap_or(0);
    Outcome {
        target: target.to_owned(),
        executions: behind("stat::number_of_executed_units:"),
        per_second: behind("stat::average_exec_per_sec:"),
        edges: behind(" cov: "),
        features: behind(" ft: "),
        inputs: behind(" corp: "),
        peak_rss_mb: behind("stat::peak_rss_mb:"),
        ..Outcome::default()
    }
}

/// The compiler's own platform, whose name `cargo fuzz` builds into.
pub fn host() -> Result<String, Problem> {
    let output = Command::new("rustc").arg("-vV").output().map_err(|error| format!("rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "`rustc -vV` names no host".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_share_out_every_target_once() {
        let all: Vec<&'static Target> = ringfence_fuzz_kit::targets::TARGETS.iter().collect();
        let parts = ["1/3", "2/3", "3/3"].map(|text| text.parse::<Shard>().expect("a shard").of(&all));
        let mut names: Vec<_> = parts.iter().flatten().map(|target| target.name).collect();
        names.sort_unstable();
        let mut expected: Vec<_> = all.iter().map(|target| target.name).collect();
        expected.sort_unstable();
        assert_eq!(names, expected);
        for wrong in ["0/3", "4/3", "1", "a/b", "1/0"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_figures_are_read() {
        let log = "#424991\tNEW    cov: 631 ft: 1592 corp: 198/7992b lim: 4096 exec/s: 106247\n\
                   #638371\tDONE   cov: 640 ft: 1600 corp: 199/8000b lim: 4096 exec/s: 106395\n\
                   stat::number_of_executed_units: 638371\nstat::average_exec_per_sec:     106395\nstat::peak_rss_mb:  216\n";
        let outcome = counted("x", log);
        assert_eq!((outcome.executions, outcome.per_second, outcome.peak_rss_mb), (638_371, 106_395, 216));
        assert_eq!((outcome.edges, outcome.features, outcome.inputs), (640, 1_600, 199));
    }
}
