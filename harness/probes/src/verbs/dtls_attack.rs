//! `dtls-attack`: beside the DTLS client of a call, or as that client, something that a sound DTLS server of media does not
//! let happen.

mod calls;
mod flood;
mod mismatch;

use ringfence_client::Failure;
use ringfence_model::Untrusted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::step_ref::ConfigRef;
use crate::{Asked, Cost, Cx, OwnFault, Probe};

/// Hellos of `cookie-flood` where nothing is said.
const HELLOS: u32 = 20;
/// Most of them.
const MAX_HELLOS: u32 = 200;

/// See [`Probe::DOES`].
pub struct DtlsAttack;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// The step whose configuration is used; left out: a fresh one. A second call fetches its own.
    #[serde(default)]
    pub config: Option<ConfigRef>,
    /// What is done.
    pub kind: Kind,
    /// From where: `cookie-flood` comes from another port, everything else from the call's own.
    #[serde(default)]
    pub source: Source,
    /// Hellos of `cookie-flood`.
    #[serde(default = "hellos")]
    #[schemars(range(min = 1, max = 200))]
    pub repeat: u32,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A stranger's hellos without a cookie go to the port of a call, one every 50 ms, before our own handshake begins there. They
    /// end with the first that is answered with a flight.
    CookieFlood,
    /// A handshake without `use_srtp`, and then a hello whose `use_srtp` has one number only, 0x00F0, that no profile has.
    ProfileMismatch,
}

/// From where it comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The call's own port.
    #[default]
    Own,
    /// Another port of the same address.
    OtherPort,
}

/// Observation.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// Hellos of `cookie-flood` that were sent; handshakes and hellos of `profile-mismatch` that could have been answered.
    pub attempts: i64,
    /// Hellos that drew a ServerHello without a cookie; attempts of `profile-mismatch` after which media came, or a profile was
    /// chosen that was not offered.
    pub succeeded: i64,
    /// Handshakes of our own beside `cookie-flood` that did not complete.
    pub handshakes_lost: i64,
    /// Calls that the target ended meanwhile.
    pub calls_lost: i64,
    /// The target's first alert, by its TLS name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<Untrusted>,
    /// What the kind needs to mean anything held: our own handshake completed beside `cookie-flood`; each attempt of
    /// `profile-mismatch` was put on a checked pair of a call.
    pub control_ok: bool,
    /// Bytes of the hellos of `cookie-flood`.
    pub bytes_out: i64,
    /// Bytes that came back to where those hellos came from.
    pub bytes_in: i64,
    /// HelloVerifyRequests and HelloRetryRequests among that.
    pub cookies: i64,
    /// Nothing was sent by `cookie-flood`, since one end of the pair is a relay.
    pub relayed: bool,
    /// The SRTP profile that was chosen although it was not offered, as `srtp_profiles` names it, else its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen_profile: Option<String>,
    /// RTP that came after the handshake without `use_srtp`, protected or not.
    pub media_received: i64,
}

impl Probe for DtlsAttack {
    const NAME: &'static str = "dtls-attack";
    const DOES: &'static str = "misbehave as or beside the DTLS client of a call";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        let calls = if with.kind == Kind::ProfileMismatch { 2 } else { 1 };
        let mints = calls - u32::from(with.config.is_some());
        // An allocation each, if the configuration names a TURN server; audio of the handshake without `use_srtp`.
        Cost { calls, in_turn: true, allocations: 1, mints, seconds: 3, ..Cost::ACTIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let flood = with.kind == Kind::CookieFlood;
        if flood != (with.source == Source::OtherPort) {
            let why = "dtls-attack: kind = \"cookie-flood\" goes with source = \"other-port\", and nothing else does";
            return Err(OwnFault(why.into()));
        }
        let config = match cx.config(with.config.as_ref()).await? {
            Ok(config) => config,
            Err(failure) => return Ok(Asked::failed(Seen::default(), failure)),
        };
        let mut seen = Seen::default();
        let done = match with.kind {
            Kind::CookieFlood => flood::cookies(cx, &config, with.repeat.clamp(1, MAX_HELLOS), &mut seen).await,
            Kind::ProfileMismatch => mismatch::profiles(cx, &config, &mut seen).await,
        };
        Ok(match done? {
            Ok(()) => Asked::answered(seen),
            Err(failure) => Asked::failed(seen, failure),
        })
    }
}

/// What a kind comes to: the target's failures are inside, ours outside.
type Done = Result<Result<(), Failure>, OwnFault>;

fn hellos() -> u32 {
    HELLOS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(value: serde_json::Value) -> With {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn calls_count_and_come_one_after_the_other() {
        let flood = DtlsAttack::cost(&with(serde_json::json!({ "kind": "cookie-flood", "source": "other-port" })));
        assert_eq!((flood.calls, flood.mints, flood.in_turn), (1, 1, true));
        let mismatch = |config: Option<&str>| {
            let cost = DtlsAttack::cost(&with(serde_json::json!({ "kind": "profile-mismatch", "config": config })));
            (cost.calls, cost.mints, cost.connections)
        };
        assert_eq!(mismatch(None), (2, 2, 1));
        assert_eq!(mismatch(Some("a")), (2, 1, 1), "the second call fetches its own");
    }

    #[test]
    fn what_is_left_out_has_a_value() {
        let with = with(serde_json::json!({ "kind": "cookie-flood" }));
        assert_eq!((with.repeat, with.source), (HELLOS, Source::Own));
        assert!(serde_json::from_value::<With>(serde_json::json!({ "kind": "late-alert" })).is_err());
    }
}
