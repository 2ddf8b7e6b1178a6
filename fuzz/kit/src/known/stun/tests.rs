//! Differences explain what the peer is known to say, and nothing else.

use super::*;

/// What explains an answer of that peer to a question about the example of one of its differences.
fn explained(parser: &str, id: &str, asked: Asked, ours: Seen, theirs: Seen) -> Option<&'static str> {
    let of = |known: &&Difference<Case>| known.parser == parser;
    let example = DIFFERENCES.iter().filter(of).find(|known| known.id == id).expect("it is one of them").example;
    let case = Case { bytes: example.to_vec(), asked, ours, error: None, theirs };
    DIFFERENCES.iter().filter(of).find(|known| (known.explains)(&case)).map(|known| known.id)
}

fn is(bytes: &[u8]) -> Seen {
    Seen::Is(bytes.to_vec())
}

#[test]
fn even_port_is_what_its_byte_says() {
    let id = "even-port-is-one"; // 0x80 in the example
    let ask = |theirs| explained("ezk-stun-types", id, Asked::Value(EVEN_PORT), is(&[1]), theirs);
    assert_eq!(ask(is(&[0])), Some(id));
    for theirs in [is(&[]), is(&[7]), Seen::Refused, Seen::Absent] {
        assert_eq!(ask(theirs.clone()), None, "{theirs:?}");
    }
}

#[test]
fn an_error_code_has_the_bits_that_the_peer_looks_at() {
    for (parser, id, known) in
        [("rtc-stun", "reserved-bits-of-error-code", 0xff_u8), ("ezk-stun-types", "class-of-four-bits", 0x0f)]
    {
        let example = DIFFERENCES.iter().find(|one| (one.parser, one.id) == (parser, id)).expect("one of them").example;
        let [.., bits, number] = example else { panic!("{id} has a code at its end") };
        let said = |class: u8| is(&(u32::from(bits & class) * 100 + u32::from(*number)).to_be_bytes());
        let ask = |theirs| explained(parser, id, Asked::Value(ERROR_CODE), said(7), theirs);
        assert_eq!(ask(said(known)), Some(id));
        for theirs in [said(0), Seen::Refused, Seen::Absent] {
            assert_eq!(ask(theirs.clone()), None, "{parser}: {theirs:?}");
        }
        assert_eq!(explained(parser, id, Asked::Integrity, is(&[]), Seen::Refused), None, "another question");
    }
}

#[test]
fn the_old_type_is_the_new_one_and_nothing_more() {
    let id = "old-xor-mapped-address";
    let example = DIFFERENCES.iter().find(|one| one.id == id).expect("one of them").example;
    let [address] = spans(example).collect::<Vec<_>>()[..] else { panic!("the example has one attribute") };
    let value = &example[address.value()..address.value() + address.length];
    let listed = |kind: u16| is(&[&kind.to_be_bytes()[..], &(value.len() as u32).to_be_bytes(), value].concat());
    let ask = |asked, ours, theirs| explained("rtc-stun", id, asked, ours, theirs);
    let ours = listed(OLD_MAPPED_ADDRESS);
    assert_eq!(ask(Asked::Attributes, ours.clone(), listed(XOR_MAPPED_ADDRESS)), Some(id));
    assert_eq!(ask(Asked::Attributes, ours.clone(), listed(0x0021)), None);
    assert_eq!(ask(Asked::Attributes, ours, is(&[])), None);
    let mapped = Asked::Value(XOR_MAPPED_ADDRESS);
    assert_eq!(ask(mapped, Seen::Absent, xor_address(value, example)), Some(id));
    assert_eq!(ask(mapped, Seen::Absent, is(&[127, 0, 0, 1, 0, 9])), None);
}
