//! The judge: what scenarios say, and what follows from what was seen. Pure: no socket, no file, no clock.
//!
//! [`Library::load`] reads scenario files and checks every CEL expression in them against the types of parameters,
//! observations, target and policy ([`Vocabulary`]). [`journal::read`] indexes what a run left behind. [`judge`] turns
//! the one into verdicts by the other, [`gate`] turns verdicts into an exit code, [`report`] into what renderers draw.
//! The same journal gives the same report, byte for byte.

mod assess;
mod baseline;
mod check;
mod day;
mod diff;
mod enumeration;
mod error;
mod explain;
mod file;
mod fingerprint;
#[cfg(test)]
mod fixtures;
mod gate;
pub mod journal;
mod judge;
mod library;
mod load;
mod matrix;
mod nearest;
mod oracle;
mod policies;
mod reason;
mod report;
mod schema;
mod shape;
mod source;
mod template;
mod tries;
mod truth;
mod types;
mod values;
mod vocabulary;
mod waivers;
mod words;

pub use assess::{Assessment, assess};
pub use baseline::Baseline;
pub use diff::{Changed, Diff, StateChange, diff};
pub use enumeration::{breaches, version_rank};
pub use error::{JudgeError, LoadError};
pub use explain::{Explanation, WordUsed, explain};
pub use fingerprint::fingerprint_version;
pub use gate::{GateInput, gate, led_outside, nothing_answered};
pub use journal::Journal;
pub use judge::{came_to_its_end, judge, judge_scenario, judge_try};
pub use library::{Library, Loaded, WithError};
pub use load::ScenarioSource;
pub use matrix::Bearing;
pub use nearest::hint;
pub use policies::{ListOf, Policies, rank};
pub use report::{Standards, report};
pub use truth::{Cause, Truth};
pub use values::Variables;
pub use vocabulary::{ProbeWords, Vocabulary};
pub use waivers::Waivers;
