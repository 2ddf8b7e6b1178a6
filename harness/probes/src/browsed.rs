//! What a browser saw of a page, as it stands: for `inspect` and for the next visit. It holds secrets and personal data and
//! is never journaled.

use std::sync::Arc;

use tempfile::TempDir;

use crate::Ledger;

/// What one `browse-page` step saw, and the browser profile that it used.
pub struct Browsed {
    /// Visit by visit, in order.
    pub visits: Vec<Visit>,
    /// The secrets that this browser was given: what it stored shows in a later visit.
    pub secrets: Ledger,
    /// The profile folder as the last visit left it; gone with the last holder.
    pub profile: Arc<TempDir>,
}

/// What one visit of a page showed. Everything is bounded by the probe that collects it.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    /// Messages on the WebSockets of the page, in order.
    pub frames: Vec<Frame>,
    /// By what the page names its visitor.
    pub identifiers: Vec<Identifier>,
}

/// One message on a WebSocket of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The page sent it.
    pub sent: bool,
    /// The message; binary ones are read as text where they are UTF-8, and left out where they are not.
    pub text: String,
}

/// A value by which the page names its visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier {
    /// Where it stands.
    pub kind: IdentifierKind,
    /// The value, as it stands there.
    pub value: String,
}

/// Where an identifier stands in what the page sends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentifierKind {
    /// User part of the address-of-record: `From` of an INVITE, `To` of a REGISTER. RFC 3261, section 19.1.1.
    UserId,
    /// Display name of `From` or `Contact`. RFC 3261, section 25.1.
    DisplayName,
    /// User part of the `Contact` URI.
    ContactUser,
    /// Value of a header field whose name begins with `X-`; the name in lower case.
    Header(String),
}
