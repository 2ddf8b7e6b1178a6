//! What every renderer owes its readers, on made reports.

mod fourteen;
mod samples;

mod consistency;
mod golden;
mod hostile;
