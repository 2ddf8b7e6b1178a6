//! A real browser on pages of our own, on loopback. Without one these tests say so and pass, except in CI.

mod ending;
mod hostile;
mod observer;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ringfence_model::target::Target;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::{INSTALL, Inject, Start, VisitPlan, Visited, find, visit};
use crate::Net;

/// Nothing here takes longer, unless it is broken.
const LIMIT: Duration = Duration::from_secs(300);

/// The browser; `None` says that the test is left out.
fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("RINGFENCE_BROWSER");
    let found = find(named.as_deref(), std::env::var_os("PATH").as_deref()).expect("RINGFENCE_BROWSER is a browser");
    if found.is_none() {
        // Past the capture of the test runner: who runs this should read it.
        drop(writeln!(std::io::stderr(), "skipped: {INSTALL}"));
        assert!(std::env::var_os("CI").is_none(), "CI has a browser: {INSTALL}");
    }
    found
}

fn net() -> Net {
    let text = "name = \"x\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://c.test/t\"\n\
                [[scope]]\nnetworks = [\"127.0.0.0/8\"]\n";
    Net::new(&Target::parse(text, Path::new("t.toml")).unwrap()).unwrap()
}

/// A short visit that clicks nothing.
fn plan(executable: PathBuf, url: &str) -> VisitPlan {
    VisitPlan {
        executable,
        url: Url::parse(url).unwrap(),
        start: None,
        accept: None,
        length: Duration::from_secs(2),
        early_end: false,
        inject: Inject::Nothing,
        profile: Arc::new(tempfile::Builder::new().prefix("ringfence-browser-").tempdir().unwrap()),
        own_certificates: false,
        load_within: Duration::from_secs(20),
        call_within: Duration::from_secs(5),
    }
}

/// Visits a page with this script in it, changed as wanted; `None` without a browser.
async fn visit_script(script: &str, change: impl FnOnce(&mut VisitPlan)) -> Option<Visited> {
    let executable = browser()?;
    let url = serve(&format!("<!doctype html><button id=start>Start</button><script>{script}</script>")).await;
    let mut plan = plan(executable, &url);
    change(&mut plan);
    Some(tokio::time::timeout(LIMIT, visit(&net(), &plan)).await.expect("a visit ends").expect("a browser"))
}

fn click(plan: &mut VisitPlan) {
    plan.start = Some(Start::Button("#start".into()));
}

/// A server with one document. `/slow` never comes to its end, `/file` is no page.
async fn serve(document: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let document = document.to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let document = document.clone();
            tokio::spawn(async move { answer(stream, &document).await });
        }
    });
    url
}

async fn answer(mut stream: TcpStream, document: &str) -> Option<()> {
    let mut head = vec![];
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split([' ', '?']).nth(1).unwrap_or_default();
    let (kind, body) = match path {
        "/" => ("text/html", document),
        "/secret" => ("application/json", r#"{"password":"canary-password"}"#),
        "/file" => ("application/octet-stream", "bytes"),
        "/worker.js" => ("text/javascript", "self.onfetch = () => {};"),
        _ => ("text/plain", ""),
    };
    if path == "/slow" {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<button id=start>Start</button>")
            .await
            .ok()?;
        loop {
            stream.write_all(b"<p>more</p>").await.ok()?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let length = body.len();
    let text = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.ok()
}

/// Processes that have this folder in their command line: the shell, the browser and all its children. Dead ones that
/// nobody has buried yet have no command line.
fn processes(folder: &Path) -> Vec<u32> {
    let folder = folder.as_os_str().as_encoded_bytes();
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let named = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.windows(folder.len()).any(|part| part == folder)
    };
    pids.filter(named).collect()
}

/// Waits until a condition holds.
async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("{what}"));
}

fn folder() -> Arc<TempDir> {
    Arc::new(tempfile::Builder::new().prefix("ringfence-browser-").tempdir().unwrap())
}
