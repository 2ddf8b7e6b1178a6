//! One call's media: takes datagrams, texts and time, gives datagrams, events and deadlines.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_model::RunKey;
use ringfence_model::observation::CallSeen;
use rtc_crypto::RTCCryptoProvider;

use super::MediaError;
use super::answer::Answer;
use super::asking::Asking;
use super::attack::{History, Run};
use super::audio::{Markers, Random, Stream};
use super::checks::Checks;
use super::dtls::Dtls;
use super::early::Early;
use super::gather::Gather;
use super::ice::{Ice, Kind, Path};
use super::io::{Allow, Event, Input, Output};
use super::negotiate::Session;
use super::plan::{CandidatePolicy, MediaPlan, Sdes, TurnServer};
use super::rekey;
use super::reuse::Indices;
use super::rtcp::Reception;
use super::seen::{self, Counters};
use super::srtp::{SdesKey, Srtp};
use super::strangers::Strangers;

/// As DTLS server: how long the target may take to begin, once ICE has connected.
pub(super) const CLIENT_HELLO_WAIT: Duration = Duration::from_secs(10);
/// The machine.
pub struct MediaMachine {
    pub(super) plan: MediaPlan,
    pub(super) key: RunKey,
    pub(super) provider: Arc<dyn RTCCryptoProvider>,
    pub(super) allow: Allow,
    pub(super) gather: Gather,
    pub(super) ice: Ice,
    pub(super) dtls: Option<Dtls>,
    pub(super) srtp: Srtp,
    pub(super) sdes: Option<SdesKey>,
    pub(super) session: Session,
    pub(super) answer: Option<Answer>,
    /// The target does not want our audio now. RFC 3264, section 8.4.
    pub(super) held: bool,
    pub(super) stream: Stream,
    pub(super) markers: Markers,
    pub(super) reception: Reception,
    pub(super) early: Early,
    pub(super) strangers: Strangers,
    pub(super) attack: Option<Run>,
    pub(super) rekey: Option<rekey::Run>,
    pub(super) checks: Checks,
    pub(super) asking: Asking,
    pub(super) history: History,
    pub(super) counters: Counters,
    pub(super) indices: Indices,
    pub(super) early_dtls: VecDeque<Vec<u8>>,
    pub(super) early_media: VecDeque<Vec<u8>>,
    pub(super) connected: bool,
    pub(super) hello_until: Option<Instant>,
    pub(super) next_report: Option<Instant>,
    pub(super) out: VecDeque<Output>,
    pub(super) relay_refusal: Option<String>,
    pub(super) random: Random,
    offered: bool,
    closed: bool,
    pub(super) audio: bool,
    pub(super) next_audio: Option<Instant>,
}

