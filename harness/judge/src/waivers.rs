//! Waivers: findings that somebody answers for, for a while. The finding stays in the report and does not close the gate.
//!
//! ```toml
//! [[waiver]]
//! scenario = "turn/unauthenticated-allocate"
//! target = "front-desk"                               # a name, or a pattern: "front-*"
//! fingerprint = "v1:0123456789abcdef0123456789abcdef" # as the report shows it
//! reason = "the relay is reachable from the office network only until it is replaced"
//! owner = "voice team"
//! expires = 2027-01-31                                # the last day; a year after the run at most
//! ticket = "VOICE-17"                                 # may be left out
//! ```
//!
//! Time is the run's: a waiver counts from the day on which the run began, so that judging an old journal again says the
//! same. It holds for one finding, by its fingerprint, and never for a scenario as a whole.

use jiff::civil::Date;
use ringfence_model::report::{WaiverState, WaiverUse};
use ringfence_model::verdict::{FINGERPRINT_VERSION, State, Verdict};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::value::Datetime;

use crate::LoadError;
use crate::day::{day, days_until, of_toml};
use crate::file::{self, Read};
use crate::fingerprint::fingerprint_version;
use crate::library::Library;
use crate::source::{Problem, Source};

/// Most days from the run to a waiver's end: a year, be it a leap year.
const MAX_DAYS: i64 = 366;
/// Most waivers of a file, and most characters of a text (house).
const MAX_WAIVERS: usize = 10_000;
const MAX_CHARS: usize = 1_000;

/// The waivers of a file.
#[derive(Clone, Debug, Default)]
pub struct Waivers(Vec<Waiver>);

#[derive(Clone, Debug)]
struct Waiver {
    written: Written,
    expires: Date,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    waiver: Vec<Written>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    scenario: String,
    target: String,
    fingerprint: String,
    reason: String,
    owner: String,
    #[schemars(schema_with = "file::any")]
    expires: Datetime,
    #[serde(default)]
    ticket: Option<String>,
}

impl Waivers {
    /// Reads a file of waivers for a run that began at `started`, RFC 3339 in UTC or its date alone.
    ///
    /// # Errors
    /// Every mistake with its place: an unknown or missing key, an empty text, a fingerprint of another form or version, an
    /// `expires` that is no date or lies more than a year after the run.
    pub fn read(file: &str, text: &str, started: &str) -> Result<Self, Vec<LoadError>> {
        let source = Source { file, text };
        let place = |problems: Vec<Problem>| problems.into_iter().map(|problem| source.place(problem)).collect();
        let read = file::read::<File>(source).map_err(place)?;
        let Some(run) = day(started) else {
            return Err(place(vec![Problem::new(0, format!("the run began at {started:?}, which is no time"))]));
        };
        let (mut waivers, mut problems) = (Vec::new(), Vec::new());
        if read.content.waiver.len() > MAX_WAIVERS {
            problems.push(Problem::new(0, format!("more than {MAX_WAIVERS} waivers")));
        }
        for (index, written) in read.content.waiver.iter().enumerate() {
            let before = problems.len();
            texts(&read, index, written, &mut problems);
            match expiry(&written.expires, run) {
                Ok(expires) if problems.len() == before => waivers.push(Waiver { written: written.clone(), expires }),
                Ok(_) => {}
                Err(why) => problems.push(Problem::new(read.entry("waiver", index, "expires"), why)),
            }
        }
        problems.sort_by_key(|problem| problem.at);
        if problems.is_empty() { Ok(Self(waivers)) } else { Err(place(problems)) }
    }

    /// Marks the findings that are waived, and says what became of each waiver of this target. The severity of a verdict is
    /// then that of its worst finding that is not waived.
    pub(crate) fn apply(
        &self,
        verdicts: &mut [Verdict],
        library: &Library,
        target: &str,
        started: &str,
    ) -> Vec<WaiverUse> {
        let Some(run) = day(started) else { return Vec::new() };
        let known = library.fingerprints(target);
        let own = || self.0.iter().filter(|waiver| fits(&waiver.written.target, target));
        let days_left = |waiver: &Waiver| days_until(run, waiver.expires);
        own().filter(|waiver| days_left(waiver) >= 0).for_each(|waiver| waiver.mark(verdicts));
        let shown = |waiver: &Waiver| {
            let state = match waiver.place(verdicts, known.contains(&waiver.written.fingerprint)) {
                WaiverState::Unused => WaiverState::Unused,
                // One that was renewed by another has done its work.
                WaiverState::Used if days_left(waiver) < 0 && waiver.is_waived(verdicts) => WaiverState::Unused,
                _ if days_left(waiver) < 0 => WaiverState::Expired,
                state => state,
            };
            waiver.shown(state, days_left(waiver))
        };
        let mut uses: Vec<WaiverUse> = own().map(shown).collect();
        verdicts.iter_mut().for_each(settle);
        uses.sort_by(|a, b| (&a.scenario, &a.fingerprint, &a.expires).cmp(&(&b.scenario, &b.fingerprint, &b.expires)));
        uses
    }
}

