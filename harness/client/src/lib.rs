//! The reference client: it fetches a configuration, signals and sends media as a visitor's browser does, and misbehaves
//! where it is told to.
//!
//! [`net`] is the one way out, inside the scope of the target file; [`http`] makes single requests on it. [`adapters`] know
//! how a vendor's client gets its configuration. [`signalling`] and `media` are machines without sockets and clocks:
//! bytes and time come in as arguments. [`drive`] owns sockets and joins them to calls.
//! [`hello`] asks what a TLS or DTLS server accepts, with hellos that are no handshake. [`turn`] asks a relay what no call
//! asks. [`browser`] is a real one on a real page.

pub mod adapters;
pub mod browser;
pub mod drive;
pub mod failure;
pub mod hello;
pub mod http;
pub mod media;
pub mod net;
pub mod signalling;
pub mod turn;

pub use failure::Failure;
pub use net::Net;
