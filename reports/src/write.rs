//! Writing an output so that a reader never sees half of it and nobody can aim it at another file.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// What every output of ours has near its start, and a target file or a scenario has not.
const MARK: &str = "ringfence.report";
/// How much of an existing file is read to find it, in bytes.
const MARK_WITHIN: u64 = 4096;

/// An output that was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The path has no file name.
    #[error("{0}: names no file")]
    NoName(PathBuf),
    /// Something that is no ordinary file is in the way.
    #[error("{path}: is {what}, only an ordinary file is replaced")]
    InTheWay {
        /// The output's path.
        path: PathBuf,
        /// `a folder`, `a symbolic link` or `a device, pipe or socket`.
        what: &'static str,
    },
    /// A file is there that ringfence did not write.
    #[error("{0}: exists and is no report of ringfence; --force replaces it")]
    Exists(PathBuf),
    /// The system refused.
    #[error("{path}: {error}")]
    Io {
        /// The output's path.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Whether [`write_atomically`] would write there, as far as that can be known before: nothing that has to stay is in the
/// way, and the folder takes a new file.
///
/// # Errors
/// [`WriteError`], which names the path.
pub fn writable(path: &Path, force: bool) -> Result<(), WriteError> {
    temporary(path, force).map(drop)
}

/// Writes a file whole or not at all: into a new temporary file of the same folder (created exclusively, mode 0600 on
/// unix), flushed to the disk, then renamed. A report that ringfence wrote earlier is replaced; any other file only with
/// `force`; a folder, symbolic link, pipe, socket or device never.
///
/// # Errors
/// [`WriteError`], which names the path. The temporary file is removed.
pub fn write_atomically(path: &Path, text: &str, force: bool) -> Result<(), WriteError> {
    let io = |error| WriteError::Io { path: path.to_owned(), error };
    let (mut file, replaces) = temporary(path, force)?;
    file.write_all(text.as_bytes()).map_err(io)?;
    file.as_file().sync_all().map_err(io)?;
    if replaces {
        file.persist(path).map_err(|e| io(e.error))?;
    } else {
        // Who put a file there since we looked did not mean it to be replaced.
        file.persist_noclobber(path).map_err(|e| match e.error.kind() {
            io::ErrorKind::AlreadyExists => WriteError::Exists(path.to_owned()),
            _ => io(e.error),
        })?;
    }
    Ok(())
}

/// A new file beside the path, and whether something is there that it is to replace.
fn temporary(path: &Path, force: bool) -> Result<(NamedTempFile, bool), WriteError> {
    if path.file_name().is_none() {
        return Err(WriteError::NoName(path.to_owned()));
    }
    let replaces = may_replace(path, force)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = Builder::new().prefix(".ringfence-").suffix(".tmp").tempfile_in(folder);
    Ok((file.map_err(|error| WriteError::Io { path: path.to_owned(), error })?, replaces))
}

/// Whether something is there to be replaced.
fn may_replace(path: &Path, force: bool) -> Result<bool, WriteError> {
    let io = |error| WriteError::Io { path: path.to_owned(), error };
    let kind = match fs::symlink_metadata(path) {
        Ok(meta) => meta.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(io(error)),
    };
    let what = match kind {
        kind if kind.is_dir() => "a folder",
        kind if kind.is_symlink() => "a symbolic link",
        kind if !kind.is_file() => "a device, pipe or socket",
        _ if force || is_ours(path).map_err(io)? => return Ok(true),
        _ => return Err(WriteError::Exists(path.to_owned())),
    };
    Err(WriteError::InTheWay { path: path.to_owned(), what })
}

fn is_ours(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(MARK_WITHIN).read_to_end(&mut start)?;
    Ok(start.windows(MARK.len()).any(|window| window == MARK.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "{\n  \"format\": \"ringfence.report/v1\"\n}\n";

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn an_earlier_report_is_replaced_and_a_strangers_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        write_atomically(&path, OURS, false).unwrap();
        writable(&path, false).unwrap();
        write_atomically(&path, "ringfence.report again", false).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "ringfence.report again");

        fs::write(&path, "# target file for ringfence").unwrap();
        assert!(matches!(write_atomically(&path, OURS, false), Err(WriteError::Exists(_))));
        assert!(matches!(writable(&path, false), Err(WriteError::Exists(_))) && writable(&path, true).is_ok());
        assert_eq!(fs::read_to_string(&path).unwrap(), "# target file for ringfence");
        write_atomically(&path, OURS, true).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), OURS);
        assert_eq!(names(folder.path()), ["report.json"], "no temporary file stays");
    }

    #[test]
    fn what_cannot_be_written_names_the_path_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(write_atomically(Path::new("/"), OURS, true), Err(WriteError::NoName(_))));
        assert!(matches!(
            write_atomically(folder.path(), OURS, true),
            Err(WriteError::InTheWay { what: "a folder", .. })
        ));
        let error = write_atomically(&folder.path().join("none/report.json"), OURS, true).unwrap_err();
        assert!(error.to_string().contains("none/report.json"), "{error}");
        assert!(names(folder.path()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn links_pipes_and_sockets_are_refused_even_by_force() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        use std::os::unix::net::UnixListener;

        let folder = tempfile::tempdir().unwrap();
        let (link, socket, victim) =
            (folder.path().join("link"), folder.path().join("socket"), folder.path().join("victim"));
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, &link).unwrap();
        let _listener = UnixListener::bind(&socket).unwrap();
        for path in [&link, &socket] {
            assert!(matches!(write_atomically(path, OURS, true), Err(WriteError::InTheWay { .. })), "{path:?}");
        }
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");

        let path = folder.path().join("report.json");
        write_atomically(&path, OURS, false).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
