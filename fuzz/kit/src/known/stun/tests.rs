//! Findings in the other readers that are no answer to a question of ours: each is still there.

use ezk_stun_types as ezk;
use ezk_stun_types::attributes::PasswordAlgorithms;
use rtc_stun::attributes::{ATTR_MAPPED_ADDRESS, ATTR_XORMAPPED_ADDRESS};
use rtc_stun::message::{Getter, Message};
use rtc_stun::xoraddr::XorMappedAddress;

use ringfence_wire::Error;

use super::DIFFERENCES;

/// XOR-MAPPED-ADDRESS of one byte of address. RFC 8489, section 14.2: 32 bits.
const SHORT: &[u8] = include_bytes!("../../../../findings/rtc-stun/short-address");
/// PASSWORD-ALGORITHMS with one algorithm, SHA-256, whose four bytes of parameters look like another one, MD5.
const PARAMETERS: &[u8] = include_bytes!("../../../../findings/ezk-stun-types/password-algorithms");

#[test]
fn rtc_fills_a_short_address_with_zeros() {
    let mut message = Message::new();
    message.unmarshal_binary(SHORT).unwrap();
    let mut address = XorMappedAddress::default();
    address.get_from(&message).unwrap();
    assert_eq!(address.ip.to_string(), "192.0.0.0");
    assert!(message.contains(ATTR_XORMAPPED_ADDRESS) && !message.contains(ATTR_MAPPED_ADDRESS));
    let ours = ringfence_wire::stun::Message::parse(SHORT);
    assert_eq!(ours, Err(Error::Truncated("XOR-MAPPED-ADDRESS")));
}

/// RFC 8489, section 14.11: parameters follow their length. Which algorithms a server named is what section 9.2.1 protects from
/// being bid down.
#[test]
fn ezk_reads_parameters_as_another_algorithm() {
    let mut message = ezk::Message::parse(PARAMETERS).unwrap();
    let read = message.attribute::<PasswordAlgorithms>().unwrap().unwrap();
    let algorithms: Vec<u16> = read.algorithms.iter().map(|(algorithm, _)| *algorithm).collect();
    assert_eq!(algorithms, [2, 1], "the standard says: SHA-256 alone, with four bytes of parameters");
}

#[test]
fn every_entry_says_all_there_is_to_say() {
    let mut names: Vec<_> = DIFFERENCES.iter().map(|known| (known.parser, known.id)).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), DIFFERENCES.len(), "two of one name");
    for known in DIFFERENCES {
        assert!(known.rfc.contains("RFC "), "{} of {} names no standard", known.id, known.parser);
        assert!(["none", "network"].contains(&known.reach.split(':').next().unwrap_or_default()), "{}", known.id);
    }
}
