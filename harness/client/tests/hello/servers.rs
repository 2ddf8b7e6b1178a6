//! Children, and the scan of what they serve.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ringfence_client::Net;
use ringfence_client::hello::{Bounds, Question, Report, Wanted};
use ringfence_model::target::Target;
use ringfence_wire::hello::Version;

/// A server of loopback that says nothing for so long has nothing to say.
pub const PATIENT: Bounds = Bounds { answer: Duration::from_secs(20), at_once: 5 };

/// One at a time, as `s_server` serves DTLS.
pub const ONE_BY_ONE: Bounds = Bounds { at_once: 1, ..PATIENT };

/// Ends with its value.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has then noticed otherwise.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether the program is there; says so loudly if not, and fails in CI.
pub fn there(program: &str, package: &str) -> bool {
    let found = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let Err(error) = found else { return true };
    assert!(std::env::var_os("CI").is_none(), "CI has {program}: {error}; apt-get install {package}");
    eprintln!("left out, no {program}: apt-get install {package}");
    false
}

pub fn net() -> Net {
    let text = "name = \"x\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://c.test/t\"\n\
        [[scope]]\nnetworks = [\"127.0.0.0/8\"]\n";
    Net::new(&Target::parse(text, Path::new("t.toml")).unwrap()).unwrap()
}

pub fn question(wanted: Wanted) -> Question {
    Question { server_name: None, wanted, seed: [5; 32] }
}

pub async fn tls(server: SocketAddr, wanted: Wanted, bounds: Bounds) -> Report {
    let host = server.ip().to_string();
    ringfence_client::hello::tls(&net(), &host, server.port(), &question(wanted), bounds).await.unwrap()
}

pub async fn dtls(server: SocketAddr, wanted: Wanted, bounds: Bounds) -> Report {
    ringfence_client::hello::dtls(&net(), server, &question(wanted), bounds).await.unwrap()
}

pub fn sorted(list: &[u16]) -> Vec<u16> {
    let mut list = list.to_vec();
    list.sort_unstable();
    list
}

/// Each version with its suites, which have to be known to the end.
#[track_caller]
pub fn suites(report: &Report) -> Vec<(Version, Vec<u16>)> {
    assert_eq!(report.unknown().collect::<Vec<_>>(), [], "{report:?}");
    report.accepted().map(|(version, findings)| (version, sorted(&findings.suites))).collect()
}
