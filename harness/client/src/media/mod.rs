//! The media side of a call: ICE, DTLS, SRTP and audio behind one machine that neither opens a socket nor reads a clock.
//!
//! [`MediaMachine`] takes datagrams and the time ([`Input`]) and gives datagrams, events and the next deadline
//! ([`Output`]). What a call says and does is a [`MediaPlan`]; a bend is another value of one of its fields.
//!
//! | file | subject |
//! |---|---|
//! | `plan`, `identity` | what a call will do; our certificate |
//! | `offer`, `answer`, `negotiate` | our SDP, the target's, and what follows from both |
//! | `gather`, `relay`, `ice` | STUN and TURN servers; candidates and the selected pair |
//! | `hello`, `certificate` | what our handshake offers; what the target's certificate says |
//! | `dtls`, `flight`, `tap`, `random_swap`, `sniff` | the handshake and what can be seen of it |
//! | `srtp`, `measure` | what the keys open, and under which profile |
//! | `plain`, `reuse` | what came unprotected, and indices that came twice |
//! | `audio`, `rtcp` | what we send, its echo, reports |
//! | `g711`, `playback`, `recording` | audio of a file of ours, and of the far side |
//! | `early` | unprotected audio before ICE or DTLS |
//! | `strangers` | hellos of a stranger before DTLS |
//! | `checks` | connectivity checks by hand, late ones and none |
//! | `rekey`, `renegotiate` | new keys in mid-call, and packets under the old ones |
//! | `asking` | hellos by hand instead of a handshake |
//! | `attack` | packets that a receiver must refuse |
//! | `machine`, `io`, `inbound`, `outbound`, `seen` | all of it together, and evidence |
//!
//! # Limits
//! DTLS 1.2 only. `rtc-dtls` reads the wall clock for four bytes of its random, and `rtc-ice` and `rtc-stun` draw transaction
//! ids from the thread's generator: a run on simulated time repeats in everything but those. As server `rtc-dtls` does not
//! compare what the client's Finished says: that it decrypts shows the keys, and its certificate is checked all the same.

#[doc(hidden)]
pub mod __fuzz;
mod answer;
mod asking;
mod attack;
mod audio;
mod certificate;
mod checks;
#[cfg(test)]
mod clear_tests;
mod dtls;
#[cfg(test)]
mod dtls_tests;
mod early;
mod flight;
mod g711;
mod gather;
mod hello;
mod ice;
mod identity;
mod inbound;
mod io;
mod machine;
mod measure;
mod negotiate;
mod offer;
mod outbound;
mod plain;
mod plan;
mod playback;
mod random_swap;
mod recording;
mod rekey;
mod relay;
mod renegotiate;
mod reuse;
mod rtcp;
mod seen;
mod sniff;
mod srtp;
mod strangers;
mod tap;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod turn_tests;

pub use asking::HelloAsk;
pub use attack::{Attack, AttackKind, AttackSeen, Corpus, Oracle, Source, malformed_items};
pub use certificate::CertificateFacts;
pub use checks::{Check, CheckBend, CheckKit, ChecksSeen};
pub use g711::Law;
pub use hello::{DtlsGroup, DtlsSuite};
pub use identity::Identity;
pub use io::{Allow, Event, Input, Output};
pub use machine::MediaMachine;
pub use playback::{Playback, PlaybackError, Played, RATE_HZ};
pub use recording::{Recorded, Recording};
pub use rekey::{Rekey, RekeyHow, RekeySeen, ThenSend};
pub use ringfence_srtp::Profile as SrtpProfile;
pub use strangers::{StrangersSeen, small_hello};

pub use plan::{
    AudioBefore, CandidatePolicy, Codec, FingerprintBend, MediaPlan, Sdes, Setup, Shown, TransportProfile, TurnServer,
    TurnTransport,
};

/// Our own fault: nothing that a target does ends in one of these.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// A library or the system refused something that it should not.
    #[error("media setup: {0}")]
    Setup(String),
    /// A field of the plan cannot be used.
    #[error("media plan: {0}")]
    Plan(&'static str),
    /// A socket could not be bound or read.
    #[error("media socket: {0}")]
    Socket(#[from] std::io::Error),
}

impl MediaError {
    fn setup(error: impl std::fmt::Display) -> Self {
        Self::Setup(error.to_string())
    }
}
