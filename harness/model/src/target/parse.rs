//! Reading a target file: which key is wrong, where, and what would be right.

use std::path::{Path, PathBuf};

use super::{Endpoints, SecretSource, Source, Target, Value};
use crate::Secret;
use crate::known_certificates::sha256_hex;

/// What is wrong with a target file.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The file cannot be read.
    #[error("cannot read the target file {path}: {source}; `ringfence lab` prints one to start from")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key or value is wrong.
    #[error("{path}:{line}:{column}: {message}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong and what would be right.
        message: String,
    },
    /// A secret's source gives nothing.
    #[error("{message}")]
    Secret {
        /// Which, and what to set.
        message: String,
    },
}

impl Target {
    /// Reads and checks a target file. Paths in it become relative to its folder.
    pub fn read(path: &Path) -> Result<Self, TargetError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| TargetError::Unreadable { path: path.to_owned(), source })?;
        let mut target = Self::parse(&text, path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let files = target.ca_file.iter_mut().chain(&mut target.files.log).chain(&mut target.files.bundle);
        let login_files = target.logins.values_mut().flat_map(|login| {
            [&mut login.bearer, &mut login.password, &mut login.cookie, &mut login.key]
                .into_iter()
                .filter_map(|source| source.as_mut()?.file.as_mut())
        });
        for file in files.chain(login_files) {
            *file = folder.join(&*file);
        }
        for value in [&mut target.sip.password, &mut target.sip.token].into_iter().flatten() {
            if let super::SecretValue::Source(SecretSource { file: Some(file), .. }) = value {
                *file = folder.join(&*file);
            }
        }
        if let Some(SecretSource { file: Some(file), .. }) = &mut target.turn.credential {
            *file = folder.join(&*file);
        }
        if let Some(file) = target.turn.expired_login.as_mut().and_then(|login| login.credential.file.as_mut()) {
            *file = folder.join(&*file);
        }
        Ok(target)
    }

    /// Checks the text of a target file; `path` is for messages.
    pub fn parse(text: &str, path: &Path) -> Result<Self, TargetError> {
        let mut target: Self = toml::from_str(text).map_err(|error| {
            let (line, column) = position(text, error.span().map_or(0, |span| span.start));
            TargetError::Wrong { path: path.to_owned(), line, column, message: with_nearest(&hidden(error.message())) }
        })?;
        target.check().map_err(|(key, message)| {
            let (line, column) = position(text, find_key(text, key));
            TargetError::Wrong { path: path.to_owned(), line, column, message: format!("{key}: {message}") }
        })?;
        target.source = Source::of(text, path);
        Ok(target)
    }

    /// What types alone do not say. The key is the last part of the path, as it stands in the file.
    fn check(&self) -> Result<(), (&'static str, String)> {
        if self.name.trim().is_empty() {
            return Err(("name", "empty; give the deployment a name, it goes into fingerprints".into()));
        }
        let limits = &self.limits;
        for (key, seconds) in [
            ("connect_s", limits.connect_s),
            ("tls_s", limits.tls_s),
            ("idle_s", limits.idle_s),
            ("exchange_s", limits.exchange_s),
            ("ring_s", limits.ring_s),
            ("media_s", limits.media_s),
        ] {
            if !(0.05..=600.0).contains(&seconds) {
                return Err((key, format!("{seconds} is out of range; from 0.05 to 600 seconds")));
            }
        }
        for name in Endpoints::NAMES {
            if let super::Endpoint::Url(url) = self.endpoints.get(name) {
                check_url(url, &["http", "https"]).map_err(|why| (name, why))?;
            }
        }
        for url in self.endpoints.sessions.values() {
            check_url(url, &["http", "https"]).map_err(|why| ("sessions", why))?;
        }
        for origin in &self.trusted_origins {
            check_url(origin, &["http", "https"]).map_err(|why| ("trusted_origins", why))?;
            if origin.ends_with('/') {
                return Err(("trusted_origins", format!("`{origin}` ends in a slash; an origin has no path")));
            }
        }
        if let Some(Value::Text(url)) = &self.sip.ws_uri {
            check_url(url, &["ws", "wss"]).map_err(|why| ("ws_uri", why))?;
        }
        if let Some(wrong) = self.declared.known_certificates.iter().find(|hash| sha256_hex(hash).is_none()) {
            let message = format!("`{wrong}` is no SHA-256; write 64 hexadecimal digits, with colons or without");
            return Err(("known_certificates", message));
        }
        let wants_config = self.adapter != super::Adapter::Sip || self.sip.ws_uri.is_none();
        if wants_config && !matches!(self.endpoints.get("config"), super::Endpoint::Url(_)) {
            return Err((
                "adapter",
                format!(
                    "adapter `{}` needs the configuration endpoint; add\n[endpoints]\nconfig = \"https://…\"",
                    self.adapter.word()
                ),
            ));
        }
        if let super::Participants::Logins(names) = &self.participants
            && let Some(name) = names.iter().find(|name| !self.logins.contains_key(*name))
        {
            return Err(("participants", format!("names the login `{name}`, but there is no [logins.{name}]")));
        }
        Ok(())
    }
}

