//! The conversation of [`Corpus::Smuggling`](super::Corpus): participant 2 is rung and listens.

use std::sync::Arc;
use std::time::Duration;

use ringfence_client::Failure;
use ringfence_client::adapters::CallConfig;
use ringfence_client::drive::listener::{Listener, ListenerPlan, listen};
use ringfence_client::drive::request::offer;

use super::count;
use super::draft::{Draft, REGISTERED_S, Words};
use super::item::{Asks, Item};
use super::seen::Seen;
use super::sender::Sender;
use super::smuggling::{Spelling, invite, smuggled};
use crate::origin::OriginVariant;
use crate::{Cx, OwnFault};

/// Calls that participant 2 may get: the plain one twice, all legal spellings in one and, where that is not passed on, each alone;
/// and NUL.
pub(super) const MAX_CALLS: u32 = 4 + Spelling::LEGAL.len() as u32;
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
    let went = Vec::new();
    let mut caller = Caller { cx, words, aor, identity: &config.identity_headers, sdp, sender, listener, went, seen };
    if config.register {
        let own = Draft::register(words, "register", REGISTERED_S);
        caller.sender.say(&Item::request("register", Asks::Alive, own)).await;
    }
    let rung = ring_all(&mut caller).await;
    let Caller { listener, sender, seen, went, .. } = caller;
    seen.sent = count(went.len());
    (seen.callee_view, seen.accepted_invalid, seen.unproved) = (rung.arrives, rung.accepted_invalid, rung.unproved);
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
    /// Spellings of which a request arrived, or that were asked for alone.
    went: Vec<Spelling>,
    seen: &'a mut Seen,
}

/// Rings by an INVITE of this name and tells whether it arrived.
trait Rings {
    async fn ring(&mut self, name: &str, spellings: &[Spelling]) -> bool;
}

/// What became of all INVITEs.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rung {
    /// The plain one does.
    arrives: bool,
    accepted_invalid: Vec<String>,
    /// Spellings that did not arrive, where a plain one did not any more either.
    unproved: Vec<String>,
}

async fn ring_all(caller: &mut impl Rings) -> Rung {
    let mut rung = Rung { arrives: caller.ring("plain", &[Spelling::Plain]).await, ..Rung::default() };
    if !rung.arrives {
        return rung;
    }
    let mut lost = Vec::new();
    // A joint request shows all of them at once, unless one of them makes the target refuse the others with it.
    if !caller.ring("joint", &Spelling::LEGAL).await {
        for spelling in Spelling::LEGAL {
            if !caller.ring(spelling.name(), &[spelling]).await {
                lost.push(spelling.name().to_owned());
            }
        }
    }
    if caller.ring("nul", &[Spelling::Nul]).await {
        rung.accepted_invalid.push("invite/nul-in-name".into());
    } else {
        lost.push(Spelling::Nul.name().to_owned());
    }
    // A target that passes on no more calls of this sender has removed nothing from those that did not arrive.
    if !caller.ring("plain-again", &[Spelling::Plain]).await {
        rung.unproved = lost;
    }
    rung
}

impl Rings for Caller<'_> {
    /// The participant is of this run, so that nobody else calls it; and an INVITE that went through a switch need not have kept
    /// anything by which it could be known again.
    async fn ring(&mut self, name: &str, spellings: &[Spelling]) -> bool {
        let draft = invite(self.words, name, &self.aor, self.identity, &self.sdp, spellings);
        let before = self.listener.invites();
        let call_id = draft.call_id.clone();
        self.cx.net.note_call(false);
        let told = self.sender.say(&Item::request(name, Asks::Alive, draft)).await;
        let arrived = told.sent && self.listener.comes(before, DELIVERY).await;
        let is_answered = !self.sender.statuses(&call_id).is_empty();
        if arrived || told.sent && spellings.len() == 1 {
            let fresh: Vec<_> = spellings.iter().filter(|spelling| !self.went.contains(spelling)).copied().collect();
            self.seen.answered += if is_answered { count(fresh.len()) } else { 0 };
            self.went.extend(fresh);
        }
        arrived
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A target that passes so many INVITEs on, and of those none that is refused here.
    struct Target {
        left: u32,
        refuses: fn(&str) -> bool,
        names: Vec<String>,
    }

    impl Rings for Target {
        async fn ring(&mut self, name: &str, _: &[Spelling]) -> bool {
            assert!(!self.names.contains(&name.to_owned()), "a Call-ID is used once");
            self.names.push(name.to_owned());
            let arrives = self.left > 0 && !(self.refuses)(name);
            self.left -= u32::from(arrives);
            arrives
        }
    }

    async fn rung(left: u32, refuses: fn(&str) -> bool) -> Rung {
        let mut target = Target { left, refuses, names: Vec::new() };
        let rung = ring_all(&mut target).await;
        assert!(target.names.len() <= MAX_CALLS as usize);
        rung
    }

    #[tokio::test]
    async fn who_limits_calls_has_refused_no_spelling() {
        let all = |arrives, unproved: &[&str]| Rung {
            arrives,
            accepted_invalid: vec![],
            unproved: unproved.iter().map(|&name| name.into()).collect(),
        };
        assert_eq!(rung(0, |_| false).await, all(false, &[]));
        let every = ["space-before-colon", "tab-before-colon", "folded", "repeated", "odd-case", "nul"];
        assert_eq!(rung(1, |_| false).await, all(true, &every));
        assert_eq!(rung(2, |_| false).await, all(true, &["nul"]));
        assert_eq!(rung(9, |name| name == "nul").await, all(true, &[]), "the plain one still arrives");
        assert_eq!(rung(9, |name| ["nul", "joint", "folded"].contains(&name)).await, all(true, &[]));
        assert_eq!(rung(9, |_| false).await.accepted_invalid, ["invite/nul-in-name"]);
    }
}
