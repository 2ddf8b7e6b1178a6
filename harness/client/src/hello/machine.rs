//! The machine for one version: hellos out, answers in, until no question is left.

use ringfence_wire::hello::{ClientHello, Reply, ServerHello, Version};

use super::findings::{Findings, List, Traffic, Verdict};
use super::offer::{Offer, Question, Wanted};
use super::plan::{Plan, Purpose, Without};

/// How often one offer is made before it stays without an answer (house).
const TRIES: u8 = 3;
/// How often a cookie is sent back for one hello (house).
const COOKIES: u8 = 3;
/// Offers without an answer after which a server is left alone (house).
const DOUBTS: u8 = 10;
/// Certificate chains that are kept (house).
const CHAINS: usize = 8;
/// Alerts that speak of something else than what was offered: user_canceled, unrecognized_name, no_application_protocol.
const BESIDE: [u8; 3] = [90, 112, 120];
/// Alerts that may speak of what the network did to the hello, or of the server's own trouble, and pass: unexpected_message,
/// bad_record_mac, record_overflow, access_denied (for a cookie), decode_error, decrypt_error, internal_error. A server that
/// sends one each time refuses.
const PASSING: [u8; 7] = [10, 20, 22, 49, 50, 51, 80];
const CLOSE_NOTIFY: u8 = 0;

/// What to do next.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Send this over a new connection, or from a port that was not used before.
    Hello(Box<ClientHello>),
    /// The same hello with the server's cookie: from the same port, with this message_seq; record numbers go on.
    Cookie(Box<ClientHello>, u16),
    /// No question is left.
    Done(Box<Findings>),
}

/// What came of a hello.
#[derive(Clone, Debug)]
pub enum Told {
    /// A reply. Groups and schemes need one that was read to the depth of the flight.
    Reply(Reply),
    /// Nothing within the time.
    Silence,
    /// The connection was closed or reset before a reply.
    Closed,
    /// The hello could not be sent, or what came cannot be read; our words.
    Broken(String),
}

/// Asks one server about one version. The same sequence of answers gives the same sequence of hellos.
#[derive(Clone, Debug)]
pub struct Enumerator {
    version: Version,
    question: Question,
    plan: Plan,
    current: Option<Current>,
    ended: Verdict,
    doubts: u8,
}

/// The offer that is being made.
#[derive(Clone, Debug)]
struct Current {
    purpose: Purpose,
    offer: Offer,
    /// Made to see whether the server still answers: `purpose` and `offer` were closed without a word.
    control: Option<Offer>,
    tries: u8,
    cookies: u8,
    sent: Option<ClientHello>,
    /// An answer is due.
    due: bool,
}

impl Current {
    fn offered(&self) -> &Offer {
        self.control.as_ref().unwrap_or(&self.offer)
    }
}

impl Enumerator {
    /// All questions about `version`.
    pub fn new(version: Version, question: Question) -> Self {
        let plan = Plan::new(version, question.wanted);
        Self { version, question, plan, current: None, ended: Verdict::Unknown, doubts: 0 }
    }

    /// All questions about a version below 1.3 again, in hellos with few suites each: some servers refuse a long hello,
    /// whatever is in it. What was sent so far stays counted.
    pub(super) fn shortly(&self) -> Self {
        let plan = Plan::shortly(self.version, self.question.wanted, &self.plan.findings);
        Self { plan, ..Self::new(self.version, self.question.clone()) }
    }

    /// All questions again; what was sent so far stays counted.
    pub(super) fn anew(&self) -> Self {
        let plan = Plan::anew(self.version, self.question.wanted, &self.plan.findings);
        Self { plan, ..Self::new(self.version, self.question.clone()) }
    }

    /// Nothing but whether the suite that was chosen first is still accepted; what was sent so far stays counted.
    pub(super) fn control(&self) -> Self {
        let question = Question { wanted: Wanted::VERSIONS, ..self.question.clone() };
        let plan = Plan::control(self.version, &self.plan.findings);
        Self { plan, ..Self::new(self.version, question) }
    }

    /// The version that is asked for.
    pub fn version(&self) -> Version {
        self.version
    }