impl SecretSource {
    /// Reads the secret. `what` names it in messages.
    pub fn read(&self, what: &str) -> Result<Secret, TargetError> {
        match (&self.env, &self.file) {
            (Some(name), None) => std::env::var(name).map(Secret::new).map_err(|_| TargetError::Secret {
                message: format!(
                    "{what}: the environment variable {name} is not set; set it, or use {{ file = \"…\" }}"
                ),
            }),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path).map_err(|error| TargetError::Secret {
                    message: format!("{what}: cannot read {}: {error}", path.display()),
                })?;
                Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
            }
            _ => Err(TargetError::Secret {
                message: format!(
                    "{what}: give either {{ env = \"NAME\" }} or {{ file = \"path\" }}, never the text itself"
                ),
            }),
        }
    }
}

fn check_url(text: &str, schemes: &[&str]) -> Result<(), String> {
    let url = url::Url::parse(text).map_err(|error| format!("`{text}` is no URL: {error}"))?;
    if !schemes.contains(&url.scheme()) {
        return Err(format!("`{text}` has the scheme `{}`; expected {}", url.scheme(), schemes.join(" or ")));
    }
    if url.host().is_none() {
        return Err(format!("`{text}` has no host"));
    }
    Ok(())
}

/// Line and column, from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset.min(text.len())];
    (before.matches('\n').count() + 1, before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1)
}

fn find_key(text: &str, key: &str) -> usize {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = line.trim_start();
        if start.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', '.'])) {
            return offset;
        }
        offset += line.len();
    }
    0
}

/// serde repeats a text of the wrong type. Where a secret's source was to be, that text is the secret; elsewhere it may be an
/// address with a login in it. Line and column say where it stands.
fn hidden(message: &str) -> String {
    let Some(wrong) = message.strip_prefix("invalid type: ") else { return message.to_owned() };
    let expected = wrong.rsplit_once(", expected ").map_or("something else", |(_, expected)| expected);
    if expected.starts_with("struct SecretSource") {
        return "the secret itself stands here; give { env = \"NAME\" } or { file = \"path\" }, never the text"
            .to_owned();
    }
    if wrong.starts_with("string ") {
        return format!("invalid type: text, expected {expected}");
    }
    message.to_owned()
}

/// serde lists what it expected; the nearest of these is what was probably meant.
fn with_nearest(message: &str) -> String {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let Some((wrong, expected)) = quoted.split_first().filter(|_| message.starts_with("unknown ")) else {
        return message.to_owned();
    };
    match nearest(wrong, expected.iter().copied()) {
        Some(name) => format!("{message}; did you mean `{name}`?"),
        None => message.to_owned(),
    }
}

/// The candidate at the smallest edit distance from `word`, where that is small enough to be a slip.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(word, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= word.len().max(candidate.len()).div_ceil(3))
        .map(|(_, candidate)| candidate)
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "name = \"x\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://a.test/t\"\n";

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let error = Target::parse(text, Path::new("t.toml")).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn a_minimal_file_is_enough() {
        let target = Target::parse(GOOD, Path::new("t.toml")).unwrap();
        assert_eq!(target.policy, "webrtc-mti");
        assert_eq!(target.budget.calls, 150);
    }

    #[test]
    fn errors_say_where_and_what_was_meant() {
        refused("nmae = \"x\"\nadapter = \"sip\"\n", "t.toml:1:1: unknown field `nmae`");
        refused("nmae = \"x\"\nadapter = \"sip\"\n", "did you mean `name`?");
        refused("name = \"x\"\nadapter = \"cogniggy\"\n", "did you mean `cognigy`?");
        refused("name = \"x\"\nadapter = \"cognigy\"\n", "t.toml:2:1: adapter: adapter `cognigy` needs");
        refused(&GOOD.replace("https:", "ftp:"), "t.toml:4:1: config: `ftp://a.test/t` has the scheme `ftp`");
        refused(&format!("participants = [\"a\"]\n{GOOD}"), "there is no [logins.a]");
        refused(
            &format!("{GOOD}[logins.valid]\nbearer = \"text\"\n"),
            "t.toml:6:10: the secret itself stands here; give",
        );
        let declared = format!("{GOOD}[declared]\nknown_certificates = [\"AB:CD\"]\n");
        refused(&declared, "t.toml:6:1: known_certificates: `AB:CD` is no SHA-256");
    }

    #[test]
    fn hashes_are_known_in_one_form() {
        let (given, hash) = (["AB"; 32].join(":"), "ab".repeat(32));
        let text = format!("{GOOD}[declared]\nknown_certificates = [\"{given}\"]\n");
        let target = Target::parse(&text, Path::new("t.toml")).unwrap();
        assert_eq!(target.view().declared.known_certificates, [hash]);
    }
}
