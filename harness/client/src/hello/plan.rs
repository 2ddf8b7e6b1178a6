//! Which offer is next, and what an answer to it means. The rules are told in [`super`].

mod ends;
mod trials;

use std::collections::VecDeque;

use ringfence_wire::hello::{ServerHello, Version};

use super::axis::{Axis, Each, Rider, Set};
use super::book::Book;
use super::findings::{Findings, List};
use super::offer::{Offer, Wanted};
use super::suite::{self, Authentication, Kind};
use trials::{Trial, trials};

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
    /// Suites that come once nothing is left of these, for a server that refuses long hellos.
    shelves: VecDeque<Vec<u16>>,
    short: bool,
    chosen: Vec<Chosen>,
    axes: Each<Axis>,
    /// Nothing more is asked of this list: not wanted, ended, or in doubt.
    settled: Each<bool>,
    trial: Trial,
    trials: VecDeque<Trial>,
    stage: Stage,
    /// The sweep was left before the end of the suites was seen.
    suites_open: bool,
    /// With nothing but the rest of the profiles to blame.
    profiles_blamed: bool,
    book: Book,
    pub findings: Findings,
}

impl Plan {
    pub fn new(version: Version, wanted: Wanted) -> Self {
        Self {
            version,
            wanted,
            rest: suite::suites(version),
            shelves: VecDeque::new(),
            short: false,
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
            profiles_blamed: false,
            book: Book::default(),
            findings: Findings::default(),
        }
    }

    /// The same in hellos with few suites each, counted on from those before; for versions below 1.3.
    pub fn shortly(version: Version, wanted: Wanted, before: &Findings) -> Self {
        let mut shelves = VecDeque::from(suite::shelves(version));
        let rest = shelves.pop_front().unwrap_or_default();
        Self { rest, shelves, short: true, ..Self::anew(version, wanted, before) }
    }

    /// The same as before, counted on.
    pub fn anew(version: Version, wanted: Wanted, before: &Findings) -> Self {
        let findings = Findings {
            hello_verify: before.hello_verify,
            before_cookie: before.before_cookie,
            hellos_sent: before.hellos_sent,
            offers: before.offers,
            ..Findings::default()
        };
        Self { findings, ..Self::new(version, wanted) }
    }

    /// The suite that was chosen first, alone.
    pub fn control(version: Version, before: &Findings) -> Self {
        let rest = before.suites.first().copied().into_iter().collect();
        Self { rest, ..Self::anew(version, Wanted::VERSIONS, before) }
    }

    /// The next offer, `None` at the end.
    pub fn next(&mut self) -> Option<(Purpose, Offer)> {
        loop {
            let stage = self.stage;
            let next = match stage {
                Stage::Sweep if self.rest.is_empty() && self.next_shelf() => continue,
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

    /// Whether every group is in the offer.
    pub fn all_groups(&self, offer: &Offer) -> bool {
        offer.sets.get(Rider::Groups).holds(self.axes.get(Rider::Groups).whole())
    }

    /// The server chose, among what was offered.
    pub fn accepted(&mut self, purpose: Purpose, offer: &Offer, hello: &ServerHello) {
        let kind = Kind::of(hello.suite, self.version);
        self.book.accept(hello.suite, kind, offer.sets);
        for rider in Rider::ALL {
            if kind.carries(rider) && !*self.settled.get(rider) {
                self.name(rider, kind.authentication, offer, hello);
            }
        }
        if let Some(place) = self.rest.iter().position(|code| *code == hello.suite) {
            self.rest.remove(place);
            let free = Rider::ALL.into_iter().all(|rider| offer.sets.get(rider).holds(self.axes.get(rider).whole()));
            self.chosen.push(Chosen { code: hello.suite, kind, free });
            self.findings.suites.push(hello.suite);
        }
        match purpose {
            Purpose::Sweep if !self.wanted.suites => self.stage = Stage::Ends,
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
            // A server with none of the usual suites is not asked for the others.
            if self.chosen.is_empty() || !self.next_shelf() {
                self.stage = Stage::Ends;
            }
        } else if self.version.is_13() && self.chosen.len() >= USUAL_13 && matches!(how, Without::Refused(_)) {
            (self.suites_open, self.stage) = (true, Stage::Ends);
        } else if narrow == [Rider::Profiles]
            && self.trials.is_empty()
            && self.only_profiles_are_open()
            && blames_no_profile(how)
        {
            (self.suites_open, self.profiles_blamed, self.stage) = (true, true, Stage::Ends);
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
        let blamed = std::mem::take(&mut self.profiles_blamed);
        // A server that goes on without SRTP refuses nothing for its profiles: it was the end of the suites.
        if self.book.exhausted(&self.rest) || blamed && self.findings.goes_without_srtp {
            return if self.next_shelf() { Stage::Sweep } else { Stage::Ends };
        }
        self.trial = Trial { loose: Each::new(|_| true), settles: true };
        Stage::Sweep
    }

    /// Nothing is asked of the other lists any more, so that the end of the profiles may be asked for before that of the suites.
    fn only_profiles_are_open(&self) -> bool {
        let open = |rider: Rider| !*self.settled.get(rider) && !self.axes.get(rider).rest().is_empty();
        !open(Rider::Groups) && !open(Rider::Schemes) && !self.chosen.is_empty()
    }

    /// Goes on with other suites.
    fn next_shelf(&mut self) -> bool {
        let Some(shelf) = self.shelves.pop_front() else { return false };
        self.rest = shelf;
        (self.trial, self.trials) = (Trial { loose: Each::default(), settles: true }, VecDeque::new());
        true
    }

    fn try_next(&mut self) {
        if let Some(trial) = self.trials.pop_front() {
            self.trial = trial;
        }
    }

    /// What an answer named of one list.
    fn name(&mut self, rider: Rider, authentication: Authentication, offer: &Offer, hello: &ServerHello) {
        let Some(code) = named(hello, rider) else {
            match rider {
                // It could have had any of the rest, and goes on without.
                Rider::Profiles => {
                    *self.settled.get_mut(rider) = true;
                    self.findings.goes_without_srtp = true;
                }
                // So it does in 1.3, as long as it waits for a cookie: the refusal would come behind that.
                Rider::Groups if self.version.is_13() && !self.all_groups(offer) => {
                    self.pass(rider, authentication, offer)
                }
                _ => match &hello.broken {
                    Some(error) => self.give_up(rider, &format!("the answer broke off: {error}")),
                    None if !hello.done => self.give_up(rider, "the answer broke off"),
                    None => self.give_up(rider, "an answer that should have named an entry did not"),
                },
            }
            return;
        };
        let offered = offer.lists.get(rider).contains(&code);
        if !offered && rider != Rider::Profiles && self.found(rider).contains(&code) {
            // It takes what it took before, whatever is offered, and nothing of what was.
            return self.pass(rider, authentication, offer);
        }
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

    fn pass(&mut self, rider: Rider, authentication: Authentication, offer: &Offer) {
        self.book.pass(rider, authentication, *offer.sets.get(rider));
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
}

/// Whether it was refused, and not with the alert that some servers keep for profiles.
fn blames_no_profile(how: &Without<'_>) -> bool {
    matches!(how, Without::Refused(alert) if *alert != Some(INSUFFICIENT_SECURITY))
}

fn named(hello: &ServerHello, rider: Rider) -> Option<u16> {
    match rider {
        Rider::Groups => hello.group,
        Rider::Schemes => hello.signature_scheme,
        Rider::Profiles => hello.srtp_profile(),
    }
}
