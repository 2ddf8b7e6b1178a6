//! One visit: an empty browser, the page, a click, a call, and the end of everything.

mod call;
mod click;
mod inject;
mod read;
mod scope;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ringfence_model::observation::Outcome;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Url;

use super::flags::Flags;
use super::process::Process;
use super::proxy::{Proxy, Traffic};
use super::record::Record;
use super::session::{CdpError, Session};
use super::sip::Signalling;
use super::watch::Watch;
use super::{Peer, Stats};
use crate::{Failure, Net};

/// Browsers at once in this process, whoever asks (house): each takes some hundred megabytes, and a processor while it
/// starts; most of a visit is waiting.
static AT_ONCE: Semaphore = Semaphore::const_new(3);
/// From the start of the process to its first answer (house): a loaded machine takes long to read it from disk.
const STARTED: Duration = Duration::from_secs(60);
/// One command that no page can delay (house).
const COMMAND: Duration = Duration::from_secs(10);
/// One command that a busy page may leave unanswered (house).
const PAGE_COMMAND: Duration = Duration::from_secs(2);
/// How often a running call is looked at (house).
const TICK: Duration = Duration::from_millis(250);
/// How long a privacy notice may take to appear (house).
const NOTICE: Duration = Duration::from_secs(2);
/// How long a page may take to hang up (house).
const HANG_UP: Duration = Duration::from_secs(5);
/// For everything in a visit that has no time of its own (house).
const SPARE: Duration = Duration::from_secs(60);

/// What starts a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A click on the element of this CSS selector.
    Button(String),
    /// A script, run as if a click had run it.
    Script(String),
}

/// What is put into the page's WebSocket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inject {
    /// Nothing.
    #[default]
    Nothing,
    /// An INVITE while idle and after the call; in the call instead of before it where the page is not registered before.
    IncomingInvite,
    /// REFER in the call.
    Refer,
    /// INVITE with Replaces in the call.
    Replaces,
}

/// What to visit, and how.
pub struct VisitPlan {
    /// The browser.
    pub executable: PathBuf,
    /// The page.
    pub url: Url,
    /// What starts the call; `None`: nothing does.
    pub start: Option<Start>,
    /// CSS selector of what accepts a privacy notice, if one appears.
    pub accept: Option<String>,
    /// How long the call lasts, or the visit where none is started.
    pub length: Duration,
    /// The call may end as soon as audio went both ways for two seconds.
    pub early_end: bool,
    /// What is put into the page's WebSocket.
    pub inject: Inject,
    /// The profile folder.
    pub profile: Arc<TempDir>,
    /// The browser cannot know the certificates that are trusted: the proxy verifies them.
    pub own_certificates: bool,
    /// The page loads within.
    pub load_within: Duration,
    /// A call that was asked for is up within.
    pub call_within: Duration,
}

/// Requests that were put into the page's WebSocket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Injected {
    /// Those that found one.
    pub delivered: u32,
    /// Those that the page answered in whatever way.
    pub answered: u32,
    /// Those that the page accepted without its visitor.
    pub accepted: u32,
}

/// What came of a visit.
#[derive(Default)]
pub struct Visited {
    /// What was seen.
    pub record: Record,
    /// What went through the proxy.
    pub traffic: Traffic,
    /// Why the visit did not come to its end.
    pub failure: Option<Failure>,
    /// The page came, and it was loaded or could be clicked.
    pub loaded: bool,
    /// The page began a call.
    pub call_started: bool,
    /// Calls that it asked for by SIP.
    pub invites: usize,
    /// The microphone was asked for before the first click.
    pub captured_unasked: bool,
    /// A privacy notice was accepted, and the microphone had not been asked for before.
    pub notice_first: bool,
    /// What was put into the page's WebSocket.
    pub injected: Injected,
}

impl Visited {
    /// The peer connection that carried the call: the connected one with most audio from the far side.
    pub fn carrier(&self) -> Option<&Peer> {
        let received = |peer: &&Peer| (peer.connected, peer.stats.bytes_received);
        self.record.peers.values().filter(|peer| peer.connected || peer.stats != Stats::default()).max_by_key(received)
    }
}

