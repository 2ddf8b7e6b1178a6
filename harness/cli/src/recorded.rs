//! A run as it was recorded: a journal, or the JSON report that was made of one.

use std::path::{Path, PathBuf};

use ringfence_judge::{Assessment, assess, fingerprint_version, journal};
use ringfence_model::report::{REPORT_FORMAT, Report};
use ringfence_model::verdict::FINGERPRINT_VERSION;
use serde_json::Value;

use crate::library::Kept;
use crate::problem::Problem;
use crate::{against, library};

/// Largest JSON report, in bytes: as large as a journal may be (house).
const MAX_BYTES: usize = journal::MAX_BYTES;

/// Reads a run. A journal is judged by its own policy, with these waivers; a report says itself what was waived.
pub fn read(path: &Path, waivers: Option<&PathBuf>) -> Result<Report, Problem> {
    let wrong = |error: &dyn std::fmt::Display| Problem::usage(format!("{}: {error}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| wrong(&error))?;
    if bytes.len() > MAX_BYTES {
        return Err(wrong(&format!("larger than {MAX_BYTES} bytes")));
    }
    // A journal has more than one line; a report is one JSON value and says what it is.
    if let Ok(report) = serde_json::from_slice::<Value>(&bytes)
        && report["format"] != ringfence_model::evidence::JOURNAL_FORMAT
    {
        return match report["format"].as_str() {
            Some(REPORT_FORMAT) if waivers.is_some() => {
                Err(wrong(&"a report says itself what was waived; --waivers is for a journal"))
            }
            Some(REPORT_FORMAT) => {
                let report: Report = serde_json::from_value(report).map_err(|error| wrong(&error))?;
                names(&report).map_err(|why| wrong(&why))?;
                Ok(report)
            }
            _ => Err(wrong(&format!("neither a journal of `ringfence run` nor a {REPORT_FORMAT}"))),
        };
    }
    let journal = journal::read(&bytes)
        .map_err(|error| wrong(&format!("neither a JSON report nor a journal of `ringfence run`: {error}")))?;
    if journal.torn {
        complain!("{}: the last line broke off; judging what is whole", path.display());
    }
    let waivers = waivers.map(|path| against::waivers(path, &journal.header.started)).transpose()?;
    let by = Assessment { waivers: waivers.as_ref(), ..Assessment::default() };
    let report = assess(&journal, &library::of_journal(&journal.header)?, Kept::standards()?.view(), &by);
    against::tell(&report.waivers);
    Ok(report)
}

/// Whether scenarios and findings of a report are named as ours are: what follows writes their names into files.
fn names(report: &Report) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '/');
    for verdict in report.results.iter().map(|result| &result.verdict) {
        if !verdict.scenario.chars().all(plain) {
            return Err(format!("{:?} is no scenario's id", verdict.scenario));
        }
        for finding in &verdict.findings {
            match fingerprint_version(&finding.fingerprint) {
                Some(FINGERPRINT_VERSION) => {}
                Some(other) => {
                    return Err(format!(
                        "its fingerprints are of version {other}; this version makes {FINGERPRINT_VERSION}"
                    ));
                }
                None => return Err(format!("{:?} is no fingerprint", finding.fingerprint)),
            }
        }
    }
    Ok(())
}
