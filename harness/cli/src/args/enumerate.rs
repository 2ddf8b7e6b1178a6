//! Arguments of `tls` and `dtls`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use ringfence_model::policy;
use ringfence_model::verdict::Severity;

use super::severity;

/// Arguments of `tls`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
    ringfence tls www.example.test:443
    ringfence tls turn.example.test:5349 --policy asvs-l2
    ringfence tls 127.0.0.1:5061 --name sip.example.test --ca-file lab/ca.pem --json

Each version from SSL 3.0 to TLS 1.3 is asked with hellos that go no further than the server's answer: one for each suite \
that it accepts and a few more; groups and signature schemes ride along. The group beside a suite is the one that the server \
chose first. Where only TLS 1.3 is accepted, one handshake shows the certificate. Nobody but this host is asked. What no \
answer told is listed as not known: it is no pass.

Exit codes: 0 the policy allows all that was seen; 1 it does not; 2 usage; 3 nothing answered; 4 something is not known, or \
what answers is not TLS; 5 out of scope. With 3, and with 4 where it is not TLS, the reason stands on stderr and nothing is \
printed. `ringfence schema enumeration` describes --json")]
pub struct TlsArgs {
    #[command(flatten)]
    pub ask: EnumerateArgs,
    /// Certificates to trust besides the public roots, PEM
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Seconds that one answer may take, the connection included
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=60), value_name = "SECONDS")]
    pub timeout: u32,
    /// Connections at once, one for each version at most
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=5), value_name = "N")]
    pub at_once: u32,
}

/// Arguments of `dtls`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("whom").required(true).args(["place", "target"])))]
#[command(after_help = "\
Examples:
    ringfence dtls media.example.test:5000
    ringfence dtls [2001:db8::7]:5000 --policy strict-aead --json
    ringfence dtls --target target.toml --max-calls 40

DTLS 1.0, 1.2 and 1.3 are asked with hellos that go no further than the server's answer, each from a port of its own; \
groups, signature schemes and SRTP profiles ride along. Silence is asked again and is never a refusal: what no answer told \
is listed as not known, and is no pass.

The media port of a call answers nobody before its ICE checks. With --target, calls are placed as the target file says, and \
after the checks a hello goes out instead of a handshake; no audio flows, and each call is hung up. Most media ports answer \
one hello a call: expect as many calls as suites, and a few more, one after the other. Each may ring a person or cost money. \
A port that goes on answering checks and says nothing to a hello, twice, and accepts a good one behind that, refuses.

Exit codes: 0 the policy allows all that was seen; 1 it does not; 2 usage; 3 nothing answered; 4 something is not known, or \
what answers is not DTLS; 5 out of scope. With 3, and with 4 where it is not DTLS, the reason stands on stderr and nothing \
is printed. `ringfence schema enumeration` describes --json")]
pub struct DtlsArgs {
    /// Server: a name or an address, and its port; an IPv6 address in brackets
    #[arg(value_name = "HOST:PORT", value_parser = place)]
    pub place: Option<Place>,
    /// Description of a deployment: its media port is asked, through calls
    #[arg(short, long, value_name = "FILE")]
    pub target: Option<PathBuf>,
    /// Calls to place at most; what they do not tell is not known. Left out: as many as the target file's budget has
    #[arg(long, conflicts_with = "place", value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    pub max_calls: Option<u32>,
    /// Name to ask for, where it is not the host's: for the server (SNI)
    #[arg(long, value_name = "NAME", value_parser = host, conflicts_with = "target")]
    pub name: Option<String>,
    #[command(flatten)]
    pub by: ByArgs,
    /// Seconds to wait for one answer, three times in all
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=60), value_name = "SECONDS")]
    pub timeout: u32,
    /// Hellos at once, one for each version at most; many servers serve one client at a time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=3), value_name = "N", conflicts_with = "target")]
    pub at_once: u32,
}

