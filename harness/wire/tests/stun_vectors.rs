//! RFC 5769, sections 2.1 to 2.4, and what a reader has to refuse.

use ringfence_wire::Error;
use ringfence_wire::stun::*;

const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";
const REQUEST: &str = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74\
    002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020\
    000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";
const RESPONSE_V4: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220\
    002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";
const RESPONSE_V6: &str = "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220\
    002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed41\
    80280004c8fb0b4c";
const LONG_TERM: &str = "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b90000\
    0015001c662f2f3439396b39353464364f4c33346f4c394653547679363473410014000b6578616d706c652e6f726700\
    00080014f67024656dd64a3e02b8e0712e85c9a28ca89666";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn section_2_1_request() {
    let bytes = hex(REQUEST);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.class, message.method), (Class::Request, Method::BINDING));
    assert_eq!(message.username(), Some("evtj:h6vY"));
    let expected = [
        Attribute::Software("STUN test client".into()),
        Attribute::Priority(0x6e00_01ff),
        Attribute::IceControlled(0x932f_f9b1_5126_3b36),
        Attribute::Username("evtj:h6vY".into()),
    ];
    assert!(message.trusted().eq(&expected));
    assert_eq!(verify_integrity(&bytes, PASSWORD), Ok(()));
    assert_eq!(verify_integrity(&bytes, b"wrong"), Err(Error::Unverified("MESSAGE-INTEGRITY")));
    assert_eq!(verify_fingerprint(&bytes), Ok(()));
}

#[test]
fn sections_2_2_and_2_3_responses() {
    for (text, address) in
        [(RESPONSE_V4, "192.0.2.1:32853"), (RESPONSE_V6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")]
    {
        let bytes = hex(text);
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.class, Class::Success);
        assert_eq!(message.mapped_address(), Some(address.parse().unwrap()));
        assert_eq!(verify_integrity(&bytes, PASSWORD), Ok(()));
        assert_eq!(verify_fingerprint(&bytes), Ok(()));
    }
}

#[test]
fn section_2_4_long_term_is_written_byte_for_byte() {
    let bytes = hex(LONG_TERM);
    let key = long_term_key("マトリックス", "example.org", "TheMatrIX");
    let parsed = Message::parse(&bytes).unwrap();
    let made = Message::new(Class::Request, Method::BINDING, parsed.transaction)
        .with(Attribute::Username("マトリックス".into()))
        .with(Attribute::Nonce("f//499k954d6OL34oL9FSTvy64sA".into()))
        .with(Attribute::Realm("example.org".into()))
        .signed(&key)
        .unwrap();
    assert_eq!(made.emit().unwrap(), bytes);
    assert_eq!(made, parsed);
    assert_eq!(verify_integrity(&bytes, &key), Ok(()));
    assert_eq!(verify_fingerprint(&bytes), Err(Error::Missing("FINGERPRINT")));
}

#[test]
fn each_flipped_bit_breaks_the_integrity() {
    let bytes = hex(LONG_TERM);
    let key = long_term_key("マトリックス", "example.org", "TheMatrIX");
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(verify_integrity(&flipped, &key).is_err(), "bit {bit}");
    }
}

#[test]
fn what_follows_the_integrity_is_not_trusted() {
    let late = Message::new(Class::Success, Method::BINDING, [1; 12])
        .signed(PASSWORD)
        .unwrap()
        .with(Attribute::XorMappedAddress("192.0.2.1:1".parse().unwrap()));
    let bytes = late.emit().unwrap();
    assert_eq!(verify_integrity(&bytes, PASSWORD), Ok(()));
    assert_eq!(Message::parse(&bytes).unwrap().mapped_address(), None);
}

#[test]
fn what_follows_the_other_integrity_is_not_trusted_either() {
    let sha256 = Attribute::Other { kind: 0x001c, value: vec![7; 32] };
    let message =
        Message::new(Class::Success, Method::BINDING, [1; 12]).with(Attribute::Realm("a".into())).with(sha256);
    let late = message.with(Attribute::XorMappedAddress("192.0.2.1:1".parse().unwrap()));
    let read = Message::parse(&late.emit().unwrap()).unwrap();
    assert_eq!((read.realm(), read.mapped_address()), (Some("a"), None));
}

#[test]
fn a_fingerprint_has_to_be_the_last() {
    let early = Message::new(Class::Request, Method::BINDING, [1; 12]).fingerprinted().unwrap();
    assert_eq!(verify_fingerprint(&early.emit().unwrap()), Ok(()));
    let bytes = early.with(Attribute::UseCandidate).emit().unwrap();
    assert_eq!(verify_fingerprint(&bytes), Err(Error::Unverified("FINGERPRINT")));
}

#[test]
fn wrong_messages_name_the_field() {
    let raw = |kind, value: &[u8]| {
        let attribute = Attribute::Other { kind, value: value.to_vec() };
        Message::parse(&Message::new(Class::Error, Method::BINDING, [0; 12]).with(attribute).emit().unwrap())
    };
    assert_eq!(raw(0x0020, &[0, 3, 0, 0, 0, 0, 0, 0]), Err(Error::Invalid("XOR-MAPPED-ADDRESS")));
    assert_eq!(raw(0x0020, &[0, 2, 0, 0, 0, 0, 0, 0]), Err(Error::Truncated("XOR-MAPPED-ADDRESS")));
    assert_eq!(raw(0x0009, &[0, 0, 7, 64]), Err(Error::Invalid("ERROR-CODE")));
    assert_eq!(raw(0x0008, &[0; 21]), Err(Error::Invalid("MESSAGE-INTEGRITY")));
    assert_eq!(raw(0x0006, &[0xff]), Err(Error::NotUtf8("USERNAME")));
    let mut bytes = hex(RESPONSE_V4);
    bytes.pop();
    assert!(matches!(Message::parse(&bytes), Err(Error::Length { stated: 60, actual: 59, .. })));
    bytes[4] = 0;
    assert!(!is_stun(&bytes));
    let many =
        (0..65).fold(Message::new(Class::Request, Method::BINDING, [0; 12]), |m, _| m.with(Attribute::UseCandidate));
    let many = many.emit().unwrap();
    assert_eq!(Message::parse(&many), Err(Error::TooLarge { field: "number of STUN attributes", limit: 64 }));
}
