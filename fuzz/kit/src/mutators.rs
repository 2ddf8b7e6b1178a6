//! Repairs: what a change of some bytes leaves wrong elsewhere is put right, so that the change gets past the first check.
//!
//! A target calls them itself and reads both what came and what was repaired. So no engine has to know them, and a file is one input
//! wherever it is replayed.

pub mod content_length;
pub mod dtls;
pub mod stun;
