//! What to try after a refusal that more than one list may be to blame for.

use std::collections::VecDeque;

use super::super::axis::{Each, Rider};

/// Lists to offer whole in the next hello of a sweep.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    pub loose: Each<bool>,
    /// If it is accepted, the sweep goes on like this; else the next trial follows in any case.
    pub settles: bool,
}

/// Which lists to restore after a hello whose narrow lists may be to blame: each alone, two of three, all. With few suites
/// found these may well be all there are, so that is asked first; after silence the same hello once more, too.
pub(super) fn trials(now: Each<bool>, narrow: &[Rider], silent: bool, suites: usize) -> VecDeque<Trial> {
    let restored = |some: &[Rider]| Each::new(|rider| *now.get(rider) || some.contains(&rider));
    let settling = |some: &[Rider]| Trial { loose: restored(some), settles: true };
    let mut trials = VecDeque::new();
    if silent || (suites <= 2 && narrow.len() > 1) {
        trials.push_back(Trial { settles: false, ..settling(narrow) });
    }
    if silent {
        trials.push_back(settling(&[]));
    }
    if narrow.len() > 1 {
        trials.extend(narrow.iter().map(|rider| settling(&[*rider])));
    }
    if let [a, b, c] = *narrow {
        trials.extend([[a, b], [a, c], [b, c]].map(|two| settling(&two)));
    }
    trials.push_back(settling(narrow));
    trials
}
