//! Where the operator's log files ended when a chain began. What was written before is not this chain's doing.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files of which the end is remembered (house).
const FILES: usize = 64;
/// Bytes before the end by which a file is known again that was emptied and has grown since (house).
const TAIL: u64 = 64;
/// Entries of a folder among which a file is looked for that was moved away (house).
const BESIDE: usize = 1024;

/// The ends of all log files.
#[derive(Clone, Debug, Default)]
pub struct LogMarks(Arc<Vec<Mark>>);

#[derive(Debug)]
struct Mark {
    path: PathBuf,
    /// `None`: there was no such file yet.
    end: Option<End>,
}

#[derive(Debug)]
struct End {
    device: u64,
    inode: u64,
    length: u64,
    tail: Vec<u8>,
}

/// A file, and from where on it is new.
pub(crate) struct Newer {
    /// Where it is, as the operator names it.
    pub path: PathBuf,
    /// The file, open at its first new byte.
    pub file: File,
    /// That byte's place.
    pub from: u64,
}

impl LogMarks {
    /// Remembers where these files end now.
    pub fn now(paths: &[PathBuf]) -> Self {
        let mark = |path: &PathBuf| Mark { path: path.clone(), end: End::of(path).ok() };
        Self(Arc::new(paths.iter().take(FILES).map(mark).collect()))
    }

    /// What has been added since, file by file. A file that was moved away is read to its end, and then the one in its place from
    /// its beginning; one that was emptied is read from its beginning. The error says of a file why it cannot be read.
    pub(crate) fn newer(&self) -> Vec<Result<Newer, (PathBuf, io::Error)>> {
        self.0.iter().flat_map(Mark::newer).collect()
    }
}

impl Mark {
    fn newer(&self) -> Vec<Result<Newer, (PathBuf, io::Error)>> {
        let open = |path: &Path, from: u64| open(path, from).map_err(|error| (self.path.clone(), error));
        let Some(end) = &self.end else { return vec![open(&self.path, 0)] };
        match fs::metadata(&self.path) {
            Ok(now) if end.is_of(&now) && now.len() >= end.length && end.still_stands(&self.path) => {
                vec![open(&self.path, end.length)]
            }
            Ok(now) if end.is_of(&now) => vec![open(&self.path, 0)],
            _ => {
                let moved = end.moved_to(&self.path).map(|path| open(&path, end.length));
                moved.into_iter().chain([open(&self.path, 0)]).collect()
            }
        }
    }
}

impl End {
    fn of(path: &Path) -> io::Result<Self> {
        let (file, about) = regular(path)?;
        let tail = tail(file, about.len())?;
        Ok(Self { device: about.dev(), inode: about.ino(), length: about.len(), tail })
    }

    fn is_of(&self, about: &Metadata) -> bool {
        (self.device, self.inode) == (about.dev(), about.ino())
    }

    /// What stood before the end stands there still.
    fn still_stands(&self, path: &Path) -> bool {
        regular(path).and_then(|(file, _)| tail(file, self.length)).is_ok_and(|tail| tail == self.tail)
    }

    /// Where the file is now, beside its old place.
    fn moved_to(&self, path: &Path) -> Option<PathBuf> {
        let beside = fs::read_dir(path.parent()?).ok()?.take(BESIDE).flatten();
        beside.map(|entry| entry.path()).find(|path| fs::symlink_metadata(path).is_ok_and(|about| self.is_of(&about)))
    }
}

/// Opens a file, and nothing that could make us wait: no pipe and no device.
pub(crate) fn regular(path: &Path) -> io::Result<(File, Metadata)> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no regular file"));
    }
    let file = File::open(path)?;
    let about = file.metadata()?;
    Ok((file, about))
}

fn open(path: &Path, from: u64) -> io::Result<Newer> {
    let (mut file, _) = regular(path)?;
    file.seek(SeekFrom::Start(from))?;
    Ok(Newer { path: path.to_owned(), file, from })
}

fn tail(mut file: File, end: u64) -> io::Result<Vec<u8>> {
    let length = end.min(TAIL);
    file.seek(SeekFrom::Start(end - length))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn add(path: &Path, text: &str) {
        File::options().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn read(marks: &LogMarks) -> String {
        let mut all = String::new();
        for newer in marks.newer() {
            let Ok(mut newer) = newer else {
                all.push('!');
                continue;
            };
            newer.file.read_to_string(&mut all).unwrap();
            all.push('|');
        }
        all
    }

    #[test]
    fn only_what_is_new_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let marks = || LogMarks::now(std::slice::from_ref(&path));
        assert_eq!(read(&marks()), "!", "no such file");
        let before = marks();
        add(&path, "first\n");
        assert_eq!(read(&before), "first\n|", "it came later");
        let marked = marks();
        assert_eq!(read(&marked), "|");
        add(&path, "second\n");
        assert_eq!(read(&marked), "second\n|");
        // Rotated: moved away and begun anew.
        fs::rename(&path, folder.path().join("a.log.1")).unwrap();
        assert_eq!(read(&marked), "second\n|!");
        add(&path, "third\n");
        assert_eq!(read(&marked), "second\n|third\n|");
        // Emptied, as `copytruncate` does, and grown beyond where it ended.
        let marked = marks();
        fs::write(&path, "").unwrap();
        assert_eq!(read(&marked), "|");
        add(&path, "fourth and much longer\n");
        assert_eq!(read(&marked), "fourth and much longer\n|");
        assert_eq!(read(&LogMarks::now(&["/dev/zero".into(), folder.path().into()])), "!!");
    }
}
