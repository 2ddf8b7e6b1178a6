//! Networks that lose, double and delay, and servers that mean no good: what is found may be too little, and is said to be
//! then, but never wrong; and there is an end.

use proptest::prelude::*;
use proptest::sample::select;
use ringfence_wire::hello::{Reply, Version};

use super::model::{Chosen, Refusal, Server, Truth, cut, server, server_hello};
use super::sets::found;
use super::*;

/// Nothing that is not accepted, and all of it unless the list is said to be unknown.
pub fn never_wrong(findings: &Findings, truth: &Truth) -> Result<(), TestCaseError> {
    let found = found(findings);
    for (list, found, truth) in [
        (List::Suites, &found.suites, &truth.suites),
        (List::Groups, &found.groups, &truth.groups),
        (List::SignatureSchemes, &found.schemes, &truth.schemes),
        (List::Profiles, &found.profiles, &truth.profiles),
    ] {
        prop_assert!(found.iter().all(|code| truth.contains(code)), "{:?} {:?} {:?}", list, found, truth);
        let unknown =
            findings.verdict == Verdict::Unknown || findings.unknown.iter().any(|unknown| unknown.list == list);
        // With too few suites the other lists are not seen whole either.
        let unknown = unknown || findings.unknown.iter().any(|unknown| unknown.list == List::Suites);
        prop_assert!(unknown || found == truth, "{:?} {:?} {:?}", list, found, truth);
    }
    prop_assert!(!matches!(findings.verdict, Verdict::Refused(_) | Verdict::Closed) || truth.suites.is_empty());
    Ok(())
}

/// A lossy network in front of a server, one port of ours after the other.
struct Network {
    server: Server,
    /// Of each datagram, in percent; as many are doubled or come late.
    loss: u32,
    random: u64,
    port: u32,
    /// What is under way to us.
    replies: Vec<(u32, Reply)>,
}

impl Network {
    fn new(server: Server, loss: u32, seed: u64) -> Self {
        Self { server, loss, random: seed | 1, port: 0, replies: Vec::new() }
    }

    fn happens(&mut self) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 32) % 100 < u64::from(self.loss)
    }

    fn tell(&mut self, ask: &Ask) -> Told {
        let hello = match ask {
            Ask::Hello(hello) => {
                self.port += 1;
                hello
            }
            Ask::Cookie(hello, _) => hello,
            Ask::Done(_) => panic!("nothing was asked"),
        };
        let copies = 1 + u32::from(self.happens());
        for _ in 0..copies {
            if self.happens() {
                continue;
            }
            let reply = self.server.reply(hello);
            for _ in 0..1 + u32::from(self.happens()) {
                // A flight has two datagrams.
                let reply = if self.happens() { cut(reply.clone()) } else { reply.clone() };
                if !self.happens() {
                    self.replies.push((self.port, reply));
                }
            }
        }
        if self.happens() {
            self.replies.reverse();
        }
        // Late: it comes when the next hello is under way, perhaps from the same port.
        if self.happens() {
            return Told::Silence;
        }
        let place = self.replies.iter().position(|(port, _)| *port == self.port);
        place.map_or(Told::Silence, |place| Told::Reply(self.replies.remove(place).1))
    }

    fn enumerate(mut self, version: Version) -> Findings {
        let mut machine = Enumerator::new(version, QUESTION);
        loop {
            let ask = machine.next();
            if let Ask::Done(findings) = ask {
                return *findings;
            }
            let told = self.tell(&ask);
            machine.answer(told.clone());
            if self.happens() {
                machine.answer(told);
            }
        }
    }
}

