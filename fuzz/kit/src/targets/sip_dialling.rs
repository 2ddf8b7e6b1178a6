//! The dialling rule: what a text would dial, however it is written.

use ringfence_client::adapters::dialling::{Dial, may_dial};
use ringfence_model::target::{Destination, Destinations};

use crate::generators::dialling::Disguise;
use crate::generators::{stretch, value};
use crate::oracle::Oracle;
use crate::oracles::{ALLOCATION, Bound, allocating};
use crate::target::{Seed, Target};

/// A Request-URI, a Refer-To or a bare number. Behind a NUL stands a number that must never be dialled, in a drawn disguise.
pub const TARGET: Target = Target {
    name: "sip_dialling",
    reads: "what is to be dialled",
    oracles: &[&ALLOCATION, &NEVER, &DECLARED],
    run,
    accepts,
    show,
    seeds,
    dictionary: Some("sip"),
    max_len: 1_024,
    covers: &["harness/client/src/adapters/dialling.rs", "harness/client/src/adapters/dialling/written.rs"],
};

/// Emergency, short and expensive numbers are not dialled, although the file declares the very text.
pub const NEVER: Oracle = Oracle::new(
    "some numbers are never dialled",
    "a test that rings 112 does harm; separators (RFC 3966, section 5.1.1), escapes and prefixes do not make it another number",
);

/// A telephone number is dialled only if the file declares it, to the digit.
pub const DECLARED: Oracle = Oracle::new(
    "only declared numbers are dialled",
    "a number that nobody declared belongs to somebody who asked for no call (house rule of safety)",
);

/// Each round of percent-decoding writes the text anew.
const BOUND: Bound = Bound { per_byte: 2_048, fixed: 65_536 };
const FOREIGN: &str = "+14155552671";

type May = fn(&str, &Destinations) -> Result<Dial, String>;

/// One run.
pub fn run(bytes: &[u8]) {
    if let Some((0, drawn)) = bytes.split_first() {
        return value::<Disguise>(drawn).iter().for_each(|disguise| never(&disguise.text(), dial));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    declared(text, |text, file| allocating(BOUND, text.len(), || dial(text, file)));
}

fn dial(text: &str, file: &Destinations) -> Result<Dial, String> {
    may_dial(text, file, |_| true)
}

/// A file with these as the call's destination and as a foreign number.
fn file(call: &str, foreign: &str) -> Destinations {
    let call = Some(Destination { uri: call.into(), echo: false, record: false });
    Destinations { call, foreign_numbers: vec![foreign.into()], ..Destinations::default() }
}

/// [`NEVER`].
fn never(text: &str, may: May) {
    let outcome = may(text, &file("sip:echo@pbx", text));
    NEVER.holds(outcome.is_err(), || format!("{outcome:?} for {text:?}"));
}

/// [`DECLARED`].
fn declared(text: &str, may: May) {
    let outcome = may(text, &file("sip:echo@pbx", FOREIGN));
    let undeclared = text.split('<').filter_map(plain_number).find(|number| *number != FOREIGN);
    let sound = outcome.is_err() || undeclared.is_none();
    DECLARED.holds(sound, || format!("{outcome:?} for {text:?}, which has the number {undeclared:?}"));
}

/// The number of a text that is plainly one: a scheme or none, digits, visual separators, and a host.
fn plain_number(text: &str) -> Option<String> {
    let text = text.trim();
    let rest = ["sip:", "sips:", "tel:"].into_iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
    let user = if text.starts_with("tel:") { rest } else { rest.split_once('@')?.0 };
    let digits: String = user.chars().filter(|c| c.is_ascii_digit()).collect();
    let plain = !digits.is_empty() && user.chars().all(|c| c.is_ascii_digit() || "+-.()".contains(c));
    plain.then(|| format!("{}{digits}", if user.starts_with('+') { "+" } else { "" }))
}

fn accepts(bytes: &[u8]) -> bool {
    match bytes.split_first() {
        Some((0, drawn)) => value::<Disguise>(drawn).is_some(),
        _ => std::str::from_utf8(bytes).is_ok_and(|text| dial(text, &file(text, FOREIGN)).is_ok()),
    }
}

fn show(bytes: &[u8]) -> String {
    let text = match bytes.split_first() {
        Some((0, drawn)) => value::<Disguise>(drawn).map(|disguise| disguise.text()),
        _ => String::from_utf8(bytes.to_vec()).ok(),
    };
    let shown = text.as_deref().map(|text| (text, dial(text, &file("sip:echo@pbx", FOREIGN)), plain_number(text)));
    format!("text, outcome, and the number that is plainly there: {shown:#?}")
}

fn seeds() -> Vec<Seed> {
    const KEPT: [(&str, &str); 12] = [
        ("foreign", "sip:+14155552671@carrier.example.test;user=phone"),
        ("tel", "tel:+1-415-555-2671"),
        ("local", "tel:7042;phone-context=example.com"), // RFC 3966, section 6
        ("isub", "tel:+1-201-555-0123;isub=1411"),
        ("name", "\"Mr. Watson\" <sip:watson@example.test>;tag=1"),
        ("service", "urn:service:sos.fire"), // RFC 5031
        ("address", "sip:[2001:db8::1]:5060;transport=ws"),
        ("encoded", "sip:%39%31%31@pbx"),
        ("encoded-twice", "sip:%2539%2531%2531@pbx"),
        ("headers", "sip:echo@pbx?Replaces=a%3Bto-tag%3Db"),
        ("two-addresses", "<sip:+14155552671@pbx><sip:echo@pbx>"),
        ("other-digits", "sip:\u{663}\u{661}@pbx"),
    ];
    // Emergency and short numbers, in the clear and in disguise, and digits that are none of a telephone.
    let refused = ["local", "service", "encoded", "encoded-twice", "other-digits"];
    let kept = KEPT.iter().map(|(name, text)| Seed { valid: !refused.contains(name), ..Seed::valid(*name, *text) });
    let drawn = (0..16).map(|seed| Seed::valid(format!("drawn-{seed}"), [&[0], stretch(seed, 16).as_slice()].concat()));
    kept.chain(drawn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::caught;

    #[test]
    fn who_dials_everything_is_caught() {
        never("sip:9-1-1@pbx", dial);
        caught(&NEVER, || never("sip:9-1-1@pbx", |_, _| Ok(Dial::Foreign)));
        declared("tel:+1-415-555-2671", dial);
        caught(&DECLARED, || declared("tel:+49-30-1234567", |_, _| Ok(Dial::Own)));
    }

    #[test]
    fn who_looks_at_the_last_address_alone_is_caught() {
        caught(&DECLARED, || {
            declared("<sip:+49301234567@pbx><sip:+14155552671@pbx>", |text, file| {
                dial(text.rsplit('<').next().unwrap_or_default(), file)
            });
        });
    }

    #[test]
    fn a_disguise_is_seen_through() {
        for seed in 0..20_000 {
            run(&[&[0], stretch(seed, 3 + seed as usize % 20).as_slice()].concat());
        }
        assert_eq!(dial("tel:+1-415-555-2671", &file("sip:echo@pbx", FOREIGN)), Ok(Dial::Foreign));
    }
}
