//! Clients that come over TCP or TLS: each connection in a task of its own, which hands its frames to the server and writes
//! what the server has for it. RFC 8656, sections 3.1 and 12.5.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ringfence_wire::turn_stream::Frames;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{Client, Over};
use crate::figures::{HANDSHAKE_LIMIT, IDLE_LIMIT, TURN_MAX_LIFETIME_S, TURN_QUEUE};
use crate::front::{self, Tls};

/// Bytes of one read.
const PIECE_BYTES: usize = 4096;
/// How long a client may say nothing: what it holds has run out by then.
const SILENCE: Duration = Duration::from_secs(TURN_MAX_LIFETIME_S as u64);

/// What comes from connections.
pub(super) enum Arrived {
    /// A client is there; what goes into the queue is written to it.
    Opened(Client, mpsc::Sender<Vec<u8>>),
    /// It sent a frame.
    Frame(Client, Vec<u8>),
    /// It is gone.
    Closed(Client),
}

/// A listener for TURN clients.
pub(crate) struct Door {
    /// Where they come in.
    pub listener: TcpListener,
    /// Whether they speak TLS, and as whom we do.
    pub tls: Option<Tls>,
}

impl Door {
    /// Serves for ever; dropping the future closes all connections.
    pub(super) async fn serve(self, arrived: mpsc::Sender<Arrived>, numbers: Arc<AtomicU64>) {
        front::serve_each(&self.listener, |stream, _| {
            // Never used again, so that nobody inherits the allocation of an address that he got by chance.
            let number = numbers.fetch_add(1, Ordering::Relaxed);
            serve_client(stream, self.tls.clone(), number, arrived.clone())
        })
        .await;
    }
}

async fn serve_client(stream: TcpStream, tls: Option<Tls>, number: u64, arrived: mpsc::Sender<Arrived>) {
    let Ok(address) = stream.peer_addr() else { return };
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let Some(tls) = tls else { return carry(stream, address, number, arrived).await };
    if let Ok(Ok(stream)) = timeout(HANDSHAKE_LIMIT, tls.accept(stream)).await {
        carry(stream, address, number, arrived).await;
    }
}

/// Carries frames until the client closes, says nothing for too long, or does not read.
async fn carry(stream: impl AsyncRead + AsyncWrite, address: SocketAddr, number: u64, arrived: mpsc::Sender<Arrived>) {
    let client = Client { address, over: Over::Stream(number) };
    let (outbox, waiting) = mpsc::channel(TURN_QUEUE);
    let (reader, writer) = split(stream);
    let _ = arrived.send(Arrived::Opened(client, outbox)).await; // with the server gone, so is this task
    tokio::select! {
        () = read(reader, client, &arrived) => {}
        () = write(writer, waiting) => {}
    }
    let _ = arrived.send(Arrived::Closed(client)).await;
}

async fn read(mut reader: impl AsyncRead + Unpin, client: Client, arrived: &mpsc::Sender<Arrived>) {
    let mut frames = Frames::default();
    let mut piece = vec![0; PIECE_BYTES];
    while let Ok(Ok(length @ 1..)) = timeout(SILENCE, reader.read(&mut piece)).await {
        frames.push(piece.get(..length).unwrap_or_default());
        loop {
            match frames.next_frame() {
                Ok(Some(frame)) => {
                    let _ = arrived.send(Arrived::Frame(client, frame.to_vec())).await;
                }
                Ok(None) => break,
                Err(_) => return, // nothing after that can be trusted
            }
        }
    }
}

async fn write(mut writer: impl AsyncWrite + Unpin, mut waiting: mpsc::Receiver<Vec<u8>>) {
    while let Some(frame) = waiting.recv().await {
        let writing = async {
            writer.write_all(&frame).await?;
            writer.flush().await
        };
        if !matches!(timeout(IDLE_LIMIT, writing).await, Ok(Ok(()))) {
            return;
        }
    }
}