    /// What to do now; the same again until [`Enumerator::answer`] was told.
    #[expect(clippy::should_implement_trait, reason = "each is answered before the next")]
    pub fn next(&mut self) -> Ask {
        if self.current.is_none() {
            let Some((purpose, offer)) = self.plan.next() else { return Ask::Done(Box::new(self.findings())) };
            self.plan.findings.offers += 1;
            self.current =
                Some(Current { purpose, offer, control: None, tries: 0, cookies: 0, sent: None, due: false });
        }
        match self.hello() {
            Ok(ask) => ask,
            Err(error) => {
                self.current = None;
                self.plan.stop(&error.to_string());
                Ask::Done(Box::new(self.findings()))
            }
        }
    }

    /// What came of the hello. Told twice, only the first counts.
    pub fn answer(&mut self, told: Told) {
        let Some(mut current) = self.current.take() else { return };
        if !current.due {
            self.current = Some(current);
            return;
        }
        current.due = false;
        match told {
            Told::Reply(Reply::ServerHello(hello)) => self.chose(current, &hello),
            Told::Reply(Reply::HelloRetryRequest(hello)) if self.version.is_13() => self.chose(current, &hello),
            Told::Reply(Reply::HelloRetryRequest(_)) => {
                self.again(current, "a HelloRetryRequest to a hello of an older version")
            }
            Told::Reply(Reply::HelloVerifyRequest { cookie, .. }) => self.cookie(current, cookie),
            Told::Reply(Reply::Alert { fatal, code }) => self.alert(current, fatal, code),
            Told::Reply(Reply::Garbage(error)) => self.again(current, &format!("no answer that can be read: {error}")),
            Told::Broken(reason) => self.again(current, &reason),
            Told::Silence => self.doubted_or_again(current, "no answer", true),
            Told::Closed => self.closed(current, "closed without a word"),
        }
    }

    /// Bytes of the exchange that [`Enumerator::answer`] is about to be told of. Only those before a cookie are kept.
    pub fn traffic(&mut self, traffic: Traffic) {
        let before = self.current.as_ref().is_some_and(|current| current.due && current.cookies == 0);
        let most = &mut self.plan.findings.before_cookie;
        if before && most.is_none_or(|most| most.received < traffic.received) {
            *most = Some(traffic);
        }
    }

    fn hello(&mut self) -> Result<Ask, ringfence_wire::Error> {
        let Some(current) = &mut self.current else { return Ok(Ask::Done(Box::new(self.plan.findings.clone()))) };
        let hello = match &current.sent {
            Some(hello) => hello.clone(),
            None => current.offered().hello(self.version, &self.question, self.plan.findings.hellos_sent)?,
        };
        if !current.due {
            current.due = true;
            current.sent = Some(hello.clone());
            current.tries += u8::from(current.cookies == 0);
            self.plan.findings.hellos_sent = self.plan.findings.hellos_sent.saturating_add(1);
        }
        let hello = Box::new(hello);
        Ok(match current.cookies {
            0 => Ask::Hello(hello),
            sequence => Ask::Cookie(hello, sequence.into()),
        })
    }

    fn chose(&mut self, current: Current, hello: &ServerHello) {
        if hello.version != self.version {
            // Before anything was chosen of this version this is how it is refused.
            return match self.plan.known_good() {
                None => self.refused(current, None),
                Some(_) => self.again(current, "the server chose another version than before"),
            };
        }
        if !current.offered().suites.contains(&hello.suite) {
            return self.again(current, "the server chose a suite that was not offered");
        }
        if let Some(code) = hello.alert {
            return self.alert(current, true, code);
        }
        // Without a key share of ours it has to name one (RFC 8446, section 4.1.4), if it has one at all.
        if self.version.is_13() && hello.group.is_none() && self.plan.all_groups(current.offered()) {
            return self.again(current, "the server chose a suite and no group");
        }
        if current.tries < TRIES && !hello.done && self.plan.missing(hello) {
            return self.again(current, "the answer broke off");
        }
        self.note(hello);
        if current.control.is_some() {
            return self.refused_for_good(&current, None);
        }
        self.plan.accepted(current.purpose, &current.offer, hello);
    }

    fn alert(&mut self, current: Current, fatal: bool, code: u8) {
        match code {
            _ if BESIDE.contains(&code) => {
                self.again(current, "the server refuses for something else than what is offered");
            }
            _ if PASSING.contains(&code) && current.tries < TRIES => self.again(current, "an alert that may pass"),
            _ if fatal || code == CLOSE_NOTIFY => self.refused(current, Some(code)),
            // A warning is no refusal, and over UDP what follows it may be lost.
            _ if self.version.is_dtls() => self.again(current, "no answer but a warning alert"),
            _ => self.closed(current, "closed with no more than a warning alert"),
        }
    }

