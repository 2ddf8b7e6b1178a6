//! The targets, one file each.

use crate::target::Target;

pub mod sip_message;
pub mod stun_message;

/// All of them, in the order of the layers.
pub const TARGETS: &[Target] = &[
    // SIP
    sip_message::TARGET,
    // STUN and TURN
    stun_message::TARGET,
    // SDP and ICE
    // TLS and DTLS
    // RTP, RTCP, SRTP
    // What carries and configures a call
    // Our own files
    // State machines
];

/// The target of that name.
pub fn named(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
