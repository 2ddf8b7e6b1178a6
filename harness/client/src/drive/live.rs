//! The task of a call: what comes from its two sides, its clock and its owner, one at a time.

mod events;
mod jobs;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ringfence_model::observation::Outcome;
use ringfence_model::{RunKey, Untrusted};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep_until, timeout};
use url::Url;

use super::call::{CallObservation, CallPlan, EndedBy, Stage};
use super::in_call::InCall;
use super::line::{Incoming, Line};
use super::servers;
use super::udp::{MediaCall, MediaOptions, source_for};
use crate::adapters::dialling::Dial;
use crate::hello::{Told, Traffic};
use crate::media::{Attack, AttackSeen, Check, CheckKit, Event as MediaEvent, HelloAsk, Rekey, RekeySeen};
use crate::signalling::{FinalAnswer, Input, LoginBend};
use crate::{Failure, Net};

/// How long gathering may take.
const GATHERING: Duration = Duration::from_secs(15);
/// How long a hang-up waits for its answer. With what follows it, a call ends within five seconds whatever the target does.
const GOODBYE: Duration = Duration::from_secs(2);
/// How long a foreign number is called before we hang up: with the hang-up, a dial of one ends within five seconds.
const FOREIGN_CALL: Duration = Duration::from_secs(3);
/// How long the media's own task may take to end (house): it waits for nobody.
const LAST_WORD: Duration = Duration::from_millis(500);
/// Provisional statuses, INFO bodies and servers that are kept.
const MAX_KEPT: usize = 16;

/// What the owner of a call wants.
pub(super) enum Command {
    Run { time: Duration, echoes: Option<i64>, reply: oneshot::Sender<()> },
    Attack { attack: Attack, reply: oneshot::Sender<Result<AttackSeen, Failure>> },
    Request { ask: InCall, reply: oneshot::Sender<Result<FinalAnswer, Failure>> },
    Rekey { rekey: Rekey, reply: oneshot::Sender<Result<RekeySeen, Failure>> },
    CheckKit { reply: oneshot::Sender<Option<CheckKit>> },
    Check { check: Check, reply: oneshot::Sender<()> },
    Hello { ask: HelloAsk, reply: oneshot::Sender<(Traffic, Told)> },
    StopConsent { reply: oneshot::Sender<()> },
    Refresh { reply: oneshot::Sender<()> },
    HangUp { reply: oneshot::Sender<()> },
}

/// A description of the target, on its way to the media.
enum ForMedia {
    /// It answers our offer.
    Answer(String),
    /// It is an offer, or asks for ours.
    Offer(Option<String>),
    /// It answers our offer in mid-call, with this status; without one no answer came.
    Reanswer(Option<u16>, Option<String>),
}

/// What the owner waits for.
enum Job {
    Run { until: Instant, echoes: Option<i64>, reply: oneshot::Sender<()> },
    Attack { until: Instant, reply: oneshot::Sender<Result<AttackSeen, Failure>> },
    Rekey { until: Instant, reply: oneshot::Sender<Result<RekeySeen, Failure>> },
    Hello { until: Instant, reply: oneshot::Sender<(Traffic, Told)> },
    Request { until: Instant, last: Option<FinalAnswer>, reply: oneshot::Sender<Result<FinalAnswer, Failure>> },
    HangUp { until: Instant, reply: Option<oneshot::Sender<()>> },
}

pub(super) struct Task {
    net: Net,
    plan: CallPlan,
    key: RunKey,
    shared: Arc<Mutex<CallObservation>>,
    stages: mpsc::Sender<Stage>,
    settle: Option<oneshot::Sender<()>>,
    seen: CallObservation,
    answered_at: Option<Instant>,
    secured_at: Option<Instant>,
    /// The media are there, maybe before the call is answered.
    established: bool,
    /// Nothing more will come of this call.
    over: bool,
    job: Option<Job>,
    /// A foreign number is called.
    foreign: bool,
    /// When a call of a foreign number is hung up, whatever its owner wants.
    foreign_until: Option<Instant>,
}

