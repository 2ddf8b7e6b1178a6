//! Oracles that more than one target asks.

mod allocation;
mod cutting;
mod fixpoint;

pub use allocation::{ALLOCATION, Bound, allocating};
pub use cutting::{CUTTING, cuts};
pub use fixpoint::{FIXPOINT, fixpoint};
