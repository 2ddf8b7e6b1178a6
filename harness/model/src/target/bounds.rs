//! How much a run may take from the target, and how long it waits for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much may be held at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AtOnce {
    /// Calls.
    pub calls: u32,
    /// Connections.
    pub connections: u32,
    /// TURN allocations.
    pub allocations: u32,
    /// Configurations fetched per second.
    pub mints_per_s: u32,
}

impl Default for AtOnce {
    fn default() -> Self {
        Self { calls: 2, connections: 8, allocations: 2, mints_per_s: 2 }
    }
}

/// How much the whole run may use: each call may ring a person or cost money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Calls, whoever is called and however they end. The default holds every scenario once: some 130, more than half of them
    /// for `dtls-scan`, which gives back what it does not need.
    pub calls: u32,
    /// Minutes from the start of the run.
    pub minutes: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { calls: 150, minutes: 15 }
    }
}

/// How long the run waits for the target, in seconds. What a target withholds longer counts as no answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TimeLimits {
    /// One DNS answer, and one TCP connection.
    pub connect_s: f64,
    /// One TLS handshake.
    pub tls_s: f64,
    /// Silence inside an exchange.
    pub idle_s: f64,
    /// One whole exchange over HTTP, one WebSocket upgrade, one SIP transaction.
    pub exchange_s: f64,
    /// From INVITE to its final answer: somebody has to pick up.
    pub ring_s: f64,
    /// From the answer to the first media: ICE and DTLS.
    pub media_s: f64,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self { connect_s: 5.0, tls_s: 10.0, idle_s: 10.0, exchange_s: 30.0, ring_s: 60.0, media_s: 15.0 }
    }
}
