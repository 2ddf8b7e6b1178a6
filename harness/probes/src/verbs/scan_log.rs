//! `scan-log`: search the files that the operator names for secrets and personal data.

mod lines;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base64::prelude::*;
use ringfence_model::Untrusted;
use ringfence_wire::digest::{Algorithm, ha1};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::detect::{Form, decode, pii, secrets};
use crate::log_marks::{Newer, regular};
use crate::step_ref::ConfigRef;
use crate::{Asked, Cost, Cx, Ledger, OwnFault, Probe, Search};
use lines::Lines;

/// Bytes that are read of all files together (house).
const BYTES: u64 = 32 * 1024 * 1024;
/// Files of bundles and folders that are read, and how deep in folders (house).
const FILES: usize = 4096;
const DEPTH: usize = 16;
/// Entries of each list (house).
const LISTED: usize = 64;
/// What every text of ours begins with that is planted: see `register` and `sip-request`.
const PLANTED: &str = "ringfence-";

/// See [`Probe::DOES`].
pub struct ScanLog;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// What to look for.
    #[serde(rename = "for")]
    pub what: What,
    /// Whose login is looked for as it is computed from the password, too: HA1 and Basic.
    #[serde(default)]
    pub config: Option<ConfigRef>,
}

/// What to look for, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The secrets of this run, and what looks like somebody's login or key: in what the log files got since the first step.
    Secrets,
    /// Personal data, in the same.
    Pii,
    /// Texts that this run planted, and the values of the test user, in the same.
    Canaries,
    /// Keys of services and private keys: in all of the log files and of the bundles.
    ApiKeys,
}

/// Observation. Lists hold 64 entries at most.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// Files that could be read.
    pub files_read: i64,
    /// Files that could not.
    pub files_not_read: Vec<Untrusted>,
    /// Bytes that were read: of log files those that are newer than the first step.
    pub bytes_read: i64,
    /// Lines that were read.
    pub newer_lines: i64,
    /// There was more than is read, or a file broke off: what is missing may hold something.
    pub cut: bool,
    /// What was found; the text itself is not told.
    pub matches: Vec<MatchSeen>,
}

/// Something that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct MatchSeen {
    /// In which file.
    pub file: String,
    /// In which line, from 1: of log files counted from the first that is newer than the first step.
    pub line: i64,
    /// Where that line begins in the file, in bytes.
    pub offset: i64,
    /// Which secret or personal data; `canary` for a text of ours.
    pub kind: String,
    /// `plain`, `base64`, `url`, `hex`, `ha1` or `authorization`.
    pub form: String,
    /// The line begins with it.
    pub starts_line: bool,
    /// It is a secret of this run, letter by letter; otherwise it has the shape of one, or is personal data.
    pub ours: bool,
}

impl Probe for ScanLog {
    const NAME: &'static str = "scan-log";
    const DOES: &'static str = "search the log files that the operator names for secrets and personal data";
    type With = With;
    type Seen = Seen;

    fn cost(_: &With) -> Cost {
        Cost { connections: 0, ..Cost::PASSIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let computed = Ledger::default();
        let user = match &with.config {
            Some(config) => logins(cx, config, &computed).await?,
            None => None,
        };
        let detector = Detector {
            what: with.what,
            given: cx.ledger.search()?,
            computed: computed.search()?,
            test_user: cx.target.page.test_user.clone(),
            user,
        };
        let (marks, files) = (cx.log_marks.clone(), cx.target.files.clone());
        let read = move || {
            let mut scan = Scan { seen: Seen::default(), left: BYTES, detector };
            if with.what == What::ApiKeys {
                let mut paths = Vec::new();
                files.log.iter().chain(&files.bundle).for_each(|path| files_in(path, DEPTH, &mut paths));
                scan.seen.cut = paths.len() >= FILES;
                for path in paths {
                    scan.file(
                        regular(&path).map(|(file, _)| Newer { path: path.clone(), file, from: 0 }).map_err(|_| path),
                    );
                }
            } else {
                marks.newer().into_iter().for_each(|newer| scan.file(newer.map_err(|(path, _)| path)));
            }
            scan.seen
        };
        // Files may lie on a slow disk, and detectors compute.
        let seen = tokio::task::spawn_blocking(read).await.map_err(OwnFault::new)?;
        Ok(Asked::answered(seen))
    }
}

/// What a login is computed to, and logs show in its place. Returns its user name.
async fn logins(cx: &Cx, config: &ConfigRef, ledger: &Ledger) -> Result<Option<String>, OwnFault> {
    let Ok(config) = cx.config(Some(config)).await? else { return Ok(None) };
    let (Some(username), Some(password)) = (&config.username, &config.password) else { return Ok(None) };
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        ledger.add("ha1", &ha1(algorithm, username, &config.realm, password.expose()));
    }
    ledger.add("login", &BASE64_STANDARD.encode(format!("{username}:{}", password.expose()))); // RFC 7617, section 2
    Ok(Some(username.clone()))
}