    /// The same hello with the cookie.
    fn cookie(&mut self, mut current: Current, cookie: Vec<u8>) {
        if !self.version.is_dtls() {
            return self.again(current, "a HelloVerifyRequest over TLS");
        }
        self.plan.findings.hello_verify = true;
        if current.cookies == COOKIES {
            return self.doubted(&current, "the server wants one cookie after the other", false);
        }
        if current.cookies > 0 && current.sent.as_ref().is_some_and(|hello| hello.cookie == cookie) {
            // Never from the same port: it may be a copy of the first, and the server in the middle of its flight.
            return self.again(current, "the server wants the cookie again that it was sent");
        }
        current.cookies += 1;
        if let Some(hello) = &mut current.sent {
            hello.cookie = cookie;
        }
        self.current = Some(current);
    }

    /// Makes the offer again from a fresh port, or leaves it.
    fn again(&mut self, current: Current, reason: &str) {
        self.doubted_or_again(current, reason, false);
    }

    fn doubted_or_again(&mut self, mut current: Current, reason: &str, silent: bool) {
        if current.tries >= TRIES {
            return self.doubted(&current, reason, silent);
        }
        (current.sent, current.cookies) = (None, 0);
        self.current = Some(current);
    }

    /// A close is a refusal if it repeats while a good offer still succeeds.
    fn closed(&mut self, mut current: Current, reason: &str) {
        (current.sent, current.cookies) = (None, 0);
        if current.control.is_some() || current.tries < 2 {
            return self.again(current, reason);
        }
        match self.plan.known_good() {
            Some(good) => {
                (current.control, current.tries) = (Some(good), 0);
                self.current = Some(current);
            }
            None if current.tries < TRIES => self.current = Some(current),
            None => {
                self.ended = Verdict::Closed;
                self.plan.stop(reason);
            }
        }
    }

    fn refused(&mut self, current: Current, alert: Option<u8>) {
        if current.control.is_some() {
            return self.doubted(&current, "the server refused what it had accepted before", false);
        }
        self.refused_for_good(&current, alert);
    }

    fn refused_for_good(&mut self, current: &Current, alert: Option<u8>) {
        self.ended = Verdict::Refused(alert);
        self.plan.without(current.purpose, &current.offer, &Without::Refused(alert));
    }

    fn doubted(&mut self, current: &Current, reason: &str, silent: bool) {
        self.ended = Verdict::Unknown;
        self.doubts += 1;
        if self.doubts >= DOUBTS {
            self.plan.stop(reason);
        } else {
            self.plan.without(current.purpose, &current.offer, &Without::Doubt { silent, reason });
        }
    }

    /// What is told besides the lists.
    fn note(&mut self, hello: &ServerHello) {
        let findings = &mut self.plan.findings;
        let both = |before: Option<bool>, now: bool| Some(before.unwrap_or(true) && now);
        findings.extended_master_secret = both(findings.extended_master_secret, hello.extended_master_secret());
        findings.secure_renegotiation = both(findings.secure_renegotiation, hello.secure_renegotiation());
        findings.compression |= hello.compression != 0;
        findings.certificate_requested |= hello.certificate_requested;
        findings.dh_bits = findings.dh_bits.into_iter().chain(hello.dh_bits).min();
        if findings.ocsp_response.is_none() {
            findings.ocsp_response.clone_from(&hello.ocsp_response);
        }
        let chain = &hello.certificates;
        if !chain.is_empty() && findings.chains.len() < CHAINS && !findings.chains.contains(chain) {
            findings.chains.push(chain.clone());
        }
    }

    fn findings(&self) -> Findings {
        let mut findings = self.plan.findings.clone();
        findings.verdict = if findings.suites.is_empty() { self.ended } else { Verdict::Accepted };
        if matches!(findings.verdict, Verdict::Refused(_)) {
            findings.unknown.clear();
        } else if findings.verdict != Verdict::Accepted {
            findings.unknown.retain(|unknown| unknown.list == List::Suites);
        }
        findings
    }
}
