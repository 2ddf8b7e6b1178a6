//! One file per command.

pub mod call;
pub mod demo;
pub mod explain;
pub mod judge;
pub mod lab;
pub mod list;
pub mod run;
