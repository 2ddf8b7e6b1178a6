//! `wait`: let time pass.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Asked, Cost, Cx, OwnFault, Probe};

/// Seconds after a call's end until its credentials have to be dead, where the target declares nothing (house).
pub const SESSION_END_S: u64 = 10;

/// See [`Probe::DOES`].
pub struct Wait;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// What to wait for.
    #[serde(rename = "for")]
    pub until: Until,
    /// Length of a duration, in seconds.
    #[serde(default)]
    pub seconds: u64,
}

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// `seconds`.
    Duration,
    /// The declared end of a session, `target.session_end_s`.
    SessionEnd,
    /// The declared end of a digest nonce, `target.nonce_life_s`, and a second more.
    NonceExpiry,
}

/// Observation.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// Seconds that passed.
    pub seconds: u64,
    /// The wait exceeds the run's budget, or nothing says how long it is: it was not begun.
    pub skipped: bool,
}

impl Probe for Wait {
    const NAME: &'static str = "wait";
    const DOES: &'static str =
        "let time pass: a duration, the target's declared session end, or the declared life of a digest nonce";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        let seconds = if with.until == Until::Duration { with.seconds } else { 0 };
        Cost { connections: 0, seconds: u32::try_from(seconds).unwrap_or(u32::MAX), ..Cost::PASSIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let seconds = match with.until {
            Until::Duration => with.seconds,
            Until::NonceExpiry => {
                let life = cx.target.declared.nonce_life_s.and_then(|s| u64::try_from(s).ok());
                // Servers count whole seconds.
                life.map_or(u64::MAX, |s| s.saturating_add(1))
            }
            Until::SessionEnd => {
                cx.target.declared.session_end_s.and_then(|s| u64::try_from(s).ok()).unwrap_or(SESSION_END_S)
            }
        };
        if seconds > cx.seconds_left {
            return Ok(Asked::answered(Seen { seconds: 0, skipped: true }));
        }
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        Ok(Asked::answered(Seen { seconds, skipped: false }))
    }
}
