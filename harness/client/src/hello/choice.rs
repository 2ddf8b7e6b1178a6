//! Which version a TLS server chooses where a hello offers several: what its visitors get, whatever else it accepts.

use ringfence_wire::Error;
use ringfence_wire::hello::{ClientHello, Depth, Extension, Reply, Version};

use super::axis::{Each, Rider, Set};
use super::machine::Told;
use super::offer::{Offer, Question};
use super::sockets::{Bounds, over_tcp};
use super::suite;
use crate::{Failure, Net};

/// Newest first, as a client that prefers the newest offers them.
const OFFERED: [Version; 4] = [Version::TLS13, Version::TLS12, Version::TLS11, Version::TLS10];
/// How often it is asked before the choice stays unknown (house).
const TRIES: u32 = 3;

/// What a server chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The version; `None` where no answer chose one.
    pub version: Option<Version>,
    /// Hellos that were sent.
    pub hellos_sent: u32,
}

/// Offers TLS 1.0 to 1.3 in one hello, with all suites, groups and schemes of each, and without a key: a server that speaks 1.3
/// answers with a HelloRetryRequest. The lists of `question` do not matter. No answer and a refusal are asked again.
///
/// # Errors
/// The scope or the budget does not allow it, or no connection was accepted.
pub async fn choice(net: &Net, host: &str, port: u16, question: &Question, bounds: Bounds) -> Result<Choice, Failure> {
    let mut choice = Choice::default();
    while choice.version.is_none() && choice.hellos_sent < TRIES {
        let hello = hello(question, choice.hellos_sent).map_err(|error| Failure::protocol(error.to_string()))?;
        choice.hellos_sent += 1;
        let (told, _) = over_tcp(net, (host, port), &hello, Depth::Hello, bounds.answer).await?;
        choice.version = chosen(&told);
    }
    Ok(choice)
}

/// The hello; `count` keeps the randoms of a run apart.
fn hello(question: &Question, count: u32) -> Result<ClientHello, Error> {
    let lists = Each::new(|rider| match rider {
        Rider::Groups => suite::groups(Version::TLS13),
        Rider::Schemes => suite::schemes(Version::TLS13),
        Rider::Profiles => Vec::new(),
    });
    let suites = [suite::suites(Version::TLS13), suite::suites(Version::TLS12)].concat();
    let offer = Offer { suites, lists, sets: Each::new(|_| Set::default()) };
    let mut hello = offer.hello(Version::TLS13, question, count)?;
    let older = [Extension::extended_master_secret(), Extension::renegotiation_info()];
    hello.extensions.extend(older);
    hello.extensions.push(Extension::supported_versions(&OFFERED)?);
    Ok(hello)
}

/// The version that an answer chose, of those that were offered.
fn chosen(told: &Told) -> Option<Version> {
    let version = match told {
        Told::Reply(Reply::ServerHello(hello) | Reply::HelloRetryRequest(hello)) => hello.version,
        _ => return None,
    };
    OFFERED.contains(&version).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hello::Wanted;

    fn question() -> Question {
        Question { server_name: Some("a.test".into()), wanted: Wanted::VERSIONS, seed: [1; 32] }
    }

    #[test]
    fn the_hello_offers_everything_of_all_versions_and_no_key() {
        let stream = hello(&question(), 0).unwrap().to_tls().unwrap();
        let read = ClientHello::parse(&stream[9..]).unwrap();
        assert_eq!((read.version, read.legacy_version), (Version::TLS13, Some(Version::TLS12)));
        let data = |kind: u16| {
            let mut of_kind = read.extensions.iter().filter(|extension| extension.kind == kind);
            let data = of_kind.next().map(|extension| extension.data.clone());
            assert!(of_kind.next().is_none(), "extension {kind} comes once");
            data
        };
        assert_eq!(data(43).unwrap(), [8, 3, 4, 3, 3, 3, 2, 3, 1], "supported_versions");
        assert_eq!(data(51).unwrap(), [0, 0], "an empty key_share");
        assert!(data(23).is_some() && data(0xff01).is_some() && data(0).is_some());
        assert!([0x1301, 0xc02f, 0x002f].iter().all(|suite| read.suites.contains(suite)));
        assert_ne!(hello(&question(), 0).unwrap().random, hello(&question(), 1).unwrap().random);
    }

    #[test]
    fn only_a_choice_among_what_was_offered_is_one() {
        assert_eq!(chosen(&Told::Silence), None);
        assert_eq!(chosen(&Told::Closed), None);
        assert_eq!(chosen(&Told::Reply(Reply::Alert { fatal: true, code: 70 })), None);
        let of = |version: u16| {
            // A ServerHello by hand: version, random, no session, AES-128-GCM over RSA, no compression.
            let version = version.to_be_bytes();
            let body = [&version[..], &[5; 32], &[0, 0, 0x9c, 0]].concat();
            let length = u8::try_from(body.len()).unwrap();
            let record = [&[22, version[0], version[1], 0, length + 4, 2, 0, 0, length][..], &body].concat();
            let reply = ringfence_wire::hello::TlsReader::new(Depth::Hello).feed(&record).unwrap();
            chosen(&Told::Reply(reply))
        };
        assert_eq!(of(0x0303), Some(Version::TLS12));
        assert_eq!(of(0x0301), Some(Version::TLS10));
        assert_eq!(of(0x0300), None, "it was not offered");
    }
}
