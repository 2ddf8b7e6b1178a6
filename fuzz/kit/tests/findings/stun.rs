//! STUN readers.

use ezk_stun_types as ezk;
use ezk_stun_types::attributes::PasswordAlgorithms;
use ringfence_wire::Error;
use rtc_stun::message::{Getter, Message};
use rtc_stun::xoraddr::XorMappedAddress;

/// XOR-MAPPED-ADDRESS of one byte of address. RFC 8489, section 14.2: 32 bits.
pub fn a_short_address_is_filled_with_zeros(short: &[u8]) {
    let mut message = Message::new();
    message.unmarshal_binary(short).expect("a message");
    let mut address = XorMappedAddress::default();
    address.get_from(&message).expect("an address");
    assert_eq!(address.ip.to_string(), "192.0.0.0");
    let ours = ringfence_wire::stun::Message::parse(short);
    assert_eq!(ours, Err(Error::Truncated("XOR-MAPPED-ADDRESS")));
}

/// One algorithm, SHA-256, whose four bytes of parameters look like another one, MD5. RFC 8489, section 14.11: parameters follow their
/// length. Which algorithms a server named is what section 9.2.1 protects from being bid down.
pub fn parameters_are_read_as_another_algorithm(parameters: &[u8]) {
    let mut message = ezk::Message::parse(parameters.to_vec()).expect("a message");
    let read = message.attribute::<PasswordAlgorithms>().expect("the attribute").expect("its value");
    let algorithms: Vec<u16> = read.algorithms.iter().map(|(algorithm, _)| *algorithm).collect();
    assert_eq!(algorithms, [2, 1], "the standard says: SHA-256 alone, with four bytes of parameters");
}
