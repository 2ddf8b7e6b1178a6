//! A bed on addresses of its own, from `bed up` to `bed down`.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};

use tempfile::TempDir;

/// The first number of the second byte of a test's addresses: beds started by hand are on 127.0.0.N.
static NEXT: AtomicU8 = AtomicU8::new(64);

/// The folder that holds the tool and all beds.
pub fn beds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../beds").canonicalize().expect("harness/beds")
}

/// The tool; beds that hold a lab take this build's.
fn tool() -> Command {
    let mut tool = Command::new(beds().join("bed"));
    tool.env("RINGFENCE", env!("CARGO_BIN_EXE_ringfence"));
    tool
}

/// One folder of `harness/beds`.
pub struct Bed {
    pub name: String,
}

/// A bed that is up. Dropped before [`Up::down`], as a failing test does, it is ended without further questions.
pub struct Up {
    name: String,
    address: Ipv4Addr,
    folder: TempDir,
    ended: bool,
}

impl Bed {
    /// The bed of that name.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// Every bed, by name.
    pub fn all() -> Vec<Self> {
        let folders = std::fs::read_dir(beds()).expect("harness/beds is readable");
        let names: BTreeSet<String> = folders
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.join("bed.sh").is_file())
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
            .collect();
        assert!(names.contains("hardened"), "{names:?}");
        names.into_iter().map(|name| Self { name }).collect()
    }

    /// Its folder in the repository.
    pub fn folder(&self) -> PathBuf {
        beds().join(&self.name)
    }

    /// Whether its programs are installed; says what is skipped if not.
    ///
    /// # Panics
    /// In CI if they are not: there they have to be.
    pub fn is_installed(&self) -> bool {
        let check = tool().args(["check", &self.name]).output().expect("bash runs");
        let said = String::from_utf8_lossy(&check.stderr);
        assert!(check.status.success() || std::env::var_os("CI").is_none(), "{said}");
        if !check.status.success() {
            // Past the capture of the test runner: who runs this should read it.
            drop(writeln!(std::io::stderr(), "skipped, the bed {}: {said}", self.name));
        }
        check.status.success()
    }

    /// Starts it, on addresses that no other test of this machine uses.
    pub fn up(&self) -> Up {
        self.started(&[])
    }

    /// Starts a variant of it.
    pub fn up_as(&self, variant: &str) -> Up {
        self.started(&["--variant", variant])
    }

    fn started(&self, options: &[&str]) -> Up {
        let [_, _, high, low] = std::process::id().to_be_bytes();
        let address = Ipv4Addr::new(127, NEXT.fetch_add(1, Ordering::Relaxed), high, low);
        let folder = tempfile::tempdir().expect("a folder");
        let up = tool()
            .args(["up", &self.name, "--address", &address.to_string(), "--folder"])
            .arg(folder.path().join("bed"))
            .args(options)
            .output()
            .expect("bash runs");
        assert!(up.status.success(), "bed up {}: {}", self.name, String::from_utf8_lossy(&up.stderr));
        Up { name: self.name.clone(), address, folder, ended: false }
    }
}

impl Up {
    /// Its folder at run time.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join("bed")
    }

    /// What a visitor may reach.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Looks whether the defect of a variant is there.
    pub fn proof(&self, variant: &str) -> std::process::Output {
        tool().args(["proof", variant, "--folder"]).arg(self.folder()).output().expect("bash runs")
    }

    /// Ends it.
    ///
    /// # Panics
    /// If a process, a bound port or a file of it is left.
    pub fn down(mut self) {
        let sessions = sessions(&self.folder().join("run"));
        assert!(!sessions.is_empty(), "{}: nothing is recorded", self.name);
        let down = self.end();
        self.ended = true;
        assert!(down.status.success(), "bed down {}: {}", self.name, String::from_utf8_lossy(&down.stderr));
        assert_eq!(living(&sessions), Vec::<String>::new(), "{}: processes are left", self.name);
        assert_eq!(bound(self.address), Vec::<String>::new(), "{}: ports are still bound", self.name);
        assert!(!self.folder().exists(), "{}: its folder is left", self.name);
    }

    fn end(&self) -> std::process::Output {
        tool().args(["down", "--folder"]).arg(self.folder()).output().expect("bash runs")
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        if !self.ended {
            if std::thread::panicking() {
                eprintln!("logs of the bed {}:\n{}", self.name, logs(&self.folder().join("log")));
            }
            self.end();
        }
    }
}

/// The last lines of every log.
fn logs(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let log = std::fs::read(entry.path()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        text += &format!("{}\n{}\n", entry.path().display(), lines[lines.len().saturating_sub(15)..].join("\n"));
    }
    text
}

/// Process ids that `bed up` recorded; each leads a session.
fn sessions(folder: &Path) -> BTreeSet<String> {
    let files = std::fs::read_dir(folder).expect("the bed's run folder").map(|entry| entry.expect("an entry").path());
    let recorded = files.filter(|path| path.extension().is_some_and(|extension| extension == "pid"));
    let read = |path: PathBuf| std::fs::read_to_string(path).expect("a recorded process");
    recorded.map(read).map(|text| text.split(' ').next().unwrap_or_default().to_owned()).collect()
}

/// Processes of these sessions, as `/proc` shows them; zombies are nobody's any more.
fn living(sessions: &BTreeSet<String>) -> Vec<String> {
    let stats = std::fs::read_dir("/proc").expect("/proc").flatten();
    let stats = stats.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    stats
        .filter(|stat| {
            // After the name in brackets: state, parent, group, session.
            let rest: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
            rest.first() != Some(&"Z") && rest.get(3).is_some_and(|session| sessions.contains(*session))
        })
        .collect()
}

/// Listening sockets on an address and on its twin inside, as `/proc/net` shows them.
fn bound(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let hex = |ip: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(ip));
    let ours = [hex([a, b, c, d]), hex([a, b.wrapping_add(128), c, d])];
    let mut lines = Vec::new();
    for (table, listening) in [("tcp", Some("0A")), ("udp", None)] {
        let text = std::fs::read_to_string(format!("/proc/net/{table}")).expect("/proc/net");
        lines.extend(text.lines().skip(1).filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let host = fields.get(1)?.split(':').next()?;
            let counts = listening.is_none_or(|state| fields.get(3) == Some(&state));
            (counts && ours.iter().any(|our| our == host)).then(|| format!("{table} {line}"))
        }));
    }
    lines
}
