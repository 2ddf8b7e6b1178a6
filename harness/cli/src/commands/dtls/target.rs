//! The media port of a target's calls.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_client::adapters::{self, Ask, CallConfig, FetchError};
use ringfence_client::drive::call::CallPlan;
use ringfence_client::hello::{self, CallBounds, Progress, Question, Verdict, Wanted};
use ringfence_client::media::{Identity, MediaPlan};
use ringfence_client::{Failure, Net};
use ringfence_model::enumeration::{Calls, CertificateSeen, Protocol};
use ringfence_model::observation::Outcome;
use ringfence_model::target::Target;
use ringfence_model::{Exit, RunKey, Untrusted};
use ringfence_reports::Style;
use ringfence_runner::{consent, today};
use ringfence_wire::hello::Version;

use super::super::enumerate::Asked;
use crate::args::{DtlsArgs, EnumerateArgs, Place};
use crate::problem::Problem;
use crate::{library, signals, terminal};

/// How long a call that is not answered yet may take to be cancelled (house).
const LEAVE_WITHIN: Duration = Duration::from_secs(3);
/// Calls between two lines that tell how far it is.
const TOLD_EVERY: u32 = 5;
/// All versions of DTLS.
const VERSIONS: [Version; 3] = [Version::DTLS10, Version::DTLS12, Version::DTLS13];

/// The plan of a call, as it is made.
type Placing<'a> = Pin<Box<dyn Future<Output = Result<CallPlan, FetchError>> + Send + 'a>>;

/// Runs the command with `--target`.
pub async fn dtls(args: DtlsArgs, style: Style) -> Result<Exit, Problem> {
    let file = args.target.ok_or_else(|| Problem::usage("either HOST:PORT or --target is needed"))?;
    let target = Arc::new(Target::read(&file).map_err(Problem::usage)?);
    let policy = match &args.by.policy {
        Some(named) => library::policy_or_file(named)?,
        None => library::policy_or_file(&target.policy)?,
    };
    // More than a visitor's client does: a vendor's hosts get it only where the file has its permission.
    let mut net = Net::new(&target).map_err(Problem::usage)?.for_step(false, None);
    if let Some(why) = consent::refusal(&target, &today()) {
        return Err(Problem { exit: Exit::Refused, message: why });
    }
    let timeout = Duration::from_secs(args.timeout.into());
    let max_calls = args.max_calls.unwrap_or(target.budget.calls);
    let mut random = [0; 72];
    getrandom::fill(&mut random).map_err(Problem::internal)?;
    let (key, rest) = random.split_first_chunk::<32>().expect("72 bytes hold 32");
    let (hellos, seed) = rest.split_first_chunk::<32>().expect("40 bytes hold 32");
    let seed = seed.try_into().map_or(0, u64::from_le_bytes);
    let key = RunKey::from_random(*key);
    let question = Question { server_name: None, wanted: Wanted::ALL, seed: *hellos };

    if terminal::live() {
        complain!("placing calls to {}, {max_calls} at most; Ctrl-C hangs up", target.name);
    }
    let mut stop = signals::listen("ending the call");
    let begun = Instant::now();
    let next =
        |number: u32| -> Placing<'_> { Box::pin(plan(&net, &target, seed.wrapping_add(u64::from(number) << 32))) };
    let bounds = CallBounds::paced(timeout, max_calls, target.at_once.mints_per_s);
    let told = tokio::select! {
        told = hello::media(&net, &key, &next, &VERSIONS, &question, bounds, progress()) => Some(told),
        _ = stop.wait_for(Option::is_some) => None,
    };
    let Some(told) = told else {
        let _ = tokio::time::timeout(LEAVE_WITHIN, net.left_alone()).await;
        return Ok(if *stop.borrow() == Some("SIGTERM") { Exit::Terminated } else { Exit::Interrupted });
    };
    let mut told = told.map_err(problem)?;
    for (_, findings) in &mut told.report.versions {
        // Nobody's address can be flooded from behind a checked pair.
        findings.before_cookie = None;
    }
    let place = told.address.map_or_else(
        || Place { host: target.name.clone(), port: 0 },
        |address| Place { host: address.ip().to_string(), port: address.port() },
    );
    let ask = EnumerateArgs { place, name: None, by: args.by };
    let asked = Asked { protocol: Protocol::Dtls, args: &ask, policy: &policy, timeout };
    let known = |verdict: Verdict| matches!(verdict, Verdict::Accepted | Verdict::Refused(_));
    if !told.report.versions.iter().any(|(_, findings)| known(findings.verdict)) {
        let why = told.report.unknown().next().map_or("no answer", |(_, unknown)| unknown.reason.as_str());
        let message = format!("the media port accepts no hello: {}", Untrusted::new(why).visible());
        return Err(Problem { exit: Exit::Inconclusive, message });
    }
    let mut seen = asked.describe(&net, &told.report)?;
    seen.calls = Some(Calls { target: target.name.clone(), placed: told.calls_made });
    super::certificates(&net, &asked, &told.report, &mut seen);
    let different = seen.certificates.len();
    let alike = |one: &mut CertificateSeen, other: &mut CertificateSeen| {
        CertificateSeen { sha256: one.sha256.clone(), ..other.clone() } == *one
    };
    seen.certificates.dedup_by(alike);
    if seen.certificates.len() < different {
        seen.notes.push("calls have certificates of their own, alike in all but their hashes".to_owned());
    }
    asked.finish(seen, begun.elapsed(), style)
}

