//! One file per command.

pub mod baseline;
pub mod call;
pub mod demo;
pub mod diff;
pub mod explain;
pub mod judge;
pub mod lab;
pub mod list;
pub mod run;
pub mod waive;
