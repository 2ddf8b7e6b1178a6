//! Logins that are presented a second time: what a thief of one captured request would do.

use ringfence_model::Secret;
use ringfence_wire::digest::{Authorization, Challenge};

use super::auth::Credentials;
use super::message::Agent;

/// With whose credentials a challenge to REGISTER is answered.
#[derive(Clone, Debug, Default)]
pub enum LoginBend {
    /// The plan's own.
    #[default]
    Own,
    /// Nobody's: no `Authorization` is ever sent.
    None,
    /// The plan's user with a password that nobody was given.
    Wrong,
    /// Another configuration's.
    Other {
        /// Its user name.
        username: String,
        /// Its password.
        password: Secret,
    },
    /// One that was presented before, in the first request; no challenge is answered after it.
    Again {
        /// All fields of it.
        login: Vec<SpentLogin>,
        /// What is the same.
        how: Again,
    },
}

/// How a login is presented again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// To the letter.
    Replayed,
    /// A right answer under the same nonce and the same count, with a client nonce of its own.
    SameCount,
    /// A right answer under the same nonce, counted up.
    NextCount,
}

/// One `Authorization` or `Proxy-Authorization` that went out.
#[derive(Clone, Debug)]
pub struct SpentLogin {
    field: &'static str,
    challenge: Challenge,
    count: u32,
    /// The field's value.
    sent: Secret,
}

impl SpentLogin {
    pub(super) fn new(field: &'static str, challenge: &Challenge, count: u32, sent: Secret) -> Self {
        Self { field, challenge: challenge.clone(), count, sent }
    }

    /// The field for a request with this Request-URI; none where the challenge cannot be answered by these credentials.
    pub(super) fn again(
        &self,
        how: Again,
        who: Option<&Credentials>,
        (method, uri): (&str, &str),
        agent: &mut Agent,
    ) -> Option<(String, String)> {
        let count = match how {
            Again::Replayed => return Some((self.field.to_owned(), self.sent.expose().clone())),
            Again::SameCount => self.count,
            Again::NextCount => self.count.saturating_add(1),
        };
        let who = who?;
        let pair = (who.username.as_str(), who.password.expose().as_str());
        let cnonce = agent.random(16);
        let answer = Authorization::answer(&self.challenge, pair, (method, uri), (count, &cnonce)).ok()?;
        Some((self.field.to_owned(), answer.to_string()))
    }
}
