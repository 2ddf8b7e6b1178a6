//! The questions to one server.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use ringfence_client::Failure;
use ringfence_client::hello::{self, Bounds, Choice, Findings, Question, Report, Verdict, Wanted};
use ringfence_client::net::TlsVersion;
use ringfence_model::observation::Outcome;
use ringfence_wire::hello::Version;
use tokio::time::timeout;

use super::Depth;
use super::seen::{self, Seen};
use crate::Cx;

/// Versions that a server may be silent about: what is in use is answered.
const OLD: [Version; 3] = [Version::SSL3, Version::TLS10, Version::TLS11];
/// Hellos under way at once: as many connections as a step counts for.
const AT_ONCE: usize = 1;
/// From a hello to the end of its answer, at most: a server that says nothing is asked fifteen times, which has to end within a
/// minute (house).
const ANSWER: Duration = Duration::from_secs(4);
/// And at least, however fast the first one came (house).
const LEAST_ANSWER: Duration = Duration::from_secs(1);
/// How many times longer than the first one an answer may take (house).
const SLOWER: u32 = 20;
/// What the client says where nothing came back.
const SILENCE: &str = "no answer";

/// A server.
pub struct Server<'a> {
    cx: &'a Cx,
    host: &'a str,
    port: u16,
    question: Question,
    bounds: Bounds,
    choice: Choice,
    begun: Instant,
}

impl<'a> Server<'a> {
    /// Nothing is asked yet.
    pub fn new(cx: &'a Cx, host: &'a str, port: u16, depth: Depth) -> Self {
        let mut seed = [0; 32];
        seed.iter_mut().zip(cx.seed.to_be_bytes()).for_each(|(place, byte)| *place = byte);
        let wanted = match depth {
            Depth::Quick => Wanted::VERSIONS,
            Depth::Full => Wanted::ALL,
        };
        // Addresses do not stand in server_name (RFC 6066, section 3).
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        let question = Question { server_name: (!address).then(|| host.to_owned()), wanted, seed };
        let bounds = Bounds { answer: cx.net.limits().tls.min(ANSWER), at_once: AT_ONCE };
        Self { cx, host, port, question, bounds, choice: Choice::default(), begun: Instant::now() }
    }

    /// Which version it chooses among others. How fast it does tells how long it is waited for afterwards.
    ///
    /// # Errors
    /// As [`hello::choice`].
    pub async fn choose(&mut self, seen: &mut Seen) -> Result<(), Failure> {
        let begun = Instant::now();
        self.choice = hello::choice(&self.cx.net, self.host, self.port, &self.question, self.bounds).await?;
        seen.hellos_sent += i64::from(self.choice.hellos_sent);
        seen.negotiated = self.choice.version.map(seen::word);
        if self.choice.version.is_some() {
            self.bounds.answer = (begun.elapsed() * SLOWER).max(LEAST_ANSWER).min(self.bounds.answer);
        }
        Ok(())
    }

    /// What it accepts, and the old versions about which it is silent: each was asked for three times, over connections that it
    /// accepted, and it answered a hello of other versions before and after. TCP loses nothing on the way, so whoever says
    /// nothing then does not speak that version. coturn is silent so about what its configuration turns off.
    ///
    /// # Errors
    /// As [`hello::tls`].
    pub async fn enumerate(&self, seen: &mut Seen) -> Result<(Report, Vec<Version>), Failure> {
        // A server that takes its time over each of some thousand hellos must not outlast the run.
        let left = Duration::from_secs(self.cx.seconds_left).saturating_sub(self.begun.elapsed());
        let scan = hello::tls(&self.cx.net, self.host, self.port, &self.question, self.bounds);
        let spent = |_| Failure::new(Outcome::Budget, "the run's minutes are spent: budget.minutes");
        let report = timeout(left, scan).await.map_err(spent)??;
        let silent = |(version, found): &(Version, Findings)| {
            let silence = found.verdict == Verdict::Unknown && found.unknown.iter().all(|one| one.reason == SILENCE);
            (silence && OLD.contains(version)).then_some(*version)
        };
        let unanswered: Vec<Version> = report.versions.iter().filter_map(silent).collect();
        if unanswered.is_empty() || self.choice.version.is_none() {
            return Ok((report, Vec::new()));
        }
        let control = hello::choice(&self.cx.net, self.host, self.port, &self.question, self.bounds).await?;
        seen.hellos_sent += i64::from(control.hellos_sent);
        let alive = control.version == self.choice.version;
        Ok((report, if alive { unanswered } else { Vec::new() }))
    }

    /// Shakes hands, so that the server proves its key; where that cannot be done with its suites, what it showed in clear counts.
    ///
    /// # Errors
    /// How the last handshake failed, if one did; there may be a certificate all the same.
    pub async fn certificate(&self, report: &Report, seen: &mut Seen) -> Result<(), Failure> {
        let mut ended = Ok(());
        for (version, number) in [(TlsVersion::Tls13, Version::TLS13), (TlsVersion::Tls12, Version::TLS12)] {
            if verdict(report, number) != Verdict::Accepted {
                continue;
            }
            seen.hellos_sent += 1;
            match self.cx.net.tls_shown(self.host, self.port, version).await {
                Ok(shown) => {
                    seen.ocsp_stapled |= shown.ocsp_stapled;
                    shown.certificate.into_iter().for_each(|certificate| seen.show(certificate));
                }
                Err(failure) => ended = Err(failure),
            }
        }
        if seen.certificate.is_none() {
            let chains = report.accepted().flat_map(|(_, found)| &found.chains);
            let shown = chains.filter_map(|chain| self.cx.net.examine(self.host, chain));
            shown.for_each(|certificate| seen.show(certificate));
        }
        ended
    }

    /// Whether it invites early data. A connection that fails tells nothing.
    pub async fn early_data(&self, report: &Report, seen: &mut Seen) {
        seen.early_data = match verdict(report, Version::TLS13) {
            Verdict::Accepted => {
                seen.hellos_sent += 1;
                self.cx.net.early_data(self.host, self.port).await.ok().flatten()
            }
            Verdict::Refused(_) => Some(false),
            Verdict::Closed | Verdict::Unknown => None,
        };
    }
}

fn verdict(report: &Report, version: Version) -> Verdict {
    report.of(version).map_or(Verdict::Unknown, |found| found.verdict)
}

/// Why no version was accepted, as far as the answers say.
pub fn nothing_accepted(report: &Report) -> Failure {
    let all = || report.versions.iter().map(|(_, found)| found);
    if all().any(|found| matches!(found.verdict, Verdict::Refused(_))) {
        return Failure::new(Outcome::TlsFailed, "no version of TLS is accepted");
    }
    if all().any(|found| found.verdict == Verdict::Closed) {
        return Failure::new(Outcome::Closed, "every hello is closed without a word");
    }
    match report.unknown().map(|(_, unknown)| unknown.reason.as_str()).find(|reason| *reason != SILENCE) {
        Some(reason) => Failure::protocol(reason),
        None => Failure::timeout("no hello was answered in time"),
    }
}
