//! One whole call: signalling and media in one task, which keeps it alive while nobody looks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ringfence_model::observation::CallSeen;
use ringfence_model::{RunKey, Untrusted};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::live::{Command, Task};
use crate::adapters::CallConfig;
use crate::hello::{Told, Traffic};
use crate::media::{
    Attack, AttackSeen, Check, CheckKit, ChecksSeen, HelloAsk, MediaPlan, Rekey, RekeySeen, StrangersSeen,
};
use crate::signalling::SignallingPlan;
use crate::{Failure, Net};

/// Stages that nobody has taken yet; beyond that they are lost.
const MAX_STAGES: usize = 64;
/// How long [`LiveCall::hang_up`] waits: a little more than the steps of a hang-up may take one after the other.
const HANG_UP: Duration = Duration::from_millis(4800);
/// Commands on their way.
const MAX_COMMANDS: usize = 4;

/// How to call.
#[derive(Clone, Debug)]
pub struct CallPlan {
    /// Where, as whom, and whom to call.
    pub config: CallConfig,
    /// Whom to call, instead of the configuration's target. The dialling rule holds for either.
    pub target_uri: Option<String>,
    /// What the media say and do.
    pub media: MediaPlan,
    /// Registers first.
    pub register: bool,
    /// How long [`LiveCall::run`] lets audio flow.
    pub media_for: Duration,
    /// `Origin` of the WebSocket.
    pub origin: Option<String>,
    /// Header fields of the INVITE after those of the configuration.
    pub headers: Vec<(String, String)>,
    /// How long the call may ring.
    pub answer_within: Duration,
    /// How long each SIP request may wait for its answer.
    pub transaction: Duration,
    /// From the answer: how long ICE and DTLS may take.
    pub media_within: Duration,
    /// `Session-Expires` in seconds, instead of what the adapter's client asks for; 0 asks for nothing.
    pub session_expires: Option<u32>,
    /// Refreshes the session when it is our turn.
    pub session_refresh: bool,
    /// Seed of tags, branches and client nonces.
    pub seed: u64,
}

impl CallPlan {
    /// As an honest client calls.
    pub fn honest(config: CallConfig, media: MediaPlan, seed: u64) -> Self {
        Self {
            register: config.register,
            config,
            target_uri: None,
            media,
            media_for: Duration::from_secs(2),
            origin: None,
            headers: Vec::new(),
            answer_within: Duration::from_secs(30),
            transaction: Duration::from_secs(10),
            media_within: Duration::from_secs(10),
            session_expires: None,
            session_refresh: true,
            seed,
        }
    }

    pub(super) fn signalling(&self) -> SignallingPlan {
        let mut plan = SignallingPlan::honest(&self.config, self.seed);
        plan.target_uri = self.target().to_owned();
        plan.answer_within = self.answer_within;
        plan.transaction = self.transaction;
        plan.session_refresh = self.session_refresh;
        if let Some(seconds) = self.session_expires {
            plan.session_expires = (seconds > 0).then_some(seconds);
        }
        plan
    }

    pub(super) fn target(&self) -> &str {
        self.target_uri.as_deref().unwrap_or(&self.config.target_uri)
    }
}

/// How far a call is: what `ringfence call` prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The WebSocket is open.
    Connected {
        /// `1.2` or `1.3`; `None` for `ws:`.
        tls_version: Option<String>,
        /// What the target chose.
        subprotocol: Option<Untrusted>,
    },
    /// Registered.
    Registered {
        /// Status code.
        status: u16,
        /// Seconds that were granted.
        expires_s: Option<u32>,
    },
    /// Gathering is done, INVITE goes out.
    Inviting,
    /// A provisional answer.
    Progress {
        /// Status code.
        status: u16,
    },
    /// Answered.
    Answered {
        /// Status code.
        status: u16,
    },
    /// Refused.
    Refused {
        /// Status code.
        status: u16,
        /// Reason phrase.
        reason: Untrusted,
    },
    /// ICE has a pair.
    IceConnected,
    /// DTLS is complete.
    DtlsCompleted,
    /// The first packet authenticated.
    MediaAuthenticated,
    /// The first marker came back.
    Echoed,
    /// The target sent a DTLS alert: its TLS name.
    Alert(Untrusted),
    /// A stage of the media failed: `stage: reason`.
    MediaFailed(Untrusted),
    /// The call is over.
    Ended {
        /// By whom, where it ever began.
        by: Option<EndedBy>,
    },
    /// It could not be placed, or broke.
    Failed(Failure),
}

