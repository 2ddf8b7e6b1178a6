//! How much of a name is random: an upper bound from several values of it, RFC 4086 read from outside.
//!
//! Seen from outside, a value can only be shown to be guessable, never to be random: what has too few characters, what several
//! values share, what counts and what tells the time adds nothing; the rest is taken for as random as its characters
//! allow.

/// Characters that the parts are made of that differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// `0-9`.
    Digits,
    /// `0-9` and `a-f`, of one case.
    Hex,
    /// Letters, digits, `+` and `/`: RFC 8839, section 5.4.
    IceChar,
    /// The same with `-`, `_` or `=`: RFC 4648, section 5.
    Base64,
    /// RFC 9562, section 4.
    Uuid,
    /// Anything else, or nothing at all.
    #[default]
    Other,
}

impl Class {
    /// The written word.
    pub const fn word(self) -> &'static str {
        match self {
            Class::Digits => "digits",
            Class::Hex => "hex",
            Class::IceChar => "ice-char",
            Class::Base64 => "base64",
            Class::Uuid => "uuid",
            Class::Other => "other",
        }
    }

    /// Bits of one character.
    fn bits(self) -> f64 {
        match self {
            Class::Digits => 10_f64.log2(),
            Class::Hex | Class::Uuid => 4.0,
            Class::IceChar | Class::Base64 => 6.0,
            Class::Other => 95_f64.log2(), // what ASCII can print
        }
    }

    fn of(text: &str) -> Self {
        let all = |has: fn(u8) -> bool| text.bytes().all(has);
        match () {
            () if text.is_empty() => Class::Other,
            () if all(|b| b.is_ascii_digit()) => Class::Digits,
            () if all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) => Class::Hex,
            () if all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b)) => Class::Hex,
            () if all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/') => Class::IceChar,
            () if all(|b| b.is_ascii_alphanumeric() || b"+/-_=".contains(&b)) => Class::Base64,
            () => Class::Other,
        }
    }
}

/// What several values of one name show.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Characters of what differs; of several values the poorest.
    pub class: Class,
    /// Bits at most that are random: length times bits of a character, without what values share, what counts and what
    /// tells the time. Of several values the lowest.
    pub bits: f64,
}

/// Measures values in the order in which they were seen. With one value nothing is known to be shared; with none there is
/// nothing to measure.
pub fn measure(values: &[&str]) -> Option<Measured> {
    let mut distinct: Vec<&str> = Vec::new();
    for value in values {
        if !distinct.contains(value) {
            distinct.push(value);
        }
    }
    if distinct.len() == 1 && values.len() > 1 {
        return Some(Measured::default()); // all of it is shared
    }
    let split: Vec<Vec<&str>> = distinct.iter().map(|value| segments(value)).collect();
    let columns = split.iter().map(Vec::len).max().unwrap_or(0);
    let alike = split.iter().all(|segments| segments.len() == columns);
    // Values that are built differently are compared whole.
    let split = if alike { split } else { distinct.iter().map(|value| vec![*value]).collect() };
    let columns = if alike { columns } else { 1 };
    let mut random: Vec<String> = vec![String::new(); distinct.len()];
    for at in 0..columns {
        let column: Vec<&str> = split.iter().filter_map(|segments| segments.get(at).copied()).collect();
        for (random, part) in random.iter_mut().zip(random_parts(&column)) {
            random.push_str(part);
        }
    }
    let measured = distinct.iter().zip(&random).map(|(whole, random)| match is_random_uuid(whole) {
        // RFC 9562, section 5.4.
        true if random.len() >= UUID_LEAST => Measured { class: Class::Uuid, bits: 122.0 },
        _ => {
            let class = Class::of(random);
            // No name is long enough to lose a character of its length in a double.
            Measured { class, bits: random.chars().count() as f64 * class.bits() }
        }
    });
    measured.min_by(|a, b| a.bits.total_cmp(&b.bits))
}

/// Characters of a random UUID that are left where chance alone made others equal (house).
const UUID_LEAST: usize = 20;

/// Words and numbers of a value: `visitor-1-ab` has three.
pub(super) fn segments(text: &str) -> Vec<&str> {
    let separates = |c: char| !(c.is_ascii_alphanumeric() || c == '+' || c == '/');
    text.split(separates).filter(|segment| !segment.is_empty()).collect()
}

/// Of the same segment of every value, what may be random; nothing where all are alike, count or tell the time.
fn random_parts<'a>(column: &[&'a str]) -> Vec<&'a str> {
    let alike = column.len() > 1 && column.iter().all(|segment| Some(segment) == column.first());
    if alike || tells_time(column) || counts(column) {
        vec![""; column.len()]
    } else {
        without_shared(column, SHARED_FROM)
    }
}

/// Bytes from which on it is no chance that all values begin or end with them (house).
const SHARED_FROM: usize = 4;

/// Every text is a time, alone or behind letters.
pub(super) fn tells_time(texts: &[&str]) -> bool {
    let behind_letters = |text: &str| is_time(text.trim_start_matches(|c: char| c.is_ascii_alphabetic()));
    !texts.is_empty() && (texts.iter().all(|text| behind_letters(text)) || texts.iter().all(|text| is_time(text)))
}

/// The texts, or what is left of them without what all share, are numbers that go up or down in small steps.
pub(super) fn counts(texts: &[&str]) -> bool {
    is_counter(texts) || is_counter(&without_shared(texts, 1))
}

