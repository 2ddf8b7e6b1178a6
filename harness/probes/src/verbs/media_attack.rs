//! `media-attack`: within a held call, packets that a receiver must refuse, between good ones as controls.

use ringfence_client::Failure;
use ringfence_client::media::{Attack, AttackKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::step_ref::CallRef;
use crate::{Asked, Cost, Cx, OwnFault, Probe};

/// See [`Probe::DOES`].
pub struct MediaAttack;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// The held call.
    pub call: CallRef,
    /// What is wrong with the packets.
    pub kind: Kind,
    /// How many.
    #[schemars(range(min = 1, max = 500))]
    pub count: u32,
    /// Packets per second.
    #[schemars(range(min = 1, max = 500))]
    pub rate: u32,
}

/// What is wrong with the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One bit of the tag is flipped; with GCM one of the ciphertext as well.
    ForgedTag,
    /// The tag is left out.
    NoTag,
    /// Protected under another key.
    WrongKey,
}

/// Observation.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// A good packet came back just before.
    pub control_before: bool,
    /// A good packet came back just after.
    pub control_after: bool,
    /// Attack packets that came back.
    pub attack_echoed: i64,
    /// The target's authenticated RTCP counts the attack.
    pub attack_counted_by_rtcp: bool,
    /// Attack packets sent.
    pub sent: i64,
    /// The call still runs.
    pub call_alive: bool,
}

impl Probe for MediaAttack {
    const NAME: &'static str = "media-attack";
    const DOES: &'static str =
        "within a held call: send packets that a receiver must refuse, with a good packet before and after as control";
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
        let kind = match with.kind {
            Kind::ForgedTag => AttackKind::ForgedTag,
            Kind::NoTag => AttackKind::NoTag,
            Kind::WrongKey => AttackKind::WrongKey,
        };
        let attack = Attack { kind, count: with.count.clamp(1, 500), rate: with.rate.clamp(1, 500) };
        let seen = match live.attack(attack).await {
            Ok(seen) => seen,
            Err(failure) => return Ok(Asked::failed(Seen::default(), failure)),
        };
        Ok(Asked::answered(Seen {
            control_before: seen.control_before,
            control_after: seen.control_after,
            attack_echoed: seen.attack_echoed,
            attack_counted_by_rtcp: seen.attack_counted_by_rtcp,
            sent: seen.sent,
            call_alive: live.seen().ended_by.is_none(),
        }))
    }
}
