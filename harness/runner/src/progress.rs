//! What a run tells while it goes on.

use std::sync::Arc;

use ringfence_model::verdict::Verdict;

/// A moment of a run.
#[derive(Clone, Debug)]
pub enum Progress {
    /// The plan stands.
    Planned {
        /// Ids of the chains.
        chains: Vec<String>,
        /// How many scenarios are not asked.
        left_out: usize,
    },
    /// A chain began.
    Began {
        /// Its scenario.
        scenario: String,
        /// Which try, from 1.
        attempt: u32,
    },
    /// A chain ended.
    Ended {
        /// What its tries so far say.
        verdict: Box<Verdict>,
        /// Which try, from 1.
        attempt: u32,
    },
}

/// Who is told. It is called from many tasks and must not block.
#[derive(Clone)]
pub struct Watcher(Arc<dyn Fn(Progress) + Send + Sync>);

impl Watcher {
    /// Calls `tell` at every moment.
    pub fn new(tell: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Nobody.
    pub fn nobody() -> Self {
        Self::new(|_| {})
    }

    pub(crate) fn tell(&self, moment: Progress) {
        (self.0)(moment);
    }
}
