//! The chain of a journal's lines as `judge` sees it, and as an auditor does with a shell.

use std::path::Path;
use std::process::Command;

use ringfence_lab::fault::Fault;
use ringfence_model::report::{Integrity, Report};
use serde_json::Value;

use crate::house::{CACHEABLE, Served};
use crate::support::{Ended, Outputs};

/// What `README.md` gives an auditor: the chain is followed by nothing but a shell and `sha256sum`.
const FOLLOW: &str = r#"
before=; n=0
while IFS= read -r line; do
  n=$((n + 1))
  after=$(printf %s "$before${line#*,}" | sha256sum | cut -c1-64)
  case $line in "{\"hash\":\"$after\","*) before=$after ;; *) echo "line $n does not follow"; exit 1 ;; esac
done < run.jsonl
echo "$before""#;

async fn run(served: &Served) -> Ended {
    let ended = served.run(&[CACHEABLE, "cors/any-origin"]).ends().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr());
    ended
}

fn shell(folder: &Path, script: &str) -> (bool, String) {
    let output = Command::new("sh").args(["-c", script]).current_dir(folder).output().expect("a shell");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn sha256(folder: &Path, file: &str) -> String {
    shell(folder, &format!("sha256sum {file} | cut -c1-64")).1
}

#[tokio::test]
async fn a_changed_line_is_named() {
    let served = Served::new(None).await;
    let mut ended = run(&served).await;
    let text = String::from_utf8(ended.file("run.jsonl")).expect("UTF-8");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() > 4);
    for at in 0..lines.len() {
        let changed = lines[at].replacen("\"t_ms\":", "\"t_ms\":9", 1);
        let mut edited = lines.clone();
        edited[at] = &changed;
        let removed: Vec<&str> = lines[..at].iter().chain(&lines[at + 1..]).copied().collect();
        // Who takes the last line away leaves a run without an end: that is no error, and complete: false.
        let cases = [edited, removed].into_iter().take(if at + 1 == lines.len() { 1 } else { 2 });
        for journal in cases {
            std::fs::write(ended.path("run.jsonl"), journal.join("\n") + "\n").expect("it is written");
            ended = ended.then(&["judge", "run.jsonl", "-o", "json=again.json"]).await;
            assert_eq!(ended.code, Some(2), "line {}: {}", at + 1, ended.stderr());
            let named = ended.stderr().contains(&format!("line {} was changed", at + 1));
            assert!(named || at == 0, "line {}: {}", at + 1, ended.stderr());
            assert!(ended.lacks("again.json") && ended.stdout().is_empty(), "no verdict on such evidence");
            assert_ne!(shell(ended.folder.path(), FOLLOW), (true, head(lines[lines.len() - 1])));
        }
    }
    std::fs::write(ended.path("run.jsonl"), lines[..lines.len() - 1].join("\n") + "\n").expect("it is written");
    let ended = ended.then(&["judge", "run.jsonl", "-o", "json=again.json"]).await;
    let report: Report = serde_json::from_slice(&ended.file("again.json")).expect("a report");
    assert_eq!((ended.code, report.run.complete), (Some(4), false));
    assert_ne!(report.integrity.journal_head, head(lines[lines.len() - 1]));
}

fn head(line: &str) -> String {
    let line: Value = serde_json::from_str(line).expect("JSON");
    line["hash"].as_str().expect("a hash").to_owned()
}

/// Every digest of the report can be had with tools that everybody has.
#[tokio::test]
async fn the_report_names_what_it_follows_from() {
    let served = Served::new(None).await;
    let ended = run(&served).await;
    let folder = ended.folder.path();
    let Integrity { journal_head, journal_lines, journal, scenarios, policy, target } =
        Outputs::of(&ended).report.integrity;
    assert_eq!(shell(folder, FOLLOW), (true, journal_head));
    assert_eq!(shell(folder, "wc -l < run.jsonl | tr -d ' '").1, journal_lines.to_string());
    assert_eq!((journal, target), (sha256(folder, "run.jsonl"), sha256(folder, "target.toml")));
    // As `jq -cj '[.words, .scenarios]'` and `jq -cj .policy` print them of the first line.
    let text = ended.file("run.jsonl");
    let line = text.split(|byte| *byte == b'\n').next().expect("a line");
    let first: Value = serde_json::from_slice(line).expect("JSON");
    for (value, digest) in
        [(serde_json::json!([first["words"], first["scenarios"]]), scenarios), (first["policy"].clone(), policy)]
    {
        std::fs::write(folder.join("part"), value.to_string()).expect("it is written");
        assert_eq!(sha256(folder, "part"), digest);
    }
}

/// A finding closes the gate on the evidence, whoever signs it; a signature that does not fit is the tool's to tell.
#[tokio::test]
async fn it_is_signed_with_a_well_known_tool() {
    let tool = Command::new("sh").args(["-c", "command -v ssh-keygen"]).output().expect("a shell");
    if !tool.status.success() {
        assert!(std::env::var_os("CI").is_none(), "CI has ssh-keygen: apt-get install openssh-client");
        use std::io::Write as _;
        // Past the capture of the test runner: who runs this should read it.
        let _ = writeln!(std::io::stderr(), "skipped: signing. apt-get install openssh-client");
        return;
    }
    let served = Served::new(Some(Fault::ConfigCacheable)).await;
    let ended = served.run(&[CACHEABLE]).ends().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr());
    let folder = ended.folder.path();
    let commands = include_str!("signing.sh");
    let (signed, said) = shell(folder, commands);
    assert!(signed && said.contains("Good \"ringfence\" signature"), "{said}");
    let verify = commands.lines().last().expect("the last command verifies");
    std::fs::write(folder.join("run.jsonl"), ended.file("run.jsonl").repeat(2)).expect("it is written");
    assert!(!shell(folder, verify).0, "what was not signed is not good");
}
