//! SIP over WebSocket (RFC 7118) as a browser's client speaks it, for one registration and one call.
//!
//! [`Signalling`] is a machine without sockets and clocks. Give it one [`Input`] with the time, then call
//! [`Signalling::poll`] until it returns [`Output::Timeout`] or [`Output::Idle`]; come back at that time with
//! [`Input::Timeout`] if nothing else happens before.
//!
//! ```text
//! Opened ─ Register ─▸ RegisterAnswer… Registered │ RegisterFinal
//!        ─ Invite   ─▸ Provisional…    Answered   │ Refused        ─ Bye ─▸ Ended
//!                       Described…      Offered ─ Answer ─▸ …
//! ```
//!
//! # Limits
//! Messages as in `ringfence_wire::sip`; three answers to challenges per request; of the far side 256 requests at once and one
//! more each second; eight forks of one call. WebSocket is reliable, so nothing is retransmitted, also not the 200 of a
//! re-INVITE, and each transaction ends by its own limit.

mod answer;
mod auth;
mod dialog;
mod early;
mod invite;
mod login;
mod machine;
mod message;
mod peer;
mod registration;
mod timer;
mod update;

use std::time::{Duration, Instant};

use ringfence_model::{Secret, Untrusted};
use ringfence_wire::digest::Algorithm;

use crate::Failure;
use crate::adapters::{CallConfig, ConfigKind};
pub use answer::FinalAnswer;
pub use dialog::DialogIds;
pub use login::{Again, LoginBend, SpentLogin};
pub use machine::Signalling;

/// T1 times 64: how long a transaction waits for its final answer. RFC 3261, sections 17.1.1.2 and 17.1.2.2.
pub const TRANSACTION: Duration = Duration::from_secs(32);

/// Transport as Via names it. RFC 7118, section 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Without TLS.
    Ws,
    /// With TLS.
    Wss,
}

impl Transport {
    const fn via(self) -> &'static str {
        match self {
            Transport::Ws => "WS",
            Transport::Wss => "WSS",
        }
    }
}

/// What to say, fixed when the machine is built.
#[derive(Clone, Debug)]
pub struct SignallingPlan {
    /// User part of the address-of-record.
    pub aor_user: String,
    /// Domain of the address-of-record.
    pub realm: String,
    /// Digest user name; `None` answers no challenge.
    pub username: Option<String>,
    /// Digest password.
    pub password: Option<Secret>,
    /// The only digest algorithm that is answered; `None` for the strongest that is offered.
    pub algorithm: Option<Algorithm>,
    /// User part of To and From of REGISTER, instead of [`SignallingPlan::aor_user`]. It is written as it is: one with line
    /// ends writes lines of its own.
    pub register_as: Option<String>,
    /// Request-URI of the INVITE.
    pub target_uri: String,
    /// How the WebSocket was opened.
    pub transport: Transport,
    /// `User-Agent`.
    pub user_agent: String,
    /// Further header fields of the INVITE.
    pub identity_headers: Vec<(String, String)>,
    /// Seconds that a registration is asked for.
    pub register_expires: u32,
    /// `Session-Expires` of the INVITE in seconds (RFC 4028); `None` offers no session timer.
    pub session_expires: Option<u32>,
    /// Refreshes the session when it is our turn. RFC 4028, section 7.2.
    pub session_refresh: bool,
    /// Seed of tags, branches and client nonces; two machines of one seed say the same.
    pub seed: u64,
    /// How long a transaction waits for an answer.
    pub transaction: Duration,
    /// How long an INVITE may ring before it is cancelled.
    pub answer_within: Duration,
}

impl SignallingPlan {
    /// The honest plan for a configuration.
    pub fn honest(config: &CallConfig, seed: u64) -> Self {
        let secure = config.ws_uri.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("wss:"));
        let cognigy = config.kind != ConfigKind::Sip;
        Self {
            aor_user: config.aor_user.clone(),
            realm: config.realm.clone(),
            username: config.username.clone(),
            password: config.password.clone(),
            algorithm: None,
            register_as: None,
            target_uri: config.target_uri.clone(),
            transport: if secure { Transport::Wss } else { Transport::Ws },
            user_agent: concat!("ringfence/", env!("CARGO_PKG_VERSION")).into(),
            identity_headers: config.identity_headers.clone(),
            register_expires: 600,
            session_expires: cognigy.then_some(90), // what the vendor's own client asks for
            session_refresh: true,
            seed,
            transaction: TRANSACTION,
            answer_within: Duration::from_secs(60),
        }
    }
}

