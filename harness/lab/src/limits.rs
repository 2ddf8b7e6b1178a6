//! So many events per key in a sliding window, with bounded memory.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Counts events per key.
#[derive(Debug)]
pub(crate) struct Window<K> {
    limit: usize,
    span: Duration,
    max_keys: usize,
    events: HashMap<K, VecDeque<Instant>>,
}

impl<K: Hash + Eq + Clone> Window<K> {
    /// `limit` events within `span` for each of at most `max_keys` keys; a further key drops the one that was quiet
    /// the longest.
    pub fn new(limit: usize, span: Duration, max_keys: usize) -> Self {
        Self { limit, span, max_keys, events: HashMap::new() }
    }

    /// How long this key has to wait before it is under the limit again; `None` if it is.
    pub fn wait(&mut self, key: &K, now: Instant) -> Option<Duration> {
        let span = self.span;
        let events = self.events.get_mut(key)?;
        while events.front().is_some_and(|first| now.saturating_duration_since(*first) >= span) {
            events.pop_front();
        }
        if events.len() < self.limit {
            return None;
        }
        events.front().map(|first| span.saturating_sub(now.saturating_duration_since(*first)))
    }

    /// Counts one event. At most `limit` are held for each key.
    pub fn count(&mut self, key: &K, now: Instant) {
        if !self.events.contains_key(key) && self.events.len() >= self.max_keys {
            self.forget_one(now);
        }
        let events = self.events.entry(key.clone()).or_default();
        if events.len() == self.limit {
            events.pop_front();
        }
        events.push_back(now);
    }

    /// Counts one event if the key is under the limit.
    ///
    /// # Errors
    /// How long to wait, if not.
    pub fn take(&mut self, key: &K, now: Instant) -> Result<(), Duration> {
        match self.wait(key, now) {
            Some(wait) => Err(wait),
            None => {
                self.count(key, now);
                Ok(())
            }
        }
    }

    fn forget_one(&mut self, now: Instant) {
        let span = self.span;
        let last = |events: &VecDeque<Instant>| events.back().copied();
        self.events.retain(|_, events| last(events).is_some_and(|at| now.saturating_duration_since(at) < span));
        if self.events.len() >= self.max_keys {
            let quietest = self.events.iter().min_by_key(|(_, events)| last(events)).map(|(key, _)| key.clone());
            quietest.and_then(|key| self.events.remove(&key));
        }
    }
}

/// Whole seconds for Retry-After: rounded up, at least one.
pub(crate) fn retry_after_s(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000).max(1) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_window_slides() {
        let start = Instant::now();
        let mut window = Window::new(2, 10 * SECOND, 8);
        assert_eq!(window.take(&"a", start), Ok(()));
        assert_eq!(window.take(&"a", start + 4 * SECOND), Ok(()));
        assert_eq!(window.take(&"a", start + 5 * SECOND), Err(5 * SECOND));
        assert_eq!(window.take(&"b", start + 5 * SECOND), Ok(()), "keys are apart");
        assert_eq!(window.take(&"a", start + 10 * SECOND), Ok(()), "the first has left");
        assert_eq!(window.take(&"a", start + 10 * SECOND), Err(4 * SECOND));
    }

    #[test]
    fn memory_is_bounded() {
        let start = Instant::now();
        let mut window = Window::new(1, 10 * SECOND, 2);
        for (i, key) in ["a", "b", "c"].iter().enumerate() {
            window.count(key, start + i as u32 * SECOND);
        }
        assert_eq!(window.events.len(), 2);
        assert!(window.wait(&"a", start + 2 * SECOND).is_none(), "the quietest went");
        assert!(window.wait(&"c", start + 2 * SECOND).is_some());
        assert_eq!(retry_after_s(Duration::from_millis(1001)), 2);
        assert_eq!(retry_after_s(Duration::ZERO), 1);
    }
}
