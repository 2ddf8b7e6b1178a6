//! The probes: Rust verbs that each do one thing to the target and return a typed observation, without opinion.
//!
//! One file per verb in [`verbs`]: its parameters, its observation, what it costs, and the conversation that makes it.
//! [`VERBS`] is the only list of them.

mod address;
mod browsed;
mod cx;
pub mod detect;
mod kept;
mod ledger;
mod log_marks;
mod origin;
mod own_secrets;
mod probe;
mod step_ref;
mod token;
pub mod verbs;

pub use browsed::{Browsed, Frame, Identifier, IdentifierKind, Visit};
pub use cx::Cx;
pub use kept::{Kept, KeptKind};
pub use ledger::{Ledger, Search};
pub use log_marks::LogMarks;
pub use own_secrets::learn_own;
pub use probe::{Asked, Cost, OwnFault, Probe, Raw, Verb};
pub use step_ref::{StepRef, steps_in};

use verbs::*;

/// Every verb.
pub const VERBS: &[Verb] = &[
    Verb::of::<browse_page::BrowsePage>(),
    Verb::of::<call::Call>(),
    Verb::of::<cors_probe::CorsProbe>(),
    Verb::of::<decode_token::DecodeToken>(),
    Verb::of::<dtls_attack::DtlsAttack>(),
    Verb::of::<dtls_scan::DtlsScan>(),
    Verb::of::<fetch_config::FetchConfig>(),
    Verb::of::<http_request::HttpRequest>(),
    Verb::of::<ice_attack::IceAttack>(),
    Verb::of::<inspect::Inspect>(),
    Verb::of::<media_attack::MediaAttack>(),
    Verb::of::<open_websocket::OpenWebsocket>(),
    Verb::of::<register::Register>(),
    Verb::of::<rekey::Rekey>(),
    Verb::of::<scan_log::ScanLog>(),
    Verb::of::<scan_page::ScanPage>(),
    Verb::of::<sip_corpus::SipCorpus>(),
    Verb::of::<sip_request::SipRequest>(),
    Verb::of::<tls_scan::TlsScan>(),
    Verb::of::<turn_allocate::TurnAllocate>(),
    Verb::of::<turn_permission::TurnPermission>(),
    Verb::of::<use_token::UseToken>(),
    Verb::of::<wait::Wait>(),
];

/// The verb of that name.
pub fn verb(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name)
}
