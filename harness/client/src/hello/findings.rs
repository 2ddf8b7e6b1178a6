//! What was found.

use ringfence_wire::hello::Version;

/// Whether a server speaks a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// It chose it, with a suite.
    Accepted,
    /// It refused it: with this alert, or by choosing another version.
    Refused(Option<u8>),
    /// It closed the connection without a word each time. [`super::Scan`] makes this a refusal where another version was
    /// accepted.
    Closed,
    /// Nothing that came tells.
    #[default]
    Unknown,
}

/// A list of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Cipher suites.
    Suites,
    /// Groups.
    Groups,
    /// Signature schemes.
    SignatureSchemes,
    /// SRTP profiles.
    Profiles,
}

/// A list of which there may be more than was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The list.
    pub list: List,
    /// Why its end was not seen: our words.
    pub reason: String,
}

/// Bytes of an exchange, without headers of UDP and IP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// That we sent.
    pub sent: u64,
    /// That came back.
    pub received: u64,
}

/// What was found about one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Whether the server speaks the version.
    pub verdict: Verdict,
    /// Suites that it chose, in that order.
    pub suites: Vec<u16>,
    /// It follows its own order of suites, not that of the hello. `None` where fewer than two are accepted, or it was not asked.
    pub server_order: Option<bool>,
    /// Groups that it chose, in that order.
    pub groups: Vec<u16>,
    /// Schemes that it signed its key exchange with, in that order. Versions 1.2 only.
    pub signature_schemes: Vec<u16>,
    /// SRTP profiles that it chose, in that order. DTLS 1.0 and 1.2 only.
    pub profiles: Vec<u16>,
    /// The profile that it chose when all were offered.
    pub preferred_profile: Option<u16>,
    /// It went on without SRTP although profiles were offered.
    pub goes_without_srtp: bool,
    /// It agreed to RFC 7627; `None` without an answer.
    pub extended_master_secret: Option<bool>,
    /// It agreed to RFC 5746; `None` without an answer.
    pub secure_renegotiation: Option<bool>,
    /// It chose a compression method (RFC 3749), which nobody should since CRIME.
    pub compression: bool,
    /// It stapled a certificate status.
    pub ocsp_response: Option<Vec<u8>>,
    /// It asks for a certificate of ours.
    pub certificate_requested: bool,
    /// Fewest bits of the prime in a DHE answer.
    pub dh_bits: Option<u16>,
    /// Different certificate chains, DER, leaf first; eight at most.
    pub chains: Vec<Vec<Vec<u8>>>,
    /// It demanded a cookie (RFC 6347, section 4.2.1).
    pub hello_verify: bool,
    /// The exchange that made it send the most for a hello without a cookie: its amplification.
    pub before_cookie: Option<Traffic>,
    /// Hellos that were sent, those that were repeated with a cookie or for want of an answer included.
    pub hellos_sent: u32,
    /// Hellos with an offer of their own.
    pub offers: u32,
    /// Lists whose end was not seen. What was found of them is still right.
    pub unknown: Vec<Unknown>,
}

impl Findings {
    /// Notes that the end of a list was not seen; the first reason stays.
    pub(super) fn doubt(&mut self, list: List, reason: &str) {
        if !self.unknown.iter().any(|unknown| unknown.list == list) {
            self.unknown.push(Unknown { list, reason: reason.to_owned() });
        }
    }
}

/// What was found about all versions that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// In the order in which they were asked for.
    pub versions: Vec<(Version, Findings)>,
}

impl Report {
    /// What was found about this version.
    pub fn of(&self, version: Version) -> Option<&Findings> {
        self.versions.iter().find(|(asked, _)| *asked == version).map(|(_, findings)| findings)
    }

    /// The versions that were accepted.
    pub fn accepted(&self) -> impl Iterator<Item = (Version, &Findings)> {
        let all = self.versions.iter().map(|(version, findings)| (*version, findings));
        all.filter(|(_, findings)| findings.verdict == Verdict::Accepted)
    }

    /// Suites with their versions.
    pub fn suites(&self) -> impl Iterator<Item = (Version, u16)> {
        self.accepted().flat_map(|(version, findings)| findings.suites.iter().map(move |suite| (version, *suite)))
    }

    /// Groups of any version.
    pub fn groups(&self) -> Vec<u16> {
        self.merged(|findings| &findings.groups)
    }

    /// Signature schemes of any version.
    pub fn signature_schemes(&self) -> Vec<u16> {
        self.merged(|findings| &findings.signature_schemes)
    }

    /// SRTP profiles of any version.
    pub fn profiles(&self) -> Vec<u16> {
        self.merged(|findings| &findings.profiles)
    }

    /// All hellos.
    pub fn hellos_sent(&self) -> u32 {
        self.versions.iter().map(|(_, findings)| findings.hellos_sent).sum()
    }

    /// What is not known, with the version.
    pub fn unknown(&self) -> impl Iterator<Item = (Version, &Unknown)> {
        self.versions
            .iter()
            .flat_map(|(version, findings)| findings.unknown.iter().map(move |unknown| (*version, unknown)))
    }

    fn merged<'a>(&'a self, list: impl Fn(&'a Findings) -> &'a Vec<u16>) -> Vec<u16> {
        let mut merged = Vec::new();
        for code in self.accepted().flat_map(|(_, findings)| list(findings)) {
            if !merged.contains(code) {
                merged.push(*code);
            }
        }
        merged
    }
}
