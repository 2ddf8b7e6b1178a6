//! What goes into the machine and what comes out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::attack::{Attack, AttackSeen};

/// Which addresses may be dialled. Candidates that it refuses are never probed.
pub type Allow = Arc<dyn Fn(SocketAddr) -> bool + Send + Sync>;

/// What goes in.
#[derive(Debug)]
pub enum Input<'a> {
    /// A datagram came.
    Datagram {
        /// Our socket.
        local: SocketAddr,
        /// Who sent it.
        remote: SocketAddr,
        /// All of it.
        bytes: &'a [u8],
    },
    /// The target's answer to our offer. Later ones are ignored: a call has one here.
    Answer(&'a str),
    /// The time of [`Output::Timeout`] has come.
    Timeout,
    /// Audio on or off; it flows as soon as there are keys.
    SendAudio(bool),
    /// Attack the call. One at a time; without keys it ends at once with nothing sent.
    Attack(Attack),
    /// Hang up: BYE, `close_notify`, allocations back. Afterwards nothing goes in any more.
    Close,
}

/// What comes out.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this.
    Transmit {
        /// From this of our sockets.
        local: SocketAddr,
        /// To here.
        remote: SocketAddr,
        /// One datagram.
        bytes: Vec<u8>,
    },
    /// Something happened.
    Event(Event),
    /// Nothing more until then, or until something goes in.
    Timeout(Instant),
    /// Nothing more until something goes in.
    Idle,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Gathering is done; the whole offer.
    Offer(String),
    /// ICE has selected its first pair.
    IceConnected,
    /// DTLS has completed.
    DtlsCompleted,
    /// The first packet authenticated as SRTP.
    MediaAuthenticated,
    /// The first marker came back.
    Echoed,
    /// The target sent an alert: its TLS name.
    PeerAlert(String),
    /// An attack is over.
    AttackDone(AttackSeen),
    /// A stage failed: `stage: reason`. What still can go on does.
    Failed(String),
    /// The target closed DTLS.
    RemoteClosed,
}
