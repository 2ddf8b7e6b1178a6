//! One SIP request on a connection of its own: outside of any dialog, or with the marks of one that lives elsewhere.
//!
//! An INVITE that makes a phone ring is cancelled at once, one that is answered is acknowledged and ended.

use std::time::Duration;

use ringfence_model::RunKey;
use tokio::time::{Instant, timeout_at};

use super::challenge::ChallengeSeen;
use super::line::Line;
use crate::adapters::CallConfig;
use crate::adapters::dialling::Dial;
use crate::signalling::{Event, FinalAnswer, Input, LoginBend, SignallingPlan, Within};
use crate::{Failure, Net};

/// How long a foreign number may take to ring: with the cancellation, a dial of one ends within five seconds.
const FOREIGN_RING: Duration = Duration::from_secs(3);
/// How long the end of an INVITE that got somewhere may take (house).
const ENDING: Duration = Duration::from_secs(4);

/// What to ask.
#[derive(Clone, Debug)]
pub struct RequestPlan {
    /// Where, and as whom.
    pub config: CallConfig,
    /// Any token.
    pub method: String,
    /// Request-URI outside of a dialog. The dialling rule holds for it, and for what a REFER refers to.
    pub target_uri: String,
    /// With whose credentials a challenge is answered.
    pub login: RequestLogin,
    /// Registers first, with the configuration's own credentials.
    pub register: bool,
    /// Header fields; From, To and Route take the place of ours.
    pub headers: Vec<(String, String)>,
    /// Content type and body; an INVITE outside of a dialog has an offer.
    pub body: Option<(String, Vec<u8>)>,
    /// Which dialog it claims to belong to.
    pub within: Within,
    /// `Origin` of the WebSocket.
    pub origin: Option<String>,
    /// Seed of tags, branches and client nonces.
    pub seed: u64,
    /// How long the request may wait for its final answer.
    pub answer_within: Duration,
    /// How long an INVITE may wait for its first sign of ringing; towards a foreign number three seconds at most.
    pub ring_within: Duration,
}

/// With whose credentials a challenge is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestLogin {
    /// The configuration's.
    Own,
    /// None is answered.
    None,
    /// The configuration's user name with a password that nobody was given.
    Wrong,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct RequestSeen {
    /// Status of the WebSocket upgrade, where there was an answer.
    pub upgrade_status: Option<u16>,
    /// Status of the registration before it.
    pub register_status: Option<u16>,
    /// The last final answer.
    pub answer: Option<FinalAnswer>,
    /// The first challenge.
    pub challenge: ChallengeSeen,
    /// The request got somewhere: an answer of 180 to 299.
    pub progressed: bool,
    /// Why there is no (further) answer.
    pub failure: Option<Failure>,
}

