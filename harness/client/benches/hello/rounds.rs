//! Medians and ratios.

use std::time::Duration;

use crate::cost::Cost;

/// The rounds of one tool.
pub struct Row {
    /// As the table calls it.
    pub name: String,
    /// What it found: for people.
    pub found: String,
    rounds: Vec<Cost>,
}

impl Row {
    /// A tool without rounds.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), found: String::new(), rounds: Vec::new() }
    }

    /// Adds a round; one round of several runs counts as the median of these.
    pub fn push(&mut self, runs: &[Cost], found: String) {
        self.found = found;
        let middle = |of: fn(&Cost) -> Duration| median(runs.iter().map(of).collect());
        let asked = median(runs.iter().map(|cost| cost.asked).collect());
        self.rounds.push(Cost { wall: middle(|cost| cost.wall), cpu: middle(|cost| cost.cpu), asked });
    }

    /// Whether it was measured.
    pub fn measured(&self) -> bool {
        !self.rounds.is_empty()
    }

    /// The median of the rounds.
    pub fn cost(&self) -> Cost {
        let middle = |of: fn(&Cost) -> Duration| median(self.rounds.iter().map(of).collect());
        let asked = median(self.rounds.iter().map(|cost| cost.asked).collect());
        Cost { wall: middle(|cost| cost.wall), cpu: middle(|cost| cost.cpu), asked }
    }

    /// How many times as cheap as `other` this one is: the median of the rounds' own ratios, or the ratio of the medians where
    /// one has fewer rounds; `None` where one was not measured.
    pub fn ratio(&self, other: &Self, of: fn(&Cost) -> Duration) -> Option<f64> {
        let ratio = |own: &Cost, other: &Cost| of(other).as_secs_f64() / of(own).as_secs_f64().max(1e-9);
        match (self.measured() && other.measured(), self.rounds.len() == other.rounds.len()) {
            (false, _) => None,
            (true, false) => Some(ratio(&self.cost(), &other.cost())),
            (true, true) => {
                Some(middle(self.rounds.iter().zip(&other.rounds).map(|(own, other)| ratio(own, other)).collect()))
            }
        }
    }
}

/// The upper one of two in the middle; the default of none.
fn median<T: Ord + Copy + Default>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// As [`median`], of at least one.
pub fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
