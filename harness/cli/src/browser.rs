//! Which browser opens pages: `--browser`, then the environment, then the search path.

use std::ffi::OsStr;
use std::path::PathBuf;

use crate::args::BrowserArgs;
use crate::problem::Problem;

/// Names a browser as `--browser` does.
const VARIABLE: &str = "RINGFENCE_BROWSER";

/// The browser, or `None` where there is none or none is wanted.
///
/// # Errors
/// One was named that is no program.
pub fn find(args: &BrowserArgs) -> Result<Option<PathBuf>, Problem> {
    let variable = std::env::var_os(VARIABLE);
    let named = args.browser.as_deref().map(|path| path.as_os_str()).or(variable.as_deref());
    let search_path = std::env::var_os("PATH");
    let named = named.filter(|name: &&OsStr| !name.is_empty());
    ringfence_client::browser::find(named, search_path.as_deref()).map_err(Problem::usage)
}
