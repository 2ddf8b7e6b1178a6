//! What was found, as scenarios read it.

use ringfence_client::hello::{Findings, List, Report, Verdict};
use ringfence_client::net::ServerCertificate;
use ringfence_model::Untrusted;
use ringfence_wire::hello::{Version, names};
use schemars::JsonSchema;
use serde::Serialize;

use super::Depth;

/// Observation. Lists hold what the server was seen to choose; `unknown` names those of which there may be more.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// The configuration, or else the target file, names such a server.
    pub offered: bool,
    /// Something spoke TLS.
    pub reachable: bool,
    /// Versions that were accepted, oldest first: `ssl3`, `1.0`, `1.1`, `1.2`, `1.3`.
    pub versions: Vec<String>,
    /// Versions that were refused.
    pub refused: Vec<String>,
    /// Versions below 1.2 about which the server never says a word, each on three connections that it accepted, although it
    /// answers hellos of other versions before and after: it does not speak them. What is in none of these lists stands in
    /// `unknown`.
    pub unanswered: Vec<String>,
    /// The version that the server chose where 1.0 to 1.3 were offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negotiated: Option<String>,
    /// `full`: all suites, in the order in which the server chose them; else the one that it chose first in each version.
    pub suites: Vec<SuiteSeen>,
    /// `full`: it follows its own order of suites, not that of the hello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_order: Option<bool>,
    /// `full`: key exchange groups.
    pub groups: Vec<String>,
    /// `full`: schemes that it signed its key exchange with. TLS 1.2 only: no other version shows them without a handshake.
    pub signature_schemes: Vec<String>,
    /// `full`: every suite below 1.3 exchanges keys over ECDHE or DHE. Left out where not all were seen and those that were do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_secrecy_only: Option<bool>,
    /// `full`: fewest bits of the prime in a DHE answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dh_bits: Option<i64>,
    /// It chose to compress (RFC 3749).
    pub compression: bool,
    /// Every accepted version below 1.3 agreed to RFC 5746; left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure_renegotiation: Option<bool>,
    /// Every accepted version from 1.0 to 1.2 agreed to RFC 7627; left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_master_secret: Option<bool>,
    /// `full`: its tickets of TLS 1.3 invite early data (RFC 8446, section 8). Left out where it cannot be told, and for TURN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_data: Option<bool>,
    /// A certificate status came with a handshake (RFC 6066, section 8).
    pub ocsp_stapled: bool,
    /// The certificate, where one was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateSeen>,
    /// Hellos that were sent, those of whole handshakes included.
    pub hellos_sent: i64,
    /// Whether every version is accepted was seen, and the end of every list that was asked for. True or left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete: Option<bool>,
    /// What was not seen to its end.
    pub unknown: Vec<UnknownSeen>,
}

/// A cipher suite.
#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SuiteSeen {
    /// `ssl3`, `1.0`, `1.1`, `1.2` or `1.3`.
    pub version: String,
    /// Its name in the registry; the number where it has none.
    pub name: String,
    /// Its number there.
    pub code: i64,
    /// Its keys are made anew for each connection, over ECDHE or DHE, with a server that proves who it is; as all of 1.3 are.
    pub forward_secrecy: bool,
}

/// A list whose end was not seen.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct UnknownSeen {
    /// The version.
    pub version: String,
    /// `version`: whether it is accepted at all; else `suites`, `groups` or `signature_schemes`.
    pub list: String,
    /// Why.
    pub reason: Untrusted,
}

