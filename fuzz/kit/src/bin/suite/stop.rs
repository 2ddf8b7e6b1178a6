//! Ctrl-C and SIGTERM: what runs is told to end, nothing more is begun, and what was done is kept.

use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

use crate::Problem;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Watches for both signals from now on, on a thread of its own. A second one ends everything as it is.
pub fn watch() -> Result<(), Problem> {
    let problem = |error: std::io::Error| format!("signals: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(problem)?;
    let entered = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt()).map_err(problem)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(problem)?;
    drop(entered);
    std::thread::spawn(move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if REQUESTED.swap(true, Ordering::Relaxed) {
                    std::process::exit(130); // 128 + SIGINT, as shells have it
                }
                eprintln!("stopping: what runs is being ended, and what it found is kept");
            }
        });
    });
    Ok(())
}

/// Whether nothing more is to be begun.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Tells a run to end, which a terminal has told it already, but `kill` has not.
pub fn interrupt(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process(pid, Signal::INT); // it may be gone
    }
}
