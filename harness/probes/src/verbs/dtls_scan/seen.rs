//! What was found, as scenarios read it.

use ringfence_client::hello::{CallsReport, Findings, List, Report, Verdict, Wanted};
use ringfence_client::media::CertificateFacts;
use ringfence_model::{Digest, RunKey, Untrusted};
use ringfence_wire::hello::{Version, names};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Cx;

/// SRTP profiles without encryption. RFC 5764, section 4.1.2.
const NULL_PROFILES: [u16; 2] = [0x0005, 0x0006];
/// Parts of the names of suites that encrypt nothing, authenticate nobody, or were weakened for export. RFC 5246, appendix A.5.
const WEAK: [&str; 3] = ["_NULL_", "_anon_", "_EXPORT"];

/// Observation. Lists hold what the target was seen to choose; `inconclusive_questions` names those of which there may be more.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// Versions that a ServerHello chose when nothing else was offered, oldest first: `1.0`, `1.2`, `1.3`.
    pub versions: Vec<String>,
    /// Versions that were refused. What was asked for and is in neither list stands in `inconclusive_questions`.
    pub refused: Vec<String>,
    /// Where suites were asked for: all of them, in the order in which they were chosen; else the first of each version.
    pub suites: Vec<SuiteSeen>,
    /// Groups of the key exchange, where they were asked for.
    pub groups: Vec<String>,
    /// Schemes that the key exchange was signed with, where all was asked for. DTLS 1.2 only.
    pub signature_schemes: Vec<String>,
    /// SRTP profiles, where they were asked for, below DTLS 1.3: `gcm-256`, `cm-sha1-80` and the like, else their numbers.
    pub profiles: Vec<String>,
    /// The profile that was chosen when all were offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_profile: Option<String>,
    /// A profile without encryption was chosen.
    pub null_profile_accepted: bool,
    /// It went on without SRTP where it shared no profile with the hello.
    pub goes_without_srtp: bool,
    /// Names of those suites that encrypt nothing, authenticate nobody, or were weakened for export.
    pub weak_suites: Vec<String>,
    /// A cookie was demanded (RFC 6347, section 4.2.1), although the pair was checked.
    pub hello_verify: bool,
    /// The most that a hello without a cookie drew, in bytes received for each that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_before_cookie_ratio: Option<f64>,
    /// Every accepted version below 1.3 agreed to RFC 5746; left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renegotiation_info: Option<bool>,
    /// Every accepted version below 1.3 agreed to RFC 7627; left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_master_secret: Option<bool>,
    /// Fewest bits of the prime in a DHE answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dh_bits: Option<i64>,
    /// It compresses (RFC 3749).
    pub compression: bool,
    /// Different certificates that came with the answers, which are in clear below 1.3; eight for each version at most.
    pub certificates: Vec<CertificateSeen>,
    /// Calls that were placed, whatever came of them.
    pub calls_made: i64,
    /// Hellos that were put, those with a cookie and those that were put again included.
    pub hellos_sent: i64,
    /// Whether every version is accepted was seen, and the end of every list that was asked for. True or left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete: Option<bool>,
    /// What was asked and not answered to its end.
    pub inconclusive_questions: Vec<InconclusiveSeen>,
}

/// A cipher suite.
#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SuiteSeen {
    /// `1.0`, `1.2` or `1.3`.
    pub version: String,
    /// Its name in the registry; the number where it has none.
    pub name: String,
    /// Its number there.
    pub code: i64,
}

/// A question whose answer is not known.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct InconclusiveSeen {
    /// The version.
    pub version: String,
    /// `versions`: whether it is accepted at all; else `suites`, `groups`, `signature_schemes` or `profiles`, of which there
    /// may be more.
    pub list: String,
    /// Why.
    pub reason: Untrusted,
}

/// A certificate of an answer.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct CertificateSeen {
    /// Digest of the DER bytes: equal for equal certificates of one run, `dtls.certificate` of calls included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// SHA-256 of the DER bytes, 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// `rsa`, `ec`, `ed25519` or `ed448`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_type: Option<String>,
    /// Bits of the modulus, or of the curve's field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_bits: Option<i64>,
    /// Hash of the signature on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_hash: Option<String>,
    /// Issuer and subject are one.
    pub self_signed: bool,
    /// Whole days until its end; negative behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_left: Option<i64>,
    /// Common names of the subject, and alternative names.
    pub names: Vec<Untrusted>,
}

