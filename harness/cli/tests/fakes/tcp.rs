//! Servers that do not get as far as a protocol.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// A port that nobody listens on, and that nobody else can take while this lives.
pub struct ClosedPort {
    /// Where nobody is.
    pub address: SocketAddr,
    _held: TcpSocket,
}

impl ClosedPort {
    /// Takes a port without listening on it.
    pub fn new() -> Self {
        let held = TcpSocket::new_v4().expect("a socket");
        held.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
        Self { address: held.local_addr().expect("a bound address"), _held: held }
    }
}

/// Accepts, reads nothing and never sends.
pub async fn silent() -> SocketAddr {
    serve(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await
}

/// Closes every connection at once.
pub async fn closing() -> SocketAddr {
    serve(|stream| async move { drop(stream) }).await
}

/// Sends this to everybody, and keeps the connection open.
pub async fn saying(bytes: &'static [u8]) -> SocketAddr {
    serve(move |mut stream| async move {
        // A client that has seen enough may be gone already.
        let _ = stream.write_all(bytes).await;
        std::future::pending::<()>().await;
    })
    .await
}

/// Accepts on an ephemeral port of 127.0.0.1, each connection in a task of its own.
pub async fn serve<F>(with: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(with(stream));
        }
    });
    address
}