/// The texts without what all begin with and all end with, where that is so many bytes at least.
fn without_shared<'a>(texts: &[&'a str], least: usize) -> Vec<&'a str> {
    let enough = |length: usize| if length < least { 0 } else { length };
    let Some((first, rest)) = texts.split_first().filter(|(_, rest)| !rest.is_empty()) else { return texts.to_vec() };
    let front = rest.iter().map(|other| common(first.chars(), other.chars())).min().unwrap_or(0);
    let front = enough(front);
    let cut: Vec<&str> = texts.iter().map(|text| text.get(front..).unwrap_or_default()).collect();
    let Some((first, rest)) = cut.split_first() else { return cut };
    let back = rest.iter().map(|other| common(first.chars().rev(), other.chars().rev())).min().unwrap_or(0);
    let back = enough(back);
    cut.iter().map(|text| text.get(..text.len() - back).unwrap_or_default()).collect()
}

/// Bytes of the characters that two texts begin with.
fn common(a: impl Iterator<Item = char>, b: impl Iterator<Item = char>) -> usize {
    a.zip(b).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
}

/// Steps of a counter between two values that were seen one after the other: other visitors come between (house).
const STEP: u64 = 10_000;

/// The texts are numbers, decimal or hexadecimal, that go up or down in small steps.
fn is_counter(texts: &[&str]) -> bool {
    [10, 16].into_iter().any(|radix| {
        let numbers: Option<Vec<u64>> = texts.iter().map(|text| u64::from_str_radix(text, radix).ok()).collect();
        numbers.is_some_and(|numbers| numbers.len() > 1 && steps(&numbers))
    })
}

fn steps(numbers: &[u64]) -> bool {
    let pairs = || numbers.iter().zip(numbers.iter().skip(1));
    let near = pairs().all(|(a, b)| (1..=STEP).contains(&a.abs_diff(*b)));
    near && (pairs().all(|(a, b)| a < b) || pairs().all(|(a, b)| a > b))
}

/// Unix time in seconds, milliseconds or microseconds, of this century: 2001 to 2100. In decimal, hexadecimal, or as
/// `Date.now().toString(36)` writes it.
fn is_time(segment: &str) -> bool {
    const FROM: u64 = 1_000_000_000;
    const TO: u64 = 4_102_444_800;
    let is = |radix: u32, unit: u64| {
        let number = u64::from_str_radix(segment, radix);
        number.is_ok_and(|number| (FROM * unit..TO * unit).contains(&number))
    };
    match segment.len() {
        8 => is(16, 1) || is(36, 1000), // eight hexadecimal digits are 32 bits at most: too few in any case
        10..=11 => is(10, 1) || is(16, 1000),
        13 => is(10, 1000),
        16 => is(10, 1_000_000),
        _ => false,
    }
}

/// Version 4: all but six bits are random.
fn is_random_uuid(value: &str) -> bool {
    let sound = |text: &str| {
        let groups: Vec<&str> = text.split('-').collect();
        let shape = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]);
        shape
            && groups.concat().bytes().all(|b| b.is_ascii_hexdigit())
            && groups.get(2).is_some_and(|g| g.starts_with('4'))
    };
    // With a word before it, `visitor-`, or alone.
    value.len().checked_sub(36).and_then(|at| value.get(at..)).is_some_and(sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn bits(values: &[&str], class: Class, expected: f64) {
        let measured = measure(values).unwrap();
        assert_eq!(measured.class, class, "{values:?}: {measured:?}");
        assert!((measured.bits - expected).abs() < 0.1, "{values:?}: {measured:?}");
    }

    #[test]
    fn what_is_shared_counts_or_tells_the_time_is_worth_nothing() {
        bits(&["visitor-1", "visitor-2", "visitor-3"], Class::Other, 0.0);
        bits(&["visitor-9", "visitor-10"], Class::Other, 0.0);
        bits(&["visitor-1041", "visitor-1042", "visitor-1077"], Class::Other, 0.0);
        bits(&["u1700000000123", "u1700000009123"], Class::Other, 0.0);
        bits(&["1700000000123-k3j4", "1700000009123-x9q2"], Class::IceChar, 24.0);
        bits(&["alice", "alice"], Class::Other, 0.0);
        bits(&["web-lq3k2p9x", "web-lq3k7a1b"], Class::Other, 0.0);
        bits(&["u1", "u2"], Class::Other, 0.0);
    }

    #[test]
    fn random_values_are_worth_what_their_characters_allow() {
        bits(&["visitor-0f3a9c1d2b4e5f60", "visitor-9b8c7d6e5f4a3b21"], Class::Hex, 64.0);
        bits(&["a1b2c3d4e5f60718"], Class::Hex, 64.0);
        bits(&["v-8d1f2c3a-9b4e-4f60-8a7b-0c1d2e3f4a5b", "v-1e0a9b7c-0c3d-4a1b-9f2e-7d6c5b4a3f2e"], Class::Uuid, 122.0);
        bits(&["Zk3+fQ9xLm2P", "aB7/cD1eFg5H"], Class::IceChar, 72.0);
        // Of two random values each sixteenth pair begins alike.
        bits(&["0f3a9c1d2b4e5f60", "0b8c7d6e5f4a3b21"], Class::Hex, 64.0);
        bits(&["desk0f3a9c1d", "desk9b8c7d6e"], Class::Hex, 32.0);
        bits(&["83920174651", "20947381652"], Class::Digits, 36.5);
        assert_eq!(measure(&[]), None);
    }
}
