//! Small servers on loopback, each wrong in one way. They live as long as the test's runtime.
#![allow(dead_code, reason = "each test target uses its own part")]

pub mod answers;
pub mod bomb;
pub mod config;
pub mod https;
pub mod media;
pub mod pki;
pub mod relay;
pub mod sip;
pub mod tcp;
pub mod turn;
