//! Gathering (RFC 8445, section 5.1): server-reflexive candidates by STUN, relayed ones and their traffic by `rtc-turn`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use ringfence_wire::stun::{Class, Message, Method};
use rtc_crypto::RTCCryptoProvider;
use rtc_shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc_turn::client::{Client, ClientConfig, Event};
use sansio::Protocol as _;

use super::MediaError;
use super::ice::Path;
use super::plan::TurnServer;

/// First retransmission of a STUN request (RFC 8489, section 6.2.1 says 500 ms), doubled each time.
const FIRST_RETRY: Duration = Duration::from_millis(250);
/// Requests to one STUN server.
const MAX_REQUESTS: u32 = 4;
/// After this the offer goes out with what is there.
pub(super) const GATHERING: Duration = Duration::from_secs(4);

/// What came of a datagram of a server.
#[derive(Debug)]
pub(super) enum Told {
    /// Our address as the server sees it, and the socket it stands on.
    Reflexive(SocketAddr, SocketAddr),
    /// An address on the server, and the socket it stands on.
    Relayed(SocketAddr, SocketAddr),
    /// A peer sent this to a relayed address.
    Data(Path, Vec<u8>),
    /// A relayed candidate could not be had, and why.
    Refused(String),
}

/// A Binding transaction with one server from one socket.
struct Binding {
    local: SocketAddr,
    server: SocketAddr,
    transaction: [u8; 12],
    sent: u32,
    due: Instant,
}

/// A TURN client on one socket.
struct Relay {
    local: SocketAddr,
    server: SocketAddr,
    client: Client,
    relayed: Option<SocketAddr>,
    settled: bool,
}

/// All servers of a call.
pub(super) struct Gather {
    /// Our socket and the server, of every STUN server that is or was asked: an answer may come twice.
    asked: Vec<(SocketAddr, SocketAddr)>,
    bindings: Vec<Binding>,
    relays: Vec<Relay>,
    until: Instant,
}

impl Gather {
    /// Asks every STUN server from every socket of its family, and every TURN server from the first such socket.
    pub(super) fn new(
        now: Instant,
        provider: &Arc<dyn RTCCryptoProvider>,
        locals: &[SocketAddr],
        stun: &[SocketAddr],
        turn: &[TurnServer],
    ) -> Result<Self, MediaError> {
        let mut bindings = Vec::new();
        for server in stun {
            for local in locals.iter().filter(|local| local.is_ipv4() == server.is_ipv4()) {
                let mut transaction = [0; 12];
                getrandom::fill(&mut transaction).map_err(MediaError::setup)?;
                bindings.push(Binding { local: *local, server: *server, transaction, sent: 0, due: now });
            }
        }
        let mut relays = Vec::new();
        for server in turn {
            let Some(local) = locals.iter().find(|local| local.is_ipv4() == server.address.is_ipv4()) else { continue };
            let config = ClientConfig {
                turn_serv_addr: server.address.to_string(), // a literal address: nothing is looked up
                local_addr: *local,
                transport_protocol: TransportProtocol::UDP,
                username: server.username.clone(),
                password: server.credential.expose().clone(),
                ..ClientConfig::default()
            };
            let mut client = Client::new(config, provider.clone()).map_err(MediaError::setup)?;
            client.allocate(now).map_err(MediaError::setup)?;
            relays.push(Relay { local: *local, server: server.address, client, relayed: None, settled: false });
        }
        let asked = bindings.iter().map(|binding| (binding.local, binding.server)).collect();
        Ok(Self { asked, bindings, relays, until: now + GATHERING })
    }

    /// Whether every server has answered or time is up.
    pub(super) fn done(&self, now: Instant) -> bool {
        now >= self.until || (self.bindings.is_empty() && self.relays.iter().all(|relay| relay.settled))
    }

    /// Whether a datagram comes from one of the servers, so that it is none of the target's.
    pub(super) fn is_server(&self, path: Path) -> bool {
        let pair = (path.local, path.remote);
        self.asked.contains(&pair) || self.relays.iter().any(|relay| (relay.local, relay.server) == pair)
    }

