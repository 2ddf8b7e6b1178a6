//! The program `openssl`: keys, a DTLS server, and the only other way to ask one, a loop of `s_client`.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::cost::{self, Cost};
use crate::nginx::EVERYTHING;
use crate::ours::Found;

/// The profiles that the server is told to accept, by its names.
pub const PROFILES: [&str; 4] =
    ["SRTP_AEAD_AES_256_GCM", "SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_SHA1_80", "SRTP_AES128_CM_SHA1_32"];
/// The versions of its DTLS: our word, the flag of `s_client`, the flag of `ciphers` with the same suites.
const VERSIONS: [(&str, &str, &str); 2] = [("1.0", "-dtls1", "-tls1"), ("1.2", "-dtls1_2", "-tls1_2")];

/// Whether there is an openssl.
pub fn there() -> bool {
    run(&["version"]).is_ok()
}

/// A self-signed certificate for a new key, `rsa:2048` and the like or the name of a curve: the paths of both.
///
/// # Errors
/// openssl does not make it.
pub fn certificate(folder: &Path, key: &str) -> Result<(String, String), Box<dyn Error>> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = |end: &str| folder.join(format!("{number}.{end}")).display().to_string();
    let (pem, key_file, curve) = (path("pem"), path("key"), format!("ec_paramgen_curve:{key}"));
    let kind = if key.starts_with("rsa") { vec!["-newkey", key] } else { vec!["-newkey", "ec", "-pkeyopt", &curve] };
    let rest = ["-nodes", "-keyout", &key_file, "-out", &pem, "-subj", "/CN=a.test", "-days", "2"];
    run(&[&["req", "-x509"], &kind[..], &rest].concat())?;
    Ok((pem, key_file))
}

/// The 2048-bit parameters of RFC 7919, so that nobody has to wait for new ones: the path.
///
/// # Errors
/// openssl does not make them.
pub fn dh_parameters(folder: &Path) -> Result<String, Box<dyn Error>> {
    let path = folder.join("dh.pem").display().to_string();
    run(&["genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out", &path])?;
    Ok(path)
}

/// What it prints.
///
/// # Errors
/// It cannot be started, or fails.
pub fn run(arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let output = Command::new("openssl").args(arguments).stdin(Stdio::null()).output()?;
    if !output.status.success() {
        return Err(format!("openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// `openssl s_server` of DTLS 1.0 and 1.2 with everything, a P-256 certificate and [`PROFILES`]; ends with its value.
pub struct Server {
    child: Child,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    _folder: tempfile::TempDir,
}

impl Server {
    /// Starts it.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start() -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let (pem, key) = certificate(folder.path(), "P-256")?;
        let mut command = Command::new("openssl");
        command.args(["s_server", "-dtls", "-accept", "127.0.0.1:0", "-cert", &pem, "-key", &key]);
        command.args(["-cipher", EVERYTHING, "-use_srtp", &PROFILES.join(":")]);
        // It ends when its stdin does.
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = pipes.spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("stdout: not piped")?).lines();
        let ready = |line: String| line.strip_prefix("ACCEPT 127.0.0.1:")?.parse().ok();
        let port = lines.by_ref().map_while(Result::ok).find_map(ready).ok_or("s_server: did not start")?;
        std::thread::spawn(move || lines.for_each(drop)); // or its pipe fills up
        Ok(Self { child, port, _folder: folder })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks for each suite and each profile with a process of `openssl s_client`, as a person with a shell would.
///
/// # Errors
/// openssl cannot be started.
pub fn client_loop(port: u16) -> Result<(Cost, Found), Box<dyn Error>> {
    let place = format!("127.0.0.1:{port}");
    let (mut total, mut found) = (Cost::default(), Found::default());
    for (version, flag, of) in VERSIONS {
        let suites = run(&["ciphers", "-V", "-s", of, "ALL:COMPLEMENTOFALL:@SECLEVEL=0"])?;
        let suites: Vec<(u16, &str)> = suites.lines().filter_map(suite).filter(|(code, _)| code >> 8 != 0x13).collect();
        let asked = suites.iter().map(|(code, name)| (Some(*code), *name, None));
        let profiles = PROFILES.iter().map(|profile| (None, "ALL", Some(profile)));
        let asked: Vec<_> = asked.chain(profiles).collect();
        let count = asked.len();
        for (number, (code, name, profile)) in asked.into_iter().enumerate() {
            cost::tell(&format!("openssl s_client, DTLS {version}: {} of {count}", number + 1));
            let mut command = Command::new("openssl");
            command.args(["s_client", flag, "-connect", &place, "-cipher", &format!("{name}:@SECLEVEL=0")]);
            if let Some(profile) = profile {
                command.args(["-use_srtp", profile]);
            }
            let (cost, printed) = cost::of(&mut command)?;
            total.wall += cost.wall;
            total.cpu += cost.cpu;
            total.asked += 1;
            let chosen = !printed.contains("Cipher is (NONE)") && printed.contains("Cipher is ");
            match code {
                Some(code) if chosen => found.suite(version, code),
                None if printed.contains("SRTP Extension negotiated") => found.profiles += 1,
                _ => {}
            }
        }
    }
    cost::told();
    Ok((total, found))
}

/// `0xC0,0x2C - ECDHE-ECDSA-AES256-GCM-SHA384 …`
fn suite(line: &str) -> Option<(u16, &str)> {
    let (code, rest) = line.trim().split_once(" - ")?;
    let code = u16::from_str_radix(&code.replace("0x", "").replace(',', ""), 16).ok()?;
    Some((code, rest.split_whitespace().next()?))
}
