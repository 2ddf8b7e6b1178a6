//! A peer of ours: data goes from the client over the relay to it, and back. That a relay refuses a peer means something only
//! where it relays to another.

use std::net::SocketAddr;
use std::time::Duration;

use ringfence_wire::stun::{Attribute, Class, Message, Method};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::time::{Instant, timeout, timeout_at};

use super::client::Client;
use super::wire::Server;
use crate::{Failure, Net};

/// Bytes of what is sent, random each time.
const PROOF_BYTES: usize = 16;
/// How often a datagram is sent before it counts as lost, and how long each is waited for (house).
const TRIES: u32 = 5;
const WAIT: Duration = Duration::from_millis(400);
/// The channel of the control. Those of peers that are asked about lie above.
const CONTROL_CHANNEL: u16 = 0x4000;

/// What came of a control.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlSeen {
    /// Data went to the peer and came back.
    pub relayed: bool,
    /// What went wrong.
    pub why: Option<String>,
}

/// Which way the control goes.
pub enum ControlPeer {
    /// A socket of ours, with the address at which the server sees it.
    Own(UdpSocket, SocketAddr),
    /// Somebody's echo, named in the target file.
    Named(SocketAddr),
    /// A listener of ours, for TCP peers.
    Tcp(TcpListener, SocketAddr),
    /// A second allocation of ours: where a relay reaches no address of ours, its clients may still meet on it.
    Relayed(Box<Client>, SocketAddr),
}

impl ControlPeer {
    /// A UDP socket beside the client's own, and where the server sees it: what it says to a Binding request from there.
    ///
    /// # Errors
    /// The socket cannot be opened, or the server does not say.
    pub async fn own(net: &Net, client: &Client) -> Result<Self, Failure> {
        let (local, server) = client.ends();
        let mapped = client.granted().and_then(|granted| granted.mapped);
        let socket =
            UdpSocket::bind((local.ip(), 0)).await.map_err(|error| Failure::from_io("control peer", &error))?;
        let own = socket.local_addr().map_err(|error| Failure::from_io("control peer", &error))?;
        // No translator between us: then the socket is where it is.
        if mapped.is_none_or(|mapped| mapped.ip() == local.ip()) {
            return Ok(Self::Own(socket, own));
        }
        if !net.allows(server) {
            return Err(Failure::protocol("the server left the scope"));
        }
        let mapped = binding(&socket, server).await;
        mapped.map(|mapped| Self::Own(socket, mapped)).ok_or_else(|| {
            Failure::timeout(
                "the server does not say where it sees a second socket of ours, so there is no control peer",
            )
        })
    }

    /// A TCP listener beside the client's connection.
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn tcp(client: &Client) -> Result<Self, Failure> {
        let broken = |error: std::io::Error| Failure::from_io("control peer", &error);
        let listener = TcpListener::bind((client.ends().0.ip(), 0)).await.map_err(broken)?;
        let address = listener.local_addr().map_err(broken)?;
        Ok(Self::Tcp(listener, address))
    }

    /// A second allocation on the same server.
    ///
    /// # Errors
    /// As [`Client::sibling`].
    pub async fn relayed(net: &Net, server: &Server, client: &Client) -> Result<Self, Failure> {
        let sibling = client.sibling(net, server).await?;
        let address = relayed_of(&sibling, |_| true);
        let address = address.ok_or_else(|| Failure::protocol("the second allocation has no relayed address"))?;
        Ok(Self::Relayed(Box::new(sibling), address))
    }

    /// Gives back what it holds at the server.
    pub async fn end(self) {
        if let Self::Relayed(mut sibling, _) = self {
            sibling.release().await;
        }
    }

