//! On what it was measured.

use std::path::Path;
use std::process::Command;

/// The instruction sets that the ciphers and hashes of all implementations look for.
const FLAGS: [&str; 7] = ["aes", "pclmulqdq", "sha_ni", "vaes", "vpclmulqdq", "avx2", "avx512f"];

/// The libraries whose versions matter beside our own.
const LIBRARIES: [&str; 7] = ["rtc-srtp", "webrtc-srtp", "aws-lc-rs", "ring", "aes", "sha1", "hmac"];

pub fn print() {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flags: Vec<&str> = field(&cpu, "flags").split_whitespace().filter(|flag| FLAGS.contains(flag)).collect();
    let (family, model) = (field(&cpu, "cpu family"), field(&cpu, "model"));
    println!("{} (family {family} model {model}): {}", field(&cpu, "model name"), flags.join(" "));
    println!("{}", rustc().unwrap_or_else(|| "rustc: unknown".to_owned()));
    println!("{}", LIBRARIES.map(locked).join(", "));
}

/// A field of the first processor.
fn field<'a>(cpu: &'a str, name: &str) -> &'a str {
    let value =
        |line: &'a str| line.split_once(':').filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim());
    cpu.lines().find_map(value).unwrap_or("?")
}

fn rustc() -> Option<String> {
    let output = Command::new("rustc").arg("--version").output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// The library with the versions that the workspace's lock file has of it; the peers bring older ones of some.
fn locked(library: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    let lock = std::fs::read_to_string(file).unwrap_or_default();
    let name = format!("name = \"{library}\"");
    let versions = lock.lines().zip(lock.lines().skip(1)).filter(|(line, _)| **line == name);
    let versions: Vec<&str> = versions.filter_map(|(_, version)| version.split('"').nth(1)).collect();
    format!("{library} {}", versions.join(" and "))
}
