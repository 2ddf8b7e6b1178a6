//! The machines against servers that are told what to accept, over good and bad networks.

mod model;
mod network;
mod real;
mod sets;
mod sockets;
mod stacks;

use ringfence_wire::hello::{Depth, DtlsReader, TlsReader, Version};

use super::*;
use model::Server;

const QUESTION: Question = Question { server_name: None, wanted: Wanted::ALL, seed: [7; 32] };

fn question(wanted: Wanted) -> Question {
    Question { wanted, ..QUESTION }
}

/// Asks until nothing is left.
fn ask(mut machine: Enumerator, mut answer: impl FnMut(&Ask) -> Told) -> Findings {
    for _ in 0..20_000 {
        let ask = machine.next();
        if let Ask::Done(findings) = ask {
            return *findings;
        }
        machine.answer(answer(&ask));
    }
    panic!("the machine never ends");
}

fn enumerate(server: &Server, version: Version, wanted: Wanted) -> Findings {
    ask(Enumerator::new(version, question(wanted)), |ask| server.told(ask))
}

#[test]
fn hellos_can_be_written_and_only_the_asked_version_is_in_them() {
    for version in [Version::SSL3, Version::TLS10, Version::TLS11, Version::TLS12, Version::TLS13] {
        let mut machine = Enumerator::new(version, Question { server_name: Some("a.test".into()), ..QUESTION });
        let Ask::Hello(hello) = machine.next() else { panic!("{version:?}") };
        let stream = hello.to_tls().unwrap();
        let read = ringfence_wire::hello::ClientHello::parse(&stream[9..]).unwrap();
        assert_eq!(read.version, version);
        assert_eq!(read.suites, hello.suites);
        assert_eq!(read.extensions.is_empty(), version == Version::SSL3);
        let shares = read.extensions.iter().filter(|extension| extension.kind == 51).count();
        assert_eq!(shares, usize::from(version.is_13()), "an empty key share, so that no key is made");
        let Ask::Hello(same) = machine.next() else { panic!("{version:?}") };
        assert_eq!(hello, same, "nothing was told yet");
        assert!(
            TlsReader::new(Depth::Flight)
                .feed(&stream)
                .is_none_or(|reply| !matches!(reply, ringfence_wire::hello::Reply::ServerHello(_)))
        );
    }
    for version in [Version::DTLS10, Version::DTLS12, Version::DTLS13] {
        let Ask::Hello(hello) = Enumerator::new(version, QUESTION).next() else { panic!("{version:?}") };
        assert!(hello.extensions.iter().any(|extension| extension.kind == 14), "SRTP is offered: {version:?}");
        assert!(hello.session_id.is_empty());
        let datagrams = hello.to_dtls(0, 0, 1100).unwrap();
        assert!(datagrams.iter().all(|datagram| DtlsReader::new(Depth::Hello).feed(datagram).is_none()));
    }
}

#[test]
fn an_answer_that_is_told_twice_counts_once() {
    let server = Server::openssl();
    let mut machine = Enumerator::new(Version::TLS12, QUESTION);
    machine.answer(Told::Silence);
    let mut once = Enumerator::new(Version::TLS12, QUESTION);
    loop {
        let (ask, other) = (machine.next(), once.next());
        if let (Ask::Done(twice), Ask::Done(once)) = (&ask, &other) {
            assert_eq!(twice, once);
            assert!(twice.suites.len() > 3);
            break;
        }
        let told = server.told(&ask);
        once.answer(told.clone());
        machine.answer(told.clone());
        machine.answer(told);
        machine.answer(Told::Closed);
    }
}

#[test]
fn all_versions_at_once_are_merged() {
    let server = Server::openssl();
    let mut scan = Scan::tls(&QUESTION);
    let mut waiting = Vec::new();
    let report = loop {
        match scan.next() {
            Step::Ask(number, ask) => waiting.push((number, ask)),
            Step::Wait => {
                // The last that was asked is answered first.
                let (number, ask) = waiting.pop().unwrap();
                scan.answer(number, Traffic { sent: 100, received: 300 }, server.told(&ask));
                scan.answer(number, Traffic::default(), Told::Silence);
            }
            Step::Done(report) => break report,
        }
    };
    let accepted: Vec<Version> = report.accepted().map(|(version, _)| version).collect();
    assert_eq!(accepted, [Version::TLS10, Version::TLS12, Version::TLS13]);
    assert!(matches!(report.of(Version::TLS11).unwrap().verdict, Verdict::Refused(_)));
    for (version, findings) in report.accepted() {
        assert_eq!(
            findings,
            &Findings { before_cookie: findings.before_cookie, ..enumerate(&server, version, Wanted::ALL) }
        );
        assert_eq!(findings.before_cookie, Some(Traffic { sent: 100, received: 300 }));
    }
    assert!(report.groups().contains(&29) && report.suites().any(|suite| suite == (Version::TLS13, 0x1302)));
    assert!(report.unknown().next().is_none() && report.hellos_sent() > 20);
}

fn scan(server: &Server, wanted: Wanted) -> Report {
    let mut scan = Scan::tls(&question(wanted));
    loop {
        match scan.next() {
            Step::Ask(number, ask) => scan.answer(number, Traffic::default(), server.told(&ask)),
            Step::Wait => unreachable!("every question is answered at once"),
            Step::Done(report) => break *report,
        }
    }
}

