//! `inspect`: look through what earlier steps saw for personal data, secrets, and names that can be guessed or that come
//! again.

use std::collections::BTreeMap;

use ringfence_model::observation::Leak;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::detect::{entropy, pii, secrets};
use crate::step_ref::PageRef;
use crate::{Asked, Browsed, Cost, Cx, Identifier, IdentifierKind, Kept, OwnFault, Probe, Visit};

mod traffic;

/// See [`Probe::DOES`].
pub struct Inspect;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// The steps whose pages are looked through, in this order.
    pub from: Vec<PageRef>,
    /// What to look for.
    #[serde(rename = "for")]
    pub what: What,
}

/// What to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Personal data: in the names that a page gives its visitor, and in what else it sends of its own over WebSockets.
    Pii,
    /// Secrets in the names that a page gives its visitor.
    Secrets,
    /// How much of these names can be random, over all visits.
    Entropy,
    /// Names that came in more than one visit.
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
    /// Personal data.
    pub pii: Vec<Leak>,
    /// Secrets.
    pub secrets: Vec<Leak>,
    /// How random the names can be.
    pub entropy: Vec<EntropySeen>,
    /// Names that came again.
    pub reused: Vec<ReusedSeen>,
}

/// How random one kind of name can be.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct EntropySeen {
    /// Which name: `user-id`, `display-name`, `contact-user`, or a header field.
    pub field: String,
    /// `digits`, `hex`, `ice-char`, `base64`, `uuid` or `other`: characters of what differs from visit to visit.
    pub class: String,
    /// Upper bound in whole bits: without what is shared, what counts and what tells the time.
    pub bits: i64,
}

/// A name that came in more than one visit.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct ReusedSeen {
    /// Which name: `user-id`, `display-name`, `contact-user`, or a header field.
    pub field: String,
}

impl Probe for Inspect {
    const NAME: &'static str = "inspect";
    const DOES: &'static str =
        "look through what earlier steps saw for personal data, secrets and names that can be guessed";
    type With = With;
    type Seen = Seen;

    fn cost(_: &With) -> Cost {
        Cost { connections: 0, ..Cost::PASSIVE }
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let mut pages = Vec::new();
        for step in &with.from {
            match cx.kept.get(&step.0) {
                Some(Kept::Page(page)) => pages.push(page.clone()),
                _ => return Err(OwnFault(format!("step {} keeps no page", step.0))),
            }
        }
        let visits: Vec<&Visit> = pages.iter().flat_map(|page: &std::sync::Arc<Browsed>| &page.visits).collect();
        Ok(Asked::answered(inspect(cx, with.what, &visits)))
    }
}

fn inspect(cx: &Cx, what: What, visits: &[&Visit]) -> Seen {
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let sent = |visit: &Visit| visit.frames.iter().filter(|frame| frame.sent).count();
    let mut seen = Seen {
        visits: count(visits.len()),
        identifiers: count(visits.iter().map(|visit| visit.identifiers.len()).sum()),
        with_user_id: count(visits.iter().filter(|visit| user_ids(visit).next().is_some()).count()),
        frames: count(visits.iter().map(|visit| sent(visit)).sum()),
        ..Seen::default()
    };
    match what {
        What::Pii => seen.pii = personal_data(&cx.target.page.test_user, visits),
        What::Secrets => seen.secrets = secrets_in_names(cx, visits),
        What::Entropy => seen.entropy = measured(visits),
        What::Reuse => seen.reused = reused(visits),
    }
    seen
}

/// In a name, every kind; in other traffic only what has no other meaning there: see [`traffic`].
fn personal_data(test_user: &[String], visits: &[&Visit]) -> Vec<Leak> {
    let mut found = Vec::new();
    for visit in visits {
        for Identifier { kind, value } in &visit.identifiers {
            let matches = pii::find(value, test_user);
            found.extend(matches.iter().map(|one| leak(one.kind.word(), field(kind))));
        }
        for frame in visit.frames.iter().filter(|frame| frame.sent) {
            for (place, text) in traffic::of_its_own(&frame.text) {
                let matches = pii::find(&text, test_user);
                let clear = matches.iter().filter(|one| traffic::MEANS_NOTHING_ELSE.contains(&one.kind));
                found.extend(clear.map(|one| leak(one.kind.word(), place)));
            }
        }
    }
    tidy(found)
}

fn secrets_in_names(cx: &Cx, visits: &[&Visit]) -> Vec<Leak> {
    let mut found = Vec::new();
    for Identifier { kind, value } in visits.iter().flat_map(|visit| &visit.identifiers) {
        found.extend(secrets::find(value).iter().map(|one| leak(one.kind.word(), field(kind))));
        found.extend(secrets::known(value, &cx.ledger).iter().map(|known| leak(known, field(kind))));
    }
    tidy(found)
}

fn leak(kind: &str, place: &str) -> Leak {
    Leak { kind: kind.to_owned(), place: place.to_owned() }
}

fn tidy<T: Ord>(mut found: Vec<T>) -> Vec<T> {
    found.sort();
    found.dedup();
    found
}

/// Names of a visit that name one visitor. `anonymous` names nobody: RFC 3323, section 4.1.1.3.
fn names(visit: &Visit) -> impl Iterator<Item = &Identifier> {
    visit.identifiers.iter().filter(|name| !name.value.eq_ignore_ascii_case("anonymous") && !name.value.is_empty())
}

fn user_ids(visit: &Visit) -> impl Iterator<Item = &str> {
    names(visit).filter(|name| name.kind == IdentifierKind::UserId).map(|name| name.value.as_str())
}

/// The values of each kind of name, in the order of visits; each value once per visit.
fn by_kind<'a>(visits: &[&'a Visit]) -> BTreeMap<&'a IdentifierKind, Vec<&'a str>> {
    let mut all: BTreeMap<&IdentifierKind, Vec<&str>> = BTreeMap::new();
    for visit in visits {
        let mut once: Vec<&Identifier> = Vec::new();
        for name in names(visit) {
            if !once.contains(&name) {
                once.push(name);
                all.entry(&name.kind).or_default().push(&name.value);
            }
        }
    }
    all
}

fn measured(visits: &[&Visit]) -> Vec<EntropySeen> {
    let measure = |(kind, values): (&IdentifierKind, Vec<&str>)| {
        let measured = entropy::measure(&values)?;
        // No name is so long that its bits would not fit.
        let bits = measured.bits as i64;
        Some(EntropySeen { field: field(kind).to_owned(), class: measured.class.word().to_owned(), bits })
    };
    by_kind(visits).into_iter().filter_map(measure).collect()
}

fn reused(visits: &[&Visit]) -> Vec<ReusedSeen> {
    let again = |(kind, mut values): (&IdentifierKind, Vec<&str>)| {
        let before = values.len();
        values.sort_unstable();
        values.dedup();
        (values.len() < before).then(|| ReusedSeen { field: field(kind).to_owned() })
    };
    tidy(by_kind(visits).into_iter().filter_map(again).collect())
}

/// Bytes of a header field's name (house): nothing sensible is as long, and the page chose it.
const NAME_BYTES: usize = 64;

fn field(kind: &IdentifierKind) -> &str {
    match kind {
        IdentifierKind::UserId => "user-id",
        IdentifierKind::DisplayName => "display-name",
        IdentifierKind::ContactUser => "contact-user",
        IdentifierKind::Header(name) if name.len() > NAME_BYTES => "x-…",
        IdentifierKind::Header(name) => name,
    }
}

#[cfg(test)]
mod tests;
