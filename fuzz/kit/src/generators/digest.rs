//! Digest challenges, and who answers them.

use arbitrary::Arbitrary;
use ringfence_wire::digest::Challenge;

use super::text::{Text, Token};

/// Algorithms of RFC 7616, section 3.3 and RFC 8760; the first three are computed.
const ALGORITHMS: [&str; 6] = ["MD5", "sha-256", "Md5", "SHA-512-256", "MD5-sess", "SHA-256-sess"];

/// A server that asks for a login, and a client that has one.
#[derive(Arbitrary, Clone, Debug)]
pub struct Exchange {
    algorithm: Algorithm,
    qop: Qop,
    stale: bool,
    /// What is turned in a right answer to make it a wrong one.
    pub turned: u8,
    /// Uses of the nonce so far.
    pub nc: u32,
    /// The request's method.
    pub method: Token,
    realm: Text,
    nonce: Text,
    opaque: Option<Text>,
    uri: Text,
    cnonce: Text,
    username: Text,
    /// The right password.
    pub password: Text,
    /// Another one, unless it is the same by chance.
    pub other: Text,
}

#[derive(Arbitrary, Clone, Debug)]
enum Algorithm {
    Missing,
    Known(u8),
    Any(Text),
}

#[derive(Arbitrary, Clone, Debug)]
enum Qop {
    Missing,
    Auth,
    Several(u8),
    Any(Vec<Token>),
}

impl Exchange {
    /// What the server asks.
    pub fn challenge(&self) -> Challenge {
        let text = uncontrolled;
        Challenge {
            realm: text(&self.realm),
            nonce: text(&self.nonce),
            algorithm: match &self.algorithm {
                Algorithm::Missing => None,
                Algorithm::Known(at) => ALGORITHMS.get(usize::from(at % 8)).map(|name| (*name).to_owned()),
                Algorithm::Any(any) => Some(text(any)),
            },
            qop: match &self.qop {
                Qop::Missing => Vec::new(),
                Qop::Auth => vec!["auth".into()],
                Qop::Several(order) if order % 2 == 0 => vec!["auth-int".into(), "AUTH".into()],
                Qop::Several(_) => vec!["auth-int".into()],
                Qop::Any(tokens) => tokens.iter().take(8).map(|token| token.0.clone()).collect(),
            },
            opaque: self.opaque.as_ref().map(text),
            stale: self.stale,
        }
    }

    /// Who logs in.
    pub fn username(&self) -> String {
        uncontrolled(&self.username)
    }

    /// The client's nonce.
    pub fn cnonce(&self) -> String {
        uncontrolled(&self.cnonce)
    }

    /// What is asked for.
    pub fn uri(&self) -> String {
        self.uri.uri()
    }
}

/// The text without control characters, which no parameter holds.
fn uncontrolled(text: &Text) -> String {
    text.0.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::{stretch, value};

    #[test]
    fn challenges_are_of_every_kind() {
        let drawn: Vec<Challenge> =
            (0..2_000).filter_map(|seed| value::<Exchange>(&stretch(seed, 300))).map(|one| one.challenge()).collect();
        let with = |has: fn(&Challenge) -> bool| drawn.iter().filter(|challenge| has(challenge)).count();
        assert!(with(|challenge| challenge.algorithm.is_none()) > 200);
        assert!(with(|challenge| challenge.algorithm.as_deref() == Some("MD5")) > 20);
        assert!(with(|challenge| challenge.qop.is_empty()) > 100);
        assert!(with(|challenge| challenge.realm.contains('"')) > 200);
    }
}
