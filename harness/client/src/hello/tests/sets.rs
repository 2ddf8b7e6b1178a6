//! The sets found are those that the server accepts, in as few hellos as the rule says, whatever the server.

use proptest::prelude::*;
use proptest::sample::select;
use ringfence_wire::hello::Version;

use super::model::{Refusal, Server, Truth, server};
use super::*;

fn versions() -> impl Strategy<Value = Version> {
    select(vec![Version::TLS10, Version::TLS12, Version::TLS13, Version::DTLS10, Version::DTLS12, Version::DTLS13])
}

fn anything(refusal: Refusal) -> impl Strategy<Value = (Version, Server)> {
    of(versions(), refusal)
}

fn of(versions: impl Strategy<Value = Version>, refusal: Refusal) -> impl Strategy<Value = (Version, Server)> {
    versions.prop_flat_map(move |version| server(version, refusal).prop_map(move |server| (version, server)))
}

pub fn found(findings: &Findings) -> Truth {
    let truth = Truth {
        suites: findings.suites.clone(),
        groups: findings.groups.clone(),
        schemes: findings.signature_schemes.clone(),
        profiles: findings.profiles.clone(),
    };
    truth.sorted()
}

/// What of the truth a list that is wanted can show in this version.
fn check(server: &Server, version: Version, findings: &Findings) -> Result<(), TestCaseError> {
    let truth = server.truth(version);
    prop_assert_eq!(&found(findings), &truth);
    prop_assert_eq!(&findings.unknown, &vec![]);
    prop_assert_eq!(findings.verdict == Verdict::Accepted, !truth.suites.is_empty());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_found_is_what_is_accepted((version, server) in anything(Refusal::Alert)) {
        let findings = enumerate(&server, version, Wanted::ALL);
        check(&server, version, &findings)?;
        let (truth, spec) = (server.truth(version), server.spec(version).unwrap());
        if let Some(order) = findings.server_order {
            prop_assert_eq!(order, spec.suites.own_order);
        }
        prop_assert_eq!(findings.server_order.is_some(), truth.suites.len() > 1);
        // An answer for each suite, and for each entry of a list that no suite is left for; an end for each list; few wrong guesses.
        let left_over = truth.groups.len() + truth.schemes.len() + truth.profiles.len();
        prop_assert!(findings.offers as usize <= truth.suites.len() + left_over + 24, "{}", findings.offers);
    }

    #[test]
    fn a_hello_for_each_suite_and_one_more((version, server) in anything(Refusal::Alert)) {
        let findings = enumerate(&server, version, Wanted::SUITES);
        let truth = server.truth(version);
        prop_assert_eq!(found(&findings).suites, truth.suites.clone());
        prop_assert_eq!(findings.offers as usize, truth.suites.len() + 1);
        prop_assert!(findings.unknown.is_empty() && findings.groups.is_empty());
    }

    #[test]
    fn profiles_ride_with_the_suites((version, server) in of(select(vec![Version::DTLS10, Version::DTLS12]), Refusal::Alert)) {
        let findings = enumerate(&server, version, Wanted { profiles: true, ..Wanted::SUITES });
        let (truth, found) = (server.truth(version), found(&findings));
        prop_assert_eq!((&found.suites, &found.profiles), (&truth.suites, &truth.profiles));
        prop_assert_eq!(&findings.unknown, &vec![]);
        let longest = truth.suites.len().max(truth.profiles.len());
        let goes_without = server.spec(version).is_some_and(|spec| spec.goes_without);
        let ends = if goes_without && truth.suites.len() > truth.profiles.len() { 1 } else { 4 };
        prop_assert!((longest + 1..=longest + ends).contains(&(findings.offers as usize)) || truth.suites.is_empty(), "{:?}", findings);
    }

    #[test]
    fn a_server_that_closes_is_read_as_well((version, server) in of(select(vec![Version::TLS11, Version::TLS12, Version::TLS13]), Refusal::Close)) {
        let truth = server.truth(version);
        let findings = enumerate(&server, version, Wanted::ALL);
        if truth.suites.is_empty() {
            prop_assert_eq!(findings.verdict, Verdict::Closed);
        } else {
            check(&server, version, &findings)?;
        }
    }

    #[test]
    fn silence_never_counts_as_the_end_of_a_list((version, server) in anything(Refusal::Silence)) {
        let findings = enumerate(&server, version, Wanted::ALL);
        let truth = server.truth(version);
        prop_assert_eq!(&found(&findings).suites, &truth.suites);
        prop_assert!(findings.unknown.iter().any(|unknown| unknown.list == List::Suites));
        prop_assert_eq!(findings.verdict, if truth.suites.is_empty() { Verdict::Unknown } else { Verdict::Accepted });
        super::network::never_wrong(&findings, &truth)?;
    }
}

/// Offers for a server like OpenSSL with these many suites, groups, schemes and profiles.
#[test]
fn so_many_hellos() {
    let server = Server::openssl();
    let media = Wanted { profiles: true, ..Wanted::SUITES };
    let with_groups = Wanted { groups: true, ..Wanted::SUITES };
    let lists = Wanted { order: false, ..Wanted::ALL };
    for (version, sizes, wanted, offers) in [
        (Version::TLS10, [4, 2, 0, 0], Wanted::SUITES, 4 + 1),
        // An end for each of both lists, and the hello that met both ends at once.
        (Version::TLS10, [4, 2, 0, 0], with_groups, 4 + 3),
        (Version::TLS12, [8, 3, 7, 0], Wanted::SUITES, 8 + 1),
        (Version::TLS12, [8, 3, 7, 0], with_groups, 8 + 2),
        // Two suites name no scheme, so that seven schemes take nine answers; three ends, the hello that met two of them, and
        // schemes once more with those that a certificate may need.
        (Version::TLS12, [8, 3, 7, 0], lists, 9 + 5),
        (Version::TLS12, [8, 3, 7, 0], Wanted::ALL, 9 + 6),
        (Version::TLS13, [3, 6, 0, 0], Wanted::SUITES, 3 + 1),
        (Version::TLS13, [3, 6, 0, 0], with_groups, 6 + 2),
        (Version::DTLS12, [8, 3, 7, 4], media, 8 + 1),
        (Version::DTLS12, [8, 3, 7, 4], lists, 9 + 5),
    ] {
        let truth = server.truth(version);
        assert_eq!([&truth.suites, &truth.groups, &truth.schemes, &truth.profiles].map(Vec::len), sizes);
        let findings = enumerate(&server, version, wanted);
        assert_eq!(findings.offers, offers, "{version:?} {wanted:?}");
        assert_eq!(findings.hellos_sent, if version.is_dtls() { 2 * offers } else { offers }, "one cookie each");
    }
}
