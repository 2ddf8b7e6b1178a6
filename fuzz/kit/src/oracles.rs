//! Oracles that more than one target asks.

mod agreement;
mod allocation;
#[cfg(feature = "client")]
pub mod calling;
mod cutting;
mod fixpoint;
#[cfg(feature = "client")]
pub mod machine;
#[cfg(feature = "reports")]
mod outputs;
#[cfg(feature = "client")]
pub mod relaying;
#[cfg(feature = "client")]
pub mod signalling;
mod sip_address;
mod sip_grammar;
mod time;

pub use agreement::{AGREEMENT, agreeing};
pub use allocation::{ALLOCATION, Bound, allocating};
pub use cutting::{CUTTING, cuts};
pub use fixpoint::{FIXPOINT, fixpoint};
#[cfg(feature = "reports")]
pub use outputs::{INERT, ORDERS, STRUCTURE, inert, obeyed, structured};
pub use sip_address::{DERIVED, StrictAddress, StrictUri, sip_addresses};
pub use sip_grammar::{GRAMMAR, sip_grammatical};
pub use time::{RUN_LIMIT, TIME, timed};
