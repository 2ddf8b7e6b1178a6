//! Requests of a hostile server, put into the page's own WebSocket.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::super::sip::{Injection, Request};
use super::{PAGE_COMMAND, Visitor, random_hex};
use crate::Failure;

/// How long a page has to register by itself (house).
const REGISTERED: Duration = Duration::from_secs(3);
/// How long a page is watched after a request (house): longer than the second after which some phones pick up.
const WATCHED: Duration = Duration::from_secs(5);

impl Visitor<'_> {
    /// An INVITE for a page that is registered without a call; false where it is not.
    pub(super) async fn inject_while_idle(&mut self) -> Result<bool, Failure> {
        let until = Instant::now() + REGISTERED;
        while self.signalling.registered.is_none() && Instant::now() < until {
            self.tick().await?;
        }
        match self.signalling.registered.is_some() {
            true => self.inject(Request::Invite).await,
            false => Ok(false),
        }
    }

    /// Puts a request into the page's WebSocket and watches what comes of it; false where there is no WebSocket for it.
    pub(super) async fn inject(&mut self, request: Request) -> Result<bool, Failure> {
        self.follow();
        // Without random bytes nothing was put in, and the scenario says so.
        let random = |count| random_hex(count).unwrap_or_default();
        let Some(Ok(injection)) = Injection::new(request, &self.signalling, random) else { return Ok(false) };
        for tokens in injection.rules.iter().filter(|tokens| tokens.iter().all(|token| !token.is_empty())) {
            self.tell(&json!({ "do": "swallow", "tokens": tokens })).await;
        }
        let known: BTreeSet<_> = self.session.seen(|watch| watch.record.peers.keys().cloned().collect());
        if !self.deliver(&injection.message).await {
            return Ok(false);
        }
        self.visited.injected.delivered += 1;
        let until = Instant::now() + WATCHED;
        let mut accepted = false;
        while !accepted && Instant::now() < until {
            self.tick().await?;
            accepted = self.session.seen(|watch| {
                let new = watch.record.peers.iter().filter(|(key, _)| !known.contains(*key));
                let mut new = new.map(|(_, peer)| peer);
                let speaks = new.any(|peer| peer.sends_audio && (peer.answered || request == Request::Refer));
                speaks || injection.is_accepted(&watch.record.swallowed)
            });
        }
        self.visited.injected.accepted += u32::from(accepted);
        let answered = self.session.seen(|watch| injection.is_answered(&watch.record.swallowed));
        self.visited.injected.answered += u32::from(answered);
        if let Some(cancel) = injection.cancel.filter(|_| !accepted) {
            // A page that rings would not call.
            self.deliver(&cancel).await;
        }
        Ok(true)
    }

    async fn deliver(&self, message: &str) -> bool {
        self.session.change(|watch| watch.injected = false);
        self.tell(&json!({ "do": "inject", "data": message })).await;
        self.session.wait_for(PAGE_COMMAND, |watch| watch.injected.then_some(())).await.is_some()
    }
}
