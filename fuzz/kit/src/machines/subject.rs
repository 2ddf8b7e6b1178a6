//! What plays: our machines, or one that is broken on purpose.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use ringfence_client::media::{self, Identity, MediaMachine};
use ringfence_client::signalling::{Input, Output, Signalling, SignallingPlan, TRANSACTION, Transport};
use ringfence_model::Secret;
use ringfence_model::observation::CallSeen;
use ringfence_wire::digest::Algorithm;

/// Our password: nothing else that is said looks like it.
pub const MARKER: &str = "qzvkwjxhqpfjzkxvwqhjzxkq";

/// A machine that signals.
pub trait Subject {
    /// Takes one input.
    fn input(&mut self, now: Instant, input: Input<'_>);
    /// The next output.
    fn poll(&mut self) -> Output;
}

impl Subject for Signalling {
    fn input(&mut self, now: Instant, input: Input<'_>) {
        Signalling::input(self, now, input);
    }

    fn poll(&mut self) -> Output {
        Signalling::poll(self)
    }
}

/// A machine that carries media.
pub trait Medium {
    /// Takes one input.
    fn input(&mut self, now: Instant, input: media::Input<'_>);
    /// The next output.
    fn poll(&mut self) -> media::Output;
    /// The place of a TURN server that a connection is wanted to.
    fn unconnected(&self) -> Option<usize>;
    /// What it says that it has seen.
    fn seen(&self, now: Instant) -> CallSeen;
}

impl Medium for MediaMachine {
    fn input(&mut self, now: Instant, input: media::Input<'_>) {
        MediaMachine::input(self, now, input);
    }

    fn poll(&mut self) -> media::Output {
        MediaMachine::poll(self)
    }

    fn unconnected(&self) -> Option<usize> {
        MediaMachine::unconnected(self).first().map(|(place, _)| *place)
    }

    fn seen(&self, now: Instant) -> CallSeen {
        MediaMachine::seen(self, now)
    }
}

/// What one input led to, up to the wish to wait or so many outputs.
pub(super) fn outputs(subject: &mut impl Subject, most: usize) -> (Vec<Output>, Option<Instant>) {
    let mut all = Vec::new();
    while all.len() <= most {
        match subject.poll() {
            Output::Timeout(at) => return (all, Some(at)),
            Output::Idle => return (all, None),
            other => all.push(other),
        }
    }
    (all, None)
}

/// One identity for all calls: a fresh one costs more than a run.
pub fn identity() -> Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| Identity::fresh().expect("a certificate needs nothing but randomness")).clone()
}

/// The plan of a call, with what these letters change: see [`crate::generators::peer`].
pub fn plan(letters: &[u8]) -> SignallingPlan {
    let has = |letter| letters.contains(&letter);
    SignallingPlan {
        aor_user: "alice".into(),
        realm: "sip.test".into(),
        username: (!has(b'n')).then(|| "user".into()),
        password: Some(Secret::from(MARKER)),
        algorithm: has(b'm').then_some(Algorithm::Md5),
        register_as: None,
        target_uri: "sip:app-1@sip.test".into(),
        transport: Transport::Wss,
        user_agent: "fuzzed".into(),
        identity_headers: vec![("X-Project-Id".into(), "p".into())],
        register_expires: 600,
        session_expires: has(b's').then_some(90),
        session_refresh: !has(b'f'),
        seed: 7,
        transaction: TRANSACTION,
        answer_within: Duration::from_secs(if has(b't') { 5 } else { 60 }),
    }
}
