//! Where a policy puts a value: the order of its lists, which scenarios write out in CEL, as one function.

use ringfence_model::policy::{Policy, Rank, Ranked};

use crate::truth::stands_for;

/// The kinds of values that policies have lists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListOf {
    /// Cipher suites of TLS, by IANA's name.
    TlsSuites,
    /// Cipher suites of DTLS.
    DtlsSuites,
    /// Groups of the key exchange.
    Groups,
    /// Signature schemes. Policies do not list the good ones: what is in no list is fine.
    SignatureSchemes,
    /// SRTP protection profiles.
    SrtpProfiles,
}

/// Where the policy puts a name: the first list that holds it, of forbidden, discouraged, fine and note; else what `unlisted`
/// says.
pub fn rank(policy: &Policy, of: ListOf, name: &str) -> Ranked {
    let name = name.to_ascii_lowercase();
    let holds = |list: &[String]| list.iter().any(|entry| stands_for(&entry.to_ascii_lowercase(), &name));
    let listed = lists(policy, of).into_iter().find(|(_, list)| holds(list)).map(|(rank, _)| rank);
    let rank = listed.unwrap_or(match of {
        ListOf::SignatureSchemes => Rank::Fine,
        _ if policy.unlisted == "note" => Rank::Note,
        _ => Rank::Discouraged,
    });
    Ranked { rank, listed: listed.is_some() || of == ListOf::SignatureSchemes }
}

/// In the order in which they count.
fn lists(policy: &Policy, of: ListOf) -> [(Rank, &[String]); 4] {
    let p = policy;
    let (forbidden, discouraged, fine, note): (&[String], &[String], &[String], &[String]) = match of {
        ListOf::TlsSuites => (&p.suites_forbidden, &p.suites_discouraged, &p.tls_suites, &p.tls_suites_note),
        ListOf::DtlsSuites => (&p.suites_forbidden, &p.suites_discouraged, &p.dtls_suites, &p.dtls_suites_note),
        ListOf::Groups => (&[], &p.groups_discouraged, &p.groups, &p.groups_note),
        ListOf::SignatureSchemes => {
            (&p.signature_schemes_forbidden, &p.signature_schemes_discouraged, &[], &p.signature_schemes_note)
        }
        ListOf::SrtpProfiles => {
            (&p.srtp_profiles_forbidden, &p.srtp_profiles_discouraged, &p.srtp_profiles, &p.srtp_profiles_note)
        }
    };
    [(Rank::Forbidden, forbidden), (Rank::Discouraged, discouraged), (Rank::Fine, fine), (Rank::Note, note)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policies::empty;

    fn of(policy: &Policy, of: ListOf, name: &str) -> (Rank, bool) {
        let Ranked { rank, listed } = rank(policy, of, name);
        (rank, listed)
    }

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_first_list_that_holds_a_name_counts() {
        let mut policy = empty();
        policy.suites_forbidden = names(&["*_RC4_*"]);
        policy.suites_discouraged = names(&["TLS_RSA_WITH_*"]);
        policy.tls_suites = names(&["TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_AES_128_CCM", "tls_a"]);
        policy.tls_suites_note = names(&["TLS_A", "TLS_B*"]);
        let tls = |name| of(&policy, ListOf::TlsSuites, name);
        assert_eq!(tls("TLS_RSA_WITH_RC4_128_SHA"), (Rank::Forbidden, true));
        assert_eq!(tls("TLS_RSA_WITH_AES_128_CCM"), (Rank::Discouraged, true));
        assert_eq!(tls("TLS_A"), (Rank::Fine, true), "fine comes before note, and case counts for nothing");
        assert_eq!(tls("TLS_BC"), (Rank::Note, true));
        assert_eq!(of(&policy, ListOf::DtlsSuites, "TLS_B"), (Rank::Discouraged, false), "another list");
        assert_eq!(of(&policy, ListOf::DtlsSuites, "TLS_RSA_WITH_RC4_128_SHA").0, Rank::Forbidden, "shared by both");
    }

    #[test]
    fn what_no_list_holds_is_as_the_policy_says() {
        let mut policy = empty();
        for (unlisted, rank) in [("note", Rank::Note), ("fail", Rank::Discouraged)] {
            policy.unlisted = unlisted.to_owned();
            for list in [ListOf::TlsSuites, ListOf::DtlsSuites, ListOf::Groups, ListOf::SrtpProfiles] {
                assert_eq!(of(&policy, list, "x"), (rank, false), "{list:?}");
            }
            assert_eq!(of(&policy, ListOf::SignatureSchemes, "ed25519"), (Rank::Fine, true), "these have no such list");
        }
        policy.signature_schemes_forbidden = names(&["*_md5"]);
        policy.signature_schemes_note = names(&["*_sha1"]);
        policy.srtp_profiles_forbidden = names(&["null-*"]);
        policy.groups_discouraged = names(&["sect*"]);
        assert_eq!(of(&policy, ListOf::SignatureSchemes, "rsa_pkcs1_md5"), (Rank::Forbidden, true));
        assert_eq!(of(&policy, ListOf::SignatureSchemes, "ecdsa_sha1"), (Rank::Note, true));
        assert_eq!(of(&policy, ListOf::SrtpProfiles, "null-sha1-80"), (Rank::Forbidden, true));
        assert_eq!(of(&policy, ListOf::Groups, "sect163k1"), (Rank::Discouraged, true));
    }
}
