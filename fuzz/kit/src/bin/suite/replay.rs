//! One input, field by field, and what its target says.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use ringfence_fuzz_kit::target::Target;

use crate::{Problem, places, say};

/// Whether every input went through.
pub fn command(target: &Target, inputs: &[PathBuf], quiet: bool) -> Result<bool, Problem> {
    let mut whole = true;
    for input in inputs {
        let files = if input.is_dir() { places::files(input)? } else { vec![input.clone()] };
        if files.is_empty() {
            return Err(format!("{}: no file in this folder", input.display()));
        }
        for file in files {
            whole &= one(target, &file, quiet)?;
        }
    }
    Ok(whole)
}

fn one(target: &Target, file: &Path, quiet: bool) -> Result<bool, Problem> {
    let bytes = places::read(file)?;
    say(format_args!("{}: {} bytes, read as {}", file.display(), bytes.len(), target.reads));
    if !quiet {
        // Reading it may be what panics.
        match catch_unwind(|| (target.show)(&bytes)) {
            Ok(fields) => say(fields),
            Err(_) => say("(it cannot be shown: see above)"),
        }
    }
    // The default hook prints what the oracle says, and where.
    let whole = catch_unwind(|| target.check(&bytes)).is_ok();
    say(format_args!("{}: {}", target.name, if whole { "nothing found" } else { "FOUND: see above" }));
    Ok(whole)
}
