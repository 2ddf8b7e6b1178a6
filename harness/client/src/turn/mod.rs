//! TURN by hand (RFC 8656, and RFC 6062 for TCP peers): what a probe asks of a relay beyond what a call needs of it.
//!
//! | file | subject |
//! |---|---|
//! | `wire` | one connection to a server: requests and their answers, and what comes unasked |
//! | `client` | Allocate, and what is asked of an allocation that is there |
//! | `control` | a peer of ours, which shows that the relay relays |
//!
//! A server's 300 Try Alternate is reported and never followed, so nothing of it leaves the scope.

mod client;
mod control;
mod wire;

pub use client::{Answer, Client, Credentials, Family, First, Granted, Refused, Wish};
pub use control::{ControlPeer, ControlSeen};
pub use wire::{Bytes, Server, Wire};