/// One server that anybody can ask.
#[derive(Debug, Args)]
pub struct EnumerateArgs {
    /// Server: a name or an address, and its port; an IPv6 address in brackets
    #[arg(value_name = "HOST:PORT", value_parser = place)]
    pub place: Place,
    /// Name to ask for, where it is not the host's: for the server (SNI) and its certificate
    #[arg(long, value_name = "NAME", value_parser = host)]
    pub name: Option<String>,
    #[command(flatten)]
    pub by: ByArgs,
}

/// What the answers are held against, and how they are told.
#[derive(Debug, Args)]
pub struct ByArgs {
    /// Policy to judge by: webrtc-mti, asvs-l2, asvs-l3, strict-aead, bsi-tr-02102, nist-800-52r2, or a file of your own, which
    /// may extend one of them; left out: the target file's, or webrtc-mti
    #[arg(long, value_name = "NAME|FILE")]
    pub policy: Option<String>,
    /// Lowest severity that makes the exit code 1
    #[arg(long, value_parser = severity, default_value = "low", value_name = "SEVERITY")]
    pub fail_on: Severity,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl ByArgs {
    /// The policy's name, or its file.
    pub fn policy(&self) -> &str {
        self.policy.as_deref().unwrap_or(policy::DEFAULT)
    }
}

/// A host and its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

fn place(text: &str) -> Result<Place, String> {
    if let Some((_, rest)) = text.split_once("://") {
        let place = rest.split('/').next().unwrap_or_default();
        let port = if place.contains(':') { "" } else { ":443" };
        return Err(format!("expected HOST:PORT and no URL, for example {place}{port}"));
    }
    if text.parse::<std::net::Ipv6Addr>().is_ok() {
        return Err(format!("an IPv6 address stands in brackets, with the port behind: [{text}]:443"));
    }
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (name, port) = match bracketed {
        Some((address, port)) => (address, port.strip_prefix(':')),
        None => text.rsplit_once(':').map_or((text, None), |(name, port)| (name, Some(port))),
    };
    let Some(port) = port.filter(|port| !port.is_empty()) else {
        let host = text.strip_suffix(':').unwrap_or(text);
        return Err(format!("it names no port; expected HOST:PORT, for example {host}:443"));
    };
    let port = port.parse().ok().filter(|port| *port > 0).ok_or("a port is a number from 1 to 65535")?;
    let host = match bracketed {
        Some(_) if name.parse::<std::net::Ipv6Addr>().is_ok() => name.to_owned(),
        Some(_) => return Err(format!("`{name}` is no IPv6 address")),
        None => host(name)?,
    };
    Ok(Place { host, port })
}

/// A name as it stands in DNS, or an address.
fn host(text: &str) -> Result<String, String> {
    if text.parse::<IpAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let plain = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if name.len() > 253 || !name.split('.').all(plain) {
        let hint = if name.is_ascii() { "" } else { "; one in other letters is written as in DNS, xn--…" };
        return Err(format!("expected a host name or an address{hint}"));
    }
    Ok(name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_written_back() {
        for text in ["a.example.test:443", "192.0.2.7:5061", "[2001:db8::7]:3478", "localhost:1"] {
            assert_eq!(place(text).unwrap().to_string(), text);
        }
        assert_eq!(place("A.Example.TEST.:443").unwrap().to_string(), "a.example.test:443");
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_be_right() {
        let says = |text: &str, part: &str| {
            let why = place(text).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
        };
        says("a.test", "names no port; expected HOST:PORT, for example a.test:443");
        says("a.test:", "names no port; expected HOST:PORT, for example a.test:443");
        says("[::1]", "for example [::1]:443");
        says("::1", "[::1]:443");
        says("https://a.test/x", "for example a.test:443");
        says("https://a.test:8443/x", "for example a.test:8443");
        says("a.test:0", "1 to 65535");
        says("a.test:65536", "1 to 65535");
        says("[a.test]:1", "no IPv6");
        says("a b:1", "host name");
        says(":443", "host name");
        says("a..test:443", "host name");
        says("ü.test:443", "xn--");
    }
}
