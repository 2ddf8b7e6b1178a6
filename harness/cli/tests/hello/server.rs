//! `openssl s_server` as a child, and the binary that asks it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::Value;

/// One command, in no terminal, with nobody's own settings.
pub fn ringfence(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "COLUMNS", "LC_ALL", "LC_CTYPE", "LANG"] {
        command.env_remove(name);
    }
    command.args(args).stdin(Stdio::null()).output().expect("it runs")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[track_caller]
pub fn exits(output: &Output, code: i32) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{}{said}", stdout(output));
}

/// The names of a list of entries.
pub fn names(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().filter_map(|entry| entry["name"].as_str()).collect()
}

/// A server with an RSA certificate for `a.example.test`, of an authority of its own; ends with its value.
pub struct Server {
    child: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Server {
    /// `None` where there is no `openssl`.
    pub fn start(arguments: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        if let Err(error) = Command::new("openssl").arg("version").output() {
            assert!(std::env::var_os("CI").is_none(), "CI has openssl: {error}; apt-get install openssl");
            eprintln!("left out, no openssl: apt-get install openssl");
            return None;
        }
        // rcgen makes no RSA keys.
        let made =
            Command::new("openssl").args(["genrsa", "-out", &path("key.pem"), "2048"]).output().expect("openssl runs");
        assert!(made.status.success(), "{made:?}");
        let key = std::fs::read_to_string(path("key.pem")).expect("a key");
        let (certificate, authority) = certificates(&KeyPair::from_pem(&key).expect("an RSA key"));
        std::fs::write(path("certificate.pem"), certificate).expect("a file");
        std::fs::write(path("ca.pem"), authority).expect("a file");
        let mut command = Command::new("openssl");
        command.args([
            "s_server",
            "-accept",
            "127.0.0.1:0",
            "-cert",
            &path("certificate.pem"),
            "-key",
            &path("key.pem"),
        ]);
        // It ends when its stdin does.
        let pipes = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = pipes.spawn().expect("openssl runs");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let ready = lines.by_ref().map_while(Result::ok).find_map(|line| line.strip_prefix("ACCEPT ")?.parse().ok());
        let Some(address) = ready else { panic!("s_server {arguments:?} did not start: {:?}", child.wait()) };
        std::thread::spawn(move || lines.for_each(drop)); // or its pipe fills up
        Some(Self { child, address, folder })
    }

    pub fn place(&self) -> String {
        self.address.to_string()
    }

    pub fn ca(&self) -> String {
        self.folder.path().join("ca.pem").display().to_string()
    }

    /// A file beside its own.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has then noticed otherwise.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Of the server and of its authority, PEM.
fn certificates(key: &KeyPair) -> (String, String) {
    let own = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "authority");
    let authority = params.self_signed(&own).expect("a certificate").pem();
    let issuer = Issuer::new(params, own);
    let leaf = CertificateParams::new(vec!["a.example.test".to_owned()]).expect("a name");
    (leaf.signed_by(key, &issuer).expect("a certificate").pem(), authority)
}