/// Who ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// We did.
    Us,
    /// The target did: BYE, `close_notify`, or a closed signalling connection.
    Target,
}

impl EndedBy {
    /// The written word.
    pub const fn word(self) -> &'static str {
        match self {
            EndedBy::Us => "us",
            EndedBy::Target => "target",
        }
    }
}

/// Everything that was seen of a call.
#[derive(Clone, Debug, Default)]
pub struct CallObservation {
    /// Status of the WebSocket upgrade, where there was an answer.
    pub upgrade_status: Option<u16>,
    /// Final status of REGISTER, where one was sent.
    pub register_status: Option<u16>,
    /// Final status of INVITE; of REGISTER, or of the upgrade where that is no 101, if the call never got to INVITE.
    pub status: Option<u16>,
    /// Reason phrase of that status.
    pub reason: Option<Untrusted>,
    /// Provisional statuses, in order.
    pub provisional: Vec<u16>,
    /// INVITE was answered 2xx.
    pub answered: bool,
    /// Header fields of that answer.
    pub headers: Vec<(String, String)>,
    /// Seconds of the session timer in that answer.
    pub session_expires_s: Option<u32>,
    /// SDP, ICE, DTLS, SRTP, RTP and RTCP.
    pub media: CallSeen,
    /// Status in the last NOTIFY about a REFER.
    pub notify_status: Option<u16>,
    /// Bodies of INFO requests, `content type` and text, sixteen at most.
    pub infos: Vec<(Untrusted, Untrusted)>,
    /// Checks by hand, and those of the target.
    pub checks: ChecksSeen,
    /// What a stranger's hellos drew.
    pub strangers: StrangersSeen,
    /// Who ended an answered call.
    pub ended_by: Option<EndedBy>,
    /// Milliseconds to that end: from the end of the DTLS handshake, or from the answer where there was none.
    pub ended_after_ms: Option<i64>,
    /// `Reason` of the target's BYE.
    pub bye_reason: Option<Untrusted>,
    /// Seconds from the answer to the end, or until now.
    pub seconds: f64,
    /// Candidates and datagrams that the scope forbade.
    pub out_of_scope: u64,
    /// STUN and TURN servers that could not be used, sixteen at most.
    pub servers_left_out: Vec<Failure>,
    /// The last media stage that failed.
    pub media_failure: Option<Untrusted>,
    /// Why the call could not be placed, or broke.
    pub failure: Option<Failure>,
    /// Our own fault, which is no verdict on the target.
    pub own_fault: Option<String>,
}

/// Places a call, and returns when its media are established or have failed, or when it is refused. `progress` hears of
/// each stage until then; [`LiveCall::stages`] tells the later ones. Dropping the future ends the call, or keeps it from being
/// placed.
pub async fn place(net: &Net, plan: CallPlan, key: &RunKey, progress: impl Fn(Stage)) -> LiveCall {
    let shared = Arc::new(Mutex::new(CallObservation::default()));
    let (commands, inbox) = mpsc::channel(MAX_COMMANDS);
    let (reports, mut stages) = mpsc::channel(MAX_STAGES);
    let (settle, settled) = oneshot::channel();
    let (media_for, config) = (plan.media_for, Arc::new(plan.config.clone()));
    let task = Task::new(net.clone(), plan, key.clone(), shared.clone(), reports, settle);
    tokio::spawn(task.run(inbox));
    tokio::pin!(settled);
    loop {
        tokio::select! {
            biased;
            Some(stage) = stages.recv() => progress(stage),
            _ = &mut settled => break,
        }
    }
    while let Ok(stage) = stages.try_recv() {
        progress(stage);
    }
    LiveCall { shared, commands, stages, media_for, config }
}

