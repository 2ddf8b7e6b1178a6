//! `ringfence call`: places one call and prints, stage by stage, what was negotiated.

use std::time::{Duration, Instant};

use ringfence_client::adapters::{self, Ask, CallConfig, FetchError};
use ringfence_client::drive::call::{CallObservation, CallPlan, Stage, place};
use ringfence_client::media::{CandidatePolicy, Identity, MediaPlan, Setup};
use ringfence_client::{Failure, Net};
use ringfence_model::observation::Outcome;
use ringfence_model::target::Target;
use ringfence_model::untrusted::inert_json;
use ringfence_model::{Exit, RunKey, Untrusted};
use ringfence_runner::{consent, today};

use crate::args::{CallArgs, CandidatesArg, SetupArg};
use crate::problem::Problem;
use crate::sound::Sound;
use crate::{outputs, signals};

/// How long audio flows between two looks at what happened (house).
const SLICE: Duration = Duration::from_millis(50);

/// Seconds of audio where nobody says otherwise (house).
const SECONDS: u32 = 3;
/// What an echo of the last word that is played may take (house).
const LAST_ECHO: Duration = Duration::from_millis(500);

/// How long a call that is not answered yet may take to be cancelled (house).
const LEAVE_WITHIN: Duration = Duration::from_secs(3);

/// Runs the command. Exit 0 where it was answered and audio that authenticates came, 1 where without, 3 where it was
/// not answered, 5 where it may not be placed.
pub async fn call(args: CallArgs) -> Result<Exit, Problem> {
    let target = Target::read(&args.target).map_err(Problem::usage)?;
    let mut net = Net::new(&target).map_err(Problem::usage)?;
    if let Some(why) = consent::refusal(&target, &today()) {
        return Err(Problem { exit: Exit::Refused, message: why });
    }
    let sound = Sound::prepare(&args, &target)?;
    let config = fetch(&net, &target, args.uri.as_deref(), args.json).await?;
    let mut random = [0; 40];
    getrandom::fill(&mut random).map_err(Problem::internal)?;
    let (key, seed) = random.split_first_chunk::<32>().expect("40 bytes hold 32");
    let (key, seed) = (RunKey::from_random(*key), seed.try_into().map_or(0, u64::from_le_bytes));

    let mut media = media(&args, seed)?;
    sound.put_into(&mut media);
    let audio = match (args.seconds, sound.play_s()) {
        (Some(seconds), _) => Duration::from_secs(seconds.into()),
        (None, Some(seconds)) => Duration::from_secs_f64(seconds) + LAST_ECHO,
        (None, None) => Duration::from_secs(SECONDS.into()),
    };
    let limits = target.limits;
    let plan = CallPlan {
        target_uri: args.uri.clone(),
        // As a browser on the deployment's page.
        origin: target.trusted_origins.first().cloned(),
        transaction: Duration::from_secs_f64(limits.exchange_s),
        answer_within: Duration::from_secs_f64(limits.ring_s),
        media_within: Duration::from_secs_f64(limits.media_s),
        ..CallPlan::honest(config, media, seed)
    };
    let mut stop = signals::listen("ending the call");
    let begun = Instant::now();
    let quiet = args.json;
    let tell = move |stage: Stage| {
        if let Some(sentence) = sentence(&stage).filter(|_| !quiet) {
            tell!("{:>7.3} s  {sentence}", begun.elapsed().as_secs_f64());
        }
    };
    let placed = tokio::select! {
        live = place(&net, plan, &key, &tell) => Some(live),
        _ = stop.wait_for(Option::is_some) => None,
    };
    let Some(mut live) = placed else {
        // A call that was being placed takes itself back meanwhile: a phone that rings would go on ringing.
        let _ = tokio::time::timeout(LEAVE_WITHIN, net.left_alone()).await;
        let done = sound.finish()?; // audio may have come before the call was set up
        done.iter().filter(|_| !quiet).for_each(|(name, text)| tell!("{name:<5} {text}"));
        return Ok(ended_by(*stop.borrow()).unwrap_or(Exit::Interrupted));
    };
    let end = Instant::now() + audio;
    if live.is_live() && !quiet {
        let seconds = (audio.as_secs_f64() * 10.0).round() / 10.0;
        let plural = if seconds == 1.0 { "" } else { "s" };
        tell!("{:>7.3} s  audio for {seconds} second{plural}; Ctrl-C hangs up", begun.elapsed().as_secs_f64());
    }
    // In slices, so that each stage is told when it comes.
    while live.is_live() && Instant::now() < end && stop.borrow().is_none() {
        live.run_for(SLICE.min(end.saturating_duration_since(Instant::now()))).await;
        live.stages().into_iter().for_each(&tell);
    }
    let seen = live.hang_up().await;
    let done = sound.finish(); // whatever else went wrong
    if !quiet {
        let by = seen.ended_by.map_or("no call was set up".to_owned(), |by| format!("call ended by {}", by.word()));
        tell!("{:>7.3} s  {by}\n", begun.elapsed().as_secs_f64());
    }
    if let Some(fault) = &seen.own_fault {
        return Err(Problem::internal(fault));
    }
    let (done, unwritten) = match done {
        Ok(done) => (done, None),
        Err(problem) => (Vec::new(), Some(problem)),
    };
    let text = if args.json { json(&seen, &done)? } else { summary(&seen, done) };
    outputs::print(&text)?;
    if let Some(problem) = unwritten {
        return Err(problem);
    }
    Ok(ended_by(*stop.borrow()).unwrap_or(exit(&seen)))
}

