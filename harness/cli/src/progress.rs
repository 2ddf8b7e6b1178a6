//! What a person sees while a run goes on: one live line on a terminal, one line per finished scenario elsewhere.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ringfence_model::verdict::State;
use ringfence_runner::{Progress, Watcher};

/// How often the live line moves, so that a long wait is seen to be one (house).
const TICK: Duration = Duration::from_millis(120);

/// Draws progress on stderr.
pub fn watcher(quiet: bool) -> Watcher {
    if quiet {
        return Watcher::nobody();
    }
    if std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb") {
        return live();
    }
    Watcher::new(|moment| match moment {
        Progress::Planned { chains, left_out } => complain!("asking {} scenarios, {left_out} left out", chains.len()),
        Progress::Began { .. } => {}
        Progress::Ended { verdict, attempt } => {
            let again = if attempt > 1 { format!(" (try {attempt})") } else { String::new() };
            complain!("{:<14} {}{again}", verdict.state.word(), verdict.scenario);
        }
    })
}

fn live() -> Watcher {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{spinner} {pos}/{len} {elapsed} {wide_msg}");
    bar.set_style(style.expect("the template is constant and right"));
    bar.enable_steady_tick(TICK);
    let running: Mutex<BTreeSet<String>> = Mutex::default();
    let finished: Mutex<BTreeSet<String>> = Mutex::default();
    Watcher::new(move |moment| {
        let mut running = running.lock().expect("no holder panics");
        match moment {
            Progress::Planned { chains, .. } => bar.set_length(chains.len() as u64),
            Progress::Began { scenario, .. } => {
                running.insert(scenario);
            }
            Progress::Ended { verdict, .. } => {
                running.remove(&verdict.scenario);
                let mut finished = finished.lock().expect("no holder panics");
                finished.insert(verdict.scenario.clone());
                bar.set_position(finished.len() as u64);
                if verdict.state != State::Pass {
                    bar.println(format!("{:<14} {}", verdict.state.word(), verdict.scenario));
                }
            }
        }
        if running.is_empty() && bar.length() == Some(bar.position()) {
            bar.finish_and_clear();
        }
        bar.set_message(running.iter().cloned().collect::<Vec<_>>().join(" "));
    })
}
