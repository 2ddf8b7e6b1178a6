//! What the process has used, where the system tells: Linux's `/proc/self`.

/// Clock ticks per second in `/proc` (Linux, USER_HZ on every architecture that Rust's std supports).
const TICKS_PER_S: u64 = 100;

/// Processor time of this process, user and system, in milliseconds.
pub fn cpu_ms() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses and may hold blanks: count from behind it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks * 1000 / TICKS_PER_S)
}

/// Largest resident memory of this process so far, in KiB.
pub fn peak_rss_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn linux_tells() {
        assert!(super::cpu_ms().is_some());
        assert!(super::peak_rss_kib().unwrap() > 100);
    }
}
