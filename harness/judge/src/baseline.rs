//! The baseline: the findings that are known of a target, in a file that people review. A run is held against it, so that a
//! gate can look at what is new, and what was fixed and came back is told apart.
//!
//! Waived findings stay out of it: a waiver speaks for them, and when it ends they have to be new. What a run did not judge is
//! never called fixed: a finding is fixed only where its very condition was seen to hold.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_model::Untrusted;
use ringfence_model::report::{Delta, Fixed, Report, Standing};
use ringfence_model::verdict::{FINGERPRINT_VERSION, Severity, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::LoadError;
use crate::day::day;
use crate::file;
use crate::fingerprint::fingerprint_version;
use crate::source::{Problem, Source};

/// The form of the file.
const FORMAT: &str = "ringfence.baseline/v1";
/// What stands above it.
const HEADING: &str = "\
# Findings that are known, written by `ringfence baseline`. Review a change of this file like a change of code: what stands
# here no longer counts as new.\n\n";

/// The findings that are known of a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// `ringfence.baseline/v1`.
    format: String,
    /// The target's name.
    target: String,
    /// The version of the fingerprints.
    fingerprints: String,
    /// The run that it was made from, or last updated by.
    run: String,
    /// The day of that run, `YYYY-MM-DD`.
    day: String,
    /// The findings, by scenario and fingerprint.
    #[serde(default)]
    finding: Vec<Known>,
}

/// A finding that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Known {
    scenario: String,
    title: String,
    severity: Severity,
    fingerprint: String,
    /// Days of runs.
    first_seen: String,
    last_seen: String,
    /// The day of the run that saw it fixed. It is kept, so that it is told when it comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fixed: Option<String>,
}

impl Baseline {
    /// Reads a baseline, of the target of that name where one is given.
    ///
    /// # Errors
    /// Every mistake with its place: an unknown or missing key, another format, another target, fingerprints of another
    /// version, a day that is none, a finding that stands there twice.
    pub fn read(file: &str, text: &str, target: Option<&str>) -> Result<Self, Vec<LoadError>> {
        let source = Source { file, text };
        let place = |problems: Vec<Problem>| problems.into_iter().map(|problem| source.place(problem)).collect();
        let read = file::read::<Self>(source).map_err(place)?;
        let (baseline, mut problems) = (&read.content, Vec::new());
        let head = [
            ("format", &baseline.format, FORMAT, "format"),
            ("target", &baseline.target, target.unwrap_or(&baseline.target), "target"),
            ("fingerprints", &baseline.fingerprints, FINGERPRINT_VERSION, "version of fingerprints"),
        ];
        for (key, found, wanted, what) in head {
            if found != wanted {
                problems.push(Problem::new(
                    read.key(key),
                    format!("this is a baseline of {what} {found:?}, not {wanted:?}"),
                ));
            }
        }
        let mut seen = BTreeSet::new();
        for (index, known) in baseline.finding.iter().enumerate() {
            let at = |key| read.entry("finding", index, key);
            if fingerprint_version(&known.fingerprint) != Some(FINGERPRINT_VERSION) {
                problems
                    .push(Problem::new(at("fingerprint"), format!("`fingerprint` is none of {FINGERPRINT_VERSION}")));
            } else if !seen.insert(&known.fingerprint) {
                problems.push(Problem::new(at("fingerprint"), "this finding stands there twice"));
            }
            let days = [
                ("first_seen", Some(&known.first_seen)),
                ("last_seen", Some(&known.last_seen)),
                ("fixed", known.fixed.as_ref()),
            ];
            for (key, _) in
                days.into_iter().filter(|(_, text)| text.is_some_and(|text| text.len() != 10 || day(text).is_none()))
            {
                problems.push(Problem::new(at(key), format!("`{key}` is no day, as in \"2027-01-31\"")));
            }
        }
        if problems.is_empty() { Ok(read.content) } else { Err(place(problems)) }
    }

    /// The baseline of a run: each of its findings that is not waived.
    pub fn of(report: &Report) -> Self {
        let mut baseline = Self {
            format: FORMAT.into(),
            target: target(report).into(),
            fingerprints: FINGERPRINT_VERSION.into(),
            run: String::new(),
            day: String::new(),
            finding: Vec::new(),
        };
        baseline.update(report);
        baseline
    }

