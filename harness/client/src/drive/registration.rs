//! One signalling connection that registers, and nothing more.

use std::time::Duration;

use ringfence_model::{RunKey, Untrusted};
use ringfence_wire::digest::Algorithm;
use tokio::time::{Instant, timeout_at};

use super::challenge::ChallengeSeen;
use super::line::{Incoming, Line};
use crate::adapters::CallConfig;
use crate::signalling::{Event, FinalAnswer, Input, LoginBend, SignallingPlan, SpentLogin, Within};
use crate::{Failure, Net};

/// The header field that a hostile user part tries to smuggle in: an answer that has it was broken open.
pub const MARKER: &str = "X-Ringfence-Marker";
/// How much later than the answer to what was sent behind it an answer may come (house).
const LATE: Duration = Duration::from_secs(2);

/// How to register.
#[derive(Clone, Debug)]
pub struct RegistrationPlan {
    /// Where, and as whom.
    pub config: CallConfig,
    /// User part of the address-of-record, instead of the configuration's.
    pub aor_user: Option<String>,
    /// That user part is written as it is, line ends and all. An OPTIONS goes out behind each such REGISTER, to tell a dropped
    /// one from a slow one.
    pub user_as_is: bool,
    /// The only digest algorithm that is answered; `None` for the strongest that is offered.
    pub algorithm: Option<Algorithm>,
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
            user_as_is: false,
            algorithm: None,
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
    /// With what the last registration was let in.
    pub spent: Vec<SpentLogin>,
    /// To of the last answer.
    pub to: Option<String>,
    /// [`MARKER`], where a line of an answer began with it.
    pub echoed: Vec<String>,
    /// A request behind it was answered, the REGISTER was not.
    pub dropped: bool,
    /// When the request behind it was answered.
    options_answered_at: Option<Instant>,
    /// `Server`.
    pub server_header: Option<Untrusted>,
    /// `Retry-After` of the last answer that has one.
    pub retry_after: Option<Untrusted>,
    /// Why there is no (further) answer.
    pub failure: Option<Failure>,
}

/// Connects, registers as planned, and closes.
pub async fn register(net: &Net, plan: &RegistrationPlan, key: &RunKey) -> RegistrationSeen {
    let mut seen = RegistrationSeen::default();
    let mut line = match Line::open(net, &plan.config.ws_uri, plan.origin.clone(), plan.signalling()).await {
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
    if plan.user_as_is {
        events.extend(line.input(still_there()).await);
    }
    loop {
        events.into_iter().for_each(|event| seen.take(event, key));
        if seen.failure.is_some() || seen.statuses.len() >= times as usize {
            break;
        }
        let incoming = match seen.options_answered_at {
            Some(at) if plan.user_as_is => match timeout_at(at + LATE, line.wait()).await {
                Ok(incoming) => incoming,
                Err(_) => {
                    seen.dropped = true;
                    break;
                }
            },
            _ => line.wait().await,
        };
        if let Incoming::Message(bytes) = &incoming {
            seen.note_echoes(bytes);
        }
        events = line.take(incoming).await;
    }
    line.close().await;
    seen
}

/// A request behind the REGISTER on the same connection: where it is answered and the REGISTER is not, that was dropped.
fn still_there() -> Input<'static> {
    Input::Request { method: "OPTIONS".into(), headers: Vec::new(), body: None, within: Within::Nothing }
}

impl RegistrationPlan {
    fn signalling(&self) -> SignallingPlan {
        let mut signalling = SignallingPlan::honest(&self.config, self.seed);
        signalling.register_expires = self.expires;
        signalling.transaction = self.answer_within;
        signalling.algorithm = self.algorithm;
        match &self.aor_user {
            Some(user) if self.user_as_is => {
                signalling.register_as = Some(user.clone());
                signalling.target_uri = format!("sip:{}", self.config.realm);
            }
            Some(user) => signalling.aor_user.clone_from(user),
            None => {}
        }
        signalling
    }
}

impl RegistrationSeen {
    fn take(&mut self, event: Event, key: &RunKey) {
        match event {
            Event::FinalAnswer(answer) if answer.method == "REGISTER" => self.answer(&answer, key),
            Event::FinalAnswer(answer) if answer.method == "OPTIONS" => self.options_answered_at = Some(Instant::now()),
            Event::LoggedIn(spent) => self.spent = spent,
            Event::Registered { status, contact_ok, expires_s } => {
                self.contact_ok = contact_ok;
                self.expires_s = expires_s;
                self.finish(status);
            }
            Event::RegisterFinal { status, .. } => self.finish(status),
            // Nobody has to answer OPTIONS.
            Event::Failed(failure) if !self.statuses.is_empty() => drop(failure),
            Event::Failed(failure) => self.failure = Some(failure),
            _ => {}
        }
    }

    fn finish(&mut self, status: u16) {
        self.statuses.push(status);
        self.status = Some(status);
    }

    fn answer(&mut self, answer: &FinalAnswer, key: &RunKey) {
        self.answers.push(answer.status);
        self.reason = Some(answer.reason.clone());
        self.server_header = answer.server.clone().or(self.server_header.take());
        self.retry_after = answer.retry_after.clone().or(self.retry_after.take());
        self.to = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("To")).map(|(_, to)| to.clone());
        if !answer.schemes.is_empty() && self.challenge.schemes.is_empty() {
            self.challenge = ChallengeSeen::of(answer, key);
        }
    }

    /// Looks for header fields of ours in what came, also in what no parser takes for a message.
    fn note_echoes(&mut self, frame: &[u8]) {
        for line in frame.split(|byte| matches!(byte, b'\r' | b'\n')).skip(1) {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii();
            if name.eq_ignore_ascii_case(MARKER.as_bytes()) && line.len() > name.len() && self.echoed.is_empty() {
                self.echoed.push(MARKER.to_owned());
            }
        }
    }
}
