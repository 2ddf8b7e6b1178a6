//! The dialling rule: emergency, short and premium numbers are never dialled. It is compiled in, and no option, consent or
//! target file lifts it.
//!
//! A switch may add or strip prefixes before it dials, so a number is read as it stands and again without each leading
//! `+`, `00`, `011`, `0`, `9`, `8` and `7` in turn, and denied in any of these readings. Some harmless numbers are denied
//! with it; that is the cheaper mistake.
//!
//! One exception: an extension of 3 to 6 digits that the target file declares as a destination on the operator's own realm,
//! dialled exactly as it is written there. It is read as it stands and again without what asks a switch for an outside line,
//! and must be no emergency number of three digits in any of these readings.

mod written;

use std::collections::BTreeSet;

use ringfence_model::target::{Destination, Destinations};

use written::Written;

/// Dials of foreign numbers in one run.
pub const FOREIGN_DIALS: u32 = 12;

/// Emergency numbers and helplines beside 100 to 119 and every number of two digits.
const EMERGENCY: [&str; 8] = ["000", "911", "933", "988", "995", "997", "998", "999"];
/// A switch that dials overlapped has rung these before the rest of the digits arrives.
const EMERGENCY_STARTS: [&str; 4] = ["000", "112", "911", "999"];
/// Premium, shared-cost and satellite numbers: with country code, then as a national number is written.
const EXPENSIVE_STARTS: [&str; 27] = [
    "1900", "1976", "449", "44870", "44871", "44872", "44873", "49900", "49180", "49137", "3389", "439", "4190",
    "3989", "808", "878", "881", "882", "883", "888", "979", "870", "0190", "0900", "0180", "0137", "118",
];
const PREFIXES: [&str; 7] = ["+", "00", "011", "0", "9", "8", "7"];
/// What asks a switch for an outside line, and what may follow.
const OUTSIDE_LINE: [&str; 4] = ["00", "011", "0", "9"];
/// Most digits that are looked at; a telephone number has 15 (ITU-T E.164).
const MAX_DIGITS: usize = 64;
/// A number of up to so many digits is a short code.
const SHORT_CODE_DIGITS: usize = 6;

/// Whom a permitted dial would reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dial {
    /// A destination of the operator's, or a user that is no telephone number.
    Own,
    /// A number of `destinations.foreign_numbers`: at most [`FOREIGN_DIALS`] in a run.
    Foreign,
}

/// Whether a Request-URI, a Refer-To or a bare number may be dialled. What is no telephone number may: this rule is about
/// numbers, the scope about hosts. `own_realm` says whether a host is the operator's.
///
/// # Errors
/// Why not, with the entry of the rule.
pub fn may_dial(text: &str, declared: &Destinations, own_realm: impl Fn(&str) -> bool) -> Result<Dial, String> {
    let written = Written::read(text)?;
    let extension = is_declared_extension(text, &written, declared, own_realm);
    for number in &written.numbers {
        permitted(number, extension)?;
    }
    let mut dial = Dial::Own;
    for number in &written.addressed {
        let is_number = |text: &str| Written::read(text).is_ok_and(|other| other.addressed.last() == Some(number));
        if destinations(declared).any(|destination| is_number(&destination.uri)) {
            continue;
        }
        if !declared.foreign_numbers.iter().any(|text| is_number(text)) {
            let nowhere = "it stands neither in destinations nor in destinations.foreign_numbers";
            return Err(format!("`{number}` is not dialled: {nowhere}"));
        }
        dial = Dial::Foreign;
    }
    Ok(dial)
}

/// The part of the rule that no file lifts.
fn permitted(number: &str, extension: bool) -> Result<(), String> {
    if number.len() > MAX_DIGITS {
        return Err(format!("a number of more than {MAX_DIGITS} digits is no telephone number"));
    }
    let denied = |why: &str, reading: &str| Err(format!("`{number}` is not dialled: {why} (read as {reading})"));
    if extension {
        return match readings(number, &OUTSIDE_LINE).iter().find(|reading| rings_emergency(reading)) {
            Some(reading) => denied("emergency number or helpline", &reading.text),
            None => Ok(()),
        };
    }
    let readings = readings(number, &PREFIXES);
    let emergency = |reading: &&Reading| reading.digits().len() == 2 || rings_emergency(reading);
    if let Some(reading) = readings.iter().find(emergency) {
        return denied("emergency number or helpline", &reading.text);
    }
    if let Some(reading) = readings.iter().find(|reading| reading.digits().len() <= SHORT_CODE_DIGITS) {
        return denied("short code", &reading.text);
    }
    let expensive = |reading: &&Reading| EXPENSIVE_STARTS.iter().any(|start| reading.text.starts_with(start));
    match readings.iter().find(expensive) {
        Some(reading) => denied("premium, shared-cost or satellite number", &reading.text),
        None => Ok(()),
    }
}

/// An emergency number or helpline of three digits, or what begins with one where no `+` says that a country code stands
/// there.
fn rings_emergency(reading: &Reading) -> bool {
    let digits = reading.digits();
    let helpline = digits.len() == 3 && digits.parse().is_ok_and(|number: u16| (100..=119).contains(&number));
    helpline
        || EMERGENCY.contains(&digits)
        || !reading.international && EMERGENCY_STARTS.iter().any(|start| digits.starts_with(start))
}

/// One way in which a switch may read a number.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Reading {
    /// With a leading `+` where that is not stripped yet.
    text: String,
    /// A `+` was there at first, so the digits are a country code and what follows.
    international: bool,
}

impl Reading {
    fn digits(&self) -> &str {
        self.text.trim_start_matches('+')
    }
}

/// Every reading is a tail of the number, so there are few.
fn readings(number: &str, prefixes: &[&str]) -> BTreeSet<Reading> {
    let mut found = BTreeSet::new();
    let mut open = vec![Reading { text: number.to_owned(), international: number.starts_with('+') }];
    while let Some(reading) = open.pop() {
        for prefix in prefixes {
            if let Some(rest) = reading.text.strip_prefix(*prefix).filter(|rest| !rest.is_empty()) {
                let next = Reading { text: rest.to_owned(), international: reading.international };
                if !found.contains(&next) {
                    open.push(next);
                }
            }
        }
        found.insert(reading);
    }
    found
}

/// An extension of 3 to 6 digits that the target file declares, dialled exactly as it is written there; one that is written
/// without a host belongs to the realm.
fn is_declared_extension(
    text: &str,
    written: &Written,
    declared: &Destinations,
    own_realm: impl Fn(&str) -> bool,
) -> bool {
    let [number] = written.numbers.as_slice() else { return false };
    let own = [&declared.call, &declared.recorded, &declared.rotating, &declared.callee].into_iter().flatten();
    let bare = text.strip_prefix("sip:").or(text.strip_prefix("sips:")).unwrap_or(text);
    let plain = bare.strip_prefix(number.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('@'));
    plain
        && (3..=SHORT_CODE_DIGITS).contains(&number.len())
        && !number.starts_with('+')
        && own.into_iter().any(|destination| destination.uri == text || destination.uri == *number)
        && written.host.as_deref().is_none_or(own_realm)
}

fn destinations(declared: &Destinations) -> impl Iterator<Item = &Destination> {
    let Destinations { call, recorded, rotating, callee, transfer, foreign_numbers: _ } = declared;
    [call, recorded, rotating, callee, transfer].into_iter().flatten()
}

#[cfg(test)]
mod tests;
