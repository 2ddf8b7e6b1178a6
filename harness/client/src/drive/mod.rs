//! What owns sockets: it carries bytes and time to the machines and back.
//!
//! [`ws`] opens WebSockets, [`frames`] leaves their frames to the caller, [`registration`] registers on one, [`request`] asks
//! one thing on one and [`listener`] waits for what others ask, [`prober`] asks all the time whether the service is alive,
//! [`udp`] runs the media of a call, and [`call`] joins signalling and media to a call that lives in a task of its own.

pub mod call;
pub mod challenge;
pub mod frames;
mod in_call;
mod line;
pub mod listener;
mod live;
pub mod prober;
pub mod registration;
pub mod request;
pub mod servers;
mod stream;
pub mod udp;
pub mod ws;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
