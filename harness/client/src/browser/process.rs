//! One browser process and all its children: started on a pipe, in a process group of its own, ended for sure.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// How long a browser may take to end by itself (house).
const END: Duration = Duration::from_secs(5);
/// How long a killed one is waited for, as some systems are slow to bury (house).
const DYING: Duration = Duration::from_millis(500);

/// Puts the browser's pipe on the descriptors that it expects, 3 and 4, which needs no unsafe code here, and waits. A browser
/// ends when its pipe does; where this process is gone by then without a word, the shell tidies up.
const SHELL: &str = r#"profile=$1; shift; "$@" 3<&0 4>&1 </dev/null >&2; rm "$profile/keep" || rm -rf -- "$profile""#;
/// The word: a file in the profile folder.
const KEEP: &str = "keep";

/// What a browser is told of our environment. Nothing else: a login of the target file may stand in it, a proxy would be a second way
/// out, and keys would end in a log.
const TOLD: [&str; 8] =
    ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH"];

/// Leaves a command with as much of our environment as a browser needs.
pub fn bare_environment(command: &mut Command) {
    command.env_clear();
    command.envs(TOLD.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
}

/// A running browser. Dropped, it is killed with all its children.
pub(super) struct Process {
    child: Child,
    group: Option<Pid>,
    /// Gone with its last holder, but not before the browser.
    profile: Arc<TempDir>,
}

impl Process {
    /// Starts it. `flags` hold the profile folder already.
    ///
    /// # Errors
    /// The shell cannot be run.
    pub fn start(
        executable: &Path,
        flags: &[String],
        profile: Arc<TempDir>,
    ) -> std::io::Result<(Self, ChildStdin, ChildStdout)> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SHELL, "sh"]).arg(profile.path()).arg(executable).args(flags);
        bare_environment(&mut command);
        // Caches, settings, sockets and temporary files land in the profile folder, and go with it.
        for name in ["HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"] {
            command.env(name, profile.path());
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.process_group(0).kill_on_drop(true);
        let mut child = command.spawn()?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let gone = || std::io::Error::other("the shell has no pipe");
        let (stdin, stdout) = (child.stdin.take().ok_or_else(gone)?, child.stdout.take().ok_or_else(gone)?);
        Ok((Self { child, group, profile }, stdin, stdout))
    }

    /// Says that the profile is wanted after the browser's end.
    pub fn keep_profile(&self) {
        let _ = std::fs::write(self.profile.path().join(KEEP), "");
    }

    /// Waits until a browser whose pipe is closed has ended, and kills it where it has not in time.
    pub async fn ended(mut self) {
        let _ = timeout(END, self.child.wait()).await;
        self.kill();
        let _ = timeout(END, self.child.wait()).await;
    }

    fn kill(&self) -> bool {
        // An error says that the group is gone, which is what is wanted.
        self.group.is_some_and(|group| kill_process_group(group, Signal::KILL).is_ok())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // What is killed still writes for a moment, and the profile folder is deleted next.
        let begun = Instant::now();
        while self.kill() && begun.elapsed() < DYING {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_browser_gets_no_variable_of_ours() {
        let folder = tempfile::tempdir().unwrap();
        let (script, dump) = (folder.path().join("browser"), folder.path().join("dump"));
        std::fs::write(&script, format!("#!/bin/sh\nexec env > {}\n", dump.display())).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let profile = Arc::new(tempfile::tempdir().unwrap());
        let (process, stdin, stdout) = Process::start(&script, &[], profile).unwrap();
        drop((stdin, stdout));
        process.ended().await;
        let told = std::fs::read_to_string(&dump).unwrap();
        let told: Vec<&str> = told.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        let ours = ["HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"];
        let shells_own = ["PWD", "OLDPWD", "SHLVL", "_"];
        let leaked: Vec<String> = std::env::vars()
            .map(|(name, _)| name)
            .filter(|name| told.contains(&name.as_str()))
            .filter(|name| !TOLD.iter().chain(&ours).chain(&shells_own).any(|known| known == name))
            .collect();
        assert!(told.contains(&"PATH") && std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        assert_eq!(leaked, Vec::<String>::new());
    }
}
