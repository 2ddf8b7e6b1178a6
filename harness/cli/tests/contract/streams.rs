//! What goes to stdout and stderr: results and progress, in colour only where that is wanted.

use ringfence_lab::fault::Fault;

use super::house::{CACHEABLE, Served};
use crate::support::{Ended, Gate};

async fn judged(ended: Ended, args: &[&str], env: &[(&str, &str)]) -> Ended {
    let gate = ended.next(&[&["judge", "run.jsonl"], args].concat());
    env.iter().fold(gate, |gate, (name, value)| gate.env(name, value)).ends().await
}

fn escapes(ended: &Ended) -> bool {
    ended.stdout.contains(&0x1b) || ended.stderr.contains(&0x1b)
}

#[tokio::test]
async fn colour_is_for_those_who_want_it() {
    let served = Served::new(Some(Fault::ConfigCacheable)).await;
    let run = served.run(&[CACHEABLE]).ends().await;
    assert!(!escapes(&run), "neither is a terminal: {}", run.stdout());
    let mut last = run;
    for (args, env, coloured) in [
        (&[][..], &[][..], false),
        (&[], &[("TERM", "xterm-256color")], false),
        (&[], &[("CLICOLOR_FORCE", "1")], true),
        (&[], &[("CLICOLOR_FORCE", "0")], false),
        (&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (&["--color", "always"], &[], true),
        (&["--color", "always"], &[("NO_COLOR", "1")], true),
        (&["--color", "never"], &[("CLICOLOR_FORCE", "1")], false),
    ] {
        last = judged(last, args, env).await;
        assert_eq!(escapes(&last), coloured, "{args:?}, {env:?}: {}", last.stdout());
        // The words are the same: colour is never the only sign.
        assert!(last.stdout().contains("NOT CONFORMANT"), "{}", last.stdout());
    }
}

/// Elsewhere than on a terminal, progress is one line for each scenario that came to its end, on stderr.
#[tokio::test]
async fn progress_is_a_line_for_each_finished_scenario() {
    let served = Served::new(None).await;
    let only = [CACHEABLE, "cors/any-origin", "transport/ws-cleartext"];
    let ended = served.run(&only).ends().await;
    let said = ended.stderr();
    assert!(said.starts_with("asking 3 scenarios, 0 left out\n"), "{said}");
    for id in only {
        assert_eq!(said.lines().filter(|line| *line == format!("{:<14} {id}", "pass")).count(), 1, "{said}");
    }
    assert!(!ended.stdout().contains("asking "), "stdout is the report");
}

#[tokio::test]
async fn quiet_leaves_the_verdict_and_the_findings() {
    let served = Served::new(Some(Fault::ConfigCacheable)).await;
    let loud = served.run(&[CACHEABLE]).ends().await;
    let quiet: Gate = served.run(&[CACHEABLE]).arg("--quiet");
    let quiet = quiet.ends().await;
    assert_eq!((loud.code, quiet.code), (Some(1), Some(1)));
    assert!(quiet.stdout().contains("NOT CONFORMANT") && quiet.stdout().contains(CACHEABLE), "{}", quiet.stdout());
    assert!(quiet.stdout().lines().count() < loud.stdout().lines().count());
    assert!(!quiet.stderr().contains("asking ") && quiet.stderr().contains("evidence"), "{}", quiet.stderr());
}
