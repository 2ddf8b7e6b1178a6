//! A participant who only asks whether the service is alive: OPTIONS on a connection of its own, four times a second.
//!
//! Any final answer is a sign of life, also a challenge or a refusal (RFC 3261, section 11: OPTIONS asks for nothing that
//! could be refused to one and not to another). One question is open at a time; a lost connection is opened again, so that
//! one close counts once and not until the end.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::line::Line;
use crate::Net;
use crate::adapters::CallConfig;
use crate::signalling::{Event, Input, SignallingPlan, Within};

/// From one question to the next (the catalogue's figure).
pub const EVERY: Duration = Duration::from_millis(250);
/// How long a question may wait for its final answer (the catalogue's figure).
pub const LOST_AFTER: Duration = Duration::from_secs(2);

/// Who asks, and where.
#[derive(Clone, Debug)]
pub struct ProberPlan {
    /// Where; nothing is registered, and no password is used.
    pub config: CallConfig,
    /// `Origin` of the WebSocket.
    pub origin: Option<String>,
    /// Seed of tags and branches.
    pub seed: u64,
}

/// How the service went on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProberSeen {
    /// Questions asked, those among them for which no connection could be had.
    pub sent: i64,
    /// Those without a final answer within [`LOST_AFTER`].
    pub lost: i64,
    /// Those of them before [`Prober::mark`].
    pub lost_before: i64,
    /// The longest time without an answer, milliseconds, the open ends included.
    pub max_gap_ms: i64,
}

/// A prober that runs; dropped, it ends.
pub struct Prober {
    marks: mpsc::Sender<oneshot::Sender<()>>,
    lost_in_a_row: watch::Receiver<u32>,
    task: JoinHandle<ProberSeen>,
}

impl Prober {
    /// Begins to ask.
    pub fn start(net: &Net, plan: ProberPlan) -> Self {
        let (marks, marked) = mpsc::channel(1);
        let (row, lost_in_a_row) = watch::channel(0);
        let task = tokio::spawn(probe(net.clone(), plan, marked, row));
        Self { marks, lost_in_a_row, task }
    }

    /// From here on a loss is the doing of what is sent beside it.
    pub async fn mark(&self) {
        let (tell, told) = oneshot::channel();
        if self.marks.send(tell).await.is_ok() {
            let _ = told.await; // a task that is gone has nothing more to count
        }
    }

    /// Questions lost one after the other, up to now.
    pub fn lost_in_a_row(&self) -> u32 {
        *self.lost_in_a_row.borrow()
    }

    /// Stops asking, and tells.
    pub async fn finish(self) -> ProberSeen {
        drop(self.marks);
        self.task.await.unwrap_or_default()
    }
}

async fn probe(
    net: Net,
    plan: ProberPlan,
    mut marked: mpsc::Receiver<oneshot::Sender<()>>,
    row: watch::Sender<u32>,
) -> ProberSeen {
    let mut seen = ProberSeen::default();
    let mut line = None;
    let mut answered_at = Instant::now();
    let mut next = Instant::now();
    loop {
        tokio::select! {
            biased;
            mark = marked.recv() => match mark {
                Some(told) => {
                    seen.lost_before = seen.lost;
                    let _ = told.send(()); // who asked may be gone
                    continue;
                }
                None => break,
            },
            () = sleep_until(next) => {}
        }
        next = Instant::now() + EVERY;
        seen.sent += 1;
        let alive = timeout(LOST_AFTER, ask(&net, &plan, &mut line)).await.unwrap_or(false);
        let now = Instant::now();
        seen.max_gap_ms = seen.max_gap_ms.max(millis(now - answered_at));
        if alive {
            answered_at = now;
            row.send_replace(0);
        } else {
            seen.lost += 1;
            row.send_modify(|row| *row += 1);
            line = None;
        }
    }
    seen.max_gap_ms = seen.max_gap_ms.max(millis(answered_at.elapsed()));
    if let Some(line) = line {
        line.close().await;
    }
    seen
}

/// One question. The connection stays, if it can.
async fn ask(net: &Net, plan: &ProberPlan, line: &mut Option<Line>) -> bool {
    let open = match line {
        Some(open) => open,
        None => match Line::open(net, &plan.config.ws_uri, plan.origin.clone(), signalling(plan)).await {
            Ok((opened, _)) => line.insert(opened),
            Err(_) => return false,
        },
    };
    let question =
        Input::Request { method: "OPTIONS".into(), headers: Vec::new(), body: None, within: Within::Nothing };
    let mut events = open.input(question).await;
    loop {
        if events.iter().any(|event| matches!(event, Event::FinalAnswer(answer) if answer.method == "OPTIONS")) {
            return true;
        }
        if open.is_broken() || events.iter().any(|event| matches!(event, Event::Failed(_))) {
            return false;
        }
        let incoming = open.wait().await;
        events = open.take(incoming).await;
    }
}

/// Towards the server itself, so that no phone is asked.
fn signalling(plan: &ProberPlan) -> SignallingPlan {
    SignallingPlan {
        target_uri: format!("sip:{}", plan.config.realm),
        password: None,
        transaction: 2 * LOST_AFTER,
        ..SignallingPlan::honest(&plan.config, plan.seed)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
