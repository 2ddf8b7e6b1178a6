//! Ctrl-C and SIGTERM: the first asks the run to end and keep what it saw, the second ends the process at once.

use ringfence_model::Exit;
use tokio::sync::watch;

/// Listens from now on. The name of the first signal appears in the channel. `then` says what it sets going.
pub fn listen(then: &'static str) -> watch::Receiver<Option<&'static str>> {
    let (sender, receiver) = watch::channel(None);
    tokio::spawn(async move {
        let (name, exit) = next().await;
        complain!("\n{name}: {then}; once more to stop at once");
        sender.send_replace(Some(name));
        next().await;
        std::process::exit(exit.code().into());
    });
    receiver
}

#[cfg(unix)]
async fn next() -> (&'static str, Exit) {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => ("SIGINT", Exit::Interrupted),
            _ = terminate.recv() => ("SIGTERM", Exit::Terminated),
        },
        Err(_) => interrupt().await,
    }
}

#[cfg(not(unix))]
async fn next() -> (&'static str, Exit) {
    interrupt().await
}

async fn interrupt() -> (&'static str, Exit) {
    if tokio::signal::ctrl_c().await.is_err() {
        // No handler can be set: the system's own way of ending the process is left.
        std::future::pending::<()>().await;
    }
    ("SIGINT", Exit::Interrupted)
}