impl MediaMachine {
    /// A machine that begins to gather. `locals` are bound sockets with their addresses; `turn` and `stun` are asked as the
    /// plan allows, TURN servers over TCP and TLS once they are connected: see [`MediaMachine::unconnected`]. Secrets in
    /// evidence become digests under `key`.
    ///
    /// # Errors
    /// The plan has no SRTP profile or codec, there is no socket, or a library refuses its configuration.
    pub fn new(
        now: Instant,
        plan: MediaPlan,
        locals: Vec<SocketAddr>,
        turn: Vec<TurnServer>,
        stun: Vec<SocketAddr>,
        key: RunKey,
    ) -> Result<Self, MediaError> {
        let empty = |field| Err(MediaError::Plan(field));
        if plan.srtp_profiles.is_empty() {
            return empty("srtp_profiles is empty"); // `rtc-dtls` would complete without SRTP
        }
        if plan.codecs.is_empty() {
            return empty("codecs is empty");
        }
        if locals.is_empty() {
            return empty("there is no local address");
        }
        let provider = rtc_crypto::default_provider().map_err(MediaError::setup)?;
        let stun = if plan.candidates == CandidatePolicy::All { stun } else { Vec::new() };
        let turn = if plan.candidates == CandidatePolicy::Host { Vec::new() } else { turn };
        let gather = Gather::new(now, &provider, &locals, &stun, turn)?;
        let mut ice = Ice::new(provider.clone())?;
        if plan.candidates != CandidatePolicy::Relay {
            locals.iter().for_each(|local| ice.add_local(Kind::Host, *local, *local));
        }
        let sdes = if plan.sdes == Sdes::None { None } else { Some(SdesKey::random()?) };
        // Calls of one run share a seed and differ in their sockets; what they send must differ too.
        let seed = locals.iter().fold(plan.seed, |seed, local| Random::new(seed ^ u64::from(local.port())).next());
        let mut machine = Self {
            stream: Stream::new(seed, plan.play.clone()),
            random: Random::new(!seed),
            plan,
            key,
            provider,
            allow: Arc::new(|_| true),
            gather,
            ice,
            dtls: None,
            srtp: Srtp::default(),
            sdes,
            session: Session::default(),
            answer: None,
            held: false,
            markers: Markers::default(),
            reception: Reception::new(now),
            early: Early::default(),
            strangers: Strangers::default(),
            attack: None,
            rekey: None,
            checks: Checks::default(),
            asking: Asking::default(),
            history: History::default(),
            counters: Counters::default(),
            indices: Indices::default(),
            early_dtls: VecDeque::new(),
            early_media: VecDeque::new(),
            connected: false,
            hello_until: None,
            next_report: None,
            out: VecDeque::new(),
            relay_refusal: None,
            offered: false,
            closed: false,
            audio: false,
            next_audio: None,
        };
        machine.pump(now);
        Ok(machine)
    }

    /// Limits whom the machine dials; to be set before anything goes in.
    #[must_use]
    pub fn with_scope(mut self, allow: Allow) -> Self {
        self.allow = allow;
        self
    }

    /// TURN servers over TCP and TLS that the machine wants connections to, each with its place among the servers.
    /// [`Input::TurnConnected`] or [`Input::TurnLost`] tells what came of one.
    pub fn unconnected(&self) -> Vec<(usize, TurnServer)> {
        self.gather.unconnected().map(|(place, server)| (place, server.clone())).collect()
    }

    /// Takes something in. [`MediaMachine::poll`] is to be drained afterwards.
    pub fn input(&mut self, now: Instant, input: Input<'_>) {
        if self.closed {
            return;
        }
        match input {
            Input::Datagram { local, remote, bytes } => self.datagram(now, Path { local, remote }, bytes),
            Input::Answer(text) => self.answer(now, text),
            Input::Offer(text) => self.offered(now, text),
            Input::TurnConnected { place, local } => {
                let told = self.gather.connected(now, place, local);
                self.gathered(now, told);
            }
            Input::TurnLost { place, why } => {
                let told = self.gather.lost(place, why);
                self.gathered(now, told);
            }
            Input::Timeout => self.timeout(now),
            Input::SendAudio(on) => self.audio = on,
            Input::Attack { attack, stranger } => self.start_attack(now, attack, stranger),
            Input::Hello(ask) => self.ask(now, ask),
            Input::Check(check) => self.send_check(now, &check),
            Input::StopConsent => self.stop_consent(),
            Input::Rekey(rekey) => self.start_rekey(now, rekey),
            Input::Reanswer { status, sdp } => self.rekey_answered(now, status, sdp),
            Input::Close => self.close(now),
        }
        self.send_early(now);
        self.send_audio(now);
        self.pump(now);
    }

    /// The next thing to do; [`Output::Timeout`] or [`Output::Idle`] when there is nothing more.
    pub fn poll(&mut self) -> Output {
        self.out.pop_front().unwrap_or_else(|| self.next_timeout().map_or(Output::Idle, Output::Timeout))
    }

