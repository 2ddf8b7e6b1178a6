//! Outputs that cannot be written: found before the target is asked where that is possible, and never at the cost of the
//! others.
#![cfg(unix)]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use ringfence_lab::fault::Fault;
use ringfence_model::Exit;
use ringfence_model::report::Report;

use super::house::{CACHEABLE, Served, with_scenario};
use crate::fakes::answers;
use crate::fakes::config;
use crate::fakes::https::Reply;
use crate::support::{Ended, Gate};

/// A run with one more output is refused with 6 before anything is asked, for this reason.
async fn refused(output: &str, prepare: impl FnOnce(&Gate), says: &str) -> Ended {
    let (server, target) = config::answering(|_| Reply::Bytes(answers::json("{}"))).await;
    let gate = Gate::run(&target, &[CACHEABLE]).arg("-o").arg(output);
    prepare(&gate);
    let ended = gate.ends().await;
    assert_eq!(ended.code, Some(6), "{output}: {}", ended.stderr());
    assert!(ended.stderr().contains(says), "{output}: {}", ended.stderr());
    assert!(ended.lacks("run.jsonl") && ended.lacks("report.json"), "{output}: nothing was begun");
    assert!(server.heads().is_empty(), "{output}: nothing was asked");
    ended
}

fn write(path: impl AsRef<Path>, text: &str) {
    std::fs::write(path, text).expect("a file");
}

#[tokio::test]
async fn what_lies_in_the_way_is_left_alone() {
    let link = |gate: &Gate| {
        write(gate.path("precious"), "precious");
        symlink(gate.path("precious"), gate.path("page.html")).expect("a link");
    };
    let ended = refused("html=page.html", link, "a symbolic link").await;
    assert_eq!(ended.file("precious"), b"precious");
    assert!(std::fs::symlink_metadata(ended.path("page.html")).expect("still there").is_symlink());

    refused("html=page", |gate| std::fs::create_dir(gate.path("page")).expect("a folder"), "a folder").await;
    refused("html=/dev/full", |_| (), "a device, pipe or socket").await;
    // Below a file, and where not even the superuser makes one: the nearest to a read-only folder that any user can test.
    refused("html=file/page.html", |gate| write(gate.path("file"), "x"), "file").await;
    if cfg!(target_os = "linux") {
        refused("html=/proc/self/page.html", |_| (), "/proc/self").await;
    }
    let ended =
        refused("html=notes.txt", |gate| write(gate.path("notes.txt"), "my notes"), "--force replaces it").await;
    assert_eq!(ended.file("notes.txt"), b"my notes");
}

