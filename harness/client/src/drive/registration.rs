//! One signalling connection that registers, and nothing more.

use std::time::Duration;

use ringfence_model::{Digest, RunKey, Untrusted};

use super::line::Line;
use crate::adapters::CallConfig;
use crate::signalling::{Event, Input, LoginBend, RegisterAnswer, SignallingPlan};
use crate::{Failure, Net};

/// Most entries of each list of a challenge that are kept.
const MAX_LISTED: usize = 16;

/// How to register.
#[derive(Clone, Debug)]
pub struct RegistrationPlan {
    /// Where, and as whom.
    pub config: CallConfig,
    /// User part of the address-of-record, instead of the configuration's.
    pub aor_user: Option<String>,
    /// With whose credentials.
    pub login: LoginBend,
    /// How many registrations on this one connection.
    pub times: u32,
    /// Seconds that are asked for.
    pub expires: u32,
    /// `Origin` of the WebSocket.
    pub origin: Option<String>,
    /// Seed of tags, branches and client nonces.
    pub seed: u64,
    /// How long each request may wait for its answer.
    pub answer_within: Duration,
}

impl RegistrationPlan {
    /// As an honest client registers.
    pub fn honest(config: CallConfig, seed: u64) -> Self {
        Self {
            config,
            aor_user: None,
            login: LoginBend::Own,
            times: 1,
            expires: 600,
            origin: None,
            seed,
            answer_within: Duration::from_secs(10),
        }
    }
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct RegistrationSeen {
    /// Status of the WebSocket upgrade, where there was an answer.
    pub upgrade_status: Option<u16>,
    /// The last final answer of each registration, challenges answered where the login has an answer.
    pub statuses: Vec<u16>,
    /// Every final answer, challenges included.
    pub answers: Vec<u16>,
    /// The last of `statuses`.
    pub status: Option<u16>,
    /// Its reason phrase.
    pub reason: Option<Untrusted>,
    /// The first challenge.
    pub challenge: ChallengeSeen,
    /// The answer to a registration lists our own contact.
    pub contact_ok: bool,
    /// Seconds that were granted.
    pub expires_s: Option<u32>,
    /// `Server`.
    pub server_header: Option<Untrusted>,
    /// `Retry-After` of the last answer that has one.
    pub retry_after: Option<Untrusted>,
    /// Why there is no (further) answer.
    pub failure: Option<Failure>,
}

/// The first answer that challenges.
#[derive(Clone, Debug, Default)]
pub struct ChallengeSeen {
    /// Authentication schemes.
    pub schemes: Vec<Untrusted>,
    /// Algorithms; `MD5` where a challenge names none, which is what that means.
    pub algorithms: Vec<Untrusted>,
    /// Qualities of protection.
    pub qop: Vec<Untrusted>,
    /// Nonce of its first Digest challenge.
    pub nonce: Option<Digest>,
    /// A challenge says that the nonce was stale.
    pub stale: bool,
}

/// Connects, registers as planned, and closes.
pub async fn register(net: &Net, plan: &RegistrationPlan, key: &RunKey) -> RegistrationSeen {
    let mut seen = RegistrationSeen::default();
    let mut signalling = SignallingPlan::honest(&plan.config, plan.seed);
    signalling.register_expires = plan.expires;
    signalling.transaction = plan.answer_within;
    if let Some(user) = &plan.aor_user {
        signalling.aor_user.clone_from(user);
    }
    let mut line = match Line::open(net, &plan.config.ws_uri, plan.origin.clone(), signalling).await {
        Ok((line, opened)) => {
            seen.upgrade_status = opened.status;
            line
        }
        Err(refused) => {
            seen.upgrade_status = refused.status;
            seen.failure = Some(refused.failure);
            return seen;
        }
    };
    let times = plan.times.max(1);
    let mut events = line.input(Input::Register { login: plan.login.clone(), times }).await;
    loop {
        events.into_iter().for_each(|event| seen.take(event, key));
        if seen.failure.is_some() || seen.statuses.len() >= times as usize {
            break;
        }
        let incoming = line.wait().await;
        events = line.take(incoming).await;
    }
    line.close().await;
    seen
}

impl RegistrationSeen {
    fn take(&mut self, event: Event, key: &RunKey) {
        match event {
            Event::RegisterAnswer(answer) => self.answer(&answer, key),
            Event::Registered { status, contact_ok, expires_s } => {
                self.contact_ok = contact_ok;
                self.expires_s = expires_s;
                self.finish(status);
            }
            Event::RegisterFinal { status, .. } => self.finish(status),
            Event::Failed(failure) => self.failure = Some(failure),
            _ => {}
        }
    }

    fn finish(&mut self, status: u16) {
        self.statuses.push(status);
        self.status = Some(status);
    }

    fn answer(&mut self, answer: &RegisterAnswer, key: &RunKey) {
        self.answers.push(answer.status);
        self.reason = Some(answer.reason.clone());
        self.server_header = answer.server.clone().or(self.server_header.take());
        self.retry_after = answer.retry_after.clone().or(self.retry_after.take());
        if answer.schemes.is_empty() || !self.challenge.schemes.is_empty() {
            return;
        }
        let challenges = &answer.challenges;
        let algorithm = |text: &Option<String>| Untrusted::new(text.as_deref().unwrap_or("MD5"));
        self.challenge = ChallengeSeen {
            schemes: answer.schemes.iter().take(MAX_LISTED).cloned().collect(),
            algorithms: challenges.iter().take(MAX_LISTED).map(|challenge| algorithm(&challenge.algorithm)).collect(),
            qop: challenges.iter().flat_map(|challenge| &challenge.qop).take(MAX_LISTED).map(Untrusted::new).collect(),
            nonce: challenges.first().map(|challenge| key.digest(challenge.nonce.as_bytes())),
            stale: challenges.iter().any(|challenge| challenge.stale),
        };
    }
}