    /// Takes a later run in: its findings are known from now on, what it saw to hold is fixed, and what it did not judge
    /// stays as it is.
    pub fn update(&mut self, report: &Report) {
        let today = report.run.started.get(..10).unwrap_or_default().to_owned();
        let mut known: BTreeMap<String, Known> =
            self.finding.drain(..).map(|known| (known.fingerprint.clone(), known)).collect();
        for result in &report.results {
            for fingerprint in &result.verdict.held {
                if let Some(held) = known.get_mut(fingerprint).filter(|held| held.fixed.is_none()) {
                    held.fixed = Some(today.clone());
                }
            }
            for finding in result.verdict.findings.iter().filter(|finding| finding.waived.is_none()) {
                let entry = known.entry(finding.fingerprint.clone()).or_insert_with(|| Known {
                    scenario: result.verdict.scenario.clone(),
                    title: String::new(),
                    severity: finding.severity,
                    fingerprint: finding.fingerprint.clone(),
                    first_seen: today.clone(),
                    last_seen: String::new(),
                    fixed: None,
                });
                // It is for reading: what acts in a terminal, or turns the writing direction, becomes visible.
                entry.title = Untrusted::from(result.title.as_str()).visible();
                (entry.severity, entry.last_seen, entry.fixed) = (finding.severity, today.clone(), None);
            }
        }
        self.finding = known.into_values().collect();
        self.finding.sort_by(|a, b| (&a.scenario, &a.fingerprint).cmp(&(&b.scenario, &b.fingerprint)));
        (self.run, self.day) = (report.run.id.clone(), today);
    }

    /// Drops what was fixed, and what is none of the fingerprints that scenarios can make any more. Says how many of each.
    pub fn prune(&mut self, possible: &BTreeSet<String>) -> (usize, usize) {
        let all = self.finding.len();
        self.finding.retain(|known| known.fixed.is_none());
        let open = self.finding.len();
        self.finding.retain(|known| possible.contains(&known.fingerprint));
        (all - open, open - self.finding.len())
    }

    /// How many findings are open, and how many were fixed.
    pub fn count(&self) -> (usize, usize) {
        let fixed = self.finding.iter().filter(|known| known.fixed.is_some()).count();
        (self.finding.len() - fixed, fixed)
    }

    /// The target's name.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The file's text.
    pub fn text(&self) -> String {
        // Texts and lists of texts: none of them can fail to be written.
        format!("{HEADING}{}", toml::to_string(self).unwrap_or_default())
    }

    /// Whether a finding was fixed and has not been seen since.
    pub(crate) fn was_fixed(&self, fingerprint: &str) -> bool {
        self.finding.iter().any(|known| known.fingerprint == fingerprint && known.fixed.is_some())
    }

    /// Says of each finding that is not waived how it stands, and compares as a whole.
    pub(crate) fn compare(&self, verdicts: &mut [Verdict], new_only: bool) -> Delta {
        let known: BTreeMap<&str, &Known> =
            self.finding.iter().map(|known| (known.fingerprint.as_str(), known)).collect();
        let mut delta = Delta { baseline: format!("{} of {}", self.run, self.day), new_only, ..Delta::default() };
        let mut found = BTreeSet::new();
        let mut held = BTreeSet::new();
        for verdict in verdicts.iter_mut() {
            held.extend(verdict.held.iter().cloned());
            for finding in &mut verdict.findings {
                found.insert(finding.fingerprint.clone());
                if finding.waived.is_some() {
                    continue;
                }
                let (standing, count) = match known.get(finding.fingerprint.as_str()) {
                    None => (Standing::New, &mut delta.new),
                    Some(known) if known.fixed.is_some() => (Standing::Reopened, &mut delta.reopened),
                    Some(_) => (Standing::Unchanged, &mut delta.unchanged),
                };
                *count += 1;
                finding.standing = Some(standing);
                finding.first_seen = known.get(finding.fingerprint.as_str()).map(|known| known.first_seen.clone());
            }
        }
        for known in self.finding.iter().filter(|known| known.fixed.is_none() && !found.contains(&known.fingerprint)) {
            let list = if held.contains(&known.fingerprint) { &mut delta.fixed } else { &mut delta.not_judged };
            list.push(known.shown());
        }
        delta
    }
}

impl Known {
    fn shown(&self) -> Fixed {
        Fixed {
            scenario: self.scenario.clone(),
            title: self.title.clone(),
            severity: self.severity,
            fingerprint: self.fingerprint.clone(),
        }
    }
}

/// The name of the target that a report is about.
pub(crate) fn target(report: &Report) -> &str {
    report.run.target["name"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests;
