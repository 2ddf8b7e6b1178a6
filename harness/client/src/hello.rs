//! What a TLS or DTLS server accepts, asked with hand-made hellos: versions, suites, groups, signature schemes and SRTP
//! profiles, without one whole handshake.
//!
//! [`Enumerator`] asks about one version, [`Scan`] about all versions of TLS or of DTLS. Both are machines without sockets
//! and clocks: they say which hello is next, and are told what came of it.
//!
//! [`media`] asks the media port of calls, behind ICE; what is believed there, its file says.
//!
//! # How many hellos
//! A server names one suite, group, scheme and profile per answer, so each hello offers all that was not named yet, of every
//! list at once. With s suites accepted, that is s answers and one refusal, and nothing more where only suites are asked for.
//! The other lists ride along as long as the answers can name them: groups with suites that exchange keys over a named group,
//! schemes with suites whose exchange is signed. A list that is longer than those suites are many takes an answer more for
//! each entry left over.
//!
//! A refusal says that nothing fits, not which list was to blame. So the end of each list has to be seen by itself:
//! * suites: the rest of them is refused although all of the other lists is offered. That is the one more;
//! * groups and schemes: the rest is refused although a suite that is known good, and all of the other lists, are offered.
//!   One more for each of the two. It is the hello that runs into the end of the list, if the next one, with that list
//!   restored, succeeds with a suite that both of them offered;
//! * profiles: for nothing on servers that go on without SRTP, as OpenSSL does, if they have more suites than profiles; else
//!   as groups.
//!
//! Beyond that, one more wherever a hello met the ends of two lists at once, or the wrong one was restored first; in 1.3 with
//! three suites or more the groups are restored last, as there are more of them. And one more for a list that outlasts the
//! suites: what was once named is offered again behind the rest, as some servers need it although they do not choose it, the
//! curve of their certificate (RFC 8422, section 5.1) or the scheme of the signature on it; as long as there are suites
//! left, that rides along. Whether a server follows its own order costs one hello at most, and none where the answers
//! contradict the order of ours.
//!
//! Some servers refuse a hello with more than 128 suites, or 150, whatever is in it. Where nothing below 1.3 was accepted, each
//! of these versions is therefore asked again in a short hello before it counts as refused ([`Scan`]): one more for each.
//!
//! # What is believed
//! Only a fatal alert, a close_notify or another version is a refusal; a connection that is closed without a word, or with a
//! warning, is one if it repeats and an offer that is known good succeeds after it. An alert that may speak of what a network
//! did to the hello, or of the server's own trouble (unexpected_message, decode_error, internal_error and the like), is one if
//! it comes each time. Silence, garbage and answers that name what was not offered are asked again from a fresh port, three
//! times in all, and leave the list *unknown*. A cookie is sent back once from each port, however often the server, or the
//! network, asks for it ([`Exchange`]).
//!
//! A server that accepts a suite with a group or scheme that it named before, though it was not offered now, takes nothing of
//! the rest: `rtc-dtls` does so instead of refusing. So does a HelloRetryRequest of 1.3 without a group, as long as some of the
//! groups were left out: the refusal would come behind its cookie. Assumed of the server is that it accepts no less when it is
//! offered more, that groups and schemes depend on no more of a suite than its authentication, and that in 1.3 suites and
//! groups are chosen independently.

mod axis;
mod book;
mod choice;
mod exchange;
mod findings;
mod machine;
mod media;
mod offer;
mod plan;
mod scan;
mod sockets;
mod suite;
#[cfg(test)]
mod tests;

pub use choice::{Choice, choice};
pub use exchange::Exchange;
pub use findings::{Findings, List, Report, Traffic, Unknown, Verdict};
pub use machine::{Ask, Enumerator, Told};
pub use media::{CallBounds, CallsReport, NextCall, Progress, media};
pub use offer::{Question, Wanted};
pub use scan::{Scan, Step};
pub use sockets::{Bounds, dtls, tls};
