//! The peers: sslscan and testssl. And the whole command `ringfence tls`, if it was built.

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::cost::{self, Cost};
use crate::ours::Found;

/// What sslscan does besides is left out.
const CIPHERS_ONLY: [&str; 6] = [
    "--no-groups",
    "--no-heartbleed",
    "--no-compression",
    "--no-renegotiation",
    "--no-fallback",
    "--no-check-certificate",
];

/// Versions, and the suites of each, without questions to anybody else.
const TESTSSL: [&str; 7] = ["--quiet", "--color=0", "--warnings=batch", "--nodns=none", "--ip=127.0.0.1", "-p", "-E"];

/// Whether a program is here, with the package that has it said if not.
pub fn there(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdin(Stdio::null()).output().is_ok();
    if !found {
        println!("{program}: not here, so nothing is held against it (apt-get install {})", package(program));
    }
    found
}

fn package(program: &str) -> &str {
    if program == "testssl" { "testssl.sh" } else { program }
}

/// Runs sslscan, ciphers only.
///
/// # Errors
/// It cannot be started, or prints what cannot be read.
pub fn sslscan(port: u16) -> Result<(Cost, Found), Box<dyn Error>> {
    let mut command = Command::new("sslscan");
    command.args(["--no-colour", "--xml=-"]).args(CIPHERS_ONLY).arg(format!("127.0.0.1:{port}"));
    let (cost, printed) = cost::of(&mut command)?;
    let mut found = Found::default();
    for line in printed.lines().filter(|line| line.trim_start().starts_with("<cipher ")) {
        let field = |name: &str| line.split_once(&format!("{name}=\""))?.1.split('"').next();
        let (Some(version), Some(code)) = (field("sslversion"), field("id")) else {
            return Err(format!("sslscan: cannot be read: {line}").into());
        };
        let version = version.trim_start_matches("TLSv").replace("SSLv3", "ssl3");
        found.suite(&version, u16::from_str_radix(code.trim_start_matches("0x"), 16)?);
    }
    Ok((cost, found))
}

/// Runs testssl, versions and suites of each.
///
/// # Errors
/// It cannot be started.
pub fn testssl(port: u16) -> Result<(Cost, Found), Box<dyn Error>> {
    let mut command = Command::new("testssl");
    command.args(TESTSSL);
    // It leaves files where it stands.
    let folder = tempfile::tempdir()?;
    command.arg(format!("localhost:{port}")).current_dir(&folder);
    let (cost, printed) = cost::of(&mut command)?;
    let mut found = Found::default();
    let mut version = String::new();
    for line in printed.lines() {
        // A heading for each version, and below it a line for each suite: ` xc030   ECDHE-RSA-AES256-GCM-SHA384  …`.
        let first = line.split_whitespace().next().unwrap_or_default();
        if let Some(word) = line.strip_prefix("TLS ") {
            version = if word.trim() == "1" { "1.0".to_owned() } else { word.trim().to_owned() };
        } else if let Some(code) = first.strip_prefix('x').and_then(|code| u16::from_str_radix(code, 16).ok()) {
            found.suite(&version, code);
        }
    }
    Ok((cost, found))
}

/// The command as released, if it was built: `cargo build --release -p ringfence`.
pub fn command() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent()?.join("release");
    let program = folder.join("ringfence");
    let help = Command::new(&program).args(["tls", "--help"]).stdin(Stdio::null()).output().ok()?;
    help.status.success().then_some(program) // one that is older has no such command
}

/// Runs `ringfence tls`, which asks for all lists and looks at certificates.
///
/// # Errors
/// It cannot be started, or prints what cannot be read.
pub fn ringfence(program: &PathBuf, port: u16) -> Result<(Cost, Found), Box<dyn Error>> {
    let mut command = Command::new(program);
    command.args(["tls", "--json", &format!("127.0.0.1:{port}")]);
    let (cost, printed) = cost::of(&mut command)?;
    let seen: serde_json::Value = serde_json::from_str(&printed)?;
    let mut found = Found::default();
    for version in seen["versions"].as_array().ok_or("ringfence: no versions")? {
        let name = version["version"].as_str().unwrap_or_default();
        for suite in version["suites"].as_array().into_iter().flatten() {
            let code = suite["code"].as_u64().ok_or("ringfence: a suite without a code")?;
            found.suite(name, u16::try_from(code)?);
        }
    }
    Ok((cost, found))
}
