//! A signalling machine on its WebSocket.

use std::time::{Duration, Instant};

use tokio::time::timeout;
use url::Url;

use super::ws::{Socket, Upgrade, UpgradeRefused, open};
use crate::signalling::{Event, Input, Output, Signalling, SignallingPlan};
use crate::{Failure, Net};

/// How long taking the contact back may take, challenge and all (house).
const UNREGISTERING: Duration = Duration::from_millis(1500);
/// How long the close frame may wait for a target that does not read (house).
const CLOSING: Duration = Duration::from_millis(500);

/// What the connection itself says.
#[derive(Clone, Debug, Default)]
pub(super) struct LineSeen {
    pub status: Option<u16>,
    pub subprotocol: Option<String>,
    pub tls_version: Option<String>,
}

pub(super) struct Line {
    socket: Socket,
    machine: Signalling,
    wake: Option<Instant>,
    /// The connection broke; the machine knows.
    broken: bool,
}

/// What [`Line::wait`] waited for.
pub(super) enum Incoming {
    Message(Vec<u8>),
    Broken(Failure),
    Timeout,
}

impl Line {
    pub async fn open(
        net: &Net,
        ws_uri: &str,
        origin: Option<String>,
        plan: SignallingPlan,
    ) -> Result<(Self, LineSeen), UpgradeRefused> {
        let url = Url::parse(ws_uri).map_err(|error| Failure::protocol(format!("wsUri is no URL: {error}")))?;
        let opened = open(net, &Upgrade::sip(url, origin)).await?;
        let seen =
            LineSeen { status: Some(opened.status), subprotocol: opened.subprotocol, tls_version: opened.tls_version };
        let now = Instant::now();
        let mut machine = Signalling::new(now, plan);
        machine.input(now, Input::Opened);
        Ok((Self { socket: opened.stream, machine, wake: None, broken: false }, seen))
    }

    /// Whether there is nothing more to wait for.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Waits; may be dropped and called again.
    pub async fn wait(&mut self) -> Incoming {
        let timer = async {
            match self.wake {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let message = async { if self.broken { std::future::pending().await } else { self.socket.receive().await } };
        tokio::select! {
            message = message => message.map_or_else(Incoming::Broken, Incoming::Message),
            () = timer => Incoming::Timeout,
        }
    }

    /// Gives the machine what came, and sends what it says.
    pub async fn take(&mut self, incoming: Incoming) -> Vec<Event> {
        match incoming {
            Incoming::Message(bytes) => self.input(Input::Message(&bytes)).await,
            Incoming::Timeout => self.input(Input::Timeout).await,
            Incoming::Broken(failure) => self.on_broken(failure).await,
        }
    }

    pub async fn input(&mut self, input: Input<'_>) -> Vec<Event> {
        self.machine.input(Instant::now(), input);
        let (mut events, broke) = self.flush().await;
        if let Some(failure) = broke {
            events.extend(Box::pin(self.on_broken(failure)).await);
        }
        events
    }

    async fn on_broken(&mut self, failure: Failure) -> Vec<Event> {
        self.broken = true;
        self.machine.input(Instant::now(), Input::Closed);
        let (mut events, _) = self.flush().await;
        // The machine knows that it closed, the socket knows why.
        for event in &mut events {
            if let Event::Failed(known) = event {
                *known = failure.clone();
            }
        }
        events
    }

    async fn flush(&mut self) -> (Vec<Event>, Option<Failure>) {
        let (mut events, mut broke) = (Vec::new(), None);
        loop {
            match self.machine.poll() {
                Output::Transmit(bytes) if !self.broken && broke.is_none() => {
                    broke = self.socket.send(bytes).await.err()
                }
                Output::Transmit(_) => {}
                Output::Event(event) => events.push(event),
                Output::Timeout(at) => {
                    self.wake = Some(at);
                    return (events, broke);
                }
                Output::Idle => {
                    self.wake = None;
                    return (events, broke);
                }
            }
        }
    }

    async fn unregister(&mut self) {
        let mut events = self.input(Input::Unregister).await;
        let last =
            |event: &Event| matches!(event, Event::Unregistered | Event::RegisterFinal { .. } | Event::Failed(_));
        while !self.broken && !events.iter().any(last) {
            let incoming = self.wait().await;
            events = self.take(incoming).await;
        }
    }

    /// Takes a registered contact back and ends the connection, within two seconds. A registrar keeps few contacts of one
    /// user: one that is left behind by each call would soon keep the next call out.
    pub async fn close(mut self) {
        if !self.broken {
            // A target that does not answer is left with its contact.
            let _ = timeout(UNREGISTERING, self.unregister()).await;
        }
        self.machine.input(Instant::now(), Input::Close);
        if !self.broken {
            let _ = timeout(CLOSING, self.socket.close()).await;
        }
    }
}
