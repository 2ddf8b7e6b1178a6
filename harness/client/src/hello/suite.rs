//! What a cipher suite's name says of the answers in which a server chooses it.

use std::sync::LazyLock;

use ringfence_wire::hello::{Version, names};

use super::axis::Rider;

/// How the server proves who it is. Groups and schemes are taken to depend on nothing else of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Authentication {
    Rsa,
    Ecdsa,
    Dss,
    /// No certificate, with a key shared beforehand or without.
    None,
    /// Of 1.3, where the suite does not say.
    Any,
}

impl Authentication {
    pub const ALL: [Self; 5] = [Self::Rsa, Self::Ecdsa, Self::Dss, Self::None, Self::Any];
}

/// A suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub authentication: Authentication,
    /// The answer names a group.
    pub grouped: bool,
    /// The answer is signed.
    pub signed: bool,
}

impl Kind {
    /// Of a suite in an answer of `version`.
    pub fn of(code: u16, version: Version) -> Self {
        if version.is_13() {
            return Self { authentication: Authentication::Any, grouped: true, signed: false };
        }
        let name = names::suite(code).unwrap_or_default();
        let exchange =
            name.strip_prefix("TLS_").and_then(|name| name.split_once("_WITH_")).map_or("", |(exchange, _)| exchange);
        let authentication = match exchange {
            _ if exchange.contains("anon") || exchange.ends_with("PSK") => Authentication::None,
            _ if exchange.contains("ECDSA") => Authentication::Ecdsa,
            _ if exchange.contains("DSS") => Authentication::Dss,
            _ => Authentication::Rsa,
        };
        let grouped = exchange.starts_with("ECDHE_") || exchange == "ECDH_anon";
        let ephemeral = exchange.starts_with("ECDHE_") || exchange.starts_with("DHE_");
        let explicit = matches!(version, Version::TLS12 | Version::DTLS12); // RFC 5246, section 4.7
        Self { authentication, grouped, signed: explicit && ephemeral && authentication != Authentication::None }
    }

    /// Whether the answer names an entry of this list.
    pub fn carries(self, rider: Rider) -> bool {
        match rider {
            Rider::Groups => self.grouped,
            Rider::Schemes => self.signed,
            Rider::Profiles => true,
        }
    }
}

/// The suites that are asked for in a version, by number.
pub(super) fn suites(version: Version) -> Vec<u16> {
    // Those of 1.3 and the others: sorted out once, not for every version of every host.
    static SORTED: LazyLock<(Vec<u16>, Vec<u16>)> =
        LazyLock::new(|| names::suites().map(|(code, _)| code).partition(|code| names::is_13_suite(*code)));
    let (new, old) = &*SORTED;
    if version.is_13() { new.clone() } else { old.clone() }
}

/// Most suites of a short hello: some servers refuse more than 128, or more than 150, whatever they are (house).
const SHORT: usize = 100;

/// The same in lists of which each makes a short hello, the usual ones first: a server that has none of these has none.
pub(super) fn shelves(version: Version) -> Vec<Vec<u16>> {
    let usual = |code: &u16| {
        let name = names::suite(*code).and_then(|name| name.strip_prefix("TLS_")).unwrap_or_default();
        let (exchange, cipher) = name.split_once("_WITH_").unwrap_or_default();
        let ciphers = ["AES_", "3DES_", "DES_", "RC4_", "CHACHA20_", "NULL_"];
        ["RSA", "DHE_RSA", "ECDHE_RSA", "ECDHE_ECDSA"].contains(&exchange)
            && ciphers.iter().any(|own| cipher.starts_with(own))
    };
    let (usual, others): (Vec<u16>, Vec<u16>) = suites(version).into_iter().partition(usual);
    [usual].into_iter().chain(others.chunks(SHORT).map(<[u16]>::to_vec)).filter(|shelf| !shelf.is_empty()).collect()
}

/// The groups that are asked for. Those of finite fields (RFC 7919) and the hybrid ones are left out below 1.3: no answer would
/// name them, and offering the former would keep a server from other fields.
pub(super) fn groups(version: Version) -> Vec<u16> {
    if version == Version::SSL3 {
        return Vec::new();
    }
    let old = |code: &u16| *code < 0x0100 || *code >= 0xff00;
    names::groups().map(|(code, _)| code).filter(|code| version.is_13() || old(code)).collect()
}

/// The schemes that are asked for. Below 1.2 no hello names any.
pub(super) fn schemes(version: Version) -> Vec<u16> {
    match version {
        Version::TLS12 | Version::DTLS12 | Version::TLS13 | Version::DTLS13 => {
            names::signature_schemes().map(|(code, _)| code).collect()
        }
        _ => Vec::new(),
    }
}

/// The SRTP profiles that are asked for.
pub(super) fn profiles(version: Version) -> Vec<u16> {
    if version.is_dtls() { names::srtp_profiles().map(|(code, _)| code).collect() } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_what_an_answer_tells() {
        let of = |code| {
            let kind = Kind::of(code, Version::TLS12);
            (kind.authentication, kind.grouped, kind.signed)
        };
        assert_eq!(of(0xc02b), (Authentication::Ecdsa, true, true)); // ECDHE_ECDSA
        assert_eq!(of(0xc02f), (Authentication::Rsa, true, true)); // ECDHE_RSA
        assert_eq!(of(0x009e), (Authentication::Rsa, false, true)); // DHE_RSA
        assert_eq!(of(0x0014), (Authentication::Rsa, false, true)); // DHE_RSA_EXPORT
        assert_eq!(of(0x0032), (Authentication::Dss, false, true)); // DHE_DSS
        assert_eq!(of(0x002f), (Authentication::Rsa, false, false)); // RSA
        assert_eq!(of(0xc018), (Authentication::None, true, false)); // ECDH_anon
        assert_eq!(of(0xc035), (Authentication::None, true, false)); // ECDHE_PSK
        assert_eq!(of(0xc004), (Authentication::Ecdsa, false, false)); // ECDH_ECDSA
        assert!(!Kind::of(0xc02b, Version::DTLS10).signed && Kind::of(0xc02b, Version::DTLS12).signed);
        assert_eq!(Kind::of(0x1301, Version::TLS13).authentication, Authentication::Any);
    }

    #[test]
    fn every_suite_is_asked_for_in_one_of_the_two_worlds() {
        let (old, new) = (suites(Version::TLS12), suites(Version::DTLS13));
        assert!(old.len() > 300 && new.len() >= 5 && old.iter().all(|code| !new.contains(code)));
        assert!(new.contains(&0x1301) && old.contains(&0xc02f) && old.contains(&0x0004));
        assert!(!old.contains(&0x00ff) && !old.contains(&0x5600), "signals are no suites");
        assert!(groups(Version::TLS13).contains(&0x11ec) && !groups(Version::TLS12).contains(&0x0100));
        assert!(groups(Version::SSL3).is_empty() && schemes(Version::TLS11).is_empty());
        assert!(profiles(Version::DTLS12).contains(&7) && profiles(Version::TLS12).is_empty());
        let shelves = shelves(Version::TLS10);
        assert!(shelves.iter().all(|shelf| (1..=SHORT).contains(&shelf.len())), "{shelves:?}");
        assert!([0x0005, 0x000a, 0x002f, 0x0033, 0xc009, 0xc014, 0xc02f].iter().all(|code| shelves[0].contains(code)));
        let mut all = shelves.concat();
        all.sort_unstable();
        assert_eq!(all, old);
        assert!(groups(Version::TLS13).len() <= 128 && schemes(Version::TLS12).len() <= 128);
    }
}
