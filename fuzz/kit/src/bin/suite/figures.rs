//! The figures: `fuzz/figures.toml`, and the table in `fuzz/README.md` that is made of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;

use ringfence_fuzz_kit::target::Target;
use ringfence_fuzz_kit::targets::TARGETS;
use serde::{Deserialize, Serialize};

use crate::fuzzer::{Engine, Outcome};
use crate::{Problem, coverage, places, stop};

/// The table stands between these lines of the README.
const BEGIN: &str = "<!-- figures: written by `cargo suite figures` -->";
const END: &str = "<!-- end of the figures -->";
/// What stands above `figures.toml`.
const HEAD: &str =
    "# Measured by `cargo suite figures`; the seconds fuzzed are added up by `cargo suite nightly`. Not for hands.\n\n";

/// `fuzz/figures.toml`.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Figures {
    targets: BTreeMap<String, Figure>,
    /// Line coverage of the codecs' files by all corpora, in percent.
    readers: BTreeMap<String, f64>,
}

/// Of one target.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Figure {
    /// On one core, under AddressSanitizer, mutation included.
    executions_per_second: u64,
    corpus_files: usize,
    corpus_bytes: u64,
    /// Of what the target covers, in percent.
    line_coverage: f64,
    seconds_fuzzed: u64,
}

fn path() -> PathBuf {
    places::fuzz().join("figures.toml")
}

fn readme() -> PathBuf {
    places::fuzz().join("README.md")
}

impl Figures {
    fn read() -> Result<Self, Problem> {
        match std::fs::read_to_string(path()) {
            Ok(text) => toml::from_str(&text).map_err(|error| format!("{}: {error}", path().display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(places::about(&path(), &error)),
        }
    }

    /// Writes the file, and the table after it.
    fn write(&self) -> Result<(), Problem> {
        let text = toml::to_string(self).map_err(|error| error.to_string())?;
        places::write(&path(), (HEAD.to_owned() + &text).as_bytes())?;
        let page = String::from_utf8(places::read(&readme())?).map_err(|error| error.to_string())?;
        places::write(&readme(), self.page_with(&page)?.as_bytes()).map(drop)
    }

    fn page_with(&self, page: &str) -> Result<String, Problem> {
        let missing = || format!("{} has no lines `{BEGIN}` and `{END}`", readme().display());
        let (before, rest) = page.split_once(BEGIN).ok_or_else(missing)?;
        let (_, behind) = rest.split_once(END).ok_or_else(missing)?;
        Ok(format!("{before}{BEGIN}\n{}{END}{behind}", self.table()))
    }

    fn table(&self) -> String {
        let mut text = String::from(
            "| target | reads | is held to (besides: no panic, no overflow, bounded time) | executions/s | corpus | lines | hours |\n\
             |---|---|---|--:|--:|--:|--:|\n",
        );
        for target in TARGETS {
            let asserts: Vec<&str> = target.oracles.iter().map(|oracle| oracle.name).collect();
            let Figure { executions_per_second: speed, corpus_files: files, line_coverage, seconds_fuzzed, .. } =
                self.targets.get(target.name).copied().unwrap_or_default();
            // What was not measured yet is no zero.
            let measured = |is: bool, text: String| if is { text } else { "-".to_owned() };
            let speed = measured(speed > 0, thousands(speed));
            let files = measured(files > 0, thousands(files as u64));
            let lines = measured(line_coverage > 0.0, format!("{line_coverage:.1} %"));
            let hours = seconds_fuzzed as f64 / 3_600.0;
            let (name, reads, asserts) = (target.name, target.reads, asserts.join("; "));
            let _ = writeln!(text, "| `{name}` | {reads} | {asserts} | {speed} | {files} | {lines} | {hours:.2} |");
        }
        text
    }
}

/// Writes the table as the figures and the targets are now.
pub fn write_table() -> Result<(), Problem> {
    Figures::read()?.write()
}

/// Adds the time of a run.
pub fn add_time(outcome: &Outcome) -> Result<(), Problem> {
    // Runs end side by side, and each reads the file and writes it again.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _held = ONE_AT_A_TIME.lock();
    let mut figures = Figures::read()?;
    figures.targets.entry(outcome.target.clone()).or_default().seconds_fuzzed += outcome.seconds;
    figures.write()
}

/// Measures these targets one after the other, alone on a core, then their coverage, and writes everything; whether all were clean.
pub fn command(targets: &[&'static Target], jobs: usize, seconds: u64) -> Result<bool, Problem> {
    let engine = Engine::build(targets)?;
    let mut figures = Figures::read()?;
    figures.targets.retain(|name, _| ringfence_fuzz_kit::targets::named(name).is_some());
    let passing = places::scratch("figures");
    let mut clean = true;
    for target in targets {
        let folder = places::corpus(target.name);
        let files = places::files(&folder)?;
        let bytes = files.iter().filter_map(|file| Some(file.metadata().ok()?.len())).sum();
        let _ = std::fs::remove_dir_all(&passing);
        places::make(&passing)?;
        let outcome = engine.run(target, seconds, &[passing.clone(), folder])?;
        if stop::requested() {
            return Ok(clean);
        }
        if !outcome.clean {
            println!("{:<24} FOUND SOMETHING: {}", target.name, outcome.log.display());
            clean = false;
            continue;
        }
        println!("{:<24} {:>8} executions/s", target.name, outcome.per_second);
        let figure = figures.targets.entry(target.name.to_owned()).or_default();
        figure.executions_per_second = outcome.per_second;
        (figure.corpus_files, figure.corpus_bytes) = (files.len(), bytes);
        figures.write()?;
    }
    let coverage = coverage::measure(targets, jobs, None)?;
    for (name, lines) in coverage.targets {
        figures.targets.entry(name.to_owned()).or_default().line_coverage = tenths(lines.percent());
    }
    for (file, lines) in coverage.files.into_iter().filter(|(file, _)| coverage::is_reader(file)) {
        figures.readers.insert(file, tenths(lines.percent()));
    }
    figures.write()?;
    Ok(clean)
}

fn tenths(percent: f64) -> f64 {
    (percent * 10.0).round() / 10.0
}

/// `1,234,567`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every target is in the README with what it is held to, and the figures are those of the file.
    #[test]
    fn the_table_of_the_readme_is_that_of_the_figures() {
        let page = std::fs::read_to_string(readme()).expect("the README");
        let fresh = Figures::read().expect("the figures").page_with(&page).expect("the page has its marks");
        assert!(fresh == page, "`cargo suite seeds` has to write fuzz/README.md again");
    }

    #[test]
    fn numbers_are_grouped() {
        let grouped = [7, 1_234, 1_234_567].map(thousands);
        assert_eq!(grouped, ["7", "1,234", "1,234,567"]);
    }
}
