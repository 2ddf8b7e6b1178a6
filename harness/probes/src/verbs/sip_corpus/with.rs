//! What `sip-corpus` takes.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::step_ref::ConfigRef;

/// Parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// Which messages.
    pub corpus: Corpus,
    /// The step whose configuration the sender uses; left out: a fresh one.
    #[serde(default)]
    pub config: Option<ConfigRef>,
}

/// A list of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Corpus {
    /// The 49 torture messages of RFC 4475.
    Rfc4475,
    /// Those of them without a negative, oversize or contradictory number: what an operator may be asked without consent.
    Rfc4475Mild,
    /// The 12 torture messages of RFC 5118.
    Rfc5118,
    /// Requests that contradict themselves, each beside a sound twin.
    Contradictions,
    /// Spellings of header fields that an edge removes, sent to a participant whom the harness plays.
    Smuggling,
    /// WebSocket frames that RFC 6455 allows, and such that it forbids.
    Framing,
    /// Messages and frames that are larger than anybody needs.
    Oversize,
    /// Messages that parsers were once wrong about.
    FuzzRegressions,
}

impl Corpus {
    /// Whether another participant's call is held beside it.
    pub const fn has_a_call_beside(self) -> bool {
        matches!(self, Self::Rfc4475 | Self::Rfc5118 | Self::Oversize | Self::FuzzRegressions)
    }
}