/// A server's certificate.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct CertificateSeen {
    /// SHA-256 of the DER bytes, 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// It leads to a public root or to one of `ca_file`, apart from its name and its dates.
    pub trusted: bool,
    /// It is made out to the host that was dialled.
    pub name_matches: bool,
    /// Whole days until its end; negative behind it.
    pub days_left: i64,
    /// Its beginning lies ahead.
    pub not_yet_valid: bool,
    /// Issuer and subject are one.
    pub self_signed: bool,
    /// `rsa`, `ec`, `ed25519` or `ed448`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_type: Option<String>,
    /// Bits of the modulus, or of the curve's field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_bits: Option<i64>,
    /// Hash of the signature on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_hash: Option<String>,
    /// Certificates that the server sent.
    pub chain_length: i64,
    /// It names a responder for its status.
    pub ocsp_responder: bool,
}

impl Seen {
    /// Takes what the hellos found, and the versions whose silence is told apart.
    pub fn take(&mut self, report: &Report, depth: Depth, unanswered: &[Version]) {
        self.hellos_sent += i64::from(report.hellos_sent());
        for (version, found) in &report.versions {
            match found.verdict {
                Verdict::Accepted => self.versions.push(word(*version)),
                Verdict::Refused(_) => self.refused.push(word(*version)),
                Verdict::Unknown if unanswered.contains(version) => self.unanswered.push(word(*version)),
                Verdict::Closed | Verdict::Unknown => self.doubt(*version, found),
            }
            self.reachable |= matches!(found.verdict, Verdict::Accepted | Verdict::Refused(Some(_)));
        }
        if let ([only], None) = (self.versions.as_slice(), &self.negotiated) {
            self.negotiated = Some(only.clone());
        }
        let suite = |(version, code): (Version, u16)| {
            let name = named(names::suite, code);
            let forward_secrecy = version == Version::TLS13 || forward_secret(&name);
            SuiteSeen { version: word(version), name, code: code.into(), forward_secrecy }
        };
        self.suites = report.suites().map(suite).collect();
        let accepted = || report.accepted().map(|(_, found)| found);
        self.compression = accepted().any(|found| found.compression);
        self.ocsp_stapled |= accepted().any(|found| found.ocsp_response.is_some());
        let of = |versions: &[Version], told: fn(&Findings) -> Option<bool>| {
            let mut told = report.accepted().filter(|(version, _)| versions.contains(version)).map(|(_, it)| told(it));
            told.try_fold(None, |all: Option<bool>, one| Some(Some(all.unwrap_or(true) && one?))).flatten()
        };
        let extended = [Version::TLS10, Version::TLS11, Version::TLS12]; // SSL 3.0 has no extensions
        self.extended_master_secret = of(&extended, |found| found.extended_master_secret);
        let below_13 = [Version::SSL3, Version::TLS10, Version::TLS11, Version::TLS12];
        self.secure_renegotiation = of(&below_13, |found| found.secure_renegotiation);
        if depth == Depth::Full {
            self.take_lists(report);
        }
        self.complete = (self.unknown.is_empty() && self.reachable).then_some(true);
    }

    /// What only all the hellos tell.
    fn take_lists(&mut self, report: &Report) {
        self.groups = report.groups().into_iter().map(|code| named(names::group, code)).collect();
        let schemes = report.signature_schemes();
        self.signature_schemes = schemes.into_iter().map(|code| named(names::signature_scheme, code)).collect();
        let accepted = || report.accepted().map(|(_, found)| found);
        self.dh_bits = accepted().filter_map(|found| found.dh_bits).min().map(i64::from);
        self.server_order = accepted().filter_map(|found| found.server_order).reduce(|a, b| a && b);
        for (version, found) in report.accepted() {
            for unknown in &found.unknown {
                let list = match unknown.list {
                    List::Suites => "suites",
                    List::Groups => "groups",
                    List::SignatureSchemes => "signature_schemes",
                    List::Profiles => continue,
                };
                let reason = Untrusted::new(&unknown.reason);
                self.unknown.push(UnknownSeen { version: word(version), list: list.to_owned(), reason });
            }
        }
        let whole = self.unknown.iter().all(|unknown| !matches!(unknown.list.as_str(), "version" | "suites"));
        let secret = self.suites.iter().all(|suite| suite.forward_secrecy);
        self.forward_secrecy_only = (!secret || whole && !self.versions.is_empty()).then_some(secret);
    }

