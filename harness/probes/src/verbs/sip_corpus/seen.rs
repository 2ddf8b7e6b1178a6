//! What `sip-corpus` tells.

use ringfence_client::drive::prober::ProberSeen as Probed;
use schemars::JsonSchema;
use serde::Serialize;

/// Observation. Items go by the names that we gave them.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Seen {
    /// Items that the corpus has.
    pub total: i64,
    /// Items that went out whole, as far as the target read them.
    pub sent: i64,
    /// Items that drew a SIP response.
    pub answered: i64,
    /// Items that must not be accepted and were: answered 2xx, or as far as ringing; in `framing` also answered as their sound
    /// twin was.
    pub accepted_invalid: Vec<String>,
    /// Items that must be accepted and were not.
    pub refused_valid: Vec<String>,
    /// Invalid items of which nothing can be said: their sound twins, before them and behind, were not accepted either or not as
    /// quickly, they were refused in a way that says nothing about them, or what the target answered could not be read.
    pub unproved: Vec<String>,
    /// Fields in a spelling of which one arrived although its plain spelling was removed; in `framing` requests that were
    /// answered behind another in one message.
    pub smuggled: Vec<String>,
    /// Items that were neither refused nor closed on in time.
    pub unanswered: Vec<String>,
    /// How the service went on for somebody else.
    pub prober: ProberSeen,
    /// Times that the target closed the connection of the sender.
    pub connection_losses: i64,
    /// The target closed on the sender, and let nobody in again who asked at once; it was asked once more a minute later.
    pub refused_at_once: bool,
    /// The participant whom the harness plays was reached by the plain request.
    pub callee_view: bool,
    /// The audio of the call beside it came back before the first item.
    pub second_call_before: bool,
    /// The call beside it still ran after the last item, and its audio came back.
    pub second_call_alive: bool,
    /// It was not alive, and yet not lost: the target hung up in good order, or is silent as one that never sent an echo may be.
    pub second_call_left: bool,
}

/// Another participant on a connection of its own, who asks OPTIONS four times a second.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct ProberSeen {
    /// Questions asked, those among them for which no connection could be had.
    pub sent: i64,
    /// Those without a final answer within two seconds, and those answered by 408 or 5xx where that was not so before the first
    /// item.
    pub lost: i64,
    /// Those of them that were asked before the first item.
    pub lost_before: i64,
    /// Times from the first item on that its connection was found closed; where another was granted at once, nothing was lost.
    pub closed: i64,
    /// The longest time without an answer, milliseconds.
    pub max_gap_ms: i64,
}

impl From<Probed> for ProberSeen {
    fn from(seen: Probed) -> Self {
        let Probed { sent, lost, lost_before, closed, max_gap_ms } = seen;
        Self { sent, lost, lost_before, closed, max_gap_ms }
    }
}
