//! Target files.

use std::path::Path;

use arbitrary::Unstructured;
use ringfence_model::target::{NEEDS, Target as TargetFile, TargetError};

use crate::generators::{lines, stretch};
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, allocating};
use crate::target::{Seed, Target};

/// A target file, or what to change in one.
pub const TARGET: Target = Target {
    name: "target_file",
    reads: "a target file; behind a byte 0, bytes that say what to change in one",
    oracles: &[&ALLOCATION, &PLACE, &HIDDEN, &ANSWERS],
    run,
    accepts: |bytes| Input::of(bytes).is_some_and(|input| read(&input.text).is_ok()),
    show: |bytes| match Input::of(bytes) {
        Some(input) => format!("{}\n{:#?}", input.text, read(&input.text)),
        None => "nothing".to_owned(),
    },
    seeds,
    dictionary: None,
    max_len: 16_384,
    covers: &["harness/model/src/target.rs", "harness/model/src/target"],
};

/// A mistake stands where it is said to stand.
pub const PLACE: Oracle =
    Oracle::new("an error's place is in the file", "a message that names another line costs its reader more than none");
/// Nothing secret is repeated.
pub const HIDDEN: Oracle = Oracle::new(
    "a secret in a target file is repeated nowhere",
    "messages end in CI logs, and what scenarios see of a target ends in reports; both are handed on",
);
/// What was read is usable.
pub const ANSWERS: Oracle = Oracle::new(
    "an accepted target file answers every question",
    "a run that finds out in the middle that its target file is not usable has touched the target for nothing",
);

/// Stands where secrets stand, and nowhere else.
const SECRET: &str = "kQ7wSecretzP93";
const SAMPLE: &str = include_str!("../../seeds/target.toml");
/// Values in other places' stead. The secret stands in forms that no reader may take for anything but a secret's.
#[rustfmt::skip]
const VALUES: [&str; 40] = [
    "\"\"", "\"a\"", "\" \"", "\"none\"", "\"configured\"", "\"unlimited\"", "\"https://h.example/x\"", "\"wss://h.example\"", "\"http:\"",
    "\"https://\"", "\"file:///etc/passwd\"", "\"é\\u0000\\u202e\"", "'''\na\n'''", "0", "-1", "1", "0.05", "600", "600.1", "nan", "inf",
    "-inf", "9223372036854775807", "-9223372036854775808", "4294967296", "1e308", "true", "[]", "{}", "[\"a\", \"b\"]", "[[[[[[[[1]]]]]]]]",
    "{ env = \"NAME\" }", "{ file = \"f\" }", "{ env = \"A\", file = \"b\" }", "{ pointer = \"/a\" }", "2027-01-31", "2027-02-30", "0x7f",
    "\"10.0.0.0/33\"", "[\"*\"]",
];
/// Lines with the secret, each under the key that it belongs to, or in an address where logins stand.
#[rustfmt::skip]
const LINES: [&str; 16] = [
    "bearer = \"kQ7wSecretzP93\"", "password = \"kQ7wSecretzP93\"", "cookie = \"kQ7wSecretzP93\"", "key = \"kQ7wSecretzP93\"",
    "credential = \"kQ7wSecretzP93\"", "token = \"kQ7wSecretzP93\"", "bearer = [\"kQ7wSecretzP93\"]", "password = [\"kQ7wSecretzP93\"]",
    "config = \"https://u:kQ7wSecretzP93@h.example/?a=kQ7wSecretzP93#kQ7wSecretzP93\"",
    "page = \"https://kQ7wSecretzP93@h.example/\"", "ws_uri = \"wss://u:kQ7wSecretzP93@h.example/\"", "[logins.valid]", "[sip]", "[turn]",
    "[endpoints]", "expired_login = { username = \"a\", credential = \"kQ7wSecretzP93\" }",
];

struct Input {
    text: String,
    drawn: bool,
}

impl Input {
    fn of(bytes: &[u8]) -> Option<Self> {
        match bytes.strip_prefix(&[0]) {
            Some(rest) => {
                let text = lines::edited(&mut Unstructured::new(rest), SAMPLE, &VALUES, &LINES).ok()?;
                Some(Self { text, drawn: true })
            }
            None => Some(Self { text: std::str::from_utf8(bytes).ok()?.to_owned(), drawn: false }),
        }
    }
}

fn read(text: &str) -> Result<TargetFile, TargetError> {
    TargetFile::parse(text, Path::new("target.toml"))
}

