//! libFuzzer's binaries: built once, each run as a process of its own.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use ringfence_fuzz_kit::target::Target;
use ringfence_fuzz_kit::targets::TARGETS;
use serde::{Deserialize, Serialize};

use crate::{Problem, places, stop};

/// MiB that a run may hold at most, and allocate at once: far above what any bounded reader needs (house).
const RSS_LIMIT_MB: u32 = 512;
const MALLOC_LIMIT_MB: u32 = 256;
/// Seconds that one input may take (house); it is wall-clock time, and the machine may have other work. Processor time has an oracle.
const TIMEOUT_S: u32 = 25;
/// libFuzzer's exit code after SIGINT.
const INTERRUPTED: i32 = 72;
/// How often a run is looked after.
const GLANCE: Duration = Duration::from_millis(50);
/// AddressSanitizer: freed memory is kept back for a while, to notice its use, and the default of 256 MiB would be half of what a run
/// may hold. Frames that were left and stacks of allocations are not watched: that costs a quarter of all executions, and
/// `cargo fuzz run TARGET FILE` watches both when there is something to look at.
const ASAN_OPTIONS: &str = "quarantine_size_mb=32:detect_stack_use_after_return=0:malloc_context_size=0";

/// What a run of a target came to.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// The target's name.
    pub target: String,
    /// Whether it ended by itself, or by Ctrl-C, and found nothing.
    pub clean: bool,
    /// Why it could not be run, if it could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
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
    /// Builds these targets, and of the rest what needs nothing more than they do. On a stable compiler too: AddressSanitizer is there,
    /// but asks for the word of `RUSTC_BOOTSTRAP`.
    pub fn build(targets: &[&'static Target]) -> Result<Self, Problem> {
        let host = host()?;
        let mut cargo = Command::new("cargo");
        cargo.args(["fuzz", "build"]).current_dir(places::root()).env("RUSTC_BOOTSTRAP", "1");
        cargo.arg("--target-dir").arg(places::builds());
        if targets.len() < TARGETS.len() {
            cargo.args(["--no-default-features", "--features", &features(targets)?]);
        }
        if let [one] = targets {
            cargo.arg(one.name);
        }
        let status = cargo.stdin(Stdio::null()).status().map_err(|error| format!("cargo: {error}"))?;
        if !status.success() {
            return Err("`cargo fuzz build` failed; it needs g++, and cargo install cargo-fuzz --locked".into());
        }
        Ok(Self { binaries: places::builds().join(host).join("release") })
    }

    /// Runs a target for so many seconds on what lies in `corpora`; new inputs go to the first.
    pub fn run(&self, target: &Target, seconds: u64, corpora: &[PathBuf]) -> Result<Outcome, Problem> {
        let mut arguments: Vec<OsString> = vec![
            format!("-max_total_time={seconds}").into(),
            format!("-timeout={TIMEOUT_S}").into(),
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
        let begun = Instant::now();
        let (clean, log) = self.start(target, "run", &arguments)?;
        let text = String::from_utf8_lossy(&places::read(&log)?).into_owned();
        let outcome = Outcome { seconds: begun.elapsed().as_secs(), clean, log, ..counted(target.name, &text) };
        Ok(outcome)
    }

    /// Adds to a folder what it lacks of another's coverage.
    pub fn merge(&self, target: &Target, into: &Path, from: &Path) -> Result<(), Problem> {
        let arguments = ["-merge=1".into(), format!("-max_len={}", target.max_len).into(), into.into(), from.into()];
        match self.start(target, "merge", &arguments)? {
            (true, _) if !stop::requested() => Ok(()),
            (_, log) => Err(format!("the merge broke off: {}", log.display())),
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
        let child = Command::new(&binary)
            .args(arguments)
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .env("ASAN_OPTIONS", ASAN_OPTIONS)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|error| places::about(&binary, &error))?;
        let status = ended(child).map_err(|error| places::about(&binary, &error))?;
        Ok((status.success() || (stop::requested() && status.code() == Some(INTERRUPTED)), log))
    }
}

/// What these targets need of the kit, by the `required-features` of their binaries.
fn features(targets: &[&'static Target]) -> Result<String, Problem> {
    #[derive(Deserialize)]
    struct Manifest {
        bin: Vec<Binary>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Binary {
        name: String,
        required_features: Vec<String>,
    }
    let path = places::fuzz().join("Cargo.toml");
    let text = String::from_utf8_lossy(&places::read(&path)?).into_owned();
    let manifest: Manifest = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let wanted = manifest.bin.iter().filter(|binary| targets.iter().any(|target| target.name == binary.name));
    let features: BTreeSet<&str> = wanted.flat_map(|binary| &binary.required_features).map(String::as_str).collect();
    Ok(features.into_iter().collect::<Vec<_>>().join(","))
}

/// How a run ended: by itself, or because we are to stop.
fn ended(mut child: Child) -> std::io::Result<ExitStatus> {
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if stop::requested() && !told {
            told = true;
            stop::interrupt(&child);
        }
        std::thread::sleep(GLANCE);
    }
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
    fn few_targets_need_little() {
        let of = |names: &[&str]| {
            let targets: Vec<_> = TARGETS.iter().filter(|target| names.contains(&target.name)).collect();
            features(&targets).expect("the manifest has them")
        };
        assert_eq!(of(&["stun_message", "sdp"]), "wire");
        assert_eq!(of(&["stun_message", "srtp_unprotect"]), "srtp,wire");
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
