//! One file per command.

pub mod baseline;
pub mod call;
pub mod check;
pub mod demo;
pub mod diff;
pub mod dtls;
pub mod enumerate;
pub mod explain;
pub mod init;
pub mod judge;
pub mod lab;
pub mod list;
pub mod manuals;
pub mod plan;
pub mod report;
pub mod run;
pub mod schema;
pub mod tls;
pub mod waive;