/// An announcement ahead of a refusal is audio too, and no call.
fn exit(seen: &CallObservation) -> Exit {
    match (seen.answered, seen.media.media.authenticated) {
        (true, 1..) => Exit::Clean,
        (true, _) => Exit::Findings,
        _ if refused_by_us(seen) => Exit::Refused,
        _ => Exit::Unreachable,
    }
}

async fn fetch(net: &Net, target: &Target, uri: Option<&str>, quiet: bool) -> Result<CallConfig, Problem> {
    let unreachable = |failure: Failure| Problem {
        exit: if failure.outcome == Outcome::OutOfScope { Exit::Refused } else { Exit::Unreachable },
        message: format!("the configuration did not come: {failure}"),
    };
    let fetched = match adapters::fetch(net, target, &Ask { participant: 1, ..Ask::default() }).await {
        Ok(fetched) => fetched,
        Err(FetchError::Own(why)) => return Err(Problem::usage(why)),
        Err(FetchError::Target(failure)) => return Err(unreachable(failure)),
    };
    let Some(config) = fetched.config else {
        let why = fetched.error.map_or_else(
            || format!("the configuration lacks {}", fetched.missing_fields.join(", ")),
            |error| error.visible(),
        );
        return Err(Problem { exit: Exit::Unreachable, message: why });
    };
    if !quiet {
        tell!(
            "configuration ({})\n  server       {}\n  as           {}\n  to           {}\n  ICE servers  {}\n",
            config.kind.word(),
            Untrusted::new(&config.ws_uri).visible(),
            Untrusted::new(format!("{}@{}", config.aor_user, config.realm)).visible(),
            Untrusted::new(uri.unwrap_or(&config.target_uri)).visible(),
            config.ice_servers.len()
        );
    }
    Ok(config)
}

fn media(args: &CallArgs, seed: u64) -> Result<MediaPlan, Problem> {
    let identity = Identity::fresh().map_err(Problem::internal)?;
    Ok(MediaPlan {
        setup: match args.setup {
            SetupArg::Actpass => Setup::Actpass,
            SetupArg::Active => Setup::Active,
            SetupArg::Passive => Setup::Passive,
        },
        candidates: match args.candidates {
            CandidatesArg::All => CandidatePolicy::All,
            CandidatesArg::Relay => CandidatePolicy::Relay,
            CandidatesArg::Host => CandidatePolicy::Host,
        },
        ..MediaPlan::honest(identity, seed)
    })
}

fn sentence(stage: &Stage) -> Option<String> {
    Some(match stage {
        Stage::Connected { tls_version, subprotocol } => format!(
            "WebSocket open, {}, subprotocol {}",
            tls_version.as_ref().map_or("in clear".to_owned(), |version| format!("TLS {version}")),
            subprotocol.as_ref().map_or("none".to_owned(), Untrusted::visible)
        ),
        Stage::Registered { status, expires_s } => {
            format!("registered: {status}, for {} s", expires_s.map_or("?".to_owned(), |s| s.to_string()))
        }
        Stage::Inviting => "candidates gathered, INVITE sent".into(),
        Stage::Progress { status } => format!("progress: {status}"),
        Stage::Answered { status } => format!("answered: {status}"),
        Stage::Refused { status, reason } => format!("refused: {status} {}", reason.visible()),
        Stage::IceConnected => "ICE connected".into(),
        Stage::DtlsCompleted => "DTLS completed".into(),
        Stage::MediaAuthenticated => "first SRTP packet authenticated".into(),
        Stage::Echoed => "first marker came back: audio both ways".into(),
        Stage::Alert(alert) => format!("DTLS alert of the target: {}", alert.visible()),
        Stage::MediaFailed(why) => format!("media failed: {}", why.visible()),
        // Told at the end, whoever ended it.
        Stage::Ended { .. } => return None,
        Stage::Failed(failure) => format!("failed: {failure}"),
    })
}

fn ended_by(signal: Option<&str>) -> Option<Exit> {
    signal.map(|signal| if signal == "SIGINT" { Exit::Interrupted } else { Exit::Terminated })
}

