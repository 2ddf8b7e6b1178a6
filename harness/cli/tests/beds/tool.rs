//! `bed` itself, with beds that need no server.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::bed::beds;

/// A copy of the tool beside one bed, `toy`.
struct Toy(TempDir);

impl Toy {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["bed", "lib.sh"] {
            std::fs::copy(beds().join(name), folder.path().join(name)).expect("the tool is copied");
        }
        std::fs::create_dir(folder.path().join("toy")).expect("a folder");
        std::fs::write(folder.path().join("toy/bed.sh"), script).expect("a script");
        Self(folder)
    }

    fn bed(&self, args: &[&str]) -> Output {
        let mut command = Command::new(self.0.path().join("bed"));
        command.args(args).env("TMPDIR", self.0.path()).output().expect("bash runs")
    }

    fn folder(&self) -> std::path::PathBuf {
        self.0.path().join("at")
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

fn recorded(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.split_whitespace().next().unwrap_or_default().to_owned()
}

#[test]
fn up_starts_down_ends_and_nothing_else_does() {
    let toy = Toy::new(
        "PACKAGES=none PROGRAMS=sleep\nup() {\n  launch parent bash -c 'sleep 1000 & echo $! >\"$0\"; wait' \"$FOLDER/child\"\n  \
         launch said echo 1; sleep 0.2; rm \"$FOLDER/run/said.pid\"\n  await_log said 1\n  GREETING=hello render in out\n  \
         await child test -s \"$FOLDER/child\"\n  : >\"$FOLDER/target.toml\"\n}\n",
    );
    std::fs::write(toy.0.path().join("toy/in"), "@GREETING@ from @ADDRESS@ of user@host, inside @INSIDE@\n")
        .expect("a file");
    let folder = toy.folder();
    let at = folder.to_str().expect("a plain path");
    let up = toy.bed(&["up", "toy", "--address", "127.5.6.7", "--folder", at]);
    assert!(up.status.success(), "{}", said(&up));
    assert!(said(&up).contains(&format!("ringfence run --target {at}/target.toml")), "{}", said(&up));
    let rendered = std::fs::read_to_string(folder.join("out")).expect("rendered");
    assert_eq!(rendered, "hello from 127.5.6.7 of user@host, inside 127.133.6.7\n");

    let again = toy.bed(&["up", "toy", "--folder", at]);
    assert!(!again.status.success() && said(&again).contains("is in use"), "{}", said(&again));

    let (parent, child) = (recorded(&folder.join("run/parent.pid")), recorded(&folder.join("child")));
    assert!(lives(&parent) && lives(&child));
    assert!(said(&toy.bed(&["status", "--folder", at])).contains(&format!("pid {parent}")));
    // A process that has come by a recorded number since is not ours.
    let mut other = Command::new("sleep").arg("1000").spawn().expect("sleep runs");
    std::fs::write(folder.join("run/other.pid"), format!("{} 1\n", other.id())).expect("a file");
    let down = toy.bed(&["down", "--folder", at]);
    assert!(down.status.success(), "{}", said(&down));
    assert!(!lives(&parent) && !lives(&child), "ended with all that it started");
    assert!(lives(&other.id().to_string()), "somebody else's");
    assert!(!folder.exists());
    other.kill().and_then(|()| other.wait()).expect("ended");
}

#[test]
fn half_a_bed_leaves_nothing_and_shows_the_log_that_says_why() {
    let toy = Toy::new(
        "PACKAGES=none PROGRAMS=sleep\nup() {\n  launch good bash -c 'echo $$ >\"$0\"; exec sleep 1000' \"$FOLDER/../pid\"\n  \
         await pid test -s \"$FOLDER/../pid\"\n  launch bad sh -c 'echo cannot open the hatch; exit 3'\n  await_tcp 127.5.6.8 9\n}\n",
    );
    let folder = toy.folder();
    let up = toy.bed(&["up", "toy", "--folder", folder.to_str().expect("a plain path")]);
    assert_eq!(up.status.code(), Some(1));
    assert!(said(&up).contains("bad has ended") && said(&up).contains("cannot open the hatch"), "{}", said(&up));
    assert!(!lives(&recorded(&toy.0.path().join("pid"))), "what had started is ended");
    assert!(!folder.exists());
}

#[test]
fn what_is_missing_or_taken_is_named() {
    let listener = TcpListener::bind((Ipv4Addr::new(127, 5, 6, 9), 0)).expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let script = format!("PACKAGES=none PROGRAMS=sleep PORTS=tcp:{port}\nup() {{ exit 9; }}\n");
    let taken = Toy::new(&script).bed(&["up", "toy", "--address", "127.5.6.9"]);
    assert!(said(&taken).contains(&format!("port {port}/tcp on 127.5.6.9 is taken")), "{}", said(&taken));
    assert_eq!(taken.status.code(), Some(1));

    let missing = Toy::new("PACKAGES=some-package PROGRAMS='sleep no-such-program /no/such/*.so'\nup() { exit 9; }\n");
    for command in ["check", "up"] {
        let out = missing.bed(&[command, "toy"]);
        let install =
            "misses no-such-program /no/such/*.so; install: apt-get install --no-install-recommends some-package";
        assert!(said(&out).contains(install) && out.status.code() == Some(1), "{}", said(&out));
    }
    for (args, wrong) in [
        (&["up"][..], "which bed?"),
        (&["up", "nope"], "no bed `nope`; there are: toy"),
        (&["fly"], "no command `fly`"),
        (&["up", "toy", "--address", "192.0.2.1"], "is not in 127.0.0.0/8"),
        (&["up", "toy", "--address", "127.0.0.256"], "is not in 127.0.0.0/8"),
        (&["up", "toy", "--address", "127.0.0.08"], "is not in 127.0.0.0/8"),
        (&["down", "--address", "127.0.0.1"], "--address does not belong here"),
        (&["up", "toy", "--folder"], "--folder wants a value"),
    ] {
        let out = missing.bed(args);
        assert!(said(&out).contains(wrong) && out.status.code() == Some(2), "{args:?}: {}", said(&out));
    }
    let none = missing.bed(&["down"]);
    assert!(none.status.success() && said(&none).contains("no bed is up"), "{}", said(&none));
}

#[test]
fn a_folder_behind_a_link_is_removed_with_all_that_is_in_it() {
    let toy = Toy::new("PACKAGES=none PROGRAMS=sleep\nup() { secret key; }\n");
    let [folder, link] = ["behind", "at"].map(|name| toy.0.path().join(name));
    std::fs::create_dir(&folder).expect("a folder");
    std::os::unix::fs::symlink(&folder, &link).expect("a link");
    let at = link.to_str().expect("a plain path");
    let up = toy.bed(&["up", "toy", "--folder", at]);
    assert!(up.status.success() && folder.join("key").exists(), "{}", said(&up));
    let down = toy.bed(&["down", "--folder", at]);
    assert!(down.status.success() && !folder.exists(), "{}", said(&down));
}
