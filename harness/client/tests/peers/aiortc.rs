//! aiortc as the callee: a Python program, `harness/beds/aiortc/callee.py`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use ringfence_client::media::{Codec, SrtpProfile};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;
use tokio::sync::oneshot;

use super::call::Peer;
use super::cases;

/// The folder that `harness/beds/aiortc/setup` makes, from here.
const ENVIRONMENT: &str = "../../target/aiortc/bin/python";
/// The line that ends an offer, and an answer.
const END: &str = ".";

#[tokio::test]
async fn each_role_is_played() {
    let Some(python) = python() else { return };
    cases::each_role(callee(&python), "server").await;
}

#[tokio::test]
async fn each_profile_is_agreed_on() {
    let Some(python) = python() else { return };
    use SrtpProfile::{AeadAes128Gcm, AeadAes256Gcm, AesCm128HmacSha1_80};
    cases::each_profile(callee(&python), &[AeadAes128Gcm, AeadAes256Gcm, AesCm128HmacSha1_80]).await;
}

#[tokio::test]
async fn each_codec_is_echoed() {
    let Some(python) = python() else { return };
    cases::each_codec(callee(&python), &[Codec::Pcmu, Codec::Pcma]).await; // of Opus only the sound comes back
}

#[tokio::test]
async fn its_goodbye_is_heard() {
    let Some(python) = python() else { return };
    cases::the_peer_hangs_up(callee(&python)).await;
}

#[tokio::test]
async fn it_refuses_a_certificate_that_was_not_announced() {
    let Some(python) = python() else { return };
    cases::a_wrong_fingerprint(callee(&python), true, None).await;
}

#[tokio::test]
async fn it_is_refused_with_a_certificate_that_was_not_announced() {
    let Some(python) = python() else { return };
    cases::a_stranger(callee(&python)).await;
}

/// An interpreter that has aiortc: the one that is named, the one that `setup` made, or the system's.
///
/// # Panics
/// In CI, if there is none.
fn python() -> Option<PathBuf> {
    let named = std::env::var_os("RINGFENCE_AIORTC_PYTHON").map(PathBuf::from);
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join(ENVIRONMENT);
    let candidates = named.map_or_else(|| vec![made, "python3".into()], |named| vec![named]);
    let has_aiortc = |python: &PathBuf| {
        let import = std::process::Command::new(python).args(["-c", "import aiortc"]).stderr(Stdio::null()).status();
        import.is_ok_and(|status| status.success())
    };
    let found = candidates.into_iter().find(has_aiortc);
    if found.is_none() {
        let missing = "no Python interpreter has aiortc; harness/beds/aiortc/setup makes one \
                       (Debian: apt-get install python3-venv), RINGFENCE_AIORTC_PYTHON names another";
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        // Past the capture of the test runner: who runs this should read it.
        drop(writeln!(std::io::stderr(), "skipped: {missing}"));
    }
    found
}

fn callee(python: &Path) -> impl AsyncFn(String) -> Peer {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../beds/aiortc/callee.py");
    let python = python.to_owned();
    async move |offer| answer(&python, &program, offer).await
}

async fn answer(python: &Path, program: &Path, offer: String) -> Peer {
    let mut command = Command::new(python);
    command.arg(program).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("the interpreter starts");
    let mut input = child.stdin.take().expect("its input");
    let output = child.stdout.take().expect("its output");
    input.write_all(format!("{offer}{END}\r\n").as_bytes()).await.expect("it reads the offer");
    let mut lines = BufReader::new(output).lines();
    let mut sdp = String::new();
    loop {
        let line = lines.next_line().await.expect("its answer is text").expect("it answers");
        if line == END {
            break;
        }
        sdp.extend([line.as_str(), "\r\n"]);
    }
    assert!(!sdp.is_empty(), "aiortc refuses our offer");
    let (hang_up, hung_up) = oneshot::channel();
    let over = tokio::spawn(async move {
        tokio::select! {
            _ = hung_up => drop(input),
            _ = child.wait() => {}
        }
        let status = child.wait().await.expect("it ends");
        assert!(status.success(), "{status}");
    });
    Peer { sdp, hang_up, over }
}
