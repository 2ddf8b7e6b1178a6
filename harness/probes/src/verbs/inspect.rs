//! `inspect`: look through what earlier steps saw for personal data, secrets, private addresses and versions, and for names and
//! secrets that can be guessed or that come again.

use std::collections::BTreeSet;
use std::sync::Arc;

use ringfence_client::adapters::CallConfig;
use ringfence_model::observation::Leak;
use ringfence_model::{Untrusted, target};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::step_ref::AnyRef;
use crate::{Asked, Browsed, Cost, Cx, Kept, OwnFault, Probe, Visit};

mod configs;
mod observed;
mod pages;
mod traffic;

/// See [`Probe::DOES`].
pub struct Inspect;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// The steps that are looked through, in this order.
    pub from: Vec<AnyRef>,
    /// What to look for.
    #[serde(rename = "for")]
    pub what: What,
}

/// What to look for. Of a page: in the names that it gives its visitor; of any step: in its observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Personal data; in what else a page sends of its own over WebSockets, too.
    Pii,
    /// Secrets.
    Secrets,
    /// Private addresses and internal names.
    Addresses,
    /// Products with a version.
    Versions,
    /// How much of names and secrets can be random, and whether secrets can be guessed: of pages, and of configurations.
    Entropy,
    /// Names that came in more than one visit, and values that came in more than one step.
    Reuse,
}

/// Observation.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// Visits that were looked through.
    pub visits: i64,
    /// Values among them by which a page names its visitor.
    pub identifiers: i64,
    /// Visits that showed a user id which names one visitor.
    pub with_user_id: i64,
    /// Messages that a page sent over its WebSockets.
    pub frames: i64,
    /// Configurations among what was looked through.
    pub configs: i64,
    /// Those among them with different pairs of name and password, or different tokens.
    pub pairs: i64,
    /// Personal data.
    pub pii: Vec<Leak>,
    /// Secrets.
    pub secrets: Vec<Leak>,
    /// Addresses and names of the inside: `private`, `cgnat`, `unique-local`, `link-local`, `loopback` or `internal-name`.
    pub addresses: Vec<Leak>,
    /// Products with a version.
    pub versions: Vec<VersionSeen>,
    /// How random the names can be.
    pub entropy: Vec<EntropySeen>,
    /// Secrets that can be guessed, with the proof.
    pub weak: Vec<WeakSeen>,
    /// Names that came again.
    pub reused: Vec<ReusedSeen>,
}

/// How random one kind of name can be.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct EntropySeen {
    /// `user-id`, `display-name`, `contact-user` or a header field of a page; `username`, `password`,
    /// `token`, `nonce`, `jti` or `session_id` of a configuration.
    pub field: String,
    /// `digits`, `hex`, `ice-char`, `base64`, `uuid` or `other`: characters of what differs from visit to visit.
    pub class: String,
    /// Upper bound in whole bits: without what is shared, what counts and what tells the time.
    pub bits: i64,
    /// Values that were compared.
    pub samples: i64,
}

/// A secret that can be guessed.
#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WeakSeen {
    /// `password`, `token`, `nonce`, `jti` or `session_id` of a configuration.
    pub field: String,
    /// `list`, `repeat`, `same-under-two-names`, `counter`, `timestamp`, `generator`, `short` or `derived`.
    pub why: String,
}

/// A product with a version.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct VersionSeen {
    /// What it says.
    pub product: Untrusted,
    /// In which field of the observation.
    #[serde(rename = "where")]
    pub place: String,
}

/// A name that came in more than one visit, or a value in more than one step.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct ReusedSeen {
    /// Which name: `user-id`, `display-name`, `contact-user`, or a header field; or the field of the observations.
    pub field: String,
}

impl Probe for Inspect {
    const NAME: &'static str = "inspect";
    const DOES: &'static str = "look through what earlier steps saw for personal data, secrets, private addresses, versions and weak randomness";
    type With = With;
    type Seen = Seen;

    fn cost(_: &With) -> Cost {
        Cost { connections: 0, ..Cost::PASSIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let (mut pages, mut configs): (Vec<Arc<Browsed>>, Vec<Arc<CallConfig>>) = Default::default();
        for step in &with.from {
            match cx.kept.get(&step.0) {
                Some(Kept::Page(page)) => pages.push(page.clone()),
                Some(Kept::Config(config)) => configs.push(config.clone()),
                _ if cx.observed.contains_key(&step.0) => {}
                _ => return Err(OwnFault(format!("step {} has left nothing to look through", step.0))),
            }
        }
        let visits: Vec<&Visit> = pages.iter().flat_map(|page| &page.visits).collect();
        // Of a page everything is known, so that its observation adds nothing but another writing of the same.
        let is_page = |step: &&AnyRef| matches!(cx.kept.get(&step.0), Some(Kept::Page(_)));
        let observed = with
            .from
            .iter()
            .filter(|step| !is_page(step))
            .filter_map(|step| cx.observed.get(&step.0))
            .collect::<Vec<_>>();
        Ok(Asked::answered(inspect(cx, with.what, &visits, &configs, &observed)))
    }
}

fn inspect(
    cx: &Cx,
    what: What,
    visits: &[&Visit],
    configs: &[Arc<CallConfig>],
    observed: &[&observed::Observation],
) -> Seen {
    let sent = |visit: &Visit| visit.frames.iter().filter(|frame| frame.sent).count();
    let mut seen = Seen {
        visits: count(visits.len()),
        identifiers: count(visits.iter().map(|visit| visit.identifiers.len()).sum()),
        with_user_id: count(visits.iter().filter(|visit| pages::user_ids(visit).next().is_some()).count()),
        frames: count(visits.iter().map(|visit| sent(visit)).sum()),
        configs: count(configs.len()),
        pairs: count(configs::pairs(configs).len()),
        ..Seen::default()
    };
    let test_user = &cx.target.page.test_user;
    match what {
        What::Pii => {
            seen.pii = pages::personal_data(test_user, &given(cx), visits);
            seen.pii.extend(configs::personal_data(test_user, configs));
            seen.pii.extend(observed::personal_data(test_user, observed));
        }
        What::Secrets => {
            seen.secrets = pages::secrets_in_names(cx, visits);
            seen.secrets.extend(observed::secrets(observed));
        }
        What::Addresses => seen.addresses = observed::addresses(observed),
        What::Versions => seen.versions = observed::versions(observed),
        What::Entropy => {
            seen.entropy = pages::measured(visits);
            seen.entropy.extend(configs::measured(configs));
            seen.weak = configs::weak(configs);
        }
        What::Reuse => {
            seen.reused = pages::reused(visits);
            seen.reused.extend(observed::reused(observed));
        }
    }
    for leaks in [&mut seen.pii, &mut seen.secrets] {
        *leaks = tidy(std::mem::take(leaks));
    }
    seen
}

/// Names that the deployment gives its callers, as far as they are known: the target file's and those of earlier steps.
fn given(cx: &Cx) -> Vec<String> {
    let own = [&cx.target.sip.aor, &cx.target.sip.username].into_iter().filter_map(|value| match value {
        Some(target::Value::Text(text)) => Some(text.clone()),
        _ => None,
    });
    let minted = cx.kept.values().filter_map(|kept| match kept {
        Kept::Config(config) => Some([Some(config.aor_user.clone()), config.username.clone()]),
        _ => None,
    });
    own.chain(minted.flatten().flatten()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn leak(kind: &str, place: &str) -> Leak {
    Leak { kind: kind.to_owned(), place: place.to_owned() }
}

fn tidy<T: Ord>(mut found: Vec<T>) -> Vec<T> {
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests;
