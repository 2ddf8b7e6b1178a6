//! Our enumeration: as a process of its own, as the scanners are, and without one.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ringfence_client::Net;
use ringfence_client::hello::{self, Bounds, Question, Report, Wanted};
use ringfence_model::target::Target;

use crate::cost::{self, Cost};

/// First argument of a process that enumerates and does nothing else; protocol, port and question follow.
pub const AS_CHILD: &str = "--as-child";

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Versions and suites.
    Suites,
    /// SRTP profiles besides.
    Profiles,
    /// Groups, signature schemes and the order of the suites too.
    Everything,
}

const WORDS: [(&str, Asked); 3] =
    [("suites", Asked::Suites), ("profiles", Asked::Profiles), ("everything", Asked::Everything)];

impl Asked {
    fn wanted(self) -> Wanted {
        match self {
            Self::Suites => Wanted::SUITES,
            Self::Profiles => Wanted { profiles: true, ..Wanted::SUITES },
            Self::Everything => Wanted::ALL,
        }
    }

    fn word(self) -> &'static str {
        WORDS.iter().find(|(_, asked)| *asked == self).map_or("", |(word, _)| word)
    }
}

/// The sets that a tool found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// By version; one without suites is not there.
    pub suites: BTreeMap<String, BTreeSet<u16>>,
    /// SRTP profiles, of all versions together.
    pub profiles: usize,
}

impl Found {
    /// Adds a suite.
    pub fn suite(&mut self, version: &str, code: u16) {
        self.suites.entry(version.to_owned()).or_default().insert(code);
    }

    /// Suites of all versions.
    pub fn count(&self) -> usize {
        self.suites.values().map(BTreeSet::len).sum()
    }
}

impl Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each: Vec<String> = self.suites.values().map(|suites| suites.len().to_string()).collect();
        write!(f, "{}", each.join(" + "))?;
        if self.profiles > 0 { write!(f, ", {} profiles", self.profiles) } else { Ok(()) }
    }
}

/// Runs one enumeration in a process of its own. `Cost::asked` are the offers; hellos that only bring a cookie back are none.
///
/// # Errors
/// The process cannot be started, or what it says is no enumeration.
pub fn run(protocol: &str, port: u16, asked: Asked) -> Result<(Cost, Found), Box<dyn Error>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([AS_CHILD, protocol, &port.to_string(), asked.word()]);
    let (cost, printed) = cost::of(&mut command)?;
    let mut found = Found::default();
    let mut ended = None;
    for line in printed.lines() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("offers"), number) => ended = number.and_then(|number| number.parse().ok()),
            (Some("profiles"), Some(number)) => found.profiles += number.parse::<usize>()?,
            (Some(version), Some(code)) => found.suite(version, u16::from_str_radix(code, 16)?),
            _ => {}
        }
    }
    let asked = ended.ok_or_else(|| format!("our own process: {printed}"))?;
    Ok((Cost { asked, ..cost }, found))
}

/// What a process with [`AS_CHILD`] does.
///
/// # Errors
/// The arguments, the server, or anything that stayed unknown.
pub fn child(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [protocol, port, word] = arguments else { return Err("arguments: protocol, port, question".into()) };
    let asked = WORDS.iter().find(|(known, _)| known == word).ok_or("question: unknown")?.1;
    let server = SocketAddr::from(([127, 0, 0, 1], port.parse()?));
    let net = net()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        if protocol == "tls" { tls(&net, server, asked).await } else { dtls(&net, server, asked).await }
    })?;
    let mut offers = 0;
    let mut lines = String::new();
    for (version, findings) in &report.versions {
        let name = version.name().unwrap_or_default();
        offers += findings.offers;
        for code in &findings.suites {
            lines += &format!("{name} {code:04x}\n");
        }
        lines += &format!("profiles {}\n", findings.profiles.len());
    }
    if let Some((version, unknown)) = report.unknown().next() {
        return Err(format!("{version:?}: {unknown:?}").into());
    }
    println!("{lines}offers {offers}");
    Ok(())
}

/// The network: this machine.
///
/// # Errors
/// None that can be expected.
pub fn net() -> Result<Net, Box<dyn Error>> {
    let text = "name = \"bench\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://127.0.0.1/\"\n\
                [[scope]]\nnetworks = [\"127.0.0.0/8\"]\n";
    Ok(Net::new(&Target::parse(text, Path::new("target.toml"))?)?)
}

/// Asks a TLS server.
///
/// # Errors
/// As of [`hello::tls`].
pub async fn tls(net: &Net, server: SocketAddr, asked: Asked) -> Result<Report, Box<dyn Error>> {
    // As long as the command waits for both.
    let bounds = Bounds { answer: net.limits().connect, at_once: 5 };
    let report = hello::tls(net, &server.ip().to_string(), server.port(), &question(asked), bounds).await;
    report.map_err(|failure| failure.to_string().into())
}

/// Asks a DTLS server that serves one client at a time.
async fn dtls(net: &Net, server: SocketAddr, asked: Asked) -> Result<Report, Box<dyn Error>> {
    let bounds = Bounds { answer: Duration::from_secs(20), at_once: 1 };
    let report = hello::dtls(net, server, &question(asked), bounds).await;
    report.map_err(|failure| failure.to_string().into())
}

/// The question.
pub fn question(asked: Asked) -> Question {
    let mut seed = [0; 32];
    let number = std::process::id().to_be_bytes();
    seed[..4].copy_from_slice(&number);
    Question { server_name: None, wanted: asked.wanted(), seed }
}
