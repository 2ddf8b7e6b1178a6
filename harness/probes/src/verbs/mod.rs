//! One file per verb.

mod beside;
pub mod browse_page;
pub mod call;
pub mod cors_probe;
pub mod decode_token;
pub mod dtls_attack;
pub mod dtls_scan;
pub mod fetch_config;
pub mod http_request;
pub mod ice_attack;
pub mod inspect;
pub mod media_attack;
pub mod open_websocket;
pub mod register;
pub mod rekey;
pub mod scan_log;
pub mod scan_page;
pub mod sip_corpus;
pub mod sip_request;
pub mod tls_scan;
pub mod turn_allocate;
pub mod turn_permission;
pub mod use_token;
pub mod wait;
