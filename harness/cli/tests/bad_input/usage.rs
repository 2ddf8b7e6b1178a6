//! Wrong files, words and paths: refused before anything is asked, with the key, the place and what would be right.

use crate::fakes::config;
use crate::fakes::https::{Https, Reply};
use crate::fakes::{answers, pki::Pki};
use crate::support::{Ended, Gate, TargetFile};

const ONLY: &[&str] = &["credentials/answer-cacheable"];

/// Refused with this code; nothing was written, and the message says all of this.
#[track_caller]
fn refused(ended: &Ended, code: i32, says: &[&str]) {
    let stderr = ended.stderr();
    assert_eq!(ended.code, Some(code), "{stderr}");
    says.iter().for_each(|text| assert!(stderr.contains(text), "`{text}` is not in: {stderr}"));
    assert!(ended.lacks("report.json") && ended.lacks("report.html") && ended.lacks("junit.xml"));
    assert!(!stderr.contains("panicked"), "{stderr}");
}

async fn text(target: &str) -> Ended {
    Gate::run_text(target, ONLY).ends().await
}

#[tokio::test]
async fn a_target_file_that_is_not_there() {
    let gate = Gate::new(&["run", "--target", "nowhere.toml"]);
    refused(&gate.ends().await, 2, &["nowhere.toml", "No such file", "ringfence lab"]);
}

#[tokio::test]
async fn a_target_file_that_is_wrong() {
    let url = "config = \"https://127.0.0.1:1/x\"";
    let good = format!("name = \"x\"\nadapter = \"cognigy\"\n[endpoints]\n{url}\n");
    let cases: [(&str, &[&str]); 8] = [
        (&good.replace("name", "nmae"), &["target.toml:1:1", "nmae", "did you mean `name`?"]),
        (&good.replace("cognigy", "cognigyy"), &["target.toml:2:11", "cognigyy", "did you mean `cognigy`?"]),
        (&good.replace(url, ""), &["target.toml:2:1", "endpoints", "config = \"https://"]),
        (&good.replace("https:", "gopher:"), &["target.toml:4:1", "config", "gopher", "http or https"]),
        (&format!("{good}[limits]\nring_s = 1e9\n"), &["target.toml:6:1", "ring_s", "0.05 to 600"]),
        (&format!("{good}[limits]\nring_s = \"soon\"\n"), &["target.toml:6:10", "text", "f64"]),
        (&format!("{good}[logins.valid]\nbearer = \"Pz9-misplaced\"\n"), &["target.toml:6:10", "never the text"]),
        ("name x\n", &["target.toml:1:6", "expected `=`"]),
    ];
    for (target, says) in cases {
        refused(&text(target).await, 2, says);
    }
    assert!(
        !text(&cases_text()).await.stderr().contains("Pz9-misplaced"),
        "a secret in the wrong place is not repeated"
    );
}

fn cases_text() -> String {
    "name = \"x\"\nadapter = \"sip\"\n[sip]\nws_uri = \"wss://127.0.0.1:1\"\n[logins.valid]\nbearer = \"Pz9-misplaced\"\n"
        .into()
}

#[tokio::test]
async fn a_file_that_the_target_file_names_and_is_not_there() {
    let target = TargetFile::cognigy("https://127.0.0.1:1/x").top("ca_file = \"no.pem\"");
    refused(&Gate::run(&target, ONLY).ends().await, 2, &["ca_file", "no.pem"]);
}

#[tokio::test]
async fn a_secret_whose_source_gives_nothing() {
    let pki = Pki::new();
    let server = Https::serve(&pki, |_| Reply::Bytes(answers::json("{}"))).await;
    let target = TargetFile::sip(Some(server.url("config")))
        .trusting(&pki.ca_pem)
        .table("[sip]\nws_uri = { pointer = \"/ws\" }\n[logins.valid]\nbearer = { env = \"RINGFENCE_TEST_UNSET\" }\n");
    let ended = Gate::run(&target, ONLY).ends().await;
    refused(&ended, 2, &["logins.valid.bearer", "RINGFENCE_TEST_UNSET", "not set"]);
    assert_eq!(server.heads(), Vec::<String>::new(), "nothing was asked");
}

#[tokio::test]
async fn a_selection_that_matches_nothing() {
    let target = TargetFile::cognigy("https://127.0.0.1:1/x");
    refused(&Gate::run(&target, &["media/no-such"]).ends().await, 2, &["media/no-such", "ringfence list"]);
}

#[tokio::test]
async fn a_scope_that_is_no_network() {
    let target = TargetFile::cognigy("https://127.0.0.1:1/x").table("[[scope]]\nnetworks = [\"127.0.0.0/99\"]\n");
    refused(&Gate::run(&target, ONLY).ends().await, 2, &["127.0.0.0/99", "192.0.2.0/24"]);
}

#[tokio::test]
async fn somebody_elses_machine_without_authorisation() {
    let target = TargetFile::cognigy("https://example.invalid/x").table("[[scope]]\nhosts = [\"example.invalid\"]\n");
    refused(&Gate::run(&target, ONLY).ends().await, 5, &["[authorization]", "expires"]);
    let ended = TargetFile::cognigy("https://example.invalid/x").table(
        "[authorization]\nstatement = \"s\"\ncontact = \"c\"\nexpires = 2001-01-01\n[[scope]]\nhosts = [\"example.invalid\"]\n",
    );
    refused(&Gate::run(&ended, ONLY).ends().await, 5, &["2001-01-01", "renew"]);
}

#[tokio::test]
async fn two_outputs_at_one_path() {
    let gate = Gate::run(&TargetFile::cognigy("https://127.0.0.1:1/x"), ONLY).arg("-o").arg("html=report.json");
    refused(&gate.ends().await, 2, &["report.json", "another output"]);
}

#[tokio::test]
async fn a_journal_path_where_something_else_lies() {
    let (server, target) = config::answering(|_| Reply::Bytes(answers::json("{}"))).await;
    let gate = Gate::run(&target, ONLY);
    std::fs::write(gate.path("run.jsonl"), "my notes\n").expect("a file");
    let ended = gate.ends().await;
    refused(&ended, 6, &["run.jsonl", "no journal"]);
    assert_eq!(ended.file("run.jsonl"), b"my notes\n", "it is left alone");
    assert_eq!(server.heads(), Vec::<String>::new(), "nothing was asked");
}

#[tokio::test]
async fn judging_what_is_no_journal() {
    for (content, says) in [("", "journal"), ("my notes\n", "line 1"), ("{\"seq\":0}\n", "line 1")] {
        let gate = Gate::new(&["judge", "notes.txt"]);
        std::fs::write(gate.path("notes.txt"), content).expect("a file");
        let ended = gate.ends().await;
        assert_eq!(ended.code, Some(2), "{}", ended.stderr());
        assert!(ended.stderr().contains("notes.txt") && ended.stderr().contains(says), "{}", ended.stderr());
    }
}
