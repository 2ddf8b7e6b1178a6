//! The machines over sockets: a connection, or a port, of its own for each hello.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use ringfence_model::observation::Outcome;
use ringfence_wire::hello::{ClientHello, Depth, DtlsReader, Reply, TlsReader};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::findings::{Report, Traffic};
use super::machine::{Ask, Told};
use super::offer::{Question, Wanted};
use super::scan::{Scan, Step};
use crate::{Failure, Net};

/// Bytes of a hello's message in one datagram: as many as the path of a call carries in one piece. Servers that hold no state
/// before the cookie cannot put fragments together (RFC 6347, section 4.2.1).
const FRAGMENT: usize = 1400; // (house)
/// Record numbers between two hellos of one port, more than a hello has fragments.
const RECORDS: u64 = 1000;
/// A fatal user_canceled (RFC 8446, section 6.1) as a record of epoch 0: a server that is left in the middle of its flight
/// would go on sending it, and some serve nobody else meanwhile.
const FAREWELL: [u8; 15] = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0, 0, 2, 2, 90];
/// Where the version of its record stands.
const FAREWELL_VERSION: std::ops::Range<usize> = 1..3;

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
    drive(Scan::tls(question), bounds.at_once, |_: Option<()>, ask| {
        Box::pin(async move {
            let hello = match ask {
                Ask::Hello(hello) => hello,
                Ask::Cookie(..) | Ask::Done(_) => return Ok(Done::told(Told::Broken("a cookie over TLS".to_owned()))),
            };
            let stream = match hello.to_tls() {
                Ok(stream) => stream,
                Err(error) => return Ok(Done::told(Told::Broken(error.to_string()))),
            };
            let deadline = Instant::now() + bounds.answer;
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
                _ if reader.heard() => Told::Reply(reader.end()),
                Ok(_) => Told::Closed,
                Err(_) => Told::Silence,
            };
            Ok(Done { told, traffic, kept: None })
        })
    })
    .await
}

/// Asks a DTLS server about all versions, from a port of its own for each hello. Nothing is sent but hellos and a farewell.
///
/// # Errors
/// The scope or the budget does not allow it, or no socket could be opened.
pub async fn dtls(net: &Net, server: SocketAddr, question: &Question, bounds: Bounds) -> Result<Report, Failure> {
    let depth = depth(question.wanted);
    drive(Scan::dtls(question), bounds.at_once, |kept: Option<Conversation>, ask| {
        Box::pin(async move {
            let (mut conversation, hello, sequence) = match (ask, kept) {
                (Ask::Cookie(hello, sequence), Some(kept)) => (kept, hello, sequence),
                (Ask::Hello(hello) | Ask::Cookie(hello, _), _) => {
                    (Conversation { socket: net.udp(server).await?, reader: DtlsReader::new(depth) }, hello, 0)
                }
                (Ask::Done(_), _) => return Ok(Done::told(Told::Broken("nothing was asked".to_owned()))),
            };
            let mut traffic = Traffic::default();
            let deadline = Instant::now() + bounds.answer;
            let exchange = conversation.exchange(net, &hello, sequence, &mut traffic);
            let told = match timeout_at(deadline, exchange).await {
                Ok(Ok(reply)) => Told::Reply(reply),
                Ok(Err(reason)) => Told::Broken(reason),
                Err(_) if conversation.reader.heard() => {
                    let reader = std::mem::replace(&mut conversation.reader, DtlsReader::new(depth));
                    Told::Reply(reader.end())
                }
                Err(_) => Told::Silence,
            };
            if matches!(told, Told::Reply(Reply::HelloVerifyRequest { .. })) {
                return Ok(Done { told, traffic, kept: Some(conversation) });
            }
            conversation.leave(&hello).await;
            Ok(Done { told, traffic, kept: None })
        })
    })
    .await
}

/// A port of ours.
struct Conversation {
    socket: UdpSocket,
    reader: DtlsReader,
}

impl Conversation {
    /// Sends a hello and reads until something can be said.
    async fn exchange(
        &mut self,
        net: &Net,
        hello: &ClientHello,
        sequence: u16,
        traffic: &mut Traffic,
    ) -> Result<Reply, String> {
        let records = u64::from(sequence) * RECORDS;
        let datagrams = hello.to_dtls(sequence, records, FRAGMENT).map_err(|error| error.to_string())?;
        for datagram in &datagrams {
            self.socket.send(datagram).await.map_err(|error| format!("cannot send: {error}"))?;
            traffic.sent += bytes(datagram.len());
        }
        let mut datagram = vec![0; usize::from(u16::MAX)];
        loop {
            let count = self.socket.recv(&mut datagram).await.map_err(|error| format!("cannot receive: {error}"))?;
            net.note_answer();
            traffic.received += bytes(count);
            if let Some(reply) = self.reader.feed(datagram.get(..count).unwrap_or_default()) {
                return Ok(reply);
            }
        }
    }

    /// Ends what the server may have begun. Whether it arrives does not matter.
    async fn leave(&self, hello: &ClientHello) {
        let mut farewell = FAREWELL;
        if let Some(version) = farewell.get_mut(FAREWELL_VERSION) {
            version.copy_from_slice(&hello.version.legacy().0.to_be_bytes());
        }
        let _ = self.socket.send(&farewell).await;
    }
}

/// What came of one question, and what the next of the same version may need.
struct Done<K> {
    told: Told,
    traffic: Traffic,
    kept: Option<K>,
}

impl<K> Done<K> {
    fn told(told: Told) -> Self {
        Self { told, traffic: Traffic::default(), kept: None }
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
