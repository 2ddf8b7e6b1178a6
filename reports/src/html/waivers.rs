//! Waivers as a table: what is accepted, by whom, why, and for how long still.

use ringfence_model::report::{Report, WaiverState, WaiverUse};
use serde::Serialize;

use super::view::anchor;
use crate::escape::prose;
use crate::tally;

/// Days before its end from which a waiver is shown as ending (house).
const SOON_DAYS: i64 = 30;

/// One waiver.
#[derive(Serialize)]
pub struct WaiverView {
    scenario: String,
    /// Empty where this page shows no such scenario.
    anchor: String,
    fingerprint: String,
    reason: String,
    owner: String,
    ticket: String,
    target: String,
    expires: String,
    left: String,
    class: &'static str,
    mark: &'static str,
    word: &'static str,
}

/// All waivers, those that need a hand first.
pub fn waivers(report: &Report) -> Vec<WaiverView> {
    let mut waivers: Vec<&WaiverUse> = report.waivers.iter().collect();
    let urgency = |waiver: &&WaiverUse| match waiver.state {
        WaiverState::Expired => 0,
        WaiverState::Unused => 1,
        WaiverState::NotJudged => 2,
        WaiverState::Used => 3,
    };
    waivers.sort_by_key(|waiver| (urgency(waiver), waiver.days_left, &waiver.scenario, &waiver.fingerprint));
    waivers.into_iter().map(|waiver| view(report, waiver)).collect()
}

fn view(report: &Report, waiver: &WaiverUse) -> WaiverView {
    let (class, mark, word) = match waiver.state {
        WaiverState::Expired => ("high", "!", "expired: the finding counts again"),
        WaiverState::Unused => ("open", "?", "unused: no finding of this run is its own"),
        WaiverState::NotJudged => ("open", "?", "not judged: its scenario gave no verdict"),
        WaiverState::Used if waiver.days_left < SOON_DAYS => ("medium", "‖", "in use, ends soon"),
        WaiverState::Used => ("waived", "‖", "in use"),
    };
    let shown = report.results.iter().any(|result| result.verdict.scenario == waiver.scenario);
    let days = tally::count(waiver.days_left.unsigned_abs(), "day");
    WaiverView {
        scenario: prose(&waiver.scenario),
        anchor: if shown { anchor(&waiver.scenario) } else { String::new() },
        fingerprint: prose(&waiver.fingerprint),
        reason: prose(&waiver.reason),
        owner: prose(&waiver.owner),
        ticket: waiver.ticket.as_deref().map(prose).unwrap_or_default(),
        target: prose(&waiver.target),
        expires: prose(&waiver.expires),
        left: if waiver.days_left < 0 { format!("ended {days} ago") } else { format!("{days} left") },
        class,
        mark,
        word,
    }
}
