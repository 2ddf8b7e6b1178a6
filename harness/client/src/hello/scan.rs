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
#[derive(Clone, Debug)]
pub struct Scan(Vec<Lane>);

#[derive(Clone, Debug)]
struct Lane {
    machine: Enumerator,
    under_way: bool,
    done: Option<Findings>,
}

impl Scan {
    /// SSL 3.0 and TLS 1.0 to 1.3.
    pub fn tls(question: &Question) -> Self {
        Self::of(&TLS, question)
    }

    /// DTLS 1.0, 1.2 and 1.3.
    pub fn dtls(question: &Question) -> Self {
        Self::of(&DTLS, question)
    }

    /// These versions.
    pub fn of(versions: &[Version], question: &Question) -> Self {
        let machine = |version: &Version| Enumerator::new(*version, question.clone());
        Self(versions.iter().map(|version| Lane { machine: machine(version), under_way: false, done: None }).collect())
    }

    /// The next step: a question of the first version that has one and waits for nothing.
    #[expect(clippy::should_implement_trait, reason = "each is answered before the next")]
    pub fn next(&mut self) -> Step {
        for (number, lane) in self.0.iter_mut().enumerate() {
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
        if self.0.iter().any(|lane| lane.under_way) { Step::Wait } else { Step::Done(Box::new(self.report())) }
    }

    /// What came of the question with this number; what nobody waits for is passed over.
    pub fn answer(&mut self, number: usize, traffic: Traffic, told: Told) {
        if let Some(lane) = self.0.get_mut(number).filter(|lane| lane.under_way) {
            lane.under_way = false;
            lane.machine.traffic(traffic);
            lane.machine.answer(told);
        }
    }

    fn report(&self) -> Report {
        let findings = |lane: &Lane| (lane.machine.version(), lane.done.clone().unwrap_or_default());
        let mut report = Report { versions: self.0.iter().map(findings).collect() };
        if report.accepted().next().is_some() {
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
