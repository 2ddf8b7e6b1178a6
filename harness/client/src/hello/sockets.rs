//! The machines over sockets: a connection, or a port, of its own for each hello.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use ringfence_model::observation::Outcome;
use ringfence_wire::hello::{ClientHello, Depth, Reply, TlsReader};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::exchange::Exchange;
use super::findings::{Report, Traffic};
use super::machine::{Ask, Told};
use super::offer::{Question, Wanted};
use super::scan::{Scan, Step};
use crate::{Failure, Net};

/// The bounds of a scan.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// From a hello to the end of its answer.
    pub answer: Duration,
    /// Hellos under way at once; no more than one for each version ever are.
    pub at_once: usize,
}

/// Asks a TLS server about all versions, over a TCP connection for each hello.
///
/// # Errors
/// The scope or the budget does not allow it, or no connection was accepted at all.
pub async fn tls(net: &Net, host: &str, port: u16, question: &Question, bounds: Bounds) -> Result<Report, Failure> {
    let depth = depth(question.wanted);
    let (scan, net, host) = (Scan::tls(question), net.clone(), host.to_owned());
    on_a_task(async move {
        let (net, host) = (&net, host.as_str());
        drive(scan, bounds.at_once, |_: Option<()>, ask| {
            Box::pin(async move {
                let hello = match ask {
                    Ask::Hello(hello) => hello,
                    Ask::Cookie(..) | Ask::Done(_) => return Ok(Done::told("a cookie over TLS")),
                };
                let (told, traffic) = over_tcp(net, (host, port), &hello, depth, bounds.answer).await?;
                Ok(Done { told, traffic, kept: None })
            })
        })
        .await
    })
    .await
}

/// One hello over a connection of its own, and what comes back within this time.
///
/// # Errors
/// The connection is not allowed, or was not accepted.
pub(super) async fn over_tcp(
    net: &Net,
    (host, port): (&str, u16),
    hello: &ClientHello,
    depth: Depth,
    answer: Duration,
) -> Result<(Told, Traffic), Failure> {
    let stream = match hello.to_tls() {
        Ok(stream) => stream,
        Err(error) => return Ok((Told::Broken(error.to_string()), Traffic::default())),
    };
    let deadline = Instant::now() + answer;
    let mut connection = net.tcp(host, port).await?;
    let mut traffic = Traffic { sent: bytes(stream.len()), received: 0 };
    let mut reader = TlsReader::new(depth);
    let exchange = async {
        connection.write_all(&stream).await?;
        let mut piece = [0; 4096];
        loop {
            let count = connection.read(&mut piece).await?;
            if count == 0 {
                return Ok(None);
            }
            net.note_answer();
            traffic.received += bytes(count);
            if let Some(reply) = reader.feed(piece.get(..count).unwrap_or_default()) {
                return Ok(Some(reply));
            }
        }
    };
    let ended: Result<std::io::Result<Option<Reply>>, _> = timeout_at(deadline, exchange).await;
    let told = match ended {
        Ok(Ok(Some(reply))) => Told::Reply(reply),
        Ok(_) if reader.heard() => Told::Reply(reader.end()),
        Ok(_) => Told::Closed,
        Err(_) if reader.heard() => match reader.end() {
            Reply::Alert { fatal: false, .. } => Told::Broken("no answer but a warning alert".to_owned()),
            reply => Told::Reply(reply),
        },
        Err(_) => Told::Silence,
    };
    Ok((told, traffic))
}

/// Asks a DTLS server about all versions, from a port of its own for each hello. Nothing is sent but hellos and a farewell.
///
/// # Errors
/// The scope or the budget does not allow it, or no socket could be opened.
pub async fn dtls(net: &Net, server: SocketAddr, question: &Question, bounds: Bounds) -> Result<Report, Failure> {
    let depth = depth(question.wanted);
    let (scan, net) = (Scan::dtls(question), net.clone());
    on_a_task(async move {
        let net = &net;
        drive(scan, bounds.at_once, |kept: Option<Conversation>, ask| {
            Box::pin(async move {
                let (mut conversation, hello, sequence) = match (ask, kept) {
                    (Ask::Cookie(hello, sequence), Some(kept)) => (kept, hello, sequence),
                    (Ask::Hello(hello) | Ask::Cookie(hello, _), _) => {
                        (Conversation { socket: net.udp(server).await?, exchange: Exchange::new(depth) }, hello, 0)
                    }
                    (Ask::Done(_), _) => return Ok(Done::told("nothing was asked")),
                };
                let deadline = Instant::now() + bounds.answer;
                let told = match timeout_at(deadline, conversation.ask(net, &hello, sequence)).await {
                    Ok(Ok(reply)) => Told::Reply(reply),
                    Ok(Err(reason)) => Told::Broken(reason),
                    Err(_) => conversation.exchange.end(),
                };
                let traffic = conversation.exchange.traffic();
                if matches!(told, Told::Reply(Reply::HelloVerifyRequest { .. })) {
                    return Ok(Done { told, traffic, kept: Some(conversation) });
                }
                let _ = conversation.socket.send(&Exchange::farewell(&hello)).await;
                Ok(Done { told, traffic, kept: None })
            })
        })
        .await
    })
    .await
}

