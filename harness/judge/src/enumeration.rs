//! What a policy says to an enumeration: the rules of the scenarios about TLS and DTLS, for a server that was asked by itself.

mod certificate;
mod lists;
#[cfg(test)]
mod tests;

use ringfence_model::enumeration::{Breach, Enumeration, Protocol, VersionSeen, VersionState};
use ringfence_model::policy::{Policy, Rank};
use ringfence_model::verdict::{Level, Severity};

/// What a policy says to a version that is accepted: below the policy's least it is forbidden.
pub fn version_rank(policy: &Policy, protocol: Protocol, version: &str) -> Rank {
    let least = match protocol {
        Protocol::Tls => &policy.min_tls,
        Protocol::Dtls => &policy.min_dtls,
    };
    if number(version) < number(least) { Rank::Forbidden } else { Rank::Fine }
}

/// What the policy does not allow of all that was seen, the worst first, and what is worth knowing besides. What was not seen
/// breaks nothing. Findings and notes that the enumeration holds already are not looked at; its ranks are.
pub fn breaches(enumeration: &Enumeration, policy: &Policy) -> (Vec<Breach>, Vec<String>) {
    let mut said = Said::default();
    versions(enumeration, policy, &mut said);
    lists::suites(enumeration, policy, &mut said);
    lists::groups(enumeration, policy, &mut said);
    lists::signature_schemes(enumeration, &mut said);
    lists::srtp_profiles(enumeration, policy, &mut said);
    extensions(enumeration, policy, &mut said);
    certificate::certificates(enumeration, policy, &mut said);
    amplification(enumeration, policy, &mut said);
    said.breaches.sort_by_key(|breach| std::cmp::Reverse((breach.severity, breach.level)));
    (said.breaches, said.notes)
}

/// What there is to say.
#[derive(Debug, Default)]
struct Said {
    breaches: Vec<Breach>,
    notes: Vec<String>,
}

impl Said {
    fn breach(&mut self, rule: &str, (severity, level): (Severity, Level), message: String) {
        self.breaches.push(Breach { rule: rule.to_owned(), severity, level, message });
    }
}

const HIGH: (Severity, Level) = (Severity::High, Level::Must);
const MEDIUM: (Severity, Level) = (Severity::Medium, Level::Should);
const LOW: (Severity, Level) = (Severity::Low, Level::Should);

fn versions(enumeration: &Enumeration, policy: &Policy, said: &mut Said) {
    let of = enumeration.protocol.word();
    let old = enumeration.versions.iter().filter(|version| version.rank == Some(Rank::Forbidden));
    let old: Vec<String> = old.map(|version| name(enumeration.protocol, &version.version)).collect();
    if !old.is_empty() {
        said.breach("version", HIGH, format!("{} accepted, below the policy's least", is_or_are(&old)));
    }
    if accepted(enumeration).next().is_none() {
        return; // nothing can be said of a server that speaks to nobody
    }
    let refused = |wanted: &str| {
        enumeration.versions.iter().any(|seen| seen.version == wanted && seen.state == VersionState::Refused)
    };
    let required = match enumeration.protocol {
        Protocol::Tls => &policy.tls_required,
        Protocol::Dtls => &policy.dtls_required,
    };
    for wanted in required.iter().filter(|wanted| refused(wanted)) {
        said.breach("version", HIGH, format!("{of} {wanted} is refused, which the policy requires"));
    }
    let preferred = policy.tls_preferred.as_str();
    if enumeration.protocol == Protocol::Dtls || preferred.is_empty() {
        return;
    }
    match enumeration.chosen_version.as_deref() {
        // What is required and refused was said.
        _ if refused(preferred) && required.iter().any(|one| one == preferred) => {}
        _ if refused(preferred) => {
            said.breach("version", HIGH, format!("TLS {preferred} is refused, which the policy prefers"));
        }
        Some(chosen) if chosen != preferred => {
            let chosen = name(Protocol::Tls, chosen);
            let message = format!("{chosen} is chosen where all are offered; the policy prefers TLS {preferred}");
            said.breach("version", HIGH, message);
        }
        _ => {}
    }
}

/// What hellos of versions below 1.3 negotiate besides the lists.
fn extensions(enumeration: &Enumeration, policy: &Policy, said: &mut Said) {
    let tls = enumeration.protocol == Protocol::Tls;
    let with = |what: &dyn Fn(&VersionSeen) -> bool| -> Vec<String> {
        let below_13 = accepted(enumeration).filter(|version| version.version != "1.3" && what(version));
        below_13.map(|version| name(enumeration.protocol, &version.version)).collect()
    };
    // SSL 3.0 has no extensions.
    let no_secret = with(&|version| version.version != "ssl3" && version.extended_master_secret == Some(false));
    if policy.require_ems && !no_secret.is_empty() {
        let level = if tls { Level::Should } else { Level::Must };
        let message = format!("no extended master secret in {} (RFC 7627)", no_secret.join(", "));
        said.breach("extended-master-secret", (Severity::Medium, level), message);
    }
    let insecure = with(&|version| version.secure_renegotiation == Some(false));
    if !insecure.is_empty() {
        let message = format!("no secure renegotiation in {} (RFC 5746)", insecure.join(", "));
        match enumeration.protocol {
            Protocol::Tls => said.breach("renegotiation", HIGH, message),
            // A media server that never renegotiates loses nothing by it.
            Protocol::Dtls => said.notes.push(message),
        }
    }
    let compressed = with(&|version| version.compression);
    if !compressed.is_empty() {
        let message =
            format!("compression is chosen in {}: secrets can be guessed from lengths", compressed.join(", "));
        said.breach("compression", HIGH, message);
    }
}

fn amplification(enumeration: &Enumeration, policy: &Policy, said: &mut Said) {
    if enumeration.protocol == Protocol::Tls {
        return;
    }
    let exchanges = enumeration.versions.iter().filter_map(|version| version.before_cookie);
    let worst = exchanges.filter(|exchange| {
        let ratio = u64::try_from(policy.dtls_ratio_max).unwrap_or(0);
        exchange.received > exchange.sent.saturating_mul(ratio)
    });
    if let Some(exchange) = worst.max_by_key(|exchange| exchange.received) {
        let message = format!(
            "without a cookie {} bytes came back for {}, more than {} times as many: a stranger's address can be flooded",
            exchange.received, exchange.sent, policy.dtls_ratio_max
        );
        said.breach("amplification", LOW, message);
    }
}

fn accepted(enumeration: &Enumeration) -> impl Iterator<Item = &VersionSeen> {
    enumeration.versions.iter().filter(|version| version.state == VersionState::Accepted)
}

/// How the version is called: `SSL 3.0`, `TLS 1.2`, `DTLS 1.2`.
fn name(protocol: Protocol, version: &str) -> String {
    if version == "ssl3" { "SSL 3.0".to_owned() } else { format!("{} {version}", protocol.word()) }
}

fn is_or_are(names: &[String]) -> String {
    format!("{} {}", names.join(", "), if names.len() == 1 { "is" } else { "are" })
}

/// A version as something that can be compared; what is no number, as `ssl3`, comes before all others.
fn number(version: &str) -> Vec<u32> {
    version.split('.').map_while(|part| part.parse().ok()).collect()
}
