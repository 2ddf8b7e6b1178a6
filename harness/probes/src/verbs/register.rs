//! `register`: REGISTER over a fresh signalling connection (RFC 3261, section 10).

use std::time::Duration;

use ringfence_client::drive::registration::{RegistrationPlan, RegistrationSeen, register};
use ringfence_client::signalling::LoginBend;
use ringfence_model::{Digest, Untrusted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::origin::OriginVariant;
use crate::step_ref::ConfigRef;
use crate::{Asked, Cost, Cx, OwnFault, Probe};

/// A user that deployments keep for themselves (house).
const RESERVED_USER: &str = "admin";

/// See [`Probe::DOES`].
pub struct Register;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct With {
    /// The step whose configuration is used; left out: a fresh one.
    pub config: Option<ConfigRef>,
    /// Whose address-of-record.
    pub aor: Aor,
    /// User part of the address-of-record, with `aor = "text"`.
    pub user_id: Option<String>,
    /// Whose credentials.
    pub login: Login,
    /// Seconds that are asked for.
    pub expires: u32,
    /// How many registrations on the one connection.
    #[schemars(range(min = 1, max = 10))]
    pub times: u32,
}

impl Default for With {
    fn default() -> Self {
        Self { config: None, aor: Aor::Own, user_id: None, login: Login::Own, expires: 600, times: 1 }
    }
}

/// Whose address-of-record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Aor {
    /// The configuration's.
    Own,
    /// A name that deployments keep for themselves.
    Reserved,
    /// `user_id`.
    Text,
}

/// Whose credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Login {
    /// The configuration's.
    Own,
    /// None: no Authorization is ever sent.
    None,
    /// The configuration's user name with a wrong password.
    Wrong,
}

/// Observation.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// Final status of the last registration, challenges answered where the login has an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Its reason phrase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Untrusted>,
    /// Final status of each registration.
    pub statuses: Vec<u16>,
    /// The first challenge.
    pub challenge: ChallengeSeen,
    /// The answer lists our own contact.
    pub contact_ok: bool,
    /// Seconds that were granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_s: Option<u32>,
    /// `Server`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_header: Option<Untrusted>,
}

/// A challenge (RFC 7616).
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct ChallengeSeen {
    /// Authentication schemes.
    pub schemes: Vec<Untrusted>,
    /// Algorithms.
    pub algorithms: Vec<Untrusted>,
    /// Qualities of protection.
    pub qop: Vec<Untrusted>,
    /// Nonce.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Digest>,
    /// A challenge says that the nonce was stale.
    pub stale: bool,
}

impl Probe for Register {
    const NAME: &'static str = "register";
    const DOES: &'static str = "REGISTER over a fresh signalling connection";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        Cost { mints: u32::from(with.config.is_none()), ..Cost::ACTIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let config = match cx.config(with.config.as_ref()).await? {
            Ok(config) => config,
            Err(failure) => return Ok(Asked::failed(Seen::default(), failure)),
        };
        let aor_user = match with.aor {
            Aor::Own => None,
            Aor::Reserved => Some(RESERVED_USER.to_owned()),
            Aor::Text => Some(with.user_id.ok_or_else(|| OwnFault("aor = \"text\" needs user_id".into()))?),
        };
        let plan = RegistrationPlan {
            aor_user,
            origin: OriginVariant::Trusted.value(&cx.target),
            login: match with.login {
                Login::Own => LoginBend::Own,
                Login::None => LoginBend::None,
                Login::Wrong => LoginBend::Wrong,
            },
            times: with.times.clamp(1, 10),
            expires: with.expires,
            answer_within: Duration::from_secs_f64(cx.target.limits.exchange_s),
            ..RegistrationPlan::honest((*config).clone(), cx.seed)
        };
        let seen = register(&cx.net, &plan, &cx.key).await;
        let failure = seen.failure.clone();
        let seen = describe(seen);
        Ok(match failure {
            Some(failure) => Asked::failed(seen, failure),
            None => Asked::answered(seen),
        })
    }
}

/// An upgrade that is denied is an answer too: no registration without it.
fn describe(seen: RegistrationSeen) -> Seen {
    let challenge = seen.challenge;
    Seen {
        status: seen.status.or(seen.upgrade_status.filter(|status| *status != 101)),
        reason: seen.reason,
        statuses: seen.statuses,
        challenge: ChallengeSeen {
            schemes: challenge.schemes,
            algorithms: challenge.algorithms,
            qop: challenge.qop,
            nonce: challenge.nonce,
            stale: challenge.stale,
        },
        contact_ok: seen.contact_ok,
        expires_s: seen.expires_s,
        server_header: seen.server_header,
    }
}
