//! `wait`: let time pass.

use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::step_ref::{CallRef, ConfigRef};
use crate::{Asked, Cost, Cx, Kept, OwnFault, Probe, token};

/// Seconds after a call's end until its credentials have to be dead, where the target declares nothing (house).
pub const SESSION_END_S: u64 = 10;
/// Servers count whole seconds, and ours began at another fraction.
const WHOLE: Duration = Duration::from_secs(1);

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
    /// The step whose credentials or token are to expire; `token-expiry` needs it.
    #[serde(default)]
    pub from: Option<ConfigRef>,
    /// Seconds that the target's clock may differ from ours, added to an expiry. `target.clock_leeway_s` takes its place.
    #[serde(default)]
    pub leeway_s: u64,
    /// The held call that is to live until then.
    #[serde(default)]
    pub call: Option<CallRef>,
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
    /// The first of: the expiry that a token states, the life that the configuration states, and `target.credential_life_s`
    /// after it was fetched. Then the leeway, and a second more.
    TokenExpiry,
}

/// Observation.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// Seconds that passed.
    pub seconds: u64,
    /// The wait exceeds the run's budget, or nothing says how long it is: it was not begun.
    pub skipped: bool,
    /// Something says how long it is.
    pub known: bool,
}

impl Probe for Wait {
    const NAME: &'static str = "wait";
    const DOES: &'static str = "let time pass: a duration, the declared end of a session or of a digest nonce, or the expiry \
                                of credentials";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        let seconds = if with.until == Until::Duration { with.seconds } else { 0 };
        Cost { connections: 0, seconds: u32::try_from(seconds).unwrap_or(u32::MAX), ..Cost::PASSIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let declared = |seconds: Option<i64>| Some(Duration::from_secs(u64::try_from(seconds?).ok()?));
        let own = &cx.target.declared;
        let length = match with.until {
            Until::Duration => Some(Duration::from_secs(with.seconds)),
            Until::SessionEnd => Some(declared(own.session_end_s).unwrap_or(Duration::from_secs(SESSION_END_S))),
            Until::NonceExpiry => declared(own.nonce_life_s).map(|life| life.saturating_add(WHOLE)),
            Until::TokenExpiry => {
                let leeway = declared(own.clock_leeway_s).unwrap_or(Duration::from_secs(with.leeway_s));
                expiry(cx, &with)?.map(|left| left.saturating_add(leeway).saturating_add(WHOLE))
            }
        };
        let Some(length) = length else { return Ok(Asked::answered(Seen { skipped: true, ..Seen::default() })) };
        if length.as_secs() > cx.seconds_left {
            return Ok(Asked::answered(Seen { seconds: 0, skipped: true, known: true }));
        }
        tokio::time::sleep(length).await;
        Ok(Asked::answered(Seen { seconds: length.as_secs(), skipped: false, known: true }))
    }
}

/// How long it is until the credentials of a step expire; nothing says it where `None`.
fn expiry(cx: &Cx, with: &With) -> Result<Option<Duration>, OwnFault> {
    let step = with.from.as_ref().ok_or_else(|| OwnFault("for = \"token-expiry\" needs from".into()))?;
    let Some(Kept::Config(config)) = cx.kept.get(&step.0) else {
        return Err(OwnFault(format!("step {} keeps no configuration", step.0)));
    };
    let end = token::expiry(config, cx.target.declared.credential_life_s);
    Ok(end.map(|end| end.duration_since(SystemTime::now()).unwrap_or_default()))
}
