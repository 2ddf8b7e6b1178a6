//! Digest logins (RFC 7616, RFC 8760): SHA-256 is offered before MD5, `qop=auth` is required, and a nonce belongs to
//! one connection.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::Instant;

use ringfence_wire::digest::{Algorithm, Authorization, Challenge};
use ringfence_wire::sip::Builder;

use super::reply::reply;
use super::request::Request;
use super::{Outgoing, Session, built};
use crate::fault::Fault;
use crate::figures::{MAX_NONCES, NONCE_LIFE, SIP_REALM};
use crate::limits::retry_after_s;
use crate::random;

/// Who asks for a login, and in which words.
#[derive(Clone, Copy)]
pub(crate) enum Asks {
    /// The registrar: 401.
    Registrar,
    /// The agent in the role of a proxy: 407.
    Proxy,
}

impl Asks {
    const fn words(self) -> (u16, &'static str, &'static str, &'static str) {
        match self {
            Asks::Registrar => (401, "Unauthorized", "WWW-Authenticate", "Authorization"),
            Asks::Proxy => (407, "Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization"),
        }
    }
}

/// The nonces of one connection.
#[derive(Debug, Default)]
pub(crate) struct Nonces {
    held: VecDeque<Nonce>,
    issued: u64,
}

#[derive(Debug)]
struct Nonce {
    text: String,
    issued: Instant,
    /// The highest count that was used with it.
    counted: u32,
    /// It was issued without `qop`, so that answers to it carry no count.
    uncounted: bool,
}

/// What is wrong with a nonce.
#[derive(Debug, PartialEq, Eq)]
enum NonceFault {
    /// Too old, or not of this connection.
    Stale,
    /// Its count was used before.
    Replayed,
}

impl Nonces {
    /// Whether this connection was asked for a login before.
    pub fn any_issued(&self) -> bool {
        self.issued > 0
    }

    fn issue(&mut self, uncounted: bool, now: Instant) -> String {
        if self.held.len() == MAX_NONCES {
            self.held.pop_front();
        }
        let text = random::hex::<16>();
        self.held.push_back(Nonce { text: text.clone(), issued: now, counted: 0, uncounted });
        self.issued += 1;
        text
    }

    fn spend(&mut self, text: &str, count: u32, now: Instant) -> Result<(), NonceFault> {
        let young = |nonce: &&mut Nonce| nonce.text == text && now.saturating_duration_since(nonce.issued) < NONCE_LIFE;
        let nonce = self.held.iter_mut().find(young).ok_or(NonceFault::Stale)?;
        if nonce.uncounted {
            return Ok(());
        }
        if count <= nonce.counted {
            return Err(NonceFault::Replayed);
        }
        nonce.counted = count;
        Ok(())
    }

    fn is_uncounted(&self, text: &str) -> bool {
        self.held.iter().any(|nonce| nonce.text == text && nonce.uncounted)
    }
}

impl Session {
    /// The user whose login the request carries.
    ///
    /// # Errors
    /// The response that asks for one or refuses it. An unknown user and a wrong password get the same.
    pub(super) fn login(&mut self, request: &Request, asks: Asks, now: Instant) -> Result<String, Outgoing> {
        let (.., field) = asks.words();
        let mut given = None;
        for value in request.raw.headers(field) {
            match Authorization::parse(value) {
                Ok(Some(answer)) if answer.realm == SIP_REALM => given = given.or(Some(answer)),
                Ok(_) => {}
                Err(_) => return Err(built(reply(&request.raw, 400, "Bad Request", None))),
            }
        }
        let Some(answer) = given else { return Err(self.challenge(request, asks, false, now)) };
        if answer.uri != request.uri_text {
            return Err(built(reply(&request.raw, 400, "Bad Request", None)));
        }
        let key = (self.source, answer.username.clone());
        let limited = self.shared.wrong_logins.lock().unwrap_or_else(PoisonError::into_inner).wait(&key, now);
        if let Some(wait) = limited {
            let refused = reply(&request.raw, 403, "Forbidden", None);
            return Err(built(refused.header("Retry-After", retry_after_s(wait).to_string())));
        }
        if !self.fits(&answer, request.raw.method().unwrap_or_default()) {
            self.shared.wrong_logins.lock().unwrap_or_else(PoisonError::into_inner).count(&key, now);
            return Err(self.challenge(request, asks, false, now));
        }
        match self.nonces.spend(&answer.nonce, answer.nc.unwrap_or(0), now) {
            Ok(()) => Ok(answer.username),
            Err(_) if self.shared.faults.broken(Fault::NonceCountIgnored) && self.shared.issued(&answer.nonce, now) => {
                Ok(answer.username)
            }
            Err(fault) => Err(self.challenge(request, asks, fault == NonceFault::Stale, now)),
        }
    }

    /// Whether the digest is that of the user's password. RFC 2069, without `qop`, is not taken unless it was asked for: its
    /// answers can be replayed.
    fn fits(&self, answer: &Authorization, method: &str) -> bool {
        let Ok(algorithm) = Algorithm::named(answer.algorithm.as_deref()) else { return false };
        let known = self.shared.accounts.ha1(&answer.username, algorithm);
        let exists = known.is_some();
        let ha1 = known.unwrap_or_else(|| self.shared.nobody.clone());
        let protected = answer.qop.is_some() || self.nonces.is_uncounted(&answer.nonce);
        answer.verify(ha1.expose(), method).is_ok() && protected && exists
    }

    fn challenge(&mut self, request: &Request, asks: Asks, stale: bool, now: Instant) -> Outgoing {
        let (status, reason, field, _) = asks.words();
        let uncounted = self.shared.faults.broken(Fault::DigestNoQop);
        let nonce = self.nonces.issue(uncounted, now);
        self.shared.note_issued(&nonce, now);
        let asked = |algorithm: &str| Challenge {
            realm: SIP_REALM.to_owned(),
            nonce: nonce.clone(),
            algorithm: Some(algorithm.to_owned()),
            qop: if uncounted { vec![] } else { vec!["auth".to_owned()] },
            opaque: None,
            stale,
        };
        let add = |builder: Builder, algorithm: &str| builder.header(field, asked(algorithm).to_string());
        // The first one that a client knows counts. RFC 8760, section 2.4.
        built(["SHA-256", "MD5"].into_iter().fold(reply(&request.raw, status, reason, None), add))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn nonces_age_and_count() {
        let (mut nonces, now) = (Nonces::default(), Instant::now());
        assert!(!nonces.any_issued());
        let nonce = nonces.issue(false, now);
        assert_ne!(nonce, nonces.issue(false, now));
        assert_eq!(nonces.spend(&nonce, 1, now), Ok(()));
        assert_eq!(nonces.spend(&nonce, 1, now), Err(NonceFault::Replayed));
        assert_eq!(nonces.spend(&nonce, 2, now + Duration::from_secs(19)), Ok(()));
        assert_eq!(nonces.spend(&nonce, 3, now + Duration::from_secs(20)), Err(NonceFault::Stale));
        assert_eq!(nonces.spend("foreign", 1, now), Err(NonceFault::Stale));
        let old = nonces.issue(true, now);
        assert!(nonces.is_uncounted(&old) && !nonces.is_uncounted(&nonce));
        assert_eq!(
            (nonces.spend(&old, 0, now), nonces.spend(&old, 0, now)),
            (Ok(()), Ok(())),
            "RFC 2069 counts nothing"
        );
        for _ in 0..100 {
            nonces.issue(false, now);
        }
        assert_eq!(nonces.held.len(), MAX_NONCES);
    }
}
