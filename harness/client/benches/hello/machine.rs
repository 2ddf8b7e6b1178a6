//! On what it was measured, and with which versions.

use std::process::Command;

/// Prints it.
pub fn print() {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("?");
    println!("{} x {}, load {load} at the start", cores, model.map_or("?", |(_, name)| name.trim()));
    let programs = [
        ("rustc", "--version"),
        ("nginx", "-v"),
        ("openssl", "version"),
        ("sslscan", "--version"),
        ("testssl", "--version"),
    ];
    let versions = programs.map(|(program, flag)| version(program, flag));
    println!("{}", versions.into_iter().flatten().collect::<Vec<_>>().join(", "));
}

/// The program and its version: the first word of its output that begins like one.
fn version(program: &str, flag: &str) -> Option<String> {
    let output = Command::new(program).arg(flag).current_dir(std::env::temp_dir()).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    let words = text.split(|c: char| c.is_whitespace() || c == '/');
    let found = words.map(str::trim).find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'));
    Some(format!("{program} {}", found.unwrap_or("?")))
}
