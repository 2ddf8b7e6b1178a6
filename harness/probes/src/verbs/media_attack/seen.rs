//! The observation of `media-attack`.

use ringfence_client::media::{AttackSeen, Oracle};
use schemars::JsonSchema;
use serde::Serialize;

use crate::verbs::beside::BesideSeen;

/// How the far side was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OracleWord {
    /// Our audio came back.
    Echo,
    /// The target's receiver reports, which had shown a gap that we made on purpose.
    Reports,
    /// Not at all.
    #[default]
    None,
}

/// Observation.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// How the far side was seen.
    pub oracle: OracleWord,
    /// A good packet arrived just before.
    pub control_before: bool,
    /// A good packet arrived just after.
    pub control_after: bool,
    /// Attack packets that came back; of replays, those that came back once more.
    pub attack_echoed: i64,
    /// Replayed packets that came back under the number that they had come back with before, which any replay list refuses: a box
    /// on the way forwards them, and whether what plays them refuses them is not seen. They are not in `attack_echoed`.
    pub attack_passed_on: i64,
    /// The target's authenticated RTCP counts the attack: with `reports` as oracle a sequence number that only the attack used is
    /// the highest, or its SSRC is listed; of SRTCP the time of a sender report that had to be refused is named; of replays
    /// the loss in all falls, which is support and no proof.
    pub attack_counted_by_rtcp: bool,
    /// A report named the time of a good sender report of ours; with `srtcp-index-limit` that of the one with index 2^31 - 1.
    pub control_counted_by_rtcp: bool,
    /// The target's audio went to the second socket rather than to the call's.
    pub media_moved: bool,
    /// RTP of the target that arrived at the second socket.
    pub media_received_elsewhere: i64,
    /// Good packets of the whole call that came back twice although they were sent once.
    pub doubled: i64,
    /// Attack packets sent.
    pub sent: i64,
    /// Of them per second.
    pub sent_per_s: i64,
    /// The call still runs.
    pub call_alive: bool,
    /// Share of the good packets from the attack's beginning on that did not come back, 0 to 1; with `echo` as oracle only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub good_loss: Option<f64>,
    /// The malformed packet after which a call was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// The audio of the call beside it came back before the attack.
    pub second_control_before: bool,
    /// The call beside it still runs, and its audio came back after the attack.
    pub second_call_alive: bool,
    /// Share of its packets that did not come back before the attack, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_call_loss_before: Option<f64>,
    /// The same from the attack's beginning on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_call_loss: Option<f64>,
}

impl Seen {
    pub(super) fn new(told: AttackSeen, call_alive: bool, item: Option<String>, beside: Option<BesideSeen>) -> Self {
        let beside = beside.unwrap_or_default();
        let (sent, lost) = told.good;
        let echo = told.oracle == Some(Oracle::Echo);
        let oracle = match told.oracle {
            Some(Oracle::Echo) => OracleWord::Echo,
            Some(Oracle::Reports) => OracleWord::Reports,
            None => OracleWord::None,
        };
        Self {
            oracle,
            control_before: told.control_before,
            control_after: told.control_after,
            attack_echoed: told.attack_echoed,
            attack_passed_on: told.passed_on,
            attack_counted_by_rtcp: told.attack_counted_by_rtcp,
            control_counted_by_rtcp: told.control_counted_by_rtcp,
            media_moved: told.moved,
            media_received_elsewhere: told.elsewhere,
            doubled: told.doubled,
            sent: told.sent,
            sent_per_s: told.sent * 1000 / told.sending_ms.max(1),
            call_alive,
            good_loss: (echo && sent > 0).then(|| lost as f64 / sent as f64),
            item,
            second_control_before: beside.control_before,
            second_call_alive: beside.alive,
            second_call_loss_before: beside.loss.map(|(before, _)| before),
            second_call_loss: beside.loss.map(|(_, after)| after),
        }
    }
}

/// Adds what the next part of an attack showed to what its earlier parts did: the first control counts, and the last.
pub(super) fn add(told: &mut Option<AttackSeen>, next: AttackSeen) {
    let Some(told) = told else {
        *told = Some(next);
        return;
    };
    told.control_after = next.control_after;
    told.attack_echoed += next.attack_echoed;
    told.passed_on += next.passed_on;
    told.sent += next.sent;
    told.sending_ms += next.sending_ms;
    told.attack_counted_by_rtcp |= next.attack_counted_by_rtcp;
    told.control_counted_by_rtcp |= next.control_counted_by_rtcp;
    told.doubled = told.doubled.max(next.doubled);
    told.good = (told.good.0 + next.good.0, told.good.1 + next.good.1);
    told.elsewhere += next.elsewhere;
    told.moved |= next.moved;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_one_attack() {
        let part = |control_before, control_after, sent| AttackSeen {
            oracle: Some(Oracle::Echo),
            control_before,
            control_after,
            sent,
            sending_ms: 100,
            good: (40, 10),
            ..AttackSeen::default()
        };
        let mut told = None;
        add(&mut told, part(true, true, 5));
        add(&mut told, part(false, false, 3));
        let seen = Seen::new(told.unwrap(), true, None, None);
        assert_eq!((seen.oracle, seen.control_before, seen.control_after), (OracleWord::Echo, true, false));
        assert_eq!((seen.sent, seen.sent_per_s, seen.good_loss, seen.second_call_loss), (8, 40, Some(0.25), None));
    }
}
