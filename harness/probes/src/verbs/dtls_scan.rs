//! `dtls-scan`: what the media port of a call accepts, asked with hellos by hand behind ICE; mostly a call for each hello.

mod seen;

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use ringfence_client::Failure;
use ringfence_client::adapters::{CallConfig, FetchError};
use ringfence_client::drive::call::CallPlan;
use ringfence_client::hello::{self, CallBounds, Question, Wanted};
use ringfence_wire::hello::Version;
use schemars::JsonSchema;
use serde::Deserialize;

pub use seen::{CertificateSeen, InconclusiveSeen, Seen, SuiteSeen};

use super::call::{self, call_plan};
use crate::step_ref::ConfigRef;
use crate::{Asked, Cost, Cx, OwnFault, Probe};

/// How long an answer may take (house): three copies of a hello go out meanwhile.
const ANSWER: Duration = Duration::from_secs(2);
/// Most calls of one step.
const MAX_CALLS: u32 = 200;

/// See [`Probe::DOES`].
pub struct DtlsScan;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// The step whose configuration all calls use; left out: a fresh one for each, as many are good for one call only.
    #[serde(default)]
    pub config: Option<ConfigRef>,
    /// How much is asked.
    #[serde(default)]
    pub depth: Depth,
    /// `full`: which lists; left out: all.
    #[serde(default)]
    pub ask: Vec<List>,
    /// Calls at most; what they do not tell stands in `inconclusive_questions`.
    #[serde(default = "max_calls")]
    #[schemars(range(min = 1, max = 200))]
    pub max_calls: u32,
}

/// How much is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// Which versions are accepted, and of all else what is chosen first.
    #[default]
    Quick,
    /// The lists of `ask` to their ends.
    Full,
}

/// A list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum List {
    /// DTLS 1.0, 1.2 and 1.3. Without it, versions below 1.2 are not asked for anything.
    Versions,
    /// Cipher suites of each version.
    Suites,
    /// Groups of the key exchange; with `suites` they ride along.
    Groups,
    /// SRTP profiles, which no answer of DTLS 1.3 shows; with `suites` they ride along.
    Profiles,
    /// All of them, and signature schemes.
    All,
}

fn max_calls() -> u32 {
    60
}

impl Probe for DtlsScan {
    const NAME: &'static str = "dtls-scan";
    const DOES: &'static str = "DTLS versions, suites, groups and SRTP profiles that the media port accepts, behind real signalling; mostly a call for each \
         question";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        let calls = with.max_calls.clamp(1, MAX_CALLS);
        let mints = if with.config.is_none() { calls } else { 0 };
        Cost { calls, in_turn: true, allocations: 1, mints, seconds: calls, ..Cost::ACTIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let (versions, wanted) = with.wanted();
        let kept = match &with.config {
            Some(step) => match cx.config(Some(step)).await? {
                Ok(config) => Some((*config).clone()),
                Err(failure) => return Ok(Asked::failed(Seen::default(), failure)),
            },
            None => None,
        };
        let begun = Instant::now();
        let next = |number: u32| -> BoxFuture<'_, Result<CallPlan, FetchError>> {
            Box::pin(plan(cx, kept.as_ref(), begun, number))
        };
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(OwnFault::new)?;
        let question = Question { server_name: None, wanted, seed };
        let max_calls = with.max_calls.clamp(1, MAX_CALLS);
        let bounds = CallBounds::paced(ANSWER, max_calls, cx.target.at_once.mints_per_s);
        match hello::media(&cx.net, &cx.key, &next, versions, &question, bounds, |_| {}).await {
            Ok(told) => {
                let seen = Seen::of(cx, &told, wanted);
                Ok(match seen.nothing_told() {
                    Some(why) => Asked::failed(seen, Failure::timeout(why)),
                    None => Asked::answered(seen),
                })
            }
            Err(FetchError::Target(failure)) => Ok(Asked::failed(Seen::default(), failure)),
            Err(FetchError::Own(why)) => Err(OwnFault(why)),
        }
    }
}

impl With {
    /// The versions that are asked for, and the lists.
    fn wanted(&self) -> (&'static [Version], Wanted) {
        const ALL: &[Version] = &[Version::DTLS10, Version::DTLS12, Version::DTLS13];
        const SOUND: &[Version] = &[Version::DTLS12, Version::DTLS13];
        const OLD: &[Version] = &[Version::DTLS12];
        if self.depth == Depth::Quick {
            return (ALL, Wanted::VERSIONS);
        }
        let all = self.ask.is_empty() || self.ask.contains(&List::All);
        let has = |list: List| all || self.ask.contains(&list);
        let wanted = Wanted {
            suites: has(List::Suites),
            groups: has(List::Groups),
            profiles: has(List::Profiles),
            schemes: all,
            order: all,
        };
        let versions = match (has(List::Versions), wanted.suites || wanted.groups) {
            (true, _) => ALL,
            (false, true) => SOUND,
            (false, false) => OLD,
        };
        (versions, wanted)
    }
}

/// The next call, as a visitor's client places it.
async fn plan(cx: &Cx, kept: Option<&CallConfig>, begun: Instant, number: u32) -> Result<CallPlan, FetchError> {
    let own = |fault: OwnFault| FetchError::Own(fault.0);
    if begun.elapsed().as_secs() >= cx.seconds_left {
        return Err(Failure::timeout("the run's minutes are spent").into());
    }
    let config = match kept {
        Some(config) => config.clone(),
        None => (*cx.config(None).await.map_err(own)??).clone(),
    };
    let mut plan = call_plan(cx, &call::With::default(), config).map_err(own)?;
    // Calls of one step have tags, branches and media of their own.
    plan.seed = cx.seed.wrapping_add(u64::from(number) << 32);
    plan.media.seed = plan.seed;
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(with: serde_json::Value) -> (usize, Wanted) {
        let with: With = serde_json::from_value(with).unwrap();
        let (versions, wanted) = with.wanted();
        (versions.len(), wanted)
    }

    #[test]
    fn what_is_asked_decides_which_versions_are() {
        assert_eq!(wanted(serde_json::json!({})), (3, Wanted::VERSIONS));
        assert_eq!(wanted(serde_json::json!({ "depth": "full" })), (3, Wanted::ALL));
        let lists = |lists: &[&str]| wanted(serde_json::json!({ "depth": "full", "ask": lists }));
        assert_eq!(lists(&["all", "groups"]), (3, Wanted::ALL));
        assert_eq!(lists(&["versions"]), (3, Wanted::VERSIONS));
        assert_eq!(lists(&["suites", "groups"]), (2, Wanted { groups: true, ..Wanted::SUITES }));
        assert_eq!(lists(&["profiles"]), (1, Wanted { profiles: true, ..Wanted::VERSIONS }));
        assert!(serde_json::from_value::<With>(serde_json::json!({ "ask": ["cookies"] })).is_err());
    }

    #[test]
    fn calls_come_one_after_the_other_and_all_of_them_count() {
        let cost = |with| DtlsScan::cost(&serde_json::from_value(with).unwrap());
        let each = cost(serde_json::json!({ "max_calls": 12 }));
        assert_eq!((each.calls, each.mints, each.in_turn, each.connections), (12, 12, true, 1));
        let all = cost(serde_json::json!({ "max_calls": 100_000, "config": "a" }));
        assert_eq!((all.calls, all.mints), (MAX_CALLS, 0));
    }
}
