//! The call that a click began: up, for its time, and hung up.

use std::time::Duration;

use ringfence_model::observation::Outcome;
use tokio::time::Instant;

use super::super::sip::Request;
use super::{HANG_UP, Inject, Start, Visitor};
use crate::Failure;

/// So long audio has to flow both ways before a call may end early (house).
const ENOUGH: Duration = Duration::from_secs(2);
/// How long a page may think about a refusal before it counts as its last word (house): some try again.
const REFUSED: Duration = Duration::from_secs(3);

/// Bytes that one side has got from the other.
#[derive(Clone, Copy, Default, PartialEq)]
struct Flow {
    received: u64,
    sent: u64,
}

impl Visitor<'_> {
    /// `injected`: a request was already put in while the page was idle.
    pub(super) async fn call(&mut self, injected: bool) -> Result<(), Failure> {
        if !self.up().await? {
            return Ok(());
        }
        let began = Instant::now();
        let length = self.plan.length;
        let in_call = match self.plan.inject {
            Inject::IncomingInvite if !injected => Some(Request::Invite),
            Inject::Refer => Some(Request::Refer),
            Inject::Replaces => Some(Request::Replaces),
            Inject::IncomingInvite | Inject::Nothing => None,
        };
        self.flowing().await?;
        if let Some(request) = in_call {
            self.inject(request).await?;
        }
        let mut both_since: Option<(Instant, Flow)> = None;
        while began.elapsed() < length && !self.over() {
            self.tick().await?;
            let flow = self.flow();
            if flow.received > 0 && flow.sent > 0 {
                let (since, first) = *both_since.get_or_insert((Instant::now(), flow));
                let grown = flow.received > first.received && flow.sent > first.sent;
                if self.plan.early_end && grown && since.elapsed() >= ENOUGH {
                    break;
                }
            }
        }
        // What a page keeps only while it calls is seen now.
        self.read().await;
        self.hang_up().await?;
        if self.plan.inject == Inject::IncomingInvite {
            self.inject(Request::Invite).await?;
        }
        Ok(())
    }

    /// Waits until the call is up; false where the page or its server gave up.
    async fn up(&mut self) -> Result<bool, Failure> {
        let until = Instant::now() + self.plan.call_within;
        let mut refused_since: Option<Instant> = None;
        loop {
            self.tick().await?;
            self.accept().await;
            if self.connected() || self.signalling.in_call() {
                return Ok(true);
            }
            match self.signalling.refused() {
                true if refused_since.get_or_insert_with(Instant::now).elapsed() > REFUSED => return Ok(false),
                true => {}
                false => refused_since = None,
            }
            if Instant::now() >= until {
                return Err(Failure::new(Outcome::Timeout, "the page's call did not come up in time"));
            }
        }
    }

    /// A call without media is a call as well, so this only waits.
    async fn flowing(&mut self) -> Result<(), Failure> {
        let until = Instant::now() + self.plan.call_within.min(self.plan.length);
        while self.flow().received == 0 && !self.over() && Instant::now() < until {
            self.tick().await?;
        }
        Ok(())
    }

    async fn hang_up(&mut self) -> Result<(), Failure> {
        if self.over() {
            return Ok(());
        }
        if let Some(Start::Button(selector)) = &self.plan.start {
            self.click(selector, HANG_UP).await;
        }
        let until = Instant::now() + HANG_UP;
        while !self.over() && Instant::now() < until {
            self.tick().await?;
        }
        Ok(())
    }

    fn connected(&self) -> bool {
        self.session.seen(|watch| watch.record.peers.values().any(|peer| peer.connected))
    }

    /// The page's call has ended: by BYE, or since no peer connection is left.
    fn over(&self) -> bool {
        let any = |of: fn(&super::Peer) -> bool| self.session.seen(|watch| watch.record.peers.values().any(of));
        let media_over = any(|peer| peer.connected) && !any(|peer| peer.connected && !peer.over);
        self.signalling.ended || media_over
    }

    fn flow(&self) -> Flow {
        self.session.seen(|watch| {
            watch.record.peers.values().fold(Flow::default(), |sum, peer| Flow {
                received: sum.received + peer.stats.bytes_received,
                sent: sum.sent + peer.stats.bytes_sent,
            })
        })
    }
}