    /// Takes a datagram of a server.
    pub(super) fn input(&mut self, now: Instant, path: Path, bytes: &[u8]) -> Vec<Told> {
        if let Some(told) = self.binding_answer(path, bytes) {
            return told.into_iter().collect();
        }
        let Some(relay) = self.relays.iter_mut().find(|r| (r.local, r.server) == (path.local, path.remote)) else {
            return Vec::new();
        };
        let message = TaggedBytesMut { now, transport: transport(path), message: BytesMut::from(bytes) };
        let _ = relay.client.handle_read(message); // what it cannot read is dropped
        relay.take_events()
    }

    /// Retransmits, refreshes, gives up.
    pub(super) fn timeout(&mut self, now: Instant) -> Vec<Told> {
        self.bindings.retain(|binding| binding.sent < MAX_REQUESTS || binding.due > now);
        let mut told = Vec::new();
        for relay in &mut self.relays {
            if relay.client.poll_timeout().is_some_and(|at| at <= now) {
                let _ = relay.client.handle_timeout(now);
                told.extend(relay.take_events());
            }
        }
        told
    }

    /// When [`Gather::timeout`] is due; while `gathering` also when gathering ends.
    pub(super) fn poll_timeout(&mut self, gathering: bool) -> Option<Instant> {
        let bindings = self.bindings.iter().map(|binding| binding.due).min();
        let relays = self.relays.iter_mut().filter_map(|relay| relay.client.poll_timeout()).min();
        [bindings, relays, gathering.then_some(self.until)].into_iter().flatten().min()
    }

    /// The next datagram to a server.
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
        self.relays.iter_mut().find_map(|relay| {
            let message = relay.client.poll_write()?;
            Some((Path { local: relay.local, remote: relay.server }, message.message.to_vec()))
        })
    }

    /// Whether `local` is one of our relayed addresses.
    pub(super) fn is_relayed(&self, local: SocketAddr) -> bool {
        self.relays.iter().any(|relay| relay.relayed == Some(local))
    }

    /// Lets these peers send to our relayed addresses. RFC 8656, section 9.
    pub(super) fn permit(&mut self, now: Instant, peers: impl Iterator<Item = SocketAddr> + Clone) {
        for relay in &mut self.relays {
            let Some(relayed) = relay.relayed else { continue };
            for peer in peers.clone().filter(|peer| peer.is_ipv4() == relayed.is_ipv4()) {
                if let Ok(mut handle) = relay.client.relay(relayed) {
                    let _ = handle.create_permission(now, peer); // a refusal shows as an unanswered pair
                }
            }
        }
    }

    /// Sends through a relayed address; without a permission yet it is lost, as on any bad path.
    pub(super) fn send(&mut self, now: Instant, path: Path, bytes: &[u8]) {
        if let Some(relay) = self.relays.iter_mut().find(|relay| relay.relayed == Some(path.local))
            && let Ok(mut handle) = relay.client.relay(path.local)
        {
            let _ = handle.send_to(now, bytes, path.remote);
        }
    }

    /// Gives the allocations back. RFC 8656, section 3.2.
    pub(super) fn close(&mut self, now: Instant) {
        self.bindings.clear();
        for relay in &mut self.relays {
            if let Some(relayed) = relay.relayed
                && let Ok(mut handle) = relay.client.relay(relayed)
            {
                let _ = handle.close(now);
            }
        }
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

impl Relay {
    fn take_events(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::AllocateResponse(_, relayed) => {
                    (self.relayed, self.settled) = (Some(relayed), true);
                    told.push(Told::Relayed(relayed, self.local));
                }
                Event::AllocateError(_, error) if !self.settled => {
                    self.settled = true;
                    told.push(Told::Refused(error.to_string()));
                }
                Event::TransactionTimeout(_) if !self.settled => {
                    self.settled = true;
                    told.push(Told::Refused("the TURN server does not answer".into()));
                }
                Event::DataIndicationOrChannelData(_, peer, data) => {
                    if let Some(local) = self.relayed {
                        told.push(Told::Data(Path { local, remote: peer }, data.to_vec()));
                    }
                }
                _ => {}
            }
        }
        told
    }
}

fn transport(path: Path) -> TransportContext {
    TransportContext {
        local_addr: path.local,
        peer_addr: path.remote,
        transport_protocol: TransportProtocol::UDP,
        ecn: None,
    }
}
