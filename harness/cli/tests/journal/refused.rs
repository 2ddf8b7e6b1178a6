//! What a broken-off run does not go on with: anything that would make it another run.
#![cfg(unix)]

use crate::house::{CACHEABLE, Served, with_scenario};
use crate::support::Ended;

const RESUME: [&str; 7] = ["run", "--target", "target.toml", "--resume", "run.jsonl", "--scenarios", "scenarios"];

/// A run that was killed while it waited.
async fn killed(served: &Served) -> Ended {
    let steps = "[[step]]\nname = \"f\"\nprobe = \"fetch-config\"\n[[step]]\nname = \"w\"\nprobe = \"wait\"\n\
                 with = { for = \"duration\", seconds = 120 }\n";
    let running = with_scenario(served.run(&[CACHEABLE]), "waits", steps, "f.status == 200 && w.seconds > 0").start();
    running.journal_holds("\"step\":\"f\"").await;
    running.signal("KILL");
    running.ends().await
}

/// Refused with 2, for this reason; the journal stays as it was.
async fn refused(ended: Ended, args: &[&str], says: &str) -> Ended {
    let journal = ended.file("run.jsonl");
    let ended = ended.then(args).await;
    assert_eq!(ended.code, Some(2), "{}", ended.stderr());
    assert!(ended.stderr().contains(says), "`{says}` is not in: {}", ended.stderr());
    assert_eq!(ended.file("run.jsonl"), journal);
    ended
}

#[tokio::test]
async fn another_target_policy_or_scenario() {
    let served = Served::new(None).await;
    let mut ended = killed(&served).await;
    let target = ended.file("target.toml");
    std::fs::write(ended.path("target.toml"), [&target[..], b"\n# another line\n"].concat()).expect("it is written");
    ended = refused(ended, &RESUME, "the target file is another one").await;
    std::fs::write(ended.path("target.toml"), &target).expect("it is written");

    ended = refused(ended, &[&RESUME[..], &["--policy", "strict-aead"]].concat(), "the policy `webrtc-mti`").await;
    ended = refused(ended, &RESUME[..5], "house/waits").await;
    let scenario = ended.path("scenarios/house/waits.toml");
    let text = std::fs::read_to_string(&scenario).expect("the scenario");
    std::fs::write(&scenario, text.replace("severity = \"low\"", "severity = \"high\"")).expect("it is written");
    ended = refused(ended, &RESUME, "house/waits was changed since").await;

    for args in [&["--only", CACHEABLE][..], &["--tries", "2"], &["--journal", "other.jsonl"]] {
        ended = refused(ended, &[&RESUME[..], args].concat(), "cannot be used with").await;
    }
}

#[tokio::test]
async fn what_is_no_journal_or_not_whole() {
    let served = Served::new(None).await;
    let ended = killed(&served).await;
    let text = String::from_utf8(ended.file("run.jsonl")).expect("UTF-8");
    std::fs::write(ended.path("run.jsonl"), text.replacen("\"seq\":1,", "\"seq\":2,", 1)).expect("it is written");
    let ended = refused(ended, &RESUME, "line 2 was changed").await;
    std::fs::write(ended.path("run.jsonl"), "my notes\n").expect("it is written");
    let ended = refused(ended, &RESUME, "line 1").await;
    std::fs::write(ended.path("journal"), &text).expect("it is written");
    std::fs::remove_file(ended.path("run.jsonl")).expect("it goes");
    std::os::unix::fs::symlink(ended.path("journal"), ended.path("run.jsonl")).expect("a link");
    refused(ended, &RESUME, "no ordinary file").await;
}

/// One process writes to a journal: neither does another go on with it, nor move it aside.
#[tokio::test]
async fn a_journal_that_a_run_writes_to() {
    let served = Served::new(None).await;
    let ended = killed(&served).await;
    let target = ended.path("target.toml").display().to_string();
    let journal = ended.path("run.jsonl").display().to_string();
    let scenarios = ended.path("scenarios").display().to_string();
    let running = ended.next(&RESUME).start();
    running.journal_holds("\"event\":\"resumed\"").await;
    let args = ["run", "--target", &target, "--scenarios", &scenarios];
    for (option, code) in [("--resume", 2), ("--journal", 6)] {
        let other = crate::support::Gate::new(&[&args[..], &[option, &journal]].concat()).ends().await;
        assert_eq!(other.code, Some(code), "{}", other.stderr());
        assert!(other.stderr().contains("a run that goes on writes to it"), "{}", other.stderr());
    }
    running.signal("INT");
    assert_eq!(running.ends().await.code, Some(130));
}
