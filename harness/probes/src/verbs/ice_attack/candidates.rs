//! Offers with further candidates, all of them ours: how many the target checks, how fast, and which of those that it should not.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use ringfence_client::Failure;
use ringfence_client::adapters::CallConfig;
use ringfence_client::net::Cidr;
use ringfence_model::observation::Outcome;
use ringfence_wire::stun::{Class, Message, Method};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::{Done, ForeignCheck, Seen, block, calls};
use crate::{Cx, OwnFault};

/// Further candidates of one offer.
const MANY: usize = 250;
/// Checks that wait to be counted; further ones are lost (house).
const QUEUE: usize = 1024;
/// Transactions that are told apart (house).
const MAX_TRANSACTIONS: usize = 10_000;
/// A group of this link that nobody uses for anything: RFC 2365, section 9, the scope-relative block; RFC 6676.
const GROUP: Ipv4Addr = Ipv4Addr::new(233, 252, 0, 1);

/// A check that came to one of the further candidates.
struct Came {
    to: SocketAddr,
    id: [u8; 12],
    at: Instant,
}

/// 250 candidates at the address that the call itself is sent from.
pub(super) async fn many(cx: &Cx, config: &CallConfig, time: Duration, seen: &mut Seen) -> Done {
    let from = cx.net.source().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let Some(own) = own_address(from).await else {
        return Ok(Err(Failure::new(Outcome::Unreachable, "this machine has no address to offer")));
    };
    let mut sockets = Vec::new();
    for _ in 0..MANY {
        match UdpSocket::bind((own, 0)).await {
            Ok(socket) => sockets.push(socket),
            Err(error) => return Err(OwnFault(format!("cannot bind 250 sockets: {error}"))),
        }
    }
    offer(cx, config, sockets, time, seen).await
}

/// Candidates at special-purpose addresses that are ours. Where the target is on another machine there are none that it could
/// reach and that we could listen at: to it, loopback is its own.
pub(super) async fn special(cx: &Cx, config: &CallConfig, time: Duration, seen: &mut Seen) -> Done {
    let here = cx.net.source().is_some_and(|source| source.is_loopback());
    if !here {
        return Ok(Err(Failure::new(
            Outcome::Unreachable,
            "we own no special-purpose address that this target could reach",
        )));
    }
    let mut sockets = Vec::new();
    let ends = [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V4(Ipv4Addr::new(127, 255, 255, 254)),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ];
    for ip in ends {
        sockets.extend(UdpSocket::bind((ip, 0)).await.ok());
    }
    if let Ok(socket) = UdpSocket::bind((GROUP, 0)).await
        && socket.join_multicast_v4(GROUP, Ipv4Addr::LOCALHOST).is_ok()
    {
        sockets.push(socket);
    }
    offer(cx, config, sockets, time, seen).await
}

async fn offer(cx: &Cx, config: &CallConfig, sockets: Vec<UdpSocket>, time: Duration, seen: &mut Seen) -> Done {
    let declared: Result<Vec<Cidr>, _> =
        cx.target.declared.allowed_private.iter().map(|network| Cidr::from_str(network)).collect();
    let declared = declared.map_err(|error| OwnFault(format!("declared.allowed_private: {error}")))?;
    let mut media = calls::media(cx)?;
    media.extra_candidates = sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect();
    let (teller, mut came) = mpsc::channel(QUEUE);
    let mut listeners = JoinSet::new();
    for socket in sockets {
        listeners.spawn(listen(socket, teller.clone()));
    }
    let begun = Instant::now();
    let mut live = calls::call(cx, config, media, Duration::ZERO).await?;
    let until = begun.max(Instant::now() - Duration::from_secs(1)) + time;
    let (mut transactions, mut reached) = (HashSet::new(), HashSet::new());
    let mut span: Option<(Instant, Instant)> = None;
    while let Ok(Some(Came { to, id, at })) = timeout_at(until, came.recv()).await {
        seen.checks_received += 1;
        reached.insert(to);
        if transactions.len() < MAX_TRANSACTIONS && transactions.insert(id) {
            span = Some((span.map_or(at, |(first, _)| first), at));
        }
    }
    drop(listeners);
    let kit = live.check_kit().await;
    let answers = match &kit {
        Some(kit) => calls::answers(&mut live, kit).await?,
        None => false,
    };
    let alive = calls::goes_on(&mut live).await;
    let ended = live.hang_up().await;
    calls::note(&ended, seen);
    if !ended.answered {
        return Ok(Err(ended.failure.unwrap_or_else(|| super::unplaced(ended.media_failure))));
    }
    // Those on the call's own port are of the same pace.
    let (own_first, own_last, own) =
        ended.checks.transactions.map_or((None, None, 0), |(first, last, count)| (Some(first), Some(last), count));
    let firsts = span.map(|(first, _)| first.into_std()).into_iter().chain(own_first);
    let lasts = span.map(|(_, last)| last.into_std()).into_iter().chain(own_last);
    let count = transactions.len() as f64 + own as f64;
    if let (Some(first), Some(last)) = (firsts.min(), lasts.max())
        && count > 1.0
    {
        let length = last.saturating_duration_since(first).min(time);
        seen.check_interval_ms = Some(length.as_secs_f64() * 1000.0 / (count - 1.0));
    }
    seen.candidates_checked = i64::try_from(reached.len()).unwrap_or(i64::MAX);
    seen.checks_to_foreign = foreign(&reached, &declared);
    seen.control_ok = ended.media.ice.connected && ended.checks.received > 0;
    seen.session_alive = alive && answers;
    Ok(Ok(()))
}

async fn listen(socket: UdpSocket, teller: mpsc::Sender<Came>) {
    let Ok(to) = socket.local_addr() else { return };
    let mut buffer = [0; 1024];
    loop {
        let Ok((length, _)) = socket.recv_from(&mut buffer).await else {
            tokio::task::yield_now().await;
            continue;
        };
        let Ok(message) = Message::parse(buffer.get(..length).unwrap_or_default()) else { continue };
        if message.class == Class::Request && message.method == Method::BINDING {
            let came = Came { to, id: message.transaction, at: Instant::now() };
            if let Err(mpsc::error::TrySendError::Closed(_)) = teller.try_send(came) {
                return;
            }
        }
    }
}

/// Each special-purpose address once.
fn foreign(reached: &HashSet<SocketAddr>, declared: &[Cidr]) -> Vec<ForeignCheck> {
    let mut addresses: Vec<IpAddr> = reached.iter().map(SocketAddr::ip).filter(|ip| block(*ip) != "other").collect();
    addresses.sort();
    addresses.dedup();
    let told = |ip: IpAddr| ForeignCheck {
        address: ip.to_string(),
        set: block(ip).to_owned(),
        declared: declared.iter().any(|network| network.contains(ip)),
    };
    addresses.into_iter().map(told).collect()
}

/// The address that a socket without one would send from.
async fn own_address(from: IpAddr) -> Option<IpAddr> {
    if !from.is_unspecified() {
        return Some(from);
    }
    // Nothing is sent: connecting only asks the routing table.
    let socket = UdpSocket::bind((from, 0)).await.ok()?;
    socket.connect(SocketAddr::from(([192, 0, 2, 1], 9))).await.ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}
