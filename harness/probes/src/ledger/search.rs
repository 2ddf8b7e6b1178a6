//! Looking for every secret of a run at once, in one pass: log files and bundles are long, and secrets are many.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;

use super::Known;
use crate::OwnFault;
use crate::detect::Form;

/// Shorter secrets stand in long texts by chance (house).
const SHORTEST: usize = 6;

/// The secrets that a ledger held when it was made.
pub struct Search {
    automaton: AhoCorasick,
    meaning: Vec<(&'static str, Form)>,
}

impl Search {
    pub(super) fn of(known: &[Known]) -> Result<Self, OwnFault> {
        let long = known.iter().filter(|known| known.value.expose().len() >= SHORTEST);
        let patterns =
            long.flat_map(|known| known.forms.iter().map(|(form, text)| (text.expose(), (known.kind, *form))));
        let (texts, meaning): (Vec<&String>, Vec<_>) = patterns.unzip();
        Ok(Self { automaton: AhoCorasick::new(texts).map_err(OwnFault::new)?, meaning })
    }

    /// Kinds of the secrets that stand in a text, each with how it is written.
    pub fn kinds_in(&self, text: &str) -> BTreeSet<(&'static str, Form)> {
        let found = self.automaton.find_overlapping_iter(text);
        found.filter_map(|found| self.meaning.get(found.pattern().as_usize()).copied()).collect()
    }
}
