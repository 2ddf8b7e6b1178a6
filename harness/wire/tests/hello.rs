//! Hellos: vectors typed from the layouts of the RFCs, round trips, hostile input, and `tls-parser` as a second
//! opinion.
#[path = "hello/answers.rs"]
mod answers;
#[path = "hello/bad_datagrams.rs"]
mod bad_datagrams;
#[path = "hello/bad_streams.rs"]
mod bad_streams;
#[path = "hello/build.rs"]
mod build;
#[path = "hello/oracle.rs"]
mod oracle;
#[path = "hello/properties.rs"]
mod properties;
#[path = "hello/replies.rs"]
mod replies;
#[path = "hello/written.rs"]
mod written;
