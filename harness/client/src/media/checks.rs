//! Connectivity checks by hand (RFC 8445, section 7), beside those of the call's own agent; calls that check late or never; and
//! what was seen of the target's checks.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ringfence_model::Secret;
use ringfence_wire::demux::Kind as Protocol;
use ringfence_wire::stun::{Attribute, Class, Message, Method, TransactionId};

use super::MediaError;
use super::answer::{Answer, socket_address};
use super::audio::PacketKind;
use super::dtls::Dtls;
use super::ice::Path;
use super::machine::MediaMachine;

/// While a call does not check: how often it tries to speak all the same.
const UNCHECKED_INTERVAL: Duration = Duration::from_millis(500);
/// Addresses that it then speaks to (house).
const MAX_REMOTES: usize = 4;
/// Checks of ours whose answers are waited for (house).
const MAX_WATCHED: usize = 1024;
/// The target's transactions that are told apart (house).
const MAX_TRANSACTIONS: usize = 4096;
/// RFC 8445, section 5.1.2.1: peer-reflexive, the highest local preference, component 1.
const PRIORITY: u32 = (110 << 24) + (65_535 << 8) + 255;
/// More than any candidate has.
const HIGHEST_PRIORITY: u32 = u32::MAX >> 1;

/// What it takes to make a check.
#[derive(Clone, Debug)]
pub struct CheckKit {
    /// Our end of the selected pair.
    pub local: SocketAddr,
    /// The target's.
    pub remote: SocketAddr,
    /// Kind of our candidate: `host`, `srflx`, `prflx` or `relay`.
    pub local_type: String,
    /// The target's user name fragment, and ours.
    ufrags: (String, String),
    /// The target's password.
    password: Secret,
}

/// What is wrong with a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckBend {
    /// Nothing.
    None,
    /// USERNAME begins with a fragment that the target never gave.
    WrongUfrag,
    /// MESSAGE-INTEGRITY under a password that the target never gave.
    BadIntegrity,
    /// No MESSAGE-INTEGRITY.
    NoIntegrity,
}

/// A check, ready to be sent.
#[derive(Clone, Debug)]
pub struct Check {
    /// What its answer is known by.
    pub id: TransactionId,
    /// The datagram.
    pub bytes: Vec<u8>,
    /// Nothing is wrong with it.
    pub is_good: bool,
}

impl CheckKit {
    /// A check; `nominates` has it carry USE-CANDIDATE and the highest priority there is.
    ///
    /// # Errors
    /// The system has no randomness: our own fault.
    pub fn check(&self, bend: CheckBend, nominates: bool) -> Result<Check, MediaError> {
        let mut random = [0; 36];
        getrandom::fill(&mut random).map_err(MediaError::setup)?;
        let (id, rest) = random.split_first_chunk::<12>().ok_or(MediaError::Plan("random bytes"))?;
        let word = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let tie_breaker = rest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let theirs = if bend == CheckBend::WrongUfrag { word(rest) } else { self.ufrags.0.clone() };
        let mut message = Message::new(Class::Request, Method::BINDING, *id)
            .with(Attribute::Username(format!("{theirs}:{}", self.ufrags.1)))
            .with(Attribute::Priority(if nominates { HIGHEST_PRIORITY } else { PRIORITY }))
            .with(Attribute::IceControlling(tie_breaker));
        if nominates {
            message = message.with(Attribute::UseCandidate);
        }
        let signed = match bend {
            CheckBend::NoIntegrity => Ok(message),
            CheckBend::BadIntegrity => message.signed(word(rest).as_bytes()),
            CheckBend::None | CheckBend::WrongUfrag => message.signed(self.password.expose().as_bytes()),
        };
        let bytes = signed.and_then(Message::fingerprinted).and_then(|message| message.emit());
        Ok(Check { id: *id, bytes: bytes.map_err(MediaError::setup)?, is_good: bend == CheckBend::None })
    }
}

/// What was seen of checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChecksSeen {
    /// Success responses to our good checks by hand.
    pub good_answered: i64,
    /// Success responses to the others.
    pub bent_answered: i64,
    /// Error responses to the others.
    pub bent_refused: i64,
    /// Binding requests of the target, repeated ones too.
    pub received: i64,
    /// When the first and the last of its transactions began, and how many there were.
    pub transactions: Option<(Instant, Instant, i64)>,
    /// DTLS, RTP and RTCP that came while we sent and answered no checks at all.
    pub unchecked_media: i64,
}

/// Checks of one call beside those of its agent.
#[derive(Default)]
pub(super) struct Checks {
    watched: HashMap<TransactionId, bool>,
    transactions: HashSet<TransactionId>,
    /// Neither checks nor answers go out any more.
    muted: bool,
    held: Option<Held>,
    pub seen: ChecksSeen,
}

/// A call that does not check yet.
struct Held {
    until: Instant,
    next: Instant,
    theirs: Answer,
    hello: Vec<u8>,
}

