//! Bent checks, none, and no more of them.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use ringfence_client::Failure;
use ringfence_client::adapters::{self, Ask, CallConfig, FetchError};
use ringfence_client::media::{Check, CheckBend, CheckKit};
use ringfence_model::observation::Outcome;
use ringfence_wire::demux::{Kind as Protocol, classify};
use ringfence_wire::stun::{Class, Message};
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep, timeout_at};

use super::{Done, Kind, Seen, Source, calls, unplaced};
use crate::{Cx, OwnFault};

/// Between two bent checks (house).
const PACE: Duration = Duration::from_millis(250);
/// Between two looks at a call's figures (house).
const LOOK: Duration = Duration::from_millis(100);
/// How long a call has to have brought media before its consent is stopped, and how old its last packet may be then.
const SETTLE: Duration = Duration::from_secs(3);

/// Checks with something wrong, on the call's own pair or from another port.
pub(super) async fn bent(
    cx: &Cx,
    config: &CallConfig,
    (kind, source): (Kind, Source),
    time: Duration,
    seen: &mut Seen,
) -> Done {
    let mut live = calls::call(cx, config, calls::media(cx)?, Duration::ZERO).await?;
    let Some(kit) = live.check_kit().await else {
        let ended = live.hang_up().await;
        calls::note(&ended, seen);
        return ended_early(ended);
    };
    let stranger = match source {
        Source::Own => None,
        Source::OtherPort => match stranger(cx, &kit).await {
            Ok(stranger) => Some(stranger),
            Err(failure) => return Ok(Err(failure)),
        },
    };
    let before = calls::answers(&mut live, &kit).await?;
    let until = Instant::now() + time;
    let mut watch = Watch::default();
    for number in 0.. {
        let next = (Instant::now() + PACE).min(until);
        if next <= Instant::now() || !live.is_live() {
            break;
        }
        let check = kit.check(bend(kind, number), kind == Kind::StolenNomination).map_err(OwnFault::new)?;
        seen.sent += 1;
        match &stranger {
            None => {
                live.check(check).await;
                sleep(next.saturating_duration_since(Instant::now())).await;
            }
            Some(socket) => watch.send(socket, kit.remote, check, next).await,
        }
    }
    let after = calls::answers(&mut live, &kit).await?;
    let alive = calls::goes_on(&mut live).await;
    live.refresh().await;
    let bent_answered = live.seen().checks.bent_answered;
    let ended = live.hang_up().await;
    calls::note(&ended, seen);
    seen.refused += watch.refused;
    seen.answered = bent_answered > 0 || watch.answered;
    seen.media_moved = watch.media;
    seen.nominated = watch.media || (kind == Kind::StolenNomination && seen.answered);
    seen.control_ok = before && after;
    seen.session_alive = alive && after;
    Ok(Ok(()))
}

/// Speaks for that time without a check, and then as it should.
pub(super) async fn none(cx: &Cx, config: &CallConfig, time: Duration, seen: &mut Seen) -> Done {
    let mut media = calls::media(cx)?;
    media.unchecked_for = Some(time);
    let mut live = calls::call(cx, config, media, time).await?;
    live.refresh().await;
    let at_end = live.seen();
    let alive = calls::goes_on(&mut live).await;
    let ended = live.hang_up().await;
    calls::note(&ended, seen);
    if !ended.answered {
        return ended_early(ended);
    }
    seen.answered = ended.checks.unchecked_media > 0;
    // The socket that got nothing is one that the target reaches.
    seen.control_ok = at_end.media.ice.connected || ended.checks.received > 0;
    seen.session_alive = alive;
    Ok(Ok(()))
}

