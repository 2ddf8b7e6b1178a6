//! Requests on the connection of a call that runs.

use std::time::Duration;

use tokio::time::Instant;

use super::call::LiveCall;
use super::live::Command;
use super::request::{RequestPlan, may_dial};
use crate::signalling::{FinalAnswer, Within};
use crate::{Failure, Net};

/// How long a REFER that was accepted may take to tell what came of it (house).
const NOTIFYING: Duration = Duration::from_secs(10);
/// Between two looks at what it told.
const LOOK: Duration = Duration::from_millis(100);

/// What is asked.
pub(super) struct InCall {
    pub method: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<(String, Vec<u8>)>,
    pub within: Within,
    pub answer_within: Duration,
}

impl LiveCall {
    /// Asks on the call's own connection; of the plan only what the request itself says counts. The last final answer, and
    /// what the far side told about a REFER.
    pub async fn request(&mut self, net: &Net, plan: RequestPlan) -> (Result<FinalAnswer, Failure>, Option<u16>) {
        if let Err(failure) = may_dial(net, &plan) {
            return (Err(failure), None);
        }
        let refers = plan.method == "REFER";
        let RequestPlan { method, headers, body, within, answer_within, .. } = plan;
        let ask = InCall { method, headers, body, within, answer_within };
        let answer = self.command(|reply| Command::Request { ask, reply }).await;
        let answer = answer.unwrap_or_else(|| Err(Failure::closed("the call is over")));
        let accepted = answer.as_ref().is_ok_and(|answer| (200..300).contains(&answer.status));
        let until = Instant::now() + NOTIFYING;
        let told = |call: &LiveCall| call.seen().notify_status.is_some_and(|status| status >= 200);
        while refers && accepted && !told(self) && self.is_live() && Instant::now() < until {
            self.run_for(LOOK).await;
        }
        (answer, self.seen().notify_status.filter(|_| refers))
    }
}
