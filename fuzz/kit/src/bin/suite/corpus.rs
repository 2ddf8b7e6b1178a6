//! Seeds, and small corpora.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use ringfence_fuzz_kit::target::Target;
use ringfence_fuzz_kit::targets::TARGETS;

use crate::campaign;
use crate::fuzzer::Engine;
use crate::{Problem, places};

/// Writes every target's seeds, takes away those that it has no more, and lists what each target is run with.
pub fn write_seeds() -> Result<(), Problem> {
    let (mut count, mut bytes, mut changed) = (0, 0, 0);
    for target in TARGETS {
        let folder = places::corpus(target.name);
        let mut names = BTreeSet::new();
        for seed in (target.seeds)() {
            let path = folder.join(format!("seed-{}", seed.name));
            changed += usize::from(places::write(&path, &seed.bytes)?);
            (count, bytes) = (count + 1, bytes + seed.bytes.len());
            names.insert(path);
        }
        for file in places::files(&folder)? {
            if is_seed(&file) && !names.contains(&file) {
                fs::remove_file(&file).map_err(|error| places::about(&file, &error))?;
                changed += 1;
            }
        }
    }
    places::write(&places::fuzz().join("dictionaries/targets.txt"), words_of_targets().as_bytes())?;
    println!("{count} seeds of {} targets, {} KiB; {changed} changed", TARGETS.len(), bytes / 1_024);
    Ok(())
}

/// What OSS-Fuzz's `build.sh` has to know: a line for each target, `NAME DICTIONARY MAX_LEN`, `-` for no dictionary.
fn words_of_targets() -> String {
    TARGETS.iter().fold(String::new(), |mut text, target| {
        let _ = writeln!(text, "{} {} {}", target.name, target.dictionary.unwrap_or("-"), target.max_len);
        text
    })
}

/// Keeps of each corpus what the coverage needs, by libFuzzer's own merge. The seeds stay whatever they add.
pub fn minimise(targets: &[&'static Target], jobs: usize) -> Result<bool, Problem> {
    let engine = Engine::build(targets)?;
    let outcomes = campaign::in_parallel(targets, jobs, |target| {
        let outcome = minimise_one(&engine, target);
        match &outcome {
            Ok((before, after)) => println!("{:<24} {before:>6} files -> {after}", target.name),
            Err(problem) => println!("{:<24} {problem}", target.name),
        }
        outcome.is_ok()
    });
    Ok(outcomes.len() == targets.len() && outcomes.iter().all(|(_, done)| *done))
}

fn minimise_one(engine: &Engine, target: &Target) -> Result<(usize, usize), Problem> {
    let folder = places::corpus(target.name);
    let small = places::scratch(&format!("minimised/{}", target.name));
    let _ = fs::remove_dir_all(&small);
    places::make(&small)?;
    let before = places::files(&folder)?;
    let seeds: Vec<_> = before.iter().filter(|path| is_seed(path)).collect();
    for seed in &seeds {
        let name = seed.file_name().unwrap_or_default();
        fs::copy(seed, small.join(name)).map_err(|error| places::about(seed, &error))?;
    }
    engine.merge(target, &small, &folder)?;
    // Only when all of the small one is there does anything of the large one go: both may have the same file.
    let mut kept = BTreeSet::new();
    for file in places::files(&small)?.iter().filter(|path| !is_seed(path)) {
        let place = folder.join(file.file_name().unwrap_or_default());
        fs::copy(file, &place).map_err(|error| places::about(&place, &error))?;
        kept.insert(place);
    }
    for file in before.iter().filter(|path| !is_seed(path) && !kept.contains(*path)) {
        fs::remove_file(file).map_err(|error| places::about(file, &error))?;
    }
    Ok((before.len(), places::files(&folder)?.len()))
}

fn is_seed(path: &std::path::Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("seed-"))
}