impl Seen {
    /// What the calls told.
    pub fn of(cx: &Cx, told: &CallsReport, wanted: Wanted) -> Self {
        let mut seen = Self::found(&told.report, wanted);
        seen.calls_made = told.calls_made.into();
        let mut chains: Vec<&Vec<Vec<u8>>> = Vec::new();
        for chain in told.report.accepted().flat_map(|(_, found)| &found.chains) {
            if chains.iter().all(|known| known.first() != chain.first()) {
                chains.push(chain);
            }
        }
        // The name is nobody's concern: the fingerprint in the SDP stands for it.
        let of_chain = |chain: &Vec<Vec<u8>>| {
            let examined = cx.net.examine("", chain);
            let days_left = examined.as_ref().map(|one| one.days_left);
            let self_signed = examined.is_some_and(|one| one.self_signed);
            Some(CertificateSeen { self_signed, days_left, ..certificate(&cx.key, chain.first()?) })
        };
        seen.certificates = chains.into_iter().filter_map(of_chain).collect();
        seen
    }

    /// All but certificates and calls.
    fn found(report: &Report, wanted: Wanted) -> Self {
        let mut seen = Self { hellos_sent: report.hellos_sent().into(), ..Self::default() };
        for (version, found) in &report.versions {
            match found.verdict {
                Verdict::Accepted => seen.versions.push(word(*version)),
                Verdict::Refused(_) => seen.refused.push(word(*version)),
                Verdict::Closed | Verdict::Unknown => {
                    let why = found.unknown.first().map_or("nothing that came tells", |one| one.reason.as_str());
                    seen.doubt(*version, "versions", why);
                }
            }
        }
        for (version, found) in report.accepted() {
            for unknown in &found.unknown {
                let (list, asked) = match unknown.list {
                    List::Suites => ("suites", wanted.suites),
                    List::Groups => ("groups", wanted.groups),
                    List::SignatureSchemes => ("signature_schemes", wanted.schemes),
                    List::Profiles => ("profiles", wanted.profiles),
                };
                if asked {
                    seen.doubt(version, list, &unknown.reason);
                }
            }
        }
        let suite = |(version, code): (Version, u16)| SuiteSeen {
            version: word(version),
            name: named(names::suite, code),
            code: code.into(),
        };
        seen.suites = report.suites().map(suite).collect();
        let weak = |name: &str| WEAK.iter().any(|part| name.contains(part));
        for suite in seen.suites.iter().filter(|suite| weak(&suite.name)) {
            if !seen.weak_suites.contains(&suite.name) {
                seen.weak_suites.push(suite.name.clone());
            }
        }
        let list = |asked: bool, codes: Vec<u16>, name: fn(u16) -> Option<&'static str>| -> Vec<String> {
            codes.into_iter().filter(|_| asked).map(|code| named(name, code)).collect()
        };
        seen.groups = list(wanted.groups, report.groups(), names::group);
        seen.signature_schemes = list(wanted.schemes, report.signature_schemes(), names::signature_scheme);
        seen.profiles = list(wanted.profiles, report.profiles(), names::srtp_profile);
        let accepted = || report.accepted().map(|(_, found)| found);
        seen.preferred_profile = accepted().filter_map(|found| found.preferred_profile).last().map(profile);
        seen.null_profile_accepted = report.profiles().iter().any(|code| NULL_PROFILES.contains(code));
        seen.goes_without_srtp = accepted().any(|found| found.goes_without_srtp);
        seen.hello_verify = accepted().any(|found| found.hello_verify);
        seen.compression = accepted().any(|found| found.compression);
        seen.dh_bits = accepted().filter_map(|found| found.dh_bits).min().map(i64::from);
        let ratio = |found: &Findings| {
            let most = found.before_cookie?;
            (most.sent > 0).then(|| bytes(most.received) / bytes(most.sent))
        };
        seen.bytes_before_cookie_ratio = accepted().filter_map(ratio).reduce(f64::max);
        let below_13 = |told: fn(&Findings) -> Option<bool>| {
            let mut told = report.accepted().filter(|(version, _)| !version.is_13()).map(|(_, found)| told(found));
            told.try_fold(None, |all: Option<bool>, one| Some(Some(all.unwrap_or(true) && one?))).flatten()
        };
        seen.renegotiation_info = below_13(|found| found.secure_renegotiation);
        seen.extended_master_secret = below_13(|found| found.extended_master_secret);
        let asked = !report.versions.is_empty();
        seen.complete = (asked && seen.inconclusive_questions.is_empty()).then_some(true);
        seen
    }

    /// Why nothing is known at all, where that is so.
    pub fn nothing_told(&self) -> Option<String> {
        let told = !self.versions.is_empty() || !self.refused.is_empty();
        (!told).then(|| self.inconclusive_questions.first().map_or("", |one| one.reason.raw()).to_owned())
    }

    fn doubt(&mut self, version: Version, list: &str, why: &str) {
        let reason = Untrusted::new(why);
        self.inconclusive_questions.push(InconclusiveSeen { version: word(version), list: list.to_owned(), reason });
    }
}

