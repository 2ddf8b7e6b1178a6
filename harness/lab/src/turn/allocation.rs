//! One allocation: its relayed socket, and which peers may reach it.

use std::collections::HashMap;
use std::io::Result;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_wire::stun::TransactionId;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::Client;
use crate::figures::{TURN_CHANNEL, TURN_PEERS, TURN_PERMISSION};

/// Bytes of a datagram that is relayed; media are far below, and larger ones are dropped.
const MAX_DATAGRAM: usize = 8 * 1024;
/// How often a port is tried until it is even.
const EVEN_TRIES: usize = 16;

/// A datagram from a peer, on its way to a client.
pub(super) struct Relayed {
    pub client: Client,
    pub peer: SocketAddr,
    pub data: Vec<u8>,
}

/// What a client holds.
pub(super) struct Allocation {
    /// Who made it; `None` where nobody had to say.
    pub owner: Option<String>,
    /// The request that made it, which may come again.
    pub made_by: TransactionId,
    /// Where peers send to.
    pub relayed: SocketAddr,
    /// When it ends.
    pub expires: Instant,
    socket: Arc<UdpSocket>,
    reader: AbortHandle,
    permissions: HashMap<IpAddr, Instant>,
    channels: HashMap<u16, Channel>,
}

struct Channel {
    peer: SocketAddr,
    expires: Instant,
}

/// A table of the allocation has no room.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

/// Why a channel is not bound.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotBound {
    /// The number or the peer is bound otherwise.
    Conflict,
    /// No room.
    Full,
}

/// A new relayed port.
pub(super) struct Port {
    socket: UdpSocket,
    address: SocketAddr,
}

impl Port {
    /// Binds one, with an even number if wanted and found.
    ///
    /// # Errors
    /// None is free, or none that is even.
    pub async fn open(ip: IpAddr, even: bool) -> Result<Self> {
        for _ in 0..EVEN_TRIES {
            let socket = UdpSocket::bind((ip, 0)).await?;
            let address = socket.local_addr()?;
            if !even || address.port() % 2 == 0 {
                return Ok(Self { socket, address });
            }
        }
        Err(std::io::ErrorKind::AddrNotAvailable.into())
    }
}

impl Allocation {
    /// Starts relaying towards `queue`; a full queue drops, as UDP does.
    pub fn start(
        port: Port,
        (client, owner): (Client, Option<String>),
        made_by: TransactionId,
        expires: Instant,
        queue: mpsc::Sender<Relayed>,
    ) -> Self {
        let socket = Arc::new(port.socket);
        let reader = tokio::spawn(read(socket.clone(), client, queue)).abort_handle();
        Self {
            owner,
            made_by,
            relayed: port.address,
            expires,
            socket,
            reader,
            permissions: HashMap::new(),
            channels: HashMap::new(),
        }
    }

    /// Sends to a peer that has a permission.
    pub fn send(&self, peer: SocketAddr, data: &[u8], now: Instant) {
        if self.permits(peer.ip(), now) {
            // A full socket drops, as UDP does.
            let _ = self.socket.try_send_to(data, peer);
        }
    }

    /// Whether the peer may send, and be sent to.
    pub fn permits(&self, peer: IpAddr, now: Instant) -> bool {
        self.permissions.get(&peer).is_some_and(|expires| now < *expires)
    }

    /// Permits the peers, all or none.
    ///
    /// # Errors
    /// Too many.
    pub fn permit(&mut self, peers: &[IpAddr], now: Instant) -> std::result::Result<(), Full> {
        self.permissions.retain(|_, expires| now < *expires);
        let mut all = self.permissions.clone();
        all.extend(peers.iter().map(|peer| (*peer, now + TURN_PERMISSION)));
        if all.len() > TURN_PEERS {
            return Err(Full);
        }
        self.permissions = all;
        Ok(())
    }

