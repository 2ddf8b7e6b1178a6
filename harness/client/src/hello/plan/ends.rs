//! The questions behind the sweep of the suites: the end of each other list, and whose order counts.

use super::super::axis::{Each, Rider, Set};
use super::super::offer::Offer;
use super::super::suite::{Authentication, Kind};
use super::{Chosen, Plan, Purpose, Stage};

impl Plan {
    /// The next question about the end of a list.
    pub(super) fn end(&self) -> Option<(Purpose, Offer)> {
        let open = |rider: &Rider| !*self.settled.get(*rider) && !self.axes.get(*rider).rest().is_empty();
        Rider::ALL.into_iter().filter(open).find_map(|rider| self.end_of(rider))
    }

    fn end_of(&self, rider: Rider) -> Option<(Purpose, Offer)> {
        let axis = self.axes.get(rider);
        let suites = |authentications: &[Authentication]| -> Vec<u16> {
            let asked = |kind: Kind| kind.carries(rider) && authentications.contains(&kind.authentication);
            self.chosen.iter().filter(|chosen| asked(chosen.kind)).map(|chosen| chosen.code).collect()
        };
        let ask = |suites: Vec<u16>, set: Set, loose: bool| {
            let mut sets = Each::new(|other| self.axes.get(other).whole());
            *sets.get_mut(rider) = set;
            (Purpose::End { rider, loose }, self.offer_of(suites, sets))
        };
        let (shielded, plain): (Vec<_>, Vec<_>) = Authentication::ALL.into_iter().partition(|it| shields(rider, *it));
        let plain: Vec<_> = plain.into_iter().filter(|it| !self.book.ended(rider, axis.rest(), *it)).collect();
        let asked = suites(&plain);
        if !asked.is_empty() {
            return Some(ask(asked, axis.rest(), false));
        }
        shielded.into_iter().find_map(|authentication| {
            let asked = suites(&[authentication]);
            // What only others were answered with may be needed here, and is in nobody's way.
            let rest = axis.whole().without(self.book.named(rider, authentication));
            match self.book.ended(rider, rest, authentication) {
                _ if asked.is_empty() => None,
                false => Some(ask(asked, rest, false)),
                true if self.book.repeated(rider, authentication) => None,
                true => Some(ask(asked, axis.whole(), true)),
            }
        })
    }

    /// Whether the server follows its own order: from what is known, else by one question.
    pub(super) fn order(&mut self) -> Option<(Purpose, Offer)> {
        self.stage = Stage::Done;
        let (first, last) = (self.chosen.first()?, self.chosen.last()?);
        if self.chosen.len() < 2 || !first.free {
            return None;
        }
        // Suites were offered by number, in short hellos not all of them: who passed over a lower one that it accepts did not
        // follow that.
        let passed_over = |(place, chosen): (usize, &Chosen)| {
            !self.short && chosen.free && self.chosen.iter().skip(place).any(|later| later.code < chosen.code)
        };
        if self.chosen.iter().enumerate().any(passed_over) {
            self.findings.server_order = Some(true);
            return None;
        }
        self.stage = Stage::Order;
        let whole = Each::new(|_| true);
        Some((Purpose::Order { wanted: last.code }, self.offer(vec![last.code, first.code], whole)))
    }
}

/// Whether an entry may be needed in the hello although the server chooses another: the curve of an ECDSA certificate, the
/// scheme that a certificate is signed with.
fn shields(rider: Rider, authentication: Authentication) -> bool {
    match rider {
        Rider::Groups => authentication == Authentication::Ecdsa,
        Rider::Schemes => true,
        Rider::Profiles => false,
    }
}
