//! Accepting connections, and the first byte of each: TLS, or somebody who speaks in the clear.

use std::io::{Error, ErrorKind, Result};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ringfence_wire::hello::ClientHello;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::by_hand::ByHand;
use crate::figures::{HANDSHAKE_LIMIT, MAX_CONNECTIONS};

/// Content type of a TLS handshake record: the first byte of every ClientHello. RFC 8446, section 5.1.
const TLS_HANDSHAKE: u8 = 0x16;
/// What a healthy listener says in the clear: nothing of its own.
const REFUSAL: &[u8] = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
/// Bytes of a refused request that are read, so that closing does not reset the answer on its way.
const DRAINED_BYTES: u64 = 16 * 1024;
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Bytes within which a hello has to be whole to be looked at. House: a scan that offers everything needs two thousand.
const PEEKED_BYTES: usize = 16 * 1024;
/// How long is waited for the rest of a hello. House.
const PEEK_PAUSE: Duration = Duration::from_millis(5);

/// Accepts connections and serves each in a task of its own. More than [`MAX_CONNECTIONS`] at a time are closed at
/// once; dropping the future closes all.
pub(crate) async fn serve_each<F>(listener: &TcpListener, mut serve: impl FnMut(TcpStream, IpAddr) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) if connections.len() < MAX_CONNECTIONS => {
                    connections.spawn(serve(stream, peer.ip()));
                }
                Ok(_) => {}
                // Out of file descriptors, most likely: some connection has to end first.
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
        }
    }
}

/// A connection that may be served.
pub(crate) enum Opened {
    /// After the handshake.
    Tls(Box<TlsStream<TcpStream>>),
    /// In the clear, because the listener wants it.
    Plain(TcpStream),
}

/// How a listener speaks TLS.
#[derive(Clone)]
pub(crate) struct Tls {
    library: TlsAcceptor,
    by_hand: Option<Arc<ByHand>>,
}

impl Tls {
    /// As the library does it with these settings.
    pub fn new(settings: Arc<ServerConfig>) -> Self {
        Self { library: TlsAcceptor::from(settings), by_hand: None }
    }

    /// The same, where some hellos may be answered by hand.
    pub fn or(self, by_hand: ByHand) -> Self {
        Self { by_hand: Some(Arc::new(by_hand)), ..self }
    }

    /// Does the handshake. The caller bounds its time.
    ///
    /// # Errors
    /// There is none, or its hello was answered by hand, which leads to none.
    pub async fn accept(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>> {
        if let Some(by_hand) = &self.by_hand
            && let Some(hello) = peek(&stream).await?
            && let Some(answer) = by_hand.answer(&hello)
        {
            return Err(last_words(stream, &answer).await);
        }
        self.library.accept(stream).await
    }
}

/// The hello at the beginning of what comes, which is left there; `None` if there is none that can be read.
async fn peek(stream: &TcpStream) -> Result<Option<ClientHello>> {
    let mut bytes = vec![0; PEEKED_BYTES];
    let mut before = 0;
    loop {
        let count = stream.peek(&mut bytes).await?;
        match ClientHello::from_tls(bytes.get(..count).unwrap_or_default()) {
            Ok(None) if (1..PEEKED_BYTES).contains(&count) => {}
            hello => return Ok(hello.unwrap_or_default()),
        }
        // What was peeked at is there at once the next time, be there more or not.
        if count == before {
            if stream.ready(Interest::READABLE).await?.is_read_closed() {
                return Ok(None);
            }
            sleep(PEEK_PAUSE).await;
        }
        before = count;
    }
}

/// Does the TLS handshake. A client that begins with anything else is refused, unless `serve_plain`, which is asked
/// only then, says that this listener serves it in the clear.
///
/// # Errors
/// Refused, no handshake, or none in time. Dropping the future closes the connection.
pub(crate) async fn open(stream: TcpStream, tls: &Tls, serve_plain: impl FnOnce() -> bool) -> Result<Opened> {
    let opening = async {
        stream.set_nodelay(true)?;
        let mut first = [0];
        if stream.peek(&mut first).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if first == [TLS_HANDSHAKE] {
            return Ok(Opened::Tls(Box::new(tls.accept(stream).await?)));
        }
        if serve_plain() { Ok(Opened::Plain(stream)) } else { Err(last_words(stream, REFUSAL).await) }
    };
    timeout(HANDSHAKE_LIMIT, opening).await.map_err(|_| Error::from(ErrorKind::TimedOut))?
}

/// Says that, and nothing more.
async fn last_words(mut stream: TcpStream, words: &[u8]) -> Error {
    let said = async {
        stream.write_all(words).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut (&mut stream).take(DRAINED_BYTES), &mut tokio::io::sink()).await
    };
    said.await.err().unwrap_or(Error::new(ErrorKind::InvalidData, "no TLS handshake"))
}

impl AsyncRead for Opened {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        match &mut *self {
            Opened::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
            Opened::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Opened {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        match &mut *self {
            Opened::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Opened::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match &mut *self {
            Opened::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Opened::Plain(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match &mut *self {
            Opened::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Opened::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
