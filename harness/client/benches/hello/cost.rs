//! What a tool costs: wall clock, and processor time of its whole process tree.

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// The cost of one enumeration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// From the start of the process to its end.
    pub wall: Duration,
    /// User and system time of the process and all that it waited for.
    pub cpu: Duration,
    /// Connections that the server accepted, or processes, or hellos.
    pub asked: u64,
}

/// Runs a program to its end: what it cost, and what it printed. Its exit code does not matter: scanners end with what they found.
///
/// # Errors
/// It cannot be started.
pub fn of(command: &mut Command) -> Result<(Cost, String), Box<dyn Error>> {
    let before = children()?;
    let begin = Instant::now();
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output()?;
    let wall = begin.elapsed();
    let cpu = children()?.saturating_sub(before);
    Ok((Cost { wall, cpu, asked: 0 }, String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// Processor time of all children that ended, to the microsecond.
fn children() -> Result<Duration, Box<dyn Error>> {
    used(UsageWho::RUSAGE_CHILDREN)
}

/// Processor time of this thread, to the microsecond.
pub fn thread() -> Result<Duration, Box<dyn Error>> {
    used(UsageWho::RUSAGE_THREAD)
}

fn used(who: UsageWho) -> Result<Duration, Box<dyn Error>> {
    let usage = getrusage(who)?;
    let times = [usage.user_time(), usage.system_time()];
    let microseconds = times.iter().map(|time| time.tv_sec() * 1_000_000 + time.tv_usec()).sum::<i64>();
    Ok(Duration::from_micros(u64::try_from(microseconds)?))
}

/// Says what is being done, since some of it takes minutes.
pub fn tell(what: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{what:<70}");
        let _ = std::io::stderr().flush();
    }
}

/// Ends what [`tell`] has said.
pub fn told() {
    tell("");
    tell("\r");
}
