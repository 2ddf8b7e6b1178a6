//! Numbers that are never dialled, and the ways to write them.

use arbitrary::Arbitrary;

/// Emergency numbers and what begins with one, helplines, numbers of two digits, short codes, expensive ones: each stays what it is
/// behind the digits that ask for an outside line.
#[rustfmt::skip]
const DENIED: [&str; 32] = [
    "911", "112", "999", "000", "110", "115", "119", "933", "988", "995", "997", "998", "15", "17", "1234", "123456", "9115551234",
    "1125551234", "19005551234", "19765551234", "4490123456", "448715551234", "49900123456", "491805551234", "43900123456",
    "882123456789", "883123456789", "979123456789", "870123456789", "808123456", "878123456789", "888123456789",
];
const PREFIXES: [&str; 8] = ["", "+", "00", "011", "0", "9", "8", "7"];
/// Separators that a switch drops, and characters that it never sees.
#[rustfmt::skip]
const SEPARATORS: [&str; 16] = [
    "", "", "", "", "-", ".", " ", "(", ")", "/", "*", "#", "\u{2011}", "\u{a0}", "\u{200b}", "%20",
];
/// Where the number stands.
#[rustfmt::skip]
const SHAPES: [&str; 32] = [
    "{}", "tel:{}", "TEL:{};ext=7", "sip:{}@pbx", "SIPS:{}@pbx.test:5061", "sip:{};phone-context=+49@pbx", "Sip:{}:pw@pbx",
    "sip:{}@pbx;user=phone", "sip:{}@pbx?Subject=x", "<sip:{}@pbx>;tag=1", "\"x\" <tel:{}>", "sip:{},,1@pbx", "sip:{}w1@pbx",
    " sip: {}@pbx", "sip:{}%40pbx@x.test", "sip:{}%3Bx@pbx", "sip:sip:{}@pbx", "{}@pbx", "sip:{}p@pbx", "sip://{}@pbx",
    "sip:{}&a@pbx", "sip:{}|a@pbx", "sip:{}!a@pbx", "tel:{};phone-context=example.test", "sip:{}@[2001:db8::1]", "<sip:{}@pbx",
    "sip:{}@pbx>", "sip:{}", "tel:{};isub=1", "sip:{}@127.0.0.1", "<sip:echo@pbx><sip:{}@pbx>", "<sip:{}@pbx><sip:echo@pbx>",
];

/// A number that no file lifts the rule for, as somebody writes it who wants it dialled.
#[derive(Arbitrary, Clone, Debug)]
pub struct Disguise {
    number: u8,
    prefix: u8,
    shape: u8,
    /// For each character: a separator before it, and how often it is percent-encoded.
    how: Vec<u8>,
}

impl Disguise {
    /// The text.
    pub fn text(&self) -> String {
        let number = DENIED[usize::from(self.number % 32)];
        // Behind a `+` stands a country code: +1 125 is no emergency, and +11 25 no number.
        let international = ["+", "00", "011"].contains(&PREFIXES[usize::from(self.prefix % 8)]);
        let longer = number.len() > 8 && ["911", "112"].iter().any(|start| number.starts_with(start));
        let prefix = if international && longer { "9" } else { PREFIXES[usize::from(self.prefix % 8)] };
        let mut how = self.how.iter().copied().chain(std::iter::repeat(0));
        let digits = format!("{prefix}{number}").chars().fold(String::new(), |mut text, digit| {
            let how = how.next().unwrap_or_default();
            text.push_str(SEPARATORS[usize::from(how & 15)]);
            match how >> 4 & 3 {
                0 | 1 => text.push(digit),
                2 => text.push_str(&format!("%{:02x}", u32::from(digit))),
                _ => text.push_str(&format!("%25{:02X}", u32::from(digit))),
            }
            text
        });
        SHAPES[usize::from(self.shape % 32)].replace("{}", &digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::{stretch, value};

    #[test]
    fn there_are_many_disguises_and_plain_numbers_too() {
        let texts: std::collections::BTreeSet<String> = (0..4_000)
            .filter_map(|seed| value::<Disguise>(&stretch(seed, 3 + seed as usize % 12)))
            .map(|one| one.text())
            .collect();
        assert!(texts.len() > 2_000, "{}", texts.len());
        assert!(texts.iter().any(|text| text.contains("%25")) && texts.iter().any(|text| !text.contains('%')));
    }
}
