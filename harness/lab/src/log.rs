//! The lab's log file: who asked for what and what came of it, never a password, token or Authorization.

use std::fs::File;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use ringfence_model::Untrusted;

use crate::figures::MAX_LOG_BYTES;

/// Characters of a name that are written.
const MAX_NAME: usize = 64;

/// One file, one line per request.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    started: Instant,
    state: Mutex<(File, u64)>,
}

/// What one line says. The names come from the wire and are escaped; nothing else of a request is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// `config`, `page`, `signalling`, `turn`.
    pub part: &'static str,
    /// Method.
    pub method: &'a str,
    /// Status of the answer.
    pub status: u16,
    /// User identifier, or empty.
    pub user: &'a str,
    /// Where it came from.
    pub source: IpAddr,
}

impl Log {
    /// Starts an empty file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(path: &Path) -> std::io::Result<Self> {
        let file = File::create(path)?;
        Ok(Self { path: path.to_owned(), started: Instant::now(), state: Mutex::new((file, 0)) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a line. A full disk does not stop the lab.
    pub fn write(&self, line: Line<'_>) {
        let Line { part, method, status, user, source } = line;
        let t = self.started.elapsed().as_millis();
        let (method, user) = (name(method), name(user));
        self.add(&format!("t_ms={t} part={part} source={source} method={method} status={status} user={user}\n"));
    }

    /// Adds what was answered, secrets and all: the fault that `credentials/in-logs` finds.
    pub fn write_body(&self, body: &str) {
        self.add(&format!("t_ms={} body={body}\n", self.started.elapsed().as_millis()));
    }

    fn add(&self, text: &str) {
        let Ok(mut state) = self.state.lock() else { return };
        if state.1 + text.len() as u64 <= MAX_LOG_BYTES && state.0.write_all(text.as_bytes()).is_ok() {
            state.1 += text.len() as u64;
        }
    }
}

/// Hostile text in one word: nothing in it starts a line or a field.
fn name(text: &str) -> String {
    let cut: String = text.chars().take(MAX_NAME).collect();
    match Untrusted::new(cut).visible().replace([' ', '='], "_") {
        empty if empty.is_empty() => "-".to_owned(),
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_in_their_field() {
        assert_eq!(name("a\nstatus=200 b\u{1b}"), "a\\u{a}status_200_b\\u{1b}");
        assert_eq!(name(""), "-");
        assert_eq!(name(&"x".repeat(500)).len(), MAX_NAME);
    }
}
