//! Ctrl-C and SIGTERM: the first asks the run to end and keep what it saw, the second ends the process at once.

use ringfence_model::Exit;
use tokio::sync::watch;

/// Listens from now on. The name of the first signal appears in the channel. `then` says what it sets going. Whatever
/// the second signal is, it ends the process with the exit code of the first.
pub fn listen(then: &'static str) -> watch::Receiver<Option<&'static str>> {
    let (sender, receiver) = watch::channel(None);
    let mut signals = Signals::new();
    tokio::spawn(async move {
        let (name, exit) = signals.next().await;
        complain!("\n{name}: {then}; once more to stop at once");
        sender.send_replace(Some(name));
        signals.next().await;
        std::process::exit(exit.code().into());
    });
    receiver
}

/// Both signals, heard from the moment that this exists. One that cannot be heard keeps the system's own way.
#[cfg(unix)]
struct Signals {
    interrupt: Option<tokio::signal::unix::Signal>,
    terminate: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self { interrupt: signal(SignalKind::interrupt()).ok(), terminate: signal(SignalKind::terminate()).ok() }
    }

    async fn next(&mut self) -> (&'static str, Exit) {
        let of = async |signal: &mut Option<tokio::signal::unix::Signal>| {
            if signal.as_mut()?.recv().await.is_none() { std::future::pending().await } else { Some(()) }
        };
        let (interrupt, terminate) = (of(&mut self.interrupt), of(&mut self.terminate));
        tokio::select! {
            Some(()) = interrupt => ("SIGINT", Exit::Interrupted),
            Some(()) = terminate => ("SIGTERM", Exit::Terminated),
            else => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) -> (&'static str, Exit) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        ("SIGINT", Exit::Interrupted)
    }
}
