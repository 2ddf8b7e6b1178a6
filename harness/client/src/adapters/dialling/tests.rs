//! The rule by example, and by property: no decoration gets a denied number through.

use proptest::prelude::*;
use ringfence_model::target::{Destination, Destinations};

use super::*;

fn declared(call: &str, foreign: &[&str]) -> Destinations {
    let call = Some(Destination { uri: call.into(), echo: false, record: false });
    Destinations {
        call,
        foreign_numbers: foreign.iter().map(|text| (*text).into()).collect(),
        ..Destinations::default()
    }
}

/// Even a file that declares the very text, in every way that a file can, does not lift the rule.
fn even_if_declared(text: &str) -> Result<Dial, String> {
    let everywhere = Some(Destination { uri: text.into(), echo: true, record: true });
    let file = Destinations { transfer: everywhere.clone(), recorded: everywhere, ..declared(text, &[text]) };
    may_dial(text, &file, |_| true)
}

#[track_caller]
fn denied(text: &str, reason: &str) {
    let why = even_if_declared(text).expect_err(text);
    assert!(why.contains(reason), "{text}: {why}");
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
        "sip:911",
        "sip:911@pbx?Subject=a@b",
        "sip:911%40pbx@carrier",
        "\"a\" <sip:911@pbx>",
        "sip:sip:911@pbx",
        "sip:9\u{2011}1\u{2011}1@pbx",
        "sip:911p1@pbx",
        "sip:sos@pbx",
        "sip:sos.fire@pbx",
        "sip://911@pbx",
        "tel:11234567;phone-context=9",
        "sip:911&alice@pbx",
        "sip:0.0.0.0@pbx",
    ] {
        denied(text, "emergency");
    }
    denied("sip:９１１@pbx", "not ASCII");
    denied("urn:service:sos", "neither sip");
    denied("callto:911", "neither sip");
    denied("tel:call-me", "cannot be read");
    denied("sip:helpme;x=1@pbx;user=phone", "cannot be read");
}

#[test]
fn short_and_expensive_numbers() {
    for text in [
        "1234",
        "sip:123456@pbx",
        "sip:1.1.0.0@pbx",
        "sip:1234567@pbx;phone-context=+1900",
        "+12345",
        "4",
        "sip:4@pbx",
        "9123456",
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
        "+49 137 1234567",
        "+41 901 234567",
        "+39 892 123456",
        "808 1234567",
        "0137 1234567",
        "0190 123456",
    ] {
        let why = may_dial(text, &declared("configured", &[text]), |_| true).expect_err(text);
        assert!(why.contains("not dialled"), "{text}: {why}");
    }
}

#[test]
fn what_is_declared_or_no_number_is_dialled() {
    for text in
        ["sip:app-4e4e-0000@sip.test", "sip:echo@pbx", "sip:2c2c2c2c2c2c@pbx", "configured", "sip:127.0.0.1", ""]
    {
        assert_eq!(may_dial(text, &declared("configured", &[]), |_| false), Ok(Dial::Own), "{text}");
    }
    for text in ["sip:[2001:db8::1]:5060", "sip:127.0.0.1:5060;transport=ws", "sip:@pbx", "<sip:echo@pbx>;tag=1"] {
        assert_eq!(may_dial(text, &declared("configured", &[]), |_| false), Ok(Dial::Own), "{text}");
    }
    for text in ["+49 30 1234567", "tel:+1-415-555-2671", "sip:+14155552671;user=phone@pbx", "+447400123456"] {
        assert_eq!(may_dial(text, &declared("configured", &[text]), |_| false), Ok(Dial::Foreign), "{text}");
        assert_eq!(may_dial(text, &declared(text, &[text]), |_| false), Ok(Dial::Own), "{text}");
        assert!(may_dial(text, &declared("configured", &[]), |_| false).is_err(), "{text}");
    }
}

#[test]
fn foreign_numbers_are_those_of_the_file_to_the_digit() {
    let file = declared("configured", &["tel:+1-415-555-2671"]);
    let dial = |text: &str| may_dial(text, &file, |_| true);
    assert_eq!(dial("sip:+14155552671@pbx"), Ok(Dial::Foreign));
    for other in ["sip:14155552671@pbx", "+14155552672", "9+14155552671", "0014155552671"] {
        assert!(dial(other).is_err(), "{other}");
    }
    let bare = declared("+14155552671", &[]);
    assert_eq!(may_dial("sip:+14155552671@pbx", &bare, |_| false), Ok(Dial::Own), "a bare name gets the realm");
}

/// A switch may take the first angle bracket of a text, or the last.
#[test]
fn every_address_of_a_text_is_declared() {
    let file = declared("sip:echo@pbx", &["+14155552671"]);
    let dial = |text: &str| may_dial(text, &file, |_| true);
    assert_eq!(dial("<sip:+14155552671@pbx><sip:echo@pbx>"), Ok(Dial::Foreign));
    assert_eq!(dial("\"tel:+14155552671\" <sip:+14155552671@pbx>"), Ok(Dial::Foreign));
    for text in ["<sip:+49301234567@pbx><sip:+14155552671@pbx>", "<sip:+14155552671@pbx><sip:+49301234567@pbx>"] {
        assert!(dial(text).is_err(), "{text}");
    }
}

