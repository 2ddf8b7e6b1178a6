//! Which browser opens the pages of a run.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use ringfence_judge::Library;
use ringfence_model::evidence::Plan;

use crate::plan::BROWSER;

/// How long a browser may take to say its version, and how much of it is kept (house).
const SAY: Duration = Duration::from_secs(10);
const MAX_CHARS: usize = 80;

/// The version of the browser, where the plan needs one and it says so.
pub(crate) async fn version(plan: &Plan, library: &Library, browser: Option<&Path>) -> Option<String> {
    let needs =
        |id: &String| library.get(id).is_some_and(|loaded| loaded.scenario().needs.iter().any(|need| need == BROWSER));
    let browser = browser.filter(|_| plan.chains.iter().any(needs))?;
    let mut command = tokio::process::Command::new(browser);
    ringfence_client::browser::bare_environment(&mut command);
    command.arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let said = tokio::time::timeout(SAY, command.output()).await.ok()?.ok()?;
    let line = String::from_utf8_lossy(&said.stdout).lines().next()?.trim().chars().take(MAX_CHARS).collect::<String>();
    (!line.is_empty()).then_some(line)
}