/// A report of ours gives way to the next one; a file of somebody else's only where that is said.
#[tokio::test]
async fn reports_are_replaced_and_private() {
    let served = Served::new(None).await;
    let first = served.run(&[CACHEABLE]).ends().await;
    assert_eq!(first.code, Some(0), "{}", first.stderr());
    for name in ["report.json", "report.html", "junit.xml", "run.jsonl"] {
        let mode = std::fs::metadata(first.path(name)).expect("an output").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let outputs = ["-o", "json=report.json", "-o", "html=report.html", "-o", "junit=junit.xml"];
    let again = first.then(&[&["judge", "run.jsonl"][..], &outputs].concat()).await;
    assert_eq!(again.code, Some(0), "{}", again.stderr());
    write(again.path("report.html"), "my notes");
    let kept = again.then(&["judge", "run.jsonl", "-o", "html=report.html"]).await;
    assert_eq!((kept.code, kept.file("report.html")), (Some(6), b"my notes".to_vec()));
    let forced = kept.then(&["judge", "run.jsonl", "--force", "-o", "html=report.html"]).await;
    assert_eq!(forced.code, Some(0), "{}", forced.stderr());
    assert!(
        forced.file("report.html").starts_with(b"<!doctype html>")
            || forced.file("report.html").starts_with(b"<!DOCTYPE html>")
    );
    let names = std::fs::read_dir(forced.folder.path()).expect("a folder").map(|e| e.expect("an entry").file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "no temporary file stays");
}

/// The folder of one output goes while the run goes on: the others, the terminal and the journal have everything.
#[tokio::test]
async fn a_folder_that_vanishes_meanwhile_costs_its_own_output_only() {
    let served = Served::new(Some(Fault::ConfigCacheable)).await;
    let slow = "[[step]]\nname = \"f\"\nprobe = \"fetch-config\"\n[[step]]\nname = \"w\"\nprobe = \"wait\"\n\
                with = { for = \"duration\", seconds = 3 }\n[[step]]\nname = \"g\"\nprobe = \"fetch-config\"\n";
    let gate = with_scenario(served.run(&[CACHEABLE]), "slow", slow, "f.status == 200 && g.status == 200");
    let running = gate.arg("-o").arg("html=gone/page.html").start();
    running.journal_holds("\"event\":\"seen\"").await;
    std::fs::remove_dir(running.path("gone")).expect("the folder was made, and is empty");
    // Nobody makes it again where a file stands.
    write(running.path("gone"), "x");
    let ended = running.ends().await;
    assert_eq!(ended.code, Some(1), "the finding wins: {}", ended.stderr());
    assert!(ended.stderr().contains("html=gone/page.html: not written"), "{}", ended.stderr());
    let report: Report = serde_json::from_slice(&ended.file("report.json")).expect("a report");
    assert_eq!(report.gate.conditions, [Exit::Findings, Exit::Output]);
    assert!(ended.stdout().contains("Findings (1)") && !ended.lacks("junit.xml"), "{}", ended.stdout());
}

/// The disk is full before the run is over: a limit on the size of files stands for it, which works without a disk of
/// one's own. The journal breaks off; verdicts and the outputs that fit are delivered.
#[tokio::test]
async fn a_full_disk_costs_the_journal_and_no_verdict() {
    let served = Served::new(None).await;
    let blocks = 16; // of 512 bytes: less than the first line of the journal, more than a JUnit file of one scenario
    let gate = Gate::new(&[]);
    write(gate.path("target.toml"), &served.lab.target_file());
    let command = format!(
        "trap '' XFSZ; ulimit -f {blocks}; exec {} run --target target.toml --only {CACHEABLE} --journal run.jsonl -o junit=junit.xml",
        env!("CARGO_BIN_EXE_ringfence")
    );
    let output = tokio::process::Command::new("sh").args(["-c", &command]).current_dir(gate.path("")).output().await;
    let output = output.expect("a shell");
    let (said, shown) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("the journal cannot be written"), "{said}");
    assert!(shown.contains("1 passed"), "{shown}");
    assert!(std::fs::read_to_string(gate.path("junit.xml")).expect("it fits").contains("<testcase"));
}

#[tokio::test]
async fn a_journal_goes_where_nothing_else_lies() {
    let (server, target) = config::answering(|_| Reply::Bytes(answers::json("{}"))).await;
    for (journal, says) in [("link.jsonl", "no journal"), ("/dev/full", "no journal"), ("file/run.jsonl", "file")] {
        let gate = Gate::new(&["run", "--target", "target.toml", "--only", CACHEABLE, "--journal", journal]);
        write(gate.path("target.toml"), &target.text());
        write(gate.path("ca.pem"), target.ca_pem().expect("a CA"));
        write(gate.path("file"), "x");
        symlink(gate.path("file"), gate.path("link.jsonl")).expect("a link");
        let ended = gate.ends().await;
        assert_eq!(ended.code, Some(6), "{journal}: {}", ended.stderr());
        assert!(ended.stderr().contains(says), "{journal}: {}", ended.stderr());
        assert_eq!(ended.file("file"), b"x");
    }
    assert!(server.heads().is_empty(), "nothing was asked");
}
