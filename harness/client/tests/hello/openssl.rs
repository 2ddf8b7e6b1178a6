//! `openssl s_server` as a child, its certificates, and what its lists of ciphers mean.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex};

use ringfence_wire::hello::names;
use tempfile::TempDir;

use super::servers::{Process, sorted};

/// All that there is without a secret of its own.
pub const EVERYTHING: &str = "ALL:COMPLEMENTOFALL:!PSK:!SRP:@SECLEVEL=0";

pub fn run(arguments: &[&str]) -> String {
    let output = Command::new("openssl").args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Suites that this list means in this version: `flag` as `-tls1_2`, more of its kind behind.
pub fn told(flags: &[&str], ciphers: &str) -> Vec<u16> {
    let lines = run(&[&["ciphers", "-V", "-s"], flags, &[ciphers]].concat());
    let code = |line: &str| {
        let (code, _) = line.trim().split_once(" - ").unwrap();
        u16::from_str_radix(&code.replace("0x", "").replace(',', ""), 16).unwrap()
    };
    let old: Vec<u16> = lines.lines().map(code).filter(|code| !names::is_13_suite(*code)).collect();
    sorted(&old)
}

/// Certificate and key, PEM, of a kind that `openssl req -newkey` knows, or of a curve. Made once.
pub fn identity(kind: &'static str) -> (String, String) {
    static MADE: LazyLock<Mutex<HashMap<&'static str, (String, String)>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap();
    let make = || {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (key, certificate, parameters) = (path("key"), path("certificate"), path("parameters"));
        let (curve, dsa) = (format!("ec_paramgen_curve:{kind}"), format!("dsa:{parameters}"));
        let kind = match kind {
            "dsa" => {
                run(&["dsaparam", "-out", &parameters, "1024"]);
                vec![dsa.as_str()]
            }
            "rsa-pss" => vec!["rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"],
            "ed25519" | "rsa:1024" | "rsa:2048" => vec![kind],
            _ => vec!["ec", "-pkeyopt", &curve],
        };
        let rest = ["-nodes", "-keyout", &key, "-out", &certificate, "-subj", "/CN=a.test", "-days", "2"];
        run(&[&["req", "-x509", "-newkey"], &kind[..], &rest].concat());
        (std::fs::read_to_string(certificate).unwrap(), std::fs::read_to_string(key).unwrap())
    };
    made.entry(kind).or_insert_with(make).clone()
}

/// `openssl s_server`; ends with its value.
pub struct Server {
    pub address: SocketAddr,
    _process: Process,
    _folder: TempDir,
}

impl Server {
    /// With a certificate for each of at most two kinds; without any it has `-nocert`.
    pub fn start(arguments: &[&str], kinds: &[&'static str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", "127.0.0.1:0"]).args(arguments);
        for (kind, flags) in kinds.iter().zip([["-cert", "-key"], ["-dcert", "-dkey"]]) {
            let (certificate, key) = identity(kind);
            for (flag, pem) in flags.iter().zip([certificate, key]) {
                let path = folder.path().join(flag);
                std::fs::write(&path, pem).unwrap();
                command.arg(flag).arg(path);
            }
        }
        if kinds.is_empty() {
            command.arg("-nocert");
        }
        // It ends when its stdin does.
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = Process(pipes.spawn().unwrap());
        let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
        let ready = lines.by_ref().map_while(Result::ok).find_map(|line| line.strip_prefix("ACCEPT ")?.parse().ok());
        let Some(address) = ready else { panic!("s_server {arguments:?} did not start: {:?}", process.0.wait()) };
        std::thread::spawn(move || lines.for_each(drop)); // or its pipe fills up
        Self { address, _process: process, _folder: folder }
    }
}
