//! Media on real sockets: one task that owns them, asks the machine what to do and tells what happened. Connections to TURN
//! servers over TCP and TLS are sockets like the others, in `drive/stream.rs`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Instant;

use ringfence_model::RunKey;
use ringfence_model::observation::CallSeen;
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::stream::{Streams, Told as StreamTold};
use crate::hello::{Told, Traffic};
use crate::media::{
    Allow, Attack, AttackSeen, Check, CheckKit, ChecksSeen, Event, HelloAsk, Input, MediaError, MediaMachine,
    MediaPlan, Output, Rekey, Source, StrangersSeen, TurnServer,
};
use crate::{Failure, Net};

/// Largest datagram that is read: the largest there is.
const MAX_DATAGRAM_BYTES: usize = 65_535;
/// Commands on their way to the task.
const MAX_COMMANDS: usize = 16;
/// Events that nobody has taken yet; beyond that they are lost, and counted.
const MAX_EVENTS: usize = 64;

/// Senders of media that are kept (house).
const MAX_SENDERS: usize = 16;

/// What a call's media need.
#[derive(Clone)]
pub struct MediaOptions {
    /// What the call says and does.
    pub plan: MediaPlan,
    /// Addresses to send from; each gets a socket on an ephemeral port. See [`source_for`].
    pub sources: Vec<IpAddr>,
    /// TURN servers. Those over TCP and TLS are used by [`MediaCall::open_through`] only.
    pub turn: Vec<TurnServer>,
    /// STUN servers.
    pub stun: Vec<SocketAddr>,
    /// Key of the digests in evidence.
    pub key: RunKey,
    /// Who may be sent to.
    pub allow: Allow,
}

/// A running call's media. Dropping it hangs up.
pub struct MediaCall {
    machine: Arc<Mutex<MediaMachine>>,
    commands: mpsc::Sender<Command>,
    events: mpsc::Receiver<Event>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    refused: AtomicU64,
    /// TURN servers without a connection, one entry for each that had one or should have.
    lost: Mutex<Vec<Failure>>,
    /// Whoever sent RTP or RTCP.
    senders: Mutex<Vec<IpAddr>>,
}

enum Command {
    Answer(String),
    Offer(Option<String>),
    Audio(bool),
    Attack(Attack),
    Rekey(Rekey),
    Check(Check),
    Hello(HelloAsk),
    StopConsent,
    Reanswer(Option<u16>, Option<String>),
    Close,
}

impl MediaCall {
    /// Binds the sockets and starts to gather: the first event is the offer.
    ///
    /// # Errors
    /// A source cannot be bound, or the plan cannot be used: see [`MediaMachine::new`].
    pub async fn open(options: MediaOptions) -> Result<Self, MediaError> {
        Self::open_with(options, None).await
    }

    /// The same, with TURN servers over TCP and TLS, which are dialled in `net`.
    ///
    /// # Errors
    /// As [`MediaCall::open`]. A server that cannot be reached is none: see [`MediaCall::servers_lost`].
    pub async fn open_through(net: &Net, options: MediaOptions) -> Result<Self, MediaError> {
        Self::open_with(options, Some(net)).await
    }

    async fn open_with(options: MediaOptions, net: Option<&Net>) -> Result<Self, MediaError> {
        let MediaOptions { plan, sources, turn, stun, key, allow } = options;
        let mut sockets = Vec::new();
        for source in sources {
            sockets.push(UdpSocket::bind(SocketAddr::new(source, 0)).await?);
        }
        let locals = sockets.iter().map(UdpSocket::local_addr).collect::<io::Result<Vec<_>>>()?;
        // A server that the scope forbids is not asked at all.
        let turn = turn.into_iter().filter(|server| allow(server.address)).collect();
        let stun = stun.into_iter().filter(|server| allow(*server)).collect();
        let stranger = match locals.first().filter(|_| plan.stranger_hellos > 0) {
            Some(local) => Some(UdpSocket::bind(SocketAddr::new(local.ip(), 0)).await?),
            None => None,
        };
        let machine = MediaMachine::new(Instant::now(), plan, locals.clone(), turn, stun, key)?;
        let mut machine = machine.with_scope(allow.clone());
        if let Some(stranger) = &stranger {
            machine = machine.with_stranger(stranger.local_addr()?);
        }
        let streams = Streams::open(net, machine.unconnected(), &locals);
        let machine = Arc::new(Mutex::new(machine));
        let counts = Arc::new(Counts::default());
        let (commands, inbox) = mpsc::channel(MAX_COMMANDS);
        let (outbox, events) = mpsc::channel(MAX_EVENTS);
        let task = Task { machine: machine.clone(), sockets, stranger, streams, allow, outbox, counts: counts.clone() };
        tokio::spawn(task.run(inbox));
        Ok(Self { machine, commands, events, counts })
    }

