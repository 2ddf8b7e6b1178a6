//! Which offer is next, and what an answer to it means. The rules are told in [`super`].

use std::collections::VecDeque;

use ringfence_wire::hello::{ServerHello, Version};

use super::axis::{Axis, Each, Rider, Set};
use super::book::Book;
use super::findings::{Findings, List};
use super::offer::{Offer, Wanted};
use super::suite::{self, Authentication, Kind};

/// The alert that some servers reserve for SRTP profiles: insufficient_security (RFC 5246, section 7.2.2).
const INSUFFICIENT_SECURITY: u8 = 71;

/// Suites of 1.3 that are usual, all of which have more groups than these: once they are found, the groups are asked for
/// first (house).
const USUAL_13: usize = 3;

/// What an offer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The rest of the suites.
    Sweep,
    /// The end of this list, with suites that are known good; `loose` with what it named before behind the rest.
    End { rider: Rider, loose: bool },
    /// Two suites in the order that is not the server's, if it has one: the wanted one is behind.
    Order { wanted: u16 },
}

/// How a question ended without a choice.
#[derive(Clone, Debug)]
pub(super) enum Without<'a> {
    /// It was refused, with this alert if there was one.
    Refused(Option<u8>),
    /// Nothing that can be believed came; the words say why.
    Doubt { silent: bool, reason: &'a str },
}

/// Lists to offer whole in the next hello of a sweep.
#[derive(Clone, Copy, Debug)]
struct Trial {
    loose: Each<bool>,
    /// If it is accepted, the sweep goes on like this; else the next trial follows in any case.
    settles: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Sweep,
    Ends,
    Order,
    Done,
}

/// A suite that was chosen.
#[derive(Clone, Copy, Debug)]
struct Chosen {
    code: u16,
    kind: Kind,
    /// Every list was offered whole: nothing but the order of suites decided.
    free: bool,
}

/// The questions about one version.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    version: Version,
    wanted: Wanted,
    rest: Vec<u16>,
    chosen: Vec<Chosen>,
    axes: Each<Axis>,
    /// Nothing more is asked of this list: not wanted, ended, or in doubt.
    settled: Each<bool>,
    trial: Trial,
    trials: VecDeque<Trial>,
    stage: Stage,
    /// The sweep was left before the end of the suites was seen.
    suites_open: bool,
    book: Book,
    pub findings: Findings,
}

impl Plan {
    pub fn new(version: Version, wanted: Wanted) -> Self {
        Self {
            version,
            wanted,
            rest: suite::suites(version),
            chosen: Vec::new(),
            axes: Each::new(|rider| {
                Axis::new(match rider {
                    Rider::Groups => suite::groups(version),
                    Rider::Schemes => suite::schemes(version),
                    Rider::Profiles => suite::profiles(version),
                })
            }),
            settled: Each::new(|rider| !wanted.has(rider, version)),
            trial: Trial { loose: Each::default(), settles: true },
            trials: VecDeque::new(),
            stage: Stage::Sweep,
            suites_open: false,
            book: Book::default(),
            findings: Findings::default(),
        }
    }

    /// The next offer, `None` at the end.
    pub fn next(&mut self) -> Option<(Purpose, Offer)> {
        loop {
            let next = match self.stage {
                Stage::Sweep if self.rest.is_empty() => None,
                Stage::Sweep => Some((Purpose::Sweep, self.offer(self.rest.clone(), self.trial.loose))),
                Stage::Ends => self.end(),
                Stage::Order => self.order(),
                Stage::Done => return None,
            };
            if next.is_some() {
                return next;
            }
            self.stage = match self.stage {
                Stage::Sweep => Stage::Ends,
                Stage::Ends if self.suites_open => self.resume(),
                Stage::Ends if self.wanted.order => Stage::Order,
                _ => Stage::Done,
            };
        }
    }

    /// Asks nothing more: what is not known stays so.
    pub fn stop(&mut self, reason: &str) {
        if self.stage == Stage::Sweep {
            self.findings.doubt(List::Suites, reason);
        }
        for rider in Rider::ALL {
            if !self.settled.get(rider) && !self.axes.get(rider).rest().is_empty() {
                self.give_up(rider, reason);
            }
        }
        self.stage = Stage::Done;
    }

