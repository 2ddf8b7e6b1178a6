//! Numbers that name a person: phone, account, card. Most numbers in this trade name none: session and call ids, times,
//! extensions. So a number counts where its writing or a word before it says what it is, not by its length alone.
//!
//! For accounts `iban_validate` knows the registry better than we do. `phonenumber` checks numbers and finds none, and brings
//! regular expressions, XML and a megabyte of tables for what its `+` or a word already say; of `card-validate` only Luhn's five
//! lines would be used.

use std::ops::Range;

use iban::Iban;

use super::{begins_word, ends_word, runs};

/// How far before a number a word for it may stand, in bytes (house).
const WORD_WITHIN: usize = 16;

/// Phone numbers: `+` and E.164 (ITU-T E.164: 15 digits at most), or national ones as people write them.
pub(super) fn phones(text: &str) -> Vec<Range<usize>> {
    let token = |byte: u8| byte.is_ascii_digit() || b"+().-/ ".contains(&byte);
    let mut found = Vec::new();
    for (span, piece) in runs(text, token) {
        let from = piece.rfind('+').or_else(|| piece.find(|c: char| c.is_ascii_digit() || c == '(')).unwrap_or(0);
        let piece = piece.get(from..).unwrap_or_default();
        let number = piece.trim_end_matches(|c: char| !c.is_ascii_digit());
        let (start, end) = (span.start + from, span.start + from + number.len());
        if begins_word(text, start) && ends_word(text, end) && !in_uuid(text, start) && is_phone(text, start, number) {
            found.push(start..end);
        }
    }
    found
}

fn is_phone(text: &str, start: usize, number: &str) -> bool {
    let groups: Vec<&str> = number.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let digits: String = groups.concat();
    let tidy = !["--", "//", "..", "((", "  "].iter().any(|twice| number.contains(twice));
    let first = |digits: &str| digits.bytes().next().is_some_and(|byte| byte != b'0');
    if let Some(rest) = number.strip_prefix('+') {
        return tidy && first(rest) && (8..=15).contains(&digits.len());
    }
    // `00` and the country, as most of the world dials: never the beginning of a time, but of many counters.
    if let Some(rest) = digits.strip_prefix("00") {
        return tidy
            && first(rest)
            && (10..=15).contains(&rest.len())
            && (groups.len() > 1 || named(text, start, &PHONE));
    }
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let north_america = lengths == [3, 3, 4]
        && groups.iter().take(2).all(|group| group.bytes().next().is_some_and(|byte| byte >= b'2'));
    // A trunk prefix, the area and the subscriber, or pairs as in France.
    let national = digits.starts_with('0')
        && digits.strip_prefix('0').is_some_and(first)
        && (10..=12).contains(&digits.len())
        && (lengths == [2; 5] || lengths.len() <= 4 && lengths.first().is_some_and(|area| (3..=6).contains(area)));
    let written = groups.len() > 1 && (north_america || national);
    tidy && (written || named(text, start, &PHONE) && (9..=12).contains(&digits.len()))
}

/// Words before a number that say that it is one to call.
const PHONE: [&str; 7] = ["phone", "telefon", "telephone", "mobile", "handy", "msisdn", "tel:"];
/// Words before a number that say that it is one to pay with.
const CARD: [&str; 6] = ["card", "karte", "carte", "tarjeta", "cardnumber", "pan="];

/// Payment cards: the issuers' prefixes and lengths, and the check digit of Luhn (ISO/IEC 7812-1, annex B). One random number
/// in fifty looks like that, so it must be grouped as on the card, or be called one.
pub(super) fn cards(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (span, piece) in runs(text, |byte| byte.is_ascii_digit() || byte == b' ' || byte == b'-') {
        let from = piece.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
        let number = piece.get(from..).unwrap_or_default().trim_end_matches([' ', '-']);
        let (start, end) = (span.start + from, span.start + from + number.len());
        let separator = if number.contains('-') { '-' } else { ' ' };
        let lengths: Vec<usize> = number.split(separator).map(str::len).collect();
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let grouped = lengths == [4; 4] || lengths == [4, 6, 5] || lengths == [4, 6, 4];
        let alone = begins_word(text, start) && ends_word(text, end);
        let said = grouped || lengths.len() == 1 && named(text, start, &CARD);
        if alone && said && is_issued(&digits) && luhn(&digits) {
            found.push(start..end);
        }
    }
    found
}