/// A call that was placed; it lives in its own task, and ends when this is dropped.
pub struct LiveCall {
    shared: Arc<Mutex<CallObservation>>,
    commands: mpsc::Sender<Command>,
    stages: mpsc::Receiver<Stage>,
    media_for: Duration,
    config: Arc<CallConfig>,
}

impl LiveCall {
    /// What was seen until the last event, or until the last of the calls below returned.
    pub fn seen(&self) -> CallObservation {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the call is answered and has not ended.
    pub fn is_live(&self) -> bool {
        let seen = self.seen();
        seen.answered && seen.ended_by.is_none() && !self.commands.is_closed()
    }

    /// Stages since the last time.
    pub fn stages(&mut self) -> Vec<Stage> {
        std::iter::from_fn(|| self.stages.try_recv().ok()).collect()
    }

    /// Lets audio flow for as long as the plan says, or until the target ends the call.
    pub async fn run(&mut self) {
        self.run_for(self.media_for).await;
    }

    /// Lets audio flow for this long, or until the target ends the call.
    pub async fn run_for(&mut self, time: Duration) {
        self.command(|reply| Command::Run { time, echoes: None, reply }).await;
    }

    /// Lets audio flow until that many markers came back, for `max` at most, or until the target ends the call. Whether they
    /// did come back.
    pub async fn run_until_echoes(&mut self, echoes: i64, max: Duration) -> bool {
        self.command(|reply| Command::Run { time: max, echoes: Some(echoes), reply }).await;
        self.seen().media.media.echoed >= echoes
    }

    /// Attacks the call and waits for what comes of it.
    ///
    /// # Errors
    /// The call is over, or ends before the attack does.
    pub async fn attack(&mut self, attack: Attack) -> Result<AttackSeen, Failure> {
        let result = self.command(|reply| Command::Attack { attack, reply }).await;
        result.unwrap_or_else(|| Err(Failure::closed("the call is over")))
    }

    /// Changes keys, and waits for what comes of it.
    ///
    /// # Errors
    /// The call is over, or ends before that.
    pub async fn rekey(&mut self, rekey: Rekey) -> Result<RekeySeen, Failure> {
        let result = self.command(|reply| Command::Rekey { rekey, reply }).await;
        result.unwrap_or_else(|| Err(Failure::closed("the call is over")))
    }

    /// What a connectivity check takes; `None` without a pair, or where the call is over.
    pub async fn check_kit(&mut self) -> Option<CheckKit> {
        self.command(|reply| Command::CheckKit { reply }).await.flatten()
    }

    /// Sends a connectivity check beside those of the call's own agent.
    pub async fn check(&mut self, check: Check) {
        self.command(|reply| Command::Check { check, reply }).await;
    }

    /// Neither sends checks nor answers them any more, and goes on otherwise.
    pub async fn stop_consent(&mut self) {
        self.command(|reply| Command::StopConsent { reply }).await;
    }

    /// Puts a hello to the media port and waits for what comes of it; in a call whose plan has
    /// [`MediaPlan::hellos`]. A call that ends meanwhile is closed without a word.
    pub async fn ask(&mut self, ask: HelloAsk) -> (Traffic, Told) {
        let answer = self.command(|reply| Command::Hello { ask, reply }).await;
        answer.unwrap_or((Traffic::default(), Told::Broken("the call is over".into())))
    }

    /// Asks for fresh figures in [`LiveCall::seen`].
    pub async fn refresh(&mut self) {
        self.command(|reply| Command::Refresh { reply }).await;
    }

    /// With what it was placed.
    pub fn config(&self) -> Arc<CallConfig> {
        self.config.clone()
    }

    /// Hangs up and waits for the end: five seconds at most, whatever the target does.
    pub async fn hang_up(self) -> CallObservation {
        let ending = async {
            self.command(|reply| Command::HangUp { reply }).await;
            self.commands.closed().await;
        };
        let ended = timeout(HANG_UP, ending).await.is_ok();
        let mut seen = self.seen();
        if !ended && seen.answered {
            // Its task still writes to a target that does not read, and ends when that fails.
            seen.ended_by.get_or_insert(EndedBy::Us);
        }
        seen
    }

    /// Sends a command and waits for its reply; `None` where the call is over.
    pub(super) async fn command<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.ok()?;
        answer.await.ok()
    }
}