    fn doubt(&mut self, version: Version, found: &Findings) {
        let reason = found.unknown.first().map_or("nothing that came tells", |unknown| unknown.reason.as_str());
        let reason = Untrusted::new(reason);
        self.unknown.push(UnknownSeen { version: word(version), list: "version".to_owned(), reason });
    }

    /// Takes a certificate. All versions show one, unless they are told apart on purpose: then the worse one counts.
    pub fn show(&mut self, certificate: ServerCertificate) {
        let sound = |one: &CertificateSeen| {
            one.trusted && !one.self_signed && one.name_matches && one.days_left >= 0 && !one.not_yet_valid
        };
        if self.certificate.as_ref().is_none_or(sound) {
            self.certificate = Some(certificate.into());
        }
    }
}

impl From<ServerCertificate> for CertificateSeen {
    fn from(certificate: ServerCertificate) -> Self {
        Self {
            trusted: certificate.trusted,
            name_matches: certificate.name_matches,
            days_left: certificate.days_left,
            not_yet_valid: certificate.not_yet_valid,
            self_signed: certificate.self_signed,
            key_type: certificate.facts.key_type,
            key_bits: certificate.facts.key_bits,
            signature_hash: certificate.facts.signature_hash,
            chain_length: i64::try_from(certificate.chain_length).unwrap_or(i64::MAX),
            sha256: certificate.sha256,
            ocsp_responder: certificate.ocsp_responder,
        }
    }
}

/// `1.2` and the like.
pub fn word(version: Version) -> String {
    named(|code| Version(code).name(), version.0)
}

fn named(name: impl Fn(u16) -> Option<&'static str>, code: u16) -> String {
    name(code).map_or_else(|| format!("0x{code:04X}"), str::to_owned)
}

/// Whether a suite below 1.3 makes its keys anew for each connection and proves who it is, by its name.
fn forward_secret(name: &str) -> bool {
    ["TLS_ECDHE_", "TLS_DHE_", "TLS_PSK_DHE_"].iter().any(|exchange| name.starts_with(exchange))
}

#[cfg(test)]
mod tests {
    use ringfence_client::hello::Unknown;

    use super::*;

    #[test]
    fn a_sound_certificate_hides_none_that_is_not() {
        let sound =
            || ServerCertificate { trusted: true, name_matches: true, days_left: 9, ..ServerCertificate::default() };
        for other in [
            ServerCertificate { not_yet_valid: true, ..sound() },
            ServerCertificate { self_signed: true, ..sound() },
            ServerCertificate { days_left: -1, ..sound() },
            ServerCertificate { name_matches: false, ..sound() },
            ServerCertificate { trusted: false, ..sound() },
        ] {
            for both in [[other.clone(), sound()], [sound(), other.clone()]] {
                let mut seen = Seen::default();
                both.into_iter().for_each(|one| seen.show(one));
                let kept = seen.certificate.unwrap();
                let fields = |one: &CertificateSeen| {
                    (one.trusted, one.name_matches, one.days_left, one.not_yet_valid, one.self_signed)
                };
                assert_eq!(fields(&kept), fields(&other.clone().into()));
            }
        }
    }

    fn accepted(suites: &[u16], told: bool) -> Findings {
        Findings {
            verdict: Verdict::Accepted,
            suites: suites.to_vec(),
            extended_master_secret: Some(told),
            secure_renegotiation: Some(told),
            ..Findings::default()
        }
    }

    fn seen(versions: Vec<(Version, Findings)>, depth: Depth) -> Seen {
        let mut seen = Seen::default();
        seen.take(&Report { versions }, depth, &[Version::TLS11]);
        seen
    }

    fn refused() -> Findings {
        Findings { verdict: Verdict::Refused(Some(70)), ..Findings::default() }
    }