/// What is wrong with our own side.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// No port, no shell.
    #[error("browser: {0}")]
    Io(#[from] std::io::Error),
    /// The process does not speak.
    #[error("browser: {path} does not answer over its pipe: {why}")]
    Mute {
        /// The browser.
        path: PathBuf,
        /// What was wrong.
        why: String,
    },
    /// No random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// Visits a page. Whatever the page does, this ends in bounded time, and no process of the browser is left.
///
/// # Errors
/// There is no browser to be had. What the page and its servers do wrong is in the answer.
pub async fn visit(net: &Net, plan: &VisitPlan) -> Result<Visited, BrowserError> {
    // Never closed, so that this waits and no more.
    let _turn = AT_ONCE.acquire().await;
    let name = random_hex(16)?;
    let proxy = Proxy::start(net.clone(), plan.own_certificates).await?;
    let resolvable = net.scope_names();
    let flags = Flags {
        profile: plan.profile.path(),
        proxy: proxy.address(),
        ignore_certificates: plan.own_certificates,
        resolvable: resolvable.as_deref(),
    };
    let (process, stdin, stdout) = Process::start(&plan.executable, &flags.list(), plan.profile.clone())?;
    let session = Session::start(stdout, stdin, Watch::new(name));
    let mute = |error: CdpError| BrowserError::Mute { path: plan.executable.clone(), why: error.to_string() };
    let target = open(&session).await.map_err(mute)?;

    let mut visitor = Visitor {
        net,
        plan,
        proxy: &proxy,
        session: &session,
        target,
        signalling: Signalling::default(),
        checked: BTreeSet::new(),
        visited: Visited::default(),
    };
    let whole = SPARE + plan.load_within + plan.call_within + plan.length;
    let failure = match timeout(whole, visitor.run()).await {
        Ok(ended) => ended.err(),
        Err(_) => Some(Failure::timeout("the visit did not come to its end in time")),
    };
    let mut visited = visitor.visited();
    process.keep_profile();
    // A browser that is busy or gone does not answer; the end of its pipe ends it too.
    let _ = session.call(None, "Browser.close", json!({}), COMMAND).await;
    visited.record = session.close().record;
    process.ended().await;
    visited.traffic = proxy.traffic();
    visited.failure = failure.or_else(|| visited.record.cut.as_ref().map(Failure::protocol));
    Ok(visited)
}

/// Prepares the browser and opens an empty page, which is watched before anything is in it.
async fn open(session: &Session) -> Result<String, CdpError> {
    let attach = json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true });
    session.call(None, "Target.setAutoAttach", attach, STARTED).await?;
    session.call(None, "Browser.setDownloadBehavior", json!({ "behavior": "deny" }), COMMAND).await?;
    let opened = session.call(None, "Target.createTarget", json!({ "url": "about:blank" }), STARTED).await?;
    let target = opened["targetId"].as_str().unwrap_or_default().to_owned();
    let page = session.wait_for(STARTED, |watch| watch.page(&target).map(str::to_owned)).await;
    let page = page.ok_or(CdpError::Timeout("Target.attachedToTarget"))?;
    // Answers come in order: after this one the observer is in place, also in the process that the page will get.
    session.call(Some(&page), "Runtime.evaluate", json!({ "expression": "0" }), STARTED).await?;
    Ok(target)
}

/// `count` hexadecimal digits that nobody can guess.
fn random_hex(count: usize) -> Result<String, BrowserError> {
    let mut bytes = vec![0; count.div_ceil(2)];
    getrandom::fill(&mut bytes).map_err(BrowserError::Random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().chars().take(count).collect())
}

/// The visit while it runs.
struct Visitor<'a> {
    net: &'a Net,
    plan: &'a VisitPlan,
    proxy: &'a Proxy,
    session: &'a Session,
    target: String,
    signalling: Signalling,
    /// Hosts and addresses of media that lie in the scope.
    checked: BTreeSet<String>,
    visited: Visited,
}

