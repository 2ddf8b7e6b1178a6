//! The journal as it is written: one line per event, flushed before the run goes on.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use ringfence_judge::journal::Chain;
use ringfence_model::evidence::{Entry, Event};

/// Where events go. Clones write to one journal.
#[derive(Clone)]
pub struct Journal(Arc<Mutex<Inner>>);

struct Inner {
    out: Box<dyn Write + Send>,
    begun: Instant,
    /// What the run took before it was resumed.
    before: Duration,
    chain: Chain,
    index: Option<ringfence_judge::Journal>,
    failure: Option<String>,
}

impl Journal {
    /// A journal on `out`, beginning now. Each event is one write and one flush, so that what a killed run leaves is
    /// valid to its last whole line.
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self::of(out, Duration::ZERO, Chain::default(), None)
    }

    /// The journal of a run that goes on: `out` continues behind the last whole line of what was `read`.
    pub fn resumed(out: Box<dyn Write + Send>, read: ringfence_judge::Journal) -> Self {
        Self::of(out, Duration::from_millis(read.duration_ms), read.chain.clone(), Some(read))
    }

    fn of(out: Box<dyn Write + Send>, before: Duration, chain: Chain, index: Option<ringfence_judge::Journal>) -> Self {
        Self(Arc::new(Mutex::new(Inner { out, begun: Instant::now(), before, chain, index, failure: None })))
    }

    /// Appends an event. After a failure to write, events are still judged, but no longer written: [`Journal::failure`].
    pub(crate) fn append(&self, event: Event) {
        let mut inner = self.lock();
        let inner = &mut *inner;
        let t_ms = u64::try_from((inner.before + inner.begun.elapsed()).as_millis()).unwrap_or(u64::MAX);
        let entry = Entry { seq: inner.chain.lines(), t_ms, event };
        let line = inner.chain.line(&entry);
        if inner.failure.is_none() {
            let written = inner.out.write_all(line.as_bytes()).and_then(|()| inner.out.flush());
            inner.failure = written.err().map(|error| format!("the journal cannot be written: {error}"));
        }
        if inner.failure.is_some() {
            inner.chain.not_written();
        }
        let pushed = match (&mut inner.index, &entry.event) {
            (Some(index), _) => index.push(entry),
            (index, Event::Run(header)) => {
                *index = Some(ringfence_judge::Journal::new((**header).clone()));
                Ok(())
            }
            (None, _) => Ok(()),
        };
        if let Err(error) = pushed {
            inner.failure.get_or_insert(error.to_string());
        }
        if let Some(index) = &mut inner.index {
            index.chain = inner.chain.clone();
        }
    }

    /// What is known so far, for judging; `None` before the run began.
    pub fn read<T>(&self, look: impl FnOnce(&ringfence_judge::Journal) -> T) -> Option<T> {
        self.lock().index.as_ref().map(look)
    }

    /// What went wrong with writing, if anything did.
    pub fn failure(&self) -> Option<String> {
        self.lock().failure.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no holder panics")
    }
}