#[test]
fn a_declared_extension_is_dialled_exactly_as_written_on_the_own_realm() {
    let pbx = |host: &str| host == "pbx";
    for extension in ["700", "600", "1600", "8000", "7000", "9196", "123456"] {
        let uri = format!("sip:{extension}@pbx");
        for file in [declared(&uri, &[]), declared(extension, &[])] {
            assert_eq!(may_dial(&uri, &file, pbx), Ok(Dial::Own), "{uri}");
            assert!(may_dial(&uri, &file, |_| false).is_err(), "{uri} on another realm");
            for other in ["sip:{}@other", "sip:{}1@pbx", "sip:9{}@pbx", "sip:{};x=1@pbx", "tel:{}"] {
                let other = other.replace("{}", extension);
                assert!(may_dial(&other, &file, pbx).is_err(), "{other} for {uri}");
            }
        }
    }
    let transfer = Destinations { transfer: declared("sip:700@pbx", &[]).call, ..Destinations::default() };
    assert!(may_dial("sip:700@pbx", &transfer, pbx).is_err(), "a transfer is no such destination");
    for emergency in ["112", "9112", "110", "9911", "0110", "0112", "999", "9110", "1121", "000", "15", "0000", "9988"]
    {
        denied(&format!("sip:{emergency}@pbx"), "emergency");
    }
}

/// A number that is denied, whatever is declared, behind prefixes that a switch may strip.
fn denied_number() -> impl Strategy<Value = String> {
    let emergency = prop::sample::select(vec!["911", "112", "999", "000", "110", "115", "933", "988", "995", "997"]);
    let start = prop::sample::select(EXPENSIVE_STARTS.to_vec());
    let prefix = |all: &[&'static str]| prop::collection::vec(prop::sample::select(all.to_vec()), 0..3);
    let anywhere = prop_oneof![
        emergency.prop_map(str::to_owned),
        "[0-9]{2}",
        (start, "[0-9]{6,9}").prop_map(|(start, rest)| format!("{start}{rest}")),
    ];
    // Behind a `+` stands a country code, and +1 125 is no emergency.
    let national = "(911|112|999|000)[0-9]{1,9}";
    prop_oneof![
        (prefix(&PREFIXES), anywhere).prop_map(|(prefix, number)| prefix.concat() + &number),
        (prefix(&PREFIXES[1..]), national).prop_map(|(prefix, number)| prefix.concat() + &number),
    ]
}

/// Separators that a switch drops.
fn separator() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(String::new()),
        1 => "[-. ()/*#_~'\t]{1,2}",
        1 => prop::sample::select(vec!["\u{2011}", "\u{a0}", "\u{200b}", "%20", "%2D", "%00", "%E2%80%8B"]).prop_map(str::to_owned),
    ]
}

/// One digit: as it is, or percent-encoded up to twice.
fn encoded(digit: char, times: u8) -> String {
    match times {
        0 => digit.to_string(),
        1 => format!("%{:02x}", digit as u32),
        _ => format!("%25{:02X}", digit as u32),
    }
}

fn decorated() -> impl Strategy<Value = String> {
    let digits = denied_number().prop_flat_map(|number| {
        let count = number.chars().count();
        (Just(number), prop::collection::vec((separator(), 0u8..3), count))
    });
    let user = digits.prop_map(|(number, how)| -> String {
        number.chars().zip(how).map(|(digit, (before, times))| before + &encoded(digit, times)).collect()
    });
    let shape = prop::sample::select(vec![
        "{}",
        "tel:{}",
        "TEL:{};ext=7",
        "sip:{}@pbx",
        "SIPS:{}@pbx.test:5061",
        "sip:{};phone-context=+49@pbx",
        "Sip:{}:pw@pbx",
        "sip:{}@pbx;user=phone",
        "sip:{}@pbx?Subject=x",
        "<sip:{}@pbx>;tag=1",
        "\"x\" <tel:{}>",
        "sip:{},,1@pbx",
        "sip:{}w1@pbx",
        " sip: {}@pbx",
        "sip:{}%40pbx@x.test",
        "sip:{}%3Bx@pbx",
        "sip:sip:{}@pbx",
        "{}@pbx",
    ]);
    (user, shape).prop_map(|(user, shape)| shape.replace("{}", &user))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Percent-encoding, separators, prefixes, parameters, schemes and their case, user info: denied all the same, although
    /// the file declares the number as a foreign one and the text as every destination but an extension.
    #[test]
    fn no_decoration_gets_a_denied_number_through(text in decorated()) {
        let everywhere = declared("configured", &[&text, "911", "112", "+19005551234"]);
        prop_assert!(may_dial(&text, &everywhere, |_| true).is_err(), "{text:?}");
    }

    /// Digits of other scripts are no way in.
    #[test]
    fn unicode_digits_are_denied(zero in prop::sample::select(vec!['٠', '०', '０', '𝟎', '๐']), digits in "[0-9]{3,12}") {
        let other = |digit: char| char::from_u32(zero as u32 + digit.to_digit(10).unwrap_or(0)).unwrap_or(zero);
        let text: String = digits.chars().map(other).collect();
        prop_assert!(may_dial(&format!("sip:{text}@pbx"), &declared("configured", &[]), |_| true).is_err(), "{text}");
    }

    /// Nothing that is written makes it panic.
    #[test]
    fn any_text_is_read(text in "\\PC{0,80}") {
        let _ = may_dial(&text, &Destinations::default(), |_| false);
    }
}