impl Task {
    pub fn new(
        net: Net,
        plan: CallPlan,
        key: RunKey,
        shared: Arc<Mutex<CallObservation>>,
        stages: mpsc::Sender<Stage>,
        settle: oneshot::Sender<()>,
    ) -> Self {
        Self {
            net,
            plan,
            key,
            shared,
            stages,
            settle: Some(settle),
            seen: CallObservation::default(),
            answered_at: None,
            secured_at: None,
            established: false,
            over: false,
            job: None,
            foreign: false,
            foreign_until: None,
        }
    }

    /// The whole call. Nothing is sent for a target that the dialling rule denies.
    pub async fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        match self.net.may_dial(self.plan.target(), &self.plan.config.realm) {
            Err(failure) => self.fail(failure),
            Ok(dial) => {
                self.foreign = dial == Dial::Foreign;
                self.dialled(&mut inbox).await;
            }
        }
        let by = self.seen.ended_by;
        self.tell(Stage::Ended { by });
        self.publish();
    }

    /// What follows where the rule lets it.
    async fn dialled(&mut self, inbox: &mut mpsc::Receiver<Command>) {
        if let Some(mut line) = self.connect(inbox).await {
            if let Some(mut media) = self.prepare(&mut line, inbox).await {
                self.converse(&mut line, &mut media, inbox).await;
                media.close().await;
                // Its last word, after which the figures no longer change.
                let _ = timeout(LAST_WORD, async { while media.event().await.is_some() {} }).await;
                self.look(&media);
            }
            line.close().await;
        }
    }

    /// The connection, registered where that is asked for; none where that fails, or the owner is gone.
    async fn connect(&mut self, inbox: &mut mpsc::Receiver<Command>) -> Option<Line> {
        let plan = self.plan.signalling();
        let opened = tokio::select! {
            opened = Line::open(&self.net, &self.plan.config.ws_uri, self.plan.origin.clone(), plan) => opened,
            () = abandoned(inbox) => return None,
        };
        let mut line = match opened {
            Ok((line, opened)) => {
                self.seen.upgrade_status = opened.status;
                let subprotocol = opened.subprotocol.map(Untrusted::new);
                self.tell(Stage::Connected { tls_version: opened.tls_version, subprotocol });
                line
            }
            Err(refused) => {
                self.seen.upgrade_status = refused.status;
                self.seen.status = refused.status.filter(|status| *status != 101);
                self.fail(refused.failure);
                return None;
            }
        };
        if self.plan.register {
            let mut events = line.input(Input::Register { login: LoginBend::Own, times: 1 }).await;
            let mut wanted = true;
            while wanted && !self.registered(events) {
                events = Vec::new();
                tokio::select! {
                    incoming = line.wait() => events = line.take(incoming).await,
                    () = abandoned(inbox) => wanted = false,
                }
            }
            if !wanted || !self.seen.register_status.is_some_and(|status| (200..300).contains(&status)) {
                line.close().await;
                return None;
            }
        }
        Some(line)
    }

    /// Media sockets, candidates, and the INVITE with their offer, unless the owner is gone by then.
    async fn prepare(&mut self, line: &mut Line, inbox: &mut mpsc::Receiver<Command>) -> Option<MediaCall> {
        let mut media = tokio::select! {
            media = self.open_media() => media?,
            () = abandoned(inbox) => return None,
        };
        let until = Instant::now() + GATHERING;
        let sdp = loop {
            tokio::select! {
                event = media.event() => match event {
                    Some(MediaEvent::Offer(sdp)) => break Some(sdp),
                    Some(MediaEvent::Failed(why)) => {
                        // Without a candidate there is no offer: a server of the target's gave none.
                        self.note_servers(&media);
                        self.fail(Failure::new(Outcome::Unreachable, &why));
                        self.on_media(MediaEvent::Failed(why));
                        return None;
                    }
                    Some(event) => self.on_media(event),
                    None => break None,
                },
                incoming = line.wait() => {
                    let events = line.take(incoming).await;
                    events.into_iter().for_each(|event| { self.on_signalling(event); });
                    if line.is_broken() {
                        self.on_lost_line();
                        return None;
                    }
                }
                () = abandoned(inbox) => return None,
                () = sleep_until(until.into()) => break None,
            }
        };
        let Some(sdp) = sdp else {
            self.seen.own_fault = Some("gathering candidates gave no offer".into());
            return None;
        };
        if inbox.is_closed() {
            return None; // whoever is gone does not want anybody's telephone to ring
        }
        self.tell(Stage::Inviting);
        self.net.note_call(false);
        self.foreign_until = self.foreign.then(|| Instant::now() + FOREIGN_CALL);
        let headers = std::mem::take(&mut self.plan.headers);
        for event in line.input(Input::Invite { sdp, headers }).await {
            self.on_signalling(event);
        }
        Some(media)
    }

    /// The media of the call, which begin to gather.
    async fn open_media(&mut self) -> Option<MediaCall> {
        let servers = servers::resolve(&self.net, &self.plan.config).await;
        self.seen.servers_left_out = servers.left_out.into_iter().take(MAX_KEPT).collect();
        let source = match self.source().await {
            Ok(source) => source,
            Err(failure) => {
                self.fail(failure);
                return None;
            }
        };
        let net = self.net.clone();
        let asked = servers.stun.iter().chain(servers.turn.iter().map(|server| &server.address));
        let sources = sources(source, asked.copied()).await;
        let options = MediaOptions {
            plan: self.plan.media.clone(),
            sources,
            turn: servers.turn,
            stun: servers.stun,
            key: self.key.clone(),
            allow: Arc::new(move |address| net.allows_media(address)),
        };
        match MediaCall::open_through(&self.net, options).await {
            Ok(media) => Some(media),
            Err(error) => {
                self.seen.own_fault = Some(error.to_string());
                None
            }
        }
    }

    /// Where media are sent from: the address that signalling goes out from.
    async fn source(&self) -> Result<IpAddr, Failure> {
        let url = Url::parse(&self.plan.config.ws_uri).map_err(|error| Failure::protocol(error.to_string()))?;
        let port = url.port_or_known_default().unwrap_or_default();
        let remote: SocketAddr = self.net.resolve(url.host_str().unwrap_or_default(), port).await?;
        match self.net.source_for(remote.ip()) {
            Some(source) => Ok(source),
            None => source_for(remote).await.map_err(|error| Failure::from_io("no route for media", &error)),
        }
    }

    /// From INVITE to the end.
    async fn converse(&mut self, line: &mut Line, media: &mut MediaCall, inbox: &mut mpsc::Receiver<Command>) {
        let mut owned = true;
        while !self.over {
            if self.foreign_until.take_if(|until| Instant::now() >= *until).is_some() && owned {
                self.finish_job();
                self.hang_up(line, media, None).await;
                owned = false;
            }
            let next = self.next_look();
            tokio::select! {
                incoming = line.wait() => {
                    if let Incoming::Message(_) = incoming {
                        self.net.note_answer();
                    }
                    for event in line.take(incoming).await {
                        match self.on_signalling(event) {
                            Some(ForMedia::Answer(sdp)) => media.answer(sdp).await,
                            Some(ForMedia::Offer(sdp)) => media.offer(sdp).await,
                            Some(ForMedia::Reanswer(status, sdp)) => media.reanswer(status, sdp).await,
                            None => {}
                        }
                    }
                    media.audio(self.talks()).await;
                    if line.is_broken() {
                        self.on_lost_line();
                    }
                }
                event = media.event() => match event {
                    Some(MediaEvent::AttackDone(seen)) => self.on_attack_done(seen),
                    Some(MediaEvent::RekeyDone(seen)) => self.on_rekey_done(seen),
                    Some(MediaEvent::HelloAnswered) => self.on_hello_answered(media),
                    Some(MediaEvent::Reoffer(sdp)) => {
                        for event in line.input(Input::Change { sdp }).await {
                            if let Some(ForMedia::Reanswer(status, sdp)) = self.on_signalling(event) {
                                media.reanswer(status, sdp).await;
                            }
                        }
                    }
                    Some(MediaEvent::Description(sdp)) => {
                        for event in line.input(Input::Answer { sdp }).await {
                            self.on_signalling(event);
                        }
                    }
                    Some(event) => {
                        self.on_media(event);
                        self.look(media);
                    }
                    None => {
                        self.seen.own_fault.get_or_insert_with(|| "the media task ended by itself".into());
                        self.over = true;
                    }
                },
                command = inbox.recv(), if owned => {
                    // There is one owner: who asks again no longer waits for what was asked before.
                    self.finish_job();
                    match command {
                        Some(Command::HangUp { reply }) => self.hang_up(line, media, Some(reply)).await,
                        Some(Command::Request { ask, reply }) => self.request(line, ask, reply).await,
                        Some(command) => self.begin(command, media).await,
                        None => self.hang_up(line, media, None).await, // nobody is left who could
                    }
                    owned = !matches!(self.job, Some(Job::HangUp { .. }));
                }
                () = sleep_until(next.into()) => self.look(media),
            }
            self.check(media);
        }
        self.look(media);
        self.finish_job();
    }

    /// Takes the figures of the media over.
    fn look(&mut self, media: &MediaCall) {
        let mut fresh = media.seen();
        if self.seen.ended_by == Some(EndedBy::Us) {
            // A close_notify that answers our hang-up is no alert.
            fresh.dtls.alert = self.seen.media.dtls.alert.take();
            fresh.dtls.alert_after_ms = self.seen.media.dtls.alert_after_ms;
        }
        self.seen.media = fresh;
        self.seen.checks = media.checks_seen();
        self.seen.strangers = media.strangers_seen();
        self.seen.out_of_scope = media.refused();
        media.senders().into_iter().for_each(|sender| self.net.note_media_node(sender));
        self.note_servers(media);
        self.note_scope();
        self.publish();
    }

    /// Media that could go nowhere because everything that the answer names lies outside the scope end the call's question there.
    fn note_scope(&mut self) {
        let media = &self.seen.media;
        let waited = self.seen.answered && self.settle.is_none() && self.seen.failure.is_none();
        if !waited || media.ice.connected || media.datagrams_received > 0 || media.sdp.addresses.is_empty() {
            return;
        }
        let in_scope = |text: &Untrusted| {
            // What is no address is a name, which nobody resolves for media.
            text.raw().parse().is_ok_and(|address| self.net.allows(SocketAddr::new(address, 9)))
        };
        if !media.sdp.addresses.iter().any(in_scope) {
            let named: Vec<&str> = media.sdp.addresses.iter().map(Untrusted::raw).take(MAX_KEPT).collect();
            let why = format!("every address of the answer is out of scope: {}", named.join(", "));
            self.fail(Failure::new(Outcome::OutOfScope, why));
        }
    }

    fn note_servers(&mut self, media: &MediaCall) {
        for failure in media.servers_lost() {
            if self.seen.servers_left_out.len() < MAX_KEPT && !self.seen.servers_left_out.contains(&failure) {
                self.seen.servers_left_out.push(failure);
            }
        }
    }

    /// The first to end a call has ended it.
    fn end(&mut self, by: EndedBy) {
        if !self.seen.answered || self.seen.ended_by.is_some() {
            return;
        }
        self.seen.ended_by = Some(by);
        let since = self.secured_at.max(self.answered_at).map(|at| at.elapsed().as_millis());
        self.seen.ended_after_ms = since.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
        self.publish();
    }

    fn fail(&mut self, failure: Failure) {
        self.tell(Stage::Failed(failure.clone()));
        self.seen.failure.get_or_insert(failure);
        self.publish();
    }

    fn publish(&mut self) {
        if self.seen.ended_by.is_none() || self.seen.seconds == 0.0 {
            self.seen.seconds = self.answered_at.map_or(0.0, |at| at.elapsed().as_secs_f64());
        }
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&self.seen);
    }

    /// Whether we speak: nothing before the answer, nothing after the end.
    fn talks(&self) -> bool {
        self.seen.answered && self.seen.ended_by.is_none()
    }

    fn settle(&mut self) {
        if let Some(settle) = self.settle.take() {
            self.publish();
            let _ = settle.send(()); // the owner may be gone; its command channel tells
        }
    }

    fn tell(&self, stage: Stage) {
        let _ = self.stages.try_send(stage); // a report that nobody reads is lost, the call goes on
    }
}

/// Our address, and one of the other family where a server has no other.
async fn sources(own: IpAddr, servers: impl Iterator<Item = SocketAddr>) -> Vec<IpAddr> {
    let mut sources = vec![own];
    let other: Option<SocketAddr> = servers.into_iter().find(|server| server.is_ipv4() != own.is_ipv4());
    if let Some(other) = other {
        sources.extend(source_for(other).await.ok());
    }
    sources
}

/// Returns when nobody is left who wants the call. Until it is placed there is nothing that could be asked of it.
async fn abandoned(inbox: &mut mpsc::Receiver<Command>) {
    while inbox.recv().await.is_some() {}
}
