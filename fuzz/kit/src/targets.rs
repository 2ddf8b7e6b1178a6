//! The targets, one file each.

use crate::target::Target;

#[cfg(feature = "client")]
pub mod call_flow;
pub mod client_hello;
#[cfg(feature = "client")]
pub mod config_json;
pub mod dtls_handshake_flight;
pub mod dtls_record;
pub mod ice_candidate;
#[cfg(feature = "judge")]
pub mod journal_replay;
#[cfg(feature = "client")]
pub mod register_flow;
#[cfg(feature = "reports")]
pub mod report_escape;
pub mod rtcp_compound;
pub mod rtp_header;
#[cfg(feature = "judge")]
pub mod scenario_file;
pub mod sdp;
pub mod sdp_roundtrip;
#[cfg(feature = "client")]
pub mod sip_dialling;
pub mod sip_digest;
pub mod sip_message;
#[cfg(feature = "peers-sip")]
pub mod sip_parsers_agree;
pub mod sip_spelling;
pub mod sip_torture_mutations;
#[cfg(feature = "client")]
pub mod sip_transaction;
pub mod sip_uri;
#[cfg(feature = "peers-srtp")]
pub mod srtp_peers_agree;
#[cfg(feature = "srtp")]
pub mod srtp_roundtrip;
#[cfg(feature = "srtp")]
pub mod srtp_unprotect;
pub mod stun_integrity;
pub mod stun_message;
#[cfg(feature = "peers-stun")]
pub mod stun_parsers_agree;
#[cfg(feature = "judge")]
pub mod target_file;
pub mod tls_server_hello;
#[cfg(feature = "client")]
pub mod token;
pub mod turn_channel_data;
#[cfg(feature = "client")]
pub mod turn_client;
pub mod wav;
#[cfg(feature = "client")]
pub mod websocket_frames;

/// All of them, in the order of the layers.
pub const TARGETS: &[Target] = &[
    // SIP
    sip_message::TARGET,
    sip_spelling::TARGET,
    sip_torture_mutations::TARGET,
    #[cfg(feature = "peers-sip")]
    sip_parsers_agree::TARGET,
    sip_uri::TARGET,
    sip_digest::TARGET,
    #[cfg(feature = "client")]
    sip_dialling::TARGET,
    // STUN and TURN
    stun_message::TARGET,
    stun_integrity::TARGET,
    #[cfg(feature = "peers-stun")]
    stun_parsers_agree::TARGET,
    turn_channel_data::TARGET,
    // SDP and ICE
    sdp::TARGET,
    sdp_roundtrip::TARGET,
    ice_candidate::TARGET,
    // TLS and DTLS
    client_hello::TARGET,
    tls_server_hello::TARGET,
    dtls_handshake_flight::TARGET,
    dtls_record::TARGET,
    // RTP, RTCP, SRTP
    rtp_header::TARGET,
    rtcp_compound::TARGET,
    #[cfg(feature = "srtp")]
    srtp_unprotect::TARGET,
    #[cfg(feature = "srtp")]
    srtp_roundtrip::TARGET,
    #[cfg(feature = "peers-srtp")]
    srtp_peers_agree::TARGET,
    wav::TARGET,
    // What carries and configures a call
    #[cfg(feature = "client")]
    websocket_frames::TARGET,
    #[cfg(feature = "client")]
    token::TARGET,
    #[cfg(feature = "client")]
    config_json::TARGET,
    // Our own files
    #[cfg(feature = "judge")]
    scenario_file::TARGET,
    #[cfg(feature = "judge")]
    target_file::TARGET,
    #[cfg(feature = "judge")]
    journal_replay::TARGET,
    #[cfg(feature = "reports")]
    report_escape::TARGET,
    // State machines
    #[cfg(feature = "client")]
    sip_transaction::TARGET,
    #[cfg(feature = "client")]
    register_flow::TARGET,
    #[cfg(feature = "client")]
    turn_client::TARGET,
    #[cfg(feature = "client")]
    call_flow::TARGET,
];

/// The target of that name.
pub fn named(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