/// Connects, asks, ends what came of it, and closes.
pub async fn request(net: &Net, plan: &RequestPlan, key: &RunKey) -> RequestSeen {
    let mut seen = RequestSeen::default();
    let mut signalling = plan.signalling();
    match may_dial(net, plan) {
        Ok(Dial::Own) => {}
        Ok(Dial::Foreign) => signalling.answer_within = signalling.answer_within.min(FOREIGN_RING),
        Err(failure) => {
            seen.failure = Some(failure);
            return seen;
        }
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
    if !plan.register || seen.register(&mut line).await {
        if plan.calls() {
            net.note_call(false);
        }
        seen.ask(&mut line, plan, key).await;
        if seen.progressed {
            net.note_call(true);
        }
    }
    line.close().await;
    seen
}

/// The dialling rule, for whatever of the request a switch may dial.
pub(super) fn may_dial(net: &Net, plan: &RequestPlan) -> Result<Dial, Failure> {
    let fields = ["Refer-To", "To", "Route"];
    let named = plan.headers.iter().filter(|(name, _)| fields.iter().any(|field| field.eq_ignore_ascii_case(name)));
    let mut dial = Dial::Own;
    let realm = &plan.config.realm;
    // Within a dialog the far side's own Contact is named, which nobody dials anew.
    let target = Some(plan.target_uri.as_str()).filter(|_| matches!(plan.within, Within::Nothing));
    let others = named.map(|(_, value)| ringfence_wire::sip::uri(value).unwrap_or(value));
    for text in target.into_iter().chain(others) {
        if net.may_dial(text, realm)? == Dial::Foreign {
            dial = Dial::Foreign;
        }
    }
    Ok(dial)
}

impl RequestPlan {
    /// Whether it may make a phone ring.
    fn calls(&self) -> bool {
        self.method == "INVITE" && matches!(self.within, Within::Nothing)
    }

    fn signalling(&self) -> SignallingPlan {
        let mut plan = SignallingPlan::honest(&self.config, self.seed);
        plan.target_uri.clone_from(&self.target_uri);
        plan.transaction = self.answer_within;
        plan.answer_within = self.ring_within;
        plan.session_expires = None;
        match self.login {
            RequestLogin::Own => {}
            RequestLogin::None => plan.password = None,
            RequestLogin::Wrong => {
                plan.username.get_or_insert_with(|| self.config.aor_user.clone());
                plan.password = Some(format!("ringfence-{:016x}", self.seed).into());
            }
        }
        plan
    }
}

impl RequestSeen {
    /// Whether the registration before it succeeded.
    async fn register(&mut self, line: &mut Line) -> bool {
        let mut events = line.input(Input::Register { login: LoginBend::Own, times: 1 }).await;
        loop {
            for event in events {
                match event {
                    Event::Registered { status, .. } => {
                        self.register_status = Some(status);
                        return true;
                    }
                    Event::RegisterFinal { status, .. } => {
                        self.register_status = Some(status);
                        self.failure = Some(Failure::protocol(format!("the registration before it got {status}")));
                        return false;
                    }
                    Event::Failed(failure) => {
                        self.failure = Some(failure);
                        return false;
                    }
                    _ => {}
                }
            }
            let incoming = line.wait().await;
            events = line.take(incoming).await;
        }
    }

    /// What one answer says, whoever received it.
    pub fn answered(answer: FinalAnswer, key: &RunKey) -> Self {
        let mut seen = Self::default();
        seen.take(answer, key);
        seen
    }

    async fn ask(&mut self, line: &mut Line, plan: &RequestPlan, key: &RunKey) {
        let input = if plan.calls() {
            let sdp = plan.body.as_ref().map(|(_, body)| String::from_utf8_lossy(body).into_owned());
            Input::Invite { sdp: sdp.unwrap_or_default(), headers: plan.headers.clone() }
        } else {
            let (method, headers) = (plan.method.clone(), plan.headers.clone());
            Input::Request { method, headers, body: plan.body.clone(), within: plan.within.clone() }
        };
        let mut events = line.input(input).await;
        let mut ends_at = None;
        loop {
            let mut hangs_up = None;
            for event in events {
                match event {
                    Event::FinalAnswer(answer) if answer.method == plan.method => self.take(answer, key),
                    Event::Provisional { status } if status >= 180 => {
                        self.progressed = true;
                        hangs_up = hangs_up.or(Some(Input::Cancel));
                    }
                    Event::Answered { .. } => {
                        self.progressed = true;
                        hangs_up = Some(Input::Bye);
                    }
                    Event::Answer { .. } | Event::Refused { .. } | Event::Ended | Event::RemoteBye { .. } => return,
                    Event::Failed(failure) => {
                        // What got somewhere has been answered, however its end went.
                        if self.answer.is_none() {
                            self.failure = Some(failure);
                        }
                        return;
                    }
                    _ => {}
                }
            }
            if let Some(input) = hangs_up {
                ends_at.get_or_insert_with(|| Instant::now() + ENDING);
                events = line.input(input).await;
                continue;
            }
            let incoming = match ends_at {
                None => line.wait().await,
                Some(at) => match timeout_at(at, line.wait()).await {
                    Ok(incoming) => incoming,
                    Err(_) => return, // nobody has to agree to a hang-up
                },
            };
            events = line.take(incoming).await;
        }
    }

    fn take(&mut self, answer: FinalAnswer, key: &RunKey) {
        if !answer.schemes.is_empty() && self.challenge.schemes.is_empty() {
            self.challenge = ChallengeSeen::of(&answer, key);
        }
        self.progressed |= (200..300).contains(&answer.status) && answer.method == "INVITE";
        self.answer = Some(answer);
    }
}

/// An offer of one audio section as a browser makes it before it has gathered candidates (RFC 8840, section 4.1): the target
/// is asked whether it connects a call, and no media are to follow.
///
/// # Errors
/// The system has no randomness.
pub fn offer(seed: u64) -> Result<String, crate::media::MediaError> {
    let fingerprint = crate::media::Identity::fresh()?.fingerprint();
    let hex: Vec<String> = fingerprint.bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    Ok(format!(
        "v=0\r\no=- {} 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 0 8\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\n\
         a=ice-options:trickle\r\na=ice-ufrag:{:08x}\r\na=ice-pwd:{:016x}{seed:016x}\r\n\
         a=fingerprint:{} {}\r\na=setup:actpass\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n",
        seed >> 1,
        seed as u32,
        !seed,
        fingerprint.hash,
        hex.join(":"),
    ))
}