fn certificate(key: &RunKey, der: &[u8]) -> CertificateSeen {
    let CertificateFacts { key_type, key_bits, signature_hash, names } = CertificateFacts::read(der);
    CertificateSeen {
        digest: Some(key.digest(der)),
        sha256: CertificateFacts::sha256(der),
        key_type,
        key_bits,
        signature_hash,
        names,
        ..CertificateSeen::default()
    }
}

fn word(version: Version) -> String {
    version.name().map_or_else(|| hexadecimal(version.0), str::to_owned)
}

fn profile(code: u16) -> String {
    named(names::srtp_profile, code)
}

fn named(name: impl Fn(u16) -> Option<&'static str>, code: u16) -> String {
    name(code).map_or_else(|| hexadecimal(code), str::to_owned)
}

fn hexadecimal(code: u16) -> String {
    format!("0x{code:04X}")
}

/// For a ratio: what a port says in two seconds is far below 2^53.
fn bytes(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use ringfence_client::hello::{Traffic, Unknown};

    use super::*;

    fn report() -> Report {
        let unknown = |list| Unknown { list, reason: "no answer".into() };
        let old = Findings {
            verdict: Verdict::Accepted,
            suites: vec![0x0002, 0xabcd], // TLS_RSA_WITH_NULL_SHA
            secure_renegotiation: Some(false),
            extended_master_secret: Some(true),
            ..Findings::default()
        };
        let new = Findings {
            verdict: Verdict::Accepted,
            suites: vec![0xc02b, 0x0002],
            groups: vec![29, 23],
            profiles: vec![7, 5, 0x0009],
            preferred_profile: Some(7),
            secure_renegotiation: Some(true),
            extended_master_secret: Some(true),
            hello_verify: true,
            before_cookie: Some(Traffic { sent: 100, received: 250 }),
            hellos_sent: 5,
            unknown: vec![unknown(List::Groups), unknown(List::SignatureSchemes)],
            ..Findings::default()
        };
        let silent = Findings { unknown: vec![unknown(List::Suites)], ..Findings::default() };
        let versions = vec![(Version::DTLS10, old), (Version::DTLS12, new), (Version::DTLS13, silent)];
        Report { versions }
    }

    #[test]
    fn names_and_doubts_are_those_of_what_was_asked() {
        let seen = Seen::found(&report(), Wanted { groups: true, profiles: true, ..Wanted::SUITES });
        assert_eq!((seen.versions, seen.refused), (vec!["1.0".to_owned(), "1.2".to_owned()], vec![]));
        assert_eq!(seen.suites[0].name, "TLS_RSA_WITH_NULL_SHA");
        assert_eq!((seen.suites[1].name.as_str(), seen.weak_suites.len()), ("0xABCD", 1));
        assert_eq!(seen.groups, ["x25519", "secp256r1"]);
        assert_eq!(seen.profiles, ["gcm-128", "null-sha1-80", "0x0009"]);
        assert!(seen.null_profile_accepted && seen.hello_verify && !seen.goes_without_srtp);
        assert_eq!(seen.preferred_profile.as_deref(), Some("gcm-128"));
        assert_eq!((seen.renegotiation_info, seen.extended_master_secret), (Some(false), Some(true)));
        assert_eq!(seen.bytes_before_cookie_ratio, Some(2.5));
        let doubts: Vec<_> =
            seen.inconclusive_questions.iter().map(|one| (one.version.as_str(), one.list.as_str())).collect();
        assert_eq!(doubts, [("1.3", "versions"), ("1.2", "groups")], "schemes were not asked for");
        assert_eq!(seen.complete, None);
        let refused = Findings { verdict: Verdict::Refused(None), ..Findings::default() };
        let all = Seen::found(&Report { versions: vec![(Version::DTLS10, refused)] }, Wanted::ALL);
        assert_eq!((all.complete, all.refused), (Some(true), vec!["1.0".to_owned()]));
    }

    #[test]
    fn what_was_not_asked_is_not_told() {
        let seen = Seen::found(&report(), Wanted::VERSIONS);
        assert!(seen.groups.is_empty() && seen.profiles.is_empty() && seen.inconclusive_questions.len() == 1);
        assert_eq!(seen.nothing_told(), None);
        let none = Report { versions: vec![(Version::DTLS12, Findings::default())] };
        let seen = Seen::found(&none, Wanted::VERSIONS);
        assert!(seen.nothing_told().is_some() && seen.renegotiation_info.is_none());
    }
}
