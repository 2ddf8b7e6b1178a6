//! What was offered and what came of it, and what that proves.

use super::axis::{Each, Rider, Set};
use super::suite::{Authentication, Kind};

/// An offer that was accepted.
#[derive(Clone, Copy, Debug)]
struct Accepted {
    suite: u16,
    kind: Kind,
    sets: Each<Set>,
}

/// An offer that was refused.
#[derive(Clone, Debug)]
struct Refused {
    suites: Vec<u16>,
    sets: Each<Set>,
}

/// All that bears on the ends of the lists.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    accepted: Vec<Accepted>,
    refused: Vec<Refused>,
    repeated: Vec<(Rider, Authentication)>,
    named: Vec<(Rider, Authentication, Set)>,
    passed: Vec<(Rider, Authentication, Set)>,
}

impl Book {
    pub fn accept(&mut self, suite: u16, kind: Kind, sets: Each<Set>) {
        self.accepted.push(Accepted { suite, kind, sets });
    }

    pub fn refuse(&mut self, suites: Vec<u16>, sets: Each<Set>) {
        self.refused.push(Refused { suites, sets });
    }

    /// An answer with suites of this authentication named this entry.
    pub fn name(&mut self, rider: Rider, authentication: Authentication, entry: Set) {
        self.named.push((rider, authentication, entry));
    }

    /// All that such answers named.
    pub fn named(&self, rider: Rider, authentication: Authentication) -> Set {
        let named = self.named.iter().filter(|named| (named.0, named.1) == (rider, authentication));
        named.fold(Set::default(), |all, named| all.with(named.2))
    }

    /// Offered the rest and what it had named before, the server named again what it had named before.
    pub fn repeat(&mut self, rider: Rider, authentication: Authentication) {
        if !self.repeated.contains(&(rider, authentication)) {
            self.repeated.push((rider, authentication));
        }
    }

    pub fn repeated(&self, rider: Rider, authentication: Authentication) -> bool {
        self.repeated.contains(&(rider, authentication))
    }

    /// An answer with a suite of this authentication took nothing of this set of the list, and did not refuse.
    pub fn pass(&mut self, rider: Rider, authentication: Authentication, set: Set) {
        let passed = (rider, authentication, set);
        if !self.passed.contains(&passed) {
            self.passed.push(passed);
        }
    }

    /// Whether suites of this authentication were refused because of this list alone, although at least `rest` of it was
    /// offered: one of them succeeded with the same or less of all other lists. Or were accepted, with nothing of `rest`.
    pub fn ended(&self, rider: Rider, rest: Set, authentication: Authentication) -> bool {
        let passed = |it: &(Rider, Authentication, Set)| (it.0, it.1) == (rider, authentication) && it.2.holds(rest);
        if self.passed.iter().any(passed) {
            return true;
        }
        self.refused.iter().filter(|refused| refused.sets.get(rider).holds(rest)).any(|refused| {
            self.accepted.iter().any(|good| {
                let others = Rider::ALL.into_iter().filter(|other| *other != rider);
                (good.kind.authentication == authentication || rider == Rider::Profiles)
                    && good.kind.carries(rider)
                    && refused.suites.contains(&good.suite)
                    && others.into_iter().all(|other| refused.sets.get(other).holds(*good.sets.get(other)))
            })
        })
    }

    /// Whether all of `rest` were refused with lists that served another suite. Tells something only where the choice of
    /// lists and suites is independent.
    pub fn exhausted(&self, rest: &[u16]) -> bool {
        self.refused.iter().filter(|refused| rest.iter().all(|code| refused.suites.contains(code))).any(|refused| {
            let served =
                |good: &Accepted| Rider::ALL.into_iter().all(|it| refused.sets.get(it).holds(*good.sets.get(it)));
            self.accepted.iter().any(served)
        })
    }
}

#[cfg(test)]
mod tests {
    use ringfence_wire::hello::Version;

    use super::super::axis::Axis;
    use super::*;

    #[test]
    fn a_refusal_blames_one_list_only_where_all_others_were_good_enough() {
        let suite = 0xc02f;
        let (mut groups, mut schemes) = (Axis::new(vec![23, 29]), Axis::new(vec![0x0401, 0x0804]));
        let sets = |groups: &Axis, schemes: &Axis, loose: bool| {
            Each::new(|rider| match rider {
                Rider::Groups if loose => groups.whole(),
                Rider::Groups => groups.rest(),
                Rider::Schemes => schemes.rest(),
                Rider::Profiles => Set::default(),
            })
        };
        let kind = Kind::of(suite, Version::TLS12);
        let mut book = Book::default();
        groups.take(29);
        schemes.take(0x0401);
        book.refuse(vec![suite], sets(&groups, &schemes, false));
        let ended = |book: &Book, rider, rest| book.ended(rider, rest, Authentication::Rsa);
        assert!(!ended(&book, Rider::Groups, groups.rest()), "schemes may be to blame");
        book.accept(suite, kind, sets(&groups, &schemes, true));
        assert!(ended(&book, Rider::Groups, groups.rest()), "with the same schemes it was accepted");
        assert!(!ended(&book, Rider::Schemes, schemes.rest()));
        assert!(!book.ended(Rider::Groups, groups.rest(), Authentication::Ecdsa));
        assert!(!ended(&book, Rider::Groups, groups.whole()), "more than was refused");
    }
}
