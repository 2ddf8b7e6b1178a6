//! What a probe is, and the list entry that erases its types.

use std::future::Future;
use std::pin::Pin;

use ringfence_client::Failure;
use ringfence_model::Untrusted;
use ringfence_model::observation::{Common, Outcome};
use ringfence_model::verdict::Intrusion;
use schemars::{JsonSchema, schema_for};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Cx, Kept};

/// A Rust verb that does one thing to the target.
pub trait Probe: 'static {
    /// The name that scenarios use.
    const NAME: &'static str;
    /// What it does, in one line.
    const DOES: &'static str;
    /// Its parameters; unknown ones are refused.
    type With: DeserializeOwned + JsonSchema + Send;
    /// The fields of its observation.
    type Seen: Serialize + JsonSchema + Default + Send;

    /// What it takes at once, and what it does to the target.
    fn cost(with: &Self::With) -> Cost;

    /// Has the conversation. What the target does wrong is in the answer; an error is our own fault.
    fn ask(cx: &Cx, with: Self::With) -> impl Future<Output = Result<Asked<Self::Seen>, OwnFault>> + Send;
}

/// What a step takes while it runs, and what it does to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Calls placed, at most.
    pub calls: u32,
    /// They are placed one after the other, each when the one before is hung up.
    pub in_turn: bool,
    /// Connections open at once.
    pub connections: u32,
    /// TURN allocations held at once.
    pub allocations: u32,
    /// Configurations fetched.
    pub mints: u32,
    /// Seconds that it lasts when all goes well: audio, and what is waited for.
    pub seconds: u32,
    /// What it does to the target: passive is what a visitor's client does, a plain call and its hang-up among it, and all
    /// that the hosts of a vendor get.
    pub intrusion: Intrusion,
}

impl Cost {
    /// One connection of the kind that a visitor's client makes.
    pub const PASSIVE: Cost = Cost {
        calls: 0,
        in_turn: false,
        connections: 1,
        allocations: 0,
        mints: 0,
        seconds: 0,
        intrusion: Intrusion::Passive,
    };
    /// One connection with something wrong or repeated in it.
    pub const ACTIVE: Cost = Cost { intrusion: Intrusion::Active, ..Self::PASSIVE };

    /// Calls that are held at once.
    pub const fn calls_at_once(&self) -> u32 {
        if self.in_turn && self.calls > 1 { 1 } else { self.calls }
    }

    /// The same cost, of something that a visitor's client does where that is so.
    #[must_use]
    pub const fn passive_if(self, visitor: bool) -> Self {
        if visitor { Self { intrusion: Intrusion::Passive, ..self } } else { self }
    }
}

/// A fault of ringfence itself: a secret that cannot be read, a bug.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OwnFault(pub String);

impl OwnFault {
    /// From any error of ours.
    pub fn new(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// What asking gave.
pub struct Asked<S> {
    /// The probe's fields.
    pub seen: S,
    /// How the conversation ended.
    pub outcome: Outcome,
    /// What went wrong, where something did.
    pub error: Option<Untrusted>,
    /// What stays alive for later steps.
    pub kept: Option<Kept>,
}

impl<S> Asked<S> {
    /// The target answered.
    pub fn answered(seen: S) -> Self {
        Self { seen, outcome: Outcome::Answered, error: None, kept: None }
    }

    /// The conversation failed; `seen` is what was seen until then.
    pub fn failed(seen: S, failure: Failure) -> Self {
        Self { seen, outcome: failure.outcome, error: Some(failure.error), kept: None }
    }

    /// With something that stays alive.
    pub fn keeping(self, kept: impl Into<Option<Kept>>) -> Self {
        Self { kept: kept.into(), ..self }
    }
}

/// An observation without its type.
pub struct Raw {
    /// The observation: the probe's fields and the common ones, not yet redacted.
    pub observation: Map<String, Value>,
    /// How the conversation ended.
    pub outcome: Outcome,
    /// What stays alive for later steps.
    pub kept: Option<Kept>,
}

type Asking<'a> = Pin<Box<dyn Future<Output = Result<Raw, OwnFault>> + Send + 'a>>;

/// One entry of the list of verbs.
pub struct Verb {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub does: &'static str,
    /// JSON Schema of its parameters.
    pub with_schema: fn() -> Value,
    /// JSON Schema of its observation, common fields included.
    pub seen_schema: fn() -> Value,
    /// What given parameters cost.
    pub cost: fn(Map<String, Value>) -> Result<Cost, OwnFault>,
    /// Asks.
    pub ask: for<'a> fn(&'a Cx, Map<String, Value>) -> Asking<'a>,
}

impl Verb {
    /// The entry of a probe.
    pub const fn of<P: Probe>() -> Self {
        Self {
            name: P::NAME,
            does: P::DOES,
            with_schema: || schema_for!(P::With).to_value(),
            seen_schema: seen_schema::<P>,
            cost: |with| Ok(P::cost(&parse::<P>(with)?)),
            ask: |cx, with| Box::pin(ask::<P>(cx, with)),
        }
    }
}

fn parse<P: Probe>(with: Map<String, Value>) -> Result<P::With, OwnFault> {
    serde_json::from_value(Value::Object(with)).map_err(|error| OwnFault(format!("{}: {error}", P::NAME)))
}

/// The probe's own fields and the common ones in one object.
fn seen_schema<P: Probe>() -> Value {
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "a schema is all that is wanted of it")]
    struct Whole<S> {
        #[serde(flatten)]
        common: Common,
        #[serde(flatten)]
        seen: S,
    }
    schema_for!(Whole<P::Seen>).to_value()
}

async fn ask<P: Probe>(cx: &Cx, with: Map<String, Value>) -> Result<Raw, OwnFault> {
    let begun = std::time::Instant::now();
    let asked = P::ask(cx, parse::<P>(with)?).await?;
    let elapsed_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
    let common = Common { outcome: asked.outcome, elapsed_ms, error: asked.error };
    Ok(Raw { observation: object(&common, &asked.seen)?, outcome: asked.outcome, kept: asked.kept })
}

/// The common fields and a probe's own, as one JSON object.
pub(crate) fn object(common: &Common, seen: &impl Serialize) -> Result<Map<String, Value>, OwnFault> {
    let mut whole = Map::new();
    for part in [serde_json::to_value(common), serde_json::to_value(seen)] {
        let Value::Object(fields) = part.map_err(OwnFault::new)? else {
            return Err(OwnFault("an observation is no JSON object".into()));
        };
        whole.extend(fields);
    }
    Ok(whole)
}
