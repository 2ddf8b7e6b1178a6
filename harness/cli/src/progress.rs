//! What a person sees while a run goes on: one live line on a terminal; elsewhere one line per finished scenario, and
//! one now and then that says what is waited for.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ringfence_model::verdict::State;
use ringfence_runner::{Progress, Watcher};

use crate::terminal;

/// How often the live line moves, so that a long wait is seen to be one (house).
const TICK: Duration = Duration::from_millis(120);
/// After how much silence a log is told what is waited for: well below the ten minutes after which CI services give up
/// on a silent job (house).
const SILENCE: Duration = Duration::from_secs(20);

/// Draws progress on stderr.
pub fn watcher(quiet: bool) -> Watcher {
    match quiet {
        true => Watcher::nobody(),
        false if terminal::live() => live(),
        false => lines(),
    }
}

/// Draws progress on stderr if that is a terminal.
pub fn only_live() -> Watcher {
    if terminal::live() { live() } else { Watcher::nobody() }
}

/// What goes on in a run that is told line by line.
struct Log {
    begun: Instant,
    told: Instant,
    running: BTreeSet<String>,
}

fn lines() -> Watcher {
    let now = Instant::now();
    let log = Arc::new(Mutex::new(Log { begun: now, told: now, running: BTreeSet::new() }));
    tokio::spawn(break_silence(Arc::downgrade(&log)));
    Watcher::new(move |moment| {
        let Ok(mut log) = log.lock() else { return };
        match moment {
            Progress::Planned { chains, left_out } => {
                let noun = if chains.len() == 1 { "scenario" } else { "scenarios" };
                complain!("asking {} {noun}, {left_out} left out", chains.len());
            }
            Progress::Began { scenario, .. } => {
                log.running.insert(scenario);
                return;
            }
            Progress::Ended { verdict, attempt } => {
                log.running.remove(&verdict.scenario);
                complain!("{:<14} {}{}", verdict.state.word(), verdict.scenario, again(attempt));
            }
        }
        log.told = Instant::now();
    })
}

/// Says what is waited for, until the run has dropped its watcher.
async fn break_silence(log: Weak<Mutex<Log>>) {
    loop {
        tokio::time::sleep(SILENCE / 4).await;
        let Some(log) = log.upgrade() else { return };
        let Ok(mut log) = log.lock() else { return };
        if log.told.elapsed() >= SILENCE && !log.running.is_empty() {
            let names = log.running.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            complain!("after {} s, waiting for {names}", log.begun.elapsed().as_secs());
            log.told = Instant::now();
        }
    }
}

fn again(attempt: u32) -> String {
    if attempt > 1 { format!(" (try {attempt})") } else { String::new() }
}

/// Takes the line away when the run is over, however it ends.
struct Drawn(ProgressBar);

impl Drop for Drawn {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn live() -> Watcher {
    let bar = Drawn(ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()));
    let style = ProgressStyle::with_template("{spinner} {pos}/{len} {elapsed} {wide_msg}");
    let style = style.expect("the template is constant and right");
    bar.0.set_style(if terminal::unicode() { style } else { style.tick_chars("|/-\\ ") });
    bar.0.enable_steady_tick(TICK);
    let state: Mutex<(BTreeSet<String>, BTreeSet<String>)> = Mutex::default();
    Watcher::new(move |moment| {
        let Ok(mut state) = state.lock() else { return };
        let (running, finished) = &mut *state;
        match moment {
            Progress::Planned { chains, .. } => bar.0.set_length(chains.len() as u64),
            Progress::Began { scenario, .. } => {
                finished.remove(&scenario);
                running.insert(scenario);
            }
            Progress::Ended { verdict, attempt } => {
                running.remove(&verdict.scenario);
                finished.insert(verdict.scenario.clone());
                if verdict.state != State::Pass {
                    bar.0.println(format!("{:<14} {}{}", verdict.state.word(), verdict.scenario, again(attempt)));
                }
            }
        }
        bar.0.set_position(finished.len() as u64);
        bar.0.set_message(running.iter().cloned().collect::<Vec<_>>().join(" "));
    })
}