    /// What the call has seen so far.
    pub fn seen(&self, _now: Instant) -> CallSeen {
        let mut counters = self.counters.clone();
        // Packets that still wait for keys: without keys there is nothing else that they could be judged by.
        for packet in &self.early_media {
            self.judge_plain(packet, &mut counters);
        }
        counters.media.loss = self.reception.loss();
        let answer = self.answer.as_ref();
        let mut ice = seen::ice(answer.and_then(|answer| answer.ice.as_ref()), &self.key);
        ice.connected = self.connected;
        ice.local_type = self.ice.local_type().map(str::to_owned);
        ice.remote_address = self.ice.path().filter(|_| self.connected).map(|path| seen::address(path.remote));
        CallSeen {
            sdp: answer.map(|answer| answer.seen.clone()).unwrap_or_default(),
            ice,
            dtls: self.dtls.as_ref().map(|dtls| dtls.seen(&self.key)).unwrap_or_default(),
            srtp: self.srtp.seen(&self.key),
            media: counters.media,
            rtcp: counters.rtcp,
            datagrams_received: counters.datagrams,
        }
    }

    /// Candidates of the target, and datagrams, that the scope forbade.
    pub fn out_of_scope(&self) -> u64 {
        self.counters.out_of_scope
    }

    fn timeout(&mut self, now: Instant) {
        let told = self.gather.timeout(now);
        self.gathered(now, told);
        if let Some(told) = self.ice.timeout(now) {
            self.ice_told(now, told);
        }
        if let Some(dtls) = &mut self.dtls {
            let told = dtls.timeout(now);
            self.dtls_told(now, told);
        }
        if self.hello_until.is_some_and(|until| now >= until) {
            self.hello_until = None;
            if self.dtls.as_ref().is_some_and(|dtls| !dtls.has_begun()) {
                self.fail("dtls", "the target never began as the DTLS client");
            }
        }
        self.send_report(now);
        self.run_attack(now);
        self.run_rekey(now);
        self.run_checks(now);
        self.run_strangers(now);
        self.run_asking(now);
    }

    fn next_timeout(&mut self) -> Option<Instant> {
        if self.closed {
            return None;
        }
        let next_audio = self.next_audio.filter(|_| self.audio_flows());
        let attack = self.attack.as_ref().map(Run::poll_timeout);
        let dtls = self.dtls.as_ref().and_then(Dtls::poll_timeout);
        let rekey = self.rekey.as_ref().map(rekey::Run::poll_timeout);
        let hello = self.asking.poll_timeout();
        let others = [next_audio, rekey, self.early_due(), attack, dtls, hello, self.next_report, self.hello_until];
        let network = [self.gather.poll_timeout(!self.offered), self.ice.poll_timeout(), self.checks.poll_timeout()];
        others.into_iter().chain(network).chain([self.strangers.poll_timeout()]).flatten().min()
    }

    /// Moves everything that the parts want to send or tell into the output.
    fn pump(&mut self, now: Instant) {
        loop {
            if let Some((path, bytes)) = self.gather.poll_transmit(now) {
                self.transmit(path, bytes);
            } else if let Some((path, bytes)) = self.ice.poll_transmit() {
                if !self.checks.are_muted() {
                    self.route(now, path, &bytes);
                }
            } else if let Some(told) = self.ice.poll_told() {
                self.ice_told(now, told);
            } else if let Some((path, bytes)) = self.dtls_datagram(now) {
                self.route(now, path, &bytes);
            } else if let Some((path, bytes)) = self.rekey_datagram(now) {
                self.route(now, path, &bytes);
            } else {
                break;
            }
        }
        if !self.offered && self.gather.done(now) {
            self.offered = true;
            self.offer();
        }
    }

    fn dtls_datagram(&mut self, now: Instant) -> Option<(Path, Vec<u8>)> {
        let path = self.ice.path()?;
        Some((path, self.dtls.as_mut()?.poll_transmit(now)?))
    }

    fn close(&mut self, now: Instant) {
        if self.srtp.is_keyed() || self.is_in_clear() {
            let goodbye = self.reception.goodbye(now, &self.stream, &self.plan.cname);
            self.send_rtcp(now, goodbye);
        }
        if let Some(dtls) = &mut self.dtls {
            dtls.close(now);
        }
        self.pump(now); // `close_notify` travels through the allocation, so before that is given back
        self.gather.close(now);
        self.closed = true;
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.out.push_back(Output::Event(event));
    }

    pub(super) fn fail(&mut self, stage: &str, reason: &str) {
        self.tell(Event::Failed(format!("{stage}: {reason}")));
    }
}
