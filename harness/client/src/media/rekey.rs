//! New keys in mid-call: we offer anew, with other ICE credentials, another certificate and `tls-id` (RFC 8842, section 5.5),
//! and see whether the target's old keys die with the old association.
//!
//! Phases: the offer is out; new checks and a new handshake run while audio goes on under the old keys; audio under the new
//! keys until its echo is back; two seconds later packets under the old keys alone, on the new pair and on the old one; then
//! good audio again, as control.
//!
//! | file | subject |
//! |---|---|
//! | `run` | the phases, and what was seen |
//! | `steps` | the machine's side |

mod run;
mod steps;

use std::time::Duration;

use ringfence_model::Digest;

pub(super) use run::Run;

/// How long the last echoes, and the control behind them, may take.
const LATE: Duration = Duration::from_secs(1);

/// How keys are to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RekeyHow {
    /// We restart ICE with a new certificate.
    IceRestart,
    /// We ask for a second handshake inside the association.
    Renegotiate,
    /// We wait for the target to do it.
    Observe,
}

/// What is sent once there are new keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThenSend {
    /// Packets under the old keys alone.
    OldKeys,
    /// Audio under the new ones.
    NewKeys,
    /// Audio under the new keys, then packets under the old ones.
    Both,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rekey {
    /// How.
    pub how: RekeyHow,
    /// What is sent then.
    pub then_send: ThenSend,
    /// The rollover counter goes on under the new keys, before zero is tried.
    pub keep_roc: bool,
    /// How long the whole may take.
    pub time: Duration,
}

impl Rekey {
    /// How long it takes at most: its own time, and the last control.
    pub fn longest(&self) -> Duration {
        self.time + LATE * 2
    }
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RekeySeen {
    /// Final status of our re-INVITE.
    pub status: Option<u16>,
    /// A second handshake completed; inside the association, that the target began one.
    pub new_association: bool,
    /// Digest of its keys.
    pub new_keys: Option<Digest>,
    /// They are others than before.
    pub keys_differ: bool,
    /// Packets under the new keys that came back.
    pub new_keys_echoed: i64,
    /// Packets under the old keys that came back, whatever protects them then.
    pub old_keys_echoed: i64,
    /// Packets under the old keys that were sent, each once per pair.
    pub old_keys_sent: i64,
    /// Good audio came back behind them.
    pub control_after: bool,
    /// The target's authenticated reports name a number that went out under the new keys.
    pub new_keys_counted: bool,
    /// And one that went out under the old ones alone.
    pub old_keys_counted: bool,
    /// The rollover counter that the echo came under, where it was not zero before: `kept` or `zero`.
    pub roc_echoed: Option<&'static str>,
    /// The answer has another `ice-ufrag`.
    pub ufrag_changed: bool,
    /// The answer has another `ice-pwd`.
    pub pwd_changed: bool,
    /// The answer has another `tls-id`.
    pub tls_id_changed: bool,
    /// The answer has other fingerprints.
    pub fingerprint_changed: bool,
    /// Times that the target changed its keys by itself.
    pub rotations: i64,
    /// The second handshake inside the association was refused, or not answered.
    pub renegotiation_refused: bool,
    /// The target's alert, by its TLS name.
    pub alert: Option<String>,
    /// The longest time without any authentic packet.
    pub media_gap: Option<Duration>,
    /// Authentic packets behind the last thing that was tried.
    pub media_after: i64,
}
