//! What the tests of the binary share: a target file, a run of the binary, and what it left behind.
#![allow(dead_code, reason = "each test target uses its own part")]

pub mod gate;
pub mod outputs;
pub mod target;

pub use gate::{Ended, Gate};
pub use outputs::Outputs;
pub use target::TargetFile;