impl Checks {
    /// Whether nothing of ours goes out.
    pub(super) fn are_muted(&self) -> bool {
        self.muted
    }

    /// When [`MediaMachine::run_checks`] is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.held.as_ref().map(|held| held.next.min(held.until))
    }

    /// Notes a STUN message of the target's; whether the agent is not to have it.
    fn takes(&mut self, now: Instant, bytes: &[u8]) -> bool {
        let Ok(message) = Message::parse(bytes) else { return false };
        match (message.class, self.watched.get(&message.transaction)) {
            (Class::Success, Some(true)) => self.seen.good_answered += 1,
            (Class::Success, Some(false)) => self.seen.bent_answered += 1,
            (Class::Error, Some(false)) => self.seen.bent_refused += 1,
            (Class::Error, Some(true)) => {}
            (Class::Request, _) if message.method == Method::BINDING => {
                self.request(now, message.transaction);
                return self.muted || self.held.is_some();
            }
            _ => return self.muted || self.held.is_some(),
        }
        true
    }

    fn request(&mut self, now: Instant, id: TransactionId) {
        self.seen.received += 1;
        if self.transactions.len() < MAX_TRANSACTIONS && self.transactions.insert(id) {
            let (first, _, count) = self.seen.transactions.unwrap_or((now, now, 0));
            self.seen.transactions = Some((first, now, count + 1));
        }
    }
}

impl MediaMachine {
    /// What a check takes; `None` without a pair.
    pub fn check_kit(&self) -> Option<CheckKit> {
        let Path { local, remote } = self.ice.path().filter(|_| self.connected)?;
        let (ufrag, password) = self.answer.as_ref()?.ice.clone()?;
        let local_type = self.ice.local_type().unwrap_or_default().to_owned();
        let ufrags = (ufrag, self.ice.ufrag().to_owned());
        Some(CheckKit { local, remote, local_type, ufrags, password: Secret::new(password) })
    }

    /// What was seen of checks so far.
    pub fn checks_seen(&self) -> ChecksSeen {
        self.checks.seen.clone()
    }

    /// Sends a check by hand on the selected pair.
    pub(super) fn send_check(&mut self, now: Instant, check: &Check) {
        let Some(path) = self.ice.path() else { return };
        if self.checks.watched.len() < MAX_WATCHED {
            self.checks.watched.insert(check.id, check.is_good);
            self.route(now, path, &check.bytes);
        }
    }

    /// From now on neither checks nor their answers go out. RFC 7675, section 5: without them consent expires.
    pub(super) fn stop_consent(&mut self) {
        self.checks.muted = true;
    }

    /// Whether a STUN message is not the agent's.
    pub(super) fn takes_check(&mut self, now: Instant, bytes: &[u8]) -> bool {
        self.checks.takes(now, bytes)
    }

    /// Counts what comes although there are no checks.
    pub(super) fn note_unchecked(&mut self, kind: Protocol) {
        let is_media = matches!(kind, Protocol::Dtls | Protocol::Rtp | Protocol::Rtcp);
        self.checks.seen.unchecked_media += i64::from(is_media && self.checks.held.is_some());
    }

    /// Whether checks have to wait: the plan wants to see first what comes without them.
    pub(super) fn holds_checks(&mut self, now: Instant, theirs: &Answer) -> bool {
        let Some(time) = self.plan.unchecked_for.take() else { return self.checks.held.is_some() };
        let hello = Dtls::new(self.provider.clone(), true, &self.plan, theirs.fingerprints.clone()).ok();
        let hello = hello.and_then(|mut dtls| dtls.start(now).ok().and_then(|()| dtls.poll_transmit(now)));
        let (next, hello) = (now, hello.unwrap_or_default());
        self.checks.held = Some(Held { until: now + time, next, theirs: theirs.clone(), hello });
        true
    }

    /// Speaks without checks, and begins to check when its time is over.
    pub(super) fn run_checks(&mut self, now: Instant) {
        let Some(held) = &mut self.checks.held else { return };
        if now >= held.until {
            let theirs = held.theirs.clone();
            self.checks.held = None;
            if let Err((stage, why)) = self.check(now, &theirs) {
                self.fail(stage, &why);
            }
            return;
        }
        if now < held.next {
            return;
        }
        held.next = now + UNCHECKED_INTERVAL;
        let hello = held.hello.clone();
        let allow = self.allow.clone();
        let remotes = held.theirs.candidates.iter().filter_map(socket_address).filter(|to| allow(*to));
        let paths: Vec<Path> = remotes.take(MAX_REMOTES).filter_map(|remote| self.ice.default_path(remote)).collect();
        for path in paths {
            if !hello.is_empty() {
                self.route(now, path, &hello);
            }
            let (packet, _, _) = self.stream.packet(PacketKind::Attack);
            self.route(now, path, &packet);
        }
    }
}
