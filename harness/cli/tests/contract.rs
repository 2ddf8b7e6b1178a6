//! The contract with CI, against the real binary: each exit code, which one wins, what a signal leaves, and what an output
//! that cannot be written does.

mod fakes;
mod support;

#[path = "contract/codes.rs"]
mod codes;
#[path = "contract/house.rs"]
mod house;
#[path = "contract/outputs.rs"]
mod outputs;
#[path = "contract/precedence.rs"]
mod precedence;
#[path = "contract/signals.rs"]
mod signals;
#[path = "contract/streams.rs"]
mod streams;