/// Whether we did not place the call, since it lies out of scope or is a number that is never dialled.
fn refused_by_us(seen: &CallObservation) -> bool {
    seen.failure.as_ref().is_some_and(|failure| failure.outcome == Outcome::OutOfScope)
}

/// What was negotiated, as far as the call came: a stage that was not reached is not shown as one that failed.
fn summary(seen: &CallObservation, done: Vec<(&'static str, String)>) -> String {
    let media = &seen.media;
    let shown = |text: &Option<Untrusted>| text.as_ref().map_or("-".to_owned(), Untrusted::visible);
    let ours = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let plural = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    let mut lines = vec![(
        "SIP",
        format!(
            "{}{}",
            seen.status.map_or("no final answer".to_owned(), |status| status.to_string()),
            seen.reason.as_ref().map_or_else(String::new, |reason| format!(" {}", reason.visible()))
        ),
    )];
    if seen.answered {
        lines.push((
            "SDP",
            format!(
                "{}, setup:{}, {} ({}), {}{}{}",
                shown(&media.sdp.profile),
                shown(&media.sdp.setup),
                plural(media.sdp.fingerprints.len(), "fingerprint"),
                shown(&media.sdp.fingerprint_hash),
                if media.sdp.rtcp_mux { "rtcp-mux, " } else { "" },
                if media.sdp.ice_lite { "ice-lite, " } else { "" },
                plural(media.sdp.candidates.len(), "candidate"),
            ),
        ));
        lines.push((
            "ICE",
            match media.ice.connected {
                true => format!(
                    "connected, our candidate {}, theirs {}",
                    ours(&media.ice.local_type),
                    shown(&media.ice.remote_address)
                ),
                false => "not connected".into(),
            },
        ));
    }
    if media.ice.connected {
        lines.push((
            "DTLS",
            match media.dtls.completed {
                true => format!(
                    "completed, we are {}, version {}, {}, fingerprint {}",
                    ours(&media.dtls.role),
                    ours(&media.dtls.version),
                    ours(&media.dtls.suite),
                    if media.dtls.certificate.matches { "matches" } else { "does not match" }
                ),
                false => "not completed".into(),
            },
        ));
    }
    if media.srtp.profile.is_some() {
        lines.push(("SRTP", ours(&media.srtp.profile)));
    }
    if media.media.sent > 0 || media.media.received > 0 || media.rtcp.received > 0 {
        lines.push((
            "RTP",
            format!(
                "sent {}, received {}, authenticated {}, echoed {}, in clear {}, loss {:.1} %",
                media.media.sent,
                media.media.received,
                media.media.authenticated,
                media.media.echoed,
                media.media.plain_received,
                media.media.loss * 100.0
            ),
        ));
        lines.push((
            "RTCP",
            format!(
                "received {}, authenticated {}, in clear {}",
                media.rtcp.received, media.rtcp.authenticated, media.rtcp.plain_received
            ),
        ));
    }
    lines.extend(done);
    if let Some(by) = seen.ended_by {
        lines.push(("end", format!("by {} after {:.1} s", by.word(), seen.seconds)));
    }
    if let Some(failure) = &seen.failure {
        lines.push(("why", failure.to_string()));
    }
    if let Some(failure) = &seen.media_failure {
        lines.push(("media", failure.visible()));
    }
    lines.extend(seen.servers_left_out.iter().map(|failure| ("left", format!("ICE server not used: {failure}"))));
    lines.into_iter().map(|(name, text)| format!("{name:<5} {text}\n")).collect()
}

fn json(seen: &CallObservation, done: &[(&'static str, String)]) -> Result<String, Problem> {
    let mut value = serde_json::json!({
        "status": seen.status,
        "reason": seen.reason,
        "answered": seen.answered,
        "provisional": seen.provisional,
        "ended_by": seen.ended_by.map(|by| by.word()),
        "ended_after_ms": seen.ended_after_ms,
        "seconds": seen.seconds,
        "error": seen.failure.as_ref().map(|failure| &failure.error),
        "media": seen.media,
    });
    for (name, text) in done {
        value[name] = text.as_str().into();
    }
    Ok(inert_json(&serde_json::to_string_pretty(&value).map_err(Problem::internal)?) + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_ahead_of_a_refusal_is_no_call() {
        let of = |answered, authenticated| {
            let mut seen = CallObservation { answered, ..CallObservation::default() };
            seen.media.media.authenticated = authenticated;
            exit(&seen)
        };
        assert_eq!([of(true, 1), of(true, 0)], [Exit::Clean, Exit::Findings]);
        assert_eq!([of(false, 1), of(false, 0)], [Exit::Unreachable, Exit::Unreachable]);
    }
}
