//! `ice-attack`: a call of its own, and beside or as its ICE agent something that no sound target follows. A good check before and
//! another after show that the target answers good ones.

mod calls;
mod candidates;
mod checks;

use std::net::IpAddr;
use std::time::Duration;

use ringfence_client::Failure;
use ringfence_model::Untrusted;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::step_ref::ConfigRef;
use crate::{Asked, Cost, Cx, OwnFault, Probe};

/// See [`Probe::DOES`].
pub struct IceAttack;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// The step whose configuration is used; left out: a fresh one.
    #[serde(default)]
    pub config: Option<ConfigRef>,
    /// What is wrong.
    pub kind: Kind,
    /// From where bent checks come.
    #[serde(default)]
    pub source: Source,
    /// For how long, in seconds.
    #[schemars(range(min = 1, max = 120))]
    pub seconds: u32,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Checks with a user name that the target never gave; none nominates, as with the next two.
    WrongUfrag,
    /// Checks with a MESSAGE-INTEGRITY under another password.
    BadIntegrity,
    /// Checks without MESSAGE-INTEGRITY.
    NoIntegrity,
    /// Checks with wrong integrity and with none, both with USE-CANDIDATE and the highest priority.
    StolenNomination,
    /// For that time we speak DTLS and RTP and neither check nor answer checks; then we check.
    NoChecks,
    /// We go on with media, and neither check nor answer checks any more. A second call goes on as it should.
    StopConsent,
    /// The offer has 250 further candidates, all of them ports of ours.
    ManyCandidates,
    /// The offer has further candidates at special-purpose addresses of ours.
    SpecialCandidates,
}

/// From where bent checks come.
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
    /// Final SIP status of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// ICE connected.
    pub connected: bool,
    /// The target is a lite agent.
    pub ice_lite: bool,
    /// Kind of our candidate of the selected pair: `host`, `srflx`, `prflx`, `relay`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_type: Option<String>,
    /// Bent checks got success responses; with `no-checks`, DTLS, RTP or RTCP came.
    pub answered: bool,
    /// Bent checks that were sent.
    pub sent: i64,
    /// Error responses to them.
    pub refused: i64,
    /// A bent check that nominates got a success response, or drew media to where it came from.
    pub nominated: bool,
    /// Media came to where bent checks came from, beside the call's own port.
    pub media_moved: bool,
    /// With `stop-consent`: seconds until the last authentic packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_continued_s: Option<f64>,
    /// Binding requests of the target, on all our ports, repeated ones too.
    pub checks_received: i64,
    /// Further candidates that it checked.
    pub candidates_checked: i64,
    /// Milliseconds between two new transactions of the target, on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_interval_ms: Option<f64>,
    /// Special-purpose addresses that it checked.
    pub checks_to_foreign: Vec<ForeignCheck>,
    /// The call went on: it was not ended, a check of it was still answered, and media that had come came again.
    pub session_alive: bool,
    /// What the kind needs to mean anything held: see `kind`.
    pub control_ok: bool,
}

/// A special-purpose address that the target checked.
#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ForeignCheck {
    /// The address.
    pub address: String,
    /// Its block: `loopback` …
    pub set: String,
    /// The target file's `allowed_private` holds it.
    pub declared: bool,
}

impl Probe for IceAttack {
    const NAME: &'static str = "ice-attack";
    const DOES: &'static str = "misbehave as or beside the ICE agent of a call";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        let calls = if with.kind == Kind::StopConsent { 2 } else { 1 };
        let mints = u32::from(with.config.is_none()) + calls - 1;
        Cost { calls, connections: calls, mints, ..Cost::ACTIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let config = match cx.config(with.config.as_ref()).await? {
            Ok(config) => config,
            Err(failure) => return Ok(Asked::failed(Seen::default(), failure)),
        };
        let time = Duration::from_secs(with.seconds.clamp(1, 120).into());
        let mut seen = Seen::default();
        let done = match with.kind {
            Kind::WrongUfrag | Kind::BadIntegrity | Kind::NoIntegrity | Kind::StolenNomination => {
                checks::bent(cx, &config, (with.kind, with.source), time, &mut seen).await
            }
            Kind::NoChecks => checks::none(cx, &config, time, &mut seen).await,
            Kind::StopConsent => checks::stop(cx, &config, time, &mut seen).await,
            Kind::ManyCandidates => candidates::many(cx, &config, time, &mut seen).await,
            Kind::SpecialCandidates => candidates::special(cx, &config, time, &mut seen).await,
        };
        Ok(match done? {
            Ok(()) => Asked::answered(seen),
            Err(failure) => Asked::failed(seen, failure),
        })
    }
}

/// What a kind comes to: the target's failures are inside, ours outside.
type Done = Result<Result<(), Failure>, OwnFault>;

/// Target text, from an address of ours or the target's.
fn block(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(v4) if v4.is_loopback() => "loopback",
        IpAddr::V4(v4) if v4.is_link_local() => "link-local",
        IpAddr::V4(v4) if v4.is_multicast() => "multicast",
        IpAddr::V4(v4) if v4.is_broadcast() => "broadcast",
        IpAddr::V4(v4) if v4.is_private() => "private",
        IpAddr::V6(v6) if v6.is_loopback() => "loopback",
        IpAddr::V6(v6) if v6.is_multicast() => "multicast",
        _ => "other",
    }
}

/// The error of a call that came to nothing.
fn unplaced(error: Option<Untrusted>) -> Failure {
    Failure::protocol(error.as_ref().map_or("ICE did not connect", |error| error.raw()))
}
