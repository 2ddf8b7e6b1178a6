//! The journal as it is written: one line per event, flushed before the run goes on.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use ringfence_judge::journal::write_line;
use ringfence_model::evidence::{Entry, Event};

/// Where events go. Clones write to one journal.
#[derive(Clone)]
pub struct Journal(Arc<Mutex<Inner>>);

struct Inner {
    out: Box<dyn Write + Send>,
    begun: Instant,
    entries: u64,
    index: Option<ringfence_judge::Journal>,
    failure: Option<String>,
}

impl Journal {
    /// A journal on `out`, beginning now. Each event is one write and one flush, so that what a killed run leaves is
    /// valid to its last whole line.
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        let inner = Inner { out, begun: Instant::now(), entries: 0, index: None, failure: None };
        Self(Arc::new(Mutex::new(inner)))
    }

    /// Appends an event. After a failure to write, events are still judged, but no longer written: [`Journal::failure`].
    pub(crate) fn append(&self, event: Event) {
        let mut inner = self.lock();
        let t_ms = u64::try_from(inner.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let entry = Entry { seq: inner.entries, t_ms, event };
        inner.entries += 1;
        if inner.failure.is_none() {
            let line = write_line(&entry);
            let written = inner.out.write_all(line.as_bytes()).and_then(|()| inner.out.flush());
            inner.failure = written.err().map(|error| format!("the journal cannot be written: {error}"));
        }
        if let Event::Run(header) = &entry.event {
            inner.index = Some(ringfence_judge::Journal::new((**header).clone()));
        }
        if let Some(Err(error)) = inner.index.as_mut().map(|index| index.push(entry)) {
            inner.failure.get_or_insert(error.to_string());
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
