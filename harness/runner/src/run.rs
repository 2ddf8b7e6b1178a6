//! A run: every chain of the plan, as many at a time as the target allows, into one journal.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_client::Net;
use ringfence_client::net::Rate;
use ringfence_judge::{Library, Loaded, judge_try};
use ringfence_model::RunKey;
use ringfence_model::evidence::{End, Event, JOURNAL_FORMAT, LeftOut, Plan, Resumed, RunHeader};
use ringfence_model::policy::Policy;
use ringfence_model::report::Method;
use ringfence_model::target::Target;
use ringfence_model::verdict::Intrusion;
use ringfence_probes::{Ledger, learn_own};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::browser;
use crate::chain::{Chain, HANG_UP};
use crate::consent;
use crate::journal::Journal;
use crate::limits::{Limits, calls, intrusion, peak};
use crate::meter;
use crate::plan::{Selection, plan};
use crate::progress::{Progress, Watcher};
use crate::resume::{self, Left, once_more};
use crate::source::{loopback_only, source};

/// How long a chain rests before it is asked again (house).
const BETWEEN_TRIES: Duration = Duration::from_secs(3);

/// What a run needs.
pub struct Job {
    /// The deployment.
    pub target: Target,
    /// The scenarios, checked.
    pub library: Arc<Library>,
    /// The policy, resolved.
    pub policy: Policy,
    /// Which scenarios are wanted.
    pub selection: Selection,
    /// How often a chain that does not pass is asked, from 1 to 3.
    pub tries: u32,
    /// The command that asked, for the journal.
    pub command: String,
    /// The browser for pages; `None`: what needs one is skipped.
    pub browser: Option<PathBuf>,
    /// Where the evidence goes.
    pub journal: Journal,
    /// Who watches.
    pub watcher: Watcher,
    /// The signal that ends the run early, once it is set.
    pub stop: watch::Receiver<Option<&'static str>>,
}

/// Why a run did not begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The target file names what is not there: a certificate file, the source of a secret.
    #[error("{0}")]
    Setup(String),
    /// There is no random number to be had.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// What the chains of a run share.
pub(crate) struct Shared {
    pub(crate) target: Arc<Target>,
    pub(crate) target_view: Value,
    pub(crate) browser: Option<PathBuf>,
    pub(crate) policy: Value,
    pub(crate) library: Arc<Library>,
    pub(crate) limits: Limits,
    pub(crate) ledger: Ledger,
    pub(crate) key: RunKey,
    pub(crate) journal: Journal,
    pub(crate) seed: u64,
    /// How fast disruptive steps may ask.
    pub(crate) rate: Rate,
    watcher: Watcher,
    tries: u32,
}