/// Prefix and length as the large issuers have them.
fn is_issued(digits: &str) -> bool {
    let prefix = |length: usize| digits.get(..length).and_then(|prefix| prefix.parse::<u32>().ok()).unwrap_or(0);
    match digits.len() {
        14 => matches!(prefix(2), 36 | 38 | 39) || matches!(prefix(3), 300..=305),
        15 => matches!(prefix(2), 34 | 37),
        16 => {
            matches!(prefix(2), 40..=49 | 51..=55 | 62 | 65)
                || matches!(prefix(4), 2221..=2720 | 3528..=3589 | 6011)
                || matches!(prefix(3), 644..=649)
        }
        _ => false,
    }
}

fn luhn(digits: &str) -> bool {
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let values = digits.chars().rev().filter_map(|c| c.to_digit(10)).enumerate();
    values.map(|(at, digit)| if at % 2 == 1 { doubled(digit) } else { digit }).sum::<u32>() % 10 == 0
}

/// Account numbers: country, length and check digits right (ISO 13616, ISO 7064 MOD 97-10), in capitals, with or without a
/// space after every fourth character.
pub(super) fn ibans(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (span, piece) in runs(text, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ') {
        for (at, _) in piece.char_indices().filter(|(at, c)| c.is_ascii_uppercase() && begins_word(piece, *at)) {
            let Some(length) = piece.get(at..).and_then(iban) else { continue };
            let (start, end) = (span.start + at, span.start + at + length);
            if begins_word(text, start) && ends_word(text, end) {
                found.push(start..end);
            }
        }
    }
    found
}

/// Bytes of the account number that a text begins with. Which form each country's has, `iban_validate` knows.
fn iban(text: &str) -> Option<usize> {
    let begins = matches!(text.as_bytes(), [a, b, c, d, ..] if a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_digit() && d.is_ascii_digit());
    let spaced = text.as_bytes().get(4) == Some(&b' ');
    let is_sound = |written: &&str| {
        let mut groups = written.split(' ').rev();
        let mut groups = || groups.next().is_some_and(|last| last.len() <= 4) && groups.all(|group| group.len() == 4);
        let compact: String = written.chars().filter(|c| *c != ' ').collect();
        written.contains(' ') == spaced && (!spaced || groups()) && compact.parse::<Iban>().is_ok()
    };
    let ends = (IBAN_LEAST..=IBAN_MOST + IBAN_MOST / 4).rev().filter_map(|end| text.get(..end));
    ends.filter(|written| begins && !written.ends_with(' ')).find(is_sound).map(str::len)
}

/// Lengths of the shortest, Norway's, and of the longest that the standard allows: ISO 13616.
const IBAN_LEAST: usize = 15;
const IBAN_MOST: usize = 34;

/// A word for the number stands just before it.
pub(super) fn named(text: &str, start: usize, words: &[&str]) -> bool {
    let before = piece(text, start.saturating_sub(WORD_WITHIN), start).to_ascii_lowercase();
    words.iter().any(|word| before.contains(word))
}

/// The place lies in a UUID (RFC 9562, section 4).
fn in_uuid(text: &str, at: usize) -> bool {
    const LENGTH: usize = 36;
    let from = at.saturating_sub(LENGTH);
    let around = piece(text, from, at + LENGTH);
    let uuid = |piece: &str| piece.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    runs(around, |byte| byte.is_ascii_hexdigit() || byte == b'-').any(|(_, piece)| uuid(piece))
}

/// A piece of a text, made shorter where it would cut a character.
fn piece(text: &str, from: usize, to: usize) -> &str {
    let to = to.min(text.len());
    let from = (from..=to).find(|at| text.is_char_boundary(*at)).unwrap_or(to);
    let to = (from..=to).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(from);
    text.get(from..to).unwrap_or_default()
}
