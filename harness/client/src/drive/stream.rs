//! TURN servers over TCP and TLS: each connection in a task of its own, which puts frames on the stream and takes them off.
//!
//! To the media machine a frame is a datagram. A server that does not read costs frames, as a bad path costs datagrams, and
//! after [`Limits::idle`](crate::net::Limits) the connection.

use std::net::SocketAddr;
use std::time::Duration;

use ringfence_wire::turn_stream::{Frames, padded};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::media::{TurnServer, TurnTransport};
use crate::{Failure, Net};

/// Frames that wait to be written, a second of audio and what ICE adds; further ones are dropped (house).
const MAX_WAITING: usize = 64;
/// Frames that were read and not taken yet; then the connection is read no further (house).
const MAX_TOLD: usize = 64;
/// Bytes of one read (house).
const PIECE_BYTES: usize = 4096;
/// What the last frames may take, and the server's own closing (house). A call's end waits a little longer.
const FAREWELL: Duration = Duration::from_millis(400);

/// What came of a connection.
#[derive(Debug)]
pub(super) enum Told {
    /// It is there.
    Connected(Link),
    /// It could not be made, or is gone.
    Lost {
        /// The server's place.
        place: usize,
        /// Why.
        failure: Failure,
    },
    /// The server sent a frame.
    Frame {
        /// Our end.
        local: SocketAddr,
        /// The server.
        remote: SocketAddr,
        /// The frame.
        bytes: Vec<u8>,
    },
}

/// A connection that is there.
#[derive(Debug)]
pub(super) struct Link {
    /// The server's place.
    pub place: usize,
    /// Our end.
    pub local: SocketAddr,
    /// The server's address as the machine knows it, which need not be the one of its name that answered.
    remote: SocketAddr,
    frames: mpsc::Sender<Vec<u8>>,
}

/// All connections of a call.
pub(super) struct Streams {
    told: mpsc::Receiver<Told>,
    links: Vec<Link>,
    tasks: JoinSet<()>,
}

impl Streams {
    /// Begins to connect. No connection gets an end that is one of `sockets`: the machine could not tell the two apart.
    pub(super) fn open(net: Option<&Net>, servers: Vec<(usize, TurnServer)>, sockets: &[SocketAddr]) -> Self {
        let (teller, told) = mpsc::channel(MAX_TOLD);
        let mut tasks = JoinSet::new();
        for (place, server) in servers {
            let task = Task { place, server, teller: teller.clone() };
            match net {
                Some(net) => drop(tasks.spawn(task.run(net.clone(), sockets.to_vec()))),
                None => drop(tasks.spawn(task.lose(Failure::protocol("nothing to dial a TURN server with")))),
            }
        }
        Self { told, links: Vec::new(), tasks }
    }

    /// The next thing that was told.
    pub(super) async fn next(&mut self) -> Told {
        match self.told.recv().await {
            Some(told) => told,
            None => std::future::pending().await, // every connection is over, or there never was one
        }
    }

    /// Takes a connection in.
    pub(super) fn add(&mut self, link: Link) {
        self.links.push(link);
    }

    /// Forgets a connection.
    pub(super) fn remove(&mut self, place: usize) {
        self.links.retain(|link| link.place != place);
    }

    /// Sends a frame; false where there is no such connection. A frame that finds the queue full is lost.
    pub(super) fn send(&self, local: SocketAddr, remote: SocketAddr, bytes: &[u8]) -> bool {
        let link = self.links.iter().find(|link| (link.local, link.remote) == (local, remote));
        if let Some(link) = link {
            let _ = link.frames.try_send(padded(bytes.to_vec()));
        }
        link.is_some()
    }

