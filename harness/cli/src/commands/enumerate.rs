//! What `tls` and `dtls` have in common: whom they may ask, how answers become an enumeration, and how it ends.

mod describe;
mod suite;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use ringfence_client::hello::{Question, Report, Verdict, Wanted};
use ringfence_client::net::Limits;
use ringfence_client::{Failure, Net};
use ringfence_judge::breaches;
use ringfence_model::Exit;
use ringfence_model::enumeration::{Enumeration, Protocol, VersionState};
use ringfence_model::observation::Outcome;
use ringfence_model::policy::Policy;
use ringfence_model::target::Target;
use ringfence_model::untrusted::inert_json;
use ringfence_reports::{Style, terminal_enumeration};

use crate::args::EnumerateArgs;
use crate::problem::Problem;
use crate::{outputs, terminal};

pub use describe::{certificate, certificates};

/// How the reason of an answer that is no hello begins, as the client says it.
const GARBAGE: &str = "no answer that can be read";

/// One question to one server.
pub struct Asked<'a> {
    /// How it is asked.
    pub protocol: Protocol,
    /// What was typed.
    pub args: &'a EnumerateArgs,
    /// What the answers are held against.
    pub policy: &'a Policy,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl Asked<'_> {
    /// The network of this command: the host that was typed, and nobody else.
    pub fn net(&self, ca_file: Option<&Path>) -> Result<Net, Problem> {
        let host = &self.args.place.host;
        // A name may lead to this machine, as `ringfence init` has it.
        let scope = match host.parse::<IpAddr>() {
            Ok(address) => format!("networks = [\"{address}\"]"),
            Err(_) => format!("hosts = [{}]\nnetworks = [\"127.0.0.0/8\", \"::1\"]", toml_text(host)),
        };
        let ca_file = ca_file.map(|path| format!("ca_file = {}\n", toml_text(&path.display().to_string())));
        let text = format!(
            "name = \"enumeration\"\nadapter = \"cognigy\"\n{}[endpoints]\nconfig = \"https://{}/\"\n[[scope]]\n{scope}\n",
            ca_file.unwrap_or_default(),
            self.args.place
        );
        let here = std::env::current_dir().unwrap_or_default().join("target.toml");
        let target = Target::parse(&text, &here).map_err(Problem::usage)?;
        let net = Net::new(&target).map_err(Problem::usage)?;
        let limits = Limits { connect: self.timeout, tls: self.timeout, ..*net.limits() };
        Ok(net.with_limits(limits))
    }

    /// Where the host is. Answers of name servers that lead inside are not followed.
    pub async fn resolve(&self, net: &Net) -> Result<SocketAddr, Problem> {
        let place = &self.args.place;
        let address = net.resolve(&place.host, place.port).await.map_err(|failure| match failure.outcome {
            Outcome::OutOfScope => Problem {
                exit: Exit::Refused,
                message: format!(
                    "{0} leads to an address of an inner network, which a name server may not choose; if it is yours, give \
                     the address itself, with --name {0}",
                    place.host
                ),
            },
            _ => Problem { exit: Exit::Unreachable, message: format!("{place}: {}", failure.error.visible()) },
        })?;
        if terminal::live() {
            complain!("asking {place} ({})", address.ip());
        }
        Ok(address)
    }

    /// Everything, under the name that the server is to hear.
    pub fn question(&self) -> Result<Question, Problem> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(Problem::internal)?;
        Ok(Question { server_name: self.server_name(), wanted: Wanted::ALL, seed })
    }

    /// What the certificate should be made out to.
    pub fn name(&self) -> String {
        self.args.name.clone().unwrap_or_else(|| self.args.place.host.clone())
    }

    /// Addresses do not stand in server_name (RFC 6066, section 3).
    fn server_name(&self) -> Option<String> {
        Some(self.name()).filter(|name| name.parse::<IpAddr>().is_err())
    }

    /// Nothing could be asked.
    pub fn failed(&self, failure: &Failure) -> Problem {
        let exit = if failure.outcome == Outcome::OutOfScope { Exit::Refused } else { Exit::Unreachable };
        let refused = failure.error.raw().contains("refused");
        let hint = if refused { "; nothing listens there: is the port right?" } else { "" };
        Problem { exit, message: format!("{}{hint}", failure.error.visible()) }
    }

    /// The answers as an enumeration with ranks.
    ///
    /// # Errors
    /// Nobody answered, or what answers speaks another protocol.
    pub fn describe(&self, net: &Net, report: &Report) -> Result<Enumeration, Problem> {
        let known = |verdict: Verdict| matches!(verdict, Verdict::Accepted | Verdict::Refused(_));
        if !report.versions.iter().any(|(_, findings)| known(findings.verdict)) {
            return Err(self.no_hello(net, report));
        }
        Ok(describe::enumeration(self, self.server_name(), report))
    }

    fn no_hello(&self, net: &Net, report: &Report) -> Problem {
        let (place, of) = (&self.args.place, self.protocol.word());
        let closed = report.versions.iter().any(|(_, findings)| findings.verdict == Verdict::Closed);
        let reasons = || report.unknown().map(|(_, unknown)| unknown.reason.as_str());
        let reason = reasons().find(|reason| reason.starts_with(GARBAGE)).or_else(|| reasons().next());
        let reason = ringfence_model::Untrusted::new(reason.unwrap_or("no answer")).visible();
        if net.answered() {
            let what =
                if reason.starts_with(GARBAGE) { format!("not with {of}") } else { "accepts no hello".to_owned() };
            return Problem { exit: Exit::Inconclusive, message: format!("{place} answers, but {what}: {reason}") };
        }
        let seconds = self.timeout.as_secs();
        let message = match self.protocol {
            Protocol::Tls if closed => {
                format!("{place} accepts connections and closes them at a hello, without a word")
            }
            Protocol::Tls => format!(
                "{place} accepts connections and says nothing to a hello within {seconds} s ({reason}); --timeout waits longer"
            ),
            Protocol::Dtls => format!(
                "{place} does not answer ({reason}); over UDP that tells nothing: the port may be closed, filtered or not DTLS, or \
                 the media port of a call, which answers nobody before its ICE checks (--target asks that through calls)"
            ),
        };
        Problem { exit: Exit::Unreachable, message }
    }

    /// Judges, prints and ends.
    pub fn finish(&self, mut seen: Enumeration, elapsed: Duration, style: Style) -> Result<Exit, Problem> {
        seen.elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let (findings, mut notes) = breaches(&seen, self.policy);
        seen.findings = findings;
        seen.notes.append(&mut notes);
        seen.exit = exit(&seen, self.args.by.fail_on);
        seen.code = seen.exit.code();
        let text = match self.args.by.json {
            true => inert_json(&serde_json::to_string_pretty(&seen).map_err(Problem::internal)?) + "\n",
            false => terminal_enumeration(&seen, style),
        };
        outputs::print(&text)?;
        Ok(seen.exit)
    }
}

