//! Line coverage, by the compiler's own counters and LLVM's tools.
//!
//! `cargo fuzz coverage` builds one target at a time, without a summary over files; here `suite` itself is built with counters, on
//! stable, and replays every corpus.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ringfence_fuzz_kit::target::Target;
use serde::Deserialize;

use crate::{Problem, campaign, fuzzer, places};

/// Crates whose readers the floor is for.
const READERS: [&str; 2] = ["harness/wire/src", "harness/srtp/src"];

/// Lines of a file that were run, of those that could.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Run at least once.
    pub covered: u64,
    /// There.
    pub count: u64,
}

impl Lines {
    /// In percent; of nothing, 0.
    pub fn percent(self) -> f64 {
        if self.count == 0 { 0.0 } else { 100.0 * self.covered as f64 / self.count as f64 }
    }

    fn and(self, other: Self) -> Self {
        Self { covered: self.covered + other.covered, count: self.count + other.count }
    }
}

/// What was covered.
pub struct Coverage {
    /// By each target, of the code that it `covers`.
    pub targets: BTreeMap<&'static str, Lines>,
    /// By all of them, of each file that any of them covers.
    pub files: BTreeMap<String, Lines>,
}

/// Prints the coverage; whether no reader is below the floor.
pub fn command(
    targets: &[&'static Target],
    jobs: usize,
    html: Option<&Path>,
    floor: Option<f64>,
) -> Result<bool, Problem> {
    let coverage = measure(targets, jobs, html)?;
    for (name, lines) in &coverage.targets {
        println!("{name:<24} {:>6.1} % of {} lines", lines.percent(), lines.count);
    }
    println!();
    let mut whole = true;
    for (file, lines) in &coverage.files {
        let below = is_reader(file) && floor.is_some_and(|floor| lines.percent() < floor);
        whole &= !below;
        let mark = if below { "  BELOW THE FLOOR" } else { "" };
        println!("{file:<48} {:>6.1} % of {} lines{mark}", lines.percent(), lines.count);
    }
    Ok(whole)
}

/// Whether the file is part of a codec, for which the floor is.
pub fn is_reader(file: &str) -> bool {
    READERS.iter().any(|folder| file.starts_with(folder))
}

/// Builds, replays every corpus, and reads the counters.
pub fn measure(targets: &[&'static Target], jobs: usize, html: Option<&Path>) -> Result<Coverage, Problem> {
    let tools = Tools::find()?;
    let binary = instrumented()?;
    let scratch = places::scratch("coverage");
    places::make(&scratch)?;
    let outcomes = campaign::in_parallel(targets, jobs, |target| {
        let raw = scratch.join(format!("{}.profraw", target.name));
        replay(&binary, target, &raw)?;
        let profile = scratch.join(format!("{}.profdata", target.name));
        tools.merge(&[raw], &profile)?;
        Ok::<_, Problem>((tools.lines(&binary, &profile)?, profile))
    });
    let mut coverage = Coverage { targets: BTreeMap::new(), files: BTreeMap::new() };
    let mut profiles = Vec::new();
    for (target, outcome) in outcomes {
        let (files, profile) = outcome?;
        let own = files.iter().filter(|(file, _)| target.covers.iter().any(|path| Path::new(file).starts_with(path)));
        coverage.targets.insert(target.name, own.fold(Lines::default(), |sum, (_, lines)| sum.and(*lines)));
        profiles.push(profile);
    }
    let all = scratch.join("all.profdata");
    tools.merge(&profiles, &all)?;
    let covered =
        |file: &str| targets.iter().flat_map(|target| target.covers).any(|path| Path::new(file).starts_with(path));
    coverage.files = tools.lines(&binary, &all)?.into_iter().filter(|(file, _)| covered(file)).collect();
    if let Some(folder) = html {
        tools.pages(&binary, &all, folder)?;
        println!("{}", folder.join("index.html").display());
    }
    Ok(coverage)
}

/// `suite`, built with counters, in a folder of its own.
fn instrumented() -> Result<PathBuf, Problem> {
    let host = fuzzer::host()?;
    let folder = places::root().join("target/coverage");
    let status = Command::new("cargo")
        .args(["build", "--package", "ringfence-fuzz-kit", "--bin", "suite", "--target", &host, "--target-dir"])
        .arg(&folder)
        .current_dir(places::root())
        .env("RUSTFLAGS", "-Cinstrument-coverage")
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    if status.success() {
        Ok(folder.join(host).join("debug/suite"))
    } else {
        Err("the build with counters failed".into())
    }
}

fn replay(binary: &Path, target: &Target, raw: &Path) -> Result<(), Problem> {
    let folders = [places::corpus(target.name), places::regressions(target.name)];
    let status = Command::new(binary)
        .args(["replay", "--quiet", target.name])
        .args(folders.iter().filter(|folder| folder.is_dir()))
        .env("LLVM_PROFILE_FILE", raw)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(|error| places::about(binary, &error))?;
    // 1: an input of the corpus is a finding. Its lines count all the same.
    if status.code().is_some_and(|code| code <= 1) {
        Ok(())
    } else {
        Err(format!("{}: its replay broke off", target.name))
    }
}

/// `llvm-profdata` and `llvm-cov`, new enough for the compiler.
struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Those of rustup's `llvm-tools`, else the newest of Debian's.
    fn find() -> Result<Self, Problem> {
        let sysroot =
            Command::new("rustc").args(["--print", "sysroot"]).output().map_err(|error| format!("rustc: {error}"))?;
        let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot.stdout).trim());
        let mut folders = vec![sysroot.join("lib/rustlib").join(fuzzer::host()?).join("bin")];
        folders.extend((LLVM_AT_LEAST..99).rev().map(|version| PathBuf::from(format!("/usr/lib/llvm-{version}/bin"))));
        let found = folders.into_iter().find(|folder| folder.join("llvm-cov").exists());
        found.map(|folder| Self { folder }).ok_or_else(|| {
            format!("llvm-cov is missing: rustup component add llvm-tools, or apt-get install llvm-{LLVM_AT_LEAST}")
        })
    }

    fn merge(&self, profiles: &[PathBuf], into: &Path) -> Result<(), Problem> {
        let mut tool = Command::new(self.folder.join("llvm-profdata"));
        tool.args(["merge", "-sparse", "-o"]).arg(into).args(profiles);
        output(tool).map(drop)
    }

    /// Lines by file, paths from the root of the repository.
    fn lines(&self, binary: &Path, profile: &Path) -> Result<BTreeMap<String, Lines>, Problem> {
        let mut tool = Command::new(self.folder.join("llvm-cov"));
        tool.args(["export", "-summary-only", "-instr-profile"]).arg(profile).arg(binary);
        let export: Export =
            serde_json::from_slice(&output(tool)?).map_err(|error| format!("llvm-cov export: {error}"))?;
        let files = export.data.into_iter().flat_map(|part| part.files);
        let root = places::root();
        Ok(files
            .filter_map(|file| {
                let path = Path::new(&file.filename).strip_prefix(&root).ok()?.to_str()?.to_owned();
                Some((path, Lines { covered: file.summary.lines.covered, count: file.summary.lines.count }))
            })
            .collect())
    }

    fn pages(&self, binary: &Path, profile: &Path, folder: &Path) -> Result<(), Problem> {
        let mut tool = Command::new(self.folder.join("llvm-cov"));
        tool.args([
            "show",
            "-format=html",
            "-show-line-counts-or-regions",
            "-ignore-filename-regex=/(registry|rustc)/",
        ]);
        tool.arg("-output-dir").arg(folder).arg("-instr-profile").arg(profile).arg(binary);
        output(tool).map(drop)
    }
}

/// The oldest LLVM whose tools read the counters of today's compilers.
const LLVM_AT_LEAST: u32 = 19;

fn output(mut tool: Command) -> Result<Vec<u8>, Problem> {
    let output = tool.output().map_err(|error| format!("{}: {error}", tool.get_program().display()))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("{}: {}", tool.get_program().display(), String::from_utf8_lossy(&output.stderr)))
    }
}

/// The part of `llvm-cov export` that is read.
#[derive(Deserialize)]
struct Export {
    data: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    files: Vec<ExportedFile>,
}

#[derive(Deserialize)]
struct ExportedFile {
    filename: String,
    summary: Summary,
}

#[derive(Deserialize)]
struct Summary {
    lines: ExportedLines,
}

#[derive(Deserialize)]
struct ExportedLines {
    count: u64,
    covered: u64,
}
