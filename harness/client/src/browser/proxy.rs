//! The browser's only way to HTTP and WebSocket servers: a forward proxy (RFC 9110, section 9.3.6) that dials through
//! [`Net`] and refuses what lies outside the scope.
//!
//! Where the target file names certificates of its own, the browser has no way to trust them. Then the proxy verifies a
//! server once, by a handshake of its own, before the browser's handshake goes through, and the browser is told to accept
//! what comes. A server that shows one certificate to the proxy and another to the browser would not be noticed.

mod head;

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ringfence_model::observation::Outcome;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OnceCell, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::{Failure, Net};
use head::{Head, Kind, MAX_HEAD_BYTES};

/// Connections at once (house): a browser opens six per host.
const MAX_CONNECTIONS: usize = 128;
/// Bytes of one visit in both directions (house): a page without an end gets one here.
const MAX_VISIT_BYTES: u64 = 256 * 1024 * 1024;
/// How long the browser may take to say what it wants (house).
const HEAD: Duration = Duration::from_secs(30);
/// Hosts whose refusal is kept (house).
const MAX_REFUSED: usize = 256;
/// First byte of a TLS handshake record. RFC 8446, section 5.1.
const HANDSHAKE: u8 = 22;

/// What went through the proxy.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Hosts outside the scope that were asked for.
    pub refused: BTreeSet<String>,
    /// Why servers could not be reached, by `host:port`.
    pub failures: HashMap<String, Failure>,
    /// Bytes in both directions.
    pub bytes: u64,
}

/// A running proxy. Dropped, it closes every connection.
pub(super) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
    /// Dropped with this, all connections end.
    _open: watch::Sender<()>,
}

/// What the first handshake with a server came to.
type Verdict = Arc<OnceCell<Result<(), Failure>>>;

struct Shared {
    net: Net,
    verifies: bool,
    traffic: Mutex<Traffic>,
    bytes: AtomicU64,
    /// By `host:port`.
    verified: Mutex<HashMap<String, Verdict>>,
}

impl Proxy {
    /// Listens on loopback. `verifies`: see the head of this file.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(net: Net, verifies: bool) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let traffic = Mutex::default();
        let shared = Arc::new(Shared { net, verifies, traffic, bytes: AtomicU64::new(0), verified: Mutex::default() });
        let (open, closed) = watch::channel(());
        let task = tokio::spawn(accept(listener, shared.clone(), closed));
        Ok(Self { address, shared, task, _open: open })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What went through until now.
    pub fn traffic(&self) -> Traffic {
        Traffic { bytes: self.shared.bytes.load(Ordering::Relaxed), ..self.shared.traffic().clone() }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, closed: watch::Receiver<()>) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else { return };
        let Ok((browser, _)) = listener.accept().await else { continue };
        let (shared, mut closed) = (shared.clone(), closed.clone());
        tokio::spawn(async move {
            tokio::select! {
                // What either side breaks off is over; the browser tells the page.
                _ = shared.serve(browser) => {}
                _ = closed.changed() => {}
            }
            drop(slot);
        });
    }
}

impl Shared {
    fn traffic(&self) -> std::sync::MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(&self, mut browser: TcpStream) -> io::Result<()> {
        let Ok(read) = timeout(HEAD, read_head(&mut browser)).await else { return Ok(()) };
        let (bytes, end) = read?;
        let head = match Head::parse(bytes.get(..end).unwrap_or_default()) {
            Ok(head) => head,
            Err(why) => return answer(&mut browser, "400 Bad Request", why).await,
        };
        let mut server = match self.net.tcp(&head.host, head.port).await {
            Ok(server) => server,
            Err(failure) => {
                let status = match failure.outcome {
                    Outcome::OutOfScope => "403 Forbidden",
                    Outcome::Timeout => "504 Gateway Timeout",
                    _ => "502 Bad Gateway",
                };
                self.note(&head, failure);
                return answer(&mut browser, status, "not reached").await;
            }
        };
        let rest = bytes.get(end..).unwrap_or_default();
        match head.kind {
            Kind::Tunnel => {
                browser.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
                // TLS or not is known from what the browser says first.
                let mut first = [rest.first().copied().unwrap_or_default()];
                if rest.is_empty() {
                    browser.peek(&mut first).await?;
                }
                if first == [HANDSHAKE] && self.verifies && self.verify(&head).await.is_err() {
                    return Ok(());
                }
            }
            Kind::Request(request) => server.write_all(&request).await?,
        }
        server.write_all(rest).await?;
        self.copy(browser, server).await
    }

    /// Whether the server's certificate is one that the target file trusts, asked once per server.
    async fn verify(&self, head: &Head) -> Result<(), Failure> {
        let cell = {
            let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
            verified.entry(head.authority()).or_default().clone()
        };
        let ask = || async { self.net.tls(&head.host, head.port, &[b"http/1.1"]).await.map(|_| ()) };
        let verdict = cell.get_or_init(ask).await.clone();
        if let Err(failure) = &verdict {
            self.note(head, failure.clone());
        }
        verdict
    }

    fn note(&self, head: &Head, failure: Failure) {
        let mut traffic = self.traffic();
        if failure.outcome == Outcome::OutOfScope && traffic.refused.len() < MAX_REFUSED {
            traffic.refused.insert(head.host.clone());
        }
        if traffic.failures.len() < MAX_REFUSED {
            traffic.failures.insert(head.authority(), failure);
        }
    }

    async fn copy(&self, browser: TcpStream, server: TcpStream) -> io::Result<()> {
        let (mut from_browser, mut to_browser) = browser.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let up = async {
            self.one_way(&mut from_browser, &mut to_server, false).await?;
            to_server.shutdown().await
        };
        let down = async {
            self.one_way(&mut from_server, &mut to_browser, true).await?;
            to_browser.shutdown().await
        };
        tokio::try_join!(up, down).map(|_| ())
    }

    async fn one_way(
        &self,
        from: &mut (impl AsyncReadExt + Unpin),
        to: &mut (impl AsyncWriteExt + Unpin),
        answers: bool,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let count = from.read(&mut buffer).await?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
            if answers {
                self.net.note_answer();
            }
            if self.bytes.fetch_add(count as u64, Ordering::Relaxed) > MAX_VISIT_BYTES {
                return Err(io::Error::other("more bytes than a visit takes"));
            }
            to.write_all(bytes).await?;
        }
    }
}

/// Reads up to the blank line; what came behind it belongs to the server.
async fn read_head(browser: &mut TcpStream) -> io::Result<(Vec<u8>, usize)> {
    let mut bytes = vec![];
    loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            return Ok((bytes, at + 4));
        }
        if bytes.len() > MAX_HEAD_BYTES || browser.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

async fn answer(browser: &mut TcpStream, status: &str, why: &str) -> io::Result<()> {
    let length = why.len();
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{why}"
    );
    browser.write_all(text.as_bytes()).await?;
    browser.shutdown().await
}

#[cfg(test)]
mod tests;
