//! `media-attack`: within a held call, packets that a receiver must refuse, between good ones as controls.

mod seen;
mod with;

use std::net::IpAddr;

use ringfence_client::Failure;
use ringfence_client::drive::call::LiveCall;
use ringfence_client::media::{Attack, AttackKind, AttackSeen, Source, malformed_items};
use ringfence_model::observation::Outcome;
use ringfence_model::verdict::Intrusion;

use super::beside::Beside;
use crate::{Asked, Cost, Cx, OwnFault, Probe};
pub use seen::Seen;
pub use with::{Kind, SourceWord, With};

/// Between two looks at the call beside a flood, seconds.
const FLOOD_SLICE_S: u32 = 2;
/// A flood stops once the call beside it loses more than this share.
const FLOOD_STOPS: f64 = 0.5;

/// See [`Probe::DOES`].
pub struct MediaAttack;

impl Probe for MediaAttack {
    const NAME: &'static str = "media-attack";
    const DOES: &'static str =
        "within a held call: send packets that a receiver must refuse, with a good packet before and after as control";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        if with.kind.needs_a_call_beside() {
            return Cost { calls: 1, mints: 1, intrusion: Intrusion::Disruptive, ..Cost::ACTIVE };
        }
        Cost { connections: 0, ..Cost::ACTIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let Some(source) = source(cx, with.source) else {
            let error = "this machine has no second address for the attack".into();
            return Ok(Asked::failed(Seen::default(), Failure { outcome: Outcome::Unreachable, error }));
        };
        let call = cx.call(&with.call)?;
        let mut live = call.live().await;
        let Some(live) = live.as_mut() else {
            return Ok(Asked::failed(Seen::default(), Failure::closed("the call is over")));
        };
        let mut beside = match with.kind.needs_a_call_beside() {
            true => Some(Beside::place(cx).await?),
            false => None,
        };
        let corpus = with.corpus.into();
        let attack = Attack { source, corpus, ..Attack::new(with.kind.into(), with.count, with.rate) };
        let told = match attack.kind {
            AttackKind::Malformed => item_by_item(live, attack, beside.as_mut()).await,
            AttackKind::Flood => in_slices(live, attack, beside.as_mut(), cx.target.disruptive.rate).await,
            _ => live.attack(attack).await.map(|told| (told, None)),
        };
        let beside = match beside {
            Some(beside) => Some(beside.end().await),
            None => None,
        };
        let alive = live.is_live();
        Ok(match told {
            Ok((told, item)) => Asked::answered(Seen::new(told, alive, item, beside)),
            Err(failure) => Asked::failed(Seen::default(), failure),
        })
    }
}

/// Where the packets come from; `None` if this machine has no such address.
fn source(cx: &Cx, word: SourceWord) -> Option<Source> {
    match word {
        SourceWord::Own => Some(Source::Own),
        SourceWord::OtherPort => Some(Source::OtherPort),
        // On loopback every address is ours: one that no chain has, since chains count in the lower bits.
        SourceWord::OtherAddress => match cx.net.source() {
            Some(IpAddr::V4(own)) if own.is_loopback() => {
                Some(Source::OtherAddress(IpAddr::V4((own.to_bits() ^ 0x0080_0000).into())))
            }
            _ => None,
        },
    }
}

/// Each malformed packet with controls of its own, so that the one that did it can be named. Stops at the first lost call.
async fn item_by_item(
    live: &mut LiveCall,
    attack: Attack,
    mut beside: Option<&mut Beside>,
) -> Result<(AttackSeen, Option<String>), Failure> {
    let names: Vec<&str> = malformed_items(attack.corpus).collect();
    let count = (attack.count / u32::try_from(names.len()).unwrap_or(1).max(1)).max(2); // plain and protected
    let mut told = None;
    for (item, name) in names.into_iter().enumerate() {
        let one = live.attack(Attack { item, count, ..attack }).await?;
        let stopped = one.control_before && !one.control_after || !live.is_live();
        let stopped = stopped || beside.as_mut().is_some_and(|beside| beside.is_lost());
        seen::add(&mut told, one);
        if stopped {
            return Ok((told.unwrap_or_default(), Some(name.to_owned())));
        }
    }
    Ok((told.unwrap_or_default(), None))
}

/// A flood, at no more than the rate that the target file consents to, in slices between which the call beside it is looked at.
async fn in_slices(
    live: &mut LiveCall,
    attack: Attack,
    mut beside: Option<&mut Beside>,
    consented: u32,
) -> Result<(AttackSeen, Option<String>), Failure> {
    let rate = attack.rate.min(consented).max(1);
    let (mut left, mut told) = (attack.count, None);
    while left > 0 && live.is_live() {
        let count = left.min(rate * FLOOD_SLICE_S);
        left -= count;
        seen::add(&mut told, live.attack(Attack { count, rate, ..attack }).await?);
        if let Some(beside) = beside.as_mut()
            && beside.loss_since_last().await.is_some_and(|loss| loss > FLOOD_STOPS)
        {
            break;
        }
    }
    Ok((told.unwrap_or_default(), None))
}
