//! One connection to a TURN server, over UDP, TCP or TLS.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use ringfence_model::observation::Outcome;
use ringfence_wire::stun::{Class, Message, TransactionId};
use ringfence_wire::turn_stream::{Frames, padded};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout, timeout_at};

use crate::media::TurnTransport;
use crate::{Failure, Net};

/// First retransmission timeout over UDP (RFC 8489, section 6.2.1); it doubles.
const RTO: Duration = Duration::from_millis(500);
/// Requests sent over UDP before silence counts: 3.5 s in all. RFC 8489 waits for seven, which is 39.5 s (house).
const ATTEMPTS: u32 = 3;
/// How long a stream may take to answer (house).
const STREAM_ANSWER: Duration = Duration::from_secs(5);
/// A datagram that is longer is not read whole: no STUN message is (house).
const MAX_DATAGRAM_BYTES: usize = 2048;
/// Indications and channel data that wait to be asked for; further ones are lost (house).
const MAX_UNASKED: usize = 16;
/// Bytes of one read (house).
const PIECE_BYTES: usize = 2048;

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Name or address, as its URL has it.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How it is reached.
    pub transport: TurnTransport,
}

/// Bytes of one or more connections, without headers of the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    /// We sent so many.
    pub sent: usize,
    /// The server sent so many.
    pub received: usize,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for T {}

enum Link {
    Datagrams(UdpSocket),
    Stream { stream: Box<dyn Stream>, frames: Frames },
}

/// A connection.
pub struct Wire {
    net: Net,
    link: Link,
    local: SocketAddr,
    remote: SocketAddr,
    unasked: VecDeque<Vec<u8>>,
    bytes: Bytes,
}

impl Wire {
    /// Dials a server, within the scope.
    ///
    /// # Errors
    /// As [`Net::tcp`], [`Net::tls`] and [`Net::udp`].
    pub async fn open(net: &Net, server: &Server) -> Result<Self, Failure> {
        let Server { host, port, transport } = server;
        let no_end = |error: std::io::Error| Failure::from_io(host, &error);
        let (link, local, remote) = match transport {
            TurnTransport::Udp => {
                let socket = net.udp(net.resolve(host, *port).await?).await?;
                let ends = (socket.local_addr().map_err(no_end)?, socket.peer_addr().map_err(no_end)?);
                (Link::Datagrams(socket), ends.0, ends.1)
            }
            TurnTransport::Tcp => {
                let stream = net.tcp(host, *port).await?;
                let ends = (stream.local_addr().map_err(no_end)?, stream.peer_addr().map_err(no_end)?);
                (Link::Stream { stream: Box::new(stream), frames: Frames::default() }, ends.0, ends.1)
            }
            TurnTransport::Tls => {
                let stream = net.tls(host, *port, &[]).await?;
                let tcp = stream.get_ref().0;
                let ends = (tcp.local_addr().map_err(no_end)?, tcp.peer_addr().map_err(no_end)?);
                (Link::Stream { stream: Box::new(stream), frames: Frames::default() }, ends.0, ends.1)
            }
        };
        let (unasked, bytes) = (VecDeque::new(), Bytes::default());
        Ok(Self { net: net.clone(), link, local, remote, unasked, bytes })
    }

    /// Our end.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// The server.
    pub fn remote(&self) -> SocketAddr {
        self.remote
    }

    /// What went over it so far.
    pub fn bytes(&self) -> Bytes {
        self.bytes
    }

    /// Sends a request and waits for its answer; over UDP it is repeated. What else comes is kept, within a bound, for
    /// [`Wire::unasked`].
    ///
    /// # Errors
    /// Silence, or the connection is gone.
    pub async fn ask(&mut self, request: &[u8], id: TransactionId) -> Result<Message, Failure> {
        let (attempts, first) = match self.link {
            Link::Datagrams(_) => (ATTEMPTS, RTO),
            Link::Stream { .. } => (1, STREAM_ANSWER),
        };
        for attempt in 0..attempts {
            self.send(request).await?;
            let until = Instant::now() + first * 2u32.pow(attempt);
            while let Some(received) = self.receive(until).await? {
                match answer_to(id, &received) {
                    Some(message) => return Ok(message),
                    None if self.unasked.len() < MAX_UNASKED => self.unasked.push_back(received),
                    None => {}
                }
            }
        }
        Err(Failure::new(Outcome::Timeout, "the TURN server does not answer"))
    }

