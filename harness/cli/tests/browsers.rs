//! Real browsers and real SIP stacks against the lab's page: `harness/beds/browsers` with the binary under test.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

const RINGFENCE: &str = env!("CARGO_BIN_EXE_ringfence");
const BROWSERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../beds/browsers");
const CHROMIUM: &str = "/usr/bin/chromium";

#[test]
fn browsers_call_through_the_lab() {
    if let Some(missing) = missing() {
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        // Past the capture of the test runner: who runs this should read it.
        drop(writeln!(std::io::stderr(), "skipped: calls of real browsers. {missing}"));
        return;
    }
    let built =
        Command::new("npm").args(["run", "--silent", "build"]).current_dir(BROWSERS).output().expect("npm runs");
    assert!(built.status.success(), "the phones are bundled: {}", String::from_utf8_lossy(&built.stderr));
    // It bounds each call, and itself, and ends what it started.
    let mut calls = Command::new("node");
    calls.args(["calls.mjs", "--chromium", CHROMIUM, "--lab", RINGFENCE]).current_dir(BROWSERS);
    let calls = calls.output().expect("node runs");
    let (said, complained) = (String::from_utf8_lossy(&calls.stdout), String::from_utf8_lossy(&calls.stderr));
    println!("{said}");
    assert!(calls.status.success(), "{said}{complained}");
}

/// What is not there, and the commands that install it.
fn missing() -> Option<String> {
    let runs = |program: &str| Command::new(program).arg("--version").output().is_ok_and(|out| out.status.success());
    let packages = [("nodejs", runs("node")), ("npm", runs("npm")), ("chromium", Path::new(CHROMIUM).exists())];
    let packages: Vec<&str> = packages.into_iter().filter(|(_, there)| !there).map(|(name, _)| name).collect();
    if !packages.is_empty() {
        return Some(format!("To have them: apt-get install {}", packages.join(" ")));
    }
    let modules = Path::new(BROWSERS).join("node_modules/playwright-core").exists();
    (!modules).then(|| "To have them: cd harness/beds/browsers && npm ci".to_owned())
}