/// Runs a job to its end, or until it is stopped. Everything that was seen is in the journal. One that holds a run
/// already goes on where it broke off: [`Journal::resumed`].
pub async fn run(job: Job) -> Result<(), RunError> {
    let mut bytes = [0; 48];
    getrandom::fill(&mut bytes).map_err(RunError::Random)?;
    let (key, rest) = bytes.split_first_chunk::<32>().expect("48 bytes hold 32");
    let (seed, id) = rest.split_first_chunk::<8>().expect("16 bytes hold 8");
    let key = RunKey::from_random(*key);
    let seed = u64::from_le_bytes(*seed);
    let target = consent::on_day(job.target, &crate::today());
    let mut net = Net::new(&target).map_err(|error| RunError::Setup(error.to_string()))?;
    let ledger = Ledger::default();
    learn_own(&ledger, &target).map_err(|error| RunError::Setup(error.to_string()))?;
    let target = Arc::new(target);
    let rate = Rate::per_second(target.disruptive.rate);
    let target_view = serde_json::to_value(target.view()).expect("a target view is plain data");
    let policy = serde_json::to_value(&job.policy).expect("a policy is plain data");
    let mut limits = Limits::new(target.at_once, target.budget);
    let tries = job.tries.max(1);

    let (plan, left, earlier) = match job.journal.read(ringfence_judge::Journal::clone) {
        None => {
            let scenarios = job.library.scenarios().map(Loaded::scenario);
            let plan = plan(scenarios, &target, &job.selection, job.browser.is_some());
            let plan = fit(plan, &job.library, &limits);
            let browser = browser::version(&plan, &job.library, job.browser.as_deref()).await;
            job.journal.append(Event::Run(Box::new(RunHeader {
                format: JOURNAL_FORMAT.into(),
                id: id.iter().map(|b| format!("{b:02x}")).collect(),
                version: env!("CARGO_PKG_VERSION").into(),
                started: now(),
                key: key.id().into(),
                seed,
                target: target_view.clone(),
                policy_name: job.policy.name.clone(),
                policy: policy.clone(),
                command: job.command,
                method: Method {
                    profile: job.selection.profile.word().into(),
                    tries,
                    browser,
                    seed: format!("{seed:016x}"),
                    ..target.method()
                },
                target_sha256: target.source.sha256.clone(),
                words: job.library.words_text().into(),
                scenarios: job.library.texts(ids(&plan)),
            })));
            job.journal.append(Event::Plan(plan.clone()));
            let first = |id: &String| Left { id: id.clone(), attempt: 1, before: None };
            let left = plan.chains.iter().map(first).collect();
            (plan, left, End::default())
        }
        Some(journal) => {
            let left = resume::left(&journal, &job.library, tries);
            let in_flight = resume::in_flight(&left, &job.library, target.at_once);
            limits = resume::unspent(limits, &journal, in_flight);
            job.journal.append(Event::Resumed(Resumed {
                started: now(),
                key: key.id().into(),
                seed,
                in_flight,
                again: resume::begun(&journal, &left),
            }));
            let earlier = journal.end.or(journal.earlier_end).unwrap_or_default();
            (journal.plan.unwrap_or_default(), left, earlier)
        }
    };
    let chains = left.iter().map(|left| left.id.clone()).collect();
    job.watcher.tell(Progress::Planned { chains, left_out: plan.left_out.len() });

    let shared = Arc::new(Shared {
        target,
        target_view,
        browser: job.browser,
        policy,
        library: job.library,
        limits,
        ledger,
        key,
        journal: job.journal.clone(),
        seed,
        rate,
        watcher: job.watcher,
        tries,
    });
    let complete = chains_in_turn(&shared, &net, left, &plan, job.stop.clone()).await;
    // A step that a signal broke off leaves its call to hang up by itself.
    let _ = tokio::time::timeout(HANG_UP, net.left_alone()).await;
    job.journal.append(Event::End(End {
        complete,
        signal: job.stop.borrow().map(str::to_owned),
        conversations: earlier.conversations + net.conversations(),
        sampled: earlier.sampled.and(net.sampled()),
        answered: earlier.answered || net.answered(),
        cpu_ms: meter::cpu_ms().map(|ms| ms + earlier.cpu_ms.unwrap_or_default()),
        peak_rss_kib: meter::peak_rss_kib().max(earlier.peak_rss_kib),
    }));
    Ok(())
}

/// This moment, RFC 3339 in UTC.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A chain whose peak is above what the target allows at once cannot be asked: it is left out, with the line to change.
fn fit(mut plan: Plan, library: &Library, limits: &Limits) -> Plan {
    let mut fitting = vec![];
    for id in plan.chains {
        let line = library.get(&id).and_then(|loaded| limits.exceeded(peak(loaded)));
        match line {
            None => fitting.push(id),
            Some(line) => plan.left_out.push(LeftOut {
                scenario: id,
                not_applicable: false,
                why: "it needs more at once than the target allows".into(),
                to_enable: Some(line),
            }),
        }
    }
    Plan { chains: fitting, ..plan }
}

/// Every scenario of the plan, in the order of ids.
fn ids(plan: &Plan) -> BTreeSet<&str> {
    plan.chains.iter().chain(plan.left_out.iter().map(|left_out| &left_out.scenario)).map(String::as_str).collect()
}

