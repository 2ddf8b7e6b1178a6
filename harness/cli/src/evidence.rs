//! The journal's file: made anew, or taken up where a run broke off. One process writes to it at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use ringfence_judge::journal;

use crate::problem::Problem;

/// A journal file that only its owner reads. One of an earlier run moves aside, so that asking one scenario again does
/// not take the evidence of the whole run away; any other file stays, and is a problem.
pub fn create(path: &Path) -> Result<File, Problem> {
    let failed = |error: std::io::Error| Problem::output(format!("{}: {error}", path.display()));
    let taken = |why: &str| Problem::output(format!("{}: {why}; choose another --journal", path.display()));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    if let Ok(kind) = std::fs::symlink_metadata(path) {
        if !kind.is_file() || !starts_like_a_journal(path).map_err(failed)? {
            return Err(taken("is there already and is no journal of an earlier run"));
        }
        if !lock(&File::open(path).map_err(failed)?).map_err(failed)? {
            return Err(taken("a run that goes on writes to it"));
        }
        let aside = path.with_extension("previous.jsonl");
        let free = std::fs::symlink_metadata(&aside)
            .map_or(true, |kind| kind.is_file() && starts_like_a_journal(&aside).unwrap_or(false));
        match free {
            true => std::fs::rename(path, &aside).map_err(failed)?,
            false => std::fs::remove_file(path).map_err(failed)?,
        }
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(failed)?;
    // A file that was just made is nobody else's; where locks do not exist, none is missed.
    let _ = lock(&file);
    Ok(file)
}

/// The journal of a run that broke off, read and locked, not touched yet.
pub struct BrokenOff {
    /// What it holds.
    pub journal: ringfence_judge::Journal,
    path: PathBuf,
    file: File,
    /// Bytes of its whole lines.
    whole: u64,
}

/// Opens and reads a journal to go on with.
pub fn reopen(path: &Path) -> Result<BrokenOff, Problem> {
    let wrong = |why: String| Problem::usage(format!("--resume {}: {why}", path.display()));
    let io = |error: std::io::Error| wrong(error.to_string());
    if !std::fs::symlink_metadata(path).map_err(io)?.is_file() {
        return Err(wrong("is no ordinary file".into()));
    }
    let mut file = OpenOptions::new().read(true).append(true).open(path).map_err(io)?;
    if !lock(&file).map_err(io)? {
        return Err(wrong("a run that goes on writes to it".into()));
    }
    let mut bytes = Vec::new();
    // One byte more than a journal may have, so that a larger one is seen to be larger.
    (&mut file).take(journal::MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(io)?;
    let journal = journal::read(&bytes).map_err(|error| wrong(error.to_string()))?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at as u64 + 1);
    Ok(BrokenOff { journal, path: path.to_owned(), file, whole })
}

impl BrokenOff {
    /// Cuts a line off that broke off, in one step, so that a kill leaves the old file or the new one; then the file
    /// goes on behind the last whole line.
    pub fn go_on(self) -> Result<(File, ringfence_judge::Journal), Problem> {
        let Self { journal, path, mut file, whole } = self;
        let failed = |error: std::io::Error| Problem::output(format!("{}: {error}", path.display()));
        if journal.torn {
            complain!("{}: the last line broke off and is cut away", path.display());
            file.set_len(whole).and_then(|()| file.sync_all()).map_err(failed)?;
        }
        file.seek(std::io::SeekFrom::End(0)).map_err(failed)?;
        Ok((file, journal))
    }
}

/// Locks a journal for as long as the file is open; false where another process has it.
fn lock(file: &File) -> std::io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        // Some file systems have no locks.
        Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn starts_like_a_journal(path: &Path) -> std::io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(256).read_to_end(&mut start)?;
    let start = String::from_utf8_lossy(&start);
    Ok(start.is_empty() || start.starts_with("{\"hash\":\"") && start.contains("\"seq\":0,"))
}
