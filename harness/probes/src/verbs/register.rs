//! `register`: REGISTER over a fresh signalling connection (RFC 3261, section 10).

mod corpus;
mod seen;

use std::sync::Arc;
use std::time::Duration;

use ringfence_client::adapters::CallConfig;
use ringfence_client::drive::registration::{RegistrationPlan, RegistrationSeen, register};
use ringfence_client::signalling::{Again, LoginBend};
use ringfence_client::{Failure, Net};
use ringfence_wire::digest;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::address::Address;
use crate::origin::OriginVariant;
use crate::step_ref::{ConfigRef, LoginRef};
use crate::{Asked, Cost, Cx, Kept, OwnFault, Probe};
use corpus::Corpus;
pub use seen::{ChallengeSeen, EntrySeen, Seen};

/// A user that deployments keep for themselves (house).
pub(super) const RESERVED_USER: &str = "admin";

/// See [`Probe::DOES`].
pub struct Register;

/// Parameters.
#[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct With {
    /// The step whose configuration is used; left out: a fresh one, and of a corpus a fresh one for each entry.
    pub config: Option<ConfigRef>,
    /// Whose address-of-record.
    pub aor: Aor,
    /// User part of the address-of-record: `opaque` for random text, `pii-corpus`, `corpus:injection`, or the text itself.
    pub user_id: Option<String>,
    /// Whose credentials.
    pub login: Login,
    /// The step whose login is presented again; `stale`, `replayed-nonce` and `reused-nonce-count` need it.
    pub login_of: Option<LoginRef>,
    /// Seconds that are asked for; left out: 600.
    pub expires: Option<u32>,
    /// How many registrations on the one connection; of a corpus how many entries. Left out: one, and all of a corpus.
    #[schemars(range(min = 1, max = 30))]
    pub times: Option<u32>,
    /// The only digest algorithm that is answered.
    pub algorithm: AlgorithmWord,
    /// From which address of this machine.
    pub address: Address,
}

/// Whose address-of-record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Aor {
    /// The configuration's, unless `user_id` is given.
    #[default]
    Own,
    /// That of another configuration that an earlier step kept, else of participant 2; a name that nobody was given, where
    /// both have one.
    Other,
    /// A name that deployments keep for themselves.
    Reserved,
    /// `user_id`.
    Text,
}

/// Whose credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Login {
    /// The configuration's.
    #[default]
    Own,
    /// Those of another configuration that an earlier step kept, else of participant 2.
    Other,
    /// The configuration's, under the nonce of `login_of`, counted up.
    Stale,
    /// The configuration's user name with a wrong password.
    Wrong,
    /// None: no Authorization is ever sent.
    None,
    /// The Authorization of `login_of`, to the letter.
    ReplayedNonce,
    /// A right answer under nonce and nonce count of `login_of`, with a client nonce of its own.
    ReusedNonceCount,
}

/// The only digest algorithm that is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlgorithmWord {
    /// The strongest that is offered.
    #[default]
    Any,
    /// MD5.
    Md5,
    /// SHA-256.
    #[serde(rename = "sha-256")]
    Sha256,
}

impl Probe for Register {
    const NAME: &'static str = "register";
    const DOES: &'static str = "REGISTER over a fresh signalling connection";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        let fresh = match with.corpus() {
            _ if with.config.is_some() => 0,
            Some(corpus) => with.entries(corpus, 0).len(),
            None => 1,
        };
        let other = usize::from(with.aor == Aor::Other || with.login == Login::Other);
        let plain = With { config: with.config.clone(), expires: with.expires, ..With::default() };
        Cost { mints: u32::try_from(fresh + other).unwrap_or(u32::MAX), ..Cost::ACTIVE }.passive_if(*with == plain)
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let net = match with.address.of(&cx.net) {
            Ok(net) => net,
            Err(failure) => return Ok(Asked::failed(Seen::default(), failure)),
        };
        if with.user_id.is_some() && !matches!(with.aor, Aor::Own | Aor::Text) {
            return Err(OwnFault("user_id goes with aor = \"text\"".into()));
        }
        match with.corpus() {
            Some(corpus) => ask_corpus(cx, &net, &with, corpus).await,
            None => ask_one(cx, &net, &with).await,
        }
    }
}

impl With {
    fn corpus(&self) -> Option<Corpus> {
        self.user_id.as_deref().and_then(Corpus::named)
    }

    fn entries(&self, corpus: Corpus, seed: u64) -> Vec<corpus::Entry> {
        let most = self.times.map_or(usize::MAX, |times| times as usize);
        corpus.entries(seed).into_iter().take(most).collect()
    }
}

async fn ask_one(cx: &Cx, net: &Net, with: &With) -> Result<Asked<Seen>, OwnFault> {
    let config = match cx.config(with.config.as_ref()).await? {
        Ok(config) => config,
        Err(failure) => return Ok(Asked::failed(Seen::default(), failure)),
    };
    let aor_user = match (with.aor, &with.user_id) {
        (Aor::Text, None) => return Err(OwnFault("aor = \"text\" needs user_id".into())),
        (Aor::Reserved, _) => Some(RESERVED_USER.to_owned()),
        (Aor::Other, _) => match cx.other_config(&config).await? {
            Some(other) if other.aor_user != config.aor_user => Some(other.aor_user.clone()),
            _ => Some(made_up(cx, "other")),
        },
        (_, Some(user)) if user == "opaque" => Some(made_up(cx, "visitor")),
        (_, user) => user.clone(),
    };
    let plan = RegistrationPlan {
        aor_user: aor_user.clone(),
        login: login(cx, with, &config).await?,
        times: with.times.unwrap_or(1).clamp(1, 30),
        ..plan(cx, with, &config, cx.seed)
    };
    let gone = register(net, &plan, &cx.key).await;
    let aor = format!("{}@{}", aor_user.as_deref().unwrap_or(&config.aor_user), config.realm);
    let (failure, spent) = (gone.failure.clone(), gone.spent.clone());
    let seen = Seen { aor: Some(cx.key.digest(aor.as_bytes())), ..Seen::of(gone) };
    let kept = (!spent.is_empty()).then(|| Kept::Login(Arc::new(spent)));
    Ok(asked(seen, failure).keeping(kept))
}

