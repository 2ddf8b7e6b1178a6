//! Other implementations, each behind a small function that says what it read.

#[cfg(feature = "peers-sip")]
pub mod sip;
