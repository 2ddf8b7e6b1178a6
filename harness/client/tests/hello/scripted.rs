//! A scripted TCP server: it reads a hello and does what it is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ringfence_wire::hello::ClientHello;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What becomes of a connection after the answer.
#[derive(Clone, Copy, Debug)]
pub enum End {
    Close,
    /// Nothing more comes, and it stays open.
    Hold,
    /// No more is sent, what comes is read on: the half-closed socket.
    Half,
    Reset,
    /// The answer again and again.
    Endless,
    /// A byte now and then.
    Drip,
}

/// A server that answers each hello like this; and how many bytes it got rid of.
pub async fn serve(
    answer: impl Fn(&ClientHello) -> (Vec<u8>, End) + Send + Sync + 'static,
) -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (answer, sent) = (Arc::new(answer), Arc::new(AtomicU64::new(0)));
    let count = sent.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(stream, answer.clone(), count.clone()));
        }
    });
    (address, sent)
}

async fn connection(
    mut stream: TcpStream,
    answer: Arc<impl Fn(&ClientHello) -> (Vec<u8>, End)>,
    sent: Arc<AtomicU64>,
) -> std::io::Result<()> {
    let (mut heard, mut piece) = (Vec::new(), [0; 4096]);
    let hello = loop {
        let count = stream.read(&mut piece).await?;
        heard.extend_from_slice(&piece[..count]);
        if count == 0 {
            return Ok(());
        }
        if let Some(hello) = ClientHello::from_tls(&heard).unwrap() {
            break hello;
        }
    };
    let (bytes, end) = answer(&hello);
    match end {
        End::Drip => {
            for byte in bytes {
                stream.write_all(&[byte]).await?;
                sent.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        End::Endless => loop {
            let count = stream.write(&bytes).await?;
            sent.fetch_add(count as u64, Ordering::Relaxed);
        },
        _ => {
            for piece in bytes.chunks(16_000) {
                stream.write_all(piece).await?;
                sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
            }
        }
    }
    match end {
        End::Close | End::Endless | End::Drip => Ok(()),
        End::Reset => stream.set_zero_linger(),
        End::Half => {
            stream.shutdown().await?;
            while stream.read(&mut piece).await? > 0 {}
            Ok(())
        }
        End::Hold => {
            while stream.read(&mut piece).await? > 0 {}
            Ok(())
        }
    }
}

pub fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &u16::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
}
