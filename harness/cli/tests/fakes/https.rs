//! An HTTPS server that answers with bytes: what it says need not be HTTP.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::pki::Pki;
use super::tcp;

/// What a request is answered with.
pub enum Reply {
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// The first bytes once, the second ones for ever.
    Endless(Vec<u8>, Vec<u8>),
    /// The first bytes once, then one byte whenever the client has had time to forget the last one.
    Drip(Vec<u8>),
    /// Nothing.
    Silence,
}

type Answering = dyn Fn(&str) -> Reply + Send + Sync;

/// Longest head of a request that is read.
const MAX_HEAD: usize = 64 * 1024;

/// A running server.
#[derive(Clone)]
pub struct Https {
    /// Where it listens.
    pub address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Https {
    /// Answers each request by its head.
    pub async fn serve(pki: &Pki, answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let (acceptor, answer, heads) = (pki.acceptor(), Arc::new(answer), Arc::new(Mutex::new(Vec::new())));
        let log = heads.clone();
        let address = tcp::serve(move |stream| {
            let (acceptor, answer, log) = (acceptor.clone(), answer.clone(), log.clone());
            async move {
                // A client may refuse the certificate, or speak no TLS: that is the test's business.
                if let Ok(stream) = acceptor.accept(stream).await {
                    talk(stream, &*answer, &log).await;
                }
            }
        })
        .await;
        Self { address, heads }
    }

    /// The same without TLS.
    pub async fn plain(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let (answer, heads) = (Arc::new(answer), Arc::new(Mutex::new(Vec::new())));
        let log = heads.clone();
        let address = tcp::serve(move |stream| {
            let (answer, log) = (answer.clone(), log.clone());
            async move { talk(stream, &*answer, &log).await }
        })
        .await;
        Self { address, heads }
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no holder panics").clone()
    }

    /// `https://…/PATH`.
    pub fn url(&self, path: &str) -> String {
        format!("https://{}/{path}", self.address)
    }
}

async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &Answering, log: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") && head.len() < MAX_HEAD {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    log.lock().expect("no holder panics").push(head.clone());
    // What follows may find that the client has gone: it has seen enough.
    let _ = send(&mut stream, answer(&head)).await;
}

async fn send(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Bytes(bytes) => {
            stream.write_all(&bytes).await?;
            stream.flush().await?;
            stream.shutdown().await
        }
        Reply::Endless(head, piece) => {
            stream.write_all(&head).await?;
            loop {
                stream.write_all(&piece).await?;
                stream.flush().await?;
            }
        }
        Reply::Drip(head) => {
            stream.write_all(&head).await?;
            loop {
                stream.write_all(b" ").await?;
                stream.flush().await?;
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
        Reply::Silence => {
            std::future::pending::<()>().await;
            Ok(())
        }
    }
}
