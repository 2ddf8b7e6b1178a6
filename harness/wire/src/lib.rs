//! Codecs of ringfence: bytes in, types out, and back. No sockets, no clocks, no randomness.
//!
//! One file per format: [`stun`] (RFC 8489), [`turn`] and [`turn_stream`] (RFC 8656), [`rtp`] and [`rtcp`] (RFC 3550),
//! [`demux`] (RFC 7983), [`sdp`] (RFC 8866), [`sip`] (RFC 3261, 7118), [`digest`] (RFC 7616), [`hello`] (TLS and DTLS, RFC
//! 8446 and 9147 and what was before them), [`websocket`] (RFC 6455) and [`wav`] (RIFF).
//!
//! # The contract
//! Every byte comes from a hostile target. A parser never panics, allocates in proportion to its input only, stops at
//! the limits that its module names, and returns an [`Error`] that names the field. What `emit` wrote, `parse` reads back
//! as the same value; where a value may say something that the format forbids, its documentation tells.
//!
//! ```
//! use ringfence_wire::stun::{Attribute, Class, Message, Method};
//! let request = Message::new(Class::Request, Method::BINDING, [7; 12])
//!     .with(Attribute::Username("theirs:ours".into()))
//!     .signed(b"password")?
//!     .fingerprinted()?;
//! let datagram = request.emit()?;
//! assert_eq!(Message::parse(&datagram)?, request);
//! ringfence_wire::stun::verify_integrity(&datagram, b"password")?;
//! # Ok::<(), ringfence_wire::Error>(())
//! ```
#![forbid(unsafe_code)]

mod bytes;
pub mod demux;
pub mod digest;
mod error;
mod hash;
pub mod hello;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
pub mod sip;
pub mod stun;
pub mod turn;
pub mod turn_stream;
pub mod wav;
pub mod websocket;

pub use error::Error;
