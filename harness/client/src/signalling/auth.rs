//! Answering digest challenges: the strongest that can be answered, each nonce once, three times at most, and never twice
//! with credentials that were refused.

use ringfence_model::Secret;
use ringfence_wire::digest::{self, Algorithm, Authorization, Challenge};
use ringfence_wire::sip::Message;

use super::login::SpentLogin;
use super::message::Agent;

/// Challenges of one request that are answered: one at the proxy, one at the registrar, one more for a stale nonce.
const MAX_ANSWERS: u32 = 3;
/// Realms that one request is answered for.
const MAX_REALMS: usize = 4;

/// The fields that ask, and those that answer. RFC 3261, sections 22.2 and 22.3.
pub(super) const FIELDS: [(&str, &str); 2] =
    [("WWW-Authenticate", "Authorization"), ("Proxy-Authenticate", "Proxy-Authorization")];

/// A user name and a password.
#[derive(Clone)]
pub(super) struct Credentials {
    pub username: String,
    pub password: Secret,
}

/// What one request has been asked, and what it answers.
#[derive(Clone)]
pub(super) struct Authenticator {
    kept: Vec<Kept>,
    /// Nonces whose challenge another one took the place of: their counts are forgotten, so they are not used again.
    gone: Vec<String>,
    /// How many more are answered.
    left: u32,
}

impl Default for Authenticator {
    fn default() -> Self {
        Self { kept: Vec::new(), gone: Vec::new(), left: MAX_ANSWERS }
    }
}

#[derive(Clone)]
struct Kept {
    field: &'static str,
    challenge: Challenge,
    /// How often this nonce was used.
    count: u32,
    /// What was last sent for it.
    sent: Secret,
}

impl Authenticator {
    /// Answers one challenge only: each further answer with a wrong password is one more wrong login.
    pub fn once() -> Self {
        Self { left: 1, ..Self::default() }
    }

    /// Takes the challenges of a 401 or 407, of one algorithm alone where that is wanted. Whether there is anything new to
    /// answer them with.
    pub fn take(&mut self, message: &Message, wanted: Option<Algorithm>) -> bool {
        if self.left == 0 {
            return false;
        }
        let mut fresh = false;
        let gone = self.gone.clone();
        for (asks, field) in FIELDS {
            for challenge in best_by_realm(message, asks, wanted) {
                let same = |kept: &Kept| kept.field == field && kept.challenge.realm == challenge.realm;
                let full = self.kept.len() >= 2 * MAX_REALMS;
                let known = self.kept.iter().position(same).and_then(|at| self.kept.get_mut(at));
                match known {
                    _ if gone.contains(&challenge.nonce) => continue,
                    // RFC 3261, section 22.1: what was refused is not tried again, unless only the nonce was too old, or
                    // was good for one request: it had its second use because the first one went through here.
                    Some(kept) if (challenge.stale || kept.count > 1) && kept.challenge.nonce != challenge.nonce => {
                        self.gone.push(std::mem::replace(kept, Kept::new(field, challenge)).challenge.nonce);
                    }
                    Some(_) => continue,
                    None if full => continue,
                    None => self.kept.push(Kept::new(field, challenge)),
                }
                fresh = true;
            }
        }
        self.left -= u32::from(fresh);
        fresh
    }

    /// The fields that the next request carries: every challenge so far, each nonce counted up.
    pub fn headers(&mut self, who: &Credentials, method: &str, uri: &str, agent: &mut Agent) -> Vec<(String, String)> {
        let pair = (who.username.as_str(), who.password.expose().as_str());
        let answer = |kept: &mut Kept| {
            kept.count += 1;
            let cnonce = agent.random(16);
            let answer = Authorization::answer(&kept.challenge, pair, (method, uri), (kept.count, &cnonce)).ok()?;
            kept.sent = Secret::new(answer.to_string());
            Some((kept.field.to_owned(), answer.to_string()))
        };
        self.kept.iter_mut().filter_map(answer).collect()
    }

    /// What was sent last; none where nothing was asked.
    pub fn spent(&self) -> Vec<SpentLogin> {
        let used = self.kept.iter().filter(|kept| kept.count > 0);
        used.map(|kept| SpentLogin::new(kept.field, &kept.challenge, kept.count, kept.sent.clone())).collect()
    }
}

impl Kept {
    fn new(field: &'static str, challenge: Challenge) -> Self {
        Self { field, challenge, count: 0, sent: Secret::from("") }
    }
}

/// Every digest challenge of one field that can be read; one that cannot does not hide the others.
pub(super) fn challenges(message: &Message, field: &str) -> Vec<Challenge> {
    message.headers(field).filter_map(|value| digest::challenges([value]).ok()).flatten().collect()
}

/// Per realm the challenge with the strongest algorithm that can be computed (RFC 8760, section 2.3).
fn best_by_realm(message: &Message, field: &str, wanted: Option<Algorithm>) -> Vec<Challenge> {
    let usable = |challenge: &Challenge| {
        let named = || Algorithm::named(challenge.algorithm.as_deref()).ok();
        strength(challenge) > 0 && (wanted.is_none() || named() == wanted)
    };
    let mut best: Vec<Challenge> = Vec::new();
    for challenge in challenges(message, field).into_iter().filter(usable) {
        match best.iter().position(|known| known.realm == challenge.realm) {
            Some(index) => {
                if let Some(known) = best.get_mut(index).filter(|known| strength(&challenge) > strength(known)) {
                    *known = challenge;
                }
            }
            None if best.len() < MAX_REALMS => best.push(challenge),
            None => {}
        }
    }
    best
}

fn strength(challenge: &Challenge) -> u8 {
    let qop = challenge.qop.is_empty() || challenge.qop.iter().any(|qop| qop.eq_ignore_ascii_case("auth"));
    match Algorithm::named(challenge.algorithm.as_deref()) {
        Ok(Algorithm::Sha256) if qop => 2,
        Ok(Algorithm::Md5) if qop => 1,
        _ => 0,
    }
}