#[test]
fn a_server_that_refuses_long_hellos_is_asked_in_short_ones() {
    use model::Refusal;
    let usual = Server::openssl();
    for refusal in [Refusal::Alert, Refusal::Close] {
        let picky = Server { most_suites: 128, refusal, ..usual.clone() };
        for wanted in [Wanted::ALL, Wanted::SUITES, Wanted::VERSIONS] {
            let (expected, report) = (scan(&usual, wanted), scan(&picky, wanted));
            assert_eq!(report.unknown().count(), 0, "{report:?}");
            for ((version, picky), (_, usual)) in report.versions.iter().zip(&expected.versions) {
                assert_eq!(picky.verdict == Verdict::Accepted, usual.verdict == Verdict::Accepted, "{version:?}");
                if wanted != Wanted::VERSIONS {
                    assert_eq!(sets::found(picky), sets::found(usual), "{version:?}");
                }
                assert_eq!(picky.server_order, usual.server_order, "{version:?}");
            }
            // The long hello, and one for each list of suites; a closed one repeats.
            let many = if refusal == Refusal::Alert { 5 } else { 30 };
            let most = expected.hellos_sent() + 5 * many;
            assert!(report.hellos_sent() <= most, "{} {}", report.hellos_sent(), expected.hellos_sent());
        }
    }
    // Where a long hello was accepted, or nothing is, there is one more at most.
    let new_only = Server { versions: usual.versions[2..3].to_vec(), ..usual.clone() };
    let report = scan(&new_only, Wanted::SUITES);
    assert_eq!(report.hellos_sent(), 4 + 4 * 2, "1.3 alone: each of the others is refused twice");
    let old_only = Server { versions: usual.versions[..1].to_vec(), ..usual };
    let report = scan(&old_only, Wanted::SUITES);
    assert_eq!(report.hellos_sent(), 5 + 4);
}

#[test]
fn a_close_without_a_word_is_a_refusal_only_beside_a_version_that_works() {
    let closes = |_: &Ask| Told::Closed;
    let alone = ask(Enumerator::new(Version::TLS10, QUESTION), closes);
    assert_eq!((alone.verdict, alone.hellos_sent), (Verdict::Closed, 3));
    assert_eq!(alone.unknown.len(), 1);
    let server = Server::openssl();
    let mut scan = Scan::of(&[Version::TLS10, Version::TLS12], &QUESTION);
    let report = loop {
        match scan.next() {
            Step::Ask(0, _) => scan.answer(0, Traffic::default(), Told::Closed),
            Step::Ask(number, ask) => scan.answer(number, Traffic::default(), server.told(&ask)),
            Step::Wait => unreachable!("every question is answered at once"),
            Step::Done(report) => break report,
        }
    };
    assert_eq!(report.of(Version::TLS10).unwrap().verdict, Verdict::Refused(None));
    assert!(report.unknown().next().is_none());
}

#[test]
fn a_server_that_shuts_us_out_is_not_one_that_refuses_what_is_left() {
    let server = Server::openssl();
    let alert = Told::Reply(ringfence_wire::hello::Reply::Alert { fatal: true, code: 40 });
    // It answers five times; then it closes on everything, or refuses even what it accepted before.
    for control in [Told::Closed, alert] {
        let mut turn = 0;
        let findings = ask(Enumerator::new(Version::TLS12, QUESTION), |ask| {
            turn += 1;
            match turn {
                ..=5 => server.told(ask),
                turn if turn % 3 == 2 => control.clone(),
                _ => Told::Closed,
            }
        });
        assert_eq!((findings.verdict, findings.suites.len()), (Verdict::Accepted, 5));
        let unknown: Vec<List> = findings.unknown.iter().map(|unknown| unknown.list).collect();
        assert!(unknown.contains(&List::Suites) && unknown.contains(&List::SignatureSchemes), "{findings:?}");
    }
}

/// A server that closes on whoever comes too often has refused nothing, even if it answers before, or afterwards.
#[test]
fn a_server_that_shuts_us_out_for_a_while_refuses_no_version() {
    let spoken = Server { versions: Server::openssl().versions[..2].to_vec(), ..Server::openssl() };
    let told = |shut: &dyn Fn(u32) -> bool| {
        let (mut turn, mut scan) = (0, Scan::tls(&QUESTION));
        loop {
            match scan.next() {
                Step::Ask(number, ask) => {
                    turn += 1;
                    let told = if shut(turn) { Told::Closed } else { spoken.told(&ask) };
                    scan.answer(number, Traffic::default(), told);
                }
                Step::Wait => unreachable!("every question is answered at once"),
                Step::Done(report) => break (report, turn),
            }
        }
    };
    let (open, asked) = told(&|_| false);
    assert!(open.unknown().next().is_none() && open.accepted().count() == 2, "{open:?}");
    // Shut at the beginning: what is closed on then is asked for again, and refused in words, or accepted.
    let (early, turns) = told(&|turn| turn <= 6);
    assert_eq!(early.suites().collect::<Vec<_>>(), open.suites().collect::<Vec<_>>());
    let verdicts = |report: &Report| report.versions.iter().map(|(_, found)| found.verdict).collect::<Vec<_>>();
    assert_eq!(verdicts(&early), verdicts(&open), "with the same alerts");
    assert_eq!(early.hellos_sent(), turns);
    // Shut towards the end and for good.
    let (late, turns) = told(&|turn| turn >= asked);
    let last = late.of(Version::TLS13).unwrap();
    assert_eq!((last.verdict, late.hellos_sent()), (Verdict::Closed, turns), "{late:?}");
    assert!(late.unknown().any(|(version, _)| version == Version::TLS13));
}
