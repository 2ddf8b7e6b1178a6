//! Running: what is asked of a target, in which order, how much at a time, and what is written down.
//!
//! Data flows one way: target, plan, probes, observations, journal. Judging reads the journal, also while a run goes on.

mod browser;
mod chain;
pub mod consent;
mod estimate;
pub mod journal;
mod limits;
mod meter;
mod plan;
mod profile;
mod progress;
pub mod resume;
mod run;
mod source;

pub use estimate::{Estimate, ScenarioEstimate, Sums, estimate};
pub use journal::Journal;
pub use plan::{Selection, plan};
pub use profile::Profile;
pub use progress::{Progress, Watcher};
pub use run::{Job, RunError, run};

use ringfence_judge::{ProbeWords, Vocabulary};
use ringfence_model::policy::Policy;
use ringfence_model::target::{Adapter, NEEDS, TargetView};
use ringfence_probes::VERBS;
use schemars::schema_for;

/// The words that scenarios may use: every probe's parameters and fields, the target's and the policy's. Claims, clauses
/// and faults are the caller's to add.
pub fn vocabulary() -> Vocabulary {
    let probes = VERBS.iter().map(|verb| {
        let words = ProbeWords { with: (verb.with_schema)(), seen: (verb.seen_schema)(), does: verb.does.into() };
        (verb.name.to_owned(), words)
    });
    Vocabulary {
        probes: probes.collect(),
        target: schema_for!(TargetView).to_value(),
        policy: schema_for!(Policy).to_value(),
        adapters: Adapter::ALL.iter().map(|adapter| adapter.word().to_owned()).collect(),
        needs: NEEDS.iter().map(|word| (*word).to_owned()).collect(),
        ..Vocabulary::default()
    }
}

/// The day in UTC, `YYYY-MM-DD`.
pub fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}