    /// Sends what is not answered: an indication, or data on a channel.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.bytes.sent += bytes.len();
        match &mut self.link {
            Link::Datagrams(socket) => {
                let sent = socket.send(bytes).await;
                sent.map(drop).map_err(|error| Failure::new(Outcome::Unreachable, error.to_string()))
            }
            Link::Stream { stream, .. } => {
                let bytes = padded(bytes.to_vec());
                let writing = async {
                    stream.write_all(&bytes).await?;
                    stream.flush().await
                };
                match timeout(STREAM_ANSWER, writing).await {
                    Ok(written) => written.map_err(|error| closed(&error)),
                    Err(_) => Err(Failure::timeout("the TURN server does not read")),
                }
            }
        }
    }

    /// The next thing that answers no request, within `wait`.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn unasked(&mut self, wait: Duration) -> Result<Option<Vec<u8>>, Failure> {
        match self.unasked.pop_front() {
            Some(kept) => Ok(Some(kept)),
            None => self.receive(Instant::now() + wait).await,
        }
    }

    /// Sends raw bytes of a TCP peer, behind ConnectionBind. RFC 6062, section 4.3.
    ///
    /// # Errors
    /// The connection is gone, or is none.
    pub async fn send_raw(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Link::Stream { stream, .. } = &mut self.link else {
            return Err(Failure::protocol("a TCP peer needs a connection"));
        };
        self.bytes.sent += bytes.len();
        stream.write_all(bytes).await.map_err(|error| closed(&error))?;
        stream.flush().await.map_err(|error| closed(&error))
    }

    /// Reads that many raw bytes of a TCP peer, within `wait`.
    pub async fn read_raw(&mut self, length: usize, wait: Duration) -> Option<Vec<u8>> {
        let Link::Stream { stream, .. } = &mut self.link else { return None };
        let mut bytes = vec![0; length];
        timeout(wait, stream.read_exact(&mut bytes)).await.ok()?.ok()?;
        Some(bytes)
    }

    /// The next message or frame; `None` when the time is up.
    async fn receive(&mut self, until: Instant) -> Result<Option<Vec<u8>>, Failure> {
        match &mut self.link {
            Link::Datagrams(socket) => {
                let mut buffer = [0; MAX_DATAGRAM_BYTES];
                let Ok(received) = timeout_at(until, socket.recv(&mut buffer)).await else { return Ok(None) };
                let length = received.map_err(|error| Failure::new(Outcome::Unreachable, error.to_string()))?;
                self.net.note_answer();
                self.bytes.received += length;
                Ok(Some(buffer.get(..length).unwrap_or_default().to_vec()))
            }
            Link::Stream { stream, frames } => loop {
                let wrong = |error: ringfence_wire::Error| Failure::protocol(format!("the TURN server: {error}"));
                if let Some(frame) = frames.next_frame().map_err(wrong)? {
                    return Ok(Some(frame.to_vec()));
                }
                let mut piece = [0; PIECE_BYTES];
                let Ok(read) = timeout_at(until, stream.read(&mut piece)).await else { return Ok(None) };
                let length = read.map_err(|error| closed(&error))?;
                if length == 0 {
                    return Err(Failure::closed("the TURN server closed the connection"));
                }
                self.net.note_answer();
                self.bytes.received += length;
                frames.push(piece.get(..length).unwrap_or_default());
            },
        }
    }
}

fn closed(error: &std::io::Error) -> Failure {
    Failure::new(Outcome::Closed, error.to_string())
}

/// The message, if it answers that transaction; anything else on the wire is not ours.
fn answer_to(id: TransactionId, bytes: &[u8]) -> Option<Message> {
    let message = Message::parse(bytes).ok()?;
    let answers = matches!(message.class, Class::Success | Class::Error);
    (answers && message.transaction == id).then_some(message)
}
