//! A real browser on any page, watched over the Chrome DevTools Protocol, and gone for sure afterwards.
//!
//! | file | subject |
//! |---|---|
//! | `find` | which Chromium |
//! | `process`, `flags` | one browser on one profile folder, its pipe, its end |
//! | `codec`, `session` | messages that end in NUL; commands, answers, events |
//! | `proxy` | the browser's only way to a server, through [`crate::Net`] |
//! | `watch`, `record` | events to facts, within bounds |
//! | `observer.js` | what runs in the page: peer connections, microphone, WebSockets |
//! | `reader.js` | what a page left behind: storage, document |
//! | `peer` | what a peer connection says about itself |
//! | `sip` | dialogs of the page, and requests that go into them |
//! | `visit` | one visit from the empty profile to the end of the call |
//!
//! The pipe is a pair of descriptors and no port, so nobody else on the machine drives this browser; and a browser whose
//! pipe is closed ends by itself, also where this process was killed.
//!
//! # Limits
//! HTTP and WebSockets go through the proxy and stay in scope. Media is UDP of the browser's own: addresses of ICE servers
//! and of the far side are looked at as soon as the page names them, and one out of scope ends the visit, but the first
//! packet may be out by then. Other names than those of the scope are not resolved where the scope has names only.
//! Frames of other sites share the page's process, so that one observer sees them all; closed shadow roots stay closed.

mod codec;
mod find;
mod flags;
mod peer;
mod process;
mod proxy;
mod record;
mod session;
mod sip;
mod visit;
mod watch;

#[cfg(test)]
mod tests;

pub use find::{INSTALL, find};
pub use peer::{IceServer, Peer, Stats};
pub use process::bare_environment;
pub use proxy::Traffic;
pub use record::{Address, Answer, Frame, Record, ServiceWorker, Socket, Stored};
pub use sip::{Identity, IdentityKind, identities, logins};
pub use visit::{BrowserError, Inject, Injected, Start, VisitPlan, Visited, visit};