    /// An offer that is known good, once there is one.
    pub fn known_good(&self) -> Option<Offer> {
        let whole = Each::new(|_| true);
        self.chosen.first().map(|chosen| self.offer(vec![chosen.code], whole))
    }

    /// Which list the answer should have named something of, and did not.
    pub fn missing(&self, hello: &ServerHello) -> bool {
        let kind = Kind::of(hello.suite, self.version);
        let named = |rider| !kind.carries(rider) || *self.settled.get(rider) || named(hello, rider).is_some();
        !named(Rider::Groups) || !named(Rider::Schemes)
    }

    /// The server chose, among what was offered.
    pub fn accepted(&mut self, purpose: Purpose, offer: &Offer, hello: &ServerHello) {
        let kind = Kind::of(hello.suite, self.version);
        self.book.accept(hello.suite, kind, offer.sets);
        for rider in Rider::ALL {
            if kind.carries(rider) && !*self.settled.get(rider) {
                self.name(rider, kind.authentication, offer, named(hello, rider));
            }
        }
        if let Some(place) = self.rest.iter().position(|code| *code == hello.suite) {
            self.rest.remove(place);
            let free = Rider::ALL.into_iter().all(|rider| offer.sets.get(rider).holds(self.axes.get(rider).whole()));
            self.chosen.push(Chosen { code: hello.suite, kind, free });
            self.findings.suites.push(hello.suite);
        }
        match purpose {
            Purpose::Sweep if self.trial.settles => self.trials.clear(),
            Purpose::Sweep => self.try_next(),
            Purpose::End { .. } => {}
            Purpose::Order { wanted } => {
                self.findings.server_order = Some(hello.suite != wanted);
                self.stage = Stage::Done;
            }
        }
    }

    /// The server did not choose.
    pub fn without(&mut self, purpose: Purpose, offer: &Offer, how: &Without<'_>) {
        if let Without::Refused(_) = how {
            self.book.refuse(offer.suites.clone(), offer.sets);
        }
        match (purpose, how) {
            (Purpose::Sweep, _) => self.sweep_without(offer, how),
            // What ended is asked for no more; the book says so.
            (Purpose::End { loose: false, .. }, Without::Refused(_)) => {}
            (Purpose::End { rider, .. }, Without::Refused(_)) => {
                self.give_up(rider, "the server refused what it had accepted before");
            }
            (Purpose::End { rider, .. }, Without::Doubt { reason, .. }) => self.give_up(rider, reason),
            (Purpose::Order { .. }, _) => self.stage = Stage::Done,
        }
    }

    fn sweep_without(&mut self, offer: &Offer, how: &Without<'_>) {
        let narrow = |rider: &Rider| !offer.sets.get(*rider).holds(self.axes.get(*rider).whole());
        let mut narrow: Vec<Rider> = Rider::ALL.into_iter().filter(narrow).collect();
        if narrow.is_empty() {
            if let Without::Doubt { reason, .. } = how {
                self.findings.doubt(List::Suites, reason);
            }
            self.stage = Stage::Ends;
        } else if self.version.is_13() && self.chosen.len() >= USUAL_13 && matches!(how, Without::Refused(_)) {
            (self.suites_open, self.stage) = (true, Stage::Ends);
        } else if self.trials.is_empty() {
            if matches!(how, Without::Refused(Some(INSUFFICIENT_SECURITY))) {
                narrow.reverse(); // profiles first
            }
            let silent = matches!(how, Without::Doubt { silent: true, .. });
            self.trials = trials(self.trial.loose, &narrow, silent, self.chosen.len());
            self.try_next();
        } else {
            self.try_next();
        }
    }

    /// After the ends of the lists: what became of the suites that were left. In 1.3 suite and group are chosen
    /// independently (RFC 8446, section 4.1.1): what was refused with lists that served another suite is not accepted.
    fn resume(&mut self) -> Stage {
        self.suites_open = false;
        if self.book.exhausted(&self.rest) {
            return Stage::Ends;
        }
        self.trial = Trial { loose: Each::new(|_| true), settles: true };
        Stage::Sweep
    }

    fn try_next(&mut self) {
        if let Some(trial) = self.trials.pop_front() {
            self.trial = trial;
        }
    }

