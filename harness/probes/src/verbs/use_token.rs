//! `use-token`: present a token, valid or forged, to the service that should judge it.

use std::time::Duration;

use ringfence_client::adapters::token::{self, Forgery};
use ringfence_client::drive::registration::{RegistrationPlan, register};
use ringfence_client::{Failure, Net, http};
use ringfence_model::Secret;
use ringfence_model::target::{Endpoint, Target};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::address::Address;
use crate::origin::OriginVariant;
use crate::step_ref::ConfigRef;
use crate::{Asked, Cost, Cx, Kept, OwnFault, Probe};

/// Most presentations of one step (house).
const MAX_TIMES: u32 = 20;

/// See [`Probe::DOES`].
pub struct UseToken;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// The step whose token is presented.
    pub from: ConfigRef,
    /// How the token is bent. Only one that can be read has a signature: of an opaque one nothing is presented.
    #[serde(default)]
    pub forge: Forge,
    /// To whom.
    pub at: At,
    /// How often, one after the other.
    #[serde(default = "once")]
    #[schemars(range(min = 1, max = 20))]
    pub times: u32,
    /// From which address of this machine.
    #[serde(default)]
    pub address: Address,
}

fn once() -> u32 {
    1
}

/// How a token is bent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Forge {
    /// Not at all.
    #[default]
    None,
    /// Another signature of the same length.
    BadSignature,
    /// No signature.
    EmptySignature,
    /// JWT only: `alg` is `none`, and there is no signature.
    AlgNone,
}

/// To whom a token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum At {
    /// The configuration endpoint of the target file: `Authorization: Bearer` (RFC 6750, section 2.1), in place of the login.
    Config,
    /// The SIP registrar: as the pair's password.
    Sip,
}

/// Observation.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// Final status of the last answer, of HTTP or SIP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The last answer is a success.
    pub accepted: bool,
    /// Final status of every answer.
    pub statuses: Vec<u16>,
}

impl Probe for UseToken {
    const NAME: &'static str = "use-token";
    const DOES: &'static str = "present a token, valid or forged, to the service that should judge it";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        Cost { mints: if with.at == At::Config { with.times } else { 0 }, ..Cost::ACTIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let Some(Kept::Config(config)) = cx.kept.get(&with.from.0) else {
            return Err(OwnFault(format!("step {} keeps no configuration", with.from.0)));
        };
        let mut seen = Seen::default();
        let nothing = |why: &str| Ok(Asked::failed(Seen::default(), Failure::protocol(why)));
        let token = match with.at {
            At::Config => config.token.as_ref(),
            At::Sip => config.password.as_ref(),
        };
        let Some(token) = token else { return nothing("the configuration holds no token for it") };
        let bent = match with.forge {
            Forge::None => Some(token.expose().clone()),
            Forge::BadSignature => token::forged(token.expose(), Forgery::BadSignature),
            Forge::EmptySignature => token::forged(token.expose(), Forgery::EmptySignature),
            Forge::AlgNone => token::forged(token.expose(), Forgery::AlgNone),
        };
        let Some(bent) = bent.map(Secret::new) else { return nothing("the token has no such part to forge") };
        cx.ledger.add("token", bent.expose());
        let net = match with.address.of(&cx.net) {
            Ok(net) => net,
            Err(failure) => return Ok(Asked::failed(seen, failure)),
        };
        for number in 0..with.times.clamp(1, MAX_TIMES) {
            let answered = match with.at {
                At::Config => at_config(cx, &net, &bent).await?,
                At::Sip => {
                    let config =
                        ringfence_client::adapters::CallConfig { password: Some(bent.clone()), ..(**config).clone() };
                    let plan = RegistrationPlan {
                        origin: OriginVariant::Trusted.value(&cx.target),
                        answer_within: Duration::from_secs_f64(cx.target.limits.exchange_s),
                        ..RegistrationPlan::honest(config, cx.seed.wrapping_add(u64::from(number)))
                    };
                    let gone = register(&net, &plan, &cx.key).await;
                    gone.failure.map_or(Ok(gone.status), Err)
                }
            };
            match answered {
                Ok(status) => seen.take(status),
                Err(failure) => return Ok(Asked::failed(seen, failure)),
            }
        }
        Ok(Asked::answered(seen))
    }
}

impl Seen {
    fn take(&mut self, status: Option<u16>) {
        self.statuses.extend(status);
        self.status = status;
        self.accepted = status.is_some_and(|status| (200..300).contains(&status));
    }
}

async fn at_config(cx: &Cx, net: &Net, token: &Secret) -> Result<Result<Option<u16>, Failure>, OwnFault> {
    let url = address(&cx.target)?;
    let request = http::Request::get(url).header("Authorization", format!("Bearer {}", token.expose()));
    let request = match OriginVariant::Trusted.value(&cx.target) {
        Some(origin) => request.header("Origin", origin),
        None => request,
    };
    let answer = match http::request(net, request).await {
        Ok(answer) => answer,
        Err(failure) => return Ok(Err(failure)),
    };
    cx.learn_answer(&answer);
    Ok(Ok(Some(answer.status)))
}

/// Never without TLS: the token is a secret.
fn address(target: &Target) -> Result<Url, OwnFault> {
    let Endpoint::Url(text) = target.endpoints.get("config") else {
        return Err(OwnFault("endpoints.config is not in the target file".into()));
    };
    let mut url = Url::parse(text).map_err(OwnFault::new)?;
    url.set_scheme("https").map_err(|()| OwnFault("endpoints.config cannot be asked over https".into()))?;
    Ok(url)
}
