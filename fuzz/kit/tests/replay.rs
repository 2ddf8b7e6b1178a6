//! Every seed and everything that was found before, through its target.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ringfence_fuzz_kit::dictionary;
use ringfence_fuzz_kit::targets::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files of a folder of `fuzz/`, none if there is none.
fn files(folder: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(fuzz().join(folder)) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn names(folder: &str) -> BTreeSet<String> {
    files(folder).iter().filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect()
}

#[test]
fn what_was_found_before_is_found_no_more() {
    let known: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let folders = names("regressions");
    assert!(folders.is_subset(&known), "folders of no target: {:?}", folders.difference(&known));
    for target in TARGETS {
        for file in files(&format!("regressions/{}", target.name)) {
            println!("{}", file.display());
            target.check(&std::fs::read(&file).expect("it can be read"));
        }
    }
}

#[test]
fn every_seed_runs_and_each_marked_valid_is_taken() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        assert!(seeds.iter().any(|seed| seed.valid), "{} has no valid seed", target.name);
        let mut names = BTreeSet::new();
        for seed in seeds {
            let place = format!("{}/seed-{}", target.name, seed.name);
            println!("{place}");
            assert!(names.insert(seed.name.clone()), "{place} is there twice");
            assert!(seed.bytes.len() <= target.max_len, "{place} is longer than its target reads");
            assert!(
                !seed.valid || (target.accepts)(&seed.bytes),
                "{place} is refused:\n{}",
                (target.show)(&seed.bytes)
            );
            target.check(&seed.bytes);
            assert!(!(target.show)(&seed.bytes).is_empty(), "{place} shows nothing");
        }
    }
}

/// `cargo suite seeds` writes them.
#[test]
fn the_seeds_kept_are_those_that_are_made() {
    for target in TARGETS {
        let made: Vec<_> =
            (target.seeds)().into_iter().map(|seed| (format!("seed-{}", seed.name), seed.bytes)).collect();
        let kept = files(&format!("corpus/{}", target.name)).into_iter().filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            name.starts_with("seed-").then(|| (name, std::fs::read(path).expect("it can be read")))
        });
        let made: BTreeSet<_> = made.into_iter().collect();
        let kept: BTreeSet<_> = kept.collect();
        let apart: Vec<&String> = made.symmetric_difference(&kept).map(|(name, _)| name).collect();
        assert!(apart.is_empty(), "{}: `cargo suite seeds` has to write {apart:?}", target.name);
    }
}

#[test]
fn every_target_has_its_binary_and_its_dictionary() {
    let binaries = names("fuzz_targets");
    assert_eq!(TARGETS.iter().map(|target| target.name.to_owned()).collect::<BTreeSet<_>>(), binaries);
    let manifest = std::fs::read_to_string(fuzz().join("Cargo.toml")).expect("fuzz/Cargo.toml");
    for target in TARGETS {
        let name = target.name;
        let glue = std::fs::read_to_string(fuzz().join(format!("fuzz_targets/{name}.rs"))).expect("its glue");
        assert!(glue.contains(&format!("targets::{name}::TARGET.check")), "fuzz_targets/{name}.rs runs another target");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml has no {name}");
        if let Some(words) = target.dictionary {
            let text = std::fs::read_to_string(fuzz().join(format!("dictionaries/{words}.dict"))).expect("its words");
            dictionary::words(&text).expect("a dictionary");
        }
        for path in target.covers {
            assert!(fuzz().join("..").join(path).exists(), "{name} covers {path}, which is not there");
        }
    }
}