    /// The next event; `None` when the call is closed and its task has ended.
    pub async fn event(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Gives the machine the target's answer. What is wrong with it becomes an [`Event::Failed`].
    pub async fn answer(&self, sdp: impl Into<String>) {
        self.command(Command::Answer(sdp.into())).await;
    }

    /// Gives the machine a later offer of the target, or its wish for ours; [`Event::Description`] tells what we say to it.
    pub async fn offer(&self, sdp: Option<String>) {
        self.command(Command::Offer(sdp)).await;
    }

    /// Audio on or off.
    pub async fn audio(&self, on: bool) {
        self.command(Command::Audio(on)).await;
    }

    /// Attacks the call; [`Event::AttackDone`] tells what came of it.
    pub async fn attack(&self, attack: Attack) {
        self.command(Command::Attack(attack)).await;
    }

    /// Changes keys; [`Event::Reoffer`] is to be carried to the target, [`Event::RekeyDone`] tells what came of it.
    pub async fn rekey(&self, rekey: Rekey) {
        self.command(Command::Rekey(rekey)).await;
    }

    /// Sends a connectivity check beside those of the call's own agent.
    pub async fn check(&self, check: Check) {
        self.command(Command::Check(check)).await;
    }

    /// Puts a hello to the target; [`Event::HelloAnswered`] tells that something came of it.
    pub async fn hello(&self, ask: HelloAsk) {
        self.command(Command::Hello(ask)).await;
    }

    /// What came of the last hello; of one that is still on its way, as much as there is.
    pub fn take_hello_answer(&self) -> Option<(Traffic, Told)> {
        lock(&self.machine).take_hello_answer()
    }

    /// Neither sends checks nor answers them any more.
    pub async fn stop_consent(&self) {
        self.command(Command::StopConsent).await;
    }

    /// What a check takes; `None` without a pair.
    pub fn check_kit(&self) -> Option<CheckKit> {
        lock(&self.machine).check_kit()
    }

    /// What was seen of checks so far.
    pub fn checks_seen(&self) -> ChecksSeen {
        lock(&self.machine).checks_seen()
    }

    /// What a stranger's hellos drew so far.
    pub fn strangers_seen(&self) -> StrangersSeen {
        lock(&self.machine).strangers_seen()
    }

    /// The target's final answer to [`Event::Reoffer`].
    pub async fn reanswer(&self, status: Option<u16>, sdp: Option<String>) {
        self.command(Command::Reanswer(status, sdp)).await;
    }

    /// What the running attack has shown so far.
    pub fn attack_so_far(&self) -> Option<AttackSeen> {
        lock(&self.machine).attack_so_far()
    }

    /// Hangs up.
    pub async fn close(&self) {
        self.command(Command::Close).await;
    }

    /// What the call has seen so far; also after its end.
    pub fn seen(&self) -> CallSeen {
        lock(&self.machine).seen(Instant::now())
    }

    /// Candidates, servers' and peers' datagrams that the scope forbade.
    pub fn refused(&self) -> u64 {
        lock(&self.machine).out_of_scope() + self.counts.refused.load(Ordering::Relaxed)
    }

    /// TURN servers over TCP and TLS that could not be reached, or were lost.
    pub fn servers_lost(&self) -> Vec<Failure> {
        self.counts.lost.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Addresses that sent RTP or RTCP, protected or not.
    pub fn senders(&self) -> Vec<IpAddr> {
        self.counts.senders.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn command(&self, command: Command) {
        let _ = self.commands.send(command).await; // the task is gone only after the call is over
    }
}

/// Our address on the way to `target`: loopback for loopback, else what the routing table says. Nothing is sent.
///
/// # Errors
/// There is no route.
pub async fn source_for(target: SocketAddr) -> io::Result<IpAddr> {
    if target.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) || (target.is_ipv4() && target.ip().is_loopback()) {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let any: SocketAddr = if target.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(target).await?;
    Ok(socket.local_addr()?.ip())
}

struct Task {
    machine: Arc<Mutex<MediaMachine>>,
    sockets: Vec<UdpSocket>,
    /// Where an attack comes from that does not come from the call's own socket, or a stranger's hellos.
    stranger: Option<UdpSocket>,
    streams: Streams,
    allow: Allow,
    outbox: mpsc::Sender<Event>,
    counts: Arc<Counts>,
}

impl Task {
    async fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        let mut buffer = vec![0; MAX_DATAGRAM_BYTES];
        loop {
            let deadline = self.act().await;
            let timer = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                command = inbox.recv() => match command {
                    Some(Command::Answer(sdp)) => self.input(Input::Answer(&sdp)),
                    Some(Command::Offer(sdp)) => self.input(Input::Offer(sdp.as_deref())),
                    Some(Command::Audio(on)) => self.input(Input::SendAudio(on)),
                    Some(Command::Attack(attack)) => self.attack(attack).await,
                    Some(Command::Check(check)) => self.input(Input::Check(check)),
                    Some(Command::Hello(ask)) => self.input(Input::Hello(ask)),
                    Some(Command::StopConsent) => self.input(Input::StopConsent),
                    Some(Command::Rekey(rekey)) => self.input(Input::Rekey(rekey)),
                    Some(Command::Reanswer(status, sdp)) => {
                        self.input(Input::Reanswer { status, sdp: sdp.as_deref() });
                    }
                    Some(Command::Close) | None => {
                        self.input(Input::Close);
                        self.act().await;
                        self.streams.close().await;
                        return;
                    }
                },
                (local, remote, length) = receive(&self.sockets, self.stranger.as_ref(), &mut buffer) => {
                    let bytes = buffer.get(..length).unwrap_or_default();
                    self.note_sender(remote, bytes);
                    self.input(Input::Datagram { local, remote, bytes });
                }
                told = self.streams.next() => self.streams_told(told),
                () = timer => self.input(Input::Timeout),
            }
        }
    }

    /// Binds the second socket that an attack may come from; without it the attack ends at once with nothing sent.
    async fn attack(&mut self, attack: Attack) {
        let own = self.sockets.first().and_then(|socket| socket.local_addr().ok());
        let from = match attack.source {
            Source::Own => return self.input(Input::Attack { attack, stranger: None }),
            Source::OtherPort => own.map(|own| own.ip()),
            Source::OtherAddress(address) => Some(address),
        };
        let bound = match from {
            Some(from) => UdpSocket::bind(SocketAddr::new(from, 0)).await.ok(),
            None => None,
        };
        match bound.as_ref().and_then(|socket| socket.local_addr().ok()) {
            Some(local) => {
                self.stranger = bound;
                self.input(Input::Attack { attack, stranger: Some(local) });
            }
            None => drop(self.outbox.try_send(Event::AttackDone(AttackSeen::default()))),
        }
    }

    fn note_sender(&self, remote: SocketAddr, bytes: &[u8]) {
        let is_media = bytes.first().is_some_and(|first| (128..=191).contains(first)); // RFC 7983, section 7
        let mut senders = self.counts.senders.lock().unwrap_or_else(PoisonError::into_inner);
        if is_media && senders.len() < MAX_SENDERS && !senders.contains(&remote.ip()) {
            senders.push(remote.ip());
        }
    }

    fn streams_told(&mut self, told: StreamTold) {
        match told {
            StreamTold::Connected(link) => {
                self.input(Input::TurnConnected { place: link.place, local: link.local });
                self.streams.add(link);
            }
            StreamTold::Frame { local, remote, bytes } => self.input(Input::Datagram { local, remote, bytes: &bytes }),
            StreamTold::Lost { place, failure } => {
                self.streams.remove(place);
                self.input(Input::TurnLost { place, why: failure.error.raw() });
                self.counts.lost.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
            }
        }
    }

    fn input(&self, input: Input<'_>) {
        lock(&self.machine).input(Instant::now(), input);
    }

    /// Does what the machine says until it has nothing more; returns its deadline.
    async fn act(&mut self) -> Option<Instant> {
        loop {
            let output = lock(&self.machine).poll();
            match output {
                Output::Transmit { local, remote, bytes } => self.send(local, remote, &bytes).await,
                Output::Event(event) => {
                    if let Event::AttackDone(_) = event {
                        self.stranger = None; // nobody reads there any more
                    }
                    // An owner that does not listen loses events; the figures stay.
                    let _ = self.outbox.try_send(event);
                }
                Output::Timeout(at) => return Some(at),
                Output::Idle => return None,
            }
        }
    }

    /// The last gate: nothing leaves for an address outside the scope, whatever the machine thinks.
    async fn send(&self, local: SocketAddr, remote: SocketAddr, bytes: &[u8]) {
        if !(self.allow)(remote) {
            self.counts.refused.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if self.streams.send(local, remote, bytes) {
            return;
        }
        let socket = self
            .sockets
            .iter()
            .chain(&self.stranger)
            .find(|socket| socket.local_addr().is_ok_and(|address| address == local));
        if let Some(socket) = socket {
            let _ = socket.send_to(bytes, remote).await; // lost, as on any bad path
        }
    }
}

/// The next datagram of any socket: its socket's address, its sender and its length in `buffer`.
async fn receive(
    sockets: &[UdpSocket],
    stranger: Option<&UdpSocket>,
    buffer: &mut [u8],
) -> (SocketAddr, SocketAddr, usize) {
    std::future::poll_fn(|context| {
        for socket in sockets.iter().chain(stranger) {
            let mut space = ReadBuf::new(buffer);
            // Errors are those of earlier sends (ICMP) and say nothing of this call.
            while let Poll::Ready(result) = socket.poll_recv_from(context, &mut space) {
                if let (Ok(remote), Ok(local)) = (result, socket.local_addr()) {
                    return Poll::Ready((local, remote, space.filled().len()));
                }
                space.clear();
            }
        }
        Poll::Pending
    })
    .await
}

fn lock(machine: &Mutex<MediaMachine>) -> MutexGuard<'_, MediaMachine> {
    machine.lock().unwrap_or_else(PoisonError::into_inner)
}
