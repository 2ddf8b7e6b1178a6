//! The command line as a person meets it: what it prints where, what it suggests, what it leaves behind.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::Notify;

mod fakes;
#[allow(unused_imports, reason = "each test target uses its own part")]
mod support;

use fakes::sip::{Act, Agent, reply};

const RINGFENCE: &str = env!("CARGO_BIN_EXE_ringfence");
/// A scenario that takes milliseconds.
const QUICK: [&str; 2] = ["--only", "cors/any-origin"];

fn ringfence(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(RINGFENCE);
    // A person's own settings are no part of what is tested.
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(name);
    }
    command.env("SIP_PASSWORD", "of the README's example");
    command.args(args).current_dir(folder).stdin(Stdio::null()).output().expect("it runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// `ringfence lab` in a process of its own; ended when dropped.
struct Lab {
    child: Child,
    target: String,
}

impl Lab {
    fn serve(args: &[&str]) -> Self {
        let mut child = Command::new(RINGFENCE)
            .arg("lab")
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the lab starts");
        let lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let target = lines.filter_map(|line| Some(line.strip_prefix("target file: ")?.to_owned())).next();
        Self { child, target: target.expect("the lab says where its target file is") }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A lab, and a folder beside it that a person works in.
fn lab() -> (TempDir, Lab) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lab = Lab::serve(&["--folder", &folder.path().join("lab").display().to_string()]);
    (folder, lab)
}

#[test]
fn names_that_are_nearly_right_are_answered_with_the_right_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (args, meant) in [
        (&["explain", "media/forgd-packet-accepted"][..], "media/forged-packet-accepted"),
        (&["explain", "forged"], "media/forged-packet-accepted"),
        (&["lab", "--fault", "srtp-tag"], "srtp-tag-ignored"),
        (&["explain", "nothing/like-it"], "`ringfence list` shows them all"),
        (&["call", "--target", "t", "--uri", "nonsense"], "sip:echo@"),
    ] {
        let output = ringfence(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(meant), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn explanations_keep_within_the_width() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new(RINGFENCE);
    let output = command.args(["explain", "transport/ws-cleartext"]).current_dir(folder.path()).env("COLUMNS", "60");
    let text = stdout(&output.output().expect("it runs"));
    let (_, why) = text.split_once("\nWhy\n").expect("a heading");
    let (why, _) = why.split_once("\n\n").expect("a paragraph");
    assert!(why.lines().count() > 2 && why.lines().all(|line| line.chars().count() <= 60), "{why}");
    assert!(text.contains("severity critical, level must"), "{text}");
}

#[test]
fn a_run_ends_with_its_verdict_and_where_everything_lies() {
    let (folder, lab) = lab();
    let args =
        [&["run", "--target", &lab.target, "-o", "html=page.html", "-o", "json=report.json"][..], &QUICK].concat();
    let output = ringfence(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (text, said) = (stdout(&output), stderr(&output));
    assert!(!text.contains('\u{1b}') && !said.contains('\u{1b}'), "no terminal, no escapes");
    assert!(text.contains("(exit code 0)\n1 scenario: 0 failed, 1 passed\n"), "{text}");
    for line in ["  evidence    ringfence-out/run.jsonl\n", "  html        page.html\n", "  json        report.json\n"]
    {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(said.starts_with("asking 1 scenario, 0 left out\n"), "{said}");

    // Without an output the next command makes one, of the same evidence.
    let output = ringfence(folder.path(), &[&["run", "--target", &lab.target][..], &QUICK].concat());
    let next = stderr(&output).lines().find_map(|line| Some(line.strip_prefix("  as a page   ringfence ")?.to_owned()));
    let next = next.expect("what to do for a page");
    assert_eq!(ringfence(folder.path(), &next.split(' ').collect::<Vec<_>>()).status.code(), Some(0), "{next}");
    assert!(folder.path().join("report.html").exists());
}

#[test]
fn an_earlier_journal_moves_aside() {
    let (folder, lab) = lab();
    let args = [&["run", "--target", &lab.target, "--quiet"][..], &QUICK].concat();
    let journal = folder.path().join("ringfence-out/run.jsonl");
    let mut earlier = None;
    for _ in 0..3 {
        assert_eq!(ringfence(folder.path(), &args).status.code(), Some(0));
        if let Some(earlier) = earlier {
            let aside = std::fs::read(folder.path().join("ringfence-out/run.previous.jsonl")).expect("it is kept");
            assert_eq!(aside, earlier);
        }
        earlier = Some(std::fs::read(&journal).expect("a journal"));
    }
}

#[test]
fn no_output_takes_the_place_of_the_target_file_or_of_another() {
    let (folder, lab) = lab();
    let target = std::fs::read(&lab.target).expect("the target file");
    for (output, says) in [
        (format!("html={}", lab.target), "the target file has that path"),
        ("json=ringfence-out/../ringfence-out/run.jsonl".to_owned(), "the evidence has that path"),
    ] {
        // The folder exists, so that the two ways to write one path can be seen to be one.
        std::fs::create_dir_all(folder.path().join("ringfence-out")).expect("a folder");
        let refused = ringfence(folder.path(), &["run", "--target", &lab.target, "-o", &output]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains(says), "{}", stderr(&refused));
    }
    let refused = ringfence(folder.path(), &["run", "--target", &lab.target, "-o", "html=a", "-o", "json=./a"]);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    assert_eq!(std::fs::read(&lab.target).expect("still there"), target);
}

#[test]
fn the_command_that_asks_again_works_as_it_stands() {
    let (folder, lab) = lab();
    let mine = folder.path().join("my scenarios/house");
    std::fs::create_dir_all(&mine).expect("a folder");
    let scenario = r#"
        id = "house/no-store"
        title = "The configuration may be stored"
        severity = "low"
        level = "should"
        intrusion = "passive"
        adapters = ["any"]
        manual = { why = "w", how = "h", remedy = "r", limits = "l" }
        [[step]]
        name = "a"
        probe = "fetch-config"
        [[verdict.expect]]
        that = "a.status == 599"
        else = "it answered {{ a.status }}"
    "#;
    std::fs::write(mine.join("no-store.toml"), scenario).expect("a scenario");
    let args = ["run", "--target", &lab.target, "--scenarios", "my scenarios", "--only", "house/*", "--tries", "1"];
    let output = ringfence(folder.path(), &args);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let text = stdout(&output);
    let command = |label: &str| {
        let line = text.lines().find_map(|line| line.trim_start().strip_prefix(label)).expect("a command");
        line.trim().replacen("ringfence", RINGFENCE, 1)
    };
    let typed = |command: String| {
        let shell = Command::new("sh").args(["-c", &command]).current_dir(folder.path()).output();
        shell.expect("a shell").status.code()
    };
    assert!(text.contains("evidence    a.status = 200"), "{text}");
    assert_eq!(typed(command("again ") + " --tries 1"), Some(1));
    assert_eq!(typed(command("next ")), Some(0), "{text}");
}

#[test]
fn a_call_shows_the_stages_that_it_reached_and_no_others() {
    let (folder, lab) = lab();
    let ok = ringfence(folder.path(), &["call", "--target", &lab.target, "--seconds", "1"]);
    assert_eq!(ok.status.code(), Some(0), "{}", stderr(&ok));
    assert!(
        stdout(&ok).contains("audio for 1 second") && stdout(&ok).contains("fingerprint matches"),
        "{}",
        stdout(&ok)
    );

    let refused = ringfence(folder.path(), &["call", "--target", &lab.target, "--uri", "sip:nobody@sip.lab.test"]);
    let text = stdout(&refused);
    assert_eq!(refused.status.code(), Some(3), "{text}");
    assert!(text.contains("SIP   404") && !text.contains("fingerprint") && !text.contains("DTLS"), "{text}");

    let never = ringfence(folder.path(), &["call", "--target", &lab.target, "--uri", "tel:110"]);
    assert_eq!(never.status.code(), Some(5), "{}", stdout(&never));
}

#[cfg(unix)]
#[tokio::test]
async fn a_call_that_rings_is_cancelled_when_the_person_gives_up() {
    let rings = Arc::new(Notify::new());
    let notice = rings.clone();
    let agent = Agent::new(move |invite| {
        notice.notify_one();
        vec![Act::Say(reply(invite, 180, "Ringing").build().expect("a message"))]
    });
    let target = fakes::config::around(agent.clone()).await.limit("ring_s", 300.0);
    let gate = support::Gate::new(&["call", "--target", "target.toml"]);
    std::fs::write(gate.path("target.toml"), target.text()).expect("a target file");
    std::fs::write(gate.path("ca.pem"), target.ca_pem().expect("a CA")).expect("its certificate");
    let running = gate.start();
    rings.notified().await;
    running.signal("INT");
    assert_eq!(running.ends().await.code, Some(130));
    assert!(agent.methods().contains(&"CANCEL".to_owned()), "{:?}", agent.methods());
}

#[cfg(unix)]
#[test]
fn a_terminated_lab_takes_its_folder_along() {
    let mut lab = Lab::serve(&[]);
    let target = Path::new(&lab.target).to_owned();
    assert!(target.exists());
    let kill = Command::new("kill").args(["-TERM", &lab.child.id().to_string()]).status();
    assert!(kill.expect("kill runs").success());
    assert!(lab.child.wait().expect("it ends").success());
    assert!(!target.parent().expect("a folder").exists());
}

#[test]
fn every_target_file_of_the_readme_is_one() {
    let readme = include_str!("../../../README.md");
    let blocks: Vec<&str> =
        readme.split("```toml\n").skip(1).map(|rest| rest.split("```").next().expect("a block ends")).collect();
    assert!(blocks.len() >= 2);
    let folder = tempfile::tempdir().expect("a temporary folder");
    for block in blocks {
        std::fs::write(folder.path().join("target.toml"), block).expect("a file");
        let output = ringfence(folder.path(), &["list", "--target", "target.toml"]);
        assert_eq!(output.status.code(), Some(0), "{block}: {}", stderr(&output));
    }
}
