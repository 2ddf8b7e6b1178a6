//! Where things lie, and files of folders.

use std::path::{Path, PathBuf};

use crate::Problem;

/// The folder `fuzz/`.
pub fn fuzz() -> PathBuf {
    let kit = Path::new(env!("CARGO_MANIFEST_DIR"));
    kit.parent().unwrap_or(kit).to_owned()
}

/// The root of the repository.
pub fn root() -> PathBuf {
    let fuzz = fuzz();
    fuzz.parent().map_or_else(|| fuzz.clone(), Path::to_owned)
}

/// Where a target's inputs lie: seeds, and what fuzzing found.
pub fn corpus(target: &str) -> PathBuf {
    fuzz().join("corpus").join(target)
}

/// Where a target's crashes go; `cargo fuzz` has them there too.
pub fn artifacts(target: &str) -> PathBuf {
    fuzz().join("artifacts").join(target)
}

/// What was found before in a target.
pub fn regressions(target: &str) -> PathBuf {
    fuzz().join("regressions").join(target)
}

/// Where libFuzzer's binaries are built; `cargo fuzz` does so there too, unless it is told otherwise.
pub fn builds() -> PathBuf {
    fuzz().join("target")
}

/// Where logs and other passing things go.
pub fn scratch(name: &str) -> PathBuf {
    builds().join("suite").join(name)
}

/// The files of a folder in the order of their names; none if it is not there.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(about(folder, &error)),
    };
    let mut files = entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(|error| about(folder, &error)))
        .filter(|path| path.as_ref().map_or(true, |path| path.is_file()))
        .collect::<Result<Vec<_>, _>>()?;
    files.sort();
    Ok(files)
}

/// A folder that is there.
pub fn make(folder: &Path) -> Result<(), Problem> {
    std::fs::create_dir_all(folder).map_err(|error| about(folder, &error))
}

/// A file with these bytes, written only if it has others.
pub fn write(path: &Path, bytes: &[u8]) -> Result<bool, Problem> {
    if std::fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(false);
    }
    path.parent().map_or(Ok(()), make)?;
    std::fs::write(path, bytes).map_err(|error| about(path, &error))?;
    Ok(true)
}

/// What a file has; an error names it.
pub fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    std::fs::read(path).map_err(|error| about(path, &error))
}

/// An error with the path that it is about.
pub fn about(path: &Path, error: &std::io::Error) -> Problem {
    format!("{}: {error}", path.display())
}
