//! However a visit ends, no process and no file of it is left.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::*;

/// Says to the child of `a_killed_harness_takes_its_browser_along` that it is one.
const CHILD: &str = "RINGFENCE_TEST_CHILD";
/// Where the child writes the folder of its browser.
const MARK: &str = "profile: ";

#[tokio::test]
async fn after_a_visit_nothing_is_left_but_the_profile() {
    let Some(executable) = browser() else { return };
    let url = serve("<script>localStorage.setItem('kept', 'by-the-profile')</script>").await;
    let profile = folder();
    let path = profile.path().to_owned();
    for _ in 0..2 {
        let plan = VisitPlan { profile: profile.clone(), ..plan(executable.clone(), &url) };
        let visited = visit(&net(), &plan).await.unwrap();
        assert!(visited.failure.is_none() && visited.loaded, "{:?}", visited.failure);
        assert!(visited.record.storage.iter().any(|stored| stored.text.contains("by-the-profile")));
        assert_eq!(processes(&path), Vec::<u32>::new());
        assert!(path.join("Default").exists(), "the profile is there for the next visit");
    }
    drop(profile);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_visit_that_is_broken_off_takes_its_browser_along() {
    let Some(executable) = browser() else { return };
    let url = serve("<p>here</p><script>for (;;) {}</script>").await;
    let plan = plan(executable, &url);
    let path = plan.profile.path().to_owned();
    let visiting = tokio::spawn(async move { visit(&net(), &plan).await.map(|_| ()) });
    until("a renderer runs", || processes(&path).len() > 5).await;
    visiting.abort();
    let _ = visiting.await;
    until("no process is left", || processes(&path).is_empty()).await;
    until("no file is left", || !path.exists()).await;
}

#[tokio::test]
async fn a_killed_harness_takes_its_browser_along() {
    if browser().is_none() {
        return;
    }
    let name = format!("{}::the_child", module_path!().split_once("::").unwrap().1);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--ignored", "--nocapture"])
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let path =
        lines.find_map(|line| line.split_once(MARK).map(|(_, path)| PathBuf::from(path))).expect("it says where");
    until("a renderer runs", || processes(&path).len() > 5).await;
    child.kill().unwrap(); // SIGKILL: it cannot tidy up
    child.wait().unwrap();
    until("no process is left", || processes(&path).is_empty()).await;
    until("no file is left", || !path.exists()).await;
}

/// Visits a page that never lets go, until it is killed.
#[tokio::test]
#[ignore = "the child of another test"]
async fn the_child() {
    let Some(executable) = browser().filter(|_| std::env::var_os(CHILD).is_some()) else { return };
    let url = serve("<script>for (;;) {}</script>").await;
    let plan = plan(executable, &url);
    println!("{MARK}{}", plan.profile.path().display());
    let _ = visit(&net(), &plan).await;
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn what_is_no_browser_is_our_own_fault() {
    let error = visit(&net(), &plan("/bin/false".into(), "http://127.0.0.1:9/")).await.err().expect("no browser");
    assert!(error.to_string().contains("/bin/false does not answer"), "{error}");
}
