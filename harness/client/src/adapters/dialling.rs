//! The dialling rule: emergency, short and premium numbers are never dialled. It is compiled in, and no option, consent or
//! target file lifts it.
//!
//! A switch may add or strip prefixes before it dials, so a number is read as it stands and again without each leading
//! `+`, `00`, `011`, `0`, `9`, `8` and `7` in turn, and denied in any of these readings. Some harmless numbers are denied
//! with it; that is the cheaper mistake.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ringfence_model::target::Destinations;

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
/// Longest text that is looked at; a telephone number has 15 digits (ITU-T E.164).
const MAX_CHARACTERS: usize = 64;

/// Why this Request-URI or number is not dialled; `None` where it may be. What is no telephone number may: the rule is
/// about numbers, the scope about hosts.
pub fn denied(uri_or_number: &str, declared: &Destinations) -> Option<String> {
    let user = user_part(uri_or_number);
    if user.chars().any(|c| !c.is_ascii() && c.is_numeric()) {
        return Some(format!("`{user}` has digits that are not ASCII"));
    }
    let number = telephone_number(&user)?;
    if number.chars().count() > MAX_CHARACTERS {
        return Some("a number of more than 64 digits is no telephone number".into());
    }
    let readings = readings(&number);
    let denied = |why: &str, reading: &str| Some(format!("`{number}` is not dialled: {why} (read as {reading})"));
    if let Some(reading) = readings.iter().find(|reading| is_emergency(reading)) {
        return denied("emergency number or helpline", &reading.digits);
    }
    if is_declared_extension(uri_or_number, &number, declared) {
        return None;
    }
    if let Some(reading) = readings.iter().find(|reading| reading.is_short()) {
        return denied("short code", &reading.digits);
    }
    let expensive = |reading: &&Reading| EXPENSIVE_STARTS.iter().any(|start| reading.digits.starts_with(start));
    if let Some(reading) = readings.iter().find(expensive) {
        return denied("premium, shared-cost or satellite number", &reading.digits);
    }
    let own = destinations(declared).any(|uri| uri == uri_or_number);
    let foreign =
        || declared.foreign_numbers.iter().any(|text| telephone_number(&user_part(text)).as_ref() == Some(&number));
    if own || foreign() {
        return None;
    }
    Some(format!("`{number}` is not dialled: it stands neither in destinations nor in destinations.foreign_numbers"))
}

/// One way in which a switch may read a number.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Reading {
    /// With a leading `+` where that is not stripped yet.
    digits: String,
    /// A `+` was there at first, so the digits are a country code and what follows.
    international: bool,
}

impl Reading {
    fn is_short(&self) -> bool {
        self.digits.trim_start_matches('+').len() <= 6
    }
}

fn is_emergency(reading: &Reading) -> bool {
    let digits = reading.digits.trim_start_matches('+');
    let helpline = digits.len() == 3 && digits.parse().is_ok_and(|number: u16| (100..=119).contains(&number));
    digits.len() == 2
        || helpline
        || EMERGENCY.contains(&digits)
        || !reading.international && EMERGENCY_STARTS.iter().any(|start| digits.starts_with(start))
}

/// Every reading is a tail of the number, so there are few.
fn readings(number: &str) -> BTreeSet<Reading> {
    let mut found = BTreeSet::new();
    let mut open = vec![Reading { digits: number.to_owned(), international: false }];
    while let Some(reading) = open.pop() {
        for prefix in PREFIXES {
            if let Some(rest) = reading.digits.strip_prefix(prefix).filter(|rest| !rest.is_empty()) {
                let international = reading.international || prefix == "+";
                let next = Reading { digits: rest.to_owned(), international };
                if !found.contains(&next) {
                    open.push(next);
                }
            }
        }
        found.insert(Reading { international: reading.international || reading.digits.starts_with('+'), ..reading });
    }
    found
}

/// An extension of 3 to 6 digits that the target file declares, dialled exactly as it is written there.
fn is_declared_extension(written: &str, number: &str, declared: &Destinations) -> bool {
    let own = [&declared.call, &declared.recorded, &declared.rotating, &declared.callee];
    let extension = (3..=6).contains(&number.len()) && !number.starts_with('+');
    extension && own.into_iter().flatten().any(|destination| destination.uri == written)
}

fn destinations(declared: &Destinations) -> impl Iterator<Item = &str> {
    let Destinations { call, recorded, rotating, callee, transfer, .. } = declared;
    [call, recorded, rotating, callee, transfer].into_iter().flatten().map(|destination| destination.uri.as_str())
}