    #[test]
    fn versions_are_told_apart_from_what_is_not_known() {
        let silent = Findings {
            unknown: vec![Unknown { list: List::Suites, reason: "no answer".into() }],
            hellos_sent: 3,
            ..Findings::default()
        };
        let versions = vec![
            (Version::SSL3, refused()),
            (Version::TLS10, silent.clone()),
            (Version::TLS11, silent),
            (Version::TLS12, accepted(&[0xc02f], true)),
            (Version::TLS13, Findings { verdict: Verdict::Refused(None), ..Findings::default() }),
        ];
        let seen = seen(versions, Depth::Quick);
        assert!(seen.reachable && seen.complete.is_none());
        assert_eq!(
            (seen.versions.as_slice(), seen.refused.as_slice()),
            (&["1.2".to_owned()][..], &["ssl3".to_owned(), "1.3".to_owned()][..])
        );
        assert_eq!((seen.unknown[0].version.as_str(), seen.unknown[0].list.as_str()), ("1.0", "version"));
        assert_eq!((seen.unknown[0].reason.raw(), seen.hellos_sent), ("no answer", 6));
        assert_eq!((seen.unanswered.as_slice(), seen.unknown.len()), (&["1.1".to_owned()][..], 1));
        assert_eq!(seen.suites[0].name, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        assert_eq!(seen.forward_secrecy_only, None, "one suite of each version says nothing of the others");
    }

    #[test]
    fn a_server_that_only_refuses_speaks_tls_and_one_that_closes_does_not_say() {
        let refusing = seen(vec![(Version::TLS12, refused())], Depth::Quick);
        assert!(refusing.reachable && refusing.complete == Some(true));
        let closed = Findings { verdict: Verdict::Closed, ..Findings::default() };
        let seen = seen(vec![(Version::TLS12, closed)], Depth::Full);
        assert!(!seen.reachable && seen.unknown.len() == 1 && seen.complete.or(seen.forward_secrecy_only).is_none());
    }

    #[test]
    fn extensions_are_asked_of_versions_that_have_them() {
        let of = |version, told| {
            let seen = seen(
                vec![(Version::TLS12, accepted(&[0xc02f], true)), (version, accepted(&[0x2f], told))],
                Depth::Quick,
            );
            (seen.extended_master_secret, seen.secure_renegotiation)
        };
        assert_eq!(of(Version::TLS10, true), (Some(true), Some(true)));
        assert_eq!(of(Version::TLS10, false), (Some(false), Some(false)));
        assert_eq!(of(Version::SSL3, false), (Some(true), Some(false)));
        assert_eq!(of(Version::TLS13, false), (Some(true), Some(true)));
        let newest = seen(vec![(Version::TLS13, accepted(&[0x1301], false))], Depth::Full);
        assert_eq!((newest.extended_master_secret, newest.secure_renegotiation), (None, None));
        assert_eq!(newest.forward_secrecy_only, Some(true));
    }

    #[test]
    fn forward_secrecy_is_denied_by_one_suite_and_granted_by_all() {
        let of = |suites: &[u16], unknown: Option<List>| {
            let unknown = unknown.map(|list| Unknown { list, reason: "r".into() }).into_iter().collect();
            let found = Findings { unknown, ..accepted(suites, true) };
            seen(vec![(Version::TLS12, found)], Depth::Full).forward_secrecy_only
        };
        assert_eq!(of(&[0xc02f, 0x009e], None), Some(true));
        assert_eq!(of(&[0xc02f, 0x009c], None), Some(false));
        assert_eq!(of(&[0xc018], None), Some(false), "nobody is sure of the server in ECDH_anon");
        assert_eq!(of(&[0xc02f], Some(List::Groups)), Some(true));
        assert_eq!(of(&[0xc02f], Some(List::Suites)), None);
        assert_eq!(of(&[0xc02f, 0x009c], Some(List::Suites)), Some(false));
    }
}