/// What is not known is no pass, and neither is a server that accepts nobody.
fn exit(seen: &Enumeration, fail_on: ringfence_model::verdict::Severity) -> Exit {
    let fails = seen.findings.iter().any(|finding| finding.severity >= fail_on);
    let accepted = seen.versions.iter().any(|version| version.state == VersionState::Accepted);
    let unknown =
        seen.versions.iter().any(|version| !version.unknown.is_empty() || version.state == VersionState::Unknown);
    Exit::worst([
        if fails { Exit::Findings } else { Exit::Clean },
        if unknown || !accepted { Exit::Inconclusive } else { Exit::Clean },
    ])
}

fn toml_text(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use ringfence_model::enumeration::{Breach, Unknown, VersionSeen};
    use ringfence_model::verdict::{Level, Severity};

    use super::*;

    #[test]
    fn what_is_not_known_is_no_pass_and_hides_no_finding() {
        let sound = || VersionSeen { state: VersionState::Accepted, ..VersionSeen::default() };
        let refused = || VersionSeen { state: VersionState::Refused, ..VersionSeen::default() };
        let half = || Unknown { list: "groups".into(), reason: "no answer".into() };
        let breach =
            Breach { rule: "suite".into(), severity: Severity::Medium, level: Level::Should, message: "m".into() };
        let ends = |versions: Vec<VersionSeen>, findings: Vec<Breach>, fail_on| {
            let json = serde_json::json!({
                "format": "", "ringfence": "", "protocol": "tls", "host": "", "port": 1, "policy": "", "versions": versions,
                "certificates": [], "findings": findings, "notes": [], "hellos_sent": 1, "elapsed_ms": 1, "exit": "clean",
                "code": 0,
            });
            exit(&serde_json::from_value(json).unwrap(), fail_on)
        };
        let found = || vec![breach.clone()];
        let low = Severity::Low;
        assert_eq!(ends(vec![refused(), sound()], vec![], low), Exit::Clean);
        assert_eq!(ends(vec![sound()], found(), low), Exit::Findings);
        assert_eq!(ends(vec![sound()], found(), Severity::High), Exit::Clean);
        let unknown = || vec![VersionSeen { unknown: vec![half()], ..sound() }];
        assert_eq!(ends(unknown(), vec![], low), Exit::Inconclusive);
        assert_eq!(ends(unknown(), found(), low), Exit::Findings);
        assert_eq!(ends(unknown(), found(), Severity::High), Exit::Inconclusive);
        assert_eq!(ends(vec![VersionSeen::default(), sound()], vec![], low), Exit::Inconclusive);
        assert_eq!(ends(vec![refused()], vec![], low), Exit::Inconclusive, "a server that accepts nobody");
    }
}