/// One call as a visitor's client places it, with a configuration of its own: many are good for one call only.
async fn plan(net: &Net, target: &Target, seed: u64) -> Result<CallPlan, FetchError> {
    let fetched = adapters::fetch(net, target, &Ask { participant: 1, ..Ask::default() }).await?;
    let config: CallConfig = match (fetched.config, fetched.error) {
        (Some(config), _) => config,
        (None, Some(error)) => return Err(Failure::protocol(error.raw()).into()),
        (None, None) => {
            let lacks = fetched.missing_fields.join(", ");
            return Err(Failure::protocol(format!("the configuration lacks {lacks}")).into());
        }
    };
    let identity = Identity::fresh().map_err(|error| FetchError::Own(error.to_string()))?;
    let limits = target.limits;
    let declared = target.destinations.call.as_ref().map(|destination| destination.uri.clone());
    Ok(CallPlan {
        target_uri: declared.filter(|uri| uri != "configured"),
        origin: target.trusted_origins.first().cloned(),
        transaction: Duration::from_secs_f64(limits.exchange_s),
        answer_within: Duration::from_secs_f64(limits.ring_s),
        media_within: Duration::from_secs_f64(limits.media_s),
        ..CallPlan::honest(config, MediaPlan::honest(identity, seed), seed)
    })
}

/// A line on stderr now and then: the calls take their time.
fn progress() -> impl Fn(Progress) + Send {
    let told = std::sync::atomic::AtomicU32::new(0);
    let live = terminal::live();
    move |progress: Progress| {
        use std::sync::atomic::Ordering;
        let Progress { calls_made, hellos, version } = progress;
        if live && calls_made >= told.load(Ordering::Relaxed) {
            told.store(calls_made + TOLD_EVERY, Ordering::Relaxed);
            complain!("hello {hellos}, for DTLS {}, after {calls_made} calls", version.name().unwrap_or("?"));
        }
    }
}

fn problem(error: FetchError) -> Problem {
    match error {
        FetchError::Own(why) => Problem::usage(why),
        FetchError::Target(failure) => Problem {
            exit: if failure.outcome == Outcome::OutOfScope { Exit::Refused } else { Exit::Unreachable },
            message: format!("no call came to a checked pair that could be asked: {}", failure.error.visible()),
        },
    }
}