fn datagrams() -> impl Strategy<Value = (Version, Server)> {
    let versions = select(vec![Version::DTLS10, Version::DTLS12, Version::DTLS13]);
    versions.prop_flat_map(|version| server(version, Refusal::Alert).prop_map(move |server| (version, server)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_bad_network_makes_nothing_up((version, server) in datagrams(), loss in select(vec![0u32, 1, 5, 30]), seed: u64) {
        let truth = server.truth(version);
        let findings = Network::new(server, loss, seed).enumerate(version);
        never_wrong(&findings, &truth)?;
        if loss == 0 {
            prop_assert_eq!(found(&findings), truth);
            prop_assert!(findings.unknown.is_empty());
        }
        prop_assert!(findings.hellos_sent <= 60 + 12 * findings.offers);
    }

    #[test]
    fn whatever_is_told_there_is_an_end(version in all_versions(), words in prop::collection::vec(word(), 1..40), order: bool) {
        let wanted = Wanted { order, ..Wanted::ALL };
        let mut turn = 0;
        let findings = ask(Enumerator::new(version, question(wanted)), |ask| {
            turn += 1;
            say(words[turn % words.len()], version, ask)
        });
        bounded(&findings, version);
    }
}

#[test]
fn most_of_the_time_a_network_with_some_loss_is_read_whole() {
    for (loss, least) in [(1, 280), (5, 200)] {
        let whole = (0..300).filter(|seed| {
            let server = Server::openssl();
            let truth = server.truth(Version::DTLS12);
            let findings = Network::new(server, loss, seed * 0x9e37_79b9 + 77).enumerate(Version::DTLS12);
            never_wrong(&findings, &truth).unwrap();
            findings.unknown.is_empty() && found(&findings) == truth
        });
        let whole = whole.count();
        assert!(whole >= least, "{loss} %: {whole} of 300");
    }
}

/// What a hostile server does at a hello.
#[derive(Clone, Copy, Debug)]
enum Word {
    First,
    Last,
    NotOffered,
    NamesNothing,
    NamesNotOffered,
    /// Takes the same, whatever is offered.
    Stubborn,
    OtherVersion,
    Cookie,
    Refuses(u8),
    AlertAfter,
    Silent,
    Closes,
    Garbage,
}

fn all_versions() -> impl Strategy<Value = Version> {
    let tls = [Version::SSL3, Version::TLS10, Version::TLS11, Version::TLS12, Version::TLS13];
    select([&tls[..], &[Version::DTLS10, Version::DTLS12, Version::DTLS13]].concat())
}

fn word() -> impl Strategy<Value = Word> {
    let all =
        [Word::First, Word::Last, Word::NotOffered, Word::NamesNothing, Word::NamesNotOffered, Word::OtherVersion];
    let more = [
        Word::Stubborn,
        Word::Cookie,
        Word::Refuses(40),
        Word::Refuses(80),
        Word::Refuses(112),
        Word::Refuses(0),
        Word::AlertAfter,
    ];
    select([&all[..], &more, &[Word::First, Word::Last, Word::Silent, Word::Closes, Word::Garbage]].concat())
}

fn say(word: Word, version: Version, ask: &Ask) -> Told {
    let (Ask::Hello(hello) | Ask::Cookie(hello, _)) = ask else { panic!("nothing was asked") };
    let list =
        |kind: u16| hello.extensions.iter().find(|extension| extension.kind == kind).map(|found| found.data.clone());
    let number = |pair: &[u8]| u16::from_be_bytes([pair[0], pair[1]]);
    let first = |kind| list(kind).map(|data| number(&data[2..4]));
    let chosen = Chosen {
        suite: hello.suites[0],
        group: first(10),
        scheme: first(13).filter(|_| !version.is_13()),
        profile: first(14).filter(|_| !version.is_13()),
    };
    let nothing = Chosen { group: None, scheme: None, profile: None, ..chosen };
    Told::Reply(match word {
        Word::First => server_hello(version, chosen),
        Word::Last => server_hello(version, Chosen { suite: hello.suites[hello.suites.len() - 1], ..chosen }),
        Word::NotOffered => server_hello(version, Chosen { suite: 0x4444, ..chosen }),
        Word::NamesNothing => server_hello(version, nothing),
        Word::NamesNotOffered => {
            server_hello(version, Chosen { group: Some(0x4444), scheme: Some(0x4444), profile: Some(0x4444), ..chosen })
        }
        Word::Stubborn => server_hello(
            version,
            Chosen {
                group: Some(23),
                scheme: chosen.scheme.map(|_| 0x0401),
                profile: chosen.profile.map(|_| 1),
                ..chosen
            },
        ),
        Word::OtherVersion => {
            server_hello(if version == Version::TLS10 { Version::TLS11 } else { Version::TLS10 }, chosen)
        }
        Word::Cookie => Reply::HelloVerifyRequest { version: Version::DTLS10, cookie: vec![1; 255] },
        Word::Refuses(code) => Reply::Alert { fatal: code != 0, code },
        Word::AlertAfter => match server_hello(version, nothing) {
            Reply::ServerHello(mut hello) => {
                hello.alert = Some(40);
                Reply::ServerHello(hello)
            }
            other => other,
        },
        Word::Garbage => Reply::Garbage(ringfence_wire::Error::Invalid("record")),
        Word::Silent => return Told::Silence,
        Word::Closes => return Told::Closed,
    })
}

/// No more offers than entries that could be named, by each kind of authentication where that matters, and some ends.
fn bounded(findings: &Findings, version: Version) {
    let (groups, schemes) = (suite::groups(version).len(), suite::schemes(version).len());
    let entries = suite::suites(version).len() + 2 * groups + 4 * schemes + suite::profiles(version).len();
    assert!(findings.offers as usize <= entries + 60, "{} offers", findings.offers);
    assert!(
        findings.hellos_sent <= 15 * findings.offers,
        "{} hellos for {} offers",
        findings.hellos_sent,
        findings.offers
    );
    assert!(findings.suites.len() <= entries && findings.groups.len() <= groups + 1);
}

#[test]
fn hostile_servers_are_left_alone_in_time() {
    for version in [
        Version::SSL3,
        Version::TLS10,
        Version::TLS12,
        Version::TLS13,
        Version::DTLS10,
        Version::DTLS12,
        Version::DTLS13,
    ] {
        let meet = |word| ask(Enumerator::new(version, QUESTION), |ask| say(word, version, ask));
        let all = meet(Word::First);
        assert_eq!(all.suites.len(), suite::suites(version).len(), "it accepts everything");
        bounded(&all, version);
        for word in [Word::NotOffered, Word::Garbage, Word::Silent, Word::Refuses(112)] {
            let findings = meet(word);
            assert_eq!((findings.verdict, findings.hellos_sent), (Verdict::Unknown, 3), "{word:?}");
            assert_eq!(findings.unknown.len(), 1);
        }
        let looped = meet(Word::Cookie);
        assert_eq!(looped.verdict, Verdict::Unknown);
        assert_eq!(looped.hellos_sent, if version.is_dtls() { 6 } else { 3 }, "the same cookie again");
        let mut cookies = 0;
        let looped = ask(Enumerator::new(version, QUESTION), |_| {
            cookies += 1;
            Told::Reply(Reply::HelloVerifyRequest { version: Version::DTLS10, cookie: vec![cookies; 20] })
        });
        assert_eq!((looped.verdict, looped.hellos_sent), (Verdict::Unknown, if version.is_dtls() { 4 } else { 3 }));
        assert!(matches!(meet(Word::OtherVersion).verdict, Verdict::Refused(None) | Verdict::Accepted));
        assert_eq!(meet(Word::Refuses(40)).verdict, Verdict::Refused(Some(40)));
        assert_eq!(meet(Word::Refuses(80)).hellos_sent, 3, "an internal error may pass");
        let mut turn = 0;
        let alternating = ask(Enumerator::new(version, QUESTION), |ask| {
            turn += 1;
            say(if turn % 2 == 0 { Word::OtherVersion } else { Word::First }, version, ask)
        });
        bounded(&alternating, version);
        let stubborn = meet(Word::Stubborn);
        bounded(&stubborn, version);
        let names = stubborn.groups.iter().chain(&stubborn.signature_schemes);
        assert!(names.clone().all(|code| [23, 0x0401].contains(code)), "{version:?}: {stubborn:?}");
        let wrong = meet(Word::NamesNotOffered);
        bounded(&wrong, version);
        let said = |list| wrong.unknown.iter().any(|unknown| unknown.list == list);
        assert_eq!(said(List::Groups), !matches!(version, Version::SSL3), "{version:?}");
        assert_eq!(said(List::SignatureSchemes), matches!(version, Version::TLS12 | Version::DTLS12));
        assert_eq!(said(List::Profiles), matches!(version, Version::DTLS10 | Version::DTLS12));
    }
}