/// What happens to the machine.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// The WebSocket is open.
    Opened,
    /// One WebSocket message came.
    Message(&'a [u8]),
    /// The WebSocket is closed, or broke.
    Closed,
    /// The time that [`Output::Timeout`] named has come.
    Timeout,
    /// Take the registered contact back. Ends with [`Event::Unregistered`], also where there is none; with
    /// [`Event::RegisterFinal`] or [`Event::Failed`] where the registrar keeps it.
    Unregister,
    /// Register.
    Register {
        /// With whose credentials.
        login: LoginBend,
        /// How many registrations, one after the other on this connection; each ends by its own final answer.
        times: u32,
    },
    /// Call.
    Invite {
        /// The offer.
        sdp: String,
        /// Header fields after those of the plan.
        headers: Vec<(String, String)>,
    },
    /// Any other request.
    Request {
        /// Any token.
        method: String,
        /// Header fields.
        headers: Vec<(String, String)>,
        /// Content type and body.
        body: Option<(String, Vec<u8>)>,
        /// Which dialog it claims to belong to.
        within: Within,
    },
    /// Change the session by a re-INVITE with this offer; [`Event::Changed`] follows.
    Change {
        /// The offer.
        sdp: String,
    },
    /// What we make of [`Event::Offered`]; ignored where nothing is asked any more.
    Answer {
        /// Our description; `None` refuses the change.
        sdp: Option<String>,
    },
    /// Stop calling. Waits for a provisional answer where none came yet (RFC 3261, section 9.1).
    Cancel,
    /// Hang up, or stop calling where there is no answer yet.
    Bye,
    /// Forget everything: the connection is about to be closed by us.
    Close,
}

/// What to do next.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send this as one WebSocket text message.
    Transmit(Vec<u8>),
    /// Tell the caller.
    Event(Event),
    /// Nothing until then, unless something happens before.
    Timeout(Instant),
    /// Nothing until something happens.
    Idle,
}

/// What the caller should know.
#[derive(Clone, Debug)]
pub enum Event {
    /// A final answer to REGISTER, INVITE or [`Input::Request`], challenges included. What it means follows as an event of
    /// its own.
    FinalAnswer(FinalAnswer),
    /// With what the registration that is told next was let in.
    LoggedIn(Vec<SpentLogin>),
    /// A request outside of our call; it is answered already, and never by more than a refusal.
    Asked(Asked),
    /// NOTIFY within the call that tells how a REFER went (RFC 3515, section 2.4.5).
    Notified {
        /// Status of the fragment.
        status: u16,
    },
    /// No contact of ours is bound, or none any more.
    Unregistered,
    /// A registration succeeded.
    Registered {
        /// Status code.
        status: u16,
        /// The answer lists our own contact; without it a browser's client takes the answer for a mistake.
        contact_ok: bool,
        /// Seconds that were granted.
        expires_s: Option<u32>,
    },
    /// A registration failed; a repeated one follows where more were asked for.
    RegisterFinal {
        /// Status code.
        status: u16,
        /// Reason phrase.
        reason: Untrusted,
    },
    /// The INVITE makes progress.
    Provisional {
        /// Status code.
        status: u16,
    },
    /// A description of the far side apart from that of [`Event::Answered`]: before it (RFC 3261, section 13.2.1), or
    /// behind an offer that it asked for.
    Described {
        /// It answers our last offer.
        sdp: Vec<u8>,
    },
    /// The final answer to [`Input::Change`].
    Changed {
        /// Status code; `None` where none came, or nothing could be asked.
        status: Option<u16>,
        /// Its description.
        sdp: Option<Vec<u8>>,
    },
    /// The far side wants to change the session, or only to refresh it. It waits for [`Input::Answer`].
    Offered {
        /// Its offer; `None` asks for ours.
        sdp: Option<Vec<u8>>,
    },
    /// The call is answered, and the answer acknowledged.
    Answered {
        /// Status code.
        status: u16,
        /// The answer, or what the same fork said before; `None` where there is neither.
        sdp: Option<Vec<u8>>,
        /// All header fields.
        headers: Vec<(String, String)>,
    },
    /// The call is refused.
    Refused {
        /// Status code.
        status: u16,
        /// Reason phrase.
        reason: Untrusted,
    },
    /// A final answer to [`Input::Request`].
    Answer {
        /// The request's method.
        method: String,
        /// Status code.
        status: u16,
        /// Reason phrase.
        reason: Untrusted,
        /// All header fields.
        headers: Vec<(String, String)>,
    },
    /// The far side hung up.
    RemoteBye {
        /// Value of its `Reason` field (RFC 3326).
        reason: Option<Untrusted>,
    },
    /// INFO within the call.
    Info {
        /// Its content type.
        content_type: Untrusted,
        /// Its body.
        body: Vec<u8>,
    },
    /// The call is over, by our hang-up or cancellation.
    Ended,
    /// Registration or call cannot go on.
    Failed(Failure),
}

/// A request of the far side that belongs to no call of ours.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its method.
    pub method: String,
    /// All header fields.
    pub headers: Vec<(String, String)>,
}

/// Which dialog a request claims to belong to.
#[derive(Clone, Debug, Default)]
pub enum Within {
    /// None: it goes to the plan's target.
    #[default]
    Nothing,
    /// The call of this connection.
    Call,
    /// Another one, or the call's own with other tags.
    Other(DialogIds),
}

#[cfg(test)]
mod tests;
