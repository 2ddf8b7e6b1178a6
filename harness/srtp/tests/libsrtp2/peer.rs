//! libsrtp2 as a child process, and sessions in it. `peer.c` is the other side, and says what goes over the pipes.

use std::cell::RefCell;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::sync::OnceLock;

use crate::support::agreement::{End, Refusal};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/libsrtp2/peer.c");
const MISSING: &str =
    "libsrtp2 or a C compiler is missing: apt-get install --no-install-recommends libsrtp2-dev gcc libc6-dev";

/// The process. It ends with the last session and the last clone.
#[derive(Clone)]
pub struct Libsrtp2(Rc<RefCell<Pipes>>);

struct Pipes {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// How a session of theirs is made.
#[derive(Debug, Clone)]
pub struct Policy {
    pub profile: Profile,
    pub whose: Whose,
    /// Packets that the replay list of RTP reaches back. That of RTCP is always 128.
    pub window: u32,
    pub keys: Vec<Key>,
}

/// `srtp_profile_t`, with two numbers for what has none there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    AesCm128Sha1_80 = 1,
    AesCm128Sha1_32 = 2,
    AesCm256Sha1_80 = 3,
    AesCm256Sha1_32 = 4,
    NullSha1_80 = 5,
    NullSha1_32 = 6,
    Gcm128 = 7,
    Gcm256 = 8,
}

/// `srtp_ssrc_type_t`: the streams that a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    One(u32),
    AnyInbound,
    AnyOutbound,
}

/// A master key: its identifier, or none, and key and salt.
#[derive(Debug, Clone)]
pub struct Key {
    pub mki: Vec<u8>,
    pub key_and_salt: Vec<u8>,
}

/// A session of theirs; freed with the value.
pub struct Session {
    peer: Libsrtp2,
    number: u32,
    /// The key that protects.
    pub sends_with: u8,
}

impl Libsrtp2 {
    /// Compiles and starts it. `None`, and a line that says so, where libsrtp2 or a C compiler is missing.
    ///
    /// # Panics
    /// In CI, if one is missing.
    pub fn start() -> Option<Self> {
        static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
        let program = PROGRAM.get_or_init(|| {
            let program = compile();
            if program.is_none() {
                assert!(std::env::var_os("CI").is_none(), "{MISSING}");
                // Past the capture of the test runner: who runs this should read it.
                drop(writeln!(std::io::stderr(), "skipped: SRTP against libsrtp2. {MISSING}"));
            }
            program
        });
        let mut child = Command::new(program.as_ref()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("what was compiled can be run");
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        Some(Self(Rc::new(RefCell::new(Pipes { child, requests, answers }))))
    }

    /// A session of theirs.
    ///
    /// # Panics
    /// If libsrtp2 does not make it.
    pub fn session(&self, policy: &Policy) -> Session {
        let (whose, ssrc) = match policy.whose {
            Whose::One(ssrc) => (1, ssrc),
            Whose::AnyInbound => (2, 0),
            Whose::AnyOutbound => (3, 0),
        };
        let mut body = vec![policy.profile as u8, whose];
        body.extend(ssrc.to_be_bytes());
        body.extend(policy.window.to_be_bytes());
        for key in &policy.keys {
            body.push(key.mki.len() as u8);
            body.extend(&key.mki);
            body.push(key.key_and_salt.len() as u8);
            body.extend(&key.key_and_salt);
        }
        let number = number(&self.ask(b'n', &body).expect("libsrtp2 makes the session"));
        Session { peer: self.clone(), number, sends_with: 0 }
    }

    fn ask(&self, operation: u8, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut answer = self.0.borrow_mut().exchange(operation, body).expect("libsrtp2 answers");
        let body = answer.split_off(1);
        match answer[0] {
            0 => Ok(body),
            7 => Err(Refusal::Authentication), // srtp_err_status_auth_fail
            9 | 10 => Err(Refusal::Replay),    // srtp_err_status_replay_fail, srtp_err_status_replay_old
            25 => Err(Refusal::KeyIdentifier), // srtp_err_status_bad_mki
            status => Err(Refusal::Other(format!("srtp_err_status_t {status}"))),
        }
    }
}

impl Pipes {
    fn exchange(&mut self, operation: u8, body: &[u8]) -> io::Result<Vec<u8>> {
        let request = [&(1 + body.len() as u32).to_be_bytes(), &[operation][..], body].concat();
        self.requests.as_mut().expect("it is open until the end").write_all(&request)?;
        let mut length = [0; 4];
        self.answers.read_exact(&mut length)?;
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        self.answers.read_exact(&mut answer)?;
        Ok(answer)
    }
}

impl Session {
    /// Sets the rollover counter that the next packet of the stream has.
    pub fn set_rollover_counter(&self, ssrc: u32, counter: u32) {
        let body = [self.number, ssrc, counter].map(u32::to_be_bytes).concat();
        self.peer.ask(b'R', &body).expect("the stream is known");
    }

    /// The rollover counter of the stream's newest packet.
    pub fn rollover_counter(&self, ssrc: u32) -> u32 {
        let body = [self.number, ssrc].map(u32::to_be_bytes).concat();
        number(&self.peer.ask(b'r', &body).expect("the stream is known"))
    }

    fn packet(&self, operation: u8, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.peer.ask(operation, &[&self.number.to_be_bytes(), &[self.sends_with][..], packet].concat())
    }
}

impl End for Session {
    fn protect_rtp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.packet(b'P', packet)
    }

    fn unprotect_rtp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.packet(b'U', packet)
    }

    fn protect_rtcp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.packet(b'p', packet)
    }

    fn unprotect_rtcp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.packet(b'u', packet)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let freed = self.peer.0.borrow_mut().exchange(b'f', &self.number.to_be_bytes());
        // Also of a test that has failed: proptest looks for a smaller value then, in the same process.
        assert!(std::thread::panicking() || freed.is_ok_and(|answer| answer[0] == 0), "libsrtp2 frees the session");
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        drop(self.requests.take()); // it ends when nobody asks any more
        let ended = self.child.wait();
        assert!(std::thread::panicking() || ended.is_ok_and(|status| status.success()), "libsrtp2 ends well");
    }
}

/// The program, or `None` without a library or a compiler to make it of.
///
/// # Panics
/// If they are there and it does not compile.
fn compile() -> Option<PathBuf> {
    let flags = Command::new("pkg-config").args(["--cflags", "--libs", "libsrtp2"]).output().ok()?;
    if !flags.status.success() {
        return None;
    }
    let flags = String::from_utf8(flags.stdout).expect("flags are text");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    // Under a name of this process first: another test run may be starting the one that is there.
    let (own, program) = (folder.join(format!("libsrtp2-peer.{}", std::process::id())), folder.join("libsrtp2-peer"));
    let mut cc = Command::new("cc");
    cc.args(["-std=c11", "-O1", "-Wall", "-Wextra", SOURCE, "-o"]).arg(&own).args(flags.split_whitespace());
    let compiled = cc.output().ok()?;
    assert!(compiled.status.success(), "peer.c compiles: {}", String::from_utf8_lossy(&compiled.stderr));
    std::fs::rename(&own, &program).expect("it can be renamed");
    Some(program)
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().expect("a number has four bytes"))
}
