//! What a step leaves alive for later ones. It is never journaled.

use std::sync::Arc;

use ringfence_client::adapters::CallConfig;
use ringfence_client::signalling::SpentLogin;
use serde_json::{Map, Value};

use crate::verbs::call::HeldCall;
use crate::verbs::turn_allocate::HeldAllocation;
use crate::{Browsed, OwnFault};

/// What a step leaves alive.
#[derive(Clone)]
pub enum Kept {
    /// A configuration with its credentials.
    Config(Arc<CallConfig>),
    /// A call: running, if it was held, or over; its identity can be used again.
    Call(Arc<HeldCall>),
    /// What a browser saw of a page, and its profile.
    Page(Arc<Browsed>),
    /// TURN allocations.
    Allocation(Arc<HeldAllocation>),
    /// What a registration was let in with.
    Login(Arc<Vec<SpentLogin>>),
}

/// The kinds of what is kept, as parameters ask for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum KeptKind {
    /// A configuration.
    Config,
    /// A call.
    Call,
    /// A page.
    Page,
    /// A TURN allocation.
    Allocation,
    /// A login that was presented.
    Login,
    /// Anything: the step's observation is enough.
    Any,
}

impl KeptKind {
    /// The word for messages.
    pub const fn name(kind: u8) -> &'static str {
        const ANY: u8 = KeptKind::Any as u8;
        const PAGE: u8 = KeptKind::Page as u8;
        const CALL: u8 = KeptKind::Call as u8;
        const LOGIN: u8 = KeptKind::Login as u8;
        const ALLOCATION: u8 = KeptKind::Allocation as u8;
        match kind {
            ANY => "anything",
            LOGIN => "login",
            ALLOCATION => "allocation",
            PAGE => "page",
            CALL => "call",
            _ => "config",
        }
    }
}

impl Kept {
    /// Ends what still runs; what was seen until its end, where it had not ended before.
    pub async fn end(&self) -> Result<Option<Map<String, Value>>, OwnFault> {
        match self {
            Kept::Config(_) | Kept::Page(_) | Kept::Login(_) => Ok(None),
            Kept::Call(call) => call.end().await,
            Kept::Allocation(allocation) => {
                allocation.end().await;
                Ok(None)
            }
        }
    }
}
