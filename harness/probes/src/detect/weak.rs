//! Proof that a secret can be guessed, from a few values of it: each reason stands for an attack that needs no luck.
//!
//! `zxcvbn` was looked at: it estimates what a person's password is worth, and by chance finds words in what a machine made up.
//! Here only what cannot be chance counts.

use std::collections::BTreeSet;

use base64::prelude::*;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::entropy::{counts, segments, tells_time};
use super::generator;

/// What is tried first.
const LIST: &str = include_str!("weak.txt");
/// Shorter secrets are tried out, whatever they are made of: NIST SP 800-63B, section 5.1.1.2.
const SHORTEST: usize = 8;
/// Shorter texts stand in others by chance (house).
const TELLING: usize = 4;
/// Characters that may be left of a secret without the text that it is made from, and are guessed then (house).
const GUESSED: usize = 8;
/// Bytes of a value and of a text beside it that are looked at, and texts beside it (house).
const READ: usize = 1024;
const BESIDE: usize = 16;

/// Why a value can be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It stands in every list that is tried first.
    List,
    /// One block again and again.
    Repeat,
    /// One value for two names.
    SameUnderTwoNames,
    /// The next is the last and a little more.
    Counter,
    /// It tells the time.
    Timestamp,
    /// The next follows from the last by a generator that is no secret.
    Generator,
    /// Too few characters.
    Short,
    /// It can be computed from what stands beside it.
    Derived,
}

impl Why {
    /// The written word.
    pub const fn word(self) -> &'static str {
        match self {
            Why::List => "list",
            Why::Repeat => "repeat",
            Why::SameUnderTwoNames => "same-under-two-names",
            Why::Counter => "counter",
            Why::Timestamp => "timestamp",
            Why::Generator => "generator",
            Why::Short => "short",
            Why::Derived => "derived",
        }
    }
}

/// One value of a secret.
#[derive(Clone, Debug)]
pub struct Sample<'a> {
    /// Under which name it is good; empty where it has none.
    pub name: &'a str,
    /// The value.
    pub value: &'a str,
    /// What its owner, or everybody, knows besides: user name, realm, addresses.
    pub beside: Vec<&'a str>,
}

