//! What fuzzing looks at and nobody else: plain data out of functions that are none of the interface. No promise is made.

use super::sniff::{self, Clear};

/// Whether a datagram is whole records of DTLS 1.0 or 1.2: only these reach the association.
pub fn is_whole_records(datagram: &[u8]) -> bool {
    sniff::is_whole_records(datagram)
}

/// Random, version, suite, whether it agrees to the extended master secret, SRTP profile. Versions, suites and profiles are
/// those of the registries, as on the wire.
pub type ClearHello = ([u8; 32], u16, u16, bool, Option<u16>);

/// What the first ServerHello in a datagram is told to say.
pub fn clear_hello(datagram: &[u8]) -> Option<ClearHello> {
    sniff::clear_parts(datagram).into_iter().find_map(|part| match part {
        Clear::ServerHello { random, version, suite, extended_master_secret, profile } => {
            Some((random, version, suite, extended_master_secret, profile))
        }
        _ => None,
    })
}