    /// What an answer named of one list.
    fn name(&mut self, rider: Rider, authentication: Authentication, offer: &Offer, named: Option<u16>) {
        let Some(code) = named else {
            if rider == Rider::Profiles {
                // It could have had any of the rest, and goes on without.
                *self.settled.get_mut(rider) = true;
                self.findings.goes_without_srtp = true;
            } else {
                self.give_up(rider, "an answer that should have named an entry did not");
            }
            return;
        };
        let offered = offer.lists.get(rider).contains(&code);
        if rider == Rider::Profiles && self.findings.profiles.is_empty() {
            self.findings.preferred_profile = Some(code);
        }
        let axis = self.axes.get_mut(rider);
        let entry = axis.place(code);
        let before = self.book.named(rider, authentication).holds(entry);
        self.book.name(rider, authentication, entry);
        if axis.take(code) {
            self.found(rider).push(code);
        } else if before && offer.sets.get(rider).holds(axis.whole()) {
            self.book.repeat(rider, authentication);
        }
        if !offered {
            self.give_up(rider, "the server named an entry that was not offered");
        }
    }

    fn found(&mut self, rider: Rider) -> &mut Vec<u16> {
        match rider {
            Rider::Groups => &mut self.findings.groups,
            Rider::Schemes => &mut self.findings.signature_schemes,
            Rider::Profiles => &mut self.findings.profiles,
        }
    }

    fn give_up(&mut self, rider: Rider, reason: &str) {
        let list = match rider {
            Rider::Groups => List::Groups,
            Rider::Schemes => List::SignatureSchemes,
            Rider::Profiles => List::Profiles,
        };
        self.findings.doubt(list, reason);
        *self.settled.get_mut(rider) = true;
    }

    /// A settled list is offered whole, and so is one of which nothing is left.
    fn offer(&self, suites: Vec<u16>, loose: Each<bool>) -> Offer {
        let sets = Each::new(|rider| {
            let axis = self.axes.get(rider);
            let whole = *loose.get(rider) || *self.settled.get(rider) || axis.rest().is_empty();
            if whole { axis.whole() } else { axis.rest() }
        });
        self.offer_of(suites, sets)
    }

    fn offer_of(&self, suites: Vec<u16>, sets: Each<Set>) -> Offer {
        Offer { suites, lists: Each::new(|rider| self.axes.get(rider).list(*sets.get(rider))), sets }
    }

    /// The next question about the end of a list.
    fn end(&self) -> Option<(Purpose, Offer)> {
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
    fn order(&mut self) -> Option<(Purpose, Offer)> {
        self.stage = Stage::Done;
        let (first, last) = (self.chosen.first()?, self.chosen.last()?);
        if self.chosen.len() < 2 || !first.free {
            return None;
        }
        // Suites were offered by number: who passed over a lower one that it accepts did not follow that.
        let passed_over = |(place, chosen): (usize, &Chosen)| {
            chosen.free && self.chosen.iter().skip(place).any(|later| later.code < chosen.code)
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

fn named(hello: &ServerHello, rider: Rider) -> Option<u16> {
    match rider {
        Rider::Groups => hello.group,
        Rider::Schemes => hello.signature_scheme,
        Rider::Profiles => hello.srtp_profile(),
    }
}

/// Which lists to restore after a hello whose narrow lists may be to blame: each alone, two of three, all. With few suites
/// found these may well be all there are, so that is asked first; after silence the same hello once more, too.
fn trials(now: Each<bool>, narrow: &[Rider], silent: bool, suites: usize) -> VecDeque<Trial> {
    let restored = |some: &[Rider]| Each::new(|rider| *now.get(rider) || some.contains(&rider));
    let settling = |some: &[Rider]| Trial { loose: restored(some), settles: true };
    let mut trials = VecDeque::new();
    if silent || (suites <= 2 && narrow.len() > 1) {
        trials.push_back(Trial { settles: false, ..settling(narrow) });
    }
    if silent {
        trials.push_back(settling(&[]));
    }
    if narrow.len() > 1 {
        trials.extend(narrow.iter().map(|rider| settling(&[*rider])));
    }
    if let [a, b, c] = *narrow {
        trials.extend([[a, b], [a, c], [b, c]].map(|two| settling(&two)));
    }
    trials.push_back(settling(narrow));
    trials
}
