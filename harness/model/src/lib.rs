//! The shared words of ringfence: what a target is, what a scenario says, what was seen, and what follows from it.
//!
//! Every other crate of the harness speaks in these types. They hold data and small rules about that data; they open
//! no socket and judge nothing. `ARCHITECTURE.md` says which crate may import which.

pub mod enumeration;
pub mod evidence;
pub mod exit;
pub mod known_certificates;
pub mod observation;
pub mod policy;
pub mod report;
pub mod scenario;
pub mod secret;
pub mod standards;
pub mod target;
pub mod untrusted;
pub mod verdict;

pub use exit::Exit;
pub use secret::{Digest, RunKey, Secret};
pub use untrusted::Untrusted;