impl Visitor<'_> {
    async fn run(&mut self) -> Result<(), Failure> {
        self.load().await?;
        let mut injected = false;
        if self.plan.inject == Inject::IncomingInvite {
            injected = self.inject_while_idle().await?;
        }
        match &self.plan.start {
            None => self.watch_only().await?,
            Some(start) => {
                self.start(start).await?;
                self.call(injected).await?;
            }
        }
        self.read().await;
        self.ask_service_workers().await;
        Ok(())
    }

    /// What is known at the end, however it came.
    fn visited(mut self) -> Visited {
        self.follow();
        let connected = self.session.seen(|watch| watch.record.peers.values().any(|peer| peer.connected));
        self.visited.invites = self.signalling.calls.len();
        self.visited.call_started = connected || !self.signalling.calls.is_empty();
        if !self.session.seen(|watch| watch.clicked) {
            self.visited.captured_unasked = self.captures() > 0;
        }
        self.visited
    }

    /// Goes to the page and waits until it is loaded, or the limit is over: a page may load for ever and work.
    async fn load(&mut self) -> Result<(), Failure> {
        let params = json!({ "url": self.plan.url.as_str() });
        let navigated = self.page_call("Page.navigate", params, self.plan.load_within).await;
        let reason = match &navigated {
            Ok(answer) => answer["errorText"].as_str().map(str::to_owned),
            Err(CdpError::Timeout(_)) => Some("no answer within the limit".into()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(reason) = reason {
            return Err(self.unreached(&reason));
        }
        let loaded = |watch: &Watch| watch.record.load_event.then_some(());
        let load_event = self.session.wait_for(self.plan.load_within, loaded).await.is_some();
        let status = self.session.seen(|watch| watch.record.document_status);
        let success = status.is_some_and(|status| (200..300).contains(&status));
        self.visited.loaded = load_event && success;
        match status {
            // The proxy's own answers count as none of the page's.
            Some(status) if !success => Err(self.unreached(&format!("the page was answered {status}"))),
            // Without it a microphone that was opened would look like one that was not.
            _ if !self.session.seen(|watch| watch.observed) => {
                self.visited.loaded = false;
                Err(Failure::protocol("the page could not be watched from its first script on"))
            }
            _ => self.in_scope().await,
        }
    }

    /// Why the page itself did not come: what the proxy knows, or else what the browser says.
    fn unreached(&self, reason: &str) -> Failure {
        let host = self.plan.url.host_str().unwrap_or_default();
        let server = format!("{host}:{}", self.plan.url.port_or_known_default().unwrap_or_default());
        let known = self.proxy.traffic().failures.get(&server).cloned();
        known.unwrap_or_else(|| match reason {
            _ if reason.contains("ERR_CERT") || reason.contains("ERR_SSL") => Failure::new(Outcome::TlsFailed, reason),
            _ if reason.contains("within the limit") || reason.contains("TIMED_OUT") => Failure::timeout(reason),
            _ => Failure::protocol(reason),
        })
    }

    async fn watch_only(&mut self) -> Result<(), Failure> {
        let until = tokio::time::Instant::now() + self.plan.length;
        while tokio::time::Instant::now() < until {
            self.tick().await?;
        }
        Ok(())
    }

    /// Looks once, and again as soon as there is something new to check.
    async fn tick(&mut self) -> Result<(), Failure> {
        self.tell(&json!({ "do": "statistics" })).await;
        let checked = &self.checked;
        self.session.wait_for(TICK, |watch| scope::unchecked(watch, checked).next()).await;
        self.follow();
        self.in_scope().await
    }

    /// Reads the signalling on.
    fn follow(&mut self) {
        let signalling = &mut self.signalling;
        self.session.seen(|watch| signalling.read(&watch.record.frames));
    }

    fn captures(&self) -> u64 {
        self.session.seen(|watch| watch.record.captures)
    }

    /// Tells every document's observer.
    async fn tell(&self, order: &Value) {
        let name = self.session.seen(|watch| watch.name().to_owned());
        let (name, detail) = (Value::from(name), Value::from(order.to_string()));
        let script = format!("void dispatchEvent(new CustomEvent({name}, {{ detail: {detail} }}))");
        self.in_every_document(&script).await;
    }

    async fn page_call(&self, method: &'static str, params: Value, limit: Duration) -> Result<Value, CdpError> {
        let session = self.session.seen(|watch| watch.page(&self.target).map(str::to_owned)).ok_or(CdpError::Gone)?;
        self.session.call(Some(&session), method, params, limit).await
    }
}
