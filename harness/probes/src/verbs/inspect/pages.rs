//! What pages name their visitors, and send of their own.

use std::collections::BTreeMap;

use ringfence_model::observation::Leak;

use super::{EntropySeen, ReusedSeen, leak, tidy, traffic};
use crate::detect::{entropy, pii, secrets};
use crate::{Cx, Identifier, IdentifierKind, Visit};

/// In a name, every kind; in other traffic only what has no other meaning there: see [`traffic`]. A name that the deployment has
/// `given` is its own number, not its visitor's; a header field that tells a version holds no address.
pub(super) fn personal_data(test_user: &[String], given: &[String], visits: &[&Visit]) -> Vec<Leak> {
    let mut found = Vec::new();
    for visit in visits {
        for Identifier { kind, value } in &visit.identifiers {
            let matches = pii::find(value, test_user);
            let own = |one: &pii::Kind| *one == pii::Kind::Phone && given.contains(value);
            let version = |one: &pii::Kind| *one == pii::Kind::IpAddress && tells_version(kind);
            let matches = matches.iter().filter(|one| !own(&one.kind) && !version(&one.kind));
            found.extend(matches.map(|one| leak(one.kind.word(), field(kind))));
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

/// Secrets in the names that pages give their visitors.
pub(super) fn secrets_in_names(cx: &Cx, visits: &[&Visit]) -> Vec<Leak> {
    let mut found = Vec::new();
    for Identifier { kind, value } in visits.iter().flat_map(|visit| &visit.identifiers) {
        found.extend(secrets::find(value).iter().map(|one| leak(one.kind.word(), field(kind))));
        found.extend(secrets::known(value, &cx.ledger).iter().map(|known| leak(known, field(kind))));
    }
    tidy(found)
}

/// Names of a visit that name one visitor. `anonymous` names nobody: RFC 3323, section 4.1.1.3.
fn names(visit: &Visit) -> impl Iterator<Item = &Identifier> {
    visit.identifiers.iter().filter(|name| !name.value.eq_ignore_ascii_case("anonymous") && !name.value.is_empty())
}

/// User ids that name one visitor.
pub(super) fn user_ids(visit: &Visit) -> impl Iterator<Item = &str> {
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

/// How random each kind of name can be.
pub(super) fn measured(visits: &[&Visit]) -> Vec<EntropySeen> {
    let measure = |(kind, values): (&IdentifierKind, Vec<&str>)| {
        let measured = entropy::measure(&values)?;
        // No name is so long that its bits would not fit.
        let bits = measured.bits as i64;
        let (class, samples) = (measured.class.word().to_owned(), super::count(values.len()));
        Some(EntropySeen { field: field(kind).to_owned(), class, bits, samples })
    };
    by_kind(visits).into_iter().filter_map(measure).collect()
}

/// Names that came in more than one visit.
pub(super) fn reused(visits: &[&Visit]) -> Vec<ReusedSeen> {
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

fn tells_version(kind: &IdentifierKind) -> bool {
    let words = ["version", "agent", "build", "release", "client"];
    matches!(kind, IdentifierKind::Header(name) if words.iter().any(|word| name.contains(word)))
}
