//! Medians and ratios.

use std::error::Error;

use crate::cells::Cell;

/// Nanoseconds a packet of every round.
pub struct Measurements {
    pub cells: Vec<Cell>,
    /// The implementations.
    pub names: Vec<&'static str>,
    /// By cell, then by implementation, then by round.
    rounds: Vec<Vec<Vec<f64>>>,
}

impl Measurements {
    pub fn new(cells: Vec<Cell>, names: Vec<&'static str>) -> Self {
        let rounds = vec![vec![Vec::new(); names.len()]; cells.len()];
        Self { cells, names, rounds }
    }

    /// Adds a round: every implementation in turn, cell by cell, so that a change of the machine's speed meets them all.
    pub fn round(
        &mut self,
        mut measure: impl FnMut(&Cell, usize) -> Result<f64, Box<dyn Error>>,
    ) -> Result<(), Box<dyn Error>> {
        for (cell, implementations) in self.cells.iter().zip(&mut self.rounds) {
            for (n, rounds) in implementations.iter_mut().enumerate() {
                rounds.push(measure(cell, n)?);
            }
        }
        Ok(())
    }

    /// The median of the rounds, in nanoseconds a packet.
    pub fn nanoseconds(&self, cell: &Cell, name: &str) -> Option<f64> {
        Some(median(&mut self.rounds(cell, name)?.to_vec()))
    }

    /// How many times as fast as `other` this one is: the median of the rounds' own ratios.
    pub fn speed(&self, cell: &Cell, name: &str, other: &str) -> Option<f64> {
        let rounds = self.rounds(cell, name)?.iter().zip(self.rounds(cell, other)?);
        Some(median(&mut rounds.map(|(own, other)| other / own).collect::<Vec<_>>()))
    }

    fn rounds(&self, cell: &Cell, name: &str) -> Option<&[f64]> {
        let cell = self.cells.iter().position(|known| known == cell)?;
        let name = self.names.iter().position(|known| *known == name)?;
        Some(&self.rounds[cell][name])
    }
}

/// The upper one of two in the middle.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
