//! What a step leaves alive for later ones. It is never journaled.

use std::sync::Arc;

use ringfence_client::adapters::CallConfig;
use serde_json::{Map, Value};

use crate::OwnFault;
use crate::verbs::call::HeldCall;

/// What a step leaves alive.
#[derive(Clone)]
pub enum Kept {
    /// A configuration with its credentials.
    Config(Arc<CallConfig>),
    /// A call: running, if it was held, or over; its identity can be used again.
    Call(Arc<HeldCall>),
}

/// The kinds of what is kept, as parameters ask for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum KeptKind {
    /// A configuration.
    Config,
    /// A call.
    Call,
}

impl KeptKind {
    /// The word for messages.
    pub const fn name(kind: u8) -> &'static str {
        if kind == KeptKind::Config as u8 { "config" } else { "call" }
    }
}

impl Kept {
    /// Ends what still runs; what was seen until its end, where it had not ended before.
    pub async fn end(&self) -> Result<Option<Map<String, Value>>, OwnFault> {
        match self {
            Kept::Config(_) => Ok(None),
            Kept::Call(call) => call.end().await,
        }
    }
}
