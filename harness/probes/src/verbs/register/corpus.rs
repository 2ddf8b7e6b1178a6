//! User ids that a registrar should not take: all of them synthetic.

use base64::prelude::*;
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
    /// It breaks the grammar of the message: a server may end the connection that it came on.
    pub malformed: bool,
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

    /// Its entries, in order. Personal data differ by the seed: a server may keep a name for whoever took it first.
    pub fn entries(self, seed: u64) -> Vec<Entry> {
        match self {
            Self::Pii => pii(seed).into_iter().map(|(name, user)| Entry { name, user, malformed: false }).collect(),
            Self::Injection => INJECTION
                .into_iter()
                .map(|(name, malformed, user)| Entry { name, malformed, user: user.replace("MARKER", MARKER) })
                .collect(),
        }
    }
}

/// Escaped where RFC 3261, section 19.1.2, wants it, so that only what they say can be refused. Nobody's: RFC 2606, numbers
/// that the German regulator keeps for stories, a bank that there is not, test cards, and a token that is not signed.
fn pii(seed: u64) -> [(&'static str, String); 6] {
    let account = seed % 10_000_000_000;
    // ISO 13616: 98 less the remainder of the account with the country behind it, D as 13 and E as 14.
    let remainder = (99_999_999_u128 * 10_000_000_000 + u128::from(account)) * 1_000_000 + 131_400;
    let iban = format!("DE{:02}99999999{account:010}", 98 - remainder % 97);
    let card = format!("424242{:09}", seed % 1_000_000_000);
    let payload = format!("{{\"sub\":\"erika-{:04x}\"}}", seed & 0xffff);
    let letter = |at: u32| char::from(b'a' + u8::try_from((seed >> (8 * at)) % 26).unwrap_or(0));
    [
        ("email", format!("erika.mustermann.{:08x}%40example.org", seed & 0xffff_ffff)),
        ("phone", format!("+493023125{:03}", seed % 1000)),
        ("iban", iban),
        ("payment-card", format!("{card}{}", luhn(&card))),
        ("jwt", format!("eyJhbGciOiJub25lIn0.{}.", BASE64_URL_SAFE_NO_PAD.encode(payload))),
        ("full-name", format!("Erika%20Muster{}{}{}", letter(0), letter(1), letter(2))),
    ]
}

/// The check digit of a card number. ISO/IEC 7812-1, annex B.
fn luhn(digits: &str) -> u32 {
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let values = digits.chars().rev().filter_map(|c| c.to_digit(10)).enumerate();
    let sum: u32 = values.map(|(at, digit)| if at % 2 == 0 { doubled(digit) } else { digit }).sum();
    (10 - sum % 10) % 10
}

/// Name, whether it breaks the grammar, and the user part.
const INJECTION: [(&str, bool, &str); 13] = [
    ("crlf", true, "rf\r\nMARKER: 1"),
    ("crlf-escaped", false, "rf%0d%0aMARKER:%201"),
    ("lf-escaped", false, "rf%0aMARKER:%201"),
    ("nul", true, "rf\0x"),
    ("nul-escaped", false, "rf%00x"),
    ("at", true, "rf@ringfence.invalid"),
    ("parameter", false, "rf;transport=udp"),
    ("uri-header", false, "rf?MARKER=1"),
    ("angle-brackets", true, "rf>,<sip:rf2"),
    ("quotes", true, "\"rf\""),
    ("dots-escaped", false, "%2e%2e%2f%2e%2e%2frf"),
    ("overlong-utf-8", false, "rf%c0%ae%c0%af"),
    ("long", false, LONG),
];

/// 240 characters.
const LONG: &str = "rfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrf\
    rfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrfrf";

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
        for seed in [0, 1, 0xfeed_beef_cafe_1234, u64::MAX] {
            for corpus in ["pii-corpus", "corpus:injection"].map(|name| Corpus::named(name).unwrap()) {
                let entries = corpus.entries(seed);
                assert!(entries.iter().all(|entry| entry.user.len() <= 300 && !entry.user.is_empty()));
            }
            for entry in Corpus::Pii.entries(seed) {
                let found = pii::find(&format!("{}: {}", entry.name, entry.user), &[]);
                let is_found = found.iter().any(|found| found.kind.word() == entry.name);
                assert!(is_found || matches!(entry.name, "jwt" | "full-name"), "{entry:?}");
                assert!(entry.user.len() <= 64 && !entry.malformed, "{entry:?}");
            }
        }
        assert!(Corpus::named("corpus:other").is_none());
        let users = |seed| Corpus::Pii.entries(seed).into_iter().map(|entry| entry.user).collect::<Vec<_>>();
        assert!(users(1).iter().zip(users(2)).all(|(one, two)| *one != two));
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
