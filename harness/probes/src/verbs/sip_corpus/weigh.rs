//! From what became of the items to the observation.

use std::collections::BTreeSet;

use super::item::{Asks, Item};
use super::seen::Seen;
use super::sender::Told;

/// What became of the items that were reached, in order; `statuses` gives the answers by Call-ID.
pub(super) fn weigh(items: &[Item], told: &[Told], statuses: impl Fn(&str) -> Vec<u16>, seen: &mut Seen) {
    let of = |item: &Item| item.call_ids.last().map(|id| statuses(id)).unwrap_or_default();
    let named = |name: &str| items.iter().find(|item| item.name == name).map(of).unwrap_or_default();
    let mut proved = BTreeSet::new();
    let mut asked = BTreeSet::new();
    let of_flaw = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    for (item, told) in items.iter().zip(told.iter().copied().chain(std::iter::repeat(Told::default()))) {
        let statuses = of(item);
        seen.sent += i64::from(told.sent);
        seen.answered += i64::from(!statuses.is_empty() || told.nameless);
        let accepted = is_accepted(&statuses);
        let name = item.name.clone();
        match &item.asks {
            Asks::Alive => {}
            Asks::NotRefusedBy(refusals) => {
                if statuses.iter().any(|status| refusals.contains(status)) {
                    seen.refused_valid.push(name);
                }
            }
            Asks::NotAccepted => {
                if accepted {
                    seen.accepted_invalid.push(name);
                }
            }
            Asks::Accepted => {
                if !accepted {
                    seen.refused_valid.push(name);
                }
            }
            Asks::LessThan(twin) => {
                asked.insert(of_flaw(&name));
                if told.sent && (accepted || is_accepted(&named(twin))) {
                    proved.insert(of_flaw(&name));
                }
                if accepted {
                    seen.accepted_invalid.push(name);
                }
            }
            Asks::Answered => {
                if decided(&statuses).is_none_or(|status| status == 400) {
                    seen.refused_valid.push(name);
                }
            }
            Asks::NotAnsweredAs(control) | Asks::NotThere(control) => {
                asked.insert(name.clone());
                let control = decided(&named(control)).filter(|status| *status != 400);
                if told.sent && control.is_some() {
                    proved.insert(name.clone());
                }
                if accepted || control.is_some() && decided(&statuses) == control {
                    let list = match &item.asks {
                        Asks::NotThere(_) => &mut seen.smuggled,
                        _ => &mut seen.accepted_invalid,
                    };
                    list.push(name);
                }
            }
            Asks::Refused => {
                let refused = told.closed || told.nameless || statuses.iter().any(|status| *status >= 400);
                if accepted {
                    seen.accepted_invalid.push(name);
                } else if told.sent && !refused {
                    seen.unanswered.push(name);
                }
            }
        }
    }
    seen.unproved = asked.difference(&proved).cloned().collect();
}

/// An answer of the service itself, or a sign that it rings somewhere.
fn is_accepted(statuses: &[u16]) -> bool {
    statuses.iter().any(|status| (180..300).contains(status))
}

/// The final answer: the last one, since a challenge may stand before it.
fn decided(statuses: &[u16]) -> Option<u16> {
    statuses.iter().rev().find(|status| **status >= 200).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::item::Say;
    use super::*;

    fn item(name: &str, asks: Asks) -> Item {
        Item {
            name: name.into(),
            asks,
            say: Say::Message(vec![]),
            call_ids: vec![name.into()],
            fresh: false,
            wait: std::time::Duration::ZERO,
        }
    }

    const SENT: Told = Told { sent: true, closed: false, nameless: false };

    fn weighed(items: &[Item], told: &[Told], answers: &[(&str, &[u16])]) -> Seen {
        let answers: BTreeMap<&str, &[u16]> = answers.iter().copied().collect();
        let mut seen = Seen::default();
        weigh(items, told, |id| answers.get(id).map(|statuses| statuses.to_vec()).unwrap_or_default(), &mut seen);
        seen
    }

    #[test]
    fn an_invalid_request_counts_beside_its_twin() {
        let items = [
            item("options/sound", Asks::Accepted),
            item("options/nul", Asks::LessThan("options/sound".into())),
            item("register/sound", Asks::Accepted),
            item("register/nul", Asks::LessThan("register/sound".into())),
        ];
        let told = [SENT; 4];
        let seen = weighed(&items, &told, &[("options/sound", &[405]), ("register/sound", &[401, 200])]);
        assert_eq!((seen.sent, seen.answered), (4, 2));
        assert_eq!(seen.refused_valid, ["options/sound"]);
        assert!(seen.accepted_invalid.is_empty() && seen.unproved.is_empty(), "REGISTER proves it");
        let seen = weighed(&items, &told, &[("options/sound", &[405]), ("register/sound", &[403])]);
        assert_eq!(seen.unproved, ["nul"]);
        let seen = weighed(&items, &told, &[("register/sound", &[200]), ("register/nul", &[401, 200])]);
        assert_eq!(seen.accepted_invalid, ["register/nul"]);
        let seen = weighed(&items, &told[..3], &[("options/sound", &[405]), ("register/sound", &[200])]);
        assert_eq!(seen.unproved, ["nul"], "it never went out");
        assert_eq!(seen.sent, 3);
    }

    #[test]
    fn a_wrong_frame_is_held_against_a_right_one() {
        let control = || "text".to_owned();
        let items = [
            item("text", Asks::Answered),
            item("rsv1", Asks::NotAnsweredAs(control())),
            item("second", Asks::NotThere(control())),
        ];
        let told = [SENT; 3];
        let seen = weighed(&items, &told, &[("text", &[404]), ("rsv1", &[404]), ("second", &[404])]);
        assert_eq!((seen.accepted_invalid, seen.smuggled), (vec!["rsv1".to_owned()], vec!["second".to_owned()]));
        let seen = weighed(&items, &told, &[("text", &[404]), ("rsv1", &[400])]);
        assert!(seen.accepted_invalid.is_empty() && seen.unproved.is_empty() && seen.refused_valid.is_empty());
        for unanswered in [&[][..], &[400]] {
            let seen = weighed(&items, &told, &[("text", unanswered)]);
            assert_eq!(seen.refused_valid, ["text"]);
            assert_eq!(seen.unproved, ["rsv1", "second"]);
        }
    }

    #[test]
    fn torture_is_noted_and_size_has_to_be_refused() {
        let items = [
            item("valid", Asks::NotRefusedBy(vec![400])),
            item("invalid", Asks::NotAccepted),
            item("long", Asks::Refused),
            item("any", Asks::Alive),
        ];
        let seen = weighed(&items, &[SENT; 4], &[("valid", &[400]), ("invalid", &[180]), ("any", &[200])]);
        assert_eq!((seen.refused_valid.len(), seen.accepted_invalid.len(), seen.unanswered.len()), (1, 1, 1));
        let closed = Told { closed: true, ..SENT };
        for (told, status) in [(closed, &[][..]), (SENT, &[513]), (Told { nameless: true, ..SENT }, &[])] {
            let seen = weighed(&items[2..3], &[told], &[("long", status)]);
            assert!(seen.unanswered.is_empty() && seen.accepted_invalid.is_empty());
        }
        assert!(weighed(&items[2..3], &[], &[]).unanswered.is_empty(), "never sent");
        assert_eq!(weighed(&items[2..3], &[SENT], &[("long", &[200])]).accepted_invalid, ["long"]);
    }
}
