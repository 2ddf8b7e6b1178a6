//! The TURN server, over UDP, TCP and TLS (RFC 8656), which also answers plain STUN Binding.
//!
//! | file | subject |
//! |---|---|
//! | `credentials` | nonces and time-limited passwords |
//! | `peers` | whom the relay may reach |
//! | `allocation` | a relayed port, its permissions and channels |
//! | `requests` | what each method does |
//! | `streams` | clients that come over TCP or TLS |

mod allocation;
mod credentials;
mod peers;
mod requests;
mod streams;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use ringfence_model::Secret;
use ringfence_wire::demux::{self, Kind};
use ringfence_wire::stun::{Attribute, Class, Message, Method};
use ringfence_wire::turn::ChannelData;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use crate::fault::Faults;
use crate::figures::TURN_QUEUE;
use crate::log::Log;
use crate::random;
use allocation::{Allocation, Relayed};
use credentials::Credentials;
use peers::Peers;
use streams::Arrived;
pub(crate) use streams::Door;

/// How often expired allocations are looked for.
const SWEEP: Duration = Duration::from_secs(1);
/// A datagram of more is not read whole, and so is dropped by its length fields.
const MAX_DATAGRAM: usize = 65_535;

/// Who sends: an allocation belongs to the five-tuple that made it. RFC 8656, section 2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Client {
    address: SocketAddr,
    over: Over,
}

/// How a client reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Over {
    Udp,
    /// TCP or TLS; each connection has a number of its own.
    Stream(u64),
}

/// One TURN server.
pub(crate) struct Turn {
    faults: Arc<Faults>,
    log: Arc<Log>,
    socket: UdpSocket,
    credentials: Credentials,
    peers: Peers,
    allocations: HashMap<Client, Allocation>,
    /// What is written to each client that holds a connection.
    connections: HashMap<Client, mpsc::Sender<Vec<u8>>>,
    doors: Vec<Door>,
    queue: mpsc::Sender<Relayed>,
    relayed: Option<mpsc::Receiver<Relayed>>,
}

impl Turn {
    /// A server on a bound socket, and on the listeners of connections.
    ///
    /// # Errors
    /// The socket has no address.
    pub fn new(
        socket: UdpSocket,
        doors: Vec<Door>,
        secret: Secret<Vec<u8>>,
        faults: Arc<Faults>,
        log: Arc<Log>,
    ) -> std::io::Result<Self> {
        let peers = Peers::new(socket.local_addr()?);
        let (queue, relayed) = mpsc::channel(TURN_QUEUE);
        let credentials = Credentials::new(secret);
        let relayed = Some(relayed);
        let (allocations, connections) = (HashMap::new(), HashMap::new());
        Ok(Self { faults, log, socket, credentials, peers, allocations, connections, doors, queue, relayed })
    }

    /// Serves for ever; dropping the future ends all allocations.
    pub async fn serve(mut self) {
        let Some(mut relayed) = self.relayed.take() else { return };
        let (teller, mut arrived) = mpsc::channel(TURN_QUEUE);
        let numbers = Arc::new(AtomicU64::new(0));
        let doors = std::mem::take(&mut self.doors).into_iter();
        let doors = join_all(doors.map(|door| door.serve(teller.clone(), numbers.clone())));
        tokio::pin!(doors);
        let mut buffer = vec![0; MAX_DATAGRAM];
        let mut sweep = interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                received = self.socket.recv_from(&mut buffer) => match received {
                    Ok((length, address)) => {
                        let datagram = buffer.get(..length).unwrap_or_default();
                        let client = Client { address, over: Over::Udp };
                        self.receive(datagram, client, Instant::now()).await;
                    }
                    // An ICMP error of an earlier answer.
                    Err(_) => tokio::task::yield_now().await,
                },
                // A door never closes.
                _ = &mut doors => return,
                Some(arrived) = arrived.recv() => match arrived {
                    Arrived::Opened(client, outbox) => drop(self.connections.insert(client, outbox)),
                    Arrived::Frame(client, frame) => self.receive(&frame, client, Instant::now()).await,
                    Arrived::Closed(client) => {
                        self.connections.remove(&client);
                        self.allocations.remove(&client);
                    }
                },
                Some(relayed) = relayed.recv() => self.hand_over(relayed, Instant::now()).await,
                _ = sweep.tick() => {
                    let now = Instant::now();
                    self.allocations.retain(|_, allocation| now < allocation.expires);
                }
            }
        }
    }

    async fn receive(&mut self, datagram: &[u8], client: Client, now: Instant) {
        match demux::classify(datagram) {
            Kind::Stun => {
                let Ok(message) = Message::parse(datagram) else { return };
                match message.class {
                    Class::Request => {
                        if let Some(answer) = self.request(datagram, &message, client, now).await {
                            self.send(&answer, client).await;
                        }
                    }
                    Class::Indication if message.method == Method::SEND => self.relay(&message, client, now),
                    _ => {}
                }
            }
            Kind::TurnChannel => {
                let Ok(ChannelData { channel, data }) = ChannelData::parse(datagram) else { return };
                let Some(allocation) = self.living(client, now) else { return };
                if let Some(peer) = allocation.peer_of(channel, now) {
                    allocation.send(peer, data, now);
                }
            }
            _ => {}
        }
    }

    /// A Send indication; what is wrong with one is never answered. RFC 8656, section 11.2.
    fn relay(&self, message: &Message, client: Client, now: Instant) {
        let (Some(peer), Some(data)) = (message.peer_addresses().next(), message.data()) else { return };
        if let Some(allocation) = self.living(client, now)
            && self.peers.may_send(peer)
            && message.attributes.iter().all(|attribute| !requests::is_unknown(attribute))
        {
            allocation.send(peer, data, now);
        }
    }

    /// From a peer to its client.
    async fn hand_over(&self, Relayed { client, peer, data }: Relayed, now: Instant) {
        let Some(allocation) = self.living(client, now).filter(|a| a.permits(peer.ip(), now)) else { return };
        let bytes = match allocation.channel_of(peer, now) {
            Some(channel) => match client.over {
                Over::Udp => ChannelData { channel, data: &data }.emit(),
                Over::Stream(_) => ChannelData { channel, data: &data }.emit_padded(),
            },
            None => Message::new(Class::Indication, Method::DATA, random::bytes())
                .with(Attribute::XorPeerAddress(peer))
                .with(Attribute::Data(data))
                .emit(),
        };
        if let Ok(bytes) = bytes {
            self.send(&bytes, client).await;
        }
    }

    fn living(&self, client: Client, now: Instant) -> Option<&Allocation> {
        self.allocations.get(&client).filter(|allocation| now < allocation.expires)
    }

    async fn send(&self, bytes: &[u8], to: Client) {
        // What cannot be sent is lost, as on any network; so is what a client does not read.
        match (to.over, self.connections.get(&to)) {
            (Over::Udp, _) => drop(self.socket.send_to(bytes, to.address).await),
            (Over::Stream(_), Some(outbox)) => drop(outbox.try_send(bytes.to_vec())),
            (Over::Stream(_), None) => {}
        }
    }
}
