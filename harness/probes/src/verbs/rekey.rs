//! `rekey`: within a held call, new keys: we restart ICE with another certificate, ask for a second handshake, or wait for the
//! target to change its keys by itself.

use std::time::Duration;

use ringfence_client::Failure;
use ringfence_client::media::{Rekey as Plan, RekeyHow, ThenSend};
use ringfence_model::{Digest, Untrusted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::step_ref::CallRef;
use crate::{Asked, Cost, Cx, OwnFault, Probe};

/// See [`Probe::DOES`].
pub struct Rekey;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// The held call.
    pub call: CallRef,
    /// How keys are to change.
    pub how: How,
    /// How long it may take, in seconds; for `observe`, how long is waited.
    #[schemars(range(min = 1, max = 3600))]
    pub seconds: u32,
    /// What is sent once there are new keys.
    #[serde(default)]
    pub then_send: Send,
    /// The rollover counter that audio goes on with under the new keys.
    #[serde(default)]
    pub roc: Roc,
}

/// How keys are to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Our re-INVITE has other ICE credentials, another certificate and another `tls-id`.
    IceRestart,
    /// Our ClientHello inside the association asks for a second handshake.
    Renegotiate,
    /// The target is waited for.
    Observe,
}

/// What is sent once there are new keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Send {
    /// Packets under the old keys alone.
    OldKeys,
    /// Audio under the new keys.
    #[default]
    NewKeys,
    /// Audio under the new keys, and two seconds after its first echo packets under the old ones alone.
    Both,
}

/// The rollover counter under the new keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Roc {
    /// That of the old keys, and zero where it brings nothing back.
    Kept,
    /// Zero.
    #[default]
    Zero,
}

/// Observation.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// Final status of our re-INVITE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// A second handshake completed.
    pub new_association: bool,
    /// Its keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_keys: Option<Digest>,
    /// They are others than those before.
    pub keys_differ: bool,
    /// Packets under the new keys that came back.
    pub new_keys_echoed: i64,
    /// Packets under the old keys that came back, or that the target still sent under them.
    pub old_keys_echoed: i64,
    /// Packets under the old keys that were sent.
    pub old_keys_sent: i64,
    /// Good audio came back behind everything else.
    pub control_after: bool,
    /// The target's authenticated RTCP counts packets under the new keys.
    pub new_keys_counted_by_rtcp: bool,
    /// The target's authenticated RTCP counts packets under the old keys.
    pub old_keys_counted_by_rtcp: bool,
    /// The rollover counter that came back, where there was a choice: `kept` or `zero`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roc_echoed: Option<String>,
    /// The answer has another `ice-ufrag`.
    pub ufrag_changed: bool,
    /// The answer has another `ice-pwd`.
    pub pwd_changed: bool,
    /// The answer has another `tls-id`.
    pub tls_id_changed: bool,
    /// The answer has other fingerprints.
    pub fingerprint_changed: bool,
    /// Times that the target changed its keys by itself.
    pub rotations_seen: i64,
    /// The second handshake was refused, or not answered.
    pub renegotiation_refused: bool,
    /// The target's alert, by its TLS name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<Untrusted>,
    /// The longest time without an authentic packet, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_gap_ms: Option<i64>,
    /// Authentic packets that came behind the last thing that was tried.
    pub media_after: i64,
    /// The call still runs.
    pub call_alive: bool,
}

impl Probe for Rekey {
    const NAME: &'static str = "rekey";
    const DOES: &'static str = "within a held call: ICE restart with a new certificate, fingerprint and tls-id, or DTLS \
                                renegotiation, or waiting for the peer to rotate";
    type With = With;
    type Seen = Seen;

    fn cost(_: &With) -> Cost {
        Cost { connections: 0, ..Cost::ACTIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let call = cx.call(&with.call)?;
        let mut live = call.live().await;
        let Some(live) = live.as_mut() else {
            return Ok(Asked::failed(Seen::default(), Failure::closed("the call is over")));
        };
        let plan = Plan {
            how: match with.how {
                How::IceRestart => RekeyHow::IceRestart,
                How::Renegotiate => RekeyHow::Renegotiate,
                How::Observe => RekeyHow::Observe,
            },
            then_send: match with.then_send {
                Send::OldKeys => ThenSend::OldKeys,
                Send::NewKeys => ThenSend::NewKeys,
                Send::Both => ThenSend::Both,
            },
            keep_roc: with.roc == Roc::Kept,
            time: Duration::from_secs(with.seconds.clamp(1, 3600).into()),
        };
        let seen = match live.rekey(plan).await {
            Ok(seen) => seen,
            Err(failure) => return Ok(Asked::failed(Seen::default(), failure)),
        };
        Ok(Asked::answered(Seen {
            status: seen.status,
            new_association: seen.new_association,
            new_keys: seen.new_keys,
            keys_differ: seen.keys_differ,
            new_keys_echoed: seen.new_keys_echoed,
            old_keys_echoed: seen.old_keys_echoed,
            old_keys_sent: seen.old_keys_sent,
            control_after: seen.control_after,
            new_keys_counted_by_rtcp: seen.new_keys_counted,
            old_keys_counted_by_rtcp: seen.old_keys_counted,
            roc_echoed: seen.roc_echoed.map(str::to_owned),
            ufrag_changed: seen.ufrag_changed,
            pwd_changed: seen.pwd_changed,
            tls_id_changed: seen.tls_id_changed,
            fingerprint_changed: seen.fingerprint_changed,
            rotations_seen: seen.rotations,
            renegotiation_refused: seen.renegotiation_refused,
            alert: seen.alert.map(Untrusted::new),
            media_gap_ms: seen.media_gap.and_then(|gap| i64::try_from(gap.as_millis()).ok()),
            media_after: seen.media_after,
            call_alive: live.is_live(),
        }))
    }
}