/// The files of a folder and below it, without links: those lead out of it.
fn files_in(path: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    if path.is_file() && found.len() < FILES {
        found.push(path.to_owned());
    }
    let Some((depth, entries)) = depth.checked_sub(1).zip(std::fs::read_dir(path).ok()) else { return };
    let mut inside: Vec<PathBuf> = entries.take(FILES).flatten().map(|entry| entry.path()).collect();
    inside.sort();
    inside.iter().filter(|path| !path.is_symlink()).for_each(|path| files_in(path, depth, found));
}

struct Scan {
    seen: Seen,
    left: u64,
    detector: Detector,
}

impl Scan {
    fn file(&mut self, newer: Result<Newer, PathBuf>) {
        let newer = match newer {
            Ok(newer) => newer,
            Err(path) => {
                let room = self.seen.files_not_read.len() < LISTED;
                return self.seen.files_not_read.extend(room.then(|| Untrusted::new(path.display().to_string())));
            }
        };
        self.seen.files_read += 1;
        let file = newer.path.display().to_string();
        let mut lines = Lines::new(newer.file, newer.from, self.left);
        while let Some(line) = lines.next() {
            let text = line.text.as_str();
            let found = self.detector.find(text).into_iter().map(|(kind, form, starts_line, ours)| MatchSeen {
                file: file.clone(),
                line: line.number,
                offset: i64::try_from(line.offset).unwrap_or(i64::MAX),
                kind,
                form: form.to_owned(),
                starts_line,
                ours,
            });
            let room = LISTED - self.seen.matches.len().min(LISTED);
            self.seen.matches.extend(found.take(room));
        }
        self.left = self.left.saturating_sub(lines.read());
        self.seen.bytes_read += i64::try_from(lines.read()).unwrap_or(i64::MAX);
        self.seen.newer_lines += lines.count();
        self.seen.cut |= lines.is_cut();
    }
}

struct Detector {
    what: What,
    given: Search,
    computed: Search,
    test_user: Vec<String>,
    /// The user name of the login that is looked for.
    user: Option<String>,
}

impl Detector {
    /// What stands in a line: kind, form, whether the line begins with it, and whether it is a secret of this run.
    fn find(&self, line: &str) -> BTreeSet<(String, &'static str, bool, bool)> {
        let theirs = |(kind, form, starts_line)| (kind, form, starts_line, false);
        match self.what {
            What::Secrets => self.secrets(line),
            What::ApiKeys => shapes(line).filter(|(kind, ..)| is_key(kind)).map(theirs).collect(),
            What::Pii => {
                let found = pii::find(line, &self.test_user).into_iter();
                let found = found.map(|found| (found.kind.word().to_owned(), word(found.form), found.span.start == 0));
                found.map(theirs).collect()
            }
            What::Canaries => self.canaries(line).into_iter().map(theirs).collect(),
        }
    }

    fn secrets(&self, line: &str) -> BTreeSet<(String, &'static str, bool, bool)> {
        // A digest login is made anew for each request; whose it is, its user name tells.
        let own = self.user.as_ref().is_some_and(|user| line.contains(user.as_str()));
        let shapes = shapes(line).map(|(kind, form, starts)| (kind, form, starts, own && form == "authorization"));
        let mut found: BTreeSet<_> = shapes.collect();
        for view in decode::views(line) {
            let known = self.given.kinds_in(&view.text).into_iter().chain(self.computed.kinds_in(&view.text));
            found.extend(known.map(|(kind, form)| {
                let form = if view.form == Form::Plain { form } else { view.form };
                let form = match kind {
                    "ha1" => "ha1",
                    "login" | "authorization" => "authorization",
                    _ => word(form),
                };
                (kind.to_owned(), form, false, true)
            }));
        }
        found
    }

    fn canaries(&self, line: &str) -> BTreeSet<(String, &'static str, bool)> {
        let views = decode::views(line);
        let planted = views.iter().filter_map(|view| Some((view, view.text.find(PLANTED)?)));
        let planted =
            planted.map(|(view, at)| ("canary".to_owned(), word(view.form), at == 0 && view.form == Form::Plain));
        let users = pii::find(line, &self.test_user).into_iter().filter(|found| found.kind == pii::Kind::TestUser);
        let users = users.map(|found| (found.kind.word().to_owned(), word(found.form), found.span.start == 0));
        planted.chain(users).collect()
    }
}

fn shapes(line: &str) -> impl Iterator<Item = (String, &'static str, bool)> {
    secrets::find(line).into_iter().map(|found| {
        let form = match found.kind {
            secrets::Kind::Ha1 => "ha1",
            secrets::Kind::Authorization | secrets::Kind::BasicAuth | secrets::Kind::BearerToken => "authorization",
            _ => word(found.form),
        };
        (found.kind.word().to_owned(), form, found.span.start == 0)
    })
}

fn is_key(kind: &str) -> bool {
    ["api-key", "cloud-key", "api-secret", "e2ee-secret", "private-key"].contains(&kind)
}

fn word(form: Form) -> &'static str {
    match form {
        Form::Plain | Form::Json | Form::Html => "plain",
        Form::Percent => "url",
        Form::Base64 => "base64",
        Form::Hex => "hex",
    }
}

#[cfg(test)]
mod tests;
