//! Numbers by which states name their people. Those with strong check digits or a shape of their own count wherever they stand;
//! the others only where a word before them says what they are, since session ids and times are numbers too.
//!
//! Presidio and the crates for single countries were looked at: the one is no Rust, the others check a number and find none.

use std::ops::Range;

use super::numbers::named;
use super::{begins_word, ends_word, runs};

/// Where one stands.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (span, piece) in runs(text, |byte| byte.is_ascii_alphanumeric() || byte == b' ' || byte == b'-') {
        for (at, token) in tokens(piece) {
            let (start, end) = (span.start + at, span.start + at + token.len());
            if begins_word(text, start) && ends_word(text, end) && is_one(text, start, token) {
                found.push(start..end);
            }
        }
    }
    found
}

/// Words of a piece, and what the groups from each word on make together: as numbers are written in pairs and threes.
fn tokens(piece: &str) -> impl Iterator<Item = (usize, &str)> {
    /// The groups of a French number.
    const GROUPS: usize = 7;
    /// The longest, with its separators.
    const LONGEST: usize = 24;
    let separates = |c: char| c == ' ' || c == '-';
    let words = runs(piece, |byte| byte.is_ascii_alphanumeric());
    words.flat_map(move |(word, _)| {
        let rest = piece.get(word.start..).unwrap_or_default();
        let ends = rest.match_indices(separates).map(|(at, _)| at).chain([rest.len()]);
        ends.take(GROUPS).take_while(|end| *end <= LONGEST).filter_map(move |end| Some((word.start, rest.get(..end)?)))
    })
}

fn is_one(text: &str, start: usize, token: &str) -> bool {
    let lengths: Vec<usize> = token.split([' ', '-']).map(str::len).collect();
    let compact: String = token.chars().filter(char::is_ascii_alphanumeric).collect();
    let said = |words: &[&str]| named(text, start, words);
    match compact.len() {
        16 => lengths.len() == 1 && is_italian(&compact),
        15 => (lengths == [1, 2, 2, 2, 3, 3, 2] || said(&FRENCH)) && is_french(&compact),
        13 => lengths == [1, 2, 2, 2, 3, 3] && said(&FRENCH) && compact.starts_with(['1', '2']),
        11 => (lengths == [2, 3, 3, 3] || said(&GERMAN)) && is_german(&compact),
        9 if lengths == [3, 2, 4] => said(&AMERICAN) && is_american(&compact),
        9 => {
            is_spanish(&compact) && lengths.len() <= 2 && (said(&SPANISH) || token.as_bytes().get(8) == Some(&b'-'))
                || is_british(&compact) && (lengths == [2, 2, 2, 2, 1] || said(&BRITISH))
        }
        _ => false,
    }
}

const FRENCH: [&str; 3] = ["nir", "secu", "insee"];
const GERMAN: [&str; 4] = ["steuer", "idnr", "tax id", "taxid"];
const AMERICAN: [&str; 3] = ["ssn", "social", "security"];
const SPANISH: [&str; 3] = ["dni", "nie", "nif"];
const BRITISH: [&str; 3] = ["nino", "insurance", "ni no"];

fn digits(text: &str) -> Option<Vec<u32>> {
    text.chars().map(|c| c.to_digit(10)).collect()
}

/// Eight digits, of which X, Y and Z stand for 0, 1 and 2 in front, and a letter: the rest by 23. Real decreto 1553/2005.
fn is_spanish(text: &str) -> bool {
    const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let Some((number, letter)) = text.split_at_checked(8) else { return false };
    let number = match number.split_at_checked(1) {
        Some(("X", rest)) => format!("0{rest}"),
        Some(("Y", rest)) => format!("1{rest}"),
        Some(("Z", rest)) => format!("2{rest}"),
        _ => number.to_owned(),
    };
    let value = number.parse::<usize>().ok().filter(|_| number.bytes().all(|byte| byte.is_ascii_digit()));
    value.is_some_and(|value| LETTERS.get(value % 23) == letter.as_bytes().first())
}

/// Fifteen digits, the last two of which are 97 less the rest by 97; Corsica's departments are 2A and 2B. Code INSEE.
fn is_french(text: &str) -> bool {
    let (number, key) = (text.get(..13).unwrap_or_default(), text.get(13..).and_then(|key| key.parse::<u64>().ok()));
    let number = match number.get(5..7) {
        Some("2A") => number.replacen("2A", "19", 1),
        Some("2B") => number.replacen("2B", "18", 1),
        _ => number.to_owned(),
    };
    let month = number.get(3..5).and_then(|month| month.parse::<u32>().ok());
    let born = number.starts_with(['1', '2']) && month.is_some_and(|month| matches!(month, 1..=12 | 20..=42 | 50..=99));
    let value = number.parse::<u64>().ok().filter(|_| number.bytes().all(|byte| byte.is_ascii_digit()));
    born && value.zip(key).is_some_and(|(value, key)| 97 - value % 97 == key)
}

/// Eleven digits, the first no 0, of the first ten one twice or three times; the last by ISO 7064 MOD 11,10. § 139b AO.
fn is_german(text: &str) -> bool {
    let Some(all) = digits(text).filter(|all| all.first() != Some(&0)) else { return false };
    let Some((check, number)) = all.split_last() else { return false };
    let times = |digit: u32| number.iter().filter(|known| **known == digit).count();
    let again: Vec<usize> = (0..10).map(times).filter(|times| *times > 1).collect();
    let product = number.iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    matches!(again.as_slice(), [2 | 3]) && (11 - product) % 10 == *check
}

/// Area, group and serial: none of them zeros, no area 666 or from 900 on. Social Security Administration, randomization of 2011.
fn is_american(text: &str) -> bool {
    let part = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
    let area = part(0, 3);
    (1..900).contains(&area) && area != 666 && part(3, 5) > 0 && part(5, 9) > 0
}

/// Two letters, six digits and A to D; some letters and pairs are never given. HMRC, National Insurance Manual 39110.
fn is_british(text: &str) -> bool {
    const NEVER: [&str; 7] = ["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"];
    let [first, second, number @ .., last] = text.as_bytes() else { return false };
    let letter = |byte: &u8, none: &[u8]| byte.is_ascii_uppercase() && !none.contains(byte);
    letter(first, b"DFIQUV")
        && letter(second, b"DFIQUVO")
        && !NEVER.contains(&text.get(..2).unwrap_or_default())
        && number.iter().all(u8::is_ascii_digit)
        && (b'A'..=b'D').contains(last)
}

/// Letters of the name, year, month and day of birth, place, and a letter that checks them. Decreto 23/12/1976.
fn is_italian(text: &str) -> bool {
    /// What a character at an odd place is worth: 0 and A, 1 and B, ….
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    const SHAPE: &[u8] = b"AAAAAA00A00A000A";
    let fits =
        |(byte, shape): (u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte.is_ascii_uppercase() };
    let month = text.get(8..9).is_some_and(|month| "ABCDEHLMPRST".contains(month));
    if text.len() != SHAPE.len() || !text.bytes().zip(SHAPE).all(fits) || !month {
        return false;
    }
    let value = |byte: u8| u32::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' });
    let worth = |(at, byte): (usize, u8)| match at % 2 {
        0 => ODD.get(value(byte) as usize).copied().unwrap_or(0),
        _ => value(byte),
    };
    let sum: u32 = text.bytes().take(15).enumerate().map(worth).sum();
    text.bytes().last().map(value) == Some(sum % 26)
}
