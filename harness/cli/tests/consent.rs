//! Consent, scope and what a login may be shown to, against the real binary and real sockets: what is not allowed does not
//! leave this machine, and the report says what was left alone and which line would allow it.

mod fakes;
mod support;

#[path = "consent/authorization.rs"]
mod authorization;
#[path = "consent/dialling.rs"]
mod dialling;
#[path = "consent/foreign.rs"]
mod foreign;
#[path = "consent/login.rs"]
mod login;
#[path = "consent/scenario.rs"]
mod scenario;
#[path = "consent/scope.rs"]
mod scope;
#[path = "consent/second.rs"]
mod second;
#[path = "consent/vendor.rs"]
mod vendor;