impl Waiver {
    /// What there is for it. `known`: a scenario of this run can make a finding of that fingerprint.
    fn place(&self, verdicts: &[Verdict], known: bool) -> WaiverState {
        let Written { scenario, fingerprint, .. } = &self.written;
        let found = |verdict: &Verdict| verdict.findings.iter().any(|finding| finding.fingerprint == *fingerprint);
        match verdicts.iter().find(|verdict| verdict.scenario == *scenario) {
            Some(verdict) if found(verdict) => WaiverState::Used,
            Some(verdict) if verdict.held.contains(fingerprint) => WaiverState::Unused,
            // The criterion has changed since, or the fingerprint is another scenario's.
            Some(verdict) if !known && matches!(verdict.state, State::Pass | State::Fail) => WaiverState::Unused,
            _ if verdicts.iter().any(found) => WaiverState::Unused,
            _ => WaiverState::NotJudged,
        }
    }

    /// Whether a waiver holds for its finding.
    fn is_waived(&self, verdicts: &[Verdict]) -> bool {
        let Written { scenario, fingerprint, .. } = &self.written;
        let own = verdicts.iter().filter(|verdict| verdict.scenario == *scenario).flat_map(|verdict| &verdict.findings);
        own.filter(|finding| finding.waived.is_some()).any(|finding| finding.fingerprint == *fingerprint)
    }

    fn mark(&self, verdicts: &mut [Verdict]) {
        let own = verdicts.iter_mut().filter(|verdict| verdict.scenario == self.written.scenario);
        for finding in own.flat_map(|verdict| &mut verdict.findings) {
            if finding.fingerprint == self.written.fingerprint && finding.waived.is_none() {
                finding.waived = Some(self.written.reason.clone());
            }
        }
    }

    fn shown(&self, state: WaiverState, days_left: i64) -> WaiverUse {
        let Written { scenario, target, fingerprint, reason, owner, ticket, .. } = self.written.clone();
        let expires = self.expires.to_string();
        WaiverUse { scenario, target, fingerprint, reason, owner, ticket, expires, days_left, state }
    }
}

/// The severity of what is left.
fn settle(verdict: &mut Verdict) {
    let left = verdict.findings.iter().filter(|finding| finding.waived.is_none());
    if let Some(worst) = left.map(|finding| finding.severity).max() {
        verdict.severity = worst;
    }
}

fn texts(read: &Read<'_, File>, index: usize, written: &Written, problems: &mut Vec<Problem>) {
    let mut wrong = |key: &str, why: String| problems.push(Problem::new(read.entry("waiver", index, key), why));
    let Written { scenario, target, reason, owner, ticket, fingerprint, .. } = written;
    let given = [("scenario", scenario), ("target", target), ("reason", reason), ("owner", owner)];
    for (key, text) in given.into_iter().chain(ticket.as_ref().map(|ticket| ("ticket", ticket))) {
        if text.trim().is_empty() {
            wrong(key, format!("`{key}` is empty"));
        } else if text.chars().count() > MAX_CHARS {
            wrong(key, format!("`{key}` is longer than {MAX_CHARS} characters"));
        }
    }
    match fingerprint_version(fingerprint) {
        Some(version) if version == FINGERPRINT_VERSION => {}
        Some(version) => wrong(
            "fingerprint",
            format!("`fingerprint` is of version {version}; this version of ringfence makes {FINGERPRINT_VERSION}"),
        ),
        None => {
            wrong("fingerprint", "`fingerprint` is none; the report shows it beside each finding, as `v1:…`".into())
        }
    }
}

fn expiry(written: &Datetime, run: Date) -> Result<Date, String> {
    let expires = of_toml(written).ok_or("`expires` is a day, as in 2027-01-31, without a time")?;
    match days_until(run, expires) {
        days if days > MAX_DAYS => Err(format!(
            "`expires` is {expires}, {days} days after the run of {run}; a waiver holds for a year at most"
        )),
        _ => Ok(expires),
    }
}

/// Whether a name fits a pattern in which `*` stands for any text, also none.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = left.get(at + part.len()..).unwrap_or_default();
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests;