/// The user part of a SIP or SIPS URI, the number of a TEL URI, or the text itself; decoded, without parameters.
fn user_part(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix('<').unwrap_or(text);
    let rest = match text.split_once(':') {
        Some((scheme, rest)) if ["sip", "sips", "tel"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => rest,
        _ => text,
    };
    let user = rest.rsplit_once('@').map_or(rest, |(user, _)| user);
    let decoded = decode(user);
    decoded.split([';', ':', '?', '>', ',']).next().unwrap_or_default().to_owned()
}

/// Undoes percent-encoding until nothing changes: a proxy on the way may decode once more than we do.
fn decode(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    loop {
        let mut decoded = Vec::with_capacity(bytes.len());
        let mut rest = bytes.as_slice();
        while let Some((first, tail)) = rest.split_first() {
            let digits = tail.get(..2).filter(|_| *first == b'%').and_then(|pair| std::str::from_utf8(pair).ok());
            let byte = digits.filter(|pair| !pair.starts_with('+')).and_then(|pair| u8::from_str_radix(pair, 16).ok());
            decoded.push(byte.unwrap_or(*first));
            rest = if byte.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
        }
        if decoded == bytes {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        bytes = decoded;
    }
}

/// The digits, with a leading `+` kept, if the text is a number at all. Star and hash are dropped: feature codes dial what
/// stands behind them.
fn telephone_number(user: &str) -> Option<String> {
    if user.parse::<IpAddr>().is_ok() {
        return None;
    }
    let kept: String =
        user.chars().filter(|c| !matches!(c, ' ' | '\t' | '-' | '.' | '(' | ')' | '/' | '*' | '#')).collect();
    let digits = kept.replace('+', "");
    let number = if kept.starts_with('+') { format!("+{digits}") } else { digits.clone() };
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(number)
}

#[cfg(test)]
mod tests {
    use ringfence_model::target::Destination;

    use super::*;

    fn declared(call: &str, foreign: &[&str]) -> Destinations {
        let call = Some(Destination { uri: call.into(), echo: false, record: false });
        Destinations {
            call,
            foreign_numbers: foreign.iter().map(|text| (*text).into()).collect(),
            ..Destinations::default()
        }
    }

    #[track_caller]
    fn case(text: &str, reason: Option<&str>) {
        // Even a file that declares the very text does not lift the rule.
        let found = denied(text, &declared("configured", &[text]));
        match reason {
            None => assert_eq!(found, None, "{text}"),
            Some(reason) => assert!(found.as_ref().is_some_and(|why| why.contains(reason)), "{text}: {found:?}"),
        }
    }

    #[test]
    fn emergency_numbers_in_every_disguise() {
        for text in [
            "911",
            "112",
            "999",
            "000",
            "110",
            "119",
            "100",
            "988",
            "sip:911@pbx",
            "sips:112@pbx",
            "tel:911",
            "tel:+112",
            "9911",
            "sip:9-911@pbx",
            "00112",
            "011911",
            "0911",
            "+911",
            "sip:%39%31%31@pbx",
            "sip:%2539%2531%2531@pbx",
            "sip:9.1(1)@pbx",
            "sip:911;phone-context=+1@pbx",
            "sip:911:secret@pbx",
            "SIP:911@pbx",
            "<sip:911@pbx>",
            "*911#",
            "9118885551234",
            "15",
            "sip:15@pbx",
            "789 112",
            "tel:911",
            "sip:911",
        ] {
            case(text, Some("emergency"));
        }
        case("sip:９１１@pbx", Some("not ASCII"));
    }

    #[test]
    fn short_and_expensive_numbers() {
        for text in ["1234", "sip:123456@pbx", "+12345", "4", "9123456"] {
            case(text, Some("not dialled"));
        }
        for text in [
            "+1 900 555 1234",
            "0019005551234",
            "011 1 976 555 1234",
            "+44 9011 123456",
            "+448715551234",
            "+49 180 5551234",
            "0900 1234567",
            "01805551234",
            "+882 1234567890",
            "+88312345678",
            "+881 612345678",
            "+979 123456789",
            "9 1 900 555 1234",
            "+43 900 123456",
            "+33 890 123456",
        ] {
            case(text, Some("not dialled"));
        }
    }

    #[test]
    fn what_is_declared_or_no_number_is_dialled() {
        for text in [
            "sip:app-4e4e-0000@sip.test",
            "sip:echo@pbx",
            "sip:2c2c2c2c2c2c@pbx",
            "configured",
            "sip:127.0.0.1",
            "",
            "+49 30 1234567",
            "tel:+1-415-555-2671",
            "sip:+14155552671;user=phone@pbx",
            "+447400123456",
        ] {
            case(text, None);
        }
    }

    #[test]
    fn foreign_numbers_are_those_of_the_file_to_the_digit() {
        let file = declared("configured", &["tel:+1-415-555-2671"]);
        assert_eq!(denied("sip:+14155552671@pbx", &file), None);
        for other in ["sip:14155552671@pbx", "+14155552672", "9+14155552671", "0014155552671"] {
            assert!(denied(other, &file).is_some(), "{other}");
        }
        assert_eq!(denied("sip:+14155552671@pbx", &declared("sip:+14155552671@pbx", &[])), None);
    }

    #[test]
    fn a_declared_extension_is_dialled_exactly_as_written() {
        let file = declared("sip:1600@pbx", &[]);
        assert_eq!(denied("sip:1600@pbx", &file), None);
        for other in ["sip:1600@other", "1600", "sip:1601@pbx", "sip:91600@pbx", "sip:16%300@pbx"] {
            assert!(denied(other, &file).is_some(), "{other}");
        }
        for emergency in ["sip:112@pbx", "sip:9112@pbx", "sip:110@pbx", "sip:9911@pbx"] {
            assert!(denied(emergency, &declared(emergency, &[])).is_some(), "{emergency}");
        }
        assert_eq!(denied("sip:9196@pbx", &declared("sip:9196@pbx", &[])), None);
    }
}
