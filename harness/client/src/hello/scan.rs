//! All versions of one server, each with a machine of its own, merged at the end.

use ringfence_wire::hello::Version;

use super::findings::{Findings, Report, Traffic, Verdict};
use super::machine::{Ask, Enumerator, Told};
use super::offer::Question;

/// Versions of TLS, oldest first.
const TLS: [Version; 5] = [Version::SSL3, Version::TLS10, Version::TLS11, Version::TLS12, Version::TLS13];
/// Versions of DTLS, oldest first. There is no 1.1.
const DTLS: [Version; 3] = [Version::DTLS10, Version::DTLS12, Version::DTLS13];

/// What to do next.
#[derive(Clone, Debug)]
pub enum Step {
    /// Do this and tell [`Scan::answer`] this number with what came of it. Never [`Ask::Done`].
    Ask(usize, Ask),
    /// Every version waits for its answer.
    Wait,
    /// No question is left.
    Done(Box<Report>),
}

/// Asks one server about several versions: one hello of each may be under way at a time.
///
/// A hello that asks for everything below 1.3 has more suites than some servers take, which then refuse it whatever they
/// accept. So a version is refused only if a hello as long was accepted in another, or a short one is refused as well: one
/// hello more for each version, where nothing below 1.3 is accepted.
///
/// Behind a version that is closed on without a word another one that was accepted is asked for once more, and has to be accepted
/// again: who shuts out whoever comes too often does so for a while, whatever the hello says. Over TLS the closed ones are asked
/// for again before that; where each hello costs a call they are not.
#[derive(Clone, Debug)]
pub struct Scan {
    lanes: Vec<Lane>,
    /// Short hellos were asked, or need not be.
    settled: bool,
    proof: Proof,
    /// The version that was accepted, once more, behind the others' closes.
    control: Option<Lane>,
}

/// How far it is proved that a close is meant for the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// They are to be asked for again.
    Again,
    /// One that was accepted is.
    Control,
    Over,
}

#[derive(Clone, Debug)]
struct Lane {
    machine: Enumerator,
    under_way: bool,
    done: Option<Findings>,
}

impl Scan {
    /// SSL 3.0 and TLS 1.0 to 1.3.
    pub fn tls(question: &Question) -> Self {
        Self { proof: Proof::Again, ..Self::of(&TLS, question) }
    }

    /// DTLS 1.0, 1.2 and 1.3.
    pub fn dtls(question: &Question) -> Self {
        Self::of(&DTLS, question)
    }

    /// These versions.
    pub fn of(versions: &[Version], question: &Question) -> Self {
        let machine = |version: &Version| Enumerator::new(*version, question.clone());
        let lane = |version: &Version| Lane { machine: machine(version), under_way: false, done: None };
        Self { lanes: versions.iter().map(lane).collect(), settled: false, proof: Proof::Control, control: None }
    }

    /// The next step: a question of the first version that has one and waits for nothing.
    #[expect(clippy::should_implement_trait, reason = "each is answered before the next")]
    pub fn next(&mut self) -> Step {
        loop {
            for (number, lane) in self.lanes.iter_mut().chain(&mut self.control).enumerate() {
                if lane.under_way || lane.done.is_some() {
                    continue;
                }
                match lane.machine.next() {
                    Ask::Done(findings) => lane.done = Some(*findings),
                    ask => {
                        lane.under_way = true;
                        return Step::Ask(number, ask);
                    }
                }
            }
            if self.lanes.iter().chain(&self.control).any(|lane| lane.under_way) {
                return Step::Wait;
            }
            if (self.settled || !self.shorten()) && !self.prove() {
                return Step::Done(Box::new(self.report()));
            }
        }
    }

    /// Asks the versions that were refused again in short hellos, where no long one was accepted. Whether there are any.
    fn shorten(&mut self) -> bool {
        self.settled = true;
        let old = || self.lanes.iter().filter(|lane| !lane.machine.version().is_13());
        let verdict = |lane: &Lane| lane.done.as_ref().map(|findings| findings.verdict);
        if old().any(|lane| verdict(lane) == Some(Verdict::Accepted)) {
            return false;
        }
        let mut any = false;
        for lane in self.lanes.iter_mut().filter(|lane| !lane.machine.version().is_13()) {
            if matches!(verdict(lane), Some(Verdict::Refused(_) | Verdict::Closed)) {
                (lane.machine, lane.done) = (lane.machine.shortly(), None);
                any = true;
            }
        }
        any
    }

    /// Asks again for what was closed on, and then for what was accepted. Whether there is anything to ask.
    fn prove(&mut self) -> bool {
        let is = |lane: &Lane, verdict| lane.done.as_ref().is_some_and(|findings| findings.verdict == verdict);
        let Some(good) = self.lanes.iter().find(|lane| is(lane, Verdict::Accepted)) else { return false };
        let machine = good.machine.control();
        let mut closed = self.lanes.iter_mut().filter(|lane| is(lane, Verdict::Closed)).peekable();
        if closed.peek().is_none() {
            return false;
        }
        match self.proof {
            Proof::Again => {
                self.proof = Proof::Control;
                closed.for_each(|lane| (lane.machine, lane.done) = (lane.machine.anew(), None));
            }
            Proof::Control => {
                self.proof = Proof::Over;
                self.control = Some(Lane { machine, under_way: false, done: None });
            }
            Proof::Over => return false,
        }
        true
    }

    /// What came of the question with this number; what nobody waits for is passed over.
    pub fn answer(&mut self, number: usize, traffic: Traffic, told: Told) {
        let lane = if number == self.lanes.len() { self.control.as_mut() } else { self.lanes.get_mut(number) };
        if let Some(lane) = lane.filter(|lane| lane.under_way) {
            lane.under_way = false;
            lane.machine.traffic(traffic);
            lane.machine.answer(told);
        }
    }

    fn report(&self) -> Report {
        let findings = |lane: &Lane| (lane.machine.version(), lane.done.clone().unwrap_or_default());
        let mut report = Report { versions: self.lanes.iter().map(findings).collect() };
        let control = self.control.as_ref().and_then(|lane| Some((lane.machine.version(), lane.done.as_ref()?)));
        if let Some((version, control)) = control {
            let counted = report.versions.iter_mut().filter(|(asked, _)| *asked == version);
            counted.for_each(|(_, findings)| findings.hellos_sent = control.hellos_sent);
        }
        if control.is_some_and(|(_, control)| control.verdict == Verdict::Accepted) {
            // The server is alive: it closes on what it does not speak.
            for (_, findings) in report.versions.iter_mut().filter(|(_, findings)| findings.verdict == Verdict::Closed)
            {
                findings.verdict = Verdict::Refused(None);
                findings.unknown.clear();
            }
        }
        report
    }
}
