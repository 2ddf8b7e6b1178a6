//! From what became of the items to the observation.

use std::collections::BTreeSet;

use super::item::{Asks, Item};
use super::seen::Seen;
use super::sender::Told;

/// What became of the items that were reached, in order; `statuses` gives the answers by Call-ID.
pub(super) fn weigh(items: &[Item], told: &[Told], statuses: impl Fn(&str) -> Vec<u16>, seen: &mut Seen) {
    let of = |item: &Item| item.call_ids.last().map(|id| statuses(id)).unwrap_or_default();
    let told = || told.iter().copied().chain(std::iter::repeat(Told::default()));
    let named = |name: &String| {
        let found = items.iter().zip(told()).find(|(item, _)| item.name == *name);
        found.map(|(item, told)| (of(item), told.took)).unwrap_or_default()
    };
    let mut proved = BTreeSet::new();
    let mut asked = BTreeSet::new();
    let of_flaw = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    for (item, told) in items.iter().zip(told()) {
        let statuses = of(item);
        seen.sent += i64::from(told.sent);
        seen.answered += i64::from(!statuses.is_empty() || told.refused);
        let accepted = is_accepted(&statuses);
        let name = item.name.clone();
        // Silence is one only where the sound ones took no longer.
        let is_heard = told.sent && !told.unheard;
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
            Asks::LessThan(controls) => {
                asked.insert(of_flaw(&name));
                let holds = |(statuses, took): (Vec<u16>, _)| is_accepted(&statuses) && took <= told.given;
                if accepted || is_heard && controls.iter().map(&named).all(holds) {
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
            Asks::NotAnsweredAs(controls) | Asks::NotThere(controls) => {
                asked.insert(name.clone());
                let [before, behind] = controls.each_ref().map(&named);
                let sound = decided(&before.0).filter(|status| *status != 400);
                let answer = decided(&statuses);
                let taken = accepted || sound.is_some() && answer == sound;
                let holds = sound.is_some() && decided(&behind.0) == sound;
                let in_time = [before.1, behind.1].iter().all(|took| *took <= told.given);
                // A busy server's 503, or a challenge that sound ones did not get, says nothing about the frame.
                let says_so = matches!(answer, None | Some(400));
                if taken || is_heard && holds && in_time && says_so {
                    proved.insert(name.clone());
                }
                if taken {
                    let list = match &item.asks {
                        Asks::NotThere(_) => &mut seen.smuggled,
                        _ => &mut seen.accepted_invalid,
                    };
                    list.push(name);
                }
            }
            Asks::Refused => {
                let refused = told.closed || told.refused || statuses.iter().any(|status| *status >= 400);
                if accepted {
                    seen.accepted_invalid.push(name);
                } else if told.unheard && !refused {
                    asked.insert(name);
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
    use std::time::Duration;

    use super::super::item::Say;
    use super::*;

    fn item(name: &str, asks: Asks) -> Item {
        Item {
            name: name.into(),
            asks,
            say: Say::Message(vec![]),
            call_ids: vec![name.into()],
            fresh: false,
            wait: Duration::ZERO,
            behind: None,
        }
    }

    const SENT: Told = Told {
        sent: true,
        closed: false,
        refused: false,
        unheard: false,
        read: true,
        took: Duration::ZERO,
        given: Duration::from_secs(1),
    };

    fn weighed(items: &[Item], told: &[Told], answers: &[(&str, &[u16])]) -> Seen {
        let answers: BTreeMap<&str, &[u16]> = answers.iter().copied().collect();
        let mut seen = Seen::default();
        weigh(items, told, |id| answers.get(id).map(|statuses| statuses.to_vec()).unwrap_or_default(), &mut seen);
        seen
    }

    fn between(method: &str) -> Vec<Item> {
        let name = |what: &str| format!("{method}/{what}");
        let controls = [name("sound"), name("again")];
        vec![
            item(&name("sound"), Asks::Accepted),
            item(&name("nul"), Asks::LessThan(controls)),
            item(&name("again"), Asks::Accepted),
        ]
    }

    #[test]
    fn an_invalid_request_counts_beside_its_twins() {
        let items = [between("options"), between("register")].into_iter().flatten().collect::<Vec<_>>();
        let told = [SENT; 6];
        let registered: [(&str, &[u16]); 2] = [("register/sound", &[401, 200]), ("register/again", &[200])];
        let with = |more: &[(&'static str, &'static [u16])]| [&registered[..], more].concat();
        let seen = weighed(&items, &told, &with(&[("options/sound", &[405])]));
        assert_eq!((seen.sent, seen.answered), (6, 3));
        assert_eq!(seen.refused_valid, ["options/sound", "options/again"]);
        assert!(seen.accepted_invalid.is_empty() && seen.unproved.is_empty(), "REGISTER proves it");
        for answers in [&[("register/sound", &[403][..])][..], &registered[..1], &registered[1..]] {
            assert_eq!(weighed(&items, &told, answers).unproved, ["nul"], "{answers:?}");
        }
        let seen = weighed(&items, &told, &[("register/sound", &[200]), ("register/nul", &[401, 200])]);
        assert_eq!(seen.accepted_invalid, ["register/nul"]);
        let never = [SENT, SENT, SENT, SENT, Told::default(), SENT];
        let seen = weighed(&items, &never, &registered);
        assert_eq!((seen.unproved, seen.sent), (vec!["nul".to_owned()], 5));
        let unheard = [SENT, SENT, SENT, SENT, Told { unheard: true, ..SENT }, SENT];
        assert_eq!(weighed(&items, &unheard, &registered).unproved, ["nul"]);
        for late in [3, 5] {
            let mut told = told;
            told[late].took = Duration::from_millis(1001);
            assert_eq!(weighed(&items, &told, &registered).unproved, ["nul"], "nobody waited so long for it");
        }
    }

    #[test]
    fn a_wrong_frame_is_held_against_right_ones() {
        let controls = || ["text", "again"].map(str::to_owned);
        let items = [
            item("text", Asks::Answered),
            item("rsv1", Asks::NotAnsweredAs(controls())),
            item("second", Asks::NotThere(controls())),
            item("again", Asks::Alive),
        ];
        let told = [SENT; 4];
        let sound: [(&str, &[u16]); 2] = [("text", &[404]), ("again", &[404])];
        let with = |more: &[(&'static str, &'static [u16])]| [&sound[..], more].concat();
        let seen = weighed(&items, &told, &with(&[("rsv1", &[404]), ("second", &[404])]));
        assert_eq!((seen.accepted_invalid, seen.smuggled), (vec!["rsv1".to_owned()], vec!["second".to_owned()]));
        let seen = weighed(&items, &told, &with(&[("rsv1", &[400])]));
        assert!(seen.accepted_invalid.is_empty() && seen.unproved.is_empty() && seen.refused_valid.is_empty());
        let seen = weighed(&items, &told, &with(&[("rsv1", &[503])]));
        assert_eq!(seen.unproved, ["rsv1"], "it was read, or nobody is served");
        for behind in [&[][..], &[503]] {
            let seen = weighed(&items, &told, &[("text", &[404]), ("again", behind)]);
            assert_eq!(seen.unproved, ["rsv1", "second"]);
            assert!(seen.refused_valid.is_empty(), "it is a control, and no item");
        }
        for unanswered in [&[][..], &[400]] {
            let seen = weighed(&items, &told, &[("text", unanswered), ("again", unanswered)]);
            assert_eq!(seen.refused_valid, ["text"]);
            assert_eq!(seen.unproved, ["rsv1", "second"]);
        }
        let late = [SENT, SENT, SENT, Told { took: Duration::from_secs(2), ..SENT }];
        assert_eq!(weighed(&items, &late, &sound).unproved, ["rsv1", "second"]);
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
        for (told, status) in [(closed, &[][..]), (SENT, &[513]), (Told { refused: true, ..SENT }, &[])] {
            let seen = weighed(&items[2..3], &[told], &[("long", status)]);
            assert!(seen.unanswered.is_empty() && seen.accepted_invalid.is_empty());
        }
        assert!(weighed(&items[2..3], &[], &[]).unanswered.is_empty(), "never sent");
        assert_eq!(weighed(&items[2..3], &[SENT], &[("long", &[200])]).accepted_invalid, ["long"]);
        let seen = weighed(&items[2..3], &[Told { unheard: true, ..SENT }], &[]);
        assert_eq!((seen.unanswered.len(), seen.unproved), (0, vec!["long".to_owned()]), "we gave it up");
    }
}
