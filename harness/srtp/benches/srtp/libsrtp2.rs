//! The implementations in C. `forbid(unsafe_code)` rules out calling them from here, so each is a child process that is
//! asked cell by cell; it looks at its own thread CPU time, so the way to it costs nothing.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::Implementation;
use crate::cells::{Cell, Kind};
use crate::in_process::{REPETITIONS, WARM_UP, WINDOW};

/// The peer to beat: libsrtp2 2.5.0 with OpenSSL.
pub const OPENSSL: &str = "libsrtp2 openssl";
/// The same as Debian builds it.
pub const NSS: &str = "libsrtp2 nss";

/// A running program of `benches/libsrtp2/bench.c`.
struct Libsrtp2 {
    name: &'static str,
    child: Child,
    answers: BufReader<ChildStdout>,
}

/// Builds both and starts those that could be built.
pub fn all() -> Vec<Box<dyn Implementation>> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libsrtp2");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/libsrtp2/build");
    if let Err(error) = Command::new("sh").arg(script).arg(&folder).status() {
        println!("libsrtp2: {error}");
    }
    let mut started: Vec<Box<dyn Implementation>> = Vec::new();
    for (name, program) in [(OPENSSL, "openssl"), (NSS, "nss")] {
        match Libsrtp2::start(name, &folder.join(program)) {
            Ok((implementation, version)) => {
                println!("{name}: {version}");
                started.push(Box::new(implementation));
            }
            Err(error) => {
                println!("{name}: could not be built, so it is left out, and nothing is held against it ({error})")
            }
        }
    }
    started
}

impl Libsrtp2 {
    fn start(name: &'static str, program: &Path) -> Result<(Self, String), Box<dyn Error>> {
        let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let answers = BufReader::new(child.stdout.take().ok_or("stdout: not piped")?);
        let mut started = Self { name, child, answers };
        let version = started.answer()?;
        Ok((started, version))
    }

    fn ask(&mut self, verb: &str, cell: &Cell, warm_up: usize, repetitions: usize) -> Result<String, Box<dyn Error>> {
        let Cell { kind, direction, streams, .. } = cell;
        let payload = match kind {
            Kind::Rtp { payload } => *payload,
            Kind::Rtcp => 0,
        };
        let questions = self.child.stdin.as_mut().ok_or("stdin: not piped")?;
        writeln!(
            questions,
            "{verb} {} {kind} {direction} {payload} {streams} {WINDOW} {warm_up} {repetitions}",
            cell.profile_name()
        )?;
        self.answer()
    }

    fn answer(&mut self) -> Result<String, Box<dyn Error>> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("the program ended".into());
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Implementation for Libsrtp2 {
    fn name(&self) -> &'static str {
        self.name
    }

    fn measure(&mut self, cell: &Cell) -> Result<f64, Box<dyn Error>> {
        Ok(self.ask("measure", cell, WARM_UP, REPETITIONS)?.parse()?)
    }

    fn show(&mut self, cell: &Cell) -> Result<Vec<u8>, Box<dyn Error>> {
        let digits = self.ask("show", cell, 0, 1)?;
        let byte = |at| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
        Ok(bytes.ok_or("answer: not hexadecimal")?)
    }
}

impl Drop for Libsrtp2 {
    fn drop(&mut self) {
        let _ = self.child.wait(); // closes its stdin first, at which it ends
    }
}
