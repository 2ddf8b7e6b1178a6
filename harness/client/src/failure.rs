//! What the target or the network did wrong: a value like any other, never a panic and never our own fault.

use ringfence_model::Untrusted;
use ringfence_model::observation::Outcome;

/// Why a conversation did not give what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The class, which scenarios may read.
    pub outcome: Outcome,
    /// The exact reason, for people. It may quote the target.
    pub error: Untrusted,
}

impl Failure {
    /// A failure with its reason.
    pub fn new(outcome: Outcome, error: impl AsRef<str>) -> Self {
        Self { outcome, error: Untrusted::new(error) }
    }

    /// [`Outcome::Protocol`]: what came is not what the protocol says.
    pub fn protocol(error: impl AsRef<str>) -> Self {
        Self::new(Outcome::Protocol, error)
    }

    /// [`Outcome::Timeout`]: nothing came within the limit.
    pub fn timeout(error: impl AsRef<str>) -> Self {
        Self::new(Outcome::Timeout, error)
    }

    /// [`Outcome::Closed`]: the target ended the connection.
    pub fn closed(error: impl AsRef<str>) -> Self {
        Self::new(Outcome::Closed, error)
    }

    /// An error of an open connection, or of one that is being opened.
    pub(crate) fn from_io(what: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        // Libraries wrap an error of the system into one of their own kind; the innermost says what happened.
        let inner =
            |error: &std::io::Error| error.get_ref()?.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        let outcome = match inner(error).unwrap_or(error.kind()) {
            Kind::ConnectionRefused
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::AddrNotAvailable
            | Kind::PermissionDenied
            | Kind::InvalidInput
            | Kind::NotFound => Outcome::Unreachable,
            Kind::TimedOut => Outcome::Timeout,
            Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::BrokenPipe
            | Kind::NotConnected
            | Kind::UnexpectedEof => Outcome::Closed,
            _ => Outcome::Protocol,
        };
        Self::new(outcome, format!("{what}: {error}"))
    }
}

impl std::fmt::Display for Failure {
    /// Escaped: this may go to a terminal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.outcome.word(), self.error.visible())
    }
}
