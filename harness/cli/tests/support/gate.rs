//! One run of the real binary, in a folder of its own, never longer than [`HANG`].

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::TargetFile;

/// After this the process hangs, and the test fails. It is no statement about speed.
pub const HANG: Duration = Duration::from_secs(60);

/// A command line in the making.
pub struct Gate {
    folder: TempDir,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

impl Gate {
    /// Any command, in an empty folder.
    pub fn new(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, args: args.iter().map(|arg| (*arg).to_owned()).collect(), env: Vec::new() }
    }

    /// `run` against a target file with every output there is, one try, and the journal in `run.jsonl`.
    pub fn run(target: &TargetFile, only: &[&str]) -> Self {
        let gate = Self::run_text(&target.text(), only);
        if let Some(pem) = target.ca_pem() {
            std::fs::write(gate.path("ca.pem"), pem).expect("ca.pem is written");
        }
        gate
    }

    /// The same with the text of the target file as it is.
    pub fn run_text(target: &str, only: &[&str]) -> Self {
        let gate = Self::new(&["run", "--target", "target.toml", "--tries", "1", "--journal", "run.jsonl"]);
        std::fs::write(gate.path("target.toml"), target).expect("target.toml is written");
        let gate = ["json=report.json", "junit=junit.xml", "html=report.html"]
            .iter()
            .fold(gate, |gate, output| gate.arg("-o").arg(output));
        only.iter().fold(gate, |gate, id| gate.arg("--only").arg(id))
    }

    /// One more argument.
    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// One more environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A path in the run's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts it.
    pub fn start(self) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
        command.args(&self.args).current_dir(self.folder.path()).kill_on_drop(true);
        command.env("TERM", "dumb").env("COLUMNS", "100").env("LC_ALL", "C.UTF-8");
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env_remove("RUST_BACKTRACE");
        command.envs(self.env);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let mut stdout = child.stdout.take().expect("stdout is piped");
        let mut stderr = child.stderr.take().expect("stderr is piped");
        let stdout = tokio::spawn(async move {
            let mut bytes = Vec::new();
            stdout.read_to_end(&mut bytes).await.expect("stdout is read");
            bytes
        });
        let (said, stderr_so_far) = watch::channel(Vec::new());
        let stderr = tokio::spawn(async move {
            let mut piece = [0; 4096];
            loop {
                match stderr.read(&mut piece).await.expect("stderr is read") {
                    0 => return said.borrow().clone(),
                    length => said.send_modify(|bytes| bytes.extend_from_slice(&piece[..length])),
                }
            }
        });
        Running { child, stdout, stderr, stderr_so_far, folder: self.folder }
    }

    /// Runs it to its end.
    pub async fn ends(self) -> Ended {
        self.start().ends().await
    }
}

/// A running process.
pub struct Running {
    child: Child,
    stdout: JoinHandle<Vec<u8>>,
    stderr: JoinHandle<Vec<u8>>,
    stderr_so_far: watch::Receiver<Vec<u8>>,
    folder: TempDir,
}

impl Running {
    /// Sends a signal by name, to this process alone.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        // `kill` of the shell: there is one wherever there is a shell.
        let sent = std::process::Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status();
        assert!(sent.expect("a shell").success(), "kill -{name} {pid}");
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the process still runs")
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits for its end.
    pub async fn ends(mut self) -> Ended {
        let status = match timeout(HANG, self.child.wait()).await {
            Ok(status) => status.expect("the process can be waited for"),
            Err(_) => {
                self.child.kill().await.expect("a hanging process can be killed");
                let stderr = self.stderr.await.unwrap_or_default();
                panic!("still running after {HANG:?}; stderr: {}", String::from_utf8_lossy(&stderr));
            }
        };
        Ended {
            code: status.code(),
            stdout: self.stdout.await.expect("the reader ends"),
            stderr: self.stderr.await.expect("the reader ends"),
            folder: self.folder,
        }
    }

    /// Waits until it has said this on stderr.
    pub async fn stderr_holds(&self, text: &str) {
        let mut so_far = self.stderr_so_far.clone();
        let holds = so_far.wait_for(|bytes| String::from_utf8_lossy(bytes).contains(text));
        timeout(HANG, holds).await.unwrap_or_else(|_| panic!("stderr never held {text}")).expect("it still runs");
    }

    /// Waits until the journal holds a line with this text.
    pub async fn journal_holds(&self, text: &str) {
        self.file_holds("run.jsonl", text).await;
    }

    /// Waits until a file of its folder, or one with an absolute path, holds this text.
    pub async fn file_holds(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        let holds = async {
            // No event tells that another process has written; a short pause between looks keeps the machine free.
            while !std::fs::read_to_string(&path).is_ok_and(|journal| journal.contains(text)) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(HANG, holds).await.unwrap_or_else(|_| panic!("{name} never held {text}"));
    }
}

/// What a process left.
pub struct Ended {
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// Its folder, removed when this is dropped.
    pub folder: TempDir,
}

impl Ended {
    /// Standard output as text.
    pub fn stdout(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("stdout is UTF-8")
    }

    /// Standard error as text.
    pub fn stderr(&self) -> String {
        String::from_utf8(self.stderr.clone()).expect("stderr is UTF-8")
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The bytes of a file in its folder.
    pub fn file(&self, name: &str) -> Vec<u8> {
        let path = self.path(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; stderr: {}", path.display(), self.stderr()))
    }

    /// Runs another command in the same folder.
    pub async fn then(self, args: &[&str]) -> Ended {
        self.next(args).ends().await
    }

    /// Another command in the same folder, to be started.
    pub fn next(self, args: &[&str]) -> Gate {
        Gate { folder: self.folder, args: args.iter().map(|arg| (*arg).to_owned()).collect(), env: Vec::new() }
    }

    /// Whether the folder holds no file of that name.
    pub fn lacks(&self, name: &str) -> bool {
        !Path::exists(&self.path(name))
    }
}