/// Each entry on a connection of its own.
async fn ask_corpus(cx: &Cx, net: &Net, with: &With, corpus: Corpus) -> Result<Asked<Seen>, OwnFault> {
    let mut whole = Seen::default();
    let mut last = None;
    for (number, entry) in (0..).zip(with.entries(corpus, cx.seed)) {
        let config = match cx.config(with.config.as_ref()).await? {
            Ok(config) => config,
            Err(failure) => return Ok(Asked::failed(whole, failure)),
        };
        let plan = RegistrationPlan {
            aor_user: Some(entry.user.clone()),
            user_as_is: corpus == Corpus::Injection,
            login: login(cx, with, &config).await?,
            ..plan(cx, with, &config, cx.seed.wrapping_add(number))
        };
        let gone = register(net, &plan, &cx.key).await;
        last = gone.failure.clone();
        whole.add(&entry, gone);
        // Where nobody listens any more, the rest would only be silence as well.
        if last.as_ref().is_some_and(|failure| failure.outcome == ringfence_model::observation::Outcome::Unreachable) {
            break;
        }
    }
    let unanswered = whole.statuses.is_empty();
    Ok(asked(whole, last.filter(|_| unanswered)))
}

fn asked(seen: Seen, failure: Option<Failure>) -> Asked<Seen> {
    match failure {
        Some(failure) => Asked::failed(seen, failure),
        None => Asked::answered(seen),
    }
}

fn plan(cx: &Cx, with: &With, config: &CallConfig, seed: u64) -> RegistrationPlan {
    let honest = RegistrationPlan::honest(config.clone(), seed);
    RegistrationPlan {
        origin: OriginVariant::Trusted.value(&cx.target),
        expires: with.expires.unwrap_or(honest.expires),
        algorithm: match with.algorithm {
            AlgorithmWord::Any => None,
            AlgorithmWord::Md5 => Some(digest::Algorithm::Md5),
            AlgorithmWord::Sha256 => Some(digest::Algorithm::Sha256),
        },
        answer_within: Duration::from_secs_f64(cx.target.limits.exchange_s),
        ..honest
    }
}

async fn login(cx: &Cx, with: &With, config: &Arc<CallConfig>) -> Result<LoginBend, OwnFault> {
    let how = match with.login {
        Login::Own => return Ok(LoginBend::Own),
        Login::None => return Ok(LoginBend::None),
        Login::Wrong => return Ok(LoginBend::Wrong),
        Login::Other => {
            let other = cx.other_config(config).await?;
            let pair = other.and_then(|other| Some((other.username.clone()?, other.password.clone()?)));
            let (username, password) = pair.ok_or_else(|| OwnFault("there is no other participant's login".into()))?;
            return Ok(LoginBend::Other { username, password });
        }
        Login::Stale => Again::NextCount,
        Login::ReplayedNonce => Again::Replayed,
        Login::ReusedNonceCount => Again::SameCount,
    };
    let step =
        with.login_of.as_ref().ok_or_else(|| OwnFault("a login that is presented again needs login_of".into()))?;
    match cx.kept.get(&step.0) {
        Some(Kept::Login(login)) => Ok(LoginBend::Again { login: login.to_vec(), how }),
        _ => Err(OwnFault(format!("step {} keeps no login", step.0))),
    }
}

/// A name that nobody was given, without anything of a person in it.
fn made_up(cx: &Cx, what: &str) -> String {
    format!("ringfence-{what}-{:016x}", cx.seed)
}

impl Seen {
    /// Takes in what became of one entry of a corpus.
    fn add(&mut self, entry: &corpus::Entry, gone: RegistrationSeen) {
        let closed = gone.failure.as_ref().is_some_and(|f| f.outcome == ringfence_model::observation::Outcome::Closed);
        let to = gone.to.clone().unwrap_or_default();
        let status = gone.status;
        let mut entries = std::mem::take(&mut self.entries);
        let mut statuses = std::mem::take(&mut self.statuses);
        let mut echoed = std::mem::take(&mut self.echoed_headers);
        let of = Seen::of(gone);
        entries.push(EntrySeen {
            entry: entry.name.to_owned(),
            malformed: entry.malformed,
            status,
            lost: closed && of.statuses.is_empty() && of.status.is_none(),
            whole: status.is_some_and(|status| (200..300).contains(&status)) && corpus::is_whole(&to, &entry.user),
            echoed: !of.echoed_headers.is_empty(),
        });
        statuses.extend(&of.statuses);
        for name in &of.echoed_headers {
            if !echoed.contains(name) {
                echoed.push(name.clone());
            }
        }
        *self = Seen { entries, statuses, echoed_headers: echoed, ..of };
    }
}
