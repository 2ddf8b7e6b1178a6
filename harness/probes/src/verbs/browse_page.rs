//! `browse-page`: open the page in a real headless browser, start a call, and watch.

mod describe;
mod secrets;
mod seen;

use std::sync::Arc;
use std::time::Duration;

use ringfence_client::Failure;
use ringfence_client::browser::{self, VisitPlan, visit};
use ringfence_model::target::{self, Endpoint};
use schemars::JsonSchema;
use serde::Deserialize;
use tempfile::TempDir;
use url::Url;

use crate::step_ref::PageRef;
use crate::{Asked, Browsed, Cost, Cx, Kept, Ledger, OwnFault, Probe};

pub use seen::{IdentifierSeen, PeerSeen, Seen, ServiceWorkerSeen};

/// See [`Probe::DOES`].
pub struct BrowsePage;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct With {
    /// What starts the call: a CSS selector, or `none` to start none; left out: what the target file says.
    pub start: Option<String>,
    /// Seconds in a call, or on the page where none is started: an upper bound for a control once audio flows both ways,
    /// the whole time for others.
    #[schemars(range(min = 1, max = 120))]
    pub seconds: u32,
    /// What is put into the page's WebSocket as if its server had sent it.
    pub inject: Inject,
    /// The earlier step whose browser profile is used again; left out: an empty one.
    pub profile: Option<PageRef>,
    /// How many visits, each in an empty profile of its own unless `profile` names one.
    #[schemars(range(min = 1, max = 5))]
    pub visits: u32,
}

impl Default for With {
    fn default() -> Self {
        Self { start: None, seconds: 15, inject: Inject::Nothing, profile: None, visits: 1 }
    }
}

/// What is put into the page's WebSocket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Inject {
    /// Nothing.
    #[default]
    Nothing,
    /// An INVITE, while the page is idle and again after its call has ended.
    IncomingInvite,
    /// A REFER within the dialog of the page's call. RFC 3515.
    Refer,
    /// An INVITE with `Replaces` of the page's call. RFC 3891.
    Replaces,
}

impl From<Inject> for browser::Inject {
    fn from(word: Inject) -> Self {
        match word {
            Inject::Nothing => Self::Nothing,
            Inject::IncomingInvite => Self::IncomingInvite,
            Inject::Refer => Self::Refer,
            Inject::Replaces => Self::Replaces,
        }
    }
}

impl Probe for BrowsePage {
    const NAME: &'static str = "browse-page";
    const DOES: &'static str = "open the page in a real headless browser, start a call, and watch network, console, storage and RTCPeerConnection";
    type With = With;
    type Seen = Seen;

    fn cost(with: &With) -> Cost {
        let calls = if with.start.as_deref() == Some("none") { 0 } else { with.visits };
        // The page's server, its configuration, its WebSocket, and one that the browser opens in advance.
        let visitor = with.inject == Inject::Nothing && with.visits == 1;
        Cost { calls, connections: 4, mints: with.visits, seconds: with.seconds * with.visits, ..Cost::ACTIVE }
            .passive_if(visitor)
    }

    async fn ask(cx: &Cx, with: With) -> Result<Asked<Seen>, OwnFault> {
        let kept = with.profile.as_ref().map(|step| earlier(cx, step)).transpose()?;
        let mut seen = Seen::default();
        let mut visits = vec![];
        let (mut profile, secrets) = match kept {
            Some(page) => (page.profile.clone(), page.secrets.clone()),
            None => (empty()?, Ledger::default()),
        };
        let mut failure = None;
        for number in 0..with.visits.clamp(1, 5) {
            if number > 0 && with.profile.is_none() {
                profile = empty()?;
            }
            let visited = visit(&cx.net, &plan(cx, &with, &profile)?).await.map_err(OwnFault::new)?;
            let all = describe::add(cx, &visited, &secrets, &mut seen);
            visits.push(describe::kept(&visited));
            let more = || Failure::protocol("the page was given more secrets than are looked for");
            failure = visited.failure.or_else(|| (!all).then(more));
            if failure.is_some() {
                break;
            }
        }
        let asked = match failure {
            Some(failure) => Asked::failed(seen, failure),
            None => Asked::answered(seen),
        };
        Ok(asked.keeping(Kept::Page(Arc::new(Browsed { visits, secrets, profile }))))
    }
}

fn plan(cx: &Cx, with: &With, profile: &Arc<TempDir>) -> Result<VisitPlan, OwnFault> {
    let own = |why: &str| OwnFault(why.into());
    let Endpoint::Url(page) = cx.target.endpoints.get("page") else { return Err(own("endpoints.page is not given")) };
    let limits = &cx.target.limits;
    let seconds = u64::from(with.seconds.clamp(1, 120)).min(cx.seconds_left);
    Ok(VisitPlan {
        executable: cx.browser.clone().ok_or_else(|| own("no browser was found"))?,
        url: Url::parse(page).map_err(|error| OwnFault(format!("endpoints.page: {error}")))?,
        start: start(cx, with)?,
        accept: cx.target.page.accept.clone(),
        length: Duration::from_secs(seconds),
        early_end: cx.control,
        inject: with.inject.into(),
        profile: profile.clone(),
        own_certificates: cx.target.ca_file.is_some() || cx.target.accept_untrusted,
        load_within: Duration::from_secs_f64(limits.exchange_s),
        call_within: Duration::from_secs_f64(limits.ring_s + limits.media_s),
    })
}

fn start(cx: &Cx, with: &With) -> Result<Option<browser::Start>, OwnFault> {
    match (with.start.as_deref(), &cx.target.page.start) {
        (Some("none"), _) => Ok(None),
        (Some(selector), _) => Ok(Some(browser::Start::Button(selector.into()))),
        (None, Some(target::Start::Button(selector))) => Ok(Some(browser::Start::Button(selector.clone()))),
        (None, Some(target::Start::Script { script })) => Ok(Some(browser::Start::Script(script.clone()))),
        (None, None) => Err(OwnFault("page.start is not given".into())),
    }
}

fn earlier(cx: &Cx, step: &PageRef) -> Result<Arc<Browsed>, OwnFault> {
    match cx.kept.get(&step.0) {
        Some(Kept::Page(page)) => Ok(page.clone()),
        _ => Err(OwnFault(format!("step {} keeps no page", step.0))),
    }
}

fn empty() -> Result<Arc<TempDir>, OwnFault> {
    let made = tempfile::Builder::new().prefix("ringfence-browser-").tempdir();
    made.map(Arc::new).map_err(|error| OwnFault(format!("no folder for the browser's profile: {error}")))
}