    /// Binds a channel, or refreshes it; permits the peer too. RFC 8656, section 12.2.
    ///
    /// # Errors
    /// Bound otherwise, or no room.
    pub fn bind(&mut self, number: u16, peer: SocketAddr, now: Instant) -> std::result::Result<(), NotBound> {
        self.channels.retain(|_, channel| now < channel.expires);
        let conflict = |(n, channel): (&u16, &Channel)| (*n == number) != (channel.peer == peer);
        if self.channels.iter().any(conflict) {
            return Err(NotBound::Conflict);
        }
        if self.channels.len() >= TURN_PEERS && !self.channels.contains_key(&number) {
            return Err(NotBound::Full);
        }
        self.permit(&[peer.ip()], now).map_err(|Full| NotBound::Full)?;
        self.channels.insert(number, Channel { peer, expires: now + TURN_CHANNEL });
        Ok(())
    }

    /// The peer of a bound channel.
    pub fn peer_of(&self, number: u16, now: Instant) -> Option<SocketAddr> {
        self.channels.get(&number).filter(|channel| now < channel.expires).map(|channel| channel.peer)
    }

    /// The channel of a peer.
    pub fn channel_of(&self, peer: SocketAddr, now: Instant) -> Option<u16> {
        let bound = |(_, channel): &(&u16, &Channel)| channel.peer == peer && now < channel.expires;
        self.channels.iter().find(bound).map(|(number, _)| *number)
    }

    /// Seconds that are left, rounded down.
    pub fn left_s(&self, now: Instant) -> u32 {
        let left: Duration = self.expires.saturating_duration_since(now);
        u32::try_from(left.as_secs()).unwrap_or(u32::MAX)
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn read(socket: Arc<UdpSocket>, client: Client, queue: mpsc::Sender<Relayed>) {
    let mut buffer = vec![0; MAX_DATAGRAM + 1];
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else {
            // An ICMP error of an earlier datagram: nothing is lost by going on, unless the server is no more.
            if queue.is_closed() {
                return;
            }
            tokio::task::yield_now().await;
            continue;
        };
        if length > MAX_DATAGRAM {
            continue;
        }
        let data = buffer.get(..length).unwrap_or_default().to_vec();
        if let Err(mpsc::error::TrySendError::Closed(_)) = queue.try_send(Relayed { client, peer, data }) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn permissions_and_channels_age_and_are_bounded() {
        let now = Instant::now();
        let (queue, _kept) = mpsc::channel(1);
        let port = Port::open("127.0.0.1".parse().unwrap(), true).await.unwrap();
        assert_eq!(port.address.port() % 2, 0);
        let client = Client { address: "127.0.0.1:9".parse().unwrap(), over: super::super::Over::Udp };
        let mut allocation = Allocation::start(port, (client, None), [0; 12], now + TURN_CHANNEL, queue);
        let peer: SocketAddr = "127.0.0.9:1000".parse().unwrap();
        let other: SocketAddr = "127.0.0.9:1001".parse().unwrap();
        assert_eq!(allocation.bind(0x4000, peer, now), Ok(()));
        assert_eq!(allocation.bind(0x4000, peer, now), Ok(()), "a refresh");
        assert_eq!(allocation.bind(0x4000, other, now), Err(NotBound::Conflict));
        assert_eq!(allocation.bind(0x4001, peer, now), Err(NotBound::Conflict));
        assert!(allocation.permits(peer.ip(), now));
        assert!(!allocation.permits(peer.ip(), now + TURN_PERMISSION));
        assert_eq!(allocation.peer_of(0x4000, now + TURN_PERMISSION), Some(peer), "channels live longer");
        assert_eq!(allocation.channel_of(peer, now + TURN_CHANNEL), None);

        let many: Vec<IpAddr> = (0..=TURN_PEERS).map(|i| IpAddr::from([127, 0, 1, i as u8])).collect();
        assert_eq!(allocation.permit(&many, now), Err(Full));
        assert_eq!(allocation.permit(&many[..TURN_PEERS - 1], now), Ok(()));
        assert_eq!((allocation.left_s(now), allocation.left_s(now + TURN_CHANNEL)), (600, 0));
    }
}
