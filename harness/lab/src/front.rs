//! Accepting connections, and the first byte of each: TLS, or somebody who speaks in the clear.

use std::io::{Error, ErrorKind, Result};
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::figures::{HANDSHAKE_LIMIT, MAX_CONNECTIONS};

/// Content type of a TLS handshake record: the first byte of every ClientHello. RFC 8446, section 5.1.
const TLS_HANDSHAKE: u8 = 0x16;
/// What a healthy listener says in the clear: nothing of its own.
const REFUSAL: &[u8] = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
/// Bytes of a refused request that are read, so that closing does not reset the answer on its way.
const DRAINED_BYTES: u64 = 16 * 1024;
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections and serves each in a task of its own. More than [`MAX_CONNECTIONS`] at a time are closed at
/// once; dropping the future closes all.
pub(crate) async fn serve_each<F>(listener: TcpListener, mut serve: impl FnMut(TcpStream, IpAddr) -> F)
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

/// Does the TLS handshake. A client that begins with anything else is refused, unless `serve_plain`, which is asked
/// only then, says that this listener serves it in the clear.
///
/// # Errors
/// Refused, no handshake, or none in time. Dropping the future closes the connection.
pub(crate) async fn open(stream: TcpStream, tls: &TlsAcceptor, serve_plain: impl FnOnce() -> bool) -> Result<Opened> {
    let opening = async {
        stream.set_nodelay(true)?;
        let mut first = [0];
        if stream.peek(&mut first).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if first == [TLS_HANDSHAKE] {
            return Ok(Opened::Tls(Box::new(tls.accept(stream).await?)));
        }
        if serve_plain() { Ok(Opened::Plain(stream)) } else { Err(refuse(stream).await) }
    };
    timeout(HANDSHAKE_LIMIT, opening).await.map_err(|_| Error::from(ErrorKind::TimedOut))?
}

async fn refuse(mut stream: TcpStream) -> Error {
    let said = async {
        stream.write_all(REFUSAL).await?;
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