/// One run.
pub fn run(bytes: &[u8]) {
    let Some(input) = Input::of(bytes) else { return };
    // The TOML reader keeps a tree, and serde's tables of names are the same for every file.
    let bound = Bound { per_byte: 512, fixed: 262_144 };
    asked(&input, |text| allocating(bound, text.len(), || read(text)));
}

fn asked(input: &Input, read: impl Fn(&str) -> Result<TargetFile, TargetError>) {
    match read(&input.text) {
        Err(error) => {
            placed(&input.text, &error);
            hidden(input, &error.to_string());
        }
        Ok(target) => {
            let view = serde_json::to_string(&target.view()).unwrap_or_else(|error| {
                ANSWERS.holds(false, || format!("its view cannot be written: {error}"));
                String::new()
            });
            hidden(input, &view);
            let limits = target.limits;
            answers(&[limits.connect_s, limits.tls_s, limits.idle_s, limits.exchange_s, limits.ring_s, limits.media_s]);
            let silent = NEEDS.iter().find(|word| target.need(word).is_none());
            ANSWERS.holds(silent.is_none(), || format!("{silent:?} has no answer"));
            let _ = target.secret_sources();
        }
    }
}

fn placed(text: &str, error: &TargetError) {
    let TargetError::Wrong { line, column, .. } = error else { return };
    // An empty last line is one behind the last line's end.
    let at = text.split('\n').nth(line.wrapping_sub(1));
    PLACE.holds(at.is_some_and(|at| (1..=at.len() + 1).contains(column)), || format!("{error}\nof\n{text}"));
}

fn hidden(input: &Input, said: &str) {
    HIDDEN.holds(!input.drawn || !said.contains(SECRET), || format!("{said}\nis said of\n{}", input.text));
}

/// The bounds in time of an accepted file, in seconds.
fn answers(limits: &[f64]) {
    ANSWERS.holds(limits.iter().all(|limit| (0.05..=600.0).contains(limit)), || format!("{limits:?} are no bounds"));
}

fn seeds() -> Vec<Seed> {
    let small = "name = \"x\"\nadapter = \"cognigy\"\n[endpoints]\nconfig = \"https://a.example/t\"\n";
    let mut seeds = vec![
        Seed::valid("sample", SAMPLE),
        Seed::valid("smallest", small),
        Seed::other("unknown-key", format!("nam = \"x\"\n{small}")),
        Seed::other("no-name", small.replace("\"x\"", "\"\"")),
        Seed::other("unfinished", "name = \""),
        Seed::other("deep", format!("name = {}", "[".repeat(200))),
        Seed::other("secret-in-the-file", format!("{small}[logins.valid]\nbearer = \"{SECRET}\"\n")),
    ];
    seeds.extend((0..32).map(|seed| Seed::other(format!("drawn-{seed}"), [vec![0], stretch(seed, 48)].concat())));
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn some_of_what_is_drawn_is_accepted_and_some_is_not() {
        let read = |seed: &u64| {
            Input::of(&[vec![0], stretch(*seed, 48)].concat()).is_some_and(|input| read(&input.text).is_ok())
        };
        assert!((40..280).contains(&(0..300).filter(read).count()));
    }

    fn sample() -> Input {
        Input { text: SAMPLE.to_owned(), drawn: true }
    }

    #[test]
    fn an_error_of_another_line_is_caught() {
        let elsewhere =
            |_: &str| Err(TargetError::Wrong { path: "t".into(), line: 9_999, column: 1, message: "a".into() });
        caught(&PLACE, || asked(&sample(), elsewhere));
    }

    #[test]
    fn a_reader_that_repeats_a_secret_is_caught() {
        let telling = |text: &str| {
            let secret = text.lines().find(|line| line.contains(SECRET)).unwrap_or_default();
            Err(TargetError::Wrong { path: "t".into(), line: 1, column: 1, message: format!("invalid: {secret}") })
        };
        caught(&HIDDEN, || asked(&Input { text: format!("bearer = \"{SECRET}\"\n"), drawn: true }, telling));
    }

    #[test]
    fn a_reader_that_takes_no_number_for_a_time_is_caught() {
        asked(&sample(), read);
        let trusting = |text: &str| {
            let mut target = read(text)?;
            target.limits.connect_s = f64::NAN;
            Ok(target)
        };
        caught(&ANSWERS, || asked(&sample(), trusting));
    }
}