    /// Where the relay finds it.
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Own(_, address) | Self::Named(address) | Self::Tcp(_, address) | Self::Relayed(_, address) => {
                *address
            }
        }
    }

    /// Whether a Send indication reaches the peer before anything permits it. RFC 8656, section 11.2: it must not. `None` of a
    /// peer that is not ours to listen at.
    ///
    /// # Errors
    /// The connection to the server is gone.
    pub async fn unpermitted(&self, client: &mut Client) -> Result<Option<bool>, Failure> {
        let Self::Own(socket, peer) = self else { return Ok(None) };
        let proof = proof()?;
        client.send(*peer, &proof).await?;
        let mut buffer = [0; 64];
        let arrived = timeout(WAIT, async {
            loop {
                match socket.recv_from(&mut buffer).await {
                    Ok((length, _)) if buffer.get(..length) == Some(&proof[..]) => return,
                    Ok(_) => {}
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        });
        Ok(Some(arrived.await.is_ok()))
    }

    /// Permits the peer and has data go to it and back.
    ///
    /// # Errors
    /// No answer of the server, or the connection to it is gone.
    pub async fn round_trip(
        &mut self,
        net: &Net,
        server: &Server,
        client: &mut Client,
        by_channel: bool,
    ) -> Result<ControlSeen, Failure> {
        let no = |why: String| Ok(ControlSeen { why: Some(why), ..ControlSeen::default() });
        if let Self::Tcp(listener, peer) = self {
            return tcp_round_trip(net, server, client, listener, *peer).await;
        }
        let peer = self.address();
        let answer = if by_channel { client.bind(CONTROL_CHANNEL, peer).await? } else { client.permit(peer).await? };
        if let Err(refused) = answer {
            return no(format!("the control peer {peer} is refused: {:?}", refused.code));
        }
        let proof = proof()?;
        let relayed = relayed_of(client, |relayed| relayed.is_ipv4() == peer.is_ipv4());
        if let (Self::Relayed(sibling, _), Some(relayed)) = (&mut *self, relayed)
            && let Err(refused) = sibling.permit(relayed).await?
        {
            return no(format!("the relay's own address {relayed} is refused: {:?}", refused.code));
        }
        for _ in 0..TRIES {
            if let (Self::Own(socket, _), Some(relayed)) = (&*self, relayed)
                && net.allows(relayed)
            {
                let _ = socket.send_to(&[], relayed).await; // opens a translator of ours towards the relay
            }
            if by_channel {
                client.send_on(CONTROL_CHANNEL, &proof).await?;
            } else {
                client.send(peer, &proof).await?;
            }
            match &mut *self {
                Self::Own(socket, _) => reflect(net, socket, &proof).await,
                Self::Relayed(sibling, _) => {
                    if let (Some(data), Some(relayed)) = (sibling.received(WAIT).await?, relayed)
                        && data == proof
                    {
                        sibling.send(relayed, &proof).await?;
                    }
                }
                Self::Named(_) | Self::Tcp(..) => {}
            }
            let until = Instant::now() + WAIT;
            while let Some(data) = client.received(until.saturating_duration_since(Instant::now())).await? {
                if data == proof {
                    return Ok(ControlSeen { relayed: true, ..ControlSeen::default() });
                }
            }
        }
        no(format!("nothing came back from the control peer {peer}"))
    }
}

/// The first relayed address of that kind.
fn relayed_of(client: &Client, kind: impl Fn(&SocketAddr) -> bool) -> Option<SocketAddr> {
    client.granted()?.relayed.iter().copied().find(kind)
}

/// Sends what came over the relay back to where it came from, which the scope must hold.
async fn reflect(net: &Net, socket: &UdpSocket, proof: &[u8]) {
    let mut buffer = [0; 64];
    let until = Instant::now() + WAIT;
    while let Ok(received) = timeout_at(until, socket.recv_from(&mut buffer)).await {
        match received {
            Ok((length, from)) if buffer.get(..length) == Some(proof) && net.allows(from) => {
                let _ = socket.send_to(proof, from).await; // lost, as on any bad path
                return;
            }
            Ok(_) => {}
            Err(_) => tokio::task::yield_now().await, // ICMP of an earlier datagram
        }
    }
}

async fn tcp_round_trip(
    net: &Net,
    server: &Server,
    client: &mut Client,
    listener: &TcpListener,
    peer: SocketAddr,
) -> Result<ControlSeen, Failure> {
    let no = |why: String| Ok(ControlSeen { why: Some(why), ..ControlSeen::default() });
    let connected = match client.connect(peer).await? {
        Ok(connected) => connected,
        Err(refused) => return no(format!("Connect to the control peer {peer} is refused: {:?}", refused.code)),
    };
    let Ok(Ok((mut stream, _))) = timeout(WAIT * TRIES, listener.accept()).await else {
        return no(format!("no connection came to the control peer {peer}"));
    };
    let mut wire = client.bind_connection(net, server, &connected).await?;
    let proof = proof()?;
    wire.send_raw(&proof).await?;
    let mut buffer = [0; PROOF_BYTES];
    let there = timeout(WAIT * TRIES, stream.read_exact(&mut buffer)).await;
    if !matches!(there, Ok(Ok(_))) || buffer != proof {
        return no("nothing arrived at the control peer".into());
    }
    let _ = stream.write_all(&buffer).await; // shows below
    let back = wire.read_raw(PROOF_BYTES, WAIT * TRIES).await;
    Ok(ControlSeen { relayed: back.as_deref() == Some(&proof[..]), ..ControlSeen::default() })
}

/// Where the server sees this socket.
async fn binding(socket: &UdpSocket, server: SocketAddr) -> Option<SocketAddr> {
    let mut id = [0; 12];
    getrandom::fill(&mut id).ok()?;
    let request = Message::new(Class::Request, Method::BINDING, id).fingerprinted().ok()?.emit().ok()?;
    let mut buffer = [0; 1024];
    for _ in 0..TRIES {
        socket.send_to(&request, server).await.ok()?;
        let until = Instant::now() + WAIT;
        while let Ok(Ok((length, from))) = timeout_at(until, socket.recv_from(&mut buffer)).await {
            let answer = Message::parse(buffer.get(..length).unwrap_or_default()).ok();
            let mapped = answer.filter(|answer| from == server && answer.transaction == id);
            if let Some(mapped) = mapped.and_then(|answer| answer.find(mapped_in)) {
                return Some(mapped);
            }
        }
    }
    None
}

fn mapped_in(attribute: &Attribute) -> Option<SocketAddr> {
    match attribute {
        Attribute::XorMappedAddress(address) | Attribute::MappedAddress(address) => Some(*address),
        _ => None,
    }
}

/// What is sent and has to come back.
fn proof() -> Result<[u8; PROOF_BYTES], Failure> {
    let mut proof = [0; PROOF_BYTES];
    getrandom::fill(&mut proof).map_err(|error| Failure::protocol(format!("no random bytes: {error}")))?;
    Ok(proof)
}