/// Goes on with media, and no longer checks; a second call goes on as it should.
pub(super) async fn stop(cx: &Cx, config: &CallConfig, time: Duration, seen: &mut Seen) -> Done {
    let second = match second_config(cx).await? {
        Ok(second) => second,
        Err(failure) => return Ok(Err(failure)),
    };
    let mut live = calls::call(cx, config, calls::media(cx)?, Duration::ZERO).await?;
    if live.check_kit().await.is_none() {
        let ended = live.hang_up().await;
        calls::note(&ended, seen);
        return ended_early(ended);
    }
    let mut beside = calls::call(cx, &second, calls::media(cx)?, Duration::ZERO).await?;
    live.run_for(SETTLE).await;
    let count = |seen: &ringfence_client::drive::call::CallObservation| seen.media.media.authenticated;
    live.refresh().await;
    let had_media = count(&live.seen()) > 0;
    live.stop_consent().await;
    let begun = Instant::now();
    let (mut last, mut heard) = (count(&live.seen()), None);
    while begun.elapsed() < time && live.is_live() {
        sleep(LOOK).await;
        live.refresh().await;
        let now = count(&live.seen());
        if now > last {
            (last, heard) = (now, Some(begun.elapsed().as_secs_f64()));
        }
    }
    let control = calls::goes_on(&mut beside).await && count(&beside.seen()) > 0;
    drop(beside.hang_up().await);
    let alive = live.is_live();
    let ended = live.hang_up().await;
    calls::note(&ended, seen);
    seen.media_continued_s = had_media.then(|| heard.unwrap_or(0.0));
    seen.control_ok = had_media && control;
    seen.session_alive = alive;
    Ok(Ok(()))
}

/// A call whose ICE never connected.
fn ended_early(ended: ringfence_client::drive::call::CallObservation) -> Done {
    match ended.own_fault {
        Some(fault) => Err(OwnFault(fault)),
        None => Ok(Err(ended.failure.unwrap_or_else(|| unplaced(ended.media_failure)))),
    }
}

/// What stolen nominations have wrong alternates.
fn bend(kind: Kind, number: u32) -> CheckBend {
    match kind {
        Kind::WrongUfrag => CheckBend::WrongUfrag,
        Kind::NoIntegrity => CheckBend::NoIntegrity,
        Kind::StolenNomination if number % 2 == 1 => CheckBend::NoIntegrity,
        _ => CheckBend::BadIntegrity,
    }
}

/// Another port of the same address. Behind a relay there is none: what is sent from here comes from elsewhere.
async fn stranger(cx: &Cx, kit: &CheckKit) -> Result<UdpSocket, Failure> {
    if kit.local_type == "relay" {
        return Err(Failure::protocol("the pair is a relay, which has no other port of ours"));
    }
    if !cx.net.allows(kit.remote) {
        return Err(Failure::new(Outcome::OutOfScope, format!("{} is out of scope", kit.remote)));
    }
    let bound = UdpSocket::bind(SocketAddr::new(kit.local.ip(), 0)).await;
    bound.map_err(|error| Failure::new(Outcome::Unreachable, error.to_string()))
}

/// What came to the other port.
#[derive(Default)]
struct Watch {
    ids: HashSet<[u8; 12]>,
    answered: bool,
    refused: i64,
    media: bool,
}

impl Watch {
    /// Sends a check and listens until `until`.
    async fn send(&mut self, socket: &UdpSocket, remote: SocketAddr, check: Check, until: Instant) {
        self.ids.insert(check.id);
        let _ = socket.send_to(&check.bytes, remote).await; // lost, as on any bad path
        let mut buffer = [0; 2048];
        while let Ok(received) = timeout_at(until, socket.recv_from(&mut buffer)).await {
            match received {
                Ok((length, from)) if from.ip() == remote.ip() => {
                    self.take(buffer.get(..length).unwrap_or_default());
                }
                Ok(_) => {}
                Err(_) => tokio::task::yield_now().await, // ICMP of an earlier datagram
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        match classify(bytes) {
            Protocol::Stun => {
                let Ok(message) = Message::parse(bytes) else { return };
                let ours = self.ids.contains(&message.transaction);
                self.answered |= ours && message.class == Class::Success;
                self.refused += i64::from(ours && message.class == Class::Error);
            }
            Protocol::Dtls | Protocol::Rtp | Protocol::Rtcp => self.media = true,
            _ => {}
        }
    }
}

async fn second_config(cx: &Cx) -> Result<Result<CallConfig, Failure>, OwnFault> {
    let ask = Ask { participant: 2, ..Ask::default() };
    let fetched = match adapters::fetch(&cx.net, &cx.target, &ask).await {
        Ok(fetched) => fetched,
        Err(FetchError::Own(why)) => return Err(OwnFault(why)),
        Err(FetchError::Target(failure)) => return Ok(Err(failure)),
    };
    cx.learn_answer(&fetched.answer);
    Ok(fetched.config.clone().ok_or_else(|| crate::cx::unusable(&fetched)))
}