/// Drives a scan where sockets wake it without a detour over the thread that waits for its end, which would cost more than the
/// hellos do. Whoever no longer waits ends it.
async fn on_a_task<T: Send + 'static>(scan: impl Future<Output = T> + Send + 'static) -> T {
    let mut task = JoinSet::new();
    task.spawn(scan);
    match task.join_next().await {
        Some(Ok(done)) => done,
        Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime ends, and with it whoever waits here.
        Some(Err(_)) | None => std::future::pending().await,
    }
}

/// A port of ours.
struct Conversation {
    socket: UdpSocket,
    exchange: Exchange,
}

impl Conversation {
    /// Sends a hello and reads until something can be said.
    async fn ask(&mut self, net: &Net, hello: &ClientHello, sequence: u16) -> Result<Reply, String> {
        for datagram in self.exchange.ask(hello, sequence)? {
            self.socket.send(&datagram).await.map_err(|error| format!("cannot send: {error}"))?;
        }
        let mut datagram = Vec::with_capacity(usize::from(u16::MAX)); // mostly untouched
        loop {
            datagram.clear();
            self.socket.recv_buf(&mut datagram).await.map_err(|error| format!("cannot receive: {error}"))?;
            net.note_answer();
            if let Some(reply) = self.exchange.feed(&datagram) {
                return Ok(reply);
            }
        }
    }
}

/// What came of one question, and what the next of the same version may need.
struct Done<K> {
    told: Told,
    traffic: Traffic,
    kept: Option<K>,
}

impl<K> Done<K> {
    /// Nothing was sent.
    fn told(reason: &str) -> Self {
        Self { told: Told::Broken(reason.to_owned()), traffic: Traffic::default(), kept: None }
    }
}

/// Runs a scan to its end with at most so many questions under way.
async fn drive<'a, K>(
    mut scan: Scan,
    at_once: usize,
    ask: impl Fn(Option<K>, Ask) -> BoxFuture<'a, Result<Done<K>, Failure>>,
) -> Result<Report, Failure> {
    let mut under_way = FuturesUnordered::new();
    let mut kept: Vec<(usize, K)> = Vec::new();
    let (mut reached, mut failed) = (false, None);
    loop {
        if under_way.len() < at_once.max(1) {
            match scan.next() {
                Step::Ask(number, question) => {
                    let place = kept.iter().position(|(owner, _)| *owner == number);
                    let kept = place.map(|place| kept.swap_remove(place).1);
                    let answer = ask(kept, question);
                    under_way.push(async move { (number, answer.await) });
                    continue;
                }
                Step::Wait => {}
                Step::Done(report) => {
                    return match failed.filter(|_| !reached) {
                        Some(failure) => Err(failure),
                        None => Ok(*report),
                    };
                }
            }
        }
        let Some((number, answer)) = under_way.next().await else { continue };
        match answer {
            Ok(done) => {
                reached = true;
                kept.extend(done.kept.map(|kept| (number, kept)));
                scan.answer(number, done.traffic, done.told);
            }
            Err(failure) if matches!(failure.outcome, Outcome::OutOfScope | Outcome::Budget) => return Err(failure),
            Err(failure) if failure.outcome == Outcome::Unreachable && !reached => return Err(failure),
            Err(failure) => {
                scan.answer(number, Traffic::default(), Told::Broken(failure.error.raw().to_owned()));
                failed.get_or_insert(failure);
            }
        }
    }
}

fn depth(wanted: Wanted) -> Depth {
    if wanted.groups || wanted.schemes { Depth::Flight } else { Depth::Hello }
}

fn bytes(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
