//! The callee's media: one SDP offer in, one SDP answer out, and from then on a task that echoes audio.
//!
//! | file | subject |
//! |---|---|
//! | `offer` | what an offer asks for, and which are refused |
//! | `sdes` | keys in the SDP, which only a broken lab takes |
//! | `identity` | certificate, credentials and numbers, fresh for each call |
//! | `answer` | the answer's text |
//! | `ice` | connectivity, by the crate `is` |
//! | `dtls` | the handshake, by the crate `dimpl`, and the comparison with the fingerprint |
//! | `flights` | the alerts for hellos that have no answer, and answers by hand, which only a broken lab gives |
//! | `masks` | what `dimpl` has to be tricked into, which only a broken lab does |
//! | `profiles` | which profile was agreed on, and another in its place |
//! | `echo` | SRTP in, SRTP out |
//! | `plain` | RTP in, RTP out, which only a broken lab does |
//! | `reports` | what RTCP says |
//! | `restart` | another offer in mid-call |
//! | `machine` | the above as one machine: datagrams and time in, datagrams and one end out |
//! | `drive` | its socket and its task |
//! | `external` | somebody else's program instead of all that |
//!
//! # Figures
//! Full ICE with one host candidate, rtcp-mux, DTLS 1.2 in either role with a client certificate demanded, SRTP profiles
//! gcm-128, gcm-256 and cm-sha1-80, a replay window of 64 packets, a report every second. Certificate, keys, ufrag, pwd
//! and tls-id live for one call. A hello that cannot be answered gets an alert, and ends the call.

mod answer;
mod drive;
mod dtls;
mod echo;
pub mod external;
mod flights;
mod ice;
mod identity;
mod machine;
mod masks;
mod offer;
mod plain;
mod profiles;
mod reports;
mod restart;
mod sdes;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use tokio::net::UdpSocket;

use crate::fault::Faults;
pub use drive::MediaCall;
use identity::Identity;
pub use machine::{Machine, Output};
use offer::{Offer, Refusal};

/// Who answers a lab's calls.
#[derive(Clone, Debug)]
pub enum Callee {
    /// The lab's own media.
    Echo(MediaSettings),
    /// A program, started once per call. The lab's faults of media do not touch it.
    Program(external::Program),
}

impl Callee {
    /// Answers an offer.
    pub async fn answer(&self, offer: &str) -> Answered {
        let begun = match self {
            Self::Echo(settings) => begin(settings, offer).await,
            Self::Program(program) => program.begin(offer).await,
        };
        match begun {
            Ok((sdp, call)) => Answered::Accepted { sdp, call },
            Err(Refusal { status, reason }) => Answered::Refused { status, reason },
        }
    }
}

/// What all calls of one lab have in common.
#[derive(Clone, Debug)]
pub struct MediaSettings {
    /// Where media sockets are bound, each on an ephemeral port, and what the answers' candidates say.
    pub local_ip: IpAddr,
    /// The lab's fault.
    pub faults: Arc<Faults>,
}

/// What became of an offer.
#[derive(Debug)]
pub enum Answered {
    /// The call's media run.
    Accepted {
        /// The answer, for the body of the 200.
        sdp: String,
        /// The running media; dropping it ends them.
        call: MediaCall,
    },
    /// Nothing was started.
    Refused {
        /// The SIP status: 488, 400 for an unreadable offer, 500 if the lab itself is at fault.
        status: u16,
        /// Why, as a lowercase fragment that holds nothing of the offer. Not the phrase of the status line.
        reason: &'static str,
    },
}

/// Why media ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The peer closed the DTLS association.
    PeerClosed,
    /// The peer's certificate is not the one that its offer announced.
    FingerprintMismatch,
    /// The handshake failed, or the association broke; the text is ours or the DTLS library's, never the peer's.
    DtlsFailed(String),
    /// No pair of candidates worked in time, or the one that did stopped answering.
    IceFailed,
    /// The callee's program ended by itself.
    ProgramEnded,
    /// The lab ended it.
    Stopped,
}

/// What a call's media counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MediaStats {
    /// Whether SRTP keys are there and ICE has a path.
    pub connected: bool,
    /// RTP packets whose tag matched.
    pub authenticated: u64,
    /// RTP packets that were sent back, each on its own sequence number.
    pub echoed: u64,
    /// RTP and RTCP packets whose tag did not match, or that were too short to have one.
    pub unauthenticated: u64,
    /// RTP and RTCP packets that came again, or too late for the replay window.
    pub replayed: u64,
    /// RTCP packets whose tag matched.
    pub reports: u64,
}

/// Answers an offer by the lab's own media.
pub async fn answer(settings: &MediaSettings, offer: &str) -> Answered {
    Callee::Echo(settings.clone()).answer(offer).await
}

/// Answers an offer with the machine that [`answer`] drives, for whoever has a network and a clock of their own: tests on
/// simulated time. `local` is what the answer names, `wall` the time of day at `now`. The handshake's retransmissions
/// repeat from call to call, so that a run with a simulated network does; a lab that is called for real does not use this.
///
/// # Errors
/// Status and reason, as in [`Answered::Refused`].
pub fn answer_on(
    settings: &MediaSettings,
    offer: &str,
    local: SocketAddr,
    now: Instant,
    wall: SystemTime,
) -> Result<(String, Machine), (u16, &'static str)> {
    let refusal = |Refusal { status, reason }| (status, reason);
    let offer = Offer::read(offer, settings.local_ip, &settings.faults).map_err(refusal)?;
    let mut identity = Identity::fresh(&settings.faults).ok_or((500, "no certificate could be made"))?;
    identity.repeatable = true;
    let sdp = answer::write(&offer, &identity, local);
    let machine = Machine::new(offer, identity, local, settings.faults.clone(), now, wall);
    Ok((sdp, machine.ok_or((500, "the media machine could not be made"))?))
}

/// Binds a socket, makes a certificate and starts the call's task; nothing of it waits for the peer.
async fn begin(settings: &MediaSettings, offer: &str) -> Result<(String, MediaCall), Refusal> {
    let offer = Offer::read(offer, settings.local_ip, &settings.faults)?;
    let own = |reason| Refusal { status: 500, reason };
    let identity = Identity::fresh(&settings.faults).ok_or(own("no certificate could be made"))?;
    let socket = UdpSocket::bind(SocketAddr::new(settings.local_ip, 0)).await;
    let socket = socket.map_err(|_| own("no media socket could be bound"))?;
    let local = socket.local_addr().map_err(|_| own("the media socket has no address"))?;
    let sdp = answer::write(&offer, &identity, local);
    let machine = Machine::new(offer, identity, local, settings.faults.clone(), Instant::now(), SystemTime::now());
    let machine = machine.ok_or(own("the media machine could not be made"))?;
    Ok((sdp, MediaCall::start(machine, socket)))
}
