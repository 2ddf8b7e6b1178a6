//! What every renderer owes its readers, on made reports.

mod audited;
mod fourteen;
mod poison;
mod samples;

mod browser;
mod consistency;
mod counts;
mod golden;
mod hostile;
mod markdown;
mod sarif;
