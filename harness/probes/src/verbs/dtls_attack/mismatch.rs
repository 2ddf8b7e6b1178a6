//! `profile-mismatch`: no SRTP profile is agreed on, and nothing may come of it. RFC 5764, section 4.1: without `use_srtp`, or
//! without a profile in common, DTLS gives no keys for SRTP, and section 4.1.1: a server chooses among those that are offered.

use std::time::Duration;

use ringfence_client::Failure;
use ringfence_client::adapters::CallConfig;
use ringfence_client::drive::call::LiveCall;
use ringfence_client::hello::Told;
use ringfence_client::media::{HelloAsk, MediaPlan, small_hello};
use ringfence_wire::hello::{Depth, Reply, names};

use super::{Done, Seen, calls};
use crate::{Cx, OwnFault};

/// How long media are waited for, and sent.
const AUDIO: Duration = Duration::from_secs(2);
/// How long the answer to a hello is waited for.
const ANSWER: Duration = Duration::from_secs(3);
/// How often a cookie is sent back.
const COOKIES: u16 = 3;
/// A number that no profile has: IANA registry "DTLS-SRTP Protection Profiles".
const NO_PROFILE: u16 = 0x00f0;

pub(super) async fn profiles(cx: &Cx, config: &CallConfig, seen: &mut Seen) -> Done {
    if let Err(failure) = without(cx, config, seen).await? {
        return Ok(Err(failure));
    }
    // Credentials may be good for one call.
    let config = match cx.config(None).await? {
        Ok(config) => config,
        Err(failure) => return Ok(Err(failure)),
    };
    if let Err(failure) = unknown(cx, &config, seen).await? {
        return Ok(Err(failure));
    }
    seen.control_ok = seen.attempts == 2;
    Ok(Ok(()))
}

/// A whole call whose handshake says nothing of SRTP.
async fn without(cx: &Cx, config: &CallConfig, seen: &mut Seen) -> Done {
    let media = MediaPlan { without_use_srtp: true, ..calls::media(cx)? };
    let mut live = calls::call(cx, (0, config), media, Duration::ZERO).await?;
    live.run_for(AUDIO).await;
    let ended = live.hang_up().await;
    if let Some(failure) = calls::note(&ended, seen)? {
        return Ok(Err(failure));
    }
    let dtls = &ended.media.dtls;
    // Of a target that says nothing at all it is not known whether it would have gone on.
    seen.attempts += i64::from(dtls.server_random.is_some() || dtls.alert.is_some());
    let media = if dtls.completed { ended.media.media.received } else { 0 };
    seen.media_received = media;
    seen.chosen_profile.clone_from(&dtls.use_srtp);
    seen.succeeded += i64::from(media > 0 || dtls.use_srtp.is_some());
    Ok(Ok(()))
}

/// A hello that offers a profile which there is not.
async fn unknown(cx: &Cx, config: &CallConfig, seen: &mut Seen) -> Done {
    let media = MediaPlan { hellos: true, ..calls::media(cx)? };
    let mut live = calls::call(cx, (1, config), media, Duration::ZERO).await?;
    let told = match live.seen().media.ice.connected {
        true => Some(ask(&mut live).await?),
        false => None,
    };
    let ended = live.hang_up().await;
    if let Some(failure) = calls::note(&ended, seen)? {
        return Ok(Err(failure));
    }
    match told {
        Some(Told::Reply(Reply::ServerHello(hello))) => {
            seen.attempts += 1;
            if let Some(profile) = hello.srtp_profile().filter(|profile| *profile != NO_PROFILE) {
                seen.succeeded += 1;
                let name = names::srtp_profile(profile).map_or_else(|| format!("{profile:#06x}"), str::to_owned);
                seen.chosen_profile.get_or_insert(name);
            }
            Ok(Ok(()))
        }
        // A refusal, or a port that lives and says nothing to this.
        Some(Told::Reply(Reply::Alert { .. } | Reply::HelloRetryRequest(_)) | Told::Closed) => {
            seen.attempts += 1;
            Ok(Ok(()))
        }
        Some(Told::Broken(why)) => Ok(Err(Failure::protocol(why))),
        Some(Told::Silence) => Ok(Err(Failure::timeout("no answer to a hello, nor to a check"))),
        Some(Told::Reply(Reply::Garbage(error))) => Ok(Err(Failure::protocol(error.to_string()))),
        Some(Told::Reply(Reply::HelloVerifyRequest { .. })) => {
            Ok(Err(Failure::protocol("the target wants one cookie after the other")))
        }
        None => Ok(Err(Failure::protocol("ICE did not connect"))),
    }
}

/// The hello, and again with the cookie that the answer wants.
async fn ask(live: &mut LiveCall) -> Result<Told, OwnFault> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(OwnFault::new)?;
    let mut hello = small_hello(random, &[NO_PROFILE]).map_err(OwnFault::new)?;
    let mut told = Told::Silence;
    for message_seq in 0..=COOKIES {
        let ask = HelloAsk { hello: Box::new(hello.clone()), message_seq, depth: Depth::Hello, within: ANSWER };
        told = live.ask(ask).await.1;
        match &told {
            Told::Reply(Reply::HelloVerifyRequest { cookie, .. }) => hello.cookie.clone_from(cookie),
            _ => break,
        }
    }
    Ok(told)
}