/// Every reason to call the values guessable; they come in the order in which they were seen. Equal pairs count once.
pub fn reasons(samples: &[Sample<'_>]) -> BTreeSet<Why> {
    let mut distinct: Vec<&Sample<'_>> = Vec::new();
    for sample in samples.iter().filter(|sample| !sample.value.is_empty()) {
        if !distinct.iter().any(|known| (known.name, known.value) == (sample.name, sample.value)) {
            distinct.push(sample);
        }
    }
    let any = |is: fn(&str) -> bool| distinct.iter().any(|sample| is(sample.value));
    let values: Vec<&str> = distinct.iter().map(|sample| sample.value).collect();
    let shared = distinct
        .iter()
        .enumerate()
        .any(|(at, one)| distinct.iter().skip(at + 1).any(|other| one.value == other.value && one.name != other.name));
    let found = [
        (Why::List, any(is_listed)),
        (Why::Repeat, any(repeats)),
        (Why::SameUnderTwoNames, shared),
        (Why::Counter, all_of_it(&values, counts)),
        (Why::Timestamp, all_of_it(&values, tells_time)),
        (Why::Generator, generator::predicts(&values)),
        (Why::Short, any(|value| value.chars().count() < SHORTEST)),
        (Why::Derived, distinct.iter().any(|sample| is_derived(sample))),
    ];
    found.into_iter().filter_map(|(why, holds)| holds.then_some(why)).collect()
}

/// Whether that holds of one segment of the values, and the others are the same in all of them.
fn all_of_it(values: &[&str], holds: fn(&[&str]) -> bool) -> bool {
    let split: Vec<Vec<&str>> = values.iter().map(|value| segments(value)).collect();
    let columns = split.first().map_or(0, Vec::len);
    if values.len() < 2 || split.iter().any(|segments| segments.len() != columns) {
        return false;
    }
    let column = |at: usize| split.iter().filter_map(|segments| segments.get(at).copied()).collect::<Vec<_>>();
    let differ = |column: &Vec<&str>| column.iter().any(|part| Some(part) != column.first());
    let mut differing = (0..columns).map(column).filter(differ).peekable();
    differing.peek().is_some() && differing.all(|column| holds(&column))
}

fn is_listed(value: &str) -> bool {
    let lower = value.to_lowercase();
    let word = lower.trim_end_matches(|c: char| c.is_ascii_digit() || c == '!');
    let mut list = LIST.lines().filter(|line| !line.starts_with('#'));
    list.any(|entry| entry == lower || entry == word)
}

/// One block at least twice, and nothing else: by chance that is a question of half the length.
fn repeats(value: &str) -> bool {
    let bytes = value.as_bytes().get(..value.len().min(READ)).unwrap_or_default();
    let is_period = |period: usize| bytes.iter().zip(bytes.iter().skip(period)).all(|(a, b)| a == b);
    bytes.len() >= TELLING && (1..=bytes.len() / 2).any(is_period)
}

fn is_derived(sample: &Sample<'_>) -> bool {
    let read = |text: &str| text.chars().take(READ).collect::<String>();
    let value = read(sample.value);
    let beside = || [sample.name].into_iter().chain(sample.beside.iter().copied().take(BESIDE));
    let known: Vec<String> = beside().filter(|text| text.len() >= TELLING).map(read).collect();
    let joined = |one: &String| {
        known.iter().flat_map(move |other| [format!("{one}:{other}"), format!("{one}{other}")]).collect::<Vec<_>>()
    };
    known.iter().any(|text| {
        is_made_of(&value, text)
            || is_written_of(&value, text)
            || joined(text).iter().any(|text| is_written_of(&value, text))
    })
}

/// The text, forwards or backwards, with a little around it; or a piece of it.
fn is_made_of(value: &str, text: &str) -> bool {
    let (value, text) = (value.to_lowercase(), text.to_lowercase());
    let backwards: String = text.chars().rev().collect();
    let around = |text: &str| value.contains(text) && value.replacen(text, "", 1).chars().count() < GUESSED;
    let piece = value.chars().count() >= TELLING && (text.contains(&value) || backwards.contains(&value));
    piece || around(&text) || around(&backwards)
}

/// The text in another writing, or the beginning of a hash over it that has no key.
fn is_written_of(value: &str, text: &str) -> bool {
    let bytes = text.as_bytes();
    let hashes: [Vec<u8>; 3] =
        [Md5::digest(bytes).to_vec(), Sha1::digest(bytes).to_vec(), Sha256::digest(bytes).to_vec()];
    let bare = value.trim_end_matches('=');
    let writings = |bytes: &[u8]| {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        [hex.to_uppercase(), hex, BASE64_STANDARD_NO_PAD.encode(bytes), BASE64_URL_SAFE_NO_PAD.encode(bytes)]
    };
    writings(bytes).iter().any(|written| written == bare)
        || bare.len() >= SHORTEST
            && hashes.iter().flat_map(|hash| writings(hash)).any(|written| written.starts_with(bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn why(samples: &[(&str, &str)], expected: &[Why]) {
        let of = |(name, value): &(&'static str, &'static str)| Sample {
            name,
            value,
            beside: vec!["sip.example.com", "visitor-7"],
        };
        let owned: Vec<(&'static str, &'static str)> =
            samples.iter().map(|(n, v)| (&*(*n).to_owned().leak(), &*(*v).to_owned().leak())).collect();
        let found = reasons(&owned.iter().map(of).collect::<Vec<_>>());
        assert_eq!(found, expected.iter().copied().collect(), "{samples:?}");
    }

    #[test]
    fn what_a_machine_makes_up_is_not_blamed() {
        why(
            &[("widget-8a1f", "9f8e7d6c5b4a39281706f5e4d3c2b1a0"), ("widget-11c2", "0b8c7d6e5f4a3b210c3d4a1b9f2e7d6c")],
            &[],
        );
        why(
            &[
                ("1763750000:a-1b2c", "qL0v1nq3jN8S3bAqzq2b8vX5XyA="),
                ("1763750001:a-9f0e", "x8V2mZpR7hQe9kFfD3sLw0aYcTg="),
            ],
            &[],
        );
        why(&[("a", "8d1f2c3a-9b4e-4f60-8a7b-0c1d2e3f4a5b"), ("b", "1e0a9b7c-0c3d-4a1b-9f2e-7d6c5b4a3f2e")], &[]);
        why(&[("abcd", "kQzPwLxRtNvM")], &[]);
        why(&[], &[]);
    }

    #[test]
    fn each_proof_is_told() {
        why(&[("a", "Password1!")], &[Why::List]);
        why(&[("a", "abcdeabcdeabcde")], &[Why::Repeat]);
        why(&[("a", "k3jx9q2mvb7"), ("b", "k3jx9q2mvb7")], &[Why::SameUnderTwoNames]);
        why(&[("a", "k3jx9q2mvb7"), ("a", "k3jx9q2mvb7")], &[]);
        why(&[("a", "desk-secret-1041"), ("b", "desk-secret-1042"), ("c", "desk-secret-1050")], &[Why::Counter]);
        why(&[("a", "p-1763750000123"), ("b", "p-1763750002345")], &[Why::Counter, Why::Timestamp]);
        why(&[("a", "k3j9x")], &[Why::Short]);
    }

    #[test]
    fn what_is_computed_from_the_name_is_derived() {
        let name = "widget-0f3a9c1d2b4e5f60";
        let hash: String = Md5::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
        let backwards: String = name.chars().rev().collect();
        let with_realm: String =
            Sha256::digest(format!("{name}:sip.example.com")).iter().map(|b| format!("{b:02x}")).collect();
        for value in [
            backwards.as_str(),
            "WIDGET-0F3A9C1D2B4E5F60!1",
            "0f3a9c1d2b4e5f60",
            &BASE64_STANDARD.encode(name),
            &hash,
            &hash[..12],
            &with_realm,
        ] {
            why(&[(name, value)], &[Why::Derived]);
        }
        why(&[(name, &format!("{name}-9b8c7d6e5f4a3b21"))], &[]);
    }
}
