//! The machine's socket, clock and task. Everything that is decided is decided in `machine`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::net::UdpSocket;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::machine::{Machine, Output};
use super::{Ended, MediaStats};

/// Longest datagram that is read in full, in bytes; of a longer one the rest is lost, and so does not authenticate.
const MAX_DATAGRAM_BYTES: usize = 4096;
/// Errors of the socket in a row before it counts as broken. An ICMP error of an earlier datagram may show as one.
const MAX_SOCKET_ERRORS: u32 = 100;

/// The media of one call. Dropping it ends its task and frees its port.
pub struct MediaCall {
    task: JoinHandle<Ended>,
    ended: Option<Ended>,
    stop: Arc<Notify>,
    stats: Arc<Mutex<MediaStats>>,
    /// The lab's own machine, and what wakes its task.
    machine: Option<(Arc<Mutex<Machine>>, Arc<Notify>)>,
}

impl MediaCall {
    pub(super) fn start(machine: Machine, socket: UdpSocket) -> Self {
        let stats = Arc::new(Mutex::new(MediaStats::default()));
        let (machine, changed) = (Arc::new(Mutex::new(machine)), Arc::new(Notify::new()));
        let shared = Some((machine.clone(), changed.clone()));
        let mut call = Self::spawn(stats.clone(), |stop| run(machine, socket, (stop, changed), stats));
        call.machine = shared;
        call
    }

    /// Answers another offer in mid-call; nothing where it is not taken, and then all stays as it was.
    pub fn restart(&self, offer: &str) -> Option<String> {
        let (machine, changed) = self.machine.as_ref()?;
        let answer = lock(machine).restart(offer, Instant::now());
        changed.notify_one();
        answer
    }

    /// A call whose media are `run`'s: it is told when to stop, and counts in `stats` what there is to count.
    pub(super) fn spawn<Run>(stats: Arc<Mutex<MediaStats>>, run: impl FnOnce(Arc<Notify>) -> Run) -> Self
    where
        Run: Future<Output = Ended> + Send + 'static,
    {
        let stop = Arc::new(Notify::new());
        Self { task: tokio::spawn(run(stop.clone())), ended: None, stop, stats, machine: None }
    }

    /// Waits for the end, and says why. May be dropped and asked again; every answer is the same.
    pub async fn ended(&mut self) -> Ended {
        if let Some(ended) = &self.ended {
            return ended.clone();
        }
        // A task that was cancelled went down with its runtime.
        let ended = (&mut self.task).await.unwrap_or(Ended::Stopped);
        self.ended.insert(ended).clone()
    }

    /// Ends media with a goodbye; [`MediaCall::ended`] tells when it was said.
    pub fn stop(&self) {
        self.stop.notify_one();
    }

    /// What was counted so far.
    pub fn stats(&self) -> MediaStats {
        *self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for MediaCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MediaCall {{ ended: {:?} }}", self.ended)
    }
}

impl Drop for MediaCall {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    machine: Arc<Mutex<Machine>>,
    socket: UdpSocket,
    (stop, changed): (Arc<Notify>, Arc<Notify>),
    stats: Arc<Mutex<MediaStats>>,
) -> Ended {
    let mut buffer = vec![0; MAX_DATAGRAM_BYTES];
    let mut errors = 0;
    loop {
        *stats.lock().unwrap_or_else(PoisonError::into_inner) = lock(&machine).stats();
        let wake = loop {
            let next = lock(&machine).poll();
            match next {
                Output::Transmit(to, datagram) => {
                    // What cannot be sent is lost, as on any network; the machine's timers notice.
                    let _ = socket.send_to(&datagram, to).await;
                }
                Output::Timeout(at) => break Ok(at),
                Output::Ended(ended) => break Err(ended),
            }
        };
        let wake = match wake {
            Ok(at) => at,
            Err(ended) => return ended,
        };
        tokio::select! {
            biased;
            () = stop.notified() => lock(&machine).stop(),
            () = changed.notified() => {}
            received = socket.recv_from(&mut buffer) => match received {
                Ok((length, from)) => {
                    errors = 0;
                    lock(&machine).input(Instant::now(), from, buffer.get(..length).unwrap_or_default());
                }
                Err(_) if errors < MAX_SOCKET_ERRORS => errors += 1,
                Err(_) => return Ended::IceFailed,
            },
            () = tokio::time::sleep_until(wake.into()) => lock(&machine).timeout(Instant::now()),
        }
    }
}

fn lock(machine: &Mutex<Machine>) -> MutexGuard<'_, Machine> {
    machine.lock().unwrap_or_else(PoisonError::into_inner)
}