    /// Sends what is still waiting and closes all connections, within a bound.
    pub(super) async fn close(self) {
        let Self { told, links, mut tasks } = self;
        drop((told, links));
        let _ = timeout(FAREWELL, async { while tasks.join_next().await.is_some() {} }).await; // else cut off
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

struct Task {
    place: usize,
    server: TurnServer,
    teller: mpsc::Sender<Told>,
}

impl Task {
    async fn run(self, net: Net, sockets: Vec<SocketAddr>) {
        let (local, stream) = match self.connect(&net, &sockets).await {
            Ok(connected) => connected,
            Err(failure) => return self.lose(failure).await,
        };
        let (frames, waiting) = mpsc::channel(MAX_WAITING);
        let link = Link { place: self.place, local, remote: self.server.address, frames };
        let _ = self.teller.send(Told::Connected(link)).await; // nobody listens: the queue is closed at once, and so are we
        if let Err(failure) = self.carry(&net, local, stream, waiting).await {
            self.lose(failure).await;
        }
    }

    /// Carries frames until the connection fails, or nobody has anything to send any more.
    async fn carry(
        &self,
        net: &Net,
        local: SocketAddr,
        stream: Box<dyn Stream>,
        waiting: mpsc::Receiver<Vec<u8>>,
    ) -> Result<(), Failure> {
        let patience = net.limits().idle;
        let (reader, writer) = split(stream);
        let reading = self.read(reader, local, net);
        tokio::pin!(reading);
        tokio::select! {
            failure = &mut reading => return Err(failure),
            written = self.write(writer, waiting, patience) => written?,
        }
        reading.await; // whoever closes with bytes unread resets the connection under what was just sent
        Ok(())
    }

    async fn connect(&self, net: &Net, sockets: &[SocketAddr]) -> Result<(SocketAddr, Box<dyn Stream>), Failure> {
        let TurnServer { address, host, transport, .. } = &self.server;
        let mut unusable = Vec::new(); // kept open, so that its port is not given out again
        loop {
            let no_end = |error: std::io::Error| Failure::closed(format!("{host}: {error}"));
            let (local, stream): (_, Box<dyn Stream>) = match transport {
                TurnTransport::Tls => {
                    let stream = net.tls(host, address.port(), &[]).await?;
                    (stream.get_ref().0.local_addr().map_err(no_end)?, Box::new(stream))
                }
                TurnTransport::Tcp | TurnTransport::Udp => {
                    let stream = net.tcp(host, address.port()).await?;
                    (stream.local_addr().map_err(no_end)?, Box::new(stream))
                }
            };
            if !sockets.contains(&local) {
                return Ok((local, stream));
            }
            unusable.push(stream);
        }
    }

    /// Reads until the server closes or speaks no TURN; returns why it ended.
    async fn read(&self, mut reader: impl AsyncRead + Unpin, local: SocketAddr, net: &Net) -> Failure {
        let mut frames = Frames::default();
        let mut piece = vec![0; PIECE_BYTES];
        let host = &self.server.host;
        loop {
            let length = match reader.read(&mut piece).await {
                Ok(0) => return Failure::closed(format!("the TURN server {host} closed the connection")),
                Ok(length) => length,
                Err(error) => return Failure::from_io(&format!("the connection to the TURN server {host}"), &error),
            };
            net.note_answer();
            frames.push(piece.get(..length).unwrap_or_default());
            loop {
                let bytes = match frames.next_frame() {
                    Ok(Some(frame)) => frame.to_vec(),
                    Ok(None) => break,
                    Err(error) => return Failure::protocol(format!("the TURN server {host}: {error}")),
                };
                let told = Told::Frame { local, remote: self.server.address, bytes };
                let _ = self.teller.send(told).await; // at the end nobody listens any more
            }
        }
    }

    /// Writes until nobody has anything to send any more, and says so to the server.
    async fn write(
        &self,
        mut writer: impl AsyncWrite + Unpin,
        mut waiting: mpsc::Receiver<Vec<u8>>,
        patience: Duration,
    ) -> Result<(), Failure> {
        let host = &self.server.host;
        let broken =
            |error: std::io::Error| Failure::from_io(&format!("the connection to the TURN server {host}"), &error);
        while let Some(frame) = waiting.recv().await {
            let writing = async {
                writer.write_all(&frame).await?;
                writer.flush().await
            };
            match timeout(patience, writing).await {
                Ok(written) => written.map_err(broken)?,
                Err(_) => return Err(Failure::timeout(format!("the TURN server {host} does not read"))),
            }
        }
        writer.shutdown().await.map_err(broken)
    }

    async fn lose(self, failure: Failure) {
        let _ = self.teller.send(Told::Lost { place: self.place, failure }).await; // at the end nobody listens any more
    }
}

#[cfg(test)]
mod tests;
