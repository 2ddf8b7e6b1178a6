//! Gathering (RFC 8445, section 5.1): server-reflexive candidates by STUN, relayed ones by TURN.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_wire::stun::{Class, Message, Method};
use rtc_crypto::RTCCryptoProvider;

use super::MediaError;
use super::ice::Path;
use super::plan::{TurnServer, TurnTransport};
use super::relay::Relay;

/// First retransmission of a STUN request (RFC 8489, section 6.2.1 says 500 ms), doubled each time.
const FIRST_RETRY: Duration = Duration::from_millis(250);
/// Requests to one STUN server.
const MAX_REQUESTS: u32 = 4;
/// After this the offer goes out with what is there.
pub(super) const GATHERING: Duration = Duration::from_secs(4);
/// Once a relayed candidate is there and all over UDP has answered: how long those over TCP and TLS, which are worse, are
/// waited for (house).
const STREAM_GRACE: Duration = Duration::from_millis(500);

/// What came of a server.
#[derive(Debug)]
pub(super) enum Told {
    /// Our address as the server sees it, and the socket it stands on.
    Reflexive(SocketAddr, SocketAddr),
    /// An address on the server, the socket or connection it stands on, and how the server is reached.
    Relayed(SocketAddr, SocketAddr, TurnTransport),
    /// A peer sent this to a relayed address.
    Data(Path, Vec<u8>),
    /// A relayed candidate could not be had, and why.
    Refused(String),
    /// The connection behind a relayed address is gone, and why.
    Lost(SocketAddr, String),
}

/// A Binding transaction with one server from one socket.
struct Binding {
    local: SocketAddr,
    server: SocketAddr,
    transaction: [u8; 12],
    sent: u32,
    due: Instant,
}

/// All servers of a call.
pub(super) struct Gather {
    provider: Arc<dyn RTCCryptoProvider>,
    /// Our socket and the server, of every STUN server that is or was asked: an answer may come twice.
    asked: Vec<(SocketAddr, SocketAddr)>,
    bindings: Vec<Binding>,
    /// One for each TURN server, in the order in which they were given.
    relays: Vec<Relay>,
    until: Instant,
    grace_until: Option<Instant>,
}

impl Gather {
    /// Asks every STUN server from every socket of its family, and every TURN server over UDP from the first such socket.
    /// Those over TCP and TLS wait for [`Gather::connected`].
    pub(super) fn new(
        now: Instant,
        provider: &Arc<dyn RTCCryptoProvider>,
        locals: &[SocketAddr],
        stun: &[SocketAddr],
        turn: Vec<TurnServer>,
    ) -> Result<Self, MediaError> {
        let mut bindings = Vec::new();
        for server in stun {
            for local in locals.iter().filter(|local| local.is_ipv4() == server.is_ipv4()) {
                let mut transaction = [0; 12];
                getrandom::fill(&mut transaction).map_err(MediaError::setup)?;
                bindings.push(Binding { local: *local, server: *server, transaction, sent: 0, due: now });
            }
        }
        let mut relays: Vec<Relay> = turn.into_iter().map(Relay::new).collect();
        for relay in relays.iter_mut().filter(|relay| !relay.is_stream()) {
            let server = relay.server().address;
            match locals.iter().find(|local| local.is_ipv4() == server.is_ipv4()) {
                Some(local) => relay.allocate(now, provider, *local)?,
                None => drop(relay.lost(format!("no socket of ours reaches {server}"))),
            }
        }
        let asked = bindings.iter().map(|binding| (binding.local, binding.server)).collect();
        let until = now + GATHERING;
        Ok(Self { provider: provider.clone(), asked, bindings, relays, until, grace_until: None })
    }

    /// The TURN servers that wait for a connection, with their places.
    pub(super) fn unconnected(&self) -> impl Iterator<Item = (usize, &TurnServer)> {
        let relays = self.relays.iter().enumerate();
        relays
            .filter(|(_, relay)| relay.path().is_none() && !relay.is_settled())
            .map(|(at, relay)| (at, relay.server()))
    }

    /// There is a connection to the TURN server in this place; `local` is our end of it.
    pub(super) fn connected(&mut self, now: Instant, place: usize, local: SocketAddr) -> Vec<Told> {
        let Some(relay) = self.relays.get_mut(place) else { return Vec::new() };
        match relay.allocate(now, &self.provider, local) {
            Ok(()) => Vec::new(),
            Err(error) => vec![relay.lost(error.to_string())],
        }
    }

    /// The connection to the TURN server in this place could not be made, or is gone.
    pub(super) fn lost(&mut self, place: usize, why: &str) -> Vec<Told> {
        self.relays.get_mut(place).map(|relay| relay.lost(why.to_owned())).into_iter().collect()
    }

