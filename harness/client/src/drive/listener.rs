//! A participant whom the harness plays: registered, it refuses what comes and remembers it.

use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::line::Line;
use crate::adapters::CallConfig;
use crate::signalling::{Asked, Event, Input, LoginBend, SignallingPlan};
use crate::{Failure, Net};

/// Requests that are remembered (house).
const MAX_HEARD: usize = 64;

/// How to listen.
#[derive(Clone, Debug)]
pub struct ListenerPlan {
    /// Where, and as whom.
    pub config: CallConfig,
    /// `Origin` of the WebSocket.
    pub origin: Option<String>,
    /// Seed of tags, branches and client nonces.
    pub seed: u64,
    /// How long the registration may wait for each answer.
    pub answer_within: Duration,
}

/// A registered participant; it leaves when this is dropped.
pub struct Listener {
    stop: oneshot::Sender<()>,
    invites: watch::Receiver<usize>,
    task: JoinHandle<Vec<Asked>>,
}

/// Connects and registers.
///
/// # Errors
/// The upgrade or the registration was refused, or not answered.
pub async fn listen(net: &Net, plan: ListenerPlan) -> Result<Listener, Failure> {
    let mut signalling = SignallingPlan::honest(&plan.config, plan.seed);
    signalling.transaction = plan.answer_within;
    let opened = Line::open(net, &plan.config.ws_uri, plan.origin, signalling).await;
    let (mut line, _) = opened.map_err(|refused| refused.failure)?;
    let mut heard = Vec::new();
    let mut events = line.input(Input::Register { login: LoginBend::Own, times: 1 }).await;
    loop {
        let mut registered = false;
        for event in events {
            match event {
                Event::Registered { .. } => registered = true,
                Event::RegisterFinal { status, .. } => {
                    line.close().await;
                    return Err(Failure::protocol(format!("the second participant's registration got {status}")));
                }
                Event::Failed(failure) => {
                    line.close().await;
                    return Err(failure);
                }
                other => note(&mut heard, other),
            }
        }
        if registered {
            break;
        }
        let incoming = line.wait().await;
        events = line.take(incoming).await;
    }
    let (stop, mut stopped) = oneshot::channel();
    let (tell, invites) = watch::channel(count(&heard));
    let task = tokio::spawn(async move {
        loop {
            let incoming = tokio::select! {
                biased; // what has come is heard before the end
                incoming = line.wait() => incoming,
                _ = &mut stopped => break,
            };
            for event in line.take(incoming).await {
                note(&mut heard, event);
            }
            tell.send_replace(count(&heard));
            if line.is_broken() {
                break;
            }
        }
        line.close().await;
        heard
    });
    Ok(Listener { stop, invites, task })
}

impl Listener {
    /// INVITEs that came so far; once this is read, the next one is waited for by [`Listener::comes`]. A registrar's own OPTIONS and
    /// NOTIFY are no calls.
    pub fn invites(&self) -> usize {
        *self.invites.borrow()
    }

    /// Waits until more than so many INVITEs have come; false if none came in time, or none can come any more.
    pub async fn comes(&mut self, more_than: usize, within: Duration) -> bool {
        let waiting = self.invites.wait_for(|count| *count > more_than);
        matches!(tokio::time::timeout(within, waiting).await, Ok(Ok(_)))
    }

    /// Leaves, and tells what came.
    pub async fn heard(self) -> Vec<Asked> {
        let _ = self.stop.send(()); // one whose connection broke has ended already
        self.task.await.unwrap_or_default()
    }
}

fn note(heard: &mut Vec<Asked>, event: Event) {
    if let Event::Asked(asked) = event
        && heard.len() < MAX_HEARD
    {
        heard.push(asked);
    }
}

fn count(heard: &[Asked]) -> usize {
    heard.iter().filter(|asked| asked.method == "INVITE").count()
}
