//! A participant who only asks whether the service is alive: OPTIONS on a connection of its own, four times a second.
//!
//! Any final answer is a sign of life, also a challenge or a refusal (RFC 3261, section 11: OPTIONS asks for nothing that
//! could be refused to one and not to another); a server's failure, or a timeout that it tells of, only where it said so from
//! the beginning. One question is open at a time. A connection that was closed is opened again within the same question: a
//! close alone is counted apart, since some servers end whatever does not register in time.

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
    /// Those without a final answer within [`LOST_AFTER`], and those answered by a failure that was none before
    /// [`Prober::mark`].
    pub lost: i64,
    /// Those of them before [`Prober::mark`].
    pub lost_before: i64,
    /// Times since [`Prober::mark`] that a connection which had served was found closed.
    pub closed: i64,
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
    let (mut is_marked, mut fails_anyway) = (false, false);
    loop {
        tokio::select! {
            biased;
            mark = marked.recv() => match mark {
                Some(told) => {
                    is_marked = true;
                    (seen.lost_before, seen.closed) = (seen.lost, 0);
                    let _ = told.send(()); // who asked may be gone
                    continue;
                }
                None => break,
            },
            () = sleep_until(next) => {}
        }
        next = Instant::now() + EVERY;
        seen.sent += 1;
        let asking = ask(&net, &plan, &mut line, &mut seen.closed);
        let answer = timeout(LOST_AFTER, asking).await.ok().flatten();
        let now = Instant::now();
        seen.max_gap_ms = seen.max_gap_ms.max(millis(now - answered_at));
        fails_anyway |= !is_marked && answer.is_some_and(is_failure);
        if answer.is_some_and(|status| fails_anyway || !is_failure(status)) {
            answered_at = now;
            row.send_replace(0);
        } else {
            seen.lost += 1;
            row.send_modify(|row| *row += 1);
        }
        if answer.is_none() {
            line = None;
        }
    }
    seen.max_gap_ms = seen.max_gap_ms.max(millis(answered_at.elapsed()));
    if let Some(line) = line {
        line.close().await;
    }
    seen
}

/// One question, and the status of its final answer. The connection stays, if it can; one that was closed since the last
/// question is opened again.
async fn ask(net: &Net, plan: &ProberPlan, line: &mut Option<Line>, closed: &mut i64) -> Option<u16> {
    if let Some(open) = line {
        let answer = ask_on(open).await;
        if answer.is_some() || !open.is_broken() {
            return answer;
        }
        *closed += 1;
        *line = None;
    }
    let (opened, _) = Line::open(net, &plan.config.ws_uri, plan.origin.clone(), signalling(plan)).await.ok()?;
    ask_on(line.insert(opened)).await
}

async fn ask_on(line: &mut Line) -> Option<u16> {
    let question =
        Input::Request { method: "OPTIONS".into(), headers: Vec::new(), body: None, within: Within::Nothing };
    let mut events = line.input(question).await;
    loop {
        for event in &events {
            match event {
                Event::FinalAnswer(answer) if answer.method == "OPTIONS" => return Some(answer.status),
                Event::Failed(_) => return None,
                _ => {}
            }
        }
        if line.is_broken() {
            return None;
        }
        let incoming = line.wait().await;
        events = line.take(incoming).await;
    }
}

/// A failure of the server's own, or a timeout behind it: what a proxy says for one that is gone. RFC 3261, section 21.
fn is_failure(status: u16) -> bool {
    status == 408 || (500..600).contains(&status)
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
