//! User ids that a registrar should not take: all of them synthetic.

use ringfence_client::drive::registration::MARKER;

/// A named list of user ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corpus {
    /// Personal data.
    Pii,
    /// Characters that mean something in SIP.
    Injection,
}

/// One user id.
#[derive(Debug)]
pub struct Entry {
    /// What it is.
    pub name: &'static str,
    /// The user part, as it is written.
    pub user: String,
}

impl Corpus {
    /// The corpus of that name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "pii-corpus" => Some(Self::Pii),
            "corpus:injection" => Some(Self::Injection),
            _ => None,
        }
    }

    /// Its entries, in order.
    pub fn entries(self) -> Vec<Entry> {
        let entry = |(name, user): (&'static str, &str)| Entry { name, user: user.replace("MARKER", MARKER) };
        match self {
            Self::Pii => PII.into_iter().map(entry).collect(),
            Self::Injection => INJECTION.into_iter().map(entry).collect(),
        }
    }
}

/// Escaped where RFC 3261, section 19.1.2, wants it, so that only what they say can be refused. Nobody's: RFC 2606, numbers
/// that regulators keep for stories, examples of the standards, and a token that is not signed.
const PII: [(&str, &str); 6] = [
    ("email", "erika.mustermann%40example.org"),
    ("phone", "+493023125042"),
    ("iban", "DE89370400440532013000"),
    ("payment-card", "4111111111111111"),
    ("jwt", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJlcmlrYSJ9."),
    ("full-name", "Erika%20Mustermann"),
];

const INJECTION: [(&str, &str); 13] = [
    ("crlf", "rf\r\nMARKER: 1"),
    ("crlf-escaped", "rf%0d%0aMARKER:%201"),
    ("lf-escaped", "rf%0aMARKER:%201"),
    ("nul", "rf\0x"),
    ("nul-escaped", "rf%00x"),
    ("at", "rf@ringfence.invalid"),
    ("parameter", "rf;transport=udp"),
    ("uri-header", "rf?MARKER=1"),
    ("angle-brackets", "rf>,<sip:rf2"),
    ("quotes", "\"rf\""),
    ("dots-escaped", "%2e%2e%2f%2e%2e%2frf"),
    ("overlong-utf-8", "rf%c0%ae%c0%af"),
    (
        "long",
        "rfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrf\
      rfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrf",
    ),
];

/// Whether a To field still has the user part in one piece: as it was written, or with what means something escaped.
pub fn is_whole(to: &str, user: &str) -> bool {
    let broken = user.contains(['\r', '\n', '\0', '@', '<', '>', '"']);
    !broken && to.contains(&format!("sip:{user}@")) || to.contains(&format!("sip:{}@", escaped(user)))
}

/// With everything escaped but letters, digits and what is already an escape.
fn escaped(user: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.%".contains(&byte);
    user.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::pii;

    #[test]
    fn entries_are_what_they_say_and_bounded() {
        for corpus in ["pii-corpus", "corpus:injection"].map(|name| Corpus::named(name).unwrap()) {
            assert!(corpus.entries().iter().all(|entry| entry.user.len() <= 300 && !entry.user.is_empty()));
        }
        assert!(Corpus::named("corpus:other").is_none());
        let pii = Corpus::Pii.entries();
        let found = |name: &str, text: &str| {
            let user = pii.iter().find(|entry| entry.name == name).unwrap().user.clone();
            pii::find(&format!("{text} {user}"), &[]).iter().any(|found| found.kind.word() == name)
        };
        assert!(found("email", "") && found("iban", "iban") && found("payment-card", "card") && found("phone", "tel"));
        let jwt = pii.iter().find(|entry| entry.name == "jwt").unwrap();
        assert_eq!(jwt.user.matches('.').count(), 2);
    }

    #[test]
    fn a_whole_user_part_is_told_from_a_broken_one() {
        assert!(is_whole("<sip:rf;transport=udp@h>;tag=1", "rf;transport=udp"));
        assert!(is_whole("<sip:rf%40x@h>;tag=1", "rf@x"));
        for (to, user) in [
            ("<sip:rf@x@h>;tag=1", "rf@x"),
            ("<sip:rf", "rf\r\nX: 1"),
            ("<sip:rf@h>", "rf;transport=udp"),
            ("<sip:rf\r\nX: 1@h>", "rf%0d%0aX: 1"),
        ] {
            assert!(!is_whole(to, user), "{to}");
        }
    }
}
