//! Commands to the browser, their answers, and its events, which go straight into the [`Watch`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::codec::{Decoder, encode};
use super::watch::{Command, Watch};

/// Commands that wait to be written (house): a browser that reads no more is lost.
const QUEUE: usize = 1024;
/// Commands without an answer yet (house). A page that never answers holds one entry each.
const MAX_PENDING: usize = 4096;

/// Why a command gave nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum CdpError {
    /// The browser says no: the page, frame or object may be gone.
    #[error("{method}: {message}")]
    Refused { method: &'static str, message: String },
    #[error("{0}: no answer in time")]
    Timeout(&'static str),
    #[error("the browser is gone")]
    Gone,
}

/// A connection to the browser.
pub(super) struct Session {
    commands: mpsc::Sender<(Command, Option<Answer>)>,
    state: Arc<Mutex<Watch>>,
    changed: watch::Receiver<u64>,
    tasks: [JoinHandle<()>; 2],
}

type Answer = oneshot::Sender<Result<Value, CdpError>>;

impl Session {
    /// Speaks over these pipes from now on.
    pub fn start<R, W>(reader: R, writer: W, watch: Watch) -> Self
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let (commands, queue) = mpsc::channel(QUEUE);
        let (bytes, outgoing) = mpsc::channel(QUEUE);
        let (tell, changed) = watch::channel(0);
        let state = Arc::new(Mutex::new(watch));
        let writing = tokio::spawn(write(writer, outgoing));
        let reading = Reading { state: state.clone(), bytes, tell, pending: HashMap::new(), next: 0 };
        let reading = tokio::spawn(reading.run(reader, queue));
        Self { commands, state, changed, tasks: [writing, reading] }
    }

    /// Sends a command to a target's session (`None` for the browser itself) and waits for its answer.
    ///
    /// # Errors
    /// See [`CdpError`].
    pub async fn call(
        &self,
        session: Option<&str>,
        method: &'static str,
        params: Value,
        limit: Duration,
    ) -> Result<Value, CdpError> {
        let (answer, answered) = oneshot::channel();
        let command = Command::new(session, method, params);
        let exchange = async {
            self.commands.send((command, Some(answer))).await.map_err(|_| CdpError::Gone)?;
            answered.await.map_err(|_| CdpError::Gone)?
        };
        timeout(limit, exchange).await.unwrap_or(Err(CdpError::Timeout(method)))
    }

    /// Reads what was seen so far.
    pub fn seen<T>(&self, read: impl FnOnce(&Watch) -> T) -> T {
        read(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes what is looked for.
    pub fn change<T>(&self, change: impl FnOnce(&mut Watch) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until something that was seen makes `what` give a value; `None` where it does not in time, or the browser is
    /// gone.
    pub async fn wait_for<T>(&self, limit: Duration, mut what: impl FnMut(&Watch) -> Option<T>) -> Option<T> {
        let mut changed = self.changed.clone();
        let waiting = async {
            loop {
                changed.borrow_and_update();
                if let Some(found) = self.seen(&mut what) {
                    return Some(found);
                }
                if changed.changed().await.is_err() {
                    return self.seen(&mut what);
                }
            }
        };
        match timeout(limit, waiting).await {
            Ok(found) => found,
            Err(_) => self.seen(&mut what),
        }
    }

    /// Closes the pipe and gives what was seen.
    pub fn close(self) -> Watch {
        self.change(std::mem::take)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn write<W: AsyncWrite + Unpin>(mut writer: W, mut outgoing: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = outgoing.recv().await {
        if writer.write_all(&bytes).await.is_err() {
            break;
        }
    }
}

/// What waits for an answer: somebody, or the watch itself.
enum Pending {
    Somebody(&'static str, Answer),
    Follow(Command),
}

struct Reading {
    state: Arc<Mutex<Watch>>,
    bytes: mpsc::Sender<Vec<u8>>,
    tell: watch::Sender<u64>,
    pending: HashMap<u64, Pending>,
    next: u64,
}

impl Reading {
    async fn run<R: AsyncRead + Unpin>(mut self, mut reader: R, mut queue: mpsc::Receiver<(Command, Option<Answer>)>) {
        let mut decoder = Decoder::default();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            tokio::select! {
                command = queue.recv() => match command {
                    Some((command, answer)) => self.send(command, answer),
                    None => return,
                },
                read = reader.read(&mut buffer) => {
                    let Some(bytes) = read.ok().and_then(|count| buffer.get(..count)).filter(|bytes| !bytes.is_empty())
                    else { return };
                    decoder.push(bytes);
                    loop {
                        match decoder.next() {
                            Ok(Some(message)) => self.message(message),
                            Ok(None) => break,
                            Err(error) => {
                                self.lock(|watch| watch.broken(error.to_string()));
                                return;
                            }
                        }
                    }
                    self.tell.send_modify(|count| *count += 1);
                }
            }
        }
    }

    fn lock<T>(&self, change: impl FnOnce(&mut Watch) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn send(&mut self, command: Command, answer: Option<Answer>) {
        self.next += 1;
        let mut message = json!({ "id": self.next, "method": command.method, "params": command.params });
        if let Some(session) = &command.session {
            message["sessionId"] = session.as_str().into();
        }
        let pending = match answer {
            Some(answer) => Some(Pending::Somebody(command.method, answer)),
            None => command.follow.is_some().then_some(Pending::Follow(command)),
        };
        // Without a place in the queue the answer never comes; whoever waits has a limit.
        if self.bytes.try_send(encode(&message)).is_err() {
            self.lock(|watch| watch.broken("the browser reads no more".into()));
            return;
        }
        if let Some(pending) = pending.filter(|_| self.pending.len() < MAX_PENDING) {
            self.pending.insert(self.next, pending);
        }
    }

    fn message(&mut self, mut message: Value) {
        let commands = match message["id"].as_u64() {
            Some(id) => {
                let result = match message["error"]["message"].as_str() {
                    Some(error) => Err(error.to_owned()),
                    None => Ok(message["result"].take()),
                };
                match self.pending.remove(&id) {
                    Some(Pending::Somebody(method, answer)) => {
                        let _ = answer.send(result.map_err(|message| CdpError::Refused { method, message }));
                        vec![]
                    }
                    Some(Pending::Follow(command)) => {
                        self.lock(|watch| watch.answer(&command, result.ok()));
                        vec![]
                    }
                    None => vec![],
                }
            }
            None => {
                let (method, params) = (message["method"].take(), message["params"].take());
                let session = message["sessionId"].as_str();
                self.lock(|watch| watch.event(session, method.as_str().unwrap_or_default(), &params))
            }
        };
        for command in commands {
            self.send(command, None);
        }
    }
}
