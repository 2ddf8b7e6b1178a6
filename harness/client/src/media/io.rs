//! What goes into the machine and what comes out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::asking::HelloAsk;
use super::attack::{Attack, AttackSeen};
use super::checks::Check;
use super::rekey::{Rekey, RekeySeen};

/// Which addresses may be dialled. Candidates that it refuses are never probed.
pub type Allow = Arc<dyn Fn(SocketAddr) -> bool + Send + Sync>;

/// What goes in.
#[derive(Debug)]
pub enum Input<'a> {
    /// A datagram came, or a frame of a connection to a TURN server.
    Datagram {
        /// Our socket, or our end of the connection.
        local: SocketAddr,
        /// Who sent it.
        remote: SocketAddr,
        /// All of it.
        bytes: &'a [u8],
    },
    /// A connection to a TURN server is there: its frames are datagrams from now on.
    TurnConnected {
        /// The server's place among those that the machine was made with.
        place: usize,
        /// Our end, which is none of the sockets' addresses.
        local: SocketAddr,
    },
    /// A connection to a TURN server could not be made, or is gone.
    TurnLost {
        /// The server's place.
        place: usize,
        /// What happened.
        why: &'a str,
    },
    /// The target's answer to our offer. A later one that says the same changes nothing.
    Answer(&'a str),
    /// The target offers anew; `None` where it asks for our offer. [`Event::Description`] follows.
    Offer(Option<&'a str>),
    /// The time of [`Output::Timeout`] has come.
    Timeout,
    /// Audio on or off; it flows as soon as there are keys.
    SendAudio(bool),
    /// Attack the call. One at a time; without keys it ends at once with nothing sent.
    Attack {
        /// What to do.
        attack: Attack,
        /// A second socket of ours that it comes from, if not from the call's own.
        stranger: Option<SocketAddr>,
    },
    /// Change keys. One at a time; without keys it ends at once with nothing sent.
    Rekey(Rekey),
    /// The target's final answer to [`Event::Reoffer`].
    Reanswer {
        /// Its status; `None` where none came.
        status: Option<u16>,
        /// Its description.
        sdp: Option<&'a str>,
    },
    /// Put this hello to the target, in a call whose plan has [`MediaPlan::hellos`](super::MediaPlan::hellos). One at a time:
    /// another takes its place.
    Hello(HelloAsk),
    /// Send this connectivity check beside those of the call's own agent.
    Check(Check),
    /// Neither send checks nor answer them any more, and go on otherwise.
    StopConsent,
    /// Hang up: BYE, `close_notify`, allocations back. Afterwards nothing goes in any more.
    Close,
}

/// What comes out.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this.
    Transmit {
        /// From this of our sockets, or on the connection that has this end.
        local: SocketAddr,
        /// To here.
        remote: SocketAddr,
        /// One datagram, or frame; on a stream it is padded to four bytes.
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
    /// What we say to [`Input::Offer`]; `None` refuses it, and all stays as it was.
    Description(Option<String>),
    /// ICE has selected its first pair.
    IceConnected,
    /// There is a way for the unprotected media of a call that has no keys.
    InClear,
    /// DTLS has completed.
    DtlsCompleted,
    /// The first packet authenticated as SRTP.
    MediaAuthenticated,
    /// The first marker came back.
    Echoed,
    /// The target sent an alert: its TLS name.
    PeerAlert(String),
    /// [`MediaMachine::take_hello_answer`](super::MediaMachine::take_hello_answer) has what came of a hello.
    HelloAnswered,
    /// An attack is over.
    AttackDone(AttackSeen),
    /// An offer of ours in mid-call; [`Input::Reanswer`] is waited for.
    Reoffer(String),
    /// A change of keys is over.
    RekeyDone(RekeySeen),
    /// A stage failed: `stage: reason`. What still can go on does.
    Failed(String),
    /// The target closed DTLS.
    RemoteClosed,
}
