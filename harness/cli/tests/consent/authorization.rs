//! Who allows the run.

use crate::support::{Ended, Gate, TargetFile};

/// A run against a target that is not on this machine, with this authorisation.
async fn with(authorization: &str) -> Ended {
    let target = TargetFile::cognigy("https://nobody.invalid/0a1b2c3d")
        .limit("connect_s", 5.0)
        .table(&format!("[[scope]]\nhosts = [\"nobody.invalid\"]\n{authorization}\n"));
    Gate::run(&target, &["credentials/answer-cacheable"]).ends().await
}

#[tokio::test]
async fn what_is_missing_empty_or_over_is_refused_with_the_line_to_write() {
    let whole = |statement: &str, contact: &str, expires: &str| {
        format!("[authorization]\nstatement = \"{statement}\"\ncontact = \"{contact}\"\nexpires = {expires}")
    };
    for (authorization, line) in [
        (String::new(), "[authorization]\nstatement = \"who allows what\"\ncontact = \"whom"),
        (whole("", "me", "2999-12-31"), "authorization.statement is empty; write\n\n[authorization]\nstatement = "),
        (
            whole("a test", " \\t ", "2999-12-31"),
            "authorization.contact is empty; write\n\n[authorization]\ncontact = ",
        ),
        (whole("a test", "me", "2001-01-01"), "ended on 2001-01-01; renew it"),
        (whole("a test", "me", "07:32:00"), "authorization.expires is no day; write"),
    ] {
        let ended = with(&authorization).await;
        assert_eq!(ended.code, Some(5), "{authorization}: {}", ended.stderr());
        assert!(ended.stderr().contains(line), "{}", ended.stderr());
        assert!(ended.lacks("run.jsonl") && ended.lacks("report.json"), "nothing was begun");
    }
    let ended = with(&whole("a test", "me", "2999-12-31")).await;
    assert_eq!(ended.code, Some(3), "allowed, and nobody there: {}", ended.stderr());
    assert!(
        ended.stderr().contains("note: authorization.expires is 2999-12-31: more than a year"),
        "{}",
        ended.stderr()
    );
}

#[tokio::test]
#[cfg(unix)]
async fn a_secret_that_everybody_can_read_is_noted() {
    use std::os::unix::fs::PermissionsExt;
    let target =
        TargetFile::cognigy("https://127.0.0.1:9/0a1b2c3d").table("[logins.valid]\nbearer = { file = \"login\" }\n");
    for (mode, noted) in [(0o600, false), (0o644, true)] {
        let gate = Gate::run(&target, &["credentials/answer-cacheable"]);
        std::fs::write(gate.path("login"), "a-secret-bearer").expect("a file");
        std::fs::set_permissions(gate.path("login"), std::fs::Permissions::from_mode(mode)).expect("its mode");
        let stderr = gate.ends().await.stderr();
        let line = "note: logins.valid.bearer: everybody on this machine can read";
        assert_eq!(stderr.contains(line) && stderr.contains("chmod 600"), noted, "{mode:o}: {stderr}");
    }
}
