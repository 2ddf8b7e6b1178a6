//! Many targets, so many at once: briefly or for long.

use std::path::Path;
use std::str::FromStr;
use std::sync::Mutex;

use ringfence_fuzz_kit::target::Target;

use crate::fuzzer::{Engine, Outcome};
use crate::{Problem, figures, places, stop};

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

/// Runs the targets, so many at once, and says of each how it went. What one comes to is kept at once: Ctrl-C or a full disk in the
/// fifteenth hour costs nothing but what was running.
pub fn campaign(targets: &[&'static Target], jobs: usize, budget: Budget) -> Result<Vec<Outcome>, Problem> {
    let engine = Engine::build(targets)?;
    let (Budget::Smoke { seconds } | Budget::Nightly { seconds }) = budget;
    println!("{} targets, {seconds} s each, {jobs} at once", targets.len());
    let outcomes = in_parallel(targets, jobs, |target| {
        let outcome = one(&engine, target, budget).unwrap_or_else(|problem| Outcome {
            target: target.name.to_owned(),
            problem: Some(problem),
            ..Outcome::default()
        });
        tell(&outcome);
        outcome
    });
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

fn one(engine: &Engine, target: &Target, budget: Budget) -> Result<Outcome, Problem> {
    let mut corpora = vec![places::corpus(target.name)];
    let regressions = places::regressions(target.name);
    if regressions.is_dir() {
        corpora.push(regressions);
    }
    match budget {
        Budget::Smoke { seconds } => {
            let passing = places::scratch(&format!("new/{}", target.name));
            let _ = std::fs::remove_dir_all(&passing);
            places::make(&passing)?;
            corpora.insert(0, passing);
            engine.run(target, seconds, &corpora)
        }
        Budget::Nightly { seconds } => {
            let outcome = engine.run(target, seconds, &corpora)?;
            figures::add_time(&outcome)?;
            Ok(outcome)
        }
    }
}

/// Whether all were clean; if not, where to look.
pub fn summary(outcomes: &[Outcome], asked: usize) -> bool {
    let bad: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.clean).collect();
    for outcome in &bad {
        if let Some(problem) = &outcome.problem {
            println!("\n--- {} could not be run: {problem}", outcome.target);
            continue;
        }
        let log = places::read(&outcome.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = text.lines().collect();
        println!("\n--- {}, the end of {}", outcome.target, outcome.log.display());
        println!("{}", lines[lines.len().saturating_sub(TAIL)..].join("\n"));
        println!("--- if it names an input, that is in {}", places::artifacts(&outcome.target).display());
        println!("--- see it with: cargo suite replay {} FILE", outcome.target);
    }
    let executions: u64 = outcomes.iter().map(|outcome| outcome.executions).sum();
    println!("{} targets, {executions} executions, {} not clean", outcomes.len(), bad.len());
    if stop::requested() {
        println!("interrupted: {} of {asked} targets were not begun", asked - outcomes.len());
    }
    bad.is_empty()
}

/// What came out, as JSON.
pub fn write_json(outcomes: &[Outcome], path: &Path) -> Result<(), Problem> {
    let text = serde_json::to_string_pretty(outcomes).map_err(|error| error.to_string())?;
    std::fs::write(path, text + "\n").map_err(|error| places::about(path, &error))
}

/// The work on each target, so many at once; in the order of the targets. After Ctrl-C none is begun.
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
                while !stop::requested() {
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
    let Outcome { target, clean, problem, executions, per_second, edges, features, inputs, .. } = outcome;
    if let Some(problem) = problem {
        return println!("{target:<24} {problem}");
    }
    let word = if *clean { "nothing found" } else { "FOUND SOMETHING" };
    println!(
        "{target:<24} {executions:>10} runs {per_second:>8}/s  {edges:>6} edges {features:>6} features {inputs:>5} inputs  {word}"
    );
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
}
