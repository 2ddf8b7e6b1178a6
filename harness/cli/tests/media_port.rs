//! `ringfence dtls --target` as the real binary, against labs: the media port behind ICE, a call for each question.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const RINGFENCE: &str = env!("CARGO_BIN_EXE_ringfence");

/// `ringfence lab` in a process of its own; ended when dropped.
struct Lab {
    child: Child,
    target: String,
    _folder: TempDir,
}

impl Lab {
    fn serve(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(RINGFENCE)
            .args(["lab", "--folder"])
            .arg(folder.path())
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the lab starts");
        let lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let target = lines.filter_map(|line| Some(line.strip_prefix("target file: ")?.to_owned())).next();
        Self { child, target: target.expect("the lab says where its target file is"), _folder: folder }
    }

    fn asked(&self, more: &[&str]) -> Output {
        // A loaded machine answers late; the lab refuses aloud, so nothing waits this long.
        ringfence(&[&["dtls", "--timeout", "30", "--target", &self.target], more].concat())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ringfence(arguments: &[&str]) -> Output {
    let mut command = Command::new(RINGFENCE);
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "COLUMNS", "LC_ALL", "LC_CTYPE", "LANG"] {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null()).output().expect("it runs")
}

#[track_caller]
fn exits(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}\n{}", stdout(output), String::from_utf8_lossy(&output.stderr));
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn version<'a>(seen: &'a Value, word: &str) -> &'a Value {
    let all = seen["versions"].as_array().expect("a list");
    all.iter().find(|one| one["version"] == word).expect("a version that was asked for")
}

fn names(list: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = list.as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
    names.sort_unstable();
    names
}

#[test]
fn the_media_port_of_a_sound_lab_is_laid_open() {
    let lab = Lab::serve(&[]);
    let output = lab.asked(&["--json"]);
    exits(&output, 0);
    let seen = json(&output);
    let new = version(&seen, "1.2");
    let suites = [
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ];
    assert_eq!(names(&new["suites"]), suites);
    assert_eq!(names(&new["srtp_profiles"]), ["cm-sha1-80", "gcm-128", "gcm-256"]);
    assert_eq!(names(&new["groups"]), ["secp256r1", "secp384r1", "x25519"]);
    assert_eq!(
        (&version(&seen, "1.0")["state"], &version(&seen, "1.3")["state"]),
        (&"refused".into(), &"refused".into())
    );
    assert_eq!((&seen["calls"]["target"], &seen["host"]), (&"lab".into(), &"127.0.0.1".into()));
    assert!(seen["calls"]["placed"].as_u64().is_some_and(|placed| placed >= 6), "{seen}");
    assert!(new.get("before_cookie").is_none(), "behind a checked pair nobody else's address is flooded");

    let output = lab.asked(&[]);
    exits(&output, 0);
    let text = stdout(&output);
    for part in
        ["OK DTLS of the media port of lab", "at 127.0.0.1, in ", "+ DTLS 1.2  accepted", "self-signed, as usual"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 80), "{text}");
    // A new one for each call is shown once.
    assert!(text.matches("key         ec, 256 bits").count() == 1 && text.contains("alike in all"), "{text}");
}

#[test]
fn an_old_version_fails_and_what_calls_did_not_tell_is_no_pass() {
    let lab = Lab::serve(&["--fault", "dtls-1-0"]);
    let output = lab.asked(&["--json"]);
    exits(&output, 1);
    let seen = json(&output);
    assert_eq!(version(&seen, "1.0")["state"], "accepted");
    assert_eq!(seen["findings"][0]["rule"], "version");

    let lab = Lab::serve(&[]);
    let output = lab.asked(&["--max-calls", "2"]);
    exits(&output, 4);
    let text = stdout(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("in 2 calls") && text.contains("all 2 calls that are allowed were placed"), "{text}");
}

#[test]
fn wrong_usage_and_targets_that_place_no_call_say_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("target.toml");
    let write = |scope: &str| {
        let text = format!(
            "name = \"t\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://127.0.0.1:9/t\"\n[[scope]]\nnetworks = [\"{scope}\"]\n"
        );
        std::fs::write(&file, text).expect("it is written");
    };
    let path = |file: &Path| file.display().to_string();
    write("127.0.0.0/8");
    let says = |arguments: &[&str], code: i32, part: &str| {
        let output = ringfence(arguments);
        exits(&output, code);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains(part), "{part} in {text}");
        assert!(stdout(&output).is_empty());
    };
    says(&["dtls"], 2, "--target");
    says(&["dtls", "192.0.2.1:5000", "--target", &path(&file)], 2, "cannot be used with");
    says(&["dtls", "192.0.2.1:5000", "--max-calls", "3"], 2, "cannot be used with");
    says(&["dtls", "--target", &path(&folder.path().join("none.toml"))], 2, "none.toml");
    says(&["dtls", "--target", &path(&file), "--policy", "nobody"], 2, "nobody");
    says(&["dtls", "--target", &path(&file)], 3, "no call came to a checked pair");
    write("192.0.2.0/24");
    says(&["dtls", "--target", &path(&file)], 5, "");
}