/// Runs the chains, the disruptive ones last and each alone; true when every one was asked to its end.
async fn chains_in_turn(
    shared: &Arc<Shared>,
    net: &Net,
    left: Vec<Left>,
    plan: &Plan,
    mut stop: watch::Receiver<Option<&'static str>>,
) -> bool {
    let mut tasks = JoinSet::new();
    let mut complete = true;
    let own_source = loopback_only(&shared.target);
    // First tries come before second ones: what each may need is set aside for it before any begins.
    let reserved = |id: &str| shared.library.get(id).map_or(0, |loaded| shared.limits.reserve_up_to(calls(loaded)));
    let chains: Vec<(Left, u32)> = left
        .into_iter()
        .map(|left| {
            let calls = reserved(&left.id);
            (left, calls)
        })
        .collect();
    for (left, calls) in chains {
        let shared = shared.clone();
        let index = plan.chains.iter().position(|id| *id == left.id).unwrap_or_default();
        let net = if own_source { net.with_source(source(index)) } else { net.clone() };
        let stop = stop.clone();
        let intrusion = shared.library.get(&left.id).map(|loaded| intrusion(loaded.scenario()));
        if intrusion == Some(Intrusion::Disruptive) {
            complete &= join(&mut tasks).await;
        }
        tasks.spawn(async move { asked_to_its_end(&shared, &left, net, calls, stop).await });
    }
    complete &= join(&mut tasks).await;
    complete && stop.borrow_and_update().is_none()
}

/// Waits for all tasks; true when every one came to its end.
async fn join(tasks: &mut JoinSet<bool>) -> bool {
    let mut complete = true;
    while let Some(ended) = tasks.join_next().await {
        complete &= ended.unwrap_or(false);
    }
    complete
}

/// Asks one chain, again where it does not pass. False when it was stopped.
async fn asked_to_its_end(
    shared: &Shared,
    left: &Left,
    net: Net,
    mut reserved: u32,
    mut stop: watch::Receiver<Option<&'static str>>,
) -> bool {
    let id = &left.id;
    let Some(loaded) = shared.library.get(id) else { return false };
    let stopped = async |stop: &mut watch::Receiver<Option<&'static str>>| {
        // The sender lives as long as the run: an error would mean the run is over.
        let _ = stop.wait_for(Option::is_some).await;
    };
    let mut before = left.before;
    // A further try that the budget cannot pay would only blur what the ones before have said.
    if before.is_some() && (reserved < calls(loaded) || shared.limits.seconds_left() == 0) {
        shared.limits.give_back(reserved);
        return true;
    }
    for attempt in left.attempt..=shared.tries {
        if attempt > left.attempt {
            // What counted our requests forgets them meanwhile: a repetition must not meet its own predecessor's limit.
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return false,
                () = tokio::time::sleep(BETWEEN_TRIES) => {}
            }
        }
        // Biased: once a signal came, nothing more is begun.
        let _held = tokio::select! {
            biased;
            () = stopped(&mut stop) => return false,
            held = shared.limits.take(peak(loaded)) => held,
        };
        shared.watcher.tell(Progress::Began { scenario: id.to_owned(), attempt });
        let begun = Instant::now();
        let mut chain = Chain::new(shared, loaded, net.clone(), attempt, reserved);
        let whole = tokio::select! {
            biased;
            () = stopped(&mut stop) => false,
            () = chain.run() => true,
        };
        chain.end_all().await;
        shared.limits.give_back(chain.calls_left());
        if !whole {
            return false;
        }
        let verdict = shared.journal.read(|journal| judge_try(journal, &shared.library, None, id, attempt));
        let Some(verdict) = verdict else { return true };
        shared.watcher.tell(Progress::Ended { verdict: Box::new(verdict.clone()), attempt });
        if !once_more(before, verdict.state, attempt, shared.tries) {
            break;
        }
        // A try that the budget would break off could only blur what the last one said.
        let time = shared.limits.seconds_left() > begun.elapsed().as_secs();
        if !time || !shared.limits.reserve(calls(loaded)) {
            break;
        }
        reserved = calls(loaded);
        before = Some(verdict.state);
    }
    true
}
