//! `ringfence call`: places one call and prints, stage by stage, what was negotiated.

use std::time::{Duration, Instant};

use ringfence_client::adapters::{self, Ask, CallConfig, FetchError};
use ringfence_client::drive::call::{CallObservation, CallPlan, Stage, place};
use ringfence_client::media::{CandidatePolicy, Identity, MediaPlan, Setup};
use ringfence_client::{Failure, Net};
use ringfence_model::target::Target;
use ringfence_model::{Exit, RunKey, Untrusted};
use ringfence_runner::{consent, today};

use crate::args::{CallArgs, CandidatesArg, SetupArg};
use crate::problem::Problem;
use crate::{outputs, signals};

/// How long audio flows between two looks at what happened (house).
const SLICE: Duration = Duration::from_millis(50);

/// Runs the command. Exit 0 where audio that authenticates came, 1 where the call was answered without, 3 where it was
/// not placed.
pub async fn call(args: CallArgs) -> Result<Exit, Problem> {
    let target = Target::read(&args.target).map_err(Problem::usage)?;
    if let Some(why) = consent::refusal(&target, &today()) {
        return Err(Problem { exit: Exit::Refused, message: why });
    }
    let net = Net::new(&target).map_err(Problem::usage)?;
    let config = fetch(&net, &target, args.json).await?;
    let mut random = [0; 40];
    getrandom::fill(&mut random).map_err(Problem::internal)?;
    let (key, seed) = random.split_first_chunk::<32>().expect("40 bytes hold 32");
    let (key, seed) = (RunKey::from_random(*key), seed.try_into().map_or(0, u64::from_le_bytes));

    let limits = target.limits;
    let plan = CallPlan {
        target_uri: args.uri.clone(),
        transaction: Duration::from_secs_f64(limits.exchange_s),
        answer_within: Duration::from_secs_f64(limits.ring_s),
        media_within: Duration::from_secs_f64(limits.media_s),
        ..CallPlan::honest(config, media(&args, seed)?, seed)
    };
    let mut stop = signals::listen();
    let begun = Instant::now();
    let quiet = args.json;
    let tell = move |stage: Stage| {
        if !quiet {
            tell!("{:>7.3} s  {}", begun.elapsed().as_secs_f64(), sentence(&stage));
        }
    };
    let mut live = tokio::select! {
        live = place(&net, plan, &key, &tell) => live,
        _ = stop.wait_for(Option::is_some) => return Ok(Exit::Interrupted),
    };
    let end = Instant::now() + Duration::from_secs(args.seconds.into());
    // In slices, so that each stage is told when it comes.
    while live.is_live() && Instant::now() < end && stop.borrow().is_none() {
        live.run_for(SLICE.min(end.saturating_duration_since(Instant::now()))).await;
        live.stages().into_iter().for_each(&tell);
    }
    let seen = live.hang_up().await;
    if let Some(fault) = &seen.own_fault {
        return Err(Problem::internal(fault));
    }
    let text = if args.json { json(&seen)? } else { summary(&seen) };
    outputs::print(&text)?;
    let exit = match (&seen.media.media.authenticated, seen.answered) {
        (1.., _) => Exit::Clean,
        (_, true) => Exit::Findings,
        _ => Exit::Unreachable,
    };
    Ok(stop.borrow().map_or(exit, |signal| if signal == "SIGINT" { Exit::Interrupted } else { Exit::Terminated }))
}

async fn fetch(net: &Net, target: &Target, quiet: bool) -> Result<CallConfig, Problem> {
    let unreachable = |failure: Failure| Problem { exit: Exit::Unreachable, message: failure.to_string() };
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
            "configuration ({}): {} as {} to {}, {} ICE servers",
            config.kind.word(),
            Untrusted::new(&config.ws_uri).visible(),
            Untrusted::new(format!("{}@{}", config.aor_user, config.realm)).visible(),
            Untrusted::new(&config.target_uri).visible(),
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

fn sentence(stage: &Stage) -> String {
    match stage {
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
        Stage::Ended { by } => format!("ended by {}", by.map_or("nobody", |by| by.word())),
        Stage::Failed(failure) => format!("failed: {failure}"),
    }
}

fn summary(seen: &CallObservation) -> String {
    let media = &seen.media;
    let shown = |text: &Option<Untrusted>| text.as_ref().map_or("-".to_owned(), Untrusted::visible);
    let ours = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let mut lines = vec![
        (
            "SIP",
            format!(
                "{}{}",
                seen.status.map_or("no final answer".to_owned(), |status| status.to_string()),
                seen.reason.as_ref().map_or_else(String::new, |reason| format!(" {}", reason.visible()))
            ),
        ),
        (
            "SDP",
            format!(
                "{}, setup:{}, {} fingerprint(s) ({}), {}{}{} candidate(s)",
                shown(&media.sdp.profile),
                shown(&media.sdp.setup),
                media.sdp.fingerprints.len(),
                shown(&media.sdp.fingerprint_hash),
                if media.sdp.rtcp_mux { "rtcp-mux, " } else { "" },
                if media.sdp.ice_lite { "ice-lite, " } else { "" },
                media.sdp.candidates.len()
            ),
        ),
        (
            "ICE",
            format!(
                "{}, our candidate {}, theirs {}",
                if media.ice.connected { "connected" } else { "not connected" },
                ours(&media.ice.local_type),
                shown(&media.ice.remote_address)
            ),
        ),
        (
            "DTLS",
            format!(
                "{}, we are {}, version {}, {}, fingerprint {}",
                if media.dtls.completed { "completed" } else { "not completed" },
                ours(&media.dtls.role),
                ours(&media.dtls.version),
                ours(&media.dtls.suite),
                if media.dtls.certificate.matches { "matches" } else { "does not match" }
            ),
        ),
        ("SRTP", ours(&media.srtp.profile)),
        (
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
        ),
        (
            "RTCP",
            format!(
                "received {}, authenticated {}, in clear {}",
                media.rtcp.received, media.rtcp.authenticated, media.rtcp.plain_received
            ),
        ),
        ("end", format!("by {} after {:.1} s", seen.ended_by.map_or("nobody", |by| by.word()), seen.seconds)),
    ];
    if let Some(failure) = &seen.failure {
        lines.push(("why", failure.to_string()));
    }
    if let Some(failure) = &seen.media_failure {
        lines.push(("media", failure.visible()));
    }
    lines.into_iter().map(|(name, text)| format!("{name:<5} {text}\n")).collect()
}

fn json(seen: &CallObservation) -> Result<String, Problem> {
    let value = serde_json::json!({
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
    Ok(serde_json::to_string_pretty(&value).map_err(Problem::internal)? + "\n")
}
