//! The conversation of [`Corpus::Smuggling`](super::Corpus): participant 2 is rung and listens.

use std::sync::Arc;
use std::time::Duration;

use ringfence_client::Failure;
use ringfence_client::adapters::CallConfig;
use ringfence_client::drive::listener::{Listener, ListenerPlan, listen};
use ringfence_client::drive::request::offer;

use super::count;
use super::draft::{Draft, Words};
use super::item::{Asks, Item};
use super::seen::Seen;
use super::sender::Sender;
use super::smuggling::{Spelling, invite, smuggled};
use crate::origin::OriginVariant;
use crate::{Cx, OwnFault};

/// Calls that participant 2 may get: the plain one, all legal spellings in one and, where that is not passed on, each alone; and NUL.
pub(super) const MAX_CALLS: u32 = 3 + Spelling::LEGAL.len() as u32;
/// How long a request may take to the other participant behind its final answer (house).
const DELIVERY: Duration = Duration::from_secs(1);

/// Rings participant 2 with every spelling. Without one, or where the plain request does not arrive, nothing can be told.
pub(super) async fn smuggle(
    cx: &Cx,
    words: &Words,
    config: &Arc<CallConfig>,
    second: Option<&Arc<CallConfig>>,
    sender: &mut Sender,
    seen: &mut Seen,
) -> Result<(), OwnFault> {
    seen.total = count(2 + Spelling::LEGAL.len());
    let Some(second) = second.filter(|second| second.aor_user != config.aor_user) else { return Ok(()) };
    let aor = format!("sip:{}@{}", second.aor_user, second.realm);
    if cx.net.may_dial(&aor, &config.realm).is_err() {
        return Ok(());
    }
    let Ok(listener) = register(cx, second).await else { return Ok(()) };
    let sdp = offer(cx.seed).map_err(OwnFault::new)?;
    let mut caller = Caller { cx, words, aor, identity: &config.identity_headers, sdp, sender, listener, seen };
    if config.register {
        caller.sender.say(&Item::request("register", Asks::Alive, Draft::register(words, "register"))).await;
    }
    caller.seen.callee_view = caller.ring(&[Spelling::Plain]).await;
    if caller.seen.callee_view {
        // A joint request shows all of them at once, unless one of them makes the target refuse the others with it.
        if !caller.ring(&Spelling::LEGAL).await {
            for spelling in Spelling::LEGAL {
                caller.ring(&[spelling]).await;
            }
        }
        if caller.ring(&[Spelling::Nul]).await {
            caller.seen.accepted_invalid.push("invite/nul-in-name".into());
        }
    }
    let Caller { listener, sender, seen, .. } = caller;
    if config.register {
        super::unregister(words, sender).await;
    }
    let heard = listener.heard().await;
    let values = heard.iter().flat_map(|asked| asked.headers.iter().map(|(_, value)| value.as_str()));
    seen.smuggled = smuggled(words, values);
    Ok(())
}

struct Caller<'a> {
    cx: &'a Cx,
    words: &'a Words,
    aor: String,
    identity: &'a [(String, String)],
    sdp: String,
    sender: &'a mut Sender,
    listener: Listener,
    seen: &'a mut Seen,
}

impl Caller<'_> {
    /// One INVITE; whether it arrived.
    async fn ring(&mut self, spellings: &[Spelling]) -> bool {
        let draft = invite(self.words, &self.aor, self.identity, &self.sdp, spellings);
        let before = self.listener.count();
        let call_id = draft.call_id.clone();
        self.cx.net.note_call(false);
        let told = self.sender.say(&Item::request("invite", Asks::Alive, draft)).await;
        self.seen.sent += i64::from(told.sent) * count(spellings.len());
        let statuses = self.sender.statuses(&call_id);
        self.seen.answered += i64::from(!statuses.is_empty()) * count(spellings.len());
        told.sent && self.listener.comes(before, DELIVERY).await
    }
}

async fn register(cx: &Cx, second: &Arc<CallConfig>) -> Result<Listener, Failure> {
    let plan = ListenerPlan {
        config: (**second).clone(),
        origin: OriginVariant::Trusted.value(&cx.target),
        seed: cx.seed ^ 1,
        answer_within: Duration::from_secs_f64(cx.target.limits.exchange_s),
    };
    listen(&cx.net, plan).await
}
