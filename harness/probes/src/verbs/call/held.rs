//! A call that a step kept, for later ones.

use std::time::Instant;

use ringfence_client::drive::call::{CallObservation, LiveCall};
use ringfence_client::media::Identity;
use ringfence_model::observation::{Common, Outcome};
use serde_json::{Map, Value};
use tokio::sync::{Mutex, MutexGuard};

use super::seen::{Seen, describe};
use crate::OwnFault;
use crate::probe::object;

/// A call that a step kept: running, or over.
pub struct HeldCall {
    live: Mutex<Option<LiveCall>>,
    /// Calls that are held beside it.
    beside: Mutex<Vec<LiveCall>>,
    granted: i64,
    pub(super) identity: Identity,
    begun: Instant,
}

impl HeldCall {
    /// `granted` of these calls were answered; the first is the one that later steps speak of.
    pub(super) fn new(mut calls: Vec<LiveCall>, granted: i64, identity: Identity, begun: Instant) -> Self {
        let first = if calls.is_empty() { None } else { Some(calls.remove(0)) };
        Self { live: Mutex::new(first), beside: Mutex::new(calls), granted, identity, begun }
    }

    /// The running call; `None` when it is over.
    pub(crate) async fn live(&self) -> MutexGuard<'_, Option<LiveCall>> {
        self.live.lock().await
    }

    /// Hangs up; what was seen until the end, where the call still ran.
    pub async fn end(&self) -> Result<Option<Map<String, Value>>, OwnFault> {
        let Some(live) = self.live.lock().await.take() else { return Ok(None) };
        let beside = std::mem::take(&mut *self.beside.lock().await);
        let ended = hang_up_all(std::iter::once(live).chain(beside)).await;
        let Some(first) = ended.into_iter().next() else { return Ok(None) };
        let elapsed_ms = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let (seen, failure) = describe(first)?;
        let (outcome, error) = failure.map_or((Outcome::Answered, None), |f| (f.outcome, Some(f.error)));
        let seen = Seen { granted: self.granted, ..seen };
        object(&Common { outcome, elapsed_ms, error }, &seen).map(Some)
    }
}

/// Hangs up all of them at once; what was seen of each until its end, in the same order.
pub(super) async fn hang_up_all(calls: impl IntoIterator<Item = LiveCall>) -> Vec<CallObservation> {
    futures_util::future::join_all(calls.into_iter().map(LiveCall::hang_up)).await
}
