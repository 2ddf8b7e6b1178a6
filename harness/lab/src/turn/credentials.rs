//! Long-term credentials (RFC 8489, section 9.2) whose user names carry their expiry (TURN REST convention).
//!
//! Nothing is stored: a nonce is the time of its making with a code over it and the client's address, a password is a
//! code over its user name.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use ringfence_model::Secret;
use ringfence_wire::stun::{self, Message};
use ringfence_wire::turn::{TimedUser, timed_password};
use sha2::Sha256;

use crate::figures::{TURN_NONCE_LIFE, TURN_REALM};
use crate::random;

/// Hexadecimal digits of a nonce's time, of its random part, and of its code.
const TIME_DIGITS: usize = 16;
const SALT_DIGITS: usize = 16;
const CODE_DIGITS: usize = 32;

/// Who asks.
pub(super) struct User {
    /// USERNAME.
    pub name: String,
    /// What answers are signed with.
    pub key: [u8; 16],
}

/// Why a request is not believed. All but `Malformed` come with a fresh nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unbelieved {
    /// 401: no MESSAGE-INTEGRITY at all.
    Anonymous,
    /// 400: MESSAGE-INTEGRITY without what it needs.
    Malformed,
    /// 438: the nonce is too old or somebody else's.
    StaleNonce,
    /// 401: unknown or expired user, or wrong password.
    Wrong,
}

/// Makes and checks nonces and passwords.
pub(super) struct Credentials {
    shared: Secret<Vec<u8>>,
    nonce_key: Secret<Vec<u8>>,
    started: Instant,
}

impl Credentials {
    /// For the secret that the configuration endpoint makes passwords with.
    pub fn new(shared: Secret<Vec<u8>>) -> Self {
        Self { shared, nonce_key: Secret::new(random::bytes::<32>().to_vec()), started: Instant::now() }
    }

    /// A nonce for this client, another one each time.
    pub fn nonce(&self, client: SocketAddr, now: Instant) -> String {
        let time = format!("{:016x}", now.saturating_duration_since(self.started).as_millis() as u64);
        let salt = random::hex::<8>();
        let code = self.code(&time, &salt, client);
        [time, salt, code].concat()
    }

    /// Checks in the order of RFC 8489, section 9.2.4.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, bytes: &[u8], message: &Message, client: SocketAddr, now: Instant) -> Result<User, Unbelieved> {
        if !message.is_signed() {
            return Err(Unbelieved::Anonymous);
        }
        let (Some(name), Some(realm), Some(nonce)) = (message.username(), message.realm(), message.nonce()) else {
            return Err(Unbelieved::Malformed);
        };
        if !self.is_fresh(nonce, client, now) {
            return Err(Unbelieved::StaleNonce);
        }
        let key = stun::long_term_key(name, TURN_REALM, &timed_password(self.shared.expose(), name));
        let living = TimedUser::parse(name).is_ok_and(|user| unix_time() < Duration::from_secs(user.expires_unix_s));
        if !living || realm != TURN_REALM || stun::verify_integrity(bytes, &key).is_err() {
            return Err(Unbelieved::Wrong);
        }
        Ok(User { name: name.to_owned(), key })
    }

    fn is_fresh(&self, nonce: &str, client: SocketAddr, now: Instant) -> bool {
        let parts = nonce.split_at_checked(TIME_DIGITS).and_then(|(time, rest)| {
            let (salt, code) = rest.split_at_checked(SALT_DIGITS)?;
            Some((time, salt, code))
        });
        let Some((time, salt, code)) = parts else { return false };
        // A nonce is public, so comparing it needs no care about time.
        let Ok(made) = u64::from_str_radix(time, 16) else { return false };
        let age = now.saturating_duration_since(self.started).checked_sub(Duration::from_millis(made));
        code == self.code(time, salt, client) && age.is_some_and(|age| age < TURN_NONCE_LIFE)
    }

    fn code(&self, time: &str, salt: &str, client: SocketAddr) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.nonce_key.expose()).expect("HMAC takes a key of any length");
        for part in [time, salt, &client.to_string()] {
            mac.update(part.as_bytes());
        }
        let code = mac.finalize().into_bytes();
        code.iter().take(CODE_DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
    }
}

fn unix_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_are_the_clients_own_and_age() {
        let credentials = Credentials::new(Secret::new(b"north".to_vec()));
        let (now, client) = (Instant::now(), "127.0.0.5:4000".parse().unwrap());
        let nonce = credentials.nonce(client, now);
        assert_ne!(nonce, credentials.nonce(client, now));
        assert!(credentials.is_fresh(&nonce, client, now));
        assert!(!credentials.is_fresh(&nonce, "127.0.0.6:4000".parse().unwrap(), now));
        assert!(!credentials.is_fresh(&nonce, client, now + TURN_NONCE_LIFE + Duration::from_millis(1)));
        for wrong in ["", "ä", &nonce[1..], &nonce.replace(&nonce[..4], "ffff")] {
            assert!(!credentials.is_fresh(wrong, client, now), "{wrong}");
        }
    }
}
