//! What the tests against other implementations of SRTP have in common.

#![allow(dead_code)] // each test file uses its own part

pub mod agreement;
pub mod flight;
pub mod keys;
pub mod packets;