    /// Whether every server has answered or time is up.
    pub(super) fn done(&mut self, now: Instant) -> bool {
        let (streams, datagrams): (Vec<_>, Vec<_>) = self.relays.iter().partition(|relay| relay.is_stream());
        let settled = |relays: &[&Relay]| relays.iter().all(|relay| relay.is_settled());
        if now >= self.until || !self.bindings.is_empty() || !settled(&datagrams) {
            return now >= self.until;
        }
        if settled(&streams) {
            return true;
        }
        let has_relayed = self.relays.iter().any(|relay| relay.relayed().is_some());
        has_relayed && now >= *self.grace_until.get_or_insert(now + STREAM_GRACE)
    }

    /// Whether bytes come from one of the servers, so that they are none of the target's.
    pub(super) fn is_server(&self, path: Path) -> bool {
        let asked = self.asked.contains(&(path.local, path.remote));
        asked || self.relays.iter().any(|relay| relay.path() == Some(path))
    }

    /// Takes what a server sent: a datagram, or a frame of a connection.
    pub(super) fn input(&mut self, now: Instant, path: Path, bytes: &[u8]) -> Vec<Told> {
        if let Some(told) = self.binding_answer(path, bytes) {
            return told.into_iter().collect();
        }
        let relay = self.relays.iter_mut().find(|relay| relay.path() == Some(path));
        relay.map(|relay| relay.input(now, bytes)).unwrap_or_default()
    }

    /// Retransmits, refreshes, gives up.
    pub(super) fn timeout(&mut self, now: Instant) -> Vec<Told> {
        self.bindings.retain(|binding| binding.sent < MAX_REQUESTS || binding.due > now);
        self.relays.iter_mut().flat_map(|relay| relay.timeout(now)).collect()
    }

    /// When [`Gather::timeout`] is due; while `gathering` also when gathering ends.
    pub(super) fn poll_timeout(&mut self, gathering: bool) -> Option<Instant> {
        let bindings = self.bindings.iter().map(|binding| binding.due).min();
        let relays = self.relays.iter_mut().filter_map(Relay::poll_timeout).min();
        let end = [Some(self.until), self.grace_until].into_iter().flatten().min().filter(|_| gathering);
        [bindings, relays, end].into_iter().flatten().min()
    }

    /// The next datagram, or frame of a connection, to a server.
    pub(super) fn poll_transmit(&mut self, now: Instant) -> Option<(Path, Vec<u8>)> {
        for binding in &mut self.bindings {
            if binding.due <= now && binding.sent < MAX_REQUESTS {
                binding.due = now + FIRST_RETRY * 2u32.pow(binding.sent);
                binding.sent += 1;
                let request = Message::new(Class::Request, Method::BINDING, binding.transaction);
                let bytes = request.fingerprinted().and_then(|request| request.emit()).ok()?;
                return Some((Path { local: binding.local, remote: binding.server }, bytes));
            }
        }
        self.relays.iter_mut().find_map(Relay::poll_transmit)
    }

    /// Whether `local` is one of our relayed addresses.
    pub(super) fn is_relayed(&self, local: SocketAddr) -> bool {
        self.relays.iter().any(|relay| relay.relayed() == Some(local))
    }

    /// Lets these peers send to our relayed addresses. RFC 8656, section 9.
    pub(super) fn permit(&mut self, now: Instant, peers: impl Iterator<Item = SocketAddr> + Clone) {
        self.relays.iter_mut().for_each(|relay| relay.permit(now, peers.clone()));
    }

    /// Sends through a relayed address.
    pub(super) fn send(&mut self, now: Instant, path: Path, bytes: &[u8]) {
        if let Some(relay) = self.relays.iter_mut().find(|relay| relay.relayed() == Some(path.local)) {
            relay.send(now, path.remote, bytes);
        }
    }

    /// Gives the allocations back.
    pub(super) fn close(&mut self, now: Instant) {
        self.bindings.clear();
        self.relays.iter_mut().for_each(|relay| relay.close(now));
    }

    /// `None` if the datagram belongs to no Binding transaction.
    fn binding_answer(&mut self, path: Path, bytes: &[u8]) -> Option<Option<Told>> {
        let message = Message::parse(bytes).ok()?;
        let owner = |b: &Binding| (b.local, b.server, b.transaction) == (path.local, path.remote, message.transaction);
        let at = self.bindings.iter().position(owner)?;
        let binding = self.bindings.swap_remove(at);
        let mapped = (message.class == Class::Success).then(|| message.mapped_address()).flatten();
        Some(mapped.map(|mapped| Told::Reflexive(mapped, binding.local)))
    }
}
